"""Attributes of the tested sessions: what the embeddings give away, and what was predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.figures import Figure
from fr3d.evaluation.metrics.attributes import (
    Classified,
    class_figures,
    classified_by_scores,
    left_out_figures,
)
from fr3d.evaluation.metrics.intervals import jackknife, person_groups
from fr3d.evaluation.metrics.leakage import TooFewPeopleError, probe_leakage
from fr3d.evaluation.predictions import Prediction, classes_of

Codes = npt.NDArray[np.intp]
Reals = npt.NDArray[np.float64]

MOST_CLASSES = 20
FEWEST_PEOPLE = 2


@dataclass(frozen=True)
class AttributeFigures:
    """How well the classes of an attribute are told apart, with limits by people.

    Attributes:
        balanced_accuracy: mean recall of the classes; one over their number is chance.
        macro_f1: mean F1.
        auroc: from class scores; 0.5 is chance, NaN without scores.
        accuracy: to be held against the majority.
        confusion: sessions by true class (rows) and predicted class.
        left_out: each of these figures without each group of people (`person_groups`), shape (G,).
    """

    balanced_accuracy: Figure
    macro_f1: Figure
    auroc: Figure
    accuracy: Figure
    confusion: tuple[tuple[int, ...], ...]
    left_out: dict[str, Reals]


@dataclass(frozen=True)
class AttributeResult:
    """One attribute.

    Attributes:
        attribute: its name.
        classes: names of its classes, sorted: rows and columns of the confusion matrices.
        people: people of whom it is known.
        sessions: sessions of which it is known.
        unknown: sessions of which it is not; they are left out.
        majority: accuracy of always saying the most frequent class.
        probe: what a linear model reads from the embeddings of people whom it has not met; None
            where too few people show a class to divide them.
        predicted: what another program said; None without predictions.
    """

    attribute: str
    classes: tuple[str, ...]
    people: int
    sessions: int
    unknown: int
    majority: float
    probe: AttributeFigures | None
    predicted: AttributeFigures | None


@dataclass(frozen=True)
class AttributeResults:
    """All attributes that can be measured, and in words why others cannot."""

    results: tuple[AttributeResult, ...]
    notes: tuple[str, ...]


def measure_attributes(
    attributes: Mapping[str, Sequence[str]],
    unit: npt.NDArray[np.floating],
    person: Codes,
    predictions: Mapping[str, Prediction] | None = None,
    *,
    seed: int,
) -> AttributeResults:
    """Measure the leakage probe and the predictions of every attribute.

    The intervals say how the figures scatter with the people who are tested; the fitted models are
    taken as they are.

    Args:
        attributes: by name the class of each session, N texts, empty where it is unknown.
        unit: embeddings of unit length, shape (N, D).
        person: of each session, shape (N,).
        predictions: by attribute, as `read_predictions` returns them.
        seed: of the folds of the probe.
    """
    results, notes = [], []
    for name, values in attributes.items():
        if reason := _unfit(values, person):
            notes.append(f"attribute '{name}' is not measured: {reason}")
            continue
        result = _measure(name, values, unit, person, (predictions or {}).get(name), seed)
        results.append(result)
        if result.probe is None:
            notes.append(
                f"attribute '{name}' is not probed: too few people show a class to divide them"
            )
    return AttributeResults(tuple(results), tuple(notes))


def _unfit(values: Sequence[str], person: Codes) -> str:
    """Why an attribute cannot be measured; empty when it can."""
    classes = classes_of(values)
    if not classes:
        return "it is known of nobody"
    if len(classes) == 1:
        return f"it is '{classes[0]}' everywhere"
    if len(classes) > MOST_CLASSES:
        return f"it has {len(classes)} values, more than {MOST_CLASSES}"
    people = _people_of_classes(np.asarray(values, object), person, classes)
    few = [value for value, count in zip(classes, people, strict=True) if count < FEWEST_PEOPLE]
    if few:
        more = f" and {len(few) - 1} other values have" if len(few) > 1 else " has"
        return f"'{few[0]}'{more} fewer than {FEWEST_PEOPLE} people"
    return ""


def _people_of_classes(
    values: npt.NDArray[np.object_] | Codes, person: Codes, classes: Sequence[object]
) -> list[int]:
    return [len(np.unique(person[values == value])) for value in classes]


def _measure(
    name: str,
    values: Sequence[str],
    unit: npt.NDArray[np.floating],
    person: Codes,
    prediction: Prediction | None,
    seed: int,
) -> AttributeResult:
    classes = classes_of(values)
    rows = np.array([row for row, value in enumerate(values) if value], np.intp)
    code = {value: i for i, value in enumerate(classes)}
    truth = np.array([code[value] for value in values if value], np.intp)
    who = np.unique(person[rows], return_inverse=True)[1].ravel()
    try:
        probe = probe_leakage(unit[rows], truth, who, seed=seed)
        probed = figures_by_people(classified_by_scores(truth, probe.scores), who)
    except TooFewPeopleError:
        probed = None
    predicted = None
    if prediction is not None:
        among = np.unique(person[prediction.rows], return_inverse=True)[1].ravel()
        predicted = figures_by_people(prediction.classified, among)
    return AttributeResult(
        attribute=name,
        classes=classes,
        people=int(who.max()) + 1,
        sessions=len(rows),
        unknown=len(values) - len(rows),
        majority=float(np.bincount(truth).max() / len(truth)),
        probe=probed,
        predicted=predicted,
    )


def figures_by_people(classified: Classified, person: Codes) -> AttributeFigures:
    """Figures of a classification with intervals by people.

    Args:
        classified: truth and predictions of N sessions.
        person: of each, shape (N,), 0 to people - 1.
    """
    value = class_figures(classified)
    people = int(person.max()) + 1
    left_out = left_out_figures(classified, person_groups(people)[person])
    alike = _people_alike(classified.truth, person, people)

    def figure(name: str, behind: int) -> Figure:
        found = jackknife(getattr(value, name), left_out[name], people=behind)
        limits = (found.low, found.high) if found else ()
        return Figure(getattr(value, name), *limits)

    return AttributeFigures(
        balanced_accuracy=figure("balanced_accuracy", alike),
        macro_f1=figure("macro_f1", alike),
        auroc=figure("auroc", alike),
        accuracy=figure("accuracy", people),
        confusion=tuple(tuple(int(n) for n in row) for row in value.confusion),
        left_out=left_out,
    )


def _people_alike(truth: Codes, person: Codes, people: int) -> int:
    """How many people, evenly spread over the classes, would know a mean over classes as well.

    The variance of a mean of C recalls is sum(1 / n_c) / C^2 times that of a single answer.
    """
    classes = np.unique(truth)
    counts = np.array(_people_of_classes(truth, person, classes.tolist()))
    return min(people, int(len(classes) ** 2 / (1 / counts).sum()))
