"""The zero and the trend of each connected component of a depth map."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.photometric.integration.settings import Detrend
from fr3d.photometric.integration.slopes import Camera

Depth = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Trend = npt.NDArray[np.float64]

_TERMS = {"none": 0, "plane": 3, "quadratic": 6}


class Pieces:
    """The 4-connected components of a mask: heights of separate ones are unrelated."""

    def __init__(self, mask: Mask) -> None:
        """Label the components of a mask (H, W)."""
        count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
        self.mask, self.count = mask, count - 1
        self._labels: npt.NDArray[Any] = labels[mask] - 1
        self._sizes = np.bincount(self._labels, minlength=self.count)

    def means(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Mean of values (P,), those of the mask's pixels, over each pixel's component: (P,)."""
        if self.count == 1:
            return np.full(len(values), values.mean(dtype=np.float64))
        sums = np.bincount(self._labels, weights=values, minlength=self.count)
        means: npt.NDArray[np.float64] = (sums / self._sizes)[self._labels]
        return means

    def each(self) -> list[npt.NDArray[np.bool_]]:
        """Which of the mask's pixels belong to each component, the largest first."""
        order = np.argsort(-self._sizes, kind="stable")
        return [self._labels == i for i in order]


def place(heights: Depth, pieces: Pieces, held: Mask, camera: Camera | None) -> Depth:
    """Give heights their zero: mean 0 in each component without a prior.

    Args:
        heights: (P,), pixels of the mask; of a camera, -f log Z.
        pieces: the components.
        held: (P,), pixels with a prior; a component with one stays where it is.
        camera: turns logarithms into distances, and these into pixels at the mean distance.
    """
    free = pieces.means(held) == 0
    centred = heights - np.where(free, pieces.means(heights), 0.0)
    if camera is not None:
        distance = np.exp(-centred / camera.scale)
        distance /= np.where(free, pieces.means(distance), 1.0)
        centred = camera.scale * (1 - distance)
    return centred.astype(np.float32)


def subtract_trend(depth: Depth, pieces: Pieces, detrend: Detrend) -> tuple[Depth, Trend]:
    """Subtract from each component its best plane or quadratic, in least squares.

    Args:
        depth: (P,), pixels of the mask.
        pieces: the components.
        detrend: what to subtract.

    Returns:
        What is left (P,), and the coefficients (6,) of the largest component, as in `Integration`.
    """
    terms, first = _TERMS[detrend], np.zeros(6)
    if not terms or not pieces.count:
        return depth, first
    left = depth.astype(np.float64)
    rows, columns = np.nonzero(pieces.mask)
    for number, part in enumerate(pieces.each()):
        x, y = columns[part] - columns[part].mean(), rows[part].mean() - rows[part]
        basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])[:terms]
        found = _fit(basis, left[part])
        left[part] -= (found[:, None] * basis).sum(axis=0)
        if not number:
            first[:terms] = found
    return left.astype(np.float32), first


def _fit(basis: Trend, values: Trend) -> Trend:
    """Least squares by sums in a fixed order; of too few pixels, the smallest solution."""
    scale = np.sqrt((basis**2).sum(axis=1))
    unit = basis / np.where(scale > 0, scale, 1)[:, None]
    normal = np.array([[(a * b).sum() for b in unit] for a in unit])
    found: Trend = np.linalg.pinv(normal, rcond=1e-10, hermitian=True) @ (unit * values).sum(axis=1)
    return found / np.where(scale > 0, scale, 1)
