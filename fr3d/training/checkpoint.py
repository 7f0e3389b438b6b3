"""Everything needed to go on after kill -9: tensors as safetensors, the rest as JSON.

`last/state.json` is replaced in one step and names the tensors file that belongs to it, so that
both are from the same moment or the older pair holds.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from fr3d.artifacts.atomic import write_bytes
from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import MalformedInputError

STATE = "state.json"


@dataclass
class Position:
    """Where a run stands.

    The sampler, the augmentation and dropout depend on seed, epoch and step alone: the position is
    at once that of the sampler, of the schedule and of all random streams.

    Args:
        epoch: epoch in progress, from 0.
        step: steps of it that are done.
        sums: running sums of the epoch's figures, and their count.
        norms: lengths of the epoch's embeddings so far.
        top: highest validation AUC so far.
        best: validation figures of the weights that are kept; empty before the first.
        best_epoch: epoch they are from.
        stopped: whether patience has run out.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    norms: list[float] = field(default_factory=list)
    top: float = 0.0
    best: dict[str, float] = field(default_factory=dict)
    best_epoch: int = -1
    stopped: bool = False


def save_checkpoint(folder: Path, tensors: Mapping[str, Tensor], position: Position) -> None:
    """Write a checkpoint, whole or not at all, and drop the one before.

    Args:
        folder: the run's `last/`.
        tensors: of the learner, on the CPU.
        position: where the run stands.
    """
    folder.mkdir(exist_ok=True)
    name = f"{position.epoch:05d}-{position.step:06d}.safetensors"
    write_bytes(folder / name, save(dict(tensors)), force=True)
    state = {"tensors": name, "sha256": sha256_file(folder / name), **asdict(position)}
    write_bytes(folder / STATE, json.dumps(state, indent=1).encode(), force=True)
    for old in folder.glob("*.safetensors"):
        if old.name != name:
            old.unlink()


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], Position] | None:
    """Read a checkpoint.

    Args:
        folder: the run's `last/`.

    Returns:
        The tensors and the position, or None where there is none yet.

    Raises:
        MalformedInputError: it is damaged.
    """
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _damaged(folder / STATE) from error
    try:
        path = folder / Path(str(state.pop("tensors"))).name
        if sha256_file(path) != state.pop("sha256"):
            raise _damaged(path)
        return load_file(path), Position(**state)
    except (KeyError, TypeError, OSError, SafetensorError) as error:
        raise _damaged(folder / STATE) from error


def _damaged(path: Path) -> MalformedInputError:
    """Make the error of a checkpoint that cannot be used."""
    return MalformedInputError(f"{path}: damaged checkpoint", "start the run again with --force")


def tensors_below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it.

    Args:
        tensors: by name.
        prefix: of the names.
    """
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
