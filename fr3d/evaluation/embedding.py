"""Aligned faces to the embeddings that a benchmark needs, and no more."""

from pathlib import Path

import pandas as pd

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import Artifact, open_artifact
from fr3d.artifacts.writer import write_artifact
from fr3d.inference.embedding import attributes_of, columns_of, embed_faces
from fr3d.inference.model import Embedder
from fr3d.protocols.selection import choose, select_rows

KIND = "fr3d.embeddings"


def embed_tested(
    faces: Artifact,
    split: pd.DataFrame,
    partition: str,
    model: Embedder,
    folder: Path,
    batch_size: int,
) -> Artifact:
    """Embed the sessions of the tested partition, and those to calibrate and distract with.

    Args:
        faces: aligned faces.
        split: the split table.
        partition: what is tested.
        model: makes the embeddings.
        folder: where to keep them for the time being.
        batch_size: faces at a time.
    """
    names = [n for n in (partition, "calibration", "distractor") if (split["partition"] == n).any()]
    rows = [int(row) for row in select_rows(faces, choose(split, names or [partition]))]
    embedded = embed_faces(model, faces, rows, batch_size)
    columns = columns_of(faces, embedded)
    path = folder / "embeddings.h5"
    write_artifact(
        path,
        KIND,
        columns,
        Step("embed", {"model_contract": model.contract.sha256}),
        history=faces.history,
        attrs={**faces.attrs, **attributes_of(model)},
        rejected=[*faces.rejected, *embedded.rejected],
    )
    return open_artifact(path, KIND)
