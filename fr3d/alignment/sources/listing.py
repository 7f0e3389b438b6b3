"""Files on disk as sessions of people: which belong together, and who is on them."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fr3d.errors import MalformedInputError, MissingInputError, UsageError

_NUMBER_FIRST = re.compile(r"(?P<subject>\d+)[_\-. ]+(?P<session>.+)")
_NUMBERED = re.compile(r"(?P<subject>.+?)[_\-. ]+(?P<session>\d+)")
_FIRST_WORD = re.compile(r"(?P<subject>[^_\-. ]+)[_\-. ]+(?P<session>.+)")


@dataclass(frozen=True)
class Item:
    """One session: who, which, and its files.

    Args:
        subject_id: who.
        session_id: which session of that person.
        files: by role, such as "photograph" or "depth".
        file: path of the first file inside the folder or beside the table, with forward slashes.
        attributes: what a table says of it.
    """

    subject_id: str
    session_id: str
    files: Mapping[str, Path]
    file: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """Sessions in the order of their rows.

    Args:
        name: of the folder or table.
        items: the sessions.
        passed_over: pictures and scans beside them that are none of theirs.
    """

    name: str
    items: tuple[Item, ...]
    passed_over: tuple[str, ...] = ()

    def digest(self) -> tuple[str, str]:
        """SHA-256 of names and sizes, and of these with the times of change."""
        names, times = hashlib.sha256(), hashlib.sha256()
        for item in self.items:
            names.update(f"{item.subject_id}\0{item.session_id}\n".encode())
            names.update(repr(sorted(item.attributes.items())).encode())
            for role, path in sorted(item.files.items()):
                try:
                    state = path.stat()
                    size, moment = state.st_size, state.st_mtime_ns
                except OSError:
                    size = moment = -1  # its session is left out when its turn comes
                names.update(f"{role}\0{path.name}\0{size}\n".encode("utf-8", "surrogateescape"))
                times.update(f"{moment}\n".encode())
        times.update(names.digest())
        return names.hexdigest(), times.hexdigest()


def compile_pattern(text: str | None) -> re.Pattern[str] | None:
    """A regular expression that tells subject and session from a path.

    Args:
        text: with groups named `subject` and, where wanted, `session`.

    Raises:
        UsageError: not one, or without the group `subject`.
    """
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(f"pattern '{text}': {error}", r"such as '(?P<subject>\d+)_'") from error
    if "subject" not in pattern.groupindex:
        raise UsageError(f"pattern '{text}': no group named subject", r"write (?P<subject>\d+)")
    return pattern


def walk(root: Path, suffixes: Iterable[str]) -> list[Path]:
    """All files below a folder with one of these suffixes, sorted; hidden ones are passed over.

    Args:
        root: the folder.
        suffixes: in lower case.

    Raises:
        MissingInputError: no such folder.
    """
    if not root.is_dir():
        raise MissingInputError(f"{root}: no such folder")
    wanted = frozenset(suffixes)
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(folder)
        found += [
            here / name
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in wanted
        ]
    return sorted(found, key=lambda path: path.relative_to(root).parts)


def list_files(
    root: Path, role: str, suffixes: Iterable[str], what: str, pattern: re.Pattern[str] | None
) -> Listing:
    """Find sessions of one file each.

    Args:
        root: with a folder a person, or with files that are named by people.
        role: of the file.
        suffixes: of such files, in lower case.
        what: they are, in the plural, for messages.
        pattern: what tells subject and session from a path instead.

    Raises:
        MissingInputError: there are none.
    """
    known = sorted(suffixes)
    paths = walk(root, known)
    if not paths:
        raise MissingInputError(f"{root}: no {what} in it", f"expected {', '.join(known)}")
    return list_items(root, [{role: path} for path in paths], pattern)


def list_items(
    root: Path, groups: Sequence[Mapping[str, Path]], pattern: re.Pattern[str] | None
) -> Listing:
    """Tell who is on files: by their folder, else by their names.

    The first folder below the root is the person, and the rest of the path the session. Of files
    that lie in the root itself the name tells: a number that it begins with, else what stands
    before its last number, else its first word, is the person.

    Args:
        root: the folder.
        groups: the files of each session by role; the first is the one that names it.
        pattern: what tells instead, sought in the path inside the folder.

    Raises:
        MalformedInputError: the pattern does not fit a path, or two sessions get one name.
    """
    items: list[Item] = []
    for files in groups:
        first = next(iter(files.values()))
        inside = first.relative_to(root)
        if pattern is not None:
            subject, session = _by_pattern(pattern, inside)
        elif len(inside.parts) > 1:
            subject, session = inside.parts[0], _joined(inside)
        else:
            subject, session = _by_name(inside.stem)
        items.append(Item(subject, session, files, inside.as_posix()))
    _check_unique(items, root)
    return Listing(root.resolve().name, tuple(items))


def _joined(inside: Path) -> str:
    """The path below the person's folder, without the suffix."""
    return "_".join([*inside.parts[1:-1], inside.stem])


def _by_name(stem: str) -> tuple[str, str]:
    for pattern in (_NUMBER_FIRST, _NUMBERED, _FIRST_WORD):
        match = pattern.fullmatch(stem)
        if match is not None:
            return match["subject"], match["session"]
    return stem, stem


def _by_pattern(pattern: re.Pattern[str], inside: Path) -> tuple[str, str]:
    match = pattern.search(inside.as_posix())
    if match is None or not match["subject"]:
        raise MalformedInputError(
            f"{inside.as_posix()}: the pattern '{pattern.pattern}' finds no subject in it",
            "it is sought in the path inside the folder, suffix included",
        )
    session = match["session"] if "session" in pattern.groupindex else None
    return match["subject"], session or inside.stem


def _check_unique(items: Sequence[Item], root: Path) -> None:
    seen: dict[tuple[str, str], str] = {}
    for item in items:
        key = item.subject_id, item.session_id
        if key in seen:
            raise MalformedInputError(
                f"{root}: {seen[key]} and {item.file} would both be session {'/'.join(key)}",
                "name them differently, or say who is who with --pattern or a table",
            )
        seen[key] = item.file


def folders_first(paths: Iterable[Path]) -> Iterator[tuple[Path, list[Path]]]:
    """Files by their folder, in order.

    Args:
        paths: sorted.
    """
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        groups.setdefault(path.parent, []).append(path)
    yield from groups.items()
