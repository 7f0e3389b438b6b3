"""Normals of a depth map, and unit length."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def unit(vectors: Array) -> Array:
    """Scale vectors to unit length; the zero vector stays zero.

    Args:
        vectors: (..., 3).
    """
    length = np.sqrt(np.sum(np.square(vectors), axis=-1, keepdims=True))
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-12)


def normals_from_depth(depth: Array, mask: Array) -> npt.NDArray[np.float32]:
    """Derive the normals of a height map: n is along (-dz/dx, -dz/dy, 1), y up.

    Central differences inside, one-sided ones at the border of the mask. A pixel without any
    neighbour along an axis counts as flat along it.

    Args:
        depth: (H, W), height towards the camera in pixels; anything outside the mask.
        mask: (H, W).

    Returns:
        (H, W, 3) unit vectors, zero outside the mask.
    """
    inside = np.asarray(mask, dtype=bool)
    z = np.where(inside, depth, 0.0).astype(np.float64)
    across = _slope(z, inside)
    down = _slope(z.T, inside.T).T
    # Rows run down and y runs up, so dz/dy = -dz/drow.
    normal = unit(np.stack([-across, down, np.ones_like(z)], axis=-1))
    normal[~inside] = 0.0
    return normal.astype(np.float32)


def _slope(z: Array, inside: Array) -> Array:
    """Slope along axis 1 from the neighbours that lie inside the mask."""
    pair = inside[:, 1:] & inside[:, :-1]
    step = np.where(pair, np.diff(z, axis=1), 0.0)
    total = np.zeros_like(z)
    count = np.zeros_like(z)
    total[:, :-1] += step
    total[:, 1:] += step
    count[:, :-1] += pair
    count[:, 1:] += pair
    return np.divide(total, count, out=total, where=count > 0)
