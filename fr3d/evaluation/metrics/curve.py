"""False positives against false negatives over all thresholds, ties and weights included.

A score is accepted when it is equal to the threshold or above it. Verification and open-set
identification are one curve over other scores: FMR and FNMR of pairs, FPIR and FNIR of searches.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
_SLACK = 1e-12  # a rate of 3/30 meets a target of 0.1


@dataclass(frozen=True)
class ScoreTable:
    """Mated and non-mated scores, sorted once so that reweighting them is cheap.

    Attributes:
        values: distinct scores, descending, shape (K,).
        mated: index into `values` of each mated score, shape (M,).
        nonmated: the same of each non-mated score, shape (N,).
    """

    values: Reals
    mated: npt.NDArray[np.intp]
    nonmated: npt.NDArray[np.intp]


@dataclass(frozen=True)
class ErrorCurve:
    """Error rates at falling thresholds; the first threshold is infinite and accepts nothing.

    Attributes:
        threshold: descending, shape (K+1,).
        false_positive: share of non-mated weight accepted, ascending; NaN without any.
        false_negative: share of mated weight rejected, descending; NaN without any.
        counted: whether the thresholds are edges of bins rather than scores. Between two edges
            nobody has counted.
    """

    threshold: Reals
    false_positive: Reals
    false_negative: Reals
    counted: bool = False


@dataclass(frozen=True)
class OperatingPoint:
    """Error rates at one threshold.

    Attributes:
        threshold: scores equal to it or above are accepted.
        false_positive: FMR or FPIR there.
        false_negative: FNMR or FNIR there.
    """

    threshold: float
    false_positive: float
    false_negative: float


def score_table(mated: npt.ArrayLike, nonmated: npt.ArrayLike) -> ScoreTable:
    """Sort scores.

    Args:
        mated: scores of comparisons with the same person, shape (M,); -inf for a failure.
        nonmated: scores of comparisons with another person, shape (N,).
    """
    scores = np.concatenate([np.ravel(mated), np.ravel(nonmated)]).astype(np.float64)
    if np.isnan(scores).any():
        raise ValueError("a score is NaN")
    ascending, index = np.unique(scores, return_inverse=True)
    index = len(ascending) - 1 - index.ravel()
    return ScoreTable(ascending[::-1], index[: np.size(mated)], index[np.size(mated) :])


def error_curve(
    scores: ScoreTable,
    mated_weight: npt.NDArray[Any] | None = None,
    nonmated_weight: npt.NDArray[Any] | None = None,
    *,
    mated_total: float | None = None,
) -> ErrorCurve:
    """Error rates at every distinct score.

    Args:
        scores: the sorted scores.
        mated_weight: weight of each mated score, one by default.
        nonmated_weight: weight of each non-mated score, one by default.
        mated_total: weight that all mated comparisons have together, if more than the scores':
            the rest never gets accepted (failures to acquire, a mate that is not at rank 1).
    """
    size = len(scores.values)
    accepted = _cumulated(scores.mated, mated_weight, size)
    alarms = _cumulated(scores.nonmated, nonmated_weight, size)
    total = accepted[-1] if mated_total is None else mated_total
    with np.errstate(invalid="ignore", divide="ignore"):
        false_negative = 1.0 - accepted / total if total else np.full(size + 1, np.nan)
        false_positive = alarms / alarms[-1] if alarms[-1] else np.full(size + 1, np.nan)
    return ErrorCurve(np.append(np.inf, scores.values), false_positive, false_negative)


def _cumulated(index: npt.NDArray[np.intp], weight: npt.NDArray[Any] | None, size: int) -> Reals:
    return np.append(0.0, np.cumsum(np.bincount(index, weights=weight, minlength=size)))


def at_rate(curve: ErrorCurve, rate: float) -> OperatingPoint:
    """The most permissive operating point whose false-positive rate does not exceed a target.

    The threshold lies half-way to the next lower score, which would exceed the target. Of counted
    scores it lies in the middle of the edges that accept the same pairs.

    Args:
        curve: error rates.
        rate: highest false-positive rate allowed.
    """
    allowed = np.flatnonzero(meets(curve.false_positive, rate))
    if not len(allowed):
        return OperatingPoint(float("nan"), float("nan"), float("nan"))
    i = int(allowed[-1])
    threshold = _alike(curve, i) if curve.counted else _between(curve.threshold, i)
    return OperatingPoint(threshold, float(curve.false_positive[i]), float(curve.false_negative[i]))


def meets(false_positive: Reals, rate: float) -> npt.NDArray[np.bool_]:
    """Which false-positive rates do not exceed a target, but for rounding."""
    return false_positive <= rate + _SLACK


def _alike(curve: ErrorCurve, last: int) -> float:
    """The middle of the edges where rates are as at the last of them."""
    if not last:  # nothing may be accepted: just above the highest bin
        width = curve.threshold[1] - curve.threshold[2] if len(curve.threshold) > 2 else 0.0
        return float(np.nextafter(np.float32(curve.threshold[1] + width), np.float32(np.inf)))
    same = (curve.false_positive == curve.false_positive[last]) & (
        curve.false_negative == curve.false_negative[last]
    )
    first = max(int(np.argmax(same)), 1)
    return float((curve.threshold[first] + curve.threshold[last]) / 2)


def _between(threshold: Reals, i: int) -> float:
    here = threshold[i]
    if i + 1 == len(threshold):
        return float(here)
    below = threshold[i + 1]
    if not np.isfinite(below):
        return float(here)
    if np.isinf(here):  # nothing may be accepted: just above the highest score
        return float(np.nextafter(np.float32(below), np.float32(np.inf)))
    middle = below + (here - below) / 2
    return float(middle if below < middle <= here else here)


def equal_error(curve: ErrorCurve) -> OperatingPoint:
    """Where both error rates are equal, interpolated between neighbouring thresholds.

    Within scores that tie, the interpolation is what deciding ties by lot would give.
    """
    gap = curve.false_positive - curve.false_negative
    if np.isnan(gap).any():
        return OperatingPoint(float("nan"), float("nan"), float("nan"))
    i = int(np.argmax(gap >= 0))
    step = -gap[i - 1] / (gap[i] - gap[i - 1])
    rise = curve.false_positive[i] - curve.false_positive[i - 1]
    rate = float(curve.false_positive[i - 1] + step * rise)
    return OperatingPoint(float(curve.threshold[i]), rate, rate)


def area(curve: ErrorCurve) -> float:
    """Area under the ROC curve: chance that a mated score beats a non-mated one, ties by lot."""
    return float(np.trapezoid(1.0 - curve.false_negative, curve.false_positive))
