"""Counting the scores of many pairs: a matrix product a tile, counted while it is in the cache."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.metrics.score_kernels import count_tile, keep_extremes
from fr3d.evaluation.metrics.tally import Extreme, Extremes, Tally
from fr3d.runtime import worker_count

Codes = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]
TILE = 1024  # rows and columns; 4 MiB of scores
_THREAD_BYTES = 1 << 28  # of counts that threads keep apart


class _Rows:
    """Embeddings in the order in which they are counted, filled up to whole tiles.

    Tiles of one shape let the BLAS library sum the same way wherever a pair lies, and whatever
    the number of rows.
    """

    def __init__(self, unit: npt.NDArray[Any], order: Codes, group: Codes, first: int, tile: int):
        self.count = len(unit)
        self.vector = np.zeros((-(-len(unit) // tile) * tile, unit.shape[1]), np.float32)
        for i in range(0, len(order), tile):
            self.vector[i : min(i + tile, len(order))] = unit[order[i : i + tile]]
        self.group = group.astype(np.int64)
        self.number = order.astype(np.int64) + first


class _Share:
    """What one thread has counted of one kind of pairs."""

    def __init__(self, groups: int, bins: int, worst: int, sign: int):
        self.counts = np.zeros((groups, bins), np.int64)
        self.total = np.zeros(bins, np.int64)
        self.sign = sign
        self.kept = np.full(worst, -np.inf)
        self.pairs = np.zeros((worst, 2), np.int64)

    def count(
        self,
        scores: Floats,
        start: Codes,
        stop: Codes,
        rows: tuple[_Rows, int],
        columns: tuple[_Rows, int],
    ) -> None:
        """Count columns start to stop of each row of a part of a tile."""
        stop = np.maximum(start, stop)
        if not (stop > start).any():
            return
        (down, i), (across, j) = rows, columns
        of_rows, of_columns = slice(i, i + len(scores)), slice(j, j + scores.shape[1])
        count_tile(
            scores,
            start,
            stop,
            down.group[of_rows],
            across.group[of_columns],
            self.counts,
            self.total,
        )
        if len(self.kept):
            keep_extremes(
                scores,
                start,
                stop,
                down.number[of_rows],
                across.number[of_columns],
                self.sign,
                self.kept,
                self.pairs,
            )

    @property
    def extremes(self) -> list[Extreme]:
        """The most extreme pairs of this share."""
        return [
            (int(one), int(other), float(self.sign * value))
            for value, (one, other) in zip(self.kept, self.pairs, strict=True)
            if value > -np.inf
        ]


def stream(
    unit: npt.NDArray[Any],
    person: Codes,
    group: Codes,
    strangers: npt.NDArray[Any],
    bins: int,
    worst: int,
    *,
    threads: int | None = None,
    tile: int = TILE,
) -> Tally:
    """Count all pairs; arguments and meaning as for `score_all`.

    Rows are put in the order of groups and people. Then the partners of a row that show another
    person are one run of columns, and so are the members of a group.
    """
    owner = group[person]
    order = np.lexsort((person, owner))
    rows = _Rows(unit, order, owner[order], 0, tile)
    others = _Rows(
        strangers, np.arange(len(strangers)), np.full(len(strangers), -1), len(unit), tile
    )
    end = _run_ends(person[order])
    groups = int(group.max()) + 1
    workers = max(1, min(worker_count(threads), _THREAD_BYTES // (8 * groups * bins)))
    shares = [_Share(groups, bins, worst, 1) for _ in range(workers)]
    mates = _Share(groups, bins, worst, -1)
    scores = np.empty((tile, tile), np.float32)
    with ThreadPoolExecutor(workers) as pool:
        for i in range(0, rows.count, tile):
            mine = np.arange(i, min(i + tile, rows.count))
            cuts = np.linspace(0, len(mine), workers + 1).astype(int)
            for across, j in _columns(rows, others, i, tile):
                np.matmul(rows.vector[i : i + tile], across.vector[j : j + tile].T, out=scores)
                part = scores[: len(mine), : min(tile, across.count - j)]
                start, stop = np.zeros(len(mine), np.intp), np.full(len(mine), part.shape[1])
                if across is rows:
                    start = np.clip(end[mine] - j, 0, stop)
                    mates.count(part, np.clip(mine + 1 - j, 0, stop), start, (rows, i), (rows, j))
                jobs = [
                    pool.submit(
                        share.count, part[a:b], start[a:b], stop[a:b], (rows, i + a), (across, j)
                    )
                    for share, a, b in zip(shares, cuts[:-1], cuts[1:], strict=True)
                ]
                for job in jobs:
                    job.result()
    return _together(shares, mates, worst)


def _run_ends(code: Codes) -> Codes:
    """For each place the end of the run of equal codes around it."""
    ends = np.append(np.flatnonzero(np.diff(code)) + 1, len(code))
    return np.repeat(ends, np.diff(ends, prepend=0))


def _columns(rows: _Rows, others: _Rows, first: int, tile: int) -> Iterator[tuple[_Rows, int]]:
    """Tiles that a row of tiles is multiplied with: those of the upper triangle, the strangers'."""
    for j in range(first, rows.count, tile):
        yield rows, j
    for j in range(0, others.count, tile):
        yield others, j


def _together(shares: list[_Share], mates: _Share, worst: int) -> Tally:
    sum_ = shares[0]
    closest, farthest = Extremes(worst, 1), Extremes(worst, -1)
    for share in shares:
        closest.merge(share.extremes)
        if share is not sum_:
            sum_.counts += share.counts
            sum_.total += share.total
    farthest.merge(mates.extremes)
    return Tally(mates.counts, sum_.counts, mates.total, sum_.total, closest, farthest)
