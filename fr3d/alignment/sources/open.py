"""What the user named, as a source of faces of the right kind."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fr3d.alignment.sources.cameras import Cameras
from fr3d.alignment.sources.depth_files import DepthCode, read_note
from fr3d.alignment.sources.files import FilesSource, Reader
from fr3d.alignment.sources.listing import Listing, list_items, walk
from fr3d.alignment.sources.maps import MapsSource
from fr3d.alignment.sources.normal_codes import NormalCode
from fr3d.alignment.sources.photographs import (
    PHOTOGRAPH_SUFFIXES,
    ROLE,
    PhotographReader,
    list_photographs,
)
from fr3d.alignment.sources.rgbd import RgbdReader, list_pairs
from fr3d.alignment.sources.scan_source import SCAN_SUFFIXES, ScanReader, list_scans
from fr3d.alignment.sources.source import Source
from fr3d.alignment.sources.surface import SMOOTHING_MM
from fr3d.alignment.sources.table import read_items
from fr3d.alignment.sources.triples import TRIPLE_SUFFIXES, TripleReader, list_triples
from fr3d.artifacts.store import open_artifact
from fr3d.errors import MalformedInputError, MissingInputError, UsageError
from fr3d.photometric.transfer import SRGB, Transfer

Kind = Literal["auto", "maps", "photographs", "rgbd", "scans", "triples"]
_UNREAD = frozenset((".gif", ".heic", ".heif", ".avif", ".jp2"))
"""Pictures that are not read."""

_LISTERS = {
    "photographs": list_photographs,
    "rgbd": list_pairs,
    "scans": list_scans,
    "triples": list_triples,
}


@dataclass(frozen=True)
class Reading:
    """How inputs are read; each kind takes what it needs.

    Args:
        transfer: how levels of photographs become light.
        code: how depth files mean depth; None for what `depth.json` says, else millimetres.
        cameras: of an RGB-D device.
        smoothing_mm: of measured depth.
        up: axis of scans that points up.
        longest_edge_mm: longer edges of scans are dropped.
        normal_code: of maps of other tools.
    """

    transfer: Transfer = SRGB
    code: DepthCode | None = None
    cameras: Cameras | None = None
    smoothing_mm: float = SMOOTHING_MM
    up: Literal["y", "z", "auto"] = "auto"
    longest_edge_mm: float = 25.0
    normal_code: NormalCode = "auto"

    def reader(self, kind: str, folder: Path) -> Reader:
        """The reader of a kind.

        Args:
            kind: but not "maps".
            folder: where a note on depth files may lie.
        """
        if kind == "rgbd":
            code = self.code or read_note(folder) or DepthCode()
            return RgbdReader(code, self.cameras, self.transfer, self.smoothing_mm)
        if kind == "scans":
            return ScanReader(self.up, self.longest_edge_mm)
        if kind == "triples":
            return TripleReader(self.normal_code)
        return PhotographReader(self.transfer)


def open_source(
    paths: Sequence[Path],
    kind: Kind = "auto",
    reading: Reading = Reading(),
    pattern: re.Pattern[str] | None = None,
) -> Source:
    """Open an input of any kind.

    Args:
        paths: maps files or a folder of their parts; or one folder of photographs, RGB-D pairs,
            scans or maps of other tools; or one CSV that lists files; or photographs.
        kind: of input; "auto" looks.
        reading: how it is read.
        pattern: what tells subject and session from a path.

    Raises:
        MissingInputError: there is nothing of that kind.
        UsageError: several folders, or a kind that does not fit.
        MalformedInputError: not what it should be.
    """
    first = paths[0]
    if kind == "maps" or (kind == "auto" and _holds_maps(first)):
        return MapsSource(open_artifact(list(paths)))
    if len(paths) > 1 or first.suffix.lower() in PHOTOGRAPH_SUFFIXES:
        return FilesSource(_named(paths, pattern), reading.reader("photographs", first.parent))
    if first.suffix.lower() == ".csv":
        listing, kind_of_table = read_items(first, kind)
        return FilesSource(listing, reading.reader(kind_of_table, first.parent))
    if not first.is_dir():
        raise MissingInputError(
            f"{first}: no such file or folder", "name maps, a folder, or a CSV that lists files"
        )
    _refuse_captures(first)
    found = _kind_of(first) if kind == "auto" else kind
    listing = _LISTERS[found](first, pattern)
    listing = replace(listing, passed_over=_passed_over(first, listing))
    return FilesSource(listing, reading.reader(found, first))


def _holds_maps(path: Path) -> bool:
    if path.is_dir():
        return any(path.glob("part-*.h5"))
    return path.suffix.lower() not in PHOTOGRAPH_SUFFIXES | {".csv"}


def _named(paths: Sequence[Path], pattern: re.Pattern[str] | None) -> Listing:
    """Photographs that were named one by one."""
    for path in paths:
        if path.is_dir() or path.suffix.lower() not in PHOTOGRAPH_SUFFIXES:
            raise UsageError(f"{path}: several inputs must be photographs, or files of maps")
        if not path.exists():
            raise MissingInputError(f"{path}: no such file")
    parents = {path.resolve().parent for path in paths}
    if len(parents) > 1:
        raise UsageError("photographs of several folders", "list them in a CSV")
    root = paths[0].parent
    return list_items(root, [{ROLE: path} for path in paths], pattern)


def _refuse_captures(folder: Path) -> None:
    """Raw captures need photometric stereo first; each of their photographs is no session."""
    for pattern in ("*/*/[Ll]ight*.m", "*/[Ll]ight*.m"):
        if next(folder.glob(pattern), None) is not None:
            raise MalformedInputError(
                f"{folder}: captures under several lights, not photographs of faces",
                "make maps of them first: fr3d ps-reconstruct",
            )


def _passed_over(folder: Path, listing: Listing) -> tuple[str, ...]:
    """Pictures and scans of a folder that no session takes, nor lie beside one by the same name."""
    used = {path.with_suffix("") for item in listing.items for path in item.files.values()}
    others = walk(folder, PHOTOGRAPH_SUFFIXES | SCAN_SUFFIXES | TRIPLE_SUFFIXES | _UNREAD)
    return tuple(
        path.relative_to(folder).as_posix() for path in others if path.with_suffix("") not in used
    )


def _kind_of(folder: Path) -> str:
    """What a folder holds, by its files."""
    if walk(folder, SCAN_SUFFIXES):
        return "scans"
    for kind in ("triples", "rgbd"):
        try:
            _LISTERS[kind](folder, None)
        except MissingInputError:
            continue
        return kind
    if not walk(folder, PHOTOGRAPH_SUFFIXES):
        raise MissingInputError(
            f"{folder}: a folder without part files, photographs, scans or maps",
            "make maps with 'fr3d ps-reconstruct', or name a folder of photographs",
        )
    return "photographs"
