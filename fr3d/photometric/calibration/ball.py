"""The ball of a calibration: its outline in a photograph, and the normals of its surface."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_TRIES = 400
# How far from the circle, as a share of its radius, an outline point may lie; and how much of the
# circle must be seen, and of its disc be filled.
_NEAR, _LEAST_ARC, _LEAST_FILL = 0.03, 0.5, 0.9
_LEAST_RADIUS = 8.0
_SECTORS = 72
_MASK_HINT = "give a picture that is white on the ball and black elsewhere with --mask"
_DARK_HINT = f"{_MASK_HINT}; a dark ball on dark ground is not found without"


@dataclass(frozen=True)
class Ball:
    """The outline of a ball under parallel projection.

    Attributes:
        x: column of the centre, pixels.
        y: row of the centre.
        radius: pixels.
    """

    x: float
    y: float
    radius: float

    def surface(self, height: int, width: int) -> tuple[npt.NDArray[np.float32], Mask]:
        """Normals (3, H, W), x right, y up, z to the camera, zero off the ball; and the ball."""
        rows, columns = np.mgrid[:height, :width]
        x, y = (columns - self.x) / self.radius, (self.y - rows) / self.radius
        off = 1.0 - np.square(x) - np.square(y)
        inside = off > 0
        normal = np.stack([x, y, np.sqrt(np.maximum(off, 0.0))]) * inside
        return normal.astype(np.float32), inside


def ball_of_mask(mask: Mask, where: str) -> Ball:
    """Fit the ball to a mask of it.

    Args:
        mask: (H, W), true on the ball; parts of it may be missing.
        where: name of the mask, for messages.
    """
    ball = _fit(mask)
    if ball is None:
        raise MalformedInputError(
            f"{where}: no disc, expected a ball's outline, at least half of it", _MASK_HINT
        )
    return ball


def find_ball(image: npt.NDArray[np.float32], where: str) -> Ball:
    """Find the ball as the one round thing that is brighter than what surrounds it.

    Args:
        image: (H, W), linear light; each pixel's brightest over the photographs does well.
        where: name of the folder, for messages.
    """
    brightest = np.sqrt(image)
    top = float(np.percentile(brightest, 99.5))
    smooth = cv2.GaussianBlur(np.clip(brightest / max(top, 1e-9), 0, 1), (0, 0), 1.5)
    levels = np.rint(255 * smooth).astype(np.uint8)
    threshold = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0]
    # A ball before a lighter wall is the other side of the threshold; a dim one lies below it.
    for bright in (levels > threshold, levels > threshold / 2, levels <= threshold):
        ball = _fit(bright)
        if ball is not None:
            return ball
    raise MalformedInputError(f"{where}: found no ball in the photographs", _DARK_HINT)


def _fit(mask: Mask) -> Ball | None:
    """Fit a circle to the outline of the largest blob; None when it is not round."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    largest = max(outlines, key=cv2.contourArea)[:, 0].astype(np.float64)
    height, width = mask.shape
    inner = (largest > 0).all(axis=1) & (largest < [width - 1, height - 1]).all(axis=1)
    points = largest[inner]
    if len(points) < 3 * _LEAST_RADIUS:
        return None
    circle = _refined(points, _best_of_triples(points))
    near = np.abs(_off(points, circle)) < _NEAR * circle[2]
    angle = np.arctan2(*(points[near] - circle[:2]).T)
    sectors = np.unique(np.floor((angle + np.pi) / (2 * np.pi) * _SECTORS).astype(int))
    if circle[2] < _LEAST_RADIUS or len(sectors) < _LEAST_ARC * _SECTORS:
        return None
    # The outline runs through the centres of the outermost pixels: half a pixel inside the edge.
    ball = Ball(float(circle[0]), float(circle[1]), float(circle[2] + 0.5))
    filled = cv2.drawContours(np.zeros(mask.shape, np.uint8), [largest.astype(int)], -1, 1, -1)
    return ball if filled[ball.surface(*mask.shape)[1]].mean() > _LEAST_FILL else None


def _best_of_triples(points: FloatArray) -> FloatArray:
    """The circle through three points of the outline that most others lie on.

    Reference:
        Fischler and Bolles 1981, Random sample consensus; with a fixed seed.
    """
    rng = np.random.default_rng(0)
    best, most = np.array([0.0, 0.0, np.inf]), -1
    for _ in range(_TRIES):
        circle = _circle(points[rng.choice(len(points), 3, replace=False)])
        if circle is None or circle[2] > np.ptp(points, axis=0).max():
            continue
        count = int((np.abs(_off(points, circle)) < _NEAR * circle[2]).sum())
        if count > most:
            best, most = circle, count
    return best


def _refined(points: FloatArray, circle: FloatArray) -> FloatArray:
    """Fit to the points near a circle, a few times over."""
    for share in (2 * _NEAR, _NEAR, _NEAR, _NEAR / 2, _NEAR / 2):
        near = points[np.abs(_off(points, circle)) < max(share * circle[2], 1.0)]
        fitted = _circle(near) if len(near) >= 3 else None
        circle = circle if fitted is None else fitted
    return circle


def _circle(points: FloatArray) -> FloatArray | None:
    """Least-squares circle (x, y, radius): x^2 + y^2 = 2 a x + 2 b y + c.

    Reference:
        Kasa 1976, A circle fitting procedure and its error analysis.
    """
    middle = points.mean(axis=0)
    p = points - middle
    rows = np.column_stack([2 * p, np.ones(len(p))])
    if np.linalg.matrix_rank(rows) < 3:
        return None
    a, b, c = np.linalg.lstsq(rows, np.square(p).sum(axis=1), rcond=None)[0]
    return np.array([a + middle[0], b + middle[1], np.sqrt(max(c + a * a + b * b, 0.0))])


def _off(points: FloatArray, circle: FloatArray) -> npt.NDArray[Any]:
    return np.hypot(*(points - circle[:2]).T) - circle[2]
