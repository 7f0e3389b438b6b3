"""Where a run's batches come from: faces that are augmented, or cached features.

What a batch holds depends on seed, epoch and step alone, so that a resumed run sees the same.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from fr3d.data.augmentation import Augmentation, add_noise, apply_changes, draw_changes
from fr3d.data.dataset import FaceBatch, FaceDataset, whole_batch
from fr3d.data.sampler import PeopleSampler

Batch = tuple[tuple[Tensor, ...], Tensor]


class Source(Protocol):
    """Batches by epoch."""

    def __len__(self) -> int:
        """Steps an epoch."""
        ...

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of an epoch from step `start` on: network inputs and labels."""
        ...


def step_generator(seed: int, epoch: int, step: int, device: str = "cpu") -> torch.Generator:
    """Make the generator of one step, independent of all others.

    Args:
        seed: of the run.
        epoch: from 0.
        step: within the epoch.
        device: where random numbers are drawn.
    """
    words = np.random.SeedSequence([seed, epoch, step]).generate_state(2)
    return torch.Generator(device).manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)


class FaceSource:
    """Augmented faces.

    Args:
        dataset: the training faces.
        sampler: of the dataset's labels.
        augmentation: strengths.
        seed: of the run.
        device: where faces are augmented and learned from.
        workers: processes that read; 0 reads in this one, which is faster unless disks are slow.
    """

    def __init__(
        self,
        dataset: FaceDataset,
        sampler: PeopleSampler,
        augmentation: Augmentation,
        seed: int,
        device: torch.device,
        workers: int = 0,
    ) -> None:
        self.dataset = dataset
        self.sampler = sampler
        self.augmentation = augmentation
        self.seed = seed
        self.device = device
        self.workers = workers

    def __len__(self) -> int:
        """Steps an epoch."""
        return len(self.sampler)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Read and augment the batches of an epoch from step `start` on."""
        indices = list(self.sampler.epoch(number))[start:]
        loader = DataLoader(
            self.dataset,
            batch_sampler=indices,
            collate_fn=whole_batch,
            num_workers=self.workers,
            pin_memory=self.device.type == "cuda",
        )
        for step, batch in enumerate(loader, start):
            yield self._augmented(batch.to(self.device), number, step), batch.label.to(self.device)

    def _augmented(self, batch: FaceBatch, epoch: int, step: int) -> tuple[Tensor, ...]:
        maps, _ = augment(
            batch, self.dataset, self.augmentation, step_generator(self.seed, epoch, step)
        )
        return tuple(maps[spec.modality] for spec in self.dataset.specs)


def augment(
    batch: FaceBatch,
    dataset: FaceDataset,
    strength: Augmentation,
    generator: torch.Generator,
) -> tuple[dict[str, Tensor], Tensor]:
    """Change a batch at random.

    Args:
        batch: on any device.
        dataset: it came from, for the unit of depth.
        strength: of the changes.
        generator: on the CPU.

    Returns:
        The changed maps and their mask.
    """
    height, width = batch.mask.shape[1:]
    device = batch.mask.device
    draw = draw_changes(strength, len(batch.label), (height, width), generator).to(device)
    depth = next((spec for spec in dataset.specs if spec.modality == "depth"), None)
    maps, mask = apply_changes(
        batch.maps,
        batch.mask,
        draw,
        depth_unit=depth.scale * width if depth else 1.0,
        slant_depth=depth is not None and depth.normalisation != "relief",
    )
    seed = int(torch.randint(2**62, (), generator=generator))
    noise = torch.Generator(device).manual_seed(seed)
    return add_noise(maps, mask, strength.noise, noise), mask


class FeatureSource:
    """Cached features of frozen branches, in several augmented views.

    Args:
        features: (V, N, F), views of each of N sessions.
        labels: (N,) people.
        sampler: of the labels.
        seed: of the run.
    """

    def __init__(self, features: Tensor, labels: Tensor, sampler: PeopleSampler, seed: int) -> None:
        self.features = features
        self.labels = labels
        self.sampler = sampler
        self.seed = seed

    def __len__(self) -> int:
        """Steps an epoch."""
        return len(self.sampler)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of an epoch from step `start` on, each session in a random view."""
        views = self.features.shape[0]
        for step, chosen in enumerate(self.sampler.epoch(number)):
            if step < start:
                continue
            generator = step_generator(self.seed, number, step)
            view = torch.randint(views, (len(chosen),), generator=generator)
            index = torch.tensor(chosen)
            yield (self.features[view, index],), self.labels[index]
