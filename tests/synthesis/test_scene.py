"""A captured session: landmarks on the face, photographs that give the true normals back."""

from dataclasses import replace

import numpy as np
import pytest

from fr3d.geometry.normals import normals_from_depth, unit
from fr3d.synthesis.appearance import Variety
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.engine import engine_for
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.rig import Rig
from fr3d.synthesis.scene import capture, photograph
from fr3d.synthesis.sensor import EXPOSURE, Sensor
from fr3d.synthesis.studio import Studio, draw
from fr3d.synthesis.truth import five_points

SIZE = 128
PLAIN = Variety(spectacles=0.0, beards=0.0, turned=0.0)
CLEAN = Sensor(ambient=0.0, vignetting=0.0)
STILL = Studio(SIZE, sensor=CLEAN, variety=PLAIN, movement=0.0)


@pytest.fixture(scope="module")
def sessions():
    head = load_heads()
    return [capture(sample_identity(0, n, head, PLAIN.habits), 0, n, 0, STILL) for n in range(4)]


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.rad2deg(np.arccos(np.clip((a * b).sum(axis=-1), -1, 1)))


def test_landmarks_lie_on_the_face_in_photofaces_order(sessions) -> None:
    for session in sessions:
        points = session.landmarks
        column, row = np.rint(points).astype(int).T
        assert session.mask[row, column].all()
        left_eye, right_eye, nose, left_mouth, right_mouth = five_points(points)
        assert left_eye[0] < nose[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert left_eye[1] < nose[1] < left_mouth[1] < points[10, 1]
        assert points[0, 0] < points[1, 0] < points[2, 0] < points[3, 0] < points[4, 0]
        assert points[5, 0] < points[6, 0] < points[7, 0]
        depth = session.depth[row, column]
        assert depth[6] >= depth.max() - 0.5
        assert 25 < right_eye[0] - left_eye[0] < 50


def test_eyes_are_where_the_iris_is(sessions) -> None:
    """Between the corners of each eye lies the darkest reflectance of the eye's surroundings."""
    for session in sessions:
        for x, y in five_points(session.landmarks)[:2]:
            row, column = np.rint([y, x]).astype(int)
            patch = session.albedo[row - 3 : row + 4, column - 4 : column + 5]
            assert patch.min() < 0.5 * session.albedo[row + 12, column]


def test_true_normals_agree_with_true_depth(sessions) -> None:
    """Of all that is seen, also where hair is too rough for the pixels of a small picture."""
    errors = []
    for session in sessions:
        view = session
        inner = view.mask.copy()
        inner[1:-1, 1:-1] &= view.mask[:-2, 1:-1] & view.mask[2:, 1:-1]
        inner[1:-1, 1:-1] &= view.mask[1:-1, :-2] & view.mask[1:-1, 2:]
        error = degrees(normals_from_depth(view.depth, view.mask), view.normal)
        errors.append(error[inner & (view.normal[..., 2] > 0.7)])
        (left, top), (right, bottom) = session.landmarks[[0, 9]].astype(int)
        assert np.median(error[top:bottom, left:right]) < 1.5
        assert np.allclose(np.linalg.norm(view.normal[view.mask], axis=1), 1, atol=1e-6)
    assert np.median(np.concatenate(errors)) < 0.8


def test_least_squares_on_the_photographs_gives_the_normals_back() -> None:
    """Where no light is in shadow, dry skin is Lambert's, in the file's convention."""
    head = load_heads()
    people = [sample_identity(0, n, head) for n in range(4)]
    dry = [replace(p, complexion=replace(p.complexion, gloss=0.0)) for p in people]
    for session in (capture(person, 0, n, 0, STILL) for n, person in enumerate(dry)):
        lights = session.lights.directions
        clear = session.mask & (session.lit == 1).all(axis=0)
        clear &= session.images.max(axis=0) < 255
        clear &= session.images.min(axis=0) > 15
        assert clear.sum() > 300
        scaled = session.images[:, clear].T.astype(float) @ np.linalg.pinv(lights).T
        assert np.median(degrees(unit(scaled), session.normal[clear])) < 2.0
        ratio = np.linalg.norm(scaled, axis=1) / (EXPOSURE * session.albedo[clear])
        assert np.median(ratio) == pytest.approx(1.0, abs=0.15)


def test_there_are_cast_shadows_beside_the_attached_ones(sessions) -> None:
    for session in sessions:
        cosine = np.einsum("hwc,lc->lhw", session.normal, session.lights.directions)
        cast = (session.lit < 0.01) & (cosine > 0.1) & session.mask
        assert 0.005 < cast.mean() / session.mask.mean() < 0.2


def test_sessions_of_a_person_differ_but_the_person_does_not() -> None:
    identity = sample_identity(0, 1, load_heads())
    first, again, second = (capture(identity, 0, 1, number, Studio(64)) for number in (0, 0, 1))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, second.images)
    assert first.lights.zenith.tolist() != second.lights.zenith.tolist()


