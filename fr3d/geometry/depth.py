"""The zero of a depth map, which integration leaves free."""

from dataclasses import replace

import numpy as np

from fr3d.geometry.maps import BoolArray, FaceMaps, FloatArray

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
