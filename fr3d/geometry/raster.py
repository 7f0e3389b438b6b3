"""Kernels that draw meshes on a CPU: a z-buffer, interpolation, normals."""

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@njit(cache=True)
def rasterise(
    points: FloatArray, triangles: IntArray, height: int, width: int, both_sides: bool = False
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Find what each pixel sees; surfaces that turn their back are not seen.

    Args:
        points: (V, 3): column, row and height towards the camera, all in pixels.
        triangles: (T, 3), counter-clockwise seen from the front in a frame with y up.
        height: rows.
        width: columns.
        both_sides: see the backs of triangles as well.

    Returns:
        Number of the triangle (H, W), -1 where nothing is; barycentric weights (H, W, 3); depth
        (H, W), NaN where nothing is.
    """
    seen = np.full((height, width), -1, dtype=np.int64)
    weights = np.zeros((height, width, 3))
    depth = np.full((height, width), np.nan)
    for number in range(len(triangles)):
        ia, ib, ic = triangles[number, 0], triangles[number, 1], triangles[number, 2]
        ax, ay, az = points[ia, 0], points[ia, 1], points[ia, 2]
        bx, by, bz = points[ib, 0], points[ib, 1], points[ib, 2]
        cx, cy, cz = points[ic, 0], points[ic, 1], points[ic, 2]
        # Rows run down: a triangle that faces the camera has negative area here.
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0 or (area > 0.0 and not both_sides):
            continue
        top = max(int(np.ceil(min(ay, by, cy))), 0)
        bottom = min(int(np.floor(max(ay, by, cy))), height - 1)
        left = max(int(np.ceil(min(ax, bx, cx))), 0)
        right = min(int(np.floor(max(ax, bx, cx))), width - 1)
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                u = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / area
                v = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / area
                w = 1.0 - u - v
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                z = u * az + v * bz + w * cz
                if seen[row, column] < 0 or z > depth[row, column]:
                    seen[row, column] = number
                    depth[row, column] = z
                    weights[row, column, 0] = u
                    weights[row, column, 1] = v
                    weights[row, column, 2] = w
    return seen, weights, depth


@njit(cache=True)
def interpolate(table: FloatArray, corners: IntArray, weight: FloatArray) -> FloatArray:
    """Mix what stands at the vertices around each point: (V, A), (N, 3), (N, 3) to (A, N)."""
    out = np.empty((table.shape[1], len(corners)))
    for n in range(len(corners)):
        i, j, k = corners[n, 0], corners[n, 1], corners[n, 2]
        u, v, w = weight[n, 0], weight[n, 1], weight[n, 2]
        for a in range(table.shape[1]):
            out[a, n] = u * table[i, a] + v * table[j, a] + w * table[k, a]
    return out


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
    for number in range(len(triangles)):
        i, j, k = triangles[number, 0], triangles[number, 1], triangles[number, 2]
        ux, uy, uz = (
            points[j, 0] - points[i, 0],
            points[j, 1] - points[i, 1],
            points[j, 2] - points[i, 2],
        )
        vx, vy, vz = (
            points[k, 0] - points[i, 0],
            points[k, 1] - points[i, 1],
            points[k, 2] - points[i, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (i, j, k):
            total[corner, 0] += nx
            total[corner, 1] += ny
            total[corner, 2] += nz
    return total
