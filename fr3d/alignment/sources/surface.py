"""From the depth that a sensor measured to the surface of a face: what belongs to it, smoothed."""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.alignment.landmarks import NoFaceError
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

EYES_MM = 63.0
"""Mean distance of adults' pupils (Dodgson 2004), where no camera tells the scale."""
REACH_MM = 150.0
SMOOTHING_MM = 2.5
_EDGE_MM = 12.0
_JUMP_MM = 30.0
# Share of the eye distance around a landmark in which depth is looked for.
_PATCH = 0.12


def height_of_face(height: FloatArray, landmarks: npt.NDArray[np.float64]) -> float:
    """Height of a face: the median of what is measured around its landmarks.

    Args:
        height: (H, W) towards the camera, mm, NaN where unknown.
        landmarks: (5, 2) pixels.

    Raises:
        NoFaceError: nothing was measured there.
    """
    reach = max(2.0, _PATCH * float(np.hypot(*(landmarks[1] - landmarks[0]))))
    rows, columns = np.mgrid[0 : height.shape[0], 0 : height.shape[1]]
    near = np.zeros(height.shape, bool)
    for x, y in landmarks:
        near |= np.hypot(columns - x, rows - y) <= reach
    values = height[near & np.isfinite(height)]
    if not values.size:
        raise NoFaceError("no depth was measured where the face is")
    return float(np.median(values))


def face_mask(height: FloatArray, middle: float, landmarks: npt.NDArray[np.float64]) -> BoolArray:
    """What belongs to the face: measured, near its height, and connected with it.

    Args:
        height: (H, W) towards the camera, mm.
        middle: height of the face.
        landmarks: (5, 2) pixels.

    Returns:
        (H, W).
    """
    with np.errstate(invalid="ignore"):
        near = np.isfinite(height) & (np.abs(height - middle) <= REACH_MM)
    near &= ~_torn(height, near)
    count, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)
    if count <= 1:
        raise NoFaceError("no surface was measured where the face is")
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    rows, columns = np.mgrid[0 : height.shape[0], 0 : height.shape[1]]
    x, y = landmarks.mean(axis=0)
    close = near & (np.hypot(columns - x, rows - y) <= eyes)
    sizes = np.bincount(labels[close], minlength=count)
    if not sizes.any():
        raise NoFaceError("no surface was measured where the face is")
    return np.asarray(labels == int(np.argmax(sizes)))


def smoothed_surface(maps: FaceMaps, scale_mm: float, smoothing_mm: float) -> FaceMaps:
    """Smooth depth and derive its normals.

    A bilateral filter over the pixels of the mask alone (Tomasi and Manduchi 1998): weights fall
    with distance, deviation `smoothing_mm`, and with the difference in height, deviation 12 mm, so
    that the nose keeps its edge. Holes stay holes.

    Args:
        maps: with depth.
        scale_mm: mm a pixel.
        smoothing_mm: 0 leaves depth as it is.
    """
    if maps.depth is None:
        return maps
    known = maps.mask & np.isfinite(maps.depth)
    depth = maps.depth.astype(np.float32)
    sigma = smoothing_mm / scale_mm
    if sigma > 0.3:
        depth = bilateral(depth, known, sigma, _EDGE_MM / scale_mm)
    normal = normals_from_depth(depth, known)
    depth = np.where(known, depth, np.float32(np.nan))
    return replace(maps, mask=known, depth=depth, normal=normal)


def bilateral(values: FloatArray, known: BoolArray, sigma: float, edge: float) -> FloatArray:
    """Smooth values without mixing across steps or in what is unknown.

    Args:
        values: (H, W).
        known: (H, W), where they count.
        sigma: deviation in the plane, pixels.
        edge: deviation of differences in value.

    Returns:
        (H, W), smoothed where known.
    """
    reach = max(1, int(np.ceil(2.5 * sigma)))
    filled = np.where(known, values, np.float32(0))
    padded = np.pad(filled, reach)
    there = np.pad(known.astype(np.float32), reach)
    total, weight = np.zeros_like(filled), np.zeros_like(filled)
    height, width = values.shape
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            window = np.s_[
                reach + down : reach + down + height, reach + right : reach + right + width
            ]
            apart = (padded[window] - filled) / np.float32(edge)
            factor = np.float32(np.exp(-(down**2 + right**2) / (2 * sigma**2)))
            share = factor * there[window] * np.exp(np.float32(-0.5) * apart * apart)
            total += share * padded[window]
            weight += share
    return np.where(known, total / np.maximum(weight, np.float32(1e-9)), values)


def _torn(height: FloatArray, near: BoolArray) -> BoolArray:
    """Pixels at a jump, where sensors mix what is before and behind it."""
    far = np.float32(1e9)
    kernel = np.ones((3, 3), np.uint8)
    low = cv2.erode(np.where(near, height, far), kernel)
    high = cv2.dilate(np.where(near, height, -far), kernel)
    return np.asarray(near & (high - low > _JUMP_MM))
