"""How sure a figure is: leaving people out, and rates that so few people cannot show."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Codes = npt.NDArray[np.intp]
Reals = npt.NDArray[np.float64]
Statistic = Callable[[npt.NDArray[np.float64]], Mapping[str, float]]

METHOD = "percentile bootstrap over people"
"""What `fr3d benchmark` does, in words: `bootstrap`."""


@dataclass(frozen=True)
class Interval:
    """Limits between which a figure lies with a stated probability."""

    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """How far a figure would scatter from one set of people to the next.

    Attributes:
        error: standard error, in the units of the figure.
        freedom: degrees of freedom behind that error.
    """

    error: float
    freedom: float


def person_groups(people: int, most: int = 500) -> Codes:
    """Deal people into groups that are left out together: one each, or `most` of nearly equal size.

    Args:
        people: number of people.
        most: number of groups that is not exceeded.

    Returns:
        Group of each person, shape (people,), from 0; it depends on nothing but both numbers.
    """
    return np.arange(people, dtype=np.intp) % max(min(people, most), 1)


def jackknife(
    value: float, left_out: Reals, *, people: int, bounded: bool = True, level: float = 0.95
) -> Interval | None:
    """Interval from a figure on everybody and on everybody but one person, or one group of them.

    Args:
        value: the figure on everybody.
        left_out: the figure without each person (or group of people), shape (G,).
        people: independent people behind the figure: those with a mated pair for an FNMR, with a
            non-mated one for an FMR, with a probe for a rank-1 rate.
        bounded: whether the figure is a rate in [0, 1].
        level: probability covered.

    Returns:
        None where the people cannot tell: fewer than three, a figure that hangs on one of them (it
        is NaN without), or an unbounded figure that nobody changes.
    """
    if not math.isfinite(value):
        return None
    found = spread(value, left_out, people=people)
    if found is None:
        return None
    if not bounded:
        half = t_quantile(level, found.freedom) * found.error
        return Interval(value - half, value + half) if half > 0 else None
    if found.error == 0 or not 0 < value < 1:
        return exact(value * people, people, level)
    slope = value * (1 - value)
    half = t_quantile(level, found.freedom) * found.error / slope
    middle = special.logit(value)
    return Interval(float(special.expit(middle - half)), float(special.expit(middle + half)))


def spread(value: float, left_out: Reals, *, people: int) -> Spread | None:
    """Standard error by leaving out people or groups of people.

    The squares are taken about the figure itself, not the mean of the left-out ones, so that a
    person with much weight counts by what the others say of them. With groups of m_g people the
    expected square grows as m_g does, so that the one factor (G - 1)/G holds for unequal groups.

    Args:
        value: the figure on everybody.
        left_out: the figure without each group, shape (G,).
        people: independent people behind the figure.

    Returns:
        None with fewer than three people or groups, or a left-out figure that is not finite.

    Reference:
        Efron and Stein, "The jackknife estimate of variance", 1981, eq. 1.3; Kott, "The
        delete-a-group jackknife", 2001, eq. 4.
    """
    count = min(len(left_out), people)
    if count < 3 or not np.isfinite(left_out).all():
        return None
    squares = (np.asarray(left_out, np.float64) - value) ** 2
    return Spread(math.sqrt((count - 1) / count * squares.sum()), count - 1)


def t_quantile(level: float, freedom: float) -> float:
    """Half the width of Student's t interval in standard errors."""
    return float(special.stdtrit(freedom, (1 + level) / 2))


def exact(errors: float, trials: float, level: float = 0.95) -> Interval:
    """Exact limits of a rate from independent trials; the counts need not be whole.

    Reference:
        Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of
        the binomial", 1934; as a quantile of the beta distribution.
    """
    tail = (1 - level) / 2
    rest = trials - errors
    low = special.betaincinv(errors, rest + 1, tail) if errors > 0 else 0.0
    high = special.betaincinv(errors + 1, rest, 1 - tail) if rest > 0 else 1.0
    return Interval(float(low), float(high))


def wilson(errors: float, trials: float, level: float = 0.95) -> Interval | None:
    """Limits of a rate as if all pairs were independent, which they are not; none without any.

    Reference:
        Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if trials <= 0:
        return None
    z = float(special.ndtri((1 + level) / 2))
    rate = errors / trials
    scale = 1 + z**2 / trials
    centre = (rate + z**2 / (2 * trials)) / scale
    half = z / scale * math.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    return Interval(max(centre - half, 0.0), min(centre + half, 1.0))


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
