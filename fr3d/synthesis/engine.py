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
        pixels: which pixels the points are: an index into the last two axes, flattened; None for
            all of them, in order.
    """

    depth: Array
    covered: Array
    corners: Array
    weight: Array
    pixels: Array | None


class Engine(Protocol):
    """The operations that depend on where pictures are computed.

    Attributes:
        batch: how many sessions are best rendered together.
    """

    batch: int

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

    def points_of(self, picture: Array, seen: Seen) -> Array:
        """The visible points (B, ..., P) of pictures (B, ..., H, W)."""

    def lookup(self, picture: Array, rows: Array, columns: Array) -> Array:
        """Values (B, P) of pictures (B, H, W) at whole rows and columns; NaN outside."""

    def distant_light(self, depth: Array, lights: Array, radius: float) -> Array:
        """Share (B, L, H, W) of distant lights (B, L, 3) that arrives."""

    def near_light(self, depth: Array, lights: Array, radius: float) -> Array:
        """Share (B, L, H, W) of near lights (B, L, 3) that arrives."""

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

    def points_of(self, picture: Array, seen: Seen) -> Array:
        """The visible points of pictures."""
        return picture.reshape(*picture.shape[:-2], -1)[..., seen.pixels]

    def lookup(self, picture: Array, rows: Array, columns: Array) -> Array:
        """Values of pictures at whole rows and columns."""
        height, width = picture.shape[1:]
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        at = [np.where(inside, where, 0).astype(np.int64) for where in (rows, columns)]
        return np.where(inside, picture[np.arange(len(picture))[:, None], at[0], at[1]], np.nan)

    def distant_light(self, depth: Array, lights: Array, radius: float) -> Array:
        """Share of distant lights that arrives."""
        return np.stack(
            [
                np.stack([raster.distant_light(of_one, light, radius) for light in its])
                for of_one, its in zip(depth, lights, strict=True)
            ]
        )

    def near_light(self, depth: Array, lights: Array, radius: float) -> Array:
        """Share of near lights that arrives."""
        return np.stack(
            [
                np.stack([raster.near_light(of_one, light, radius) for light in its])
                for of_one, its in zip(depth, lights, strict=True)
            ]
        )

    def normal(self, seeds: Sequence[Sequence[int]], shape: tuple[int, ...]) -> Array:
        """Standard normal numbers, each session's from its own seed."""
        return np.stack([np.random.default_rng(list(s)).standard_normal(shape) for s in seeds])


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
