"""Lists of session folders, as `find` and its kin print them."""

import os
from pathlib import Path

from fr3d.errors import MalformedInputError


def read_session_list(data: bytes, where: str = "standard input") -> list[Path]:
    r"""Read folders from a list, one a line, or separated by NUL where there is one.

    Blank lines and those that begin with `#` are passed over. In lists with NUL every character
    counts, as `find -print0` means it.

    Args:
        data: the whole list; names are bytes of the file system.
        where: its name, for messages.

    Raises:
        MalformedInputError: it names no folders, or one of them twice.

    >>> [str(p) for p in read_session_list(b"# rig 1\na/1\n\na/2\n")]
    ['a/1', 'a/2']
    """
    folders: dict[str, int] = {}
    for number, entry in enumerate(_entries(data), 1):
        if not entry or (b"\0" not in data and entry.startswith(b"#")):
            continue
        name = os.fsdecode(entry)
        key = os.path.normpath(name)
        if key in folders:
            raise MalformedInputError(
                f"{where}: line {number}: names {name} again, as line {folders[key]} does"
            )
        folders[key] = number
    if not folders:
        raise MalformedInputError(
            f"{where}: names no session folders", "expected one folder a line"
        )
    return [Path(name) for name in folders]


def _entries(data: bytes) -> list[bytes]:
    if b"\0" in data:
        return data.split(b"\0")
    return [line.strip(b" \t\r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
