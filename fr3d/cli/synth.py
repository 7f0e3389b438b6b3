"""fr3d synth: raw captures of people who do not exist."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fr3d.cli.options import DryRun, Force, Quiet, Seed, Size, Verbose, Workers


def synth(
    output: Annotated[
        Path, typer.Argument(help="Folder for the captures; new, empty or interrupted.")
    ] = Path("raw"),
    people: Annotated[int, typer.Option(help="How many people.", min=1)] = 48,
    sessions: Annotated[int, typer.Option(help="Sessions of each person.", min=1)] = 6,
    size: Size = 144,
    picture: Annotated[
        Literal["png", "bmp"], typer.Option("--format", help="Format of the photographs.")
    ] = "png",
    truth: Annotated[
        bool, typer.Option(help="Keep the true maps beside the captures, in truth.h5.")
    ] = True,
    seed: Seed = 0,
    workers: Workers = None,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Render captures of synthetic people under four flashes.

    Shape and skin belong to the person; expression, head pose, distance,
    flashes and noise change from session to session. An interrupted run is
    completed by the same command line.

    Examples:
      fr3d synth raw/
      fr3d synth raw/ --people 200 --sessions 4 --seed 7 -j 8
      fr3d synth raw/ --size 256 --format bmp
    """
    from fr3d.cli.console import progress, say
    from fr3d.runtime import worker_count
    from fr3d.synthesis.dataset import prepare, synthesise
    from fr3d.synthesis.people import Plan

    plan = Plan(people, sessions, size or 144, seed, picture)
    what = f"{people} people x {sessions} sessions x 4 flashes, {plan.size} px"
    if dry_run:
        prepare(plan, output, truth, force)
        say(f"would write {output}: {what}")
        return
    with progress(people * sessions, "rendering") as bar:
        synthesise(
            plan,
            output,
            truth=truth,
            workers=worker_count(workers),
            force=force,
            advance=bar.advance,
        )
    say(f"wrote {output}: {what}")
