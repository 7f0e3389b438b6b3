"""Photographs as networks of other people expect them: sRGB from 0 to 1, background and all."""

import numpy as np
from numpy.typing import NDArray

from fr3d.geometry.coding import to_srgb

PICTURE = "picture"
EXPOSED = "exposed"
PICTURES = (PICTURE, EXPOSED)
"""Photographs of 0 to 1 taken as they are, and images of any range that are exposed first."""

WHITE_PERCENTILE = 99.0
_CENTRE = 0.4


def as_picture(
    linear: NDArray[np.float32],
    finite: NDArray[np.bool_],
    face: NDArray[np.bool_],
    *,
    exposed: bool,
    fill: float = 0.0,
) -> NDArray[np.float32]:
    """Encode linear light as sRGB (IEC 61966-2-1).

    The mask does not black anything out: such networks learned from whole pictures.

    Args:
        linear: (B, C, H, W), linear light.
        finite: (B, H, W), pixels that have a value.
        face: (B, H, W), pixels of the face, which decide the exposure.
        exposed: whether `white_level` becomes white; else 1 does.
        fill: value of the pixels that have none.

    Returns:
        (B, C, H, W) from 0 to 1.
    """
    light = np.where(finite[:, None], linear, np.float32(0.0))
    if exposed:
        whites = [white_level(one, mask) for one, mask in zip(light, face, strict=True)]
        light = light / np.array(whites, dtype=np.float32)[:, None, None, None]
    share = to_srgb(np.clip(light, 0.0, 1.0)).astype(np.float32)
    return np.where(finite[:, None], share, np.float32(fill))


def white_level(linear: NDArray[np.float32], face: NDArray[np.bool_]) -> float:
    """Light that a picture of this face should show as white.

    It is the 99th percentile of the mean of the channels, so that colours stay as they are, over
    the face in the middle of the frame, so that a bright wall behind it has no say.

    Args:
        linear: (C, H, W).
        face: (H, W).

    Returns:
        The level; 1 for a black picture.
    """
    height, width = face.shape
    row, column = np.ogrid[:height, :width]
    middle = np.hypot(row - (height - 1) / 2, column - (width - 1) / 2) <= _CENTRE * width
    inside = face & middle if (face & middle).any() else face
    grey = linear.mean(axis=0, dtype=np.float64)
    level = float(np.percentile(grey[inside], WHITE_PERCENTILE)) if inside.any() else 0.0
    return level if level > 0.0 else 1.0
