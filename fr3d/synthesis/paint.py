"""Painting a person: what each point of the head reflects, and how it shines.

Written for NumPy arrays and PyTorch tensors alike, with a leading axis for the sessions of a batch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.beard import Beard, beard_cover, regions
from fr3d.synthesis.complexion import Complexion
from fr3d.synthesis.fields import Spots, bump, ramp
from fr3d.synthesis.hair import HairStyle, hair_cover

SKIN, EYE, TEETH, TONGUE, FRAME, LOCKS = range(6)
EYE_X, EYE_Y, EYE_Z = 0.308, 7.284, 1.245
IRIS_ANGLE, PUPIL_ANGLE = 0.506, 0.175
SCLERA, TOOTH = (0.70, 0.62, 0.57), (0.66, 0.60, 0.48)
TONGUE_RED, THROAT, PUPIL = (0.40, 0.16, 0.15), (0.09, 0.035, 0.03), (0.015, 0.015, 0.015)
LASH = (0.05, 0.04, 0.035)
# Reflectance of skin straight on (0.028 of oil and water), times the share of a smooth surface's
# lobe that T. Weyrich et al., "Analysis of human faces using a measurement-based skin reflectance
# model", SIGGRAPH 2006, measured on faces: 0.2 to 0.5.
SKIN_GLOSS = 0.028 * 0.4
# What blood under the skin takes of red, green and blue, compared.
FLUSH = (0.1, 1.0, 0.9)


@dataclass(frozen=True)
class Looks:
    """Everything painted, of a batch of sessions; numbers have the shape (B, 1), lists (B, ..., 1).

    Args:
        complexion: of the person.
        hair: on the head.
        beard: on the face.
        gaze: (B, 3, 1), unit vector in which both eyes look, in the head's frame.
        frame: (B, 3, 1), reflectance of the spectacles.
        frame_gloss: (B, 1), reflectance of their surface straight on.
    """

    complexion: Complexion
    hair: HairStyle
    beard: Beard
    gaze: Array
    frame: Array
    frame_gloss: Array


@dataclass(frozen=True)
class Points:
    """Points of the surface.

    Args:
        spots: where each lies on the base head, (B, P).
        part: (B, P), one of the numbers above.
        masks: "lips", "inside_mouth", "ears" and "lashes", each (B, P) in 0..1.
        mottling: (B, P), coarse unevenness of the skin, of which 0 is none.
    """

    spots: Spots
    part: Array
    masks: Mapping[str, Array]
    mottling: Array


@dataclass(frozen=True)
class Paint:
    """What points reflect.

    Args:
        albedo: (B, 3, P), linear reflectance of red, green and blue.
        gloss: (B, P), share that the surface itself reflects straight on (Fresnel's F0).
        rough: (B, P), roughness of Trowbridge and Reitz.
    """

    albedo: Array
    gloss: Array
    rough: Array


def paint(looks: Looks, points: Points) -> Paint:
    """Paint points of heads, spectacles and hair."""
    xp = namespace(points.part)
    part = points.part
    strands = _strands(looks, points.spots)
    colour, gloss, rough = _skin(looks, points, strands)
    colour = _where(xp, part == EYE, _eyeball(looks, points.spots), colour)
    for number, fixed in ((TEETH, TOOTH), (TONGUE, TONGUE_RED)):
        colour = _where(xp, part == number, _colour(fixed, colour), colour)
    colour = _where(xp, part == FRAME, looks.frame, colour)
    colour = _where(xp, part == LOCKS, strands, colour)
    wet = (part == EYE) | (part == TEETH) | (part == TONGUE)
    gloss = xp.where(wet, 0.03, xp.where(part == FRAME, looks.frame_gloss, gloss))
    rough = xp.where(wet, 0.1, xp.where(part == FRAME, 0.14, xp.where(part == LOCKS, 0.4, rough)))
    return Paint(colour, gloss, rough)


def mottling(look: Complexion, place: Array) -> Array:
    """Coarse unevenness of the skin: a share by which it is lighter or darker.

    Args:
        look: with arrays that broadcast.
        place: (..., N, 3), dm.
    """
    xp = namespace(place)
    total = 0 * place[..., 0]
    for k in range(look.waves.shape[1]):
        wave = look.waves[:, k]
        phase = wave[:, 3]
        for axis in range(3):
            phase = phase + wave[:, axis] * place[..., axis]
        total = total + wave[:, 4] * xp.sin(phase)
    return total


def _skin(looks: Looks, points: Points, strands: Array) -> tuple[Array, Array, Array]:
    """Skin under brows, beard and hair: reflectance, gloss and roughness."""
    xp = namespace(points.part)
    look, spots, masks = looks.complexion, points.spots, points.masks
    lips = masks["lips"]
    hair = hair_cover(looks.hair, spots) * (1 - ramp(masks["ears"], 0.2, 0.6))
    beard = beard_cover(looks.beard, spots, regions(looks.beard, spots, lips)) * (1 - hair)
    colour = _bare(looks, points)
    hairs = look.brow * (0.8 + 0.4 * spots.grain["stub"])[:, None]
    colour = _mix(colour, hairs, _brow_share(look, spots))
    # Hairs of a beard shade each other and the skin between them.
    colour = _mix(colour, strands * 0.7, beard)
    colour = _mix(colour, strands, hair)
    hairy = xp.maximum(hair, beard)
    oily = 1 + 0.5 * bump(spots.x, 0.2) * ramp(spots.z, 1.2, 1.4)
    gloss = SKIN_GLOSS * (look.gloss * oily * (1 - 0.6 * hairy) + 0.8 * lips)
    return colour, gloss, 0.34 - 0.1 * lips + 0.1 * hairy


def _bare(looks: Looks, points: Points) -> Array:
    """Skin and lips without hair."""
    look, masks, spots = looks.complexion, points.masks, points.spots
    x, y, z = abs(spots.x), spots.y, spots.z
    tone = 1 + points.mottling + look.freckles * (spots.grain["pore"] - 0.5)
    under = _spot(x - 0.30, 0.14, y - 7.12, 0.05) * ramp(z, 1.05, 1.15)
    tone = tone * (1 - look.shadow * under)
    front = ramp(z, 0.75, 0.85)
    for k in range(look.blemishes.shape[1]):
        left, up, radius, depth = (look.blemishes[:, k, i] for i in range(4))
        tone = tone * (1 - depth * front * _spot(spots.x - left, radius, y - up, radius))
    cheeks = _spot(x - 0.42, 0.16, y - 6.95, 0.16) + _spot(x, 0.1, y - 6.9, 0.1)
    red = look.flush * cheeks * ramp(z, 0.85, 0.95)
    colour = look.skin * tone[:, None]
    colour = colour * (1 - red[:, None] * _colour(FLUSH, colour))
    colour = _mix(colour, look.lips * (0.5 + 0.5 * tone)[:, None], masks["lips"])
    nostril = _spot(x - 0.075, 0.035, y - 6.86, 0.03) * ramp(1.56 - z, 0.0, 0.1)
    colour = _mix(colour, 0.35 * look.skin, 0.7 * nostril * ramp(z, 1.2, 1.35))
    colour = _mix(colour, _colour(LASH, colour), 0.75 * masks["lashes"])
    return _mix(colour, _colour(THROAT, colour), masks["inside_mouth"])


def _spot(across: Array, wide: Any, up: Array, high: Any) -> Array:
    """A Gaussian of two directions."""
    across, up = across / wide, up / high
    return namespace(across).exp(-0.5 * (across * across + up * up))


def _strands(looks: Looks, spots: Spots) -> Array:
    """The colour of hair, lighter and darker by strands."""
    strand = 0.62 + 0.5 * spots.grain["strand"] + 0.26 * spots.grain["lock"]
    return looks.complexion.hair * strand[:, None]


def _brow_share(look: Complexion, spots: Spots) -> Array:
    """How much of the skin the eyebrows cover: an arch that thins towards the temples."""
    xp = namespace(spots.x)
    lift, arch, thick, inner, outer = (look.brow_shape[:, i] for i in range(5))
    along = (abs(spots.x) - inner) / (outer - inner)
    bend = (along - 0.6) / 0.6
    centre = 7.462 + lift + arch * (1 - bend * bend)
    taper = 0.7 + 0.4 * ramp(along, 0.0, 0.15) - 0.75 * ramp(along, 0.45, 1.1)
    across = (spots.y - centre) / (thick * taper)
    across = across * across
    ends = ramp(along, -0.05, 0.1) * (1 - ramp(along, 0.9, 1.05)) * ramp(spots.z, 0.95, 1.05)
    return 0.85 * xp.exp(-across * across) * ends * (0.7 + 0.3 * spots.grain["stub"])


def _eyeball(looks: Looks, spots: Spots) -> Array:
    xp = namespace(spots.x)
    x, y, z = abs(spots.x) - EYE_X, spots.y - EYE_Y, spots.z - EYE_Z
    side = xp.where(spots.x > 0, 1.0, -1.0)
    inverse = 1 / xp.sqrt(x * x + y * y + z * z + 1e-9)
    gaze = looks.gaze
    away = 1 - (side * x * gaze[:, 0] + y * gaze[:, 1] + z * gaze[:, 2]) * inverse
    # Of small angles: 1 - cos a = a^2 / 2.
    angle = xp.sqrt(2 * xp.clip(away, 0.0, None))
    rim = 0.6 + 0.4 * xp.clip(2.0 * (1 - angle / IRIS_ANGLE), 0.0, 1.0)
    pupil = 1 - ramp(angle, PUPIL_ANGLE - 0.03, PUPIL_ANGLE + 0.03)
    iris = _mix(looks.complexion.iris * rim[:, None], _colour(PUPIL, spots.x), pupil)
    corner = 1 - 0.3 * ramp(abs(x) * inverse, 0.5, 0.9)
    white = _colour(SCLERA, iris) * corner[:, None]
    return _mix(iris, white, ramp(angle, IRIS_ANGLE - 0.03, IRIS_ANGLE + 0.03))


def _mix(under: Array, over: Array, share: Array) -> Array:
    """Lay one colour over a share of another."""
    share = share[:, None]
    return under + (over - under) * share


def _where(xp: Any, flags: Array, chosen: Array, other: Array) -> Array:
    return xp.where(flags[:, None], chosen, other)


def _colour(values: tuple[float, float, float], like: Array) -> Array:
    """Three numbers as an array (3, 1) beside another array."""
    xp = namespace(like)
    kind = {"device": like.device} if hasattr(like, "requires_grad") else {}
    return xp.asarray(values, dtype=like.dtype, **kind)[:, None]
