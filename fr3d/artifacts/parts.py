"""Sealed part files beside an output: finished rows that survive a kill, and their joining."""

import fcntl
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fr3d.artifacts import atomic
from fr3d.artifacts.image import Skeleton, skeleton
from fr3d.artifacts.provenance import canonical_json
from fr3d.artifacts.store import Artifact, open_artifact
from fr3d.errors import CannotWriteError


class PartFolder:
    """The folder `<output>.parts`, held by one writer at a time.

    Args:
        path: the output that the parts belong to.
        plan: digest of everything that determines the parts; parts of another plan are not reused.
        force: throw parts of another plan away.

    Raises:
        CannotWriteError: another writer is at work, or parts of another plan lie there.
    """

    def __init__(self, path: Path, plan: str, *, force: bool) -> None:
        self.output = path
        self.folder = path.with_name(path.name + ".parts")
        try:
            self.folder.mkdir(exist_ok=True)
            self._lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o666)
        except OSError as error:
            raise atomic.cannot_write(self.folder, error) from error
        self._take_lock()
        try:
            self._adopt(plan, force)
        except BaseException:
            self.release()
            raise

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise CannotWriteError(
                f"{self.output}: another process is writing it",
                "wait for it, or choose another --output",
            ) from error

    def _adopt(self, plan: str, force: bool) -> None:
        note = self.folder / "plan.json"
        sealed = self.sealed()
        if sealed and (not note.exists() or json.loads(note.read_text())["plan"] != plan):
            if not force:
                raise CannotWriteError(
                    f"{self.folder}: unfinished parts of a run with other inputs or options",
                    "repeat that run to resume it, or use --force to drop them",
                )
            for part in sealed:
                part.unlink()
        atomic.write_bytes(note, (canonical_json({"plan": plan}) + "\n").encode(), force=True)

    def part(self, index: int) -> Path:
        """Where part `index` lies once it is sealed."""
        return self.folder / f"part-{index:06d}.h5"

    def sealed(self) -> list[Path]:
        """The parts that are complete, in order."""
        return sorted(self.folder.glob("part-*.h5"))

    def release(self) -> None:
        """Let others write; the parts stay, and where there is none yet nothing does."""
        if not self.sealed():
            with suppress(OSError):  # an error is being reported already
                shutil.rmtree(self.folder)
        os.close(self._lock)

    def remove(self) -> None:
        """Remove the parts, once they are joined."""
        shutil.rmtree(self.folder)
        os.close(self._lock)


def open_parts(paths: Sequence[Path], kind: str) -> Artifact | None:
    """All parts that hold rows as one artifact, or None when none do."""
    filled = [p for p in paths if len(open_artifact(p, kind))]
    return open_artifact(filled, kind) if filled else None


def join(parts: Artifact, extra: Mapping[str, Any], attrs: Mapping[str, Any], target: Path) -> None:
    """Stream the rows of parts to their places in one file.

    Args:
        parts: the rows.
        extra: further arrays by dataset name, held in memory (rejects).
        attrs: root attributes.
        target: the file to fill; it exists and is empty.

    Raises:
        OSError: the operating system refused, for instance on a full disk.
    """
    shapes = {name: (parts[name].shape, parts[name].dtype) for name in parts.names}
    shapes |= {name: (array.shape, array.dtype) for name, array in extra.items()}
    plan = skeleton(parts.kind, shapes, attrs)
    handle = os.open(target, os.O_WRONLY)
    try:
        _reserve_bytes(handle, plan)
        for name in parts.names:
            _stream(
                handle,
                plan.offsets[name],
                (row.tobytes() for row in parts[name]),
                parts[name].dtype,
            )
        for name, array in extra.items():
            _stream(handle, plan.offsets[name], [array.tobytes()], array.dtype)
    finally:
        os.close(handle)


def _reserve_bytes(handle: int, plan: Skeleton) -> None:
    """Claim the whole length first, so that a full disk shows before the work is done."""
    os.posix_fallocate(handle, 0, plan.size)
    for offset, page in plan.pages.items():
        _write_all(handle, page[: max(0, plan.size - offset)], offset)


def _stream(handle: int, offset: int | None, pieces: Any, dtype: Any) -> None:
    for piece in pieces:
        if offset is None:
            return
        # a text row shorter than the widest part's is padded with zero bytes
        data = piece.ljust(dtype.itemsize, b"\0") if dtype.kind == "S" else piece
        _write_all(handle, data, offset)
        offset += len(data)


def _write_all(handle: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
