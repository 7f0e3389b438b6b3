"""The loop: epochs of steps, validation, early stopping, checkpoints; resumes where it was."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from fr3d.artifacts.atomic import write_bytes
from fr3d.errors import MalformedInputError
from fr3d.losses.margin import LossTerms
from fr3d.training.checkpoint import Position, load_checkpoint, save_checkpoint
from fr3d.training.history import History
from fr3d.training.learner import Learner
from fr3d.training.schedule import learning_rate
from fr3d.training.sources import Source, step_generator

BEST = "best.safetensors"
LAST = "last"
SAVE_SECONDS = 300.0
"""A checkpoint at the end of each epoch, and within long epochs after so much time."""


@dataclass(frozen=True)
class Progress:
    """What a run tells its caller after each step.

    Args:
        run: name of the run's folder.
        epoch: from 0.
        epochs: planned.
        step: steps of the epoch that are done.
        steps: an epoch.
        figures: those of the epoch, at its end; else empty.
    """

    run: str
    epoch: int
    epochs: int
    step: int
    steps: int
    figures: Mapping[str, float]


Report = Callable[[Progress], None]
Validate = Callable[[Mapping[str, Tensor]], dict[str, float]]


def fit(
    learner: Learner, source: Source, validate: Validate, folder: Path, report: Report
) -> Position:
    """Train to the end, from the beginning or from the last checkpoint.

    Args:
        learner: what learns.
        source: batches.
        validate: figures of the weights to keep; empty when there is nobody to validate on.
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
    devices = [learner.device] if learner.device.type == "cuda" else []
    try:
        # Dropout draws from torch's own streams: they are set anew at each step, and restored.
        with (
            torch.random.fork_rng(devices),
            torch.backends.cudnn.flags(enabled=True, deterministic=True),
        ):
            while position.epoch < learner.config.epochs and not position.stopped:
                _run_epoch(learner, source, position, folder, report)
                _end_epoch(learner, len(source), validate, position, folder, history, report)
    finally:
        history.close()
    return position


def _run_epoch(
    learner: Learner, source: Source, position: Position, folder: Path, report: Report
) -> None:
    """Do the steps of an epoch that are still to do."""
    config, steps = learner.config, len(source)
    saved = time.monotonic()
    for inputs, label in source.epoch(position.epoch, position.step):
        done = position.epoch * steps + position.step
        rate = learning_rate(done, config.epochs * steps, config.learning_rate, config.warmup)
        seeds = step_generator(config.seed, position.epoch, position.step)
        torch.manual_seed(int(torch.randint(2**62, (), generator=seeds)))
        terms, embedding = learner.step(inputs, label, rate)
        _refuse_non_finite(terms, embedding, position)
        _add(position, terms, embedding, label)
        position.step += 1
        report(Progress(folder.name, position.epoch, config.epochs, position.step, steps, {}))
        if position.step < steps and time.monotonic() - saved > SAVE_SECONDS:
            save_checkpoint(folder / LAST, learner.tensors(), position)
            saved = time.monotonic()


def _end_epoch(
    learner: Learner,
    steps: int,
    validate: Validate,
    position: Position,
    folder: Path,
    history: History,
    report: Report,
) -> None:
    """Validate, keep the best, log, and save."""
    result = learner.result()
    figures = _figures(learner, position, steps)
    score = validate(result)
    if not score or _is_as_good(score, position.top):
        position.top = max(position.top, score.get("val_auc", 0.0))
        position.best, position.best_epoch = score, position.epoch
        tensors = {k: v.cpu().contiguous() for k, v in result.items()}
        write_bytes(folder / BEST, save(tensors), force=True)
    patience = learner.config.patience
    position.stopped = bool(score and patience and position.epoch - position.best_epoch >= patience)
    figures |= score
    history.add(position.epoch, figures)
    epoch = position.epoch
    position.epoch, position.step, position.sums, position.norms = epoch + 1, 0, {}, []
    save_checkpoint(folder / LAST, learner.tensors(), position)
    report(Progress(folder.name, epoch, learner.config.epochs, steps, steps, figures))


def _is_as_good(score: Mapping[str, float], top: float) -> bool:
    """Tell whether weights are as good as the best so far, as far as so few people can show.

    Of equals the later are kept, which have trained longer and at a lower rate.
    """
    return score["val_auc"] >= top - score["val_auc_error"]


def _refuse_non_finite(terms: LossTerms, embedding: Tensor, position: Position) -> None:
    """Stop at the first loss that is not a number."""
    if torch.isfinite(terms.total):
        return
    norms = torch.linalg.vector_norm(embedding, dim=1)
    loss = terms.total.item()
    parts = ", ".join(f"{name} {float(value):g}" for name, value in terms.parts.items())
    raise MalformedInputError(
        f"epoch {position.epoch}, step {position.step}: the loss is {loss:g} "
        f"({parts}; embedding norms {float(norms.min()):g} to {float(norms.max()):g})",
        "lower --lr, or use --precision float32",
    )


def _add(position: Position, terms: LossTerms, embedding: Tensor, label: Tensor) -> None:
    """Add a step to the epoch's sums."""
    norms = torch.linalg.vector_norm(embedding, dim=1)
    hits = (terms.logits.argmax(dim=1) == label).float().mean()
    new = {"loss": terms.total.detach(), **terms.parts, "train_accuracy": hits}
    for name, value in new.items():
        position.sums[name] = position.sums.get(name, 0.0) + float(value)
    position.norms += norms.tolist()


def _figures(learner: Learner, position: Position, steps: int) -> dict[str, float]:
    """Means over the epoch, and where the lengths of embeddings lie."""
    figures = {name: value / steps for name, value in position.sums.items()}
    norms = torch.tensor(position.norms, dtype=torch.float64)
    for quantile in (0.05, 0.5, 0.95):
        figures[f"norm_q{round(quantile * 100):02d}"] = float(torch.quantile(norms, quantile))
    lower = getattr(learner.criterion, "lower_norm", None)
    upper = getattr(learner.criterion, "upper_norm", None)
    if lower is not None and upper is not None:
        outside = (norms < lower) | (norms > upper)
        figures["norm_outside"] = float(outside.double().mean())
    done = position.epoch * steps + steps - 1
    config = learner.config
    rate = learning_rate(done, config.epochs * steps, config.learning_rate, config.warmup)
    return figures | {"learning_rate": rate} if math.isfinite(rate) else figures
