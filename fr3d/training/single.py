"""Train the network of one modality."""

from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fr3d.data.dataset import FaceDataset
from fr3d.data.inputs import InputSpec, input_specs
from fr3d.data.sampler import PeopleSampler
from fr3d.losses.build import build_criterion
from fr3d.models.build import build_network
from fr3d.models.embedding import Network
from fr3d.training.checkpoint import Position
from fr3d.training.config import TrainConfig, single_model
from fr3d.training.learner import Learner
from fr3d.training.loop import Report, fit
from fr3d.training.partition import LabelledRows, TrainingData
from fr3d.training.run import RunResult, check_folder, run_record, train_run
from fr3d.training.sources import FaceSource
from fr3d.training.validation import embed, verification_figures


def train_single(
    folder: Path,
    config: TrainConfig,
    data: TrainingData,
    report: Report,
    *,
    device: str = "cpu",
    workers: int = 0,
    force: bool = False,
) -> RunResult:
    """Train, or go on training, one modality.

    Args:
        folder: the run.
        config: of the run, with its precision resolved.
        data: what to train on.
        report: is called after each step.
        device: cpu, cuda or cuda:N.
        workers: reading processes; they do not change the result.
        force: drop a run that is there.
    """
    check_folder(folder, force=force)
    model = single_model(config)
    record = run_record(model, config.to_json(), data)
    # What cannot be built must not leave a folder behind.
    modules = build_modules(model, config, len(data.train.people))
    train = partial(
        _train,
        modules=modules,
        config=config,
        data=data,
        report=report,
        device=device,
        workers=workers,
    )
    return train_run(folder, record, data, train, force=force)


def _train(
    folder: Path,
    modules: tuple[Network, nn.Module],
    config: TrainConfig,
    data: TrainingData,
    report: Report,
    device: str,
    workers: int,
) -> Position:
    specs = input_specs(config.modalities)
    place = torch.device(device)
    network, criterion = modules
    learner = Learner(network.to(place), criterion.to(place), config)
    dataset = face_dataset(data, data.train, specs)
    sampler = PeopleSampler(dataset.labels, config.people, config.per_person, config.seed)
    source = FaceSource(dataset, sampler, config.augmentation, config.seed, place, workers)
    probe = deepcopy(network)
    return fit(learner, source, Validation(probe, data, specs), folder, report)


class Validation:
    """Figures of given weights on the validation people.

    Args:
        network: into which the weights are loaded.
        data: with or without people to validate on.
        specs: inputs of the network.
    """

    def __init__(self, network: Network, data: TrainingData, specs: tuple[InputSpec, ...]) -> None:
        self.network = network
        self.rows = data.val
        self.dataset = None if data.val is None else face_dataset(data, data.val, specs)

    def __call__(self, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Embed and measure; empty when there is nobody to validate on."""
        if self.dataset is None:
            return {}
        self.network.load_state_dict(weights)
        embedding = embed(self.network, self.dataset, next(self.network.parameters()).device)
        return verification_figures(embedding.cpu().numpy(), self.dataset.labels)


def face_dataset(
    data: TrainingData, rows: LabelledRows, specs: tuple[InputSpec, ...]
) -> FaceDataset:
    """Return labelled rows as a dataset, in memory where it is small."""
    return FaceDataset(data.faces, rows.rows, rows.labels, specs).keep_if_small()


def build_modules(
    model: Mapping[str, Any], config: TrainConfig, people: int
) -> tuple[Network, nn.Module]:
    """Build network and criterion with the initial weights of the run's seed.

    Args:
        model: what `build_network` takes.
        config: of the run.
        people: C, number of training people.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed)
        network = build_network(model, pretrained=config.pretrained)
        criterion = build_criterion(
            config.loss, model["embedding_size"], people, config.loss_options
        )
    return network, criterion
