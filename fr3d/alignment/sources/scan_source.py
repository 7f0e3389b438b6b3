"""Scans as a source of faces: looked at from one side after the other until a face is seen."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fr3d.alignment.sources.files import Reader
from fr3d.alignment.sources.listing import Item, Listing, list_files
from fr3d.alignment.sources.maps import MapsFace
from fr3d.alignment.sources.nose import nose_tip
from fr3d.alignment.sources.scans import LONGEST_EDGE, Scan, is_hollow, scan_views
from fr3d.alignment.sources.source import Matrix, Placed, Points
from fr3d.photometric.sources import SourceFiles

ROLE, TEXTURE = "scan", "texture"
SCAN_SUFFIXES = frozenset((".obj", ".ply", ".xyz", ".asc"))
_NOSE = 2


class ScanFace(MapsFace):
    """A scan from one side; the tip of its nose is where the surface says.

    Args:
        scan: as drawn from there.
        record: columns of its row.
        others: the other sides, made only when asked for.
    """

    def __init__(self, scan: Scan, record: Mapping[str, Any], others: Iterator[Scan]) -> None:
        super().__init__(scan.maps, record, scan.scale_mm)
        self._scan, self._others = scan, others
        self.hollow = is_hollow(scan.maps)

    def turned(self) -> Iterator["ScanFace"]:
        """The scan from the other sides."""
        for scan in self._others:
            yield ScanFace(scan, self.record, iter(()))

    def refined(self, landmarks: Points) -> Points:
        """Landmarks with the nose at the tip of the surface."""
        points = landmarks.copy()
        points[_NOSE] = nose_tip(self.maps, points[_NOSE], self.scale_mm)
        return points

    def placed(self, landmarks: Points, matrix: Matrix, size: tuple[int, int]) -> Placed:
        """The maps, and the figures of the cleaning."""
        placed = super().placed(landmarks, matrix, size)
        return Placed(placed.maps, placed.matrix, placed.scale_mm, dict(self._scan.quality))


@dataclass(frozen=True)
class ScanReader(Reader):
    """Reads scans.

    Attributes:
        up: axis that points up.
        longest_edge_mm: longer edges are dropped.
    """

    up: Literal["y", "z", "auto"] = "auto"
    longest_edge_mm: float = LONGEST_EDGE
    kind = "scans"
    varies = True

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The longest edge that counts as surface."""
        return {"longest_edge_mm": self.longest_edge_mm}

    def read(self, item: Item, record: Mapping[str, Any], files: SourceFiles) -> ScanFace:
        """Read one scan."""
        path = item.files[ROLE]
        views = scan_views(
            path,
            longest_edge=self.longest_edge_mm,
            up=self.up,
            texture=item.files.get(TEXTURE),
        )
        first = next(views)  # refuses what is too large
        files.read(path)
        return ScanFace(first, record, views)


def list_scans(root: Path, pattern: re.Pattern[str] | None = None) -> Listing:
    """Find the scans of a folder; see `list_files`."""
    return list_files(root, ROLE, SCAN_SUFFIXES, "scans", pattern)
