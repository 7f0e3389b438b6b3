"""A face under another light: attached shadows from the normals, cast ones from the depth."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.geometry.maps import BoolArray
from fr3d.geometry.normals import normals_from_depth

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

# A pixel does not hide itself: what rises less than this above the ray is noise of the depth.
_BIAS = 0.25
_FILL = 0.08


def relight(normal: Array, light: Array, albedo: Array | None = None) -> Floats:
    """Shade a Lambertian surface: albedo times max(0, n . l), linear.

    Args:
        normal: (H, W, 3) unit vectors, zero outside the mask.
        light: (3,) unit vector from the face to the light.
        albedo: (H, W) or (H, W, 3); white when absent.

    Returns:
        (H, W), or (H, W, 3) where the albedo is coloured.

    >>> relight(np.array([[[0.0, 0.6, 0.8]]]), np.array([0.0, 0.0, 1.0])).round(2).tolist()
    [[0.800000011920929]]
    """
    shade = np.maximum(normal.astype(np.float32) @ np.asarray(light, dtype=np.float32), 0.0)
    if albedo is None:
        return shade
    return np.asarray(albedo, np.float32) * (shade if albedo.ndim == 2 else shade[..., None])


def cast_shadow(depth: Array, mask: BoolArray, light: Array) -> BoolArray:
    """Which pixels the surface itself hides from the light.

    From every pixel one walks towards the light in steps of one pixel, and asks at each whether
    the surface stands above the ray. What lies outside the mask hides nothing.

    Args:
        depth: (H, W), height towards the camera in pixels.
        mask: (H, W).
        light: (3,) unit vector from the face to the light.

    Returns:
        (H, W), true in the shadow; false outside the mask.
    """
    known = mask & np.isfinite(depth)
    across, rise = float(np.hypot(light[0], light[1])), float(light[2])
    if not known.any() or rise <= 0.0:
        return known.copy()
    surface = np.where(known, depth, -np.inf).astype(np.float64)
    span = float(np.ptp(surface[known]))
    hidden = np.zeros(mask.shape, dtype=bool)
    if across < 1e-9:
        return hidden
    # Rows run down and y runs up.
    step = (float(light[0]) / across, -float(light[1]) / across)
    farthest = min(span * across / rise, float(np.hypot(*mask.shape)))
    for distance in range(1, int(np.ceil(farthest)) + 1):
        there = _look_along(surface, step[0] * distance, step[1] * distance)
        hidden |= there > surface + distance * rise / across + _BIAS
    return hidden & known


def shade_depth(depth: Array, mask: BoolArray, light: Array) -> Floats:
    """Shade the surface that the depth describes, by its own normals and with a little fill.

    What integration got wrong shows here, and is hidden in views drawn from measured normals.

    Args:
        depth: (H, W), pixels.
        mask: (H, W).
        light: (3,) unit vector from the face to the light.

    Returns:
        (H, W), 0 to 1; zero outside the mask.
    """
    known = mask & np.isfinite(depth)
    normal = normals_from_depth(depth, known)
    lit = _FILL * normal[..., 2] + (1.0 - _FILL) * relight(normal, light)
    return np.where(known, lit, 0.0).astype(np.float32)


def _look_along(surface: Array, right: float, down: float) -> Array:
    """The surface seen from each pixel at an offset, bilinear; -inf off the frame or the mask."""
    column, row = int(np.floor(right)), int(np.floor(down))
    u, v = right - column, down - row
    total = np.zeros(surface.shape)
    for dr, dc, weight in (
        (0, 0, (1 - u) * (1 - v)),
        (0, 1, u * (1 - v)),
        (1, 0, (1 - u) * v),
        (1, 1, u * v),
    ):
        # A weight of rounding size must not turn -inf into a veto over a pixel hit exactly.
        if weight > 1e-9:
            total += weight * _moved(surface, row + dr, column + dc)
    return total


def _moved(surface: Array, down: int, right: int) -> Array:
    """`surface[row + down, column + right]` at every pixel, -inf beyond the frame."""
    height, width = surface.shape
    moved = np.full(surface.shape, -np.inf)
    if abs(down) < height and abs(right) < width:
        rows = slice(max(down, 0), height + min(down, 0))
        columns = slice(max(right, 0), width + min(right, 0))
        to_rows = slice(max(-down, 0), height + min(-down, 0))
        to_columns = slice(max(-right, 0), width + min(-right, 0))
        moved[to_rows, to_columns] = surface[rows, columns]
    return moved
