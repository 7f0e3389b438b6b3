"""Normals, albedo and depth that other tools made: EXR, NPY and MATLAB files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.sources.files import Reader
from fr3d.alignment.sources.listing import Item, Listing, list_items, walk
from fr3d.alignment.sources.maps import MapsFace
from fr3d.alignment.sources.matlab_maps import read_matlab
from fr3d.alignment.sources.normal_codes import NormalCode, as_vectors, decode
from fr3d.errors import MalformedInputError, MissingInputError, cannot_read
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth
from fr3d.photometric.exr_image import decode_exr
from fr3d.photometric.image_header import parse_header
from fr3d.photometric.npy import load_numbers
from fr3d.photometric.sources import SourceFiles

Array = npt.NDArray[np.float32]
_MOST_BYTES = 1 << 30
MODALITIES = ("normal", "albedo", "depth")
TRIPLE_SUFFIXES = frozenset((".exr", ".npy", ".mat"))
_MODALITY = re.compile(r"(?i)normal|albedo|depth")
_MATLAB = {"sn": "normal", "z": "depth", "albedo": "albedo"}
_PARTS = frozenset(("train", "test", "val", "gallery", "probe", "train_set", "test_set"))


@dataclass(frozen=True)
class TripleReader(Reader):
    """Reads maps of other tools.

    Attributes:
        normal_code: how stored channels mean normals, as unit vectors or as (n + 1) / 2: "rgb" is
            x right, y up, z to the camera, "rgb-y-down" has y down, "opencv-exr" is (pz, -px, py)
            in the order blue, green, red, as the Photoface authors' MATLAB maps were written;
            "auto" takes the one that agrees best with the depth. See `normal_codes.decode`.
    """

    normal_code: NormalCode = "auto"
    kind = "triples"
    varies = True

    @property
    def parameters(self) -> Mapping[str, Any]:
        """How normals were decoded, where somebody said so."""
        return {} if self.normal_code == "auto" else {"normal_code": self.normal_code}

    def read(self, item: Item, record: Mapping[str, Any], files: SourceFiles) -> MapsFace:
        """Read one session.

        Raises:
            MalformedInputError: damaged, maps of different sizes, or of no known code.
        """
        maps = {name: _map(name, path, files) for name, path in item.files.items()}
        shapes = {name: values.shape[:2] for name, values in maps.items()}
        if len(set(shapes.values())) > 1:
            found = ", ".join(f"{name} {s[1]}x{s[0]}" for name, s in sorted(shapes.items()))
            raise MalformedInputError(f"{item.file}: found maps of different sizes: {found}")
        angle = float("nan")
        if "normal" in maps:
            name = item.files["normal"].name
            found_code = decode(maps["normal"], maps.get("depth"), self.normal_code, name)
            maps["normal"], angle = found_code.normal, found_code.angle
            maps |= {} if found_code.depth is None else {"depth": found_code.depth}
        return MapsFace(_face(maps), {**record, "quality/normal_depth_angle": np.float32(angle)})


def _map(modality: str, path: Path, files: SourceFiles) -> Array:
    """One map: vectors of normals, or a plane of numbers as stored."""
    _check_size(path)
    if path.suffix.lower() == ".mat":
        files.read(path)
        return read_matlab(path, modality)
    stored = _stored(path, files)
    if modality == "normal":
        return as_vectors(stored, path.name)
    return stored if stored.ndim == 2 else stored[..., 0]


def _check_size(path: Path) -> None:
    """Refuse what no map can be, before it is read."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise cannot_read(path, error) from error
    if size > _MOST_BYTES:
        raise MalformedInputError(
            f"{path.name}: found {size >> 20} MB, expected at most {_MOST_BYTES >> 20}"
        )


