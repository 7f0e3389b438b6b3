"""fr3d show: look at maps and faces."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fr3d.cli.options import (
    LIMIT_HELP,
    Force,
    OptionalOutput,
    Quiet,
    Rows,
    Subjects,
    Verbose,
)

_VIEWS = "Views and meshes"
_AT_ONCE = 8

Kind = Literal[
    "sheet", "alignment", "normal", "albedo", "depth", "relit", "shaded", "ply", "obj", "viewer"
]


def show(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Maps and faces; several files are joined by session.",
            show_default="faces.h5",
        ),
    ] = None,
    output: OptionalOutput = None,
    picture: Annotated[
        Kind | None,
        typer.Option(
            "--as", help="What to draw.", show_default="by the output's suffix; sheet for .png"
        ),
    ] = None,
    rows: Rows = None,
    subject: Subjects = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            help=LIMIT_HELP,
            min=1,
            show_default=f"{_AT_ONCE}, evenly spread, on a sheet or page; 240 alignments; else all",
        ),
    ] = None,
    tile: Annotated[
        int,
        typer.Option("--tile", help="Side of each picture on a sheet, pixels.", min=16, max=1024),
    ] = 128,
    light: Annotated[
        list[str] | None,
        typer.Option(
            "--light",
            help="Light of a view: zenith,azimuth in degrees, x,y,z, or circle:zenith,count; "
            "may be repeated.",
            show_default="relit: front, left, right, above",
            rich_help_panel=_VIEWS,
        ),
    ] = None,
    cast_shadows: Annotated[
        bool,
        typer.Option(
            "--cast-shadows",
            help="Let the surface hide its own parts from the light.",
            rich_help_panel=_VIEWS,
        ),
    ] = False,
    bits: Annotated[
        Literal["8", "16"],
        typer.Option("--bits", help="Bits a value; depth always takes 16.", rich_help_panel=_VIEWS),
    ] = "8",
    normal_frame: Annotated[
        Literal["y-up", "y-down"],
        typer.Option(
            "--normal-frame",
            help="Green of normal maps: y-up (OpenGL) or y-down (DirectX).",
            rich_help_panel=_VIEWS,
        ),
    ] = "y-up",
    jump: Annotated[
        float,
        typer.Option(
            "--jump",
            help="Leave out triangles steeper than so many pixels of depth a pixel.",
            min=0.0,
            rich_help_panel=_VIEWS,
        ),
    ] = 5.0,
    photographs: Annotated[
        Path | None,
        typer.Option(
            "--photographs",
            help="Folder that 'fr3d align' read, to draw alignments in its photographs.",
            show_default=False,
            rich_help_panel=_VIEWS,
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw maps and faces: sheet, pictures, meshes, or a page to turn them in.

    sheet: flashes (where the file keeps them), mean image with landmarks,
    normals, albedo, depth, confidence (0 violet to 1 yellow) and mask.
    alignment: hundreds of faces, the least sure first, each beside the
    picture that it was found in with box (yellow), points (red) and outline
    of the crop (blue); names are red below a score of 0.75, violet where the
    picture shows several faces.
    normal: red right, green up, blue to the camera: (n + 1) / 2; black outside.
    albedo, relit: sRGB; relit is one view a light, side by side.
    depth: 16 bit; depth = (level - 32768) * step, level 0 unknown; the step is
    1/256 pixel unless the PNG's text says otherwise.
    shaded: the depth's own surface, where mistakes of integration show.
    ply, obj: meshes with normals and albedo, in mm where the scale is known.
    viewer: one HTML page that works offline; turn the face, move the light.

    An output without a suffix is a folder; {subject}, {session}, {kind} and
    {light} in a name are filled in.

    Examples:
      fr3d show faces.h5 -o faces.png
      fr3d show maps.h5 faces.h5 -o sheet.png --subject 1001
      fr3d show maps.h5 faces.h5 --as alignment -o alignment.png
      fr3d show faces.h5 --as alignment --photographs lfw/ --limit 400 -o found.png
      fr3d show maps.h5 --rows 0,4-7 -o faces.html
      fr3d show maps.h5 --row 3 -o face.ply
      fr3d show maps.h5 --as normal --bits 16 -o normals
      fr3d show maps.h5 --row 3 --as relit --light 45,90 --light 0.5,0.5,1 -o lit.png
      fr3d show maps.h5 --row 3 --as relit --light circle:50,24 -o 'turn_{light}.png'
    """
    from fr3d.artifacts.store import open_artifact
    from fr3d.cli.console import progress, say, warn
    from fr3d.errors import Fr3dError, MissingInputError
    from fr3d.evaluation.report.alignment_sheet import MOST, aligned_of, least_sure_first
    from fr3d.evaluation.report.drawing import Look
    from fr3d.evaluation.report.naming import (
        WHOLE,
        choose_kind,
        makes_folders,
        name_files,
        name_whole,
    )
    from fr3d.evaluation.report.sheet import choose_sessions, parse_rows, strangers
    from fr3d.evaluation.report.show_files import prepare, write_each, write_whole
    from fr3d.evaluation.report.view_lights import parse_lights

    kind = choose_kind(picture, output)
    numbers = [] if rows is None else parse_rows(rows)
    lights = parse_lights(light or [], kind)
    look = Look(lights, int(bits), normal_frame == "y-down", cast_shadows, jump)
    whole = name_whole(kind, output) if kind in WHOLE else None
    if whole is not None:
        prepare(kind, [whole], force, makes_folders(output))
    artifacts = [open_artifact(path) for path in source or [Path("faces.h5")]]
    for name in strangers(artifacts):
        warn(f"{name}: no session in common with the other files, nothing to join")
    total = max(len(artifact) for artifact in artifacts)
    most = limit or (_AT_ONCE if whole else max(total, 1))
    if kind == "alignment":
        everybody = choose_sessions(artifacts, numbers, subject or [], max(total, 1))
        keys = least_sure_first(aligned_of(artifacts), everybody, limit or MOST)
    else:
        keys = choose_sessions(artifacts, numbers, subject or [], most)
    if not keys:
        raise MissingInputError(f"{artifacts[0].paths[0].name}: no session to show")
    if whole is not None:
        write_whole(kind, whole, artifacts, keys, tile, look, force, photographs)
        say(f"wrote {whole}: {len(keys)} of {total} sessions")
        return
    names = name_files(kind, output, keys)
    prepare(kind, names, force, makes_folders(output))
    failures: list[Fr3dError] = []
    with progress(len(names), "drawing") as bar:
        for error in write_each(kind, names, artifacts, keys, look, force):
            failures += [error] if error else []
            bar.advance()
    if len(failures) == len(keys):
        raise failures[0]
    for error in failures:
        warn(error.message)
    where = names[0] if len(names) == 1 else f"{kind} to {names[0].parent}"
    drawn = len(keys) - len(failures)
    views = f"{drawn * len(lights)} files, " if "{light}" in names[0].name else ""
    say(f"wrote {where}: {views}{drawn} of {total} sessions")
