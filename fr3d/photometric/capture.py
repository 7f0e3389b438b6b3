"""Finding captures on disk: `<root>/<subject>/<session>/` with photographs and their lights."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError
from fr3d.photometric.image_header import SUFFIXES
from fr3d.photometric.lights import Lights, read_lights

_FLASH = re.compile(r"im(\d+)", re.IGNORECASE)
_LIGHT_SOURCE, _TABLE = "lightsource.m", "lights.csv"
_LANDMARKS, _ATTRIBUTES = ("metadata.txt",), ("metadataii.txt", "metadatall.txt")
_LAYOUT_HINT = (
    "expected <subject>/<session>/ folders with im0, im1, ... and LightSource.m, or photographs "
    "and a lights.csv"
)


@dataclass(frozen=True, slots=True)
class Capture:
    """One session's files.

    Attributes:
        subject_id: name of the subject's folder.
        session_id: name of the session's folder.
        images: the photographs, in the order of their lights.
        lights: the light file.
        landmarks: `metadata.txt`, where there is one.
        attributes: `metadataII.txt`, where there is one.
        problem: why the capture cannot be used; empty when nothing is known against it.
    """

    subject_id: str
    session_id: str
    images: tuple[Path, ...] = ()
    lights: Path | None = None
    landmarks: Path | None = None
    attributes: Path | None = None
    problem: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that is read for this capture."""
        optional = (self.lights, self.landmarks, self.attributes)
        return (*self.images, *(p for p in optional if p is not None))


def find_captures(roots: Sequence[Path], lights: Path | None = None) -> list[Capture]:
    """List the captures of raw folders, sorted by subject and session.

    Photoface's names are matched whatever their case. A session without `LightSource.m` takes all
    its photographs in numeric order and a `lights.csv` of its own, its subject's or the root's; one
    that names files chooses among them. Hidden folders are passed over.

    Args:
        roots: raw folders.
        lights: one light file for all, instead of the captures' own.

    Raises:
        MissingInputError: a root is not a folder, or the one light file is not there.
        MalformedInputError: no captures, two of one name, or a fault in the one light file.
    """
    found: dict[tuple[str, str], tuple[Path, Capture]] = {}
    table = lru_cache(64)(read_lights)  # one file may serve many captures
    if lights is not None:
        table(lights)  # a fault in it is everyone's
    read = partial(_capture, lights=lights, read_table=table)
    for root in roots:
        if not root.is_dir():
            what = "not a folder" if root.exists() else "no such folder"
            raise MissingInputError(f"{root}: {what}", "give the folder that holds the subjects")
        for folder in _session_folders(root):
            key = (_text_id(folder.parent), _text_id(folder))
            if key in found:
                raise MalformedInputError(
                    f"{folder}: session {'/'.join(key)} is also in {found[key][0]}",
                    "two captures cannot have one name: rename one of the folders",
                )
            found[key] = folder, _guarded(folder, root, read)
    if not found:
        raise MalformedInputError(f"{', '.join(map(str, roots))}: found no captures", _LAYOUT_HINT)
    return [found[key][1] for key in sorted(found)]


def numeric_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key by which `im10` follows `im9`."""
    words = re.split(r"(\d+)", path.name.lower())
    return [(0, int(w), "") if w.isdecimal() else (1, 0, w) for w in words]


def _text_id(folder: Path) -> str:
    try:
        folder.name.encode()
    except UnicodeEncodeError:
        raise MalformedInputError(
            f"{folder.name!a}: the folder's name is not UTF-8", "rename it"
        ) from None
    return folder.name


def _session_folders(root: Path) -> Iterator[Path]:
    for subject in _folders(root):
        sessions = _folders(subject)
        if not sessions and any(_is_photograph(p) for p in subject.iterdir()):
            raise MalformedInputError(
                f"{subject}: holds photographs where session folders are expected",
                f"{_LAYOUT_HINT}; perhaps the folder above {root} is meant",
            )
        yield from sessions


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _is_photograph(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _guarded(folder: Path, root: Path, read: Callable[[Path, Path], Capture]) -> Capture:
    """The capture of a folder; a problem with it becomes its reason, and others go on."""
    try:
        return read(folder, root)
    except (Fr3dError, OSError) as error:
        reason = error.message if isinstance(error, Fr3dError) else f"{error.strerror}"
        return Capture(folder.parent.name, folder.name, problem=reason)


def _capture(
    folder: Path, root: Path, lights: Path | None, read_table: Callable[[Path], Lights]
) -> Capture:
    files = sorted(p for p in folder.iterdir() if p.is_file())
    photographs = sorted((p for p in files if _is_photograph(p)), key=numeric_order)
    flashes = [p for p in photographs if _FLASH.fullmatch(p.stem)]
    source = lights or _named(files, (_LIGHT_SOURCE,))
    if not photographs:
        raise MalformedInputError(f"found no photographs, only {len(files)} other files")
    if source is None:
        source = _light_table(folder, root)
        if source is None:
            raise MalformedInputError("LightSource.m: missing, and there is no lights.csv")
        images = _listed(photographs, read_table(source))
    elif lights is not None and (not flashes or read_table(lights).files):
        images = _listed(photographs, read_table(lights))
    elif flashes:
        images = _numbered(flashes)
    else:
        raise MalformedInputError("im0: missing, expected photographs im0, im1, ...")
    return Capture(
        folder.parent.name,
        folder.name,
        tuple(images),
        source,
        _named(files, _LANDMARKS),
        _named(files, _ATTRIBUTES),
    )


def _named(files: Sequence[Path], names: Sequence[str]) -> Path | None:
    """The one file of these names, whatever their case."""
    hits = [p for p in files if p.name.lower() in names]
    if len(hits) > 1:
        raise MalformedInputError(f"{hits[0].name} and {hits[1].name}: found both, expected one")
    return hits[0] if hits else None


def _numbered(flashes: Sequence[Path]) -> list[Path]:
    """`im0`, `im1`, ... without gaps or doubles."""
    by_number: dict[int, Path] = {}
    for path in flashes:
        number = int(path.stem[2:])
        if number in by_number:
            raise MalformedInputError(
                f"{by_number[number].name} and {path.name}: found both, expected one"
            )
        by_number[number] = path
    last = max(by_number)
    missing = [i for i in range(last) if i not in by_number]
    if missing:
        raise MalformedInputError(
            f"im{missing[0]}: missing, found {len(by_number)} of {last + 1} photographs"
        )
    return [by_number[i] for i in range(last + 1)]


def _light_table(folder: Path, root: Path) -> Path | None:
    """The nearest `lights.csv`: of the session, its subject or the root."""
    for place in (folder, folder.parent, root):
        table = _named([p for p in place.iterdir() if p.is_file()], (_TABLE,))
        if table is not None:
            return table
    return None


def _listed(photographs: Sequence[Path], lights: Lights) -> list[Path]:
    if not lights.files:
        return list(photographs)
    by_name = {p.name.lower(): p for p in photographs}
    missing = [name for name in lights.files if name.lower() not in by_name]
    if missing:
        raise MalformedInputError(f"{missing[0]}: missing, lights.csv names it")
    if len(set(map(str.lower, lights.files))) < len(lights.files):
        raise MalformedInputError("lights.csv: names a photograph twice")
    return [by_name[name.lower()] for name in lights.files]
