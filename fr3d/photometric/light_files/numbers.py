"""Light files that hold nothing but numbers: text and NPY."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.light_files.model import (
    FloatArray,
    Lights,
    check_intensity,
    light_hint,
    unit_vectors,
)
from fr3d.photometric.npy import load_numbers

_SEPARATORS = re.compile(r"[,;\s]+")


def parse_light_numbers(text: str, where: str) -> Lights:
    """Read directions as text: three numbers a light and line, or three lines of x, y and z.

    Args:
        text: the file's content; `#` and `%` begin comments.
        where: its name, for messages.
    """
    return Lights(directions := _directions(_table(text, where), where), np.ones(len(directions)))


def parse_intensities(text: str, count: int, where: str) -> FloatArray:
    """Read intensities: one number or red, green and blue of a light on each line.

    Args:
        text: the file's content.
        count: of the lights.
        where: its name, for messages.

    Returns:
        (L,) or (L, 3).
    """
    table = _table(text, where)
    if table.shape[0] == 1 and table.shape[1] == count and count != 3:
        table = table.T
    if len(table) != count or table.shape[1] not in (1, 3):
        raise MalformedInputError(
            f"{where}: found {len(table)} rows of {table.shape[1]} numbers, expected {count} of 1 "
            "or 3, one a light"
        )
    return check_intensity(table[:, 0] if table.shape[1] == 1 else table, where)


def parse_light_array(data: bytes, where: str) -> Lights:
    """Read directions from NPY, L x 3 or 3 x L; Python objects are refused, never loaded.

    Args:
        data: the whole file.
        where: its name, for messages.
    """
    table = load_numbers(data, where, light_hint(where)).astype(np.float64)
    if not np.isfinite(table).all():
        raise MalformedInputError(f"{where}: found a light that is not finite", light_hint(where))
    directions = _directions(table, where)
    return Lights(directions, np.ones(len(directions)))


def finite_number(text: str, where: str, line: int) -> float:
    """Read one number.

    Args:
        text: the word.
        where: name of the file, for messages.
        line: its line, from 1.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise MalformedInputError(
            f"{where}: line {line}: found {text[:20]!r}, expected a number", light_hint(where)
        )
    return value


def _table(text: str, where: str) -> FloatArray:
    rows: list[list[float]] = []
    for i, line in enumerate(text.split("\n"), 1):
        words = [w for w in _SEPARATORS.split(re.split("[#%]", line)[0]) if w]
        if not words:
            continue
        row = [finite_number(w, where, i) for w in words]
        if rows and len(row) != len(rows[0]):
            raise MalformedInputError(
                f"{where}: line {i}: found {len(row)} numbers, expected {len(rows[0])}",
                light_hint(where),
            )
        rows.append(row)
    if not rows:
        raise MalformedInputError(f"{where}: holds no numbers", light_hint(where))
    return np.array(rows, dtype=np.float64)


def _directions(table: npt.NDArray[Any], where: str) -> FloatArray:
    if table.ndim == 2 and table.shape[1] != 3 and table.shape[0] == 3:
        table = table.T
    if table.ndim != 2 or table.shape[1] != 3 or not len(table):
        shape = " x ".join(map(str, table.shape))
        raise MalformedInputError(
            f"{where}: found {shape} numbers, expected 3 a light, as L x 3 or 3 x L",
            light_hint(where),
        )
    return unit_vectors(table, where)
