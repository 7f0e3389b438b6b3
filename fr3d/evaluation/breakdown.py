"""Outcomes by the value of an attribute, each with its interval; small cells are not shown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.figures import Figure
from fr3d.evaluation.metrics.intervals import jackknife, person_groups

Codes = npt.NDArray[np.intp]
Reals = npt.NDArray[np.float64]

LEAST = 30
"""Fewer items than this are not shown: a rate of so few says next to nothing."""

UNKNOWN = "unknown"
BINS = 4
_MOST_NUMBERS = 8
_MOST_HIDDEN = 20
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Cell:
    """The items with one value of an attribute.

    Attributes:
        value: the value, or `unknown`.
        people: distinct people of the items.
        items: how many there are.
        figures: mean of each outcome; None where it applies to fewer than 30 items.
        counts: items that each outcome applies to.
    """

    value: str
    people: int
    items: int
    figures: dict[str, Figure | None]
    counts: dict[str, int]


@dataclass(frozen=True)
class Breakdown:
    """Outcomes by the values of an attribute.

    Attributes:
        attribute: its name.
        cells: values with 30 items at least; numbers in their order, the unknown last.
        hidden: items of each value with fewer; the rarest of many values are one entry.
        note: how values were put together, or empty.
    """

    attribute: str
    cells: tuple[Cell, ...]
    hidden: dict[str, int]
    note: str = ""


def break_down(
    attribute: str,
    values: Sequence[str],
    person: Codes,
    outcomes: Mapping[str, Reals],
) -> Breakdown:
    """Mean outcomes by attribute value.

    Args:
        attribute: its name.
        values: value of each item (a search, or a pair: `pair_values`), empty where unknown;
            numbers with many values are put in quarters (`bin_numbers`).
        person: of each item, shape (items,).
        outcomes: by name 0 or 1, or a chance, for each item; NaN where it does not apply.

    Raises:
        ValueError: lengths differ.
    """
    lengths = {len(values), len(person), *(len(outcome) for outcome in outcomes.values())}
    if len(lengths) > 1:
        raise ValueError(f"values, people and outcomes differ in length: {sorted(lengths)}")
    binned, note = bin_numbers(values)
    names = sorted({value or UNKNOWN for value in binned}, key=_place)
    code = {value: i for i, value in enumerate(names)}
    cell = np.array([code[value or UNKNOWN] for value in binned], np.intp)
    order = np.argsort(cell, kind="stable")
    bounds = np.searchsorted(cell[order], np.arange(len(names) + 1))
    cells, hidden = [], {}
    for i, name in enumerate(names):
        rows = order[bounds[i] : bounds[i + 1]]
        if len(rows) < LEAST:
            hidden[name] = len(rows)
        else:
            cells.append(_cell(name, rows, person, outcomes))
    return Breakdown(attribute, tuple(cells), _shortened(hidden), note)


def _place(value: str) -> tuple[bool, float, str]:
    """Numbers in their order before other texts, the unknown last."""
    number = _NUMBER.match(value)
    return value == UNKNOWN, float(number.group()) if number else np.inf, value


def _cell(name: str, rows: Codes, person: Codes, outcomes: Mapping[str, Reals]) -> Cell:
    figures: dict[str, Figure | None] = {}
    counts = {}
    for key, outcome in outcomes.items():
        applies = rows[~np.isnan(outcome[rows])]
        counts[key] = len(applies)
        enough = len(applies) >= LEAST
        figures[key] = _mean(outcome[applies], person[applies]) if enough else None
    return Cell(name, len(np.unique(person[rows])), len(rows), figures, counts)


def _mean(outcome: Reals, person: Codes) -> Figure:
    """Mean with an interval by leaving people out."""
    who = np.unique(person, return_inverse=True)[1].ravel()
    people = int(who.max()) + 1
    value = float(outcome.mean())
    if people < 2:
        return Figure(value)
    group = person_groups(people)[who]
    rest = outcome.sum() - np.bincount(group, weights=outcome)
    left_out = rest / (len(outcome) - np.bincount(group))
    found = jackknife(value, left_out, people=people)
    return Figure(value, found.low, found.high) if found else Figure(value)


def _shortened(hidden: dict[str, int]) -> dict[str, int]:
    """At most twenty values by name: an attribute may be different in every session."""
    if len(hidden) <= _MOST_HIDDEN:
        return hidden
    kept = set(sorted(hidden, key=lambda value: -hidden[value])[: _MOST_HIDDEN - 1])
    named = {value: count for value, count in hidden.items() if value in kept}
    rest = sum(count for value, count in hidden.items() if value not in kept)
    return {**named, f"{len(hidden) - len(kept)} other values": rest}


def pair_values(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Attribute value of pairs: that of both, `a / b` in order where they differ.

    Put numbers in bins before (`bin_numbers`). A pair with an unknown value is unknown.

    Args:
        one: value of one item of each pair.
        other: value of the other.
    """
    return [
        "" if not (a and b) else a if a == b else " / ".join(sorted((a, b), key=_place))
        for a, b in zip(one, other, strict=True)
    ]


def bin_numbers(values: Sequence[str]) -> tuple[list[str], str]:
    """Put numbers in quarters with about as many items each, named by their range: `12-25`.

    Values stay as they are when there are eight different ones or fewer, or one is no number.

    Args:
        values: of each item, empty where unknown.

    Returns:
        The bin of each item, and a sentence about it (empty when nothing was done).
    """
    names = sorted(set(values) - {""})
    try:
        number = {name: float(name) for name in names}
    except ValueError:
        return list(values), ""
    if len(set(number.values())) <= _MOST_NUMBERS or not np.isfinite(list(number.values())).all():
        return list(values), ""
    known = np.array([number[value] for value in values if value])
    edges = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
    place = {name: int(np.searchsorted(edges, number[name], side="left")) for name in names}
    names.sort(key=number.__getitem__)
    dash = " to " if known.min() < 0 else "-"
    label = {}
    for i in range(BINS):
        inside = [name for name in names if place[name] == i]
        if inside:
            same = number[inside[0]] == number[inside[-1]]
            label[i] = inside[0] if same else f"{inside[0]}{dash}{inside[-1]}"
    binned = [label[place[value]] if value else "" for value in values]
    return binned, f"{len(names)} different numbers in {len(label)} bins of about as many items"
