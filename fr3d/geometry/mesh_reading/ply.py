"""PLY: text or binary of either byte order, with faces or without."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.mesh_reading.obj import unit_colours
from fr3d.geometry.mesh_reading.ply_body import PlyBody
from fr3d.geometry.mesh_reading.ply_header import Element, parse_header
from fr3d.geometry.mesh_reading.polygons import fan
from fr3d.geometry.mesh_reading.surface import MAX_CORNERS, MAX_VERTICES, SurfaceMesh, check_count
from fr3d.geometry.mesh_reading.tokens import Bytes

Array = npt.NDArray[Any]

_CORNERS = ("vertex_indices", "vertex_index")
_PLACES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
_COLOURS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"))


def parse_ply(data: Bytes, name: str) -> tuple[SurfaceMesh, str]:
    """Read a PLY; elements other than vertex and face are passed by.

    Args:
        data: (N,) the file.
        name: its name, for messages.

    Returns:
        The mesh, and the name of the texture that a comment gives, or "".

    Raises:
        MalformedInputError: truncated, damaged, too much, or without x, y and z.
    """
    header = parse_header(data, name)
    body = PlyBody(data, header, name)
    columns: dict[str, Array] = {}
    types: dict[str, str] = {}
    triangles, places = np.empty((0, 3), dtype=np.int64), None
    start = header.size
    for element in header.elements:
        if element.name == "vertex":
            check_count(element.rows, MAX_VERTICES, "vertices", name)
            if element.has_lists:
                raise MalformedInputError(f"{name}: found lists in the vertices of the PLY")
            columns = body.columns(element, start)
            types = {p.name: p.type for p in element.properties}
        elif element.name == "face" and element.rows:
            triangles, places = _faces(body, element, start)
        start = body.end(element, start)
    if not {"x", "y", "z"} <= set(columns):
        raise MalformedInputError(f"{name}: found no vertices with x, y and z")
    vertices = np.stack([columns[axis].astype(np.float64) for axis in "xyz"], axis=1)
    if places is None:
        places = _vertex_places(columns, triangles)
    return SurfaceMesh(vertices, triangles, places, _colours(columns, types)), header.texture


def _faces(
    body: PlyBody, element: Element, start: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32] | None]:
    check_count(element.rows, MAX_CORNERS // 3, "faces", body.name)
    names = [p.name if p.length_type else "" for p in element.properties]
    number = next((names.index(n) for n in _CORNERS if n in names), -1)
    if number < 0:
        raise MalformedInputError(f"{body.name}: found faces without a list 'vertex_indices'")
    counts, corners = body.lists(element, start, number)
    check_count(len(corners), MAX_CORNERS, "corners of polygons", body.name)
    picked = fan(counts)
    with np.errstate(invalid="ignore"):
        triangles = np.asarray(corners).astype(np.int64)[picked]
    if "texcoord" not in names:
        return triangles, None
    lengths, values = body.lists(element, start, names.index("texcoord"))
    if not (lengths == 2 * counts).all():
        return triangles, None
    return triangles, np.asarray(values, dtype=np.float32).reshape(-1, 2)[picked]


def _vertex_places(
    columns: dict[str, Array], triangles: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32] | None:
    pair = next((p for p in _PLACES if set(p) <= set(columns)), None)
    if pair is None or not len(triangles) or triangles.min() < 0:
        return None
    table = np.stack([columns[n].astype(np.float32) for n in pair], axis=1)
    return table[np.minimum(triangles, len(table) - 1)] if len(table) else None


def _colours(columns: dict[str, Array], types: dict[str, str]) -> npt.NDArray[np.float32] | None:
    names = next((n for n in _COLOURS if set(n) <= set(columns)), None)
    if names is None:
        return None
    table = np.stack([columns[n].astype(np.float32) for n in names], axis=1)
    kind = np.dtype(types[names[0]])
    if kind.kind == "f":
        return unit_colours(table)
    return np.clip(table / np.float32(np.iinfo(kind).max), 0.0, 1.0)
