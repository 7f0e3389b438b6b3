"""What is known of a face beforehand takes over where light is scarce."""

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, brightest, combine, constant, namespace
from fr3d.photometric.solvers.problem import Pull, pulled_rig

Prior = tuple[Array, Array]
"""Expected normals times albedo in any unit, (..., 3, P), and their weight, (..., 1, P)."""

# Beside 1 for the pixel's brightest sample. Chosen on Extended Yale B.
STRENGTH = 0.1


def make_pull(planes: Array, lights: npt.NDArray[np.float64], prior: Prior) -> Pull:
    """Give the expected scaled normals the brightness of the photographs.

    The solution minimises sum_k w_k (I_k - l_k . g)^2 + strength |g - s g0|^2, with one factor s a
    session: that of least squares between the photographs and what g0 predicts. An albedo of each
    pixel's own would be taken from shadow just where the prior is needed.

    Args:
        planes: (..., L, P), linear light.
        lights: (..., L, 3).
        prior: as `Prior` says.
    """
    xp = namespace(planes)
    expected, weight = prior
    shading = xp.clip(combine(constant(lights, planes), expected), 0, None)
    believed = weight * planes / xp.clip(brightest(planes), 1e-9, None)
    found = (believed * planes * shading).sum((-2, -1))
    scale = found / xp.clip((believed * shading * shading).sum((-2, -1)), 1e-9, None)
    target = expected * scale[..., None, None]
    return Pull(target, STRENGTH * weight, pulled_rig(lights, planes))
