"""Small text files of a capture."""

from pathlib import Path

from fr3d.errors import MalformedInputError, MissingInputError

MAX_BYTES = 1 << 20


def read_text(path: Path) -> str:
    """Read a small UTF-8 text; its lines end in a line feed.

    Raises:
        MissingInputError: it cannot be read.
        MalformedInputError: it is not text, or far too long.
    """
    return decode_text(read_small(path), path.name)


def read_small(path: Path) -> bytes:
    """Read a small file, one byte past the limit at most.

    Raises:
        MissingInputError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise MissingInputError(
            f"{path.name}: {error.strerror}", "is the path right, and may you read it?"
        ) from error


def decode_text(data: bytes, name: str) -> str:
    """As `read_text`, for bytes at hand.

    Args:
        data: the whole file.
        name: its name, for messages.
    """
    if len(data) > MAX_BYTES:
        raise MalformedInputError(f"{name}: longer than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInputError(
            f"{name}: not UTF-8 text at byte {error.start}", "save it as UTF-8"
        ) from error
    if "\0" in text:
        raise MalformedInputError(f"{name}: holds NUL bytes, expected text")
    return text.replace("\r\n", "\n").replace("\r", "\n")
