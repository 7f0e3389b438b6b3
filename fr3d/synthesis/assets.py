"""The parametric head: `assets/heads.npz` as arrays, and shapes made from weights of targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.errors import MissingInputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
HEADS = Path(__file__).parent / "assets" / "heads.npz"
PARTS = ("skin", "eye", "teeth", "tongue")


@dataclass(frozen=True)
class HeadModel:
    """A base head and the targets that deform it.

    Lengths are decimetres: x to the image's right (the person's left), y up, z to the front.

    Args:
        vertices: (V, 3), the base head.
        quads: (F, 4) vertex numbers, counter-clockwise seen from outside.
        part: (V,) index into `PARTS`.
        masks: painted regions by name, "lips", "inside_mouth", "ears" and "lashes", each (V,) in
            0..1.
        landmarks: (11,) vertex numbers of Photoface's landmarks.
        targets: by name, vertex numbers (n,) and displacements (n, 3).
    """

    vertices: FloatArray
    quads: IntArray
    part: npt.NDArray[np.uint8]
    masks: Mapping[str, FloatArray]
    landmarks: IntArray
    targets: Mapping[str, tuple[IntArray, FloatArray]]

    def shape(self, weights: Mapping[str, float], start: FloatArray | None = None) -> FloatArray:
        """Add weighted targets to the base head.

        Args:
            weights: weight by name of target.
            start: (V, 3), a head to add them to instead.

        Returns:
            (V, 3), decimetres.
        """
        vertices = (self.vertices if start is None else start).copy()
        for name, weight in weights.items():
            moved, delta = self.targets[name]
            vertices[moved] += weight * delta
        return vertices


@lru_cache(maxsize=1)
def load_heads() -> HeadModel:
    """Load the head that ships with the package, once per process."""
    if not HEADS.is_file():
        raise MissingInputError(f"{HEADS.name}: not in the package", "install fr3d again")
    with np.load(HEADS, allow_pickle=False) as stored:
        start = stored["target_start"]
        vertex = stored["target_vertex"].astype(np.int64)
        delta = stored["target_delta"] * float(stored["unit"])
        spans = zip(stored["target_names"].tolist(), start[:-1], start[1:], strict=True)
        return HeadModel(
            vertices=stored["vertices"],
            quads=stored["quads"].astype(np.int64),
            part=stored["part"],
            masks={
                name: stored[name] / 255.0 for name in ("lips", "inside_mouth", "ears", "lashes")
            },
            landmarks=stored["landmarks"].astype(np.int64),
            targets={name: (vertex[a:b], delta[a:b]) for name, a, b in spans},
        )
