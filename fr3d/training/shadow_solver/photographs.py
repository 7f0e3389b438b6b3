"""From a surface and lights to photographs with all that real ones suffer from."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.training.shadow_solver.cast_shadow import reached
from fr3d.training.shadow_solver.surface import FloatArray, Surface


@dataclass(frozen=True)
class Photographs:
    """What the solver is given, and what it should find.

    Args:
        images: (L, H, W), linear light as the solver believes.
        lights: (L, 3), where the solver believes the lights to be.
        saturated: (L, H, W), values that the sensor could not hold.
        mask: (H, W), the surface.
        given_mask: (H, W), where the solver is told that the surface is.
        truth: (3, H, W), albedo times normal in the unit of the images.
        lit: (L, H, W), share of each observation that follows Lambert's law.
    """

    images: FloatArray
    lights: FloatArray
    saturated: npt.NDArray[np.bool_]
    mask: npt.NDArray[np.bool_]
    given_mask: npt.NDArray[np.bool_]
    truth: FloatArray
    lit: FloatArray


def photograph(
    rng: np.random.Generator, surface: Surface, lights: FloatArray, margin: int, glossy: float
) -> Photographs:
    """Photograph a surface once with each light.

    Args:
        rng: random source.
        surface: with a border that only casts shadows.
        lights: (L, 3), true directions.
        margin: width of that border, pixels.
        glossy: how often the surface has a highlight.
    """
    keep = (slice(margin, -margin),) * 2
    normal, albedo = surface.normal[(slice(None), *keep)], surface.albedo[keep]
    mask = surface.mask[keep]
    cosine = np.einsum("lc,chw->lhw", lights, normal)
    softness = float(rng.uniform(0.02, 0.12))
    clear = np.stack([reached(surface.depth, surface.mask, v, margin, softness) for v in lights])
    lit = clear * (cosine > 0)
    light = _diffuse(rng, cosine) * clear
    radiance = albedo * light
    if rng.random() < glossy:
        shine = _highlight(rng, normal, lights, albedo) * clear * (cosine > 0)
        lit = lit * (shine < 0.08 * np.maximum(radiance, 1e-3))
        radiance = radiance + shine
    radiance = radiance + albedo * _indirect(rng, radiance, normal)
    radiance = np.where(mask, radiance, _background(rng, mask))
    gain = _exposure(rng, radiance, mask)
    images, saturated = _sensed(rng, radiance, gain)
    return Photographs(
        images=images,
        lights=_misjudged(rng, lights),
        saturated=saturated,
        mask=mask,
        given_mask=_told(rng, mask, images),
        truth=(np.float32(gain) * albedo * normal).astype(np.float32),
        lit=lit.astype(np.float32),
    )


def _diffuse(rng: np.random.Generator, cosine: FloatArray) -> FloatArray:
    """Lambert's cosine, sometimes wrapped around the terminator as skin does, or flattened."""
    wrap = float(rng.choice([0.0, rng.uniform(0.0, 0.2)]))
    power = float(rng.choice([1.0, rng.uniform(0.85, 1.2)]))
    value: FloatArray = np.maximum((cosine + wrap) / (1 + wrap), 0) ** power
    return value


def _highlight(
    rng: np.random.Generator, normal: FloatArray, lights: FloatArray, albedo: FloatArray
) -> FloatArray:
    """Blinn and Phong's lobes, one broad and one narrow, stronger at grazing angles."""
    half = lights + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half, axis=1, keepdims=True) + 1e-6
    towards = np.maximum(np.einsum("lc,chw->lhw", half, normal), 0)
    grazing = 1 + 2 * (1 - half[:, 2]) ** 2
    shine = np.zeros_like(towards)
    for low, high, most in ((4, 25, 0.25), (25, 300, 0.8)):
        strength = rng.uniform(0, most) * float(np.median(albedo))
        shine += strength * towards ** float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if rng.random() < 0.5:
        shine = shine * (0.5 + albedo / (albedo.max() + 1e-6))
    value: FloatArray = shine * grazing[:, None, None]
    return value


