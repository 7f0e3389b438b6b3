"""Photographs as linear grey images."""

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, MissingInputError, UsageError
from fr3d.photometric.image_header import check_complete, parse_header

FloatImage = npt.NDArray[np.float32]

SATURATED = 0.995
_FULL_SCALE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0, "float64": 1.0}


@dataclass(frozen=True)
class Transfer:
    """How stored values become light: `linear`, `srgb` or `gamma:G`.

    Attributes:
        name: as the user writes it.
    """

    name: str = "linear"

    def __post_init__(self) -> None:
        if self.name in ("linear", "srgb"):
            return
        match = re.fullmatch(r"gamma:(\d+(?:\.\d+)?)", self.name)
        if match is None or float(match[1]) <= 0:
            raise UsageError(f"no such transfer: {self.name}", "choose linear, srgb or gamma:2.2")

    def linear(self, values: FloatImage) -> FloatImage:
        """Turn stored values, 0 to 1, into linear light.

        Args:
            values: any shape.

        >>> Transfer("gamma:2").linear(np.float32([0.5])).tolist()
        [0.25]
        """
        if self.name == "linear":
            return values
        if self.name == "srgb":
            low = values / np.float32(12.92)
            high = ((np.maximum(values, 0) + np.float32(0.055)) / np.float32(1.055)) ** 2.4
            return np.where(values <= 0.04045, low, high).astype(np.float32)
        return np.power(np.maximum(values, 0), float(self.name[6:]), dtype=np.float32)


LINEAR = Transfer()


def read_photograph(path: Path) -> FloatImage:
    """Read a photograph as grey in its own scale: 1 is the largest value that the file can hold.

    Colour becomes the plain mean of its channels, since the colour of the flashes and the filters
    of the camera are unknown; alpha is dropped. Values of float images are taken as they are.

    Args:
        path: BMP, PNG, PGM/PPM, TIFF or JPEG, 8 or 16 bit or float.

    Returns:
        (H, W).

    Raises:
        MalformedInputError: truncated, too large, not an image, or with values that are not finite.
        MissingInputError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingInputError(f"{path.name}: {error.strerror}") from error
    header = parse_header(data, path.name)
    check_complete(data, path.name)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None or image.shape[:2] != (header.height, header.width):
        raise MalformedInputError(f"{path.name}: damaged image, it cannot be decoded")
    if str(image.dtype) not in _FULL_SCALE:
        raise MalformedInputError(
            f"{path.name}: found {image.dtype} values, expected 8 or 16 bit or float"
        )
    return _grey(image, header.full_scale or _FULL_SCALE[str(image.dtype)], path.name)


def _grey(image: npt.NDArray[np.generic], full_scale: float, name: str) -> FloatImage:
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise MalformedInputError(f"{name}: found NaN or infinite values")
    values = image.astype(np.float32)
    if values.ndim == 3:
        colours = min(values.shape[2], 3)
        # a sum of integers is exact, so that grey stored as colour gives the grey back
        values = values[:, :, :colours].sum(axis=2) / np.float32(colours)
    grey: FloatImage = values / np.float32(full_scale)
    if (grey < 0).any():
        raise MalformedInputError(f"{name}: found negative values")
    return grey
