"""Read a 3D scan, whatever of the usual formats it has."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from fr3d.errors import MalformedInputError, cannot_read
from fr3d.geometry.mesh_reading.obj import parse_obj
from fr3d.geometry.mesh_reading.ply import parse_ply
from fr3d.geometry.mesh_reading.point_text import load_point_array, parse_point_text
from fr3d.geometry.mesh_reading.surface import MAX_BYTES, SurfaceMesh, checked
from fr3d.geometry.mesh_reading.texture_files import beside, obj_texture, same_stem
from fr3d.geometry.mesh_reading.tokens import Bytes

SUFFIXES = frozenset((".obj", ".ply", ".xyz", ".txt", ".asc", ".npy"))
"""Endings of the files that are read."""


def read_mesh(path: Path) -> SurfaceMesh:
    """Read a mesh or a point cloud.

    OBJ and PLY are meshes where they have faces; .xyz, .txt and .asc are text of x y z and perhaps
    red green blue a line; .npy is an array of 3 or 6 columns. At most 2 GiB, 5 million vertices
    and 10 million triangles are read. Polygons of more than three corners are cut into triangles.

    Args:
        path: the file; its ending tells the format.

    Returns:
        The mesh in the frame and unit of the file, with its texture where one is found.

    Raises:
        MalformedInputError: see `fr3d.geometry.mesh_reading.surface.checked`; truncated, too much,
            damaged or another format.
        MissingInputError: it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise MalformedInputError(
            f"{path.name}: found a file ending in '{suffix}', expected one of "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    try:
        return checked(_parsed(path, suffix), path.name)
    except OSError as error:
        raise cannot_read(path.name, error) from error


def _parsed(path: Path, suffix: str) -> SurfaceMesh:
    data = _mapped(path)
    match suffix:
        case ".obj":
            mesh = parse_obj(data, path.name)
            texture = obj_texture(path) if mesh.places is not None else None
        case ".ply":
            mesh, named = parse_ply(data, path.name)
            texture = beside(path, named) if named else same_stem(path)
        case ".npy":
            return load_point_array(path)
        case _:
            return parse_point_text(data, path.name)
    if mesh.places is None or texture is None:
        return replace(mesh, places=None)
    return replace(mesh, texture=texture)


def _mapped(path: Path) -> Bytes:
    """The bytes of a file, which stay on disk until they are looked at."""
    size = path.stat().st_size
    if not path.is_file() or size == 0:
        raise MalformedInputError(f"{path.name}: found an empty file, expected a 3D scan")
    if size > MAX_BYTES:
        raise MalformedInputError(f"{path.name}: found {size} bytes, expected at most {MAX_BYTES}")
    return np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
