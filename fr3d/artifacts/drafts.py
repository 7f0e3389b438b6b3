"""Parts are drafted by whoever has their rows, and sealed by the one who holds the folder."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fr3d.artifacts import atomic
from fr3d.artifacts.image import write_file
from fr3d.artifacts.parts import part_path
from fr3d.artifacts.rows import Reject, Values, part_blocks


@dataclass(frozen=True)
class Draft:
    """A part that is written but not sealed.

    Attributes:
        index: the part's number.
        temporary: where it lies.
        rows: how many it holds.
        rejected: captures that were left out.
    """

    index: int
    temporary: Path
    rows: int
    rejected: tuple[Reject, ...]


@dataclass(frozen=True)
class Drafter:
    """Writes drafts; it can be sent to worker processes, so that rows need not travel.

    Attributes:
        folder: of the parts.
        kind: of artifact.
        root: attributes of each part.
    """

    folder: Path
    kind: str
    root: Mapping[str, Any]

    def draft(
        self, index: int, columns: Mapping[str, Values], rejected: Sequence[Reject] = ()
    ) -> Draft:
        """Write a part beside its place.

        Args:
            index: the part's number.
            columns: its rows by dataset; may be empty when all were rejected.
            rejected: its captures that were left out.

        Raises:
            CannotWriteError: the operating system refused.
            MalformedInputError: the columns do not fit the kind.
        """
        blocks = part_blocks(self.kind, columns, rejected)
        path = part_path(self.folder, index)
        try:
            temporary = atomic.temporary_sibling(path)
        except OSError as error:
            raise atomic.cannot_write(path, error) from error
        try:
            handle = os.open(temporary, os.O_WRONLY)
            try:
                write_file(handle, self.kind, blocks, self.root)
            finally:
                os.close(handle)
        except OSError as error:
            _drop(temporary)
            raise atomic.cannot_write(path, error) from error
        return Draft(index, temporary, blocks["subject_id"].shape[0], tuple(rejected))

    def seal(self, draft: Draft) -> None:
        """Put a draft in place; it will never be written again.

        Raises:
            CannotWriteError: the operating system refused.
        """
        path = part_path(self.folder, draft.index)
        try:
            atomic.publish(draft.temporary, path)
        except OSError as error:
            _drop(draft.temporary)
            raise atomic.cannot_write(path, error) from error


def _drop(temporary: Path) -> None:
    with suppress(OSError):  # an error is being reported already
        temporary.unlink()
