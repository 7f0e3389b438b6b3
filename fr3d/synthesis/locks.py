"""Long hair: a closed shell that hangs around the head, from temple to temple behind it."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fr3d.synthesis.assets import HeadModel
from fr3d.synthesis.hair import HairStyle

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AROUND, DOWN = 96, 16
DEEP = 0.16
# Heights on the base head, dm: where the shell leaves the scalp, the widest place, the jaw.
START, WIDEST, EAR, JAW = 8.02, 7.35, 7.05, 6.75
MIDDLE_Z = 0.42


def hang(style: HairStyle, head: HeadModel, vertices: FloatArray) -> FloatArray:
    """Hang hair around a head.

    Args:
        style: with a length above 0.
        head: the parametric head.
        vertices: (V, 3), the person's own, dm.

    Returns:
        (2 * AROUND * DOWN, 3): the outer surface, then the inner one.
    """
    lowest = JAW - style.length
    share = np.linspace(0.0, 1.0, DOWN)[:, None]
    height = START + (lowest - START) * share
    angle = np.deg2rad(np.linspace(style.front, 360.0 - style.front, AROUND))[None]
    wide, ears, deep, move = _measure(head, vertices)
    wave = np.sin(7 * angle + style.phase) + 0.35 * np.sin(15 * angle + 2.3 * style.phase)
    wave = wave * (0.3 + 0.7 * share) * 0.045 * style.rough / 0.2
    curl = 0.06 * np.sin(5.0 * height + style.phase) * share
    stand = 0.5 * style.side + 0.02
    # Wide enough for the ears where they are, close to the neck below.
    ear_level = np.exp(-np.square((height - EAR) / 0.38))
    wide = wide + np.maximum(ears - wide, 0.0) * ear_level
    surfaces = []
    for inward in (0.0, DEEP):
        # Above the widest place the shell follows the skull and begins inside its hair.
        above = np.clip((height - WIDEST) / 1.12, 0.0, 0.98)
        radius = np.sqrt(1 - above**2) - 0.1 * above**2
        swing = 1 + wave + curl - 0.1 * np.clip((WIDEST - height) / 1.5, 0, 1)
        x = (wide + stand - inward) * radius * swing * np.sin(angle)
        z = MIDDLE_Z + (deep + stand - inward) * radius * swing * np.cos(angle)
        y = height + np.zeros_like(angle) + 0.05 * np.sin(17 * angle + style.phase) * share**4
        surfaces.append(np.stack([x, y, z], axis=-1).reshape(-1, 3) + move)
    return np.concatenate(surfaces)


def no_locks() -> FloatArray:
    """Hair that nobody sees: all vertices in one point, far behind the head."""
    return np.tile(np.array([0.0, 7.0, -50.0]), (2 * AROUND * DOWN, 1))


@lru_cache(maxsize=1)
def lock_strands() -> FloatArray:
    """How light each vertex is, 0..1: strands run from top to bottom."""
    around = np.arange(AROUND)
    strand = 0.5 + 0.28 * np.sin(2.1 * around) + 0.22 * np.sin(5.3 * around + 1.0)
    down = 0.08 * np.sin(np.arange(DOWN))[:, None]
    return np.tile(np.clip(strand[None] + down, 0.0, 1.0).ravel(), 2)


@lru_cache(maxsize=1)
def lock_triangles() -> IntArray:
    """Triangles (T, 3) of the shell, counter-clockwise seen from outside of it."""
    row, column = (g.ravel() for g in np.mgrid[: DOWN - 1, : AROUND - 1])
    a = row * AROUND + column
    b, c, d = a + 1, a + AROUND, a + AROUND + 1
    # Angles grow from the right temple around the back: seen from outside, to the right.
    outer = np.concatenate([np.stack([a, d, b], axis=1), np.stack([a, c, d], axis=1)])
    inner = outer[:, ::-1] + AROUND * DOWN
    first, last = np.arange(DOWN) * AROUND, np.arange(DOWN) * AROUND + AROUND - 1
    bottom = (DOWN - 1) * AROUND + np.arange(AROUND)
    strips = [_strip(first), _strip(last[::-1]), _strip(bottom)]
    return np.concatenate([outer, inner, *strips])


def _strip(edge: IntArray) -> IntArray:
    """Close the gap between the outer and the inner surface along an edge."""
    near, far = edge[:-1], edge[1:]
    inner_near, inner_far = near + AROUND * DOWN, far + AROUND * DOWN
    return np.concatenate(
        [np.stack([near, inner_far, far], axis=1), np.stack([near, inner_near, inner_far], axis=1)]
    )


def _measure(head: HeadModel, vertices: FloatArray) -> tuple[float, float, float, FloatArray]:
    """Half the width of a skull, and over the ears, and half its depth, dm, and where it lies."""
    base = head.vertices
    skull = (head.part == 0) & (base[:, 1] > 7.4) & (base[:, 1] < 8.3)
    mine = vertices[skull]
    move = mine.mean(axis=0) - base[skull].mean(axis=0)
    ears = vertices[head.masks["ears"] > 0.5]
    halves = (float(np.ptp(part)) / 2 for part in (mine[:, 0], ears[:, 0], mine[:, 2]))
    return *halves, move
