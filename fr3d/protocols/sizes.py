"""How many people each partition gets."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fr3d.errors import UsageError

FULL = 48
"""From so many people on, the floors below hold in full."""

_SHARE = {"val": 0.06, "calibration": 0.15, "test": 0.25}
# Ten people resolve a false-positive rate of 10 %: ten to calibrate with, and among the
# test people ten strangers beside eight who are enrolled.
_FLOOR = {"val": 3, "calibration": 10, "test": 18}
UNKNOWN_SHARE, UNKNOWN_FLOOR = 0.5, 10


def default_sizes(people: int) -> dict[str, float]:
    """Sizes that suit a number of people: shares, but never below what makes a test mean something.

    Args:
        people: how many there are to divide.

    Returns:
        Real-valued sizes of train, val, calibration, test and distractor; they sum to `people`.
    """
    scale = min(1.0, people / FULL)
    sizes = {name: max(share * people, _FLOOR[name] * scale) for name, share in _SHARE.items()}
    return {"train": people - sum(sizes.values()), **sizes, "distractor": 0.0}


def default_unknown(people: int, tested: int) -> int:
    """How many of the test people are never enrolled.

    Args:
        people: all people of the split.
        tested: people in the test partition.
    """
    floor = UNKNOWN_FLOOR * min(1.0, people / FULL)
    return min(math.floor(max(UNKNOWN_SHARE * tested, floor) + 0.5), max(tested - 1, 0))


def partition_sizes(people: int, asked: Mapping[str, float | None]) -> dict[str, int]:
    """Whole numbers of people per partition.

    Args:
        people: how many there are to divide.
        asked: by partition, a share of the people (below 1), a number of people (1 and above), or
            None: what is left, in proportion to the defaults.

    Returns:
        Sizes that sum to `people`.

    Raises:
        UsageError: more people asked for than there are, or fewer and nobody takes the rest.
    """
    default = default_sizes(people)
    fixed = {n: _absolute(v, people) for n, v in asked.items() if v is not None}
    free = {n: size for n, size in default.items() if n not in fixed}
    left = people - sum(fixed.values())
    if left < -1e-6 * people or (left > 1e-6 * people and not sum(free.values())):
        raise UsageError(
            f"partitions ask for {sum(fixed.values()):g} people, there are {people}",
            "leave at least one of --train, --val, --calibration, --test open: it takes the rest",
        )
    weight = max(left, 0.0) / (sum(free.values()) or 1.0)
    wanted = {name: fixed.get(name, default[name] * weight) for name in default}
    sizes = largest_remainder(list(wanted.values()), people)
    return dict(zip(wanted, sizes, strict=True))


def _absolute(value: float, people: int) -> float:
    if not 0 <= value < float("inf"):
        raise UsageError(
            f"a partition cannot have {value:g} people",
            "give a number of people, or a share as 0.2",
        )
    return value * people if value < 1 else value


def largest_remainder(wanted: Sequence[float], total: int) -> list[int]:
    """Round sizes so that they keep their sum; the largest fractions are rounded up.

    Args:
        wanted: real sizes whose sum is `total`.
        total: the sum to keep.
    """
    exact = np.asarray(wanted, dtype=np.float64)
    sizes = np.floor(exact + 1e-9).astype(int)
    order = np.argsort(-(exact - sizes), kind="stable")
    sizes[order[: total - int(sizes.sum())]] += 1
    return [int(size) for size in sizes]
