"""Advisory locks that the kernel drops when a process dies.

They only spare double work: parts appear by renaming, and two processes that make the same part
make the same bytes. So a file system that offers no locks (some network ones) is worked on all the
same; on NFS they are the server's.
"""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

_NOT_OFFERED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_HELD = (errno.EAGAIN, errno.EACCES)


class Lock:
    """A lock file, held from `take` to `release`.

    Attributes:
        offered: whether the file system has locks.
    """

    def __init__(self, path: Path) -> None:
        """Open the lock file, making it if need be.

        Raises:
            OSError: it cannot be made.
        """
        self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        self.offered = True

    def take(self, *, shared: bool = False, wait: bool = False) -> bool:
        """Take the lock, or change how it is held.

        Args:
            shared: several may hold it like this at once.
            wait: until the others let go.

        Returns:
            False when another process holds it.
        """
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        try:
            fcntl.flock(self._handle, how)
        except OSError as error:
            if error.errno in _HELD:
                return False
            if error.errno not in _NOT_OFFERED:
                raise
            self.offered = False
        return True

    def release(self) -> None:
        """Let go."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
