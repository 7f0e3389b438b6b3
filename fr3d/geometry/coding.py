"""Maps as whole numbers for picture files, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.geometry.maps import BoolArray

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

ZERO_LEVEL = 32768
_FINEST_STEP = 1.0 / 256.0


@dataclass(frozen=True)
class DepthCode:
    """Depth as 16-bit numbers: depth = (level - 32768) * step; level 0 means unknown.

    Args:
        levels: (H, W).
        step: pixels of depth from one level to the next, a power of two.
    """

    levels: npt.NDArray[np.uint16]
    step: float


def encode_depth(depth: Array, mask: BoolArray) -> DepthCode:
    """Code depth in steps of 1/256 pixel, or the next power of two that holds the whole range.

    A step that does not follow the range keeps the files of many faces comparable.

    Args:
        depth: (H, W), pixels; NaN where unknown.
        mask: (H, W).
    """
    known = mask & np.isfinite(depth)
    z = np.where(known, depth, 0.0).astype(np.float64)
    step = _FINEST_STEP
    while np.abs(z).max(initial=0.0) > (ZERO_LEVEL - 1) * step:
        step *= 2.0
    levels = np.where(known, np.round(z / step) + ZERO_LEVEL, 0.0)
    return DepthCode(levels.astype(np.uint16), step)


def decode_depth(code: DepthCode) -> Floats:
    """Depth in pixels, NaN where unknown: the inverse of `encode_depth`, true to half a step.

    Args:
        code: what was stored.
    """
    z = (code.levels.astype(np.float32) - ZERO_LEVEL) * np.float32(code.step)
    return np.where(code.levels == 0, np.float32(np.nan), z)


def encode_normal(normal: Array, mask: BoolArray, bits: int = 8, y_down: bool = False) -> Array:
    """Code normals as (n + 1) / 2 of the full range; outside the mask all three are 0.

    Args:
        normal: (H, W, 3) unit vectors.
        mask: (H, W).
        bits: 8 or 16.
        y_down: store -y in green, as tools of the DirectX habit expect.
    """
    n = np.nan_to_num(normal.astype(np.float64))
    if y_down:
        n = n * (1.0, -1.0, 1.0)
    return _whole(np.where(mask[..., None], (n + 1.0) / 2.0, 0.0), bits)


def decode_normal(levels: Array, y_down: bool = False) -> Floats:
    """Unit normals, zero outside the mask: the inverse of `encode_normal`.

    Args:
        levels: (H, W, 3), 8 or 16 bit.
        y_down: as they were stored.
    """
    full = np.iinfo(levels.dtype).max
    n = levels.astype(np.float64) / full * 2.0 - 1.0
    if y_down:
        n = n * (1.0, -1.0, 1.0)
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    return np.where(levels.any(axis=-1, keepdims=True), n, 0.0).astype(np.float32)


def encode_light(values: Array, mask: BoolArray, white: float, bits: int = 8) -> Array:
    """Code linear light as a screen expects it (sRGB); outside the mask 0.

    Args:
        values: (H, W) or (H, W, 3), linear.
        mask: (H, W).
        white: the value that becomes white; more is cut off.
        bits: 8 or 16.
    """
    share = np.clip(np.nan_to_num(values.astype(np.float64)) / white, 0.0, 1.0)
    inside = mask if values.ndim == 2 else mask[..., None]
    return _whole(np.where(inside, to_srgb(share), 0.0), bits)


def to_srgb(linear: Array) -> Array:
    """The sRGB transfer curve, from linear light to what is stored.

    Args:
        linear: values from 0 to 1.
    """
    return np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )


def from_srgb(stored: Array) -> Array:
    """From what is stored to linear light: the inverse of `to_srgb`.

    Args:
        stored: values from 0 to 1.
    """
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)


def white_of(albedo: Array, mask: BoolArray) -> float:
    """The albedo to draw as white: its 99th percentile inside the mask; 1 where there is none.

    Args:
        albedo: (H, W) or (H, W, 3).
        mask: (H, W).
    """
    inside = albedo[mask].astype(np.float64)
    inside = inside[np.isfinite(inside)]
    level = float(np.percentile(inside, 99.0)) if inside.size else 0.0
    return level if level > 0.0 else 1.0


def _whole(share: Array, bits: int) -> Array:
    full = 2**bits - 1
    return np.round(share * full).astype(np.uint8 if bits == 8 else np.uint16)
