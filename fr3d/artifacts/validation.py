"""Is this HDF5 file safe to read, and is it what it says? Decided before any value is read."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py

from fr3d.artifacts.schema import FORMAT_VERSION, FORMATS, check_axes, find_spec, maker
from fr3d.errors import MalformedInputError

_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
_MAX_INFLATION = 1100  # deflate cannot expand further than 1032 times


def read_kind(path: Path, attrs: Mapping[str, Any]) -> str:
    """The kind of an artifact, from its root attributes.

    Raises:
        MalformedInputError: not one of ours, or of a newer version.
    """
    kind, version = attrs.get("format"), attrs.get("format_version")
    if not isinstance(kind, str):
        raise MalformedInputError(f"{path}: not an fr3d artifact", "it has no attribute 'format'")
    if version != FORMAT_VERSION:
        raise MalformedInputError(
            f"{path}: format version {version}, expected {FORMAT_VERSION}", "use a newer fr3d"
        )
    return kind


def walk(path: Path, group: h5py.Group, prefix: str = "") -> Iterator[tuple[str, h5py.Dataset]]:
    """All datasets of a file by name; links that leave the file's own tree are refused.

    Raises:
        MalformedInputError: a soft or external link.
    """
    for name in group:
        link = group.get(name, getlink=True)
        where = f"{path}: {prefix}{name}"
        if not isinstance(link, h5py.HardLink):
            raise MalformedInputError(f"{where}: is a link", "links are refused, copy the data in")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from walk(path, item, f"{prefix}{name}/")
        elif isinstance(item, h5py.Dataset):
            yield f"{prefix}{name}", item


def check_storage(where: str, dataset: h5py.Dataset, file_bytes: int) -> None:
    """Refuse datasets that read other files, or that claim more than the file holds.

    Raises:
        MalformedInputError: external or virtual storage, an unknown filter, a shape bomb.
    """
    if dataset.external or dataset.is_virtual:
        raise MalformedInputError(
            f"{where}: external or virtual storage is refused", "copy the data into the file"
        )
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    if unknown := [f for f in filters if f not in _FILTERS]:
        raise MalformedInputError(
            f"{where}: unknown filter {unknown[0]}", "rewrite it uncompressed"
        )
    claimed = math.prod(dataset.shape) * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    held = stored * (_MAX_INFLATION if filters else 1)
    offset = dataset.id.get_offset() or 0
    if claimed > held or offset + (stored if dataset.chunks is None else 0) > file_bytes:
        raise MalformedInputError(
            f"{where}: shape {dataset.shape} is larger than the bytes behind it",
            "the file is cut short or damaged; make it again",
        )


def check_artifact(
    path: Path, file: h5py.File, attrs: Mapping[str, Any], kind: str
) -> dict[str, h5py.Dataset]:
    """Hold a file to the schema of its kind.

    Args:
        path: for messages.
        file: the open file.
        attrs: its root attributes.
        kind: what it must be, such as `fr3d.maps`.

    Returns:
        Its datasets by name; names that the schema does not know are left out.

    Raises:
        MalformedInputError: anything that is not as the schema says.
    """
    found = read_kind(path, attrs)
    if found != kind or kind not in FORMATS:
        expected = kind if kind in FORMATS else " or ".join(FORMATS)
        raise MalformedInputError(
            f"{path}: found {found}, expected {expected}", f"give what {maker(kind)} wrote"
        )
    sizes: dict[str, int] = {}
    datasets = {}
    for name, dataset in walk(path, file):
        where = f"{path}: {name}"
        check_storage(where, dataset, path.stat().st_size)
        spec = find_spec(kind, name)
        if spec is None:
            continue
        if dataset.dtype.kind not in spec.kinds:
            raise MalformedInputError(
                f"{where}: found dtype {dataset.dtype}, expected one of kind {spec.kinds}",
                f"make it again with {maker(kind)}",
            )
        check_axes(where, spec, dataset.shape, sizes)
        datasets[name] = dataset
    for name, spec in FORMATS[kind].items():
        if spec.required and name not in datasets:
            raise MalformedInputError(
                f"{path}: no dataset '{name}'", f"make it again with {maker(kind)}"
            )
    return datasets
