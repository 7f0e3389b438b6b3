"""Which rows of a faces file a run learns from and which it is validated on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fr3d.artifacts.store import Artifact
from fr3d.errors import MalformedInputError
from fr3d.protocols.leaks import subject_hashes
from fr3d.protocols.selection import choose, select_rows

LEAST_SESSIONS = 2


@dataclass(frozen=True)
class LabelledRows:
    """Rows of a faces file and who they show.

    Args:
        rows: (N,) row numbers.
        labels: (N,) people, 0-based in the order of `people`.
        people: subject ids, sorted.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    people: tuple[str, ...]

    @classmethod
    def of(cls, faces: Artifact, rows: NDArray[np.intp]) -> "LabelledRows":
        """Label rows by subject."""
        subjects = faces.subject_id
        names = [subjects[row] for row in rows]
        people = tuple(sorted(set(names)))
        number = {name: index for index, name in enumerate(people)}
        labels = np.array([number[name] for name in names], dtype=np.int64)
        return cls(np.asarray(rows, dtype=np.int64), labels, people)


@dataclass(frozen=True)
class TrainingData:
    """What a run is made from.

    Args:
        faces: aligned faces.
        train: rows to learn from.
        val: rows of other people to validate on, or None.
        digests: SHA-256 of faces and split, by which runs on the same data are known.
        subjects: hashes of the training people.
    """

    faces: Artifact
    train: LabelledRows
    val: LabelledRows | None
    digests: dict[str, str]
    subjects: tuple[str, ...]


def training_data(faces: Artifact, split: pd.DataFrame, split_digest: str) -> TrainingData:
    """Take the partitions `train` and `val` of a split.

    Args:
        faces: aligned faces.
        split: table of partitions.
        split_digest: SHA-256 of its file.

    Raises:
        MalformedInputError: not aligned, fewer than two people, or none with two sessions.
    """
    name = faces.paths[0]
    if not faces.frame.startswith("face:"):
        raise MalformedInputError(
            f"{name}: its maps are in frame '{faces.frame}', expected aligned faces",
            f"align them first: fr3d align {name} -o faces.h5",
        )
    train = LabelledRows.of(faces, select_rows(faces, choose(split, ["train"])))
    if len(train.people) < 2:
        raise MalformedInputError(
            f"{name}: {len(train.people)} person in partition 'train', expected two or more",
            "make the split again with a larger share for training",
        )
    if np.bincount(train.labels).max() < LEAST_SESSIONS:
        raise MalformedInputError(
            f"{name}: every person of partition 'train' has a single session",
            "nothing can be learned about what one person's sessions have in common",
        )
    hashes = subject_hashes(faces)
    return TrainingData(
        faces,
        train,
        _validation(faces, split),
        {"faces": faces.sha256, "split": split_digest},
        tuple(sorted({hashes[row] for row in train.rows})),
    )


def _validation(faces: Artifact, split: pd.DataFrame) -> LabelledRows | None:
    """Return the rows of partition `val`, where there is one that can be used."""
    chosen = choose(split, ["val"])
    if chosen.empty:
        return None
    val = LabelledRows.of(faces, select_rows(faces, chosen))
    usable = len(val.people) > 1 and np.bincount(val.labels).max() >= LEAST_SESSIONS
    return val if usable else None
