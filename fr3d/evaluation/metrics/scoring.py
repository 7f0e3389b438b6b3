"""Scores of all pairs, counted in bins and by group of people rather than listed.

Counts of the pairs that touch each group are all that is needed to measure a figure on everybody,
and again without each group. They take as much memory for ten billion pairs as for ten.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.metrics.pairs import Pairs, cosine
from fr3d.evaluation.metrics.tally import Extreme, Tally

Codes = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
_DIRECT = 1 << 22  # pairs up to which double precision costs less than loading compiled loops
_CHUNK = 1 << 19  # pairs at a time
_LENGTH = 1e-3  # how far from 1 the length of a unit embedding may be


@dataclass(frozen=True)
class Scored:
    """Counts of scores; a score s is in bin b when edges[b] <= s < edges[b + 1].

    Attributes:
        edges: ascending, shape (B+1,); the last bin includes its upper edge.
        mated: pairs of one person with a member in each group, shape (G, B).
        nonmated: pairs of two people with a member in each group, shape (G, B); a pair of two
            groups is in both rows, a pair within a group once.
        mated_total: all pairs of one person, each once, shape (B,).
        nonmated_total: all pairs of two people, each once, shape (B,).
        closest: the pairs of two people with the highest scores, highest first: two row numbers,
            the lower one first, and the score; of equal scores those with the lowest numbers.
        farthest: the pairs of one person with the lowest scores, lowest first.
        people: distinct people.
        mated_count: pairs of one person.
        nonmated_count: pairs of two people.
    """

    edges: Reals
    mated: Counts
    nonmated: Counts
    mated_total: Counts
    nonmated_total: Counts
    closest: tuple[Extreme, ...]
    farthest: tuple[Extreme, ...]
    people: int
    mated_count: int
    nonmated_count: int


def score_all(
    unit: npt.NDArray[Any],
    person: Codes,
    *,
    group: Codes,
    bins: int = 8192,
    worst: int = 10,
    against: npt.NDArray[Any] | None = None,
    threads: int | None = None,
) -> Scored:
    """Count the cosine similarity of every two rows, in bins of equal width over [-1, 1].

    Few pairs are computed in double precision and rounded to nine places, as in `pairs`. Many are
    streamed through tiles of fixed size in single precision, which moves a score by about 1e-7;
    the counts are exact for these scores. Neither the number of threads nor the order of the rows
    changes them, as long as the BLAS library sums each element of a tile in the same order;
    OpenBLAS does.

    Args:
        unit: unit embeddings, shape (N, D).
        person: person of each row, shape (N,), from 0 to P - 1.
        group: group of each person, shape (P,), from 0 to G - 1.
        bins: how many, even; a power of two makes the edges exact.
        worst: how many closest strangers and farthest mates to keep.
        against: unit embeddings of distractors, shape (M, D): people who are none of the P, not
            compared with each other. Their row numbers start at N; they belong to no group.
        threads: that count; by default as many as there are cores, at most eight. The matrix
            product uses those of the BLAS library.

    Raises:
        ValueError: an embedding that is not finite or not of unit length, or shapes or numbers
            that do not fit each other.

    Memory: 8 G B bytes for each of the threads and twice more, and a copy of the embeddings in
    single precision.
    """
    if bins < 2 or bins % 2:
        raise ValueError(f"the number of bins must be even, not {bins}")
    _check(unit, person, group)
    strangers = np.empty((0, unit.shape[1]), np.float32) if against is None else against
    _check(strangers)
    if strangers.shape[1] != unit.shape[1]:
        raise ValueError(f"embeddings of {unit.shape[1]} and of {strangers.shape[1]} numbers")
    edges = np.arange(bins + 1) / (bins / 2) - 1.0
    pairs = len(unit) * (len(unit) - 1) // 2 + len(unit) * len(strangers)
    if pairs <= _DIRECT:
        tally = _directly(unit, person, group, strangers, bins, worst)
    else:
        from fr3d.evaluation.metrics.streaming import stream

        tally = stream(unit, person, group, strangers, bins, worst, threads=threads)
    return _scored(edges, tally, len(np.unique(person)))


def count_pairs(
    pairs: Pairs, person: Codes, *, group: Codes, bins: int = 8192, worst: int = 10
) -> Scored:
    """Count listed pairs, each distinct score in a bin of its own where there are not too many.

    Curves of such counts are those of the scores themselves. Where more scores differ than there
    may be bins, a quarter of the edges lies at even ranks among the mated scores, a quarter among
    the others, and half at ranks from the highest non-mated score down that grow by a constant
    factor, as low false-match rates need.

    Args:
        pairs: pairs and scores.
        person: person of each row, shape (N,).
        group: group of each person, shape (P,).
        bins: the most bins.
        worst: how many closest strangers and farthest mates to keep.

    Raises:
        ValueError: a score that is not finite, or codes that do not fit each other.
    """
    if not np.isfinite(pairs.score).all():
        raise ValueError("a score is not finite")
    _check_codes(person, group)
    lower = np.unique(pairs.score)
    if len(lower) > bins:
        lower = _some_edges(pairs.score[pairs.mated], pairs.score[~pairs.mated], bins)
    if not len(lower):
        lower = np.zeros(1)
    edges = np.append(lower, np.nextafter(lower[-1], np.inf))
    tally = Tally.empty(_groups(group), len(lower), worst)
    for start in range(0, len(pairs.score), _CHUNK):
        part = slice(start, start + _CHUNK)
        place = np.searchsorted(lower, pairs.score[part], side="right") - 1
        one, other = pairs.rows[part].T
        owner = (group[person[one]], group[person[other]])
        tally.add(pairs.score[part], place, (one, other), owner, pairs.mated[part])
    return _scored(edges, tally, len(np.unique(person)))


def _some_edges(mated: Reals, nonmated: Reals, bins: int) -> Reals:
    """At most `bins` of the scores: the lowest one, and enough to draw the curve."""
    mated, nonmated = np.sort(mated), np.sort(nonmated)
    chosen = [np.minimum(mated[:1], np.inf), np.minimum(nonmated[:1], np.inf)]
    chosen += [
        scores[np.linspace(0, len(scores) - 1, max(bins // 4 - 1, 1)).astype(np.intp)]
        for scores in (mated, nonmated)
        if len(scores)
    ]
    if len(nonmated):
        rank = np.geomspace(1, len(nonmated), max(bins // 2 - 2, 1)).astype(np.intp)
        chosen.append(nonmated[len(nonmated) - rank])
    return np.unique(np.concatenate(chosen))


def _directly(
    unit: npt.NDArray[Any],
    person: Codes,
    group: Codes,
    strangers: npt.NDArray[Any],
    bins: int,
    worst: int,
) -> Tally:
    tally = Tally.empty(_groups(group), bins, worst)
    everybody = np.concatenate([unit, strangers]).astype(np.float64)
    owner = np.concatenate([group[person], np.full(len(strangers), -1, np.intp)])
    identity = np.concatenate([person, np.full(len(strangers), -1, np.intp)])
    block = max(1, _CHUNK // max(len(everybody), 1))
    for start in range(0, len(unit), block):
        scores = np.clip(cosine(everybody[start : min(start + block, len(unit))], everybody), -1, 1)
        row, column = np.nonzero(
            np.arange(len(everybody)) > start + np.arange(len(scores))[:, None]
        )
        score, row = scores[row, column], row + start
        place = np.floor(score * (bins / 2)).astype(np.intp) + bins // 2
        tally.add(
            score,
            np.minimum(place, bins - 1),
            (row, column),
            (owner[row], owner[column]),
            identity[row] == identity[column],
        )
    return tally


def _scored(edges: Reals, tally: Tally, people: int) -> Scored:
    return Scored(
        edges=edges,
        mated=tally.mated,
        nonmated=tally.nonmated,
        mated_total=tally.mated_total,
        nonmated_total=tally.nonmated_total,
        closest=tally.closest.found,
        farthest=tally.farthest.found,
        people=people,
        mated_count=int(tally.mated_total.sum()),
        nonmated_count=int(tally.nonmated_total.sum()),
    )


def _groups(group: Codes) -> int:
    return int(group.max()) + 1 if len(group) else 0


def _check(unit: npt.NDArray[Any], person: Codes | None = None, group: Codes | None = None) -> None:
    if unit.ndim != 2:
        raise ValueError(f"embeddings have shape {unit.shape}, not (N, D)")
    for start in range(0, len(unit), 4096):
        rows = unit[start : start + 4096].astype(np.float64)
        length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        if not np.isfinite(length).all():
            raise ValueError("an embedding is not finite")
        if (np.abs(length - 1) > _LENGTH).any():
            raise ValueError("an embedding is not of unit length")
    if person is not None and group is not None:
        if person.shape != (len(unit),):
            raise ValueError(f"{len(unit)} embeddings, but people of shape {person.shape}")
        _check_codes(person, group)


def _check_codes(person: Codes, group: Codes) -> None:
    if len(person) and not (person.min() >= 0 and person.max() < len(group)):
        raise ValueError("a row shows a person who is in no group")
    if len(group) and group.min() < 0:
        raise ValueError("the number of a group is negative")
