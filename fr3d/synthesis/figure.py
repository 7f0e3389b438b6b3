"""Dressed heads: faces shaped, hair grown on them, spectacles put on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis import locks, spectacles
from fr3d.synthesis.appearance import Appearance
from fr3d.synthesis.assets import HeadModel, load_heads
from fr3d.synthesis.beard import beard_height, regions
from fr3d.synthesis.complexion import Complexion
from fr3d.synthesis.engine import Engine
from fr3d.synthesis.fields import ramp
from fr3d.synthesis.fitting import fit_all
from fr3d.synthesis.hair import above_hairline, hair_height
from fr3d.synthesis.looks import gather_looks
from fr3d.synthesis.paint import Looks, mottling
from fr3d.synthesis.topology import Topology, topology

FloatArray = npt.NDArray[np.float64]

# Facial hair hangs down rather than standing out.
HANGING = (0.0, -0.5, 0.15)


@dataclass(frozen=True)
class Figures:
    """Dressed heads of a batch of sessions, decimetres, the point between the eyes the origin.

    Args:
        vertices: (B, V, 3), of head, frame and locks.
        lenses: (B, G, 3).
        landmarks: (B, 11, 3), Photoface's points on the skin.
        mottling: (B, V, 1), coarse unevenness of the skin.
        looks: what is painted.
        clear: (B,), share of light that one passage through the lenses leaves; 1 without.
        mirror: (B,), share of light that the lenses mirror straight on; 0 without.
        dressed: (B,), whether spectacles are worn.
    """

    vertices: Array
    lenses: Array
    landmarks: Array
    mottling: Array
    looks: Looks
    clear: FloatArray
    mirror: FloatArray
    dressed: npt.NDArray[np.bool_]


def build(engine: Engine, people: Sequence[tuple[Complexion, Appearance]], levels: int) -> Figures:
    """Shape heads, let hair grow on them, and put spectacles on.

    Args:
        engine: where.
        people: of each session the person's complexion and the appearance.
        levels: of subdivision.
    """
    head, common = load_heads(), topology(engine, levels)
    seen = [appearance for _, appearance in people]
    looks = gather_looks(engine, people)
    coarse = engine.shapes(head, [(a.features, a.changing) for a in seen])
    uneven = mottling(looks.complexion, engine.array(head.vertices)[None])
    xp = namespace(coarse)
    fine = engine.subdivide(levels, xp.concatenate([coarse, uneven[..., None]], -1))
    grown = _grow(engine, common, looks, fine[..., :3] + 0.0)
    frames, lenses, strands, origin = _accessories(engine, head, seen, coarse)
    beside = 0 * xp.concatenate([frames, strands], 1)[..., :1]
    return Figures(
        vertices=xp.concatenate([grown, frames, strands], 1) - origin,
        lenses=lenses - origin,
        landmarks=coarse[:, engine.whole(head.landmarks)] - origin,
        mottling=xp.concatenate([fine[..., 3:], beside], 1),
        looks=looks,
        clear=np.array([1.0 if a.spectacles is None else a.spectacles.clear for a in seen]),
        mirror=np.array([0.0 if a.spectacles is None else a.spectacles.mirror for a in seen]),
        dressed=np.array([a.spectacles is not None for a in seen]),
    )


def between_eyes(head: HeadModel, vertices: FloatArray) -> FloatArray:
    """The point midway between the eyes; no expression moves it."""
    eye = vertices[head.part == 1]
    right = eye[:, 0] > 0
    return np.asarray((eye[right].mean(axis=0) + eye[~right].mean(axis=0)) / 2, dtype=np.float64)


def turn(points: Array, follow: Array, rotation: Array) -> Array:
    """Turn heads on their necks about the point between the eyes.

    Args:
        points: (B, V, 3).
        follow: (V,), how far each goes along.
        rotation: (B, 3, 3).
    """
    xp = namespace(points)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    rows = [
        rotation[:, k, 0, None] * x + rotation[:, k, 1, None] * y + rotation[:, k, 2, None] * z
        for k in range(3)
    ]
    turned = xp.stack(rows, -1)
    return points + follow[..., None] * (turned - points)


def _grow(engine: Engine, common: Topology, looks: Looks, skin: Array) -> Array:
    """Push the skin outwards where hair grows on it; the array is changed and returned."""
    roots, masks = common.roots, common.masks
    xp = namespace(skin)
    free = 1 - ramp(masks["ears"], 0.2, 0.6)
    above = above_hairline(looks.hair, roots)
    scalp = hair_height(looks.hair, roots, above) * free
    cheeks = regions(looks.beard, roots, masks["lips"])
    beard = beard_height(looks.beard, roots, cheeks) * (1 - ramp(above, -0.05, 0.06) * free)
    normal = engine.corner_normals(skin, common.head_triangles)[:, common.hairy]
    normal = normal / xp.sqrt((normal * normal).sum(-1))[..., None]
    out = scalp[..., None] * normal + beard[..., None] * (normal + engine.array(HANGING))
    skin[:, common.hairy] = skin[:, common.hairy] + out
    return skin


def _accessories(
    engine: Engine, head: HeadModel, seen: Sequence[Appearance], coarse: Array
) -> tuple[Array, Array, Array, Array]:
    """Frames (B, F, 3), lenses (B, G, 3) and locks (B, L, 3), and the origins (B, 1, 3)."""
    shaped = engine.numpy(coarse).astype(np.float64)
    frames, lenses = (np.repeat(kind[None], len(seen), axis=0) for kind in spectacles.absent())
    dressed = [number for number, a in enumerate(seen) if a.spectacles is not None]
    if dressed:
        pairs = [a.spectacles for a in seen if a.spectacles is not None]
        frames[dressed], lenses[dressed] = fit_all(pairs, head, shaped[dressed])
    strands = [
        locks.hang(a.hair, head, vertices) if a.hair.length > 0 else locks.no_locks()
        for a, vertices in zip(seen, shaped, strict=True)
    ]
    origin = [[between_eyes(head, vertices)] for vertices in shaped]
    worn = engine.array(frames), engine.array(lenses), engine.array(np.stack(strands))
    return *worn, engine.array(np.stack(origin))
