"""Weighted least squares for each pixel, in closed form.

Everything that depends on the lights alone is worked out once, in float64.

Reference:
    Woodham 1980, "Photometric method for determining surface orientation from multiple images".
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, combine, constant, namespace
from fr3d.photometric.solvers.symmetric import UPPER, solve_symmetric


@dataclass(frozen=True)
class Rig:
    """What follows from the lights alone, worked out when it is asked for.

    Attributes:
        directions: (..., L, 3), L >= 3, not in one plane.
        like: an array of the kind and on the device of the photographs.
    """

    directions: npt.NDArray[np.float64]
    like: Array

    @cached_property
    def lights(self) -> Array:
        """(..., L, 3)."""
        return constant(self.directions, self.like)

    @cached_property
    def inverse(self) -> Array:
        """(..., 3, L), pseudo-inverse."""
        return constant(np.linalg.pinv(self.directions), self.like)

    @cached_property
    def contradiction(self) -> Array | None:
        """(..., 4, 1), the unit vector orthogonal to all that four lights can produce, or None."""
        if self.directions.shape[-2] != 4:
            return None
        return constant(np.linalg.svd(self.directions)[0][..., 3:], self.like)

    @cached_property
    def frame(self) -> Array:
        """(..., 3, L), orthonormal rows that span the columns of the lights."""
        return constant(np.swapaxes(self._factors[0], -1, -2), self.like)

    @cached_property
    def pairs(self) -> Array:
        """(..., 6, L), products of two rows of `frame`, upper triangle."""
        columns = self._factors[0]
        return constant(np.stack([columns[..., i] * columns[..., j] for i, j in UPPER], -2),
                        self.like)  # fmt: skip

    @cached_property
    def back(self) -> Array:
        """(..., 3, 3), from that frame to x, y, z."""
        return constant(np.linalg.inv(self._factors[1]), self.like)

    @cached_property
    def _factors(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        frame, triangle = np.linalg.qr(self.directions)
        return frame, triangle


def fit_plain(rig: Rig, planes: Array) -> Array:
    """Least squares.

    Args:
        rig: of L lights.
        planes: (..., L, P) intensities.

    Returns:
        (..., 3, P), albedo times normal.
    """
    return combine(rig.inverse, planes)


def fit_weighted(rig: Rig, planes: Array, slack: Array) -> Array:
    """Weighted least squares: argmin of sum_k (I_k - l_k . g)^2 / slack_k.

    Args:
        rig: of L lights.
        planes: (..., L, P) intensities I.
        slack: (..., L, P), inverse weights above 0; only their ratios matter.

    Returns:
        (..., 3, P), albedo times normal.
    """
    if rig.contradiction is not None:
        residual = misfit(rig.contradiction, planes, slack)
        return fit_plain(rig, namespace(planes).subtract(planes, residual, out=residual))
    return fit_adjugate(rig, planes, 1 / slack)


def misfit(contradiction: Array, planes: Array, slack: Array) -> Array:
    """The residuals of four lights.

    Residuals r must explain the contradiction, a . r = a . I. Those of least sum r_k^2 / slack_k
    are proportional to a_k slack_k. So four lights need no matrix a pixel.

    Args:
        contradiction: (..., 4, 1), a.
        planes: (..., 4, P), I.
        slack: (..., 4, P).
    """
    xp = namespace(planes)
    product = contradiction * planes
    found = product.sum(-2)
    spread = contradiction * slack
    share = found / xp.multiply(contradiction, spread, out=product).sum(-2)
    spread *= share[..., None, :]
    return spread


def fit_adjugate(rig: Rig, planes: Array, weights: Array) -> Array:
    """The same for any number of lights and weights 1 / slack, by the adjugate of 3 x 3 equations.

    They are set up in the orthonormal frame, where they are well conditioned for any rig.
    """
    entries = _rows(combine(rig.pairs, weights))
    solution = solve_symmetric(entries, _rows(combine(rig.frame, weights * planes)))
    return combine(rig.back, namespace(planes).stack(solution, -2))


def _rows(planes: Array) -> list[Any]:
    return [planes[..., i, :] for i in range(planes.shape[-2])]
