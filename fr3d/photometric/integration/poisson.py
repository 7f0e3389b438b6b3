"""Depth from normals: masked Poisson least squares by preconditioned conjugate gradients."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.fft import dctn, idctn

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

MIN_NZ = 0.05
EDGE_POWER = 0.5
_RTOL = 1e-4
_MAX_ITERATIONS = 200


@dataclass(frozen=True)
class Integration:
    """A depth map and how it was reached.

    Attributes:
        depth: (H, W) float32, NaN outside the mask, mean 0 over each 4-connected component.
        iterations: of the conjugate gradients.
    """

    depth: npt.NDArray[np.float32]
    iterations: int


def integrate_normals(
    normal: npt.NDArray[np.floating], mask: npt.NDArray[np.generic], *, rtol: float = _RTOL
) -> Integration:
    """Integrate the normals of a surface seen from far away.

    Slopes steeper than n_z = 0.05 are clamped there, and an edge between two pixels weighs as the
    root of the smaller n_z: slopes near the silhouette are the least certain. Heights of separate
    components are unrelated, so each has mean 0.

    Args:
        normal: (3, H, W), unit vectors; x right, y up, z to the camera; rows run down.
        mask: (H, W), where the surface is.
        rtol: residual at which to stop, relative to the right-hand side.
    """
    n = np.asarray(normal, dtype=np.float64)
    nz = np.maximum(n[2], MIN_NZ)
    # z grows to the right by -n_x / n_z; rows run down while y runs up, so downwards by n_y / n_z
    return integrate_gradient(-n[0] / nz, n[1] / nz, mask, nz**EDGE_POWER, rtol=rtol)


def integrate_gradient(
    across: Array,
    down: Array,
    mask: npt.NDArray[np.generic],
    weight: Array | None = None,
    *,
    rtol: float = _RTOL,
) -> Integration:
    """Find the depth whose steps between neighbours are closest to a gradient field.

    Minimises sum over 4-neighbour edges in the mask of w (z_j - z_i - g)^2, g being the mean of the
    two pixels' slopes; the border is free. The preconditioner is the exact inverse on the bounding
    rectangle, by cosine transforms.

    Args:
        across: (H, W), change of depth from a pixel to the next on the right.
        down: (H, W), change of depth from a row to the next below.
        mask: (H, W).
        weight: (H, W), weight of each pixel; an edge takes the smaller of its two; 1 by default.
        rtol: residual at which to stop, relative to the right-hand side.

    Reference:
        Queau, Durou, Aujol 2018, "Normal Integration: A Survey", section 3 (quadratic method).
    """
    inside = np.asarray(mask, dtype=bool)
    depth = np.full(inside.shape, np.nan, np.float32)
    if not inside.any():
        return Integration(depth, 0)
    box = _bounding_box(inside)
    cut = inside[box]
    w = np.ones(cut.shape) if weight is None else np.asarray(weight, dtype=np.float64)[box]
    edges = _Edges(cut, w)
    z, iterations = _conjugate_gradients(edges, edges.divergence(across[box], down[box]), rtol)
    depth[box] = np.where(cut, _centred(z, cut), np.nan)
    return Integration(depth, iterations)


def _bounding_box(inside: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


class _Edges:
    """The weighted Laplacian of the mask's 4-neighbour graph, applied by shifts."""

    def __init__(self, inside: Mask, weight: Array) -> None:
        self.inside = inside
        pair_x, pair_y = inside[:, 1:] & inside[:, :-1], inside[1:] & inside[:-1]
        self.cx = np.where(pair_x, np.minimum(weight[:, 1:], weight[:, :-1]), 0.0)
        self.cy = np.where(pair_y, np.minimum(weight[1:], weight[:-1]), 0.0)

    def divergence(self, across: Array, down: Array) -> Array:
        p, q = (np.where(self.inside, g, 0.0) for g in (across, down))
        return self._gather(
            self.cx * (p[:, 1:] + p[:, :-1]) * 0.5, self.cy * (q[1:] + q[:-1]) * 0.5
        )

    def apply(self, z: Array) -> Array:
        return self._gather(self.cx * np.diff(z, axis=1), self.cy * np.diff(z, axis=0))

    @staticmethod
    def _gather(fx: Array, fy: Array) -> Array:
        """The transpose of taking steps: what flows along the edges into each pixel."""
        total = np.zeros((fx.shape[0], fy.shape[1]))
        total[:, 1:] += fx
        total[:, :-1] -= fx
        total[1:] += fy
        total[:-1] -= fy
        return total


class _Preconditioner:
    """The inverse Laplacian of the whole rectangle with free borders."""

    def __init__(self, shape: tuple[int, int]) -> None:
        rows, columns = (2 - 2 * np.cos(np.pi * np.arange(n) / n) for n in shape)
        values = rows[:, None] + columns[None, :]
        # the constant is free: any positive value will do, as depth is centred afterwards
        values[0, 0] = 1e-3 * values.ravel()[1:].min() if values.size > 1 else 1.0
        self._inverse = 1 / values

    def apply(self, residual: Array, inside: Mask) -> Array:
        solved: Array = idctn(dctn(residual, norm="ortho") * self._inverse, norm="ortho")
        return np.where(inside, solved, 0.0)


def _conjugate_gradients(edges: _Edges, b: Array, rtol: float) -> tuple[Array, int]:
    z = np.zeros_like(b)
    goal = rtol * np.sqrt(_dot(b, b))
    if goal == 0:
        return z, 0
    precondition = _Preconditioner(b.shape)
    residual = b.copy()
    step = y = precondition.apply(residual, edges.inside)
    energy, iterations = _dot(residual, y), 0
    while _dot(residual, residual) > goal * goal and iterations < _MAX_ITERATIONS:
        image = edges.apply(step)
        length = energy / _dot(step, image)
        z += length * step
        residual -= length * image
        y = precondition.apply(residual, edges.inside)
        energy, before = _dot(residual, y), energy
        step = y + (energy / before) * step
        iterations += 1
    return z, iterations


def _dot(a: Array, b: Array) -> float:
    """Sum of products in a fixed order; BLAS would change it with the number of threads."""
    return float((a * b).sum())


def _centred(z: Array, inside: Mask) -> Array:
    count, labels = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    sums = np.bincount(labels.ravel(), weights=z.ravel(), minlength=count)
    sizes = np.bincount(labels.ravel(), minlength=count)
    return z - (sums / np.maximum(sizes, 1))[labels]
