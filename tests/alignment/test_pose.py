from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from surfaces import angular_error

from fr3d.alignment.align import align_maps
from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.pose import _mean_points, angles, estimate_rotation, face_the_front
from fr3d.alignment.pose import _turn as turn
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.geometry.depth import depth_at
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.reproject import turn_maps
from fr3d.geometry.similarity import resizing
from fr3d.geometry.warp import warp_maps

CAPTURE = AlignmentRecipe(detector="capture")
UP = np.array([1.0, -1.0, 1.0])


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (30, 0), (-20, 15), (5, -25)])
@pytest.mark.parametrize("scale", [0.7, 3.0])
def test_a_turned_mean_face_gives_its_angles_back(yaw, pitch, scale):
    rotation = turn(*np.deg2rad([yaw, pitch]))
    points = scale * (_mean_points() @ rotation.T) * UP + [40, 70, 9]
    found = estimate_rotation(points)
    np.testing.assert_allclose(found, rotation, atol=1e-9)
    assert angles(found) == pytest.approx((yaw, pitch), abs=1e-6)


def test_yaw_is_to_the_images_right_and_pitch_down():
    assert angles(turn(0.3, 0.0))[0] > 0
    assert turn(0.3, 0.0)[0, 2] > 0  # the face looks along +x
    assert turn(0.0, 0.3)[1, 2] < 0  # and down


def test_too_few_points_with_depth_give_nothing():
    points = _mean_points() * UP
    points[:2, 2] = np.nan
    assert estimate_rotation(points) is None
    points = _mean_points() * UP
    points[4, 2] = np.nan
    assert estimate_rotation(points) is not None


def test_without_depth_or_landmarks_nothing_is_turned():
    maps = FaceMaps(np.ones((4, 4), bool), image=np.ones((4, 4), np.float32))
    assert face_the_front(maps, np.eye(3)) is maps


def mean_face(scale: float = 1.5) -> FaceMaps:
    with np.load(files("fr3d.photometric") / "assets" / "mean_face.npz") as stored:
        depth, normal = stored["depth"].astype(np.float32), stored["normal"].astype(np.float32)
        normal = np.moveaxis(normal, 0, -1)
        points = stored["landmarks"].astype(np.float32)
    mask = np.isfinite(depth) & ((normal**2).sum(axis=-1) > 0.5)
    maps = FaceMaps(mask, normal=normal, depth=np.where(mask, depth, np.nan), landmarks=points)
    return warp_maps(maps, resizing(scale), round(128 * scale))


@pytest.mark.parametrize(("yaw", "pitch"), [(-25, 0), (25, 8), (0, -15)])
def test_turned_heads_come_back_to_the_front(yaw: float, pitch: float):
    front = mean_face()
    about = np.array([*front.landmarks[2], depth_at(front, front.landmarks[2:3])[0]])
    turned = turn_maps(front, turn(*np.deg2rad([yaw, pitch])), about)
    expected = align_maps(front, CAPTURE).maps
    seen = align_maps(turned, CAPTURE)
    back = align_maps(turned, replace(CAPTURE, frontal=True))
    assert back.quality["face_yaw"] == pytest.approx(yaw, abs=1.5)
    assert back.quality["face_pitch"] == pytest.approx(pitch, abs=1.5)
    both = binary_erosion(back.maps.mask & expected.mask & seen.maps.mask, iterations=3)
    assert both.sum() > 3000
    errors = [
        np.median(angular_error(one.maps.normal, expected.normal)[both]) for one in (back, seen)
    ]
    assert errors[0] < 3.0
    assert errors[1] > 10.0


def test_a_face_without_depth_cannot_be_turned():
    face = mean_face()
    flat = FaceMaps(face.mask, normal=face.normal, landmarks=face.landmarks)
    with pytest.raises(NoFaceError, match="no depth"):
        align_maps(flat, replace(CAPTURE, frontal=True))
