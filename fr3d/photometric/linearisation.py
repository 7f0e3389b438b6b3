"""Decoding and linearising the photographs of one capture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.flat_field import FlatField
from fr3d.photometric.light_files.model import Lights
from fr3d.photometric.photograph import Photograph, decode
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import Transfer

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def decode_all(
    paths: Sequence[Path],
    sources: SourceFiles,
    full_scale: float | None,
    like: Photograph | None = None,
) -> list[Photograph]:
    """Decode photographs; all must have one size and depth.

    Args:
        paths: the files.
        sources: reads them.
        full_scale: the stored value that stands for 1; None goes by the file's depth.
        like: photograph to compare with; default is the first.
    """
    found: list[Photograph] = []
    for path in paths:
        photograph = decode(sources.read(path), path, full_scale)
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


def linear_light(
    photographs: Sequence[Photograph],
    ambient: Sequence[Photograph],
    transfer: Transfer,
    lights: Lights,
    flat: FlatField | None,
    stored: FloatArray,
) -> tuple[FloatArray, float]:
    """Linear light of the flashes alone, and the share of other light in the photographs.

    Args:
        photographs: L of them.
        ambient: without flash; their mean is subtracted.
        transfer: how stored values become light.
        lights: whose intensities a channel balance the colours.
        flat: unevenness of the flashes, divided out.
        stored: (L, H, W), returned itself where nothing has to be done.
    """
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


def linear_colour(
    photographs: Sequence[Photograph],
    ambient: Sequence[Photograph],
    transfer: Transfer,
    flat: FlatField | None,
) -> FloatArray:
    """(L, 3, H, W): linear red, green and blue of the flashes alone.

    Args:
        photographs: L of them.
        ambient: without flash; their mean is subtracted.
        transfer: how stored values become light.
        flat: unevenness of the flashes, divided out.
    """
    colour = np.stack([p.colour(transfer) for p in photographs])
    if ambient:
        dark = np.mean([a.colour(transfer) for a in ambient], axis=0, dtype=np.float32)
        colour = np.maximum(colour - dark, np.float32(0))
    return colour if flat is None else colour / flat.colour


def read_mask(path: Path | None, sources: SourceFiles, size: tuple[int, int]) -> Mask | None:
    """Where a mask is brighter than half of its brightest.

    Args:
        path: an image; None gives None.
        sources: reads it.
        size: height and width of the photographs.
    """
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
