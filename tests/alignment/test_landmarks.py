import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.alignment.landmarks import NoFaceError, is_known, ordered
from fr3d.alignment.templates import template_points
from fr3d.errors import UsageError
from fr3d.geometry.similarity import similarity, transform_points

FACE = template_points("arcface112", 112)


@settings(max_examples=40, deadline=None)
@given(st.floats(-180, 180), st.floats(0.2, 8), st.booleans(), st.booleans())
def test_the_order_is_set_right_at_any_roll(degrees, scale, swap_eyes, swap_mouth):
    truth = transform_points(similarity(degrees, scale, (300, 200)), FACE)
    given_points = truth.copy()
    if swap_eyes:
        given_points[[0, 1]] = given_points[[1, 0]]
    if swap_mouth:
        given_points[[3, 4]] = given_points[[4, 3]]
    np.testing.assert_array_equal(ordered(given_points), truth)


def test_a_missing_corner_or_nose_is_allowed():
    points = FACE.copy()
    points[[2, 3]] = np.nan
    np.testing.assert_array_equal(ordered(points), points)


@pytest.mark.parametrize("missing", [[0], [1], [2, 3, 4], [0, 1, 2, 3, 4]])
def test_too_few_points(missing):
    points = FACE.copy()
    points[missing] = np.nan
    assert not is_known(points)
    with pytest.raises(NoFaceError, match="landmarks known"):
        ordered(points)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({0: (50, 50), 1: (52, 50)}, "2.0 pixels apart"),
        ({3: (41, 56), 4: (70, 56)}, "eye distances"),
        ({2: (56, 10)}, "nose tip"),
        ({2: (56, 110)}, "nose tip"),
    ],
)
def test_points_that_no_face_has(change, reason):
    points = FACE.copy()
    for index, place in change.items():
        points[index] = place
    with pytest.raises(NoFaceError, match=reason):
        ordered(points)


def test_template_scales_with_the_frame():
    np.testing.assert_allclose(template_points("arcface112", 224), 2 * FACE)
    assert FACE[0, 0] < FACE[1, 0]
    with pytest.raises(UsageError, match="no template 'dlib'"):
        template_points("dlib", 112)
