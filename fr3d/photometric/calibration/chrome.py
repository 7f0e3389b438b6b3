"""Light directions from the highlights on a mirror ball."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.calibration.ball import Ball

FloatArray = npt.NDArray[np.float64]

_VIEW = np.array([0.0, 0.0, 1.0])
# Shares of the brightest value that bound a highlight: the first whose blob has enough pixels.
_SHARES, _ENOUGH = (0.95, 0.7, 0.4), 12
# A highlight is bright, and small against the ball; a matte ball has neither.
_LEAST_LEVEL, _LEAST_CONTRAST, _MOST_AREA = 0.1, 2.0, 0.1


@dataclass(frozen=True)
class Highlight:
    """A light as a mirror ball shows it.

    Attributes:
        direction: (3,), unit vector to the light.
        x: column of the highlight's centroid, pixels.
        y: row of it.
        rim: distance from the ball's centre over its radius, 0 to 1.
        uncertainty_deg: how far the direction turns when the centroid moves by half a pixel.
    """

    direction: FloatArray
    x: float
    y: float
    rim: float
    uncertainty_deg: float


def find_highlight(image: npt.NDArray[np.float32], ball: Ball, where: str) -> Highlight:
    """Find the light of one photograph of a mirror ball.

    Args:
        image: (H, W), brightness, 1 = full scale.
        ball: its outline.
        where: name of the photograph, for messages.

    Raises:
        MalformedInputError: there is no highlight on the ball.
    """
    _, inside = ball.surface(*image.shape)
    on_ball = np.where(inside, image, 0.0)
    brightest = float(on_ball.max())
    level = float(np.median(image[inside])) if inside.any() else 1.0
    if brightest < _LEAST_LEVEL or brightest < _LEAST_CONTRAST * level:
        raise MalformedInputError(
            f"{where}: no highlight on the ball (brightest {brightest:.3f}, middle {level:.3f} of "
            "full scale)",
            "is it a mirror ball, and was the light on? a matte one needs --ball diffuse",
        )
    x, y, area = _centroid((on_ball / brightest).astype(np.float32))
    if area > _MOST_AREA * inside.sum():
        raise MalformedInputError(
            f"{where}: the highlight covers {area / inside.sum():.0%} of the ball, expected a spot",
            "a matte ball needs --ball diffuse",
        )
    return _reflected(x, y, ball, where)


def mirror(normal: FloatArray) -> FloatArray:
    """Direction to a light that a mirror with this normal shows the camera.

    The light lies as far beyond the normal as the camera lies before it; it is not the normal.

    Args:
        normal: (..., 3) unit vectors.

    >>> mirror(np.array([0.6, 0.0, 0.8])).round(2).tolist()
    [0.96, 0.0, 0.28]
    """
    return 2.0 * (normal @ _VIEW)[..., None] * normal - _VIEW


def _reflected(x: float, y: float, ball: Ball, where: str) -> Highlight:
    across, up = (x - ball.x) / ball.radius, (ball.y - y) / ball.radius
    rim = float(np.hypot(across, up))
    if rim >= 1.0:
        raise MalformedInputError(
            f"{where}: the highlight lies off the ball", "does --mask fit these photographs?"
        )
    normal = np.array([across, up, np.sqrt(1.0 - rim * rim)])
    # The normal turns by d(asin rim) and the light by twice that.
    uncertainty = np.rad2deg(2.0 * 0.5 / ball.radius / normal[2])
    return Highlight(mirror(normal), x, y, rim, float(uncertainty))


def _centroid(relative: npt.NDArray[np.float32]) -> tuple[float, float, int]:
    """Centroid (x, y) of the largest bright blob, each pixel by how far it stands out; its area.

    The brightest pixels are a flat disc where a light saturates the camera. Small lights leave a
    peak of a few pixels, whose flanks tell its place better than its top.
    """
    blob, least = relative >= 1, 1.0
    for least in _SHARES:
        blob = _largest_blob(relative >= least)
        if blob.sum() >= _ENOUGH:
            break
    rows, columns = np.nonzero(blob)
    weight = relative[rows, columns].astype(np.float64) - 0.9 * least
    total = weight.sum()
    x, y = (weight * columns).sum() / total, (weight * rows).sum() / total
    return float(x), float(y), len(rows)


def _largest_blob(bright: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=8)
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))
