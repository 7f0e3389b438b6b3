"""The files of one capture, each read once: what is decoded is what is hashed."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fr3d.errors import MissingInputError


class SourceFiles:
    """Reads files and keeps their checksums."""

    def __init__(self) -> None:
        self._digests: dict[Path, str] = {}

    def read(self, path: Path, most: int = -1) -> bytes:
        """The bytes of a file.

        Args:
            path: the file.
            most: bytes to read at most; negative = all.

        Raises:
            MissingInputError: it cannot be read.
        """
        try:
            with path.open("rb", buffering=0) as stream:
                data = stream.read(most)
        except OSError as error:
            raise MissingInputError(
                f"{path.name}: {error.strerror}", "is the path right, and may you read it?"
            ) from error
        self._digests[path] = hashlib.sha256(data).hexdigest()
        return data

    def sha256(self, paths: Sequence[Path]) -> str:
        """One checksum of the names and contents of files; those not read yet are read now.

        Args:
            paths: in a fixed order.
        """
        total = hashlib.sha256()
        for path in paths:
            if path not in self._digests:
                self.read(path)
            line = f"{path.name}\0{self._digests[path]}\n"
            total.update(line.encode("utf-8", "surrogateescape"))
        return total.hexdigest()
