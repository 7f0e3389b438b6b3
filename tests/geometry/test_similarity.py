import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.errors import MalformedInputError
from fr3d.geometry.similarity import (
    centre_fit,
    compose,
    estimate_similarity,
    inverse,
    resizing,
    scale_of,
    similarity,
    transform_points,
)

POINTS = np.array([[38.0, 51], [73, 50], [56, 71], [41, 92], [70, 93]])


@settings(max_examples=50, deadline=None)
@given(st.floats(-180, 180), st.floats(0.1, 10), st.floats(-99, 99), st.floats(-99, 99))
def test_a_known_similarity_is_found_again(degrees, scale, dx, dy):
    truth = similarity(degrees, scale, (dx, dy), (20, 30))
    found = estimate_similarity(POINTS, transform_points(truth, POINTS))
    np.testing.assert_allclose(found, truth, atol=1e-8)
    assert scale_of(found) == pytest.approx(scale)


def test_no_other_similarity_is_closer():
    rng = np.random.default_rng(0)
    target = transform_points(similarity(12, 1.3, (5, 2)), POINTS) + rng.normal(0, 2, (5, 2))
    found = estimate_similarity(POINTS, target)

    def error(matrix):
        return np.square(transform_points(matrix, POINTS) - target).sum()

    for k in range(200):
        step = similarity(*rng.normal([0, 1], 0.01), tuple(rng.normal(0, 0.2, 2)))
        assert error(compose(step, found)) >= error(found), k


def test_unknown_points_are_left_out():
    truth = similarity(30, 2, (1, 2))
    points = POINTS.copy()
    points[[1, 3]] = np.nan
    found = estimate_similarity(points, transform_points(truth, POINTS))
    np.testing.assert_allclose(found, truth, atol=1e-9)


@pytest.mark.parametrize("points", [np.full((5, 2), np.nan), np.ones((5, 2))])
def test_too_few_points_are_refused(points):
    with pytest.raises(MalformedInputError, match="known points"):
        estimate_similarity(points, POINTS)


def test_positive_degrees_turn_right_to_up():
    np.testing.assert_allclose(transform_points(similarity(90), [1.0, 0.0]), [0, -1], atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.floats(-180, 180), st.floats(0.2, 5))
def test_inverse_and_composition(degrees, scale):
    matrix = similarity(degrees, scale, (3, 4), (10, 20))
    np.testing.assert_allclose(compose(inverse(matrix), matrix), similarity(), atol=1e-9)
    twice = transform_points(matrix, transform_points(matrix, POINTS))
    np.testing.assert_allclose(transform_points(compose(matrix, matrix), POINTS), twice)


def test_resizing_keeps_pixel_edges():
    edges = np.array([[-0.5, -0.5], [9.5, 19.5]])
    np.testing.assert_allclose(transform_points(resizing(2.0), edges), [[-0.5, -0.5], [19.5, 39.5]])


def test_a_tall_image_fits_with_equal_margins():
    corners = np.array([[-0.5, -0.5], [167.5, 191.5]])
    fitted = transform_points(centre_fit(192, 168, 112), corners)
    np.testing.assert_allclose(fitted, [[6.5, -0.5], [104.5, 111.5]])
