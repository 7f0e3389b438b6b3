import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.errors import Fr3dError, MalformedInputError
from fr3d.photometric.image_header import parse_header, probe
from fr3d.photometric.photograph import decode, read_photograph

OpenEXR = pytest.importorskip("OpenEXR")
RNG = np.random.default_rng(3)
COLOUR = RNG.random((37, 53, 3)).astype(np.float32)
LOSSLESS = ["NO", "RLE", "ZIPS", "ZIP", "PIZ"]


def write_exr(path: Path, channels: dict[str, np.ndarray], compression: str = "ZIP") -> Path:
    header = {
        "compression": getattr(OpenEXR, f"{compression}_COMPRESSION"),
        "type": OpenEXR.scanlineimage,
    }
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))
    return path


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_exr(tmp_path: Path, compression: str, dtype: type) -> None:
    image = COLOUR.astype(dtype)
    path = write_exr(tmp_path / "a.exr", {"RGB": image}, compression)
    header = probe(path)
    assert (header.height, header.width, header.depth) == (37, 53, "float")
    expected = image.astype(np.float32)
    np.testing.assert_allclose(read_photograph(path), expected.mean(axis=2), atol=1e-6)
    photograph = decode(path.read_bytes(), path)
    from fr3d.photometric.transfer import LINEAR

    np.testing.assert_array_equal(np.moveaxis(photograph.colour(LINEAR), 0, -1), expected)
    assert not photograph.saturated().any()


def test_grey_exr_and_layers(tmp_path: Path) -> None:
    plane = np.ascontiguousarray(COLOUR[..., 0])
    path = write_exr(tmp_path / "a.exr", {"Y": plane})
    np.testing.assert_array_equal(read_photograph(path), plane)
    write_exr(path, {"depth": plane, "RGBA": np.dstack([COLOUR, plane])})
    np.testing.assert_allclose(read_photograph(path), COLOUR.mean(axis=2), atol=1e-6)
    write_exr(path, {"a": plane, "b": plane})
    with pytest.raises(MalformedInputError, match=r"a\.exr: found channels a,b, expected R,G,B"):
        read_photograph(path)


@pytest.mark.parametrize("compression", LOSSLESS)
def test_truncated_exr(tmp_path: Path, compression: str) -> None:
    path = write_exr(tmp_path / "a.exr", {"RGB": COLOUR}, compression)
    whole = path.read_bytes()
    for share in (0.01, 0.3, 0.8, 0.999):
        with pytest.raises(MalformedInputError, match="truncated"):
            parse_header(whole[: int(len(whole) * share)], "a.exr")


@pytest.mark.parametrize(
    ("dtype", "top"), [("u1", 255), ("<u2", 65535), (">u2", 65535), ("f2", 1), ("f4", 1), ("f8", 1)]
)
@pytest.mark.parametrize("channels", [0, 1, 3])
def test_npy(tmp_path: Path, dtype: str, top: int, channels: int) -> None:
    values = COLOUR[..., :channels] if channels else COLOUR[..., 0]
    stored = (values * top).astype(dtype)
    np.save(tmp_path / "a.npy", stored)
    grey = stored.astype(np.float64) / top
    grey = grey.mean(axis=2) if channels else grey
    np.testing.assert_allclose(read_photograph(tmp_path / "a.npy"), grey, atol=1e-6)
    assert probe(tmp_path / "a.npy").height == 37


def test_npy_in_columns(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asfortranarray(COLOUR))
    np.testing.assert_allclose(read_photograph(tmp_path / "a.npy"), COLOUR.mean(axis=2), atol=1e-6)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array([[object()]]), r"found \|O8|truncated or damaged|found \|O"),
        (np.zeros((4, 5), np.int32), r"found <i4 \(NumPy's name\) values, expected 8 or 16 bit"),
        (np.zeros((2, 3, 4, 5), np.uint8), r"found an array of shape .*, expected height x width"),
        (np.zeros(7, np.uint8), r"found an array of shape .*, expected height x width"),
        (np.full((4, 5), np.nan), "found NaN"),
        (np.full((4, 5), -1.0), "found negative values"),
    ],
)
def test_npy_that_is_no_photograph(tmp_path: Path, array: np.ndarray, reason: str) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(MalformedInputError, match=rf"^a\.npy: ({reason})"):
        read_photograph(tmp_path / "a.npy")


def test_nan_in_exr(tmp_path: Path) -> None:
    image = COLOUR.copy()
    image[3, 4, 1] = np.nan
    with pytest.raises(MalformedInputError, match=r"^a\.exr: found NaN"):
        read_photograph(write_exr(tmp_path / "a.exr", {"RGB": image}))


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm", "npy"])
def test_16_bit_stays_16_bit(tmp_path: Path, suffix: str) -> None:
    """Values that differ by one of 65535 stay apart."""
    image = np.arange(30000, 30000 + 37 * 53, dtype=np.uint16).reshape(37, 53)
    path = tmp_path / f"a.{suffix}"
    if suffix == "npy":
        np.save(path, image)
    else:
        assert cv2.imwrite(str(path), image)
    assert probe(path).depth == "16 bit"
    assert len(np.unique(read_photograph(path))) == image.size


def test_a_full_scale_of_12_bits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = np.array([[0, 2048, 4080, 4095]], np.uint16)
    cv2.imwrite(str(path), image)
    photograph = decode(path.read_bytes(), path, 4095)
    np.testing.assert_allclose(photograph.stored(), image / 4095, rtol=1e-6)
    assert photograph.saturated().tolist() == [[False, False, True, True]]
    with pytest.raises(MalformedInputError, match="value of 4095, expected at most the full scale"):
        decode(path.read_bytes(), path, 1023)
    cv2.imwrite(str(path), image.astype(np.uint8))
    with pytest.raises(MalformedInputError, match="8 bit values, which do not reach a full scale"):
        decode(path.read_bytes(), path, 4095)


def test_32_bit_whole_numbers_are_refused() -> None:
    tags = [(256, 4), (257, 3), (258, 32), (259, 1), (273, 86), (279, 48)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    data = (struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + body).ljust(86 + 48, b"\0")
    with pytest.raises(MalformedInputError, match="found 32 bit values, expected 8 or 16 bit"):
        parse_header(data, "a.tiff")


@given(st.sampled_from(["exr", "npy"]), st.integers(0, 400), st.integers(0, 255))
def test_damaged_headers_end_in_our_errors(suffix: str, at: int, value: int) -> None:
    data = bytearray(SAMPLES[suffix])
    data[at % len(data)] = value
    try:
        header = parse_header(bytes(data), "f")
    except Fr3dError:
        return
    assert header.height * header.width <= 64_000_000


def _samples() -> dict[str, bytes]:
    import io
    import tempfile

    array = io.BytesIO()
    np.save(array, COLOUR[:4])
    with tempfile.TemporaryDirectory() as folder:
        exr = write_exr(Path(folder) / "a.exr", {"RGB": COLOUR[:4].copy()}).read_bytes()
    return {"exr": exr, "npy": array.getvalue()}


SAMPLES = _samples()
