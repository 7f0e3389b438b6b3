"""fr3d's own light file: a JSON document, as `calibrate` writes it."""

import json
import math
from typing import Any

import numpy as np

from fr3d.errors import MalformedInputError
from fr3d.photometric.light_files.model import (
    FloatArray,
    Lights,
    check_intensity,
    light_hint,
    unit_vectors,
)

FORMAT, VERSION = "fr3d.lights", 1


def parse_light_document(text: str, where: str) -> Lights:
    """Read a `lights.json`.

    Each entry of `lights` has a `direction` [x, y, z] of any length or a `position_mm`, and if need
    be an `intensity` (a number, or red, green and blue) and the `file` of its photograph. What else
    stands there, such as figures of the calibration, is passed over.

    Args:
        text: the file's content.
        where: its name, for messages.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedInputError(f"{where}: {line}not JSON", light_hint(where)) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise MalformedInputError(
            f"{where}: not a light file, expected format '{FORMAT}'", light_hint(where)
        )
    if document.get("version") != VERSION:
        raise MalformedInputError(
            f"{where}: found version {str(document.get('version'))[:20]}, expected {VERSION}"
        )
    entries = document.get("lights")
    if not isinstance(entries, list) or not entries:
        raise MalformedInputError(f"{where}: holds no lights", light_hint(where))
    for i, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise MalformedInputError(f"{where}: light {i}: expected an object", light_hint(where))
    return _lights(entries, where)


def _lights(entries: list[dict[str, Any]], where: str) -> Lights:
    positions = [_numbers(e, "position_mm", (3,), where, i) for i, e in enumerate(entries, 1)]
    with_position = sum(p is not None for p in positions)
    if with_position not in (0, len(entries)):
        raise MalformedInputError(
            f"{where}: found {with_position} lights with a position_mm, expected all "
            f"{len(entries)} or none",
            light_hint(where),
        )
    directions = []
    for i, entry in enumerate(entries, 1):
        vector = _numbers(entry, "direction", (3,), where, i)
        vector = positions[i - 1] if vector is None else vector
        if vector is None:
            raise MalformedInputError(f"{where}: light {i}: no direction", light_hint(where))
        directions.append(vector)
    return Lights(
        unit_vectors(np.array(directions), where),
        _intensity(entries, where),
        _files(entries, where),
        np.array(positions) if with_position else None,
    )


def _intensity(entries: list[dict[str, Any]], where: str) -> FloatArray:
    given = [_numbers(e, "intensity", (1, 3), where, i) for i, e in enumerate(entries, 1)]
    width = max((len(g) for g in given if g is not None), default=1)
    rows = [np.broadcast_to([1.0] if g is None else g, width) for g in given]
    values = check_intensity(np.array(rows, dtype=np.float64), where)
    return values[:, 0] if width == 1 else values


def _files(entries: list[dict[str, Any]], where: str) -> tuple[str, ...]:
    names = [e.get("file") for e in entries]
    if not any(n is not None for n in names):
        return ()
    if not all(isinstance(n, str) and n for n in names):
        raise MalformedInputError(
            f"{where}: a file must be named for all lights or none", light_hint(where)
        )
    return tuple(map(str, names))


def _numbers(
    entry: dict[str, Any], key: str, counts: tuple[int, ...], where: str, light: int
) -> list[float] | None:
    value = entry.get(key)
    if value is None:
        return None
    values = value if isinstance(value, list) else [value]
    good = all(type(v) in (int, float) and math.isfinite(v) for v in values)
    if not good or len(values) not in counts:
        expected = " or ".join(map(str, counts))
        raise MalformedInputError(
            f"{where}: light {light}: {key} is {json.dumps(value)[:30]}, expected {expected} "
            "finite numbers",
            light_hint(where),
        )
    return [float(v) for v in values]
