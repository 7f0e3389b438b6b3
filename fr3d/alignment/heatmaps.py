"""From heatmaps to points, more finely than their pixels; in NumPy, for training and detector."""

import numpy as np
import numpy.typing as npt

Heatmaps = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]

_RADIUS = 2
# What is lower than this share of the peak says nothing of its place, and its logarithm too much.
_LEAST = 1e-4


def decode(heatmaps: Heatmaps) -> tuple[FloatArray, FloatArray]:
    """Find the point of each heatmap: the top of the Gaussian that fits best around the peak.

    The logarithm of a Gaussian is a quadratic polynomial. It is fitted to the 5 x 5 pixels around
    the highest by least squares, each weighted by the square of its height: the answer is exact for
    a Gaussian of any width and turn, also at the edge of the map, and what lies far below the peak
    does not count. Where no top comes out, the pixel stands.

    Args:
        heatmaps: (..., H, W), not negative; at least 3 pixels along each side.

    Returns:
        Points (..., 2), x and y in pixels of the heatmap, and heights (...), those of the highest
        pixels.

    Reference:
        Zhang et al. 2020, Distribution-aware coordinate representation for human pose estimation,
        eq. 5-9, which takes the same polynomial from differences at the peak alone.
    """
    height, width = heatmaps.shape[-2:]
    maps = heatmaps.reshape(-1, height, width).astype(np.float64)
    rows, columns = np.unravel_index(maps.reshape(len(maps), -1).argmax(axis=1), (height, width))
    peaks = maps[np.arange(len(maps)), rows, columns]
    reach = min(_RADIUS, (min(height, width) - 1) // 2)
    top = np.clip(rows, reach, height - 1 - reach)
    left = np.clip(columns, reach, width - 1 - reach)
    steps = np.arange(-reach, reach + 1)
    numbers = np.arange(len(maps))[:, None, None]
    patches = maps[numbers, (top[:, None] + steps)[:, :, None], (left[:, None] + steps)[:, None, :]]
    offsets = _tops(patches.reshape(len(maps), -1), steps, peaks)
    pixels = np.stack([columns, rows], axis=1).astype(np.float64)
    found = np.stack([left, top], axis=1) + offsets
    # A top further off than the fit could see is none.
    good = (np.abs(found - pixels) <= reach).all(axis=1)
    found = np.where(good[:, None], found, pixels)
    shape = heatmaps.shape[:-2]
    return found.reshape(*shape, 2), peaks.reshape(shape)


def to_heatmap(points: FloatArray, stride: float) -> FloatArray:
    """Move points (..., 2) from pixels of an image to those of a map `stride` times coarser."""
    return (points + 0.5) / stride - 0.5


def from_heatmap(points: FloatArray, stride: float) -> FloatArray:
    """Move points back: the inverse of `to_heatmap`."""
    return (points + 0.5) * stride - 0.5


def _tops(
    patches: FloatArray, steps: npt.NDArray[np.int64], peaks: FloatArray
) -> npt.NDArray[np.float64]:
    """Tops (N, 2) of Gaussians fitted to patches (N, K * K), from their middles; NaN for none."""
    x, y = (axis.ravel().astype(np.float64) for axis in np.meshgrid(steps, steps))
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    share = patches / np.maximum(peaks, np.finfo(np.float64).tiny)[:, None]
    # Even noise on the heights is noise of 1 / height on their logarithms.
    weight = np.where(share > _LEAST, share**2, 0.0)
    logs = np.log(np.maximum(share, _LEAST))
    # A touch of ridge keeps the equations solvable where few pixels are above the floor.
    square = np.einsum("nk,ki,kj->nij", weight, terms, terms) + 1e-12 * np.eye(6)
    right = np.einsum("nk,ki,nk->ni", weight, terms, logs)
    _, b_x, b_y, a_xx, a_xy, a_yy = np.linalg.solve(square, right[..., None])[..., 0].T
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 4.0 * a_xx * a_yy - a_xy**2
        top = np.stack([a_xy * b_y - 2.0 * a_yy * b_x, a_xy * b_x - 2.0 * a_xx * b_y], axis=1)
        tops = top / scale[:, None]
    is_top = (scale > 0) & (a_xx < 0)
    return np.where(is_top[:, None], tops, np.nan)
