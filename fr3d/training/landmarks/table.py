"""The table of pictures and points that the landmark network learns from, and its two sides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.alignment.landmarks import NoFaceError, ordered
from fr3d.artifacts.tables import read_table
from fr3d.errors import MalformedInputError, MissingInputError, UsageError

POINTS = ("eye_image_left", "eye_image_right", "nose_tip", "mouth_image_left", "mouth_image_right")
COLUMNS = tuple(f"{point}_{axis}" for point in POINTS for axis in "xy")
FOLDER = "images"


@dataclass(frozen=True)
class FaceTable:
    """Faces with their points.

    Args:
        path: the table.
        images: (N,) files.
        groups: (N,) names; faces of one group belong on one side.
        points: (N, 5, 2), x and y in pixels, order of `FaceMaps.landmarks`.
    """

    path: Path
    images: tuple[Path, ...]
    groups: tuple[str, ...]
    points: npt.NDArray[np.float64]


def read_face_table(path: Path, group: str = "") -> FaceTable:
    """Read a table of faces.

    Args:
        path: CSV with the columns `image`, a path from the table's folder or from `images/` in it,
            and `COLUMNS`.
        group: column that names what belongs together, such as a clip or a person; without one
            each picture stands for itself.

    Raises:
        MissingInputError: no such table, or a picture is missing.
        MalformedInputError: a column is missing, a row holds no face's points, or a picture is in
            two groups.
    """
    frame = read_table(path, require=("image", *COLUMNS, *([group] if group else [])))
    if frame.empty:
        raise MalformedInputError(f"{path}: no faces in it", "each row is a picture and its points")
    rows = zip(frame["image"], frame[list(COLUMNS)].to_numpy().tolist(), strict=True)
    points = np.array([_points(path, name, values) for name, values in rows])
    files = {name: _file(path, name) for name in dict.fromkeys(frame["image"])}
    images = [files[name] for name in frame["image"]]
    groups = frame[group] if group else frame["image"]
    _refuse_two_groups(path, images, groups)
    return FaceTable(path, tuple(images), tuple(groups), points)


def split_groups(
    groups: Sequence[str], val_share: float, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Divide faces into those to learn from and those to validate on, whole groups each.

    Args:
        groups: (N,) names.
        val_share: share of the groups to validate on.
        seed: of the draw; the order of the faces does not matter.

    Returns:
        Their row numbers, both sorted.

    Raises:
        UsageError: nothing is left on one of the sides.
    """
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    count = round(val_share * len(names))
    if count == len(names) or (val_share > 0 and count == 0):
        raise UsageError(
            f"{val_share:g} of {len(names)} groups are {count} to validate on, which leaves one "
            "side empty",
            "choose another --val-share, or another --group",
        )
    held = {names[place] for place in order[:count]}
    side = np.array([name in held for name in groups])
    return np.flatnonzero(~side), np.flatnonzero(side)


def _refuse_two_groups(table: Path, images: Sequence[Path], groups: Iterable[str]) -> None:
    """A picture in two groups could be on both sides."""
    known: dict[Path, str] = {}
    for image, group in zip(images, groups, strict=True):
        if known.setdefault(image, group) != group:
            raise MalformedInputError(
                f"{table}: {image.name} is in two groups, '{known[image]}' and '{group}'",
                "what shows the same belongs together",
            )


def _file(table: Path, name: str) -> Path:
    """Where a picture lies: below the table's folder, and nowhere else."""
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise MalformedInputError(
            f"{table}: image '{name}', expected a path below the table's folder"
        )
    for folder in (table.parent, table.parent / FOLDER):
        if (folder / name).is_file():
            return folder / name
    raise MissingInputError(
        f"{table}: no image '{name}' in its folder or in {FOLDER}/ there",
        "paths count from the table's folder",
    )


def _points(table: Path, name: str, values: Sequence[str]) -> npt.NDArray[np.float64]:
    """Five points of one row, refused where they are no face's."""
    try:
        points = np.array([float(v) for v in values]).reshape(5, 2)
    except ValueError as error:
        raise MalformedInputError(f"{table}: {name}: {error}", "points are ten numbers") from error
    if not np.isfinite(points).all():
        raise MalformedInputError(f"{table}: {name}: a point is not finite", "leave the row out")
    try:
        return ordered(points)
    except NoFaceError as error:
        raise MalformedInputError(
            f"{table}: {name}: {error.message}", "mend the row or leave it out"
        ) from error
