"""fr3d enroll: people into a gallery, with a threshold calibrated against strangers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fr3d.cli.options import (
    BatchSize,
    DryRun,
    Extractor,
    Force,
    Fpir,
    Model,
    Output,
    Partition,
    Quiet,
    Role,
    Runs,
    Split,
    Threshold,
    Thresholds,
    Verbose,
)

if TYPE_CHECKING:
    import pandas as pd

    from fr3d.artifacts.store import Artifact
    from fr3d.gallery.records import GalleryRecords
    from fr3d.gallery.templates import Sessions
    from fr3d.gallery.threshold_table import Threshold as Measured
    from fr3d.inference.onnx_model import OnnxModel


_FPIR = 0.1


def enroll(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Aligned faces, or embeddings by the same model; several files or a folder of "
            "parts.",
            show_default="faces.h5",
        ),
    ] = None,
    model: Model = None,
    extractor: Extractor = None,
    output: Output = Path("gallery.faiss"),
    split: Split = Path("split.csv"),
    partition: Partition = "test",
    role: Role = "gallery",
    fpir: Fpir = None,
    threshold: Threshold = None,
    thresholds: Thresholds = None,
    templates: Annotated[
        Literal["mean", "weighted", "each"],
        typer.Option(
            help="A person is the mean of his sessions, their mean weighted by magnitude, or "
            "each session stands for itself.",
        ),
    ] = "mean",
    runs: Runs = Path("runs"),
    batch_size: BatchSize = 64,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Enroll people into a gallery that can say unknown.

    The people of partition 'calibration' are searched against the very
    templates that are stored, and the threshold is set so that strangers are
    named at most at the rate --fpir. Without such people, --thresholds takes
    the threshold that a benchmark measured, with this model and a gallery of
    as many people or more. The gallery keeps the model, so identify needs
    nothing else. gallery.faiss, a plain FAISS index, lies beside gallery.h5,
    which holds everything.

    Examples:
      fr3d enroll
      fr3d enroll embeddings.h5 -m model.onnx -o gallery.faiss --fpir 0.05
      fr3d enroll faces.h5 --templates each --threshold 0.4
      fr3d enroll --thresholds report.thresholds.csv --fpir 0.01
    """
    from dataclasses import asdict

    from fr3d.artifacts.provenance import Step, sha256_file
    from fr3d.cli.console import detail, say
    from fr3d.errors import UsageError
    from fr3d.gallery.calibration import check_rate
    from fr3d.gallery.enrolment import new_records
    from fr3d.gallery.storage import check_new, create_gallery
    from fr3d.gallery.threshold_table import check_contract, check_gallery
    from fr3d.inference.model import find_model, onnx_form
    from fr3d.inference.probes import open_faces_or_embeddings
    from fr3d.protocols.table import read_split

    if fpir is not None and threshold is not None:
        raise UsageError("--fpir and --threshold: only one can decide", "leave one of them away")
    found = _from_table(thresholds, threshold, fpir)
    given = threshold if found is None else found.threshold
    rate = None if given is not None else check_rate(_FPIR if fpir is None else fpir)
    check_new(output, force or dry_run)
    artifact = open_faces_or_embeddings(source or [Path("faces.h5")])
    table = read_split(split)
    _check_strangers(table, split, rate)
    path = find_model(model, runs)
    network = onnx_form(path, faces=artifact, extractor=extractor)
    if found is not None:
        check_contract(found, network.contract.sha256, str(thresholds), path.name)
    enrolled = _take(artifact, table, (partition, role), network, batch_size)
    if found is not None:
        check_gallery(found, len(enrolled.people), str(thresholds))
    strangers = _strangers(artifact, table, network, batch_size)
    step = Step(
        "enroll",
        {
            "partition": partition,
            "role": role or "",
            "fpir": rate,
            "threshold": given,
            "templates": templates,
            "model_contract": network.contract.sha256,
            **({} if found is None else {"measured": asdict(found)}),
        },
        {
            artifact.name: artifact.sha256,
            split.name: sha256_file(split),
            **({} if thresholds is None else {thresholds.name: sha256_file(thresholds)}),
        },
    )
    records = new_records(
        network,
        enrolled,
        strangers,
        fpir=rate,
        threshold=given,
        strategy=templates,
        step=step,
        steps=artifact.history,
    )
    if not dry_run:
        records = create_gallery(output, records, force)
    how = _summary(records, found, thresholds)
    say(f"{'would enroll' if dry_run else 'enrolled'} {how} by {path} -> {output}")
    detail(f"model contract {records.contract.sha256}")


