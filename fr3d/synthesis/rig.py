"""The rig: four flashes around the camera, and a sensor with noise and eight bits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.geometry.lights import direction

FloatArray = npt.NDArray[np.float64]

# Zenith and azimuth of Photoface's four flashes, degrees.
ZENITH = (36.0, 42.0, 40.0, 36.0)
AZIMUTH = (134.0, 47.0, 313.0, 233.0)
JITTER = 1.5
# Grey value of a white surface that faces a light.
EXPOSURE = 430.0
ELECTRONS_PER_GREY = 140.0
READ_NOISE = 0.45


@dataclass(frozen=True)
class Lights:
    """Distant lights of one session.

    Args:
        zenith: (L,), angle from the camera axis, degrees, in tenths.
        azimuth: (L,), clockwise from up, degrees, in tenths.
    """

    zenith: FloatArray
    azimuth: FloatArray

    @property
    def directions(self) -> FloatArray:
        """Unit vectors towards the lights (L, 3): x right, y up, z towards the camera."""
        return direction(self.zenith, self.azimuth)


def sample_lights(rng: np.random.Generator) -> Lights:
    """Draw the lights of a session: the rig's, moved a little.

    Angles are whole tenths of a degree, so that the light file holds them exactly.
    """
    move = np.clip(rng.normal(0.0, JITTER, (2, 4)), -2 * JITTER, 2 * JITTER)
    return Lights(np.round(ZENITH + move[0], 1), np.round(AZIMUTH + move[1], 1))


def expose(radiance: FloatArray, rng: np.random.Generator, gain: float) -> npt.NDArray[np.uint8]:
    """Photograph radiance: linear response, shot and read noise, eight bits.

    Args:
        radiance: (..., H, W), reflectance times light; 1 is a white surface facing a light.
        rng: for the noise.
        gain: of this session's exposure, about 1.
    """
    grey = gain * EXPOSURE * radiance
    spread = np.sqrt(grey / ELECTRONS_PER_GREY + READ_NOISE**2)
    noisy = grey + spread * rng.standard_normal(grey.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
