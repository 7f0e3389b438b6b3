"""Attributes as another program predicted them: a CSV of class scores, matched to the truth.

One row a session. A column `attribute=class` holds the score of that class (a probability or a
logit, higher is surer), one column per class; a plain column `attribute` holds the predicted class.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from fr3d.artifacts.tables import read_table
from fr3d.errors import MalformedInputError
from fr3d.evaluation.metrics.attributes import (
    Classified,
    classified_by_labels,
    classified_by_scores,
    log_odds,
)

Codes = npt.NDArray[np.intp]

_ROUNDED = 0.02  # so far from 1 may the sum of probabilities with few digits lie


@dataclass(frozen=True)
class Prediction:
    """What was predicted of one attribute, for the sessions of which the truth is known.

    Attributes:
        classes: names of the classes, sorted.
        rows: places of these sessions among all that were asked for, shape (M,).
        classified: truth and prediction of each of the M.
        unknown: sessions left out because their truth is not known.
    """

    classes: tuple[str, ...]
    rows: Codes
    classified: Classified
    unknown: int


def read_predictions(
    path: Path,
    subject_id: Sequence[str],
    session_id: Sequence[str],
    attributes: Mapping[str, Sequence[str]],
) -> dict[str, Prediction]:
    """Read predictions and match them to the truth by session.

    Rows of other sessions and columns that are no attribute are passed over. Scores of which every
    row sums to 1 are probabilities; others are logits.

    Args:
        path: the CSV file.
        subject_id: subject of each session that is tested, N of them.
        session_id: session of each.
        attributes: by name the true class of each session, N texts, empty where it is unknown.

    Returns:
        By attribute, in the order of `attributes`, those that the file predicts.

    Raises:
        MissingInputError: no such file.
        MalformedInputError: no CSV; a session of the truth is not in it or twice; a class that the
            truth does not hold, or one without a column; a score that is no finite number.
    """
    table = read_table(path)
    by_scores = _score_columns(path, table, attributes)
    by_name = [name for name in attributes if name in table.columns]
    for name in by_name:
        if name in by_scores:
            raise MalformedInputError(
                f"{path}: columns '{name}' and '{name}={by_scores[name][0]}' for one attribute",
                "keep the predicted class, or the scores of all classes",
            )
    if not by_name and not by_scores:
        raise MalformedInputError(
            f"{path}: predicts none of {', '.join(attributes) or 'no attributes'}",
            "expected columns attribute=class with scores, or attribute with a class",
        )
    place = _match(path, table, subject_id, session_id)
    found = {}
    for name, values in attributes.items():
        if name not in by_scores and name not in by_name:
            continue
        classes = classes_of(values)
        if not classes:
            continue
        rows = np.array([row for row, value in enumerate(values) if value], np.intp)
        truth = np.array([classes.index(value) for value in values if value], np.intp)
        asked = table.iloc[place[rows]]
        classified = (
            _by_scores(path, asked, name, classes, by_scores[name], truth)
            if name in by_scores
            else _by_class(path, asked, name, classes, truth)
        )
        found[name] = Prediction(classes, rows, classified, len(values) - len(rows))
    return found


def classes_of(values: Sequence[str]) -> tuple[str, ...]:
    """The known classes of an attribute, sorted."""
    return tuple(sorted(set(values) - {""}))


def _score_columns(
    path: Path, table: pd.DataFrame, attributes: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Classes that have a column of scores, by attribute."""
    found: dict[str, list[str]] = {}
    for column in table.columns:
        name, sign, value = column.partition("=")
        if not sign:
            continue
        if name not in attributes:
            raise MalformedInputError(
                f"{path}: column '{column}': no attribute '{name}', found {_list(attributes)}",
                "name columns attribute=class as the attributes of the sessions are named",
            )
        found.setdefault(name, []).append(value)
    return found


def _match(
    path: Path, table: pd.DataFrame, subject_id: Sequence[str], session_id: Sequence[str]
) -> Codes:
    """Row of the table of each session."""
    place: dict[tuple[str, str], int] = {}
    for row, key in enumerate(zip(table["subject_id"], table["session_id"], strict=True)):
        if key in place:
            raise MalformedInputError(
                f"{path}: line {row + 2}: {'/'.join(key)} stands in line {place[key] + 2} already",
                "give each session one row",
            )
        place[key] = row
    keys = list(zip(subject_id, session_id, strict=True))
    lost = [key for key in keys if key not in place]
    if lost:
        raise MalformedInputError(
            f"{path}: no row for {len(lost)} of {len(keys)} sessions, first {'/'.join(lost[0])}; "
            f"found {len(place)} rows{_first(place)}",
            "subject_id and session_id must be those of the embeddings",
        )
    return np.array([place[key] for key in keys], np.intp)


def _first(place: Mapping[tuple[str, str], int]) -> str:
    return f", first {'/'.join(next(iter(place)))}" if place else ""


def _by_scores(
    path: Path,
    asked: pd.DataFrame,
    name: str,
    classes: tuple[str, ...],
    given: Sequence[str],
    truth: Codes,
) -> Classified:
    for value in given:
        if value not in classes:
            raise _strange(path, f"column '{name}={value}'", name, value, classes)
    for value in classes:
        if value not in given:
            found = _list([f"{name}={v}" for v in given])
            raise MalformedInputError(
                f"{path}: no column '{name}={value}', found {found}",
                "scores are needed of every class",
            )
    columns = [_numbers(path, asked, f"{name}={value}") for value in classes]
    scores = np.stack(columns, axis=1)
    if len(classes) > 1 and not _probabilities(scores):
        scores = log_odds(scores)
    return classified_by_scores(truth, scores)


def _numbers(path: Path, asked: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    numbers = pd.to_numeric(asked[column], errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        line = int(asked.index[wrong[0]]) + 2
        text = str(asked[column].iloc[wrong[0]])
        more = f" and in {len(wrong) - 1} more rows" if len(wrong) > 1 else ""
        raise MalformedInputError(
            f"{path}: line {line}{more}: {column} is '{text[:40]}', expected a number",
            "a probability or a logit for every session whose true class is known",
        )
    return numbers


def _probabilities(scores: npt.NDArray[np.float64]) -> bool:
    sums = scores.sum(axis=1)
    return bool((scores >= 0).all() and (np.abs(sums - 1) <= _ROUNDED).all())


def _by_class(
    path: Path, asked: pd.DataFrame, name: str, classes: tuple[str, ...], truth: Codes
) -> Classified:
    code = {value: i for i, value in enumerate(classes)}
    for line, value in zip(asked.index, asked[name], strict=True):
        if value not in code:
            raise _strange(path, f"line {int(line) + 2}", name, value, classes)
    return classified_by_labels(truth, [code[value] for value in asked[name]], len(classes))


def _strange(
    path: Path, where: str, name: str, value: str, classes: tuple[str, ...]
) -> MalformedInputError:
    return MalformedInputError(
        f"{path}: {where}: {name} '{value[:40]}' is no class of the truth, "
        f"expected one of {_list(classes)}",
        "predictions and truth must name classes alike",
    )


def _list(names: Iterable[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= 120 else text[:117] + "..."
