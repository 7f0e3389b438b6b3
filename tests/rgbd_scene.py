"""A ball in front of a wall, as a depth camera measures it, with landmarks drawn where they are."""

from dataclasses import dataclass

import numpy as np

SHAPE = (150, 130)
BALL_MM = 80.0
AWAY_MM = 700.0
# mm a pixel, so that the eyes below stand 63 mm apart
SCALE = 63.0 / 42.0
LANDMARKS = np.array([[44, 60], [86, 60], [65, 80], [50, 100], [80, 100]], np.float64)
MIDDLE = (65.0, 80.0)


@dataclass(frozen=True)
class Scene:
    """What is true: distance in mm, where the ball is, and its normals."""

    distance: np.ndarray
    ball: np.ndarray
    normal: np.ndarray


def scene() -> Scene:
    """Orthographic, the ball's front at 700 mm, the wall 600 mm behind it."""
    rows, columns = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    x, y = (columns - MIDDLE[0]) * SCALE, (MIDDLE[1] - rows) * SCALE
    ball = np.hypot(x, y) < 0.9 * BALL_MM
    z = np.sqrt(np.maximum(BALL_MM**2 - x**2 - y**2, 0))
    distance = np.where(ball, AWAY_MM + BALL_MM - z, AWAY_MM + 600.0)
    normal = np.stack([x, y, z], axis=-1) / BALL_MM
    return Scene(distance, ball, normal)


def colour() -> np.ndarray:
    """A picture (H, W, 3) whose red grows to the right and green down."""
    rows, columns = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    return np.stack([columns, rows, np.full(SHAPE, 99)], axis=-1).astype(np.uint8)
