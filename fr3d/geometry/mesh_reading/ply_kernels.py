"""Compiled walks over the rows of a PLY element whose lists make rows differ in length."""

import numpy as np
import numpy.typing as npt
from numba import njit

from fr3d.geometry.mesh_reading.tokens import (
    NEWLINE,
    Bytes,
    FloatArray,
    ends_word,
    is_blank,
    real_number,
)

IntArray = npt.NDArray[np.int64]


@njit(cache=True)
def list_length(data: Bytes, at: int, size: int, big: bool, signed: bool) -> int:
    """Read a whole number of 1, 2 or 4 bytes."""
    value = 0
    for k in range(size):
        place = at + k if big else at + size - 1 - k
        value = (value << 8) | int(data[place])
    if signed and value >= 1 << (8 * size - 1):
        value -= 1 << (8 * size)
    return value


@njit(cache=True)
def walk_binary(
    data: Bytes,
    at: int,
    rows: int,
    sizes: IntArray,
    lengths: IntArray,
    wanted: int,
    big: bool,
    counts: IntArray,
    out: Bytes,
) -> tuple[int, int]:
    """Go through rows; note and copy one of their lists where there is room for it.

    Args:
        data: the file.
        at: first byte of the element.
        rows: of the element.
        sizes: (P,), bytes of a value of each property.
        lengths: (P,), bytes of the length of a list, negative where signed; 0 for a single value.
        wanted: the property to copy; -1 for none.
        big: whether the first byte of a number counts most.
        counts: (rows,) or (0,), filled with the length of each list.
        out: (bytes of all lists,) or (0,), filled with their bytes.

    Returns:
        The place after the element, -1 where the data end too soon or a length is negative; and
        the bytes of all lists.
    """
    total = 0
    for row in range(rows):
        for k in range(len(sizes)):
            length = 1
            if lengths[k] != 0:
                size = abs(lengths[k])
                if at + size > len(data):
                    return -1, 0
                length = list_length(data, at, size, big, lengths[k] < 0)
                at += size
            room = length * sizes[k]
            if length < 0 or at + room > len(data):
                return -1, 0
            if k == wanted:
                if len(counts):
                    counts[row] = length
                if len(out):
                    out[total : total + room] = data[at : at + room]
                total += room
            at += room
    return at, total


@njit(cache=True)
def walk_text(
    data: Bytes,
    at: int,
    rows: int,
    lists: IntArray,
    wanted: int,
    counts: IntArray,
    out: FloatArray,
) -> tuple[int, int]:
    """As `walk_binary`, for text; `out` takes numbers and the second result counts them.

    Args:
        data: the file.
        at: first byte of the element.
        rows: of the element.
        lists: (P,), 1 where a property is a list, 0 for a single value.
        wanted: the property to copy; -1 for none, -2 for all single values.
        counts: (rows,) or (0,), filled with the length of each list.
        out: filled with numbers, or (0,).
    """
    total = 0
    for row in range(rows):
        for k in range(len(lists)):
            length = 1
            if lists[k]:
                value, at = _next_number(data, at)
                if at < 0 or value < 0 or value != np.floor(value) or value > len(data):
                    return -1, 0
                length = int(value)
            taken = k == wanted or (wanted == -2 and not lists[k])
            if k == wanted and len(counts):
                counts[row] = length
            for _ in range(length):
                value, at = _next_number(data, at)
                if at < 0:
                    return -1, 0
                if taken:
                    if len(out):
                        out[total] = value
                    total += 1
    return at, total


@njit(cache=True)
def _next_number(data: Bytes, at: int) -> tuple[float, int]:
    while at < len(data) and (is_blank(data[at]) or data[at] == NEWLINE):
        at += 1
    value, after = real_number(data, at)
    if after == at or not ends_word(data, after):
        return 0.0, -1
    return value, after
