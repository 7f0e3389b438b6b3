"""How a head is turned, in Photoface's five classes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Turns out of the plane of each class, degrees: from frontal to half profile, with gaps between
# them, so that the class of a face is never a matter of a degree.
TURNS = {
    "1": (0.0, 5.0),
    "2": (10.0, 14.0),
    "3": (19.0, 24.0),
    "4": (29.0, 34.0),
    "5": (39.0, 45.0),
}
LIMITS = (7.5, 16.5, 26.5, 36.5)
# Of the turned heads, as often as Photoface has them, but the rare ones made less rare.
_TURNED = {"2": 0.5, "3": 0.25, "4": 0.13, "5": 0.12}
TURNED_SHARE = 0.16


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
        """The class, "1" (frontal) to "5" (half profile), from the turn out of the plane."""
        turn = np.hypot(self.yaw, self.pitch)
        return str(1 + int(np.searchsorted(LIMITS, turn)))

    def matrix(self) -> FloatArray:
        """The rotation (3, 3) of points in the frame x right, y up, z to the camera."""
        yaw, pitch, roll = np.deg2rad([self.yaw, self.pitch, self.roll])
        cos, sin = np.cos, np.sin
        turn = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
        nod = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
        tilt = np.array([[cos(roll), sin(roll), 0], [-sin(roll), cos(roll), 0], [0, 0, 1]])
        return tilt @ turn @ nod


def sample_pose(rng: np.random.Generator, turned: float | None = None) -> Pose:
    """Draw a head pose.

    Args:
        rng: the session's generator.
        turned: share of heads that are not frontal; None for Photoface's.
    """
    share = TURNED_SHARE if turned is None else turned
    kind = "1"
    if rng.random() < share:
        kind = str(rng.choice(list(_TURNED), p=list(_TURNED.values())))
    low, high = TURNS[kind]
    turn = float(rng.uniform(low, high))
    # Heads turn sideways more than they nod.
    lean = float(rng.uniform(0, 2 * np.pi)) if kind == "1" else float(rng.normal(0.0, 0.3))
    side = float(rng.choice([-1.0, 1.0]))
    yaw, pitch = side * turn * np.cos(lean), turn * np.sin(lean)
    return Pose(float(yaw), float(pitch), float(rng.normal(0.0, 2.5)))
