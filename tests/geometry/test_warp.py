import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion
from surfaces import SIZE, angular_error, disc, face, height_and_normals

from fr3d.errors import MalformedInputError
from fr3d.geometry import resample
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth
from fr3d.geometry.resample import moved_origin, needed_window
from fr3d.geometry.similarity import compose, inverse, similarity, transform_points
from fr3d.geometry.warp import crop_maps, flip_maps, resize_maps, rotate_maps, warp_maps

MIDDLE = (47.5, 47.5)
degrees_ = st.floats(-180, 180)
scales_ = st.floats(0.6, 1.8)


def inner(mask, pixels=3):
    return binary_erosion(mask, iterations=pixels)


def analytic(matrix, shape, scale):
    """Depth and normals of the moved surface in closed form."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(float)
    places = transform_points(inverse(matrix), np.stack([columns, rows], axis=-1))
    z, normal = height_and_normals(places[..., 0], places[..., 1])
    turn = matrix[:, :2] / scale
    x, down = normal[..., 0], -normal[..., 1]
    moved = np.stack([turn[0, 0] * x + turn[0, 1] * down, turn[1, 0] * x + turn[1, 1] * down], -1)
    return scale * z, np.stack([moved[..., 0], -moved[..., 1], normal[..., 2]], axis=-1)


@settings(max_examples=15, deadline=None)
@given(degrees_, scales_, st.floats(-6, 6), st.floats(-6, 6))
def test_moved_maps_are_the_maps_of_the_moved_surface(degrees, scale, dx, dy):
    matrix = similarity(degrees, scale, (dx, dy), MIDDLE)
    moved = warp_maps(face(), matrix, SIZE)
    depth, normal = analytic(matrix, (SIZE, SIZE), scale)
    inside = inner(moved.mask)
    assert np.abs(moved.depth - depth)[inside].max() < 0.12
    assert angular_error(moved.normal, normal)[inside].max() < 1.5


@settings(max_examples=15, deadline=None)
@given(degrees_, scales_)
def test_normals_of_the_moved_depth_are_the_moved_normals(degrees, scale):
    moved = warp_maps(face(), similarity(degrees, scale, center=MIDDLE), SIZE)
    again = normals_from_depth(moved.depth, moved.mask)
    assert angular_error(again, moved.normal)[inner(moved.mask)].mean() < 1.0


def test_flip_commutes_with_normals_exactly():
    maps = face()
    flipped = flip_maps(maps)
    one = normals_from_depth(flipped.depth, flipped.mask)
    depth_normals = FaceMaps(maps.mask, normal=normals_from_depth(maps.depth, maps.mask))
    np.testing.assert_array_equal(one, flip_maps(depth_normals).normal)
    assert angular_error(one, flipped.normal)[inner(maps.mask)].max() < 1.0


def test_a_flip_is_the_warp_by_a_reflection():
    maps = face()
    reflection = np.array([[-1.0, 0, SIZE - 1], [0, 1, 0]])
    one, other = flip_maps(maps), warp_maps(maps, reflection, SIZE)
    np.testing.assert_array_equal(one.mask, other.mask)
    for name in one.present:
        np.testing.assert_allclose(one.present[name], other.present[name], atol=1e-5)
    np.testing.assert_allclose(one.landmarks, other.landmarks, atol=1e-5)
    assert one.landmarks[0, 0] < one.landmarks[1, 0]
    assert one.landmarks[3, 0] < one.landmarks[4, 0]


def test_flipping_twice_changes_nothing():
    maps, twice = face(), flip_maps(flip_maps(face()))
    for name in maps.present:
        np.testing.assert_array_equal(maps.present[name], twice.present[name])
    np.testing.assert_array_equal(maps.landmarks, twice.landmarks)


def test_the_identity_changes_nothing():
    maps = face()
    same = warp_maps(maps, similarity(), SIZE)
    for name in maps.present:
        np.testing.assert_allclose(same.present[name], maps.present[name], atol=1e-6)
    np.testing.assert_array_equal(same.mask, maps.mask)


@settings(max_examples=10, deadline=None)
@given(degrees_, st.floats(1.0, 1.6))
def test_there_and_back(degrees, scale):
    matrix = similarity(degrees, scale, center=(79.5, 79.5))
    matrix = compose(matrix, similarity(shift=(32, 32)))
    back = warp_maps(warp_maps(face(), matrix, 160), inverse(matrix), SIZE)
    inside = inner(back.mask & face().mask)
    assert np.abs(back.depth - face().depth)[inside].max() < 0.2
    assert np.abs(back.albedo - face().albedo)[inside].max() < 0.02
    assert angular_error(back.normal, face().normal)[inside].max() < 2.0
    np.testing.assert_allclose(back.landmarks, face().landmarks, atol=1e-3)


def test_a_quarter_turn_is_exact():
    turned = rotate_maps(face(), 90)
    np.testing.assert_allclose(turned.depth, np.rot90(face().depth), atol=1e-4)
    x, y, z = np.moveaxis(np.rot90(face().normal), -1, 0)
    # Counter-clockwise as one sees it: right goes up.
    np.testing.assert_allclose(turned.normal, np.stack([-y, x, z], -1), atol=1e-5)


@pytest.mark.parametrize("scale", [0.2, 0.37, 0.9, 1.0, 2.5])
def test_nothing_bleeds_over_the_border_of_the_mask(scale):
    mask = disc((SIZE, SIZE), radius=30)
    rubbish = np.where(mask, 3.0, 1e6).astype(np.float32)
    maps = FaceMaps(
        mask=mask,
        albedo=rubbish,
        confidence=np.where(mask, 1.0, np.nan).astype(np.float32),
        depth=np.where(mask, 7.0, np.nan).astype(np.float32),
        normal=np.where(mask[..., None], [0, 0, 1], 0).astype(np.float32),
    )
    moved = warp_maps(maps, similarity(33, scale, center=MIDDLE), SIZE)
    inside = moved.mask
    assert inside.sum() == pytest.approx(mask.sum() * scale**2, rel=0.06) or scale > 2
    np.testing.assert_allclose(moved.albedo[inside], 3.0, rtol=1e-4)
    np.testing.assert_allclose(moved.confidence[inside], 1.0, rtol=1e-5)
    np.testing.assert_allclose(moved.depth[inside], 7.0 * scale, rtol=1e-4)
    np.testing.assert_allclose(moved.normal[inside], [[0, 0, 1]] * inside.sum(), atol=1e-5)
    assert not moved.albedo[~inside].any()
    assert not moved.normal[~inside].any()
    assert np.isnan(moved.depth[~inside]).all()


def test_shrinking_averages_instead_of_skipping():
    noise = np.random.default_rng(0).random((SIZE, SIZE)).astype(np.float32)
    maps = FaceMaps(mask=np.ones((SIZE, SIZE), bool), image=noise)
    small = resize_maps(maps, 24).image[2:-2, 2:-2]
    # A mean of 16 pixels has a quarter of their deviation, interpolation of the nearest four half.
    assert small.std() < 0.3 * noise.std()
    assert small.mean() == pytest.approx(0.5, abs=0.02)


def test_depth_missing_inside_the_mask_stays_missing_or_is_filled_from_neighbours_only():
    maps = face()
    depth = maps.depth.copy()
    depth[40:60, 40:60] = np.nan
    moved = rotate_maps(FaceMaps(maps.mask, depth=depth), 10)
    assert np.isnan(moved.depth[50, 50])
    assert moved.mask[50, 50]


def test_the_photograph_outside_the_mask_is_kept():
    maps = face(radius=20)
    moved = rotate_maps(maps, 5)
    outside = ~moved.mask & disc(moved.mask.shape, radius=40)
    assert moved.image[outside].min() > 0.05


def test_colour_maps_keep_their_layers():
    maps = face()
    colour = np.stack([maps.albedo, 2 * maps.albedo, 3 * maps.albedo], axis=-1)
    moved = rotate_maps(FaceMaps(maps.mask, albedo=colour, image=colour), 20)
    np.testing.assert_allclose(moved.albedo[..., 1], 2 * moved.albedo[..., 0], rtol=1e-5)
    np.testing.assert_allclose(moved.image[..., 2], 3 * moved.image[..., 0], rtol=1e-5)


def test_cropping_moves_the_landmarks():
    cut = crop_maps(face(), 10, 20, 50, 60)
    assert cut.mask.shape == (50, 60)
    np.testing.assert_allclose(cut.landmarks, face().landmarks - [20, 10])
    np.testing.assert_array_equal(cut.normal, face().normal[10:60, 20:80])


def test_landmarks_move_with_the_picture():
    image = np.zeros((SIZE, SIZE), np.float32)
    image[30, 62] = 1
    points = np.full((5, 2), np.nan, np.float32)
    points[2] = (62, 30)
    maps = FaceMaps(np.ones_like(image, bool), image=image, landmarks=points)
    moved = warp_maps(maps, similarity(25, 1.0, (3, -2), MIDDLE), SIZE)
    row, column = np.unravel_index(np.argmax(moved.image), image.shape)
    assert np.hypot(*(moved.landmarks[2] - [column, row])) < 0.8
    assert np.isnan(moved.landmarks[0]).all()


@pytest.mark.parametrize(
    "linear", [[[1.2, 0.3], [-0.1, 0.9]], [[0.8, 0.0], [0.0, 1.25]], [[-1.0, 0.2], [0.1, 1.0]]]
)
def test_normals_of_a_sheared_depth_are_the_sheared_normals(linear):
    linear = np.array(linear)
    middle = np.array([47.5, 47.5])
    matrix = np.column_stack([linear, middle - linear @ middle])
    moved = warp_maps(face(), matrix, SIZE)
    mask = inner(moved.mask, 4)
    expected = normals_from_depth(moved.depth, moved.mask)
    assert mask.sum() > 3000
    error = angular_error(moved.normal, expected)[mask]
    assert np.median(error) < 1.0
    assert error.max() < 6.0


def test_a_map_that_cannot_be_undone_is_refused():
    with pytest.raises(MalformedInputError, match="cannot be undone"):
        warp_maps(face(), np.array([[1, 1, 0], [1, 1, 0.0]]), SIZE)


@pytest.mark.parametrize(
    "matrix", [similarity(20, 0.4, (9, 4)), similarity(-70, 2.5, (-27, -27), (47, 47))]
)
def test_the_window_holds_all_that_is_needed(matrix, monkeypatch):
    """Drawing from the window is drawing from the whole."""
    from_window = warp_maps(face(), matrix, 40)
    rows, columns = needed_window(matrix, (40, 40), (SIZE, SIZE))
    monkeypatch.setattr(
        resample, "needed_window", lambda _, __, shape: (slice(0, shape[0]), slice(0, shape[1]))
    )
    from_whole = warp_maps(face(), matrix, 40)
    assert from_window.mask.any()
    np.testing.assert_array_equal(from_window.mask, from_whole.mask)
    for name, values in from_whole.present.items():
        np.testing.assert_allclose(from_window.present[name], values, atol=2e-5)
    # cut by hand, as readers of large photographs do
    cut = crop_maps(
        face(), rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start
    )
    by_hand = warp_maps(cut, moved_origin(matrix, rows.start, columns.start), 40)
    np.testing.assert_allclose(by_hand.image, from_whole.image, atol=2e-5)


def test_a_frame_far_outside_shows_nothing():
    moved = warp_maps(face(), similarity(0, 1.0, (5000, 0)), 40)
    assert not moved.mask.any()
    assert not moved.image.any()


def test_maps_of_different_sizes_are_refused():
    with pytest.raises(MalformedInputError, match="depth"):
        FaceMaps(np.ones((4, 4), bool), depth=np.ones((4, 5), np.float32))
