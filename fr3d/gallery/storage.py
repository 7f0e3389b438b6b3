"""A gallery on disk: records first, then the index, under one lock; opened by either name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import faiss

from fr3d.artifacts import atomic
from fr3d.errors import CannotWriteError, MissingInputError, UsageError
from fr3d.gallery import lock
from fr3d.gallery.index import build_index, digest, load_index
from fr3d.gallery.records import (
    MAGIC_BYTES,
    GalleryRecords,
    check_magic,
    from_bytes,
    to_bytes,
)


@dataclass(frozen=True)
class GalleryPaths:
    """The files of one gallery.

    Attributes:
        index: the FAISS index.
        records: the truth.
        lock: held by whoever reads or writes the two.
    """

    index: Path
    records: Path
    lock: Path

    @classmethod
    def of(cls, path: Path) -> "GalleryPaths":
        """The files of the gallery that either of its names stands for.

        Raises:
            UsageError: a name that no gallery has.
        """
        if path.suffix not in (".faiss", ".h5"):
            raise UsageError(f"{path}: not a name for a gallery", "call it gallery.faiss")
        return cls(*(path.with_suffix(suffix) for suffix in (".faiss", ".h5", ".lock")))


@dataclass(frozen=True)
class Gallery:
    """An open gallery.

    Attributes:
        records: the truth.
        index: of the templates.
        repaired: why the index had to be made again; empty when it did not.
    """

    records: GalleryRecords
    index: faiss.Index
    repaired: str = ""


def create_gallery(path: Path, records: GalleryRecords, force: bool = False) -> GalleryRecords:
    """Put a new gallery in place.

    Args:
        path: either name.
        records: the gallery.
        force: replace one that exists.

    Returns:
        The records as written.

    Raises:
        CannotWriteError: it exists, or cannot be written.
    """
    paths = GalleryPaths.of(path)
    check_new(path, force)
    with lock.exclusive(paths.lock):
        check_new(path, force)
        return _write(paths, records)


def check_new(path: Path, force: bool) -> None:
    """Refuse early to replace a gallery.

    Raises:
        CannotWriteError: it exists and `force` is not set, or its folder does not exist.
    """
    paths = GalleryPaths.of(path)
    atomic.check_output(paths.records, force)
    atomic.check_output(paths.index, force)


def update_gallery(
    path: Path, change: Callable[[GalleryRecords], GalleryRecords]
) -> GalleryRecords:
    """Change a gallery; changes by several processes follow one another, none is lost.

    Args:
        path: either name.
        change: maps the records as they are to what they shall be.

    Returns:
        The records as written.
    """
    paths = GalleryPaths.of(path)
    _check_there(paths)
    with lock.exclusive(paths.lock):
        records = from_bytes(paths.records.read_bytes(), paths.records)
        return _write(paths, replace(change(records), generation=records.generation + 1))


def open_gallery(path: Path) -> Gallery:
    """Open a gallery; an index that is missing or not that of the records is made again.

    Args:
        path: either name.

    Raises:
        MissingInputError: there is no such gallery.
        MalformedInputError: its records are damaged.
    """
    paths = GalleryPaths.of(path)
    _check_there(paths)
    with lock.shared(paths.lock):
        records, index = _read(paths)
    if index is not None:
        return Gallery(records, load_index(index))
    state = "does not match its records" if paths.index.exists() else "was missing"
    try:
        return Gallery(*_repair(paths), f"{paths.index}: {state}, made again from {paths.records}")
    except CannotWriteError:
        note = f"{paths.index}: {state}, and cannot be written; made again in memory"
        return Gallery(records, load_index(build_index(records.templates)), note)


def _check_there(paths: GalleryPaths) -> None:
    if not paths.records.is_file():
        hint = f"{paths.index.name} alone knows no names; both files belong together"
        raise MissingInputError(
            f"{paths.records}: no such file",
            hint if paths.index.exists() else "make it with 'fr3d enroll'",
        )
    with paths.records.open("rb") as stream:
        check_magic(stream.read(MAGIC_BYTES), paths.records)  # before a lock is put beside it


def _read(paths: GalleryPaths) -> tuple[GalleryRecords, bytes | None]:
    """Records, and the index where it is theirs. The caller holds the lock."""
    records = from_bytes(paths.records.read_bytes(), paths.records)
    try:
        index = paths.index.read_bytes()
    except FileNotFoundError:
        return records, None
    return records, index if digest(index) == records.index_sha256 else None


def _repair(paths: GalleryPaths) -> tuple[GalleryRecords, faiss.Index]:
    """Make the index again from the records as they are once no one else writes."""
    with lock.exclusive(paths.lock):
        records, index = _read(paths)
        if index is None:
            index = build_index(records.templates)
            if digest(index) == records.index_sha256:
                atomic.write_bytes(paths.index, index, force=True)
            else:  # another version of FAISS writes other bytes
                records = _write(paths, records)
        return records, load_index(index)


def _write(paths: GalleryPaths, records: GalleryRecords) -> GalleryRecords:
    """Records first: should the second write not happen, the index is made again from them."""
    index = build_index(records.templates)
    records = replace(records, index_sha256=digest(index))
    atomic.write_bytes(paths.records, to_bytes(records), force=True)
    atomic.write_bytes(paths.index, index, force=True)
    return records
