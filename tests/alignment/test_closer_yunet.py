from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fr3d.alignment import closer_yunet
from fr3d.alignment.closer_yunet import CloserYunet, _window
from fr3d.alignment.detectors import find_face
from fr3d.alignment.found import FoundFace
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.templates import template_points
from fr3d.alignment.yunet import Yunet


def found(middle: tuple[float, float], side: float) -> FoundFace:
    x, y = middle
    box = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])
    points = (template_points("arcface112", 112) - 56) * side / 112 + middle
    return FoundFace(box, points, 0.9)


def area(face, _):
    return face.area


def london(shared: Path, number: int, side: int) -> np.ndarray:
    path = sorted((shared / "data" / "london").glob("*_03.jpg"))[number]
    return cv2.resize(cv2.imread(str(path)), (side, side), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("side", [120, 250, 1200])
def test_a_closer_look_agrees_with_the_thorough_search(shared: Path, side: int):
    picture = london(shared, 5, side)
    (face,) = CloserYunet(area).find(picture)
    thorough = Yunet().find(picture)[0]
    eyes = np.hypot(*(face.landmarks[1] - face.landmarks[0]))
    assert np.hypot(*(face.landmarks - thorough.landmarks).T).mean() < 0.1 * eyes
    assert np.isfinite(face.spread)


def test_the_face_that_is_meant_is_looked_at_and_the_others_are_counted(shared: Path):
    scene = np.full((300, 640, 3), 90, np.uint8)
    scene[20:270, 20:270] = london(shared, 1, 250)
    scene[60:240, 400:580] = london(shared, 2, 180)
    right = CloserYunet(lambda face, _: face.box[0])
    for finder, first in ((CloserYunet(area), 145), (right, 490)):
        faces = finder.find(scene)
        assert len(faces) == 2
        assert abs(faces[0].landmarks[:, 0].mean() - first) < 25
        assert np.isfinite(faces[0].spread)
        assert np.isnan(faces[1].spread)


def test_whoever_stands_aside_is_not_taken_before_all_sizes_are_tried(monkeypatch):
    picture = np.zeros((200, 300, 3), np.uint8)
    middle, aside = found((150, 100), 80), found((30, 100), 90)
    monkeypatch.setattr(closer_yunet, "look", lambda *_: iter([[aside]]))
    monkeypatch.setattr(CloserYunet, "_closer", lambda _, __, face: replace(face, spread=1.0))
    monkeypatch.setattr(Yunet, "find", lambda *_: [aside, middle])
    seen = find_face(picture, AlignmentRecipe(), quick=True)
    assert seen.face.box[0] == middle.box[0]
    assert seen.faces == 2
    assert find_face(picture, AlignmentRecipe(face="largest"), quick=True).faces == 1
    # who stands aside is still better than nobody
    monkeypatch.setattr(Yunet, "find", lambda *_: [])
    assert find_face(picture, AlignmentRecipe(), quick=True).face.box[0] == aside.box[0]


def test_nothing_is_found_in_noise():
    noise = np.random.default_rng(0).integers(0, 255, (90, 80, 3)).astype(np.uint8)
    assert CloserYunet(area).find(noise) == []


def test_a_window_beyond_the_border_repeats_it():
    picture = np.arange(20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)
    padded = np.pad(picture, ((9, 9), (9, 9), (0, 0)), mode="edge")
    for top, left in ((-5, -9), (3, 4), (11, 25), (-9, 21)):
        expected = padded[top + 9 : top + 9 + 14, left + 9 : left + 9 + 14]
        np.testing.assert_array_equal(_window(picture, top, left, 14), expected)
