"""Maps as pictures that people can look at: arrays in, (H, W, 3) RGB bytes out."""

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.geometry.coding import to_srgb
from fr3d.geometry.maps import BoolArray

Array = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]

BACKGROUND = 236
_PERCENTILES = (1.0, 99.0)
_POINT = (230, 60, 60)


def normal_picture(normal: Array, mask: BoolArray) -> Picture:
    """Draw normals as (n + 1) / 2: red to the right, green up, blue towards the camera.

    Args:
        normal: (H, W, 3) unit vectors.
        mask: (H, W); outside it the picture is grey.
    """
    share = np.clip((normal.astype(np.float32) + 1.0) / 2.0, 0.0, 1.0)
    return _bytes(share, mask)


def grey_picture(
    values: Array, mask: BoolArray | None = None, limits: tuple[float, float] | None = None
) -> Picture:
    """Draw albedo or a photograph between two brightnesses; colour as a screen expects it.

    Args:
        values: (H, W), or (H, W, 3) in colour.
        mask: (H, W); outside it the picture is grey. None draws everything.
        limits: values that become black and white; by default 0 and the 99th percentile.
    """
    inside = np.ones(values.shape[:2], dtype=bool) if mask is None else mask
    low, high = limits or (0.0, _percentiles(values, inside)[1])
    share = np.clip((values.astype(np.float32) - low) / max(high - low, 1e-12), 0.0, 1.0)
    share = to_srgb(share) if share.ndim == 3 else np.repeat(share[..., None], 3, axis=2)
    return _bytes(share, inside)


def depth_picture(depth: Array, mask: BoolArray) -> Picture:
    """Draw depth in colour, from far (dark violet) to near (yellow).

    Args:
        depth: (H, W), NaN outside the mask.
        mask: (H, W); outside it the picture is grey.
    """
    known = mask & np.isfinite(depth)
    return _coloured(depth, known, *_percentiles(depth, known))


def confidence_picture(confidence: Array, mask: BoolArray) -> Picture:
    """Draw confidence in colour, from 0 (dark violet) to 1 (yellow), alike on every sheet.

    Args:
        confidence: (H, W), 0..1.
        mask: (H, W); outside it the picture is grey.
    """
    # In grey, values close to 1, the usual ones, would all look like white paper.
    return _coloured(confidence, mask & np.isfinite(confidence), 0.0, 1.0)


def _coloured(values: Array, known: BoolArray, low: float, high: float) -> Picture:
    coloured = heat_colours()[heat_levels(np.where(known, values, low), low, high)]
    return np.where(known[..., None], coloured, np.uint8(BACKGROUND))


def heat_levels(values: Array, low: float, high: float) -> Picture:
    """Place of each value among the colours, (H, W), 0 to 255; NaN is 0.

    Args:
        values: (H, W).
        low: value of the first colour; what lies below has it too.
        high: value of the last colour.
    """
    share = (values.astype(np.float64) - low) / max(high - low, 1e-12)
    return np.round(255.0 * np.clip(np.nan_to_num(share, nan=0.0), 0.0, 1.0)).astype(np.uint8)


@cache
def heat_colours() -> Picture:
    """Colours from dark violet over green to yellow, (256, 3) RGB.

    They are those of viridis, whose lightness grows evenly, also to a colour-blind eye and in grey.
    """
    ramp = np.arange(256, dtype=np.uint8)[None]
    return np.asarray(cv2.applyColorMap(ramp, cv2.COLORMAP_VIRIDIS), np.uint8)[0, :, ::-1]


def drawable(text: str) -> str:
    """What the drawing font has letters for; a question mark for each other character."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


def mask_picture(mask: BoolArray) -> Picture:
    """Draw a mask: white inside, black outside.

    Args:
        mask: (H, W).
    """
    return np.repeat(np.where(mask, np.uint8(255), np.uint8(0))[..., None], 3, axis=2)


def with_points(picture: Picture, points: Array) -> Picture:
    """Mark points by small discs.

    Args:
        picture: (H, W, 3).
        points: (K, 2) pixel coordinates; NaN is left out.
    """
    marked = np.ascontiguousarray(picture.copy())
    radius = max(1, round(max(picture.shape[:2]) / 90))
    for x, y in points[np.isfinite(points).all(axis=1)]:
        cv2.circle(marked, (round(float(x)), round(float(y))), radius, _POINT, -1, cv2.LINE_AA)
    return marked


def _percentiles(values: Array, inside: BoolArray) -> tuple[float, float]:
    known = values[inside].astype(np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, _PERCENTILES)
    return float(low), float(high)


def _bytes(share: Array, mask: BoolArray) -> Picture:
    grey = np.round(255.0 * np.nan_to_num(share)).astype(np.uint8)
    return np.where(mask[..., None], grey, np.uint8(BACKGROUND))
