"""Weighted least squares for each pixel, in closed form.

Everything that depends on the lights alone is worked out once, in float64.

Reference:
    Woodham 1980, "Photometric method for determining surface orientation from multiple images".
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, combine, constant, namespace

_UPPER = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


@dataclass(frozen=True)
class Rig:
    """What follows from the lights alone.

    Attributes:
        lights: (..., L, 3).
        inverse: (..., 3, L), pseudo-inverse.
        frame: (..., L, 3), orthonormal columns that span those of the lights.
        pairs: (..., 6, L), products of the columns of `frame`, upper triangle.
        back: (..., 3, 3), from that frame to x, y, z.
        contradiction: (..., L, 1), the unit vector that is orthogonal to all that four lights can
            produce; None for any other number.
    """

    lights: Array
    inverse: Array
    frame: Array
    pairs: Array
    back: Array
    contradiction: Array | None


def prepare_rig(lights: npt.NDArray[np.float64], like: Array) -> Rig:
    """Work out what solving under some lights needs.

    Args:
        lights: (..., L, 3), L >= 3, not in one plane.
        like: an array of the kind and on the device of the photographs.
    """
    lights = np.asarray(lights, dtype=np.float64)
    frame, triangle = np.linalg.qr(lights)
    pairs = np.stack([frame[..., i] * frame[..., j] for i, j in _UPPER], axis=-2)
    contradiction = None
    if lights.shape[-2] == 4:
        contradiction = constant(np.linalg.svd(lights)[0][..., 3:], like)
    return Rig(
        constant(lights, like),
        constant(np.linalg.pinv(lights), like),
        constant(frame, like),
        constant(pairs, like),
        constant(np.linalg.inv(triangle), like),
        contradiction,
    )


def fit_plain(rig: Rig, planes: Array) -> Array:
    """Least squares.

    Args:
        rig: of L lights.
        planes: (..., L, P) intensities.

    Returns:
        (..., 3, P), albedo times normal.
    """
    return combine(rig.inverse, planes)


def fit_weighted(rig: Rig, planes: Array, weights: Array) -> Array:
    """Weighted least squares: argmin of sum_k w_k (I_k - l_k . g)^2.

    Args:
        rig: of L lights.
        planes: (..., L, P) intensities I.
        weights: (..., L, P), all above 0; only their ratios matter.

    Returns:
        (..., 3, P), albedo times normal.
    """
    if rig.contradiction is not None:
        return fit_plain(rig, planes - _misfit(rig.contradiction, planes, 1 / weights))
    return fit_adjugate(rig, planes, weights)


def _misfit(contradiction: Array, planes: Array, slack: Array) -> Array:
    """The residuals of four lights.

    Residuals r are the least that explain the contradiction a . I: a . r = a . I. Least in
    sum w r^2, they are r_k proportional to a_k / w_k. So four lights need no matrix a pixel.
    """
    spread = contradiction * slack
    share = (contradiction * planes).sum(-2) / (contradiction * spread).sum(-2)
    return spread * share[..., None, :]


def fit_adjugate(rig: Rig, planes: Array, weights: Array) -> Array:
    """The same for any number of lights, by the adjugate of each pixel's 3 x 3 normal equations.

    They are set up in the orthonormal frame, where they are well conditioned for any rig.
    """
    xx, xy, xz, yy, yz, zz = _rows(combine(rig.pairs, weights))
    bx, by, bz = _rows(combine(_turned(rig.frame), weights * planes))
    cxx, cxy, cxz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    cyy, cyz, czz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    scale = 1 / (xx * cxx + xy * cxy + xz * cxz)
    solution = [
        (cxx * bx + cxy * by + cxz * bz) * scale,
        (cxy * bx + cyy * by + cyz * bz) * scale,
        (cxz * bx + cyz * by + czz * bz) * scale,
    ]
    return combine(rig.back, namespace(planes).stack(solution, -2))


def _rows(planes: Array) -> list[Any]:
    return [planes[..., i, :] for i in range(planes.shape[-2])]


def _turned(matrix: Array) -> Array:
    return namespace(matrix).swapaxes(matrix, -1, -2)
