"""Rows of aligned faces in, embeddings and the rows that could not be embedded out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.provenance import canonical_json
from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import Artifact
from fr3d.data.inputs import Faces, InputSpec, face_inputs
from fr3d.errors import MalformedInputError
from fr3d.inference.contract import CONTRACT_ATTRIBUTE, SUBJECTS_ATTRIBUTE, check_faces
from fr3d.inference.model import Embedder

BATCH_SIZE = 64


@dataclass(frozen=True)
class Embedded:
    """Embeddings of some rows of a faces file.

    Attributes:
        rows: which rows of the file, M of them.
        embedding: (M, D) float32, not normalised.
        magnitude: (M,) float32.
        rejected: the rows that could not be embedded, with the reason.
    """

    rows: tuple[int, ...]
    embedding: npt.NDArray[np.float32]
    magnitude: npt.NDArray[np.float32]
    rejected: tuple[Reject, ...] = ()


@dataclass(frozen=True)
class EmbeddedRows:
    """Embeddings of some rows, by row number.

    Attributes:
        rows: the rows that have one, M of them.
        embedding: (M, D) float32, not normalised.
        magnitude: (M,) float32.
        refused: the other rows, with the reason.
    """

    rows: tuple[int, ...]
    embedding: npt.NDArray[np.float32]
    magnitude: npt.NDArray[np.float32]
    refused: tuple[tuple[int, str], ...]


def embed_faces(
    model: Embedder, faces: Artifact, rows: Sequence[int], batch_size: int = BATCH_SIZE
) -> Embedded:
    """Embed rows of aligned faces.

    Args:
        model: the network.
        faces: aligned as the model's contract says; refused otherwise.
        rows: which rows.
        batch_size: faces at a time; it does not change the result beyond rounding.

    Raises:
        MalformedInputError: the faces are not what the contract says.
    """
    check_faces(model.contract, faces)
    found = embed_rows(model, faces, rows, batch_size)
    subjects, sessions = faces.subject_id, faces.session_id
    rejected = tuple(Reject(subjects[row], sessions[row], why) for row, why in found.refused)
    return Embedded(found.rows, found.embedding, found.magnitude, rejected)


def embed_rows(
    model: Embedder, faces: Faces, rows: Sequence[int], batch_size: int = BATCH_SIZE
) -> EmbeddedRows:
    """Embed rows of aligned faces that are known to fit the contract.

    Args:
        model: the network.
        faces: columns by name.
        rows: which rows.
        batch_size: faces at a time.
    """
    specs = [InputSpec.from_json(model.contract.inputs[m]) for m in model.contract.modalities]
    kept: list[int] = []
    refused: list[tuple[int, str]] = []
    pairs = []
    for start in range(0, len(rows), batch_size):
        batch, inputs, bad = _inputs(faces, rows[start : start + batch_size], specs)
        refused += bad
        if not batch:
            continue
        embedding, magnitude = model.embed(inputs)
        sound = is_sound(embedding) & (magnitude > 0) & np.isfinite(magnitude)
        kept += [row for row, good in zip(batch, sound, strict=True) if good]
        refused += [
            (row, "the network gives no finite embedding for it")
            for row, good in zip(batch, sound, strict=True)
            if not good
        ]
        pairs.append((embedding[sound], magnitude[sound]))
    return EmbeddedRows(tuple(kept), *joined(pairs, model), tuple(refused))


UNSOUND = "its embedding is not finite, or is zero"


def is_sound(embedding: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Which embeddings can be compared: finite, and of a length above zero.

    Args:
        embedding: (B, D).

    Returns:
        (B,) bool.
    """
    sound: npt.NDArray[np.bool_] = np.isfinite(embedding).all(axis=1) & (embedding != 0).any(axis=1)
    return sound


def columns_of(faces: Artifact, embedded: Embedded) -> dict[str, npt.NDArray[Any] | list[str]]:
    """Put embeddings beside what the faces file says of these rows.

    Args:
        faces: the faces.
        embedded: some of its rows.

    Returns:
        Columns of an embeddings file: ids, embedding, magnitude, quality and attributes.
    """
    rows = list(embedded.rows)
    subjects, sessions = faces.subject_id, faces.session_id
    columns: dict[str, npt.NDArray[Any] | list[str]] = {
        "subject_id": [subjects[row] for row in rows],
        "session_id": [sessions[row] for row in rows],
        "embedding": embedded.embedding,
        "magnitude": embedded.magnitude,
    }
    for name, values in faces.quality.items():
        columns[f"quality/{name}"] = values[rows]
    for name, texts in faces.attributes.items():
        columns[f"attribute/{name}"] = [texts[row] for row in rows]
    return columns


def attributes_of(model: Embedder) -> dict[str, str]:
    """Root attributes by which an embeddings file tells its model.

    Args:
        model: made the embeddings.
    """
    return {
        CONTRACT_ATTRIBUTE: model.contract.to_json(),
        "model_contract_sha256": model.contract.sha256,
        SUBJECTS_ATTRIBUTE: canonical_json(sorted(model.training_subjects)),
    }


def _inputs(
    faces: Faces, rows: Sequence[int], specs: Sequence[InputSpec]
) -> tuple[list[int], dict[str, npt.NDArray[np.float32]], list[tuple[int, str]]]:
    """Make the inputs of a batch; a face that gives none is told apart from the others."""
    try:
        return list(rows), face_inputs(faces, rows, specs), []
    except MalformedInputError as error:
        if len(rows) == 1:
            return [], {}, [(rows[0], error.message)]
    good: list[int] = []
    refused: list[tuple[int, str]] = []
    for row in rows:
        kept, _, bad = _inputs(faces, [row], specs)
        good, refused = good + kept, refused + bad
    return good, face_inputs(faces, good, specs) if good else {}, refused


def joined(
    pairs: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]], model: Embedder
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Put batches one after the other; no batch gives no rows.

    Args:
        pairs: embeddings (B, D) and magnitudes (B,) of each batch.
        model: tells D.
    """
    if not pairs:
        return np.empty((0, model.contract.embedding_size), np.float32), np.empty(0, np.float32)
    embeddings, magnitudes = zip(*pairs, strict=True)
    return np.concatenate(embeddings), np.concatenate(magnitudes)
