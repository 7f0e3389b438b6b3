"""Depth at points of a map, and its zero, which integration leaves free."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.geometry.maps import BoolArray, FaceMaps, FloatArray

Array = npt.NDArray[Any]

_NOSE = 2
_PATCH = 2  # pixels to either side


def rezero_depth(maps: FaceMaps) -> FaceMaps:
    """Set depth to zero at the tip of the nose, or at the middle of the mask without landmarks.

    The zero is the median of the 5 x 5 pixels around the point, or of the nearest known pixel
    where the patch holds none. Maps without depth, or without a known depth, come back as they are.

    Args:
        maps: the face.
    """
    if maps.depth is None:
        return maps
    known = maps.mask & np.isfinite(maps.depth)
    if not known.any():
        return maps
    zero = _height_at(maps.depth, known, *_zero_point(maps, known))
    return replace(maps, depth=maps.depth - maps.depth.dtype.type(zero))


def _zero_point(maps: FaceMaps, known: BoolArray) -> tuple[int, int]:
    """Row and column of the nose tip, else of the middle of the known pixels."""
    if maps.landmarks is not None:
        x, y = maps.landmarks[_NOSE]
        if 0 <= x < maps.width and 0 <= y < maps.height:
            return min(round(float(y)), maps.height - 1), min(round(float(x)), maps.width - 1)
    rows, columns = np.nonzero(known)
    return round(float(rows.mean())), round(float(columns.mean()))


def _height_at(depth: FloatArray, known: BoolArray, row: int, column: int) -> float:
    patch = np.s_[
        max(row - _PATCH, 0) : row + _PATCH + 1, max(column - _PATCH, 0) : column + _PATCH + 1
    ]
    if known[patch].any():
        return float(np.median(depth[patch][known[patch]]))
    rows, columns = np.nonzero(known)
    nearest = int(np.argmin(np.hypot(rows - row, columns - column)))
    return float(depth[rows[nearest], columns[nearest]])


def depth_at(maps: FaceMaps, points: Array, reach: int = 3) -> npt.NDArray[np.float64]:
    """Depth at points of a map: the median of the known pixels around each, NaN without any.

    Args:
        maps: with depth.
        points: (K, 2) x and y.
        reach: pixels to either side.
    """
    if maps.depth is None:
        return np.full(len(points), np.nan)
    known = maps.mask & np.isfinite(maps.depth)
    return np.array([_median_at(maps.depth, known, x, y, reach) for x, y in np.asarray(points)])


def _median_at(depth: FloatArray, known: BoolArray, x: float, y: float, reach: int) -> float:
    if not np.isfinite([x, y]).all():
        return float("nan")
    row, column = round(float(y)), round(float(x))
    patch = np.s_[
        max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1
    ]
    if row < -reach or column < -reach or not known[patch].any():
        return float("nan")
    return float(np.median(depth[patch][known[patch]]))
