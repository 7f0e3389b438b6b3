"""The maps of one face, side by side in one pixel frame."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError

FloatArray = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FaceMaps:
    """Maps of one face; all share height and width, any but the mask may be absent.

    x runs to the right, y up, z towards the camera; rows run down. Pixel (0, 0) is the centre of
    the top left pixel.

    Args:
        mask: (H, W), true where the surface was measured.
        normal: (H, W, 3), unit vectors (x, y, z); zero outside the mask.
        albedo: (H, W) or (H, W, 3), linear reflectance; zero outside the mask.
        depth: (H, W), height towards the camera in pixels of this map; NaN outside the mask.
        image: (H, W) or (H, W, 3), the mean photograph, also defined outside the mask.
        confidence: (H, W), 0 to 1; zero outside the mask.
        landmarks: (5, 2), x and y in pixels: eye at image left, eye at image right, nose tip,
            mouth corner at image left, mouth corner at image right; NaN where unknown.
    """

    mask: BoolArray
    normal: FloatArray | None = None
    albedo: FloatArray | None = None
    depth: FloatArray | None = None
    image: FloatArray | None = None
    confidence: FloatArray | None = None
    landmarks: FloatArray | None = None

    def __post_init__(self) -> None:
        shape = self.mask.shape
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            if field.name == "landmarks":
                _expect(value.shape == (5, 2), "landmarks", value.shape, "(5, 2)")
            else:
                _expect(value.shape[:2] == shape, field.name, value.shape, f"{shape} as the mask")
        if self.normal is not None:
            _expect(self.normal.ndim == 3, "normal", self.normal.shape, "(H, W, 3)")

    @property
    def height(self) -> int:
        """Rows of every map."""
        return int(self.mask.shape[0])

    @property
    def width(self) -> int:
        """Columns of every map."""
        return int(self.mask.shape[1])

    @property
    def present(self) -> dict[str, FloatArray]:
        """The maps that are there, by name; without mask and landmarks."""
        names = ("normal", "albedo", "depth", "image", "confidence")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def _expect(holds: bool, name: str, found: tuple[int, ...], expected: str) -> None:
    if not holds:
        raise MalformedInputError(f"map '{name}' has shape {found}, expected {expected}")
