import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from surfaces import angular_error, face

from fr3d.geometry.depth import depth_at
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth
from fr3d.geometry.reproject import turn_maps, turn_points


def turn(yaw: float, pitch: float = 0.0) -> np.ndarray:
    y, p = np.deg2rad([yaw, pitch])
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    return np.array(about_y) @ np.array(about_x)


def ball(size: int = 120, radius: float = 45.0) -> FaceMaps:
    """A ball whose albedo tells where on it one is, in its own frame."""
    rows, columns = np.mgrid[0:size, 0:size]
    x, y = columns - 59.5, 59.5 - rows
    mask = np.hypot(x, y) < 0.95 * radius
    z = np.sqrt(np.maximum(radius**2 - x**2 - y**2, 0))
    normal = np.stack([x, y, z], axis=-1) / radius
    return FaceMaps(
        mask,
        normal=np.where(mask[..., None], normal, 0).astype(np.float32),
        albedo=np.where(mask[..., None], normal, 0).astype(np.float32),
        depth=np.where(mask, z, np.nan).astype(np.float32),
        landmarks=np.array([[45, 45], [74, 45], [59.5, 59.5], [50, 75], [70, 75]], np.float32),
    )


CENTRE = np.array([59.5, 59.5, 0.0])


@pytest.mark.parametrize(("yaw", "pitch"), [(25, 0), (-30, 10), (0, 20)])
def test_a_turned_ball_is_a_ball_whose_paint_has_moved(yaw: float, pitch: float):
    before, rotation = ball(), turn(yaw, pitch)
    after = turn_maps(before, rotation, CENTRE)
    inside = binary_erosion(after.mask & before.mask, iterations=4)
    assert inside.sum() > 3000
    np.testing.assert_allclose(after.depth[inside], before.depth[inside], atol=0.25)
    assert angular_error(after.normal, before.normal)[inside].mean() < 0.5
    # the paint says where a point was before it was turned
    expected = before.normal @ rotation
    assert angular_error(after.albedo, expected)[inside].mean() < 1.0


def test_turned_normals_are_those_of_the_turned_depth():
    """On a free form, without a formula for the turned surface."""
    maps = face()
    after = turn_maps(maps, turn(12, -8), np.array([47.5, 47.5, 5.0]))
    inside = binary_erosion(after.mask, iterations=4)
    expected = normals_from_depth(after.depth, after.mask)
    assert inside.sum() > 2500
    assert np.median(angular_error(after.normal, expected)[inside]) < 1.0


def test_landmarks_turn_with_the_surface():
    before = ball()
    after = turn_maps(before, turn(20), CENTRE)
    heights = depth_at(before, before.landmarks)
    points = np.column_stack([before.landmarks, heights])
    expected = turn_points(points, turn(20), CENTRE)[:, :2]
    np.testing.assert_allclose(after.landmarks, expected, atol=1e-4)
    assert after.landmarks[2, 0] > before.landmarks[2, 0] + 10  # to the image's right


def test_what_was_hidden_is_masked():
    """Turning to the right uncovers the left flank of a block, of which nothing is known."""
    depth = np.zeros((60, 60), np.float32)
    depth[:, 30:45] = 12
    maps = FaceMaps(np.ones((60, 60), bool), depth=depth)
    after = turn_maps(maps, turn(35), np.array([30.0, 30.0, 0.0]))
    row = after.mask[30, 10:50]
    assert row.any()
    assert not row.all()
    assert np.isnan(after.depth[~after.mask]).all()


def test_nothing_known_stays_as_it_is():
    flat = FaceMaps(np.ones((8, 8), bool), image=np.ones((8, 8), np.float32))
    assert turn_maps(flat, turn(20), CENTRE) is flat
    nothing = FaceMaps(np.zeros((8, 8), bool), depth=np.full((8, 8), np.nan, np.float32))
    assert turn_maps(nothing, turn(20), CENTRE) is nothing
    assert np.isnan(depth_at(nothing, np.array([[3, 3], [np.nan, 2], [-50, 3]]))).all()


def test_pinholes_of_the_depth_do_not_show_in_the_photograph():
    rows, columns = np.mgrid[0:60, 0:60]
    depth = (0.1 * columns).astype(np.float32)
    mask = np.ones((60, 60), bool)
    mask[20:22, 30:32] = False
    mask[40:52, 10:22] = False
    image = (0.5 + 0.004 * rows).astype(np.float32)
    maps = FaceMaps(mask, depth=np.where(mask, depth, np.nan), image=image)
    after = turn_maps(maps, turn(4), np.array([30.0, 30.0, 3.0]))
    assert not after.mask[20:22, 30:32].all()
    assert after.image[18:24, 28:34].min() > 0.5
    assert after.image[45, 16] == 0  # a hole that is none of the sensor's
    colour = FaceMaps(mask, depth=maps.depth, image=np.repeat(image[..., None], 3, axis=2))
    coloured = turn_maps(colour, turn(4), np.array([30.0, 30.0, 3.0]))
    np.testing.assert_allclose(coloured.image[..., 1], after.image, atol=1e-6)
