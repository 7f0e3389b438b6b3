"""fr3d align: all maps of a face into one frame."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fr3d.cli.options import (
    DETECTOR_HELP,
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

_FACES = "Where faces are, and go"
_INPUT = "How inputs are read"


def align(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="Maps (files or a folder of parts); or a folder of photographs, RGB-D pairs, 3D "
            "scans or other tools' maps; or a CSV that lists them; or photographs.",
            show_default="maps.h5",
        ),
    ] = None,
    output: Output = Path("faces.h5"),
    size: Size = 112,
    template: Annotated[
        str,
        typer.Option(
            "--template",
            help="Where eyes, nose tip and mouth corners go: arcface112, photoface (with hair and "
            "chin), or a .json file; or box: only cut out the detector's box.",
            rich_help_panel=_FACES,
        ),
    ] = "arcface112",
    margin: Annotated[
        int,
        typer.Option(
            "--margin",
            help="Pixels of the result around the template or box, half on each side.",
            min=0,
            rich_help_panel=_FACES,
        ),
    ] = 0,
    warp: Annotated[
        Literal["similarity", "affine"],
        typer.Option(
            "--warp",
            help="affine also stretches and shears, so that all points fit better.",
            rich_help_panel=_FACES,
        ),
    ] = "similarity",
    detector: Annotated[
        Literal["auto", "capture", "yunet", "mtcnn", "hourglass", "none"],
        typer.Option(
            "--detector",
            help=DETECTOR_HELP,
            rich_help_panel=_FACES,
        ),
    ] = "auto",
    landmarks: Annotated[
        Path | None,
        typer.Option(
            "--landmarks",
            help="Run folder or ONNX file of the landmark network, for the detector hourglass.",
            show_default=False,
            rich_help_panel=_FACES,
        ),
    ] = None,
    face: Annotated[
        Literal["central", "largest"],
        typer.Option(
            "--face",
            help="Which of several: central weighs size against distance from the middle.",
            rich_help_panel=_FACES,
        ),
    ] = "central",
    look_at: Annotated[
        Literal["auto", "image", "albedo", "normal", "depth"],
        typer.Option(
            "--look-at",
            help="Map in which faces are looked for; auto: the first of these that is there.",
            rich_help_panel=_FACES,
        ),
    ] = "auto",
    frontal: Annotated[
        bool,
        typer.Option(
            "--frontal",
            help="Turn faces with depth to the front; what was hidden before is masked.",
            rich_help_panel=_FACES,
        ),
    ] = False,
    kind: Annotated[
        Literal["auto", "maps", "photographs", "rgbd", "scans", "triples"],
        typer.Option(
            "--input",
            help="Kind of input; triples are normals, albedo and depth of other tools as EXR, NPY "
            "or MAT files.",
            rich_help_panel=_INPUT,
        ),
    ] = "auto",
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            help="Regular expression that finds subject and session in a path, such as "
            r"'(?P<subject>\d+)-(?P<session>\d+)'.",
            show_default="folders, else names of files",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    transfer: Transfer = "srgb",
    depth_unit: Annotated[
        float | None,
        typer.Option(
            "--depth-unit",
            help="Millimetres that one unit of depth files stands for; 1000 for metres.",
            show_default="depth.json, else 1 for whole numbers",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    depth_sign: Annotated[
        Literal["smaller-is-nearer", "larger-is-nearer"] | None,
        typer.Option(
            "--depth-sign",
            help="Which numbers are nearer to the camera.",
            show_default="depth.json, else smaller",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    intrinsics: Annotated[
        Path | None,
        typer.Option(
            "--intrinsics",
            help="JSON of the RGB-D cameras, which give the scale and register depth to colour.",
            show_default="eyes 63 mm apart, registered",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    smoothing: Annotated[
        float,
        typer.Option(
            "--smoothing",
            help="Deviation of the bilateral filter on measured depth, mm; 0 leaves it.",
            min=0.0,
            max=50.0,
            rich_help_panel=_INPUT,
        ),
    ] = 2.5,
    up: Annotated[
        Literal["auto", "y", "z"],
        typer.Option(
            "--up",
            help="Axis of scans that points up; auto tries until a face is seen.",
            rich_help_panel=_INPUT,
        ),
    ] = "auto",
    longest_edge: Annotated[
        float,
        typer.Option(
            "--longest-edge",
            help="Triangles of scans with a longer edge are dropped, mm.",
            min=0.1,
            rich_help_panel=_INPUT,
        ),
    ] = 25.0,
    normal_code: Annotated[
        Literal["auto", "rgb", "rgb-y-down", "opencv-exr"],
        typer.Option(
            "--normal-code",
            help="Channels of other tools' normals, unit vectors or (n + 1) / 2: rgb has y up; "
            "opencv-exr is (pz, -px, py) written blue first; auto takes what agrees with depth.",
            rich_help_panel=_INPUT,
        ),
    ] = "auto",
    strict: Strict = False,
    workers: Workers = None,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    r"""Align faces: warp all maps of each session into one frame.

    One similarity transform a face takes its five landmarks to the template.
    Normals turn with it, depth is scaled with it and set to zero at the tip
    of the nose. Photographs become linear light in colour; depth of RGB-D
    pairs and scans gives normals. Where no face is seen it is looked for
    again with more contrast and blurred. What has no face is left out and
    listed with the reason; quality/* says how sure each row is.

    Folders hold a folder a person; of files that lie in them directly the
    name tells: 001_03.jpg is session 03 of 001.

    Examples:
      fr3d align
      fr3d align maps.h5 -o faces.h5 --size 112 --detector yunet
      fr3d align photographs/ -o faces.h5 -j 4
      fr3d align rgbd/ --depth-unit 0.1 --intrinsics camera.json
      fr3d align scans/ --pattern '(?P<subject>\d+)-(?P<session>\d+)'
      fr3d align list.csv --template box --size 182 --margin 44
      fr3d align maps.h5 --detector hourglass --landmarks runs/landmarks --look-at normal
    """
    from fr3d.alignment.sources.listing import compile_pattern
    from fr3d.alignment.sources.open import open_source
    from fr3d.artifacts.atomic import check_output
    from fr3d.cli.alignment import Depth, make_reading, make_recipe, run

    check_output(output, force or dry_run)
    depth = Depth(depth_unit, depth_sign, intrinsics, smoothing)
    reading = make_reading(transfer, depth, up, longest_edge, normal_code)
    inputs = open_source(source or [Path("maps.h5")], kind, reading, compile_pattern(pattern))
    recipe = make_recipe(
        inputs,
        landmarks,
        depth,
        size=size or 112,
        template=template,
        detector=detector,
        margin=margin,
        warp=warp,
        face=face,
        look_at=look_at,
        frontal=frontal,
    )
    run(inputs, recipe, output, workers=workers, strict=strict, force=force, dry_run=dry_run)
