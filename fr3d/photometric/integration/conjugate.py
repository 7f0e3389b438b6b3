"""Conjugate gradients on the edges of masks, preconditioned by the rectangle's exact inverse."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.integration.cosine import Field, Inverse, is_torch
from fr3d.photometric.integration.edges import Edges, laplacian

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class System:
    """Equations (L + diag(anchor)) z = right for a batch.

    Attributes:
        edges: the weights in the Laplacian L.
        mask: (B, H, W), 1 inside and 0 outside.
        anchor: (B, H, W), how strongly each pixel is held to a given depth, or None.
        inverse: the preconditioner.
    """

    edges: Edges
    mask: Field
    anchor: Field | None
    inverse: Inverse

    def apply(self, z: Field, out: Field) -> Field:
        """The left-hand side for a depth."""
        laplacian(self.edges, z, out)
        if self.anchor is not None:
            out += self.anchor * z
        return out

    def precondition(self, residual: Field) -> Field:
        """The rectangle's solution, cut to the mask."""
        solved = self.inverse(residual)
        solved *= self.mask
        return solved


def conjugate_gradients(
    system: System, right: Field, start: Field | None, rtol: float, most: int
) -> tuple[Field, npt.NDArray[np.int64]]:
    """Solve each system of a batch until its preconditioned residual is small enough.

    What is measured, the root of r.M.r relative to right.M.right, is the error of the slopes. An
    image that has converged is left as it is, so its depth does not depend on the others.

    Args:
        system: the equations.
        right: (B, H, W), 0 outside the masks.
        start: (B, H, W), overwritten by the solution; None for 0.
        rtol: when to stop.
        most: iterations at most.

    Returns:
        (B, H, W), the solution, and (B,), the iterations that each image took.
    """
    image, residual = right * 0, right + 0
    step = system.precondition(right)
    energy = dot(right, step)
    goal, z = rtol**2 * energy, image + 0
    if start is not None:
        z = start
        residual -= system.apply(z, image)
        step = system.precondition(residual)
        energy = dot(residual, step)
    taken = np.zeros(len(goal), dtype=np.int64)
    for _ in range(most):
        active = energy > goal
        if not active.any():
            break
        taken += active
        system.apply(step, image)
        length = _spread(_quotient(energy, dot(step, image), active), z)
        z += length * step
        image *= length
        residual -= image
        y = system.precondition(residual)
        energy, before = np.where(active, dot(residual, y), energy), energy
        step *= _spread(_quotient(energy, before, active), z)
        step += y
    return z, taken


def dot(a: Field, b: Field) -> Numbers:
    """Sum of products of each image, (B,); not by BLAS, which adds as its threads come."""
    if is_torch(a):
        return np.asarray((a * b).sum(2).double().sum(1).cpu())
    rows: Numbers = np.einsum("bhw,bhw->bh", a, b)
    return rows.sum(axis=1, dtype=np.float64)


def _quotient(a: Numbers, b: Numbers, where: npt.NDArray[np.bool_]) -> Numbers:
    """Divide; 0 where an image is done."""
    return np.divide(a, b, out=np.zeros_like(a), where=where & (b > 0))


def _spread(values: Numbers, like: Field) -> Any:
    """One number an image, (B, 1, 1)."""
    column = values.astype(np.float32)[:, None, None]
    return like.new_tensor(column) if is_torch(like) else column
