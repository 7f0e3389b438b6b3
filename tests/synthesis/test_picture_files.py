"""PNG and BMP files read back by another decoder."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fr3d.synthesis.bmp import encode_bmp
from fr3d.synthesis.png import encode_png

PICTURES = st.tuples(st.integers(1, 17), st.integers(1, 17)).flatmap(
    lambda shape: arrays(np.uint8, shape)
)


@settings(max_examples=60, deadline=None)
@given(PICTURES)
def test_png_reads_back(image: np.ndarray) -> None:
    data = np.frombuffer(encode_png(image), np.uint8)
    assert np.array_equal(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), image)


@settings(max_examples=60, deadline=None)
@given(PICTURES)
def test_bmp_reads_back(image: np.ndarray) -> None:
    data = np.frombuffer(encode_bmp(image), np.uint8)
    back = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert back.shape == (*image.shape, 3)
    assert np.array_equal(back, np.repeat(image[..., None], 3, axis=2))


def test_smooth_pictures_compress() -> None:
    x, y = np.meshgrid(np.arange(128), np.arange(128))
    assert len(encode_png((x + y).astype(np.uint8))) < 1000
