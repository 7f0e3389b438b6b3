"""Which photographs of a session can be used: neither black nor overexposed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.lights import BEHIND, MAX_CONDITION

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

# A photograph is black when less of the mask is lit than this share,
_LEAST_LIT = 0.005
# lit being brighter than this share of the session's brightness.
_LIT = 0.05
_DEAD = 0.5 / 255
_MOST_SATURATED = 0.5
_LEAST_PHOTOGRAPHS = 3
_ENOUGH = 60  # rows, columns and pixels


@dataclass(frozen=True)
class Flashes:
    """Which photographs to use.

    Attributes:
        keep: (L,) bool.
        black: how many show nothing while others do.
        overexposed: how many are at full scale over most of the mask.
        reasons: a clause for each photograph that is left out.
    """

    keep: BoolArray
    black: int
    overexposed: int
    reasons: tuple[str, ...]


def usable_flashes(
    images: FloatArray,
    saturated: BoolArray,
    lights: npt.NDArray[np.float64],
    mask: BoolArray,
    names: Sequence[str] = (),
    dead: float = _DEAD,
) -> Flashes:
    """Find flashes that did not fire and flashes that blinded the camera.

    A light behind the face (z <= 0) may leave it dark; its photograph is black only when it holds
    nothing at all.

    Args:
        images: (L, H, W), linear light, 1 = full scale.
        saturated: (L, H, W).
        lights: (L, 3).
        mask: (H, W).
        names: of the photographs, for messages; by number from 1 by default.
        dead: what is no brighter holds nothing; of 8 bit values by default.

    Raises:
        MalformedInputError: nothing is lit, all lights lie behind the face, or what remains does
            not determine normals; the message names the photographs at fault.
    """
    if not mask.any():
        raise MalformedInputError("the mask is empty: nothing in the photographs is lit")
    if (lights[:, 2] <= BEHIND).all():
        raise MalformedInputError("all lights lie behind the face")
    names = names or [f"photograph {i + 1}" for i in range(len(images))]
    thin = _thinned(mask)
    inside = mask[thin]
    black = _black(images[:, *thin][:, inside], lights, dead)
    over = saturated[:, *thin][:, inside].mean(axis=1) > _MOST_SATURATED
    keep = ~(black | over)
    reasons = [f"{name} is black" for name, dark in zip(names, black, strict=True) if dark]
    reasons += [f"{name} is overexposed" for name, bad in zip(names, over, strict=True) if bad]
    if reasons:
        _require_enough(keep, lights, "; ".join(reasons))
    return Flashes(keep, int(black.sum()), int(over.sum()), tuple(reasons))


def _thinned(mask: BoolArray) -> tuple[slice, slice]:
    """Every so many rows and columns, all of them where the mask is small: shares need no more."""
    step = max(1, min(mask.shape) // _ENOUGH)
    thin = slice(None, None, step), slice(None, None, step)
    return thin if mask[thin].sum() >= _ENOUGH else (slice(None), slice(None))


def _black(pixels: FloatArray, lights: npt.NDArray[np.float64], most: float) -> BoolArray:
    """(L,) from intensities (L, P) in the mask."""
    brightness = float(np.quantile(pixels.max(axis=0), 0.95))
    if brightness <= most:
        raise MalformedInputError("the photographs are dark: nothing is lit")
    unlit = (pixels > _LIT * brightness).mean(axis=1) < _LEAST_LIT
    dead = pixels.max(axis=1) <= most
    return np.asarray(np.where(lights[:, 2] > 0, unlit, dead), np.bool_)


def _require_enough(keep: BoolArray, lights: npt.NDArray[np.float64], reasons: str) -> None:
    left = int(keep.sum())
    if left < _LEAST_PHOTOGRAPHS:
        raise MalformedInputError(f"{reasons}: {left} photographs remain, expected at least 3")
    values = np.linalg.svd(lights[keep], compute_uv=False)
    if values[-1] * MAX_CONDITION < values[0]:
        raise MalformedInputError(
            f"{reasons}: the lights of the remaining {left} photographs lie in one plane"
        )
    if (lights[keep, 2] <= BEHIND).all():
        raise MalformedInputError(f"{reasons}: the remaining lights lie behind the face")
