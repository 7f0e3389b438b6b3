"""Fuse single modalities: train the branches that are missing, freeze them, train the head."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from fr3d.artifacts.provenance import sha256_file
from fr3d.data.dataset import FaceDataset
from fr3d.data.inputs import input_specs
from fr3d.data.sampler import PeopleSampler
from fr3d.errors import CannotWriteError
from fr3d.models.embedding import Network
from fr3d.training.checkpoint import Position
from fr3d.training.config import TrainConfig, fusion_model
from fr3d.training.learner import Learner
from fr3d.training.loop import BEST, Report, fit
from fr3d.training.partition import TrainingData
from fr3d.training.run import (
    CONFIG,
    RunResult,
    finished_result,
    is_finished,
    read_json,
    run_record,
    train_run,
)
from fr3d.training.single import build_modules, face_dataset, train_single
from fr3d.training.sources import FeatureSource, augment, step_generator
from fr3d.training.validation import embed, verification_figures

VIEWS = 8
"""Views of each training face whose features are kept: one as it is, the others augmented."""

BATCH = 64

RATE = 0.05
"""Learning rate of a fusion head over that of a network: it starts from a good place, and more
training fits it to the training people at the cost of others."""


def train_branches(
    runs: Path,
    config: TrainConfig,
    data: TrainingData,
    report: Report,
    trained: Callable[[RunResult], None],
    *,
    device: str = "cpu",
    workers: int = 0,
) -> list[RunResult]:
    """Train the single-modality runs of a fusion that are not there yet.

    Args:
        runs: folder of runs; a branch lies in the folder of its modality's name.
        config: of the fusion; the branches share it.
        data: what to train on.
        report: is called after each step.
        trained: is called with each branch that is ready.
        device: cpu, cuda or cuda:N.
        workers: reading processes.

    Returns:
        The branches in the order of the fusion; finished ones on the same data are reused.

    Raises:
        CannotWriteError: a finished branch was trained on other data.
    """
    done = []
    for modality in config.modalities:
        folder = runs / modality
        if is_finished(folder):
            _refuse_other_data(folder, data)
            done.append(finished_result(folder))
        else:
            branch = config.for_modality(modality)
            done.append(train_single(folder, branch, data, report, device=device, workers=workers))
        trained(done[-1])
    return done


def train_fusion(
    folder: Path,
    config: TrainConfig,
    branches: list[Path],
    data: TrainingData,
    report: Report,
    *,
    device: str = "cpu",
    force: bool = False,
) -> RunResult:
    """Train, or go on training, the head over frozen branches.

    Args:
        folder: the run.
        config: of the fusion.
        branches: finished runs, in the order of the modalities.
        data: what to train on.
        report: is called after each step.
        device: cpu, cuda or cuda:N.
        force: drop a run that is there.
    """
    model = fusion_model(config, [read_json(path / CONFIG)["model"] for path in branches])
    record = run_record(model, config.to_json(), data)
    record["branches"] = {path.name: sha256_file(path / BEST) for path in branches}
    train = partial(
        _train,
        model=model,
        config=config,
        branches=branches,
        data=data,
        report=report,
        device=torch.device(device),
    )
    return train_run(folder, record, data, train, force=force)


def _train(
    folder: Path,
    model: Mapping[str, Any],
    config: TrainConfig,
    branches: list[Path],
    data: TrainingData,
    report: Report,
    device: torch.device,
) -> Position:
    rate = RATE * config.learning_rate
    settings = replace(config, pretrained=False, learning_rate=rate)
    network, criterion = build_modules(model, settings, len(data.train.people))
    for branch, path in zip(network.get_submodule("branches").children(), branches, strict=True):
        branch.load_state_dict(load_file(path / BEST))
    network.to(device)
    dataset = face_dataset(data, data.train, input_specs(config.modalities))
    features = cache_features(network, dataset, config, device)
    labels = torch.from_numpy(dataset.labels).to(device)
    sampler = PeopleSampler(dataset.labels, config.people, config.per_person, config.seed)
    source = FeatureSource(features, labels, sampler, config.seed)
    learner = Learner(network, criterion.to(device), settings, from_features=True)
    validate = HeadValidation(network, data, config, device)
    return fit(learner, source, validate, folder, report)


@torch.no_grad()
def cache_features(
    network: Network, dataset: FaceDataset, config: TrainConfig, device: torch.device
) -> Tensor:
    """Compute the frozen branches' features of augmented views once.

    Args:
        network: the fusion network.
        dataset: the training faces.
        config: for augmentation and seed.
        device: of the network.

    Returns:
        (V, N, F) float32 on the device.
    """
    network.eval()
    views = [embed(network, dataset, device, features=True)]
    for view in range(1, VIEWS):
        parts = []
        for start in range(0, len(dataset), BATCH):
            rows = range(start, min(start + BATCH, len(dataset)))
            batch = dataset.__getitems__(list(rows)).to(device)
            generator = step_generator(config.seed, view, start)
            maps, _ = augment(batch, dataset, config.augmentation, generator)
            parts.append(network.features(*(maps[name] for name in config.modalities)))
        views.append(torch.cat(parts))
    return torch.stack(views)


class HeadValidation:
    """Figures of a fusion head on the validation people, whose features are computed once.

    Args:
        network: the fusion network with its branches.
        data: with or without people to validate on.
        config: of the fusion.
        device: of the network.
    """

    def __init__(
        self, network: Network, data: TrainingData, config: TrainConfig, device: torch.device
    ) -> None:
        self.head = deepcopy(network.get_submodule("head")).eval()
        self.labels = None if data.val is None else data.val.labels
        if data.val is not None:
            dataset = face_dataset(data, data.val, input_specs(config.modalities))
            self.features = embed(network, dataset, device, features=True)

    @torch.no_grad()
    def __call__(self, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Embed and measure; empty when there is nobody to validate on."""
        if self.labels is None:
            return {}
        head = {k.removeprefix("head."): v for k, v in weights.items() if k.startswith("head.")}
        self.head.load_state_dict(head)
        return verification_figures(self.head(self.features).cpu().numpy(), self.labels)


def _refuse_other_data(folder: Path, data: TrainingData) -> None:
    """Refuse a branch that was trained on other faces or another split."""
    found = read_json(folder / CONFIG).get("data", {})
    wanted = data.digests
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    if differing:
        raise CannotWriteError(
            f"{folder}: a finished run on another {' and '.join(differing)} file",
            f"train it again with 'fr3d train --modality {folder.name} --force', "
            "or choose another folder with --runs",
        )
