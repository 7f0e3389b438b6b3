"""The lights of views, as a command line writes them."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError
from fr3d.geometry.lights import direction
from fr3d.geometry.normals import unit

Lights = npt.NDArray[np.float64]

_HINT = "write zenith,azimuth in degrees, x,y,z, or circle:zenith,count"
_FRONT_AND_SIDES = ("0,0", "50,270", "50,90", "50,0")
_UPPER_LEFT = ("35,315",)
_MOST = 3600

LIT = ("relit", "shaded", "viewer")
"""Kinds that a light changes."""


def parse_lights(texts: Sequence[str], kind: str) -> Lights:
    """Read the lights of views.

    Args:
        texts: each "zenith,azimuth" in degrees, "x,y,z", or "circle:zenith,count" for as many
            lights around the camera axis, clockwise from above; empty takes the usual ones.
        kind: what is drawn; relit views are lit from the front and three sides, else once.

    Returns:
        (K, 3) unit vectors from the face to the light.

    Raises:
        UsageError: something else was written, or the kind shows no light.

    >>> parse_lights(["90,90"], "relit").round(2).tolist()
    [[1.0, 0.0, 0.0]]
    """
    if texts and kind not in LIT:
        raise UsageError(f"--light {texts[0]}: {kind} shows no light", "draw views by --as relit")
    usual = _FRONT_AND_SIDES if kind == "relit" else _UPPER_LEFT
    return np.concatenate([_parse(text) for text in texts or usual])


def _parse(text: str) -> Lights:
    """The lights of one word, (k, 3)."""
    circle = text.startswith("circle:")
    try:
        numbers = [float(part) for part in text.removeprefix("circle:").split(",")]
    except ValueError as error:
        raise UsageError(f"--light {text}: not numbers", _HINT) from error
    if not all(math.isfinite(n) for n in numbers) or len(numbers) not in (
        (2,) if circle else (2, 3)
    ):
        raise UsageError(f"--light {text}: no direction", _HINT)
    if circle:
        return _circle(text, *numbers)
    if len(numbers) == 2:
        _check_zenith(text, numbers[0])
    vector = direction(*numbers) if len(numbers) == 2 else unit(np.array(numbers))
    if not vector.any():
        raise UsageError(f"--light {text}: no direction", _HINT)
    return np.asarray(vector, dtype=np.float64)[None]


def _circle(text: str, zenith: float, count: float) -> Lights:
    _check_zenith(text, zenith)
    if count != int(count) or not 1 <= count <= _MOST:
        raise UsageError(
            f"--light {text}: the count is not a whole number from 1 to {_MOST}", _HINT
        )
    return direction(zenith, np.arange(int(count)) * (360.0 / count))


def _check_zenith(text: str, zenith: float) -> None:
    if not 0.0 <= zenith <= 180.0:
        raise UsageError(f"--light {text}: the zenith is not from 0 to 180 degrees", _HINT)
