"""Where pictures are computed: one session after another on a CPU, or batches in PyTorch.

What is above this layer is written once, for arrays of either kind; all have a leading axis B for
the sessions of a batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fr3d.photometric.solvers.arrays import Array
from fr3d.synthesis import raster
from fr3d.synthesis.assets import HeadModel
from fr3d.synthesis.subdivision import head_subdivision

IntArray = npt.NDArray[np.int64]

Weights = tuple[Mapping[str, float], Mapping[str, float]]
"""Weights of targets: those of a person's features, and those that change between sessions."""


@dataclass(frozen=True)
class Seen:
    """What each pixel of a picture sees.

    Args:
        depth: (B, H, W), height towards the camera in pixels, NaN where nothing is.
        covered: (B, H, W), whether anything is.
        corners: (B, P, 3), vertices around each visible point.
        weight: (B, P, 3), how much each counts.
        pixels: which pixels the points are in a flattened picture: (P,), or (B, P) with H * W
            where a session's list is filled up to the length of the longest.
    """

    depth: Array
    covered: Array
    corners: Array
    weight: Array
    pixels: Array


class Engine(Protocol):
    """The operations that depend on where pictures are computed.

    Attributes:
        batch: how many sessions are best rendered together.
    """

    batch: int

    def __hash__(self) -> int:
        """Engines are told apart by what they are, not by what they hold."""

    def array(self, values: Any) -> Array:
        """Take numbers over, as real numbers of the engine's own precision."""

    def whole(self, values: Any) -> Array:
        """Take vertex numbers over."""

    def numpy(self, values: Array) -> npt.NDArray[Any]:
        """Give an array back."""

    def shapes(self, head: HeadModel, weights: Sequence[Weights]) -> Array:
        """Heads (B, V, 3) from weights of targets: a person's features, and what changes."""

    def subdivide(self, levels: int, vertices: Array) -> Array:
        """Vertices (B, V, A) of the shipped head's subdivision."""

    def corner_normals(self, points: Array, triangles: Array) -> Array:
        """Sums (B, V, 3) of the normals of the triangles around vertices."""

    def see(
        self,
        points: Array,
        triangles: Array,
        size: tuple[int, int],
        *,
        both_sides: bool = False,
        border: int = 0,
    ) -> Seen:
        """Find what pixels see; see `fr3d.synthesis.raster.rasterise`.

        Args:
            points: (B, V, 3): column, row and height towards the camera, in pixels.
            triangles: (T, 3).
            size: rows and columns.
            both_sides: see the backs of triangles as well.
            border: pixels along the edges of which only the depth is wanted, no points.
        """

    def at(self, table: Array, seen: Seen) -> Array:
        """Mix what stands at vertices, (B, V, A) or (V, A), at the visible points: (B, A, P)."""

    def picture(self, values: Array, seen: Seen) -> Array:
        """Lay the visible points (B, ..., P) out as pictures (B, ..., H, W), 0 elsewhere."""

    def veiled(
        self, points: Array, triangles: Array, size: tuple[int, int], places: Array, heights: Array
    ) -> Array:
        """How much of the surroundings of points lies behind a surface seen from several sides.

        Args:
            points: (B, L, V, 3), the surface: column, row and height from each side.
            triangles: (T, 3), seen from both sides.
            size: rows and columns.
            places: (B, L, 2, P), columns and rows of the points from each side.
            heights: (B, P), of the points, from all sides.

        Returns:
            (B, L, P), 0..1; see `fr3d.synthesis.raster.veiled`.
        """

    def points_of(self, picture: Array, seen: Seen) -> Array:
        """The visible points (B, P) of pictures (B, H, W)."""

    def distant_light(self, seen: Seen, lights: Array, radius: float) -> Array:
        """Share (B, L, P) of distant lights (B, L, 3) that reaches the visible points."""

    def near_light(self, seen: Seen, lights: Array, radius: float) -> Array:
        """Share (B, L, P) of near lights (B, L, 3) that reaches the visible points."""

    def blocks(
        self, pictures: Array, first: IntArray, size: tuple[int, int], samples: int
    ) -> Array:
        """Average blocks of samples of windows that lie anywhere.

        Args:
            pictures: (B, L or 1, C, H, W).
            first: (B, L, 2), first row and column of each window.
            size: rows and columns of blocks.
            samples: rows and columns of a block.

        Returns:
            (B, L, C, *size).
        """

    def normal(self, seeds: Sequence[Sequence[int]], shape: tuple[int, ...]) -> Array:
        """Standard normal numbers (B, *shape), each session's from its own seed."""


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
        found = [raster.veiled(depth, side[0], side[1], height) for depth, side in pairs]
        return np.stack(found)[None]

    def points_of(self, picture: Array, seen: Seen) -> Array:
        """The visible points of pictures."""
        return picture.reshape(len(picture), -1)[:, seen.pixels]

    def distant_light(self, seen: Seen, lights: Array, radius: float) -> Array:
        """Share of distant lights that reaches the visible points of one session."""
        (depth,), (its,) = seen.depth, lights
        found = [raster.distant_light(depth, light, radius) for light in its]
        return np.stack([picture.ravel()[seen.pixels] for picture in found])[None]

    def near_light(self, seen: Seen, lights: Array, radius: float) -> Array:
        """Share of near lights that reaches the visible points of one session."""
        (depth,), (its,) = seen.depth, lights
        found = [raster.near_light(depth, light, radius) for light in its]
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


def block_means(picture: Array, first: Sequence[int], size: tuple[int, int], samples: int) -> Array:
    """Average blocks of one window.

    Args:
        picture: (..., H, W).
        first: row and column of the window.
        size: rows and columns of blocks.
        samples: rows and columns of a block.
    """
    rows, columns = (slice(f, f + samples * n) for f, n in zip(first, size, strict=True))
    inner = picture[..., rows, columns]
    parts = [inner[..., i::samples, j::samples] for i in range(samples) for j in range(samples)]
    return sum(parts[1:], parts[0]) / len(parts)


@lru_cache(maxsize=4)
def engine_for(device: str) -> Engine:
    """The engine of a device.

    Args:
        device: "cpu" for compiled loops; "cuda", "cuda:1" or "torch-cpu" for PyTorch there.
    """
    if device == "cpu":
        return NumbaEngine()
    from fr3d.synthesis.torch_engine import TorchEngine

    return TorchEngine("cpu" if device == "torch-cpu" else device)
