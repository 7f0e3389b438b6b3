"""From rows of aligned faces to what a network sees: one float32 array per modality.

Needs only numpy, so that `identify` can use it with an ONNX model. What is done here is part of the
model contract.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fr3d.data.picture import EXPOSED, PICTURES, as_picture
from fr3d.data.statistics import STATISTICS
from fr3d.errors import MalformedInputError

CHANNELS: Mapping[str, int] = {"normal": 3, "albedo": 1, "depth": 1, "image": 1}
"""Of what is trained here; networks of other people take `image` in colour."""
MINIMUM_COVER = 0.02
"""Share of the map that must be valid: below it a face is refused, not filled."""


class Faces(Protocol):
    """Row-aligned columns by name: a faces artifact, or a dictionary of arrays."""

    def __contains__(self, name: str, /) -> bool:
        """Tell whether there is a column of this name."""
        ...

    def __getitem__(self, name: str, /) -> Any:
        """Return the column, which is indexed by an array of rows."""
        ...


@dataclass(frozen=True)
class InputSpec:
    """How one modality becomes a network input.

    Args:
        modality: name of the dataset and of the network's input.
        channels: 3 for normals and pictures, 1 for the others.
        normalisation: "unit" renormalises normals; "median" is v / median - 1 over the mask;
            "central" subtracts the median depth of the central disc and divides by `scale` map
            widths; "relief" does so with the quadratic surface that fits the face best;
            "standard" subtracts the mean over the mask and divides by the deviation; "picture" is
            sRGB from 0 to 1 of linear light from 0 to 1, and "exposed" the same of light of any
            range, scaled so that the brightest of the face is white.
        scale: map widths of height that become 1, for depth; 1 elsewhere.
        clip: magnitude at which values are cut, so that one highlight does not rule a face.
        fill: value of the pixels outside the mask; for pictures, of those that are not finite.
    """

    modality: str
    channels: int
    normalisation: str
    scale: float = 1.0
    clip: float = 4.0
    fill: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the plain dictionary that the model contract stores."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "InputSpec":
        """Read what `to_json` wrote.

        Raises:
            MalformedInputError: fields are missing or unknown.
        """
        try:
            spec = cls(**record)
        except TypeError as error:
            raise MalformedInputError(f"model contract: input description: {error}") from error
        if spec.modality not in CHANNELS or spec.normalisation not in _NORMALISATIONS:
            raise MalformedInputError(
                f"model contract: unknown input {spec.modality!r} ({spec.normalisation!r})",
                "the model was made by another version of fr3d",
            )
        if spec.normalisation in PICTURES and (spec.modality, spec.channels) != ("image", 3):
            raise MalformedInputError(
                f"model contract: input {spec.modality!r} of {spec.channels} channel(s) as "
                f"{spec.normalisation!r}, expected 'image' of 3"
            )
        return spec


DEFAULTS: Mapping[str, InputSpec] = {
    "normal": InputSpec("normal", 3, "unit"),
    "albedo": InputSpec("albedo", 1, "median"),
    # Depth from normals is wrong in its low frequencies, which add up over the face: what is left
    # without them tells people apart far better.
    "depth": InputSpec("depth", 1, "relief", scale=0.1),
    "image": InputSpec("image", 1, "standard"),
}


def input_specs(modalities: Sequence[str]) -> tuple[InputSpec, ...]:
    """Return the default description of each modality, in the order asked for.

    Raises:
        MalformedInputError: a modality is unknown.
    """
    unknown = [name for name in modalities if name not in DEFAULTS]
    if unknown:
        raise MalformedInputError(
            f"unknown modality {unknown[0]!r}, expected one of {', '.join(DEFAULTS)}"
        )
    return tuple(DEFAULTS[name] for name in modalities)


def face_inputs(
    faces: Faces, rows: Sequence[int] | NDArray[np.integer[Any]], specs: Sequence[InputSpec]
) -> dict[str, NDArray[np.float32]]:
    """Normalise rows of aligned faces for a network.

    Args:
        faces: an artifact or arrays with the modalities (N, H, W[, C]) and `mask` (N, H, W).
        rows: which faces, B of them.
        specs: one description per modality.

    Returns:
        For each modality an array (B, C, H, W); pixels outside the mask hold `spec.fill`, but for
        pictures, which keep what they show there.

    Raises:
        MalformedInputError: a modality is missing, or a face has hardly any valid pixel.
    """
    return face_inputs_and_masks(faces, rows, specs)[0]


def face_inputs_and_masks(
    faces: Faces, rows: Sequence[int] | NDArray[np.integer[Any]], specs: Sequence[InputSpec]
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_]]:
    """Normalise rows as `face_inputs`, and return beside them the pixels valid in all modalities.

    Returns:
        The inputs, and a mask (B, H, W).
    """
    index = np.asarray(rows, dtype=np.int64)
    maps = {spec.modality: _planes(faces, index, spec) for spec in specs}
    face = np.asarray(faces["mask"][index]) > 0 if "mask" in faces else None
    inputs: dict[str, NDArray[np.float32]] = {}
    common: NDArray[np.bool_] = np.ones((1, 1, 1), dtype=np.bool_)
    for spec in specs:
        values = maps[spec.modality]
        valid: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
        if spec.normalisation == "unit":
            valid &= (values * values).sum(axis=1) > 0.25
        finite = valid
        if face is not None:
            valid = valid & face
        _refuse_empty(valid, index, spec)
        if spec.normalisation in PICTURES:
            exposed = spec.normalisation == EXPOSED
            inputs[spec.modality] = as_picture(
                values, finite, valid, exposed=exposed, fill=spec.fill
            )
        else:
            inputs[spec.modality] = _normalised(values, valid, spec)
        common = np.logical_and(common, valid)
    return inputs, common


def _planes(faces: Faces, rows: NDArray[np.int64], spec: InputSpec) -> NDArray[np.float32]:
    """Read (B, C, H, W); colour becomes grey where the network takes one channel.

    A network that takes colour sees a grey photograph as a colour one without colour.
    """
    if spec.modality not in faces:
        raise MalformedInputError(
            f"faces have no dataset {spec.modality!r}, which the model needs",
            "choose another modality, or make the maps again with it",
        )
    values = np.asarray(faces[spec.modality][rows], dtype=np.float32)
    if values.ndim == 3:
        values = values[..., None]
    if spec.channels == 1 and values.shape[-1] == 3:
        values = values.mean(axis=-1, keepdims=True)
    if spec.modality == "image" and spec.channels == 3 and values.shape[-1] == 1:
        values = np.repeat(values, 3, axis=-1)
    if values.ndim != 4 or values.shape[-1] != spec.channels:
        raise MalformedInputError(
            f"dataset {spec.modality!r}: rows of shape {values.shape[1:]}, "
            f"expected {spec.channels} channel(s)"
        )
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def _refuse_empty(valid: NDArray[np.bool_], rows: NDArray[np.int64], spec: InputSpec) -> None:
    """Stop at a face that would be nothing but fill."""
    cover = valid.mean(axis=(1, 2))
    if (cover < MINIMUM_COVER).any():
        row = int(rows[int(np.argmin(cover))])
        raise MalformedInputError(
            f"faces: row {row}: {spec.modality} is valid on {cover.min():.1%} of its pixels, "
            f"expected {MINIMUM_COVER:.0%} or more",
            "leave the session out of the split, or align it again",
        )


def _normalised(
    values: NDArray[np.float32], valid: NDArray[np.bool_], spec: InputSpec
) -> NDArray[np.float32]:
    """Apply the recipe to each face and fill what is not valid."""
    # What is not valid may be NaN, which would warn and spread.
    clean = np.where(valid[:, None], values, np.float32(1.0))
    if spec.normalisation == "unit":
        # Storage in float16 bends the length of normals by a thousandth.
        result = clean / np.sqrt((clean * clean).sum(axis=1, keepdims=True))
    else:
        rule = STATISTICS[spec.normalisation]
        pairs = [rule(face[0], mask, spec.scale) for face, mask in zip(clean, valid, strict=True)]
        offset = np.stack([np.broadcast_to(one, valid.shape[1:]) for one, _ in pairs])
        divisor = np.array([other for _, other in pairs], dtype=np.float32)
        result = (clean - offset.astype(np.float32)[:, None]) / divisor[:, None, None, None]
    result = np.clip(result, -spec.clip, spec.clip)
    return np.where(valid[:, None], result, np.float32(spec.fill))


_NORMALISATIONS = ("unit", *PICTURES, *STATISTICS)
