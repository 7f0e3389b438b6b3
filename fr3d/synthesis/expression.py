"""What changes from session to session: expression and head pose, under Photoface's names."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Photoface's emotions and how often a session shows each.
EMOTIONS = {"blankstare": 0.7, "positive": 0.16, "emoOther": 0.08, "negative": 0.06}
UNITS: dict[str, list[dict[str, float]]] = {
    "positive": [
        {"mouth-corner-puller": 0.9, "eye-left-slit": 0.25, "eye-right-slit": 0.25},
        {"mouth-corner-puller": 0.7, "mouth-retraction": 0.3, "mouth-elevation": 0.1},
    ],
    "negative": [
        {"eyebrows-left-down": 0.8, "eyebrows-right-down": 0.8, "mouth-depression": 0.6},
        {"mouth-depression": 0.5, "nose-compression": 0.5, "eyebrows-left-inner-up": 0.5,
         "eyebrows-right-inner-up": 0.5},
    ],
    "emoOther": [
        {"eyebrows-left-up": 0.9, "eyebrows-right-up": 0.9, "eye-left-opened-up": 0.5,
         "eye-right-opened-up": 0.5, "mouth-open": 0.25},
        {"mouth-pursing": 0.7, "mouth-protusion": 0.4},
        {"eyebrows-left-up": 0.8, "mouth-compression": 0.6},
    ],
}  # fmt: skip
# Muscles that are never quite still.
RESTLESS = ("mouth-compression", "mouth-corner-puller", "eyebrows-left-up", "eyebrows-right-up")
# Photoface's pose classes 1 (frontal) to 5 (profile): the largest turn of each, degrees.
POSE_LIMITS = (10.0, 25.0, 45.0, 70.0)


@dataclass(frozen=True)
class Pose:
    """How the head is turned, degrees.

    Args:
        yaw: towards the image's right.
        pitch: downwards.
        roll: clockwise as the photograph shows it.
    """

    yaw: float
    pitch: float
    roll: float

    @property
    def photoface(self) -> str:
        """Photoface's class, "1" (frontal) to "5" (profile), from the turn out of the plane."""
        turn = np.hypot(self.yaw, self.pitch)
        return str(1 + int(np.searchsorted(POSE_LIMITS, turn)))

    def matrix(self) -> FloatArray:
        """The rotation (3, 3) of points in the frame x right, y up, z to the camera."""
        yaw, pitch, roll = np.deg2rad([self.yaw, self.pitch, self.roll])
        cos, sin = np.cos, np.sin
        turn = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
        nod = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
        tilt = np.array([[cos(roll), sin(roll), 0], [-sin(roll), cos(roll), 0], [0, 0, 1]])
        return tilt @ turn @ nod


def sample_emotion(rng: np.random.Generator) -> tuple[str, dict[str, float]]:
    """Draw an emotion and the weights of its action units."""
    name = str(rng.choice(list(EMOTIONS), p=list(EMOTIONS.values())))
    units = {unit: float(abs(rng.normal(0.0, 0.06))) for unit in RESTLESS}
    lids = float(rng.uniform(0.0, 0.12))
    units |= {"eye-left-closure": lids, "eye-right-closure": lids}
    if name in UNITS:
        chosen = UNITS[name][int(rng.integers(len(UNITS[name])))]
        for unit, weight in chosen.items():
            units[unit] = units.get(unit, 0.0) + weight * float(rng.uniform(0.5, 0.9))
    return name, units


def expression_weights(units: Mapping[str, float], race: Mapping[str, float]) -> dict[str, float]:
    """Spread the weights of action units over the targets made for each race.

    Args:
        units: weight by action unit.
        race: share of each race, summing to one.
    """
    return {
        f"expression/units/{name}/{unit}": share * weight
        for unit, weight in units.items()
        for name, share in race.items()
    }


def sample_pose(rng: np.random.Generator) -> Pose:
    """Draw a head pose: mostly frontal, one session in sixteen turned a little."""
    turned = rng.random() < 1 / 16
    yaw = rng.choice([-1.0, 1.0]) * rng.uniform(11, 16) if turned else rng.normal(0.0, 2.5)
    pitch, roll = rng.normal(0.0, 2.0), rng.normal(0.0, 2.0)
    return Pose(float(yaw), float(pitch), float(roll))
