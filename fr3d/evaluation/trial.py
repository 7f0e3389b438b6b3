"""What a benchmark tests: the embeddings of one partition, its gallery, its failures to acquire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fr3d.artifacts.store import Artifact
from fr3d.errors import MalformedInputError
from fr3d.evaluation.metrics.pairs import normalise
from fr3d.gallery.templates import Sessions, Templates, make_templates
from fr3d.protocols.selection import choose, rejects_of, select_rows
from fr3d.protocols.table import enrolled_people


@dataclass(frozen=True)
class Trial:
    """Everything that is measured.

    Attributes:
        partition: its name.
        subject_id: subject of each embedded session of the partition, N of them.
        session_id: session of each.
        role: `gallery`, `probe` or empty, of each.
        unit: embeddings of unit length, shape (N, D).
        enrolled: subjects that the split enrols.
        templates: what probes are searched against; None without gallery rows.
        distractors: people in the gallery besides.
        failed: subject of each capture that should have been a probe but gave no embedding.
        failed_gallery: gallery sessions that gave none.
        calibration: sessions of people who are in no gallery, to set thresholds with.
    """

    partition: str
    subject_id: tuple[str, ...]
    session_id: tuple[str, ...]
    role: tuple[str, ...]
    unit: npt.NDArray[np.float64]
    enrolled: frozenset[str]
    templates: Templates | None
    distractors: int
    failed: tuple[str, ...]
    failed_gallery: int
    calibration: Sessions | None

    @property
    def people(self) -> tuple[str, ...]:
        """Subjects with an embedding or a failed probe, each once, in order."""
        return tuple(sorted({*self.subject_id, *self.failed}))

    def codes(self, subjects: Sequence[str]) -> npt.NDArray[np.intp]:
        """Place of each subject in `people`; -1 for others."""
        place = {subject: code for code, subject in enumerate(self.people)}
        return np.array([place.get(subject, -1) for subject in subjects], dtype=np.intp)

    @property
    def probes(self) -> npt.NDArray[np.intp]:
        """Rows of the probes."""
        return np.flatnonzero([role == "probe" for role in self.role])


def make_trial(
    embeddings: Artifact, split: pd.DataFrame, partition: str, strategy: str = "mean"
) -> Trial:
    """Gather what is to be measured.

    Args:
        embeddings: an embeddings file; augmented views in it are left out.
        split: the split table.
        partition: what to test.
        strategy: how sessions become templates, see `fr3d.gallery.templates`.

    Raises:
        MalformedInputError: sessions are missing, fewer than two people, nobody with two sessions,
            or an embedding is not finite.
    """
    chosen = choose(split, [partition])
    rows = _plain_rows(embeddings, chosen)
    sessions = _sessions(embeddings, rows)
    if len(sessions.people) < 2:
        raise MalformedInputError(
            f"{embeddings.paths[0]}: {len(sessions.people)} people in partition '{partition}'",
            "a comparison needs at least two",
        )
    if len(sessions) == len(sessions.people):
        raise MalformedInputError(
            f"{embeddings.paths[0]}: nobody has two sessions in partition '{partition}'",
            "who is the same person can only be measured on people who came twice",
        )
    roles = dict(
        zip(
            zip(chosen["subject_id"], chosen["session_id"], strict=True),
            chosen["role"],
            strict=True,
        )
    )
    role = tuple(roles[key] for key in zip(sessions.subject_id, sessions.session_id, strict=True))
    failed = rejects_of(embeddings, split, chosen)
    gallery_keys = {key for key, name in roles.items() if name == "gallery"}
    lost = [r for r in failed if (r.subject_id, r.session_id) in gallery_keys]
    gallery = sessions.take([i for i, name in enumerate(role) if name == "gallery"])
    distractors = _distractors(embeddings, split) if partition == "test" and len(gallery) else None
    everyone = gallery.joined(distractors) if distractors else gallery
    return Trial(
        partition=partition,
        subject_id=sessions.subject_id,
        session_id=sessions.session_id,
        role=role,
        unit=normalise(sessions.embedding),
        enrolled=frozenset(enrolled_people(split, partition)),
        templates=make_templates(everyone, strategy) if len(everyone) else None,
        distractors=len(distractors.people) if distractors else 0,
        failed=tuple(sorted(r.subject_id for r in failed if r not in lost)),
        failed_gallery=len(lost),
        calibration=_calibration(embeddings, split, partition),
    )


def _plain_rows(embeddings: Artifact, chosen: pd.DataFrame) -> npt.NDArray[np.intp]:
    rows = select_rows(embeddings, chosen)
    if "view" not in embeddings:
        return rows
    views = embeddings.text("view")
    return np.array([row for row in rows if not views[row]], dtype=np.intp)


def _sessions(embeddings: Artifact, rows: npt.NDArray[np.intp]) -> Sessions:
    subjects, sessions = embeddings.subject_id, embeddings.session_id
    vectors: npt.NDArray[Any] = np.asarray(embeddings["embedding"][rows], np.float32)
    length = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~np.isfinite(length) | (length == 0))
    if len(wrong):
        row = int(rows[wrong[0]])
        raise MalformedInputError(
            f"{embeddings.paths[0]}: {len(wrong)} embeddings are zero or not finite, "
            f"first {subjects[row]}/{sessions[row]}",
            "embed these faces again",
        )
    return Sessions(
        tuple(subjects[row] for row in rows),
        tuple(sessions[row] for row in rows),
        vectors,
        length.astype(np.float32),
    )


def _distractors(embeddings: Artifact, split: pd.DataFrame) -> Sessions | None:
    """People who only make the gallery larger."""
    return _optional(embeddings, choose(split, ["distractor"], ["gallery"]))


def _calibration(embeddings: Artifact, split: pd.DataFrame, partition: str) -> Sessions | None:
    if partition == "calibration":
        return None
    return _optional(embeddings, choose(split, ["calibration"]))


def _optional(embeddings: Artifact, chosen: pd.DataFrame) -> Sessions | None:
    """Sessions that may lack: the file may hold the tested partition alone."""
    have = set(zip(embeddings.subject_id, embeddings.session_id, strict=True))
    keys = zip(chosen["subject_id"], chosen["session_id"], strict=True)
    present = chosen[[key in have for key in keys]]
    return None if present.empty else _sessions(embeddings, _plain_rows(embeddings, present))
