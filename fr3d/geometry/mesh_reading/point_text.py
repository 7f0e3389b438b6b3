"""Point clouds as text, x y z and perhaps red green blue a line, and as NumPy arrays."""

from pathlib import Path

import numpy as np
from numba import njit

from fr3d.errors import MalformedInputError
from fr3d.geometry.mesh_reading.obj import unit_colours
from fr3d.geometry.mesh_reading.surface import MAX_VERTICES, SurfaceMesh, check_count
from fr3d.geometry.mesh_reading.tokens import (
    Bytes,
    FloatArray,
    ends_word,
    line_end,
    real_number,
    skip_blanks,
)

_COLUMNS = (3, 6)


def parse_point_text(data: Bytes, name: str) -> SurfaceMesh:
    """Read points; numbers are parted by blanks or commas, lines that begin with # or / passed by.

    Args:
        data: (N,) the file.
        name: its name, for messages.

    Raises:
        MalformedInputError: a line that is not of 3 or 6 numbers like the first, or too many.
    """
    lines, columns = _count(data)
    check_count(lines, MAX_VERTICES, "points", name)
    if lines and columns not in _COLUMNS:
        raise MalformedInputError(
            f"{name}: found {columns} values in the first line, expected x y z [red green blue]"
        )
    table = np.empty((lines, max(columns, 3)))
    wrong = _fill(data, table)
    if wrong:
        raise MalformedInputError(
            f"{name}: line {wrong} cannot be read, expected {columns} finite numbers"
        )
    return _points(table)


def load_point_array(path: Path) -> SurfaceMesh:
    """Read points from an NPY file; nothing is unpickled, and memory is taken after a look.

    Args:
        path: array of shape (N, 3) or (N, 6).

    Raises:
        MalformedInputError: damaged, another shape or type, or too many.
    """
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, TypeError, OverflowError) as error:
        raise MalformedInputError(f"{path.name}: not an NPY file of numbers") from error
    if (
        not isinstance(values, np.ndarray)
        or values.dtype.kind not in "iuf"
        or values.ndim != 2
        or values.shape[1] not in _COLUMNS
    ):
        raise MalformedInputError(f"{path.name}: expected an array of shape (N, 3) or (N, 6)")
    check_count(len(values), MAX_VERTICES, "points", path.name)
    return _points(np.asarray(values, dtype=np.float64))


def _points(table: FloatArray) -> SurfaceMesh:
    return SurfaceMesh(
        vertices=np.ascontiguousarray(table[:, :3]),
        triangles=np.empty((0, 3), dtype=np.int64),
        colours=unit_colours(table[:, 3:]) if table.shape[1] == 6 else None,
    )


@njit(cache=True)
def _is_comment(data: Bytes, at: int) -> bool:
    """Whether a line holds nothing to read."""
    return at >= len(data) or data[at] == 10 or data[at] == 35 or data[at] == 47


@njit(cache=True)
def _skip_separators(data: Bytes, at: int) -> int:
    at = skip_blanks(data, at)
    if at < len(data) and (data[at] == 44 or data[at] == 59):
        at = skip_blanks(data, at + 1)
    return at


@njit(cache=True)
def _count(data: Bytes) -> tuple[int, int]:
    """Lines with points, and the values in the first of them."""
    lines, columns, at = 0, 0, 0
    while at < len(data):
        at = skip_blanks(data, at)
        if not _is_comment(data, at):
            if lines == 0:
                place = at
                while not (place >= len(data) or data[place] == 10):
                    columns += 1
                    while not _ends_value(data, place):
                        place += 1
                    place = _skip_separators(data, place)
            lines += 1
        at = line_end(data, at) + 1
    return lines, columns


@njit(cache=True)
def _fill(data: Bytes, table: FloatArray) -> int:
    """Take the values; 0, or the number of the first line that cannot be read."""
    row, line, at = 0, 0, 0
    while at < len(data):
        line += 1
        at = skip_blanks(data, at)
        if not _is_comment(data, at):
            for k in range(table.shape[1]):
                value, after = real_number(data, at)
                if after == at or not _ends_value(data, after):
                    return line
                table[row, k] = value
                at = _skip_separators(data, after)
            if not (at >= len(data) or data[at] == 10):
                return line
            row += 1
        at = line_end(data, at) + 1
    return 0


@njit(cache=True)
def _ends_value(data: Bytes, at: int) -> bool:
    return ends_word(data, at) or data[at] == 44 or data[at] == 59
