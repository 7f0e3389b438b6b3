"""Ways to an interval for interval_coverage.py: limits from one figure and what moves it."""

from dataclasses import dataclass

import numpy as np
from interval_figures import Reals, Sample
from scipy import special

from fr3d.evaluation.metrics.intervals import jackknife, wilson

TAIL = 0.025
Z = float(special.ndtri(1 - TAIL))


@dataclass(frozen=True)
class Drawn:
    """A figure of one sample.

    Attributes:
        values: with everybody (first) and without each person.
        people: independent people behind it.
        extra: limits by methods that need more than the values.
    """

    values: Reals
    people: int
    extra: dict[str, tuple[float, float]]


def _beta(errors: Reals, trials: Reals, prior: float = 0.0) -> tuple[Reals, Reals]:
    """Clopper-Pearson limits, or with a prior of a half those of Jeffreys."""
    rest = trials - errors
    with np.errstate(invalid="ignore"):
        if prior:
            low = special.betaincinv(errors + prior, rest + prior, TAIL)
            high = special.betaincinv(errors + prior, rest + prior, 1 - TAIL)
        else:
            low = special.betaincinv(errors, rest + 1, TAIL)
            high = special.betaincinv(errors + 1, rest, 1 - TAIL)
    return np.where(errors <= 0, 0.0, low), np.where(rest <= 0, 1.0, high)


def _score(rate: Reals, trials: Reals, z: Reals | float) -> tuple[Reals, Reals]:
    scale = 1 + z**2 / trials
    centre = (rate + z**2 / (2 * trials)) / scale
    half = z / scale * np.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    return centre - half, centre + half


def _logit(value: Reals, error: Reals, quantile: Reals | float) -> tuple[Reals, Reals]:
    with np.errstate(divide="ignore", invalid="ignore"):
        half = quantile * error / (value * (1 - value))
        return special.expit(special.logit(value) - half), special.expit(
            special.logit(value) + half
        )


