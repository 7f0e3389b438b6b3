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
        rows: which row of the file each one is.
        embedding: (B, D) float32, not normalised.
        magnitude: (B,) float32.
        rejected: failures to acquire, with reasons.
    """

    subject_id: tuple[str, ...]
    session_id: tuple[str, ...]
    rows: tuple[int, ...]
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


def read_probes(
    artifact: Artifact,
    model: Embedder,
    owner: str,
    batch_size: int,
    rows: Sequence[int] | None = None,
) -> Probes:
    """Turn any probe file into embeddings by one model.

    Args:
        artifact: embeddings by this very model, faces that fit its contract, or unaligned maps,
            which are aligned by the recipe in the contract.
        model: the gallery's model.
        owner: whose model it is, for messages.
        batch_size: faces at a time.
        rows: which rows; None for all, and with them what earlier steps rejected.

    Raises:
        MalformedInputError: made by another model, or not as its contract says.
    """
    if artifact.kind == EMBEDDINGS:
        check_same(model.contract, contract_of(artifact), artifact.paths[0].name, owner)
        return stored_probes(artifact, rows)
    if artifact.frame == "camera":
        return _from_maps(artifact, model, batch_size, rows)
    if not artifact.frame.startswith("face:"):
        raise MalformedInputError(
            f"{artifact.paths[0].name}: frame '{artifact.frame}', expected camera or face:...",
            "make it with 'fr3d ps-reconstruct' or 'fr3d align'",
        )
    return _from_faces(artifact, model, batch_size, rows)


def stored_probes(artifact: Artifact, rows: Sequence[int] | None = None) -> Probes:
    """Embeddings as they stand in a file.

    Args:
        artifact: embeddings, by whichever model.
        rows: which rows; None for all.
    """
    wanted = range(len(artifact)) if rows is None else rows
    embedding = artifact["embedding"][wanted].astype(np.float32)
    sound = is_sound(embedding)
    subjects, sessions = artifact.subject_id, artifact.session_id
    kept = tuple(row for row, good in zip(wanted, sound, strict=True) if good)
    bad = [row for row, good in zip(wanted, sound, strict=True) if not good]
    refused = [Reject(subjects[row], sessions[row], UNSOUND) for row in bad]
    return _probes(
        artifact,
        kept,
        embedding[sound],
        np.linalg.norm(embedding[sound], axis=1),
        [*_earlier(artifact, rows), *refused],
    )


def _probes(
    artifact: Artifact,
    rows: Sequence[int],
    embedding: npt.NDArray[np.float32],
    magnitude: npt.NDArray[np.float32],
    rejected: Sequence[Reject],
) -> Probes:
    subjects, sessions = artifact.subject_id, artifact.session_id
    who = tuple(subjects[row] for row in rows)
    which = tuple(sessions[row] for row in rows)
    return Probes(who, which, tuple(rows), embedding, magnitude, tuple(rejected))


def _earlier(artifact: Artifact, rows: Sequence[int] | None) -> Sequence[Reject]:
    """What earlier steps rejected, where the whole file is meant."""
    return artifact.rejected if rows is None else ()


def _from_faces(
    artifact: Artifact, model: Embedder, batch_size: int, rows: Sequence[int] | None
) -> Probes:
    wanted = range(len(artifact)) if rows is None else rows
    found = embed_faces(model, artifact, wanted, batch_size)
    rejected = [*_earlier(artifact, rows), *found.rejected]
    return _probes(artifact, found.rows, found.embedding, found.magnitude, rejected)


def _from_maps(
    artifact: Artifact, model: Embedder, batch_size: int, rows: Sequence[int] | None
) -> Probes:
    """Align by the recipe in the contract, then embed; a batch at a time."""
    name = artifact.paths[0].name
    check_maps(model.contract, artifact)
    recipe = AlignmentRecipe.from_parameters(model.contract.alignment, name)
    check_alignable(artifact, recipe)
    source = MapsSource(artifact)
    subjects, sessions = artifact.subject_id, artifact.session_id
    wanted = range(len(artifact)) if rows is None else rows
    kept: list[int] = []
    rejected = [*_earlier(artifact, rows)]
    found = []
    for start in range(0, len(wanted), batch_size):
        aligned = align_rows(source, wanted[start : start + batch_size], recipe)
        rejected += aligned.rejected
        embedded = embed_rows(model, aligned.columns, range(len(aligned.rows)), batch_size)
        kept += [aligned.rows[place] for place in embedded.rows]
        for place, why in embedded.refused:
            row = aligned.rows[place]
            rejected.append(Reject(subjects[row], sessions[row], why))
        found.append(embedded)
    pairs = [(one.embedding, one.magnitude) for one in found]
    return _probes(artifact, kept, *joined(pairs, model), rejected)
