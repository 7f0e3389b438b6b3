"""Directions and intensities of the flashes of a capture, from light files of several kinds."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from fr3d.errors import MalformedInputError, UsageError
from fr3d.photometric.light_files.document import parse_light_document
from fr3d.photometric.light_files.model import INTENSITIES, Lights, light_hint
from fr3d.photometric.light_files.numbers import (
    parse_intensities,
    parse_light_array,
    parse_light_numbers,
)
from fr3d.photometric.light_files.photoface import parse_light_source
from fr3d.photometric.light_files.relight import parse_lp
from fr3d.photometric.light_files.table import parse_light_table
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.text import MAX_BYTES, decode_text

__all__ = [
    "Lights",
    "check_axes",
    "check_lights",
    "flipped",
    "light_files",
    "parse_light_source",
    "parse_light_table",
    "read_lights",
]

MAX_CONDITION = 100.0
BEHIND = -0.15  # z; a light up to 8 degrees behind still reaches cheeks and nose
_DIRECTIONS = "light_directions.txt"
_TEXTS: dict[str, Callable[[str, str], Lights]] = {
    ".csv": parse_light_table,
    ".json": parse_light_document,
    ".lp": parse_lp,
    ".m": parse_light_source,
    ".txt": parse_light_numbers,
}
_KINDS = "LightSource.m, .csv, .json, .lp, .txt or .npy"


def light_files(path: Path) -> tuple[Path, ...]:
    """A light file and what belongs to it: DiLiGenT writes intensities into a second one.

    Args:
        path: the file with the directions.
    """
    beside = path.with_name(INTENSITIES)
    if path.name.lower() == _DIRECTIONS and beside.is_file():
        return path, beside
    return (path,)


def read_lights(path: Path, sources: SourceFiles | None = None, flip: str = "") -> Lights:
    """Read a light file; what follows its last point tells the kind.

    Args:
        path: LightSource.m, .csv, .json, .lp, .txt (light_directions.txt with the
            light_intensities.txt beside it) or .npy.
        sources: reads the files.
        flip: axes to negate, such as `yz`, for files with y down and z away from the camera.

    Raises:
        MalformedInputError: the file is not what it should be; names line and expectation.
        MissingInputError: it cannot be read.
    """
    sources = sources or SourceFiles()
    content = [sources.read(p, MAX_BYTES + 1) for p in light_files(path)]
    return flipped(_parsed(path.suffix.lower(), path.name, *content), flip)


@lru_cache(maxsize=64)  # the sessions of one rig often hold the same lines
def _parsed(suffix: str, name: str, data: bytes, intensities: bytes | None = None) -> Lights:
    if suffix == ".npy":
        lights = parse_light_array(data, name)
    elif suffix in _TEXTS:
        lights = _TEXTS[suffix](decode_text(data, name), name)
    else:
        raise MalformedInputError(f"{name}: not a light file by its name, expected {_KINDS}")
    if intensities is None:
        return lights
    text = decode_text(intensities, INTENSITIES)
    count = len(lights.directions)
    return Lights(lights.directions, parse_intensities(text, count, INTENSITIES), lights.files)


def flipped(lights: Lights, axes: str) -> Lights:
    """Negate axes of directions and positions.

    Args:
        lights: the flashes.
        axes: letters of x, y, z; empty changes nothing.
    """
    if not axes:
        return lights
    check_axes(axes)
    sign = np.array([-1.0 if a in axes else 1.0 for a in "xyz"])
    places = None if lights.positions_mm is None else lights.positions_mm * sign
    return Lights(lights.directions * sign, lights.intensity, lights.files, places)


def check_axes(axes: str) -> None:
    """Refuse what does not name axes.

    Args:
        axes: letters of x, y, z, each at most once; may be empty.

    Raises:
        UsageError: see above.
    """
    if not set(axes) <= set("xyz") or len(set(axes)) < len(axes):
        raise UsageError(f"no such axes: {axes}", "give one or more of x, y and z, as in yz")


def check_lights(lights: Lights, photographs: int, where: str) -> None:
    """Refuse lights that do not fit the photographs, or that leave normals undetermined.

    Single lights behind the face are no error: they light what is turned away. Nor are lights that
    graze it from behind.

    Args:
        lights: the flashes.
        photographs: how many there are.
        where: name of the light file.
    """
    count = len(lights.directions)
    if count != photographs:
        raise MalformedInputError(
            f"{where}: found {count} lights, expected {photographs}, one a photograph",
            light_hint(where),
        )
    if count < 3:
        raise MalformedInputError(f"{where}: found {count} lights, expected at least 3")
    if lights.condition > MAX_CONDITION:
        raise MalformedInputError(
            f"{where}: the lights lie in one plane ({_which(lights)}; condition "
            f"{lights.condition:.3g}, expected at most {MAX_CONDITION:g}), so that normals are "
            "not determined",
            "normals need three lights whose directions span space",
        )

    if (lights.directions[:, 2] <= BEHIND).all():
        raise MalformedInputError(
            f"{where}: all {count} lights stand behind the face, expected some with z above 0 "
            "(--flip-lights z, or yz with y down, if z points away from the camera)",
            "z points to the camera and a light is where it stands, not where it shines",
        )


def _which(lights: Lights) -> str:
    """Name the lights, shortly."""
    names = lights.files or tuple(str(i) for i in range(1, len(lights.directions) + 1))
    if len(names) > 4:
        return f"all {len(names)}, {names[0]} to {names[-1]}"
    return f"{', '.join(names[:-1])} and {names[-1]}"
