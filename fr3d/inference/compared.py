"""A few faces to compare with each other: photographs or rows of a file in, cosines out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.rows import align_rows
from fr3d.alignment.sources.source import Source
from fr3d.artifacts.store import Artifact, row_keys
from fr3d.data.inputs import Faces
from fr3d.evaluation.metrics.pairs import normalise
from fr3d.geometry.pictures import Picture, grey_picture, normal_picture
from fr3d.inference.contract import check_same, contract_of
from fr3d.inference.embedding import embed_rows
from fr3d.inference.model import Embedder
from fr3d.inference.probes import EMBEDDINGS, Probes, read_probes, stored_probes

Reals = npt.NDArray[np.float64]

_AT_ONCE = 8
_SIDE = 128
"""Longest side of a thumbnail, pixels."""


@dataclass(frozen=True)
class ComparedFaces:
    """Faces in the order in which they were named.

    Attributes:
        labels: what to call each, N of them.
        embedding: (N, D) float32, not normalised; NaN for those that have none.
        missing: why a face has none, by its place.
        people_in_picture: how many faces a photograph shows, by its place, where more than one.
        thumbnails: (H, W, 3) RGB of each; None where there is nothing to show.
    """

    labels: tuple[str, ...]
    embedding: npt.NDArray[np.float32]
    missing: Mapping[int, str]
    people_in_picture: Mapping[int, int] = field(default_factory=dict)
    thumbnails: Sequence[Picture | None] = ()

    def scores(self) -> Reals:
        """Cosines of all pairs.

        Returns:
            (N, N) float64, symmetric, exactly 1 on the diagonal; NaN for faces without embedding.
        """
        unit = normalise(self.embedding)
        scores: Reals = np.clip(unit @ unit.T, -1.0, 1.0)
        known = np.flatnonzero(np.isfinite(unit[:, 0]))
        scores[known, known] = 1.0
        return scores


def embed_photographs(
    model: Embedder,
    source: Source,
    recipe: AlignmentRecipe,
    advance: Callable[[int], object] = lambda _: None,
) -> ComparedFaces:
    """Align and embed photographs without writing anything; memory holds a few at a time.

    Args:
        model: takes photographs.
        source: of photographs; the session of each is its label.
        recipe: how they are aligned for this model.
        advance: called with the number of photographs done.
    """
    embedding = np.full((len(source), model.contract.embedding_size), np.nan, np.float32)
    missing: dict[int, str] = {}
    several: dict[int, int] = {}
    thumbnails: list[Picture | None] = [None] * len(source)
    for start in range(0, len(source), _AT_ONCE):
        rows = range(start, min(start + _AT_ONCE, len(source)))
        aligned = align_rows(source, rows, recipe)
        lost = (row for row in rows if row not in aligned.rows)
        missing |= {row: no.reason for row, no in zip(lost, aligned.rejected, strict=True)}
        found = embed_rows(model, aligned.columns, range(len(aligned.rows)), _AT_ONCE)
        missing |= {aligned.rows[place]: why for place, why in found.refused}
        embedding[[aligned.rows[place] for place in found.rows]] = found.embedding
        for place, row in enumerate(aligned.rows):
            count = float(aligned.columns["quality/face_count"][place])
            if count > 1:  # NaN where nobody looked for faces
                several[row] = int(count)
            thumbnails[row] = thumbnail(aligned.columns, place)
        advance(len(rows))
    labels = tuple(source.key(row)[1] for row in range(len(source)))
    return ComparedFaces(labels, embedding, missing, several, thumbnails)


def embed_chosen(
    artifact: Artifact, rows: Sequence[int], model: Embedder | None, batch_size: int
) -> ComparedFaces:
    """Embed rows of a file: maps, faces or embeddings.

    Args:
        artifact: the file; unaligned maps are aligned by the recipe in the model's contract.
        rows: which rows, each once.
        model: what embeds them; None for embeddings, which need none.
        batch_size: faces at a time.

    Raises:
        MalformedInputError: made by another model, or not as its contract says.
    """
    if model is not None:
        probes = read_probes(artifact, model, model.name, batch_size, rows)
    else:
        probes = stored_probes(artifact, rows)
    place = {row: number for number, row in enumerate(rows)}
    embedding = np.full((len(rows), probes.embedding.shape[1]), np.nan, np.float32)
    embedding[[place[row] for row in probes.rows]] = probes.embedding
    reasons = _reasons(artifact, rows, probes)
    missing = {place[row]: reasons[row] for row in rows if row not in set(probes.rows)}
    keys = row_keys(artifact)
    labels = tuple("/".join(keys[row]) for row in rows)
    thumbnails = [None if artifact.kind == EMBEDDINGS else thumbnail(artifact, r) for r in rows]
    return ComparedFaces(labels, embedding, missing, {}, thumbnails)


def plain_rows(artifact: Artifact) -> dict[tuple[str, str], int]:
    """Row by subject and session, without the augmented views that embeddings may hold.

    Args:
        artifact: maps, faces or embeddings.
    """
    views = artifact.text("view") if "view" in artifact else [""] * len(artifact)
    return {key: row for row, key in enumerate(row_keys(artifact)) if not views[row]}


def contract_digest(artifact: Artifact, model: Embedder | None) -> str:
    """Digest of the contract that the scores will belong to.

    Args:
        artifact: the file to compare rows of.
        model: what embeds them, or None.

    Raises:
        MalformedInputError: embeddings by another model.
    """
    if artifact.kind != EMBEDDINGS:
        return model.contract.sha256 if model is not None else ""
    contract = contract_of(artifact)
    if model is not None:
        check_same(model.contract, contract, artifact.paths[0].name, model.name)
    return contract.sha256


def thumbnail(faces: Faces, row: int) -> Picture | None:
    """A small picture of a face.

    Args:
        faces: columns by name: image, albedo or normal, the first that is there.
        row: which.

    Returns:
        (H, W, 3) RGB, its longest side 128 pixels or less; None where there is nothing to show.
    """
    height, width = faces["size"][row] if "size" in faces else (None, None)
    within = np.s_[:height, :width]
    mask = np.asarray(faces["mask"][row])[within] > 0 if "mask" in faces else None
    if "image" in faces:
        values = np.asarray(faces["image"][row])[within]
        # A photograph in colour is shown as it was; images in grey may have any range.
        picture = grey_picture(values, limits=(0.0, 1.0) if values.ndim == 3 else None)
    elif "albedo" in faces:
        picture = grey_picture(np.asarray(faces["albedo"][row])[within], mask)
    elif "normal" in faces and mask is not None:
        picture = normal_picture(np.asarray(faces["normal"][row])[within], mask)
    else:
        return None
    scale = _SIDE / max(picture.shape[:2])
    if scale >= 1.0:
        return picture
    size = tuple(max(1, round(scale * side)) for side in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _reasons(artifact: Artifact, rows: Sequence[int], probes: Probes) -> dict[int, str]:
    """Why rows have no embedding."""
    said = {(no.subject_id, no.session_id): no.reason for no in probes.rejected}
    keys = row_keys(artifact)
    return {row: said.get(keys[row], "no embedding") for row in rows}
