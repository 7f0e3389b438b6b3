"""What a person's skin, lips, eyes and hair reflect: drawn once per person.

Colours are linear reflectances of red, green and blue light, 0..1. Places are those of the
undeformed base head (decimetres: x to the image's right, y up, z to the front), where each feature
of the face stays whoever the person is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# A grey camera weighs the colours as the eye does (ITU-R BT.709).
GREY = np.array([0.2126, 0.7152, 0.0722])
TONE = {
    "african": (0.170, 0.086, 0.053),
    "asian": (0.540, 0.345, 0.225),
    "caucasian": (0.620, 0.405, 0.300),
}
HAIR = {
    "african": (0.020, 0.016, 0.014),
    "asian": (0.022, 0.018, 0.016),
    "caucasian": (0.115, 0.070, 0.038),
}
IRIS = {
    "african": (0.055, 0.026, 0.012),
    "asian": (0.060, 0.030, 0.014),
    "caucasian": (0.140, 0.125, 0.105),
}
BLUE_IRIS = np.array([0.16, 0.22, 0.30])
GREY_HAIR = np.array([0.42, 0.40, 0.38])
# Lips let more blood show: their colour over that of the skin.
LIPS = np.array([0.86, 0.55, 0.58])
# Where blemishes may lie: the front of the face.
FACE_LOW, FACE_HIGH = np.array([-0.6, 6.3]), np.array([0.6, 8.0])
WAVES, BLEMISHES = 12, 10


@dataclass(frozen=True)
class Complexion:
    """Reflectances and places that belong to a person.

    Args:
        skin, lips, brow, hair, iris: (3,), linear reflectance of red, green and blue.
        shadow: darkening of the skin under the eyes, 0..1.
        flush: reddening of cheeks and nose, 0..1.
        gloss: strength of the skin's sheen; 1 is that of dry skin.
        brow_shape: (5,): lift, arch, thickness, inner end and outer end, dm.
        blemishes: (M, 4): x, y (dm), radius (dm) and depth 0..1 of moles and spots.
        freckles: strength of fine mottling, 0..1.
        waves: (W, 5): wave vector (1/dm), phase and weight of coarse mottling.
    """

    skin: FloatArray
    lips: FloatArray
    brow: FloatArray
    hair: FloatArray
    iris: FloatArray
    shadow: float
    flush: float
    gloss: float
    brow_shape: FloatArray
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
        age: years; hair greys with it.
        race: share of each, summing to one.
    """
    male = gender == "male"
    skin = _skin(rng, race)
    grey = np.clip((age - 46.0) / 30.0 + rng.normal(0.0, 0.2), 0.0, 1.0)
    pigment = _hair_pigment(rng, race)
    lips = skin * LIPS * np.array([1.0, *rng.uniform(0.85, 1.12, 2)])
    paler = float(rng.uniform(0.35, 1.0)) if male else 1.0
    return Complexion(
        skin=skin,
        lips=skin + (lips - skin) * paler,
        brow=np.clip(pigment * 1.15 + 0.06 * grey, 0.012, 0.3),
        hair=pigment * (1 - grey) + GREY_HAIR * grey,
        iris=_iris(rng, race),
        shadow=float(rng.uniform(0.0, 0.3)),
        flush=float(rng.uniform(0.0, 0.2)),
        gloss=float(np.exp(rng.normal(0.0, 0.35))),
        brow_shape=_brows(rng, male),
        blemishes=_blemishes(rng),
        freckles=float(rng.choice([0.015, 0.04, 0.1], p=[0.6, 0.28, 0.12])),
        waves=_waves(rng),
    )


def _skin(rng: np.random.Generator, race: Mapping[str, float]) -> FloatArray:
    """Mix tones, then darken or tan: pigment takes more of the blue than of the red."""
    tan = rng.normal(0.0, 0.16 + 0.14 * race["african"])
    tone = mix(TONE, race) * np.exp(-tan * np.array([0.75, 1.0, 1.25]))
    return np.clip(tone, [0.05, 0.028, 0.018], [0.72, 0.52, 0.42])


def _hair_pigment(rng: np.random.Generator, race: Mapping[str, float]) -> FloatArray:
    """Draw a hair colour: darker or fairer, and a little more or less red."""
    fair = np.exp(rng.normal(-0.35, 0.75) * race["caucasian"] + rng.normal(0.0, 0.2))
    red = np.exp(rng.normal(0.0, 0.12) * np.array([1.0, -0.3, -0.9]))
    return np.clip(mix(HAIR, race) * fair * red, 0.012, 0.42)


def _iris(rng: np.random.Generator, race: Mapping[str, float]) -> FloatArray:
    blue = float(rng.uniform(0.0, 1.0)) * race["caucasian"] ** 2
    colour = mix(IRIS, race) * (1 - blue) + BLUE_IRIS * blue
    return np.clip(colour * np.exp(rng.normal(0.0, 0.3)), 0.01, 0.4)


def _brows(rng: np.random.Generator, male: bool) -> FloatArray:
    thick = max(0.018, float(rng.normal(0.038 if male else 0.027, 0.008)))
    lift, arch = rng.normal(0.0, 0.028), rng.uniform(0.02, 0.07)
    return np.array([lift, arch, thick, rng.normal(0.105, 0.015), rng.normal(0.515, 0.02)])


def mix(table: Mapping[str, tuple[float, float, float]], race: Mapping[str, float]) -> FloatArray:
    """Mix colours on a logarithmic scale: the eye, and pigment, work that way."""
    logs = [share * np.log(table[name]) for name, share in race.items()]
    return np.asarray(np.exp(np.sum(logs, axis=0)))


def _blemishes(rng: np.random.Generator) -> FloatArray:
    count = int(rng.binomial(BLEMISHES, 0.45))
    place = rng.uniform(FACE_LOW, FACE_HIGH, (count, 2))
    radius, depth = rng.uniform(0.007, 0.02, (count, 1)), rng.uniform(0.1, 0.5, (count, 1))
    return np.concatenate([place, radius, depth], axis=1)


def _waves(rng: np.random.Generator) -> FloatArray:
    vectors = rng.normal(0.0, 1.0, (WAVES, 3)) * rng.uniform(2.0, 9.0, (WAVES, 1))
    phase = rng.uniform(0.0, 2 * np.pi, (WAVES, 1))
    weight = rng.normal(0.0, 0.07 / np.sqrt(WAVES / 2), (WAVES, 1))
    return np.concatenate([vectors, phase, weight], axis=1)
