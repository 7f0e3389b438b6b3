"""A capture's photographs in memory, in linear light, before anything is cut out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.capture import Capture
from fr3d.photometric.flat_field import FlatField, load_flat_field
from fr3d.photometric.light_files.model import Lights, unknown_lights
from fr3d.photometric.light_files.names import lights_of_names
from fr3d.photometric.lights import check_lights, flipped, read_lights
from fr3d.photometric.metadata import FIELDS, landmarks_inside, read_attributes, read_landmarks
from fr3d.photometric.photograph import Photograph, decode
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import Transfer

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

NOISE = 2.5 / 255  # of 8 bit values: their steps and a little sensor noise


@dataclass(frozen=True)
class ReadOptions:
    """How photographs and lights are read, but for the transfer function.

    Attributes:
        colour: keep the channels beside the grey mean.
        full_scale: the stored value that stands for 1; None goes by the file's depth.
        flat: photographs of a flat white target, one a light, or one NPY array of all.
        flip_lights: axes of the light file to negate, such as `yz`.
        estimate_lights: the lights are unknown; none are read.
    """

    colour: bool = False
    full_scale: float | None = None
    flat: tuple[Path, ...] = ()
    flip_lights: str = ""
    estimate_lights: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """As history and model contracts record it."""
        return {
            "colour": self.colour,
            "full_scale": self.full_scale,
            "flat": bool(self.flat),
            "flip_lights": self.flip_lights,
        }


AS_STORED = ReadOptions()


@dataclass(frozen=True)
class Exposure:
    """What was photographed, uncut.

    Attributes:
        stored: (L, H, W), values as the files hold them, mean of the channels, 1 = full scale.
        images: (L, H, W), linear light without ambient light and the flashes' unevenness; colour
            is balanced by intensities a channel, but nothing is divided by the light's own.
        saturated: (L, H, W), where a channel is at full scale; never in floats without a
            full scale.
        colour: (L, 3, H, W), linear red, green, blue, divided by nothing; None unless asked for.
        lights: the flashes; NaN directions where they are to be estimated.
        landmarks: (5, 2), pixels, NaN where unknown.
        attributes: by name.
        given_mask: (H, W), where the object is by a mask that lay beside; None without one.
        noise: brightness that noise may reach, linear light.
        ambient_level: mean of the subtracted light over that of the photographs, 0 without.
        source_sha256: of all files.
    """

    stored: FloatArray
    images: FloatArray
    saturated: Mask
    colour: FloatArray | None
    lights: Lights
    landmarks: FloatArray
    attributes: Mapping[str, str]
    given_mask: Mask | None
    noise: float
    ambient_level: float
    source_sha256: str


def read_texts(
    capture: Capture,
    options: ReadOptions = AS_STORED,
    sources: SourceFiles | None = None,
) -> tuple[Lights, FloatArray, dict[str, str]]:
    """Read and check all but the photographs: lights, landmarks (NaN if absent), attributes.

    Args:
        capture: its files.
        options: how.
        sources: reads the light files.
    """
    lights = _lights(capture, options, sources or SourceFiles())
    landmarks = np.full((5, 2), np.nan, np.float32)
    if capture.landmarks is not None:
        landmarks = read_landmarks(capture.landmarks)
    attributes = dict.fromkeys(FIELDS, "")
    if capture.attributes is not None:
        attributes = read_attributes(capture.attributes)
    return lights, landmarks, attributes


def _lights(capture: Capture, options: ReadOptions, sources: SourceFiles) -> Lights:
    count = len(capture.images)
    if options.estimate_lights:
        return unknown_lights(count)
    if capture.lights is not None:
        where, lights = capture.lights.name, read_lights(capture.lights, sources)
    elif capture.layout == "yale":
        where, lights = "names", lights_of_names([p.stem for p in capture.images])
    else:
        raise MalformedInputError("found no light file")
    lights = flipped(lights, options.flip_lights)
    check_lights(lights, count, where)
    return lights


def read_exposure(
    capture: Capture,
    transfer: Transfer,
    options: ReadOptions = AS_STORED,
) -> Exposure:
    """Read a capture's photographs and all that lies beside them; every file once.

    Args:
        capture: its files.
        transfer: how stored values become light.
        options: how else.

    Raises:
        MalformedInputError: the capture cannot be used; the message names the file.
        MissingInputError: a file is gone.
    """
    sources = SourceFiles()
    lights, landmarks, attributes = read_texts(capture, options, sources)
    photographs = _decoded(capture.images, sources, options)
    ambient = _decoded(capture.ambient, sources, options, like=photographs[0])
    height, width = photographs[0].levels.shape[:2]
    flat = load_flat_field(options.flat, transfer, options.full_scale) if options.flat else None
    if flat is not None:
        flat.check(len(photographs), height, width)
    stored = np.stack([p.stored() for p in photographs])
    images, level = _light(photographs, ambient, transfer, lights, flat, stored)
    eight_bit = photographs[0].depth == "8 bit"
    noise = transfer.linear(np.array([NOISE], np.float32))[0] if eight_bit else 0.0
    return Exposure(
        stored,
        images,
        np.stack([p.saturated() for p in photographs]),
        _colour(photographs, ambient, transfer, flat) if options.colour else None,
        lights,
        landmarks_inside(landmarks, height, width),
        attributes,
        _mask(capture.mask, sources, (height, width)),
        float(noise),
        level,
        sources.sha256(capture.files),
    )


def _decoded(
    paths: Sequence[Path],
    sources: SourceFiles,
    options: ReadOptions,
    like: Photograph | None = None,
) -> list[Photograph]:
    """Decode photographs; all must have the size and depth of the first."""
    found: list[Photograph] = []
    for path in paths:
        photograph = decode(sources.read(path), path, options.full_scale)
        like = like or photograph
        if photograph.levels.shape[:2] != like.levels.shape[:2]:
            raise MalformedInputError(f"{path.name}: differs in size from {like.name}")
        if photograph.depth != like.depth:
            raise MalformedInputError(
                f"{path.name}: found {photograph.depth} values, expected {like.depth} as "
                f"{like.name}"
            )
        found.append(photograph)
    return found


def _light(
    photographs: Sequence[Photograph],
    ambient: Sequence[Photograph],
    transfer: Transfer,
    lights: Lights,
    flat: FlatField | None,
    stored: FloatArray,
) -> tuple[FloatArray, float]:
    """Linear light of the flashes alone, and the share of other light in the photographs."""
    per_channel = lights.intensity.ndim == 2 and any(p.coloured for p in photographs)
    if transfer.name == "linear" and not per_channel and not ambient and flat is None:
        return stored, 0.0
    balance = np.ones((len(photographs), 3))
    if per_channel:
        balance = lights.grey_intensity[:, None] / lights.intensity
    images = np.stack([p.light(transfer, w) for p, w in zip(photographs, balance, strict=True)])
    level = 0.0
    if ambient:
        dark = [
            np.mean([a.light(transfer, w) for a in ambient], axis=0, dtype=np.float32)
            for w in balance
        ]
        level = float(np.mean(dark) / max(float(images.mean()), 1e-12))
        images = np.maximum(images - np.stack(dark), np.float32(0))
    return (images if flat is None else images / flat.grey), level


def _colour(
    photographs: Sequence[Photograph],
    ambient: Sequence[Photograph],
    transfer: Transfer,
    flat: FlatField | None,
) -> FloatArray:
    colour = np.stack([p.colour(transfer) for p in photographs])
    if ambient:
        dark = np.mean([a.colour(transfer) for a in ambient], axis=0, dtype=np.float32)
        colour = np.maximum(colour - dark, np.float32(0))
    return colour if flat is None else colour / flat.colour


def _mask(path: Path | None, sources: SourceFiles, size: tuple[int, int]) -> Mask | None:
    """Where a mask is at least half white."""
    if path is None:
        return None
    values = decode(sources.read(path), path).stored()
    if values.shape != size:
        raise MalformedInputError(
            f"{path.name}: found {values.shape[1]}x{values.shape[0]} pixels, expected "
            f"{size[1]}x{size[0]} as the photographs"
        )
    mask: Mask = values > 0.5 * float(values.max())
    if not mask.any():
        raise MalformedInputError(f"{path.name}: a mask of nothing, all its pixels are black")
    return mask
