import cv2
import numpy as np
import pytest
from drawn_faces import FACE

from fr3d.alignment.window import (
    AROUND_BOX,
    Window,
    cut,
    face_frame,
    window_of_box,
    window_of_picture,
    window_of_points,
)
from fr3d.geometry.similarity import similarity, transform_points


def centre_of_light(view):
    """The brightness-weighted mean place in a view (S, S, 3)."""
    light = view[..., 0].astype(np.float64)
    rows, columns = np.mgrid[: view.shape[0], : view.shape[1]]
    return np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()


@pytest.mark.parametrize("side", [40.0, 90.0, 700.0])
@pytest.mark.parametrize("degrees", [0.0, 25.0, -70.0])
def test_a_drawn_dot_lands_where_the_matrix_says(side, degrees):
    picture = np.zeros((300, 400, 3), np.uint8)
    cv2.circle(picture, (150, 120), 9, (255, 255, 255), -1)
    window = Window(np.array([156.0, 112.0]), side, degrees)
    matrix = window.matrix(64)
    expected = transform_points(matrix, np.array([150.0, 120.0]))
    view = cut(picture, matrix, 64)
    assert view.shape == (64, 64, 3)
    assert np.allclose(centre_of_light(view), expected, atol=0.15)


def test_a_whole_picture_fills_its_window():
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(cut(picture, window_of_picture(picture).matrix(32), 32), picture)


def test_strong_shrinking_takes_means_not_samples():
    """A fine chequerboard becomes even grey."""
    picture = (255 * (np.indices((512, 512)).sum(axis=0) % 2)).astype(np.uint8)
    picture = np.repeat(picture[..., None], 3, axis=2)
    view = cut(picture, Window(np.array([250.0, 250.0]), 400.0, 10.0).matrix(32), 32)
    assert view.std() < 6
    assert abs(view.mean() - 127.5) < 3


def test_what_lies_beyond_the_edge_repeats_it():
    picture = np.full((20, 20, 3), 77, np.uint8)
    far = Window(np.array([500.0, -900.0]), 30.0)
    assert (cut(picture, far.matrix(16), 16) == 77).all()


@pytest.mark.parametrize("degrees", [0.0, 30.0, -45.0, 100.0])
def test_the_frame_of_a_face_follows_it(degrees):
    turned = transform_points(similarity(degrees, 20.0, (60.0, 50.0)), FACE)
    frame = face_frame(turned)
    assert frame.degrees == pytest.approx(degrees)
    # Eyes to mouth, 2.1, is the larger distance.
    assert frame.size == pytest.approx(42.0)
    assert np.allclose(frame.centre, turned[[0, 1, 3, 4]].mean(axis=0))
    upright = transform_points(window_of_points(turned).matrix(128), turned)
    assert upright[0, 1] == pytest.approx(upright[1, 1])
    assert upright[0, 0] < upright[1, 0]
    assert upright[0, 1] < upright[3, 1]


def test_the_window_of_a_box_is_a_square_around_its_middle():
    window = window_of_box(np.array([10, 20, 50, 80]))
    assert window.side == AROUND_BOX * 60
    assert window.centre.tolist() == [30, 50]
