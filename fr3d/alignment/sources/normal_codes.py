"""How files of other tools code normals and depth, told from the numbers where nobody says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.normals import normals_from_depth, unit

Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
NormalCode = Literal["auto", "rgb", "rgb-y-down", "opencv-exr"]

# Which channel of red, green and blue becomes x, y and z, and with which sign.
CODES: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "rgb": ((0, 1, 2), (1, 1, 1)),
    "rgb-y-down": ((0, 1, 2), (1, -1, 1)),
    "opencv-exr": ((1, 0, 2), (-1, 1, 1)),
}
FACTORS = (1.0, 255.0)
"""By what stored depth is multiplied: nothing, or the 8-bit level that some tools divided by."""

_WORST_ANGLE = 40.0
_FACING = 0.3
_HINT = "say how they are coded with --normal-code"


@dataclass(frozen=True)
class Decoded:
    """Normals, depth, and how well they agree.

    Args:
        normal: (H, W, 3) unit vectors, zero where nothing is.
        depth: (H, W), or None.
        code: of the normals, one of `CODES`.
        factor: of the depth, one of `FACTORS`.
        angle: median angle between the normals and those of the depth, degrees; NaN without depth.
    """

    normal: Array
    depth: Array | None
    code: str
    factor: float
    angle: float


def as_vectors(stored: Array, name: str) -> Array:
    """Vectors with the channel that faces the camera last; zero where nothing is.

    Unit vectors are told from (n + 1) / 2 by their negative numbers.

    Args:
        stored: (H, W, 3), in the order of the file.
        name: of the file, for messages.

    Raises:
        MalformedInputError: not three channels, or neither the first nor the last faces the camera.
    """
    if stored.ndim != 3 or stored.shape[2] != 3:
        raise MalformedInputError(f"{name}: found shape {stored.shape}, expected (H, W, 3)")
    outside = ~np.isfinite(stored).all(axis=2) | (stored == 0).all(axis=2)
    values = np.where(outside[..., None], np.float32(0), stored)
    if values.min(initial=0.0) >= -0.02:
        values = np.where(outside[..., None], np.float32(0), 2.0 * values - 1.0)
    middle = values[~outside].mean(axis=0) if (~outside).any() else np.zeros(3)
    towards = int(np.argmax(middle))
    if middle[towards] < _FACING or towards == 1:
        raise MalformedInputError(
            f"{name}: neither its first nor its last channel faces the camera",
            "expected unit vectors, or (n + 1) / 2 from 0 to 1",
        )
    return unit(values[..., ::-1] if towards == 0 else values).astype(np.float32)


def decode(vectors: Array, depth: Array | None, code: NormalCode, name: str) -> Decoded:
    """Find normals with x right, y up, z to the camera, and the unit of depth.

    Where the code is not given it is the one that agrees best with the depth; without depth, the
    one whose slopes are most nearly those of a surface, which has no curl.

    Args:
        vectors: (H, W, 3), as `as_vectors` gives them.
        depth: (H, W) as stored, or None.
        code: as given.
        name: of the file, for messages.

    Raises:
        MalformedInputError: no known code agrees with the depth.
    """
    codes = list(CODES) if code == "auto" else [code]
    candidates = {known: _reordered(vectors, known) for known in codes}
    mask = (vectors**2).sum(axis=2) > 0.25
    if depth is None:
        best = min(codes, key=lambda known: curl(candidates[known], mask))
        return Decoded(candidates[best], None, best, 1.0, float("nan"))
    mask &= np.isfinite(depth)
    surfaces = {factor: normals_from_depth(depth * factor, mask) for factor in FACTORS}
    angles = {
        (known, factor): _median_angle(candidates[known], surfaces[factor], mask)
        for known in codes
        for factor in FACTORS
    }
    best, factor = min(angles, key=lambda key: angles[key])
    angle = angles[best, factor]
    if code == "auto" and not angle <= _WORST_ANGLE:
        raise MalformedInputError(
            f"{name}: its normals agree with the depth in no known code, {angle:.0f} degrees apart",
            _HINT,
        )
    return Decoded(candidates[best], depth * np.float32(factor), best, factor, angle)


def curl(normal: Array, mask: BoolArray) -> float:
    """Median curl of the slopes that normals stand for; a surface has none.

    Args:
        normal: (H, W, 3).
        mask: (H, W).
    """
    z = np.maximum(normal[..., 2], 0.1)
    across, up = -normal[..., 0] / z, -normal[..., 1] / z
    # Rows run down: the slope up grows against them.
    turn = np.diff(up, axis=1)[:-1] + np.diff(across, axis=0)[:, :-1]
    inside = mask[1:, 1:] & mask[:-1, 1:] & mask[1:, :-1] & mask[:-1, :-1]
    return float(np.median(np.abs(turn[inside]))) if inside.any() else float("inf")


def _reordered(vectors: Array, code: str) -> Array:
    order, signs = CODES[code]
    return np.stack(
        [vectors[..., k] * np.float32(s) for k, s in zip(order, signs, strict=True)], -1
    )


def _median_angle(one: Array, other: Array, mask: BoolArray) -> float:
    if not mask.any():
        return float("nan")
    cosine = np.clip(np.sum(one * other, axis=2)[mask], -1.0, 1.0)
    return float(np.rad2deg(np.arccos(np.median(cosine))))
