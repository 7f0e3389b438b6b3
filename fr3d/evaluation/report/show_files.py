"""Sessions of maps files into pictures, meshes and pages on disk."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fr3d.artifacts.atomic import cannot_write, check_output, write_bytes
from fr3d.artifacts.store import Artifact
from fr3d.errors import Fr3dError, MalformedInputError
from fr3d.evaluation.report.alignment_sheet import alignment_sheet
from fr3d.evaluation.report.drawing import Look, draw, read_sessions
from fr3d.evaluation.report.naming import Key, companions
from fr3d.evaluation.report.sheet import session_sheet
from fr3d.evaluation.report.viewer.page import viewer_page
from fr3d.geometry.picture_files import encode_png


def prepare(kind: str, names: Sequence[Path], force: bool, make_folders: bool = False) -> None:
    """Refuse early: outputs that exist, folders that are not there.

    Args:
        kind: what is drawn.
        names: the main file of each session.
        force: replace what exists.
        make_folders: make the folders instead.

    Raises:
        CannotWriteError: an output exists, or its folder does not and cannot be made.
    """
    for name in names:
        if make_folders:
            try:
                name.parent.mkdir(exist_ok=True)
            except OSError as error:
                raise cannot_write(name.parent, error) from error
        for path in (*companions(kind, name), name):
            check_output(path, force)


def write_whole(
    kind: str,
    output: Path,
    artifacts: Sequence[Artifact],
    keys: Sequence[Key],
    tile: int,
    look: Look,
    force: bool,
    photographs: Path | None = None,
) -> None:
    """Write a sheet or a page of all the sessions.

    Args:
        kind: "sheet", "alignment" or "viewer".
        output: the file.
        artifacts: maps and faces files.
        keys: subject and session of each.
        tile: side of a picture on a sheet, pixels.
        look: how to draw.
        force: replace an output that exists.
        photographs: folder of the photographs that faces were found in.
    """
    if kind == "alignment":
        data = encode_png(alignment_sheet(artifacts, keys, tile, photographs))
    elif kind == "sheet":
        data = encode_png(session_sheet(artifacts, keys, tile))
    else:
        sessions = list(read_sessions(artifacts, keys))
        data = viewer_page(sessions, look.lights[0], look.jump).encode()
    write_bytes(output, data, force)


def write_each(
    kind: str,
    names: Sequence[Path],
    artifacts: Sequence[Artifact],
    keys: Sequence[Key],
    look: Look,
    force: bool,
) -> Iterator[Fr3dError | None]:
    """Write the file, or the few that belong together, of every session.

    Args:
        kind: what to draw.
        names: the main file of each session.
        artifacts: maps and faces files.
        keys: subject and session of each.
        look: how to draw.
        force: replace outputs that exist.

    Yields:
        After each session None, or why it cannot be drawn; that does not end the others.
    """
    for name, session in zip(names, read_sessions(artifacts, keys), strict=True):
        try:
            files = draw(kind, session, look, name)
        except MalformedInputError as error:
            yield error
            continue
        for path, data in files.items():
            write_bytes(path, data, force)
        yield None
