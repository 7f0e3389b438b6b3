"""Averages over areas against torch's adaptive pooling and against a loop."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import adaptive_avg_pool2d

from fr3d.alignment import area_average
from fr3d.alignment.area_average import AreaAverage


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def pooled(part: np.ndarray, height: int, width: int) -> np.ndarray:
    planes = torch.tensor(part.transpose(2, 0, 1), dtype=torch.float64)
    return adaptive_avg_pool2d(planes, (height, width)).numpy().transpose(1, 2, 0)


SIZES = st.integers(1, 40)


@given(SIZES, SIZES, SIZES, SIZES)
@settings(max_examples=60)
def test_shrunk_pictures_are_those_of_adaptive_pooling(height, width, rows, columns) -> None:
    source = picture(height, width)
    found = AreaAverage(source).shrunk(rows, columns)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, pooled(source, rows, columns), atol=2e-5)


def test_crops_are_those_of_adaptive_pooling() -> None:
    source = picture(50, 70)
    boxes = np.array([[0, 0, 70, 50], [3, 4, 30, 31], [69, 0, 70, 50], [10, 10, 11, 11]])
    found = AreaAverage(source).crops(boxes, 24)
    assert found.shape == (4, 24, 24, 3)
    for crop, (left, top, right, bottom) in zip(found, boxes, strict=True):
        np.testing.assert_allclose(crop, pooled(source[top:bottom, left:right], 24, 24), atol=2e-5)


def test_no_boxes_give_no_crops() -> None:
    assert AreaAverage(picture(9, 9)).crops(np.zeros((0, 4), np.int64), 24).shape == (0, 24, 24, 3)


def test_sums_beyond_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    source = picture(30, 40)
    plain = AreaAverage(source).shrunk(7, 9)
    monkeypatch.setattr(area_average, "_INT32", 1)
    wide = AreaAverage(source)
    assert wide._sums.dtype == np.float64
    np.testing.assert_array_equal(wide.shrunk(7, 9), plain)


def test_halving_is_what_opencv_does() -> None:
    source = picture(40, 60)
    half = cv2.resize(source.astype(np.float32), (30, 20), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(AreaAverage(source).shrunk(20, 30), half, atol=1e-4)
