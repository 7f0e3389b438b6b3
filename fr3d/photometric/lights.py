"""Directions and intensities of the flashes of a capture, from `LightSource.m` or `lights.csv`."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction
from fr3d.photometric.matlab import Assignment, parse_assignments
from fr3d.photometric.text import read_text

FloatArray = npt.NDArray[np.float64]

MAX_CONDITION = 100.0
_SCALAR = re.compile(r"(zenith|azimuth)_?(\d+)", re.IGNORECASE)
_HINT = (
    "write rows `90-<zenith> 360-<azimuth>` in LightSource.m, or a lights.csv with columns "
    "zenith,azimuth or x,y,z"
)


@dataclass(frozen=True)
class Lights:
    """The flashes of one capture.

    Attributes:
        directions: (L, 3), unit vectors from the face to each light; x right, y up, z to the
            camera.
        intensity: (L,), relative intensity; photographs are divided by it.
        files: name of each light's photograph; empty when they go by their order.
    """

    directions: FloatArray
    intensity: FloatArray
    files: tuple[str, ...] = ()

    @property
    def condition(self) -> float:
        """Ratio of the largest to the smallest singular value: the gain of noise."""
        values = np.linalg.svd(self.directions, compute_uv=False)
        return float(values[0] / values[-1]) if values[-1] > 0 else float("inf")


def read_lights(path: Path) -> Lights:
    """Read a light file: a table when it ends in `.csv`, else Photoface's `LightSource.m`.

    Raises:
        MalformedInputError: the file is not what it should be; names line and expectation.
        MissingInputError: it cannot be read.
    """
    text = read_text(path)
    if path.suffix.lower() == ".csv":
        return parse_light_table(text, path.name)
    return parse_light_source(text, path.name)


def check_lights(lights: Lights, photographs: int, where: str) -> None:
    """Refuse lights that do not fit the photographs, or that leave normals undetermined.

    Args:
        lights: the flashes.
        photographs: how many there are.
        where: name of the light file.
    """
    count = len(lights.directions)
    if count != photographs:
        raise MalformedInputError(
            f"{where}: found {count} lights, expected {photographs}, one a photograph", _HINT
        )
    if count < 3:
        raise MalformedInputError(f"{where}: found {count} lights, expected at least 3")
    if lights.condition > MAX_CONDITION:
        raise MalformedInputError(
            f"{where}: the lights lie in one plane (condition {lights.condition:.3g}, expected at "
            f"most {MAX_CONDITION:g}), so that normals are not determined"
        )


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
        raise MalformedInputError(f"{where}: holds no light angles", _HINT)
    named = [_SCALAR.fullmatch(a.name) for a in found]
    if all(named):
        return _from_angles(*_scalars(found, where), where)
    rows = _matrix_rows(found, where)
    elevation, turned = np.array(rows, dtype=np.float64).T
    return _from_angles(90.0 - elevation, 360.0 - turned, where)


def _matrix_rows(found: Sequence[Assignment], where: str) -> list[tuple[float, ...]]:
    rows = [row for a in found for row in a.rows]
    wrong = next((a for a in found if any(len(r) != 2 for r in a.rows)), None)
    if wrong is not None or not rows:
        line, widths = (wrong or found[0]).line, [len(r) for r in (wrong or found[0]).rows]
        raise MalformedInputError(
            f"{where}: line {line}: found rows of {widths} values, expected 2 in each", _HINT
        )
    plain = next((a for a in found if not a.arithmetic), None)
    if plain is not None:
        raise MalformedInputError(
            f"{where}: line {plain.line}: plain numbers may be zeniths or elevations, expected "
            "rows as `90-36 360-134`",
            _HINT,
        )
    return rows


def _scalars(found: Sequence[Assignment], where: str) -> tuple[FloatArray, FloatArray]:
    """Zenith and azimuth from lines such as `zenith1 = 36`, by number."""
    values: dict[str, dict[int, float]] = {"zenith": {}, "azimuth": {}}
    for a in found:
        match = _SCALAR.fullmatch(a.name)
        if match is None or a.arithmetic or [len(r) for r in a.rows] != [1]:
            raise MalformedInputError(
                f"{where}: line {a.line}: '{a.name}' is not one plain number", _HINT
            )
        values[match[1].lower()][int(match[2])] = a.rows[0][0]
    if set(values["zenith"]) != set(values["azimuth"]):
        raise MalformedInputError(
            f"{where}: found {len(values['zenith'])} zeniths and {len(values['azimuth'])} "
            "azimuths, expected one of each a light",
            _HINT,
        )
    order = sorted(values["zenith"])
    zenith, azimuth = (np.array([values[k][i] for i in order]) for k in ("zenith", "azimuth"))
    return zenith, azimuth


def _from_angles(zenith: FloatArray, azimuth: FloatArray, where: str) -> Lights:
    if ((zenith < 0) | (zenith > 180)).any():
        raise MalformedInputError(
            f"{where}: found a zenith of {zenith[(zenith < 0) | (zenith > 180)][0]:g} degrees, "
            "expected 0 to 180",
            _HINT,
        )
    return Lights(direction(zenith, azimuth), np.ones(len(zenith)))


def parse_light_table(text: str, where: str) -> Lights:
    """Read a `lights.csv`.

    The header names either x,y,z (any length, from the face to the light, y up) or zenith,azimuth
    (degrees, azimuth clockwise from up); `file` (name of the photograph) and `intensity` are
    optional. Without `file` the rows follow the photographs in numeric order.

    Args:
        text: the file's content.
        where: its name, for messages.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    header = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    wanted = next(
        (c for c in (("x", "y", "z"), ("zenith", "azimuth")) if set(c) <= set(header)), ()
    )
    if not wanted:
        raise MalformedInputError(
            f"{where}: found columns {','.join(header)[:80] or 'none'}, expected x,y,z or "
            "zenith,azimuth",
            _HINT,
        )
    reader.fieldnames = header
    rows = list(reader)
    values = np.array(
        [[_number(row, c, where, i) for c in wanted] for i, row in enumerate(rows, 2)]
    )
    intensity = np.ones(len(rows))
    if "intensity" in header:
        intensity = np.array([_number(r, "intensity", where, i) for i, r in enumerate(rows, 2)])
        if (intensity <= 0).any():
            raise MalformedInputError(f"{where}: found an intensity of 0 or less", _HINT)
    files = tuple((row["file"] or "").strip() for row in rows) if "file" in header else ()
    if not rows:
        raise MalformedInputError(f"{where}: holds no lights", _HINT)
    if len(wanted) == 2:
        angles = _from_angles(values[:, 0], values[:, 1], where)
        return Lights(angles.directions, intensity, files)
    return Lights(_unit(values, where), intensity, files)


def _number(row: Mapping[str, str | None], column: str, where: str, line: int) -> float:
    text = (row.get(column) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise MalformedInputError(
            f"{where}: line {line}: {column} is {text[:20]!r}, expected a number", _HINT
        )
    return value


def _unit(vectors: FloatArray, where: str) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (length < 1e-9).any():
        raise MalformedInputError(f"{where}: found a light direction of length 0", _HINT)
    return vectors / length
