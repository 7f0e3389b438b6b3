"""Which part of the work is this process's: `--shard 3/8`, or a task of a Slurm array."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fr3d.errors import UsageError

SLURM = "slurm"

_SPELLING = "give I/N with 1 <= I <= N, such as 3/8, or slurm in a job array"
_ARRAY = "SLURM_ARRAY_TASK_"


@dataclass(frozen=True)
class Shard:
    """Every `count`-th part, beginning with the `number`-th.

    Which parts there are does not depend on it, so runs with other counts go together.

    Attributes:
        number: from 1.
        count: of shards.
    """

    number: int
    count: int

    def takes(self, part: int) -> bool:
        """Whether a part, counted from 0, is this shard's."""
        return part % self.count == self.number - 1

    def __str__(self) -> str:
        """As the user writes it."""
        return f"{self.number}/{self.count}"


def parse_shard(text: str, environment: Mapping[str, str]) -> Shard:
    """Read what --shard says.

    Args:
        text: `I/N`, counted from 1, or `slurm`: the place of this task in its Slurm array.
        environment: of the process.

    Raises:
        UsageError: neither, or no evenly spaced Slurm array.

    >>> str(parse_shard("3/8", {}))
    '3/8'
    """
    if text == SLURM:
        return _slurm(environment)
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"no such shard: {text}", _SPELLING)
    return Shard(int(match[1]), int(match[2]))


def slurm_task(environment: Mapping[str, str]) -> str:
    """Such as `task 3 of a Slurm array of 8`; empty outside an array of several tasks."""
    task, count = (environment.get(_ARRAY + name, "") for name in ("ID", "COUNT"))
    return f"task {task} of a Slurm array of {count}" if task and count not in ("", "1") else ""


def _slurm(environment: Mapping[str, str]) -> Shard:
    if f"{_ARRAY}ID" not in environment:
        raise UsageError(f"--shard slurm: {_ARRAY}ID is not set", "submit with sbatch --array=1-8")
    try:
        task, least, most = (int(environment[_ARRAY + name]) for name in ("ID", "MIN", "MAX"))
        step = int(environment.get(f"{_ARRAY}STEP", "1"))
        count = int(environment[f"{_ARRAY}COUNT"])
        place, rest = divmod(task - least, step)
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise UsageError(
            f"--shard slurm: {_ARRAY}MIN, MAX, STEP and COUNT do not describe an array", _SPELLING
        ) from error
    if rest or not 0 <= place < count or (most - least) // step + 1 != count:
        raise UsageError(
            f"--shard slurm: {count} tasks from {least} to {most} in steps of {step} are not "
            "evenly spaced",
            'give I/N instead, such as --shard "$SLURM_ARRAY_TASK_ID/8"',
        )
    return Shard(place + 1, count)