def kurtosis_freedom(moved: Reals) -> Reals:
    """Degrees of freedom of a variance of data that are not normal, from their own kurtosis."""
    count = moved.shape[1]
    square = (moved**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = count * (moved**4).sum(axis=1) / square**2 - 3
    excess = np.maximum(np.nan_to_num(excess), 0)
    return 2 / (excess / count + 2 / (count - 1))


def jackknife_methods(samples: list[Drawn]) -> dict[str, tuple[Reals, Reals]]:
    """Limits by everything that needs the left-out values alone."""
    values = np.array([s.values for s in samples])
    people = np.array([s.people for s in samples], float)
    value, moved = values[:, 0], values[:, 1:] - values[:, :1]
    error = np.sqrt((people - 1) / people * (moved**2).sum(axis=1))
    t = special.stdtrit(people - 1, 1 - TAIL)
    kurtosis = special.stdtrit(np.maximum(kurtosis_freedom(moved), 1), 1 - TAIL)
    with np.errstate(divide="ignore", invalid="ignore"):
        trials = value * (1 - value) / error**2
    reduced = trials * (Z / t) ** 2
    found = {
        "jackknife t": (value - t * error, value + t * error),
        "jackknife logit t": _logit(value, error, t),
        "jackknife logit kurt": _logit(value, error, kurtosis),
        "Korn-Graubard": _beta(value * reduced, reduced),
        "Korn-Graubard kurt": _beta(
            value * trials * (Z / kurtosis) ** 2, trials * (Z / kurtosis) ** 2
        ),
        "Jeffreys n_eff": _beta(value * reduced, reduced, 0.5),
        "Wilson n_eff": _score(value, trials, t),
    }
    found["logit or Wilson"] = (
        np.minimum(found["jackknife logit t"][0], found["Wilson n_eff"][0]),
        np.maximum(found["jackknife logit t"][1], found["Wilson n_eff"][1]),
    )
    border = ~((value > 0) & (value < 1) & (error > 0))
    bound = _beta(value * people, people)
    result = {
        name: tuple(np.where(border, b, v) for v, b in zip(pair, bound, strict=True))
        for name, pair in found.items()
    }
    chosen = [jackknife(float(s.values[0]), s.values[1:], people=s.people) for s in samples]
    result["chosen"] = tuple(np.array([[c.low, c.high] for c in chosen if c]).T)
    return result


def pairwise(drawn: Sample, value: float, name: str) -> dict[str, tuple[float, float]]:
    """Wilson's interval as if all pairs were independent."""
    mated = int(drawn.mated.sum())
    trials = {"fmr": len(drawn.mated) - mated}.get(name, mated)
    if name.startswith(("rank", "tpir")):
        trials = len(drawn.person) - drawn.people
    limits = wilson(value * trials, trials)
    return {"pairwise Wilson": (limits.low, limits.high)} if limits else {}


def dyadic_method(
    drawn: Sample, threshold: float, values: Reals, name: str
) -> dict[str, tuple[float, float]]:
    """Interval from the dyadic variance of an FMR: a pair of people is counted once.

    Fafchamps and Gubert 2007, eq. 2.6; Aronow, Samii and Assenova 2015, eq. 3.
    """
    if name != "fmr":
        return {}
    one, other = drawn.person[drawn.rows[:, ~drawn.mated]]
    accepted = drawn.cell[~drawn.mated] >= np.searchsorted(drawn.edges, threshold)
    people = drawn.people
    moved = np.bincount(one * people + other, accepted - accepted.mean(), people**2)
    moved = moved.reshape(people, people)
    moved = moved + moved.T
    shared = (moved.sum(axis=1) ** 2).sum() - (moved**2).sum() / 2
    error = np.sqrt(max(shared, 0) * people / (people - 1)) / len(one)
    t = float(special.stdtrit(people - 1, 1 - TAIL))
    limits = _logit(values[:1], np.array([error]), t)
    return {"dyadic logit t": (float(limits[0][0]), float(limits[1][0]))}


def bootstrap_methods(
    drawn: Sample, threshold: float, values: Reals, draws: Reals, weight: Reals, name: str
) -> dict[str, tuple[float, float]]:
    """Percentile and BCa limits, and studentised ones of an FNMR (Efron and Tibshirani 1993)."""
    draws, kept = draws[np.isfinite(draws)], np.isfinite(draws)
    low, high = np.quantile(draws, [TAIL, 1 - TAIL])
    found = {"percentile": (float(low), float(high))}
    moved = values[1:].mean() - values[1:]
    cube = (moved**2).sum() ** 1.5
    speed = (moved**3).sum() / (6 * cube) if cube > 0 else 0.0
    share = np.mean(draws < values[0]) + np.mean(draws == values[0]) / 2
    shift = special.ndtri(np.clip(share, 1 / len(draws), 1 - 1 / len(draws)))
    z = shift + np.array([-Z, Z])
    at = special.ndtr(shift + z / (1 - speed * z))
    low, high = np.quantile(draws, np.clip(at, 0, 1))
    found["BCa"] = (float(low), float(high))
    if name == "fnmr":
        found["studentised"] = _studentised(drawn, threshold, values[0], draws, weight[kept])
    return found


def _studentised(
    drawn: Sample, threshold: float, value: float, draws: Reals, weight: Reals
) -> tuple[float, float]:
    person = drawn.person[drawn.rows[0, drawn.mated]]
    wrong = drawn.cell[drawn.mated] < np.searchsorted(drawn.edges, threshold)
    errors = np.bincount(person, wrong, drawn.people)
    pairs = np.bincount(person, minlength=drawn.people)

    def error(weights: Reals, rate: Reals) -> Reals:
        return np.sqrt((weights * (errors - rate[:, None] * pairs) ** 2).sum(1)) / (weights @ pairs)

    scale = error(weight, draws)
    ratio = (draws - value)[scale > 0] / scale[scale > 0]
    if len(ratio) < len(draws) / 2:
        return float(draws.min()), float(draws.max())
    high, low = np.quantile(ratio, [TAIL, 1 - TAIL])
    own = error(np.ones((1, drawn.people)), np.array([value]))[0]
    return float(value - low * own), float(value - high * own)
