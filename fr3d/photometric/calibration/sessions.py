"""Many sessions of one rig become its lights: mean directions and pooled intensities."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fr3d.artifacts.rows import Reject
from fr3d.errors import Fr3dError, MalformedInputError
from fr3d.photometric.calibration.result import CalibratedLight
from fr3d.photometric.calibration.rig import (
    RigIntensities,
    SessionPixels,
    lit_pixels,
    pool_intensities,
)
from fr3d.photometric.capture import Capture
from fr3d.photometric.exposure import ReadOptions, read_exposure
from fr3d.photometric.face_prior import LandmarkFinder
from fr3d.photometric.light_estimate import LightEstimate, estimate_lights, pool_estimates
from fr3d.photometric.mask import lit_mask
from fr3d.photometric.transfer import Transfer

# More change nothing but the time: the error left is skin's gloss, not chance.
MOST_SESSIONS = 2000
# Flashes that stand still are known to a degree or two; more is another rig, or another order.
_MOST_APART_DEG = 15.0


@dataclass(frozen=True)
class RigCalibration:
    """What sessions say about their rig.

    Attributes:
        lights: with the mean direction of each flash.
        pooled: the figures behind them.
        rejected: sessions that could not be read, with reasons.
    """

    lights: tuple[CalibratedLight, ...]
    pooled: RigIntensities
    rejected: tuple[Reject, ...]


def spread_evenly(captures: Sequence[Capture], most: int = MOST_SESSIONS) -> list[Capture]:
    """Choose at most so many captures, evenly over all."""
    if len(captures) <= most:
        return list(captures)
    return [captures[i * len(captures) // most] for i in range(most)]


def rig_lights(
    captures: Iterable[Capture],
    transfer: Transfer,
    seed: int = 0,
    advance: Callable[[int], object] = lambda _: None,
) -> RigCalibration:
    """Pool the intensities of a rig's flashes over sessions.

    Args:
        captures: sessions of one rig, whose light files give directions.
        transfer: how stored values become light.
        seed: of the resampling behind `intensity_spread`.
        advance: called with the number of sessions done.
    """
    pixels, rejected = [], []
    for capture in captures:
        try:
            pixels.append(_pixels(capture, transfer))
        except Fr3dError as error:
            rejected.append(Reject(capture.subject_id, capture.session_id, error.message))
        advance(1)
    if not pixels:
        raise _nothing_left(rejected)
    pooled = pool_intensities(pixels, seed)
    apart = pooled.direction_spread_deg
    if apart.max() > _MOST_APART_DEG:
        raise MalformedInputError(
            f"light {int(apart.argmax())} stands elsewhere in each session, {apart.max():.0f} "
            f"degrees from its mean, expected at most {_MOST_APART_DEG:g}",
            "give sessions of one rig, their photographs in one order",
        )
    lights = tuple(
        CalibratedLight(
            direction,
            (float(intensity),),
            uncertainty_deg=float(apart),
            intensity_spread=float(spread),
            residual=pooled.residual,
        )
        for direction, intensity, apart, spread in zip(
            pooled.directions,
            pooled.intensity,
            pooled.direction_spread_deg,
            pooled.spread,
            strict=True,
        )
    )
    return RigCalibration(lights, pooled, tuple(rejected))


def estimated_lights(
    captures: Iterable[Capture],
    transfer: Transfer,
    find_landmarks: LandmarkFinder,
    advance: Callable[[int], object] = lambda _: None,
) -> tuple[tuple[CalibratedLight, ...], tuple[Reject, ...]]:
    """Pool the directions that faces show over the sessions of a rig whose lights are unknown.

    Args:
        captures: sessions of one rig, their photographs in one order.
        transfer: how stored values become light.
        find_landmarks: finds the face where a capture has no landmarks of its own.
        advance: called with the number of sessions done.

    Returns:
        The lights, of equal intensity, and the sessions that showed no face, with reasons.
    """
    estimates, rejected = [], []
    for capture in captures:
        try:
            estimates.append(_estimate(capture, transfer, find_landmarks))
        except Fr3dError as error:
            rejected.append(Reject(capture.subject_id, capture.session_id, error.message))
        advance(1)
    if not estimates:
        raise _nothing_left(rejected)
    pooled = pool_estimates(estimates)
    directions = zip(pooled.lights.directions, pooled.uncertainty_deg, strict=True)
    lights = tuple(CalibratedLight(d, uncertainty_deg=float(u)) for d, u in directions)
    return lights, tuple(rejected)


def _estimate(
    capture: Capture, transfer: Transfer, find_landmarks: LandmarkFinder
) -> LightEstimate:
    if capture.problem:
        raise MalformedInputError(capture.problem)
    exposure = read_exposure(capture, transfer, ReadOptions(estimate_lights=True))
    landmarks = exposure.landmarks
    if not np.isfinite(landmarks).all():
        found = find_landmarks(exposure.images.mean(axis=0, dtype=np.float32))
        if found is None:
            raise MalformedInputError("found no face")
        landmarks = found
    return estimate_lights(exposure.images, landmarks)


def _nothing_left(rejected: Sequence[Reject]) -> MalformedInputError:
    reason = f" (first: {rejected[0].reason})" if rejected else ""
    return MalformedInputError(f"no session could be used{reason}")


def _pixels(capture: Capture, transfer: Transfer) -> SessionPixels:
    if capture.problem:
        raise MalformedInputError(capture.problem)
    exposure = read_exposure(capture, transfer)
    mask = exposure.given_mask
    if mask is None:
        mask = lit_mask(exposure.images, exposure.noise)
    return lit_pixels(exposure.images, mask, exposure.lights.directions)
