import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rgbd_scene import AWAY_MM, LANDMARKS, SCALE, SHAPE, colour, scene
from scipy.ndimage import binary_erosion
from surfaces import angular_error

from fr3d.alignment.align import align_face
from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.sources.cameras import Cameras, Pinhole, read_cameras
from fr3d.alignment.sources.depth_files import DepthCode, check_unit, read_depth, read_note
from fr3d.alignment.sources.listing import Item
from fr3d.alignment.sources.rgbd import RgbdFace, RgbdReader, list_pairs
from fr3d.alignment.sources.surface import bilateral, smoothed_surface
from fr3d.errors import MalformedInputError, MissingInputError, UsageError
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.similarity import transform_points
from fr3d.photometric.sources import SourceFiles

CAPTURE = AlignmentRecipe(detector="capture", size=112)


def pair(folder: Path, depth: np.ndarray, name: str = "depth.npy", picture=None) -> Item:
    colours = colour() if picture is None else picture
    cv2.imwrite(str(folder / "rgb.png"), colours[..., ::-1])
    path = folder / name
    if path.suffix == ".npy":
        np.save(path, depth)
    elif path.suffix == ".png":
        cv2.imwrite(str(path), depth.astype(np.uint16))
    else:
        path.write_bytes(depth.astype("<u2").tobytes())
    return Item("a", "1", {"photograph": folder / "rgb.png", "depth": path}, "rgb.png")


def face(item: Item, reader: RgbdReader) -> RgbdFace:
    read = reader.read(item, {}, SourceFiles())
    read.landmarks = LANDMARKS
    return read


