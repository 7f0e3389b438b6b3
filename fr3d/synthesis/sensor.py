"""The camera: exposure, ambient light, vignetting, noise, bits and tone curve."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError
from fr3d.photometric.solvers.arrays import Array, namespace

FloatArray = npt.NDArray[np.float64]

# Grey value, of 255, of a white surface that faces a flash.
EXPOSURE = 430.0
ELECTRONS_PER_GREY = 140.0
READ_NOISE = 0.45


@dataclass(frozen=True)
class Sensor:
    """How light becomes numbers.

    Args:
        bits: 8 or 16 of each value.
        gamma: of the tone curve; 1 is linear.
        colour: red, green and blue instead of grey.
        ambient: the most that light without a flash adds, as a share of a flash's.
        vignetting: the most by which the corners are darker, a share.
        noise: factor of shot and read noise; 0 is none.
    """

    bits: int = 8
    gamma: float = 1.0
    colour: bool = False
    ambient: float = 0.02
    vignetting: float = 0.08
    noise: float = 1.0

    def __post_init__(self) -> None:
        if self.bits not in (8, 16):
            raise UsageError(f"photographs have 8 or 16 bits, not {self.bits}")
        if not 0.4 <= self.gamma <= 4.0:
            raise UsageError(f"gamma {self.gamma:g} is no tone curve", "give 1 for linear, or 2.2")

    @property
    def kind(self) -> type[np.uint8] | type[np.uint16]:
        """The type of a value."""
        return np.uint8 if self.bits == 8 else np.uint16


@dataclass(frozen=True)
class Exposure:
    """What changes from session to session.

    Args:
        gain: of all values, about 1.
        ambient: light without a flash, as a share of a flash's.
        vignetting: by which the corners are darker, a share.
        background: light from what stands behind the head.
    """

    gain: float
    ambient: float
    vignetting: float
    background: float


def sample_exposure(rng: np.random.Generator, sensor: Sensor, room: bool = False) -> Exposure:
    """Draw the exposure of a session.

    Args:
        rng: the session's generator.
        sensor: the camera.
        room: whether something stands behind the head that the light reaches.
    """
    return Exposure(
        gain=float(np.exp(rng.normal(0.0, 0.04))),
        ambient=float(rng.uniform(0.0, sensor.ambient)),
        vignetting=float(rng.uniform(0.0, sensor.vignetting)),
        background=float(rng.uniform(0.02, 0.35) if room else rng.uniform(0.0, 0.003)),
    )


def falloff(size: tuple[int, int]) -> FloatArray:
    """The square of the distance from the picture's centre (H, W), 1 in the corners."""
    rows, columns = (np.linspace(-1, 1, side) for side in size)
    return (np.square(rows)[:, None] + np.square(columns)[None]) / 2


def develop(light: Array, noise: Array, sensor: Sensor, gain: Any) -> Array:
    """Turn light into stored values: linear response, noise, tone curve, whole numbers.

    Args:
        light: radiance; 1 is a white surface that faces a flash.
        noise: standard normal numbers of the same shape.
        sensor: which.
        gain: factor that broadcasts.

    Returns:
        Whole numbers 0 .. 2^bits - 1, still as real numbers.
    """
    xp = namespace(light)
    grey = gain * EXPOSURE * light
    spread = xp.sqrt(xp.clip(grey, 0.0, None) / ELECTRONS_PER_GREY + READ_NOISE**2)
    share = xp.clip((grey + sensor.noise * spread * noise) / 255.0, 0.0, 1.0)
    if sensor.gamma != 1.0:
        share = share ** (1.0 / sensor.gamma)
    return xp.round(share * (2**sensor.bits - 1))
