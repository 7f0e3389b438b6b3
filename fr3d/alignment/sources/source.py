"""What every kind of input gives to alignment: a face before it is aligned."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.plan import Contents
from fr3d.artifacts.rows import Reject
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.resample import moved_origin, needed_window
from fr3d.geometry.warp import crop_maps

Picture = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Placed:
    """Maps of which a new frame is drawn.

    Args:
        maps: at least as much as the new frame shows.
        matrix: (2, 3) from their pixels to the new frame.
        scale_mm: mm a pixel of the maps; NaN where unknown.
        quality: further figures of these maps.
        moved: whether the landmarks of the maps are no longer those that the matrix was made for.
        finish: what is done to the maps once they are in the new frame, given mm a pixel there.
    """

    maps: FaceMaps
    matrix: Matrix
    scale_mm: float = float("nan")
    quality: Mapping[str, float] = field(default_factory=dict)
    moved: bool = False
    finish: Callable[[FaceMaps, float], FaceMaps] | None = None


class Unaligned(ABC):
    """A face before it is aligned.

    Attributes:
        height: rows of its frame.
        width: columns of its frame.
        landmarks: (5, 2) that came with it, NaN where unknown, or None.
        record: columns of its row that alignment does not change.
        warp: (2, 3) from its frame to the photograph that it came from, or None.
        hollow: whether it is a surface seen from behind, where a face is a mirrored one.
    """

    height: int
    width: int
    landmarks: Points | None
    record: Mapping[str, Any]
    warp: Matrix | None
    hollow: bool = False

    @abstractmethod
    def picture(self, look_at: str) -> Picture:
        """What a detector looks at.

        Args:
            look_at: one of `fr3d.alignment.recipe.MAPS`.

        Returns:
            (H, W, 3), BGR.

        Raises:
            NoFaceError: that map is not there.
        """

    def turned(self) -> Iterator["Unaligned"]:
        """The same face from other sides, in which it is looked for where this shows none."""
        return iter(())

    def refined(self, landmarks: Points) -> Points:
        """Landmarks that a detector found, set right by what else is known.

        Args:
            landmarks: (5, 2), in order.
        """
        return landmarks

    @abstractmethod
    def placed(self, landmarks: Points, matrix: Matrix, size: tuple[int, int]) -> Placed:
        """The maps for a new frame.

        Args:
            landmarks: (5, 2) in its own frame, in order.
            matrix: (2, 3) from its own frame to the new one.
            size: height and width of the new frame.

        Raises:
            NoFaceError: there is nothing usable at this place.
        """


class Source(ABC):
    """A list of faces before they are aligned.

    Attributes:
        name: how messages and history call it.
        kind: of input: "maps", "photographs", "rgbd", "scans" or "triples".
        parameters: what about the input matters to whoever compares faces.
        digest: of its rows or of its listing.
        moment: of the same and the times of change, so that a run is not continued with others.
        contents: what history cites once all rows are made, or None.
        history: of the input.
        attrs: root attributes to inherit.
        rejected: what an earlier step left out.
        part_rows: rows to seal at once.
        varies: whether one session may have maps that another lacks.
        passed_over: files beside those of the sessions that look like faces and are none of them.
    """

    name: str
    kind: str
    parameters: Mapping[str, Any]
    digest: str
    moment: str
    contents: Contents | None
    history: Sequence[Mapping[str, Any]]
    attrs: Mapping[str, Any]
    rejected: Sequence[Reject]
    part_rows: int
    varies: bool = False
    passed_over: Sequence[str] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def key(self, row: int) -> tuple[str, str]:
        """Subject and session of a row."""

    @abstractmethod
    def read(self, row: int) -> Unaligned:
        """Read a row.

        Raises:
            Fr3dError: it cannot be used; the message is the reason.
        """


def cut(maps: FaceMaps, matrix: Matrix, size: tuple[int, int]) -> tuple[FaceMaps, Matrix]:
    """The part of maps that a new frame is drawn from, and the matrix for it.

    Args:
        maps: the face.
        matrix: (2, 3) from its pixels to the new frame.
        size: height and width of the new frame.
    """
    rows, columns = needed_window(matrix, size, (maps.height, maps.width))
    part = crop_maps(
        maps, rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start
    )
    return part, moved_origin(matrix, rows.start, columns.start)