def _stored(path: Path, files: SourceFiles) -> Array:
    """The numbers of an EXR or NPY file, (H, W) or (H, W, C)."""
    data = files.read(path)
    if path.suffix.lower() == ".exr":
        parse_header(data, path.name)
        found = decode_exr(path)
    else:
        found = load_numbers(data, path.name)
    if found is None or found.ndim not in (2, 3) or not found.size:
        raise MalformedInputError(f"{path.name}: damaged, or of another shape than (H, W[, 3])")
    if found.ndim == 3 and found.shape[0] in (1, 3) and found.shape[2] not in (1, 3):
        found = np.moveaxis(found, 0, -1)
    if max(found.shape[:2]) > 8192:
        raise MalformedInputError(f"{path.name}: found {found.shape[1]}x{found.shape[0]} pixels")
    return found.astype(np.float32)


def _face(maps: Mapping[str, Array]) -> FaceMaps:
    """Maps with a common mask: where normals are, else where depth or albedo is above nothing."""
    mask = np.ones(next(iter(maps.values())).shape[:2], bool)
    for values in maps.values():
        mask &= np.isfinite(values if values.ndim == 2 else values.sum(axis=2))
    if "normal" in maps:
        mask &= (maps["normal"] ** 2).sum(axis=2) > 0.25
    elif "albedo" in maps:
        mask &= maps["albedo"] > 0
    normal = maps.get("normal")
    if normal is None and "depth" in maps:
        normal = normals_from_depth(maps["depth"], mask)
    depth = maps.get("depth")
    albedo = maps.get("albedo")
    return FaceMaps(
        mask=mask,
        normal=None if normal is None else np.where(mask[..., None], normal, np.float32(0)),
        albedo=None if albedo is None else np.where(mask, albedo, np.float32(0)),
        depth=None if depth is None else np.where(mask, depth, np.float32(np.nan)),
    )


def list_triples(root: Path, pattern: re.Pattern[str] | None = None) -> Listing:
    """Find maps of other tools: folders or file names with "normal", "albedo" or "depth" in them.

    Understood are `Normal_Map/train/ID/SESSION.exr` beside `Albedo` and `Depth_Map`,
    `ID/SESSION/normal_map.npy` and the like, and `ID/SESSION/sn.mat` with `z.mat` and `albedo.mat`.

    Args:
        root: the folder.
        pattern: what tells subject and session from the rest of the path instead.

    Raises:
        MissingInputError: there are none.
    """
    groups: dict[Path, dict[str, Path]] = {}
    for path in walk(root, TRIPLE_SUFFIXES):
        found = _session_of(path.relative_to(root))
        if found is not None:
            groups.setdefault(found[0], {})[found[1]] = path
    if not groups:
        raise MissingInputError(
            f"{root}: no normal, albedo or depth maps in it", "expected EXR, NPY or MAT files"
        )
    most = sorted(set().union(*groups.values()), key=MODALITIES.index)
    items: list[Item] = []
    for name in sorted(groups, key=lambda path: path.parts):
        files = {modality: groups[name][modality] for modality in most if modality in groups[name]}
        listing = list_items(root, [{"first": root / name}], pattern)
        first = listing.items[0]
        items.append(Item(first.subject_id, first.session_id, files, first.file))
    return Listing(root.resolve().name, tuple(items))


def _session_of(inside: Path) -> tuple[Path, str] | None:
    """A path without what names the modality, and the modality."""
    if inside.suffix.lower() == ".mat":
        modality = _MATLAB.get(inside.stem.lower())
        return None if modality is None else (inside.parent, modality)
    found = [match[0].lower() for part in inside.parts if (match := _MODALITY.search(part))]
    if not found:
        return None
    kept = [part for part in inside.parts[:-1] if not _MODALITY.search(part)]
    parts = kept[1:] if len(kept) > 1 and kept[0].lower() in _PARTS else kept
    stem = inside.stem
    if _MODALITY.search(stem):  # one folder a session, the file is called after its map
        return (Path(*parts), found[-1]) if parts else None
    return Path(*parts, stem), found[-1]