def test_photographs_move_as_the_truth_says() -> None:
    """A moved photograph is the still one, displaced; between samples it is a mixture."""
    quiet = Sensor(noise=0.0, ambient=0.0, vignetting=0.0, bits=16)
    studio = Studio(SIZE, sensor=quiet, variety=PLAIN, movement=8.0)
    shot = draw(sample_identity(0, 2, load_heads()), 0, 2, 0, studio)
    pixels = np.array([[3, -2], [0, 5], [-7, 1], [4, -4]])

    def photographed(samples: np.ndarray) -> np.ndarray:
        (session,) = photograph(engine_for("cpu"), [replace(shot, shift=samples)], studio)
        assert np.allclose(session.shift * 2, samples)
        return session.images[:, 20:-20, 20:-20].astype(int)

    (still,) = photograph(engine_for("cpu"), [replace(shot, shift=0.0 * pixels)], studio)
    moved = photographed(2.0 * pixels)
    for before, after, (x, y) in zip(still.images, moved, pixels, strict=True):
        assert np.array_equal(np.roll(before, (y, x), axis=(0, 1))[20:-20, 20:-20], after)
    next_to, between = photographed(2.0 * pixels + [1, 0]), photographed(2.0 * pixels + [0.25, 0])
    whole = np.maximum(moved, next_to) < 65535
    assert np.abs(between - (0.75 * moved + 0.25 * next_to))[whole].max() <= 1


@pytest.mark.parametrize("number", range(6))
def test_the_mean_of_the_movements_is_nothing(number: int) -> None:
    rig = Rig("ring", lights=5)
    shot = draw(sample_identity(1, 0, load_heads()), 1, 0, number, Studio(300, rig=rig))
    assert shot.shift.shape == (5, 2)
    assert np.allclose(shot.shift.sum(axis=0), 0)
    assert np.abs(shot.shift).max() / 2 <= 8.0 + 1e-9


def test_a_session_with_all_flashes_together_is_one_coloured_photograph() -> None:
    studio = Studio(
        64, Rig("random", 3), Sensor(colour=True, gamma=2.2, ambient=0.5), together=True
    )
    session = capture(sample_identity(0, 5, load_heads()), 0, 5, 0, studio)
    assert session.images.shape == (1, 64, 64, 3)
    red, _, blue = session.images[0][session.mask].mean(axis=0)
    assert red > blue + 10
    assert session.albedo.shape == (64, 64, 3)
    corner = session.images[0, :4, :4].astype(float)
    assert corner.mean() > 20


def test_near_flashes_light_the_near_side_more() -> None:
    """Under a light from the right the right cheek gains over distant light, the left loses."""
    identity = sample_identity(0, 5, load_heads(), PLAIN.habits)
    quiet = Sensor(noise=0.0, ambient=0.0, vignetting=0.0, bits=16)
    far, near = (
        capture(identity, 0, 5, 0, Studio(96, Rig(distance_mm=d), quiet, PLAIN, movement=0.0))
        for d in (None, 400.0)
    )
    both = (far.images.min(axis=0) > 4000) & (near.images.min(axis=0) > 4000)
    both &= far.images.max(axis=0) < 65535
    columns = np.broadcast_to(np.arange(96), (96, 96))
    for light in range(4):
        side = np.sign(far.lights.directions[light, 0])
        gain = near.images[light][both] / far.images[light][both]
        aside = side * (columns[both] - 47.5)
        assert np.median(gain[aside > 8]) > 1.05 * np.median(gain[aside < -8])
