"""Solvers without rounds: plain least squares, and least squares weighted by brightness."""

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, at_least, brightest, combine, namespace
from fr3d.photometric.solvers.problem import Problem

_LEAST_WEIGHT = 0.02


def least_squares(problem: Problem) -> Array:
    """Solve images = lights . g by least squares.

    Saturated samples are left out, but where fewer than three others, or three in a plane, remain.

    Returns:
        (..., 3, P), albedo times normal.

    Reference:
        Woodham 1980, "Photometric method for determining surface orientation from multiple images".
    """
    if problem.saturated is None:
        return problem.fit(None)
    xp = namespace(problem.planes)
    weighted = problem.fit(problem.distrust(xp.ones_like(problem.planes)))
    if problem.pull is not None:
        return weighted
    # a pixel's solution must not depend on its neighbours in the block
    spoilt = problem.saturated.any(-2)[..., None, :]
    return xp.where(spoilt, weighted, problem.fit(None))


def ratio_weighted(problem: Problem) -> Array:
    """Solve by least squares in which each light weighs as it is bright, relative to the brightest.

    Shadows lose weight without a threshold.

    Returns:
        (..., 3, P), albedo times normal.
    """
    top = at_least(brightest(problem.planes), 1e-12)
    slack = at_least(problem.planes, _LEAST_WEIGHT * top)
    slack = namespace(slack).divide(top, slack, out=slack)
    return problem.fit(problem.distrust(slack))


def split_scaled_normal(g: Array) -> tuple[Array, Array]:
    """Split albedo times normal into the two.

    Args:
        g: (..., 3, H, W) or (3, ...), NumPy or PyTorch.

    Returns:
        Albedo, not clipped, without the axis of components, and unit normals as `g`, zero where the
        albedo is.
    """
    axis = 0 if g.ndim < 4 else -3
    xp = namespace(g)
    x, y, z = (_component(g, i, axis) for i in range(3))
    albedo = xp.sqrt(x * x + y * y + z * z)
    over = xp.where(albedo > 0, albedo, 1)
    normal = g / (over[None] if axis == 0 else over[..., None, :, :])
    return albedo, normal


def _component(g: Array, i: int, axis: int) -> Array:
    return g[i] if axis == 0 else g[..., i, :, :]


def shade(lights: npt.NDArray[np.float64], g: Array) -> Array:
    """Intensities that scaled normals predict, negative where a light lies behind the surface.

    Args:
        lights: (L, 3).
        g: (3, ...), albedo times normal.

    Returns:
        (L, ...).
    """
    planes = combine(np.asarray(lights, np.float32), g.reshape(3, -1))
    return planes.reshape(len(lights), *g.shape[1:])
