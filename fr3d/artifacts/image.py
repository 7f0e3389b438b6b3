"""HDF5 without letting HDF5 touch the disk: it lays files out in memory, we write the bytes.

HDF5 ends the process when the disk is full, so the layout is made here and data is put in place by
ordinary writes, which fail like any other.
"""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fr3d.artifacts.attributes import write_attributes
from fr3d.artifacts.rows import Block
from fr3d.artifacts.schema import find_spec

_PAGE = 1 << 12
_ALIGN = {"alignment_threshold": 1 << 10, "alignment_interval": 64}


@dataclass(frozen=True)
class Skeleton:
    """A file's metadata, with holes where the datasets will lie.

    Attributes:
        size: length of the file in bytes.
        pages: the parts that are not holes, by offset.
        offsets: where each dataset begins; None for an empty one.
    """

    size: int
    pages: Mapping[int, bytes]
    offsets: Mapping[str, int | None]


class _SparseFile(io.RawIOBase):
    """A file in memory that keeps only the pages that were written."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[int, bytearray] = {}
        self.size = 0
        self._at = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = base + offset
        return self._at

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        return self.size

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        for start, page, inside, length in self._spans(len(view)):
            data = self.pages.get(page, bytes(_PAGE))
            view[start : start + length] = data[inside : inside + length]
        self._at += len(view)
        return len(view)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for start, page, inside, length in self._spans(len(view)):
            target = self.pages.setdefault(page, bytearray(_PAGE))
            target[inside : inside + length] = view[start : start + length]
        self._at += len(view)
        self.size = max(self.size, self._at)
        return len(view)

    def _spans(self, length: int) -> list[tuple[int, int, int, int]]:
        spans, done = [], 0
        while done < length:
            page, inside = divmod(self._at + done, _PAGE)
            step = min(_PAGE - inside, length - done)
            spans.append((done, page, inside, step))
            done += step
        return spans


def describe(dataset: h5py.Dataset, kind: str, name: str) -> None:
    """Attach unit, axes and long name from the schema."""
    spec = find_spec(kind, name)
    if spec is None:
        return
    axes = spec.axes
    if spec.optional_axis and dataset.ndim == len(axes) + 1:
        axes = (*axes, spec.optional_axis)
    words = {"units": spec.units, "axes": " ".join(axes), "long_name": spec.long_name}
    write_attributes(dataset, words)


Shapes = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]


def skeleton(kind: str, shapes: Shapes, attrs: Mapping[str, Any]) -> Skeleton:
    """Lay out a file of any size without holding its data.

    Args:
        kind: of artifact.
        shapes: shape and type of each dataset.
        attrs: root attributes.
    """
    typed = tuple((name, type(value), value) for name, value in sorted(attrs.items()))
    return _lay_out(kind, tuple(shapes.items()), typed)


@lru_cache(4)  # the parts of a run are alike, and HDF5 takes milliseconds
def _lay_out(kind: str, shapes: tuple[Any, ...], attrs: tuple[Any, ...]) -> Skeleton:
    memory = _SparseFile()
    with h5py.File(memory, "w", **_ALIGN) as file:
        write_attributes(file, {name: value for name, _, value in attrs})
        for name, (shape, dtype) in shapes:
            describe(_reserve(file, name, shape, dtype), kind, name)
        file.flush()
        offsets = {name: file[name].id.get_offset() for name, _ in shapes}
    pages = {page * _PAGE: bytes(data) for page, data in sorted(memory.pages.items())}
    return Skeleton(memory.size, pages, offsets)


def _reserve(
    file: h5py.File, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> h5py.Dataset:
    """A contiguous dataset whose place is fixed now and whose bytes HDF5 never writes."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_obj_track_times(False)
    plist.set_layout(h5py.h5d.CONTIGUOUS)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    file.require_group(name.rpartition("/")[0] or "/")
    space = h5py.h5s.create_simple(shape)
    type_id = h5py.h5t.py_create(_disk_type(dtype), logical=True)
    h5py.h5d.create(file.id, name.encode(), type_id, space, plist)
    return file[name]


def _disk_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return h5py.string_dtype("utf-8", dtype.itemsize) if dtype.kind == "S" else dtype


def begin_file(handle: int, plan: Skeleton) -> None:
    """Write everything but the data.

    The whole length is claimed first, so that a full disk shows before the work is done.

    Raises:
        OSError: the operating system refused.
    """
    os.posix_fallocate(handle, 0, plan.size)
    for offset, page in plan.pages.items():
        write_at(handle, page[: max(0, plan.size - offset)], offset)


def write_file(
    handle: int, kind: str, blocks: Mapping[str, Block], attrs: Mapping[str, Any]
) -> None:
    """Write a whole artifact to an empty file.

    Args:
        handle: the file, open for writing.
        kind: of artifact.
        blocks: values by dataset name.
        attrs: root attributes.

    Raises:
        OSError: the operating system refused.
    """
    plan = skeleton(kind, {name: (b.shape, b.dtype) for name, b in blocks.items()}, attrs)
    begin_file(handle, plan)
    for name, block in blocks.items():
        offset = plan.offsets[name] or 0  # none where there are no rows, so nothing is written
        for piece in block.pieces:
            offset += write_at(handle, piece, offset)


def write_at(handle: int, data: bytes | npt.NDArray[Any], offset: int) -> int:
    """Write all of something at an offset; a single call may write less.

    Returns:
        How many bytes that was.
    """
    view = np.frombuffer(data, np.uint8).data
    total = len(view)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
    return total
