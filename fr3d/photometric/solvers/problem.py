"""What a solver is given: one block of pixels, and how to fit it once the weights are known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, combine, indicator, namespace
from fr3d.photometric.solvers.fit import (
    Rig,
    fit_adjugate,
    fit_plain,
    fit_weighted,
    misfit,
)

# A saturated sample decides only where the others leave a direction open.
SATURATED_WEIGHT = 0.05


@dataclass(frozen=True)
class Pull:
    """A scaled normal that each pixel is drawn to: three more lights, along x, y and z.

    Attributes:
        target: (..., 3, P), albedo times normal.
        weight: (..., 1, P), 0 or more, beside a weight of 1 for the brightest sample.
        rig: of the lights and the three axes.
    """

    target: Array
    weight: Array
    rig: Rig


@dataclass(frozen=True)
class Problem:
    """Pixels to solve.

    Attributes:
        rig: what follows from the lights.
        planes: (..., L, P), linear light.
        saturated: (..., L, P) bool, samples that the camera could not hold; None without any.
        pull: what is expected where light is scarce; None without.
    """

    rig: Rig
    planes: Array
    saturated: Array | None = None
    pull: Pull | None = None

    def fit(self, slack: Array | None) -> Array:
        """Scaled normals (..., 3, P) for inverse weights (..., L, P); None weighs samples alike."""
        if self.pull is not None:
            xp = namespace(self.planes)
            weights = xp.ones_like(self.planes) if slack is None else 1 / slack
            planes = xp.concatenate([self.planes, self.pull.target], -2)
            weights = xp.concatenate([weights] + 3 * [self.pull.weight], -2)
            return fit_adjugate(self.pull.rig, planes, weights)
        if slack is None or self.planes.shape[-2] == 3:
            return fit_plain(self.rig, self.planes)
        return fit_weighted(self.rig, self.planes, slack)

    def predict(self, slack: Array | None) -> Array:
        """What the fit shades each sample with, (..., L, P), negative for lights behind."""
        if self.rig.contradiction is None or self.pull is not None or slack is None:
            return combine(self.rig.lights, self.fit(slack))
        return self.planes - misfit(self.rig.contradiction, self.planes, slack)

    def distrust(self, slack: Array) -> Array:
        """Take the weight from saturated samples."""
        if self.saturated is None:
            return slack
        return slack * (1 + (1 / SATURATED_WEIGHT - 1) * indicator(self.saturated))


def pulled_rig(lights: npt.NDArray[np.float64], like: Array) -> Rig:
    """The rig of lights (..., L, 3) and of the three axes behind them."""
    axes = np.broadcast_to(np.eye(3), (*lights.shape[:-2], 3, 3))
    return Rig(np.concatenate([lights, axes], axis=-2), like)
