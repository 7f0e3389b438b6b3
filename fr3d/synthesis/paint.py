"""Painting a complexion on points of the head: reflectance from places in the base head's frame."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fr3d.synthesis.complexion import Complexion

FloatArray = npt.NDArray[np.float64]

EYE = np.array([0.308, 7.284, 1.245])
IRIS_ANGLE, PUPIL_ANGLE = np.deg2rad(29.0), np.deg2rad(10.0)
SCLERA, TEETH, TONGUE, THROAT, PUPIL = 0.62, 0.6, 0.25, 0.06, 0.015
# The hairline seen from the side: height (dm) over depth (dm), from the nape to the forehead.
HAIRLINE_Z = np.array([-0.4, 0.0, 0.45, 0.60, 0.70, 0.90, 1.15, 1.32, 1.45])
HAIRLINE_Y = np.array([6.6, 6.7, 7.0, 7.10, 7.30, 7.68, 7.90, 8.02, 8.08])


def reflectance(
    look: Complexion,
    place: FloatArray,
    part: npt.NDArray[np.integer],
    masks: Mapping[str, FloatArray],
    gaze: FloatArray,
) -> FloatArray:
    """Paint points of the head.

    Args:
        look: the person's complexion.
        place: (N, 3), where each point lies on the base head, decimetres.
        part: (N,) index into `fr3d.synthesis.assets.PARTS`.
        masks: "lips", "inside_mouth", "ears" and "lashes", each (N,) in 0..1.
        gaze: (3,), unit vector in which both eyes look, in the head's frame.

    Returns:
        (N,) linear reflectance.
    """
    skin = _skin(look, place, masks)
    hair = _hair_share(look, place) * (1 - masks["ears"])
    skin = skin * (1 - hair) + look.hair * hair * (0.8 + 0.4 * _grain(place, 90.0))
    return np.select(
        [part == 0, part == 1, part == 2], [skin, _eyeball(look, place, gaze), TEETH], TONGUE
    )


def _skin(look: Complexion, place: FloatArray, masks: Mapping[str, FloatArray]) -> FloatArray:
    x, y, z = place.T
    value = look.skin * (1 + _mottling(look, place))
    under = _bump(np.abs(x) - 0.30, 0.14) * _bump(y - 7.12, 0.05) * (z > 1.1)
    cheeks = _bump(np.abs(x) - 0.42, 0.16) * _bump(y - 6.95, 0.16) + _bump(x, 0.1) * _bump(
        y - 6.9, 0.1
    )
    value *= (1 - look.shadow * under) * (1 - look.flush * cheeks * (z > 0.9))
    for left, up, radius, depth in look.blemishes:
        value *= 1 - depth * _bump(x - left, radius) * _bump(y - up, radius) * (z > 0.8)
    value *= 1 - masks["lips"] * (1 - look.lips)
    value *= 1 - 0.75 * masks["lashes"]
    share = _brow_share(look, place) * (z > 1.0)
    value = value * (1 - share) + look.brow * share
    return value * (1 - masks["inside_mouth"]) + THROAT * masks["inside_mouth"]


def _mottling(look: Complexion, place: FloatArray) -> FloatArray:
    total = np.zeros(len(place))
    for *vector, phase, weight in look.waves:
        total += weight * np.sin(place @ np.array(vector) + phase)
    return total + look.freckles * (_grain(place, 45.0) - 0.5)


def _grain(place: FloatArray, frequency: float) -> FloatArray:
    """A fine pattern fixed to the head, 0..1."""
    x, y, z = frequency * place.T
    ripple = np.sin(x + 1.7 * np.sin(0.8 * y)) * np.sin(y + 1.3 * np.sin(0.9 * z + 0.4 * x))
    return 0.5 + 0.5 * ripple


def _brow_share(look: Complexion, place: FloatArray) -> FloatArray:
    """How much of the skin the eyebrows cover: an arch that thins towards the temples."""
    lift, arch, thick, inner, outer = look.brow_shape
    x, y = np.abs(place[:, 0]), place[:, 1]
    along = (x - inner) / (outer - inner)
    centre = 7.462 + lift + arch * (1 - np.square((along - 0.6) / 0.6))
    width = thick * np.interp(along, [0.0, 0.15, 0.6, 1.0], [0.7, 1.1, 0.9, 0.35])
    across = np.exp(-np.power((y - centre) / width, 4))
    ends = _ramp(along, -0.05, 0.1) * (1 - _ramp(along, 0.9, 1.05))
    return 0.85 * across * ends * (0.75 + 0.25 * _grain(place, 120.0))


def _hair_share(look: Complexion, place: FloatArray) -> FloatArray:
    """How much of the skin short-cropped hair covers."""
    shift, receding = look.hairline
    x, y, z = place.T
    temples = receding * _bump(np.abs(x) - 0.45, 0.2) * (z > 0.7)
    line = np.interp(z, HAIRLINE_Z, HAIRLINE_Y) + (shift + temples) * _ramp(z, 0.6, 1.0)
    return _ramp(y - line + 0.05 * (_grain(place, 60.0) - 0.5), -0.04, 0.05)


def _eyeball(look: Complexion, place: FloatArray, gaze: FloatArray) -> FloatArray:
    centre = np.where(place[:, :1] > 0, EYE, EYE * np.array([-1.0, 1.0, 1.0]))
    out = place - centre
    out /= np.linalg.norm(out, axis=1, keepdims=True) + 1e-9
    angle = np.arccos(np.clip(out @ gaze, -1.0, 1.0))
    ring = 0.6 + 0.4 * np.clip(2.0 * (1 - angle / IRIS_ANGLE), 0.0, 1.0)
    iris = np.where(angle < PUPIL_ANGLE, PUPIL, look.iris * ring)
    white = SCLERA * (1 - 0.3 * _ramp(np.abs(out[:, 0]), 0.5, 0.9))
    share = _ramp(angle, IRIS_ANGLE - 0.03, IRIS_ANGLE + 0.03)
    return iris * (1 - share) + white * share


def _bump(distance: FloatArray, width: float) -> FloatArray:
    return np.exp(-0.5 * np.square(distance / width))


def _ramp(value: FloatArray, low: float, high: float) -> FloatArray:
    """Rise smoothly from 0 at low to 1 at high."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)
