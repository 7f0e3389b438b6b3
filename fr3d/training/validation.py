"""How well embeddings of people never trained on tell them apart."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fr3d.data.dataset import FaceDataset
from fr3d.evaluation.metrics.curve import equal_error, error_curve, score_table
from fr3d.evaluation.metrics.pairs import all_pairs, normalise
from fr3d.evaluation.metrics.verification import person_aucs
from fr3d.models.embedding import Network

PAIRS = 1_000_000
BATCH = 64


@torch.no_grad()
def embed(
    network: Network, dataset: FaceDataset, device: torch.device, *, features: bool = False
) -> Tensor:
    """Embed a whole set in float32, without augmentation.

    Args:
        network: is put into evaluation mode.
        dataset: the faces.
        device: of the network.
        features: return what the head would see instead.

    Returns:
        (N, D) on the device.
    """
    network.eval()
    parts = []
    for start in range(0, len(dataset), BATCH):
        rows = range(start, min(start + BATCH, len(dataset)))
        maps = dataset.__getitems__(list(rows)).to(device).maps
        inputs = [maps[spec.modality] for spec in dataset.specs]
        parts.append(network.features(*inputs) if features else network(*inputs))
    return torch.cat(parts)


def verification_figures(
    embedding: NDArray[np.floating], labels: Sequence[int] | NDArray[np.int64]
) -> dict[str, float]:
    """Measure verification by cosine similarity.

    Args:
        embedding: (N, D).
        labels: (N,) people.

    Returns:
        `val_auc`, the mean over people of the area under the ROC curve of their own pairs, so that
        nobody counts for their number of sessions; `val_auc_error`, its standard error over people,
        but at least what one mated pair weighs; and `val_eer`, the equal error rate of all pairs.
        Empty where there is no pair of one person or none of two.
    """
    person = np.asarray(labels, dtype=np.intp)
    pairs = all_pairs(normalise(embedding), person, PAIRS, seed=0)
    if pairs.mated.all() or not pairs.mated.any():
        return {}
    mated, other = pairs.score[pairs.mated], pairs.score[~pairs.mated]
    curve = error_curve(score_table(mated, other))
    own = person[pairs.rows[pairs.mated, 0]]
    people = person[pairs.rows[~pairs.mated]]
    each = person_aucs(mated, own, other, people, int(person.max()) + 1)
    known = each[np.isfinite(each)]
    error = max(float(known.std()) / np.sqrt(len(known)), 1 / len(mated))
    return {
        "val_auc": float(known.mean()),
        "val_auc_error": error,
        "val_eer": equal_error(curve).false_positive,
    }
