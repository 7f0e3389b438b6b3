"""Outputs that appear whole or not at all: temporary sibling, fsync, rename."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fr3d.errors import CannotWriteError

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than allowed here",
    errno.EACCES: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "no such folder",
    errno.ENOTDIR: "no such folder",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "the name is too long",
}
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def cannot_write(path: Path, error: OSError) -> CannotWriteError:
    """The error to raise when the operating system refused a write."""
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    hint = (
        "free some space and run the same command again, or choose another place for it"
        if error.errno in _NO_ROOM
        else "choose another place for it"
    )
    return CannotWriteError(f"{path}: cannot write: {reason[0].lower()}{reason[1:]}", hint)


def check_output(path: Path, force: bool) -> None:
    """Refuse early: an output that exists needs `force`, its folder must be there.

    Raises:
        CannotWriteError: the output exists, or its folder does not.
    """
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:
        raise cannot_write(path, error) from error
    if is_folder:
        raise CannotWriteError(f"{path}: is a folder", "give the name of a file with --output")
    if exists and not force:
        raise CannotWriteError(f"{path}: exists already", "use --force to replace it")
    if not path.absolute().parent.is_dir():
        raise CannotWriteError(f"{path}: no such folder", f"make it first: mkdir -p {path.parent}")


def fsync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def temporary_sibling(path: Path) -> Path:
    """Make an empty file beside a path, to be filled and then published.

    Raises:
        OSError: the operating system refused.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    return Path(name)


def publish(temporary: Path, path: Path) -> None:
    """Put a finished file in place so that it survives a power loss.

    Raises:
        OSError: the operating system refused.
    """
    handle = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)
    temporary.replace(path)
    fsync_folder(path.parent)


@contextmanager
def writing(path: Path, force: bool = False) -> Iterator[Path]:
    """Give a temporary sibling to write to, and put it in place when the block ends well.

    Args:
        path: where the output will appear.
        force: replace an output that exists.

    Yields:
        The path to write to.

    Raises:
        CannotWriteError: the output exists, or the operating system refused.
    """
    check_output(path, force)
    path = path.absolute()
    temporary: Path | None = None
    try:
        temporary = temporary_sibling(path)
        yield temporary
        publish(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


def write_bytes(path: Path, data: bytes, force: bool = False) -> None:
    """Write a whole file at once.

    Raises:
        CannotWriteError: the output exists, or the operating system refused.
    """
    with writing(path, force) as temporary:
        temporary.write_bytes(data)
