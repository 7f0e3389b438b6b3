"""Photographs in colour, upright as their EXIF note says, as levels and as linear light."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.alignment.exposure import as_picture
from fr3d.alignment.landmarks import NoFaceError
from fr3d.errors import MalformedInputError
from fr3d.photometric.image_formats.floats import EXR, NPY
from fr3d.photometric.image_header import check_complete, parse_header, probe
from fr3d.photometric.photograph import decode
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import Transfer

LEAST_SIDE = 16
_FULL = {"u1": 255.0, "u2": 65535.0, "f4": 1.0}


@dataclass(frozen=True)
class ColourPicture:
    """A photograph as it is stored.

    Args:
        name: of the file.
        levels: (H, W, 3), uint8, uint16 or float32, blue first.
        full_scale: the level that stands for 1.
    """

    name: str
    levels: npt.NDArray[Any]
    full_scale: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return int(self.levels.shape[0]), int(self.levels.shape[1])

    def shown(self) -> npt.NDArray[np.uint8]:
        """(H, W, 3), BGR, 8 bit, as a screen shows it; floats are taken as linear light."""
        if self.levels.dtype == np.uint8:
            return self.levels
        if self.levels.dtype.kind == "f":
            return as_picture(self.levels[..., ::-1])
        return (self.levels / np.float32(257.0) + 0.5).astype(np.uint8)

    def light(self, rows: slice, columns: slice, transfer: Transfer) -> npt.NDArray[np.float32]:
        """Linear light of a part: (h, w, 3), RGB.

        Args:
            rows: which.
            columns: which.
            transfer: how levels become light; floats are linear already.
        """
        part = np.ascontiguousarray(self.levels[rows, columns, ::-1])
        if part.dtype.kind == "f":
            return part.astype(np.float32)
        return transfer.of_levels(part, self.full_scale)


def read_picture(path: Path, files: SourceFiles) -> ColourPicture:
    """Read a photograph; grey becomes three equal channels, alpha is dropped.

    Args:
        path: BMP, PNG, PGM/PPM, TIFF, JPEG, WebP, EXR or NPY.
        files: notes the checksum.

    Raises:
        MalformedInputError: truncated, too large, too small, or not an image.
        MissingInputError: it cannot be read.
    """
    header = probe(path)
    if min(header.height, header.width) < LEAST_SIDE:
        raise MalformedInputError(
            f"{path.name}: found {header.width}x{header.height} pixels, expected at least "
            f"{LEAST_SIDE} a side"
        )
    data = files.read(path)
    if data.startswith((EXR, NPY)):
        levels = decode(data, path).levels
        bgr = levels[..., ::-1] if levels.ndim == 3 else np.repeat(levels[..., None], 3, axis=2)
        kind = levels.dtype.kind + str(levels.dtype.itemsize)
        return ColourPicture(path.name, np.ascontiguousarray(bgr), _FULL[kind])
    parse_header(data, path.name)  # the file may have changed since it was probed
    check_complete(data, path.name)
    decoded = _decoded(data, path.name)
    kind = decoded.dtype.kind + str(decoded.dtype.itemsize)
    if kind not in _FULL or decoded.ndim != 3:
        raise MalformedInputError(f"{path.name}: found {decoded.dtype} values in it")
    if kind == "f4" and not np.isfinite(decoded).all():
        raise NoFaceError(f"{path.name}: found NaN or infinite values")
    full = header.full_scale if header.full_scale > 255 else _FULL[kind]
    return ColourPicture(path.name, decoded, float(full))


def _decoded(data: bytes, name: str) -> npt.NDArray[Any]:
    """Levels as colour; turned as the EXIF note says, which IMREAD_UNCHANGED would pass over."""
    try:
        levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        levels = None
    if levels is None:
        raise MalformedInputError(f"{name}: damaged image, it cannot be decoded")
    return levels
