"""fr3d ps-reconstruct: photographs under known lights become maps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fr3d.cli.options import DryRun, Force, Output, Quiet, Size, Strict, Verbose, Workers

if TYPE_CHECKING:
    from fr3d.artifacts.provenance import Step
    from fr3d.photometric.recipe import Recipe
    from fr3d.photometric.survey import Survey

_HOW = "How to reconstruct"


def ps_reconstruct(
    raw: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of captures, as subject/session/photographs.", show_default="raw"
        ),
    ] = None,
    output: Output = Path("maps.h5"),
    solver: Annotated[
        Literal["ls", "ratio"],
        typer.Option(
            help="Least squares, or least squares weighted by relative brightness.",
            rich_help_panel=_HOW,
        ),
    ] = "ls",
    lights: Annotated[
        Path | None,
        typer.Option(
            help="One light file (LightSource.m or CSV) for all captures.",
            show_default="each capture's own",
            rich_help_panel=_HOW,
        ),
    ] = None,
    transfer: Annotated[
        str,
        typer.Option(
            help="How stored values become light: linear, srgb or gamma:G.", rich_help_panel=_HOW
        ),
    ] = "linear",
    size: Size = None,
    keep_raw: Annotated[
        bool, typer.Option("--keep-raw", help="Store the photographs beside the maps.")
    ] = False,
    workers: Workers = None,
    strict: Strict = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Reconstruct normals, albedo and depth from photographs.

    Reads Photoface's layout (im0, im1, ... and LightSource.m in each session)
    or any photographs with a lights.csv in the session, its subject or the
    root: columns x,y,z or zenith,azimuth, and if need be file and intensity.
    Maps are as large as the largest photograph; with --size the face is
    cropped to a square first. A capture that cannot be used is listed with
    its reason in OUTPUT.rejects.csv and the others go on. Run again, it
    resumes.

    Examples:
      fr3d ps-reconstruct raw/ -o maps.h5
      fr3d ps-reconstruct raw/ --solver ratio --size 256 -j 8
      fr3d ps-reconstruct rig/ --lights lights.csv --keep-raw
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.artifacts.writer import ArtifactWriter
    from fr3d.cli.console import progress, say
    from fr3d.errors import MalformedInputError
    from fr3d.photometric.batch import reconstruct_all, rows_per_part
    from fr3d.photometric.capture import find_captures
    from fr3d.photometric.photograph import Transfer
    from fr3d.photometric.recipe import Recipe
    from fr3d.photometric.survey import survey_captures
    from fr3d.runtime import worker_count

    check_output(output, force or dry_run)
    how = Transfer(transfer)
    roots = raw or [Path("raw")]
    survey = survey_captures(find_captures(roots, lights), size)
    with_attributes = any(c.attributes is not None for c in survey.captures)
    recipe = Recipe(
        solver, transfer=how, size=size, keep_raw=keep_raw, attributes=with_attributes
    )
    _warn(survey, recipe)
    if dry_run:
        _rehearse(survey, output)
        return
    step = _step(roots, lights, survey, recipe)
    writer = ArtifactWriter(
        output,
        "fr3d.maps",
        step,
        frame="camera",
        part_rows=rows_per_part(survey.canvas, recipe, len(survey.captures)),
        force=force,
        plan=[step.record(), survey.moment],
    )
    total = len(survey.captures)
    with progress(total, "reconstructing") as bar, writer:
        reconstruct_all(
            survey.captures, recipe, survey.canvas, writer, worker_count(workers), bar.advance
        )
        writer.step = _with_contents(step, roots, writer.sealed_text("source_sha256"))
    rejects = len(writer.rejected)
    note = f", {rejects} rejected: see {output}.rejects.csv" if rejects else ""
    say(f"reconstructed {writer.rows} of {total} captures -> {output}{note}")
    if strict and rejects:
        raise MalformedInputError(
            f"{output}: {rejects} of {total} captures were rejected, and --strict allows none",
            f"their reasons are in {output}.rejects.csv",
        )


def _step(roots: list[Path], lights: Path | None, survey: "Survey", recipe: "Recipe") -> "Step":
    from fr3d.artifacts.provenance import Step, sha256_file

    inputs = {_name(roots): survey.digest}
    if lights is not None:
        inputs[lights.name] = sha256_file(lights)
    return Step("ps-reconstruct", recipe.parameters, inputs)


def _name(roots: list[Path]) -> str:
    return " ".join(dict.fromkeys(r.resolve().name for r in roots))


def _with_contents(step: "Step", roots: list[Path], sources: list[str]) -> "Step":
    """History cites what the files hold, known once all were read, beside their listing."""
    from dataclasses import replace

    from fr3d.artifacts.provenance import sha256_json

    total = sha256_json([step.inputs[_name(roots)], *sources])
    return replace(step, inputs={**step.inputs, _name(roots): total})


def _warn(survey: "Survey", recipe: "Recipe") -> None:
    from fr3d.cli.console import warn

    if survey.mostly_padding:
        first, canvas = survey.mostly_padding[0], survey.canvas
        warn(
            f"{len(survey.mostly_padding)} captures fill less than half of {canvas.width}x"
            f"{canvas.height} pixels (first: {first.subject_id}/{first.session_id}); consider "
            "--size"
        )
    if survey.lossy and recipe.transfer.name == "linear":
        warn(
            f"{survey.lossy} captures are JPEG, whose values are rarely linear; consider "
            "--transfer srgb"
        )


def _rehearse(survey: "Survey", output: Path) -> None:
    """Say what would be done, with all that can be known before decoding."""
    from fr3d.cli.console import detail, say
    from fr3d.errors import Fr3dError
    from fr3d.photometric.evidence import read_texts

    rejects = 0
    for capture in survey.captures:
        problem = capture.problem
        if not problem:
            try:
                read_texts(capture)
            except Fr3dError as error:
                problem = error.message
        if problem:
            rejects += 1
            detail(f"would reject {capture.subject_id}/{capture.session_id}: {problem}")
    canvas, total = survey.canvas, len(survey.captures)
    say(
        f"would write {output}: {total - rejects} of {total} captures, "
        f"{canvas.width}x{canvas.height} pixels, {canvas.lights} lights; {rejects} rejected"
    )
