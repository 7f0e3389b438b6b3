"""Photoface's `LightSource.m`."""

import re
from collections.abc import Sequence

import numpy as np

from fr3d.errors import MalformedInputError
from fr3d.photometric.light_files.model import (
    FloatArray,
    Lights,
    light_hint,
    lights_from_angles,
)
from fr3d.photometric.matlab import Assignment, parse_assignments

_SCALAR = re.compile(r"(zenith|azimuth)_?(\d+)", re.IGNORECASE)


def parse_light_source(text: str, where: str) -> Lights:
    """Read the arithmetic of Photoface's `LightSource.m`.

    Row i belongs to im{i} and is written `90-<zenith> 360-<azimuth>`: the values of the two
    expressions are the light's elevation above the image plane and its azimuth counted the other
    way round. A matrix of plain numbers is refused: nothing tells elevations from zeniths. Scalars
    named `zenith1`, `azimuth1` and so on are taken by their names.

    Args:
        text: the file's content.
        where: its name, for messages.

    >>> parse_light_source("L = [90-90 360-90; 90-0 360-0; 90-90 360-0]", "f").directions.round(3)
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    found = [a for a in parse_assignments(text, where) if a.rows]
    if not found:
        raise MalformedInputError(f"{where}: holds no light angles", light_hint(where))
    named = [_SCALAR.fullmatch(a.name) for a in found]
    if all(named):
        return lights_from_angles(*_scalars(found, where), where)
    rows = _matrix_rows(found, where)
    elevation, turned = np.array(rows, dtype=np.float64).T
    return lights_from_angles(90.0 - elevation, 360.0 - turned, where)


def _matrix_rows(found: Sequence[Assignment], where: str) -> list[tuple[float, ...]]:
    rows = [row for a in found for row in a.rows]
    wrong = next((a for a in found if any(len(r) != 2 for r in a.rows)), None)
    if wrong is not None or not rows:
        line, widths = (wrong or found[0]).line, [len(r) for r in (wrong or found[0]).rows]
        raise MalformedInputError(
            f"{where}: line {line}: found rows of {widths} values, expected 2 in each",
            light_hint(where),
        )
    plain = next((a for a in found if not a.arithmetic), None)
    if plain is not None:
        raise MalformedInputError(
            f"{where}: line {plain.line}: plain numbers may be zeniths or elevations, expected "
            "rows as `90-36 360-134`",
            light_hint(where),
        )
    return rows


def _scalars(found: Sequence[Assignment], where: str) -> tuple[FloatArray, FloatArray]:
    """Zenith and azimuth from lines such as `zenith1 = 36`, by number."""
    values: dict[str, dict[int, float]] = {"zenith": {}, "azimuth": {}}
    for a in found:
        match = _SCALAR.fullmatch(a.name)
        if match is None or a.arithmetic or [len(r) for r in a.rows] != [1]:
            raise MalformedInputError(
                f"{where}: line {a.line}: '{a.name}' is not one plain number", light_hint(where)
            )
        values[match[1].lower()][int(match[2])] = a.rows[0][0]
    if set(values["zenith"]) != set(values["azimuth"]):
        raise MalformedInputError(
            f"{where}: found {len(values['zenith'])} zeniths and {len(values['azimuth'])} "
            "azimuths, expected one of each a light",
            light_hint(where),
        )
    order = sorted(values["zenith"])
    zenith, azimuth = (np.array([values[k][i] for i in order]) for k in ("zenith", "azimuth"))
    return zenith, azimuth
