"""Dividing people over parts of given sizes so that every stratum is divided alike."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd


def person_strata(table: pd.DataFrame, attributes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each person's value of each attribute: the most frequent one that is known.

    Args:
        table: one row a session.
        attributes: columns of it.

    Returns:
        By subject in the order of their ids, one value per attribute; empty where unknown.
    """
    people = sorted(table["subject_id"].unique())
    modes = [_modes(table, name) for name in attributes]
    return {person: tuple(mode.get(person, "") for mode in modes) for person in people}


def _modes(table: pd.DataFrame, attribute: str) -> dict[str, str]:
    """Most frequent known value by person; of equally frequent ones the first by name."""
    known = table[table[attribute] != ""]
    counts = known.groupby(["subject_id", attribute]).size().reset_index(name="count")
    counts = counts.sort_values(["count", attribute], ascending=[False, True], kind="stable")
    first = counts.drop_duplicates("subject_id")
    return dict(zip(first["subject_id"], first[attribute], strict=True))


def shuffle_by_stratum(strata: Mapping[str, Hashable], generator: np.random.Generator) -> list[str]:
    """People in random order, stratum after stratum.

    Args:
        strata: stratum by person; the order of the mapping does not matter.
        generator: source of randomness.
    """
    people = sorted(strata)
    shuffled = [people[i] for i in generator.permutation(len(people))]
    return sorted(shuffled, key=lambda person: str(strata[person]))  # stable: random within strata


def deal(people: int, sizes: Sequence[int], generator: np.random.Generator) -> npt.NDArray[np.intp]:
    """Deal a sequence of people to parts: any stretch of it gets nearly its proportional share.

    Each person goes to the part that lags furthest behind its quota, so that strata which lie one
    after another in the sequence are all divided like the whole.

    Args:
        people: length of the sequence.
        sizes: how many each part gets; they sum to `people`.
        generator: decides where in its cycle the dealing starts.

    Returns:
        Part of each person, shape (people,).
    """
    quota = np.asarray(sizes, dtype=np.float64) / max(people, 1)
    dealt = np.zeros(len(sizes))
    lead = generator.random(len(sizes)) * (quota > 0)  # below one person: no part is always first
    parts = np.empty(people, dtype=np.intp)
    for i in range(people):
        behind = quota * (i + 1) + lead - dealt
        behind[dealt >= sizes] = -np.inf
        parts[i] = int(np.argmax(behind))
        dealt[parts[i]] += 1
    return parts


def divide(
    strata: Mapping[str, Hashable], sizes: Sequence[int], generator: np.random.Generator
) -> dict[str, int]:
    """Divide people over parts of given sizes, stratified.

    Args:
        strata: stratum by person.
        sizes: how many people each part gets; they sum to the number of people.
        generator: source of randomness.

    Returns:
        Part by person.
    """
    order = shuffle_by_stratum(strata, generator)
    parts = deal(len(order), sizes, generator)
    return {person: int(part) for person, part in zip(order, parts, strict=True)}
