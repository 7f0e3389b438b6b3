"""Meshes as PLY and OBJ files, which most tools open."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.geometry.mesh import Mesh

_VERTEX = np.dtype(
    [*((name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz"))]
    + [(name, "u1") for name in ("red", "green", "blue")]
)
_TRIANGLE = np.dtype([("count", "u1"), ("corners", "<i4", (3,))])


def ply_bytes(mesh: Mesh, comments: Iterable[str] = ()) -> bytes:
    """Write a mesh as binary little-endian PLY with normals and colours.

    Args:
        mesh: the mesh.
        comments: lines of the header; the unit is always one of them.
    """
    vertices = np.empty(len(mesh.vertices), dtype=_VERTEX)
    for names, values in (
        (("x", "y", "z"), mesh.vertices),
        (("nx", "ny", "nz"), mesh.normals),
        (("red", "green", "blue"), mesh.colours),
    ):
        for k, name in enumerate(names):
            vertices[name] = values[:, k]
    triangles = np.empty(len(mesh.triangles), dtype=_TRIANGLE)
    triangles["count"], triangles["corners"] = 3, mesh.triangles
    return _ply_header(mesh, comments).encode() + vertices.tobytes() + triangles.tobytes()


def obj_text(mesh: Mesh, material_file: str, comments: Iterable[str] = ()) -> str:
    """Write a mesh as OBJ with normals and places in a texture.

    Args:
        mesh: the mesh.
        material_file: name of the file that `mtl_text` makes, beside this one.
        comments: lines at its head; the unit is always one of them.
    """
    head = [f"# {line}" for line in _head(mesh, comments)]
    corners = np.repeat(mesh.triangles + 1, 3, axis=1)
    return "\n".join(
        [
            *head,
            f"mtllib {material_file}",
            *_lines("v %.4f %.4f %.4f", mesh.vertices),
            *_lines("vt %.6f %.6f", mesh.places),
            *_lines("vn %.4f %.4f %.4f", mesh.normals),
            "usemtl face",
            *_lines("f %d/%d/%d %d/%d/%d %d/%d/%d", corners),
            "",
        ]
    )


def mtl_text(texture_file: str) -> str:
    """The material of an OBJ: matt, coloured by a picture.

    Args:
        texture_file: name of the picture, beside it.
    """
    return f"newmtl face\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {texture_file}\n"


def _ply_header(mesh: Mesh, comments: Iterable[str]) -> str:
    kinds = {"<f4": "float", "|u1": "uchar"}
    names = _VERTEX.names or ()
    fields = [f"property {kinds[_VERTEX[name].str]} {name}" for name in names]
    return "\n".join(
        [
            "ply",
            "format binary_little_endian 1.0",
            *(f"comment {line}" for line in _head(mesh, comments)),
            f"element vertex {len(mesh.vertices)}",
            *fields,
            f"element face {len(mesh.triangles)}",
            "property list uchar int vertex_indices",
            "end_header",
            "",
        ]
    )


def _head(mesh: Mesh, comments: Iterable[str]) -> list[str]:
    """Lines for the head of a file; whatever an id holds, it cannot break out of its line."""
    lines = [*comments, f"unit {mesh.unit}; x right, y up, z towards the camera"]
    return ["".join(c if c.isprintable() and c.isascii() else "?" for c in line) for line in lines]


def _lines(pattern: str, values: npt.NDArray[Any]) -> list[str]:
    return [pattern % tuple(row) for row in values.tolist()]
