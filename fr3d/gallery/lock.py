"""One writer at a time: an advisory lock that dies with its process."""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fr3d.artifacts.atomic import cannot_write

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock alone: to write.

    Args:
        path: the lock file; it is made when missing and never removed, as a removed lock would
            let two writers hold two locks of one name.

    Raises:
        CannotWriteError: the lock file cannot be made.
    """
    try:
        stream = path.open("ab")
    except OSError as error:
        raise cannot_write(path, error) from error
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock with other readers, so that no writer is between its two files.

    A gallery in a place where nothing can be written has no writer, and needs no lock.
    """
    try:
        stream = path.open("ab")
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise cannot_write(path, error) from error
        yield
        return
    with stream:
        fcntl.flock(stream, fcntl.LOCK_SH)
        yield
