"""fr3d identify: who are these, or are they strangers?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fr3d.cli.options import (
    BatchSize,
    DryRun,
    Force,
    Fpir,
    Json,
    OptionalOutput,
    Quiet,
    Threshold,
    Verbose,
)

if TYPE_CHECKING:
    from fr3d.gallery.records import GalleryRecords
    from fr3d.gallery.search import Candidate
    from fr3d.inference.probes import Probes

COLUMNS = (
    "subject_id",
    "session_id",
    "rank",
    "candidate",
    "score",
    "margin",
    "threshold",
    "decision",
)


def identify(
    *,
    probe: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Maps, faces or embeddings; several files or a folder of parts.",
            show_default="probe.h5",
        ),
    ] = None,
    gallery: Annotated[Path, typer.Option("--gallery", "-g", help="The gallery to search.")] = Path(
        "gallery.faiss"
    ),
    output: OptionalOutput = None,
    top_k: Annotated[int, typer.Option("--top-k", "-k", help="Candidates per probe.", min=1)] = 1,
    fpir: Fpir = None,
    threshold: Threshold = None,
    json: Json = False,
    batch_size: BatchSize = 64,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Name probes, or say unknown.

    One row a probe: the nearest enrolled person, the cosine, its margin over
    the next person, and the decision: that person, or 'unknown' when the
    score is below the threshold. Unaligned maps are aligned as the gallery's
    model wants them; probes by another model are refused. subject_id is what
    the probe file says, and has no influence.

    Examples:
      fr3d identify probe.h5 --gallery gallery.faiss
      fr3d identify probe.h5 --top-k 5 --json | head
      fr3d identify embeddings.h5 --fpir 0.05 -o decisions.csv
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.cli.console import detail, emit_table, say, warn
    from fr3d.errors import UsageError
    from fr3d.gallery.records import model_of
    from fr3d.gallery.search import search
    from fr3d.gallery.storage import open_gallery
    from fr3d.inference.probes import open_faces_or_embeddings, read_probes

    if fpir is not None and threshold is not None:
        raise UsageError("--fpir and --threshold: only one can decide", "leave one of them away")
    if output:
        check_output(output, force or dry_run)
    found = open_gallery(gallery)
    if found.repaired:
        warn(found.repaired)
    records = found.records
    limit = _limit(records, gallery, fpir, threshold)
    artifact = open_faces_or_embeddings(probe or [Path("probe.h5")])
    detail(f"gallery generation {records.generation}, model contract {records.contract.sha256}")
    model = model_of(records, gallery.name)
    probes = read_probes(artifact, model, gallery.name, batch_size)
    _tell_rejected(probes)
    ranked = search(records.templates, found.index, probes.embedding, top_k)
    rows = _rows(probes, ranked, limit)
    summary = _summary(rows, len(probes.subject_id), len(records.enrolled.people))
    if dry_run:
        say(f"would write {len(rows)} rows: {summary}")
    elif output:
        _write(rows, output, json, force)
        say(f"{summary} -> {output}")
    else:
        emit_table(rows, COLUMNS, json)
        say(summary)


def _limit(
    records: "GalleryRecords", gallery: Path, fpir: float | None, threshold: float | None
) -> float:
    """The threshold that decides."""
    from fr3d.errors import MalformedInputError
    from fr3d.gallery.calibration import threshold_at

    if threshold is not None:
        return threshold
    if fpir is None:
        return records.threshold
    if not len(records.calibration):
        raise MalformedInputError(
            f"{gallery}: holds no calibration people, so it knows no threshold for --fpir",
            "enroll with a partition 'calibration', or give --threshold",
        )
    return threshold_at(records.calibration_score, records.calibration.subject_id, fpir)


def _rows(
    probes: "Probes", ranked: Sequence[Sequence["Candidate"]], limit: float
) -> list[dict[str, Any]]:
    from fr3d.gallery.search import decide

    rows = []
    who = zip(probes.subject_id, probes.session_id, ranked, strict=True)
    for subject, session, candidates in who:
        decision = decide(candidates, limit)
        rows += [
            {
                "subject_id": subject,
                "session_id": session,
                "rank": candidate.rank,
                "candidate": candidate.subject_id,
                "score": candidate.score,
                "margin": candidate.margin,
                "threshold": limit,
                "decision": decision,
            }
            for candidate in candidates
        ]
    return rows


def _tell_rejected(probes: "Probes") -> None:
    """Name the failures to acquire; when nothing is left, that is an error."""
    from fr3d.cli.console import warn
    from fr3d.errors import MalformedInputError

    for reject in probes.rejected:
        warn(f"{reject.subject_id}/{reject.session_id}: not searched: {reject.reason}")
    if not probes.subject_id:
        raise MalformedInputError(
            f"no probe could be used, {len(probes.rejected)} were rejected",
            "the reasons stand above",
        )


def _summary(rows: Sequence[dict[str, Any]], probes: int, people: int) -> str:
    from fr3d.gallery.templates import UNKNOWN

    unknown = sum(row["rank"] == 1 and row["decision"] == UNKNOWN for row in rows)
    return (
        f"searched {probes} probes among {people} people: {probes - unknown} named, "
        f"{unknown} unknown"
    )


def _write(rows: Sequence[dict[str, Any]], output: Path, as_json: bool, force: bool) -> None:
    import json

    import pandas as pd

    from fr3d.artifacts.atomic import write_bytes
    from fr3d.artifacts.tables import write_table

    if as_json:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_bytes(output, lines.encode(), force)
    else:
        write_table(pd.DataFrame(rows, columns=list(COLUMNS)), output, force)
