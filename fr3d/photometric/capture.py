"""Finding captures on disk, whatever the layout of their folders."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError
from fr3d.photometric.image_roles import numeric_order
from fr3d.photometric.layouts.folder import Capture, Wanted
from fr3d.photometric.layouts.recognise import LAYOUT_HINT, Finder
from fr3d.photometric.lights import read_lights

__all__ = ["LAYOUTS", "Capture", "captures_of_folders", "find_captures", "numeric_order"]

Layout = Literal["auto", "photoface", "diligent", "yale", "plain"]
LAYOUTS: tuple[Layout, ...] = ("auto", "photoface", "diligent", "yale", "plain")


def find_captures(
    roots: Sequence[Path],
    lights: Path | None = None,
    *,
    layout: Layout = "auto",
    ambient: str | None = None,
    estimate: bool = False,
) -> list[Capture]:
    """List the captures of raw folders, sorted by subject and session.

    Photoface's names are matched whatever their case. A plain session takes all its photographs in
    numeric order and a light file of its own, its subject's or the root's; one that names files
    chooses among them. Hidden folders are passed over.

    Args:
        roots: raw folders.
        lights: one light file for all, instead of the captures' own.
        layout: expect this layout everywhere; `auto` recognises each folder's.
        ambient: name or glob of photographs without flash; None goes by names such as
            `ambient.png` and `x_Ambient.pgm`, and an empty text says that nothing is subtracted.
        estimate: the lights are to be estimated; no light file is looked for.

    Raises:
        MissingInputError: a root is not a folder, or the one light file is not there.
        MalformedInputError: no captures, none with lights, two of one name, or a fault in the one
            light file.
    """
    finder = Finder(_wanted(lights, layout, ambient, estimate))
    found: list[tuple[Path, Capture]] = []
    for root in roots:
        if not root.is_dir():
            what = "not a folder" if root.exists() else "no such folder"
            raise MissingInputError(f"{root}: {what}", "give the folder that holds the subjects")
        found += finder.captures(root)
    if not found:
        raise MalformedInputError(f"{', '.join(map(str, roots))}: found no captures", LAYOUT_HINT)
    finder.check_level(found)
    return _sorted(found)


def captures_of_folders(
    folders: Sequence[Path],
    lights: Path | None = None,
    *,
    layout: Layout = "auto",
    ambient: str | None = None,
    estimate: bool = False,
) -> list[Capture]:
    """List the captures of session folders, sorted by subject and session.

    The folder's name is the session and that of the folder above the subject, but for an object of
    DiLiGenT and a person of Yale B, which are subjects. A folder that is not there becomes a
    capture with a problem.

    Args:
        folders: of sessions.
        lights: as in `find_captures`.
        layout: as there.
        ambient: as there.
        estimate: as there.

    Raises:
        MalformedInputError: no folders, or two captures of one name.
    """
    if not folders:
        raise MalformedInputError("the list of sessions is empty", "expected one folder a line")
    finder = Finder(_wanted(lights, layout, ambient, estimate))
    found: list[tuple[Path, Capture]] = []
    for folder in folders:
        found += finder.session(folder)
    return _sorted(found)


def _wanted(lights: Path | None, layout: Layout, ambient: str | None, estimate: bool) -> Wanted:
    table = lru_cache(64)(read_lights)  # one file may serve many captures
    if lights is not None:
        try:
            table(lights)  # a fault in it is everyone's
        except Fr3dError as error:
            shown = error.message.replace(lights.name, str(lights), 1)
            raise type(error)(shown, error.hint) from None
    return Wanted(lights, layout, ambient, estimate, table)


def _sorted(found: Iterable[tuple[Path, Capture]]) -> list[Capture]:
    by_name: dict[tuple[str, str], tuple[Path, Capture]] = {}
    for folder, capture in found:
        key = capture.subject_id, capture.session_id
        if key in by_name:
            raise MalformedInputError(
                f"{folder}: session {'/'.join(key)} is also in {by_name[key][0]}",
                "two captures cannot have one name: rename one of the folders",
            )
        by_name[key] = folder, capture
    return [by_name[key][1] for key in sorted(by_name)]
