"""Files that were made to do harm, or were damaged: one line each, and soon."""

import contextlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scan_files import ply_file, slope

from fr3d.errors import Fr3dError, MalformedInputError
from fr3d.geometry.mesh_reading import obj, point_text
from fr3d.geometry.mesh_reading.read import read_mesh

HEAD = (
    "ply\nformat {} 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n"
)
ASCII = "ply\nformat ascii 1.0\n"
TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"


def refused(path: Path, content: str | bytes, reason: str) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(MalformedInputError, match=reason) as caught:
        read_mesh(path)
    assert path.name in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty file"),
        ("# nothing\n", "no vertices"),
        ("f 1 2 3\n", "no vertices"),
        (TRIANGLE + "f 1 2 4\n", "vertex number 3 counted from 0, but there are 3"),
        (TRIANGLE + "f -4 -1 -2\n", "vertex number -1 counted"),
        (TRIANGLE + "f 0 1 2\n", "line 4 cannot be read"),
        (TRIANGLE + "f 1 2 x\n", "line 4"),
        (TRIANGLE + "f 1.5 2 3\n", "line 4"),
        (TRIANGLE + "f 1/ 2/1 3/1\n", "place number 1 in a texture, but there are 0"),
        (TRIANGLE + "vt 0 0\nf 1/-2 2/1 3/1\n", "line 5"),
        (TRIANGLE + "f 49999994999999999999 1 2\n", "line 4"),
        ("v 0 0 nan\n", "line 1"),
        ("v 0 0 inf\n", "line 1"),
        ("v 0 0 1e999\n", "NaN or infinite"),
        ("v 0 0 1e30\n", "coordinate of 1e\\+30, expected at most 1e\\+07"),
        ("v 0 0\n", "line 1"),
        ("v\n", "line 1"),
        ("v 0 0 0\nvt 1\n", "line 2"),
        ("\0" * 1000, "no vertices"),
    ],
)
def test_an_obj_that_is_wrong(tmp_path: Path, text: str, reason: str):
    refused(tmp_path / "bad.obj", text, reason)


FACE = "element face {}\nproperty list uchar int vertex_indices\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"ply", "not a PLY"),
        (b"solid x\n" * 9, "not a PLY"),
        (HEAD.format("ascii", 1) + "end_header", "header is cut off"),
        (HEAD.format("middle_endian", 1) + "end_header\n", "header of the PLY cannot"),
        (HEAD.format("ascii", -1) + "end_header\n", "header"),
        (HEAD.format("ascii", "1e3") + "end_header\n", "header"),
        (HEAD.format("ascii", "²") + "end_header\n", "header"),
        (ASCII + "property float x\nend_header\n", "header"),
        (ASCII + "element vertex 1\nproperty quad x\nend_header\n", "header"),
        ("ply\nelement vertex 1\nproperty float x\nend_header\n1", "header"),
        (
            ASCII + "element vertex 1\nproperty float x\nend_header\n1\n",
            "x, y and z",
        ),
        (ASCII + "element vertex 9\nend_header\n1\n", "no vertices"),
        (ASCII + "end_header\n1\n", "no vertices"),
        (ASCII + "element a 499999949999999\nend_header\n1\n", "no vertices"),
        (HEAD.format("ascii", 0) + "end_header\n", "no vertices"),
        (HEAD.format("ascii", 2) + "end_header\n0 0 0\n1 1\n", "truncated or damaged"),
        (HEAD.format("ascii", 1) + "end_header\n0 0 nan\n", "truncated or damaged"),
        (HEAD.format("ascii", 4_999_999) + "end_header\n0 0 0\n", "expected 4999999 rows"),
        (HEAD.format("ascii", 5_000_001) + "end_header\n", "5000001 vertices, expected at most"),
        (HEAD.format("binary_little_endian", 4_999_999) + "end_header\n0", "4999999 rows"),
        (HEAD.format("ascii", 1) + "element face 1\nproperty int a\nend_header\n0 0 0 1\n", "list"),
        (HEAD.format("ascii", 1) + FACE.format(2**40) + "end_header\n0 0 0\n", "faces, expected"),
        (
            HEAD.format("ascii", 1) + FACE.format(1) + "end_header\n0 0 0\n3 0 0 1\n",
            "number 1 ",
        ),
        (
            HEAD.format("ascii", 1) + FACE.format(1) + "end_header\n0 0 0\n3 0 0 -1\n",
            "number -1 ",
        ),
        (HEAD.format("ascii", 1) + FACE.format(1) + "end_header\n0 0 0\n-3 0 0 0\n", "truncated"),
        (HEAD.format("ascii", 1) + FACE.format(1) + "end_header\n0 0 0\n9e9 0 0\n", "truncated"),
        (HEAD.format("ascii", 1) + FACE.format(1) + "end_header\n0 0 0\n3 0 0 1e300\n", "number"),
        (
            HEAD.format("ascii", 1) + "property list float int a\nend_header\n0 0 0 1 1\n",
            "header",
        ),
        (
            HEAD.format("ascii", 1) + "property list uchar int a\nend_header\n0 0 0 1 1\n",
            "lists in the vertices",
        ),
    ],
)
def test_a_ply_that_is_wrong(tmp_path: Path, data: str | bytes, reason: str):
    refused(tmp_path / "bad.ply", data, reason)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("length", ["uchar", "int", "uint"])
