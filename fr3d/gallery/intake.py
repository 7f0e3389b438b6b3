"""From rows of faces or embeddings to sessions that can be enrolled, and who may not calibrate."""

from collections.abc import Collection, Sequence

import numpy as np

from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import Artifact
from fr3d.errors import MalformedInputError
from fr3d.gallery.templates import Sessions
from fr3d.inference.contract import check_same, contract_of
from fr3d.inference.embedding import UNSOUND, embed_faces, is_sound
from fr3d.inference.onnx_model import OnnxModel
from fr3d.protocols.leaks import subject_hash


def read_sessions(
    artifact: Artifact, rows: Sequence[int], model: OnnxModel, batch_size: int
) -> tuple[Sessions, tuple[Reject, ...]]:
    """Make sessions of rows of a file.

    Args:
        artifact: aligned faces, or embeddings by this very model; augmented views are left out.
        rows: which rows.
        model: the model of the gallery.
        batch_size: faces at a time.

    Returns:
        The sessions, and the rows that could not be embedded.

    Raises:
        MalformedInputError: made by another model, or not as its contract says.
    """
    rejected: tuple[Reject, ...] = ()
    if artifact.kind == "fr3d.embeddings":
        check_same(model.contract, contract_of(artifact), artifact.paths[0].name, model.name)
        views = artifact.text("view") if "view" in artifact else [""] * len(artifact)
        plain = [row for row in rows if not views[row]]
        embedding = artifact["embedding"][plain].astype(np.float32)
        sound = is_sound(embedding)
        kept = tuple(row for row, good in zip(plain, sound, strict=True) if good)
        rejected = _unsound(artifact, [r for r in plain if r not in set(kept)])
        embedding = embedding[sound]
        quality = np.linalg.norm(embedding, axis=1)
    else:
        found = embed_faces(model, artifact, rows, batch_size)
        kept, rejected = found.rows, found.rejected
        embedding, quality = found.embedding, found.magnitude
    subjects, sessions = artifact.subject_id, artifact.session_id
    who, which = tuple(subjects[row] for row in kept), tuple(sessions[row] for row in kept)
    return Sessions(who, which, embedding, quality), rejected


def _unsound(artifact: Artifact, rows: Sequence[int]) -> tuple[Reject, ...]:
    subjects, sessions = artifact.subject_id, artifact.session_id
    return tuple(Reject(subjects[row], sessions[row], UNSOUND) for row in rows)


def no_sessions(size: int) -> Sessions:
    """No sessions at all.

    Args:
        size: length of an embedding.
    """
    return Sessions((), (), np.empty((0, size), np.float32), np.empty(0, np.float32))


def check_strangers(people: Sequence[str], dataset: str, training: Collection[str]) -> None:
    """Refuse calibration people whom the model knows: it pushes them away from everybody.

    Args:
        people: calibration people.
        dataset: name of their data set, as the faces file states it.
        training: hashes of the people that the model was trained on.

    Raises:
        MalformedInputError: some of them are training people.
    """
    known = [who for who in people if subject_hash(dataset, who) in set(training)]
    if known:
        raise MalformedInputError(
            f"{len(known)} calibration people were in the training: {', '.join(known[:3])}",
            "calibrate with people whom the model has never seen: make the split before training",
        )
