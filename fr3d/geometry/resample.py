"""Sampling of images at arbitrary places, with weights, so that nothing bleeds over a border."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.geometry.similarity import inverse, scale_of, transform_points

Array = npt.NDArray[Any]

_REACH = 4.0  # deviations beyond which OpenCV's Gaussian is cut off


def resample(
    values: Array, weight: Array, matrix: Array, size: tuple[int, int]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Draw an image in a new frame from its valid pixels alone.

    Values and weights are interpolated alike and divided (normalised convolution), so that a pixel
    at the border is a mean of valid ones. Bilinear; what shrinks is smoothed first by a Gaussian
    of half the growth of the pixel, against aliasing.

    Args:
        values: (H, W, C), finite where the weight is not zero.
        weight: (H, W), 0 to 1.
        matrix: (2, 3) from old to new pixel coordinates.
        size: height and width of the result.

    Returns:
        Values (h, w, C), zero where no valid pixel is near; and the covered share (h, w), 0 to 1.

    Reference:
        Knutsson and Westin 1993, Normalized and differential convolution, eq. 5.
    """
    rows, columns = needed_window(matrix, size, weight.shape)
    matrix = moved_origin(matrix, rows.start, columns.start)
    values, flat = values[rows, columns], np.asarray(weight[rows, columns], dtype=np.float32)
    stack = np.empty((*flat.shape, values.shape[2] + 1), dtype=np.float32)
    stack[..., :-1] = np.where(flat[..., None] > 0, values, 0.0) * flat[..., None]
    stack[..., -1] = flat
    sampled = bilinear(_smooth(stack, scale_of(matrix)), inverse(matrix), size)
    covered = sampled[..., -1:]
    drawn = np.zeros_like(sampled[..., :-1])
    np.divide(sampled[..., :-1], covered, out=drawn, where=covered > 1e-6)
    return drawn, covered[..., 0]


def needed_window(
    matrix: Array, size: tuple[int, int], shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Which rows and columns of an image a new frame is drawn from, smoothing included.

    Args:
        matrix: (2, 3) from old to new pixel coordinates.
        size: height and width of the new frame.
        shape: height and width of the image.

    Returns:
        Slices of at least one row and column, inside the image.
    """
    height, width = size
    corners = np.array([[-1, -1], [width, -1], [-1, height], [width, height]], dtype=np.float64)
    at = transform_points(inverse(matrix), corners)
    margin = int(np.ceil(_REACH * max(_blur(scale_of(matrix)), 0.0))) + 2
    # a frame far outside still needs one pixel, of which nothing is then seen
    low = np.clip(np.floor(at.min(axis=0)) - margin, 0, [shape[1] - 1, shape[0] - 1]).astype(int)
    high = np.clip(np.ceil(at.max(axis=0)) + margin + 1, low + 1, [shape[1], shape[0]]).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def moved_origin(matrix: Array, row: int, column: int) -> npt.NDArray[np.float64]:
    """The same map for an image of which rows and columns were cut off in front.

    Args:
        matrix: (2, 3) from old to new pixel coordinates.
        row: first row that was kept.
        column: first column that was kept.
    """
    moved = np.array(matrix, dtype=np.float64)
    moved[:, 2] += moved[:, :2] @ [column, row]
    return moved


def bilinear(image: Array, backward: Array, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Sample an image at the places that a matrix names; zero beyond its border.

    Exact to float32: OpenCV's own warp rounds places to 1/32 pixel, which a steep depth map turns
    into visible steps of its normals.

    Args:
        image: (H, W, C) float32.
        backward: (2, 3) from new to old pixel coordinates.
        size: height and width of the result.
    """
    (height, width), (rows, columns) = image.shape[:2], size
    y, x = np.mgrid[0:rows, 0:columns].reshape(2, -1).astype(np.float64)
    at = backward[:, :2] @ np.stack([x, y]) + backward[:, 2:]
    # A border of zeros, one pixel wide, stands for everything outside.
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0))).reshape((height + 2) * (width + 2), -1)
    at_x = np.clip(at[0] + 1.0, 0.0, width + 0.999999)
    at_y = np.clip(at[1] + 1.0, 0.0, height + 0.999999)
    left, top = at_x.astype(np.intp), at_y.astype(np.intp)
    fx = (at_x - left).astype(np.float32)[:, None]
    fy = (at_y - top).astype(np.float32)[:, None]
    first = top * (width + 2) + left
    upper = padded[first] * (1 - fx) + padded[first + 1] * fx
    lower = padded[first + width + 2] * (1 - fx) + padded[first + width + 3] * fx
    return (upper * (1 - fy) + lower * fy).reshape(rows, columns, -1)


def _blur(scale: float) -> float:
    """Deviation of the Gaussian for a new frame that is so much larger, in old pixels."""
    return 0.5 * (1.0 / scale - 1.0)


def _smooth(stack: Array, scale: float) -> Array:
    """Blur what is about to shrink; zeros beyond the border, as the weights have them."""
    sigma = _blur(scale)
    if sigma <= 0.01:
        return stack
    layers = [
        cv2.GaussianBlur(
            np.ascontiguousarray(stack[..., k]), (0, 0), sigma, borderType=cv2.BORDER_CONSTANT
        )
        for k in range(stack.shape[2])
    ]
    return np.stack(layers, axis=-1)
