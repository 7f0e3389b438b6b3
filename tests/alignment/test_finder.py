"""The quick finder against the landmarks that synthetic sessions carry."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from fr3d.alignment.finder import YunetFinder
from fr3d.photometric.metadata import read_landmarks


@pytest.fixture(scope="module")
def sessions(sample_raw: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    found = []
    for folder in sorted(sample_raw.glob("*/*/"))[::60]:
        flashes = [cv2.imread(str(path), 0) for path in sorted(folder.glob("im*"))]
        mean = np.mean(flashes, axis=0).astype(np.float32) / 255
        found.append((mean, read_landmarks(folder / "metadata.txt")))
    return found


def eyes_apart(points: np.ndarray) -> float:
    return float(np.hypot(*(points[1] - points[0])))


def test_points_lie_where_the_session_says(sessions) -> None:
    for image, truth in sessions:
        found = YunetFinder()(image)
        assert found is not None
        assert found.dtype == np.float32
        assert np.hypot(*(found - truth).T).mean() < 0.17 * eyes_apart(truth)


def test_points_follow_the_size_of_the_picture(sessions) -> None:
    image, truth = sessions[0]
    small = YunetFinder()(image)
    large = YunetFinder()(cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC))
    assert small is not None
    assert large is not None
    apart = np.hypot(*((large + 0.5) / 4 - 0.5 - small).T).mean()
    assert apart < 0.06 * eyes_apart(truth)


def test_brightness_does_not_matter(sessions) -> None:
    image, _ = sessions[0]
    found = YunetFinder()(image)
    np.testing.assert_allclose(YunetFinder()(image * np.float32(0.05)), found, atol=0.2)


def test_copies_of_a_worker_find_the_same(sessions) -> None:
    image, _ = sessions[1]
    copy = pickle.loads(pickle.dumps(YunetFinder()))
    np.testing.assert_array_equal(copy(image), YunetFinder()(image))


def test_nothing_is_found_where_no_face_is() -> None:
    assert YunetFinder()(np.zeros((80, 60), np.float32)) is None
    ramp = np.linspace(0, 1, 120 * 90, dtype=np.float32).reshape(120, 90)
    assert YunetFinder()(ramp) is None


def test_a_face_too_small_for_the_quick_look_is_searched_for(sessions) -> None:
    image, truth = sessions[0]
    wide = np.zeros((700, 700), np.float32)
    height, width = image.shape
    wide[400 : 400 + height, 300 : 300 + width] = image
    found = YunetFinder()(wide)
    assert found is not None
    assert np.hypot(*(found - truth - [300, 400]).T).mean() < 0.2 * eyes_apart(truth)
