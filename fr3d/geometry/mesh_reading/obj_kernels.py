"""Compiled loops over the lines of an OBJ: once to count, once to take."""

import numpy as np
import numpy.typing as npt
from numba import njit

from fr3d.geometry.mesh_reading.tokens import (
    Bytes,
    FloatArray,
    ends_word,
    line_end,
    real_number,
    skip_blanks,
    whole_number,
)

IntArray = npt.NDArray[np.int64]

OTHER, VERTEX, PLACE, FACE = 0, 1, 2, 3


@njit(cache=True)
def kind_of(data: Bytes, at: int) -> tuple[int, int]:
    """Tell what a line holds, and where its first value may begin."""
    if at >= len(data):
        return OTHER, at
    if data[at] == 118 and ends_word(data, at + 1):
        return VERTEX, at + 1
    if data[at] == 118 and at + 1 < len(data) and data[at + 1] == 116 and ends_word(data, at + 2):
        return PLACE, at + 2
    if data[at] == 102 and ends_word(data, at + 1):
        return FACE, at + 1
    return OTHER, at


@njit(cache=True)
def count_obj(data: Bytes) -> tuple[int, int, int, int, int]:
    """Count what an OBJ holds.

    Args:
        data: the file.

    Returns:
        Vertices, places in the texture, polygons, corners of all polygons, and the fewest values
        that a vertex has.
    """
    vertices, places, faces, corners, fewest = 0, 0, 0, 0, 1 << 30
    at = 0
    while at < len(data):
        kind, at = kind_of(data, skip_blanks(data, at))
        if kind == PLACE:
            places += 1
        elif kind != OTHER:
            words = 0
            at = skip_blanks(data, at)
            while not (at >= len(data) or data[at] == 10):
                words += 1
                while not ends_word(data, at):
                    at += 1
                at = skip_blanks(data, at)
            if kind == VERTEX:
                vertices += 1
                fewest = min(fewest, words)
            else:
                faces += 1
                corners += words
        at = line_end(data, at) + 1
    return vertices, places, faces, corners, fewest


@njit(cache=True)
def fill_obj(
    data: Bytes,
    vertices: FloatArray,
    places: FloatArray,
    counts: IntArray,
    corners: IntArray,
) -> int:
    """Take what `count_obj` counted.

    Args:
        data: the file.
        vertices: (V, 3 or 6), filled with coordinates and colours.
        places: (P, 2), filled.
        counts: (F,), filled with the corners of each polygon.
        corners: (C, 2), filled with the numbers of vertex and place from 0; -1 for no place.

    Returns:
        0, or the number of the first line that cannot be read.
    """
    vertex, place, face, corner, line, at = 0, 0, 0, 0, 0, 0
    while at < len(data):
        line += 1
        kind, at = kind_of(data, skip_blanks(data, at))
        fine = True
        if kind == VERTEX:
            at, fine = _fill_row(data, at, vertices[vertex])
            vertex += 1
        elif kind == PLACE:
            at, fine = _fill_row(data, at, places[place])
            place += 1
        elif kind == FACE:
            before = corner
            at, corner, fine = _fill_face(data, at, corners, corner, vertex, place)
            counts[face] = corner - before
            face += 1
        if not fine:
            return line
        at = line_end(data, at) + 1
    return 0


@njit(cache=True)
def _fill_row(data: Bytes, at: int, row: FloatArray) -> tuple[int, bool]:
    for k in range(len(row)):
        at = skip_blanks(data, at)
        value, after = real_number(data, at)
        if after == at or not ends_word(data, after):
            return at, False
        row[k] = value
        at = after
    return at, True


@njit(cache=True)
def _fill_face(
    data: Bytes, at: int, corners: IntArray, corner: int, vertices: int, places: int
) -> tuple[int, int, bool]:
    """Corners as v, v/vt, v//vn or v/vt/vn; numbers below 0 count back from the last one read."""
    at = skip_blanks(data, at)
    while not (at >= len(data) or data[at] == 10):
        number, after = whole_number(data, at)
        if after == at or number == 0:
            return at, corner, False
        corners[corner, 0] = number - 1 if number > 0 else vertices + number
        corners[corner, 1] = -1
        at = after
        if at < len(data) and data[at] == 47:
            number, after = whole_number(data, at + 1)
            if after > at + 1:
                if number == 0:
                    return at, corner, False
                corners[corner, 1] = number - 1 if number > 0 else places + number
                if corners[corner, 1] < 0:
                    return at, corner, False
            at = after
            if at < len(data) and data[at] == 47:
                _, at = whole_number(data, at + 1)
        if not ends_word(data, at):
            return at, corner, False
        corner += 1
        at = skip_blanks(data, at)
    return at, corner, True
