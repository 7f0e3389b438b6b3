"""A benchmark from end to end: leaks refused, a trial measured, a report made."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from fr3d.artifacts.store import Artifact
from fr3d.errors import MalformedInputError
from fr3d.evaluation.comparison import verify
from fr3d.evaluation.figures import RatePoint, Results
from fr3d.evaluation.requirements import Requirement
from fr3d.evaluation.searching import identify
from fr3d.evaluation.settings import Settings
from fr3d.evaluation.trial import Trial
from fr3d.gallery.threshold_table import Threshold
from fr3d.protocols.leaks import Leak, check_leaks, content_digests, find_leaks, subject_hashes
from fr3d.protocols.selection import choose, session_keys


@dataclass(frozen=True)
class Benchmark:
    """What was measured, and how much of what."""

    results: Results
    counts: dict[str, Any]


def with_required(settings: Settings, requirements: Sequence[Requirement]) -> Settings:
    """Add the operating points and ranks that requirements name.

    Args:
        settings: what was asked for.
        requirements: what must be reached.
    """
    targets = {"tpr": set(settings.fmr), "tpir": set(settings.fpir)}
    ranks = set(settings.ranks)
    for wish in requirements:
        if not math.isnan(wish.target):
            targets["tpr" if wish.name.startswith("tpr") else "tpir"].add(wish.target)
        if wish.name.startswith("rank-"):
            ranks.add(int(wish.name.removeprefix("rank-")))
    return replace(
        settings,
        fmr=tuple(sorted(targets["tpr"], reverse=True)),
        fpir=tuple(sorted(targets["tpir"], reverse=True)),
        ranks=tuple(sorted(ranks)),
    )


def refuse_leaks(
    embeddings: Artifact, split: pd.DataFrame, partition: str, allowed: Collection[str], where: str
) -> list[Leak]:
    """Refuse to measure with evidence that is none.

    Args:
        embeddings: with the training subjects of its model, when it carries them.
        split: the split table.
        partition: what is tested.
        allowed: kinds of leak that the user accepts.
        where: name of the split, for the message.

    Returns:
        The leaks that were allowed.

    Raises:
        MalformedInputError: a leak.
    """
    present = session_keys(choose(split)) & set(
        zip(embeddings.subject_id, embeddings.session_id, strict=True)
    )
    digests = {k: d for k, d in content_digests(embeddings).items() if k in present}
    leaks = find_leaks(
        split,
        digests=digests,
        training=training_subjects(embeddings),
        hashes=dict(zip(embeddings.subject_id, subject_hashes(embeddings), strict=True)),
        tested=(partition, "calibration"),
    )
    return check_leaks(leaks, where, allowed)


def training_subjects(embeddings: Artifact) -> frozenset[str]:
    """Hashes of the subjects that the model was trained on; empty when the file has none.

    Raises:
        MalformedInputError: the attribute is not a JSON list of texts.
    """
    text = embeddings.attrs.get("training_subjects", "[]")
    try:
        hashes = json.loads(text)
    except (TypeError, ValueError):
        hashes = None
    if not isinstance(hashes, list) or not all(isinstance(h, str) for h in hashes):
        raise MalformedInputError(
            f"{embeddings.paths[0]}: attribute training_subjects is not a JSON list of hashes"
        )
    return frozenset(hashes)


def run_benchmark(trial: Trial, settings: Settings) -> Benchmark:
    """Measure a trial.

    Args:
        trial: what is tested.
        settings: rates, ranks, number of resamplings, seed.
    """
    verification = verify(trial, settings)
    closed, open_set = identify(trial, settings)
    results = Results(verification, closed, open_set, tuple(_notes(trial, closed, open_set)))
    return Benchmark(results, _counts(trial))


def thresholds(results: Results, contract: str) -> list[Threshold]:
    """The thresholds that were measured, for `enroll` and `compare`; only those that resolve.

    Those for strangers come from the calibration people where there are any.

    Args:
        results: what was measured.
        contract: SHA-256 of the model's contract.
    """
    one, many = results.verification, results.open_set
    rows = [_threshold("fmr", point, one.people, None, contract) for point in one.points]
    if many is not None:
        points = many.calibrated if many.calibration_people else many.points
        people = many.calibration_people or many.unknown_people
        rows += [_threshold("fpir", p, people, many.gallery_people, contract) for p in points]
    return [row for row in rows if row is not None]


def _threshold(
    kind: str, point: RatePoint, people: int, gallery: int | None, contract: str
) -> Threshold | None:
    if not point.resolvable:
        return None
    measured = point.false_positive.value
    return Threshold(kind, point.target, point.threshold, measured, people, gallery, contract)


def _notes(trial: Trial, closed: object, open_set: object) -> list[str]:
    notes = []
    if trial.templates is None:
        notes.append(f"no gallery rows in partition '{trial.partition}': no identification")
    elif closed is None:
        notes.append("no probes of enrolled people: no closed-set identification")
    elif open_set is None:
        notes.append("no probes of people who are not enrolled: no open-set identification")
    if open_set is not None and trial.calibration is None:
        notes.append("no embeddings of partition 'calibration': no calibrated thresholds")
    return notes


def _counts(trial: Trial) -> dict[str, Any]:
    probes = len(trial.probes)
    attempts = (probes or len(trial.subject_id)) + len(trial.failed)
    unknown = {trial.subject_id[i] for i in trial.probes} - trial.enrolled
    counts: Mapping[str, Any] = {
        "people": len(set(trial.subject_id)),
        "sessions": len(trial.subject_id),
        "enrolled_people": len(trial.enrolled),
        "unknown_people": len(unknown),
        "gallery_templates": 0 if trial.templates is None else len(trial.templates),
        "distractor_people": trial.distractors,
        "probes": probes,
        "calibration_people": len(trial.calibration.people) if trial.calibration else 0,
        "failures_to_acquire": len(trial.failed),
        "failures_to_enroll": trial.failed_gallery,
        "failure_to_acquire_rate": len(trial.failed) / attempts if attempts else 0.0,
    }
    return dict(counts)
