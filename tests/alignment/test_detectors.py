from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from fr3d.alignment import detectors
from fr3d.alignment.detectors import find_face
from fr3d.alignment.found import FoundFace
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.templates import template_points
from fr3d.errors import UsageError

PICTURE = np.zeros((200, 300, 3), np.uint8)


def found(middle: tuple[float, float], side: float, points=None) -> FoundFace:
    x, y = middle
    box = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])
    shape = template_points("arcface112", 112) if points is None else points
    return FoundFace(box, (shape - 56) * side / 112 + middle, 0.9)


@dataclass
class Scripted:
    """Gives one answer a look."""

    answers: list

    def find(self, picture: np.ndarray) -> list[FoundFace]:
        self.seen = [*getattr(self, "seen", []), picture]
        return self.answers[min(len(self.seen), len(self.answers)) - 1]


def look(monkeypatch, answers: list, face: str = "central", picture: np.ndarray = PICTURE):
    script = Scripted(answers)
    monkeypatch.setattr(detectors, "open_detector", lambda recipe, quick: script)
    return find_face(picture, AlignmentRecipe(face=face)), script


def test_central_weighs_size_against_distance(monkeypatch):
    middle, aside = found((150, 100), 80), found((60, 100), 90)
    for faces in ([middle, aside], [aside, middle]):
        assert look(monkeypatch, [faces])[0].face.box[0] == middle.box[0]
        assert look(monkeypatch, [faces], "largest")[0].face.box[0] == aside.box[0]
    giant = found((100, 100), 190)
    assert look(monkeypatch, [[middle, giant]])[0].face.box[0] == giant.box[0]
    assert look(monkeypatch, [[middle, aside]])[0].faces == 2


def test_a_landmark_network_that_is_not_there_is_no_reason_to_use_another():
    recipe = AlignmentRecipe(detector="hourglass", network_sha256="ab" * 32)
    with pytest.raises(UsageError, match="has no network"):
        find_face(PICTURE, recipe)


def test_points_that_no_face_can_have_do_not_count(monkeypatch):
    upside = template_points("arcface112", 112)
    upside[2] = (56, 140)  # the nose below the mouth
    bad, good = found((150, 100), 150, upside), found((50, 50), 40)
    seen, _ = look(monkeypatch, [[bad, good]])
    assert seen.face.box[0] == good.box[0]
    assert seen.faces == 1
    assert look(monkeypatch, [[bad]])[0] is None


def test_later_looks_differ_and_are_told(monkeypatch):
    noise = np.random.default_rng(0).integers(0, 60, PICTURE.shape).astype(np.uint8)
    seen, script = look(monkeypatch, [[], [], [], [found((150, 100), 80)]], picture=noise)
    assert seen.look == 3
    plain, stretched, blurred, more = script.seen
    assert np.array_equal(plain, noise)
    assert stretched.std() > 1.2 * plain.std()
    assert more.std() < blurred.std() < plain.std()
    nothing, script = look(monkeypatch, [[]])
    assert nothing is None
    assert len(script.seen) == 5


def test_a_blurred_and_a_dark_face_are_found_at_some_look(shared):
    path = next((shared / "data" / "london").glob("*_03.jpg"))
    face = cv2.resize(cv2.imread(str(path)), (250, 250), interpolation=cv2.INTER_AREA)
    recipe = AlignmentRecipe(detector="yunet")
    plain = find_face(face, recipe)
    assert plain.look == 0
    for changed in (cv2.GaussianBlur(face, (0, 0), 3.0), (face * 0.06).astype(np.uint8)):
        seen = find_face(changed, recipe)
        assert seen is not None
        apart = np.hypot(*(seen.face.landmarks - plain.face.landmarks).T).mean()
        assert apart < 0.12 * np.hypot(*(plain.face.landmarks[1] - plain.face.landmarks[0]))


@pytest.mark.parametrize("detector", ["yunet", "mtcnn"])
def test_each_detector_finds_london_faces_at_the_same_place(shared, detector):
    path = sorted((shared / "data" / "london").glob("*_08.jpg"))[3]
    face = cv2.resize(cv2.imread(str(path)), (300, 300), interpolation=cv2.INTER_AREA)
    one = find_face(face, AlignmentRecipe(detector="yunet"))
    other = find_face(face, AlignmentRecipe(detector=detector))
    apart = np.hypot(*(one.face.landmarks - other.face.landmarks).T).mean()
    assert apart < 0.1 * np.hypot(*(one.face.landmarks[1] - one.face.landmarks[0]))


@dataclass
class Network:
    """A landmark network that is as sure as it is told to be."""

    score: float

    def find(self, _: np.ndarray, box: np.ndarray) -> FoundFace:
        face = found((150, 100), 80)
        return FoundFace(box, face.landmarks, self.score)


@pytest.mark.parametrize(("score", "boxes", "count"), [(0.5, 0, 0), (0.7, 0, 1), (0.5, 2, 2)])
def test_without_a_box_a_landmark_network_must_be_sure(monkeypatch, score, boxes, count):
    monkeypatch.setattr(detectors, "_landmark_network", lambda data: Network(score))
    given = Scripted([[found((150, 100), 80)] * boxes])
    assert len(detectors._Refined(given, b"").find(PICTURE)) == count
