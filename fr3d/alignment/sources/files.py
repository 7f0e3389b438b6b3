"""A list of files as a source of faces; what each session is read by is told apart by its kind."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from fr3d.alignment.sources.listing import Item, Listing
from fr3d.alignment.sources.source import Source, Unaligned
from fr3d.artifacts.plan import Contents
from fr3d.photometric.sources import SourceFiles

_PART_ROWS = 64


class Reader(ABC):
    """Reads one session of a kind.

    Attributes:
        kind: of input.
        varies: whether one session may have maps that another lacks.
    """

    kind: str
    varies: bool = False

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Any]:
        """What about the reading matters to whoever compares faces."""

    @abstractmethod
    def read(self, item: Item, record: Mapping[str, Any], files: SourceFiles) -> Unaligned:
        """Read a session.

        Args:
            item: the session.
            record: columns of its row.
            files: notes checksums.

        Raises:
            Fr3dError: it cannot be used; the message is the reason.
        """


class FilesSource(Source):
    """Sessions that lie in files.

    Args:
        listing: the sessions.
        reader: of their kind.
    """

    history: tuple[Mapping[str, Any], ...] = ()
    rejected = ()
    part_rows = _PART_ROWS

    def __init__(self, listing: Listing, reader: Reader) -> None:
        self.listing, self.reader = listing, reader
        self.name, self.kind = listing.name, reader.kind
        self.parameters = {"kind": reader.kind, **reader.parameters}
        self.digest, self.moment = listing.digest()
        self.contents = Contents(self.name, "source_sha256")
        self.varies = reader.varies
        self.passed_over = listing.passed_over
        self.attrs: dict[str, Any] = {}
        names = sorted({name for item in listing.items for name in item.attributes})
        self._attributes = [name for name in names if name != "file"]

    def __len__(self) -> int:
        return len(self.listing.items)

    def key(self, row: int) -> tuple[str, str]:
        """Subject and session of a row."""
        item = self.listing.items[row]
        return item.subject_id, item.session_id

    def read(self, row: int) -> Unaligned:
        """Read a session; its columns are ids, the file, its checksum and attributes."""
        item = self.listing.items[row]
        files = SourceFiles()
        paths = list(item.files.values())
        record: dict[str, Any] = {
            "subject_id": _text(item.subject_id),
            "session_id": _text(item.session_id),
            "source_sha256": b"",
            "attribute/file": _text(item.file),
        }
        for name in self._attributes:
            record[f"attribute/{name}"] = _text(item.attributes.get(name, ""))
        face = self.reader.read(item, record, files)
        record["source_sha256"] = _text(files.sha256(paths))
        return face


def _text(value: str) -> bytes:
    return value.encode()
