"""The frame in which a scan is drawn: which millimetre lands on which pixel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]

MAX_SIDE = 1536
"""The longest side of a picture of a scan, pixels."""

_MARGIN = 8


@dataclass(frozen=True)
class PictureFrame:
    """An orthographic view along -z; x right, y up, z towards the camera.

    Args:
        height: rows.
        width: columns.
        mm_per_pixel: of the picture, and of depth.
        origin: (3,), millimetres: the point at the centre of the top left pixel at depth 0.
    """

    height: int
    width: int
    mm_per_pixel: float
    origin: FloatArray

    @classmethod
    def around(cls, vertices: Array, mm_per_pixel: float) -> "PictureFrame":
        """The frame around all vertices, depth 0 in the middle between nearest and farthest.

        What would be more than 1,536 pixels long is drawn smaller.

        Args:
            vertices: (V, 3), millimetres.
            mm_per_pixel: as fine as is wanted.
        """
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        size = float((high - low)[:2].max())
        step = max(mm_per_pixel, size / (MAX_SIDE - 2 * _MARGIN - 1))
        width, height = (int(np.ceil(n / step)) + 2 * _MARGIN + 1 for n in (high - low)[:2])
        middle = (low + high) / 2.0
        half = step * np.array([(width - 1) / 2.0, (height - 1) / 2.0])
        origin = np.array([middle[0] - half[0], middle[1] + half[1], middle[2]])
        return cls(height, width, step, origin)

    def to_pixels(self, points: Array) -> FloatArray:
        """Columns, rows and depth of points.

        Args:
            points: (N, 3), millimetres.

        Returns:
            (N, 3), pixels.
        """
        return np.asarray((points - self.origin) * (1.0, -1.0, 1.0) / self.mm_per_pixel)

    def to_millimetres(self, pixels: Array) -> FloatArray:
        """The inverse of `to_pixels`.

        Args:
            pixels: (N, 3): column, row and depth.
        """
        return np.asarray(pixels * self.mm_per_pixel * (1.0, -1.0, 1.0) + self.origin)
