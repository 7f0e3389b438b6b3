"""A run folder from start to finish: refuse, resume or begin, train, and sign the result."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fr3d import __version__
from fr3d.artifacts.atomic import write_bytes
from fr3d.artifacts.provenance import sha256_file
from fr3d.data.inputs import input_specs
from fr3d.errors import CannotWriteError
from fr3d.inference.contract import contract_for
from fr3d.training.checkpoint import STATE, Position
from fr3d.training.loop import BEST, LAST
from fr3d.training.partition import TrainingData

CONFIG = "config.json"
STATUS = "status.json"

Train = Callable[[Path], Position]


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Args:
        folder: where it lies.
        best_epoch: epoch of the weights that were kept, from 0.
        figures: their validation figures; empty when nobody was there to validate on.
        reused: whether it had been finished before.
    """

    folder: Path
    best_epoch: int
    figures: Mapping[str, float]
    reused: bool = False


def run_record(
    model: Mapping[str, Any], training: Mapping[str, Any], data: TrainingData
) -> dict[str, Any]:
    """Assemble what `config.json` holds: all that decides the weights.

    Args:
        model: what `build_network` takes.
        training: the resolved training configuration.
        data: what is trained on.
    """
    return {
        "fr3d": __version__,
        "modalities": list(model["modalities"]),
        "model": dict(model),
        "training": dict(training),
        "data": dict(data.digests),
        "people": len(data.train.people),
        "sessions": len(data.train.rows),
    }


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty where there is none or it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_finished(folder: Path) -> bool:
    """Tell whether a run has come to its end."""
    return read_json(folder / STATUS).get("finished") is True


def check_folder(folder: Path, *, force: bool) -> None:
    """Refuse early: a finished run needs `force`, and what is no run is never touched.

    Args:
        folder: the run.
        force: drop a run that is there.

    Raises:
        CannotWriteError: a finished run is there, or something else.
    """
    if is_finished(folder) and not force:
        raise CannotWriteError(
            f"{folder}: exists already, a finished run",
            "choose another --name, or --force to train it again",
        )
    foreign = folder.exists() and not read_json(folder / CONFIG)
    if foreign and (folder.is_file() or any(not p.name.startswith(".") for p in folder.glob("*"))):
        raise CannotWriteError(f"{folder}: exists already, and is no run", "choose another --name")


def prepare_folder(folder: Path, record: Mapping[str, Any], *, force: bool) -> bool:
    """Make a run folder, or find that an interrupted run can go on in it.

    Args:
        folder: the run.
        record: what its `config.json` must hold.
        force: drop a run that is there.

    Returns:
        Whether an interrupted run goes on.

    Raises:
        CannotWriteError: a finished or a different run is there, or something else.
    """
    check_folder(folder, force=force)
    found = read_json(folder / CONFIG)
    if found and force:
        shutil.rmtree(folder)
    elif found and (folder / LAST / STATE).exists():
        _refuse_other(folder, found, record)
        return True
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: cannot be made: {error.strerror}", "choose another place with --runs"
        ) from error
    write_json(folder / CONFIG, record)
    return False


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Hold a run, so that two processes never train it at once.

    Args:
        folder: the run; the lock lies beside it, as `--force` removes the folder.

    Raises:
        CannotWriteError: another process trains it, or the folder of runs cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder.parent / f".{folder.name}.lock", os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: cannot be made: {error.strerror}", "choose another place with --runs"
        ) from error
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: another process is training it", "wait for it, or choose another --name"
        ) from error


def finish(folder: Path, data: TrainingData, record: Mapping[str, Any], end: Position) -> RunResult:
    """Sign a trained run: contract, training people, and last of all the status.

    Args:
        folder: the run, with its best weights.
        data: what it was trained on.
        record: its configuration.
        end: where training ended.
    """
    modalities = record["modalities"]
    contract = contract_for(
        data.faces,
        weights_sha256=sha256_file(folder / BEST),
        modalities=modalities,
        inputs={spec.modality: spec.to_json() for spec in input_specs(modalities)},
        embedding_size=record["model"]["embedding_size"],
    )
    write_bytes(folder / "contract.json", contract.to_json().encode(), force=True)
    write_json(folder / "training_subjects.json", list(data.subjects))
    status = {
        "finished": True,
        "epochs": end.epoch,
        "best_epoch": end.best_epoch,
        "figures": end.best,
        "stopped_early": end.stopped,
    }
    write_json(folder / STATUS, status)
    return RunResult(folder, end.best_epoch, end.best)


def finished_result(folder: Path) -> RunResult:
    """Describe a run that was finished before."""
    status = read_json(folder / STATUS)
    return RunResult(folder, int(status["best_epoch"]), status["figures"], reused=True)


def train_run(
    folder: Path, record: Mapping[str, Any], data: TrainingData, train: Train, *, force: bool
) -> RunResult:
    """Bring one run to its end, whatever state it is in.

    Args:
        folder: the run.
        record: its configuration.
        data: what it is trained on.
        train: does the training in the folder, from its last checkpoint on.
        force: drop a run that is there.
    """
    prepare_folder(folder, record, force=force)
    return finish(folder, data, record, train(folder))


def _refuse_other(folder: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse to go on with a run of another configuration."""
    differing = _differences(found, json.loads(json.dumps(wanted)))
    if differing:
        raise CannotWriteError(
            f"{folder}: an interrupted run with other settings: {', '.join(differing[:5])}",
            "give the same options to go on with it, another --name, or --force to drop it",
        )


def _differences(one: Any, other: Any, name: str = "") -> list[str]:
    """List where two JSON values differ, as dotted names with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            text
            for key in dict.fromkeys([*one, *other])
            for text in _differences(one.get(key), other.get(key), f"{name}.{key}".lstrip("."))
        ]
    return [] if one == other else [f"{name} {one} (now {other})"]


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_bytes(path, (json.dumps(value, indent=1) + "\n").encode(), force=True)
