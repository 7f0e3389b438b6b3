"""What is known of a face beforehand takes over where light is scarce."""

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, at_least, brightest, combine, length
from fr3d.photometric.solvers.fit import Rig, fit_plain
from fr3d.photometric.solvers.problem import Pull, pulled_rig

Prior = tuple[Array, Array]
"""Expected normals times albedo in any unit, (..., 3, P), and their weight, (..., 1, P)."""

# Beside 1 for a sample that nothing speaks against: everywhere, and where a pixel's samples are
# nothing but contradiction. Chosen on Extended Yale B (relighting) and synthetic faces (truth).
STEADY, DOUBTED = 0.03, 1.2


def make_pull(planes: Array, lights: npt.NDArray[np.float64], prior: Prior) -> Pull:
    """Give the expected scaled normals the brightness of the photographs, and a strength.

    The solution minimises sum_k w_k (I_k - l_k . g)^2 + strength |g - s g0|^2, with one factor s a
    session: that of least squares between the photographs and what g0 predicts. An albedo of each
    pixel's own would be taken from shadow just where the prior is needed.

    The strength grows with the share of a pixel's intensities that no surface explains: shadows
    contradict the other lights, clean pixels keep what was measured.

    Args:
        planes: (..., L, P), linear light.
        lights: (..., L, 3).
        prior: as `Prior` says.
    """
    expected, weight = prior
    rig = Rig(lights, planes)
    shading = at_least(combine(rig.lights, expected), 0)
    believed = weight * planes / at_least(brightest(planes), 1e-9)
    found = (believed * planes * shading).sum((-2, -1))
    scale = found / at_least((believed * shading * shading).sum((-2, -1)), 1e-9)
    unexplained = length(planes - combine(rig.lights, fit_plain(rig, planes)))
    doubt = unexplained / at_least(length(planes), 1e-6)
    strength = weight * (STEADY + DOUBTED * doubt)
    return Pull(expected * scale[..., None, None], strength, pulled_rig(lights, planes))
