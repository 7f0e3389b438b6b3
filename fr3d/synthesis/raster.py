"""Seeing a mesh from the front: an orthographic z-buffer and cast shadows of what it sees."""

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# A ray that starts this far above its own pixel does not meet that pixel's neighbours by rounding.
BIAS = 0.35
STEP = 0.5


@njit(cache=True)
def rasterise(
    points: FloatArray, triangles: IntArray, height: int, width: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Find what each pixel sees; surfaces that turn their back are not seen.

    Args:
        points: (V, 3): column, row and height towards the camera, all in pixels.
        triangles: (T, 3), counter-clockwise seen from the front in a frame with y up.
        height: rows.
        width: columns.

    Returns:
        Number of the triangle (H, W), -1 where nothing is; barycentric weights (H, W, 3); depth
        (H, W), NaN where nothing is.
    """
    seen = np.full((height, width), -1, dtype=np.int64)
    weights = np.zeros((height, width, 3))
    depth = np.full((height, width), np.nan)
    for number in range(len(triangles)):
        a, b, c = points[triangles[number]]
        # Rows run down: a triangle that faces the camera has negative area here.
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area >= 0.0:
            continue
        top = max(int(np.ceil(min(a[1], b[1], c[1]))), 0)
        bottom = min(int(np.floor(max(a[1], b[1], c[1]))), height - 1)
        left = max(int(np.ceil(min(a[0], b[0], c[0]))), 0)
        right = min(int(np.floor(max(a[0], b[0], c[0]))), width - 1)
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                u = ((b[0] - column) * (c[1] - row) - (b[1] - row) * (c[0] - column)) / area
                v = ((c[0] - column) * (a[1] - row) - (c[1] - row) * (a[0] - column)) / area
                w = 1.0 - u - v
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                z = u * a[2] + v * b[2] + w * c[2]
                if seen[row, column] < 0 or z > depth[row, column]:
                    seen[row, column] = number
                    depth[row, column] = z
                    weights[row, column, 0] = u
                    weights[row, column, 1] = v
                    weights[row, column, 2] = w
    return seen, weights, depth


@njit(cache=True)
def lit_by(depth: FloatArray, light: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell where a distant light reaches a height field.

    Args:
        depth: (H, W), height towards the camera in pixels, NaN where nothing is.
        light: (3,), unit vector to the light: x right, y up, z towards the camera.

    Returns:
        (H, W), false in cast shadow and where nothing is. Attached shadows are not looked for.
    """
    height, width = depth.shape
    lit = ~np.isnan(depth)
    across = np.hypot(light[0], light[1])
    if across < 1e-9:
        return lit
    step_x, step_y = STEP * light[0] / across, -STEP * light[1] / across
    rise = STEP * light[2] / across
    highest = np.nanmax(depth) if lit.any() else 0.0
    for row in range(height):
        for column in range(width):
            if not lit[row, column]:
                continue
            x, y, z = float(column), float(row), depth[row, column] + BIAS
            while True:
                x, y, z = x + step_x, y + step_y, z + rise
                if x < 0 or y < 0 or x > width - 1 or y > height - 1 or z > highest:
                    break
                if _height_at(depth, x, y) > z:
                    lit[row, column] = False
                    break
    return lit


@njit(cache=True)
def corner_normals(points: FloatArray, triangles: IntArray) -> FloatArray:
    """Add up the normals of the triangles around each vertex, each as long as twice its area.

    Args:
        points: (V, 3), in a frame with y up.
        triangles: (T, 3), counter-clockwise seen from outside.

    Returns:
        (V, 3), not of unit length.
    """
    total = np.zeros_like(points)
    for corners in triangles:
        a, b, c = points[corners[0]], points[corners[1]], points[corners[2]]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        for corner in corners:
            total[corner, 0] += uy * vz - uz * vy
            total[corner, 1] += uz * vx - ux * vz
            total[corner, 2] += ux * vy - uy * vx
    return total


@njit(cache=True)
def _height_at(depth: FloatArray, x: float, y: float) -> float:
    """Interpolate linearly; NaN, which compares false, beside a pixel without surface."""
    column, row = min(int(x), depth.shape[1] - 2), min(int(y), depth.shape[0] - 2)
    right, down = x - column, y - row
    upper = (1 - right) * depth[row, column] + right * depth[row, column + 1]
    lower = (1 - right) * depth[row + 1, column] + right * depth[row + 1, column + 1]
    return (1 - down) * upper + down * lower
