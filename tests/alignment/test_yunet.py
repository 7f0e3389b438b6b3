"""The detector on real faces, where they are at hand, and on what is no face."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fr3d.alignment import yunet
from fr3d.alignment.exposure import as_picture
from fr3d.geometry.similarity import similarity, transform_points


def london(shared: Path) -> list[np.ndarray]:
    """Eight photographs, linear and half as large."""
    paths = sorted((shared / "data" / "london").glob("*_03.jpg"))[::5]
    pictures = [cv2.imread(str(p))[..., ::-1] for p in paths]
    return [
        (cv2.resize(p, (225, 225), interpolation=cv2.INTER_AREA) / 255.0) ** 2.2 for p in pictures
    ]


def test_noise_is_no_face():
    for seed in range(4):
        assert yunet.detect(np.random.default_rng(seed).random((90, 80))) is None
    assert yunet.detect(np.zeros((64, 64))) is None
    assert yunet.detect(np.full((20, 300), np.nan)) is None


def test_a_picture_does_not_depend_on_the_range():
    image = np.random.default_rng(0).random((30, 40)).astype(np.float32)
    np.testing.assert_array_equal(as_picture(image), as_picture(image * 4096 + 17))
    colour = np.stack([image, image * 0.5, image * 0], axis=-1)
    picture = as_picture(colour)
    assert picture[..., 2].mean() > picture[..., 1].mean() > picture[..., 0].mean()


def test_faces_are_found_and_points_follow_a_similarity(shared: Path):
    for image in london(shared):
        found = yunet.detect(image)
        assert found is not None
        assert found.score > 0.8
        matrix = similarity(12, 0.8, (20, 8), (112, 112))
        moved = cv2.warpAffine(image, matrix, (225, 225), borderMode=cv2.BORDER_REPLICATE)
        again = yunet.detect(moved)
        assert again is not None
        error = np.hypot(*(again.landmarks - transform_points(matrix, found.landmarks)).T)
        eyes = np.hypot(*(found.landmarks[1] - found.landmarks[0]))
        assert error.mean() < 0.06 * eyes


def test_the_largest_face_of_two_is_taken(shared: Path):
    large, small, *_ = london(shared)
    small = cv2.resize(small, (110, 110), interpolation=cv2.INTER_AREA)
    scene = np.full((240, 380, 3), 0.3)
    scene[100:210, 5:115] = small
    scene[8:233, 140:365] = large
    found = yunet.detect(scene)
    alone = yunet.detect(large)
    assert found is not None
    assert alone is not None
    error = np.hypot(*(found.landmarks - alone.landmarks - [140, 8]).T).mean()
    assert error < 4


def test_mirror_images_give_mirrored_points(shared: Path):
    image = london(shared)[0]
    found, mirrored = yunet.detect(image), yunet.detect(image[:, ::-1])
    assert found is not None
    assert mirrored is not None
    back = (mirrored.landmarks * [-1, 1] + [224, 0])[[1, 0, 2, 4, 3]]
    np.testing.assert_allclose(back, found.landmarks, atol=0.3)


def test_loading_the_detector_says_nothing(capfd: pytest.CaptureFixture[str]):
    yunet._detector.cache_clear()
    assert yunet._detector() is not None
    assert capfd.readouterr().err == ""
