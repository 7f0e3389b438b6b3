"""Polygons of any number of corners as triangles."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def fan(counts: Array) -> npt.NDArray[np.int64]:
    """Cut polygons into triangles that share the first corner of each.

    Args:
        counts: (P,), corners of each polygon; those of fewer than 3 give no triangle.

    Returns:
        (T, 3), which corners make up each triangle, counted through all polygons.

    >>> fan(np.array([3, 2, 4])).tolist()
    [[0, 1, 2], [5, 6, 7], [5, 7, 8]]
    """
    corners = np.asarray(counts, dtype=np.int64)
    if len(corners) and (corners == 3).all():
        return np.arange(3 * len(corners)).reshape(-1, 3)
    number = np.maximum(corners - 2, 0)
    first = np.cumsum(corners) - corners
    starts = np.repeat(first, number)
    within = np.arange(int(number.sum())) - np.repeat(np.cumsum(number) - number, number)
    return np.stack([starts, starts + within + 1, starts + within + 2], axis=1)
