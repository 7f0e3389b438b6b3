"""Sessions of maps and faces files, side by side on one contact sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fr3d.alignment.sources.maps import read_maps
from fr3d.artifacts.store import Artifact, index_rows, row_keys
from fr3d.errors import MissingInputError, UsageError
from fr3d.geometry.contact_sheet import SheetRow, contact_sheet
from fr3d.geometry.maps import FaceMaps, FloatArray
from fr3d.geometry.pictures import (
    Picture,
    confidence_picture,
    depth_picture,
    grey_picture,
    mask_picture,
    normal_picture,
    with_points,
)

Key = tuple[str, str]
Draw = Callable[[Artifact, int, FaceMaps], Picture]


@dataclass(frozen=True)
class _Column:
    artifact: Artifact
    heading: tuple[str, str]
    draw: Draw


def parse_rows(text: str) -> list[int]:
    """Read row numbers such as "0,4-7".

    Raises:
        UsageError: they are something else.

    >>> parse_rows("0,4-7")
    [0, 4, 5, 6, 7]
    """
    rows: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            shown = text or "''"
            raise UsageError(f"--rows {shown}: '{part}' is no row", "write them as in 0,4-7")
        if dash and int(first) > int(last):
            raise UsageError(
                f"--rows {text}: '{part}' runs backwards", "write the lower row first, as in 4-7"
            )
        rows += range(int(first), int(last or first) + 1)
    return rows


def choose_sessions(
    artifacts: Sequence[Artifact],
    rows: Sequence[int] = (),
    subjects: Sequence[str] = (),
    limit: int = 8,
) -> list[Key]:
    """Choose what to show, in the order of the first file.

    Args:
        artifacts: maps and faces files.
        rows: row numbers of the first file; empty means no choice by row.
        subjects: people; empty means everybody.
        limit: at most so many sessions, evenly spread; rows asked for by number are all shown.

    Raises:
        UsageError: there is no such row.
        MissingInputError: there is no session of such a person.
    """
    keys = list(dict.fromkeys(key for artifact in artifacts for key in row_keys(artifact)))
    if rows:
        first = row_keys(artifacts[0])
        wrong = [row for row in rows if row >= len(first)]
        if wrong:
            name = artifacts[0].paths[0].name
            raise UsageError(
                f"{name}: no row {wrong[0]}, it has {len(first)}", "rows are counted from 0"
            )
        keys = [first[row] for row in rows]
    if subjects:
        unknown = set(subjects) - {subject for subject, _ in keys}
        if unknown:
            name = artifacts[0].paths[0].name
            raise MissingInputError(
                f"{name}: no session of subject '{min(unknown)}'",
                f"it has {', '.join(dict.fromkeys(key[0] for key in keys[:60]))}"[:120],
            )
        keys = [key for key in keys if key[0] in subjects]
    if rows or len(keys) <= limit:
        return keys
    return [keys[int(place)] for place in np.linspace(0, len(keys) - 1, limit).round()]


def strangers(artifacts: Sequence[Artifact]) -> list[str]:
    """Names of the files after the first that no other file has a session in common with.

    Args:
        artifacts: maps and faces files, to be joined by session.
    """
    keys = [set(row_keys(artifact)) for artifact in artifacts]
    return [
        artifact.name
        for k, artifact in enumerate(artifacts)
        if k and not any(keys[k] & other for n, other in enumerate(keys) if n != k)
    ]


def session_sheet(artifacts: Sequence[Artifact], keys: Sequence[Key], tile: int = 128) -> Picture:
    """Draw the chosen sessions, one a line, with all that the files hold of each.

    Args:
        artifacts: maps and faces files, joined by subject and session.
        keys: subject and session of each line.
        tile: side of a picture on the sheet, pixels.

    Returns:
        (H, W, 3) RGB.
    """
    columns = [column for artifact in artifacts for column in _columns(artifact)]
    indices = {id(artifact): index_rows(artifact) for artifact in artifacts}
    lines = []
    for key in keys:
        maps = {
            id(artifact): (row, read_maps(artifact, row))
            for artifact in artifacts
            if (row := indices[id(artifact)].get(key)) is not None
        }
        pictures = [
            column.draw(column.artifact, *maps[id(column.artifact)])
            if id(column.artifact) in maps
            else None
            for column in columns
        ]
        lines.append(SheetRow(key, pictures))
    return contact_sheet(lines, [column.heading for column in columns], tile)


def _columns(artifact: Artifact) -> list[_Column]:
    """What can be drawn of a file, in the order of the work: flashes, maps, mask."""
    name = artifact.paths[0].name
    lights = artifact["raw"].shape[1] if "raw" in artifact else 0
    columns = [
        _Column(artifact, (name, f"flash {k}"), partial(_draw_flash, light=k))
        for k in range(lights)
    ]
    columns += [
        _Column(artifact, (name, "mean image" if map_name == "image" else map_name), draw)
        for map_name, draw in _DRAW.items()
        if map_name in artifact
    ]
    return columns


def _draw_flash(artifact: Artifact, row: int, maps: FaceMaps, light: int) -> Picture:
    flashes = artifact["raw"][row][:, : maps.height, : maps.width]
    # One brightness for all flashes of a session, so that they can be compared.
    return grey_picture(flashes[light], limits=(0.0, float(np.percentile(flashes, 99.5))))


def _draw_image(_: Artifact, __: int, maps: FaceMaps) -> Picture:
    picture = grey_picture(_present(maps, "image"))
    return picture if maps.landmarks is None else with_points(picture, maps.landmarks)


def _present(maps: FaceMaps, name: str) -> FloatArray:
    return maps.present[name]


_DRAW: dict[str, Draw] = {
    "image": _draw_image,
    "normal": lambda _, __, maps: normal_picture(_present(maps, "normal"), maps.mask),
    "albedo": lambda _, __, maps: grey_picture(_present(maps, "albedo"), maps.mask),
    "depth": lambda _, __, maps: depth_picture(_present(maps, "depth"), maps.mask),
    "confidence": lambda _, __, maps: confidence_picture(_present(maps, "confidence"), maps.mask),
    "mask": lambda _, __, maps: mask_picture(maps.mask),
}
