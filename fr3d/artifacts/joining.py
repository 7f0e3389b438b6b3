"""Sealed parts become one file: their rows are streamed to their places, nothing is held."""

import errno
import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fr3d.artifacts import atomic
from fr3d.artifacts.columns import Column, Segment
from fr3d.artifacts.files import read_rejected, read_segments
from fr3d.artifacts.image import begin_file, skeleton, write_at
from fr3d.artifacts.plan import PLAN_ATTRIBUTE, ContentsDigest, PartPlan
from fr3d.artifacts.rows import Reject, reject_columns
from fr3d.artifacts.tables import write_rejects
from fr3d.errors import MalformedInputError

_PIECE = 1 << 20
_NO_KERNEL_COPY = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM)
_KEY = 16


@dataclass(frozen=True)
class _Part:
    """Where the rows of a part lie.

    Attributes:
        path: the file.
        rows: how many.
        spans: offset and length in bytes of each dataset, in the order of the file's datasets.
        widths: bytes a value.
    """

    path: Path
    rows: int
    spans: tuple[tuple[int, int], ...]
    widths: tuple[int, ...]


@dataclass
class _Found:
    """What a pass over all parts tells; of each row it keeps sixteen bytes."""

    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)
    rejected: list[Reject] = field(default_factory=list)
    keys: bytearray = field(default_factory=bytearray)
    contents: str = ""

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True)
class Joined:
    """What became of parts.

    Attributes:
        rows: of the artifact; 0 when there was nothing to write.
        rejected: captures that were left out.
    """

    rows: int
    rejected: tuple[Reject, ...]


def join_parts(paths: Sequence[Path], plan: PartPlan, output: Path, *, force: bool) -> Joined:
    """Join parts, and list their rejects beside the output.

    Args:
        paths: all parts in order.
        plan: what they are of.
        output: the artifact.
        force: replace an existing output.

    Raises:
        CannotWriteError: the output exists or cannot be written.
        MalformedInputError: the parts do not go together.
    """
    found = _survey(paths, plan)
    if not found.rows:
        return Joined(0, tuple(found.rejected))
    _check_unique(found)
    rejects = reject_columns(found.rejected)
    shapes = {name: ((found.rows, *shape), dtype) for name, (shape, dtype) in found.shapes.items()}
    shapes |= {name: (array.shape, array.dtype) for name, array in rejects.items()}
    layout = skeleton(plan.kind, shapes, plan.citing(found.contents).root())
    with atomic.writing(output, force) as temporary:
        handle = os.open(temporary, os.O_RDWR)
        try:
            begin_file(handle, layout)
            _stream(found, handle, layout.offsets)
            for name, array in rejects.items():
                write_at(handle, array, layout.offsets[name] or 0)
        finally:
            os.close(handle)
    write_rejects(output, found.rejected)
    return Joined(found.rows, tuple(found.rejected))


def _survey(paths: Sequence[Path], plan: PartPlan) -> _Found:
    """Look at every part once."""
    found, contents = _Found(), ContentsDigest(plan)
    for path in paths:
        attrs, segments = read_segments(path, plan.kind)
        if attrs.get(PLAN_ATTRIBUTE) != plan.digest:
            raise MalformedInputError(
                f"{path}: is of a run with other inputs or options",
                "join only parts of one command line over the same files",
            )
        found.rejected += read_rejected(segments)
        by_name = {s.name: s for s in segments if not s.name.startswith("rejected/")}
        if by_name["subject_id"].shape[0]:
            _note(path, by_name, found)
            if plan.contents is not None:
                contents.add(_text(by_name[plan.contents.dataset]))
    found.contents = contents.hexdigest()
    return found


def _note(path: Path, segments: Mapping[str, Segment], found: _Found) -> None:
    if found.shapes and set(segments) != set(found.shapes):
        odd = min(set(segments) ^ set(found.shapes))
        raise _differ(path, f"dataset '{odd}' is not in every part")
    for name, segment in segments.items():
        trailing, dtype = segment.shape[1:], segment.dtype
        shape, widest = found.shapes.get(name, (trailing, dtype))
        if shape != trailing or (widest != dtype and dtype.kind != "S"):
            raise _differ(path, f"'{name}' has another shape or type than in the parts before")
        found.shapes[name] = shape, max(widest, dtype, key=lambda d: d.itemsize)
    ordered = [segments[name] for name in found.shapes]
    if any(s.offset is None for s in ordered):
        raise _differ(path, "it was not written as a part")
    spans = tuple((s.offset or 0, math.prod(s.shape) * s.dtype.itemsize) for s in ordered)
    widths = tuple(s.dtype.itemsize for s in ordered)
    found.parts.append(_Part(path, ordered[0].shape[0], spans, widths))
    for row in _keys(segments):
        found.keys += hashlib.blake2b(row.encode(), digest_size=_KEY).digest()


def _keys(segments: Mapping[str, Segment]) -> list[str]:
    names = [n for n in ("subject_id", "session_id", "view") if n in segments]
    return ["\0".join(key) for key in zip(*(_text(segments[n]) for n in names), strict=True)]


def _text(segment: Segment) -> list[str]:
    return [bytes(value.item()).decode() for value in Column([segment])]


def _check_unique(found: _Found) -> None:
    keys = np.frombuffer(found.keys, f"V{_KEY}")
    if len(np.unique(keys.view([("head", "<u8"), ("tail", "<u8")]))) == len(keys):
        return
    seen: set[str] = set()
    for part in found.parts:
        for key in _keys({s.name: s for s in read_segments(part.path)[1]}):
            if key in seen:
                name = "/".join(key.split("\0")[:2])
                raise _differ(part.path, f"session {name} stands in another row as well")
            seen.add(key)


def _differ(path: Path, what: str) -> MalformedInputError:
    return MalformedInputError(f"{path}: {what}", "make the parts again, all with one command line")


def _stream(found: _Found, target: int, offsets: Mapping[str, int | None]) -> None:
    ends = [offsets[name] or 0 for name in found.shapes]
    types = [dtype for _, dtype in found.shapes.values()]
    for part in found.parts:
        source = os.open(part.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for i, ((offset, size), width) in enumerate(zip(part.spans, part.widths, strict=True)):
                if width == types[i].itemsize:
                    _copy(part.path, source, offset, target, ends[i], size)
                else:  # text narrower than the widest part's is padded with zero bytes
                    text = np.frombuffer(os.pread(source, size, offset), f"S{width}")
                    write_at(target, text.astype(types[i]), ends[i])
                ends[i] += size // width * types[i].itemsize
        finally:
            os.close(source)


def _copy(path: Path, source: int, offset: int, target: int, end: int, size: int) -> None:
    """Copy bytes inside the kernel where the file system can, which some do without copying."""
    done = 0
    while done < size:
        try:
            step = os.copy_file_range(source, target, size - done, offset + done, end + done)
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
            step = write_at(
                target, os.pread(source, min(_PIECE, size - done), offset + done), end + done
            )
        if not step:
            raise _differ(path, "changed while it was being read")
        done += step


def nothing_usable(output: Path, rejected: Sequence[Reject]) -> MalformedInputError:
    """The error to raise when parts hold no row; their rejects are listed beside the output."""
    if not rejected:
        return MalformedInputError(
            f"{output}: not written, there was no capture to use",
            "look into the input with 'fr3d info'",
        )
    first = rejected[0]
    return MalformedInputError(
        f"{output}: not written, none of {len(rejected)} captures could be used: "
        f"{first.subject_id}/{first.session_id}: {first.reason}",
        f"mend them and run it again; all reasons are in {write_rejects(output, rejected)}",
    )
