"""Catmull-Clark subdivision as one sparse matrix, so that each head costs one product.

Reference: E. Catmull and J. Clark, "Recursively generated B-spline surfaces on arbitrary
topological meshes", Computer-Aided Design 10(6), 1978.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from fr3d.synthesis.assets import load_heads

IntArray = npt.NDArray[np.int64]
Operator = Any  # scipy.sparse.csr_matrix carries no types


def subdivide(quads: IntArray, count: int) -> tuple[Operator, IntArray]:
    """Subdivide a mesh of quads once.

    Args:
        quads: (F, 4) vertex numbers; borders and several components are allowed.
        count: number of vertices V.

    Returns:
        The operator (V + F + E, V) from old to new vertices, old ones first, and the new quads
        (4 F, 4).
    """
    corner = np.stack([quads, np.roll(quads, -1, axis=1)], axis=2).reshape(-1, 2)
    edges, inverse, sides = np.unique(
        np.sort(corner, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    edge_of = inverse.reshape(quads.shape)
    inner = sides == 2
    faces = _rows(np.arange(len(quads)).repeat(4), quads.ravel(), 0.25, (len(quads), count))
    ends = _rows(np.arange(len(edges)).repeat(2), edges.ravel(), 0.5, (len(edges), count))
    beside = _rows(edge_of.ravel(), np.arange(len(quads)).repeat(4), 0.5, (len(edges), len(quads)))
    border = sparse.diags(np.where(inner, 0.0, 1.0))
    points = sparse.diags(np.where(inner, 0.5, 0.0)) @ (ends + beside @ faces) + border @ ends
    old = _old_vertices(quads, edges, inner, faces, ends, count)
    face, edge = count + np.arange(len(quads)), count + len(quads) + edge_of
    parts = [np.stack([quads[:, k], edge[:, k], face, edge[:, k - 1]], axis=1) for k in range(4)]
    operator = sparse.vstack([old, faces, points]).tocsr()
    return operator, np.stack(parts, axis=1).reshape(-1, 4)


@lru_cache(maxsize=3)
def head_subdivision(levels: int) -> tuple[Operator, IntArray]:
    """Subdivide the shipped head several times.

    Returns:
        The operator (W, V) and triangles (T, 3), counter-clockwise seen from outside.
    """
    head = load_heads()
    operator: Operator = sparse.identity(len(head.vertices), format="csr")
    quads = head.quads
    for _ in range(levels):
        step, quads = subdivide(quads, operator.shape[0])
        operator = (step @ operator).tocsr()
    return operator, triangles_of(quads)


def triangles_of(quads: IntArray) -> IntArray:
    """Cut each quad along its first diagonal: (F, 4) to (2 F, 3)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def _old_vertices(
    quads: IntArray, edges: IntArray, inner: Any, faces: Operator, ends: Operator, count: int
) -> Operator:
    """Place the old vertices: (Q + 2 R + (n - 3) P) / n inside, a cubic spline at borders."""
    incident = edges.ravel(), np.arange(len(edges)).repeat(2)
    around = np.maximum(np.bincount(quads.ravel(), minlength=count), 1).astype(float)
    valence = np.maximum(np.bincount(edges.ravel(), minlength=count), 1).astype(float)
    touching = _rows(quads.ravel(), np.arange(len(quads)).repeat(4), 1.0, (count, len(quads)))
    meeting = _rows(*incident, 1.0, (count, len(edges)))
    outer = meeting @ sparse.diags((~inner).astype(float))
    on_border = np.asarray(outer.sum(axis=1)).ravel() > 0
    stay = sparse.diags((valence - 3) / valence)
    inside = (
        sparse.diags(1 / (valence * around)) @ touching @ faces
        + sparse.diags(2 / valence**2) @ meeting @ ends
        + stay
    )
    borders = 0.25 * outer @ ends + 0.5 * sparse.identity(count)
    return sparse.diags((~on_border) * 1.0) @ inside + sparse.diags(on_border * 1.0) @ borders


def _rows(row: IntArray, column: IntArray, value: float, shape: tuple[int, int]) -> Operator:
    return sparse.csr_matrix((np.full(len(row), value), (row, column)), shape=shape)
