"""fr3d synth: people who do not exist, with the truth attached."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fr3d.cli import console
from fr3d.cli.options import Device, DryRun, Force, Quiet, Seed, Size, Verbose, Workers

_LOOKS, _RIG, _CAMERA = "Who they are", "Flashes", "Camera"


def _share(usual: str, help: str) -> Any:  # noqa: A002 - Typer's own word
    return typer.Option(
        help=help,
        min=0.0,
        max=1.0,
        callback=console.check_finite,
        show_default=f"{usual}, as in Photoface",
        rich_help_panel=_LOOKS,
    )


def synth(
    output: Annotated[
        Path,
        typer.Argument(
            help="Folder for the captures, new, empty or interrupted; or a file of maps, NAME.h5.",
        ),
    ] = Path("raw"),
    people: Annotated[int, typer.Option(help="How many people.", min=1)] = 48,
    sessions: Annotated[int, typer.Option(help="Sessions of each person.", min=1)] = 6,
    size: Size = 144,
    kind: Annotated[
        Literal["photoface", "photographs", "rgbd", "maps", "reconstruction"] | None,
        typer.Option(
            "--kind",
            help="Captures in Photoface's layout, plain colour photographs, or RGB-D pairs; or, "
            "into NAME.h5, the true maps, or those that photometric stereo finds.",
            show_default="photoface; maps for NAME.h5",
        ),
    ] = None,
    picture: Annotated[
        Literal["png", "bmp"], typer.Option("--format", help="Format of the photographs.")
    ] = "png",
    truth: Annotated[
        bool, typer.Option(help="Keep the true maps beside the captures, in truth.h5.")
    ] = True,
    seed: Seed = 0,
    glasses: Annotated[float | None, _share("0.28", "Share of sessions with spectacles.")] = None,
    beards: Annotated[
        float | None,
        _share("0.45", "Share of men who wear hair on the face; some come shaved now and then."),
    ] = None,
    turned: Annotated[float | None, _share("0.16", "Share of sessions with a turned head.")] = None,
    expressive: Annotated[
        float | None, _share("0.3", "Share of sessions that are not neutral.")
    ] = None,
    rig: Annotated[
        Literal["photoface", "narrow", "ring", "random"],
        typer.Option(
            "--setup",
            help="Places of the flashes: one of Photoface's two rigs of four, evenly around the "
            "camera, or drawn anew for each session.",
            rich_help_panel=_RIG,
        ),
    ] = "photoface",
    lights: Annotated[
        int,
        typer.Option("--flashes", help="How many flashes.", min=3, max=256, rich_help_panel=_RIG),
    ] = 4,
    near: Annotated[
        float | None,
        typer.Option(
            help="Distance of the flashes from the face, mm.",
            min=150.0,
            callback=console.check_finite,
            show_default="far away",
            rich_help_panel=_RIG,
        ),
    ] = None,
    uneven: Annotated[
        float,
        typer.Option(
            help="Spread of the flashes' brightness: standard deviation of its logarithm.",
            min=0.0,
            max=1.0,
            callback=console.check_finite,
            rich_help_panel=_RIG,
        ),
    ] = 0.0,
    movement: Annotated[
        float | None,
        typer.Option(
            help="The most that a photograph is off its session's mean, right or down, pixels.",
            min=0.0,
            callback=console.check_finite,
            show_default="20 of 750 rows, as in Photoface",
            rich_help_panel=_RIG,
        ),
    ] = None,
    colour: Annotated[
        bool,
        typer.Option(
            "--in-colour", help="Photograph red, green and blue.", rich_help_panel=_CAMERA
        ),
    ] = False,
    bits: Annotated[
        Literal["8", "16"],
        typer.Option("--sensor-bits", help="Bits of each value.", rich_help_panel=_CAMERA),
    ] = "8",
    gamma: Annotated[
        float | None,
        typer.Option(
            help="Gamma of the tone curve, 0.4 to 4.",
            callback=console.check_finite,
            show_default="1, linear; 2.2 for photographs and RGB-D",
            rich_help_panel=_CAMERA,
        ),
    ] = None,
    ambient: Annotated[
        float | None,
        typer.Option(
            "--room-light",
            help="The most that light without a flash adds, as a share of a flash's.",
            min=0.0,
            max=2.0,
            callback=console.check_finite,
            show_default="0.02; 0.5 for photographs and RGB-D",
            rich_help_panel=_CAMERA,
        ),
    ] = None,
    vignetting: Annotated[
        float,
        typer.Option(
            help="The most by which corners are darker, a share.",
            min=0.0,
            max=0.9,
            callback=console.check_finite,
            rich_help_panel=_CAMERA,
        ),
    ] = 0.08,
    noise: Annotated[
        float,
        typer.Option(
            help="Factor of the noise; 1 is a usual sensor, 0 none.",
            min=0.0,
            max=100.0,
            callback=console.check_finite,
            rich_help_panel=_CAMERA,
        ),
    ] = 1.0,
    device: Device = "cpu",
    workers: Workers = None,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Render captures of synthetic people under flashes.

    Shape and skin belong to the person; expression, head pose, hair, beard,
    spectacles, flashes and noise change from session to session. An
    interrupted run is completed by the same command line.

    Examples:
      fr3d synth raw/
      fr3d synth raw/ --people 200 --sessions 4 --seed 7 -j 8
      fr3d synth raw/ --size 256 --setup random --flashes 8
      fr3d synth maps.h5 --people 2000            # true maps, to train on
      fr3d synth solved.h5 --kind reconstruction    # as ps-reconstruct finds them
      fr3d synth pairs/ --kind rgbd --glasses 0.5
    """
    from fr3d.cli.synthesis import Wishes, run

    run(
        Wishes(
            output=output,
            people=people,
            sessions=sessions,
            size=size or 144,
            kind=kind,
            picture=picture,
            truth=truth,
            seed=seed,
            shares=(glasses, beards, turned, expressive),
            rig=(rig, lights, near, uneven),
            movement=movement,
            colour=colour,
            bits=int(bits),
            gamma=gamma,
            ambient=ambient,
            vignetting=vignetting,
            noise=noise,
            device=device,
            workers=workers,
            force=force,
            dry_run=dry_run,
        )
    )
