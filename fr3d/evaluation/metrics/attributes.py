"""How well classes are told apart: rates from the confusion matrix, AUROC from class scores.

The truth is never part of a score. A score of "how sure was the model of the true class" against
"was it right" is 1 for every model with two classes, a coin flip included: being right *is* having
given the true class more than half.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

RATES = ("balanced_accuracy", "macro_f1", "auroc", "accuracy")


@dataclass(frozen=True)
class Classified:
    """True classes and what a model says of them.

    Attributes:
        truth: class of each item, shape (N,), below `classes`.
        predicted: class with the highest score, shape (N,); of equal scores the first class.
        scores: class scores, shape (N, C), higher is surer; None when only a class was predicted.
        classes: number of classes C, those that do not occur included.
    """

    truth: Codes
    predicted: Codes
    scores: Reals | None
    classes: int


@dataclass(frozen=True)
class ClassFigures:
    """Figures of a classification.

    Attributes:
        balanced_accuracy: mean recall over the classes that occur; always saying the same class
            gives one over their number.
        macro_f1: mean F1 over the classes that occur or are predicted.
        auroc: chance that an item of a class gets a higher score for it than one of another class,
            ties by lot. Two classes: of the second one's scores. More: mean over the classes, each
            against the rest, that have both. NaN without scores or with one class only.
        accuracy: share of items whose class is predicted.
        majority: accuracy of always saying the most frequent class.
        confusion: items by true class (rows) and predicted class, shape (C, C).
    """

    balanced_accuracy: float
    macro_f1: float
    auroc: float
    accuracy: float
    majority: float
    confusion: Codes


def classified_by_scores(truth: npt.ArrayLike, scores: npt.ArrayLike) -> Classified:
    """Take class scores.

    Args:
        truth: class of each item, shape (N,).
        scores: of each item and class, shape (N, C): probabilities, or other numbers of which those
            of one class can be compared between items (`log_odds` makes them of logits).

    Raises:
        ValueError: shapes do not fit, a class is not below C, no items, or a score is NaN.
    """
    exact = np.asarray(scores, np.float64)
    if exact.ndim != 2:
        raise ValueError(f"scores have shape {exact.shape}, expected (items, classes)")
    if np.isnan(exact).any():
        raise ValueError("a score is NaN")
    classes = exact.shape[1]
    known = _codes(truth, classes, "truth")
    if len(known) != len(exact):
        raise ValueError(f"{len(known)} true classes and {len(exact)} rows of scores")
    return Classified(known, exact.argmax(axis=1), exact, classes)


def classified_by_labels(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, classes: int
) -> Classified:
    """Take predicted classes without scores.

    Args:
        truth: class of each item, shape (N,).
        predicted: predicted class of each, shape (N,).
        classes: number of classes.

    Raises:
        ValueError: shapes do not fit, a class is not below `classes`, or no items.
    """
    known, said = _codes(truth, classes, "truth"), _codes(predicted, classes, "predicted")
    if len(known) != len(said):
        raise ValueError(f"{len(known)} true classes and {len(said)} predicted ones")
    return Classified(known, said, None, classes)


def _codes(values: npt.ArrayLike, classes: int, name: str) -> Codes:
    given = np.asarray(values)
    if given.ndim != 1 or not len(given):
        raise ValueError(f"{name} has shape {given.shape}, expected (items,)")
    codes = given.astype(np.intp)
    if (codes != given).any() or codes.min() < 0 or codes.max() >= classes:
        raise ValueError(f"{name} holds a class that is not a whole number from 0 to {classes - 1}")
    return codes


def log_odds(logits: npt.NDArray[Any]) -> Reals:
    """Logits as log(p / (1 - p)) of each class, which do not run into 0 and 1 as p does.

    The logits of one class cannot be compared between items: a constant added to all logits of an
    item changes no probability.

    Args:
        logits: shape (N, C), two classes at least.
    """
    exact = np.asarray(logits, np.float64)
    rest = np.empty_like(exact)
    for k in range(exact.shape[1]):
        others = np.delete(exact, k, axis=1)
        top = others.max(axis=1)
        rest[:, k] = top + np.log(np.exp(others - top[:, None]).sum(axis=1))
    return exact - rest


def class_figures(classified: Classified) -> ClassFigures:
    """All figures of a classification.

    Args:
        classified: truth and predictions.
    """
    together = np.zeros(len(classified.truth), np.intp)
    confusion = _confusion(classified, together, 1)
    rates = {name: float(value[0]) for name, value in _rates(confusion).items()}
    truth = confusion[0].sum(axis=1)
    auroc = float(_auroc(classified, np.full(len(together), -1), 1)[0])
    return ClassFigures(
        **rates, auroc=auroc, majority=float(truth.max() / truth.sum()), confusion=confusion[0]
    )


def left_out_figures(classified: Classified, group: Codes) -> dict[str, Reals]:
    """The rates without each group of people.

    Args:
        classified: truth and predictions.
        group: group of each item, shape (N,), 0 to G - 1.

    Returns:
        By name (`RATES`) the values without each group, shape (G,); NaN where nothing is left.
    """
    groups = int(group.max()) + 1
    inside = _confusion(classified, group, groups)
    return {
        **_rates(inside.sum(axis=0) - inside),
        "auroc": _auroc(classified, group, groups),
    }


def _confusion(classified: Classified, group: Codes, groups: int) -> Codes:
    """Counts by group, true and predicted class, shape (G, C, C)."""
    size = classified.classes
    cell = (group * size + classified.truth) * size + classified.predicted
    return np.bincount(cell, minlength=groups * size**2).reshape(groups, size, size)


def _rates(confusion: Codes) -> dict[str, Reals]:
    right = np.diagonal(confusion, axis1=1, axis2=2)
    truth, said = confusion.sum(axis=2), confusion.sum(axis=1)
    return {
        "balanced_accuracy": _mean_of_ratios(right, truth),
        "macro_f1": _mean_of_ratios(2 * right, truth + said),
        "accuracy": _mean_of_ratios(right.sum(axis=1)[:, None], truth.sum(axis=1)[:, None]),
    }


def _mean_of_ratios(above: npt.NDArray[Any], below: npt.NDArray[Any]) -> Reals:
    """Mean over the last axis where there is something below the line; NaN without any."""
    ratio = np.divide(above, below, out=np.zeros(below.shape), where=below > 0)
    count = (below > 0).sum(axis=-1)
    return np.divide(ratio.sum(axis=-1), count, out=np.full(len(count), np.nan), where=count > 0)


def _auroc(classified: Classified, group: Codes, groups: int) -> Reals:
    """AUROC without each group (-1 for items that are always in), shape (G,)."""
    if classified.scores is None:
        return np.full(groups, np.nan)
    which = [1] if classified.classes == 2 else range(classified.classes)
    wins, pairs = np.transpose(
        [
            _wins_without(classified.scores[:, k], classified.truth == k, group, groups)
            for k in which
        ],
        (1, 2, 0),
    )
    return _mean_of_ratios(wins, pairs)


def _wins_without(
    score: Reals, positive: npt.NDArray[np.bool_], group: Codes, groups: int
) -> tuple[Reals, Reals]:
    """Won pairs (ties count half) and all pairs of a positive and a negative item.

    Without a group, the pairs of its positives with all negatives go, and those of its negatives
    with all positives; pairs within it went twice and come back once.
    """
    rank = np.unique(score, return_inverse=True)[1].ravel()
    above = np.bincount(rank, weights=positive)
    below = np.bincount(rank, weights=~positive)
    beaten = np.cumsum(below) - below / 2
    beating = above.sum() - np.cumsum(above) + above / 2
    own = np.where(positive, beaten[rank], beating[rank])
    inside = group >= 0
    gone = np.bincount(group[inside], weights=own[inside], minlength=groups)
    twice = _wins_within(rank[inside], positive[inside], group[inside], groups)
    ups = positive.sum() - np.bincount(group[inside], weights=positive[inside], minlength=groups)
    downs = (~positive).sum() - np.bincount(
        group[inside], weights=~positive[inside], minlength=groups
    )
    return beaten @ above - gone + twice, ups * downs


def _wins_within(rank: Codes, positive: npt.NDArray[np.bool_], group: Codes, groups: int) -> Reals:
    """Won pairs whose two items are in one group, by group."""
    cells, place = np.unique(group * (rank.max(initial=0) + 1) + rank, return_inverse=True)
    above = np.bincount(place.ravel(), weights=positive, minlength=len(cells))
    below = np.bincount(place.ravel(), weights=~positive, minlength=len(cells))
    of = cells // (rank.max(initial=0) + 1)
    before = np.append(0.0, np.cumsum(below))
    start = before[np.searchsorted(of, of)]  # negatives of the groups that come earlier
    won: Reals = np.bincount(
        of, weights=above * (before[:-1] - start + below / 2), minlength=groups
    ).astype(np.float64)
    return won
