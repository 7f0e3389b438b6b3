"""Parametric heads as surfaces to train on: rendered once, kept in a cache file."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.scene import capture
from fr3d.synthesis.studio import Studio
from fr3d.training.shadow_solver.surface import NOWHERE, Surface

SIZE = 160
# Beyond this slope a map holds rounding more than shape.
_LEAST_NZ = 0.03


def build_heads(path: Path, seed: int, count: int) -> None:
    """Render heads of different people and keep their maps.

    Args:
        path: `.npz` file to write.
        seed: of the people.
        count: how many.
    """
    model = load_heads()
    rows = []
    for person in range(count):
        identity = sample_identity(seed, person, model)
        view = capture(identity, seed, person, 0, Studio(SIZE))
        rows.append((view.normal, view.albedo, np.nan_to_num(view.depth), view.mask))
    normal, albedo, depth, mask = (np.stack(column) for column in zip(*rows, strict=True))
    np.savez(
        path,
        normal=np.moveaxis(normal, -1, 1).astype(np.float16),
        albedo=albedo.astype(np.float16),
        depth=depth.astype(np.float32),
        mask=mask,
    )


class Heads:
    """The heads of a cache file."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self._maps: dict[str, npt.NDArray[np.generic]] = {name: file[name] for name in file}

    def __len__(self) -> int:
        return len(self._maps["mask"])

    def surface(self, number: int) -> Surface:
        """The maps of one head."""
        mask = self._maps["mask"][number].astype(bool)
        normal = self._maps["normal"][number].astype(np.float32)
        z = np.maximum(normal[2], _LEAST_NZ)
        slope = np.where(mask, -normal[:2] / z, 0).astype(np.float32)
        depth = np.where(mask, self._maps["depth"][number].astype(np.float32), NOWHERE)
        return Surface(slope, depth, self._maps["albedo"][number].astype(np.float32), mask)
