"""A folder read once, and what layouts make of it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from fr3d.errors import MalformedInputError
from fr3d.photometric.image_roles import (
    LIGHT_FILES,
    LIGHT_SOURCE,
    in_order,
    is_ambient,
    is_mask,
    is_photograph,
)
from fr3d.photometric.light_files.model import Lights


@dataclass(frozen=True, slots=True)
class Capture:
    """One session's files.

    Attributes:
        subject_id: name of the subject's folder.
        session_id: name of the session's folder.
        images: the photographs, in the order of their lights.
        lights: the light file; None where names tell the lights, or nothing does.
        landmarks: `metadata.txt`, where there is one.
        attributes: `metadataII.txt`, where there is one.
        problem: why the capture cannot be used; empty when nothing is known against it.
        ambient: photographs without flash, to be averaged and subtracted.
        mask: image of where the object is, where there is one.
        beside: further files that decide about lights and order.
        layout: how the folder was read.
        ambient_asked: whether the user named the photographs without flash; others that do not fit
            are passed over.
    """

    subject_id: str
    session_id: str
    images: tuple[Path, ...] = ()
    lights: Path | None = None
    landmarks: Path | None = None
    attributes: Path | None = None
    problem: str = ""
    ambient: tuple[Path, ...] = ()
    mask: Path | None = None
    beside: tuple[Path, ...] = ()
    layout: str = "photoface"
    ambient_asked: bool = False

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that is read for this capture."""
        optional = (self.lights, self.landmarks, self.attributes, self.mask)
        found = (p for p in optional if p is not None)
        return (*self.images, *found, *self.ambient, *self.beside)


@dataclass(frozen=True)
class Wanted:
    """What the user asked for in finding captures.

    Attributes:
        lights: one light file for all, instead of the captures' own.
        layout: `auto`, or the name of the one layout to expect.
        ambient: name or glob of photographs without flash; None = by name, empty = there are none.
        estimate: the lights are to be estimated; light files are not looked for.
        table: reads a light file.
    """

    lights: Path | None
    layout: str
    ambient: str | None
    estimate: bool
    table: Callable[[Path], Lights] = field(compare=False)


@dataclass(frozen=True)
class Folder:
    """What lies in a folder.

    Attributes:
        path: the folder.
        files: its files by name, hidden ones left out.
        folders: its folders by name, hidden ones left out.
    """

    path: Path
    files: tuple[Path, ...]
    folders: tuple[Path, ...]

    @cached_property
    def images(self) -> tuple[Path, ...]:
        """Images that are no masks, in numeric order."""
        return in_order(p for p in self.files if is_photograph(p) and not is_mask(p))

    def has(self, *names: str) -> bool:
        """Whether there is any file of these names, whatever their case.

        Args:
            names: in lower case.
        """
        return any(p.name.lower() in names for p in self.files)

    def named(self, *names: str) -> Path | None:
        """The one file of these names, whatever their case.

        Args:
            names: in lower case.
        """
        return _single([p for p in self.files if p.name.lower() in names], "one")

    def mask(self) -> Path | None:
        """The one mask, or None."""
        return _single([p for p in self.files if is_photograph(p) and is_mask(p)], "one mask")

    def light_file(self) -> Path | None:
        """The light file of this folder: LightSource.m, else a known name, else any `.lp`.

        Raises:
            MalformedInputError: there are several of the rank that decides.
        """
        source = self.named(LIGHT_SOURCE) or self.named(*LIGHT_FILES)
        if source is not None:
            return source
        return _single([p for p in self.files if p.suffix.lower() == ".lp"], "one light file")

    def flashes(self, wanted: Wanted) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Photographs with and without flash.

        Args:
            wanted: what the user asked for.
        """
        if wanted.ambient == "":
            return tuple(p for p in self.images if not is_ambient(p, None)), ()
        dark = tuple(p for p in self.images if is_ambient(p, wanted.ambient))
        if wanted.ambient is not None and not dark:
            raise MalformedInputError(f"{wanted.ambient}: missing, expected an ambient photograph")
        return tuple(p for p in self.images if p not in dark), dark


def _single(hits: Sequence[Path], expected: str) -> Path | None:
    if len(hits) > 1:
        raise MalformedInputError(
            f"{hits[0].name} and {hits[1].name}: found both, expected {expected}"
        )
    return hits[0] if hits else None


def scan(path: Path) -> Folder:
    """Read a folder in one pass.

    Args:
        path: the folder.

    Raises:
        OSError: it cannot be read.
    """
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                (folders if entry.is_dir() else files).append(entry.name)
    return Folder(
        path, tuple(path / n for n in sorted(files)), tuple(path / n for n in sorted(folders))
    )


def listed(photographs: Sequence[Path], lights: Lights, where: str) -> tuple[Path, ...]:
    """The photographs in the order of their lights.

    A light file that names files chooses among them; a name may differ in its suffix, because
    tables outlive conversions.

    Args:
        photographs: in numeric order.
        lights: with or without names.
        where: name of the light file, for messages.
    """
    if not lights.files:
        return tuple(photographs)
    by_name = {p.stem.lower(): p for p in photographs} | {p.name.lower(): p for p in photographs}
    found = []
    for name in lights.files:
        path = by_name.get(name.lower()) or by_name.get(Path(name).stem.lower())
        if path is None:
            raise MalformedInputError(f"{name}: missing, {where} names it")
        found.append(path)
    if len(set(found)) < len(found):
        raise MalformedInputError(f"{where}: names a photograph twice")
    return tuple(found)
