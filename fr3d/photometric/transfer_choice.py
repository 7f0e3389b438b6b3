"""Which transfer function a run's photographs were stored with, by how well they are re-rendered.

Photographs of a matt surface in linear light obey I = L g at each pixel: with more than three
lights something is left over that noise alone may explain. What is left is measured in stored
values, where all candidates explain the same data, since in linear light a flattening candidate
would look better for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.errors import Fr3dError
from fr3d.photometric.capture import Capture
from fr3d.photometric.exposure import (
    AS_STORED,
    Exposure,
    ReadOptions,
    read_exposure,
    read_texts,
)
from fr3d.photometric.light_files.model import Lights
from fr3d.photometric.photograph import SATURATED
from fr3d.photometric.transfer import LINEAR, Transfer

FloatArray = npt.NDArray[np.float64]

CANDIDATES = (LINEAR, Transfer("srgb"), Transfer("gamma:2.2"))
_SESSIONS = 48
_PHOTOGRAPHS = 4 * _SESSIONS
_MOST_LIGHTS = 8
_LEAST_HEIGHT = 0.5  # z of the lights: beyond 60 degrees little of a face is lit by all
_LEAST_RATIO = 0.25  # of a pixel's darkest to its brightest stored value; less is shadow
_LEAST_LEVEL = 0.2  # of the picture's bright parts
_MOST_PIXELS = 4000
_LEAST_PIXELS = 200
_LEAST_GAIN = 1.05
_LEAST_SIGMAS = 1.645  # one-sided 95 %
# Gloss and light between surfaces favour either candidate: single objects of the University of
# Washington set, all linear, spread by this in the logarithm.
_SPREAD = 0.12


@dataclass(frozen=True)
class TransferChoice:
    """What was chosen, and why.

    Attributes:
        transfer: the choice; linear where the photographs cannot tell.
        errors: re-rendering error of each candidate by name, relative to the stored values, mean
            of the sessions; empty when there was nothing to measure.
        sessions: how many were measured.
        decided: whether the photographs told.
        reason: one clause for people.
    """

    transfer: Transfer
    errors: dict[str, float]
    sessions: int
    decided: bool
    reason: str

    @property
    def notes(self) -> dict[str, object]:
        """As history records it."""
        rounded = {name: float(f"{value:.4g}") for name, value in self.errors.items()}
        return {"decided": self.decided, "errors": rounded, "sessions": self.sessions}


def choose_transfer(
    captures: Sequence[Capture], options: ReadOptions = AS_STORED, sessions: int = _SESSIONS
) -> TransferChoice:
    """Choose the transfer function of a whole run from a few of its sessions.

    The sample is spread evenly over the list, so that it depends on nothing but the list.

    Args:
        captures: all of the run, in its order.
        options: how photographs are read.
        sessions: how many to measure at most; fewer where each holds many photographs.
    """
    usable = [c for c in captures if not c.problem and len(c.images) >= 4]
    count = min(sessions, len(usable), _affordable(usable))
    picks = [usable[(2 * i + 1) * len(usable) // (2 * count)] for i in range(count)]
    found = [e for e in (_session_errors(c, options) for c in picks) if e is not None]
    if not found:
        reason = "no session has four lights and enough of a face that all of them reach"
        return TransferChoice(LINEAR, {}, 0, False, reason)
    return _decide(np.array(found))


def _affordable(usable: Sequence[Capture]) -> int:
    """Fewer sessions where they hold many photographs: these tell more."""
    return max(4, _PHOTOGRAPHS // max((len(c.images) for c in usable), default=4))


def _decide(errors: FloatArray) -> TransferChoice:
    """Weigh errors (sessions, candidates)."""
    means = np.exp(np.log(errors).mean(axis=0))
    named = {c.name: float(m) for c, m in zip(CANDIDATES, means, strict=True)}
    best = int(np.argmin(means))
    other = 0 if best else 1 + int(np.argmin(means[1:]))
    gain = np.log(errors[:, other] / errors[:, best])
    spread = max(_SPREAD, gain.std(ddof=1) if len(gain) > 1 else 0.0)
    doubt = _LEAST_SIGMAS * spread / np.sqrt(len(gain))
    clear = bool(gain.mean() - doubt > np.log(_LEAST_GAIN))
    pair = f"{CANDIDATES[best].name} {means[best]:.2%} against {CANDIDATES[other].name} "
    pair += f"{means[other]:.2%}"
    if clear:
        reason = f"re-rendering error over {len(errors)} sessions: {pair}"
        return TransferChoice(CANDIDATES[best], named, len(errors), True, reason)
    reason = f"{len(errors)} sessions cannot tell ({pair}), so linear is assumed"
    return TransferChoice(LINEAR, named, len(errors), False, reason)


def _session_errors(capture: Capture, options: ReadOptions) -> list[float] | None:
    """Error of each candidate; None when the session is of no use for this."""
    try:
        chosen = _chosen_lights(read_texts(capture, options)[0])
        if len(chosen) < 4:
            return None
        exposures = [read_exposure(capture, c, options, chosen) for c in CANDIDATES]
    except Fr3dError:
        return None  # the run itself rejects it, with the reason
    pixels = _telling_pixels(exposures[0])
    if len(pixels) < _LEAST_PIXELS:
        return None
    return [_error(e, pixels, c) for e, c in zip(exposures, CANDIDATES, strict=True)]


def _chosen_lights(lights: Lights) -> list[int]:
    """Lights before the face, spread evenly over those."""
    front = np.flatnonzero(lights.directions[:, 2] >= _LEAST_HEIGHT)  # none where unknown
    if len(front) > _MOST_LIGHTS:
        front = front[(np.arange(_MOST_LIGHTS) * len(front)) // _MOST_LIGHTS]
    return [int(i) for i in front]


def _telling_pixels(exposure: Exposure) -> npt.NDArray[np.intp]:
    """Pixels that all lights reach and none saturates."""
    stored = exposure.stored
    high, low = stored.max(axis=0), stored.min(axis=0)
    level = float(np.percentile(high, 98))
    good = (low >= _LEAST_RATIO * high) & (high >= _LEAST_LEVEL * level) & (high < SATURATED)
    good &= ~exposure.saturated.any(axis=0)
    if exposure.given_mask is not None:
        good &= exposure.given_mask
    found = np.flatnonzero(good)
    return found[:: max(1, len(found) // _MOST_PIXELS)]


def _error(
    exposure: Exposure,
    pixels: npt.NDArray[np.intp],
    candidate: Transfer,
) -> float:
    """Distance of the stored values from what the candidate can explain, relative to them.

    With A the lights' left null space, A I = 0 is all that is known of I without g. To first order
    the stored values s lie at a distance of sqrt(e' (A D^2 A')^-1 e) from that, e = A I and
    D = dI/ds.

    Reference:
        Sampson 1982, "Fitting conic sections to very scattered data".
    """
    lights, count = exposure.lights, len(exposure.stored)
    scale = lights.grey_intensity[:, None]
    light = exposure.images.reshape(count, -1)[:, pixels] / scale
    stored = exposure.stored.reshape(count, -1)[:, pixels]
    slope = candidate.slope(stored).astype(np.float64) / scale
    left, _, _ = np.linalg.svd(lights.directions)
    null = left[:, 3:].T
    e = null @ light.astype(np.float64)
    spread = np.einsum("kl,lp,ml->pkm", null, slope**2, null)
    solved = np.linalg.solve(spread, e.T[..., None])[..., 0]
    distance = np.sqrt(np.maximum((e.T * solved).sum(axis=1), 0) / len(null))
    return float(np.median(distance / stored.mean(axis=0))) + 1e-9
