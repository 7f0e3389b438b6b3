"""Maps as whole numbers, and PNG files that say what they mean."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from surfaces import face

from fr3d.geometry.coding import (
    DepthCode,
    decode_depth,
    decode_normal,
    encode_depth,
    encode_light,
    encode_normal,
    from_srgb,
    to_srgb,
    white_of,
)
from fr3d.geometry.picture_files import encode_png, read_meaning


def decoded(data: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return picture[..., ::-1] if picture.ndim == 3 else picture


@given(arrays(np.float32, (5, 7), elements=st.floats(-5000, 5000, width=32)), st.integers(0, 34))
def test_depth_comes_back_to_half_a_step(depth, hole):
    mask = np.ones((5, 7), bool)
    depth.flat[hole] = np.nan
    code = encode_depth(depth, mask)
    data = encode_png(code.levels, {"step": code.step})
    back = decode_depth(DepthCode(decoded(data), read_meaning(data)["step"]))
    assert np.isnan(back).sum() == 1
    assert np.isnan(back.flat[hole])
    assert np.nanmax(np.abs(back - depth), initial=0) <= code.step / 2 * 1.001


def test_the_step_of_depth_is_the_same_for_all_faces_of_usual_size():
    for height in (0.1, 40.0, 127.0):
        assert encode_depth(np.full((2, 2), height), np.ones((2, 2), bool)).step == 1 / 256
    assert encode_depth(np.full((2, 2), -300.0), np.ones((2, 2), bool)).step == 1 / 64


@pytest.mark.parametrize(("bits", "worst"), [(8, 0.45), (16, 0.0025)])
@pytest.mark.parametrize("y_down", [False, True])
def test_normals_come_back(bits, worst, y_down):
    maps = face()
    data = encode_png(encode_normal(maps.normal, maps.mask, bits, y_down))
    back = decode_normal(decoded(data), y_down)
    # The error of float32 cosines near 1 is larger than that of 16 bits, so the chord is measured.
    chord = np.linalg.norm(back.astype(float) - maps.normal, axis=-1)[maps.mask]
    assert np.rad2deg(chord).max() < worst
    assert (back[~maps.mask] == 0).all()


def test_the_convention_of_normals():
    normal = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]], dtype=np.float32)
    mask = np.array([[True, True, True, False]])
    up = encode_normal(normal, mask, 16)[0].tolist()
    assert up == [[65535, 32768, 32768], [32768, 65535, 32768], [32768, 32768, 65535], [0, 0, 0]]
    assert encode_normal(normal, mask, 8, y_down=True)[0, 1].tolist() == [128, 0, 128]


def test_light_follows_the_curve_of_screens():
    values = np.array([[0.0, 0.5, 1.0, 3.0]])
    levels = encode_light(values, np.ones((1, 4), bool), white=1.0)
    assert levels.tolist() == [[0, 188, 255, 255]]  # the known value of sRGB at one half
    share = np.linspace(0, 1, 99)
    np.testing.assert_allclose(from_srgb(to_srgb(share)), share, atol=1e-12)
    assert (encode_light(values, np.zeros((1, 4), bool), 1.0) == 0).all()
    assert white_of(np.zeros((3, 3)), np.ones((3, 3), bool)) == 1.0


def test_a_png_says_what_it_means_in_any_script():
    meaning = {"subject_id": "Zoë 王 <b>", "step": 0.25, "none": None}
    data = encode_png(np.zeros((3, 4), np.uint16), meaning)
    assert read_meaning(data) == meaning
    assert decoded(data).shape == (3, 4)
    assert decoded(data).dtype == np.uint16
    assert read_meaning(encode_png(np.zeros((3, 4, 3), np.uint8))) == {}
