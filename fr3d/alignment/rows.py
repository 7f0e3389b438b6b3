"""Rows of a maps file in, columns of a faces file out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.align import AlignedFace, align_maps
from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import Artifact
from fr3d.errors import MalformedInputError
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.similarity import compose, inverse

Columns = dict[str, npt.NDArray[Any] | list[str]]

MAPS = ("normal", "albedo", "depth", "image", "confidence")
# Datasets that hold one value a session and mean the same in the new frame.
_KEPT = ("light_intensity",)


@dataclass(frozen=True)
class AlignedRows:
    """Faces of some rows.

    Args:
        columns: datasets of a faces file by name, M rows each.
        rows: which rows of the maps file they are, M of them.
        rejected: the other rows that were asked for, with the reason.
    """

    columns: Columns
    rows: tuple[int, ...]
    rejected: tuple[Reject, ...]


def check_alignable(artifact: Artifact, recipe: AlignmentRecipe) -> None:
    """Refuse early what cannot be aligned in this way.

    Args:
        artifact: a maps file.
        recipe: how it is to be aligned.

    Raises:
        MalformedInputError: aligned already, no maps, or no dataset to find faces by.
    """
    name = artifact.paths[0].name
    if artifact.frame.startswith("face:"):
        raise MalformedInputError(
            f"{name}: aligned already, its frame is '{artifact.frame}'",
            "give the file that 'fr3d ps-reconstruct' wrote",
        )
    if not any(m in artifact for m in MAPS):
        raise MalformedInputError(f"{name}: no dataset of maps, expected one of {', '.join(MAPS)}")
    needed = {"yunet": "image", "capture": "landmarks"}.get(recipe.detector)
    if recipe.detector == "auto" and "landmarks" not in artifact:
        needed = "image"
    if needed and needed not in artifact:
        raise MalformedInputError(
            f"{name}: no dataset '{needed}', which --detector {recipe.detector} needs",
            "choose another --detector; 'none' needs nothing",
        )


def read_maps(artifact: Artifact, row: int) -> FaceMaps:
    """Read the maps of one row, without the padding that gives rows of a file one size.

    Args:
        artifact: a maps file.
        row: which row.

    Raises:
        MalformedInputError: `size` is larger than the maps.
    """
    maps = {name: artifact[name][row] for name in MAPS if name in artifact}
    shape = next(iter(maps.values())).shape[:2]
    height, width = (int(n) for n in artifact["size"][row]) if "size" in artifact else shape
    if not (0 < height <= shape[0] and 0 < width <= shape[1]):
        raise MalformedInputError(
            f"{artifact.paths[0].name}: row {row} has size {height} x {width}, "
            f"expected at most {shape[0]} x {shape[1]}",
            "make the maps again",
        )
    mask = artifact["mask"][row] > 0 if "mask" in artifact else np.ones(shape, dtype=bool)
    cut = np.s_[:height, :width]
    return FaceMaps(
        mask=mask[cut],
        landmarks=artifact["landmarks"][row] if "landmarks" in artifact else None,
        **{name: values[cut] for name, values in maps.items()},
    )


def align_rows(artifact: Artifact, rows: Sequence[int], recipe: AlignmentRecipe) -> AlignedRows:
    """Align some rows of a maps file.

    Args:
        artifact: a maps file that `check_alignable` lets pass.
        rows: which rows.
        recipe: how.

    Returns:
        Faces as a faces file stores them, and the rows that could not be aligned.
    """
    records: list[Mapping[str, Any]] = []
    kept: list[int] = []
    rejected: list[Reject] = []
    for row in rows:
        try:
            maps = read_maps(artifact, row)
            _check_finite(maps)
            face = align_maps(maps, recipe)
            records.append(_stored(face, artifact, row))
            kept.append(row)
        except NoFaceError as error:
            subject, session = (artifact.text_at(n, row) for n in ("subject_id", "session_id"))
            rejected.append(Reject(subject, session, error.message))
    return AlignedRows(_columns(records, artifact, kept), tuple(kept), tuple(rejected))


def _check_finite(maps: FaceMaps) -> None:
    """A hole in the surface is for the mask to say; warping would turn it into zeros."""
    for name in ("normal", "albedo", "image"):
        values = maps.present.get(name)
        if values is not None and not np.isfinite(values[maps.mask]).all():
            raise NoFaceError(f"{name} is not finite on all of the mask")


def _stored(face: AlignedFace, artifact: Artifact, row: int) -> dict[str, Any]:
    """One face as arrays of the types that a faces file holds."""
    record: dict[str, Any] = {
        name: _half(name, values) for name, values in face.maps.present.items()
    }
    record["mask"] = face.maps.mask.astype(np.uint8)
    record["landmarks"] = np.asarray(face.maps.landmarks, dtype=np.float32)
    back = inverse(face.matrix)
    if "warp" in artifact:
        back = compose(artifact["warp"][row], back)
    record["warp"] = back.astype(np.float32)
    if "lights" in artifact:
        record["lights"] = _turn_lights(artifact["lights"][row], face)
    if "scale_mm" in artifact:
        record["scale_mm"] = np.float32(artifact["scale_mm"][row] / face.quality["face_scale"])
    record |= {f"quality/{name}": np.float32(value) for name, value in face.quality.items()}
    return record


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


def _columns(
    records: Sequence[Mapping[str, Any]], artifact: Artifact, rows: Sequence[int]
) -> Columns:
    """Put rows one over the other, beside what is inherited as it is."""
    if not records:
        return {}
    inherited = [
        name
        for name in artifact.names
        if name in ("subject_id", "session_id", *_KEPT)
        or name.startswith(("attribute/", "quality/"))
    ]
    columns: Columns = {name: artifact[name][list(rows)] for name in inherited}
    return columns | {name: np.stack([r[name] for r in records]) for name in records[0]}
