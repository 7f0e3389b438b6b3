"""Random things that are no faces, so that the network learns light and not only heads."""

import numpy as np
import numpy.typing as npt

from fr3d.training.shadow_solver.surface import NOWHERE, FloatArray, Surface, cloud

_STEEPEST = 30.0


def random_object(rng: np.random.Generator, size: int) -> Surface:
    """Draw a union of superellipsoids, or a landscape, with bumps on it.

    Args:
        rng: random source.
        size: height and width, pixels.
    """
    slope = np.zeros((2, size, size), np.float32)
    depth = np.full((size, size), NOWHERE, np.float32)
    if rng.random() < 0.75:
        for _ in range(int(rng.integers(1, 7))):
            _add_blob(rng, slope, depth)
    else:
        depth[:] = 0
    mask = depth > NOWHERE / 2
    finest = int(rng.integers(6, 70) * size / 144)
    height = cloud(rng, size, int(rng.integers(2, 6)), finest, rng.uniform(0.4, 0.6))
    height *= np.float32(size * rng.uniform(0.0, 0.06))
    down, right = np.gradient(height)
    slope += np.stack([right, -down])
    depth[mask] += height[mask]
    return Surface(np.clip(slope, -_STEEPEST, _STEEPEST), depth, random_albedo(rng, size), mask)


def _add_blob(rng: np.random.Generator, slope: FloatArray, depth: FloatArray) -> None:
    """Put one superellipsoid into the maps wherever it is the nearest."""
    size = len(depth)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    centre = size * rng.uniform(0.25, 0.75, 2)
    radius = size * np.exp(rng.uniform(np.log(0.08), np.log(0.5), 2))
    angle, power = rng.uniform(0, np.pi), rng.uniform(1.7, 4.0)
    cos, sin = np.cos(angle), np.sin(angle)
    u = (cos * (x - centre[0]) + sin * (y - centre[1])) / radius[0]
    v = (-sin * (x - centre[0]) + cos * (y - centre[1])) / radius[1]
    left = 1 - np.abs(u) ** power - np.abs(v) ** power
    inside = left > 0
    left = np.maximum(left, 1e-3)
    tall = float(radius.mean() * rng.uniform(0.5, 1.2))
    z = tall * left ** (1 / power) + rng.uniform(-0.2, 0.2) * size
    nearer = inside & (z > depth)
    common = -tall * left ** (1 / power - 1)
    along_u = common * np.abs(u) ** (power - 1) * np.sign(u) / radius[0]
    along_v = common * np.abs(v) ** (power - 1) * np.sign(v) / radius[1]
    right, down = cos * along_u - sin * along_v, sin * along_u + cos * along_v
    slope[0][nearer], slope[1][nearer] = right[nearer], -down[nearer]
    depth[nearer] = z[nearer]


def random_albedo(rng: np.random.Generator, size: int) -> FloatArray:
    """Draw a reflectance: plain, cloudy, or patches."""
    base = np.exp(rng.uniform(np.log(0.1), np.log(0.8)))
    albedo = np.full((size, size), base, np.float32)
    if rng.random() < 0.6:
        spread = rng.uniform(0.05, 0.5)
        albedo *= np.exp(spread * cloud(rng, size, int(rng.integers(2, 8)), size // 2, 0.7))
    if rng.random() < 0.4:
        patches: npt.NDArray[np.bool_] = cloud(rng, size, int(rng.integers(2, 12)), 24, 0.5) > 0.4
        albedo[patches] *= np.float32(rng.uniform(0.15, 1.8))
    return np.clip(albedo, 0.02, 1.0).astype(np.float32)
