"""A face as a distant camera would see it, from what a near one saw and measured."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fr3d.alignment.sources.cameras import Pinhole
from fr3d.geometry.depth import depth_at
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.mesh import triangulate
from fr3d.geometry.reproject import redraw

FloatArray = npt.NDArray[np.float64]


def orthographic(maps: FaceMaps, camera: Pinhole) -> FaceMaps:
    """Undo perspective: what is nearer was seen larger, by a tenth and more at arm's length.

    Each pixel moves to where its point in space is when all are seen at the scale of depth zero;
    the middle of the landmarks stays. The photograph keeps its own pixels where no surface is.

    Args:
        maps: with depth in pixels of that scale, landmarks and photograph.
        camera: its intrinsics in pixels of the maps.

    Returns:
        The maps in a frame of the same size and scale.
    """
    if maps.depth is None or maps.landmarks is None:
        return maps
    known = maps.mask & np.isfinite(maps.depth)
    triangles = triangulate(maps.depth, known)
    if not len(triangles):
        return maps
    middle = np.nanmean(maps.landmarks.astype(np.float64), axis=0)
    rows, columns = np.mgrid[0 : maps.height, 0 : maps.width]
    pixels = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float64)
    height = np.where(known, maps.depth, 0.0).ravel().astype(np.float64)
    places = _moved(pixels, height, camera, middle)
    image = maps.image
    layers = np.zeros((height.size, 0)) if image is None else image.reshape(height.size, -1)
    points = np.column_stack([places, height])
    drawn, depth, there = redraw(points, triangles, layers, (maps.height, maps.width))
    if image is not None:
        seen = there if image.ndim == 2 else there[..., None]
        image = np.where(seen, drawn.reshape(image.shape), image)
    rise = np.nan_to_num(depth_at(maps, maps.landmarks))
    landmarks = _moved(maps.landmarks, rise, camera, middle).astype(np.float32)
    return replace(maps, mask=there, depth=depth, image=image, landmarks=landmarks)


def _moved(
    pixels: npt.NDArray[np.floating],
    height: FloatArray,
    camera: Pinhole,
    middle: FloatArray,
) -> FloatArray:
    """Places of pixels (K, 2) of known height when all are seen at one scale."""
    centre = np.array([camera.cx, camera.cy])
    # depth zero at distance D has D / fx mm a pixel: a height of one pixel is nearer by D / fx
    nearness = (1.0 - height / camera.fx)[:, None]
    square = np.array([1.0, camera.fx / camera.fy])  # pixels need not be square
    return np.asarray(middle + ((pixels - centre) * nearness - (middle - centre)) * square)
