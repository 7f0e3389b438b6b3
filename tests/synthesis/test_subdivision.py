"""Catmull-Clark against values worked out by hand and against a slow rewrite."""

import numpy as np

from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.subdivision import head_subdivision, subdivide, triangles_of

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
SIDES = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)


def test_a_cube_by_hand() -> None:
    """Corners (n = 3): (F + 2 R) / 3 = 5/9; edges: (2 + 2 / 2) / 4 = 3/4; faces stay."""
    operator, quads = subdivide(SIDES, 8)
    points = operator @ CUBE
    assert points.shape == (8 + 6 + 12, 3)
    assert quads.shape == (24, 4)
    assert np.allclose(np.abs(points[:8]), 5 / 9)
    assert np.allclose(np.abs(points[8:14]).max(axis=1), 1)
    edges = np.sort(np.abs(points[14:]), axis=1)
    assert np.allclose(edges, [0, 0.75, 0.75])


def test_new_quads_keep_their_orientation() -> None:
    operator, quads = subdivide(SIDES, 8)
    points = operator @ CUBE
    a, b, c, d = (points[quads[:, k]] for k in range(4))
    outward = np.cross(c - a, d - b)
    assert (np.einsum("fc,fc->f", outward, (a + b + c + d) / 4) > 0).all()


def test_a_flat_sheet_stays_flat_and_its_border_stays_straight() -> None:
    number = np.arange(16).reshape(4, 4)
    quads = np.stack(
        [number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], axis=-1
    ).reshape(-1, 4)
    flat = np.array([[x, y, 2 * x - y] for y in range(4) for x in range(4)], float)
    operator, _ = subdivide(quads, 16)
    points = operator @ flat
    assert np.allclose(np.asarray(operator.sum(axis=1)).ravel(), 1)
    assert np.allclose(points[:, 2], 2 * points[:, 0] - points[:, 1])
    assert np.allclose(points[1:3, 1], 0)
    assert np.allclose(points[5], flat[5])


def test_the_shipped_head_subdivides_into_a_partition_of_unity() -> None:
    head = load_heads()
    operator, triangles = head_subdivision(1)
    assert np.allclose(np.asarray(operator.sum(axis=1)).ravel(), 1)
    assert len(triangles) == len(triangles_of(head.quads)) * 4
    moved = operator @ head.vertices
    assert np.linalg.norm(moved[: len(head.vertices)] - head.vertices, axis=1).max() < 0.1
