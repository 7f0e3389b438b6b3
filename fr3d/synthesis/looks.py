"""Collecting what is painted, for a batch of sessions."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from fr3d.photometric.solvers.arrays import Array
from fr3d.synthesis.appearance import Appearance
from fr3d.synthesis.beard import Beard
from fr3d.synthesis.complexion import Complexion
from fr3d.synthesis.engine import Engine
from fr3d.synthesis.hair import HairStyle
from fr3d.synthesis.paint import Looks

Fields = TypeVar("Fields", Complexion, HairStyle, Beard)


def gather_looks(engine: Engine, people: Sequence[tuple[Complexion, Appearance]]) -> Looks:
    """Stack what is painted, so that it broadcasts against (B, P).

    Args:
        engine: where.
        people: of each session the person's complexion and the appearance.
    """
    seen = [appearance for _, appearance in people]
    bare = ((0.0, 0.0, 0.0), 0.0)
    frames = [
        bare if a.spectacles is None else (a.spectacles.colour, a.spectacles.gloss) for a in seen
    ]
    return Looks(
        complexion=_stack(engine, [complexion for complexion, _ in people]),
        hair=_stack(engine, [a.hair for a in seen]),
        beard=_stack(engine, [a.beard for a in seen]),
        gaze=engine.array([a.gaze for a in seen])[..., None],
        frame=engine.array([colour for colour, _ in frames])[..., None],
        frame_gloss=engine.array([gloss for _, gloss in frames])[:, None],
    )


def _stack(engine: Engine, items: Sequence[Fields]) -> Fields:
    """One object of the same kind whose numbers are (B, 1) and whose arrays are (B, ..., 1)."""
    kind: Callable[..., Fields] = type(items[0])
    names = [field.name for field in fields(items[0])]
    return kind(**{name: _field(engine, [getattr(item, name) for item in items]) for name in names})


def _field(engine: Engine, values: list[Any]) -> Array | list[str]:
    if isinstance(values[0], str):
        return values
    arrays = [np.asarray(value, dtype=np.float64) for value in values]
    if arrays[0].ndim == 2:
        # Lists of blemishes are filled up with ones of no depth.
        most = max(len(array) for array in arrays)
        arrays = [np.pad(a, ((0, most - len(a)), (0, 0)), constant_values=_NONE) for a in arrays]
        for array, value in zip(arrays, values, strict=True):
            array[len(value) :, -1] = 0.0
    return engine.array(np.stack(arrays))[..., None]


# What fills up a list: any number by which one may divide.
_NONE = 1.0
