"""A surface seen from another direction: its pixels as a mesh, moved and drawn again."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.geometry.depth import depth_at
from fr3d.geometry.maps import BoolArray, FaceMaps, FloatArray
from fr3d.geometry.mesh import triangulate
from fr3d.geometry.normals import unit
from fr3d.geometry.raster import interpolate, rasterise

Array = npt.NDArray[Any]
_MOSTLY = 0.6  # of the pixels around a hole
_WINDOW = (5, 5)
_LAYERS = ("normal", "albedo", "image", "confidence")


def redraw(
    points: Array, triangles: Array, layers: Array, size: tuple[int, int]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], BoolArray]:
    """Draw a surface orthographically; what lies behind something else is not seen.

    Args:
        points: (V, 3), column, row and height towards the camera, pixels.
        triangles: (F, 3) vertex numbers, counter-clockwise as the camera sees them.
        layers: (V, C), what is known at each vertex.
        size: height and width of the frame.

    Returns:
        Layers (H, W, C), zero where nothing is seen; depth (H, W), NaN there; where something is.
    """
    height, width = size
    points = np.ascontiguousarray(points, dtype=np.float64)
    triangles = np.ascontiguousarray(triangles, dtype=np.int64)
    seen, weights, depth = rasterise(points, triangles, height, width)
    there = seen >= 0
    drawn = np.zeros((height, width, layers.shape[1]), np.float32)
    table = np.ascontiguousarray(layers, dtype=np.float64)
    drawn[there] = interpolate(table, triangles[seen[there]], weights[there]).T
    return drawn, depth.astype(np.float32), there


def turn_maps(maps: FaceMaps, rotation: Array, about: Array) -> FaceMaps:
    """Turn a face in space and look at it from the front again.

    All maps are drawn anew from the pixels whose depth is known, the photograph too; parts that
    were hidden before are masked, as nothing is known of them. Light that fell on the face in the
    photograph stays as it was.

    Args:
        maps: the face, with depth.
        rotation: (3, 3), in the frame x right, y up, z to the camera.
        about: (3,), column, row and depth of the point that stays, pixels.

    Returns:
        The face in a frame of the same size.
    """
    if maps.depth is None:
        return maps
    known = maps.mask & np.isfinite(maps.depth)
    triangles = triangulate(maps.depth, known)
    if not len(triangles):
        return maps
    rows, columns = np.mgrid[0 : maps.height, 0 : maps.width]
    height = np.where(known, maps.depth, 0.0)
    points = np.stack([columns, rows, height], axis=-1).reshape(-1, 3).astype(np.float64)
    layers, splits = _stacked(maps)
    drawn, depth, there = redraw(
        turn_points(points, rotation, about),
        triangles,
        layers.reshape(len(points), -1),
        (maps.height, maps.width),
    )
    present = _parted(drawn, splits, maps)
    if maps.image is not None:
        present["image"] = _without_pinholes(present["image"], there)
    if maps.normal is not None:
        turned = unit(present["normal"] @ np.asarray(rotation, np.float32).T)
        # a surface that the mesh shows from the front faces the front
        turned[turned[..., 2] <= 0] = 0.0
        present["normal"] = turned
    return FaceMaps(
        mask=there,
        landmarks=_turned_landmarks(maps, known, rotation, about),
        depth=depth,
        **present,
    )


def turn_points(points: Array, rotation: Array, about: Array) -> npt.NDArray[np.float64]:
    """Turn points of a map about one of them.

    Args:
        points: (..., 3), column, row, depth.
        rotation: (3, 3), in the frame x right, y up, z to the camera.
        about: (3,), the point that stays.
    """
    flip = np.diag([1.0, -1.0, 1.0])  # rows run down
    return (np.asarray(points, np.float64) - about) @ (flip @ rotation @ flip).T + about


def _stacked(maps: FaceMaps) -> tuple[Array, dict[str, int]]:
    """The maps but depth side by side, (H, W, C), and where each begins."""
    layers, starts, at = [], {}, 0
    for name in _LAYERS:
        values = maps.present.get(name)
        if values is None:
            continue
        starts[name] = at
        layers.append(values if values.ndim == 3 else values[..., None])
        at += layers[-1].shape[2]
    stack = np.concatenate(layers, axis=2) if layers else np.zeros((*maps.mask.shape, 0))
    return np.where(maps.mask[..., None], stack, 0.0), starts


def _without_pinholes(image: Array, there: BoolArray) -> Array:
    """Fill holes of few pixels in the photograph, of which depth alone was not measured."""
    layers = image if image.ndim == 3 else image[..., None]
    weight = there.astype(np.float32)[..., None]
    # an axis of one channel is dropped by OpenCV
    near = np.atleast_3d(cv2.blur(weight, _WINDOW))
    mean = np.atleast_3d(cv2.blur(layers * weight, _WINDOW))
    pinhole = ~there[..., None] & (near > _MOSTLY)
    filled = np.where(pinhole, mean / np.maximum(near, 1e-6), layers)
    return filled.reshape(image.shape)


def _parted(drawn: Array, starts: dict[str, int], maps: FaceMaps) -> dict[str, Array]:
    """The maps that `_stacked` put side by side."""
    ends = [*list(starts.values())[1:], drawn.shape[2]]
    return {
        name: drawn[..., start:end] if maps.present[name].ndim == 3 else drawn[..., start]
        for (name, start), end in zip(starts.items(), ends, strict=False)
    }


def _turned_landmarks(
    maps: FaceMaps, known: BoolArray, rotation: Array, about: Array
) -> FloatArray | None:
    if maps.landmarks is None:
        return None
    height = depth_at(replace(maps, mask=known), maps.landmarks)
    points = np.column_stack([maps.landmarks, np.where(np.isfinite(height), height, about[2])])
    return turn_points(points, rotation, about)[:, :2].astype(np.float32)
