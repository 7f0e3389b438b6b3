"""Figures of one-to-one comparison beyond the error curve."""

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.metrics.curve import area, error_curve, score_table


def auc(mated: npt.ArrayLike, nonmated: npt.ArrayLike) -> float:
    """Area under the ROC curve over all pairs (micro average).

    Args:
        mated: scores of pairs of one person.
        nonmated: scores of pairs of two people.
    """
    return area(error_curve(score_table(mated, nonmated)))


def person_aucs(
    mated: npt.NDArray[np.float64],
    mated_person: npt.NDArray[np.intp],
    nonmated: npt.NDArray[np.float64],
    nonmated_people: npt.NDArray[np.intp],
    people: int,
) -> npt.NDArray[np.float64]:
    """AUC of each person's own pairs; their mean is the macro AUC, in which all people count alike.

    Args:
        mated: scores, shape (M,).
        mated_person: whose pair it is, shape (M,).
        nonmated: scores, shape (N,).
        nonmated_people: the two people of each pair, shape (N, 2).
        people: how many people there are.

    Returns:
        Shape (people,); NaN for those without a mated or without a non-mated pair.
    """
    own = _grouped(mated, mated_person, people)
    twice = np.concatenate([nonmated, nonmated])
    other = _grouped(twice, nonmated_people.T.ravel(), people)
    return np.array(
        [auc(m, n) if len(m) and len(n) else np.nan for m, n in zip(own, other, strict=True)]
    )


def _grouped(
    scores: npt.NDArray[np.float64], person: npt.NDArray[np.intp], people: int
) -> list[npt.NDArray[np.float64]]:
    order = np.argsort(person, kind="stable")
    ends = np.cumsum(np.bincount(person, minlength=people))
    return np.split(scores[order], ends[:-1])


def d_prime(mated: npt.NDArray[np.float64], nonmated: npt.NDArray[np.float64]) -> float:
    """Distance of the two score means in units of their pooled standard deviation.

    Reference:
        Daugman, "Biometric decision landscapes", 2000.
    """
    spread = np.sqrt((np.var(mated) + np.var(nonmated)) / 2)
    return float((np.mean(mated) - np.mean(nonmated)) / spread) if spread > 0 else float("nan")


def identification_rate(
    positives: npt.ArrayLike, negatives: npt.ArrayLike, fpr: float
) -> tuple[float, float]:
    """True-positive rate where a share of the negatives lies above the threshold.

    The threshold is itself a negative score, the one at place int(fpr * n) from the top, so that up
    to one negative more than asked is accepted; `at_rate` never exceeds the rate.

    Args:
        positives: scores of pairs of one person.
        negatives: scores of pairs of two people, distractors included.
        fpr: false-positive rate.

    Returns:
        The threshold, and the share of positives at or above it.
    """
    descending = np.sort(np.ravel(negatives))[::-1]
    place = min(int(fpr * len(descending)), len(descending) - 1)
    threshold = float(descending[place])
    return threshold, float(np.mean(np.asarray(positives) >= threshold))
