"""Verification figures of a trial: all pairs of sessions."""

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.figures import Figure, Histogram, RatePoint, ScorePair, Verification
from fr3d.evaluation.metrics.curve import (
    ErrorCurve,
    area,
    at_rate,
    equal_error,
    error_curve,
    score_table,
)
from fr3d.evaluation.metrics.intervals import Interval, bootstrap, resolvable, smallest_fmr
from fr3d.evaluation.metrics.pairs import Pairs, all_pairs
from fr3d.evaluation.metrics.verification import d_prime, person_aucs
from fr3d.evaluation.settings import Settings
from fr3d.evaluation.trial import Trial

_BINS = 60
_WORST = 10


def figure(name: str, value: float, intervals: dict[str, Interval]) -> Figure:
    """A value beside its interval, if there is one."""
    limits = intervals.get(name)
    return Figure(value, limits.low, limits.high) if limits else Figure(value)


def verify(trial: Trial, settings: Settings) -> Verification:
    """Compare every two sessions of the partition.

    Args:
        trial: what is tested.
        settings: rates, number of resamplings, seed.
    """
    person = trial.codes(trial.subject_id)
    pairs = all_pairs(trial.unit, person, settings.max_pairs, settings.seed)
    mated, nonmated = pairs.score[pairs.mated], pairs.score[~pairs.mated]
    own, others = person[pairs.rows[pairs.mated, 0]], person[pairs.rows[~pairs.mated]]
    per_person = person_aucs(mated, own, nonmated, others, len(trial.people))
    curve = error_curve(score_table(mated, nonmated))
    every = _summary(curve, settings) | {
        "auc_macro": _weighted_mean(per_person, np.ones(len(per_person)))
    }
    intervals = _intervals(pairs, person, per_person, settings)
    people = len(set(trial.subject_id))
    points = [
        RatePoint(
            target=rate,
            resolvable=resolvable(rate, smallest_fmr(people)),
            smallest=smallest_fmr(people),
            threshold=(point := at_rate(curve, rate)).threshold,
            false_positive=Figure(point.false_positive),
            true_positive=figure(f"tpr@{rate}", every[f"tpr@{rate}"], intervals),
        )
        for rate in settings.fmr
    ]
    return Verification(
        people=people,
        mated=len(mated),
        nonmated=len(nonmated),
        sampled=pairs.sampled,
        auc=figure("auc", every["auc"], intervals),
        auc_macro=figure("auc_macro", every["auc_macro"], intervals),
        eer=figure("eer", every["eer"], intervals),
        eer_threshold=equal_error(curve).threshold,
        d_prime=Figure(d_prime(mated, nonmated) if len(mated) else float("nan")),
        points=tuple(points),
        curve=curve,
        histogram=histogram(mated, nonmated),
        closest_strangers=_worst(trial, pairs, mated=False),
        farthest_mates=_worst(trial, pairs, mated=True),
    )


def _summary(curve: ErrorCurve, settings: Settings) -> dict[str, float]:
    found = {f"tpr@{rate}": 1 - at_rate(curve, rate).false_negative for rate in settings.fmr}
    return {"auc": area(curve), "eer": equal_error(curve).false_positive, **found}


def _intervals(
    pairs: Pairs,
    person: npt.NDArray[np.intp],
    per_person: npt.NDArray[np.float64],
    settings: Settings,
) -> dict[str, Interval]:
    """Limits from drawing people; a pair counts as often as both its people were drawn."""
    generator = np.random.default_rng(settings.seed)
    same = _some(np.flatnonzero(pairs.mated), settings.bootstrap_pairs, generator)
    other = _some(np.flatnonzero(~pairs.mated), settings.bootstrap_pairs, generator)
    own, (one, two) = person[pairs.rows[same, 0]], person[pairs.rows[other]].T
    scores = score_table(pairs.score[same], pairs.score[other])

    def statistic(weight: npt.NDArray[np.float64]) -> dict[str, float]:
        curve = error_curve(scores, weight[own], weight[one] * weight[two])
        macro = _weighted_mean(per_person, weight)
        return _summary(curve, settings) | {"auc_macro": macro}

    groups = np.zeros(len(per_person), dtype=np.intp)
    return bootstrap(groups, statistic, repeats=settings.bootstrap, seed=settings.seed)


def _some(
    which: npt.NDArray[np.intp], limit: int, generator: np.random.Generator
) -> npt.NDArray[np.intp]:
    if len(which) <= limit:
        return which
    return np.sort(generator.choice(which, limit, replace=False))


def _weighted_mean(values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]) -> float:
    known = np.isfinite(values)
    total = weight[known].sum()
    return float(values[known] @ weight[known] / total) if total else float("nan")


def histogram(mated: npt.NDArray[np.float64], nonmated: npt.NDArray[np.float64]) -> Histogram:
    """Shares of both kinds of score in bins that span them all.

    Args:
        mated: scores of pairs of one person.
        nonmated: scores of pairs of two people.
    """
    both = np.concatenate([mated, nonmated])
    low, high = float(both.min()), float(both.max())
    edges = np.linspace(low, high if high > low else low + 1e-6, _BINS + 1)
    counts = [np.histogram(scores, edges)[0] / max(len(scores), 1) for scores in (mated, nonmated)]
    return Histogram(tuple(edges.tolist()), tuple(counts[0].tolist()), tuple(counts[1].tolist()))


def _worst(trial: Trial, pairs: Pairs, *, mated: bool) -> tuple[ScorePair, ...]:
    """The mated pairs with the lowest, or the non-mated ones with the highest scores."""
    kind = np.flatnonzero(pairs.mated == mated)
    order = np.argsort(pairs.score[kind] if mated else -pairs.score[kind], kind="stable")
    names = [f"{s}/{t}" for s, t in zip(trial.subject_id, trial.session_id, strict=True)]
    return tuple(
        ScorePair(names[pairs.rows[i, 0]], names[pairs.rows[i, 1]], float(pairs.score[i]))
        for i in kind[order[:_WORST]]
    )
