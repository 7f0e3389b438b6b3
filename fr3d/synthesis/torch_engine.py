"""Pictures in PyTorch: batches of sessions, in single precision, on a GPU or a CPU."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fr3d.synthesis import torch_light, torch_mesh, torch_near, torch_pixels, torch_raster
from fr3d.synthesis.assets import HeadModel
from fr3d.synthesis.engine import Seen, Weights
from fr3d.synthesis.subdivision import head_subdivision

# Sessions together: enough that a GPU computes longer than a CPU launches.
LARGEST, ON_CPU = 64, 4
# Free memory for each of them, bytes: twice what one of 512 pixels takes; one of 128 takes 40 MB.
PER_SESSION = 1200 * 2**20
# Lists of triangles and vertices that stay on the device.
KEPT = 16

IntArray = npt.NDArray[np.int64]
Kept = TypeVar("Kept")


class TorchEngine:
    """Batches of sessions, every one the same whatever else is in the batch.

    Args:
        device: "cpu", "cuda" or "cuda:N".

    Attributes:
        batch: how many sessions are best rendered together; on a GPU up to 64, fewer where there is
            little free memory.
    """

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)
        self.batch = ON_CPU
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            self.batch = int(min(max(free // PER_SESSION, 1), LARGEST))
        self.generator = torch.Generator(self.device)
        self.kept: OrderedDict[tuple[str, int], tuple[Any, Any]] = OrderedDict()

    def array(self, values: Any) -> Tensor:
        """Take numbers over."""
        if isinstance(values, Tensor):
            return values.to(self.device, torch.float32)
        return torch.as_tensor(np.asarray(values, order="C")).to(self.device).float()

    def whole(self, values: Any) -> Tensor:
        """Take vertex numbers over; those of a topology only once."""
        return self._keep("whole", values, lambda: self._indices(values))

    def numpy(self, values: Any) -> npt.NDArray[Any]:
        """Give an array back."""
        if not values.is_cuda:
            return np.asarray(values.numpy())
        # Several times as fast as into memory that the system may move.
        host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
        return np.asarray(host.copy_(values).numpy())

    def shapes(self, head: HeadModel, weights: Sequence[Weights]) -> Tensor:
        """Heads from weights of targets."""
        base, targets, number = self._keep("targets", head, lambda: self._targets(head))
        parts = [part for of_one in weights for part in of_one]
        rows = [number[name] for part in parts for name in part]
        shares = [share for part in parts for share in part.values()]
        start = np.cumsum([0, *(len(first) + len(second) for first, second in weights[:-1])])
        moved = torch_mesh.mix_rows(
            targets, self._indices(rows), self._indices(start), self.array(shares)
        )
        return base + moved.view(-1, *base.shape)

    def subdivide(self, levels: int, vertices: Tensor) -> Tensor:
        """Vertices of the shipped head's subdivision."""
        operator, _ = head_subdivision(levels)
        rows, start, shares = self._keep(
            "operator",
            operator,
            lambda: (
                self._indices(operator.indices),
                self._indices(operator.indptr[:-1]),
                self.array(operator.data),
            ),
        )
        table = vertices.movedim(0, 1).flatten(1)
        mixed = torch_mesh.mix_rows(table, rows, start, shares)
        return mixed.view(len(mixed), len(vertices), -1).movedim(1, 0).contiguous()

    def corner_normals(self, points: Tensor, triangles: Tensor) -> Tensor:
        """Sums of the normals of the triangles around vertices."""
        near = self._keep(
            f"around {points.shape[1]}",
            triangles,
            lambda: torch_mesh.around(triangles, points.shape[1]),
        )
        return torch_mesh.corner_normals(points, triangles, near)

    def see(
        self,
        points: Tensor,
        triangles: Tensor,
        size: tuple[int, int],
        *,
        both_sides: bool = False,
        border: int = 0,
    ) -> Seen:
        """Find what pixels see; shorter lists of points are filled up with ones of no weight."""
        sight = torch_raster.see(points, triangles, size, both_sides, border)
        covered = ~sight.depth.isnan()
        return Seen(sight.depth, covered, sight.corners, sight.weight, sight.pixels)

    def at(self, table: Tensor, seen: Seen) -> Tensor:
        """Mix what stands at vertices at the visible points."""
        return torch_mesh.interpolate(table, seen.corners, seen.weight)

    def picture(self, values: Tensor, seen: Seen) -> Tensor:
        """Lay the visible points out as pictures."""
        return torch_pixels.laid_out(values, seen.pixels, seen.depth.shape[1:])

    def veiled(
        self,
        points: Tensor,
        triangles: Tensor,
        size: tuple[int, int],
        places: Tensor,
        heights: Tensor,
    ) -> Tensor:
        """How much of the surroundings of points lies behind a surface."""
        depth = torch_raster.depths(points.flatten(0, 1), triangles, size)
        return torch_pixels.veiled(depth.view(*points.shape[:2], *size), places, heights)

    def points_of(self, picture: Tensor, seen: Seen) -> Tensor:
        """The visible points of pictures."""
        return torch_pixels.picked(picture, seen.pixels)

    def distant_light(self, seen: Seen, lights: Tensor, radius: float) -> Tensor:
        """Share of distant lights that arrives."""
        return torch_light.distant_light(seen.depth, seen.pixels, lights, radius)

    def near_light(self, seen: Seen, lights: Tensor, radius: float) -> Tensor:
        """Share of near lights that arrives."""
        return torch_near.near_light(seen.depth, seen.pixels, lights, radius)

    def blocks(
        self, pictures: Tensor, first: IntArray, size: tuple[int, int], samples: int
    ) -> Tensor:
        """Average blocks of windows of pictures."""
        return torch_pixels.blocks(pictures, self._indices(first), size, samples)

    def normal(self, seeds: Sequence[Sequence[int]], shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers, each session's from its own seed."""
        out = torch.empty((len(seeds), *shape), device=self.device)
        for of_one, seed in zip(out, seeds, strict=True):
            state = np.random.SeedSequence(list(seed)).generate_state(1, np.uint64)[0]
            self.generator.manual_seed(int(state >> np.uint64(1)))
            of_one.normal_(generator=self.generator)
        return out

    def _indices(self, values: Any) -> Tensor:
        return torch.as_tensor(np.asarray(values, dtype=np.int64, order="C")).to(self.device)

    def _targets(self, head: HeadModel) -> tuple[Tensor, Tensor, dict[str, int]]:
        """The base head (V, 3), the displacements (T, 3 V) of all targets, and their rows."""
        moved = np.zeros((len(head.targets), *head.vertices.shape), np.float32)
        for row, (vertices, delta) in zip(moved, head.targets.values(), strict=True):
            row[vertices] = delta
        numbers = {name: number for number, name in enumerate(head.targets)}
        return self.array(head.vertices), self.array(moved.reshape(len(moved), -1)), numbers

    def _keep(self, kind: str, source: Any, make: Callable[[], Kept]) -> Kept:
        """Make once what belongs to an object; a few last used objects and results are kept.

        While an object is kept, no other can have its id.
        """
        key = kind, id(source)
        if key not in self.kept:
            self.kept[key] = source, make()
            if len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end(key)
        found: Kept = self.kept[key][1]
        return found
