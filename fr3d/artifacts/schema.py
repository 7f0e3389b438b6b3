"""What each kind of HDF5 artifact holds, as data: the file is the interface of the commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from fr3d.errors import MalformedInputError

FORMAT_VERSION = 1

AXIS_SIZES = {"xyz": 3, "rgb": 3, "xy": 2, "yx": 2, "landmark": 5, "row2": 2, "col3": 3}
"""Axes whose length never varies; every other axis has one length within a file."""


@dataclass(frozen=True)
class DatasetSpec:
    """One dataset of an artifact.

    Attributes:
        axes: name of each axis, the first being the row axis.
        kinds: NumPy dtype kinds allowed (`f` real, `u` unsigned, `i` signed, `S` text).
        units: unit of the values, `1` when they have none.
        long_name: what it is, in words.
        required: whether the artifact is malformed without it.
        optional_axis: an axis that may follow the others, such as colour.
    """

    axes: tuple[str, ...]
    kinds: str
    units: str
    long_name: str
    required: bool = False
    optional_axis: str = ""


def _text(axis: str, long_name: str, *, required: bool = False) -> DatasetSpec:
    return DatasetSpec((axis,), "S", "1", long_name, required)


_ROW_KEYS = {
    "subject_id": _text("session", "who it is", required=True),
    "session_id": _text("session", "which capture of that subject", required=True),
}
_COMMON = {
    "digest": _text("session", "SHA-256 of the row's other datasets"),
    "attribute/*": _text("session", "attribute of the capture; empty means unknown"),
    "quality/*": DatasetSpec(("session",), "fui", "1", "quality figure of the capture"),
    "rejected/subject_id": _text("reject", "subject of a capture that was left out"),
    "rejected/session_id": _text("reject", "a capture that was left out"),
    "rejected/reason": _text("reject", "why it was left out"),
}
_PLANE = ("session", "y", "x")

MAPS: Mapping[str, DatasetSpec] = {
    **_ROW_KEYS,
    "normal": DatasetSpec(
        (*_PLANE, "xyz"), "f", "1", "unit surface normal; x right, y up, z to the camera"
    ),
    "albedo": DatasetSpec(_PLANE, "f", "1", "linear reflectance, not clipped", optional_axis="rgb"),
    "depth": DatasetSpec(_PLANE, "f", "pixel", "height towards the camera; NaN outside the mask"),
    "mask": DatasetSpec(_PLANE, "u", "1", "1 where the maps are valid"),
    "image": DatasetSpec(_PLANE, "f", "1", "mean photograph, linear", optional_axis="rgb"),
    "confidence": DatasetSpec(_PLANE, "f", "1", "0 to 1, how far the pixel's maps can be trusted"),
    "raw": DatasetSpec(
        ("session", "light", "y", "x"), "uf", "1", "the photographs", optional_axis="rgb"
    ),
    "lights": DatasetSpec(
        ("session", "light", "xyz"), "f", "1", "unit vector from the face to the light"
    ),
    "light_intensity": DatasetSpec(
        ("session", "light"), "f", "1", "relative intensity", optional_axis="rgb"
    ),
    "shift": DatasetSpec(("session", "light", "xy"), "f", "pixel", "movement of each photograph"),
    "size": DatasetSpec(("session", "yx"), "ui", "pixel", "true height and width before padding"),
    "scale_mm": DatasetSpec(("session",), "f", "mm/pixel", "size of a pixel; NaN means unknown"),
    "warp": DatasetSpec(
        ("session", "row2", "col3"), "f", "pixel", "from this frame to the photograph"
    ),
    "source_sha256": _text("session", "SHA-256 over the files of the capture"),
    "landmarks": DatasetSpec(
        ("session", "landmark", "xy"), "f", "pixel", "eyes, nose tip, mouth corners"
    ),
    **_COMMON,
}

EMBEDDINGS: Mapping[str, DatasetSpec] = {
    **_ROW_KEYS,
    "embedding": DatasetSpec(
        ("session", "feature"), "f", "1", "embedding, not normalised", required=True
    ),
    "magnitude": DatasetSpec(("session",), "f", "1", "length of the embedding"),
    "view": _text("session", "augmented copy; empty is the face itself"),
    **_COMMON,
}

FORMATS: dict[str, Mapping[str, DatasetSpec]] = {"fr3d.maps": MAPS, "fr3d.embeddings": EMBEDDINGS}

_SHAPES = "the file is damaged, or another tool wrote it: make it again"
_MAKERS = {
    "maps": "'fr3d ps-reconstruct'",
    "faces": "'fr3d align'",
    "embeddings": "'fr3d embed'",
    "probe": "'fr3d select'",
    "fr3d.maps": "'fr3d ps-reconstruct' or 'fr3d align'",
    "fr3d.embeddings": "'fr3d embed'",
}

_ANY = "'fr3d ps-reconstruct', 'fr3d align' or 'fr3d embed'"


def maker(kind: str, stem: str = "") -> str:
    """The command that makes a file, for hints.

    Args:
        kind: what the file should be; empty for any.
        stem: its name without the suffix; the names that commands give tell more.
    """
    return _MAKERS.get(stem) or _MAKERS.get(kind, _ANY)


def find_spec(kind: str, name: str) -> DatasetSpec | None:
    """The specification of a dataset, or None when the kind does not define it."""
    specs = FORMATS[kind]
    if name in specs:
        return specs[name]
    return next((s for pattern, s in specs.items() if fnmatchcase(name, pattern)), None)


def check_axes(
    where: str, spec: DatasetSpec, shape: tuple[int, ...], sizes: dict[str, int]
) -> None:
    """Hold a shape to its specification, and to the axis lengths seen so far.

    Args:
        where: file and dataset, for the message.
        spec: what the dataset should be.
        shape: what it is.
        sizes: axis lengths of this file; new ones are added.

    Raises:
        MalformedInputError: wrong number of axes, or an axis of another length.
    """
    axes = spec.axes
    if spec.optional_axis and len(shape) == len(axes) + 1:
        axes = (*axes, spec.optional_axis)
    if len(axes) != len(shape):
        raise MalformedInputError(
            f"{where}: found shape {shape}, expected axes {spec.axes}", _SHAPES
        )
    for axis, length in zip(axes, shape, strict=True):
        expected = AXIS_SIZES.get(axis, sizes.setdefault(axis, length))
        if length != expected:
            raise MalformedInputError(
                f"{where}: axis {axis} has length {length}, expected {expected}", _SHAPES
            )
