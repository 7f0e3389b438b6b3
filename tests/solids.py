"""Meshes whose rendering is known in closed form."""

import numpy as np

from fr3d.synthesis.engine import Seen
from fr3d.synthesis.render import Mesh
from fr3d.synthesis.subdivision import triangles_of


def height_field(heights: np.ndarray) -> Mesh:
    """A mesh through a vertex at each pixel centre of a picture of this shape."""
    rows, columns = heights.shape
    x = np.arange(columns) - (columns - 1) / 2
    y = (rows - 1) / 2 - np.arange(rows)
    points = np.stack([*np.meshgrid(x, y), heights], axis=-1).reshape(-1, 3)
    number = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack(
        [number[1:, :-1], number[1:, 1:], number[:-1, 1:], number[:-1, :-1]], axis=-1
    ).reshape(-1, 4)
    return Mesh(points.astype(float), triangles_of(quads))


def sphere(radius: float, around: int = 240, down: int = 120) -> Mesh:
    """A sphere about the centre of the picture, outside outwards."""
    theta = np.linspace(0, np.pi, down + 1)
    phi = np.linspace(0, 2 * np.pi, around, endpoint=False)
    t, p = np.meshgrid(theta, phi, indexing="ij")
    points = radius * np.stack([np.sin(t) * np.sin(p), np.cos(t), np.sin(t) * np.cos(p)], axis=-1)
    number = np.arange((down + 1) * around).reshape(down + 1, around)
    right = np.roll(number, -1, axis=1)
    quads = np.stack([number[1:], right[1:], right[:-1], number[:-1]], axis=-1).reshape(-1, 4)
    return Mesh(points.reshape(-1, 3), triangles_of(quads))


def white(seen: Seen) -> np.ndarray:
    """Paint everything white."""
    return np.ones(seen.corners.shape[:2])
