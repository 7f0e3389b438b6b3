"""Labelled rows of a faces file as batches of tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from fr3d.data.inputs import Faces, InputSpec, face_inputs_and_masks


@dataclass(frozen=True)
class FaceBatch:
    """Some faces as a network sees them.

    Args:
        maps: normalised inputs (B, C, H, W) by modality.
        mask: (B, H, W), true where all maps are valid.
        label: (B,) person, 0-based.
    """

    maps: dict[str, Tensor]
    mask: Tensor
    label: Tensor

    def to(self, device: torch.device) -> "FaceBatch":
        """Return the same batch on another device."""
        maps = {name: values.to(device, non_blocking=True) for name, values in self.maps.items()}
        return FaceBatch(maps, self.mask.to(device), self.label.to(device))

    def pin_memory(self) -> "FaceBatch":
        """Move to page-locked memory, from where a GPU copies faster."""
        maps = {name: values.pin_memory() for name, values in self.maps.items()}
        return FaceBatch(maps, self.mask.pin_memory(), self.label.pin_memory())


IN_MEMORY = 1 << 29
"""Sets of so many bytes or less are normalised once and kept; larger ones are read every time."""


class FaceDataset(Dataset[FaceBatch]):
    """Rows of a faces file, read by memory map, a whole batch at a time.

    Args:
        faces: the artifact, or arrays by name.
        rows: rows of the file that belong to this set.
        labels: (len(rows),) person of each.
        specs: the modalities and their normalisation.
    """

    def __init__(
        self,
        faces: Faces,
        rows: Sequence[int] | NDArray[np.int64],
        labels: Sequence[int] | NDArray[np.int64],
        specs: Sequence[InputSpec],
    ) -> None:
        self.faces = faces
        self.rows = np.asarray(rows, dtype=np.int64)
        self.labels = np.asarray(labels, dtype=np.int64)
        self.specs = tuple(specs)
        self._kept: FaceBatch | None = None

    def __len__(self) -> int:
        """Number of sessions."""
        return len(self.rows)

    def __getitem__(self, index: int) -> FaceBatch:
        """Return one session as a batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> FaceBatch:
        """Return several sessions at once; far cheaper than one by one."""
        if self._kept is None:
            return self._read(np.asarray(indices, dtype=np.int64))
        chosen = torch.as_tensor(indices)
        maps = {name: values[chosen] for name, values in self._kept.maps.items()}
        return FaceBatch(maps, self._kept.mask[chosen], self._kept.label[chosen])

    def keep_if_small(self, limit: int = IN_MEMORY) -> "FaceDataset":
        """Read the whole set into memory unless it is larger than `limit` bytes.

        Returns:
            The same set.
        """
        one = self._read(np.zeros(1, dtype=np.int64))
        size = sum(values.nbytes for values in one.maps.values()) + one.mask.nbytes
        if self._kept is None and size * len(self) <= limit:
            self._kept = self._read(np.arange(len(self)))
        return self

    def _read(self, chosen: NDArray[np.int64]) -> FaceBatch:
        maps, mask = face_inputs_and_masks(self.faces, self.rows[chosen], self.specs)
        return FaceBatch(
            {name: torch.from_numpy(values) for name, values in maps.items()},
            torch.from_numpy(mask),
            torch.from_numpy(self.labels[chosen]),
        )


def whole_batch(batch: Any) -> Any:
    """Collate for a loader whose dataset returns whole batches already."""
    return batch
