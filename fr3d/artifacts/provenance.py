"""Where an artifact comes from: one line a step, inherited from the inputs."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fr3d import __version__


@dataclass(frozen=True)
class Step:
    """What one command did.

    What does not change the result (workers, batch size, output name) does not belong here, so
    that the same inputs and seed give the same bytes.

    Attributes:
        command: name of the command.
        parameters: its resolved options, JSON-able.
        inputs: SHA-256 by file name; never an absolute path.
        seed: random seed, None when the step draws nothing.
        device: where it was computed, None when that cannot matter.
        notes: what it found out about its inputs and chose options by; files made alike may
            differ in it.
    """

    command: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    device: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The history line of this step."""
        line = {
            "command": self.command,
            "version": __version__,
            "arguments": dict(self.parameters),
            "seed": self.seed,
            "device": self.device,
            "inputs": dict(self.inputs),
        }
        return {**line, "notes": dict(self.notes)} if self.notes else line


def canonical_json(value: Any) -> str:
    """JSON that is the same for equal values: sorted keys, no blanks, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256_json(value: Any) -> str:
    """SHA-256 of a JSON-able value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def history_text(history: Sequence[Mapping[str, Any]]) -> str:
    """The history attribute: a JSON line a step, oldest first."""
    return "\n".join(canonical_json(dict(line)) for line in history)


def parse_history(text: str) -> list[dict[str, Any]]:
    """Undo `history_text`."""
    return [json.loads(line) for line in text.splitlines() if line]
