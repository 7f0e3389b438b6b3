"""Pictures by compiled loops on a CPU, one session after another, in double precision."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.geometry import raster
from fr3d.photometric.solvers.arrays import Array
from fr3d.synthesis import cast_shadow
from fr3d.synthesis.assets import HeadModel
from fr3d.synthesis.engine import IntArray, Seen, Weights, block_means
from fr3d.synthesis.subdivision import head_subdivision


class NumbaEngine:
    """Compiled loops in double precision, one session at a time: the same bytes everywhere."""

    batch = 1

    def __init__(self) -> None:
        self._last: tuple[Mapping[str, float], npt.NDArray[np.float64]] | None = None

    def array(self, values: Any) -> Array:
        """Take numbers over."""
        return np.asarray(values, dtype=np.float64)

    def whole(self, values: Any) -> Array:
        """Take vertex numbers over."""
        return np.asarray(values, dtype=np.int64)

    def numpy(self, values: Array) -> npt.NDArray[Any]:
        """Give an array back."""
        return np.asarray(values)

    def shapes(self, head: HeadModel, weights: Sequence[Weights]) -> Array:
        """Heads from weights of targets."""
        return np.stack([self._shape(head, *of_one) for of_one in weights])

    def _shape(
        self, head: HeadModel, features: Mapping[str, float], changing: Mapping[str, float]
    ) -> npt.NDArray[np.float64]:
        # The sessions of a person follow each other and share hundreds of targets.
        if self._last is None or self._last[0] is not features:
            self._last = features, head.shape(features)
        return head.shape(changing, self._last[1])

    def subdivide(self, levels: int, vertices: Array) -> Array:
        """Vertices of the shipped head's subdivision."""
        operator, _ = head_subdivision(levels)
        return np.stack([operator @ of_one for of_one in vertices])

    def corner_normals(self, points: Array, triangles: Array) -> Array:
        """Sums of the normals of the triangles around vertices."""
        return np.stack([raster.corner_normals(p, triangles) for p in points])

    def see(
        self,
        points: Array,
        triangles: Array,
        size: tuple[int, int],
        *,
        both_sides: bool = False,
        border: int = 0,
    ) -> Seen:
        """Find what the pixels of one session see."""
        (of_one,) = points
        seen, weight, depth = raster.rasterise(of_one, triangles, *size, both_sides)
        covered = seen >= 0
        wanted = np.zeros_like(covered)
        inner = slice(border, size[0] - border), slice(border, size[1] - border)
        wanted[inner] = covered[inner]
        (pixels,) = np.nonzero(wanted.ravel())
        corners = triangles[seen.ravel()[pixels]]
        weight = weight.reshape(-1, 3)[pixels]
        return Seen(depth[None], covered[None], corners[None], weight[None], pixels)

    def at(self, table: Array, seen: Seen) -> Array:
        """Mix what stands at vertices at the visible points."""
        (of_one,) = table if table.ndim == 3 else table[None]
        return raster.interpolate(of_one, seen.corners[0], seen.weight[0])[None]

    def picture(self, values: Array, seen: Seen) -> Array:
        """Lay the visible points out as pictures."""
        out = np.zeros((*values.shape[:-1], seen.depth[0].size), values.dtype)
        out[..., seen.pixels] = values
        return out.reshape(*values.shape[:-1], *seen.depth.shape[1:])

    def veiled(
        self, points: Array, triangles: Array, size: tuple[int, int], places: Array, heights: Array
    ) -> Array:
        """How much of the surroundings of points of one session lies behind a surface."""
        (its,), (sides,), (height,) = points, places, heights
        depths = [raster.rasterise(side, triangles, *size, True)[2] for side in its]
        pairs = zip(depths, sides, strict=True)
        found = [cast_shadow.veiled(depth, side[0], side[1], height) for depth, side in pairs]
        return np.stack(found)[None]

    def points_of(self, picture: Array, seen: Seen) -> Array:
        """The visible points of pictures."""
        return picture.reshape(len(picture), -1)[:, seen.pixels]

    def distant_light(self, seen: Seen, lights: Array, radius: float) -> Array:
        """Share of distant lights that reaches the visible points of one session."""
        (depth,), (its,) = seen.depth, lights
        found = [cast_shadow.distant_light(depth, light, radius) for light in its]
        return np.stack([picture.ravel()[seen.pixels] for picture in found])[None]

    def near_light(self, seen: Seen, lights: Array, radius: float) -> Array:
        """Share of near lights that reaches the visible points of one session."""
        (depth,), (its,) = seen.depth, lights
        found = [cast_shadow.near_light(depth, light, radius) for light in its]
        return np.stack([picture.ravel()[seen.pixels] for picture in found])[None]

    def blocks(
        self, pictures: Array, first: IntArray, size: tuple[int, int], samples: int
    ) -> Array:
        """Average blocks of windows of the pictures of one session."""
        (starts,), lights = first, first.shape[1]
        (its,) = np.broadcast_to(pictures, (1, lights, *pictures.shape[2:]))
        found = [block_means(of, at, size, samples) for of, at in zip(its, starts, strict=True)]
        return np.stack(found)[None]

    def normal(self, seeds: Sequence[Sequence[int]], shape: tuple[int, ...]) -> Array:
        """Standard normal numbers, each session's from its own seed."""
        return np.stack([np.random.default_rng(list(s)).standard_normal(shape) for s in seeds])
