"""Sums over vertices in PyTorch: mixtures of rows of tables, and vertex normals.

Every result is the same in each run and whatever else is in the batch: no sum depends on the order
in which threads arrive, and none runs through BLAS.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Around(NamedTuple):
    """The triangles around vertices.

    Args:
        triangles: (3 T,), their numbers, one vertex after another, ascending at each.
        start: (V,), where each vertex's begin.
    """

    triangles: Tensor
    start: Tensor


def around(triangles: Tensor, count: int) -> Around:
    """List the triangles (T, 3) around each of `count` vertices."""
    corner = triangles.flatten()
    order = torch.argsort(corner, stable=True)
    found = torch.bincount(corner, minlength=count)
    return Around(order.div(3, rounding_mode="floor"), found.cumsum(0) - found)


def corner_normals(points: Tensor, triangles: Tensor, near: Around) -> Tensor:
    """Add up the normals of the triangles around each vertex, each as long as twice its area.

    Args:
        points: (B, V, 3), in a frame with y up.
        triangles: (T, 3), counter-clockwise seen from outside.
        near: the triangles around each vertex.

    Returns:
        (B, V, 3), not of unit length.
    """
    # Sessions last: what is gathered for all of them lies together.
    rows = points.permute(1, 2, 0).contiguous()
    a, b, c = (rows.index_select(0, corner) for corner in triangles.T)
    normal = torch.linalg.cross(b.sub_(a), c.sub_(a), dim=1)
    total = mix_rows(normal.flatten(1), near.triangles, near.start)
    return total.view(rows.shape).permute(2, 0, 1).contiguous()


def interpolate(table: Tensor, corners: Tensor, weight: Tensor) -> Tensor:
    """Mix what stands at the vertices around each point.

    Args:
        table: (V, A), or (B, V, A).
        corners: (B, P, 3), vertices.
        weight: (B, P, 3), how much each counts.

    Returns:
        (B, A, P).
    """
    batch, points, _ = corners.shape
    if table.ndim == 3:
        corners = corners + first_rows(table)[:, None]
    mixed = functional.embedding_bag(
        corners.reshape(-1, 3),
        table.reshape(-1, table.shape[-1]),
        mode="sum",
        per_sample_weights=weight.reshape(-1, 3),
    )
    return mixed.view(batch, points, table.shape[-1]).movedim(-1, 1).contiguous()


def first_rows(table: Tensor) -> Tensor:
    """Where the rows of each session (B, V, ...) begin when all lie in one table: (B, 1)."""
    return torch.arange(len(table), device=table.device)[:, None] * table.shape[1]


def mix_rows(table: Tensor, rows: Tensor, start: Tensor, weights: Tensor | None = None) -> Tensor:
    """Add up rows of a table, always one after another.

    Args:
        table: (R, A).
        rows: (N,), which, of one sum after another.
        start: (S,), where each sum's begin.
        weights: (N,), factors.

    Returns:
        (S, A).
    """
    return functional.embedding_bag(rows, table, start, mode="sum", per_sample_weights=weights)
