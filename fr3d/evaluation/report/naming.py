"""Which kind of picture is asked for, and what each file of it is called."""

import re
from collections.abc import Sequence
from pathlib import Path

from fr3d.errors import UsageError

Key = tuple[str, str]

SUFFIXES = {
    "sheet": ".png",
    "alignment": ".png",
    "normal": ".png",
    "albedo": ".png",
    "depth": ".png",
    "relit": ".png",
    "shaded": ".png",
    "ply": ".ply",
    "obj": ".obj",
    "viewer": ".html",
}
"""File name suffix by kind."""

WHOLE = ("sheet", "alignment", "viewer")
"""Kinds that hold all sessions in one file."""

_BY_SUFFIX = {".png": "sheet", ".ply": "ply", ".obj": "obj", ".html": "viewer", ".htm": "viewer"}
_FIELD = re.compile(r"\{(\w*)\}")


def choose_kind(asked: str | None, output: Path | None) -> str:
    """The kind of picture: as asked for, else by the suffix of the output.

    Args:
        asked: a kind, or None.
        output: where it goes, or None.

    Raises:
        UsageError: the suffix says nothing, or something else than what was asked for; or the
            output is standard output.

    >>> choose_kind(None, Path("face.html"))
    'viewer'
    """
    if output == Path("-"):
        raise UsageError("-: pictures do not go to standard output", "name a file: -o faces.png")
    if output is None or (asked and _is_folder(output)):
        return asked or "sheet"
    suffix = "" if _is_folder(output) else output.suffix.lower()
    found = _BY_SUFFIX.get(suffix)
    if asked is None and found:
        return found
    if asked and suffix in (SUFFIXES[asked], ".htm" if asked == "viewer" else ""):
        return asked
    if asked:
        raise UsageError(f"{output}: not a name for {asked}", f"end it in {SUFFIXES[asked]}")
    if output.is_dir():
        raise UsageError(
            f"{output}: is a folder that exists, and no kind was chosen for it",
            "choose one, as in --as normal, or give the name of a file",
        )
    if not suffix:
        raise UsageError(f"{output}: a folder of what?", "say it, as in --as normal")
    raise UsageError(
        f"{output}: not a name for a picture", f"end it in {', '.join(sorted(_BY_SUFFIX))}"
    )


def name_files(kind: str, output: Path | None, keys: Sequence[Key]) -> list[Path]:
    """Name the main file of each session; `{light}` stays for the views of one session.

    Args:
        kind: what is drawn.
        output: a pattern with {subject}, {session} and {kind}; a folder; or one file.
        keys: subject and session of each.

    Raises:
        UsageError: two sessions would have one name, or the pattern has an unknown field.
    """
    pattern = output or Path(f"{{subject}}_{{session}}_{kind}{SUFFIXES[kind]}")
    if _is_folder(pattern):
        pattern = pattern / f"{{subject}}_{{session}}{SUFFIXES[kind]}"
    unknown = set(_FIELD.findall(str(pattern))) - {"subject", "session", "kind", "light"}
    if unknown:
        raise UsageError(
            f"{pattern}: no field {{{min(unknown)}}}",
            "there are {subject}, {session}, {kind} and, for views under several lights, {light}",
        )
    names = [_fill(pattern, kind, key) for key in keys]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(
            f"{twice}: a name for {names.count(twice)} sessions",
            "name them by '{subject}_{session}', or choose one with --rows 0",
        )
    return names


def name_whole(kind: str, output: Path | None) -> Path:
    """Name the one file that holds all sessions.

    Args:
        kind: one of `WHOLE`.
        output: a file, or a folder to put it into.
    """
    output = output or Path()
    return output / f"{kind}{SUFFIXES[kind]}" if _is_folder(output) else output


def companions(kind: str, path: Path) -> list[Path]:
    """Files that are written beside the main one: the picture and the material of an OBJ.

    Args:
        kind: what is drawn.
        path: the main file.
    """
    if kind != "obj":
        return []
    return [path.with_name(f"{path.stem}_albedo.png"), path.with_suffix(".mtl")]


def makes_folders(output: Path | None) -> bool:
    """Whether folders of the output are made: it is one, or the pattern names them.

    Args:
        output: as given, or None.
    """
    return output is not None and (_is_folder(output) or "{" in str(output.parent))


def _is_folder(output: Path) -> bool:
    return not output.suffix or output.is_dir()


def _fill(pattern: Path, kind: str, key: Key) -> Path:
    fields = {"subject": _plain(key[0]), "session": _plain(key[1]), "kind": kind}
    return Path(_FIELD.sub(lambda m: fields.get(m[1], m[0]), str(pattern)))


def _plain(text: str) -> str:
    """An id as part of a file name: it must neither leave the folder nor hide in it."""
    plain = re.sub(r"[^\w.-]", "_", text)
    return re.sub(r"^\.+", "_", plain) or "_"
