"""Masked Poisson least squares: the depth whose steps are closest to the slopes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.photometric.integration.conjugate import System, conjugate_gradients
from fr3d.photometric.integration.cosine import Field, rectangle_inverse
from fr3d.photometric.integration.edges import Edges, divergence, inner_edges, mean_steps
from fr3d.photometric.integration.slopes import Slopes

_MAX_ITERATIONS = 200


@dataclass(frozen=True)
class Problem:
    """What a batch of depths has to agree with; all fields (B, H, W) and 0 outside the masks.

    Attributes:
        mask: 1 inside.
        edges: weights between neighbours.
        wanted: steps between neighbours.
        prior: depth that is known from elsewhere.
        anchor: its weights, or None.
        ground: mean of those weights over all images, which the preconditioner takes in.
    """

    mask: Field
    edges: Edges
    wanted: Edges
    prior: Field | None = None
    anchor: Field | None = None
    ground: float = 0.0


def pose(slopes: Slopes, mask: Field, edge_power: float) -> Problem:
    """The least-squares problem of a batch of slopes, with mask (B, H, W) of 1 and 0."""
    weight = mask * slopes.facing**edge_power if edge_power else mask
    return Problem(mask, inner_edges(weight), mean_steps(slopes.across, slopes.down))


def solve_poisson(problem: Problem, rtol: float) -> tuple[Field, npt.NDArray[np.int64]]:
    """Minimise a sum over the edges of each mask.

    The sum is of w (z_j - z_i - g)^2 over 4-neighbour edges, g being the mean of the two pixels'
    slopes, and of a (z_i - z0_i)^2 over the pixels with a prior. The border is free.

    Returns:
        The depths (B, H, W), 0 outside, free by a constant a component where no prior holds it;
        and the iterations.

    Reference:
        Queau, Durou, Aujol 2018, "Normal Integration: A Survey", section 3 (quadratic method).
    """
    right = divergence(problem.edges, problem.wanted, problem.mask * 0)
    if problem.anchor is not None:
        right += problem.anchor * problem.prior
    inverse = rectangle_inverse(right, problem.ground)
    system = System(problem.edges, problem.mask, problem.anchor, inverse)
    return conjugate_gradients(system, right, None, rtol, _MAX_ITERATIONS)
