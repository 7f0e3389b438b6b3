"""fr3d ps-reconstruct: photographs under known lights become maps."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fr3d.cli.options import (
    Device,
    DryRun,
    Force,
    Output,
    Quiet,
    Size,
    Strict,
    Transfer,
    Verbose,
    Workers,
)

_READ, _SOLVE, _DEPTH = "How photographs are read", "Normals", "Depth"


def ps_reconstruct(
    raw: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of captures, as subject/session/photographs; - reads a list of session "
            "folders from standard input.",
            show_default="raw",
        ),
    ] = None,
    output: Output = Path("maps.h5"),
    layout: Annotated[
        Literal["auto", "photoface", "diligent", "yale", "plain"],
        typer.Option(help="How the folders are laid out.", rich_help_panel=_READ),
    ] = "auto",
    lights: Annotated[
        str | None,
        typer.Option(
            help="One light file for all captures: LightSource.m, .csv, .json, .lp, .txt or .npy; "
            "or 'estimate' for faces whose lights are unknown.",
            show_default="each capture's own",
            rich_help_panel=_READ,
        ),
    ] = None,
    flip_lights: Annotated[
        str,
        typer.Option(
            help="Axes of the lights to negate, such as yz, where y runs down and z away from the "
            "camera.",
            show_default=False,
            rich_help_panel=_READ,
        ),
    ] = "",
    transfer: Transfer = "linear",
    ambient: Annotated[
        str | None,
        typer.Option(
            help="Name or glob of the photograph without flash, which is subtracted; '' "
            "subtracts none.",
            show_default="ambient*, *_Ambient*",
            rich_help_panel=_READ,
        ),
    ] = None,
    flat: Annotated[
        Path | None,
        typer.Option(
            help="Photographs of a flat white target, a folder with one a light or an array (.npy);"
            " the light's unevenness is divided out.",
            rich_help_panel=_READ,
        ),
    ] = None,
    full_scale: Annotated[
        float | None,
        typer.Option(
            help="Stored value that stands for 1, such as 4095 for 12 bits in 16.",
            show_default="by the file's depth",
            rich_help_panel=_READ,
            min=1e-6,
        ),
    ] = None,
    register: Annotated[
        Literal["phase", "none"],
        typer.Option(
            help="Undo the head's movement between the flashes, or take it as still.",
            rich_help_panel=_READ,
        ),
    ] = "phase",
    max_residual: Annotated[
        float | None,
        typer.Option(
            help="Reject captures whose photographs miss each other by more pixels.",
            show_default="none is rejected",
            rich_help_panel=_READ,
            min=0,
        ),
    ] = None,
    size: Size = None,
    solver: Annotated[
        Literal["auto", "ls", "ratio", "consistency", "cauchy", "shadow"],
        typer.Option(
            help="ls: least squares; ratio: weighted by brightness; consistency: four lights "
            "check each other; cauchy: robust, for many lights; shadow: a small network tells "
            "shadow from shape; auto chooses by the number of lights.",
            rich_help_panel=_SOLVE,
        ),
    ] = "auto",
    prior: Annotated[
        Literal["auto", "face", "none"],
        typer.Option(
            help="face: draw normals to those of a mean face where light is scarce and a face is "
            "found; auto: so, with --solver auto and lights that stand far aside or are estimated.",
            rich_help_panel=_SOLVE,
        ),
    ] = "auto",
    integrate: Annotated[
        Literal["poisson", "robust", "dct", "fc"],
        typer.Option(
            help="poisson: least squares on the mask; robust: the same, but it may tear at edges, "
            "ten times slower; dct, fc (Frankot-Chellappa): on the rectangle, for comparison.",
            rich_help_panel=_DEPTH,
        ),
    ] = "poisson",
    camera: Annotated[
        Path | None,
        typer.Option(
            help="Text file with the 3x3 intrinsic matrix K in pixels of the photographs.",
            show_default="a distant camera",
            rich_help_panel=_DEPTH,
        ),
    ] = None,
    mm_per_pixel: Annotated[
        float | None,
        typer.Option(
            help="Length that a pixel covers at the face; with it, lights whose positions are "
            "known (position_mm in lights.json) are taken as near.",
            show_default="unknown",
            rich_help_panel=_DEPTH,
            min=1e-6,
        ),
    ] = None,
    min_nz: Annotated[
        float,
        typer.Option(
            help="Slopes where n_z is less are limited.", rich_help_panel=_DEPTH, min=1e-6, max=0.9
        ),
    ] = 0.05,
    edge_power: Annotated[
        float,
        typer.Option(
            help="An edge between pixels weighs as this power of n_z; 0 for exact normals.",
            rich_help_panel=_DEPTH,
            min=0,
        ),
    ] = 0.5,
    detrend: Annotated[
        Literal["none", "plane", "quadratic"],
        typer.Option(help="What to subtract from the depth.", rich_help_panel=_DEPTH),
    ] = "none",
    depth_prior: Annotated[
        Path | None,
        typer.Option(
            help="Maps with coarse depth of the same sessions, which the result follows in the "
            "large.",
            rich_help_panel=_DEPTH,
        ),
    ] = None,
    prior_weight: Annotated[
        float,
        typer.Option(help="How strongly it follows.", rich_help_panel=_DEPTH, min=0),
    ] = 1e-3,
    colour: Annotated[
        bool, typer.Option("--colour", help="Store albedo and image in colour.")
    ] = False,
    keep_raw: Annotated[
        bool, typer.Option("--keep-raw", help="Store the photographs beside the maps.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Make one share of the parts, as I/N, or slurm for this task's share in a Slurm "
            "array; 'fr3d merge' joins them.",
            show_default="all",
            rich_help_panel="Run",
        ),
    ] = None,
    device: Device = "cpu",
    workers: Workers = None,
    strict: Strict = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Reconstruct normals, albedo and depth from photographs.

    Reads Photoface's layout (im0, im1, ... and LightSource.m in each session),
    DiLiGenT's, Extended Yale B's names, and any photographs with a light file
    in the session, its subject or the root. The photographs of a session are
    registered, maps are as large as the largest photograph; with --size the
    face is cropped to a square first. A capture that cannot be used is listed
    with its reason in OUTPUT.rejects.csv and the others go on. Run again, it
    resumes.

    Examples:
      fr3d ps-reconstruct raw/ -o maps.h5
      fr3d ps-reconstruct raw/ --solver ratio --size 256 -j 8
      fr3d ps-reconstruct rig/ --lights lights.json --keep-raw
      find raw -mindepth 2 -type d | fr3d ps-reconstruct - -o maps.h5
      fr3d ps-reconstruct raw/ --shard 3/8
    """
    from fr3d.artifacts.atomic import check_output
    from fr3d.cli.reconstruction import Request, read_camera, run
    from fr3d.photometric.exposure import ReadOptions
    from fr3d.photometric.flat_field import flat_field_files
    from fr3d.photometric.integration.settings import Settings
    from fr3d.photometric.recipe import Recipe
    from fr3d.runtime import resolve_device

    check_output(output, force or dry_run)
    estimate = lights == "estimate"
    recipe = Recipe(
        solver=solver,
        prior=prior,
        reading=ReadOptions(
            colour, full_scale, flat_field_files(flat) if flat else (), flip_lights, estimate
        ),
        register=register == "phase",
        max_residual=max_residual,
        integration=Settings(integrate, min_nz, edge_power, prior_weight, detrend),
        camera=read_camera(camera) if camera else None,
        mm_per_pixel=mm_per_pixel,
        depth_prior=depth_prior,
        size=size,
        keep_raw=keep_raw,
        device=resolve_device(device),
    )
    request = Request(
        roots=raw or [Path("raw")],
        output=output,
        lights=Path(lights) if lights and not estimate else None,
        layout=layout,
        ambient=ambient,
        transfer=transfer,
        shard=shard,
        workers=workers,
        strict=strict,
        force=force,
        dry_run=dry_run,
    )
    run(request, recipe)
