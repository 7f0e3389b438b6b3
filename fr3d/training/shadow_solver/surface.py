"""A surface before the camera as height field: what all training photographs are made of."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

# Below everything: casts no shadow.
NOWHERE = np.float32(-1e6)


@dataclass(frozen=True)
class Surface:
    """Planar maps of one surface.

    Args:
        slope: (2, H, W), dz/dx to the right and dz/dy up.
        depth: (H, W), height towards the camera in pixels; `NOWHERE` outside the mask.
        albedo: (H, W), linear reflectance.
        mask: (H, W), where the surface is.
    """

    slope: FloatArray
    depth: FloatArray
    albedo: FloatArray
    mask: npt.NDArray[np.bool_]

    @property
    def normal(self) -> FloatArray:
        """Unit normals (3, H, W): x right, y up, z to the camera."""
        p, q = self.slope
        length = np.sqrt(1 + p * p + q * q)
        return np.stack([-p, -q, np.ones_like(p)]) / length


def transformed(surface: Surface, matrix: FloatArray, size: int, zoom: float) -> Surface:
    """Resample a surface under a similarity or a reflection of the picture.

    Args:
        surface: the source.
        matrix: (2, 3), from pixels x, y of the result to those of the source.
        size: height and width of the result.
        zoom: pixels of the result per pixel of the source.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    def warp(plane: FloatArray, outside: float) -> FloatArray:
        return cv2.warpAffine(  # type: ignore[return-value]
            plane, matrix, (size, size), flags=flags, borderValue=outside
        )

    solid = surface.mask.astype(np.float32)
    floor = np.where(surface.mask, surface.depth, 0)
    share = warp(solid, 0.0)
    mask = share > 0.999
    # The gradient follows the picture: rows run down and y up, hence the signs.
    turn = matrix[:, :2] * np.float32(zoom)
    p, q = (warp(plane, 0.0) for plane in surface.slope)
    slope = np.stack([turn[0, 0] * p - turn[1, 0] * q, -turn[0, 1] * p + turn[1, 1] * q])
    depth = np.where(mask, np.float32(zoom) * warp(floor, 0.0), NOWHERE)
    return Surface(slope, depth, warp(surface.albedo, 0.0), mask)


def reshaped(surface: Surface, stretch: float, tilt: FloatArray, bumps: FloatArray) -> Surface:
    """Stretch a surface towards the camera, tilt it and add bumps.

    Args:
        surface: the source.
        stretch: factor of the height.
        tilt: (2,), slope to add, to the right and up.
        bumps: (H, W), height to add, pixels.
    """
    height, width = surface.depth.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    down, right = np.gradient(bumps)
    ramp = tilt[0] * (x - width / 2) - tilt[1] * (y - height / 2)
    slope = np.float32(stretch) * surface.slope + tilt[:, None, None] + np.stack([right, -down])
    depth = np.where(surface.mask, stretch * surface.depth + ramp + bumps, NOWHERE)
    return Surface(slope.astype(np.float32), depth.astype(np.float32), surface.albedo, surface.mask)


def cloud(
    rng: np.random.Generator, size: int, coarsest: int, finest: int, fall: float
) -> FloatArray:
    """Draw a smooth random field: octaves of interpolated noise.

    Args:
        rng: random source.
        size: height and width.
        coarsest: cells across in the first octave.
        finest: no octave has more cells across than this.
        fall: amplitude of each octave relative to the one before.

    Returns:
        (size, size), mean about 0, spread about 1.
    """
    total, weight, amplitude, cells = np.zeros((size, size), np.float32), 0.0, 1.0, coarsest
    while cells <= finest:
        grid = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
        total += np.float32(amplitude) * cv2.resize(
            grid, (size, size), interpolation=cv2.INTER_CUBIC
        )
        weight += amplitude**2
        amplitude, cells = amplitude * fall, cells * 2
    return total / np.float32(np.sqrt(weight))
