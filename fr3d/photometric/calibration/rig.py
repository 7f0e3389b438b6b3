"""Intensities of a rig's flashes, from what many sessions say together.

One session cannot tell them: shadows and gloss pull its estimate further than flashes differ. Over
many people these pulls average out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.normals import unit

FloatArray = npt.NDArray[np.float64]

LEAST_SESSIONS = 10
# A pixel is taken when its darkest flash still has this share of its brightest: no shadow there.
_LEAST_SHARE, _SATURATED, _DARK = 0.3, 0.98, 0.02
_PIXELS, _LEAST_PIXELS = 4000, 200
_ROUNDS, _CAUCHY = 8, 0.02
_RESAMPLES = 400


@dataclass(frozen=True)
class SessionPixels:
    """What one session contributes.

    Attributes:
        values: (P, L), linear light of pixels that every flash reaches.
        directions: (L, 3), unit vectors to the lights.
    """

    values: FloatArray
    directions: FloatArray


@dataclass(frozen=True)
class RigIntensities:
    """Relative intensities of a rig's flashes.

    Attributes:
        intensity: (L,), geometric mean 1.
        spread: (L,), standard error of its logarithm, from sessions drawn anew.
        directions: (L, 3), mean over the sessions.
        direction_spread_deg: (L,), root mean square angle of sessions' directions to it.
        residual: root mean square inconsistency of a pixel, share of its brightness.
        sessions: how many had pixels to use.
    """

    intensity: FloatArray
    spread: FloatArray
    directions: FloatArray
    direction_spread_deg: FloatArray
    residual: float
    sessions: int


def lit_pixels(
    images: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], directions: FloatArray
) -> SessionPixels:
    """Choose a session's pixels that no shadow and no saturation touches.

    Args:
        images: (L, H, W), linear light, 1 = full scale.
        mask: (H, W), the face.
        directions: (L, 3), unit vectors to the lights.
    """
    most, least = images.max(axis=0), images.min(axis=0)
    clear = mask & (most < _SATURATED) & (most > _DARK) & (least > _LEAST_SHARE * most)
    values = images[:, clear].T.astype(np.float64)
    step = max(1, len(values) // _PIXELS)
    return SessionPixels(values[::step], np.asarray(directions, dtype=np.float64))


def pool_intensities(sessions: Sequence[SessionPixels], seed: int = 0) -> RigIntensities:
    """Estimate relative intensities from the consistency of unshadowed pixels.

    With P the projection onto what no normal can explain under the lights' directions, a Lambertian
    pixel obeys P diag(I) u = 0 for u = 1 / e. All pixels of all sessions together give u as the
    direction of least squared misfit, refined by Cauchy weights.

    Args:
        sessions: pixels of at least `LEAST_SESSIONS` sessions, four lights or more.
        seed: of the resampling behind `spread`.

    Raises:
        MalformedInputError: too few lights or sessions, or sessions that do not fit together.

    Reference:
        Barsky and Petrou 2003, The 4-source photometric stereo technique, sec. 3 (the linear
        dependence of four lights), here solved for the intensities.
    """
    lights = {len(s.directions) for s in sessions}
    if len(lights) != 1:
        raise MalformedInputError(f"sessions with {sorted(lights)} lights, expected one number")
    if lights.pop() < 4:
        raise MalformedInputError(
            "three lights leave no redundancy to tell intensities from",
            "photograph a matte ball and use --ball diffuse",
        )
    used = [s for s in sessions if len(s.values) >= _LEAST_PIXELS]
    if len(used) < LEAST_SESSIONS:
        raise MalformedInputError(
            f"{len(used)} sessions with pixels that all flashes reach, expected at least "
            f"{LEAST_SESSIONS}: fewer give worse intensities than none",
            "add sessions, or photograph a matte ball and use --ball diffuse",
        )
    inverse, moments, residual = _consistent(used)
    mean = unit(np.sum([s.directions for s in used], axis=0))
    cosine = np.clip([(s.directions * mean).sum(axis=1) for s in used], -1.0, 1.0)
    apart = np.rad2deg(np.sqrt(np.square(np.arccos(cosine)).mean(axis=0)))
    intensity = _intensity(inverse)
    return RigIntensities(intensity, _resampled(moments, seed), mean, apart, residual, len(used))


def _consistent(sessions: Sequence[SessionPixels]) -> tuple[FloatArray, FloatArray, float]:
    """1 / e, each session's moments (S, L, L) at the end, and the root mean square residual."""
    projections = [_unexplained(s.directions) for s in sessions]
    inverse = np.ones(len(sessions[0].directions))
    moments = np.zeros((len(sessions), len(inverse), len(inverse)))
    square = 0.0
    for round_ in range(_ROUNDS):
        square = 0.0
        for number, (session, projection) in enumerate(zip(sessions, projections, strict=True)):
            # Relative brightness: bright skin must not count for more than dark skin.
            share = session.values / np.linalg.norm(session.values * inverse, axis=1)[:, None]
            off = np.square((share * inverse) @ projection).sum(axis=1)
            weight = 1.0 / (1.0 + off / _CAUCHY**2) if round_ else np.ones(len(off))
            moments[number] = projection * ((share * weight[:, None]).T @ share) / weight.sum()
            square += float((weight * off).sum() / weight.sum()) / len(sessions)
        inverse = _least(moments.mean(axis=0))
    return inverse, moments, float(np.sqrt(square))


def _unexplained(directions: FloatArray) -> FloatArray:
    return np.eye(len(directions)) - directions @ np.linalg.pinv(directions)


def _least(moments: FloatArray) -> FloatArray:
    """The positive vector of least misfit, geometric mean 1."""
    vector = np.linalg.eigh(moments)[1][:, 0]
    vector = vector * np.sign(vector.sum())
    if (vector <= 0.05 * vector.max()).any():
        raise MalformedInputError(
            "the sessions do not agree on any intensities",
            "do the light directions belong to these photographs, in this order?",
        )
    return np.asarray(vector / np.exp(np.log(vector).mean()))


def _intensity(inverse: FloatArray) -> FloatArray:
    return np.asarray(1.0 / inverse)


def _resampled(moments: FloatArray, seed: int) -> FloatArray:
    """Standard error of the logarithms: estimate from sessions drawn with replacement."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(_RESAMPLES):
        chosen = rng.integers(0, len(moments), len(moments))
        vector = np.abs(np.linalg.eigh(moments[chosen].mean(axis=0))[1][:, 0])
        logarithm = np.log(np.maximum(vector, 1e-9))
        drawn.append(logarithm - logarithm.mean())
    return np.asarray(np.std(drawn, axis=0))
