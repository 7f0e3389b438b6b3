"""A captured session: landmarks on the face, photographs that give the true normals back."""

import numpy as np
import pytest

from fr3d.geometry.normals import normals_from_depth, unit
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.rig import EXPOSURE, expose, sample_lights
from fr3d.synthesis.scene import capture
from fr3d.synthesis.truth import five_points

SIZE = 128


@pytest.fixture(scope="module")
def sessions():
    head = load_heads()
    return [capture(sample_identity(0, n, head), 0, n, 0, SIZE) for n in range(4)]


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.rad2deg(np.arccos(np.clip((a * b).sum(axis=-1), -1, 1)))


def test_landmarks_lie_on_the_face_in_photofaces_order(sessions) -> None:
    for session in sessions:
        points = session.landmarks
        column, row = np.rint(points).astype(int).T
        assert session.view.mask[row, column].all()
        left_eye, right_eye, nose, left_mouth, right_mouth = five_points(points)
        assert left_eye[0] < nose[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert left_eye[1] < nose[1] < left_mouth[1] < points[10, 1]
        assert points[0, 0] < points[1, 0] < points[2, 0] < points[3, 0] < points[4, 0]
        assert points[5, 0] < points[6, 0] < points[7, 0]
        depth = session.view.depth[row, column]
        assert depth[6] == depth.max()
        assert 25 < right_eye[0] - left_eye[0] < 50


def test_eyes_are_where_the_iris_is(sessions) -> None:
    """Between the corners of each eye lies the darkest reflectance of the eye's surroundings."""
    for session in sessions:
        for x, y in five_points(session.landmarks)[:2]:
            row, column = np.rint([y, x]).astype(int)
            patch = session.view.albedo[row - 3 : row + 4, column - 4 : column + 5]
            assert patch.min() < 0.5 * session.view.albedo[row + 12, column]


def test_true_normals_agree_with_true_depth(sessions) -> None:
    for session in sessions:
        view = session.view
        inner = view.mask.copy()
        inner[1:-1, 1:-1] &= view.mask[:-2, 1:-1] & view.mask[2:, 1:-1]
        inner[1:-1, 1:-1] &= view.mask[1:-1, :-2] & view.mask[1:-1, 2:]
        facing = inner & (view.normal[..., 2] > 0.7)
        error = degrees(normals_from_depth(view.depth, view.mask), view.normal)[facing]
        assert np.median(error) < 1.0
        assert np.allclose(np.linalg.norm(view.normal[view.mask], axis=1), 1, atol=1e-6)


def test_least_squares_on_the_photographs_gives_the_normals_back(sessions) -> None:
    """Where no light is in shadow the photographs are Lambert's, in the file's convention."""
    for session in sessions:
        lights = session.lights.directions
        clear = session.view.mask & (session.view.lit == 1).all(axis=0)
        clear &= session.images.max(axis=0) < 255
        clear &= session.images.min(axis=0) > 15
        assert clear.sum() > 300
        scaled = session.images[:, clear].T.astype(float) @ np.linalg.pinv(lights).T
        assert np.median(degrees(unit(scaled), session.view.normal[clear])) < 2.0
        ratio = np.linalg.norm(scaled, axis=1) / (EXPOSURE * session.view.albedo[clear])
        assert np.median(ratio) == pytest.approx(1.0, abs=0.15)


def test_there_are_cast_shadows_beside_the_attached_ones(sessions) -> None:
    for session in sessions:
        cosine = np.einsum("hwc,lc->lhw", session.view.normal, session.lights.directions)
        cast = (session.view.lit < 0.01) & (cosine > 0.1) & session.view.mask
        assert 0.005 < cast.mean() / session.view.mask.mean() < 0.2


def test_sessions_of_a_person_differ_but_the_person_does_not() -> None:
    identity = sample_identity(0, 1, load_heads())
    first, again, second = (capture(identity, 0, 1, number, 64) for number in (0, 0, 1))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, second.images)
    assert first.lights.zenith.tolist() != second.lights.zenith.tolist()


def test_the_sensor_is_linear_and_its_noise_grows_with_light() -> None:
    rng = np.random.default_rng(0)
    dark, bright = (expose(np.full((200, 200), v), rng, 1.0).astype(float) for v in (0.05, 0.5))
    assert dark.mean() == pytest.approx(0.05 * EXPOSURE, abs=0.1)
    assert bright.mean() == pytest.approx(0.5 * EXPOSURE, abs=0.1)
    assert bright.std() > 1.5 * dark.std() > 0.3
    assert expose(np.full((9, 9), 5.0), rng, 1.0).min() == 255


def test_lights_stand_where_photofaces_stood() -> None:
    lights = sample_lights(np.random.default_rng(0))
    assert np.allclose(lights.zenith, [36, 42, 40, 36], atol=3.1)
    assert np.allclose(lights.azimuth, [134, 47, 313, 233], atol=3.1)
    assert np.array_equal(lights.zenith, np.round(lights.zenith, 1))
    assert np.linalg.cond(lights.directions) < 3
