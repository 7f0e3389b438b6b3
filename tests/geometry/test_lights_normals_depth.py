import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surfaces import angular_error, disc, face

from fr3d.geometry.depth import rezero_depth
from fr3d.geometry.lights import angles, direction
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth, unit


@pytest.mark.parametrize(
    ("zenith", "azimuth", "expected"),
    [(0, 77, (0, 0, 1)), (90, 0, (0, 1, 0)), (90, 90, (1, 0, 0)), (90, 180, (0, -1, 0))],
)
def test_light_directions(zenith, azimuth, expected):
    np.testing.assert_allclose(direction(zenith, azimuth), expected, atol=1e-12)


def test_a_light_at_the_upper_right_of_the_photoface_rig():
    x, y, z = direction(36, 47)
    assert x > 0
    assert y > 0
    assert z == pytest.approx(np.cos(np.deg2rad(36)))


@settings(max_examples=50, deadline=None)
@given(st.floats(1, 179), st.floats(0, 359))
def test_angles_come_back(zenith, azimuth):
    found = angles(3.0 * direction(zenith, azimuth))
    np.testing.assert_allclose(found, (zenith, azimuth), atol=1e-6)


def test_normals_of_a_plane_are_exact_up_to_the_border():
    rows, columns = np.mgrid[0:30, 0:40].astype(float)
    mask = disc((30, 40), (20, 15), 11.5)
    depth = np.where(mask, 0.5 * columns - 0.25 * rows, np.nan)
    normal = normals_from_depth(depth, mask)
    # Rises to the right by 0.5 and upwards by 0.25.
    expected = unit(np.array([-0.5, -0.25, 1.0]))
    np.testing.assert_allclose(normal[mask], np.tile(expected, (mask.sum(), 1)), atol=1e-6)
    assert not normal[~mask].any()


def test_normals_of_a_sphere():
    rows, columns = np.mgrid[0:201, 0:201].astype(float)
    x, y = columns - 100, 100 - rows
    mask = np.hypot(x, y) < 80
    z = np.sqrt(np.maximum(100.0**2 - x**2 - y**2, 0))
    truth = np.stack([x, y, z], -1) / 100
    error = angular_error(normals_from_depth(z, mask), truth)
    assert error[mask].mean() < 0.2


def test_a_lonely_pixel_counts_as_flat():
    mask = np.zeros((5, 5), bool)
    mask[2, 2] = True
    np.testing.assert_array_equal(normals_from_depth(np.ones((5, 5)), mask)[2, 2], [0, 0, 1])


def test_unit_leaves_zero_alone():
    np.testing.assert_array_equal(unit(np.zeros((2, 3))), np.zeros((2, 3)))


def test_depth_is_zero_at_the_nose():
    maps = rezero_depth(face())
    patch = maps.depth[50:55, 45:50]
    assert np.median(patch) == 0
    np.testing.assert_allclose(
        maps.depth[40, 40] - maps.depth[60, 50],
        face().depth[40, 40] - face().depth[60, 50],
        rtol=1e-5,
    )


def test_depth_is_zero_at_the_middle_of_the_mask_without_landmarks():
    maps = face()
    plain = rezero_depth(FaceMaps(maps.mask, depth=maps.depth))
    assert abs(np.median(plain.depth[46:51, 46:51])) < 0.05


def test_a_nose_outside_the_mask_takes_the_nearest_depth():
    maps = face()
    points = maps.landmarks.copy()
    points[2] = (2, 2)
    plain = rezero_depth(FaceMaps(maps.mask, depth=maps.depth, landmarks=points))
    rows, columns = np.nonzero(maps.mask)
    nearest = np.argmin(np.hypot(rows - 2, columns - 2))
    assert plain.depth[rows[nearest], columns[nearest]] == 0


def test_depth_that_is_nowhere_known_stays():
    empty = FaceMaps(np.ones((4, 4), bool), depth=np.full((4, 4), np.nan, np.float32))
    assert np.isnan(rezero_depth(empty).depth).all()
