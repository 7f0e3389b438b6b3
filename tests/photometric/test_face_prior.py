"""The mean face laid over landmarks: against the general warp, and against synthetic truth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.errors import MalformedInputError
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.similarity import similarity, transform_points
from fr3d.geometry.warp import flip_maps, warp_maps
from fr3d.photometric.face_prior import (
    ASSET,
    expected_face,
    landmark_problem,
    mean_face_normals,
    place_mean_face,
)


def template() -> np.ndarray:
    with np.load(ASSET) as stored:
        return stored["landmarks"]


FACE = transform_points(similarity(0.0, 1.4, (10.0, 6.0)), template())


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.rad2deg(np.arccos(np.clip((a * b).sum(axis=0), -1, 1)))


def as_maps(landmarks: np.ndarray, height: int, width: int) -> FaceMaps:
    face = place_mean_face(landmarks, height, width)
    normal = np.moveaxis(face.normal, 0, -1)
    return FaceMaps(face.weight > 0, normal, face.albedo, face.depth, landmarks=landmarks)


def test_it_looks_like_a_face() -> None:
    normal, weight = mean_face_normals(FACE, 200, 200)
    assert normal.shape == (3, 200, 200)
    assert normal.dtype == weight.dtype == np.float32
    inside = weight > 0
    assert np.abs(np.linalg.norm(normal[:, inside], axis=0) - 1).max() < 1e-5
    assert (normal[:, ~inside] == 0).all()
    assert weight.min() >= 0
    assert 0.8 < weight.max() <= 1
    nose = np.rint(FACE[2]).astype(int)
    left, right = (normal[:, nose[1] - 8, nose[0] + dx] for dx in (-10, 10))
    assert left[0] < -0.3 < 0.3 < right[0]  # the flanks of the nose
    brow = FACE[:2].mean(axis=0) - [0, 35]
    assert normal[2, int(brow[1]), int(brow[0])] > 0.9
    chin = FACE[3:].mean(axis=0) + np.array([0, 18])
    assert normal[1, int(chin[1]), int(chin[0])] < -0.05  # below the lip it looks down


@settings(max_examples=15, deadline=None)
@given(turn=st.floats(-40, 40), scale=st.floats(0.6, 1.3), x=st.floats(-6, 6), y=st.floats(-6, 6))
def test_it_moves_with_its_landmarks_as_all_maps_do(
    turn: float, scale: float, x: float, y: float
) -> None:
    matrix = similarity(turn, scale, (x, y), (100, 100))
    moved = as_maps(transform_points(matrix, FACE), 200, 200)
    oracle = warp_maps(as_maps(FACE, 200, 200), matrix, 200)
    both = moved.mask & oracle.mask
    both[:2] = both[-2:] = both[:, :2] = both[:, -2:] = False
    assert both.mean() > 0.08
    assert moved.normal is not None
    assert oracle.normal is not None
    apart = degrees(np.moveaxis(moved.normal, -1, 0), np.moveaxis(oracle.normal, -1, 0))[both]
    assert np.median(apart) < 1
    assert np.percentile(apart, 98) < 8
    assert moved.depth is not None
    assert oracle.depth is not None
    assert np.nanmedian(np.abs(moved.depth - oracle.depth)[both]) < 0.4


def test_the_expected_face_is_dark_at_the_eyes_and_has_the_same_normals() -> None:
    normal, weight = mean_face_normals(FACE, 200, 200)
    expected, same = expected_face(FACE, 200, 200)
    np.testing.assert_array_equal(weight, same)
    albedo = np.linalg.norm(expected, axis=0)
    assert (albedo[weight == 0] == 0).all()
    np.testing.assert_allclose(normal * albedo, expected, atol=1e-5)
    eye, cheek = np.rint(FACE[0]).astype(int), np.rint(FACE[0] + [0, 25]).astype(int)
    assert albedo[eye[1], eye[0]] < 0.6 < 0.85 * albedo[cheek[1], cheek[0]]


def test_the_mean_face_is_symmetric() -> None:
    centred = FACE - FACE[:2].mean(axis=0) + [99.5, 80]
    face = as_maps(centred, 200, 200)
    mirrored = flip_maps(face)
    assert face.normal is not None
    assert mirrored.normal is not None
    assert np.abs(face.normal - mirrored.normal).max() < 2e-2


@settings(max_examples=30, deadline=None)
@given(missing=st.sets(st.integers(2, 4), max_size=2))
def test_unknown_points_change_little(missing: set[int]) -> None:
    points = FACE.copy()
    points[list(missing)] = np.nan
    assert not landmark_problem(points, 200, 200)
    whole, weight = mean_face_normals(FACE, 200, 200)
    part, _ = mean_face_normals(points, 200, 200)
    assert np.median(degrees(whole, part)[weight > 0.3]) < 0.1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p[[1, 0, 2, 3, 4]], "placed"),
        (lambda p: p[[1, 0, 2, 4, 3]], "placed"),
        (lambda p: p * [1, -1] + [0, 199], "turned"),
        (lambda p: np.where([[True], [False], [False], [False], [False]], np.nan, p), "4 of 5"),
        (lambda p: np.where([[False], [False], [True], [True], [True]], np.nan, p), "2 of 5"),
        (lambda p: np.full((5, 2), np.nan), "0 of 5"),
        (lambda p: p - [80, 0], "outside"),
        (lambda p: 100 + (p - 100) * 0.1, "apart"),
        (lambda p: np.tile(p[:1], (5, 1)), "apart"),
        (lambda p: np.concatenate([p[:3], p[3:] + np.array([0, 60])]), "placed"),
    ],
)
def test_landmarks_of_no_face_are_told(change, reason: str) -> None:
    assert reason in landmark_problem(change(FACE), 200, 200)
    with pytest.raises(MalformedInputError, match="landmarks"):
        mean_face_normals(change(FACE), 200, 200)


def test_it_lies_close_to_a_synthetic_face_it_was_not_made_of() -> None:
    from fr3d.synthesis.appearance import Variety
    from fr3d.synthesis.assets import load_heads
    from fr3d.synthesis.identity import sample_identity
    from fr3d.synthesis.pose import Pose
    from fr3d.synthesis.scene import capture
    from fr3d.synthesis.studio import Studio
    from fr3d.synthesis.truth import five_points

    studio = Studio(128, variety=Variety(spectacles=0.0, beards=0.0, turned=0.0))
    apart, tilted = [], []
    for person in range(3):
        session = capture(sample_identity(7, person, load_heads()), 7, person, 0, studio)
        landmarks = five_points(session.landmarks)
        normal, weight = mean_face_normals(landmarks, 128, 128)
        truth = np.moveaxis(session.normal, -1, 0)
        sure = (weight > 0.5) & session.mask
        assert sure.mean() > 0.15
        apart.append(np.mean(degrees(normal, truth)[sure]))
        flat = np.zeros_like(normal)
        flat[2] = 1
        tilted.append(np.mean(degrees(flat, truth)[sure]))
        assert replace(session.shot.appearance.pose, roll=0) != Pose(0, 0, 0)
    assert np.mean(apart) < 14
    assert np.mean(apart) < 0.5 * np.mean(tilted)
