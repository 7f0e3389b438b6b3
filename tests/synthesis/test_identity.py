"""People: reproducible, different, plausible."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.synthesis.assets import HEADS, load_heads
from fr3d.synthesis.expression import UNITS, Pose, expression_weights, sample_emotion, sample_pose
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.paint import SCLERA, reflectance

HEAD = load_heads()


def test_the_baked_heads_are_small_and_licensed() -> None:
    assert HEADS.stat().st_size < 8e6
    assert "CC0" in (HEADS.parent / "LICENSE.heads.md").read_text("utf-8")
    for name, (moved, delta) in HEAD.targets.items():
        assert delta.shape == (len(moved), 3), name
        assert moved.max() < len(HEAD.vertices), name


def test_a_person_depends_on_seed_and_number_alone() -> None:
    one, again = sample_identity(3, 5, HEAD), sample_identity(3, 5, HEAD)
    assert one.shape == again.shape
    assert np.array_equal(one.complexion.waves, again.complexion.waves)
    for other in (sample_identity(3, 6, HEAD), sample_identity(4, 5, HEAD)):
        assert other.shape != one.shape
        assert other.complexion.skin != one.complexion.skin


def test_people_differ_by_millimetres_and_stay_heads() -> None:
    """Rigid differences aside, the nearest of 40 faces lies more than 1.5 mm away (RMS)."""
    front = (HEAD.part == 0) & (HEAD.vertices[:, 2] > 0.9) & (HEAD.vertices[:, 1] > 6.2)
    faces = [HEAD.shape(sample_identity(0, n, HEAD).shape) for n in range(40)]
    placed = np.array([face[front] - face[front].mean(axis=0) for face in faces])
    gap = np.sqrt(np.square(placed[:, None] - placed[None]).sum(axis=3).mean(axis=2)) * 100
    np.fill_diagonal(gap, np.inf)
    assert gap.min() > 1.5
    assert 3 < np.median(gap[np.isfinite(gap)]) < 12
    for face in faces:
        across, up, _ = np.ptp(face[front], axis=0)
        assert 1.0 < across < 1.9
        assert 1.6 < up < 2.7


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 10_000))
def test_weights_are_those_of_known_targets_and_small(seed: int, person: int) -> None:
    identity = sample_identity(seed, person, HEAD)
    assert set(identity.shape) <= set(HEAD.targets)
    assert max(identity.shape.values()) <= 1.0
    assert min(identity.shape.values()) >= 0.0
    assert identity.gender in ("male", "female")
    assert sum(identity.race.values()) == pytest.approx(1)
    opposite = [n.replace("-incr", "-decr") for n in identity.shape if n.endswith("-incr")]
    assert not set(opposite) & set(identity.shape)
    assert 0.05 < identity.complexion.skin < 0.6


def test_every_action_unit_is_in_the_file() -> None:
    rng = np.random.default_rng(0)
    race = {"african": 0.2, "asian": 0.3, "caucasian": 0.5}
    names = {u for variants in UNITS.values() for v in variants for u in v}
    names |= {u for _ in range(50) for u in sample_emotion(rng)[1]}
    assert set(expression_weights(dict.fromkeys(names, 1.0), race)) <= set(HEAD.targets)


def test_a_smile_lifts_the_corners_of_the_mouth() -> None:
    weights = expression_weights({"mouth-corner-puller": 1.0}, {"caucasian": 1.0})
    before, after = HEAD.vertices[HEAD.landmarks], HEAD.shape(weights)[HEAD.landmarks]
    assert (after[[8, 9], 1] > before[[8, 9], 1] + 0.02).all()
    assert np.allclose(after[[0, 4]], before[[0, 4]], atol=0.02)


@pytest.mark.parametrize(
    ("pose", "point", "where"),
    [
        (Pose(30, 0, 0), [0, 0, 1], [0.5, 0, np.sqrt(0.75)]),
        (Pose(0, 30, 0), [0, 0, 1], [0, -0.5, np.sqrt(0.75)]),
        (Pose(0, 0, 30), [0, 1, 0], [0.5, np.sqrt(0.75), 0]),
    ],
)
def test_the_head_turns_as_the_angles_say(pose, point, where) -> None:
    """Yaw moves the nose to the image's right, pitch down; roll tips the head clockwise."""
    assert np.allclose(pose.matrix() @ np.array(point, float), where)
    assert np.allclose(pose.matrix() @ pose.matrix().T, np.eye(3))


@pytest.mark.parametrize(("yaw", "kind"), [(0, "1"), (-12, "2"), (30, "3"), (60, "4"), (80, "5")])
def test_pose_classes(yaw: float, kind: str) -> None:
    assert Pose(yaw, 0, 45).photoface == kind


def test_most_sessions_are_frontal() -> None:
    rng = np.random.default_rng(0)
    share = np.mean([sample_pose(rng).photoface == "1" for _ in range(500)])
    assert 0.85 < share < 0.97


def test_paint_knows_iris_from_white_and_lips_from_skin() -> None:
    look = sample_identity(0, 2, HEAD).complexion
    place = np.array(
        [[0.308, 7.284, 1.40], [0.43, 7.284, 1.32], [0.0, 6.62, 1.57], [0.0, 7.0, 1.6]]
    )
    masks = {name: np.zeros(4) for name in HEAD.masks}
    masks["lips"][2] = 1.0
    part, ahead = np.array([1, 1, 0, 0]), np.array([0.0, 0.0, 1.0])
    pupil, white, lip, nose = reflectance(look, place, part, masks, ahead)
    assert pupil < 0.05
    assert 0.6 * SCLERA < white <= SCLERA
    assert lip < 0.95 * nose
    assert nose == pytest.approx(look.skin, rel=0.4)
