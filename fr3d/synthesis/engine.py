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
from fr3d.synthesis.assets import HeadModel

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
        """Find what pixels see; see `fr3d.geometry.raster.rasterise`.

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
            (B, L, P), 0..1; see `fr3d.synthesis.cast_shadow.veiled`.
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
        from fr3d.synthesis.numba_engine import NumbaEngine

        return NumbaEngine()
    from fr3d.synthesis.torch_engine import TorchEngine

    return TorchEngine("cpu" if device == "torch-cpu" else device)
