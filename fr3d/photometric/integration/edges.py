"""The edges between neighbouring pixels of a mask: steps of depth along them and back."""

from dataclasses import dataclass

import numpy as np

from fr3d.photometric.integration.cosine import Field, is_torch


@dataclass(frozen=True)
class Edges:
    """A number for each edge of the 4-neighbour graph, of each image of a batch.

    Attributes:
        across: (B, H, W), edge from a pixel to the next on the right; the last column is not used.
        down: (B, H, W), edge from a pixel to the one below; the last row is not used.
    """

    across: Field
    down: Field


def steps(z: Field) -> Edges:
    """Differences of depth along the edges, downhill of the reading order."""
    across, down = z * 0, z * 0
    across[..., :-1] = z[..., 1:] - z[..., :-1]
    down[:, :-1] = z[:, 1:] - z[:, :-1]
    return Edges(across, down)


def mean_steps(across: Field, down: Field) -> Edges:
    """The step between two pixels is the mean of their slopes: exact for quadratics."""
    mean = Edges(across * 0, down * 0)
    mean.across[..., :-1] = (across[..., 1:] + across[..., :-1]) * 0.5
    mean.down[:, :-1] = (down[:, 1:] + down[:, :-1]) * 0.5
    return mean


def inner_edges(weight: Field) -> Edges:
    """An edge weighs as the lesser of its two pixels, so nothing where one is outside.

    Args:
        weight: (B, H, W), positive inside the mask, 0 outside.
    """
    edges = Edges(weight * 0, weight * 0)
    edges.across[..., :-1] = _lesser(weight[..., 1:], weight[..., :-1])
    edges.down[:, :-1] = _lesser(weight[:, 1:], weight[:, :-1])
    return edges


def _lesser(a: Field, b: Field) -> Field:
    return a.minimum(b) if is_torch(a) else np.minimum(a, b)


def laplacian(weight: Edges, z: Field, out: Field) -> Field:
    """Apply the weighted graph Laplacian, which is positive semidefinite, to (B, H, W).

    Images are taken as one line: the edge from a row's end to the next row's start weighs 0.
    """
    width, line = z.shape[-1], z.reshape(len(z), -1)
    across = line[:, 1:] - line[:, :-1]
    across *= weight.across.reshape(len(z), -1)[:, :-1]
    down = line[:, width:] - line[:, :-width]
    down *= weight.down.reshape(len(z), -1)[:, :-width]
    return _gather(across, down, out)


def divergence(weight: Edges, step: Edges, out: Field) -> Field:
    """The right-hand side whose solution has these steps in the least-squares sense."""
    across = (weight.across * step.across).reshape(len(out), -1)[:, :-1]
    down = (weight.down * step.down).reshape(len(out), -1)[:, : -out.shape[-1]]
    return _gather(across, down, out)


def _gather(across: Field, down: Field, out: Field) -> Field:
    """The transpose of taking steps: what flows along the edges into each pixel."""
    width, line = out.shape[-1], out.reshape(len(out), -1)
    line[:, 0] = 0
    line[:, 1:] = across
    line[:, :-1] -= across
    line[:, width:] += down
    line[:, :-width] -= down
    return out
