"""Depth images: NPY, 16-bit PNG or TIFF, EXR, and raw 16-bit numbers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, UsageError
from fr3d.photometric.exr_image import decode_exr
from fr3d.photometric.image_header import check_complete, parse_header, probe
from fr3d.photometric.npy import load_numbers
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.text import read_text

RAW_SUFFIXES = frozenset((".data", ".raw", ".bin", ".u16"))
DEPTH_SUFFIXES = frozenset((".npy", ".png", ".tif", ".tiff", ".exr", ".pgm")) | RAW_SUFFIXES
NOTE = "depth.json"
Sign = Literal["smaller-is-nearer", "larger-is-nearer"]
SIGNS: tuple[Sign, ...] = ("smaller-is-nearer", "larger-is-nearer")


@dataclass(frozen=True)
class DepthCode:
    """How stored numbers mean depth.

    Args:
        unit_mm: millimetres that one stored unit stands for; None where nobody said: whole numbers
            are then millimetres, and floating ones are refused.
        sign: which numbers are nearer to the camera.
        nothing: the number that stands for no measurement, as NaN always does.
    """

    unit_mm: float | None = None
    sign: Sign = "smaller-is-nearer"
    nothing: float = 0.0

    def towards_camera(self, stored: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
        """Height towards the camera in mm, NaN where nothing was measured.

        Args:
            stored: (H, W), numbers of a file.
            name: of the file, for messages.

        Raises:
            MalformedInputError: floating-point numbers of unknown unit.
        """
        if self.unit_mm is None and stored.dtype.kind == "f":
            raise MalformedInputError(
                f"{name}: floating-point depth of unknown unit",
                "say it with --depth-unit, such as 1000 for metres",
            )
        values = stored.astype(np.float32)
        missing = ~np.isfinite(values) | (values == np.float32(self.nothing))
        values *= np.float32((self.unit_mm or 1.0) * (-1 if self.sign == SIGNS[0] else 1))
        values[missing] = np.nan
        return values


MILLIMETRES = DepthCode()


def read_note(folder: Path) -> DepthCode | None:
    """What `depth.json` in a folder says of its depth files, or None where there is none.

    Args:
        folder: as `fr3d synth --kind rgbd` writes it.

    Raises:
        MalformedInputError: it says nothing that is understood.
    """
    path = folder / NOTE
    if not path.exists():
        return None
    try:
        note = json.loads(read_text(path))
        sign = str(note.get("sign", SIGNS[0])).replace(" ", "-")
        unit, nothing = float(note["unit_mm"]), float(note.get("nothing", 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedInputError(
            f"{path.name}: no note on depth files", 'such as {"unit_mm": 1, "nothing": 0}'
        ) from error
    if not 0 < unit < np.inf or sign not in SIGNS:
        raise MalformedInputError(f"{path.name}: found unit_mm {unit:g} and sign '{sign}'")
    return DepthCode(unit, SIGNS[SIGNS.index(sign)], nothing)


def check_unit(unit_mm: float | None) -> float | None:
    """Refuse a unit that no depth can have.

    Raises:
        UsageError: not above zero.
    """
    if unit_mm is not None and not 0 < unit_mm < np.inf:
        raise UsageError(f"a depth unit of {unit_mm:g} mm", "a number above 0, 1000 for metres")
    return unit_mm


def read_depth(
    path: Path, files: SourceFiles, raw_shape: tuple[int, int] | None
) -> npt.NDArray[Any]:
    """Read the numbers of a depth image.

    Args:
        path: the file.
        files: notes the checksum.
        raw_shape: height and width of raw files, whose bytes do not tell.

    Returns:
        (H, W), numbers as they are stored.

    Raises:
        MalformedInputError: damaged, of colours, or of another size than its bytes.
    """
    if path.suffix.lower() in RAW_SUFFIXES:
        return _raw(path, files, raw_shape)
    probe(path)
    data = files.read(path)
    parse_header(data, path.name)
    check_complete(data, path.name)
    if path.suffix.lower() == ".npy":
        stored: npt.NDArray[Any] | None = load_numbers(data, path.name)
    elif path.suffix.lower() == ".exr":
        stored = decode_exr(path)
    else:
        stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise MalformedInputError(f"{path.name}: damaged image, it cannot be decoded")
    stored = stored[..., 0] if stored.ndim == 3 and stored.shape[2] == 1 else stored
    if stored.ndim != 2:
        raise MalformedInputError(f"{path.name}: found shape {stored.shape}, expected depth (H, W)")
    return stored


def _raw(path: Path, files: SourceFiles, shape: tuple[int, int] | None) -> npt.NDArray[Any]:
    if shape is None:
        raise MalformedInputError(f"{path.name}: raw numbers of unknown size")
    height, width = shape
    data = files.read(path, 2 * height * width + 1)
    if len(data) != 2 * height * width:
        found = path.stat().st_size
        raise MalformedInputError(
            f"{path.name}: found {found} bytes, expected {2 * height * width}: 16 bit, "
            f"{width}x{height} pixels as the colour picture"
        )
    return np.frombuffer(data, "<u2").reshape(height, width)
