"""Records of a gallery from embeddings: templates, then the threshold that belongs to them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.provenance import Step
from fr3d.errors import MalformedInputError
from fr3d.gallery.calibration import threshold_at
from fr3d.gallery.index import build_index, load_index
from fr3d.gallery.records import GalleryRecords
from fr3d.gallery.search import search
from fr3d.gallery.templates import Sessions, Templates, check_sessions, make_templates
from fr3d.inference.onnx_model import OnnxModel

STRATEGY = "mean"


def new_records(
    model: OnnxModel,
    enrolled: Sessions,
    calibration: Sessions,
    *,
    fpir: float | None,
    threshold: float | None,
    step: Step,
    steps: Sequence[Mapping[str, Any]] = (),
    strategy: str = STRATEGY,
) -> GalleryRecords:
    """Enroll people.

    Args:
        model: made the embeddings; the gallery keeps it.
        enrolled: sessions of the people to enroll.
        calibration: sessions of other people; may be empty when a threshold is given.
        fpir: false-positive identification rate to calibrate for; None with a threshold.
        threshold: a threshold set by hand or measured elsewhere; None to calibrate.
        step: the command that enrolls.
        steps: history of the embeddings.
        strategy: how sessions become templates.

    Raises:
        MalformedInputError: NaN, a session twice, people in both groups, too few people.
    """
    if not len(enrolled):
        raise MalformedInputError("no session to enroll", "check --partition and --role")
    records = GalleryRecords(
        contract=model.contract,
        model=model.data,
        strategy=strategy,
        enrolled=enrolled,
        templates=_none(enrolled),
        calibration=calibration,
        calibration_score=np.empty(0),
        fpir=None if threshold is not None else fpir,
        threshold=np.inf if threshold is None else threshold,
        steps=steps,
        step=step,
    )
    return renewed(records)


def add_sessions(records: GalleryRecords, sessions: Sessions) -> GalleryRecords:
    """Enroll more sessions, of new people or of those already there, and calibrate again.

    Args:
        records: the gallery so far.
        sessions: embeddings by the gallery's own model.
    """
    return renewed(replace(records, enrolled=records.enrolled.joined(sessions)))


def renewed(records: GalleryRecords) -> GalleryRecords:
    """Make templates, calibration scores and threshold from the sessions.

    Raises:
        MalformedInputError: the sessions cannot be enrolled, or the people not tell a threshold.
    """
    check_sessions(records.enrolled, "gallery")
    check_sessions(records.calibration, "calibration")
    both = sorted(set(records.enrolled.people) & set(records.calibration.people))
    if both:
        raise MalformedInputError(
            f"{len(both)} people are both enrolled and in the calibration: {', '.join(both[:3])}",
            "calibration needs strangers: give each person one partition",
        )
    templates = make_templates(records.enrolled, records.strategy)
    scores = best_scores(templates, records.calibration)
    threshold = records.threshold
    if records.fpir is not None:
        threshold = threshold_at(scores, records.calibration.subject_id, records.fpir)
    return replace(records, templates=templates, calibration_score=scores, threshold=threshold)


def _none(sessions: Sessions) -> Templates:
    """No templates yet."""
    ids = np.empty(0, dtype=np.int64)
    return Templates(ids, (), ids, sessions.embedding[:0], sessions.quality[:0])


def best_scores(templates: Templates, sessions: Sessions) -> npt.NDArray[np.float64]:
    """Score of the nearest person for each session, searched as a probe is.

    Args:
        templates: of the gallery.
        sessions: probes, C of them.

    Returns:
        (C,) cosine similarities.
    """
    if not len(sessions):
        return np.empty(0)
    found = search(templates, load_index(build_index(templates)), sessions.embedding)
    return np.array([candidates[0].score for candidates in found])
