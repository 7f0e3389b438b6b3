"""Light tables in CSV."""

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np

from fr3d.errors import MalformedInputError
from fr3d.photometric.light_files.model import (
    FloatArray,
    Lights,
    check_intensity,
    light_hint,
    lights_from_angles,
    unit_vectors,
)

_Rows = Sequence[tuple[int, Mapping[str, str | None]]]
_DIRECTIONS = (("x", "y", "z"), ("zenith", "azimuth"))
_INTENSITIES = (("intensity",), ("red", "green", "blue"))
_POSITION = ("x_mm", "y_mm", "z_mm")


def parse_light_table(text: str, where: str) -> Lights:
    """Read a `lights.csv`.

    The header names either x,y,z (any length, from the face to the light, y up) or zenith,azimuth
    (degrees, azimuth clockwise from up); `file` (name of the photograph), `intensity` or
    red,green,blue and x_mm,y_mm,z_mm (position) are optional. Without `file` the rows follow the
    photographs in numeric order.

    Args:
        text: the file's content.
        where: its name, for messages.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    header = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    wanted = next((c for c in _DIRECTIONS if set(c) <= set(header)), ())
    if not wanted:
        raise MalformedInputError(
            f"{where}: found columns {','.join(header)[:80] or 'none'}, expected x,y,z or "
            "zenith,azimuth",
            light_hint(where),
        )
    reader.fieldnames = header
    rows = [(reader.line_num, row) for row in reader]
    if not rows:
        raise MalformedInputError(f"{where}: holds no lights", light_hint(where))
    values = _numbers(rows, wanted, where)
    directions = (
        lights_from_angles(values[:, 0], values[:, 1], where).directions
        if len(wanted) == 2
        else unit_vectors(values, where)
    )
    files = tuple((row["file"] or "").strip() for _, row in rows) if "file" in header else ()
    positions = _numbers(rows, _POSITION, where) if set(_POSITION) <= set(header) else None
    return Lights(directions, _intensity(rows, header, where), files, positions)


def _intensity(rows: _Rows, header: Sequence[str], where: str) -> FloatArray:
    columns = next((c for c in _INTENSITIES if set(c) <= set(header)), None)
    if columns is None:
        return np.ones(len(rows))
    values = check_intensity(_numbers(rows, columns, where), where)
    return values[:, 0] if len(columns) == 1 else values


def _numbers(rows: _Rows, columns: Sequence[str], where: str) -> FloatArray:
    return np.array([[_number(row, c, where, line) for c in columns] for line, row in rows])


def _number(row: Mapping[str, str | None], column: str, where: str, line: int) -> float:
    text = (row.get(column) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise MalformedInputError(
            f"{where}: line {line}: {column} is {text[:20]!r}, expected a number", light_hint(where)
        )
    return value
