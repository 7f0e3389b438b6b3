"""All pairs of embeddings and their cosine similarity."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.intp]
_BLOCK = 1 << 15


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows and their scores.

    Attributes:
        score: cosine similarity, shape (N,).
        rows: the two rows of each pair, shape (N, 2), the first below the second.
        mated: whether both rows show one person.
        sampled: whether the non-mated pairs are a sample.
    """

    score: npt.NDArray[np.float64]
    rows: Codes
    mated: npt.NDArray[np.bool_]
    sampled: bool


def normalise(embeddings: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Scale embeddings to unit length, in double precision, shape (N, D)."""
    exact = np.asarray(embeddings, np.float64)
    return exact / np.linalg.norm(exact, axis=1, keepdims=True)


def cosine(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Similarity of unit embeddings, shape (N, M); rounded to hide the order of sums."""
    return np.round(one @ other.T, 9)


def all_pairs(unit: npt.NDArray[np.float64], person: Codes, limit: int, seed: int) -> Pairs:
    """Compare every two rows; beyond a limit, all mated pairs and a sample of the others.

    Args:
        unit: unit embeddings, shape (N, D).
        person: person of each row.
        limit: most pairs to compare.
        seed: of the sample.
    """
    count = len(unit)
    if count * (count - 1) // 2 <= limit:
        first, second = np.triu_indices(count, 1)
        return _pairs(unit, person, first, second, sampled=False)
    mated = _mated_rows(person)
    generator = np.random.default_rng(seed)
    drawn = np.sort(generator.integers(count, size=(limit, 2)), axis=1)
    drawn = np.unique(drawn[person[drawn[:, 0]] != person[drawn[:, 1]]], axis=0)
    first, second = np.concatenate([mated, drawn]).T
    return _pairs(unit, person, first, second, sampled=True)


def _mated_rows(person: Codes) -> Codes:
    found = [np.empty((0, 2), np.intp)]
    for code in np.unique(person):
        rows = np.flatnonzero(person == code)
        first, second = np.triu_indices(len(rows), 1)
        found.append(np.stack([rows[first], rows[second]], axis=1))
    return np.concatenate(found)


def _pairs(
    unit: npt.NDArray[np.float64], person: Codes, first: Codes, second: Codes, *, sampled: bool
) -> Pairs:
    score = np.empty(len(first))
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        score[part] = np.einsum("ij,ij->i", unit[first[part]], unit[second[part]])
    rows = np.stack([first, second], axis=1)
    return Pairs(np.round(score, 9), rows, person[first] == person[second], sampled)
