"""Photometric stereo: photographs under known lights become scaled normals (albedo times normal).

All arrays are planar float32, (L, ...) and (3, ...): one light or one component a plane. Nothing
here calls BLAS on pixels, so that results do not depend on the number of threads.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Solver = Callable[[FloatArray, npt.NDArray[np.float64], BoolArray | None], FloatArray]

_BLOCK = 8192  # pixels at a time, so that all planes of a block stay in the cache
_LEAST_WEIGHT = np.float32(0.02)
_SATURATED_WEIGHT = np.float32(0.05)


def least_squares(
    images: FloatArray,
    lights: npt.NDArray[np.float64],
    saturated: BoolArray | None = None,  # noqa: ARG001 - all solvers are called alike
) -> FloatArray:
    """Solve images = lights . g for each pixel by least squares.

    Args:
        images: (L, ...), linear light, L >= 3.
        lights: (L, 3), unit vectors from the face to each light; x right, y up, z to the camera.
        saturated: not used.

    Returns:
        (3, ...), albedo times normal.

    Reference:
        Woodham 1980, "Photometric method for determining surface orientation from multiple images".
    """
    inverse = np.linalg.pinv(lights).astype(np.float32)
    pixels = images.reshape(len(images), -1)
    g = np.empty((3, pixels.shape[1]), np.float32)
    for part in _blocks(pixels.shape[1]):
        _combine(inverse, pixels[:, part], g[:, part])
    return g.reshape(3, *images.shape[1:])


def ratio_weighted(
    images: FloatArray, lights: npt.NDArray[np.float64], saturated: BoolArray | None = None
) -> FloatArray:
    """Solve by least squares in which each light weighs as it is bright, relative to the brightest.

    Shadows lose weight without a threshold; saturated values count a twentieth. The weighted normal
    equations of each pixel are solved by the adjugate, in the frame of the orthogonal factor of the
    lights, where they are well conditioned for any rig.

    Args:
        images: (L, ...), linear light, L >= 3.
        lights: (L, 3), unit vectors as for `least_squares`.
        saturated: (L, ...), values that the camera could not hold; none by default.

    Returns:
        (3, ...), albedo times normal.
    """
    frame, back = np.linalg.qr(lights)
    back = np.linalg.inv(back).astype(np.float32)
    pixels = images.reshape(len(images), -1)
    g = np.empty((3, pixels.shape[1]), np.float32)
    for part in _blocks(pixels.shape[1]):
        block = pixels[:, part]
        weights = _ratio_weights(block)
        if saturated is not None:
            weights[saturated.reshape(pixels.shape)[:, part]] *= _SATURATED_WEIGHT
        h = _weighted_normal_equations(block, weights, frame.astype(np.float32))
        _combine(back, h, g[:, part])
    return g.reshape(3, *images.shape[1:])


SOLVERS: dict[str, Solver] = {"ls": least_squares, "ratio": ratio_weighted}


def split_scaled_normal(g: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split albedo times normal into the two.

    Args:
        g: (3, ...).

    Returns:
        Albedo (...), not clipped, and unit normals (3, ...), zero where the albedo is.
    """
    albedo = np.sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2])
    normal = np.divide(g, albedo, out=np.zeros_like(g), where=albedo > 0)
    return albedo, normal


def _blocks(pixels: int) -> list[slice]:
    return [slice(i, min(i + _BLOCK, pixels)) for i in range(0, pixels, _BLOCK)]


def _combine(matrix: FloatArray, planes: FloatArray, out: FloatArray) -> None:
    """out[i] = sum over k of matrix[i, k] * planes[k], in this order of k."""
    term = np.empty_like(planes[0])
    for i, row in enumerate(matrix):
        np.multiply(planes[0], row[0], out=out[i])
        for factor, plane in zip(row[1:], planes[1:], strict=True):
            np.multiply(plane, factor, out=term)
            out[i] += term


def _ratio_weights(block: FloatArray) -> FloatArray:
    brightest = np.maximum(block.max(axis=0), np.float32(1e-12))
    weights: FloatArray = np.maximum(block / brightest, _LEAST_WEIGHT)
    return weights


def _weighted_normal_equations(
    block: FloatArray, weights: FloatArray, rows: FloatArray
) -> FloatArray:
    """Solve (sum w r r^T) h = sum w I r for each pixel.

    Args:
        block: (L, P) intensities I.
        weights: (L, P) w.
        rows: (L, 3) r.

    Returns:
        (3, P).
    """
    pairs = np.stack([rows[:, i] * rows[:, j] for i, j in _UPPER])
    a = np.empty((6, block.shape[1]), np.float32)
    b = np.empty((3, block.shape[1]), np.float32)
    _combine(pairs, weights, a)
    _combine(np.ascontiguousarray(rows.T), weights * block, b)
    xx, xy, xz, yy, yz, zz = a
    cxx, cxy, cxz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    cyy, cyz, czz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    scale = 1 / (xx * cxx + xy * cxy + xz * cxz)
    return np.stack(
        [
            (cxx * b[0] + cxy * b[1] + cxz * b[2]) * scale,
            (cxy * b[0] + cyy * b[1] + cyz * b[2]) * scale,
            (cxz * b[0] + cyz * b[1] + czz * b[2]) * scale,
        ]
    )


_UPPER = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def shade(lights: npt.NDArray[np.float64], g: FloatArray) -> FloatArray:
    """Intensities that scaled normals predict, negative where a light lies behind the surface.

    Args:
        lights: (L, 3).
        g: (3, ...), albedo times normal.

    Returns:
        (L, ...).
    """
    out = np.empty((len(lights), *g.shape[1:]), np.float32)
    _combine(lights.astype(np.float32), g, out)
    return out
