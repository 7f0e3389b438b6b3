"""A point cloud as maps: the surface that its points were measured on."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial

from fr3d.geometry.cloud_kernels import gather_moments, nearest_heights
from fr3d.geometry.coding import from_srgb
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth
from fr3d.geometry.picture_frame import PictureFrame
from fr3d.geometry.relief_shading import masked_mean, shade_relief

Array = npt.NDArray[Any]

_NEIGHBOUR = 6
# The 6th nearest of points on a plane lies about this many mean spacings off: 1.41 on a square
# grid, 1.34 at random places.
_NEIGHBOUR_SPACINGS = 1.38
_SAMPLE = 20_000
_REACH = 1.25  # spacings: discs around the points close gaps up to twice as wide
_SIGMA = 0.75  # spacings
_SMALLEST_SIGMA = 0.6  # pixels
_STEEPEST = 4.0
_SMOOTH = 0.5  # spacings


def point_spacing(points: Array) -> float:
    """Mean distance of neighbours in a cloud, were they on a square grid.

    Args:
        points: (N, 3).

    Returns:
        In the unit of the points; infinite for 6 points or fewer.
    """
    if len(points) <= _NEIGHBOUR:
        return float("inf")
    asked = points[:: max(1, len(points) // _SAMPLE)]
    far = spatial.KDTree(points).query(asked, k=[_NEIGHBOUR + 1])[0]
    return float(np.median(far)) / _NEIGHBOUR_SPACINGS


def draw_cloud(
    points: Array, colours: Array | None, frame: PictureFrame, spacing: float, tear: float
) -> FaceMaps:
    """Draw the surface under a point cloud.

    The foremost points are found by a z-buffer of discs, and a plane is fitted to those around
    each pixel by weighted least squares, so that a slope comes out true however the points lie.
    Gaps of up to about two and a half spacings are filled, larger ones stay out of the mask.
    Normals come from the depth, smoothed by half a spacing.

    Args:
        points: (N, 3), millimetres, x right, y up, z towards the camera.
        colours: (N, 3) sRGB from 0 to 1, or None.
        frame: of the picture.
        spacing: of the points, millimetres.
        tear: pixels whose depth differs by more millimetres from the next are not joined to it;
            the largest joined part is the mask.

    Reference:
        Knutsson and Westin 1993, Normalized and differential convolution, of first order.
    """
    placed = np.ascontiguousarray(frame.to_pixels(points))
    step = max(spacing / frame.mm_per_pixel, 1e-6)
    reach, sigma = max(_REACH * step, 1.0), max(_SIGMA * step, _SMALLEST_SIGMA)
    nearest = nearest_heights(placed, reach, frame.height, frame.width)
    light = np.zeros((len(points), 0)) if colours is None else from_srgb(colours.astype(np.float64))
    sums, means = gather_moments(placed, light, nearest, sigma, _STEEPEST * max(step, 1.0))
    depth = _plane_heights(sums)
    mask = _closed(placed, reach, frame) & np.isfinite(depth)
    mask = largest_part(depth, mask, tear / frame.mm_per_pixel)
    smooth = _smoothed(depth, mask, max(_SMOOTH * step, _SMALLEST_SIGMA))
    normal = normals_from_depth(smooth, mask)
    depth = np.where(mask, depth, np.nan).astype(np.float32)
    if colours is None:
        image = shade_relief(normal, depth, mask, frame.mm_per_pixel)
        return FaceMaps(mask=mask, normal=normal, depth=depth, image=image)
    share = np.where(mask, sums[..., 0], 1.0)[..., None]
    albedo = np.where(mask[..., None], means / share, 0.0).astype(np.float32)
    return FaceMaps(mask=mask, normal=normal, albedo=albedo, depth=depth, image=albedo)


def _plane_heights(sums: Array) -> Array:
    """Height at each pixel of the plane through the points around it; their mean where it is loose.

    The moments about the mean of the points leave two unknowns, the slopes.
    """
    w = np.where(sums[..., 0] > 1e-12, sums[..., 0], np.nan)
    x, y, xx, xy, yy, z, xz, yz = (sums[..., k] / w for k in range(1, 9))
    xx, xy, yy, xz, yz = xx - x * x, xy - x * y, yy - y * y, xz - x * z, yz - y * z
    # a little stiffness keeps the plane of points in one row from tilting at will
    stiff = 1e-3 * (xx + yy) + 1e-9
    xx, yy = xx + stiff, yy + stiff
    determinant = xx * yy - xy * xy
    across = (xz * yy - yz * xy) / determinant
    down = (yz * xx - xz * xy) / determinant
    return np.asarray(z - across * x - down * y)


def _closed(points: Array, reach: float, frame: PictureFrame) -> npt.NDArray[np.bool_]:
    """Pixels among points: those from which no place free of points within reach can be seen.

    Closing of the points by a disc; it leaves the outline of the points where it is.
    """
    margin = int(np.ceil(reach)) + 1
    height, width = frame.height + 2 * margin, frame.width + 2 * margin
    rows, columns = (np.rint(points[:, k]).astype(np.int64) + margin for k in (1, 0))
    empty = np.ones((height, width), dtype=bool)
    empty[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)] = False
    grown = ndimage.distance_transform_edt(empty) <= reach
    closed = ndimage.distance_transform_edt(grown) > reach
    return np.asarray(closed[margin:-margin, margin:-margin])


def largest_part(depth: Array, mask: Array, tear: float) -> npt.NDArray[np.bool_]:
    """The largest part of a depth map whose pixels hang together without a jump.

    Args:
        depth: (H, W), pixels.
        mask: (H, W).
        tear: a larger step between neighbours is a jump, pixels.
    """
    z = np.where(mask, depth, 0.0)
    # on a grid twice as fine, links between pixels are cells of their own
    height, width = mask.shape
    fine = np.zeros((2 * height - 1, 2 * width - 1), dtype=bool)
    fine[::2, ::2] = mask
    fine[::2, 1::2] = mask[:, 1:] & mask[:, :-1] & (np.abs(np.diff(z, axis=1)) <= tear)
    fine[1::2, ::2] = mask[1:] & mask[:-1] & (np.abs(np.diff(z, axis=0)) <= tear)
    label = ndimage.label(fine)[0][::2, ::2]
    sizes = np.bincount(label[mask].ravel(), minlength=1)
    return np.asarray(mask & (label == int(np.argmax(sizes))))


def _smoothed(depth: Array, mask: Array, sigma: float) -> Array:
    """Depth under a Gaussian that looks at the mask alone.

    What is smoothed is the height above a fitted plane of the whole, so that slopes stay at the
    border as well.
    """
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return depth
    basis = np.stack([np.ones(len(rows)), rows, columns], axis=1)
    plane, *_ = np.linalg.lstsq(basis, depth[mask], rcond=None)
    flat = (
        plane[0]
        + plane[1] * np.arange(depth.shape[0])[:, None]
        + plane[2] * np.arange(depth.shape[1])
    )
    above = np.where(mask, depth - flat, 0.0)
    return np.where(mask, masked_mean(above, mask, sigma) + flat, np.nan)
