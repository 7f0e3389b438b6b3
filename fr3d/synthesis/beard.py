"""Hair on the face: stubble, moustache, beard or both, in Photoface's words."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.fields import Spots, piecewise, ramp

KINDS = ("none", "stubble", "moustache", "beard", "both")
# What men are used to wearing, and how often a session shows it.
HABITS = (0.55, 0.16, 0.09, 0.08, 0.12)
FAITHFUL = 0.8
# The upper limit of a beard on the cheek: height (dm) over depth (dm), from the ear to the mouth.
CHEEK_Z = (0.55, 0.72, 0.95, 1.15, 1.32, 1.42)
CHEEK_Y = (7.25, 7.05, 6.83, 6.69, 6.61, 6.52)
LIP_Y, NOSE_Y, NECK_Y = 6.47, 6.80, 5.98


@dataclass(frozen=True)
class Beard:
    """The hair on a face in one session.

    Args:
        kind: one of `KINDS`.
        shade: share of the skin that stubble hides, 0..1.
        lip, jaw: how far moustache and beard stand off, dm; 0 is none.
        cheek: shift of the beard's upper limit, dm.
        droop: how far a moustache reaches down beside the mouth, dm.
        phase: of its unevenness, radians.
    """

    kind: str
    shade: Any
    lip: Any
    jaw: Any
    cheek: Any
    droop: Any
    phase: Any


def sample_habit(rng: np.random.Generator, gender: str, share: float | None) -> str:
    """Draw what a person usually wears.

    Args:
        rng: the person's own generator.
        gender: women wear none.
        share: of men with hair on the face; None for the shares of `HABITS`.
    """
    weights = np.array(HABITS)
    if share is not None:
        weights = np.array([1 - share, *(share * weights[1:] / weights[1:].sum())])
    kind = str(rng.choice(KINDS, p=weights))
    return kind if gender == "male" else "none"


def sample_beard(rng: np.random.Generator, habit: str, style: np.random.Generator) -> Beard:
    """Draw the hair on a face in one session: mostly the habit, now and then shaved or stubbly.

    Args:
        rng: the session's generator.
        habit: one of `KINDS`.
        style: the person's generator for how a beard is cut.
    """
    kind = habit
    if habit != "none" and rng.random() > FAITHFUL:
        kind = str(rng.choice(["none", "stubble"]))
    lip, jaw = style.uniform(0.03, 0.075), style.uniform(0.035, 0.2) ** 1.3
    cheek, droop = style.normal(-0.02, 0.06), style.uniform(0.0, 0.22) ** 1.5
    longer, shade = rng.uniform(0.8, 1.25), rng.uniform(0.5, 0.8)
    return Beard(
        kind=kind,
        shade=float(shade) * (kind != "none"),
        lip=float(lip * longer) * (kind in ("moustache", "both")),
        jaw=float(jaw * longer) * (kind in ("beard", "both")),
        cheek=float(np.clip(cheek, -0.14, 0.08)),
        droop=float(droop),
        phase=float(rng.uniform(0.0, 2 * np.pi)),
    )


@dataclass(frozen=True)
class Regions:
    """Where hair can grow on a face, each (..., N) in 0..1.

    Args:
        jaw: jaw, chin and the cheeks below a line.
        lip: between nose and mouth, and a little down beside it.
    """

    jaw: Array
    lip: Array


def regions(beard: Beard, spots: Spots, lips: Array) -> Regions:
    """Find where a beard and a moustache grow.

    Args:
        beard: its numbers, or arrays that broadcast against (..., N).
        spots: (..., N).
        lips: (..., N), 1 on the lips.
    """
    free = 1 - lips
    return Regions(_jaw(beard, spots) * free, _lip(beard, spots) * free)


def _jaw(beard: Beard, spots: Spots) -> Array:
    xp = namespace(spots.x)
    y, z = spots.y, spots.z
    ragged = 0.05 * (spots.grain["edge"] - 0.5)
    line = piecewise(z, CHEEK_Z, CHEEK_Y) + beard.cheek * ramp(z, 0.7, 0.9)
    # Below the mouth the line follows the lower lip; beside it the beard climbs to the corner.
    below = (1 - ramp(abs(spots.x), 0.2, 0.34)) * ramp(z, 1.2, 1.35)
    line = line + (xp.clip(line, None, LIP_Y) - line) * below
    inside = ramp(line - y + ragged, -0.03, 0.04) * ramp(y + ragged, NECK_Y - 0.05, NECK_Y + 0.08)
    return inside * ramp(z, 0.42, 0.6)


def _lip(beard: Beard, spots: Spots) -> Array:
    x, y = abs(spots.x), spots.y
    ragged = 0.025 * (spots.grain["stub"] - 0.5)
    # The upper edge sinks outwards from the base of the nose to the corner of the mouth.
    top = NOSE_Y - 0.55 * ramp(x, 0.1, 0.5) * x
    low = 6.64 - (0.03 + beard.droop) * ramp(x, 0.19, 0.25)
    inside = ramp(top - y + ragged, -0.01, 0.03) * ramp(y - low + ragged, -0.01, 0.03)
    return inside * (1 - ramp(x + ragged, 0.28, 0.34)) * ramp(spots.z, 1.3, 1.36)


def beard_cover(beard: Beard, spots: Spots, where: Regions) -> Array:
    """How much of the skin facial hair hides, 0..1."""
    xp = namespace(spots.x)
    dense = xp.maximum(
        where.jaw * ramp(beard.jaw, 0.0, 0.02), where.lip * ramp(beard.lip, 0.0, 0.02)
    )
    speckle = 0.55 + 0.9 * (spots.grain["stub"] - 0.3)
    thin = beard.shade * xp.maximum(where.jaw, where.lip) * speckle
    # Beside a moustache or a beard the rest of the face is shaved.
    shaved = 1 - ramp(beard.lip + beard.jaw, 0.0, 0.02)
    return xp.clip(xp.maximum(0.93 * dense, thin * shaved), 0.0, 0.95)


def beard_height(beard: Beard, spots: Spots, where: Regions) -> Array:
    """How far facial hair stands off the skin, dm; longer at the chin."""
    xp = namespace(spots.x)
    chin = 1 + 0.8 * ramp(spots.z, 1.1, 1.45) * ramp(6.55 - spots.y, 0.0, 0.25)
    height = xp.maximum(beard.jaw * where.jaw * chin, beard.lip * where.lip)
    tufts = xp.sin(17.0 * spots.x + beard.phase) * xp.sin(13.0 * spots.y + 2.0 * beard.phase)
    return height * (1 + 0.45 * (spots.grain["rough"] - 0.5) + 0.15 * tufts)
