"""The one place that moves all maps of a face at once and keeps them true to one another.

A normal turns with the image plane and a depth, counted in pixels, grows with the scale, so that
the normals of a moved depth map are the moved normals of the depth map.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import unit
from fr3d.geometry.resample import resample
from fr3d.geometry.similarity import centre_fit, scale_of, similarity, transform_points

Array = npt.NDArray[Any]
_MIRRORED = [1, 0, 2, 4, 3]
_MASKED = ("normal", "albedo", "confidence")


def warp_maps(maps: FaceMaps, matrix: Array, size: int | tuple[int, int]) -> FaceMaps:
    """Move all maps of a face by one similarity, or another affine map; either may reflect.

    Where an affine map shears or stretches, depth grows by the root of the area's growth.

    Masked maps are drawn from pixels inside the mask alone; the new mask is where at least half
    of a pixel is covered. The photograph is drawn from the whole frame.

    Args:
        maps: the face.
        matrix: (2, 3) from old to new pixel coordinates.
        size: side of the new square frame, or its height and width.

    Returns:
        The face in the new frame, float32, with depth in pixels of the new frame.
    """
    shape = (size, size) if isinstance(size, int) else size
    scale, slopes = _scale_and_slopes(matrix)
    image, inside = _draw_image(maps, matrix, shape)
    if maps.present.keys() == {"image"} and maps.mask.all():
        mask, drawn = inside, dict[str, Array]()  # a photograph: its mask is its frame
    else:
        mask, drawn = _draw_masked(maps, matrix, shape)
    if maps.normal is not None:
        drawn["normal"] = unit(_turn_normals(drawn["normal"], slopes))
    if maps.depth is not None:
        known = maps.mask & np.isfinite(maps.depth)
        depth, covered = resample(_as_layers(maps.depth), known, matrix, shape)
        height = depth[..., 0] * np.float32(scale)
        drawn["depth"] = np.where(mask & (covered > 1e-3), height, np.float32(np.nan))
    if image is not None:
        drawn["image"] = image
    landmarks = maps.landmarks
    if landmarks is not None:
        moved = transform_points(matrix, landmarks).astype(np.float32)
        landmarks = moved[_MIRRORED] if np.linalg.det(slopes) < 0 else moved
    return FaceMaps(mask=mask, landmarks=landmarks, **drawn)


def flip_maps(maps: FaceMaps) -> FaceMaps:
    """Mirror a face left to right; exact, nothing is interpolated."""
    flipped = {name: np.ascontiguousarray(m[:, ::-1]) for name, m in maps.present.items()}
    if maps.normal is not None:
        flipped["normal"] = flipped["normal"] * np.array([-1, 1, 1], dtype=maps.normal.dtype)
    landmarks = maps.landmarks
    if landmarks is not None:
        landmarks = landmarks[_MIRRORED].copy()
        landmarks[:, 0] = maps.width - 1 - landmarks[:, 0]
    mask = np.ascontiguousarray(maps.mask[:, ::-1])
    return replace(maps, mask=mask, landmarks=landmarks, **flipped)


def rotate_maps(maps: FaceMaps, degrees: float) -> FaceMaps:
    """Rotate a face about the middle of its frame, counter-clockwise as one sees it."""
    middle = ((maps.width - 1) / 2.0, (maps.height - 1) / 2.0)
    return warp_maps(maps, similarity(degrees, center=middle), (maps.height, maps.width))


def resize_maps(maps: FaceMaps, size: int) -> FaceMaps:
    """Fit a face into a square frame, centred, the longer side filling it."""
    return warp_maps(maps, centre_fit(maps.height, maps.width, size), size)


def crop_maps(maps: FaceMaps, top: int, left: int, height: int, width: int) -> FaceMaps:
    """Cut a rectangle out of all maps; exact, nothing is interpolated."""
    rows, columns = slice(top, top + height), slice(left, left + width)
    cut = {name: m[rows, columns] for name, m in maps.present.items()}
    landmarks = maps.landmarks
    if landmarks is not None:
        landmarks = landmarks - np.array([left, top], dtype=landmarks.dtype)
    return replace(maps, mask=maps.mask[rows, columns], landmarks=landmarks, **cut)


def _scale_and_slopes(matrix: Array) -> tuple[float, Array]:
    """How depth grows, and what happens to slopes; for a similarity an orthogonal matrix.

    z'(A x) = s z(x) has the gradient s A^-T grad z.
    """
    linear = np.asarray(matrix, dtype=np.float64)[:, :2]
    scale = scale_of(matrix)
    if not scale > 0 or not np.isfinite(linear).all():
        raise MalformedInputError(f"matrix {linear.round(4).tolist()} cannot be undone")
    return scale, scale * np.linalg.inv(linear).T


def _turn_normals(normal: Array, slopes: Array) -> Array:
    """Change (x, y) of normals as slopes change; the matrix counts rows downwards."""
    up = np.diag([1.0, -1.0])
    turned = normal.copy()
    turned[..., :2] = normal[..., :2] @ (up @ slopes @ up).T.astype(normal.dtype)
    return turned


def _draw_masked(
    maps: FaceMaps, matrix: Array, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.bool_], dict[str, Array]]:
    """Draw the maps that are zero outside the mask, in one pass, and the mask itself."""
    names = [name for name in _MASKED if name in maps.present]
    layers = [_as_layers(maps.present[name]) for name in names]
    stack = np.concatenate([np.zeros((*maps.mask.shape, 0), np.float32), *layers], axis=2)
    values, covered = resample(stack, maps.mask, matrix, shape)
    mask = covered >= 0.5
    values[~mask] = 0.0
    bounds = np.cumsum([layer.shape[2] for layer in layers])[:-1]
    parts = np.split(values, bounds, axis=2) if names else []
    return mask, {
        name: np.ascontiguousarray(part if maps.present[name].ndim == 3 else part[..., 0])
        for name, part in zip(names, parts, strict=True)
    }


def _draw_image(
    maps: FaceMaps, matrix: Array, shape: tuple[int, int]
) -> tuple[Array | None, npt.NDArray[np.bool_]]:
    """Draw the photograph, zero where less than half of a pixel lies in its frame; and where."""
    if maps.image is None:
        return None, np.zeros(shape, bool)
    everywhere = np.ones(maps.image.shape[:2], dtype=np.float32)
    values, covered = resample(_as_layers(maps.image), everywhere, matrix, shape)
    inside = covered >= 0.5
    values[~inside] = 0.0
    return (values if maps.image.ndim == 3 else values[..., 0]), inside


def _as_layers(values: Array) -> Array:
    layers = values if values.ndim == 3 else values[..., None]
    return layers.astype(np.float32, copy=False)
