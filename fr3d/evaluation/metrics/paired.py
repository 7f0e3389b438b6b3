"""Whether one system is better than another, on the same people."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from fr3d.evaluation.metrics.intervals import Reals, exact, spread, t_quantile


@dataclass(frozen=True)
class Difference:
    """How far a figure of one system lies from another's.

    Attributes:
        difference: the one minus the other.
        low: lower limit; none where the people cannot tell.
        high: upper limit; none where the people cannot tell.
        p_value: chance of a difference this large or larger, either way, between equals.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float | None


def compare(
    value: float,
    other: float,
    left_out: Reals,
    other_left_out: Reals,
    *,
    people: int,
    bounded: bool = True,
    level: float = 0.95,
) -> Difference:
    """Compare a figure of two systems by leaving the same people out of both.

    What makes a person hard for both systems cancels, so that the interval is narrower than those
    of the two figures suggest.

    Args:
        value: the figure of the one system on everybody.
        other: the same of the other system.
        left_out: the first figure without each person or group of people, shape (G,).
        other_left_out: the second without the same ones, shape (G,).
        people: independent people behind the figure.
        bounded: whether the figure is a rate in [0, 1].
        level: probability covered.

    Raises:
        ValueError: the left-out figures differ in number.

    Reference:
        Efron and Stein, "The jackknife estimate of variance", 1981, eq. 1.3, of the difference.
    """
    if np.shape(left_out) != np.shape(other_left_out):
        raise ValueError(
            f"{np.shape(left_out)} left-out figures against {np.shape(other_left_out)}"
        )
    gap = value - other
    found = spread(gap, left_out - other_left_out, people=people)
    if found is None or not math.isfinite(gap):
        return Difference(gap, None, None, None)
    if found.error == 0:
        return _unmoved(gap, people, bounded, level)
    half = t_quantile(level, found.freedom) * found.error
    low, high = gap - half, gap + half
    if bounded:
        low, high = max(low, -1.0), min(high, 1.0)
    chance = 2 * float(special.stdtr(found.freedom, -abs(gap) / found.error))
    return Difference(gap, low, high, chance)


def _unmoved(gap: float, people: int, bounded: bool, level: float) -> Difference:
    """No person tells the systems apart: they differ on few people, if the figure is a rate."""
    if gap != 0:
        return Difference(gap, None, None, None)
    if not bounded:
        return Difference(0.0, None, None, 1.0)
    most = exact(0, people, level).high
    return Difference(0.0, -most, most, 1.0)
