"""Spectacles: rims, bridge, temples and lenses, fitted to the face that wears them.

Everything is a tube of few sides along a curve, so that every pair has the same number of vertices
and one list of triangles serves all.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fr3d.synthesis.assets import HeadModel

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RIM_POINTS, BRIDGE_POINTS, TEMPLE_POINTS, SIDES = 44, 9, 8, 6
LENS_RINGS = (0.3, 0.55, 0.8, 1.0)
STYLES = ("full", "half", "rimless")
# Frames as (name, colour, gloss): acetate in dark and warm tones, and metal.
_FRAMES = (
    ((0.015, 0.015, 0.016), 0.045),
    ((0.02, 0.018, 0.03), 0.045),
    ((0.12, 0.055, 0.025), 0.045),
    ((0.25, 0.02, 0.025), 0.045),
    ((0.03, 0.06, 0.17), 0.045),
    ((0.16, 0.16, 0.17), 0.045),
    ((0.40, 0.38, 0.36), 0.35),
    ((0.45, 0.33, 0.12), 0.35),
    ((0.05, 0.05, 0.05), 0.25),
    ((0.12, 0.10, 0.09), 0.3),
)


@dataclass(frozen=True)
class Spectacles:
    """A pair of spectacles.

    Args:
        style: one of `STYLES`.
        half_width, half_height: of a lens, dm.
        square: exponent of the lens's outline: 2 is an ellipse, more is squarer.
        drop: how much wider the outline is at its lower, outer corner.
        thick, deep: half the frame's thickness seen from the front, and from the side, dm.
        bridge: height of the bridge over the lens's middle, as a share of half its height.
        wrap: how far the frame bends back towards the temples, 1/dm.
        tilt: how far the lower edge leans towards the cheeks, radians.
        curve: radius of the lens's front surface, dm.
        clear: share of light that one passage leaves, 0..1.
        mirror: share that a lens mirrors straight on; coated ones mirror little.
        low: how far below the eyes the lenses' middles lie, dm.
        colour: (3,), linear reflectance of the frame.
        gloss: reflectance of its surface straight on.
    """

    style: str
    half_width: float
    half_height: float
    square: float
    drop: float
    thick: float
    deep: float
    bridge: float
    wrap: float
    tilt: float
    curve: float
    clear: float
    mirror: float
    low: float
    colour: tuple[float, float, float]
    gloss: float


def sample_spectacles(rng: np.random.Generator) -> Spectacles:
    """Draw a pair."""
    style = str(rng.choice(STYLES, p=[0.64, 0.23, 0.13]))
    metal = style != "full" or rng.random() < 0.5
    colour, gloss = _FRAMES[int(rng.integers(6, 10) if metal else rng.integers(0, 6))]
    thick = rng.uniform(0.006, 0.012) if metal else rng.uniform(0.012, 0.026)
    return Spectacles(
        style=style,
        half_width=float(rng.uniform(0.21, 0.275)),
        half_height=float(rng.uniform(0.115, 0.22)),
        square=float(rng.uniform(2.0, 4.0)),
        drop=float(rng.uniform(-0.06, 0.1)),
        thick=float(thick),
        deep=float(rng.uniform(0.012, 0.02)),
        bridge=float(rng.uniform(0.15, 0.6)),
        wrap=float(rng.uniform(0.15, 0.4)),
        tilt=float(rng.uniform(0.05, 0.18)),
        curve=float(rng.uniform(0.85, 1.8)),
        clear=float(rng.choice([rng.uniform(0.93, 0.995), rng.uniform(0.45, 0.9)], p=[0.9, 0.1])),
        mirror=float(rng.uniform(0.006, 0.043)),
        low=float(rng.uniform(0.0, 0.055)),
        colour=colour,
        gloss=gloss,
    )


@dataclass(frozen=True)
class Fitted:
    """A pair on a face, in the frame of the head.

    Args:
        frame: (F, 3) vertices of rims, bridge and temples, dm.
        lenses: (G, 3) vertices of both lenses, dm.
    """

    frame: FloatArray
    lenses: FloatArray


def fit(pair: Spectacles, head: HeadModel, vertices: FloatArray) -> Fitted:
    """Put spectacles on a face: on the bridge of the nose, before the eyes, behind the ears.

    Args:
        pair: which.
        head: the parametric head.
        vertices: (V, 3), the face, dm.
    """
    eye = vertices[head.part == 1]
    right = eye[:, 0] > 0
    nose = vertices[head.landmarks[2]]
    apart = (eye[right].mean(axis=0) - eye[~right].mean(axis=0))[0] / 2
    middle = np.array([nose[0], eye[:, 1].mean() - pair.low, 0.0])
    middle[2] = max(nose[2] + 0.035, eye[:, 2].max() + 0.11)
    offset = max(apart + 0.01, pair.half_width + 0.075)
    curves = [_outline(pair, offset), _bridge(pair, offset)]
    ears = head.masks["ears"] > 0.5
    tops = [_ear(vertices[ears & (side * head.vertices[:, 0] > 0)]) for side in (1.0, -1.0)]
    left, arch, right_rim = _mirror(curves[0]), curves[1], curves[0]
    thin = 0.0 if pair.style == "rimless" else 1.0
    rims = [_rim(pair, _bend(pair, curve, middle), thin) for curve in (right_rim, left)]
    tubes = [
        *rims,
        _tube(_bend(pair, arch, middle), max(pair.thick, 0.012), pair.deep, closed=False),
        *(
            _temple(pair, offset, middle, top, side)
            for top, side in zip(tops, (1.0, -1.0), strict=True)
        ),
    ]
    lenses = [_lens(pair, curves[0], offset, middle, side) for side in (1.0, -1.0)]
    return Fitted(np.concatenate(tubes), np.concatenate(lenses))


def absent() -> Fitted:
    """Spectacles that nobody sees: all vertices in one point, far behind the head."""
    frame, lenses = frame_triangles().max() + 1, lens_triangles().max() + 1
    away = np.array([0.0, 7.0, -50.0])
    return Fitted(np.tile(away, (frame, 1)), np.tile(away, (lenses, 1)))


@lru_cache(maxsize=1)
def frame_triangles() -> IntArray:
    """Triangles (T, 3) of all tubes of a frame, counter-clockwise seen from outside."""
    sizes = [(RIM_POINTS, True)] * 2 + [(BRIDGE_POINTS, False)] + [(TEMPLE_POINTS, False)] * 2
    first, found = 0, []
    for points, closed in sizes:
        found.append(first + _tube_triangles(points, closed))
        first += points * SIDES
    return np.concatenate(found)


@lru_cache(maxsize=1)
def lens_triangles() -> IntArray:
    """Triangles (T, 3) of both lenses, counter-clockwise seen from the front."""
    count, rings = RIM_POINTS, len(LENS_RINGS)
    around, onward = np.arange(count), np.roll(np.arange(count), -1)
    # The middle comes last.
    found = [np.stack([np.full(count, rings * count), around, onward], axis=1)]
    for inner in range(0, (rings - 1) * count, count):
        outer = inner + count
        found.append(np.stack([inner + around, outer + around, outer + onward], axis=1))
        found.append(np.stack([inner + around, outer + onward, inner + onward], axis=1))
    triangles = np.concatenate(found)
    # The other lens is a mirror image: its triangles turn the other way.
    return np.concatenate([triangles, triangles[:, ::-1] + rings * count + 1])


def _outline(pair: Spectacles, offset: float) -> FloatArray:
    """The rim at the image's right, x and y (N, 2) from the middle of the frame."""
    angle = np.linspace(0, 2 * np.pi, RIM_POINTS, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    power = 2.0 / pair.square
    x = pair.half_width * np.sign(cos) * np.abs(cos) ** power
    y = pair.half_height * np.sign(sin) * np.abs(sin) ** power
    # Drawn out at the lower, outer corner, or drawn in.
    x = x * (1 - pair.drop * sin * np.sign(cos))
    return np.stack([offset + x, y], axis=1)


def _bridge(pair: Spectacles, offset: float) -> FloatArray:
    along = np.linspace(-1, 1, BRIDGE_POINTS)
    reach = offset - pair.half_width * (1 - 0.04)
    height = pair.bridge * pair.half_height
    return np.stack([reach * along, height + 0.03 * (1 - along**2)], axis=1)


def _mirror(curve: FloatArray) -> FloatArray:
    return curve * [-1.0, 1.0]


def _bend(pair: Spectacles, curve: FloatArray, middle: FloatArray) -> FloatArray:
    """Lay a flat curve (N, 2) on the bent and tilted front of the frame: (N, 3)."""
    x, y = curve.T
    z = -pair.wrap * x**2 + np.tan(pair.tilt) * y
    return np.stack([x, y, z], axis=1) + middle


def _rim(pair: Spectacles, path: FloatArray, thin: float) -> FloatArray:
    """A closed tube; half rims fade away below, and rimless ones altogether."""
    angle = np.linspace(0, 2 * np.pi, RIM_POINTS, endpoint=False)
    share = np.full(RIM_POINTS, thin)
    if pair.style == "half":
        share = np.clip(0.5 + 3.0 * np.sin(angle), 0.0, 1.0)
    return _tube(path, pair.thick * share, pair.deep * share, closed=True)


def _temple(
    pair: Spectacles, offset: float, middle: FloatArray, ear: FloatArray, side: float
) -> FloatArray:
    """An arm from the outer edge of a rim to behind the top of the ear."""
    edge = np.array([side * (offset + pair.half_width), pair.bridge * pair.half_height])
    start = _bend(pair, edge[None], middle)[0]
    aside = max(abs(start[0]) + 0.02, 0.93 * abs(ear[0]))
    hinge = np.array([side * aside, start[1], start[2] - 0.07])
    end = ear - np.array([0.0, 0.0, 0.15])
    share = np.linspace(0, 1, TEMPLE_POINTS - 1)[:, None]
    path = np.concatenate([start[None], hinge + (end - hinge) * share])
    tall = np.full(TEMPLE_POINTS, max(pair.thick, 0.016))
    # An arm runs back along the head: its height is up, its depth sideways.
    return _tube(path, tall, 0.011, closed=False, axis=(1.0, 0.0, 0.0))


def _ear(vertices: FloatArray) -> FloatArray:
    """Where an arm rests: the top of the ear where it meets the head."""
    top = vertices[vertices[:, 1] > vertices[:, 1].max() - 0.12]
    inner = top[np.abs(top[:, 0]).argmin()]
    return np.array([inner[0] + np.sign(inner[0]) * 0.03, inner[1] - 0.02, top[:, 2].max()])


def _lens(
    pair: Spectacles, outline: FloatArray, offset: float, middle: FloatArray, side: float
) -> FloatArray:
    """A bulging disc inside the rim: rings from the inside outwards, then the middle."""
    centre = np.array([offset, 0.0])
    flat = [centre + ring * (outline - centre) for ring in LENS_RINGS]
    spread = np.concatenate([*flat, centre[None]])
    bulge = np.square(outline - centre).sum(axis=1).max() - np.square(spread - centre).sum(axis=1)
    points = _bend(pair, spread * [side, 1.0], middle)
    points[:, 2] += np.maximum(bulge, 0.0) / (2 * pair.curve)
    return points


def _tube(
    path: FloatArray,
    across: FloatArray | float,
    deep: FloatArray | float,
    *,
    closed: bool,
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> FloatArray:
    """Sweep an ellipse along a path: (N, 3) to (N * SIDES, 3).

    Args:
        path: the middle line.
        across: half the thickness at a right angle to path and axis.
        deep: half the thickness along the axis.
        closed: whether the path ends where it begins.
        axis: a direction that the path never takes; by default the camera's.
    """
    if closed:
        tangent = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    else:
        tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.cross(tangent, axis)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    front = np.cross(side, tangent)
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    ring = np.multiply.outer(np.cos(angle), side * np.reshape(across, (-1, 1))) + np.multiply.outer(
        np.sin(angle), front * np.reshape(deep, (-1, 1))
    )
    return (path + ring).transpose(1, 0, 2).reshape(-1, 3)


def _tube_triangles(points: int, closed: bool) -> IntArray:
    along = np.arange(points if closed else points - 1)
    around = np.arange(SIDES)
    a, i = (grid.ravel() for grid in np.meshgrid(along, around, indexing="ij"))
    b, j = (a + 1) % points, (i + 1) % SIDES
    near, near_next, far, far_next = (p * SIDES + s for p, s in ((a, i), (a, j), (b, i), (b, j)))
    return np.concatenate(
        [np.stack([near, far_next, near_next], axis=1), np.stack([near, far, far_next], axis=1)]
    )


def settle(pair: Spectacles, rng: np.random.Generator) -> Spectacles:
    """The same pair as it sits on another day."""
    low, tilt = rng.normal(0.0, 0.012), rng.normal(0.0, 0.02)
    return replace(pair, low=pair.low + float(low), tilt=pair.tilt + float(tilt))
