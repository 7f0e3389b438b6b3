from pathlib import Path

import cv2
import numpy as np
import pytest

from fr3d.alignment.closer_yunet import CloserYunet, _window
from fr3d.alignment.yunet import Yunet


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


def test_nothing_is_found_in_noise():
    noise = np.random.default_rng(0).integers(0, 255, (90, 80, 3)).astype(np.uint8)
    assert CloserYunet(area).find(noise) == []


def test_a_window_beyond_the_border_repeats_it():
    picture = np.arange(20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)
    padded = np.pad(picture, ((9, 9), (9, 9), (0, 0)), mode="edge")
    for top, left in ((-5, -9), (3, 4), (11, 25), (-9, 21)):
        expected = padded[top + 9 : top + 9 + 14, left + 9 : left + 9 + 14]
        np.testing.assert_array_equal(_window(picture, top, left, 14), expected)
