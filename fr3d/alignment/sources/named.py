"""Photographs named on a command line, one by one or by their folder, each its own session."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from fr3d.alignment.sources.listing import Item, Listing
from fr3d.alignment.sources.photographs import PHOTOGRAPH_SUFFIXES, ROLE, list_photographs
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.photometric.image_header import probe


def named_photographs(paths: Sequence[Path]) -> Listing:
    """List photographs under the shortest names that tell them apart.

    Args:
        paths: photographs, and folders of photographs, which are searched to the bottom.

    Returns:
        A session a photograph, subject, session and file all its name, in the order of the paths;
        a photograph that is named twice stands there once, and `passed_over` says so.

    Raises:
        MissingInputError: no such file or folder, or no photograph in a folder.
        MalformedInputError: not a photograph.
    """
    found: dict[Path, Path] = {}
    twice: list[str] = []
    for path in _files(paths):
        same = path.resolve()
        if same in found:
            twice.append(str(path))
        else:
            found[same] = path
    files = list(found.values())
    labels = short_names(files)
    items = tuple(
        Item(label, label, {ROLE: path}, label) for label, path in zip(labels, files, strict=True)
    )
    return Listing("photographs", items, tuple(twice))


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (item.files[ROLE] for item in list_photographs(path).items)
            continue
        if not path.exists():
            raise MissingInputError(f"{path}: no such file or folder", "is the path right?")
        if path.suffix.lower() not in PHOTOGRAPH_SUFFIXES:
            _check_photograph(path)
        yield path


def _check_photograph(path: Path) -> None:
    """A name that says nothing, as browsers give them: the file itself tells."""
    try:
        probe(path)
    except MalformedInputError as error:
        raise MalformedInputError(
            error.message, "name photographs, a folder of them, or one file of maps or embeddings"
        ) from error


def short_names(paths: Sequence[Path]) -> list[str]:
    """The ends of paths, each as short as tells it from the others.

    Args:
        paths: all different.

    >>> short_names([Path("/x/a.jpg"), Path("/x/b.jpg"), Path("/y/b.jpg")])
    ['a.jpg', 'x/b.jpg', 'y/b.jpg']
    """
    whole = [path.absolute().parts for path in paths]
    names: list[str] = [""] * len(paths)
    open_ones = set(range(len(paths)))
    for count in range(1, max(map(len, whole), default=0) + 1):
        ends = [parts[-count:] for parts in whole]
        times = Counter(ends)
        for place in sorted(open_ones):
            if times[ends[place]] == 1 or count >= len(whole[place]):
                names[place] = str(Path(*ends[place]))
                open_ones.discard(place)
    # Names need not be text: what is not can still be printed.
    return [os.fsencode(name).decode("utf-8", "backslashreplace") for name in names]