def aligned_truth(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normals and mask of the ball in the aligned frame, in closed form."""
    rows, columns = np.mgrid[0:112, 0:112]
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    places = transform_points(back, np.stack([columns, rows], axis=-1).astype(float))
    x, y = (places[..., 0] - 65) * SCALE, (80 - places[..., 1]) * SCALE
    z = np.sqrt(np.maximum(80.0**2 - x**2 - y**2, 0))
    return np.stack([x, y, z], axis=-1) / 80.0, np.hypot(x, y) < 55


@pytest.mark.parametrize(
    ("name", "code", "stored"),
    [
        ("depth.npy", DepthCode(), lambda mm: np.rint(mm).astype(np.uint16)),
        ("depth.npy", DepthCode(1000.0), lambda mm: (mm / 1000).astype(np.float32)),
        ("depth.png", DepthCode(0.1), lambda mm: np.rint(10 * mm)),
        ("depth.data", DepthCode(), np.rint),
        ("depth.npy", DepthCode(1.0, "larger-is-nearer"), lambda mm: 2000.0 - mm),
    ],
)
def test_units_signs_and_formats_give_the_same_ball(tmp_path: Path, name, code, stored):
    item = pair(tmp_path, stored(scene().distance), name)
    aligned = align_face(face(item, RgbdReader(code)), CAPTURE)
    truth, inside = aligned_truth(aligned.matrix)
    inside = binary_erosion(inside & aligned.maps.mask, iterations=3)
    assert inside.sum() > 3000
    assert np.median(angular_error(aligned.maps.normal, truth)[inside]) < 1.5
    assert aligned.quality["scale_assumed"] == 1
    assert aligned.quality["nose_mm"] == pytest.approx(11.1, abs=1.5)
    # the scale of a pixel follows the face, and depth is counted in pixels
    assert aligned.scale_mm == pytest.approx(SCALE / aligned.quality["face_scale"], rel=1e-3)
    rise = np.ptp(aligned.maps.depth[inside]) * aligned.scale_mm
    expected = 80 - np.sqrt(80**2 - 52**2)
    assert rise == pytest.approx(expected, rel=0.15)


def test_the_wall_behind_and_holes_are_masked(tmp_path: Path):
    distance = np.rint(scene().distance).astype(np.uint16)
    distance[60:66, 70:76] = 0
    aligned = align_face(face(pair(tmp_path, distance), RgbdReader()), CAPTURE)
    x, y = transform_points(aligned.matrix, np.array([[72.5, 62.5]]))[0]
    hole = np.s_[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2]
    assert not aligned.maps.mask[hole].any()
    assert np.isnan(aligned.maps.depth[hole]).all()
    assert not aligned.maps.normal[hole].any()
    assert aligned.maps.image[hole].all()  # the photograph is there
    assert not aligned.maps.mask[:4, :4].any()  # the wall
    assert np.nanmin(aligned.maps.depth) * aligned.scale_mm > -100


def test_smoothing_lowers_noise_and_keeps_a_step():
    rng = np.random.default_rng(0)
    known = np.ones((60, 60), bool)
    known[20:24, 20:24] = False
    step = np.where(np.arange(60) < 30, 0.0, 40.0) * np.ones((60, 1))
    noisy = (step + rng.normal(0, 1.0, step.shape)).astype(np.float32)
    smooth = bilateral(noisy, known, 1.5, 8.0)
    assert np.std((smooth - step)[30:, :28]) < 0.4
    assert np.abs((smooth - step)[:, 29:31]).max() < 4
    np.testing.assert_array_equal(smooth[~known], noisy[~known])
    maps = FaceMaps(known, depth=np.where(known, noisy, np.nan).astype(np.float32))
    done = smoothed_surface(maps, 1.0, 2.0)
    np.testing.assert_array_equal(done.mask, known)
    assert np.isnan(done.depth[~known]).all()
    raw = smoothed_surface(maps, 1.0, 0.0)
    np.testing.assert_array_equal(raw.depth, maps.depth)


def test_what_is_unknown_does_not_bleed_into_what_is_known():
    known = np.ones((30, 30), bool)
    known[10:16, 12:18] = False
    values = np.where(known, 5.0, 0.0).astype(np.float32)
    smooth = bilateral(values, known, 2.0, 8.0)
    np.testing.assert_allclose(smooth[known], 5.0, atol=1e-5)


def test_the_scale_comes_from_the_camera_where_it_is_known(tmp_path: Path):
    item = pair(tmp_path, np.rint(scene().distance).astype(np.uint16))
    cameras = Cameras(Pinhole(500.0, 500.0, 65.0, 75.0))
    aligned = align_face(face(item, RgbdReader(cameras=cameras)), CAPTURE)
    assert aligned.quality["scale_assumed"] == 0
    before = aligned.scale_mm * aligned.quality["face_scale"]
    assert before == pytest.approx((AWAY_MM + 20) / 500, rel=0.03)


def near_ball(distance: float, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """Depth in mm of a ball of 80 mm before a near camera at the middle, and its landmarks."""
    rows, columns = np.mgrid[0:200, 0:200]
    rays = np.stack([(columns - 99.5) / focal, (rows - 99.5) / focal, np.ones((200, 200))], axis=-1)
    # |t ray - centre| = 80, the nearer solution
    a, b = (rays**2).sum(axis=-1), rays[..., 2] * (distance + 80)
    inside = b**2 - a * ((distance + 80) ** 2 - 80**2)
    t = np.where(inside > 0, (b - np.sqrt(np.maximum(inside, 0))) / a, 0)
    x, y = np.array([-31.5, 31.5, 0, -22, 22]), np.array([-30.0, -30, 0, 32, 32])
    z = distance + 80 - np.sqrt(80**2 - x**2 - y**2)
    points = np.column_stack([x / z * focal, y / z * focal]) + 99.5
    return t, points


@pytest.mark.parametrize("distance", [300.0, 900.0])
def test_with_intrinsics_shape_does_not_depend_on_the_distance(tmp_path: Path, distance: float):
    focal = 0.9 * distance
    depth, points = near_ball(distance, focal)
    item = pair(
        tmp_path, (depth * 16).astype(np.uint16), picture=np.full((200, 200, 3), 90, np.uint8)
    )
    errors = []
    for cameras in (Cameras(Pinhole(focal, focal, 99.5, 99.5)), None):
        reader = RgbdReader(DepthCode(1 / 16), cameras, smoothing_mm=1.0)
        read = reader.read(item, {}, SourceFiles())
        read.landmarks = points
        aligned = align_face(read, CAPTURE)
        rows, columns = np.mgrid[0:112, 0:112]
        # the ball's middle lies below the tip of the nose, where the radius is known in pixels
        x, y = (columns - aligned.maps.landmarks[2, 0]), (aligned.maps.landmarks[2, 1] - rows)
        radius = 80 / aligned.scale_mm
        z = np.sqrt(np.maximum(radius**2 - x**2 - y**2, 0))
        truth = np.stack([x, y, z], axis=-1) / radius
        inside = (np.hypot(x, y) < 0.75 * radius) & aligned.maps.mask
        assert inside.sum() > 2000
        errors.append(np.mean(angular_error(aligned.maps.normal, truth)[inside]))
    assert errors[0] < 1.5
    if distance < 500:
        assert errors[1] > 3 * errors[0]


def test_depth_of_another_camera_is_registered(tmp_path: Path):
    """A plane at 1 m with a nearer square, seen by a smaller camera 50 mm to the left."""
    depth = np.full((100, 120), 1000, np.uint16)
    depth[40:60, 50:70] = 800
    cameras = Cameras(
        Pinhole(300.0, 300.0, 100.0, 80.0),
        Pinhole(150.0, 150.0, 60.0, 50.0),
        translation_mm=(-50.0, 0.0, 0.0),
    )
    seen = cameras.register(-depth.astype(np.float32), (160, 200))
    rows, columns = np.nonzero(np.abs(seen + 800) < 1)
    # x = (50 - 60) / 150 * 800 - 50 mm, then 300 / 800 px a mm about column 100
    assert columns.min() == pytest.approx(100 + (-53.3 - 50) * 300 / 800, abs=1.5)
    assert columns.max() == pytest.approx(100 + (48 - 50) * 300 / 800, abs=1.5)
    assert rows.min() == pytest.approx(80 + (40 - 50) / 150 * 300, abs=1.5)
    assert np.isnan(seen).any()  # what the square hid from the depth camera
    item = pair(tmp_path, depth, picture=np.full((160, 200, 3), 90, np.uint8))
    reader = RgbdReader(cameras=cameras)
    assert reader.read(item, {}, SourceFiles()).height == 160


def test_depth_of_another_size_is_refused_without_cameras(tmp_path: Path):
    item = pair(tmp_path, np.ones((75, 65), np.uint16))
    with pytest.raises(MalformedInputError, match=r"depth of 65x75 pixels, expected 130x150"):
        RgbdReader().read(item, {}, SourceFiles())
    item = pair(tmp_path, np.ones((75, 65), np.uint16), "depth.raw")
    with pytest.raises(MalformedInputError, match="found 9750 bytes, expected 39000"):
        RgbdReader().read(item, {}, SourceFiles())


def test_floating_depth_needs_a_unit(tmp_path: Path):
    item = pair(tmp_path, np.ones(SHAPE, np.float64))
    with pytest.raises(MalformedInputError, match="unknown unit"):
        RgbdReader().read(item, {}, SourceFiles())


def test_no_depth_where_the_face_is(tmp_path: Path):
    item = pair(tmp_path, np.zeros(SHAPE, np.uint16))
    with pytest.raises(NoFaceError, match="no depth was measured"):
        align_face(face(item, RgbdReader()), CAPTURE)


def test_depth_that_is_none(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros((4, 4, 3)))
    with pytest.raises(MalformedInputError, match=r"shape \(4, 4, 3\)"):
        read_depth(tmp_path / "a.npy", SourceFiles(), None)
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(MalformedInputError):
        read_depth(tmp_path / "o.npy", SourceFiles(), None)
    with pytest.raises(UsageError, match="depth unit"):
        check_unit(0.0)


def test_the_note_beside_depth_files(tmp_path: Path):
    assert read_note(tmp_path) is None
    note = {"unit_mm": 0.25, "nothing": 65535, "sign": "larger is nearer"}
    (tmp_path / "depth.json").write_text(json.dumps(note))
    assert read_note(tmp_path) == DepthCode(0.25, "larger-is-nearer", 65535)
    for bad in ('{"unit_mm": 0}', '{"sign": 3}', "[]", "{", '{"unit_mm": 1, "sign": "odd"}'):
        (tmp_path / "depth.json").write_text(bad)
        with pytest.raises(MalformedInputError, match=r"depth.json"):
            read_note(tmp_path)


def test_cameras_are_read_or_refused(tmp_path: Path):
    path = tmp_path / "camera.json"
    color = {"fx": 600, "fy": 601, "cx": 320, "cy": 240}
    path.write_text(json.dumps({"color": color}))
    assert read_cameras(path) == Cameras(Pinhole(600, 601, 320, 240))
    path.write_text(json.dumps({"color": color, "depth": color, "translation_mm": [1, 2, 3]}))
    assert read_cameras(path).translation_mm == (1, 2, 3)
    for bad in (
        {},
        {"color": color | {"fx": 0}},
        {"color": color, "depth": color, "rotation": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]},
        {"color": color, "depth": color, "rotation": [[1, 0], [0, 1]]},
    ):
        path.write_text(json.dumps(bad))
        with pytest.raises(MalformedInputError, match=r"camera.json"):
            read_cameras(path)


def test_pairs_are_found_by_their_names(tmp_path: Path):
    for name in (
        "n1/0001_03.png",
        "n1/0001_03.npy",
        "n1/lonely.png",
        "n2/k1_box_xy.bmp",
        "n2/k1_box_xyz_depth.data",
        "n2/tests/AXk1_box_xy.bmp",
        "n2/tests/AXk1_box_xyz_depth.data",
        "n3/color_0001.jpg",
        "n3/depth_0001.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = [
        (item.subject_id, item.session_id, item.files["depth"].name)
        for item in list_pairs(tmp_path).items
        if "depth" in item.files
    ]
    assert found == [
        ("n1", "0001_03", "0001_03.npy"),
        ("n2", "k1_box_xy", "k1_box_xyz_depth.data"),
        ("n2", "tests_AXk1_box_xy", "AXk1_box_xyz_depth.data"),
        ("n3", "color_0001", "depth_0001.png"),
    ]
    (alone,) = [item for item in list_pairs(tmp_path).items if "depth" not in item.files]
    with pytest.raises(MalformedInputError, match=r"n1/lonely.png: no depth beside it"):
        RgbdReader().read(alone, {}, SourceFiles())
    with pytest.raises(MissingInputError, match="no RGB-D pairs"):
        list_pairs(_empty(tmp_path))


def _empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder
