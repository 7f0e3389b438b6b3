"""Batches of augmented faces; what a batch holds depends on seed, epoch and step alone."""

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fr3d.alignment.heatmaps import to_heatmap
from fr3d.models.hourglass import STRIDE
from fr3d.training.landmarks.augmentation import LandmarkAugmentation, augmented
from fr3d.training.landmarks.pictures import Pictures

Key = tuple[int, int]
"""Epoch and row."""


class LandmarkViews(Dataset[tuple[Tensor, Tensor]]):
    """One random view of a face by epoch and row.

    Args:
        pictures: of the whole table.
        size: side of a view, pixels.
        augmentation: strengths.
        seed: of the run.
    """

    def __init__(
        self, pictures: Pictures, size: int, augmentation: LandmarkAugmentation, seed: int
    ) -> None:
        self.pictures = pictures
        self.size = size
        self.augmentation = augmentation
        self.seed = seed

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        """Return a view (3, S, S) of values 0 to 255, and its points (5, 2) in heatmap pixels."""
        epoch, row = key
        rng = np.random.default_rng([self.seed, epoch, row])
        points = self.pictures.table.points[row]
        view, seen = augmented(self.pictures[row], points, self.size, self.augmentation, rng)
        planes = torch.from_numpy(np.ascontiguousarray(view.transpose(2, 0, 1)))
        return planes, torch.from_numpy(to_heatmap(seen, STRIDE).astype(np.float32))


class LandmarkSource:
    """Batches by epoch.

    Args:
        views: of single faces.
        rows: to learn from.
        batch: faces a step.
        workers: processes that make views; 0 makes them in this one.
    """

    def __init__(
        self, views: LandmarkViews, rows: npt.NDArray[np.intp], batch: int, workers: int = 0
    ) -> None:
        self.views = views
        self.rows = rows
        self.batch = min(batch, len(rows))
        self.workers = workers

    def __len__(self) -> int:
        """Steps an epoch; faces that do not fill a batch wait for another epoch."""
        return len(self.rows) // self.batch

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Return the batches of an epoch from step `start` on.

        Args:
            number: of the epoch, from 0.
            start: step to begin with.
        """
        loader = DataLoader(
            self.views,
            batch_sampler=cast("Sequence[list[int]]", self.keys(number)[start:]),
            num_workers=self.workers,
        )
        yield from loader

    def keys(self, number: int) -> list[list[Key]]:
        """List what each batch of an epoch shows."""
        order = np.random.default_rng([self.views.seed, number]).permutation(self.rows)
        return [
            [(number, int(row)) for row in order[step * self.batch : (step + 1) * self.batch]]
            for step in range(len(self))
        ]
