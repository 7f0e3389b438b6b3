"""What a face detector finds in one picture."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class FoundFace:
    """One face in one picture.

    Args:
        box: (4,), left, top, right, bottom in pixels; may reach beyond the picture.
        landmarks: (5, 2), x and y in pixels, order of `FaceMaps.landmarks`.
        score: 0 to 1.
        spread: how far several looks at it differ, mean distance from their median in pixels; NaN
            after one look.
    """

    box: npt.NDArray[np.float64]
    landmarks: npt.NDArray[np.float64]
    score: float
    spread: float = float("nan")

    @property
    def area(self) -> float:
        """Area of the box, square pixels."""
        left, top, right, bottom = self.box
        return float((right - left) * (bottom - top))
