"""A table that lists files and says who is on them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fr3d.alignment.sources.listing import Item, Listing
from fr3d.artifacts.tables import read_table
from fr3d.errors import MalformedInputError

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "photographs": ("photograph",),
    "rgbd": ("photograph", "depth"),
    "scans": ("scan",),
    "triples": ("normal", "albedo", "depth"),
}
"""Columns of paths by the kind of input that they make."""

_ALL = ("photograph", "depth", "scan", "texture", "normal", "albedo")


def read_items(path: Path, kind: str) -> tuple[Listing, str]:
    """Read a table of files.

    Args:
        path: CSV with `subject_id`, perhaps `session_id`, and columns of paths: `photograph`,
            `depth`, `scan`, `texture`, `normal`, `albedo`; relative ones count from the table's
            folder. Other columns become attributes.
        kind: of input, or "auto": told by the columns.

    Returns:
        The sessions, and their kind.

    Raises:
        MalformedInputError: no such columns, an empty path, or a session twice.
    """
    table = read_table(path, ("subject_id",))
    columns = [name for name in _ALL if name in table.columns]
    kind = _kind(columns, path) if kind == "auto" else kind
    used = [n for n in columns if n in (*COLUMNS[kind], *(("texture",) if kind == "scans" else ()))]
    if not used:
        raise MalformedInputError(
            f"{path}: no column of files, found {', '.join(table.columns)[:120]}",
            f"expected {' or '.join(COLUMNS[kind])}",
        )
    others = [n for n in table.columns if n not in ("subject_id", "session_id", *_ALL)]
    if table.empty:
        raise MalformedInputError(f"{path}: lists no session", "it has a header and no rows")
    items = []
    for number, row in enumerate(table.to_dict("records"), 2):
        texts = {str(name): str(value) for name, value in row.items()}
        items.append(_item(texts, used, others, path, number))
    _refuse_twins(items, path)
    return Listing(path.name, tuple(items)), kind


def _kind(columns: Sequence[str], path: Path) -> str:
    there = set(columns)
    if "scan" in there:
        return "scans"
    if {"normal", "albedo"} & there:
        return "triples"
    if "photograph" in there:
        return "rgbd" if "depth" in there else "photographs"
    raise MalformedInputError(
        f"{path}: no column of files", f"expected one or more of {', '.join(_ALL)}"
    )


def _item(
    row: Mapping[str, str], used: Sequence[str], others: Sequence[str], path: Path, number: int
) -> Item:
    files = {name: path.parent / row[name] for name in used if row[name]}
    if not row["subject_id"] or not files:
        what = "no path of a file" if row["subject_id"] else "no subject_id"
        raise MalformedInputError(
            f"{path}: line {number}: {what}", "every row needs a subject_id and a file"
        )
    first = next(iter(files.values()))
    session = row.get("session_id") or first.stem
    attributes = {name: row[name] for name in others}
    name = first.relative_to(path.parent) if first.is_relative_to(path.parent) else Path(first.name)
    return Item(row["subject_id"], session, files, name.as_posix(), attributes)


def _refuse_twins(items: Sequence[Item], path: Path) -> None:
    seen: set[tuple[str, str]] = set()
    for item in items:
        key = item.subject_id, item.session_id
        if key in seen:
            raise MalformedInputError(
                f"{path}: session {'/'.join(key)} stands there twice",
                "give each row another session_id; an empty one is the file's name",
            )
        seen.add(key)
