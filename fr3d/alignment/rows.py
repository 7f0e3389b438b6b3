"""Faces of some rows of a source, as columns of a faces file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.align import AlignedFace, align_face
from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.sources.source import Source, Unaligned
from fr3d.artifacts.rows import Reject
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.geometry.similarity import compose, inverse

Columns = dict[str, npt.NDArray[Any] | list[str]]


@dataclass(frozen=True)
class AlignedRows:
    """Faces of some rows.

    Args:
        columns: datasets of a faces file by name, M rows each.
        rows: which rows of the source they are, M of them.
        rejected: the other rows that were asked for, with the reason.
    """

    columns: Columns
    rows: tuple[int, ...]
    rejected: tuple[Reject, ...]


def align_rows(
    source: Source,
    rows: Sequence[int],
    recipe: AlignmentRecipe,
    datasets: Sequence[str] | None = None,
) -> AlignedRows:
    """Align some rows.

    Args:
        source: of faces.
        rows: which.
        recipe: how.
        datasets: what every row holds; a row that lacks one is left out, more is dropped. None
            for what the first of the rows that can be aligned holds.

    Returns:
        Faces as a faces file stores them, and the rows that could not be aligned.
    """
    records: list[Mapping[str, Any]] = []
    kept: list[int] = []
    rejected: list[Reject] = []
    for row in rows:
        try:
            record = _record(source, row, recipe)
            datasets = tuple(record) if datasets is None else datasets
            record = _like(record, datasets)
        except (MalformedInputError, MissingInputError) as error:
            rejected.append(Reject(*source.key(row), error.message))
            continue
        records.append(record)
        kept.append(row)
    return AlignedRows(_columns(records), tuple(kept), tuple(rejected))


def first_datasets(source: Source, recipe: AlignmentRecipe) -> tuple[str, ...] | None:
    """What the first row that can be aligned holds, so that all parts of a file hold the same.

    Args:
        source: of faces.
        recipe: how they are aligned.

    Returns:
        Names of datasets; None where no row can be aligned.
    """
    for row in range(len(source)):
        try:
            return tuple(_record(source, row, recipe))
        except (MalformedInputError, MissingInputError):
            continue
    return None


def _record(source: Source, row: int, recipe: AlignmentRecipe) -> dict[str, Any]:
    """One aligned face as it is stored."""
    face = source.read(row)
    return _stored(align_face(face, recipe, quick=source.kind != "maps"), face)


def _stored(aligned: AlignedFace, face: Unaligned) -> dict[str, Any]:
    """One face as arrays of the types that a faces file holds."""
    record = dict(face.record)
    record |= {name: _half(name, values) for name, values in aligned.maps.present.items()}
    record["mask"] = aligned.maps.mask.astype(np.uint8)
    record["landmarks"] = np.asarray(aligned.maps.landmarks, dtype=np.float32)
    back = inverse(aligned.matrix)
    if face.warp is not None:
        back = compose(face.warp, back)
    record["warp"] = back.astype(np.float32)
    record["scale_mm"] = np.float32(aligned.scale_mm)
    if "lights" in record:
        record["lights"] = _turn_lights(record["lights"], aligned)
    return record | {f"quality/{n}": np.float32(value) for n, value in aligned.quality.items()}


def _like(record: Mapping[str, Any], datasets: Sequence[str]) -> dict[str, Any]:
    """Rows of one file hold the same maps."""
    missing = sorted(set(datasets) - set(record))
    if missing:
        raise NoFaceError(f"it has no '{missing[0]}', unlike the first session")
    return {name: record[name] for name in datasets}


def _half(name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.float16]:
    """Store at half precision; a value that does not fit ends the row, it is never cut off."""
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    if np.isinf(half).any():
        largest = float(np.nanmax(np.abs(values)))
        raise NoFaceError(f"{name} reaches {largest:.3g}, expected at most 65504")
    return half


def _turn_lights(lights: npt.NDArray[Any], face: AlignedFace) -> npt.NDArray[np.float32]:
    """Directions to the lights as the upright face sees them; (L, 3), y up."""
    angle = -np.deg2rad(face.quality["face_roll"])
    c, s = np.cos(angle), np.sin(angle)
    turned = lights.astype(np.float64)
    turned[:, :2] = turned[:, :2] @ np.array([[c, s], [-s, c]])
    return turned.astype(np.float32)


def _columns(records: Sequence[Mapping[str, Any]]) -> Columns:
    """Put rows one over the other."""
    if not records:
        return {}
    return {name: np.stack([record[name] for record in records]) for name in records[0]}
