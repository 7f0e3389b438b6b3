"""All sessions of a partition against all others, as a matrix that can be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.geometry.pictures import Array, Picture, heat_colours, heat_levels

UNKNOWN = 128
"""Grey of what is not known, on all three channels."""


@dataclass(frozen=True)
class SimilarityMatrix:
    """Cosine similarity of sessions, sorted by person.

    Attributes:
        values: (n, n) float32; a row is a session, or the mean over several of one person, or, of
            more people than rows, over several people.
        subject_id: the person of each square along the diagonal; the first of several.
        starts: (squares + 1,) the row at which each square begins, and n.
        sessions: how many sessions the matrix covers.
        people: how many people.
    """

    values: npt.NDArray[np.float32]
    subject_id: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    sessions: int
    people: int

    @property
    def limits(self) -> tuple[float, float]:
        """Values at the two ends of the colours: the 1st and the 99th hundredth off the diagonal.

        The diagonal itself is 1 wherever a row is a single session and would take all the colours.
        """
        off = self.values[~np.eye(len(self.values), dtype=bool)]
        if not off.size:
            return 0.0, 1.0
        low, high = (float(v) for v in np.percentile(off, (1.0, 99.0)))
        return (low, high) if high > low else (low - 0.5, high + 0.5)


def similarity_matrix(
    unit: Array, subject_id: Sequence[str], session_id: Sequence[str], most: int = 1200
) -> SimilarityMatrix:
    """Compare all sessions with each other.

    Of more than `most` sessions the rows are means: every person keeps at least one row and gets
    more by the number of sessions; of more than `most` people neighbours share a row. The mean of
    the cosines of two sets of unit vectors is the product of the two mean vectors, so memory is
    that of the (n, n) result however many sessions there are. A session is not compared with
    itself in a mean that has other pairs.

    Args:
        unit: (N, D) embeddings of unit length.
        subject_id: person of each.
        session_id: session of each; sorts the rows of a person.
        most: at most so many rows.

    >>> eye = np.eye(2)
    >>> similarity_matrix(eye[[1, 0, 1]], "bab", "123").values.tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
    """
    order = sorted(range(len(subject_id)), key=lambda i: (subject_id[i], session_id[i]))
    names = [subject_id[i] for i in order]
    first = np.flatnonzero([i == 0 or names[i] != names[i - 1] for i in range(len(names))])
    sizes = np.diff(np.append(first, len(names)))
    edges, starts, squares = _rows(sizes, most)
    counts = np.diff(np.append(edges, len(names)))
    # A row at a time, so that the embeddings need not be copied in float64.
    chunks = (order[a : a + k] for a, k in zip(edges, counts, strict=True))
    sums = np.stack([unit[chunk].sum(axis=0, dtype=np.float64) for chunk in chunks])
    total = sums @ sums.T
    pairs = np.multiply.outer(counts, counts).astype(np.float64)
    itself = np.where(counts > 1, counts, 0)
    diagonal = np.diag_indices_from(total)
    total[diagonal] -= itself
    pairs[diagonal] -= itself
    values = np.clip(total / pairs, -1.0, 1.0).astype(np.float32)
    people = tuple(names[first[k]] for k in squares)
    return SimilarityMatrix(values, people, starts, len(names), len(first))


def _rows(sizes: Array, most: int) -> tuple[Array, Array, Array]:
    """First session of each row, first row of each square and its end, first person of each."""
    people, sessions = len(sizes), int(sizes.sum())
    before = np.cumsum(sizes) - sizes
    if people > most:
        squares = np.arange(most) * people // most
        return before[squares], np.arange(most + 1), squares
    rows = 1 + (sizes - 1) * (min(most, sessions) - people) // max(sessions - people, 1)
    edges = [b + np.arange(r) * s // r for b, r, s in zip(before, rows, sizes, strict=True)]
    starts = np.concatenate([[0], np.cumsum(rows)])
    return np.concatenate(edges), starts, np.arange(people)


def heat(values: Array, low: float, high: float) -> Picture:
    """Draw numbers in colour, from low (dark violet) to high (yellow).

    Args:
        values: (H, W); NaN becomes grey.
        low: value of the first colour; what lies below has it too.
        high: value of the last colour.

    Returns:
        (H, W, 3) RGB.
    """
    level = heat_levels(values, low, high)
    return np.where(np.isnan(values)[..., None], np.uint8(UNKNOWN), heat_colours()[level])
