"""Write artifacts: in one go, or as sealed parts that are joined at the end."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from fr3d import __version__
from fr3d.artifacts import atomic
from fr3d.artifacts.attributes import root_attributes
from fr3d.artifacts.image import file_image
from fr3d.artifacts.parts import PartFolder, join, open_parts
from fr3d.artifacts.provenance import Step, sha256_json
from fr3d.artifacts.rows import (
    Reject,
    Values,
    check_columns,
    digest_rows,
    encode,
    no_rows,
    reject_columns,
)
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.tables import write_rejects
from fr3d.errors import MalformedInputError

Item = TypeVar("Item")

__all__ = ["ArtifactWriter", "Reject", "write_artifact"]


def _with_digest(kind: str, columns: Mapping[str, Values]) -> dict[str, Any]:
    arrays = check_columns(kind, {k: v for k, v in columns.items() if k != "digest"})
    return {**arrays, "digest": encode(digest_rows(arrays))} if arrays else {}


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
    arrays = {**_with_digest(kind, columns), **reject_columns(rejected)}
    image = file_image(kind, arrays, root_attributes(kind, step, frame, history, attrs or {}))
    atomic.write_bytes(path, image, force)
    write_rejects(path, rejected)


class ArtifactWriter:
    """Write an artifact part by part; memory does not grow with its length.

    Finished parts are sealed beside the output. Leaving the block without an error joins them; with
    an error, or after a kill, they stay, and the same run resumes with those that are missing.

    Args:
        path: the output.
        kind: such as `fr3d.maps`.
        step: what makes it; may be replaced (`writer.step = ...`) before the block ends.
        frame: frame of the maps.
        history: the inputs' history.
        attrs: further root attributes.
        part_rows: items a part.
        force: replace an existing output and parts of another run.
        plan: JSON-able value that determines the parts; the step by default.

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
    ) -> None:
        self.path, self.kind, self.step = path, kind, step
        self.part_rows, self._force = part_rows, force
        self._describe = (frame, list(history), dict(attrs or {}))
        self._plan = sha256_json(
            [kind, __version__, part_rows, step.record() if plan is None else plan]
        )
        self.rows = 0
        self.rejected: list[Reject] = []

    def __enter__(self) -> Self:
        atomic.check_output(self.path, self._force)
        self._parts = PartFolder(self.path, self._plan, force=self._force)
        self.resumed = len(self._parts.sealed())
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
            done = self._finish()
        except BaseException:
            self._parts.release()
            raise
        self._parts.remove()
        if not done:
            raise self._nothing_usable()

    def todo(self, items: Sequence[Item] | Iterator[Item]) -> Iterator[tuple[int, list[Item]]]:
        """Groups of items whose part is not sealed yet, with the part's number."""
        stream = iter(items)
        index = 0
        while group := list(islice(stream, self.part_rows)):
            if not self._parts.part(index).exists():
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
        arrays = (_with_digest(self.kind, columns) or no_rows(self.kind)) | reject_columns(rejected)
        frame, history, attrs = self._describe
        root = root_attributes(self.kind, self.step, frame, history, attrs)
        atomic.write_bytes(self._parts.part(index), file_image(self.kind, arrays, root), force=True)

    def sealed_text(self, name: str) -> list[str]:
        """Read a text dataset of all sealed parts, in the order of their rows."""
        parts = open_parts(self._parts.sealed(), self.kind)
        return parts.text(name) if parts else []

    def _finish(self) -> bool:
        """Join the parts; False when they hold no row, so that there is nothing to resume."""
        frame, history, attrs = self._describe
        sealed = self._parts.sealed()
        self.rejected = [r for p in sealed for r in open_artifact(p, self.kind).rejected]
        parts = open_parts(sealed, self.kind)
        if parts is None:
            return False
        self.rows = len(parts)
        root = root_attributes(self.kind, self.step, frame, history, attrs)
        with atomic.writing(self.path, self._force) as temporary:
            join(parts, reject_columns(self.rejected), root, temporary)
        write_rejects(self.path, self.rejected)
        return True

    def _nothing_usable(self) -> MalformedInputError:
        if not self.rejected:
            return MalformedInputError(
                f"{self.path}: not written, there was no capture to use",
                "look into the input with 'fr3d info'",
            )
        first = self.rejected[0]
        return MalformedInputError(
            f"{self.path}: not written, none of {len(self.rejected)} captures could be used: "
            f"{first.subject_id}/{first.session_id}: {first.reason}",
            "mend them and run it again; all reasons are in "
            f"{write_rejects(self.path, self.rejected)}",
        )
