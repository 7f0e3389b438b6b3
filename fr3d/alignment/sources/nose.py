"""The tip of the nose on a depth map."""

import numpy as np
import numpy.typing as npt

from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.relief_shading import masked_mean

RADIUS = 15.0
"""Millimetres around a detected point within which the tip is looked for."""

_SIGMA = 0.4


def nose_tip(maps: FaceMaps, near: npt.ArrayLike, scale_mm: float) -> npt.NDArray[np.float64]:
    """Move a detected nose point to the place around it that is nearest to the camera.

    Depth is smoothed by a Gaussian of 0.4 mm only: on 201 York scans whose most protruding vertex
    is the nose, the tip came within 6 mm of it on 195, with 1 mm on 184, as the bridge then
    outweighs the short underside. Taking the head's tilt out first did no better.

    Args:
        maps: with depth.
        near: (2,) column and row where a detector sees the nose.
        scale_mm: millimetres a pixel.

    Returns:
        (2,) column and row; `near` where there is no depth around it.
    """
    point = np.asarray(near, dtype=np.float64)
    if maps.depth is None or not np.isfinite(point).all():
        return point
    reach = RADIUS / scale_mm
    margin = int(np.ceil(4.0 * _SIGMA / scale_mm)) + 1
    column, row = point
    top, bottom = _span(row, reach + margin, maps.height)
    left, right = _span(column, reach + margin, maps.width)
    mask = maps.mask[top:bottom, left:right] & np.isfinite(maps.depth[top:bottom, left:right])
    rows, columns = np.mgrid[top:bottom, left:right]
    close = mask & (np.hypot(columns - column, rows - row) <= reach)
    if not close.any():
        return point
    depth = np.where(mask, maps.depth[top:bottom, left:right], 0.0).astype(np.float64)
    smooth = masked_mean(depth, mask, _SIGMA / scale_mm)
    best = int(np.argmax(np.where(close, smooth, -np.inf)))
    return np.array([columns.flat[best], rows.flat[best]], dtype=np.float64)


def _span(middle: float, reach: float, size: int) -> tuple[int, int]:
    """First pixel within reach and the one after the last, inside the picture."""
    low = min(max(int(np.floor(middle - reach)), 0), size)
    return low, min(max(int(np.ceil(middle + reach)) + 1, low), size)
