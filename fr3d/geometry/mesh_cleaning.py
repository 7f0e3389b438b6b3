"""What scanners leave beside a surface: spikes, shreds, vertices that are there twice."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from fr3d.geometry.mesh_reading.surface import SurfaceMesh

Array = npt.NDArray[Any]

_METRES_BELOW = 2.0


@dataclass(frozen=True)
class Cleaning:
    """A cleaned mesh, and what was taken away.

    Args:
        mesh: its largest part.
        long_share: share of the triangles dropped for a long edge.
        parts: how many parts there were after that.
        kept_share: share of the vertices of all parts that the largest has.
    """

    mesh: SurfaceMesh
    long_share: float
    parts: int
    kept_share: float


def millimetres_a_unit(vertices: Array) -> float:
    """Guess the unit of a scan: metres where all of it fits in 2 units, else millimetres.

    Args:
        vertices: (V, 3).

    Returns:
        1000 or 1.
    """
    return 1000.0 if float(np.ptp(vertices, axis=0).max()) < _METRES_BELOW else 1.0


def clean_mesh(mesh: SurfaceMesh, longest_edge: float) -> Cleaning:
    """Keep the largest part of a mesh; vertices at one place become one.

    Spikes hang on long edges, and a shred hangs on nothing. The largest part is that of the most
    vertices; vertices of no triangle go.

    Args:
        mesh: with triangles.
        longest_edge: triangles with a longer edge are dropped; in the unit of the mesh.
    """
    welded = weld(mesh)
    short = _longest_edges(welded) <= longest_edge
    kept = _with_triangles(welded, short)
    label = _parts(kept.triangles, len(kept.vertices))
    used = np.zeros(len(kept.vertices), dtype=bool)
    used[kept.triangles] = True
    sizes = np.bincount(label[used], minlength=1)
    largest = int(np.argmax(sizes))
    whole = _with_triangles(kept, label[kept.triangles[:, 0]] == largest)
    return Cleaning(
        mesh=_without_unused(whole),
        long_share=1.0 - float(short.mean()) if len(short) else 0.0,
        parts=int(np.count_nonzero(sizes)),
        kept_share=float(sizes[largest] / max(1, sizes.sum())),
    )


def weld(mesh: SurfaceMesh) -> SurfaceMesh:
    """Make one of vertices at the very same place, which files keep apart at seams of a texture.

    Triangles that have a vertex twice then are dropped; the colour is that of the first vertex.

    Args:
        mesh: with triangles.
    """
    order = np.lexsort(mesh.vertices.T)
    placed = mesh.vertices[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (placed[1:] != placed[:-1]).any(axis=1)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    # lexsort is stable, so the first of a run is the first of the file
    first = order[new]
    triangles = number[mesh.triangles]
    a, b, c = triangles.T
    welded = replace(
        mesh,
        vertices=mesh.vertices[first],
        triangles=triangles,
        colours=None if mesh.colours is None else mesh.colours[first],
    )
    return _with_triangles(welded, (a != b) & (b != c) & (c != a))


def surface_area(mesh: SurfaceMesh) -> float:
    """Area of all triangles, in the square of the mesh's unit.

    Args:
        mesh: with triangles.
    """
    a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2.0)


def _longest_edges(mesh: SurfaceMesh) -> npt.NDArray[np.float64]:
    """(T,): length of the longest edge of each triangle."""
    longest = np.zeros(len(mesh.triangles))
    for k in range(3):
        edge = mesh.vertices[mesh.triangles[:, k]] - mesh.vertices[mesh.triangles[:, k - 1]]
        np.maximum(longest, np.linalg.norm(edge, axis=1), out=longest)
    return longest


def _parts(triangles: Array, vertices: int) -> npt.NDArray[np.int32]:
    """Number of the connected part that each vertex belongs to."""
    a = np.concatenate([triangles[:, 0], triangles[:, 1]])
    b = np.concatenate([triangles[:, 1], triangles[:, 2]])
    ones = np.ones(len(a), dtype=np.int8)
    links = sparse.coo_matrix((ones, (a, b)), shape=(vertices, vertices))
    return np.asarray(sparse.csgraph.connected_components(links, directed=False)[1])


def _with_triangles(mesh: SurfaceMesh, kept: Array) -> SurfaceMesh:
    places = None if mesh.places is None else mesh.places[kept]
    return replace(mesh, triangles=mesh.triangles[kept], places=places)


def _without_unused(mesh: SurfaceMesh) -> SurfaceMesh:
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.triangles] = True
    return replace(
        mesh,
        vertices=mesh.vertices[used],
        triangles=(np.cumsum(used) - 1)[mesh.triangles],
        colours=None if mesh.colours is None else mesh.colours[used],
    )
