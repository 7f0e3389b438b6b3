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

    def __len__(self) -> int:
        """Number of sessions."""
        return len(self.rows)

    def __getitem__(self, index: int) -> FaceBatch:
        """Return one session as a batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> FaceBatch:
        """Return several sessions at once; far cheaper than one by one."""
        chosen = np.asarray(indices, dtype=np.int64)
        maps, mask = face_inputs_and_masks(self.faces, self.rows[chosen], self.specs)
        return FaceBatch(
            {name: torch.from_numpy(values) for name, values in maps.items()},
            torch.from_numpy(mask),
            torch.from_numpy(self.labels[chosen]),
        )


def whole_batch(batch: Any) -> Any:
    """Collate for a loader whose dataset returns whole batches already."""
    return batch
