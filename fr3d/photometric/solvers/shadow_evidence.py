"""What the shadow network looks at: photographs at its own resolution, next to a first solution.

Training and reconstruction call the same functions, so that they cannot drift apart.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.symmetric import UPPER, solve_symmetric

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

CHANNELS = 28
CELL = 16
_TINY = np.float32(1e-6)
_RIDGE = np.float32(3e-3)
_LEAST_WEIGHT = np.float32(0.02)


def working_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Choose the height and width at which the network works, multiples of `CELL`.

    Args:
        height: of the photographs, pixels.
        width: of the photographs, pixels.
        side: of a square with the wanted area, pixels.
    """
    factor = side / np.sqrt(height * width)
    rows, columns = (max(2, round(length * factor / CELL)) for length in (height, width))
    return rows * CELL, columns * CELL


def brightness_unit(images: FloatArray, mask: BoolArray) -> np.float32:
    """Level of the bright parts of a session, the unit in which the network sees intensities.

    Args:
        images: (L, H, W), linear light.
        mask: (H, W), where the object is.
    """
    seen = images.max(axis=0)[mask]
    return np.maximum(np.float32(np.percentile(seen, 90) if seen.size else 1), _TINY)


@dataclass(frozen=True)
class Shrunk:
    """A session at the network's resolution.

    Args:
        images: (L, h, w), linear light.
        saturated: (L, h, w), share of values that the camera could not hold.
        mask: (h, w), share of the pixel on the object.
        detail: (L, h, w), standard deviation of the light within each pixel.
    """

    images: FloatArray
    saturated: FloatArray
    mask: FloatArray
    detail: FloatArray


def shrink(images: FloatArray, saturated: BoolArray, mask: BoolArray, side: int) -> Shrunk:
    """Bring a session to the network's resolution.

    Args:
        images: (L, H, W), linear light.
        saturated: (L, H, W), values that the camera could not hold.
        mask: (H, W), where the object is.
        side: as for `working_size`.
    """
    size = working_size(mask.shape[0], mask.shape[1], side)
    small = resized(images, size, cv2.INTER_AREA)
    square = resized(images * images, size, cv2.INTER_AREA) - small * small
    marked = saturated.any()
    clipped = resized(saturated.astype(np.float32), size, cv2.INTER_AREA) if marked else 0 * small
    share = resized(mask[None].astype(np.float32), size, cv2.INTER_AREA)[0]
    return Shrunk(small, clipped, share, np.sqrt(np.maximum(square, 0)))


def resized(planes: FloatArray, size: tuple[int, int], how: int) -> FloatArray:
    """Resample planes (C, H, W) to another height and width."""
    if planes.shape[1:] == size:
        return planes
    return np.stack([cv2.resize(plane, size[::-1], interpolation=how) for plane in planes])


def evidence(small: Shrunk, lights: npt.NDArray[np.floating], unit: np.float32) -> FloatArray:
    """Lay out what the network gets for each light, two by two pixels in one.

    Args:
        small: the session; height and width are multiples of `CELL`.
        lights: (L, 3), unit vectors.
        unit: of intensities, from `brightness_unit`.

    Returns:
        (L, CHANNELS, h/2, w/2).
    """
    images, mask = small.images / unit, small.mask
    rows = lights.astype(np.float32)
    brightest = np.maximum(images.max(axis=0), _TINY)
    ratio = images / brightest
    g = _first_solution(images, ratio, rows)
    length = np.sqrt((g * g).sum(axis=0)) + _TINY
    shading = np.einsum("lc,chw->lhw", rows, g)
    residual = np.clip((images - np.maximum(shading, 0)) / (brightest + np.float32(0.02)), -1, 1)
    root = np.sqrt(np.clip(images, 0, 4))
    each = np.stack([root, ratio, shading / length, residual, small.saturated], axis=1)
    shared = np.concatenate([_halved(g / length), _halved(mask[None])])
    count, (height, width) = len(images), shared.shape[1:]
    out = np.empty((count, CHANNELS, height, width), np.float32)
    out[:, :20] = _folded(each).reshape(count, 20, height, width)
    out[:, 20:24] = shared
    out[:, 24:27] = rows[:, :, None, None]
    out[:, 27] = _halved(small.detail / (unit * (brightest + np.float32(0.02))))
    return out


def _first_solution(images: FloatArray, ratio: FloatArray, rows: FloatArray) -> FloatArray:
    """Least squares weighted by brightness, drawn a little to nothing; (3, h, w)."""
    weight = np.maximum(ratio, _LEAST_WEIGHT)
    zero = np.zeros((3, *images.shape[1:]), np.float32)
    return ridge_solution(images, weight, rows, zero, _RIDGE)


def ridge_solution(
    images: FloatArray,
    weight: FloatArray,
    rows: FloatArray,
    target: FloatArray,
    ridge: FloatArray | np.float32,
) -> FloatArray:
    """Minimise sum w (I - l g)^2 + ridge |g - target|^2 for each pixel, in closed form.

    Args:
        images: (L, ...), I.
        weight: (L, ...), w.
        rows: (L, 3), l.
        target: (3, ...).
        ridge: (...), positive, or one value for all pixels.

    Returns:
        (3, ...), g.
    """
    a = [_weighted(rows[:, i] * rows[:, j], weight) for i, j in UPPER]
    xx, yy, zz = a[0] + ridge, a[3] + ridge, a[5] + ridge
    xy, xz, yz = a[1], a[2], a[4]
    drive = weight * images
    b = [_weighted(rows[:, i], drive) + ridge * target[i] for i in range(3)]
    return np.stack(solve_symmetric((xx, xy, xz, yy, yz, zz), b))


def _weighted(factors: FloatArray, planes: FloatArray) -> FloatArray:
    """Sum of the planes, each times its factor, in a fixed order."""
    total = factors[0] * planes[0]
    for factor, plane in zip(factors[1:], planes[1:], strict=True):
        total += factor * plane
    return total


def _folded(planes: FloatArray) -> FloatArray:
    """(L, C, h, w) to (L, C, 4, h/2, w/2): two by two pixels become four channels."""
    quarters = [planes[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    return np.stack(quarters, axis=2)


def _halved(planes: FloatArray) -> FloatArray:
    total = planes[:, ::2, ::2] + planes[:, 1::2, ::2]
    total += planes[:, ::2, 1::2]
    total += planes[:, 1::2, 1::2]
    return total * np.float32(0.25)
