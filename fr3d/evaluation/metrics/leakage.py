"""Leakage probe: how well a linear model reads an attribute from an embedding made for identity.

An embedding that was trained to forget an attribute still leaks it when a plain classifier, fitted
on the frozen embeddings of some people, finds it in those of others. Folds are of people: a probe
that has met a person recognises them, and would "read" any attribute that stays with a person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from fr3d.evaluation.metrics.attributes import log_odds
from fr3d.evaluation.metrics.logistic import (
    LinearModel,
    Shape,
    balanced_weights,
    cloud_shape,
    fit_logistic,
)

Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

STRENGTHS = (10.0, 1.0, 0.1, 0.01, 0.001)
"""Strengths of the penalty that are tried, from strong to weak."""

FOLDS = 5
_INNER_FOLDS = 3
_DEALINGS = 100
_ROUGH = 1e-3  # largest slope at which a fit ends that only helps to choose


class TooFewPeopleError(ValueError):
    """People with some class are too few to divide them over folds."""


@dataclass(frozen=True)
class Probe:
    """What the probe says of every item, each time by a model that has not met its person.

    Attributes:
        scores: log(p / (1 - p)) of each class, shape (N, C).
        fold: part of each item, shape (N,).
        strength: of the penalty in each fold's model, shape (folds,).
    """

    scores: Reals
    fold: Codes
    strength: Reals


def probe_leakage(
    embedding: npt.NDArray[Any],
    truth: Codes,
    person: Codes,
    *,
    seed: int,
    strengths: Sequence[float] = STRENGTHS,
) -> Probe:
    """Fit and apply the probe, cross-validated over people.

    Classes weigh alike however rare they are, and every dimension is scaled by its deviation among
    the training items. The strength of the penalty is chosen within the training people, by the
    class-balanced log-loss of people that an inner fit has not met.

    Args:
        embedding: shape (N, D).
        truth: class of each item, shape (N,), 0 to C - 1; every class on two people at least.
        person: of each item, shape (N,).
        seed: of the folds.
        strengths: to choose from, strong to weak; one of them is taken as it is.

    Raises:
        TooFewPeopleError: a class occurs on too few people to be there outside each fold.
    """
    exact = np.asarray(embedding, np.float64)
    classes = int(truth.max()) + 1
    fold = person_folds(truth, person, FOLDS, seed)
    shape = cloud_shape(_standardise(exact, exact)[0])
    scores = np.empty((len(truth), classes))
    chosen = []
    for k in range(fold.max() + 1):
        inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        known, asked = _standardise(exact[inside], exact[outside])
        strength = _choose(known, truth[inside], person[inside], classes, strengths, shape, seed)
        model = fit_logistic(known, truth[inside], classes, strength, shape=shape)
        scores[outside] = log_odds(model.logits(asked))
        chosen.append(strength)
    return Probe(scores, fold, np.array(chosen))


def _standardise(known: Reals, asked: Reals) -> tuple[Reals, Reals]:
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    scale = np.where(deviation > 1e-12, deviation, 1.0)
    return (known - mean) / scale, (asked - mean) / scale


def _choose(
    known: Reals,
    truth: Codes,
    person: Codes,
    classes: int,
    strengths: Sequence[float],
    shape: Shape,
    seed: int,
) -> float:
    """The strength with the lowest log-loss on people not met; weaker ones only while it falls."""
    if len(strengths) == 1:
        return strengths[0]
    try:
        fold = person_folds(truth, person, _INNER_FOLDS, seed)
    except TooFewPeopleError:  # too few people to choose with: rather too careful
        return strengths[0]
    parts = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(fold.max() + 1)]
    weight = balanced_weights(truth, classes)
    fits = [_path(known[inside], truth[inside], classes, strengths, shape) for inside, _ in parts]
    best, lowest = strengths[0], np.inf
    for strength in strengths:
        loss = 0.0
        for models, (_, outside) in zip(fits, parts, strict=True):
            logits = next(models).logits(known[outside])
            own = logits[np.arange(len(outside)), truth[outside]]
            loss += float(weight[outside] @ (logsumexp(logits, axis=1) - own))
        if loss >= lowest:
            break
        best, lowest = strength, loss
    return best


def _path(
    embedding: Reals, truth: Codes, classes: int, strengths: Sequence[float], shape: Shape
) -> Iterator[LinearModel]:
    """Fits of falling strength, each begun where the last one ended."""
    model = None
    for strength in strengths:
        model = fit_logistic(
            embedding, truth, classes, strength, shape=shape, start=model, close=_ROUGH
        )
        yield model


def person_folds(truth: Codes, person: Codes, folds: int, seed: int) -> Codes:
    """Divide people over folds so that each fold has its share of every class.

    People are dealt in turn, ordered by the class that they show most often (of equally frequent
    ones the rarer class) and within it by the rarest class that they show at all, else by lot.
    There are no more folds than people of the rarest class.

    Args:
        truth: class of each item, shape (N,).
        person: of each item, shape (N,).
        folds: how many at most.
        seed: of the lot.

    Returns:
        Fold of each item, shape (N,).

    Raises:
        TooFewPeopleError: no dealing was found that leaves every class outside each fold.
    """
    people, who = np.unique(person, return_inverse=True)
    shows = np.zeros((len(people), int(truth.max()) + 1), np.intp)
    np.add.at(shows, (who.ravel(), truth), 1)
    shows = shows[:, shows.any(axis=0)]
    holders = (shows > 0).sum(axis=0)
    shows = shows[:, np.argsort(holders, kind="stable")]  # the rarer first: it wins ties
    folds = int(min(folds, holders.min()))
    stratum = shows.argmax(axis=1) * shows.shape[1] + (shows > 0).argmax(axis=1)
    generator = np.random.default_rng(seed)
    for _ in range(_DEALINGS if folds > 1 else 0):
        order = generator.permutation(len(people))
        order = order[np.argsort(stratum[order], kind="stable")]
        dealt = np.empty(len(people), np.intp)
        dealt[order] = (np.arange(len(people)) + generator.integers(folds)) % folds
        inside = np.array([(shows[dealt == k] > 0).sum(axis=0) for k in range(folds)])
        if (holders - inside > 0).all():
            return dealt[who.ravel()]
    raise TooFewPeopleError("too few people show a class for it to occur outside each fold")
