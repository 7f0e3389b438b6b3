"""What a capture holds, in memory: photographs in linear light, lights, landmarks, attributes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.capture import Capture
from fr3d.photometric.framing import Framing, frame_face, frame_whole
from fr3d.photometric.lights import Lights, check_lights, read_lights
from fr3d.photometric.metadata import FIELDS, landmarks_inside, read_attributes, read_landmarks
from fr3d.photometric.photograph import Transfer, read_photograph

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Evidence:
    """A capture in memory, cut to its framing.

    Attributes:
        stored: (L, h, w), values as the files hold them, 1 = full scale.
        images: (L, h, w), linear light.
        lights: the flashes.
        landmarks: (5, 2), pixels of the cut.
        framing: the cut.
        attributes: by name.
    """

    stored: FloatArray
    images: FloatArray
    lights: Lights
    landmarks: FloatArray
    framing: Framing
    attributes: Mapping[str, str]


def read_texts(capture: Capture) -> tuple[Lights, FloatArray, dict[str, str]]:
    """Read and check all but the photographs: lights, landmarks (NaN if absent), attributes."""
    if capture.lights is None:
        raise MalformedInputError("found no light file")
    lights = read_lights(capture.lights)
    check_lights(lights, len(capture.images), capture.lights.name)
    landmarks = np.full((5, 2), np.nan, np.float32)
    if capture.landmarks is not None:
        landmarks = read_landmarks(capture.landmarks)
    attributes = dict.fromkeys(FIELDS, "")
    if capture.attributes is not None:
        attributes = read_attributes(capture.attributes)
    return lights, landmarks, attributes


def load_evidence(capture: Capture, transfer: Transfer, size: int | None) -> Evidence:
    """Read a capture's photographs and all that lies beside them.

    Args:
        capture: its files.
        transfer: how stored values become light.
        size: crop the face to a square of this size; None keeps the whole photograph.

    Raises:
        MalformedInputError: the capture cannot be used; the message names the file.
        MissingInputError: a file is gone.
    """
    lights, landmarks, attributes = read_texts(capture)
    photographs = [read_photograph(path) for path in capture.images]
    height, width = photographs[0].shape
    if any(p.shape != (height, width) for p in photographs):
        raise MalformedInputError("the photographs differ in size")
    landmarks = landmarks_inside(landmarks, height, width)
    framing = frame_whole(height, width)
    if size is not None:
        framing = frame_face(landmarks, height, width, size)
    stored = np.stack([framing.cut(p) for p in photographs])
    linear = stored
    if transfer.name != "linear":
        # when pixels are merged their light is averaged, not its encoding
        linear = np.stack([framing.cut(transfer.linear(p)) for p in photographs])
    points = framing.points(landmarks)
    return Evidence(stored, linear, lights, points, framing, attributes)
