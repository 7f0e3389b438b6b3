"""Row access to one dataset across one or several files, by offset."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError

_OPEN_FILES = 4

Rows = int | slice | Sequence[int] | npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Segment:
    """One dataset of one file: where its rows lie.

    Attributes:
        path: the file.
        name: the dataset.
        shape: its shape.
        dtype: its type on disk.
        offset: byte offset when it is contiguous, None when it is chunked.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int | None


class Column:
    """A dataset of an artifact, read row by row.

    Contiguous rows are read at their offset, which is safe across processes and threads and, unlike
    a memory map, does not count the whole file as memory in use; chunked data (written by other
    tools) is read through HDF5. Files are opened once a process. What comes back is a copy.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = list(segments)
        self._ends = np.cumsum([s.shape[0] for s in segments])
        self._open: dict[int, Any] = {}
        self._owner = os.getpid()
        self.dtype = np.result_type(*(s.dtype for s in segments))
        self.shape = (int(self._ends[-1]), *segments[0].shape[1:])

    def __getstate__(self) -> dict[str, Any]:
        """Open files stay behind when a column goes to another process."""
        return {**self.__dict__, "_open": {}}

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        for which, segment in enumerate(self._segments):
            for row in range(segment.shape[0]):
                yield np.array(self._source(which)[row])
            self._open.pop(which, None)  # one file open at a time, however many parts there are

    def __getitem__(self, rows: Rows) -> npt.NDArray[Any]:
        if isinstance(rows, int | np.integer):
            return self._row(int(rows))
        if isinstance(rows, slice):
            rows = range(*rows.indices(len(self)))
        if len(rows) == 0:
            return np.empty((0, *self.shape[1:]), self.dtype)
        return np.stack([self._row(int(i)) for i in rows]).astype(self.dtype, copy=False)

    def _row(self, row: int) -> npt.NDArray[Any]:
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        row %= len(self)
        which = int(np.searchsorted(self._ends, row, side="right"))
        start = int(self._ends[which]) - self._segments[which].shape[0]
        return np.array(self._source(which)[row - start])

    def _source(self, which: int) -> Any:
        if self._owner != os.getpid():  # HDF5 handles do not survive a fork
            self._open, self._owner = {}, os.getpid()
        if which not in self._open:
            if len(self._open) == _OPEN_FILES:  # thousands of parts must not use up the handles
                self._open.clear()
            self._open[which] = _open_segment(self._segments[which])
        return self._open[which]


def _open_segment(segment: Segment) -> Any:
    try:
        if segment.offset is None:
            return h5py.File(segment.path, "r", locking=False)[segment.name]
        return _ContiguousRows(segment)
    except (OSError, KeyError) as error:
        raise _changed(segment) from error


def _changed(segment: Segment) -> MalformedInputError:
    return MalformedInputError(
        f"{segment.path}: changed while it was being read", "run the command again"
    )


class _ContiguousRows:
    """Rows of a contiguous dataset, each read with one system call."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._handle = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        self._bytes = math.prod(segment.shape[1:]) * segment.dtype.itemsize

    def __del__(self) -> None:
        os.close(self._handle)

    def __getitem__(self, row: int) -> npt.NDArray[Any]:
        segment, data = self._segment, bytearray(self._bytes)
        view, offset = memoryview(data), (segment.offset or 0) + row * self._bytes
        while view:  # a read may be short, and ends at 2 GiB
            done = os.preadv(self._handle, [view], offset)
            if not done:
                raise _changed(segment)
            view, offset = view[done:], offset + done
        return np.frombuffer(data, segment.dtype).reshape(segment.shape[1:])


def segment_of(path: Path, name: str, dataset: h5py.Dataset) -> Segment:
    """Describe an open dataset so that it can be read after its file is closed."""
    dtype = dataset.dtype
    plain = np.dtype(f"S{dtype.itemsize}") if dtype.kind == "S" else np.dtype(dtype.str)
    offset = dataset.id.get_offset() if dataset.chunks is None else None
    return Segment(path, name, dataset.shape, plain, offset)
