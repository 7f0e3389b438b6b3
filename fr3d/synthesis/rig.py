"""Where the flashes stand, and what they give."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError
from fr3d.geometry.lights import direction

FloatArray = npt.NDArray[np.float64]

RigName = Literal["photoface", "narrow", "ring", "random"]
# Zenith and azimuth of the two rigs that the Photoface database was taken with, degrees.
_KNOWN = {
    "photoface": ((36.0, 42.0, 40.0, 36.0), (134.0, 47.0, 313.0, 233.0)),
    "narrow": ((15.7, 17.9, 18.4, 20.0), (117.3, 50.3, 302.8, 229.3)),
}
JITTER = 1.5
RING_ZENITH = 40.0
NEAREST_ZENITH, FARTHEST_ZENITH = 12.0, 65.0
# Flashes no farther apart than this tell little more than one, degrees.
_APART = 15.0
# Angular radius of a flash head: 4 cm across at 90 cm, radians.
RADIUS = 0.022


@dataclass(frozen=True)
class Rig:
    """What rig photographs are taken with.

    Args:
        name: one of `RigName`: "ring" spreads the flashes evenly around the camera, "random" draws
            their places anew for each session.
        lights: how many flashes; the two rigs of Photoface have four.
        distance_mm: of the flashes from the face; None for distant ones.
        uneven: spread of the flashes' intensities, a share.
    """

    name: RigName = "photoface"
    lights: int = 4
    distance_mm: float | None = None
    uneven: float = 0.0

    def __post_init__(self) -> None:
        if self.lights < 3:
            raise UsageError(f"{self.lights} lights cannot show a normal", "give 3 or more")
        if self.name in _KNOWN and self.lights != 4:
            raise UsageError(
                f"rig '{self.name}' has four lights, not {self.lights}",
                "use --setup ring or random",
            )


@dataclass(frozen=True)
class Lights:
    """The flashes of one session.

    Args:
        zenith: (L,), angle from the camera axis, degrees, in tenths.
        azimuth: (L,), clockwise from up, degrees, in tenths.
        intensity: (L,), relative.
        distance_mm: of near flashes from the picture's centre at depth 0; None for distant ones.
    """

    zenith: FloatArray
    azimuth: FloatArray
    intensity: FloatArray
    distance_mm: float | None = None

    @property
    def directions(self) -> FloatArray:
        """Unit vectors towards the lights (L, 3): x right, y up, z towards the camera."""
        return direction(self.zenith, self.azimuth)


def sample_lights(rng: np.random.Generator, rig: Rig) -> Lights:
    """Draw the lights of a session: the rig's, moved a little.

    Angles are whole tenths of a degree, so that a light file holds them exactly.

    Args:
        rng: the session's generator.
        rig: which.
    """
    zenith, azimuth = _places(rng, rig)
    move = np.clip(rng.normal(0.0, JITTER, (2, rig.lights)), -2 * JITTER, 2 * JITTER)
    uneven = np.exp(rng.normal(0.0, 1.0, rig.lights) * rig.uneven)
    return Lights(
        np.round(zenith + move[0], 1),
        np.round(azimuth + move[1], 1) % 360.0,
        np.asarray(np.round(uneven, 4), dtype=np.float64),
        rig.distance_mm,
    )


def _places(rng: np.random.Generator, rig: Rig) -> tuple[FloatArray, FloatArray]:
    if rig.name in _KNOWN:
        zenith, azimuth = _KNOWN[rig.name]
        return np.array(zenith), np.array(azimuth)
    if rig.name == "ring":
        turn = (np.arange(rig.lights) + 0.5) * 360.0 / rig.lights
        return np.full(rig.lights, RING_ZENITH), turn
    return _scattered(rng, rig.lights)


def _scattered(rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
    """Places spread evenly over a cap of the sphere, apart from each other where that fits."""
    best, widest = np.zeros((2, count)), -1.0
    for _ in range(20):
        z = rng.uniform(
            np.cos(np.deg2rad(FARTHEST_ZENITH)), np.cos(np.deg2rad(NEAREST_ZENITH)), count
        )
        places = np.stack([np.rad2deg(np.arccos(z)), rng.uniform(0.0, 360.0, count)])
        towards = direction(*places)
        # Three that lie in one plane with the face span no space.
        conditioned = np.linalg.svd(towards, compute_uv=False)[-1]
        cosine = (towards @ towards.T)[np.triu_indices(count, 1)].max()
        apart = np.rad2deg(np.arccos(np.clip(cosine, -1, 1))) * min(1.0, conditioned / 0.4)
        if apart > widest:
            best, widest = places, float(apart)
        if widest > _APART:
            break
    return best[0], best[1]
