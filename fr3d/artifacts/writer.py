"""Write artifacts: in one go, or as sealed parts that are joined at the end."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from fr3d import __version__
from fr3d.artifacts import atomic
from fr3d.artifacts.attributes import root_attributes
from fr3d.artifacts.drafts import Draft, Drafter
from fr3d.artifacts.image import write_file
from fr3d.artifacts.joining import join_parts, nothing_usable
from fr3d.artifacts.parts import PartFolder
from fr3d.artifacts.plan import Contents, PartPlan
from fr3d.artifacts.provenance import Step, sha256_json
from fr3d.artifacts.rows import Reject, Values, part_blocks
from fr3d.artifacts.shard import Shard
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.tables import write_rejects

Item = TypeVar("Item")

__all__ = ["ArtifactWriter", "Reject", "write_artifact"]


def write_artifact(
    path: Path,
    kind: str,
    columns: Mapping[str, Values],
    step: Step,
    *,
    frame: str = "",
    history: Sequence[Mapping[str, Any]] = (),
    attrs: Mapping[str, Any] | None = None,
    rejected: Sequence[Reject] = (),
    force: bool = False,
) -> None:
    """Write a small artifact in one go, whole or not at all.

    Args:
        path: the output.
        kind: such as `fr3d.embeddings`.
        columns: row-aligned arrays or lists of text by dataset name.
        step: what made it.
        frame: frame of the maps, where there are any.
        history: the inputs' history.
        attrs: further root attributes.
        rejected: captures that were left out.
        force: replace an existing output.

    Raises:
        CannotWriteError: the output exists or cannot be written.
        MalformedInputError: the columns do not fit the kind.
    """
    atomic.check_output(path, force)
    blocks = part_blocks(kind, columns, rejected)
    root = root_attributes(kind, step, frame, history, attrs or {})
    with atomic.writing(path, force) as temporary:
        handle = os.open(temporary, os.O_WRONLY)
        try:
            write_file(handle, kind, blocks, root)
        finally:
            os.close(handle)
    write_rejects(path, rejected)


class ArtifactWriter:
    """Write an artifact part by part; memory does not grow with its length.

    Finished parts are sealed beside the output. Leaving the block without an error joins them; with
    an error, or after a kill, they stay, and the same run resumes with those that are missing. A
    shard makes its own parts only and leaves the joining to `merge_parts`, or to a run for all.

    Args:
        path: the output.
        kind: such as `fr3d.maps`.
        step: what makes it.
        frame: frame of the maps.
        history: the inputs' history.
        attrs: further root attributes.
        part_rows: items a part.
        force: replace an existing output and parts of another run.
        plan: JSON-able value that determines the parts; the step by default.
        items: how many there will be, so that a folder of parts can be known to be complete.
        contents: what history cites once all rows are made.
        shard: make only some of the parts, and do not join them.

    Attributes:
        resumed: parts that were there before.
        rows: of the output, or of a shard's parts; known when the block has ended.
        rejected: captures that were left out, likewise.

    Raises:
        CannotWriteError: the output exists, is being written, or cannot be.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        step: Step,
        *,
        frame: str = "",
        history: Sequence[Mapping[str, Any]] = (),
        attrs: Mapping[str, Any] | None = None,
        part_rows: int = 64,
        force: bool = False,
        plan: Any = None,
        items: int | None = None,
        contents: Contents | None = None,
        shard: Shard | None = None,
    ) -> None:
        self.path, self.kind = path, kind
        self.shard, self._force = shard, force
        determined = [kind, __version__, part_rows, step.record() if plan is None else plan]
        self._plan = PartPlan(
            sha256_json(determined),
            kind,
            step,
            frame,
            list(history),
            dict(attrs or {}),
            part_rows,
            items,
            contents,
        )
        self.rows = 0
        self.rejected: list[Reject] = []

    @property
    def drafter(self) -> Drafter:
        """Writes parts that `seal_draft` then puts in place; it may go to other processes."""
        return Drafter(self._parts.folder.absolute(), self.kind, self._plan.part_root())

    @property
    def locked(self) -> bool:
        """False where the file system has no locks to keep others from doing the same work."""
        return self._parts.locked

    def __enter__(self) -> Self:
        atomic.check_output(self.path, self._force)
        self._parts = PartFolder(self.path, self._plan, shard=self.shard, force=self._force)
        self.resumed = len(self._own_parts())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._parts.release()
            return
        try:
            self._finish()
        except BaseException:
            self._parts.release()
            raise
        if self.shard is not None:
            self._parts.release()
            return
        self._parts.remove()  # when they hold no row there is nothing to resume
        if not self.rows:
            raise nothing_usable(self.path, self.rejected)

    def todo(self, items: Sequence[Item] | Iterator[Item]) -> Iterator[tuple[int, list[Item]]]:
        """Groups of items whose part is wanted and not sealed yet, with the part's number."""
        stream = iter(items)
        index = 0
        while group := list(islice(stream, self._plan.part_rows)):
            wanted = self.shard is None or self.shard.takes(index)
            if wanted and not self._parts.part(index).exists():
                yield index, group
            index += 1

    def seal(
        self, index: int, columns: Mapping[str, Values], rejected: Sequence[Reject] = ()
    ) -> None:
        """Put one part in place; it will never be written again.

        Args:
            index: the part's number, as `todo` gave it.
            columns: its rows by dataset; may be empty when all were rejected.
            rejected: its captures that were left out.

        Raises:
            CannotWriteError: the operating system refused.
            MalformedInputError: the columns do not fit the kind.
        """
        self.seal_draft(self.drafter.draft(index, columns, rejected))

    def seal_draft(self, draft: Draft) -> None:
        """Put a part in place that the drafter wrote, here or in another process.

        Raises:
            CannotWriteError: the operating system refused.
        """
        self.drafter.seal(draft)

    def share(self, items: int) -> int:
        """How many of `items` this writer's parts are made of: all, but for a shard."""
        if self.shard is None:
            return items
        size = self._plan.part_rows
        starts = range((self.shard.number - 1) * size, items, self.shard.count * size)
        return sum(min(size, items - start) for start in starts)

    def missing(self) -> int | None:
        """How many parts of the whole are not sealed yet; None when that cannot be known."""
        return None if self._plan.parts is None else self._plan.parts - len(self._parts.sealed())

    def _own_parts(self) -> list[Path]:
        sealed = self._parts.sealed()
        if self.shard is None:
            return sealed
        last = int(sealed[-1].stem.removeprefix("part-")) + 1 if sealed else 0
        mine = {self._parts.part(i) for i in range(last) if self.shard.takes(i)}
        return [path for path in sealed if path in mine]

    def _finish(self) -> None:
        """Join the parts; a shard only counts its own."""
        if self.shard is not None:
            parts = [open_artifact(path, self.kind) for path in self._own_parts()]
            self.rows = sum(map(len, parts))
            self.rejected = [reject for part in parts for reject in part.rejected]
            return
        done = join_parts(self._parts.sealed(), self._plan, self.path, force=self._force)
        self.rows, self.rejected = done.rows, list(done.rejected)
