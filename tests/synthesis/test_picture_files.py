"""PNG and BMP files read back by another decoder."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fr3d.synthesis.bmp import encode_bmp
from fr3d.synthesis.png import encode_png

DEEP = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([(), (3,)])).flatmap(
    lambda s: arrays(st.sampled_from([np.uint8, np.uint16]), (s[0], s[1], *s[2]))
)
PICTURES = st.tuples(st.integers(1, 17), st.integers(1, 17)).flatmap(
    lambda shape: arrays(np.uint8, shape)
)


@settings(max_examples=60, deadline=None)
@given(PICTURES)
def test_png_reads_back(image: np.ndarray) -> None:
    data = np.frombuffer(encode_png(image), np.uint8)
    assert np.array_equal(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), image)


@settings(max_examples=60, deadline=None)
@given(DEEP)
def test_png_keeps_colours_and_sixteen_bits(image: np.ndarray) -> None:
    back = cv2.imdecode(np.frombuffer(encode_png(image), np.uint8), cv2.IMREAD_UNCHANGED)
    assert back.dtype == image.dtype
    assert np.array_equal(back[..., ::-1] if image.ndim == 3 else back, image)


def test_a_coloured_bmp_reads_back() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    back = cv2.imdecode(np.frombuffer(encode_bmp(image), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(back[..., ::-1], image)


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
