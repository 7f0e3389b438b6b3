"""Similarity and affine maps of the image plane, (2, 3) matrices on pixel coordinates (x, y)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError

Array = npt.NDArray[Any]
Matrix = npt.NDArray[np.float64]


def similarity(
    degrees: float = 0.0,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    center: tuple[float, float] = (0.0, 0.0),
) -> Matrix:
    """Rotate and scale about a centre, then shift.

    Args:
        degrees: counter-clockwise as one sees the image (x right, y up).
        scale: larger than 1 enlarges.
        shift: x to the right and y *down* the rows, in pixels of the result.
        center: x, y of the fixed point, pixels.

    Returns:
        (2, 3) matrix from old to new pixel coordinates.
    """
    angle = np.deg2rad(degrees)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    # Rows run down: a counter-clockwise turn has the signs of a clockwise one.
    linear = np.array([[c, s], [-s, c]])
    middle = np.asarray(center, dtype=np.float64)
    offset = middle - linear @ middle + np.asarray(shift, dtype=np.float64)
    return np.column_stack([linear, offset])


def resizing(scale: float) -> Matrix:
    """Resize a whole image: pixel edges, not centres, keep their proportion.

    Args:
        scale: new size over old size.
    """
    half = 0.5 * scale - 0.5
    return np.array([[scale, 0.0, half], [0.0, scale, half]])


def centre_fit(height: int, width: int, size: int) -> Matrix:
    """Fit a whole image into a square, centred; the shorter side leaves two equal margins.

    Args:
        height: rows of the image.
        width: columns of the image.
        size: side of the square in pixels.

    Returns:
        (2, 3) matrix from image to square.
    """
    scale = size / max(height, width)
    matrix = resizing(scale)
    matrix[:, 2] += [(size - scale * width) / 2.0, (size - scale * height) / 2.0]
    return matrix


def estimate_similarity(source: Array, target: Array) -> Matrix:
    """Find the similarity that takes points closest to others, in the least-squares sense.

    Points that are NaN on either side are left out.

    Args:
        source: (K, 2) pixel coordinates, at least two of them distinct.
        target: (K, 2).

    Returns:
        (2, 3) matrix, without reflection.

    Reference:
        Umeyama 1991, Least-squares estimation of transformation parameters between two point
        patterns, eq. 40-43; in the plane the rotation has the closed form used here.
    """
    known = np.isfinite(source).all(axis=1) & np.isfinite(target).all(axis=1)
    p = np.asarray(source, dtype=np.float64)[known]
    q = np.asarray(target, dtype=np.float64)[known]
    spread = float(np.sum(np.square(p - p.mean(axis=0)))) if len(p) else 0.0
    if len(p) < 2 or spread < 1e-12:
        raise MalformedInputError(f"{len(p)} known points, expected at least two distinct ones")
    p_mean, q_mean = p.mean(axis=0), q.mean(axis=0)
    p0, q0 = p - p_mean, q - q_mean
    a = float(np.sum(p0 * q0)) / spread
    b = float(np.sum(p0[:, 0] * q0[:, 1] - p0[:, 1] * q0[:, 0])) / spread
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, q_mean - linear @ p_mean])


def estimate_affine(source: Array, target: Array) -> Matrix:
    """Find the affine map that takes points closest to others, in the least-squares sense.

    Args:
        source: (K, 2) pixel coordinates, at least three of them not on one line; NaN are left out.
        target: (K, 2).

    Returns:
        (2, 3) matrix.

    Raises:
        MalformedInputError: too few points, or nearly on one line.
    """
    known = np.isfinite(source).all(axis=1) & np.isfinite(target).all(axis=1)
    p = np.asarray(source, dtype=np.float64)[known]
    q = np.asarray(target, dtype=np.float64)[known]
    spread = np.linalg.svd(p - p.mean(axis=0), compute_uv=False) if len(p) > 2 else np.zeros(2)
    if spread[-1] < 1e-3 * max(spread[0], 1e-12):
        raise MalformedInputError(f"{len(p)} known points, expected three that span a triangle")
    columns = np.column_stack([p, np.ones(len(p))])
    return np.asarray(np.linalg.lstsq(columns, q, rcond=None)[0].T)


def scale_of(matrix: Array) -> float:
    """Tell how much a map enlarges: the root of the growth of an area."""
    return float(np.sqrt(abs(np.linalg.det(np.asarray(matrix, dtype=np.float64)[:, :2]))))


def transform_points(matrix: Array, points: Array) -> Matrix:
    """Move points.

    Args:
        matrix: (2, 3).
        points: (..., 2) pixel coordinates; NaN stays NaN.
    """
    m = np.asarray(matrix, dtype=np.float64)
    return np.asarray(points, dtype=np.float64) @ m[:, :2].T + m[:, 2]


def inverse(matrix: Array) -> Matrix:
    """Turn the map from old to new into the one from new to old."""
    m = np.asarray(matrix, dtype=np.float64)
    linear = np.linalg.inv(m[:, :2])
    return np.column_stack([linear, -linear @ m[:, 2]])


def compose(second: Array, first: Array) -> Matrix:
    """Join two steps into one: the result does `first`, then `second`."""
    a, b = (np.asarray(m, dtype=np.float64) for m in (second, first))
    return np.column_stack([a[:, :2] @ b[:, :2], a[:, :2] @ b[:, 2] + a[:, 2]])
