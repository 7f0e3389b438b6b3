"""Soft cast shadows of a height field under one distant light."""

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float32]

_BIAS = 0.35


@njit(cache=True, fastmath=True)
def reached(
    depth: FloatArray, mask: npt.NDArray[np.bool_], light: FloatArray, margin: int, softness: float
) -> FloatArray:
    """March from each pixel to the light and see how clear the way is.

    Args:
        depth: (H, W), height towards the camera in pixels.
        mask: (H, W), where to look.
        light: (3,), unit vector: x right, y up, z to the camera.
        margin: pixels at each border that cast shadows but need no answer.
        softness: tangent over which a shadow fades.

    Returns:
        (H - 2 margin, W - 2 margin), share of the light that arrives.
    """
    rows, columns = depth.shape
    out = np.zeros((rows - 2 * margin, columns - 2 * margin), dtype=np.float32)
    across = max(np.float32(np.sqrt(light[0] ** 2 + light[1] ** 2)), np.float32(1e-3))
    dx, dy, rise = light[0] / across, -light[1] / across, light[2] / across
    highest, fade = depth.max(), np.float32(softness)
    right, bottom = np.float32(columns - 1), np.float32(rows - 1)
    near, far, one = np.float32(0.7), np.float32(1.4), np.float32(1.0)
    for i in range(margin, rows - margin):
        for j in range(margin, columns - margin):
            if not mask[i, j]:
                continue
            start = depth[i, j] + np.float32(_BIAS)
            x0, y0 = np.float32(j), np.float32(i)
            worst = np.float32(-1e9)
            distance = near
            while True:
                x, y = x0 + dx * distance, y0 + dy * distance
                ray = start + rise * distance
                if x < 0 or y < 0 or x >= right or y >= bottom or ray > highest + fade * distance:
                    break
                c, r = int(x), int(y)
                fx, fy = x - np.float32(c), y - np.float32(r)
                upper = depth[r, c] + fx * (depth[r, c + 1] - depth[r, c])
                lower = depth[r + 1, c] + fx * (depth[r + 1, c + 1] - depth[r + 1, c])
                above = (upper + fy * (lower - upper) - ray) / (distance + one)
                worst = max(worst, above)
                if worst > fade:
                    break
                distance += near if distance < 12 else far
            share = np.float32(0.5) - np.float32(0.5) * worst / fade
            out[i - margin, j - margin] = min(max(share, np.float32(0.0)), one)
    return out
