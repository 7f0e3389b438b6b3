"""People: reproducible, different, plausible."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.synthesis.assets import HEADS, load_heads
from fr3d.synthesis.expression import EMOTIONS, UNITS, expression_weights, sample_emotion
from fr3d.synthesis.identity import Habits, sample_identity
from fr3d.synthesis.pose import TURNS, Pose, sample_pose

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
        assert not np.array_equal(other.complexion.skin, one.complexion.skin)


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
    red, green, blue = identity.complexion.skin
    assert 0.75 > red > green > blue > 0.02
    assert identity.habit == "none" or identity.gender == "male"


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


@pytest.mark.parametrize(("yaw", "kind"), [(0, "1"), (-12, "2"), (21, "3"), (-31, "4"), (44, "5")])
def test_pose_classes(yaw: float, kind: str) -> None:
    assert Pose(yaw, 0, 45).photoface == kind


def test_heads_turn_as_often_as_they_should_and_never_lie_between_two_classes() -> None:
    rng = np.random.default_rng(0)
    poses = [sample_pose(rng) for _ in range(800)]
    assert 0.8 < np.mean([pose.photoface == "1" for pose in poses]) < 0.88
    for pose in (*poses, *(sample_pose(rng, 1.0) for _ in range(300))):
        low, high = TURNS[pose.photoface]
        assert low - 1e-9 <= np.hypot(pose.yaw, pose.pitch) <= high + 1e-9
    assert {sample_pose(rng, 1.0).photoface for _ in range(200)} == {"2", "3", "4", "5"}
    assert {sample_pose(rng, 0.0).photoface for _ in range(50)} == {"1"}


def test_expressions_are_as_frequent_as_asked() -> None:
    rng = np.random.default_rng(0)
    seen = [sample_emotion(rng, 0.9)[0] for _ in range(400)]
    assert set(seen) == set(EMOTIONS)
    assert 0.05 < np.mean([name == "blankstare" for name in seen]) < 0.16
    assert {sample_emotion(rng, 0.0)[0] for _ in range(50)} == {"blankstare"}


def test_habits_change_what_is_worn_and_nothing_else() -> None:
    plain, dressed = (
        [sample_identity(0, n, HEAD, Habits(share, share)) for n in range(30)] for share in (0, 1)
    )
    assert not any(person.wears for person in plain)
    assert all(person.wears for person in dressed)
    assert {person.habit for person in plain} == {"none"}
    men = [person for person in dressed if person.gender == "male"]
    assert "none" not in {person.habit for person in men}
    assert {p.habit for p in dressed if p.gender == "female"} == {"none"}
    for one, other in zip(plain, dressed, strict=True):
        assert one.features == other.features
        assert np.array_equal(one.complexion.waves, other.complexion.waves)
        assert one.hair == other.hair


def test_a_heavier_day_makes_a_wider_face() -> None:
    person = sample_identity(0, 3, HEAD)
    rest = HEAD.shape(person.features)
    thin, thick = (HEAD.shape(person.build_on(0.0, change), rest) for change in (-0.3, 0.3))
    x, y, z = HEAD.vertices.T
    cheeks = (HEAD.part == 0) & (np.abs(y - 6.7) < 0.15) & (np.abs(x) > 0.4) & (z > 0.9)
    assert np.abs(thick[cheeks, 0]).mean() > np.abs(thin[cheeks, 0]).mean() + 0.005


def test_a_head_started_from_another_is_the_sum() -> None:
    person = sample_identity(0, 3, HEAD)
    whole = HEAD.shape(person.shape)
    parts = HEAD.shape(person.build_on(0.0, 0.0), HEAD.shape(person.features))
    assert np.allclose(whole, parts, atol=1e-12)
