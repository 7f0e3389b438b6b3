"""Compiled loops that count a tile of scores; each releases the lock of the interpreter."""

import numpy as np
import numpy.typing as npt
from numba import njit

Scores = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Reals = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def count_tile(
    scores: Scores,
    start: Codes,
    stop: Codes,
    row_group: Codes,
    column_group: Codes,
    counts: Counts,
    total: Counts,
) -> None:
    """Add the scores of a tile to histograms of equal bins over [-1, 1].

    Args:
        scores: (R, C).
        start: (R,), first column of each row that counts.
        stop: (R,), the column after the last one.
        row_group: (R,), group of each row, ascending.
        column_group: (C,), group of each column, ascending; -1 belongs to none.
        counts: (G, B), to be added to: each score in the row of either group, once if they agree.
        total: (B,), to be added to: each score once.
    """
    bins = len(total)
    row_ends, column_ends = _runs(row_group), _runs(column_group)
    place = np.empty(scores.shape[1], np.int32)
    local = np.zeros(bins, np.int64)
    top = 0
    for bottom in row_ends:
        left = 0
        for right in column_ends:
            one, other = row_group[top], column_group[left]
            size = 0
            for i in range(top, bottom):
                size += max(min(right, stop[i]) - max(left, start[i]), 0)
            for i in range(top, bottom if size else top):
                used = _places(scores[i], max(left, start[i]), min(right, stop[i]), bins, place)
                if size >= bins:
                    for k in range(used):
                        local[place[k]] += 1
                else:
                    _count(place, used, counts, one, other, total)
            # Clearing and adding a histogram of its own pays where there is much to count.
            if size >= bins:
                _flush(local, counts, one, other, total)
            left = right
        top = bottom


@njit(cache=True, nogil=True)
def _runs(group: Codes) -> Codes:
    """The end of each run of equal groups."""
    ends = np.empty(len(group), np.int64)
    found = 0
    for i in range(1, len(group) + 1):
        if i == len(group) or group[i] != group[i - 1]:
            ends[found] = i
            found += 1
    return ends[:found]


@njit(cache=True, nogil=True)
def _places(row: Scores, left: int, right: int, bins: int, place: Places) -> int:
    """The bin of each score from left to right; how many there are."""
    half, middle = bins / 2, bins // 2
    used = max(right - left, 0)
    for k in range(used):
        # Multiplied before anything is added: exact for a number of bins that is a power of two.
        bin_ = int(np.floor(np.float64(row[left + k]) * half)) + middle
        place[k] = min(max(bin_, 0), bins - 1)
    return used


@njit(cache=True, nogil=True)
def _count(place: Places, used: int, counts: Counts, one: int, other: int, total: Counts) -> None:
    for k in range(used):
        counts[one, place[k]] += 1
        total[place[k]] += 1
    if other not in (one, -1):
        for k in range(used):
            counts[other, place[k]] += 1


@njit(cache=True, nogil=True)
def _flush(local: Counts, counts: Counts, one: int, other: int, total: Counts) -> None:
    for b in range(len(local)):
        counts[one, b] += local[b]
        total[b] += local[b]
    if other not in (one, -1):
        for b in range(len(local)):
            counts[other, b] += local[b]
    local[:] = 0


@njit(cache=True, nogil=True)
def keep_extremes(
    scores: Scores,
    start: Codes,
    stop: Codes,
    row_number: Codes,
    column_number: Codes,
    sign: int,
    kept: Reals,
    pairs: Codes,
) -> None:
    """Keep the highest scores of a tile (the lowest, for sign -1), ties by number of the rows.

    Args:
        scores: (R, C).
        start: (R,), first column of each row that counts.
        stop: (R,), the column after the last one.
        row_number: (R,).
        column_number: (C,).
        sign: +1 or -1.
        kept: (K,), descending scores times the sign so far; -inf where there is none.
        pairs: (K, 2), their rows, the lower number first.
    """
    last = len(kept) - 1
    for i in range(scores.shape[0]):
        bar = np.float32(kept[last])
        for j in range(start[i], stop[i]):
            value = min(sign * scores[i, j], 1.0)
            if value >= bar:
                one, other = row_number[i], column_number[j]
                _insert(kept, pairs, np.float64(value), min(one, other), max(one, other))
                bar = np.float32(kept[last])


@njit(cache=True, nogil=True)
def _insert(kept: Reals, pairs: Codes, value: float, one: int, other: int) -> None:
    k = len(kept)
    while k > 0 and (
        value > kept[k - 1]
        or (
            value == kept[k - 1]
            and (one < pairs[k - 1, 0] or (one == pairs[k - 1, 0] and other < pairs[k - 1, 1]))
        )
    ):
        k -= 1
    if k == len(kept):
        return
    for m in range(len(kept) - 1, k, -1):
        kept[m] = kept[m - 1]
        pairs[m] = pairs[m - 1]
    kept[k] = value
    pairs[k, 0], pairs[k, 1] = one, other
