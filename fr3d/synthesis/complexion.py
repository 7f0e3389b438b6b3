"""What a person's skin, hair and eyes reflect: drawn once per person, painted on any view of it.

Painting happens in the frame of the undeformed base head (decimetres: x to the image's right, y
up, z to the front), where each feature of the face has its fixed place.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

TONE = {"african": 0.17, "asian": 0.45, "caucasian": 0.52}
HAIR = {"african": 0.03, "asian": 0.035, "caucasian": 0.11}
IRIS = {"african": 0.04, "asian": 0.05, "caucasian": 0.16}
# Where blemishes may lie: the front of the face.
FACE_LOW, FACE_HIGH = np.array([-0.6, 6.3]), np.array([0.6, 8.0])
WAVES = 20


@dataclass(frozen=True)
class Complexion:
    """Linear reflectances and places that belong to a person.

    Args:
        skin, lips, brow, hair, iris: reflectance, 0..1.
        shadow: darkening of the skin under the eyes, 0..1.
        flush: darkening of cheeks and nose, 0..1.
        brow_shape: height (dm), arch (dm), thickness (dm), inner end (dm), outer end (dm).
        hairline: shift of the hairline upwards (dm) and recession at the temples (dm).
        blemishes: (M, 4): x, y (dm), radius (dm) and depth 0..1 of moles and spots.
        freckles: strength of fine mottling, 0..1.
        waves: (W, 5): wave vector (1/dm), phase and weight of coarse mottling.
    """

    skin: float
    lips: float
    brow: float
    hair: float
    iris: float
    shadow: float
    flush: float
    brow_shape: tuple[float, float, float, float, float]
    hairline: tuple[float, float]
    blemishes: FloatArray
    freckles: float
    waves: FloatArray


def sample_complexion(
    rng: np.random.Generator, gender: str, age: float, race: Mapping[str, float]
) -> Complexion:
    """Draw the reflectances of a person.

    Args:
        rng: the person's own generator.
        gender: "male" or "female".
        age: years; hair greys and recedes with it.
        race: share of each, summing to one.
    """
    male = gender == "male"
    skin = _mix(TONE, race) * np.exp(rng.normal(0.0, 0.15))
    hair = _mix(HAIR, race) * np.exp(rng.normal(0.0, 0.5))
    grey = np.clip((age - 40.0) / 30.0 + rng.normal(0.0, 0.2), 0.0, 1.0)
    brow = hair * 1.3 + 0.05 * grey
    lift = rng.normal(0.0, 0.028)
    ends = 0.105 + rng.normal(0.0, 0.015), 0.515 + rng.normal(0.0, 0.02)
    thick = max(0.016, rng.normal(0.036 if male else 0.026, 0.008))
    receding = max(0.0, rng.normal(0.12 if male else 0.0, 0.12) + 0.003 * (age - 30) * male)
    return Complexion(
        skin=float(np.clip(skin, 0.08, 0.54)),
        lips=float(rng.uniform(0.5, 0.85)),
        brow=float(np.clip(brow, 0.02, 0.3)),
        hair=float(np.clip(hair * (1 - grey) + 0.35 * grey, 0.015, 0.45)),
        iris=float(np.clip(_mix(IRIS, race) * np.exp(rng.normal(0.0, 0.5)), 0.02, 0.35)),
        shadow=float(rng.uniform(0.0, 0.3)),
        flush=float(rng.uniform(0.0, 0.15)),
        brow_shape=(
            float(lift),
            float(rng.uniform(0.02, 0.07)),
            float(thick),
            float(ends[0]),
            float(ends[1]),
        ),
        hairline=(float(rng.normal(0.0, 0.06)), float(receding)),
        blemishes=_blemishes(rng),
        freckles=float(rng.choice([0.02, 0.05, 0.12], p=[0.5, 0.3, 0.2])),
        waves=_waves(rng),
    )


def _mix(table: Mapping[str, float], race: Mapping[str, float]) -> float:
    """Mix on a logarithmic scale: the eye, and pigment, work that way."""
    return float(np.exp(sum(share * np.log(table[name]) for name, share in race.items())))


def _blemishes(rng: np.random.Generator) -> FloatArray:
    count = int(rng.integers(3, 10))
    place = rng.uniform(FACE_LOW, FACE_HIGH, (count, 2))
    radius = rng.uniform(0.008, 0.022, (count, 1))
    depth = rng.uniform(0.1, 0.5, (count, 1))
    return np.concatenate([place, radius, depth], axis=1)


def _waves(rng: np.random.Generator) -> FloatArray:
    vectors = rng.normal(0.0, 1.0, (WAVES, 3)) * rng.uniform(2.0, 9.0, (WAVES, 1))
    phase = rng.uniform(0.0, 2 * np.pi, (WAVES, 1))
    weight = rng.normal(0.0, 0.09 / np.sqrt(WAVES / 2), (WAVES, 1))
    return np.concatenate([vectors, phase, weight], axis=1)
