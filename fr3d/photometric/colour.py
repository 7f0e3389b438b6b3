"""Albedo and mean photograph in colour, from the shape that the grey photographs gave."""

import numpy as np
import numpy.typing as npt

from fr3d.photometric.evidence import Evidence

FloatArray = npt.NDArray[np.float32]


def coloured_maps(
    evidence: Evidence, albedo: FloatArray, keep: npt.NDArray[np.bool_] | None = None
) -> dict[str, FloatArray]:
    """Give albedo and mean photograph the colours of the photographs.

    A matt surface has one colour under all flashes once each channel is divided by its intensity.
    It is averaged over the flashes by their light, saturated ones left out, and scaled so that the
    mean of the channels stays what it was in grey.

    Args:
        evidence: with `colour`.
        albedo: (h, w), grey.
        keep: (L,), which photographs to use; all by default.

    Returns:
        `albedo` and `image`, each (h, w, 3): linear red, green and blue.

    Raises:
        ValueError: the evidence was read without colour.
    """
    if evidence.colour is None:
        raise ValueError("read the photographs with ReadOptions(colour=True)")
    kept = np.ones(len(evidence.colour), np.bool_) if keep is None else keep
    grey = evidence.lights.grey_intensity[kept]
    balance = grey[:, None] / evidence.channel_intensity[kept]
    light = evidence.colour[kept] * balance.astype(np.float32)[:, :, None, None]
    intensity = grey.astype(np.float32)[:, None, None, None]
    total = _sum((light / intensity) * ~evidence.saturated[kept][:, None])
    mean = _sum(total) / np.float32(3)
    share = np.where(mean > 0, total / np.maximum(mean, np.float32(1e-20)), np.float32(1))
    image = _sum(light) / np.float32(len(light))
    return {
        "albedo": np.ascontiguousarray(np.moveaxis(share * albedo, 0, -1), np.float32),
        "image": np.ascontiguousarray(np.moveaxis(image, 0, -1), np.float32),
    }


def _sum(planes: FloatArray) -> FloatArray:
    """Over the first axis, in its order."""
    total = planes[0].copy()
    for plane in planes[1:]:
        total += plane
    return total
