"""How far the maps of a capture can be trusted: per pixel and as a whole."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.photometric.photograph import SATURATED
from fr3d.photometric.solvers.linear import shade

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_SHADOW = np.float32(0.1)  # of the pixel's brightest photograph
_NOISE = np.float32(4 / 255)


@dataclass(frozen=True)
class Fit:
    """How a solution meets its photographs, by pixel; each (H, W).

    Attributes:
        unexplained: sum over the lights of (I - max(0, L g))^2.
        energy: sum over the lights of I^2.
        brightest: largest I.
        lit: how many lights are brighter than a tenth of the brightest.
    """

    unexplained: FloatArray
    energy: FloatArray
    brightest: FloatArray
    lit: FloatArray


def measure_fit(images: FloatArray, lights: npt.NDArray[np.float64], g: FloatArray) -> Fit:
    """Compare photographs with what the scaled normals predict.

    Args:
        images: (L, H, W), linear light.
        lights: (L, 3).
        g: (3, H, W), albedo times normal.
    """
    residual = shade(lights, g)
    np.maximum(residual, 0, out=residual)
    np.subtract(images, residual, out=residual)
    np.multiply(residual, residual, out=residual)
    brightest = images.max(axis=0)
    return Fit(
        residual.sum(axis=0),
        (images * images).sum(axis=0),
        brightest,
        (images > _SHADOW * brightest).sum(axis=0, dtype=np.float32),
    )


def pixel_confidence(fit: Fit) -> FloatArray:
    """Rate each pixel from 0 to 1.

    The product of three: how much of the intensities the solution explains,
    1 - |I - max(0, L g)| / |I|; whether at least three lights reach the pixel (a third for each);
    and how far its brightest value stands above the noise.

    Args:
        fit: with intensities whose full scale is 1.

    Returns:
        (H, W).
    """
    ratio = np.divide(
        fit.unexplained, fit.energy, out=np.ones_like(fit.energy), where=fit.energy > 0
    )
    explained = np.clip(1 - np.sqrt(ratio), 0, 1)
    reached = np.minimum(fit.lit / np.float32(3), 1)
    rating: FloatArray = explained * reached * (fit.brightest / (fit.brightest + _NOISE))
    return rating


def capture_quality(
    fit: Fit, stored: FloatArray, lights: npt.NDArray[np.float64], mask: Mask
) -> dict[str, np.float32]:
    """Figures of a whole capture, over its mask.

    Args:
        fit: by pixel.
        stored: (L, H, W), values as the files hold them, 1 = full scale.
        lights: (L, 3).
        mask: (H, W), not empty.

    Returns:
        residual: root of unexplained over total energy, 0 is perfect; shadow_share: samples below
        a tenth of their pixel's brightest; saturated_share: samples at full scale;
        light_condition: gain of noise of the lights; mask_share: of the photograph; brightness:
        mean of the photographs.
    """
    energy = max(float(fit.energy[mask].sum()), 1e-12)
    figures = {
        "residual": np.sqrt(float(fit.unexplained[mask].sum()) / energy),
        "shadow_share": 1 - fit.lit[mask].mean() / len(stored),
        "saturated_share": ((stored >= SATURATED) & mask).sum() / (len(stored) * mask.sum()),
        "light_condition": np.linalg.cond(lights),
        "mask_share": mask.mean(),
        "brightness": (stored.mean(axis=0) * mask).sum() / mask.sum(),
    }
    return {name: np.float32(value) for name, value in figures.items()}
