"""Plain photographs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.sources.files import Reader
from fr3d.alignment.sources.listing import Item, Listing, list_files
from fr3d.alignment.sources.pictures import ColourPicture, read_picture
from fr3d.alignment.sources.source import Picture, Placed, Points, Unaligned
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.resample import moved_origin, needed_window
from fr3d.photometric.image_header import SUFFIXES
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import SRGB, Transfer

ROLE = "photograph"
PHOTOGRAPH_SUFFIXES = SUFFIXES - {".npy"}


class PhotographFace(Unaligned):
    """A face in a photograph; the mask is where the photograph is.

    Args:
        picture: the photograph.
        record: columns of its row.
        transfer: how levels become light.
    """

    landmarks = None
    warp = None

    def __init__(
        self, picture: ColourPicture, record: Mapping[str, Any], transfer: Transfer
    ) -> None:
        self._picture, self.record, self._transfer = picture, record, transfer
        self.height, self.width = picture.shape

    def picture(self, look_at: str) -> Picture:
        """The photograph; it has no other map."""
        if look_at not in ("auto", "image"):
            raise NoFaceError(f"no {look_at} map to look for a face in")
        return self._picture.shown()

    def placed(self, landmarks: Points, matrix: Points, size: tuple[int, int]) -> Placed:
        """Linear light of the part that the new frame shows."""
        rows, columns = needed_window(matrix, size, (self.height, self.width))
        image = self._picture.light(rows, columns, self._transfer)
        points = landmarks - [columns.start, rows.start]
        maps = FaceMaps(
            mask=np.ones(image.shape[:2], bool), image=image, landmarks=points.astype(np.float32)
        )
        return Placed(maps, moved_origin(matrix, rows.start, columns.start))


@dataclass(frozen=True)
class PhotographReader(Reader):
    """Reads photographs.

    Attributes:
        transfer: how levels become light.
    """

    transfer: Transfer = SRGB
    kind = "photographs"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The transfer function, where it is not that of nearly all photographs."""
        return {} if self.transfer.name == "srgb" else {"transfer": self.transfer.name}

    def read(self, item: Item, record: Mapping[str, Any], files: SourceFiles) -> PhotographFace:
        """Read one photograph."""
        return PhotographFace(read_picture(item.files[ROLE], files), record, self.transfer)


def list_photographs(root: Path, pattern: re.Pattern[str] | None = None) -> Listing:
    """Find the photographs of a folder; see `list_files`."""
    return list_files(root, ROLE, PHOTOGRAPH_SUFFIXES, "photographs", pattern)
