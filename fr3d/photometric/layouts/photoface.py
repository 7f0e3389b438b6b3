"""Photoface: `<subject>/<session>/` with im0, im1, ..., LightSource.m and two metadata files."""

import re
from collections.abc import Sequence
from pathlib import Path

from fr3d.errors import MalformedInputError
from fr3d.photometric.image_roles import LIGHT_SOURCE
from fr3d.photometric.layouts.folder import Capture, Folder, Wanted, listed

_FLASH = re.compile(r"im(\d+)", re.IGNORECASE)
_LANDMARKS, _ATTRIBUTES = ("metadata.txt",), ("metadataii.txt", "metadatall.txt")


def has_flashes(folder: Folder) -> bool:
    """Whether photographs are named im0, im1, ..."""
    return any(_FLASH.fullmatch(p.stem) for p in folder.images)


def read_photoface(folder: Folder, ids: tuple[str, str], wanted: Wanted) -> Capture:
    """The capture of a session's folder.

    Args:
        folder: with im0, im1, ...
        ids: subject and session.
        wanted: what the user asked for.

    Raises:
        MalformedInputError: a file is missing or there twice.
    """
    flashes, ambient = folder.flashes(wanted)
    source = wanted.lights
    if source is None and not wanted.estimate:
        source = folder.named(LIGHT_SOURCE)
        if source is None:
            raise MalformedInputError("LightSource.m: missing")
    if wanted.lights is not None and wanted.table(wanted.lights).files:
        images = listed(flashes, wanted.table(wanted.lights), wanted.lights.name)
    else:
        images = _numbered([p for p in flashes if _FLASH.fullmatch(p.stem)])
    return Capture(
        *ids,
        images,
        source,
        folder.named(*_LANDMARKS),
        folder.named(*_ATTRIBUTES),
        ambient=ambient,
        mask=folder.mask(),
    )


def _numbered(flashes: Sequence[Path]) -> tuple[Path, ...]:
    """`im0`, `im1`, ... without gaps or doubles."""
    by_number: dict[int, Path] = {}
    for path in flashes:
        number = int(path.stem[2:])
        if number in by_number:
            raise MalformedInputError(
                f"{by_number[number].name} and {path.name}: found both, expected one"
            )
        by_number[number] = path
    if not by_number:
        raise MalformedInputError("im0: missing, expected photographs im0, im1, ...")
    last = max(by_number)
    missing = next((i for i in range(last) if i not in by_number), None)
    if missing is not None:
        raise MalformedInputError(
            f"im{missing}: missing, found {len(by_number)} of {last + 1} photographs"
        )
    return tuple(by_number[i] for i in range(last + 1))
