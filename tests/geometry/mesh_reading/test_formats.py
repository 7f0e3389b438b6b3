"""Every format gives the same mesh, and what fr3d writes comes back."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_files import ball, ply_file, slope, write_cloud, write_mesh, write_obj
from surfaces import face

from fr3d.errors import MalformedInputError
from fr3d.geometry.mesh import build_mesh
from fr3d.geometry.mesh_files import mtl_text, obj_text, ply_bytes
from fr3d.geometry.mesh_reading.polygons import fan
from fr3d.geometry.mesh_reading.read import read_mesh
from fr3d.geometry.mesh_reading.tokens import real_number, whole_number

CUBE = [[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", ["obj", "ply-ascii", "ply-little", "ply-big"])
def test_a_mesh_comes_back(tmp_path: Path, kind: str):
    points, triangles = ball(40)
    mesh = read_mesh(write_mesh(tmp_path / "m", kind, points, triangles))
    np.testing.assert_allclose(mesh.vertices, points, atol=2e-5)
    np.testing.assert_array_equal(mesh.triangles, triangles)
    assert mesh.places is None
    assert mesh.colours is None
    assert not mesh.is_cloud


@pytest.mark.parametrize("kind", ["obj", "ply-ascii", "ply-little", "ply-big", "xyz", "npy"])
def test_a_cloud_comes_back(tmp_path: Path, kind: str):
    points = slope()[0]
    mesh = read_mesh(write_cloud(tmp_path / "c", kind, points))
    np.testing.assert_allclose(mesh.vertices, points, atol=2e-5)
    assert mesh.is_cloud


def test_what_fr3d_writes_comes_back(tmp_path: Path):
    mesh = build_mesh(face(), 0.7)
    ply = read_mesh(put(tmp_path / "a.ply", ply_bytes(mesh, ["someone"])))
    np.testing.assert_array_equal(ply.vertices, mesh.vertices)
    np.testing.assert_array_equal(ply.triangles, mesh.triangles)
    np.testing.assert_allclose(ply.colours, mesh.colours / 255.0, atol=1e-6)
    put(tmp_path / "a.mtl", mtl_text("skin.png"))
    put(tmp_path / "skin.png", b"a picture")
    obj = read_mesh(put(tmp_path / "b.obj", obj_text(mesh, "a.mtl")))
    np.testing.assert_allclose(obj.vertices, mesh.vertices, atol=6e-5)
    np.testing.assert_array_equal(obj.triangles, mesh.triangles)
    np.testing.assert_allclose(obj.places, mesh.places[mesh.triangles], atol=1e-6)
    assert obj.texture == tmp_path / "skin.png"


def test_the_forms_of_an_obj_face(tmp_path: Path):
    head = "".join(f"v {x} {y} {z}\n" for x, y, z in CUBE) + "vt 0 0\nvt 1 0 0\nvt 1 1\n"
    faces = "f 1 2 3\nf 1/1 2/2 3/3\nf 1//7 2//7 3//7\nf 1/1/7 2/2/7 3/3/7\nf -8 -7/-2 -6/-1/7\r\n"
    mesh = read_mesh(put(tmp_path / "f.obj", head + faces + "f\t4  5 6 7 8 \n  f 1 2\n"))
    assert mesh.triangles.tolist() == [[0, 1, 2]] * 5 + [[3, 4, 5], [3, 5, 6], [3, 6, 7]]
    assert mesh.vertices.tolist() == CUBE
    assert mesh.places is None  # no picture beside it
    put(tmp_path / "f.jpg", b"a picture")
    places = read_mesh(tmp_path / "f.obj").places
    assert places[1].tolist() == places[3].tolist() == [[0, 0], [1, 0], [1, 1]]
    assert np.isnan(places[0]).all()
    assert places[4][1:].tolist() == [[1, 0], [1, 1]]
    assert np.isnan(places[4][0]).all()


def test_numbers_below_zero_count_back_from_their_line(tmp_path: Path):
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\nv 5 5 5\nf -3 -2 -1\n"
    assert read_mesh(put(tmp_path / "n.obj", text)).triangles.tolist() == [[0, 1, 2], [1, 2, 3]]


def test_what_an_obj_also_holds_is_passed_by(tmp_path: Path):
    text = (
        "# v 9 9 9\no face\ng a b\ns off\nusemtl x\nvn 0 0 1\nvp 1\nv 0 0 0 1.0\nv 1e0 -.5 +2.\n\n"
        "v 0 1 0\nl 1 2\nf 1 2 3"
    )
    mesh = read_mesh(put(tmp_path / "o.obj", text))
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, -0.5, 2], [0, 1, 0]]
    assert mesh.triangles.tolist() == [[0, 1, 2]]


def test_colours_in_text(tmp_path: Path):
    obj = read_mesh(
        put(tmp_path / "c.obj", "v 0 0 0 1 0 .5\nv 1 0 0 0 0 0\nv 0 1 0 1 1 1\nf 1 2 3")
    )
    assert obj.colours.tolist() == [[1, 0, 0.5], [0, 0, 0], [1, 1, 1]]
    cloud = read_mesh(put(tmp_path / "c.xyz", "# x\n0, 0,0,255,0,51\n// y\n1;2;3;0;0;0\n"))
    np.testing.assert_allclose(cloud.colours, [[1, 0, 0.2], [0, 0, 0]])
    assert cloud.vertices.tolist() == [[0, 0, 0], [1, 2, 3]]
    np.save(tmp_path / "c.npy", np.array([[0, 0, 0, 255, 0, 51]], dtype=np.uint8))
    np.testing.assert_allclose(read_mesh(tmp_path / "c.npy").colours, [[1, 0, 0.2]])


PLY_ODD = """ply
format {} 1.0
comment TextureFile skin.png
obj_info made by hand
element material 2
property list uchar float weights
property short kind
element vertex 5
property double z
property uchar flag
property float x
property float y
property float s
property float t
element face 2
property uchar material
property list ushort uint vertex_index
property list uchar float texcoord
element edge 1
property int a
end_header
"""
MATERIALS = [([0.5, 2.0], 3), ([], -1)]
VERTICES = [(0.5, 7, x, y, x / 2, y / 4) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (2, 2))]
FACES = [(1, [0, 1, 2, 3], [0, 0, 1, 0, 1, 1, 0, 1]), (2, [2, 1, 4], [0, 0, 0, 1, 0.5, 0.25])]


def odd_ply(order: str) -> bytes:
    """A PLY whose elements and properties are in an unusual order, with lists of any length."""
    name = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    out: list[bytes] = []

    def add(kind: str, *values: float) -> None:
        if order:
            out.append(np.array(values, dtype=order + kind).tobytes())
        else:
            out.append((" ".join(map(str, values)) + " ").encode())

    for weights, kind in MATERIALS:
        add("u1", len(weights))
        add("f4", *weights)
        add("i2", kind)
    for z, flag, *rest in VERTICES:
        add("f8", z)
        add("u1", flag)
        add("f4", *rest)
        out.append(b"" if order else b"\r\n")
    for material, corners, places in FACES:
        add("u1", material)
        add("u2", len(corners))
        add("u4", *corners)
        add("u1", len(places))
        add("f4", *places)
        out.append(b"" if order else b"\n")
    add("i4", 99)
    return PLY_ODD.format(name).encode() + b"".join(out)


@pytest.mark.parametrize("order", ["", "<", ">"])
def test_a_ply_of_unusual_order(tmp_path: Path, order: str):
    put(tmp_path / "skin.png", b"a picture")
    mesh = read_mesh(put(tmp_path / "odd.ply", odd_ply(order)))
    assert mesh.vertices.tolist() == [[v[2], v[3], 0.5] for v in VERTICES]
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3], [2, 1, 4]]
    assert mesh.places.tolist() == [
        [[0, 0], [1, 0], [1, 1]],
        [[0, 0], [1, 1], [0, 1]],
        [[0, 0], [0, 1], [0.5, 0.25]],
    ]
    assert mesh.texture == tmp_path / "skin.png"
    # Without places in the faces those of the vertices count.
    plain = odd_ply(order).replace(b"float texcoord", b"float unknown1")
    mesh = read_mesh(put(tmp_path / "odd.ply", plain))
    assert mesh.places[0].tolist() == [[0, 0], [0.5, 0], [0.5, 0.25]]


@pytest.mark.parametrize("order", ["", "<", ">"])
def test_every_cut_of_a_ply_is_noticed(tmp_path: Path, order: str):
    data = odd_ply(order)
    last = 1 if order else 3
    for size in range(len(data) - last, 0, -1):
        put(tmp_path / "cut.ply", data[:size])
        with pytest.raises(MalformedInputError, match=r"cut\.ply"):
            read_mesh(tmp_path / "cut.ply")


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(1, 12))
def test_numbers_are_read_as_python_reads_them(value: float, digits: int):
    for text in (f"{value:.{digits}g}", f"{value:.{digits}e}", f"{value:.{digits}f}"):
        data = np.frombuffer((text + " ").encode(), np.uint8)
        found, after = real_number(data, 0)
        assert after == len(text)
        assert found == pytest.approx(float(text), rel=1e-15, abs=1e-320)
        if len(text.lstrip("-").replace(".", "").split("e")[0]) < 16 and 1e-6 < abs(value) < 1e6:
            assert found == float(text)


@given(st.integers(-(10**15), 10**15))
def test_whole_numbers_are_read(value: int):
    data = np.frombuffer(f"{value}/3".encode(), np.uint8)
    assert whole_number(data, 0) == (value, len(str(value)))


@pytest.mark.parametrize("text", ["", "-", ".", "e5", "1e", "1e+", "nan", "inf", "x", "+-1"])
def test_what_is_no_number(text: str):
    data = np.frombuffer((text + " ").encode(), np.uint8)
    assert real_number(data, 0)[1] in (0, 1 if text == "1" else 0)


@given(st.lists(st.integers(0, 7), max_size=12))
def test_a_fan_is_as_slow_code_cuts_it(counts: list[int]):
    slow, start = [], 0
    for count in counts:
        slow += [[start, start + k + 1, start + k + 2] for k in range(count - 2)]
        start += count
    assert fan(np.array(counts, dtype=int)).reshape(-1, 3).tolist() == slow


def test_textures_are_looked_for_beside_the_mesh_alone(tmp_path: Path):
    points, triangles = slope(side=3)
    places = np.zeros((9, 2))
    (tmp_path / "in").mkdir()
    put(tmp_path / "outside.png", b"a picture")
    path = write_obj(tmp_path / "in" / "m.obj", points, triangles, places, "mtllib m.mtl")
    for named, expected in {
        "../outside.png": None,
        str(tmp_path / "outside.png"): None,
        "/somewhere/else/skin.png": "skin.png",
        "D:\\scans\\skin.png": "skin.png",
        "-s 1 1 1 skin.png": "skin.png",
        "maps/skin.png": "maps/skin.png",
        "missing.png": None,
    }.items():
        put(tmp_path / "in" / "m.mtl", f"newmtl a\nKd 1 1 1\nmap_Kd {named}\n")
        (tmp_path / "in" / "maps").mkdir(exist_ok=True)
        for name in ("skin.png", "maps/skin.png"):
            (tmp_path / "in" / name).unlink(missing_ok=True)
        if expected:
            put(tmp_path / "in" / expected, b"a picture")
        found = read_mesh(path).texture
        assert found == (tmp_path / "in" / expected if expected else None), named
    # One of several pictures would colour the other parts wrongly.
    put(tmp_path / "in" / "m.mtl", "map_Kd maps/skin.png\nmap_Kd hair.png\n")
    assert read_mesh(path).texture is None


@pytest.mark.slow
def test_a_million_vertices_take_seconds(tmp_path: Path):
    points, triangles = slope(side=1000, step=0.2)
    path = write_obj(tmp_path / "big.obj", points, triangles)
    read_mesh(write_obj(tmp_path / "small.obj", points[:3], [[0, 1, 2]]))
    begin = time.perf_counter()
    assert len(read_mesh(path).triangles) == 2 * 999 * 999
    assert time.perf_counter() - begin < 20


def test_ply_colours_of_any_type(tmp_path: Path):
    data = ply_file("", [[0, 0, 0], [1, 1, 1]], None, [[255, 0, 51], [0, 0, 0]])
    mesh = read_mesh(put(tmp_path / "u.ply", data))
    np.testing.assert_allclose(mesh.colours, [[1, 0, 0.2], [0, 0, 0]], atol=1e-6)
    real = data.replace(b"uchar", b"float").replace(b"255 0 51", b"1.0 0 .2")
    np.testing.assert_allclose(
        read_mesh(put(tmp_path / "f.ply", real)).colours, [[1, 0, 0.2], [0, 0, 0]], atol=1e-6
    )
