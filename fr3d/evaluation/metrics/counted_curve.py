"""Error curves and figures from counts of scores, on everybody and without each group of people."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.metrics.curve import ErrorCurve, area, at_rate, equal_error, meets
from fr3d.evaluation.metrics.scoring import Scored

Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
_CHUNK = 1 << 19  # counts at a time


def counted_curve(scored: Scored) -> ErrorCurve:
    """Error rates at the lower edge of each bin, where they are exactly what was counted.

    Args:
        scored: counts.

    Returns:
        A curve of B+1 points; `at_rate` keeps its thresholds where the counts are true.
    """
    false_positive, false_negative = _rates(scored.mated_total, scored.nonmated_total)
    threshold = np.append(np.inf, scored.edges[:-1][::-1])
    return ErrorCurve(threshold, false_positive, false_negative, counted=True)


def _rates(mated: Counts, nonmated: Counts) -> tuple[Reals, Reals]:
    """False-positive and false-negative rates at falling thresholds, (.., B) to (.., B+1)."""
    accepted, alarms = _cumulated(mated), _cumulated(nonmated)
    with np.errstate(invalid="ignore"):
        return alarms / alarms[..., -1:], 1.0 - accepted / accepted[..., -1:]


def _cumulated(counts: Counts) -> Counts:
    first = np.zeros((*counts.shape[:-1], 1), np.int64)
    return np.concatenate([first, np.cumsum(counts[..., ::-1], axis=-1)], axis=-1)


def counted_figures(scored: Scored, fmr: Sequence[float]) -> dict[str, float]:
    """AUC, EER and the true-positive rate at each false-match rate, on everybody.

    Pairs in one bin tie: the AUC is off by at most half the share of pairs of a mated and a
    non-mated score that share a bin.

    Args:
        scored: counts.
        fmr: highest false-match rates allowed.

    Returns:
        `auc`, `eer`, `tpr@{rate}`; NaN without mated or without non-mated pairs.
    """
    curve = counted_curve(scored)
    rates = {f"tpr@{rate}": 1 - at_rate(curve, rate).false_negative for rate in fmr}
    return {"auc": area(curve), "eer": equal_error(curve).false_positive, **rates}


def left_out_figures(scored: Scored, fmr: Sequence[float]) -> dict[str, Reals]:
    """The figures of `counted_figures` without the people of each group in turn.

    Args:
        scored: counts; those without a group are the total less its row.
        fmr: highest false-match rates allowed.

    Returns:
        Shape (G,) each.
    """
    groups, bins = scored.mated.shape
    names = ["auc", "eer", *(f"tpr@{rate}" for rate in fmr)]
    figures = {name: np.full(groups, np.nan) for name in names}
    step = max(1, _CHUNK // bins)
    for start in range(0, groups, step):
        part = slice(start, start + step)
        false_positive, false_negative = _rates(
            scored.mated_total - scored.mated[part], scored.nonmated_total - scored.nonmated[part]
        )
        figures["auc"][part] = np.trapezoid(1.0 - false_negative, false_positive, axis=1)
        figures["eer"][part] = _equal_errors(false_positive, false_negative)
        for rate in fmr:
            figures[f"tpr@{rate}"][part] = _true_positives(false_positive, false_negative, rate)
    return figures


def _equal_errors(false_positive: Reals, false_negative: Reals) -> Reals:
    """`equal_error` of each row, (G, B+1) to (G,)."""
    gap = false_positive - false_negative
    known = ~np.isnan(gap[:, -1])
    rows = np.flatnonzero(known)
    i = np.argmax(gap[rows] >= 0, axis=1)
    before, after = gap[rows, i - 1], gap[rows, i]
    here, there = false_positive[rows, i - 1], false_positive[rows, i]
    found = np.full(len(gap), np.nan)
    found[rows] = here - before / (after - before) * (there - here)
    return found


def _true_positives(false_positive: Reals, false_negative: Reals, rate: float) -> Reals:
    """One less the false-negative rate at the most permissive point within a rate, (G,)."""
    allowed = meets(false_positive, rate).sum(axis=1)
    i = np.maximum(allowed - 1, 0)[:, None]
    found = 1.0 - np.take_along_axis(false_negative, i, axis=1)[:, 0]
    return np.where(allowed > 0, found, np.nan)


def group_aucs(scored: Scored) -> Reals:
    """AUC of the pairs that touch each group, shape (G,); NaN without both kinds of pairs.

    With one person a group, their mean is the macro AUC, in which all people count alike.

    Args:
        scored: counts.
    """
    step = max(1, _CHUNK // scored.mated.shape[1])
    found = np.empty(len(scored.mated))
    for start in range(0, len(found), step):
        part = slice(start, start + step)
        false_positive, false_negative = _rates(scored.mated[part], scored.nonmated[part])
        found[part] = np.trapezoid(1.0 - false_negative, false_positive, axis=1)
    return found


def counted_d_prime(scored: Scored) -> float:
    """Distance of the two score means in units of their pooled standard deviation.

    All scores of a bin are taken for its middle.

    Args:
        scored: counts.

    Reference:
        Daugman, "Biometric decision landscapes", 2000.
    """
    middle = (scored.edges[:-1] + scored.edges[1:]) / 2
    if not (scored.mated_count and scored.nonmated_count):
        return float("nan")
    means, spreads = [], []
    for counts in (scored.mated_total, scored.nonmated_total):
        share = counts / counts.sum()
        means.append(float(middle @ share))
        spreads.append(float((middle - means[-1]) ** 2 @ share))
    spread = np.sqrt(sum(spreads) / 2)
    return float((means[0] - means[1]) / spread) if spread > 0 else float("nan")


def coarse_histogram(scored: Scored, bins: int) -> tuple[Reals, Reals, Reals]:
    """Shares of both kinds of score in wider bins that span all scores.

    Args:
        scored: counts.
        bins: how many there are to be.

    Returns:
        Edges (bins+1,), shares of the mated and of the non-mated pairs (bins,), zero without any.
        A fine bin goes where its middle lies.
    """
    used = np.flatnonzero(scored.mated_total + scored.nonmated_total)
    low = scored.edges[used[0]] if len(used) else -1.0
    high = scored.edges[used[-1] + 1] if len(used) else 1.0
    edges = np.linspace(low, high, bins + 1)
    middle = (scored.edges[:-1] + scored.edges[1:]) / 2
    mated, nonmated = (
        np.histogram(middle, edges, weights=counts / max(int(counts.sum()), 1))[0]
        for counts in (scored.mated_total, scored.nonmated_total)
    )
    return edges, mated, nonmated