def _from_table(
    thresholds: Path | None, threshold: float | None, fpir: float | None
) -> "Measured | None":
    """What a benchmark measured for this rate, where its table is given."""
    from fr3d.errors import UsageError
    from fr3d.gallery.threshold_table import choose_threshold, read_thresholds

    if thresholds is None:
        return None
    if threshold is not None:
        raise UsageError("--threshold and --thresholds: only one can decide", "leave one away")
    return choose_threshold(read_thresholds(thresholds), "fpir", fpir, str(thresholds))


def _take(
    artifact: "Artifact",
    table: "pd.DataFrame",
    place: tuple[str, str | None],
    network: "OnnxModel",
    batch_size: int,
) -> "Sessions":
    """The sessions of a partition and role; those that cannot be used are named."""
    from fr3d.cli.console import warn
    from fr3d.gallery.intake import read_sessions
    from fr3d.protocols.selection import choose, rejects_of, select_rows

    partition, role = place
    chosen = choose(table, [partition], [role] if role else [])
    rows = [int(row) for row in select_rows(artifact, chosen)]
    sessions, refused = read_sessions(artifact, rows, network, batch_size)
    for reject in (*rejects_of(artifact, table, chosen), *refused):
        warn(f"{reject.subject_id}/{reject.session_id}: left out: {reject.reason}")
    for who in sorted(set(chosen["subject_id"]) - set(sessions.people)):
        warn(f"{who}: no session in {partition} could be used")
    return sessions


def _check_strangers(table: "pd.DataFrame", split: Path, rate: float | None) -> None:
    """Refuse early what the calibration would refuse after embedding everybody."""
    from fr3d.errors import MalformedInputError
    from fr3d.gallery.calibration import check_people

    people = table.loc[table["partition"] == "calibration", "subject_id"].nunique()
    if rate is None:
        return
    if not people:
        raise MalformedInputError(
            f"{split}: nobody in partition 'calibration', so no threshold can be calibrated",
            "make the split with 'fr3d split --calibration 20', or give --threshold",
        )
    check_people(people, rate, str(split))


def _strangers(
    artifact: "Artifact", table: "pd.DataFrame", network: "OnnxModel", batch_size: int
) -> "Sessions":
    """The calibration sessions; there may be none with a threshold set by hand."""
    from fr3d.gallery.intake import check_strangers, no_sessions

    if not (table["partition"] == "calibration").any():
        return no_sessions(network.contract.embedding_size)
    sessions = _take(artifact, table, ("calibration", None), network, batch_size)
    dataset = str(artifact.attrs.get("dataset", ""))
    check_strangers(sessions.people, dataset, network.training_subjects)
    return sessions


def _summary(records: "GalleryRecords", found: "Measured | None", thresholds: Path | None) -> str:
    people, strangers = len(records.enrolled.people), len(records.calibration.people)
    if found is not None and thresholds is not None:
        how = (
            f"from {thresholds.name} for FPIR {found.target:g}, not calibrated here (it measured "
            f"{found.measured:.2g} of {found.people} strangers, {found.gallery_people} enrolled)"
        )
    elif records.fpir is None:
        how = "set by hand"
    else:
        sessions = len(records.calibration)
        how = f"for FPIR {records.fpir:g} ({strangers} strangers, {sessions} sessions)"
    return (
        f"{people} people, {len(records.enrolled)} sessions, "
        f"threshold {records.threshold:.4g} {how},"
    )