def _indirect(rng: np.random.Generator, radiance: FloatArray, normal: FloatArray) -> FloatArray:
    """Light from the room, and from other parts of the surface."""
    room = rng.uniform(0, 0.03) * (0.6 + 0.4 * normal[1] * rng.uniform(-1, 1))
    bounce = rng.uniform(0, 0.35)
    spread = [cv2.GaussianBlur(plane, (0, 0), rng.uniform(4, 14)) for plane in radiance]
    value: FloatArray = (bounce * np.stack(spread) + room).astype(np.float32)
    return value


def _background(rng: np.random.Generator, mask: npt.NDArray[np.bool_]) -> FloatArray:
    """What lies behind: mostly nothing."""
    shade = float(rng.choice([0.0, rng.uniform(0, 0.2)], p=[0.7, 0.3]))
    return np.full(mask.shape, shade, np.float32)


def _exposure(rng: np.random.Generator, radiance: FloatArray, mask: npt.NDArray[np.bool_]) -> float:
    """Factor that brings bright parts of the brightest photograph near full scale."""
    seen = radiance.max(axis=0)[mask]
    bright = float(np.percentile(seen, 97)) if seen.size else 1.0
    return float(rng.uniform(0.3, 1.1)) / max(bright, 1e-3)


def _sensed(
    rng: np.random.Generator, radiance: FloatArray, gain: float
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Flash strength, a little motion, noise, clipping and eight bits."""
    lights = len(radiance)
    strength = np.exp(rng.normal(0, rng.choice([0.02, 0.1]), lights)).astype(np.float32)
    # Weak images of lamps at the side were often exposed longer, and scaled back later.
    longer = np.exp(rng.uniform(0, 0.7, lights)) if rng.random() < 0.3 else np.ones(lights)
    images, saturated = [], []
    for plane, factor, boost in zip(radiance * gain, strength, longer, strict=True):
        moved = _shifted(rng, plane * factor)
        level = moved * boost
        level = level + rng.normal(0, 0.004) * rng.random()
        spread = np.sqrt(np.maximum(level, 0) * 3e-5 + rng.uniform(0.001, 0.004) ** 2)
        level = level + spread * rng.standard_normal(level.shape, dtype=np.float32)
        level = np.rint(np.clip(level, 0, 1) * 255) / 255
        saturated.append(level >= 0.995)
        images.append(level / boost)
    bend = float(rng.choice([1.0, np.exp(rng.normal(0, 0.08))]))
    return (np.stack(images) ** bend).astype(np.float32), np.stack(saturated)


def _shifted(rng: np.random.Generator, plane: FloatArray) -> FloatArray:
    """Move a picture by a fraction of a pixel, and blur it a little."""
    move = rng.normal(0, 0.25, 2)
    matrix = np.array([[1, 0, move[0]], [0, 1, move[1]]], np.float32)
    size = (plane.shape[1], plane.shape[0])
    return cv2.warpAffine(  # type: ignore[return-value]
        plane.astype(np.float32), matrix, size, borderMode=cv2.BORDER_REPLICATE
    )


def _misjudged(rng: np.random.Generator, lights: FloatArray) -> FloatArray:
    """Directions as calibration would give them: off by some degrees."""
    spread = rng.choice([0.0, rng.uniform(0, 0.07)])
    moved = lights + rng.normal(0, spread, lights.shape)
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def _told(
    rng: np.random.Generator, mask: npt.NDArray[np.bool_], images: FloatArray
) -> npt.NDArray[np.bool_]:
    """The mask that comes with the photographs: true, all of the frame, or by brightness."""
    kind = rng.random()
    if kind < 0.5:
        return mask
    if kind < 0.8:
        return np.ones_like(mask)
    bright = images.max(axis=0)
    return cv2.blur((bright > 0.04 * bright.max()).astype(np.float32), (5, 5)) > 0.3
