"""Scans of surfaces known in closed form, in every format, as maps."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scan_files import MIDDLE, RADIUS, ball, ply_file, slope, write_cloud, write_mesh, write_obj
from surfaces import angular_error

from fr3d.alignment.sources.scans import Scan, is_hollow, read_scan, scan_views
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.geometry.coding import from_srgb

MESHES = ("obj", "ply-ascii", "ply-little", "ply-big")
CLOUDS = (*MESHES, "xyz", "txt", "asc", "npy")


def seen_points(scan: Scan) -> tuple[np.ndarray, np.ndarray]:
    """Millimetres and normals of all pixels of the mask."""
    rows, columns = np.nonzero(scan.maps.mask)
    pixels = np.stack([columns, rows, scan.maps.depth[rows, columns]], axis=1)
    return scan.frame.to_millimetres(pixels), scan.maps.normal[rows, columns]


@pytest.mark.parametrize("kind", MESHES)
def test_a_sphere_comes_out_true(tmp_path: Path, kind: str):
    scan = read_scan(write_mesh(tmp_path / "ball", kind, *ball()))
    points, normals = seen_points(scan)
    away = points - MIDDLE
    assert np.abs(np.linalg.norm(away, axis=1) - RADIUS).max() < 0.1
    outward = away / np.linalg.norm(away, axis=1, keepdims=True)
    assert np.median(angular_error(normals, outward)) < 0.1
    # The front alone, all of it, and no picture larger than it need be.
    assert away[:, 2].min() > -1.0
    area = np.pi * (RADIUS / 0.75) ** 2
    assert scan.maps.mask.sum() == pytest.approx(area, rel=0.01)
    assert scan.scale_mm == 0.75
    assert max(scan.maps.mask.shape) < 2 * RADIUS / 0.75 + 20
    assert scan.quality["scan_unit_mm"] == 1
    assert scan.maps.albedo is None
    assert scan.maps.image[~scan.maps.mask].max() == 0


@pytest.mark.parametrize("kind", MESHES)
def test_a_tilted_plane_comes_out_true(tmp_path: Path, kind: str):
    scan = read_scan(write_mesh(tmp_path / "plane", kind, *slope()))
    points, normals = seen_points(scan)
    assert np.abs(points[:, 2] - (0.3 * points[:, 0] - 0.2 * points[:, 1])).max() < 0.01
    truth = np.array([-0.3, 0.2, 1.0]) / np.linalg.norm([-0.3, 0.2, 1.0])
    assert angular_error(normals, truth).max() < 0.05


@pytest.mark.parametrize("kind", CLOUDS)
def test_the_points_of_a_sphere_become_its_surface(tmp_path: Path, kind: str):
    rng = np.random.default_rng(0)
    away = rng.normal(size=(20_000, 3))
    away *= RADIUS / np.linalg.norm(away, axis=1, keepdims=True)
    points = away + MIDDLE
    scan = read_scan(write_cloud(tmp_path / "cloud", kind, points))
    found, normals = seen_points(scan)
    off = found - MIDDLE
    inner = np.hypot(off[:, 0], off[:, 1]) < 0.85 * RADIUS
    assert np.abs(np.linalg.norm(off[inner], axis=1) - RADIUS).max() < 1.0
    error = angular_error(normals, off / np.linalg.norm(off, axis=1, keepdims=True))[inner]
    assert np.median(error) < 0.5
    assert inner.sum() > 0.98 * np.pi * (0.85 * RADIUS / 0.75) ** 2
    assert scan.quality["scan_spacing_mm"] == pytest.approx(
        np.sqrt(4 * np.pi * RADIUS**2 / 20_000), rel=0.1
    )


def test_a_tilted_plane_of_points_keeps_its_slope_up_to_the_border(tmp_path: Path):
    scan = read_scan(write_cloud(tmp_path / "plane", "xyz", slope(step=3.0)[0]))
    points, normals = seen_points(scan)
    truth = np.array([-0.3, 0.2, 1.0]) / np.linalg.norm([-0.3, 0.2, 1.0])
    assert np.abs(points[:, 2] - (0.3 * points[:, 0] - 0.2 * points[:, 1])).max() < 0.05
    assert np.median(angular_error(normals, truth)) < 0.05
    assert np.percentile(angular_error(normals, truth), 99) < 0.1


def test_a_large_hole_in_a_cloud_stays_and_a_small_one_is_filled(tmp_path: Path):
    points = slope(0, 0, step=3.0)[0]
    from_hole = np.hypot(points[:, 0] + 30, points[:, 1])
    cloud = points[(from_hole > 15) & (np.hypot(points[:, 0] - 30, points[:, 1]) > 1)]
    scan = read_scan(write_cloud(tmp_path / "holes", "xyz", cloud))
    column, row, _ = scan.frame.to_pixels(np.array([[-30.0, 0, 0], [30.0, 0, 0]])).T.round()
    assert not scan.maps.mask[int(row[0]), int(column[0])]
    assert scan.maps.mask[int(row[1]), int(column[1])]


def test_the_texture_is_the_right_way_up(tmp_path: Path):
    points, triangles = slope(0, 0)
    places = (points[:, :2] - points[:, :2].min(axis=0)) / np.ptp(points[:, :2], axis=0)
    quadrants = np.array([[[200, 0, 0], [0, 150, 0]], [[0, 0, 100], [90, 90, 90]]], np.uint8)
    picture = quadrants.repeat(32, axis=0).repeat(32, axis=1)
    cv2.imwrite(str(tmp_path / "skin colour.png"), picture[..., ::-1])
    (tmp_path / "a.mtl").write_text("newmtl s\nmap_Kd C:\\scans\\skin colour.png\n")
    scan = read_scan(write_obj(tmp_path / "a.obj", points, triangles, places, head="mtllib a.mtl"))
    height, width = scan.maps.mask.shape
    for row in (0, 1):
        for column in (0, 1):
            y, x = round((0.25 + 0.5 * row) * height), round((0.25 + 0.5 * column) * width)
            expected = from_srgb(quadrants[row, column] / 255.0)
            np.testing.assert_allclose(scan.maps.albedo[y, x], expected, atol=1e-6)
    np.testing.assert_array_equal(scan.maps.image, scan.maps.albedo)
    assert scan.quality["scan_textured"] == 1


def test_a_picture_of_the_same_name_is_the_texture_and_fine_detail_is_averaged(tmp_path: Path):
    points, triangles = slope(0, 0)
    places = (points[:, :2] - points[:, :2].min(axis=0)) / np.ptp(points[:, :2], axis=0)
    fine = np.indices((2048, 2048)).sum(axis=0) % 2 * 255
    cv2.imwrite(str(tmp_path / "b.png"), fine.astype(np.uint8))
    scan = read_scan(write_obj(tmp_path / "b.obj", points, triangles, places))
    assert scan.maps.albedo.ndim == 2
    assert np.ptp(scan.maps.albedo[scan.maps.mask]) < 0.1


def test_colours_of_vertices_and_points(tmp_path: Path):
    points, triangles = slope(0, 0)
    colours = np.where(points[:, :1] < 0, [[250, 10, 10]], [[10, 10, 250]]).astype(np.uint8)
    for k, faces in enumerate((triangles, None)):
        for order in ("", "<", ">"):
            path = tmp_path / f"{k}{len(order)}.ply"
            path.write_bytes(ply_file(order, points, faces, colours))
            albedo = read_scan(path).maps.albedo
            middle, width = albedo.shape[0] // 2, albedo.shape[1]
            red, blue = (from_srgb(np.array(c) / 255) for c in ([250, 10, 10], [10, 10, 250]))
            np.testing.assert_allclose(albedo[middle, width // 4], red, atol=1e-3)
            np.testing.assert_allclose(albedo[middle, 3 * width // 4], blue, atol=1e-3)


def test_the_back_of_a_closed_surface_is_not_seen_through_a_hole(tmp_path: Path):
    points, triangles = ball()
    middle = points[triangles].mean(axis=1) - MIDDLE
    hole = (np.hypot(middle[:, 0], middle[:, 1]) < 12) & (middle[:, 2] > 0)
    scan = read_scan(write_mesh(tmp_path / "open", "obj", points, triangles[~hole]))
    column, row, _ = scan.frame.to_pixels(np.array([[10.0, 200.0, 0.0]])).round().astype(int)[0]
    assert not scan.maps.mask[row, column]
    assert seen_points(scan)[0][:, 2].min() > -31


@pytest.mark.parametrize("wound", ["inwards", "at random"])
def test_meshes_that_are_wound_otherwise_show_their_front(tmp_path: Path, wound: str):
    points, triangles = slope()
    turned = np.random.default_rng(0).random(len(triangles)) < 0.5
    triangles[turned | (wound == "inwards")] = triangles[turned | (wound == "inwards")][:, ::-1]
    scan = read_scan(write_mesh(tmp_path / "w", "obj", points, triangles))
    truth = np.array([-0.3, 0.2, 1.0]) / np.linalg.norm([-0.3, 0.2, 1.0])
    assert angular_error(seen_points(scan)[1], truth).max() < 0.01


def test_spikes_and_shreds_go(tmp_path: Path):
    points, triangles = ball()
    far = len(points)
    shred = slope(side=10, step=2.0)
    points = np.concatenate([points, [[10, 200, 400]], shred[0] + [150, 200, 0]])
    triangles = np.concatenate([triangles, [[5000, far, 5001]], shred[1] + far + 1])
    scan = read_scan(write_mesh(tmp_path / "s", "obj", points, triangles))
    assert scan.vertices[:, 2].max() < 61
    assert scan.vertices[:, 0].max() < 101
    assert scan.quality["scan_kept"] == pytest.approx(1 - 100 / (far + 100), abs=1e-3)
    assert scan.quality["scan_long_edges"] == pytest.approx(1 / len(triangles))


def test_metres_become_millimetres(tmp_path: Path):
    points, triangles = ball()
    scan = read_scan(write_mesh(tmp_path / "m", "obj", points / 1000, triangles))
    assert scan.quality["scan_unit_mm"] == 1000
    assert np.ptp(scan.vertices[:, 0]) == pytest.approx(2 * RADIUS)


TURNED = {
    "y up, along +z": lambda p: p,
    "y up, along -z": lambda p: p * [-1, 1, -1],
    "z up, along -y": lambda p: p[:, [0, 2, 1]] * [1, -1, 1],
    "z up, along +y": lambda p: p[:, [0, 2, 1]] * [-1, 1, 1],
    "y down, along -z": lambda p: p * [1, -1, -1],
}


@pytest.mark.parametrize("turn", TURNED)
def test_one_of_the_views_is_upright_whichever_way_a_scan_looks(tmp_path: Path, turn: str):
    points, triangles = slope(0, 0)
    # A bowl turned towards the camera, with a bump up and to the right of its middle.
    points[:, 2] = -0.002 * (points[:, 0] ** 2 + points[:, 1] ** 2)
    points[:, 2] += 15 * np.exp(-((points[:, 0] - 40) ** 2 + (points[:, 1] - 20) ** 2) / 100)
    upright = read_scan(write_mesh(tmp_path / "u", "obj", points, triangles))
    path = write_mesh(tmp_path / "t", "obj", TURNED[turn](points), triangles)
    views = list(scan_views(path))
    assert len(views) == 5
    found = next(view for view in views if view.turn == turn)
    assert not is_hollow(found.maps)
    np.testing.assert_allclose(found.maps.depth, upright.maps.depth, atol=1e-4)
    hollow = [is_hollow(view.maps) for view in views]
    assert hollow == sorted(hollow)
    assert any(hollow)
    first = read_scan(path, up="z" if turn.startswith("z") else "y")
    if turn != "y down, along -z":
        assert first.turn == turn


def test_a_coarser_picture_on_demand_and_for_what_is_large(tmp_path: Path):
    path = write_mesh(tmp_path / "ball", "obj", *ball())
    scan = read_scan(path, mm_per_pixel=2.0)
    assert scan.scale_mm == 2.0
    assert scan.maps.mask.shape[0] < 110
    points, triangles = slope(0, 0, side=201, step=6.0)
    big = read_scan(write_mesh(tmp_path / "big", "obj", points, triangles), mm_per_pixel=0.5)
    assert max(big.maps.mask.shape) <= 1536
    assert big.scale_mm > 0.75
    assert np.ptp(seen_points(big)[0][:, 0]) == pytest.approx(1200, abs=1)


def test_too_little_is_refused_with_the_reason(tmp_path: Path):
    points, triangles = ball(60)
    cases = {
        "no triangle is left after dropping edges over 2 mm": (points, 2.0, triangles),
        "81 cm2 of surface, expected 150": (slope(0, 0, 31)[0], 25.0, slope(side=31)[1]),
        "12 mm wide, expected 80": ((points - points[0]) / 15, 25.0, triangles),
        "one every 10.8 mm": (slope(0, 0, step=11.0)[0], 25.0, slope()[1]),
    }
    for reason, (vertices, edge, faces) in cases.items():
        path = write_mesh(tmp_path / "few", "obj", vertices, faces)
        with pytest.raises(MalformedInputError, match=reason) as caught:
            read_scan(path, longest_edge=edge)
        assert "few.obj" in caught.value.message
        assert "\n" not in caught.value.message
    with pytest.raises(MalformedInputError, match="mm wide"):
        read_scan(write_cloud(tmp_path / "one", "xyz", [[1, 2, 3]]))
    with pytest.raises(MissingInputError, match=r"gone\.obj"):
        read_scan(tmp_path / "gone.obj")


def test_a_damaged_texture_is_named(tmp_path: Path):
    points, triangles = slope(0, 0)
    path = write_obj(tmp_path / "c.obj", points, triangles, np.zeros((len(points), 2)))
    (tmp_path / "c.jpg").write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(MalformedInputError, match=r"c\.jpg"):
        read_scan(path)
