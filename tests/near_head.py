"""A face-like hill under lights at a finite distance, in closed form."""

import numpy as np

from fr3d.geometry.lights import direction
from fr3d.photometric.near_light import NearLights

SIDE = 72
FACE = 200.0  # mm
MM = FACE / SIDE
FOUR = direction(np.full(4, 40.0), np.array([45.0, 135, 225, 315]))


def pixels_mm() -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    return (columns - (SIDE - 1) / 2) * MM, ((SIDE - 1) / 2 - rows) * MM


def head() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (3, H, W) in mm, normals and mask of a hill with a nose."""
    x, y = pixels_mm()
    mask = (x / 70) ** 2 + (y / 95) ** 2 < 1
    hill = 60 * np.exp(-((x / 60) ** 2) - (y / 80) ** 2)
    nose = 18 * np.exp(-((x / 14) ** 2) - ((y + 5) / 25) ** 2)
    across = -2 * x * (hill / 60**2 + nose / 14**2)
    up = -2 * (y * hill / 80**2 + (y + 5) * nose / 25**2)
    normal = np.stack([-across, -up, np.ones_like(x)])
    normal /= np.linalg.norm(normal, axis=0)
    z = hill + nose
    return np.stack([x, y, z - z[mask].mean()]), normal * mask, mask


def lit(points: np.ndarray, normal: np.ndarray, lights: NearLights) -> np.ndarray:
    """Intensities by the inverse square law, light by light and without the module's algebra."""
    out = []
    for k, position in enumerate(lights.positions):
        to_light = position[:, None, None] - points
        distance = np.linalg.norm(to_light, axis=0)
        cosine = np.einsum("chw,chw->hw", normal, to_light / distance)
        falloff = (np.linalg.norm(position) / distance) ** 2
        if lights.axes is not None and lights.exponents is not None:
            beam = -np.einsum("c,chw->hw", lights.axes[k], to_light / distance)
            middle = -(lights.axes[k] @ position) / np.linalg.norm(position)
            falloff *= (beam / middle) ** lights.exponents[k]
        out.append(0.7 * falloff * np.maximum(cosine, 0))
    return np.stack(out).astype(np.float32)
