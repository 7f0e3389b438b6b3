"""Putting spectacles on faces, many at a time."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.geometry.normals import unit
from fr3d.synthesis.assets import HeadModel
from fr3d.synthesis.spectacles import (
    BRIDGE_POINTS,
    LENS_RINGS,
    RIM_POINTS,
    SIDES,
    TEMPLE_POINTS,
    Fitted,
    Spectacles,
)

FloatArray = npt.NDArray[np.float64]


def fit(pair: Spectacles, head: HeadModel, vertices: FloatArray) -> Fitted:
    """Put spectacles on a face: on the bridge of the nose, before the eyes, behind the ears.

    Args:
        pair: which.
        head: the parametric head.
        vertices: (V, 3), the face, dm.
    """
    worn = fit_all([pair], head, vertices[None])
    return Fitted(worn.frame[0], worn.lenses[0])


def fit_all(pairs: Sequence[Spectacles], head: HeadModel, vertices: FloatArray) -> Fitted:
    """Put spectacles on several faces.

    Args:
        pairs: D of them.
        head: the parametric head.
        vertices: (D, V, 3), the faces, dm.

    Returns:
        (D, F, 3) and (D, G, 3).
    """
    pair = _together(pairs)
    # Sums are to be the same for one face as for many: each face's numbers lie together.
    eye = np.ascontiguousarray(vertices[:, head.part == 1])
    right = head.vertices[head.part == 1, 0] > 0
    nose = vertices[:, head.landmarks[2]]
    apart = (eye[:, right].mean(axis=1) - eye[:, ~right].mean(axis=1))[:, :1] / 2
    ahead = np.maximum(nose[:, 2] + 0.035, eye[..., 2].max(axis=1) + 0.11)
    height = eye[..., 1].mean(axis=1) - pair.low[:, 0]
    middle = np.stack([nose[:, 0], height, ahead], axis=1)[:, None]
    offset = np.maximum(apart + 0.01, pair.half_width + 0.075)
    outline = _outline(pair, offset)
    share = np.stack([_shares()[one.style] for one in pairs])
    across, deep = pair.thick * share, pair.deep * share
    tubes = [
        _tube(_bend(pair, outline * side, middle), across, deep, closed=True)
        for side in ([1.0, 1.0], [-1.0, 1.0])
    ]
    arch = _bend(pair, _bridge(pair, offset), middle)
    tubes.append(_tube(arch, np.maximum(pair.thick, 0.012), pair.deep, closed=False))
    ears = head.masks["ears"] > 0.5
    for side in (1.0, -1.0):
        top = _ear(vertices[:, ears & (side * head.vertices[:, 0] > 0)])
        tubes.append(_temple(pair, offset, middle, top, side))
    lenses = [_lens(pair, outline, offset, middle, side) for side in (1.0, -1.0)]
    return Fitted(np.concatenate(tubes, axis=1), np.concatenate(lenses, axis=1))


def _together(pairs: Sequence[Spectacles]) -> Any:
    """One object whose numbers are (D, 1)."""
    kind: Callable[..., Any] = Spectacles
    values = {
        field.name: [getattr(pair, field.name) for pair in pairs] for field in fields(Spectacles)
    }
    return kind(**{name: np.array(its)[:, None] for name, its in values.items()})


@lru_cache(maxsize=1)
def _shares() -> dict[str, FloatArray]:
    """How thick each style's rims are along their outline, (N,)."""
    half = np.clip(0.5 + 3.0 * _circle(RIM_POINTS)[1], 0.0, 1.0)
    return {"full": np.ones(RIM_POINTS), "half": half, "rimless": np.zeros(RIM_POINTS)}


@lru_cache(maxsize=4)
def _circle(count: int) -> tuple[FloatArray, FloatArray]:
    """Cosine and sine of evenly spread angles."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.cos(angle), np.sin(angle)


def _outline(pair: Any, offset: FloatArray) -> FloatArray:
    """The rims at the image's right, x and y (D, N, 2) from the middle of the frame."""
    cos, sin = _circle(RIM_POINTS)
    power = 2.0 / pair.square
    x = pair.half_width * np.sign(cos) * np.abs(cos) ** power
    y = pair.half_height * np.sign(sin) * np.abs(sin) ** power
    # Drawn out at the lower, outer corner, or drawn in.
    x = x * (1 - pair.drop * sin * np.sign(cos))
    return np.stack([offset + x, y], axis=-1)


