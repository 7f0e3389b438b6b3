import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fr3d.alignment.sources.pictures import read_picture
from fr3d.errors import Fr3dError, MissingInputError
from fr3d.photometric.sources import SourceFiles
from fr3d.photometric.transfer import Transfer

ALL = np.s_[0:None]


def corners() -> np.ndarray:
    """Red, green, blue and white quarters, 40 x 60, RGB."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20, :30], picture[:20, 30:] = (250, 0, 0), (0, 250, 0)
    picture[20:, :30], picture[20:, 30:] = (0, 0, 250), (250, 250, 250)
    return picture


def read(path: Path):
    return read_picture(path, SourceFiles())


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm", "jpg", "webp"])
def test_colours_come_blue_first_and_as_light_red_first(tmp_path: Path, suffix: str):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(corners()).save(path)
    picture = read(path)
    assert picture.shape == (40, 60)
    assert np.abs(picture.shown()[..., ::-1].astype(int) - corners())[5:15, 5:25].max() < 16
    light = picture.light(slice(0, 40), slice(0, 60), Transfer("srgb"))
    assert light.dtype == np.float32
    assert light[10, 15].argmax() == 0
    assert light[30, 15].argmax() == 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_note_is_honoured(tmp_path: Path, orientation: int):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(corners()).save(path, exif=exif, quality=95)
    from PIL import ImageOps

    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    picture = read(path)
    assert picture.shape == upright.shape[:2]
    assert np.abs(picture.shown()[..., ::-1].astype(int) - upright).mean() < 3


def test_cmyk_looks_as_it_should(tmp_path: Path):
    path = tmp_path / "a.jpg"
    Image.fromarray(corners()).convert("CMYK").save(path, quality=95)
    shown = read(path).shown()[..., ::-1]
    assert shown[5, 5].argmax() == 0
    assert shown[30, 10].argmax() == 2
    assert shown[30, 50].min() > 200


def test_grey_alpha_and_16_bit(tmp_path: Path):
    Image.fromarray(corners()[..., 0]).save(tmp_path / "grey.png")
    assert read(tmp_path / "grey.png").shown().shape == (40, 60, 3)
    Image.fromarray(corners()).convert("RGBA").save(tmp_path / "alpha.png")
    assert read(tmp_path / "alpha.png").shown().shape == (40, 60, 3)
    deep = (corners().astype(np.uint16) * 257)[..., ::-1]
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    picture = read(tmp_path / "deep.png")
    assert picture.levels.dtype == np.uint16
    np.testing.assert_array_equal(picture.shown()[..., ::-1], corners())
    light = picture.light(slice(0, 40), slice(0, 60), Transfer("linear"))
    assert light.max() == pytest.approx(250 / 255, abs=1e-3)


def huge_png() -> bytes:
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 13, b"IHDR") + head + b"\0\0\0\0"


@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        ("tiny.png", lambda: encoded(corners()[:12, :12], ".png"), "found 12x12 pixels, expected"),
        ("huge.png", huge_png, "found 30000x30000 pixels, expected at most 64000000"),
        ("cut.jpg", lambda: encoded(corners(), ".jpg")[:400], "truncated or damaged"),
        ("cut.png", lambda: encoded(corners(), ".png")[:-20], "truncated image"),
        ("cut.bmp", lambda: encoded(corners(), ".bmp")[:-200], "truncated or damaged"),
        ("cut.webp", lambda: encoded(corners(), ".webp")[:-20], "truncated or damaged"),
        ("empty.png", lambda: b"", "empty file"),
        ("text.jpg", lambda: b"hello, I am text", "unknown format"),
    ],
)
def test_bad_pictures_are_refused_with_their_reason(tmp_path: Path, name, make, says):
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(Fr3dError, match=says) as caught:
        read(path)
    assert caught.value.message.startswith(name)


def encoded(picture: np.ndarray, suffix: str) -> bytes:
    return cv2.imencode(suffix, picture[..., ::-1])[1].tobytes()


def test_a_missing_picture(tmp_path: Path):
    with pytest.raises(MissingInputError, match=r"no.png"):
        read(tmp_path / "no.png")
