"""Unevenness of each flash over the picture, from photographs of a flat white target."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.photometric.image_roles import in_order, is_ambient, is_mask, is_photograph
from fr3d.photometric.npy import load_numbers
from fr3d.photometric.photograph import Photograph, decode
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import Transfer

FloatArray = npt.NDArray[np.float32]

_LEAST = 0.05
_MOST_SATURATED = 0.01
_BLUR = 0.01
_HINT = "photograph a matt white board in place of the face with each flash alone"


@dataclass(frozen=True)
class FlatField:
    """Brightness of a white target, relative to its mean.

    Attributes:
        grey: (L, H, W), mean 1 for each light.
        colour: (L, 3, H, W), mean 1 for each light and channel.
        name: of the folder or file, for messages.
    """

    grey: FloatArray
    colour: FloatArray
    name: str

    def check(self, lights: int) -> None:
        """Refuse a capture of another rig.

        Args:
            lights: number of photographs.
        """
        if len(self.grey) != lights:
            raise MalformedInputError(
                f"{self.name}: found a flat field of {len(self.grey)} lights, expected {lights}"
            )

    def check_size(self, height: int, width: int) -> None:
        """Refuse photographs of another size.

        Args:
            height: rows.
            width: columns.
        """
        _, rows, columns = self.grey.shape
        if (rows, columns) != (height, width):
            raise MalformedInputError(
                f"{self.name}: found a flat field of {columns}x{rows} pixels, expected "
                f"{width}x{height} as the photographs"
            )

    def only(self, picks: Sequence[int]) -> "FlatField":
        """That of some of the lights.

        Args:
            picks: which, by number.
        """
        at = np.asarray(picks, np.intp)
        return FlatField(self.grey[at], self.colour[at], self.name)


def flat_field_files(path: Path) -> tuple[Path, ...]:
    """The files of a flat field, in the order of the lights.

    Args:
        path: a folder of photographs, or one `.npy` of all.

    Raises:
        MissingInputError: it is not there.
        MalformedInputError: it holds no photographs.
    """
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise MissingInputError(f"{path}: no such file or folder", _HINT)
    found = in_order(p for p in path.iterdir() if is_photograph(p) and not is_mask(p))
    if not any(not is_ambient(p, None) for p in found):
        raise MalformedInputError(f"{path}: holds no photographs of a flat target", _HINT)
    return found


@lru_cache(maxsize=2)
def load_flat_field(
    paths: tuple[Path, ...], transfer: Transfer, full_scale: float | None = None
) -> FlatField:
    """Load a flat field; it is smoothed a little and scaled to a mean of 1.

    Ambient light is subtracted where a photograph named so lies beside.

    Args:
        paths: as `flat_field_files` gives them.
        transfer: how stored values become light.
        full_scale: as of the photographs.

    Raises:
        MalformedInputError: sizes differ, or it is dark or saturated somewhere.
    """
    if len(paths) == 1 and paths[0].suffix.lower() == ".npy":
        name, colour = paths[0].name, _array(paths[0])
    else:
        name, colour = paths[0].parent.name, _photographs(paths, transfer, full_scale)
    grey = _even(colour.mean(axis=1), name)
    channels = [_even(colour[:, c], name) for c in range(3)]
    return FlatField(grey, np.stack(channels, axis=1), name)


def _photographs(paths: Sequence[Path], transfer: Transfer, full_scale: float | None) -> FloatArray:
    sources = SourceFiles()
    taken = {p: decode(sources.read(p), p, full_scale) for p in paths}
    first = next(iter(taken.values()))
    for photograph in taken.values():
        _check(photograph, first)
    lit = [x.colour(transfer) for p, x in taken.items() if not is_ambient(p, None)]
    dark = [x.colour(transfer) for p, x in taken.items() if is_ambient(p, None)]
    light = np.stack(lit)
    return light - np.mean(dark, axis=0, dtype=np.float32) if dark else light


def _check(photograph: Photograph, first: Photograph) -> None:
    if photograph.levels.shape[:2] != first.levels.shape[:2]:
        raise MalformedInputError(f"{photograph.name}: differs in size from {first.name}")
    share = float(photograph.saturated().mean())
    if share > _MOST_SATURATED:
        raise MalformedInputError(
            f"{photograph.name}: {share:.0%} of the flat field is saturated, expected at most "
            f"{_MOST_SATURATED:.0%}",
            "expose it less; how bright it is does not matter",
        )


def _array(path: Path) -> FloatArray:
    """(L, 3, H, W) from an NPY of (L, H, W) or (L, H, W, 3), linear light."""
    values = load_numbers(SourceFiles().read(path), path.name, _HINT)
    if values.ndim == 3:
        values = np.repeat(values[..., None], 3, axis=-1)
    if values.ndim != 4 or values.shape[-1] != 3 or not values.size:
        raise MalformedInputError(
            f"{path.name}: found an array of {' x '.join(map(str, values.shape))}, expected "
            "lights x height x width"
        )
    return np.ascontiguousarray(np.moveaxis(values, -1, 1), np.float32)


def _even(light: FloatArray, name: str) -> FloatArray:
    """Smoothed and of mean 1; refused where it is too dark to divide by."""
    sigma = max(1.0, _BLUR * min(light.shape[1:]))
    planes = []
    for i, plane in enumerate(light, 1):
        smooth = cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        mean = float(smooth.mean())
        if not mean > 0 or not smooth.min() >= _LEAST * mean:
            raise MalformedInputError(
                f"{name}: light {i} of the flat field is dark or not finite somewhere, expected "
                f"at least {_LEAST:.0%} of its mean everywhere",
                _HINT,
            )
        planes.append(smooth / np.float32(mean))
    return np.stack(planes)
