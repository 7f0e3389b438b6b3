"""Smooth functions of place from which regions of the head are built.

They work on NumPy arrays and PyTorch tensors alike; numbers or arrays that broadcast may stand for
any argument but the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fr3d.photometric.solvers.arrays import Array, namespace

# Patterns fixed to the head: radians per decimetre across, and up and down. Where they differ, the
# pattern is one of strands.
GRAINS = {
    "pore": (45.0, 45.0),
    "edge": (60.0, 60.0),
    "tuft": (23.0, 23.0),
    "stub": (98.0, 98.0),
    "strand": (75.0, 16.0),
    "lock": (21.0, 6.0),
    "rough": (22.0, 8.0),
}


@dataclass(frozen=True)
class Spots:
    """Places on the base head, and the patterns there.

    Args:
        x, y, z: (..., N), decimetres: to the image's right, up, to the front.
        grain: by name of `GRAINS`, each (..., N) in 0..1.
    """

    x: Array
    y: Array
    z: Array
    grain: Mapping[str, Array]


def bump(distance: Array, width: Any) -> Array:
    """A Gaussian of unit height."""
    scaled = distance / width
    return namespace(distance).exp(-0.5 * scaled * scaled)


def ramp(value: Array, low: Any, high: Any) -> Array:
    """Rise smoothly from 0 at low to 1 at high."""
    t = namespace(value).clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def grain(place: Array, name: str) -> Array:
    """A fine pattern fixed to the head, 0..1.

    Args:
        place: (..., 3), decimetres.
        name: one of `GRAINS`.
    """
    xp = namespace(place)
    across, along = GRAINS[name]
    x, y, z = across * place[..., 0], along * place[..., 1], across * place[..., 2]
    ripple = xp.sin(x + 1.7 * xp.sin(0.8 * y)) * xp.sin(y + 1.3 * xp.sin(0.9 * z + 0.4 * x))
    return 0.5 + 0.5 * ripple


def piecewise(value: Array, at: tuple[float, ...], heights: tuple[float, ...]) -> Array:
    """Straight lines between points, level beyond them.

    Args:
        value: any shape.
        at: ascending.
        heights: the value at each.
    """
    xp = namespace(value)
    if xp is np:
        return np.interp(value, at, heights)
    total = xp.full_like(value, heights[0])
    steps = zip(at[:-1], at[1:], heights[:-1], heights[1:], strict=True)
    for start, end, low, high in steps:
        total = total + (high - low) / (end - start) * (value.clip(start, end) - start)
    return total
