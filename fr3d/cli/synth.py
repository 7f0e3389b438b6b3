"""fr3d synth: people who do not exist, with the truth attached."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fr3d.cli.options import Device, DryRun, Force, Quiet, Seed, Size, Verbose, Workers

_LOOKS, _RIG, _CAMERA = "Who they are", "Flashes", "Camera"
_SHARE = {"min": 0.0, "max": 1.0, "show_default": "as in Photoface", "rich_help_panel": _LOOKS}


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
    glasses: Annotated[
        float | None, typer.Option(help="Share of sessions with spectacles.", **_SHARE)
    ] = None,
    beards: Annotated[
        float | None, typer.Option(help="Share of men with hair on the face.", **_SHARE)
    ] = None,
    turned: Annotated[
        float | None, typer.Option(help="Share of sessions with a turned head.", **_SHARE)
    ] = None,
    expressive: Annotated[
        float | None, typer.Option(help="Share of sessions that are not neutral.", **_SHARE)
    ] = None,
    rig: Annotated[
        Literal["photoface", "narrow", "ring", "random"],
        typer.Option(
            "--setup",
            help="Places of the flashes: one of Photoface's two rigs, evenly around the camera, "
            "or drawn anew for each session.",
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
            show_default="far away",
            rich_help_panel=_RIG,
        ),
    ] = None,
    uneven: Annotated[
        float,
        typer.Option(
            help="Spread of the flashes' brightness.", min=0.0, max=1.0, rich_help_panel=_RIG
        ),
    ] = 0.0,
    movement: Annotated[
        float | None,
        typer.Option(
            help="The most that a head moves between flashes, pixels.",
            min=0.0,
            show_default="as in Photoface",
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
            help="Of the tone curve.",
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
            show_default="0.02; 0.5 for photographs and RGB-D",
            rich_help_panel=_CAMERA,
        ),
    ] = None,
    vignetting: Annotated[
        float,
        typer.Option(
            help="The most by which corners are darker.",
            min=0.0,
            max=0.9,
            rich_help_panel=_CAMERA,
        ),
    ] = 0.08,
    noise: Annotated[
        float,
        typer.Option(help="Factor of the noise; 0 is none.", min=0.0, rich_help_panel=_CAMERA),
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
