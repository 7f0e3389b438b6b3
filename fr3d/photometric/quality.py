"""How far the maps of a capture can be trusted: per pixel and as a whole."""

import numpy as np
import numpy.typing as npt

from fr3d.photometric.photograph import SATURATED
from fr3d.photometric.solvers import shade

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_SHADOW = np.float32(0.1)  # of the pixel's brightest photograph
_NOISE = np.float32(4 / 255)


def pixel_confidence(
    images: FloatArray, lights: npt.NDArray[np.float64], g: FloatArray
) -> FloatArray:
    """Rate each pixel from 0 to 1.

    The product of three: how much of the intensities the solution explains,
    1 - |I - max(0, L g)| / |I|; whether at least three lights reach the pixel (a third for each);
    and how far its brightest value stands above the noise.

    Args:
        images: (L, H, W), linear light, 1 = full scale.
        lights: (L, 3).
        g: (3, H, W), albedo times normal.

    Returns:
        (H, W).
    """
    brightest = images.max(axis=0)
    residual, total = _energies(images, shade(lights, g))
    unexplained = np.sqrt(np.divide(residual, total, out=np.ones_like(total), where=total > 0))
    lit = (images > _SHADOW * brightest).sum(axis=0, dtype=np.float32)
    reached = np.minimum(lit / np.float32(3), 1)
    rating: FloatArray = np.clip(1 - unexplained, 0, 1) * reached
    return rating * (brightest / (brightest + _NOISE))


def capture_quality(
    images: FloatArray,
    stored: FloatArray,
    lights: npt.NDArray[np.float64],
    g: FloatArray,
    mask: Mask,
) -> dict[str, np.float32]:
    """Figures of a whole capture, over its mask.

    Args:
        images: (L, H, W), linear light divided by the lights' intensity.
        stored: (L, H, W), values as the files hold them, 1 = full scale.
        lights: (L, 3).
        g: (3, H, W), albedo times normal.
        mask: (H, W).

    Returns:
        residual: root of unexplained over total energy, 0 is perfect; shadow_share: samples below
        a tenth of their pixel's brightest; saturated_share: samples at full scale;
        light_condition: gain of noise of the lights; mask_share: of the photograph; brightness:
        mean of the photographs.
    """
    inside, values = images[:, mask], stored[:, mask]
    residual, total = _energies(inside, shade(lights, g[:, mask]))
    shadow = inside <= _SHADOW * inside.max(axis=0)
    figures = {
        "residual": np.sqrt(residual.sum() / max(float(total.sum()), 1e-12)),
        "shadow_share": shadow.mean(),
        "saturated_share": (values >= SATURATED).mean(),
        "light_condition": np.linalg.cond(lights),
        "mask_share": mask.mean(),
        "brightness": values.mean(),
    }
    return {name: np.float32(value) for name, value in figures.items()}


def _energies(images: FloatArray, shading: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sums over the lights of the squared residual and of the squared intensity."""
    residual = images - np.maximum(shading, 0)
    return (residual * residual).sum(axis=0), (images * images).sum(axis=0)
