"""fr3d show: look at maps and faces."""

from pathlib import Path
from typing import Annotated

import typer

from fr3d.cli.options import Force, OptionalOutput, Quiet, Verbose


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
    rows: Annotated[
        str, typer.Option("--rows", help="Rows of the first file, from 0, such as 0,4-7.")
    ] = "",
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="Only this person; may be repeated.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", help="At most so many sessions, evenly spread.", min=1)
    ] = 8,
    tile: Annotated[
        int, typer.Option("--tile", help="Side of each picture in pixels.", min=16, max=1024)
    ] = 128,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw maps and faces as a contact sheet.

    Flashes (where the file keeps them), mean image with landmarks, normals
    (red right, green up, blue to the camera), albedo, depth (yellow is near),
    confidence and mask; of each file what it holds.

    Examples:
      fr3d show faces.h5 -o faces.png
      fr3d show maps.h5 faces.h5 -o sheet.png --subject 1001
      fr3d show maps.h5 --rows 0,4-7 --tile 256 -o close.png
    """
    from fr3d.artifacts.atomic import check_output, write_bytes
    from fr3d.artifacts.store import open_artifact
    from fr3d.cli.console import say
    from fr3d.errors import UsageError
    from fr3d.evaluation.report.sheet import choose_sessions, parse_rows, session_sheet
    from fr3d.geometry.contact_sheet import encode_png

    output = output or Path("sheet.png")
    if output.suffix.lower() != ".png":
        raise UsageError(f"{output}: not a name for a picture", "call it sheet.png")
    numbers = parse_rows(rows)
    check_output(output, force)
    artifacts = [open_artifact(path) for path in source or [Path("faces.h5")]]
    keys = choose_sessions(artifacts, numbers, subject or [], limit)
    write_bytes(output, encode_png(session_sheet(artifacts, keys, tile)), force)
    total = max(len(artifact) for artifact in artifacts)
    say(f"wrote {output}: {len(keys)} of {total} sessions")
