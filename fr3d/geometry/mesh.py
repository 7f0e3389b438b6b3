"""A depth map as a mesh of triangles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.coding import encode_light, white_of
from fr3d.geometry.maps import BoolArray, FaceMaps
from fr3d.geometry.normals import normals_from_depth

Array = npt.NDArray[Any]

JUMP = 5.0
"""Slope, in pixels of depth a pixel, above which a surface counts as torn."""


@dataclass(frozen=True)
class Mesh:
    """Triangles over the pixels of a face; x right, y up, z towards the camera.

    The origin is the middle of the maps at depth zero:
    x = unit (column - (W - 1) / 2), y = unit ((H - 1) / 2 - row), z = unit depth.

    Args:
        vertices: (V, 3), in millimetres or pixels.
        normals: (V, 3) unit vectors, as measured; from the depth where none were.
        colours: (V, 3), 8-bit sRGB of the albedo; light grey without one.
        places: (V, 2), where in the picture each vertex is: from 0 to 1, rightwards and upwards.
        triangles: (F, 3) vertex numbers, counter-clockwise as the camera sees them.
        unit: "mm" or "pixel".
    """

    vertices: npt.NDArray[np.float32]
    normals: npt.NDArray[np.float32]
    colours: npt.NDArray[np.uint8]
    places: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]
    unit: str


def build_mesh(maps: FaceMaps, scale_mm: float = float("nan"), jump: float = JUMP) -> Mesh:
    """Build the mesh of a face; a pixel in no triangle is left out.

    Args:
        maps: the face; depth is needed.
        scale_mm: millimetres a pixel; NaN where unknown, then lengths stay in pixels.
        jump: slope above which a surface counts as torn.

    Raises:
        MalformedInputError: no depth, or too little of it for one triangle.
    """
    if maps.depth is None:
        raise MalformedInputError("no dataset 'depth', which a mesh needs")
    known = maps.mask & np.isfinite(maps.depth)
    triangles = triangulate(maps.depth, known, jump)
    used = np.unique(triangles)
    if not used.size:
        raise MalformedInputError("too few pixels of depth for a mesh")
    rows, columns = np.divmod(used, maps.width)
    known_scale = np.isfinite(scale_mm)
    normal = maps.normal if maps.normal is not None else normals_from_depth(maps.depth, known)
    return Mesh(
        vertices=_positions(maps, rows, columns) * np.float32(scale_mm if known_scale else 1.0),
        normals=normal[rows, columns].astype(np.float32),
        colours=albedo_colours(maps)[rows, columns],
        places=_places(maps, rows, columns),
        triangles=np.searchsorted(used, triangles).astype(np.int32),
        unit="mm" if known_scale else "pixel",
    )


def triangulate(depth: Array, known: BoolArray, jump: float = JUMP) -> npt.NDArray[np.int64]:
    """Lay two triangles over every four neighbouring pixels, one where a corner is missing.

    A full square is cut along the diagonal whose ends differ less in depth, so that creases stay.

    Args:
        depth: (H, W), pixels.
        known: (H, W), where there is a surface.
        jump: a triangle with an edge steeper than this, pixels a pixel, is left out.

    Returns:
        (F, 3) of row * W + column, counter-clockwise as the camera sees them.
    """
    z = np.where(known, depth, 0.0).astype(np.float64)
    number = np.arange(z.size).reshape(z.shape)
    a, b, c, d = (_corner(number, k) for k in range(4))
    has = [_corner(known, k) for k in range(4)]
    height = [_corner(z, k) for k in range(4)]
    falling = np.abs(height[0] - height[3]) <= np.abs(height[1] - height[2])
    # The corners are a b over c d; a missing one decides the diagonal.
    falling = np.where(has[0] & has[3], falling | ~has[1] | ~has[2], False)
    corners = [
        (falling, (a, c, d)),
        (falling, (a, d, b)),
        (~falling, (a, c, b)),
        (~falling, (b, c, d)),
    ]
    found = np.concatenate([np.stack([t[where] for t in three], 1) for where, three in corners])
    found = found[known.ravel()[found].all(axis=1)]
    found = found[_steepest(z, found) <= jump]
    return found[np.lexsort(found.T[::-1])]


def albedo_colours(maps: FaceMaps) -> npt.NDArray[np.uint8]:
    """The albedo as 8-bit sRGB; light grey where the face has none.

    Args:
        maps: the face.

    Returns:
        (H, W, 3).
    """
    if maps.albedo is None:
        return np.full((*maps.mask.shape, 3), 200, dtype=np.uint8)
    levels = encode_light(maps.albedo, maps.mask, white_of(maps.albedo, maps.mask))
    return levels if levels.ndim == 3 else np.repeat(levels[..., None], 3, axis=2)


def _corner(values: Array, k: int) -> Array:
    """Corner k of every square of four pixels: upper left, upper right, lower left, lower right."""
    down, right = divmod(k, 2)
    height, width = values.shape
    return values[down : height - 1 + down, right : width - 1 + right]


def _steepest(z: Array, triangles: Array) -> Array:
    """The largest slope along an edge of each triangle."""
    flat, width = z.ravel(), z.shape[1]
    rows, columns = np.divmod(triangles, width)
    after = [1, 2, 0]
    length = np.hypot(rows - rows[:, after], columns - columns[:, after])
    rise = np.abs(flat[triangles] - flat[triangles[:, after]])
    return np.max(rise / length, axis=1, initial=0.0)


def _positions(maps: FaceMaps, rows: Array, columns: Array) -> npt.NDArray[np.float32]:
    x = columns - (maps.width - 1) / 2
    y = (maps.height - 1) / 2 - rows
    z = np.asarray(maps.depth)[rows, columns]
    return np.stack([x, y, z], axis=1).astype(np.float32)


def _places(maps: FaceMaps, rows: Array, columns: Array) -> npt.NDArray[np.float32]:
    u, v = (columns + 0.5) / maps.width, 1.0 - (rows + 0.5) / maps.height
    return np.stack([u, v], axis=1).astype(np.float32)
