"""Probes against a gallery: ranked people, margins, and a decision that may be `unknown`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.gallery.index import nearest
from fr3d.gallery.templates import UNKNOWN, Templates, unit

_SPARE = 8  # candidates whose float32 scores are too close to trust the order of
_PROBES = 1024


@dataclass(frozen=True)
class Candidate:
    """One person whom a probe may be.

    Attributes:
        rank: 1 is the nearest.
        subject_id: who.
        score: cosine similarity to the person's nearest template.
        margin: score minus that of the next person; None when there is no next.
    """

    rank: int
    subject_id: str
    score: float
    margin: float | None


def search(
    templates: Templates, index: faiss.Index, embedding: npt.NDArray[np.float32], top_k: int = 1
) -> list[list[Candidate]]:
    """Rank people for each probe.

    The index proposes, float64 decides: scores are exact cosines and do not depend on how many
    probes are searched at once.

    Args:
        templates: what the index holds.
        index: of the templates.
        embedding: (B, D), not normalised.
        top_k: people per probe; fewer when the gallery has fewer.

    Raises:
        MalformedInputError: NaN, or embeddings of another length.
    """
    if embedding.shape[1] != templates.vector.shape[1]:
        raise MalformedInputError(
            f"probes have embeddings of length {embedding.shape[1]}, "
            f"the gallery of {templates.vector.shape[1]}"
        )
    probes = unit(embedding, "probes")
    # The k most photographed people could fill this many places before another one appears.
    places = sum(n for _, n in Counter(templates.subject_id).most_common(top_k)) + 1 + _SPARE
    row_of = {int(identity): row for row, identity in enumerate(templates.id)}
    found = []
    for start in range(0, len(probes), _PROBES):
        block = probes[start : start + _PROBES]
        for probe, ids in zip(block, nearest(index, block, places), strict=True):
            rows = [row_of[int(identity)] for identity in ids]
            found.append(_rank(templates, probe, rows, top_k))
    return found


def _rank(
    templates: Templates, probe: npt.NDArray[np.float32], rows: list[int], top_k: int
) -> list[Candidate]:
    """Score the proposed templates, keep each person's best, sort by score and then by name."""
    scores = (templates.vector[rows].astype(np.float64) * probe.astype(np.float64)).sum(axis=1)
    best: dict[str, float] = {}
    for row, score in zip(rows, scores.tolist(), strict=True):
        who = templates.subject_id[row]
        best[who] = max(score, best.get(who, -np.inf))
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return [
        Candidate(
            rank=place + 1,
            subject_id=who,
            score=score,
            margin=score - ranked[place + 1][1] if place + 1 < len(ranked) else None,
        )
        for place, (who, score) in enumerate(ranked[:top_k])
    ]


def decide(candidates: Sequence[Candidate], threshold: float) -> str:
    """Name a probe, or say `unknown`.

    Args:
        candidates: the ranked people of one probe.
        threshold: the lowest score that is enough.
    """
    nearest_one = candidates[0]
    return nearest_one.subject_id if nearest_one.score >= threshold else UNKNOWN
