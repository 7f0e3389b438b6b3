"""Directions and intensities from a matte ball, whose normals are known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.calibration.ball import Ball

FloatArray = npt.NDArray[np.float64]

SATURATED = 0.995
# Near the rim a pixel's normal is uncertain and its light grazes.
_LEAST_FACING = 0.2
# A pixel counts as lit by a light that stands at least this high over its surface.
_LEAST_COSINE = 0.1
_HUBER = 1.345
_ROUNDS = 12
_LEAST_PIXELS = 50
_MOST_RESIDUAL = 0.25


@dataclass(frozen=True)
class Shading:
    """A light as a matte ball shows it.

    Attributes:
        direction: (3,), unit vector to the light.
        intensity: times the ball's reflectance: brightness of a surface that faces the light.
        residual: root mean square misfit of the lit part, over the intensity.
        uncertainty_deg: standard error of the direction from differences between four quarters
            of the ball, since neighbouring pixels err alike; 0 for a direction that was given.
    """

    direction: FloatArray
    intensity: float
    residual: float
    uncertainty_deg: float


def fit_shading(
    image: npt.NDArray[np.float32],
    ball: Ball,
    where: str,
    direction: FloatArray | None = None,
) -> Shading:
    """Fit Lambert's law to one photograph of a matte ball: I = e max(0, n . l).

    The self-shadowed side is left out, judged by the fit itself; Huber weights bear stains,
    highlights and shadows of the stand.

    Args:
        image: (H, W), linear light, 1 = full scale.
        ball: its outline.
        where: name of the photograph, for messages.
        direction: (3,), when it is known; only the intensity is fitted then.

    Raises:
        MalformedInputError: too dark, or not shaded as a matte ball is.
    """
    normal, value = _samples(image, ball)
    scaled = _started(normal, value) if direction is None else direction * value.max(initial=0.0)
    weight = np.zeros(len(value))
    for _ in range(_ROUNDS):
        if not np.linalg.norm(scaled) > 0:
            break
        weight = _weights(normal, value, scaled)
        if np.count_nonzero(weight) < _LEAST_PIXELS:
            break
        scaled = _solved(normal, value, weight, direction)
    if np.count_nonzero(weight) < _LEAST_PIXELS:
        raise MalformedInputError(
            f"{where}: {np.count_nonzero(weight)} lit pixels on the ball, expected at least "
            f"{_LEAST_PIXELS}",
            "was the light on, and does it stand before the ball?",
        )
    intensity = float(np.linalg.norm(scaled))
    off = (value - normal @ scaled)[weight > 0]
    residual = float(np.sqrt(np.mean(np.square(off)))) / intensity
    if residual > _MOST_RESIDUAL:
        raise MalformedInputError(
            f"{where}: not shaded as a matte ball is (residual {residual:.2f}, expected at most "
            f"{_MOST_RESIDUAL:g})",
            "a mirror ball needs --ball chrome",
        )
    doubt = _doubt(normal, value, weight, scaled) if direction is None else 0.0
    return Shading(scaled / intensity, intensity, residual, doubt)


def _samples(image: npt.NDArray[np.float32], ball: Ball) -> tuple[FloatArray, FloatArray]:
    normal, _ = ball.surface(*image.shape)
    used = (normal[2] > _LEAST_FACING) & (image < SATURATED)
    return normal[:, used].T.astype(np.float64), image[used].astype(np.float64)


def _started(normal: FloatArray, value: FloatArray) -> FloatArray:
    """A first guess from the brighter half, which is lit in any case."""
    if len(value) < _LEAST_PIXELS or not value.max() > 0:
        return np.zeros(3)
    bright = value >= np.median(value)
    return np.asarray(np.linalg.lstsq(normal[bright], value[bright], rcond=None)[0])


def _weights(normal: FloatArray, value: FloatArray, scaled: FloatArray) -> FloatArray:
    """Huber's weights of lit pixels; zero in the ball's own shadow."""
    expected = normal @ scaled
    lit = (expected > _LEAST_COSINE * np.linalg.norm(scaled)) & (value > 0)
    off = np.abs(value - expected)
    scale = 1.4826 * float(np.median(off[lit])) if lit.any() else 0.0
    limit = max(_HUBER * scale, 1e-9)
    return np.asarray(np.where(lit, np.minimum(1.0, limit / np.maximum(off, limit)), 0.0))


def _solved(
    normal: FloatArray, value: FloatArray, weight: FloatArray, direction: FloatArray | None
) -> FloatArray:
    if direction is not None:
        cosine = normal @ direction
        weighted = weight * cosine
        return direction * float((weighted * value).sum() / (weighted * cosine).sum())
    root = np.sqrt(weight)[:, None]
    return np.asarray(np.linalg.lstsq(normal * root, value * root[:, 0], rcond=None)[0])


def _doubt(normal: FloatArray, value: FloatArray, weight: FloatArray, scaled: FloatArray) -> float:
    """Standard error in degrees: fit with each quarter of the ball left out (a jackknife)."""
    axis = scaled / np.linalg.norm(scaled)
    side = np.cross(axis, [0.0, 1.0, 0.0] if abs(axis[1]) < 0.9 else [1.0, 0.0, 0.0])
    quarter = 2 * (normal @ side > 0) + (normal @ np.cross(axis, side) > 0)
    square = 0.0
    for number in range(4):
        kept = weight * (quarter != number)
        if np.count_nonzero(kept) < _LEAST_PIXELS:
            continue
        other = _solved(normal, value, kept, None)
        cosine = float(other @ axis / max(float(np.linalg.norm(other)), 1e-12))
        square += float(np.arccos(np.clip(cosine, -1.0, 1.0))) ** 2
    return float(np.rad2deg(np.sqrt(0.75 * square)))
