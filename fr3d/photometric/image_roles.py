"""What a file beside the flashes is for, told by its name."""

import fnmatch
import re
from collections.abc import Iterable
from pathlib import Path

from fr3d.photometric.image_header import SUFFIXES

LIGHT_SOURCE = "lightsource.m"
LIGHT_FILES = (
    "lights.csv",
    "lights.json",
    "lights.lp",
    "lights.txt",
    "lights.npy",
    "light_directions.txt",
    "light_directions.npy",
    "sources.npy",
)
_MASK = re.compile(r"(?:.+[._-])?mask", re.IGNORECASE)
_AMBIENT = re.compile(r"ambient.*|.+[._-]ambient", re.IGNORECASE)


def numeric_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key by which `im10` follows `im9`."""
    words = re.split(r"(\d+)", path.name.lower())
    return [(0, int(w), "") if w.isdecimal() else (1, 0, w) for w in words]


def is_photograph(path: Path) -> bool:
    """Whether the name is that of an image other than a light file."""
    name = path.name.lower()
    return path.suffix.lower() in SUFFIXES and name[0] != "." and name not in LIGHT_FILES


def is_mask(path: Path) -> bool:
    """Whether the image says where the object is: `mask.png`, `cat.mask.png`, `x_mask.bmp`."""
    return _MASK.fullmatch(path.stem) is not None


def is_ambient(path: Path, pattern: str | None) -> bool:
    """Whether the photograph was taken without any flash.

    Args:
        path: the photograph.
        pattern: name or glob that the user gave; None goes by names such as `ambient.png` and
            `x_Ambient.pgm`.
    """
    if pattern is None:
        return _AMBIENT.fullmatch(path.stem) is not None
    name, wanted = path.name.lower(), pattern.lower()
    return fnmatch.fnmatchcase(name, wanted) or path.stem.lower() == wanted


def in_order(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Photographs sorted by the numbers in their names."""
    return tuple(sorted(paths, key=numeric_order))
