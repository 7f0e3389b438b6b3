"""fr3d benchmark: how good a model is, and how sure that is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fr3d.cli.options import (
    AllowLeak,
    BatchSize,
    Device,
    DryRun,
    Extractor,
    Force,
    Json,
    Model,
    Output,
    Partition,
    Quiet,
    Runs,
    Seed,
    Split,
    Verbose,
)

if TYPE_CHECKING:
    import pandas as pd

    from fr3d.artifacts.store import Artifact

_MEASURE = "What to measure"


def benchmark(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Embeddings, or aligned faces to embed with --model; several files or a folder "
            "of parts.",
            show_default="embeddings.h5",
        ),
    ] = None,
    model: Model = None,
    extractor: Extractor = None,
    output: Output = Path("report.json"),
    split: Split = Path("split.csv"),
    partition: Partition = "test",
    require: Annotated[
        list[str] | None,
        typer.Option(
            help="Fail with status 3 unless this holds, e.g. 'tpir@fpir=0.1>=0.8' or 'eer<=0.1'."
        ),
    ] = None,
    fmrs: Annotated[
        str, typer.Option(help="False-match rates, by commas.", rich_help_panel=_MEASURE)
    ] = "0.1,0.01,0.001,0.0001",
    fpirs: Annotated[
        str,
        typer.Option(
            help="False-positive identification rates, by commas.", rich_help_panel=_MEASURE
        ),
    ] = "0.1,0.03,0.01,0.003,0.001",
    ranks: Annotated[
        str, typer.Option(help="Ranks of the closed-set search.", rich_help_panel=_MEASURE)
    ] = "1,5,10",
    templates: Annotated[
        Literal["mean", "weighted", "each"],
        typer.Option(
            help="A person is the mean of his sessions, their mean weighted by magnitude, or "
            "each session stands for itself.",
            rich_help_panel=_MEASURE,
        ),
    ] = "mean",
    bootstrap: Annotated[
        int,
        typer.Option(
            help="Draws of people for the intervals; 0 for none.", min=0, rich_help_panel=_MEASURE
        ),
    ] = 1000,
    allow_leak: AllowLeak = None,
    runs: Runs = Path("runs"),
    seed: Seed = 0,
    batch_size: BatchSize = 64,
    device: Device = "auto",
    as_json: Json = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure verification and identification.

    Refuses evidence that is none: one person in two partitions, a capture on
    both sides, or people whom the model was trained on. Writes the report as
    JSON and, beside it, as a page of HTML with plots, and a table of the
    thresholds, which enroll and compare take. A rate that so few people
    cannot show is called not resolvable.

    Examples:
      fr3d benchmark
      fr3d benchmark embeddings.h5 --split split.csv -o report.json
      fr3d benchmark faces.h5 -m model.onnx --require 'tpir@fpir=0.1>=0.8'
    """
    from tempfile import TemporaryDirectory

    from fr3d.artifacts.atomic import check_output
    from fr3d.cli.console import emit_table, say, warn
    from fr3d.errors import UsageError
    from fr3d.evaluation.benchmark import refuse_leaks, run_benchmark, with_required
    from fr3d.evaluation.requirements import check_requirements, parse_requirement
    from fr3d.evaluation.settings import Settings, parse_ranks, parse_rates
    from fr3d.evaluation.trial import make_trial
    from fr3d.protocols.copying import open_sessions
    from fr3d.protocols.table import read_split

    page = output.with_suffix(".html")
    if page == output:
        raise UsageError(f"-o {output}: name the JSON file", "the page of HTML is put beside it")
    limits = output.with_suffix(".thresholds.csv")
    for path in (output, page, limits):
        check_output(path, force or dry_run)
    required = [parse_requirement(text) for text in require or ()]
    asked = Settings(
        fmr=parse_rates(fmrs, "--fmrs"),
        fpir=parse_rates(fpirs, "--fpirs"),
        ranks=parse_ranks(ranks),
        bootstrap=bootstrap,
        seed=seed,
    )
    table = read_split(split)
    artifact = open_sessions(source or [Path("embeddings.h5")])
    with TemporaryDirectory() as folder:
        embeddings = _embeddings(
            artifact, table, partition, (model, extractor, runs, device, batch_size), Path(folder)
        )
        leaks = refuse_leaks(embeddings, table, partition, allow_leak or (), str(split))
        for leak in leaks:
            warn(f"leak allowed: {leak.message}")
        trial = make_trial(embeddings, table, partition, templates)
        if dry_run:
            say(f"would measure {len(trial.subject_id)} sessions of partition {partition}")
            return
        settings = with_required(asked, required)
        about = _about(artifact, embeddings, split, settings, partition, templates)
        about["leaks_allowed"] = [leak.message for leak in leaks]
        report = _write(run_benchmark(trial, settings), about, output, (page, limits), force)
    emit_table(report["headline"], ("metric", "value", "low", "high", "note"), as_json)
    measured = f"measured {len(trial.subject_id)} sessions of partition {partition}"
    say(f"{measured} -> {output}, {page}, {limits}")
    check_requirements(required, report["headline"])


def _embeddings(
    artifact: "Artifact",
    table: "pd.DataFrame",
    partition: str,
    how: tuple[Path | None, str | None, Path, str, int],
    folder: Path,
) -> "Artifact":
    """The embeddings: as they are, or made of faces."""
    from fr3d.errors import UsageError
    from fr3d.evaluation.embedding import KIND, embed_tested
    from fr3d.inference.model import find_model, open_model

    model, extractor, runs, device, batch_size = how
    if artifact.kind != KIND:
        network = open_model(find_model(model, runs), device, faces=artifact, extractor=extractor)
        return embed_tested(artifact, table, partition, network, folder, batch_size)
    if model is not None or extractor is not None:
        option = "--model" if model is not None else "--extractor"
        raise UsageError(
            f"{artifact.paths[0]}: holds embeddings, which {option} cannot change",
            f"give aligned faces, or leave {option} away",
        )
    return artifact


def _about(
    artifact: "Artifact",
    embeddings: "Artifact",
    split: Path,
    settings: Any,
    partition: str,
    templates: str,
) -> dict[str, Any]:
    """Where the figures come from; names of files, never places."""
    from fr3d.artifacts.provenance import sha256_file

    return {
        "partition": partition,
        "model_contract": str(embeddings.attrs.get("model_contract_sha256", "")),
        "inputs": {artifact.name: artifact.sha256, split.name: sha256_file(split)},
        "seed": settings.seed,
        "parameters": {
            "templates": templates,
            "bootstrap": settings.bootstrap,
            "max_pairs": settings.max_pairs,
            "bootstrap_pairs": settings.bootstrap_pairs,
        },
        "history": embeddings.history,
    }


def _write(
    measured: Any, about: dict[str, Any], output: Path, beside: tuple[Path, Path], force: bool
) -> dict[str, Any]:
    from fr3d.artifacts.atomic import write_bytes
    from fr3d.evaluation.benchmark import thresholds
    from fr3d.evaluation.report.document import make_report, report_bytes
    from fr3d.evaluation.report.page import render_page
    from fr3d.gallery.threshold_table import thresholds_bytes

    page, limits = beside
    rows = thresholds(measured.results, about["model_contract"])
    report = make_report(measured.results, measured.counts, about)
    write_bytes(output, report_bytes(report), force)
    write_bytes(page, render_page(report).encode(), force)
    write_bytes(limits, thresholds_bytes(rows), force)
    return report
