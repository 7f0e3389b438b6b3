"""Some rows of an artifact as a new one, row by row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.parts import sealed_parts
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import Artifact, artifact_kind, open_artifact
from fr3d.artifacts.writer import ArtifactWriter


def open_sessions(paths: Sequence[Path]) -> Artifact:
    """Open files that have sessions for rows, whichever kind they are.

    Args:
        paths: files of one kind, or folders of parts.

    Raises:
        MissingInputError: no such file.
        MalformedInputError: not an artifact, or files of several kinds.
    """
    first = paths[0]
    parts = sealed_parts(first) if first.is_dir() else [first]
    return open_artifact(list(paths), artifact_kind(parts[0]) if parts else "fr3d.maps")


def copy_rows(
    artifact: Artifact,
    rows: npt.NDArray[np.intp],
    output: Path,
    step: Step,
    *,
    rejected: Sequence[Reject] = (),
    force: bool = False,
) -> None:
    """Write some rows as a new artifact that inherits kind, frame, attributes and history.

    Args:
        artifact: where the rows are.
        rows: their numbers, in the order wanted.
        output: the new file.
        step: why these rows.
        rejected: captures that belong to the selection but failed earlier.
        force: replace an existing output.

    Raises:
        CannotWriteError: the output exists or cannot be written.
    """
    with ArtifactWriter(
        output,
        artifact.kind,
        step,
        frame=artifact.frame,
        history=artifact.history,
        attrs=artifact.attrs,
        items=len(rows),
        force=force,
    ) as writer:
        for index, group in writer.todo([int(row) for row in rows]):
            columns = {name: artifact[name][group] for name in artifact.names if name != "digest"}
            writer.seal(index, columns, rejected if index == 0 else ())
