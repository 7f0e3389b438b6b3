"""Random training sessions: a head or a thing, photographed under a random rig, as arrays."""

from dataclasses import dataclass

import cv2
import numpy as np

from fr3d.photometric.solvers.shadow_evidence import brightness_unit, evidence, shrink
from fr3d.training.shadow_solver.heads import SIZE, Heads
from fr3d.training.shadow_solver.objects import random_albedo, random_object
from fr3d.training.shadow_solver.photographs import photograph
from fr3d.training.shadow_solver.rigs import novel_lights, random_rig
from fr3d.training.shadow_solver.surface import (
    FloatArray,
    Surface,
    cloud,
    reshaped,
    transformed,
)

JUDGES = 4
_FACE = (SIZE / 2, 0.55 * SIZE)
_HEAD_SHARE = 0.65
# Size of the photographs, and side at which the network works.
_SIZES = ((96, 96), (128, 64), (144, 96), (192, 96))


@dataclass(frozen=True)
class Example:
    """One session as the loss needs it; axes as for `Photographs`.

    Args:
        evidence: (L, C, H/2, W/2), what the network sees.
        images: (L, H, W), in the network's unit.
        lights: (L, 3), as the solver believes.
        saturated: (L, H, W).
        truth: (3, H, W), scaled normals in the same unit.
        lit: (L, H, W).
        mask: (H, W).
        judges: (M, 3), new lights.
    """

    evidence: FloatArray
    images: FloatArray
    lights: FloatArray
    saturated: FloatArray
    truth: FloatArray
    lit: FloatArray
    mask: FloatArray
    judges: FloatArray


@dataclass(frozen=True)
class Format:
    """What the sessions of a batch share.

    Args:
        lights: how many.
        size: height and width of the photographs, pixels.
        side: height and width at which the network works.
    """

    lights: int
    size: int
    side: int


def random_format(rng: np.random.Generator) -> Format:
    """Draw the format of a batch: mostly four lights; photographs as the network sees or larger."""
    lights = int(rng.choice([3, 4, 5, 6, 8], p=[0.1, 0.6, 0.12, 0.1, 0.08]))
    size, side = _SIZES[rng.choice(len(_SIZES), p=[0.25, 0.25, 0.3, 0.2])]
    return Format(lights, size, side)


def random_example(
    rng: np.random.Generator, heads: Heads, format_: Format, *, head: bool | None = None
) -> Example:
    """Draw a session.

    Args:
        rng: random source.
        heads: to choose from.
        format_: lights and sizes.
        head: a head or a thing; drawn by default.
    """
    while True:
        is_head = bool(rng.random() < _HEAD_SHARE) if head is None else head
        margin = format_.size // 4
        canvas = format_.size + 2 * margin
        surface = random_head(rng, heads, canvas) if is_head else random_object(rng, canvas)
        inner = surface.mask[margin:-margin, margin:-margin]
        if inner.mean() > 0.1:
            break
    glossy = 0.6 if is_head else 0.75
    shots = photograph(rng, surface, random_rig(rng, format_.lights), margin, glossy)
    small = shrink(shots.images, shots.saturated, shots.given_mask, format_.side)
    unit = brightness_unit(small.images, small.mask > 0.5)
    return Example(
        evidence=evidence(small, shots.lights, unit),
        images=shots.images / unit,
        lights=shots.lights,
        saturated=shots.saturated.astype(np.float32),
        truth=shots.truth / unit,
        lit=shots.lit,
        mask=shots.mask.astype(np.float32),
        judges=novel_lights(rng, JUDGES),
    )


def random_head(rng: np.random.Generator, heads: Heads, canvas: int) -> Surface:
    """Draw a head somewhere in the picture, reshaped and with hair, spots and make-up added."""
    surface = heads.surface(int(rng.integers(len(heads))))
    zoom = float(np.exp(rng.uniform(np.log(0.58), np.log(1.25)))) * canvas / 144
    turn, mirror = rng.normal(0, 0.12), rng.choice([-1.0, 1.0])
    cos, sin = np.cos(turn) / zoom, np.sin(turn) / zoom
    linear = np.array([[mirror * cos, -sin], [mirror * sin, cos]])
    centre = np.array(_FACE) + rng.normal(0, 7, 2)
    offset = centre - linear @ np.full(2, canvas / 2)
    matrix = np.concatenate([linear, offset[:, None]], axis=1).astype(np.float32)
    placed = transformed(surface, matrix, canvas, zoom)
    bumps = zoom * (rng.uniform(0, 2.5) * cloud(rng, canvas, 3, 8, 0.5))
    bumps = bumps + zoom * rng.uniform(0, 0.35) * cloud(rng, canvas, 12, canvas // 2, 0.7)
    tilt = rng.normal(0, 0.12, 2).astype(np.float32)
    shaped = reshaped(placed, float(np.exp(rng.normal(0, 0.15))), tilt, bumps.astype(np.float32))
    albedo = np.maximum(shaped.albedo, 0.01) * _painted(rng, canvas)
    return Surface(shaped.slope, shaped.depth, albedo.astype(np.float32), shaped.mask)


def _painted(rng: np.random.Generator, canvas: int) -> FloatArray:
    """Factor of reflectance: cloudy skin, hair or beard in places."""
    factor = np.exp(rng.uniform(0, 0.25) * cloud(rng, canvas, 4, canvas // 2, 0.7))
    if rng.random() < 0.4:
        hair = cloud(rng, canvas, int(rng.integers(2, 5)), 40, 0.45) > rng.uniform(0.3, 1.2)
        soft = cv2.blur(hair.astype(np.float32), (3, 3))
        factor = factor * (1 - soft * rng.uniform(0.3, 0.8))
    if rng.random() < 0.1:
        factor = factor * random_albedo(rng, canvas)
    return factor.astype(np.float32)
