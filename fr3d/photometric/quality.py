"""How far the maps of a capture can be trusted: per pixel and as a whole."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import combine, indicator
from fr3d.photometric.solvers.problem import SATURATED_WEIGHT
from fr3d.photometric.solvers.symmetric import adjugate
from fr3d.photometric.usable import Flashes

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_SHADOW = np.float32(0.1)  # of the pixel's brightest photograph
_NOISE = 4 / 255
_MODEL = np.float32(0.1)  # no surface is Lambertian to better than this share of its albedo
_LEAST_INFORMATION = np.float32(0.01)
_HALF_CONFIDENCE = np.float32(0.5)  # radians
_BLOCK = 8192


@dataclass(frozen=True)
class Fit:
    """How a solution meets its photographs, by pixel; each (H, W).

    Attributes:
        unexplained: sum over the lights of (I - max(0, L g))^2.
        energy: sum over the lights of I^2.
        brightest: largest I.
        lit: how many lights are brighter than a tenth of the brightest.
        error: angle by which the normal is expected to be off, radians.
    """

    unexplained: FloatArray
    energy: FloatArray
    brightest: FloatArray
    lit: FloatArray
    error: FloatArray


def measure_fit(
    images: FloatArray,
    lights: npt.NDArray[np.float64],
    g: FloatArray,
    saturated: Mask | None = None,
    *,
    error: FloatArray | None = None,
    noise: float = _NOISE,
) -> Fit:
    """Compare photographs with what the scaled normals predict.

    Args:
        images: (L, H, W), linear light over the intensity of the flash; 1 = full scale.
        lights: (L, 3).
        g: (3, H, W), albedo times normal.
        saturated: (L, H, W), samples that the camera could not hold; none by default.
        error: (H, W), what the solver itself says of its error; by default it is worked out.
        noise: of the photographs, in their unit; of 8 bit values by default.
    """
    count, *shape = images.shape
    planes, scaled = images.reshape(count, -1), g.reshape(3, -1)
    marked = None if saturated is None else saturated.reshape(count, -1)
    out = np.empty((5, planes.shape[1]), np.float32)
    rows = lights.astype(np.float32)
    for start in range(0, planes.shape[1], _BLOCK):
        part = np.s_[:, start : start + _BLOCK]
        spoilt = None if marked is None else marked[part]
        out[part] = _measured(
            planes[part], rows, scaled[part], spoilt, noise=noise if error is None else None
        )
    fit = Fit(*out.reshape(5, *shape))
    return fit if error is None else replace(fit, error=error)


def _measured(
    planes: FloatArray,
    lights: FloatArray,
    g: FloatArray,
    saturated: Mask | None,
    *,
    noise: float | None,
) -> FloatArray:
    """The rows of `Fit` for a block of pixels; without noise no error is worked out."""
    shading = combine(lights, g)
    residual = planes - np.maximum(shading, 0)
    unexplained = (residual * residual).sum(axis=0)
    brightest = planes.max(axis=0)
    shadow = _SHADOW * brightest
    lit = (planes > shadow).sum(axis=0, dtype=np.float32)
    energy = (planes * planes).sum(axis=0)
    if noise is None:
        return np.stack([unexplained, energy, brightest, lit, energy])
    weight = np.minimum(planes / np.maximum(shadow, np.float32(1e-9)), 1)
    weight *= indicator(shading > 0)
    if saturated is not None:
        weight *= 1 - np.float32(1 - SATURATED_WEIGHT) * indicator(saturated)
    albedo = np.maximum((g * g).sum(axis=0), np.float32(1e-12))
    spare = np.float32(max(1, len(planes) - 3))  # samples beyond what g takes up
    variance = unexplained / spare + np.float32(noise) ** 2 + _MODEL**2 * albedo
    error = np.sqrt(variance * _direction_gain(lights, weight, g, albedo) / albedo)
    return np.stack([unexplained, energy, brightest, lit, error])


def _direction_gain(
    lights: FloatArray, weight: FloatArray, g: FloatArray, squared: FloatArray
) -> FloatArray:
    """Variance of g across its own direction, for samples of variance 1 / weight.

    It is tr(A^-1) - n . A^-1 n with A = sum_k w_k l_k l_k^T, by the adjugate.
    """
    x, y, z = lights.T
    pairs = combine(np.stack([x * x, y * y, z * z, x * y, x * z, y * z]), weight)
    pairs[:3] += _LEAST_INFORMATION
    xx, yy, zz, xy, xz, yz = pairs
    ((cxx, cxy, cxz), (_, cyy, cyz), (_, _, czz)), determinant = adjugate(xx, xy, xz, yy, yz, zz)
    a, b, c = g
    along = cxx * a * a + cyy * b * b + czz * c * c + 2 * (cxy * a * b + cxz * a * c + cyz * b * c)
    gain = (cxx + cyy + czz - along / squared) / determinant
    found: FloatArray = np.maximum(gain, 0)
    return found


def pixel_confidence(fit: Fit) -> FloatArray:
    """Rate each pixel from 0 to 1 by the angle that its normal is expected to be off.

    Expected is what the residuals of all samples, noise and a share of the albedo come to after
    the gain of the lights that reach the pixel: few or narrow lights, saturated samples, darkness
    and contradictions all lower the rating, 1 / (1 + (angle / 0.5 rad)^2).

    Args:
        fit: with intensities whose full scale is 1.

    Returns:
        (H, W), 0 where nothing is lit.
    """
    ratio = fit.error / _HALF_CONFIDENCE
    return np.asarray((fit.brightest > 0) / (1 + ratio * ratio), np.float32)


def capture_quality(
    fit: Fit,
    stored: FloatArray,
    saturated: Mask,
    lights: npt.NDArray[np.float64],
    mask: Mask,
    flashes: Flashes | None = None,
) -> dict[str, np.float32]:
    """Figures of a whole capture, over its mask.

    Args:
        fit: by pixel, of the photographs that were used.
        stored: (L, H, W), values as the files hold them, 1 = full scale.
        saturated: (L, H, W), samples that the camera could not hold.
        lights: (L, 3).
        mask: (H, W), not empty.
        flashes: which photographs were left out; none by default.

    Returns:
        residual: root of unexplained over total energy, 0 is perfect; shadow_share: samples below
        a tenth of their pixel's brightest; saturated_share: samples at full scale;
        light_condition: gain of noise of the lights; mask_share: of the photograph; brightness:
        mean of the photographs; lights_behind: lights with z <= 0; black_flashes and
        overexposed_flashes: photographs left out, of which residual, shadow_share and
        light_condition know nothing.
    """
    keep = np.ones(len(lights), np.bool_) if flashes is None else flashes.keep
    energy = max(float(fit.energy[mask].sum()), 1e-12)
    figures = {
        "residual": np.sqrt(float(fit.unexplained[mask].sum()) / energy),
        "shadow_share": 1 - fit.lit[mask].mean() / keep.sum(),
        "saturated_share": (saturated & mask).sum() / (len(stored) * mask.sum()),
        "light_condition": np.linalg.cond(lights[keep]),
        "mask_share": mask.mean(),
        "brightness": (stored.mean(axis=0) * mask).sum() / mask.sum(),
        "lights_behind": (lights[:, 2] <= 0).sum(),
        "black_flashes": 0 if flashes is None else flashes.black,
        "overexposed_flashes": 0 if flashes is None else flashes.overexposed,
    }
    return {name: np.float32(value) for name, value in figures.items()}
