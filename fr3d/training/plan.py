"""What `train` does for a modality: which runs, in which order."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch

from fr3d.errors import UsageError
from fr3d.training.config import TrainConfig
from fr3d.training.fusion import train_branches, train_fusion
from fr3d.training.loop import Report
from fr3d.training.partition import TrainingData
from fr3d.training.run import RunResult, check_folder, lock_run
from fr3d.training.single import train_single

FUSIONS = {"concat2": 2, "concat3": 3}
"""Fusions by name, and how many modalities each takes."""

CONCAT3 = ("normal", "albedo", "depth")

Trained = Callable[[RunResult], None]


@dataclass(frozen=True)
class Machine:
    """Where a run computes; it does not decide the outcome.

    Args:
        device: cpu, cuda or cuda:N.
        workers: processes that read faces; 0 reads in the process that learns.
    """

    device: str = "cpu"
    workers: int = 0


def resolve_modalities(modality: str, branches: str) -> tuple[str, ...]:
    """Return the modalities behind a name.

    Args:
        modality: a single one, concat2 or concat3.
        branches: for concat2 its two, by a comma; for concat3 another three, or empty.

    Raises:
        UsageError: the number of branches does not fit.
    """
    named = tuple(part.strip() for part in branches.split(",") if part.strip())
    if modality not in FUSIONS:
        if named:
            raise UsageError(
                f"--branches with modality {modality}", "it is for concat2 and concat3"
            )
        return (modality,)
    if modality == "concat3" and not named:
        return CONCAT3
    if len(named) != FUSIONS[modality] or len(set(named)) != len(named):
        raise UsageError(
            f"{modality} fuses {FUSIONS[modality]} modalities, found "
            f"{', '.join(named) if named else 'none'}",
            f"name them, e.g. --branches {','.join(CONCAT3[: FUSIONS[modality]])}",
        )
    return named


def train(
    runs: Path,
    name: str,
    config: TrainConfig,
    data: TrainingData,
    report: Report,
    trained: Trained,
    *,
    machine: Machine | None = None,
    force: bool = False,
) -> RunResult:
    """Train a run, and before it the branches it needs.

    Args:
        runs: folder of runs.
        name: of the run.
        config: of the run, with its precision resolved.
        data: what to train on.
        report: is called after each step.
        trained: is called with each branch that is ready.
        machine: where to compute.
        force: drop a run of this name; branches are never dropped.

    Returns:
        The run.
    """
    place = machine or Machine()
    folder = runs / name
    torch.set_num_threads(config.threads)
    with ExitStack() as held:
        for run in {name, *(config.modalities if config.is_fusion else ())}:
            held.enter_context(lock_run(runs / run))
        return _train(runs, folder, config, data, report, trained, place, force)


def _train(
    runs: Path,
    folder: Path,
    config: TrainConfig,
    data: TrainingData,
    report: Report,
    trained: Trained,
    place: Machine,
    force: bool,
) -> RunResult:
    if not config.is_fusion:
        return train_single(
            folder,
            config,
            data,
            report,
            device=place.device,
            workers=place.workers,
            force=force,
        )
    if folder.name in config.modalities:
        raise UsageError(f"--name {folder.name} is the run of a branch", "choose another name")
    check_folder(folder, force=force)
    branches = train_branches(
        runs, config, data, report, trained, device=place.device, workers=place.workers
    )
    folders = [branch.folder for branch in branches]
    return train_fusion(folder, config, folders, data, report, device=place.device, force=force)
