"""What all dressed heads have in common: triangles, and what belongs to each vertex."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.engine import Engine
from fr3d.synthesis.fields import GRAINS, Spots, grain
from fr3d.synthesis.locks import lock_strands, lock_triangles
from fr3d.synthesis.paint import FRAME, LOCKS, Points
from fr3d.synthesis.spectacles import frame_triangles
from fr3d.synthesis.subdivision import head_subdivision

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MASKS = ("lips", "inside_mouth", "ears", "lashes")
COLUMNS = ("x", "y", "z", "part", *MASKS, *GRAINS)
SHOULDERS, JAW = 5.6, 6.3
NECK, CHIN = 0.6, 1.2


@dataclass(frozen=True)
class Topology:
    """Vertices of head, frame and locks, in this order.

    Args:
        triangles: (T, 3), counter-clockwise seen from outside.
        head_triangles: (T', 3), those of the head alone.
        bare: (T'', 3), those of head and locks.
        table: (V, A), the `COLUMNS` of each vertex; places are those on the base head, dm.
        follow: (V,), how far a vertex turns with the head rather than stay with the shoulders.
        hairy: (K,), numbers of the vertices on which hair can grow.
        roots: those vertices on the base head, (1, K).
        masks: "lips" and "ears" there, (1, K).
        head, frame: how many vertices are the head's and the frame's.
    """

    triangles: Array
    head_triangles: Array
    bare: Array
    table: Array
    follow: Array
    hairy: Array
    roots: Spots
    masks: Mapping[str, Array]
    head: int
    frame: int


@lru_cache(maxsize=4)
def topology(engine: Engine, levels: int) -> Topology:
    """Assemble what does not depend on the person.

    Args:
        engine: where the arrays shall live.
        levels: of subdivision.
    """
    head, frame, strands = _head_table(levels), frame_triangles(), lock_strands()
    frames = int(frame.max()) + 1
    extra = np.zeros((frames + len(strands), len(COLUMNS)))
    extra[:frames, 3], extra[frames:, 3] = FRAME, LOCKS
    for name in ("strand", "lock"):
        extra[frames:, COLUMNS.index(name)] = strands
    _, triangles = head_subdivision(levels)
    hairy = _hairy(head)
    locks = lock_triangles() + len(head) + frames
    roots = engine.array(np.ascontiguousarray(head[hairy].T))[None]
    return Topology(
        triangles=engine.whole(np.concatenate([triangles, frame + len(head), locks])),
        head_triangles=engine.whole(triangles),
        bare=engine.whole(np.concatenate([triangles, locks])),
        table=engine.array(np.concatenate([head, extra])),
        follow=engine.array(np.concatenate([follow(head[:, :3]), np.ones(len(extra))])),
        hairy=engine.whole(hairy),
        roots=_spots(roots),
        masks={name: roots[:, COLUMNS.index(name)] for name in ("lips", "ears")},
        head=len(head),
        frame=frames,
    )


def follow(place: FloatArray) -> FloatArray:
    """How far points of the base head (N, 3) turn with the head: 0 at the shoulders, 1 above."""
    up = np.clip((place[:, 1] - SHOULDERS) / (JAW - SHOULDERS), 0.0, 1.0)
    forward = np.clip((place[:, 2] - NECK) / (CHIN - NECK), 0.0, 1.0)
    # The underside of the chin lies as low as the neck, but before it, and turns with the head.
    return np.asarray(1 - (1 - up) * (1 - forward))


def points_of(values: Array, mottling: Array) -> Points:
    """Name the columns of a table at visible points.

    Args:
        values: (B, A, P), of `Topology.table`.
        mottling: (B, 1, P).
    """
    xp = namespace(values)
    masks = {name: values[:, COLUMNS.index(name)] for name in MASKS}
    return Points(_spots(values), xp.round(values[:, 3]), masks, mottling[:, 0])


def _spots(values: Array) -> Spots:
    column = {name: values[:, k] for k, name in enumerate(COLUMNS)}
    return Spots(column["x"], column["y"], column["z"], {name: column[name] for name in GRAINS})


def _head_table(levels: int) -> FloatArray:
    """The columns of the subdivided head's vertices."""
    head = load_heads()
    operator, _ = head_subdivision(levels)
    place = operator @ head.vertices
    # A subdivided vertex lies in one part only: parts are not connected.
    part = np.rint(operator @ head.part.astype(np.float64))
    painted = [operator @ head.masks[name] for name in MASKS]
    grains = [grain(place, name) for name in GRAINS]
    return np.concatenate([place, np.stack([part, *painted, *grains], axis=1)], axis=1)


def _hairy(head: FloatArray) -> IntArray:
    """Vertices on which hair can grow: skin, but for the middle of the face and the ears."""
    x, y, z = head[:, :3].T
    bare = (z > 0.9) & (y > 6.86) & (y < 7.5) & (np.abs(x) < 0.6)
    ears = head[:, COLUMNS.index("ears")] > 0.6
    return np.nonzero((head[:, 3] == 0) & ~bare & ~ears & (y > 5.85))[0]
