"""The solver that reasons about cast and attached shadow with its neighbours.

A small network, trained on synthetic surfaces only, looks at all photographs of a session at low
resolution. It says how far to trust each observation, and what normal and reflectance to expect
where too little light tells. The scaled normals are then the weighted least squares solution at
full resolution, drawn towards that expectation: detail comes from the photographs.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.solvers.shadow_evidence import (
    BoolArray,
    FloatArray,
    brightness_unit,
    evidence,
    resized,
    ridge_solution,
    shrink,
)
from fr3d.photometric.solvers.shadow_network import ask

# Side of the network's pictures: a share of the photograph's, between these. Finer ones lose sight
# of the whole face, coarser ones smooth what carvings and folds do within a cell.
SHARE = 0.4
SIDES = 80, 128
_BLOCK = 16384
_BORDER = 0.04
_SATURATED_WEIGHT = np.float32(0.05)
_TINY = np.float32(1e-6)


@dataclass(frozen=True)
class ShadowSolution:
    """What the solver finds.

    Args:
        g: (3, H, W), albedo times normal, in the unit of the photographs.
        expected_error: (H, W), angle by which the network expects the normal to be off, degrees.
    """

    g: FloatArray
    expected_error: FloatArray


def solve_shadow(
    images: FloatArray,
    lights: npt.NDArray[np.floating],
    saturated: BoolArray | None = None,
    mask: BoolArray | None = None,
) -> ShadowSolution:
    """Solve one session.

    Args:
        images: (L, H, W), linear light divided by the intensity of each flash; L >= 3.
        lights: (L, 3), unit vectors from the face to each light; x right, y up, z to the camera.
        saturated: (L, H, W), values that the camera could not hold; none by default.
        mask: (H, W), where the object is; everywhere by default.

    Raises:
        MalformedInputError: if there are fewer than three photographs.
    """
    if len(images) < 3 or len(lights) != len(images):
        raise MalformedInputError(
            f"{len(images)} photographs and {len(lights)} lights, expected as many, and 3 or more"
        )
    mask = np.ones(images.shape[1:], np.bool_) if mask is None else mask
    saturated = np.zeros(images.shape, np.bool_) if saturated is None else saturated
    box = _box(mask)
    part = (slice(None), *box)
    found = _solve_box(images[part], lights, saturated[part], mask[box])
    g = np.zeros((3, *mask.shape), np.float32)
    expected_error = np.full(mask.shape, np.float32(90))
    g[part], expected_error[box] = found.g, found.expected_error
    return ShadowSolution(g, expected_error)


def _box(mask: BoolArray) -> tuple[slice, slice]:
    """Rows and columns of the object with a narrow border, so that its size does not matter."""
    sides = []
    for axis in (1, 0):
        inside = np.flatnonzero(mask.any(axis=axis))
        if not inside.size:
            return slice(None), slice(None)
        border = 2 + int(_BORDER * (inside[-1] - inside[0]))
        sides.append(slice(max(0, int(inside[0]) - border), int(inside[-1]) + border + 1))
    return sides[0], sides[1]


def _solve_box(
    images: FloatArray, lights: npt.NDArray[np.floating], saturated: BoolArray, mask: BoolArray
) -> ShadowSolution:
    """Ask the network about the box at its own resolution; solve at full resolution."""
    small = shrink(images, saturated, mask, _side(mask))
    unit = brightness_unit(small.images, small.mask > 0.5)
    advice = ask(evidence(small, lights, unit))
    return _solved(images, lights.astype(np.float32), saturated, advice, unit)


def _side(mask: BoolArray) -> int:
    return int(np.clip(SHARE * np.sqrt(mask.size), *SIDES))


def _solved(
    images: FloatArray,
    rows: FloatArray,
    saturated: BoolArray,
    advice: tuple[FloatArray, FloatArray],
    unit: np.float32,
) -> ShadowSolution:
    """Bring the advice to full resolution and follow it, some rows of pixels at a time."""
    count, height, width = images.shape
    each, shared = advice
    full = resized(each.reshape(2 * count, *each.shape[2:]), (height, width), cv2.INTER_LINEAR)
    slopes = full.reshape(count, 2, height, width)
    expected = resized(shared, (height, width), cv2.INTER_LINEAR)
    g = np.empty((3, height, width), np.float32)
    step = max(1, _BLOCK // width)
    for top in range(0, height, step):
        part = (slice(None), slice(top, top + step))
        block = images[part] / unit
        weight = _weights(block, slopes[:, :, top : top + step], saturated[part])
        target = _expected_normals(block, weight, rows, expected[part])
        ridge = np.exp(np.clip(expected[3, top : top + step], -8, 4))
        g[part] = ridge_solution(block, weight, rows, target, ridge) * unit
    return ShadowSolution(g, np.rad2deg(np.exp(np.minimum(expected[6], 1.0))))


def _weights(block: FloatArray, slopes: FloatArray, saturated: BoolArray) -> FloatArray:
    """Weight of each observation: what the network says, sharpened by how bright it is."""
    ratio = block / np.maximum(block.max(axis=0), _TINY)
    weight = 1 / (1 + np.exp(-np.clip(slopes[:, 0] + slopes[:, 1] * ratio, -30, 30)))
    if saturated.any():
        weight[saturated] *= _SATURATED_WEIGHT
    return weight


def _expected_normals(
    block: FloatArray, weight: FloatArray, rows: FloatArray, expected: FloatArray
) -> FloatArray:
    """The normals that the network expects, scaled to explain the trusted observations."""
    length = np.maximum(np.sqrt((expected[:3] * expected[:3]).sum(axis=0)), np.float32(1e-4))
    normal = expected[:3] / length
    hold = np.exp(np.clip(expected[5], -8, 4))
    drawn, power = hold * np.exp(np.clip(expected[4], -8, 4)), hold.copy()
    for row, plane, trust in zip(rows, block, weight, strict=True):
        cosine = np.maximum(row[0] * normal[0] + row[1] * normal[1] + row[2] * normal[2], 0)
        power += trust * cosine * cosine
        drawn += trust * cosine * plane
    return normal * (drawn / power)
