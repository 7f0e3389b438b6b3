"""Faces of a maps file, as `ps-reconstruct` makes it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.sources.map_pictures import look_at_maps
from fr3d.alignment.sources.source import Matrix, Picture, Placed, Points, Source, Unaligned, cut
from fr3d.artifacts.store import Artifact
from fr3d.errors import MalformedInputError
from fr3d.geometry.maps import FaceMaps

MAPS = ("normal", "albedo", "depth", "image", "confidence")
# Datasets that hold one value a session and mean the same in the new frame.
_KEPT = ("subject_id", "session_id", "light_intensity")
_PREFIXES = ("attribute/", "quality/")


class MapsFace(Unaligned):
    """One row of maps, or maps that another reader made.

    Args:
        maps: the face.
        record: columns of its row that alignment does not change.
        scale_mm: mm a pixel; NaN where unknown.
        warp: from its frame to the photograph, or None.
    """

    def __init__(
        self,
        maps: FaceMaps,
        record: Mapping[str, Any],
        scale_mm: float = float("nan"),
        warp: Matrix | None = None,
    ) -> None:
        self.maps, self.record = maps, record
        self.height, self.width = maps.height, maps.width
        points = maps.landmarks
        self.landmarks = None if points is None else points.astype(np.float64)
        self.scale_mm, self.warp = scale_mm, warp

    def picture(self, look_at: str) -> Picture:
        """What a detector looks at; see `look_at_maps`."""
        return look_at_maps(self.maps, look_at)

    def placed(self, landmarks: Points, matrix: Matrix, size: tuple[int, int]) -> Placed:
        """The maps with these landmarks, cut to what the new frame shows."""
        points = landmarks.astype(np.float32)
        named = FaceMaps(mask=self.maps.mask, landmarks=points, **self.maps.present)
        maps, moved = cut(named, matrix, size)
        return Placed(maps, moved, self.scale_mm)


class MapsSource(Source):
    """The rows of an artifact of maps.

    Args:
        artifact: in the frame of the camera.
    """

    kind = "maps"
    contents = None
    part_rows = 32

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.name, self.digest, self.moment = artifact.name, artifact.sha256, ""
        self.history, self.attrs = artifact.history, artifact.attrs
        self.rejected = artifact.rejected
        self.parameters: Mapping[str, Any] = {}

    def __len__(self) -> int:
        return len(self.artifact)

    def key(self, row: int) -> tuple[str, str]:
        """Subject and session of a row."""
        subject, session = (self.artifact.text_at(n, row) for n in ("subject_id", "session_id"))
        return subject, session

    def read(self, row: int) -> MapsFace:
        """Read a row, without the padding.

        Raises:
            NoFaceError: a map has holes that the mask does not tell of.
            MalformedInputError: `size` is larger than the maps.
        """
        maps = read_maps(self.artifact, row)
        _check_finite(maps)
        scale = self.artifact["scale_mm"][row] if "scale_mm" in self.artifact else np.nan
        warp = self.artifact["warp"][row] if "warp" in self.artifact else None
        return MapsFace(maps, self._record(row), float(scale), warp)

    def _record(self, row: int) -> dict[str, Any]:
        names = [n for n in self.artifact.names if n in _KEPT or n.startswith(_PREFIXES)]
        record = {name: self.artifact[name][row] for name in names}
        if "lights" in self.artifact:
            record["lights"] = self.artifact["lights"][row]
        return record


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
            "give what it was aligned from",
        )
    if not any(m in artifact for m in MAPS):
        raise MalformedInputError(f"{name}: no dataset of maps, expected one of {', '.join(MAPS)}")
    needed = recipe.look_at if recipe.look_at != "auto" else ""
    if recipe.detector == "capture":
        needed = "landmarks"
    if needed and recipe.detector != "none" and needed not in artifact:
        raise MalformedInputError(
            f"{name}: no dataset '{needed}', which this alignment needs",
            "choose another --detector or --look-at; the detector 'none' needs nothing",
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
    within = np.s_[:height, :width]
    return FaceMaps(
        mask=mask[within],
        landmarks=artifact["landmarks"][row] if "landmarks" in artifact else None,
        **{name: values[within] for name, values in maps.items()},
    )


def _check_finite(maps: FaceMaps) -> None:
    """A hole in the surface is for the mask to say; warping would turn it into zeros."""
    for name in ("normal", "albedo", "image"):
        values: npt.NDArray[Any] | None = maps.present.get(name)
        if values is not None and not np.isfinite(values[maps.mask]).all():
            raise NoFaceError(f"{name} is not finite on all of the mask")
