"""Meshes: where vertices are, which way triangles look, and what files hold."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from surfaces import face

from fr3d.errors import MalformedInputError
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.mesh import Mesh, build_mesh, triangulate
from fr3d.geometry.mesh_files import mtl_text, obj_text, ply_bytes


def triangle_normals(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.triangles[:, k]].astype(float) for k in range(3))
    return np.cross(b - a, c - a)


def read_ply(data: bytes) -> tuple[np.ndarray, np.ndarray, str]:
    """Vertices and triangles of a PLY, read by what its header says."""
    head, body = data.split(b"end_header\n", 1)
    lines = head.decode("ascii").splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    counts = {w[1]: int(w[2]) for w in (line.split() for line in lines) if w[0] == "element"}
    kinds = {"float": "<f4", "uchar": "u1"}
    fields = [line.split() for line in lines if line.startswith("property") and "list" not in line]
    vertex = np.dtype([(name, kinds[kind]) for _, kind, name in fields])
    stream = io.BytesIO(body)
    vertices = np.frombuffer(stream.read(vertex.itemsize * counts["vertex"]), vertex)
    face_type = np.dtype([("n", "u1"), ("v", "<i4", 3)])
    triangles = np.frombuffer(stream.read(face_type.itemsize * counts["face"]), face_type)
    assert not stream.read()
    assert (triangles["n"] == 3).all()
    return vertices, triangles["v"], head.decode()


def test_vertices_are_where_the_pixels_are():
    maps = face()
    mesh = build_mesh(maps, scale_mm=0.5)
    columns = mesh.vertices[:, 0] / 0.5 + (maps.width - 1) / 2
    rows = (maps.height - 1) / 2 - mesh.vertices[:, 1] / 0.5
    r, c = np.rint(rows).astype(int), np.rint(columns).astype(int)
    assert np.abs(rows - r).max() < 1e-4
    assert maps.mask[r, c].all()
    np.testing.assert_allclose(mesh.vertices[:, 2] / 0.5, maps.depth[r, c], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(mesh.normals, maps.normal[r, c])
    assert mesh.unit == "mm"
    assert len(mesh.vertices) == maps.mask.sum()
    assert build_mesh(maps).unit == "pixel"


def test_triangles_look_outwards_and_along_the_normals():
    mesh = build_mesh(face())
    outward = triangle_normals(mesh)
    assert (outward[:, 2] > 0).all()
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    mean = mesh.normals[mesh.triangles].mean(axis=1)
    assert (np.sum(outward * mean, axis=1) > 0.97).all()


def test_a_full_square_of_pixels_is_covered_once():
    maps = face(radius=500.0)
    mesh = build_mesh(maps)
    assert len(mesh.triangles) == 2 * 95 * 95
    assert triangle_normals(mesh)[:, 2].sum() / 2 == pytest.approx(95 * 95)


@settings(max_examples=60, deadline=None)
@given(arrays(bool, (6, 7)), st.integers(0, 99))
def test_only_known_pixels_and_none_twice(known, seed):
    depth = np.random.default_rng(seed).normal(0, 1.5, known.shape)
    triangles = triangulate(depth, known, jump=3.0)
    assert known.ravel()[triangles].all()
    assert len({tuple(sorted(t)) for t in triangles.tolist()}) == len(triangles)
    edges = [(t[k], t[(k + 1) % 3]) for t in triangles.tolist() for k in range(3)]
    # Wound alike, neighbours run along a shared edge in opposite directions.
    assert len(set(edges)) == len(edges)
    for a, b in edges:
        (ra, ca), (rb, cb) = divmod(a, 7), divmod(b, 7)
        assert max(abs(ra - rb), abs(ca - cb)) == 1
        assert abs(depth.flat[a] - depth.flat[b]) <= 3.0 * np.hypot(ra - rb, ca - cb) + 1e-9
    # Every three corners of a square that are known and flat enough are covered.
    flat = triangulate(np.zeros(known.shape), known)
    corners = sum(known[r : r + 6 - 1, c : c + 7 - 1] * 1 for r in (0, 1) for c in (0, 1))
    assert len(flat) == (corners == 3).sum() + 2 * (corners == 4).sum()


def test_a_jump_tears_the_surface():
    maps = face()
    depth = maps.depth.copy()
    depth[:, 48:] += 30
    torn = build_mesh(replace(maps, depth=depth))
    whole = build_mesh(replace(maps, depth=depth), jump=100.0)
    across = np.ptp(whole.vertices[whole.triangles][..., 2], axis=1) > 20
    assert across.sum() == len(whole.triangles) - len(torn.triangles) > 100
    assert (np.ptp(torn.vertices[torn.triangles][..., 2], axis=1) < 20).all()


def test_a_ply_comes_back():
    maps = face()
    mesh = build_mesh(maps, 0.7)
    vertices, triangles, head = read_ply(ply_bytes(mesh, ["someone\nelement vertex 9", "Zoë"]))
    for k, name in enumerate(("x", "y", "z")):
        np.testing.assert_array_equal(vertices[name], mesh.vertices[:, k])
    np.testing.assert_array_equal(vertices["nz"], mesh.normals[:, 2])
    np.testing.assert_array_equal(vertices["green"], mesh.colours[:, 1])
    np.testing.assert_array_equal(triangles, mesh.triangles)
    assert "comment someone?element vertex 9\ncomment Zo?\ncomment unit mm" in head
    assert np.ptp(vertices["red"].astype(int)) > 100


def test_an_obj_comes_back():
    maps = face()
    mesh = build_mesh(maps, 0.7)
    text = obj_text(mesh, "face.mtl", ["x\ny"])
    words = [line.split() for line in text.splitlines()]
    found = {
        k: np.array([w[1:] for w in words if w[0] == k], dtype=float) for k in ("v", "vt", "vn")
    }
    np.testing.assert_allclose(found["v"], mesh.vertices, atol=6e-5)
    np.testing.assert_allclose(found["vn"], mesh.normals, atol=6e-5)
    corners = np.array([[c.split("/") for c in w[1:]] for w in words if w[0] == "f"], dtype=int)
    np.testing.assert_array_equal(corners, np.repeat(mesh.triangles[..., None] + 1, 3, axis=2))
    # The texture's place of a vertex is the pixel that it came from.
    column = found["vt"][:, 0] * maps.width - 0.5
    np.testing.assert_allclose(column, mesh.vertices[:, 0] / 0.7 + (maps.width - 1) / 2, atol=1e-3)
    row = (1 - found["vt"][:, 1]) * maps.height - 0.5
    np.testing.assert_allclose(row, (maps.height - 1) / 2 - mesh.vertices[:, 1] / 0.7, atol=1e-3)
    assert "mtllib face.mtl" in text
    assert "map_Kd skin.png" in mtl_text("skin.png")


def test_maps_that_make_no_mesh():
    maps = face()
    with pytest.raises(MalformedInputError, match="no dataset 'depth'"):
        build_mesh(replace(maps, depth=None))
    with pytest.raises(MalformedInputError, match="too few pixels"):
        build_mesh(replace(maps, mask=np.zeros_like(maps.mask)))
    bare = build_mesh(FaceMaps(mask=maps.mask, depth=maps.depth))
    assert (bare.colours == 200).all()
    assert np.linalg.norm(bare.normals, axis=1) == pytest.approx(1.0)
