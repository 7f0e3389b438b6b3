"""The files behind an artifact: found, opened safely, and described without reading their data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py

from fr3d.artifacts.attributes import read_attributes
from fr3d.artifacts.columns import Column, Segment, segment_of
from fr3d.artifacts.parts import check_complete, sealed_parts
from fr3d.artifacts.plan import read_plan
from fr3d.artifacts.rows import Reject
from fr3d.artifacts.schema import maker
from fr3d.artifacts.validation import check_artifact, read_kind
from fr3d.errors import MalformedInputError, MissingInputError, cannot_read


def artifact_kind(path: Path) -> str:
    """The kind of an HDF5 artifact, without looking further.

    Raises:
        MissingInputError: no such file.
        MalformedInputError: not an artifact.
    """
    with _open_hdf5(path, "") as file:
        return read_kind(path, read_attributes(path, file))


def list_files(source: Path | Sequence[Path]) -> list[Path]:
    """The files behind a source: itself, or the parts of a folder, which must all be there.

    Raises:
        MissingInputError: nothing to read.
        MalformedInputError: a folder of parts that is not complete.
    """
    paths = [source] if isinstance(source, Path) else list(source)
    if not paths:
        raise MissingInputError("no input file given", "name a file or a folder of parts")
    files = []
    for path in paths:
        try:
            parts = _parts_of(path) if path.is_dir() else [path]
        except OSError as error:
            raise cannot_read(path, error) from error
        if not parts:
            raise MissingInputError(
                f"{path}: a folder without part files", "name a file, or a folder with part-*.h5"
            )
        files += parts
    return files


def _parts_of(folder: Path) -> list[Path]:
    parts = sealed_parts(folder)
    plan = read_plan(folder) if parts else None
    if plan is not None:
        check_complete([folder], plan)
    return parts


def read_rejected(segments: Sequence[Segment]) -> list[Reject]:
    """The rejects of one file."""
    by_name = {s.name.removeprefix("rejected/"): s for s in segments if "rejected/" in s.name}
    if "reason" not in by_name:
        return []
    fields = (Column([by_name[f]]) for f in ("subject_id", "session_id", "reason"))
    texts = ([bytes(value).decode() for value in column[:]] for column in fields)
    return [Reject(*values) for values in zip(*texts, strict=True)]


def _open_hdf5(path: Path, kind: str) -> h5py.File:
    by = maker(kind, path.stem)
    if not _is_hdf5(path, by):
        raise MalformedInputError(f"{path}: not an HDF5 file", f"give what {by} wrote")
    try:
        return h5py.File(path, "r", locking=False)
    except (OSError, RuntimeError) as error:
        raise MalformedInputError(
            f"{path}: cut short or damaged", f"make it again with {by}"
        ) from error


def _is_hdf5(path: Path, by: str) -> bool:
    """Whether it begins as one; a pipe is not waited for."""
    try:
        if not path.is_file():
            path.stat()
            return False
        with path.open("rb"):
            return bool(h5py.is_hdf5(path))
    except FileNotFoundError as error:
        raise MissingInputError(
            f"{path}: no such file", f"make it with {by}, or name another"
        ) from error
    except OSError as error:
        raise cannot_read(path, error) from error


def read_segments(path: Path, kind: str = "") -> tuple[dict[str, Any], list[Segment]]:
    """Root attributes and datasets of one file, validated.

    Args:
        path: the file.
        kind: what it must be; empty for any.

    Raises:
        MissingInputError: no such file.
        MalformedInputError: cut short, unsafe, or not what its kind asks.
    """
    with _open_hdf5(path, kind) as file:
        try:
            attrs = read_attributes(path, file)
            datasets = check_artifact(path, file, attrs, kind or read_kind(path, attrs))
            segments = [segment_of(path, name, d) for name, d in datasets.items()]
        except (OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
            raise MalformedInputError(f"{path}: damaged: {error}", "make it again") from error
        return attrs, segments
