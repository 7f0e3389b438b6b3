"""The picture that colours a mesh: named by its material, or beside it under the same name."""

import re
from pathlib import Path, PureWindowsPath

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
_HEAD = 1 << 16
_MAX_MATERIAL = 1 << 20


def obj_texture(path: Path) -> Path | None:
    """Find the texture of an OBJ: map_Kd of its material file, else a picture of the same stem.

    A material file that names several pictures gives none, as parts of the mesh would be
    coloured by the wrong one.

    Args:
        path: the OBJ.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD).decode("utf-8", "replace")
    for material in _values(head, "mtllib"):
        found = beside(path, material)
        if found is None or found.stat().st_size > _MAX_MATERIAL:
            continue
        names = {_last_word(v) for v in _values(found.read_text("utf-8", "replace"), "map_Kd")}
        pictures = {p for p in (beside(path, name) for name in names) if p is not None}
        if len(names) > 1:
            return None
        if pictures:
            return pictures.pop()
    return same_stem(path)


def same_stem(path: Path) -> Path | None:
    """A picture beside a file that has its name.

    Args:
        path: the mesh.
    """
    for suffix in _PICTURES:
        for spelling in (suffix, suffix.upper()):
            picture = path.with_suffix(spelling)
            if picture.is_file():
                return picture
    return None


def beside(path: Path, name: str) -> Path | None:
    """Look for a named file in the folder of another, and never outside of it.

    Scanners write whole paths of the machine they ran on, so the last part alone is tried as well.

    Args:
        path: the file that names it.
        name: as written there.
    """
    parts = PureWindowsPath(name.strip().strip('"')).parts  # takes / and \ alike
    inside = [p for p in parts if p != ".." and not p.endswith(("\\", "/", ":"))]
    if not inside or "\0" in name:
        return None
    for choice in (Path(*inside), Path(inside[-1])):
        try:
            if (path.parent / choice).is_file():
                return path.parent / choice
        except OSError:  # a name too long for the file system
            return None
    return None


def _values(text: str, key: str) -> list[str]:
    return re.findall(rf"^[ \t]*{key}[ \t]+(\S[^\r\n]*)", text, re.MULTILINE)


def _last_word(value: str) -> str:
    """The name behind options such as -s 1 1 1; a name may hold blanks when there are none."""
    value = value.strip()
    return value.split()[-1] if value.startswith("-") else value
