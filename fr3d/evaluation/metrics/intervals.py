"""How sure a figure is: resampling people, and rates that so few people cannot show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Statistic = Callable[[npt.NDArray[np.float64]], Mapping[str, float]]

METHOD = "percentile bootstrap over people"


@dataclass(frozen=True)
class Interval:
    """Limits between which a figure lies with a stated probability."""

    low: float
    high: float


def bootstrap(
    groups: npt.NDArray[np.intp],
    statistic: Statistic,
    *,
    repeats: int,
    seed: int,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Percentile intervals from drawing people, not pairs, with replacement.

    Pairs share people and sessions share a person: resampling them claims far too much certainty.

    Args:
        groups: group of each person, shape (people,); each group keeps its size in every draw.
        statistic: figures by name for given weights of the people (how often each was drawn).
        repeats: number of draws; none gives no intervals.
        seed: of the draws.
        level: probability covered.

    Returns:
        An interval by name; none where less than half of the draws could compute the figure, and
        none where all draws agree: that shows no errors, but not how rare they are.
    """
    generator = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, value in statistic(draw_people(groups, generator)).items():
            drawn.setdefault(name, []).append(value)
    tails = [(1 - level) / 2, (1 + level) / 2]
    intervals = {}
    for name, values in drawn.items():
        finite = np.array(values)[np.isfinite(values)]
        if 2 * len(finite) >= repeats and np.ptp(finite) > 0:
            low, high = np.quantile(finite, tails)
            intervals[name] = Interval(float(low), float(high))
    return intervals


def draw_people(
    groups: npt.NDArray[np.intp], generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """How often each person is drawn when each group is drawn with replacement to its own size."""
    weight = np.zeros(len(groups))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        weight[members] = generator.multinomial(
            len(members), np.full(len(members), 1 / len(members))
        )
    return weight


def smallest_fmr(people: int) -> float:
    """Lowest false-match rate that the pairs among some people can show: three over their number.

    No error among n independent trials bounds the rate by 3/n at 95 %; photographs of the same two
    people are not independent trials.

    Args:
        people: distinct people compared with each other.
    """
    pairs = people * (people - 1) / 2
    return 3 / pairs if pairs else float("inf")


def smallest_fpir(people: int) -> float:
    """Lowest false-positive identification rate that some unknown people can show: one of them.

    Args:
        people: distinct people who are searched but not enrolled.
    """
    return 1 / people if people else float("inf")


def resolvable(rate: float, smallest: float) -> bool:
    """Whether a target rate is not below the smallest one that the data can show."""
    return rate >= smallest * (1 - 1e-9)
