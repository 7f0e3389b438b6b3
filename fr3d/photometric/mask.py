"""Where the face is in a capture: everything that some flash reaches, shadows closed."""

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

NOISE = 2.5 / 255  # of 8 bit values: their steps and a little sensor noise
_DARK_SHARE = 0.04
_CLOSING = 0.04
_SMALL_SHARE = 0.05


def lit_mask(images: npt.NDArray[np.float32], noise: float = NOISE) -> Mask:
    """Find the lit object: pixels that are not dark in every photograph.

    A pixel counts as lit when its brightest photograph exceeds both the noise and a small share of
    what is bright in the capture. Gaps are closed and holes filled, since nostrils, pupils and
    places in the shadow of all flashes belong to the face; specks are dropped.

    Args:
        images: (L, H, W), linear light.
        noise: brightness that noise may reach; of 8 bit values by default.

    Returns:
        (H, W); all false when nothing is lit.
    """
    brightest = cv2.medianBlur(images.max(axis=0), 3)
    threshold = max(noise, _DARK_SHARE * float(np.percentile(brightest[::2, ::2], 98)))
    lit = (brightest > threshold).astype(np.uint8)
    return _without_specks(_without_holes(_closed(lit)))


def _closed(lit: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    radius = max(1, round(_CLOSING * min(lit.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    border = cv2.copyMakeBorder(lit, radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(border, cv2.MORPH_CLOSE, disc)
    return np.ascontiguousarray(closed[radius:-radius, radius:-radius])


def _without_holes(lit: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Fill what the background does not reach from the border."""
    outside = cv2.copyMakeBorder(1 - lit, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    return (labels[1:-1, 1:-1] != labels[0, 0]).astype(np.uint8)


def _without_specks(lit: npt.NDArray[np.uint8]) -> Mask:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lit, connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    area[0] = 0
    kept: Mask = (area > _SMALL_SHARE * area.max(initial=0))[labels] & (lit > 0)
    return kept
