"""The rows of a PLY: single values as columns, lists as one run of values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.mesh_reading.ply_header import Element, PlyHeader
from fr3d.geometry.mesh_reading.ply_kernels import walk_binary, walk_text
from fr3d.geometry.mesh_reading.surface import MAX_CORNERS, check_count
from fr3d.geometry.mesh_reading.tokens import Bytes

Array = npt.NDArray[Any]

_NO_COUNTS = np.empty(0, dtype=np.int64)
_NO_BYTES = np.empty(0, dtype=np.uint8)
_NO_NUMBERS = np.empty(0)


@dataclass(frozen=True)
class PlyBody:
    """The bytes behind a header.

    Args:
        data: (N,) the file.
        header: what its head says.
        name: of the file, for messages.
    """

    data: Bytes
    header: PlyHeader
    name: str

    def columns(self, element: Element, start: int) -> dict[str, Array]:
        """Single values of all rows, by name.

        Args:
            element: without lists.
            start: its first byte.

        Raises:
            MalformedInputError: the file ends too soon, or holds what is no number.
        """
        names = [p.name for p in element.properties]
        if not names:
            return {}
        if self.header.order:
            row = self._row(element)
            self._need(element, start + row.itemsize * element.rows)
            table = np.frombuffer(self.data, row, element.rows, start)
            return {name: table[str(k)] for k, name in enumerate(names)}
        # a number takes a byte and a blank at least, so that rows that are not there take no room
        self._need(element, start + 2 * element.rows * len(names) - 1)
        out = np.empty(element.rows * len(names))
        lists = np.zeros(len(names), dtype=np.int64)
        end, _ = walk_text(self.data, start, element.rows, lists, -2, _NO_COUNTS, out)
        self._check(element, end)
        table = out.reshape(element.rows, len(names))
        return {name: table[:, k] for k, name in enumerate(names)}

    def lists(self, element: Element, start: int, number: int) -> tuple[Array, Array]:
        """One list of all rows.

        Args:
            element: where it is.
            start: first byte of the element.
            number: of the property.

        Returns:
            Its length in each row, and all values in one run.

        Raises:
            MalformedInputError: as `columns`, or more values than are read.
        """
        self._need(element, start + element.rows)
        triangles = self._triangles(element, start)
        if triangles is not None:
            return np.full(element.rows, 3), triangles
        end, total = self._walk(element, start, number, _NO_COUNTS, _NO_BYTES, _NO_NUMBERS)
        self._check(element, end)
        kind = np.dtype(f"{self.header.order}{element.properties[number].type}")
        size = kind.itemsize if self.header.order else 1
        check_count(total // size, 2 * MAX_CORNERS, "values in lists", self.name)
        counts = np.zeros(element.rows, dtype=np.int64)
        if self.header.order:
            raw = np.empty(total, dtype=np.uint8)
            self._walk(element, start, number, counts, raw, _NO_NUMBERS)
            return counts, raw.view(kind)
        values = np.empty(total)
        self._walk(element, start, number, counts, _NO_BYTES, values)
        return counts, values

    def end(self, element: Element, start: int) -> int:
        """The place after an element."""
        if not element.properties:
            return start
        if self.header.order and not element.has_lists:
            stop = start + self._row(element).itemsize * element.rows
            self._need(element, stop)
            return stop
        self._need(element, start + element.rows - 1)
        end, _ = self._walk(element, start, -1, _NO_COUNTS, _NO_BYTES, _NO_NUMBERS)
        self._check(element, end)
        return end

    def _triangles(self, element: Element, start: int) -> Array | None:
        """All corners at once where a row is nothing but the list of a triangle."""
        if not self.header.order or len(element.properties) != 1:
            return None
        order, only = self.header.order, element.properties[0]
        row = np.dtype([("length", order + only.length_type), ("values", order + only.type, (3,))])
        if start + row.itemsize * element.rows > len(self.data):
            return None
        table = np.frombuffer(self.data, row, element.rows, start)
        return table["values"].reshape(-1) if (table["length"] == 3).all() else None

    def _walk(
        self, element: Element, start: int, number: int, counts: Array, raw: Bytes, values: Array
    ) -> tuple[int, int]:
        properties = element.properties
        if not self.header.order:
            lists = np.array([bool(p.length_type) for p in properties], dtype=np.int64)
            return walk_text(self.data, start, element.rows, lists, number, counts, values)
        sizes = np.array([np.dtype(p.type).itemsize for p in properties], dtype=np.int64)
        lengths = np.array([_length_size(p.length_type) for p in properties], dtype=np.int64)
        big = self.header.order == ">"
        return walk_binary(self.data, start, element.rows, sizes, lengths, number, big, counts, raw)

    def _row(self, element: Element) -> np.dtype[Any]:
        kinds = [f"{self.header.order}{p.type}" for p in element.properties]
        return np.dtype([(str(k), kind) for k, kind in enumerate(kinds)])

    def _need(self, element: Element, size: int) -> None:
        if size > len(self.data):
            self._check(element, -1)

    def _check(self, element: Element, end: int) -> None:
        if end < 0:
            raise MalformedInputError(
                f"{self.name}: truncated or damaged, expected {element.rows} rows of element "
                f"'{element.name}'"
            )


def _length_size(kind: str) -> int:
    """Bytes of the length of a list, negative where signed, 0 for a single value."""
    if not kind:
        return 0
    size = np.dtype(kind).itemsize
    return -size if kind[0] == "i" else size
