"""What a map is measured by before a network sees it: its middle and its unit."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

Statistic = Callable[
    [NDArray[np.float32], NDArray[np.bool_], float],
    tuple[float | NDArray[np.float64], float],
]
"""Of a map (H, W), its mask and a scale: what is subtracted, and by what the rest is divided."""


def _median(
    value: NDArray[np.float32], mask: NDArray[np.bool_], _scale: float
) -> tuple[float, float]:
    """Albedo relative to the face's own, which removes exposure and flash strength."""
    middle = max(float(np.median(value[mask])), 1e-6)
    return middle, middle


def _central(
    value: NDArray[np.float32], mask: NDArray[np.bool_], scale: float
) -> tuple[float, float]:
    """Depth about the middle of the face: its absolute height means nothing."""
    height, width = mask.shape
    row, column = np.ogrid[:height, :width]
    radius = np.hypot(row - (height - 1) / 2, column - (width - 1) / 2)
    disc = mask & (radius <= width / 4)
    return float(np.median(value[disc if disc.any() else mask])), scale * width


def _relief(
    value: NDArray[np.float32], mask: NDArray[np.bool_], scale: float
) -> tuple[NDArray[np.float64], float]:
    """Depth about the quadratic surface that fits it best."""
    terms = _quadratic_terms(*mask.shape)
    inside = terms[mask]
    weights = np.linalg.lstsq(inside.T @ inside, inside.T @ value[mask].astype(np.float64))[0]
    return terms @ weights, scale * mask.shape[1]


@cache
def _quadratic_terms(height: int, width: int) -> NDArray[np.float64]:
    """Return (H, W, 6): 1, x, y, xx, xy, yy with x and y from -1 to 1."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _standard(
    value: NDArray[np.float32], mask: NDArray[np.bool_], _scale: float
) -> tuple[float, float]:
    """Photograph with zero mean and unit deviation over the face."""
    pixels = value[mask]
    return float(pixels.mean()), max(float(pixels.std()), 1e-6)


STATISTICS: Mapping[str, Statistic] = {
    "median": _median,
    "central": _central,
    "relief": _relief,
    "standard": _standard,
}
"""By normalisation; "unit" and pictures need none."""
