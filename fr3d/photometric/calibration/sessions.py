"""Many sessions of one rig become its lights: mean directions and pooled intensities."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fr3d.artifacts.rows import Reject
from fr3d.errors import Fr3dError, MalformedInputError
from fr3d.photometric.calibration.folder import read
from fr3d.photometric.calibration.result import CalibratedLight
from fr3d.photometric.calibration.rig import (
    RigIntensities,
    SessionPixels,
    lit_pixels,
    pool_intensities,
)
from fr3d.photometric.capture import Capture
from fr3d.photometric.lights import check_lights, read_lights
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
        reason = f" (first: {rejected[0].reason})" if rejected else ""
        raise MalformedInputError(f"no session could be used{reason}")
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


def _pixels(capture: Capture, transfer: Transfer) -> SessionPixels:
    if capture.problem:
        raise MalformedInputError(capture.problem)
    if capture.lights is None:
        raise MalformedInputError("found no light file, intensities need directions")
    lights = read_lights(capture.lights)
    check_lights(lights, len(capture.images), capture.lights.name)
    photographs = [read(path).light(transfer) for path in capture.images]
    if any(p.shape != photographs[0].shape for p in photographs):
        raise MalformedInputError("the photographs differ in size")
    images = np.stack(photographs)
    return lit_pixels(images, lit_mask(images), lights.directions)
