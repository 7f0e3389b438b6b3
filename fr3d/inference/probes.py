"""Whatever a probe file holds, as embeddings by one model: maps, faces or embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.rows import align_rows
from fr3d.alignment.sources.maps import MapsSource, check_alignable
from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import Artifact, artifact_kind, open_artifact
from fr3d.errors import MalformedInputError
from fr3d.inference.contract import check_maps, check_same, contract_of
from fr3d.inference.embedding import UNSOUND, embed_faces, embed_rows, is_sound, joined
from fr3d.inference.model import Embedder

EMBEDDINGS = "fr3d.embeddings"


@dataclass(frozen=True)
class Probes:
    """Embeddings of probes, and the captures that gave none.

    Attributes:
        subject_id: what the file says who they are; never used to decide.
        session_id: which session.
        embedding: (B, D) float32, not normalised.
        magnitude: (B,) float32.
        rejected: failures to acquire, with reasons.
    """

    subject_id: tuple[str, ...]
    session_id: tuple[str, ...]
    embedding: npt.NDArray[np.float32]
    magnitude: npt.NDArray[np.float32]
    rejected: tuple[Reject, ...]


def open_faces_or_embeddings(paths: Sequence[Path]) -> Artifact:
    """Open maps, faces or embeddings, whichever the files are.

    Args:
        paths: files of one kind, or folders of parts.
    """
    first = paths[0]
    parts = sorted(first.glob("part-*.h5")) if first.is_dir() else [first]
    return open_artifact(list(paths), artifact_kind(parts[0]) if parts else "fr3d.maps")


def read_probes(artifact: Artifact, model: Embedder, owner: str, batch_size: int) -> Probes:
    """Turn any probe file into embeddings by one model.

    Args:
        artifact: embeddings by this very model, faces that fit its contract, or unaligned maps,
            which are aligned by the recipe in the contract.
        model: the gallery's model.
        owner: whose model it is, for messages.
        batch_size: faces at a time.

    Raises:
        MalformedInputError: made by another model, or not as its contract says.
    """
    if artifact.kind == EMBEDDINGS:
        check_same(model.contract, contract_of(artifact), artifact.paths[0].name, owner)
        return _stored(artifact)
    if artifact.frame == "camera":
        return _from_maps(artifact, model, batch_size)
    if not artifact.frame.startswith("face:"):
        raise MalformedInputError(
            f"{artifact.paths[0].name}: frame '{artifact.frame}', expected camera or face:...",
            "make it with 'fr3d ps-reconstruct' or 'fr3d align'",
        )
    return _from_faces(artifact, model, batch_size)


def _stored(artifact: Artifact) -> Probes:
    embedding = artifact["embedding"][:].astype(np.float32)
    sound = is_sound(embedding)
    keys = list(zip(artifact.subject_id, artifact.session_id, strict=True))
    kept = [key for key, good in zip(keys, sound, strict=True) if good]
    refused = [Reject(*key, UNSOUND) for key, good in zip(keys, sound, strict=True) if not good]
    return Probes(
        tuple(subject for subject, _ in kept),
        tuple(session for _, session in kept),
        embedding[sound],
        np.linalg.norm(embedding[sound], axis=1),
        (*artifact.rejected, *refused),
    )


def _from_faces(artifact: Artifact, model: Embedder, batch_size: int) -> Probes:
    embedded = embed_faces(model, artifact, range(len(artifact)), batch_size)
    subjects, sessions = artifact.subject_id, artifact.session_id
    return Probes(
        tuple(subjects[row] for row in embedded.rows),
        tuple(sessions[row] for row in embedded.rows),
        embedded.embedding,
        embedded.magnitude,
        (*artifact.rejected, *embedded.rejected),
    )


def _from_maps(artifact: Artifact, model: Embedder, batch_size: int) -> Probes:
    """Align by the recipe in the contract, then embed; a batch at a time."""
    name = artifact.paths[0].name
    check_maps(model.contract, artifact)
    recipe = AlignmentRecipe.from_parameters(model.contract.alignment, name)
    check_alignable(artifact, recipe)
    source = MapsSource(artifact)
    subjects, sessions = artifact.subject_id, artifact.session_id
    kept: list[int] = []
    rejected = list(artifact.rejected)
    found = []
    for start in range(0, len(artifact), batch_size):
        rows = range(start, min(start + batch_size, len(artifact)))
        aligned = align_rows(source, rows, recipe)
        rejected += aligned.rejected
        embedded = embed_rows(model, aligned.columns, range(len(aligned.rows)), batch_size)
        kept += [aligned.rows[place] for place in embedded.rows]
        for place, why in embedded.refused:
            row = aligned.rows[place]
            rejected.append(Reject(subjects[row], sessions[row], why))
        found.append(embedded)
    return Probes(
        tuple(subjects[row] for row in kept),
        tuple(sessions[row] for row in kept),
        *joined([(one.embedding, one.magnitude) for one in found], model),
        tuple(rejected),
    )
