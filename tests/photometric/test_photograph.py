import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError, UsageError
from fr3d.photometric.image_header import check_complete, parse_header, probe
from fr3d.photometric.photograph import Transfer, read_photograph

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (37, 53), dtype=np.uint8)
FORMATS = ["bmp", "png", "pgm", "tiff"]


def encoded(suffix: str, image: np.ndarray = GREY) -> bytes:
    return cv2.imencode(f".{suffix}", image)[1].tobytes()


@pytest.mark.parametrize(
    ("suffix", "deep"),
    [(s, False) for s in FORMATS] + [(s, True) for s in FORMATS if s != "bmp"],
)
def test_values_and_size(tmp_path: Path, suffix: str, deep: bool) -> None:
    image = GREY.astype(np.uint16) * 257 if deep else GREY
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encoded(suffix, image))
    header = probe(path)
    assert (header.height, header.width, header.lossy) == (37, 53, False)
    np.testing.assert_allclose(read_photograph(path), GREY / 255, atol=1e-7)


@pytest.mark.parametrize("suffix", ["bmp", "png", "ppm", "tiff"])
def test_colour_is_the_mean_and_grey_colour_is_exact(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encoded(suffix, np.stack([GREY] * 3, axis=-1)))
    assert (read_photograph(path) == GREY.astype(np.float32) / np.float32(255)).all()
    colour = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    path.write_bytes(encoded(suffix, colour))
    np.testing.assert_allclose(read_photograph(path), colour.mean(axis=2) / 255, atol=1e-6)


def test_alpha_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    alpha = np.dstack([GREY, GREY, GREY, np.full_like(GREY, 7)])
    path.write_bytes(encoded("png", alpha))
    np.testing.assert_allclose(read_photograph(path), GREY / 255, atol=1e-7)


def test_pgm_is_scaled_by_its_own_maximum(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 # comment\n3 1\n# another\n100\n" + bytes([0, 50, 100]))
    np.testing.assert_allclose(read_photograph(path), [[0, 0.5, 1]])
    path.write_bytes(b"P5\n2 1\n1000\n" + struct.pack(">HH", 500, 1000))
    np.testing.assert_allclose(read_photograph(path), [[0.5, 1]])


@pytest.mark.parametrize("suffix", [*FORMATS, "jpg"])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.6, 0.97, 0.9995])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str, share: float) -> None:
    image = RNG.integers(0, 256, (200, 300), dtype=np.uint8)
    whole = encoded(suffix, image)
    path = tmp_path / f"im2.{suffix}"
    path.write_bytes(whole[: min(int(len(whole) * share), len(whole) - 1)])
    with pytest.raises(MalformedInputError, match=rf"^im2\.{suffix}: "):
        read_photograph(path)


def test_tiff_whose_directory_comes_first() -> None:
    """Cut in its pixels, so that only the lengths of the strips tell."""
    tags = [(256, 4), (257, 3), (258, 8), (259, 1), (273, 86), (279, 12)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    data = (struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + body).ljust(86, b"\0")
    whole = data + bytes(range(12))
    assert parse_header(whole, "a.tiff").width == 4
    with pytest.raises(MalformedInputError, match="truncated"):
        parse_header(whole[:-1], "a.tiff")


def test_a_flipped_bit_of_a_png_is_seen() -> None:
    data = bytearray(encoded("png"))
    data[len(data) // 2] ^= 4
    with pytest.raises(MalformedInputError, match="checksum"):
        check_complete(bytes(data), "a.png")


def test_bombs_are_refused_before_decoding(tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    path = tmp_path / "im0.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    with pytest.raises(MalformedInputError, match="60000x60000 pixels, expected at most 64000000"):
        probe(path)
    bmp = bytearray(encoded("bmp"))
    bmp[18:26] = struct.pack("<ii", 30000, 30000)
    path.write_bytes(bmp)
    with pytest.raises(MalformedInputError, match="truncated"):
        probe(path)
    path.write_bytes(b"P5\n999999 999999\n255\n")
    with pytest.raises(MalformedInputError, match="truncated"):
        probe(path)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"hello", b"BM", b"P5", b"II*\0", b"\xff\xd8"])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "im0.bmp"
    path.write_bytes(content)
    for read in (probe, read_photograph):
        with pytest.raises(MalformedInputError, match=r"^im0\.bmp: "):
            read(path)


def test_nan_and_negative_values_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "im0.tiff"
    image = np.full((8, 9), 0.25, np.float32)
    path.write_bytes(encoded("tiff", image))
    np.testing.assert_allclose(read_photograph(path), image)
    for value, reason in ((np.nan, "NaN"), (np.inf, "NaN"), (-1, "negative")):
        image[3, 4] = value
        path.write_bytes(encoded("tiff", image))
        with pytest.raises(MalformedInputError, match=reason):
            read_photograph(path)


def test_missing_file(tmp_path: Path) -> None:
    for read in (probe, read_photograph):
        with pytest.raises(MissingInputError, match=r"^im0\.bmp: No such file"):
            read(tmp_path / "im0.bmp")


@given(st.sampled_from([*FORMATS, "jpg"]), st.integers(0, 119), st.integers(0, 255))
def test_damaged_headers_end_in_our_errors(suffix: str, at: int, value: int) -> None:
    data = bytearray(encoded(suffix))
    data[at] = value
    try:
        header = parse_header(bytes(data), "f")
        check_complete(bytes(data), "f")
    except Fr3dError:
        return
    assert header.height * header.width <= 64_000_000


def test_transfer_functions() -> None:
    values = np.linspace(0, 1, 11, dtype=np.float32)
    assert Transfer("linear").linear(values) is values
    np.testing.assert_allclose(Transfer("gamma:2.2").linear(values), values**2.2, rtol=1e-5)
    srgb = Transfer("srgb").linear(values)
    assert srgb[5] == pytest.approx(0.21404, abs=1e-4)
    assert srgb[[0, 10]].tolist() == pytest.approx([0, 1])
    for name in ("gamma", "gamma:0", "rec709", "gamma:-1"):
        with pytest.raises(UsageError, match="no such transfer"):
            Transfer(name)
