"""Compiled loops that lay points over the pixels of a picture."""

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]


@njit(cache=True)
def _span(middle: float, reach: float, size: int) -> tuple[int, int]:
    """Pixels within reach along one axis: the first, and the one after the last."""
    return max(int(np.ceil(middle - reach)), 0), min(int(np.floor(middle + reach)) + 1, size)


@njit(cache=True)
def nearest_heights(points: FloatArray, reach: float, height: int, width: int) -> FloatArray:
    """For each pixel the height of the nearest to the camera of the points around it.

    Args:
        points: (N, 3): column, row and height towards the camera, pixels.
        reach: how far a point is seen, pixels.
        height: rows.
        width: columns.

    Returns:
        (H, W), minus infinity where no point is within reach.
    """
    nearest = np.full((height, width), -np.inf)
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        for row in range(max(int(np.ceil(y - reach)), 0), min(int(y + reach), height - 1) + 1):
            for column in range(
                max(int(np.ceil(x - reach)), 0), min(int(x + reach), width - 1) + 1
            ):
                near = (column - x) ** 2 + (row - y) ** 2 <= reach * reach
                if near and z > nearest[row, column]:
                    nearest[row, column] = z
    return nearest


@njit(cache=True)
def gather_moments(
    points: FloatArray, values: FloatArray, nearest: FloatArray, sigma: float, steepest: float
) -> tuple[FloatArray, FloatArray]:
    """Sums for a plane through the points around each pixel, weighted by a Gaussian.

    Points that lie behind what is seen, farther than a steep surface explains, do not count.

    Args:
        points: (N, 3): column, row and height towards the camera, pixels.
        values: (N, A), what else to average.
        nearest: (H, W), height of the foremost point around each pixel.
        sigma: of the Gaussian, pixels.
        steepest: how far behind it a point may lie, pixels.

    Returns:
        (H, W, 9): sums of w, wx, wy, wxx, wxy, wyy, wz, wxz, wyz with x and y from the pixel; and
        (H, W, A), sums of the weighted values.
    """
    height, width = nearest.shape
    sums = np.zeros((height, width, 9))
    means = np.zeros((height, width, values.shape[1]))
    reach = 3.0 * sigma
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        for row in range(max(int(np.ceil(y - reach)), 0), min(int(y + reach), height - 1) + 1):
            for column in range(
                max(int(np.ceil(x - reach)), 0), min(int(x + reach), width - 1) + 1
            ):
                if z < nearest[row, column] - steepest:
                    continue
                dx, dy = x - column, y - row
                w = np.exp(-0.5 * (dx * dx + dy * dy) / (sigma * sigma))
                cell = sums[row, column]
                cell[0] += w
                cell[1] += w * dx
                cell[2] += w * dy
                cell[3] += w * dx * dx
                cell[4] += w * dx * dy
                cell[5] += w * dy * dy
                cell[6] += w * z
                cell[7] += w * dx * z
                cell[8] += w * dy * z
                for a in range(values.shape[1]):
                    means[row, column, a] += w * values[n, a]
    return sums, means
