"""Counts of scores while pairs come in, and the most extreme pairs so far."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Extreme = tuple[int, int, float]


@dataclass
class Extremes:
    """The pairs with the highest scores, or the lowest; equal scores by the numbers of the rows.

    Attributes:
        most: how many to keep.
        sign: +1 for the highest, -1 for the lowest.
        found: two row numbers, the lower one first, and the score; the most extreme first.
    """

    most: int
    sign: int
    found: tuple[Extreme, ...] = ()

    def add(self, score: Reals, one: Codes, other: Codes) -> None:
        """Look through more pairs, shape (N,) each."""
        value = -self.sign * score
        if len(value) > self.most > 0:
            some = np.flatnonzero(value <= np.partition(value, self.most - 1)[self.most - 1])
        else:
            some = np.arange(len(value))
        low, high = np.minimum(one[some], other[some]), np.maximum(one[some], other[some])
        order = np.lexsort((high, low, value[some]))[: self.most]
        self.merge((int(low[i]), int(high[i]), float(score[some[i]])) for i in order)

    def merge(self, others: Iterable[Extreme]) -> None:
        """Take the most extreme of those found here and elsewhere."""
        everything = [*self.found, *others]
        everything.sort(key=lambda pair: (-self.sign * pair[2], pair[0], pair[1]))
        self.found = tuple(everything[: self.most])


@dataclass
class Tally:
    """Counts that grow; what they mean is described at `Scored`.

    Attributes:
        mated: shape (G, B).
        nonmated: shape (G, B).
        mated_total: shape (B,).
        nonmated_total: shape (B,).
        closest: non-mated pairs with the highest scores.
        farthest: mated pairs with the lowest scores.
    """

    mated: Counts
    nonmated: Counts
    mated_total: Counts
    nonmated_total: Counts
    closest: Extremes
    farthest: Extremes

    @classmethod
    def empty(cls, groups: int, bins: int, worst: int) -> "Tally":
        """Nothing counted yet."""
        return cls(
            np.zeros((groups, bins), np.int64),
            np.zeros((groups, bins), np.int64),
            np.zeros(bins, np.int64),
            np.zeros(bins, np.int64),
            Extremes(worst, 1),
            Extremes(worst, -1),
        )

    def add(
        self,
        score: Reals,
        place: Codes,
        rows: tuple[Codes, Codes],
        groups: tuple[Codes, Codes],
        mated: npt.NDArray[np.bool_],
    ) -> None:
        """Count pairs.

        Args:
            score: shape (N,).
            place: bin of each, shape (N,).
            rows: the two rows of each pair, shape (N,) each.
            groups: the groups of these rows, -1 for none.
            mated: whether both rows show one person.
        """
        for kind, counts, total, extremes in (
            (mated, self.mated, self.mated_total, self.farthest),
            (~mated, self.nonmated, self.nonmated_total, self.closest),
        ):
            extremes.add(score[kind], rows[0][kind], rows[1][kind])
            bins, where = counts.shape[1], place[kind]
            np.add(total, np.bincount(where, minlength=bins), out=total)
            one, other = groups[0][kind], groups[1][kind]
            flat = counts.reshape(-1)
            np.add.at(flat, (one * bins + where)[one >= 0], 1)
            again = (other >= 0) & (other != one)
            np.add.at(flat, (other * bins + where)[again], 1)