def test_a_list_whose_length_lies(tmp_path: Path, order: str, length: str):
    points, triangles = slope(side=4)
    data = ply_file(order, points, triangles).replace(b"uchar int", f"{length} int".encode())
    if length == "uchar":
        data = data[: -13 * len(triangles)] + b"\xff" + data[-13 * len(triangles) + 1 :]
    refused(tmp_path / "liar.ply", data, "truncated or damaged")


def test_nan_in_a_binary_ply(tmp_path: Path):
    points, triangles = slope(side=4)
    points[3, 1] = np.nan
    refused(tmp_path / "nan.ply", ply_file(">", points, triangles), "NaN or infinite")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 0\n", "found 2 values in the first line"),
        ("0 0 0\n1 1\n", "line 2 cannot be read, expected 3 finite numbers"),
        ("0 0 0\n1 1 1 1\n", "line 2"),
        ("0 0 0\nnan 0 0\n", "line 2"),
        ("x y z\n", "line 1"),
        ("# nothing\n\n", "no vertices"),
    ],
)
def test_points_that_are_wrong(tmp_path: Path, text: str, reason: str):
    refused(tmp_path / "bad.xyz", text, reason)


def test_arrays_that_are_wrong(tmp_path: Path):
    path = tmp_path / "bad.npy"
    for values, reason in {
        "flat": (np.zeros(9), "shape"),
        "wide": (np.zeros((9, 4)), "shape"),
        "words": (np.array([["a", "b", "c"]]), "shape"),
        "objects": (np.array([[1, 2, None]]), "not an NPY"),
        "nan": (np.full((9, 3), np.nan), "NaN or infinite"),
        "none": (np.zeros((0, 3)), "not an NPY|no vertices"),
    }.values():
        np.save(path, values)
        refused(path, path.read_bytes(), reason)
    np.save(path, np.zeros((4, 3)))
    refused(path, path.read_bytes()[:-1], "not an NPY")
    refused(path, path.read_bytes().replace(b"(4, 3)", b"(4000000000, 3)"), "not an NPY")


def test_a_file_that_is_too_large(tmp_path: Path):
    path = tmp_path / "huge.ply"
    with path.open("wb") as stream:
        stream.truncate((2 << 30) + 1)  # holes: it takes no room on the disk
    with pytest.raises(MalformedInputError, match="found 2147483649 bytes, expected at most"):
        read_mesh(path)


def test_an_ending_that_is_not_known_and_a_folder(tmp_path: Path):
    refused(tmp_path / "scan.stl", b"solid", "found a file ending in '.stl', expected one of")
    (tmp_path / "folder.obj").mkdir()
    with pytest.raises(Fr3dError, match=r"folder\.obj"):
        read_mesh(tmp_path / "folder.obj")


def test_limits_hold_before_memory_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(obj, "MAX_VERTICES", 1000)
    monkeypatch.setattr(obj, "MAX_CORNERS", 3000)
    monkeypatch.setattr(point_text, "MAX_VERTICES", 1000)
    for name, text, reason in (
        ("a.obj", "v 0 0 0\n" * 100_000, "found 100000 vertices, expected at most 1000"),
        ("b.obj", "vt 0 0\n" * 100_000, "places in a texture"),
        ("c.obj", "v 0 0 0\n" + "f 1 1 1\n" * 100_000, "found 300000 corners"),
        ("d.xyz", "0 0 0\n" * 100_000, "points, expected at most"),
    ):
        (tmp_path / name).write_text("v 0 0 0\n" if name.endswith("obj") else "0 0 0\n")
        read_mesh(tmp_path / name)
        tracemalloc.start()
        (tmp_path / name).write_text(text)
        tracemalloc.reset_peak()
        refused(tmp_path / name, text, reason)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2 * len(text) + 300_000


SEEDS = {
    ".obj": TRIANGLE + "vt 0 0\nvt 1 0.5\nf 1/1 2/2 3/1\nf -1 -2 -3\n",
    ".xyz": "0 0 0 1 2 3\n1 2 3 4 5 6\n",
    ".ply": None,
}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damage_of_any_kind_is_a_mesh_or_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    suffix = data.draw(st.sampled_from(sorted(SEEDS)))
    seed = SEEDS[suffix]
    if seed is None:
        whole = ply_file(data.draw(st.sampled_from(["", "<", ">"])), *slope(side=3))
    else:
        whole = seed.encode()
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255) | st.sampled_from(list(b"0123456789 -/.\n")))
    path = folder / f"damaged{suffix}"
    path.write_bytes(bytes(content))
    with contextlib.suppress(Fr3dError):
        mesh = read_mesh(path)
        assert np.isfinite(mesh.vertices).all()
        assert mesh.triangles.size == 0 or mesh.triangles.max() < len(mesh.vertices)
