"""A capture's photographs in memory, in linear light, before anything is cut out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, UsageError
from fr3d.photometric.capture import Capture
from fr3d.photometric.flat_field import load_flat_field
from fr3d.photometric.light_files.model import Lights, unknown_lights
from fr3d.photometric.light_files.names import lights_of_names
from fr3d.photometric.lights import check_axes, check_lights, flipped, read_lights
from fr3d.photometric.linearisation import (
    decode_all,
    linear_colour,
    linear_light,
    read_mask,
)
from fr3d.photometric.mask import NOISE
from fr3d.photometric.metadata import FIELDS, landmarks_inside, read_attributes, read_landmarks
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import Transfer

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


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

    def __post_init__(self) -> None:
        check_axes(self.flip_lights)
        if self.estimate_lights and self.flip_lights:
            raise UsageError("estimated lights have no axes that could be flipped")

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
    picks: Sequence[int] | None = None,
) -> Exposure:
    """Read a capture's photographs and all that lies beside them; every file once.

    Args:
        capture: its files.
        transfer: how stored values become light.
        options: how else.
        picks: numbers of the photographs to decode; None takes all.

    Raises:
        MalformedInputError: the capture cannot be used; the message names the file.
        MissingInputError: a file is gone.
    """
    sources = SourceFiles()
    lights, landmarks, attributes = read_texts(capture, options, sources)
    images_of, flat = capture.images, None
    if options.flat:
        flat = load_flat_field(options.flat, transfer, options.full_scale)
        flat.check(len(images_of))
    if picks is not None:
        images_of, lights = tuple(images_of[i] for i in picks), lights.only(picks)
        flat = None if flat is None else flat.only(picks)
    photographs = decode_all(images_of, sources, options.full_scale)
    ambient = decode_all(capture.ambient, sources, options.full_scale, photographs[0])
    height, width = photographs[0].levels.shape[:2]
    if flat is not None:
        flat.check_size(height, width)
    stored = np.empty((len(photographs), height, width), np.float32)
    saturated = np.zeros(stored.shape, np.bool_)
    for i, photograph in enumerate(photographs):
        photograph.stored(stored[i])
        photograph.saturated(saturated[i])
    images, level = linear_light(photographs, ambient, transfer, lights, flat, stored)
    eight_bit = photographs[0].depth == "8 bit"
    noise = transfer.linear(np.array([NOISE], np.float32))[0] if eight_bit else 0.0
    return Exposure(
        stored,
        images,
        saturated,
        linear_colour(photographs, ambient, transfer, flat) if options.colour else None,
        lights,
        landmarks_inside(landmarks, height, width),
        attributes,
        read_mask(capture.mask, sources, (height, width)),
        float(noise),
        level,
        sources.sha256(capture.files),
    )
