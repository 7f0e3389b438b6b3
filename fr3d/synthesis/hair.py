"""Hair on the head: where it grows, how far it stands off the skin, and how it is cut.

Short hair is the scalp itself, pushed outwards; `fr3d.synthesis.locks` hangs long hair around it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.fields import Spots, bump, piecewise, ramp

# The hairline seen from the side: height (dm) over depth (dm), from the nape to the forehead.
HAIRLINE_Z = (-0.4, 0.0, 0.45, 0.60, 0.70, 0.90, 1.15, 1.32, 1.45)
HAIRLINE_Y = (6.6, 6.7, 7.0, 7.10, 7.30, 7.68, 7.90, 8.02, 8.08)
CUTS = ("bald", "cropped", "short", "medium", "long")
SHAVED, NOWHERE = 6.0, 20.0
_CUT_SHARES = {"male": (0.07, 0.33, 0.42, 0.13, 0.05), "female": (0.01, 0.04, 0.15, 0.3, 0.5)}
# How far hair stands off above the forehead and at the sides, dm.
_TOP = {"bald": 0.0, "cropped": 0.05, "short": 0.16, "medium": 0.25, "long": 0.17}
_SIDE = {"bald": 0.0, "cropped": 0.03, "short": 0.08, "medium": 0.16, "long": 0.14}


@dataclass(frozen=True)
class HairStyle:
    """How a person wears the hair.

    Args:
        cut: one of `CUTS`.
        line: shift of the hairline upwards, dm.
        receding: how far it recedes at the temples, dm.
        top, side: how far the hair stands off, dm.
        rough: share by which it is uneven.
        parting: where it parts, x in dm.
        fringe: how far it falls over the forehead, dm.
        length: of long hair below the ears, dm; 0 for other cuts.
        front: where long hair begins beside the face, degrees from straight ahead.
        phase: of its unevenness, radians.
        bare: height above which the head is bald, dm.
    """

    cut: str
    line: Any
    receding: Any
    top: Any
    side: Any
    rough: Any
    parting: Any
    fringe: Any
    length: Any
    front: Any
    phase: Any
    bare: Any


def sample_hair(rng: np.random.Generator, gender: str, age: float) -> HairStyle:
    """Draw the hair of a person."""
    male = gender == "male"
    cut = str(rng.choice(CUTS, p=_CUT_SHARES[gender]))
    receding = max(0.0, rng.normal(0.06 if male else -0.05, 0.1) + 0.004 * (age - 30) * male)
    fringe = rng.uniform(0.1, 0.45) * (rng.random() < (0.25 if male else 0.4))
    return HairStyle(
        cut=cut,
        line=float(rng.normal(0.0, 0.06)),
        receding=float(receding),
        top=_TOP[cut] * float(np.exp(rng.normal(0.0, 0.25))),
        side=_SIDE[cut] * float(np.exp(rng.normal(0.0, 0.25))),
        rough=float(rng.uniform(0.1, 0.35)),
        parting=float(rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 0.4)),
        fringe=float(fringe) if cut in ("medium", "long") else 0.0,
        length=float(rng.uniform(0.15, 1.1)) if cut == "long" else 0.0,
        front=float(rng.uniform(48.0, 76.0)),
        phase=float(rng.uniform(0.0, 2 * np.pi)),
        bare=_bare(rng, cut),
    )


def _bare(rng: np.random.Generator, cut: str) -> float:
    """Bald heads are shaved, or keep a rim of hair from ear to ear."""
    rim = float(rng.uniform(7.45, 7.8)) if rng.random() < 0.6 else SHAVED
    return rim if cut == "bald" else NOWHERE


def grow(style: HairStyle, rng: np.random.Generator) -> HairStyle:
    """The same hair on another day: a little longer or shorter, and otherwise combed."""
    longer = float(np.exp(rng.normal(0.0, 0.12)))
    return replace(
        style,
        top=style.top * longer,
        side=style.side * longer,
        fringe=style.fringe * float(rng.uniform(0.7, 1.2)),
        phase=style.phase + float(rng.normal(0.0, 0.5)),
    )


def above_hairline(style: HairStyle, spots: Spots) -> Array:
    """How far spots lie above the hairline, dm.

    Args:
        style: its numbers, or arrays that broadcast against (..., N).
        spots: (..., N).
    """
    x, z = spots.x, spots.z
    temples = style.receding * bump(abs(x) - 0.45, 0.2) * ramp(z, 0.65, 0.75)
    crown = 0.5 * style.receding * bump(x, 0.3) * ramp(z, 0.9, 1.2)
    fringe = style.fringe * bump(x - 0.6 * style.parting, 0.42) * ramp(z, 0.8, 1.2)
    line = piecewise(z, HAIRLINE_Z, HAIRLINE_Y)
    line = line + (style.line + temples + crown - fringe) * ramp(z, 0.6, 1.0)
    return spots.y - line


def hair_cover(style: HairStyle, spots: Spots) -> Array:
    """How much of the skin hair hides, 0..1, with an uneven edge."""
    edge = 0.07 * (spots.grain["edge"] - 0.5) + 0.05 * (spots.grain["tuft"] - 0.5)
    bald = ramp(spots.y + 2 * edge, style.bare - 0.12, style.bare + 0.12)
    return ramp(above_hairline(style, spots) + edge, -0.05, 0.06) * (1 - bald)


def hair_height(style: HairStyle, spots: Spots, above: Array) -> Array:
    """How far the hair stands off the skin, dm.

    Args:
        style: its numbers, or arrays that broadcast against (..., N).
        spots: (..., N).
        above: (..., N), of `above_hairline`.
    """
    xp = namespace(above)
    x, y, z = spots.x, spots.y, spots.z
    up = ramp(y, 7.3, 8.25)
    height = style.side + (style.top - style.side) * up
    height = height * (1 - 0.55 * up * bump(x - style.parting, 0.05) * ramp(style.top, 0.1, 0.2))
    waves = xp.sin(11.0 * x + style.phase) * xp.sin(9.0 * z + 7.0 * y + 1.7 * style.phase)
    strands = spots.grain["rough"] - 0.5
    height = height * (1 + style.rough * (0.7 * waves + 0.6 * strands))
    # The edge rises gently, and only where hair hides the skin already.
    return xp.clip(height, 0.0, None) * ramp(above, 0.05, 0.15 + 0.9 * style.top)
