"""The loop of a landmark run: epochs of steps, validation, checkpoints; resumes where it was."""

import math
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save

from fr3d.artifacts.atomic import write_bytes
from fr3d.errors import MalformedInputError
from fr3d.losses.margin import LossTerms
from fr3d.models.hourglass import HeatmapNet
from fr3d.training.checkpoint import Position, load_checkpoint, save_checkpoint
from fr3d.training.history import History
from fr3d.training.landmarks.dataset import LandmarkSource
from fr3d.training.landmarks.learner import LandmarkLearner
from fr3d.training.landmarks.validation import LandmarkValidation, torch_compute
from fr3d.training.loop import BEST, LAST, SAVE_SECONDS, Progress, Report
from fr3d.training.schedule import learning_rate

# Weights no more than this share worse than the best so far are kept for being trained longer.
_AS_GOOD = 1.005


def fit_landmarks(
    learner: LandmarkLearner,
    source: LandmarkSource,
    probe: HeatmapNet,
    validation: LandmarkValidation,
    folder: Path,
    report: Report,
) -> Position:
    """Train to the end, from the beginning or from the last checkpoint.

    Args:
        learner: what learns.
        source: batches.
        probe: a network of the same shape, into which weights are loaded to be judged.
        validation: judges them.
        folder: the run.
        report: is called after each step.

    Returns:
        Where the run ended; the weights to keep are in `best.safetensors`.

    Raises:
        MalformedInputError: the loss became infinite or NaN, or the checkpoint is damaged.
    """
    position = Position()
    saved = load_checkpoint(folder / LAST)
    if saved:
        learner.load(saved[0])
        position = saved[1]
    history = History(folder, position.epoch)
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True):
            while position.epoch < learner.config.epochs:
                _run_epoch(learner, source, position, folder, report)
                probe.network.load_state_dict(learner.average)
                score = validation.quick(torch_compute(probe))
                _end_epoch(learner, len(source), score, position, folder, history, report)
    finally:
        history.close()
    return position


def _run_epoch(
    learner: LandmarkLearner,
    source: LandmarkSource,
    position: Position,
    folder: Path,
    report: Report,
) -> None:
    """Do the steps of an epoch that are still to do."""
    epochs, steps = learner.config.epochs, len(source)
    saved = time.monotonic()
    for views, points in source.epoch(position.epoch, position.step):
        rate = _rate(learner, position.epoch * steps + position.step, steps)
        terms = learner.step(views, points, rate)
        _refuse_non_finite(terms, position)
        for name, value in {"loss": terms.total.detach(), **terms.parts}.items():
            position.sums[name] = position.sums.get(name, 0.0) + float(value)
        position.step += 1
        report(Progress(folder.name, position.epoch, epochs, position.step, steps, {}))
        if position.step < steps and time.monotonic() - saved > SAVE_SECONDS:
            save_checkpoint(folder / LAST, learner.tensors(), position)
            saved = time.monotonic()


def _end_epoch(
    learner: LandmarkLearner,
    steps: int,
    score: Mapping[str, float],
    position: Position,
    folder: Path,
    history: History,
    report: Report,
) -> None:
    """Keep the best, log, and save."""
    figures = {name: value / steps for name, value in position.sums.items()} | dict(score)
    figures["learning_rate"] = _rate(learner, position.epoch * steps + steps - 1, steps)
    least = position.best.get("least", math.inf)
    error = _error(score)
    if error <= _AS_GOOD * least:
        position.best = {**score, "least": min(error, least)}
        position.best_epoch = position.epoch
        tensors = {k: v.cpu().contiguous() for k, v in learner.average.items()}
        write_bytes(folder / BEST, save(tensors), force=True)
    history.add(position.epoch, figures)
    epoch = position.epoch
    position.epoch, position.step, position.sums = epoch + 1, 0, {}
    save_checkpoint(folder / LAST, learner.tensors(), position)
    report(Progress(folder.name, epoch, learner.config.epochs, steps, steps, figures))


def _rate(learner: LandmarkLearner, step: int, steps: int) -> float:
    config = learner.config
    return learning_rate(step, config.epochs * steps, config.learning_rate, config.warmup)


def _error(score: Mapping[str, float]) -> float:
    """What weights are judged by: colour and grey alike; the last are kept where nobody judges."""
    return (score["val_nme"] + score["val_nme_grey"]) / 2.0 if score else 0.0


def _refuse_non_finite(terms: LossTerms, position: Position) -> None:
    """Stop at the first loss that is not a number."""
    if not torch.isfinite(terms.total):
        raise MalformedInputError(
            f"epoch {position.epoch}, step {position.step}: the loss is {terms.total.item():g}",
            "lower --lr, or use --precision float32",
        )