def _bridge(pair: Any, offset: FloatArray) -> FloatArray:
    along = np.linspace(-1, 1, BRIDGE_POINTS)
    reach = offset - pair.half_width * (1 - 0.04)
    height = pair.bridge * pair.half_height
    return np.stack([reach * along, height + 0.03 * (1 - along**2)], axis=-1)


def _bend(pair: Any, curve: FloatArray, middle: FloatArray) -> FloatArray:
    """Lay flat curves (D, N, 2) on the bent and tilted front of the frame: (D, N, 3)."""
    x, y = curve[..., 0], curve[..., 1]
    z = -pair.wrap * x**2 + np.tan(pair.tilt) * y
    return np.asarray(np.stack([x, y, z], axis=-1) + middle)


def _temple(
    pair: Any, offset: FloatArray, middle: FloatArray, ear: FloatArray, side: float
) -> FloatArray:
    """Arms from the outer edge of a rim to behind the top of the ear."""
    edge = np.stack([side * (offset + pair.half_width), pair.bridge * pair.half_height], axis=-1)
    start = _bend(pair, edge, middle)
    aside = np.maximum(np.abs(start[:, 0, 0]) + 0.02, 0.93 * np.abs(ear[:, 0]))
    hinge = np.stack([side * aside, start[:, 0, 1], start[:, 0, 2] - 0.07], axis=1)[:, None]
    end = (ear - np.array([0.0, 0.0, 0.15]))[:, None]
    share = np.linspace(0, 1, TEMPLE_POINTS - 1)[:, None]
    path = np.concatenate([start, hinge + (end - hinge) * share], axis=1)
    # An arm runs back along the head: its height is up, its depth sideways.
    return _tube(path, np.maximum(pair.thick, 0.016), 0.011, closed=False, axis=(1.0, 0.0, 0.0))


def _ear(vertices: FloatArray) -> FloatArray:
    """Where an arm rests (D, 3): the top of the ear (D, N, 3) where it meets the head."""
    x, y, z = (vertices[..., k] for k in range(3))
    top = y > y.max(axis=1, keepdims=True) - 0.12
    inner = np.where(top, np.abs(x), np.inf).argmin(axis=1)[:, None]
    x, y = (np.take_along_axis(values, inner, axis=1)[:, 0] for values in (x, y))
    back = np.where(top, z, -np.inf).max(axis=1)
    return np.stack([x + np.sign(x) * 0.03, y - 0.02, back], axis=1)


def _lens(
    pair: Any, outline: FloatArray, offset: FloatArray, middle: FloatArray, side: float
) -> FloatArray:
    """Bulging discs inside the rims: rings from the inside outwards, then the middle."""
    centre = np.stack([offset, 0 * offset], axis=-1)
    flat = [centre + ring * (outline - centre) for ring in LENS_RINGS]
    spread = np.concatenate([*flat, centre], axis=1)
    widest = np.square(outline - centre).sum(axis=-1).max(axis=1, keepdims=True)
    bulge = widest - np.square(spread - centre).sum(axis=-1)
    points = _bend(pair, spread * [side, 1.0], middle)
    points[..., 2] += np.maximum(bulge, 0.0) / (2 * pair.curve)
    return points


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """The cross product; `numpy.cross` takes longer to check its arguments than to compute."""
    (ax, ay, az), (bx, by, bz) = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def _tube(
    path: FloatArray,
    across: FloatArray,
    deep: FloatArray | float,
    *,
    closed: bool,
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> FloatArray:
    """Sweep ellipses along paths: (D, N, 3) to (D, N * SIDES, 3).

    Args:
        path: the middle lines.
        across: (D, N or 1), half the thickness at a right angle to path and axis.
        deep: half the thickness along the axis.
        closed: whether the paths end where they begin.
        axis: a direction that no path ever takes; by default the camera's.
    """
    if closed:
        tangent = np.roll(path, -1, axis=1) - np.roll(path, 1, axis=1)
    else:
        tangent = np.gradient(path, axis=1)
    tangent = unit(tangent)
    side = unit(_cross(tangent, np.array(axis)))
    front = _cross(side, tangent)
    cos, sin = _circle(SIDES)
    ring = cos[:, None] * (side * np.asarray(across)[..., None])[:, :, None]
    ring = ring + sin[:, None] * (front * np.asarray(deep)[..., None])[:, :, None]
    return np.asarray(path[:, :, None] + ring).reshape(len(path), -1, 3)
