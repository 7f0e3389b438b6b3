"""Spectacles: rims, bridge, temples and lenses; `fr3d.synthesis.fitting` puts them on faces.

Everything is a tube of few sides along a curve, so that every pair has the same number of vertices
and one list of triangles serves all.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RIM_POINTS, BRIDGE_POINTS, TEMPLE_POINTS, SIDES = 44, 9, 8, 6
LENS_RINGS = (0.3, 0.55, 0.8, 1.0)
STYLES = ("full", "half", "rimless")
# Frames as (colour, gloss): acetate in dark and warm tones, and metal.
_FRAMES = (
    ((0.015, 0.015, 0.016), 0.045),
    ((0.02, 0.018, 0.03), 0.045),
    ((0.12, 0.055, 0.025), 0.045),
    ((0.25, 0.02, 0.025), 0.045),
    ((0.03, 0.06, 0.17), 0.045),
    ((0.16, 0.16, 0.17), 0.045),
    ((0.40, 0.38, 0.36), 0.35),
    ((0.45, 0.33, 0.12), 0.35),
    ((0.05, 0.05, 0.05), 0.25),
    ((0.12, 0.10, 0.09), 0.3),
)


@dataclass(frozen=True)
class Spectacles:
    """A pair of spectacles.

    Args:
        style: one of `STYLES`.
        half_width, half_height: of a lens, dm.
        square: exponent of the lens's outline: 2 is an ellipse, more is squarer.
        drop: how much wider the outline is at its lower, outer corner.
        thick, deep: half the frame's thickness seen from the front, and from the side, dm.
        bridge: height of the bridge over the lens's middle, as a share of half its height.
        wrap: how far the frame bends back towards the temples, 1/dm.
        tilt: how far the lower edge leans towards the cheeks, radians.
        curve: radius of the lens's front surface, dm.
        clear: share of light that one passage leaves, 0..1.
        mirror: share that a lens mirrors straight on; coated ones mirror little.
        low: how far below the eyes the lenses' middles lie, dm.
        colour: (3,), linear reflectance of the frame.
        gloss: reflectance of its surface straight on.
    """

    style: str
    half_width: float
    half_height: float
    square: float
    drop: float
    thick: float
    deep: float
    bridge: float
    wrap: float
    tilt: float
    curve: float
    clear: float
    mirror: float
    low: float
    colour: tuple[float, float, float]
    gloss: float


def sample_spectacles(rng: np.random.Generator) -> Spectacles:
    """Draw a pair."""
    style = str(rng.choice(STYLES, p=[0.64, 0.23, 0.13]))
    metal = style != "full" or rng.random() < 0.5
    colour, gloss = _FRAMES[int(rng.integers(6, 10) if metal else rng.integers(0, 6))]
    thick = rng.uniform(0.006, 0.012) if metal else rng.uniform(0.012, 0.026)
    return Spectacles(
        style=style,
        half_width=float(rng.uniform(0.21, 0.275)),
        half_height=float(rng.uniform(0.115, 0.22)),
        square=float(rng.uniform(2.0, 4.0)),
        drop=float(rng.uniform(-0.06, 0.1)),
        thick=float(thick),
        deep=float(rng.uniform(0.012, 0.02)),
        bridge=float(rng.uniform(0.15, 0.6)),
        wrap=float(rng.uniform(0.15, 0.4)),
        tilt=float(rng.uniform(0.05, 0.18)),
        curve=float(rng.uniform(0.85, 1.8)),
        clear=float(rng.choice([rng.uniform(0.93, 0.995), rng.uniform(0.45, 0.9)], p=[0.9, 0.1])),
        mirror=float(rng.uniform(0.006, 0.043)),
        low=float(rng.uniform(0.0, 0.055)),
        colour=colour,
        gloss=gloss,
    )


class Fitted(NamedTuple):
    """Pairs on faces, in the frame of the head.

    Args:
        frame: (..., F, 3), vertices of rims, bridge and temples, dm.
        lenses: (..., G, 3), vertices of both lenses, dm.
    """

    frame: FloatArray
    lenses: FloatArray


def absent() -> Fitted:
    """Spectacles that nobody sees: all vertices in one point, far behind the head."""
    frame, lenses = frame_triangles().max() + 1, lens_triangles().max() + 1
    away = np.array([0.0, 7.0, -50.0])
    return Fitted(np.tile(away, (frame, 1)), np.tile(away, (lenses, 1)))


@lru_cache(maxsize=1)
def frame_triangles() -> IntArray:
    """Triangles (T, 3) of all tubes of a frame, counter-clockwise seen from outside."""
    sizes = [(RIM_POINTS, True)] * 2 + [(BRIDGE_POINTS, False)] + [(TEMPLE_POINTS, False)] * 2
    first, found = 0, []
    for points, closed in sizes:
        found.append(first + _tube_triangles(points, closed))
        first += points * SIDES
    return np.concatenate(found)


@lru_cache(maxsize=1)
def lens_triangles() -> IntArray:
    """Triangles (T, 3) of both lenses, counter-clockwise seen from the front."""
    count, rings = RIM_POINTS, len(LENS_RINGS)
    around, onward = np.arange(count), np.roll(np.arange(count), -1)
    # The middle comes last.
    found = [np.stack([np.full(count, rings * count), around, onward], axis=1)]
    for inner in range(0, (rings - 1) * count, count):
        outer = inner + count
        found.append(np.stack([inner + around, outer + around, outer + onward], axis=1))
        found.append(np.stack([inner + around, outer + onward, inner + onward], axis=1))
    triangles = np.concatenate(found)
    # The other lens is a mirror image: its triangles turn the other way.
    return np.concatenate([triangles, triangles[:, ::-1] + rings * count + 1])


def _tube_triangles(points: int, closed: bool) -> IntArray:
    along = np.arange(points if closed else points - 1)
    around = np.arange(SIDES)
    a, i = (grid.ravel() for grid in np.meshgrid(along, around, indexing="ij"))
    b, j = (a + 1) % points, (i + 1) % SIDES
    near, near_next, far, far_next = (p * SIDES + s for p, s in ((a, i), (a, j), (b, i), (b, j)))
    return np.concatenate(
        [np.stack([near, far_next, near_next], axis=1), np.stack([near, far, far_next], axis=1)]
    )


def settle(pair: Spectacles, rng: np.random.Generator) -> Spectacles:
    """The same pair as it sits on another day."""
    low, tilt = rng.normal(0.0, 0.012), rng.normal(0.0, 0.02)
    return replace(pair, low=pair.low + float(low), tilt=pair.tilt + float(tilt))
