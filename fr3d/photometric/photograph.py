"""Photographs as they are stored, and as linear light."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.exr_image import decode_exr
from fr3d.photometric.image_formats.floats import EXR, NPY
from fr3d.photometric.image_formats.header import Depth, ImageHeader
from fr3d.photometric.image_header import check_complete, parse_header
from fr3d.photometric.npy import load_numbers
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import LINEAR, Transfer

__all__ = ["LINEAR", "SATURATED", "Photograph", "Transfer", "decode", "read_photograph"]

FloatImage = npt.NDArray[np.float32]
Levels = npt.NDArray[Any]

SATURATED = 0.995
_FULL_SCALE: dict[Depth, float] = {"8 bit": 255.0, "16 bit": 65535.0, "float": 1.0}


@dataclass(frozen=True, slots=True)
class Photograph:
    """A decoded image in the type of its file: 16 bit stays 16 bit.

    Attributes:
        name: of the file.
        levels: (H, W) or (H, W, 3), uint8, uint16 or float32.
        full_scale: the level that stands for 1.
        clips: whether values at full scale may have been cut off there.
        bgr: whether colours come blue first.
        depth: of the stored values.
    """

    name: str
    levels: Levels
    full_scale: float
    clips: bool
    bgr: bool
    depth: Depth

    @property
    def coloured(self) -> bool:
        """Whether there are three channels."""
        return self.levels.ndim == 3

    def stored(self, out: FloatImage | None = None) -> FloatImage:
        """(H, W): the stored values, mean over the channels, 1 = full scale.

        Args:
            out: (H, W), where to put them.
        """
        if not self.coloured:
            return _divided(self.levels, self.full_scale, out)
        # a sum of whole numbers is exact, so that grey stored as colour gives the grey back
        total = cv2.transform(_float(self.levels), np.ones((1, 3), np.float32), out)
        return _divided(total, 3 * self.full_scale, out)

    def saturated(self, out: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
        """(H, W): where any channel is at full scale.

        Args:
            out: (H, W), false everywhere, where to note it.
        """
        found = np.zeros(self.levels.shape[:2], np.bool_) if out is None else out
        top = SATURATED * self.full_scale
        if self.clips and self.levels.max(initial=0) >= top:
            over = np.asarray(self.levels >= top)
            found |= over.any(axis=2) if self.coloured else over
        return found

    def light(self, transfer: Transfer, weights: npt.ArrayLike = (1, 1, 1)) -> FloatImage:
        """(H, W): linear light, mean over the channels; each is linearised by itself.

        Args:
            transfer: how stored values become light.
            weights: (3,), factors of red, green and blue with a mean of 1.
        """
        if not self.coloured:
            return transfer.of_levels(self.levels, self.full_scale)
        factors = np.asarray(weights, np.float32)
        if transfer.name == "linear" and (factors == 1).all():
            return self.stored()
        colours = transfer.of_levels(self.levels, self.full_scale)
        row = factors[::-1] if self.bgr else factors
        return np.asarray(cv2.transform(colours, row[None] / np.float32(3)), np.float32)

    def colour(self, transfer: Transfer) -> FloatImage:
        """(3, H, W): linear light of red, green and blue; grey gives three equal channels.

        Args:
            transfer: how stored values become light.
        """
        light = transfer.of_levels(self.levels, self.full_scale)
        if not self.coloured:
            return np.stack([light] * 3)
        return np.ascontiguousarray(np.moveaxis(light[..., ::-1] if self.bgr else light, -1, 0))


def read_photograph(path: Path) -> FloatImage:
    """Read a photograph as grey in its own scale: 1 is the largest value that the file can hold.

    Colour becomes the plain mean of its channels; alpha is dropped. Values of float images are
    taken as they are.

    Args:
        path: BMP, PNG, PGM/PPM, TIFF, JPEG, WebP, EXR or NPY; 8 or 16 bit or float.

    Returns:
        (H, W).

    Raises:
        MalformedInputError: truncated, too large, not an image, or with values that are not finite.
        MissingInputError: it cannot be read.
    """
    return decode(SourceFiles().read(path), path).stored()


def decode(data: bytes, path: Path, full_scale: float | None = None) -> Photograph:
    """Decode an image from its bytes.

    Args:
        data: the whole file.
        path: its name, for messages; EXR is read from there again.
        full_scale: the level that stands for 1, for cameras that do not use all bits of a file.

    Raises:
        MalformedInputError: truncated, too large, not an image, or with values that are not
            finite, negative or above the full scale.
    """
    header = parse_header(data, path.name)
    check_complete(data, path.name)
    bgr = not data.startswith((EXR, NPY))
    if data.startswith(NPY):
        levels: Levels | None = load_numbers(data, path.name)
    else:
        levels = _decoded(data) if bgr else decode_exr(path)
    if levels is None or levels.shape[:2] != (header.height, header.width):
        raise MalformedInputError(f"{path.name}: damaged image, it cannot be decoded")
    levels = _channels(levels, path.name)
    own = full_scale or header.full_scale or _FULL_SCALE[header.depth]
    _check_values(levels, path.name, full_scale, header)
    clips = header.depth != "float" or full_scale is not None
    return Photograph(path.name, levels, float(own), clips, bgr, header.depth)


def _decoded(data: bytes) -> Levels | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None


def _channels(levels: Levels, name: str) -> Levels:
    """Without alpha, and without an axis of one channel."""
    if levels.dtype.kind == "f":
        levels = levels.astype(np.float32, copy=False)
    if levels.dtype.kind + str(levels.dtype.itemsize) not in ("u1", "u2", "f4"):
        raise MalformedInputError(
            f"{name}: found {levels.dtype} values, expected 8 or 16 bit or float"
        )
    if levels.ndim == 3:
        levels = levels[:, :, 0] if levels.shape[2] < 3 else levels[:, :, :3]
    return np.ascontiguousarray(levels, levels.dtype.newbyteorder("="))


def _check_values(levels: Levels, name: str, full_scale: float | None, header: ImageHeader) -> None:
    if levels.dtype.kind == "f":
        low, high = float(levels.min()), float(levels.max())
        if not np.isfinite([low, high]).all():
            raise MalformedInputError(f"{name}: found NaN or infinite values")
        if low < 0:
            raise MalformedInputError(f"{name}: found negative values")
    most = _FULL_SCALE[header.depth]
    if full_scale is not None and header.depth != "float" and full_scale > most:
        raise MalformedInputError(
            f"{name}: found {header.depth} values, which do not reach a full scale of "
            f"{full_scale:g}"
        )
    if full_scale is not None and levels.max() > full_scale:
        raise MalformedInputError(
            f"{name}: found a value of {levels.max():g}, expected at most the full scale of "
            f"{full_scale:g}"
        )


def _float(levels: Levels) -> FloatImage:
    return levels.astype(np.float32, copy=False)


def _divided(levels: Levels, by: float, out: FloatImage | None) -> FloatImage:
    if levels.dtype == np.float32 and by == 1 and out is None:
        return np.asarray(levels, np.float32)
    return np.divide(levels, np.float32(by), out=out, dtype=np.float32)
