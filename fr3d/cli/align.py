"""fr3d align: all maps of a face into one frame."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fr3d.cli.options import DryRun, Force, Output, Quiet, Size, Strict, Verbose, Workers


def align(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[MAPS]...",
            help="Maps; several files or a folder of parts.",
            show_default="maps.h5",
        ),
    ] = None,
    output: Output = Path("faces.h5"),
    size: Size = 112,
    template: Annotated[
        Literal["arcface112"],
        typer.Option("--template", help="Where the eyes, nose tip and mouth corners go."),
    ] = "arcface112",
    detector: Annotated[
        Literal["auto", "capture", "yunet", "none"],
        typer.Option(
            "--detector",
            help="Where landmarks come from: the capture's own, the YuNet detector on the mean "
            "photograph, auto (the first where there are any, else the second), or none: "
            "the frame is a registered crop and is only fitted into the square.",
        ),
    ] = "auto",
    strict: Strict = False,
    workers: Workers = None,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Align faces: warp all maps of each session into one frame.

    One similarity transform a face takes its five landmarks to the template.
    Normals turn with it, depth is scaled with it and set to zero at the tip
    of the nose. Sessions without a face are left out and listed with the
    reason.

    Examples:
      fr3d align
      fr3d align maps.h5 -o faces.h5 --size 112 --detector yunet
      fr3d align crops.h5 -o faces.h5 --detector none
    """
    from fr3d.alignment.faces import align_source
    from fr3d.alignment.recipe import AlignmentRecipe
    from fr3d.alignment.sources.maps import MapsSource, check_alignable
    from fr3d.artifacts.atomic import check_output
    from fr3d.artifacts.store import open_artifact
    from fr3d.cli.console import detail, progress, say
    from fr3d.errors import MalformedInputError
    from fr3d.runtime import worker_count

    recipe = AlignmentRecipe(size or 112, template, detector)
    check_output(output, force or dry_run)
    maps = open_artifact(source or [Path("maps.h5")])
    check_alignable(maps, recipe)
    if dry_run:
        say(f"would align {len(maps)} sessions to {size} x {size} ({recipe.frame}) -> {output}")
        return
    with progress(len(maps), "aligning") as bar:
        done = align_source(
            MapsSource(maps),
            output,
            recipe,
            workers=worker_count(workers),
            force=force,
            advance=bar.advance,
        )
    for reject in done.rejected:
        detail(f"left out {reject.subject_id}/{reject.session_id}: {reject.reason}")
    lost = f", {len(done.rejected)} without a usable face" if done.rejected else ""
    before = f", {len(done.earlier)} rejected earlier" if done.earlier else ""
    say(f"aligned {done.aligned} of {len(maps)} sessions -> {output}{lost}{before}")
    if strict and done.rejected:
        raise MalformedInputError(
            f"{output}: {len(done.rejected)} sessions could not be aligned, and --strict was given",
            f"the reasons are in {output}.rejects.csv",
        )
