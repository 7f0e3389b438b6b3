import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from lit_sphere import photographs, write_capture

from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.photometric.capture import Capture, find_captures
from fr3d.photometric.colour import coloured_maps
from fr3d.photometric.evidence import frame_evidence, load_evidence
from fr3d.photometric.exposure import ReadOptions, read_exposure
from fr3d.photometric.flat_field import flat_field_files
from fr3d.photometric.survey import survey_captures
from fr3d.photometric.transfer import LINEAR, Transfer

GAINS = np.array([[1.0, 2.0, 4.0], [2, 2, 2], [3, 1, 1], [0.5, 1, 0.25]])  # red, green, blue
HUE = np.array([0.9, 0.6, 0.3])


def coloured(scale: float = 0.3) -> np.ndarray:
    """(L, H, W, 3) red, green, blue of a coloured sphere under coloured flashes."""
    return scale * photographs()[..., None] * HUE * GAINS[:, None, None]


def write_deep(folder: Path, images: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        levels = np.rint(image * 65535).astype(np.uint16)
        bgr = np.ascontiguousarray(levels[..., ::-1]) if levels.ndim == 3 else levels
        assert cv2.imwrite(str(folder / f"f{i}.png"), bgr)
    return folder


def write_lights(folder: Path, gains: np.ndarray = GAINS) -> None:
    from lit_sphere import AZIMUTH, ZENITH

    rows = [f"{z},{a},{r},{g},{b}" for z, a, (r, g, b) in zip(ZENITH, AZIMUTH, gains, strict=True)]
    text = "\n".join(["zenith,azimuth,red,green,blue", *rows])
    (folder / "lights.csv").write_text(text)


def only(root: Path, **how: object) -> Capture:
    (capture,) = survey_captures(find_captures([root], **how)).captures  # type: ignore[arg-type]
    assert not capture.problem, capture.problem
    return capture


def test_colours_are_balanced_by_each_lights_own(tmp_path: Path) -> None:
    write_lights(write_deep(tmp_path / "s" / "a", coloured()))
    exposure = read_exposure(only(tmp_path), LINEAR, ReadOptions(colour=True))
    grey = exposure.images / exposure.lights.grey_intensity[:, None, None]
    np.testing.assert_allclose(grey, 0.3 * HUE.mean() * photographs(), atol=2e-5)
    assert exposure.colour is not None
    light = exposure.colour / exposure.lights.intensity[:, :, None, None]
    truth = 0.3 * HUE[:, None, None] * photographs()[:, None]
    np.testing.assert_allclose(light, truth, atol=1e-4)


def test_albedo_in_colour(tmp_path: Path) -> None:
    images = coloured()
    images[1, 20, 20] = 1  # a highlight
    write_lights(write_deep(tmp_path / "s" / "a", images))
    evidence = load_evidence(only(tmp_path), LINEAR, None, ReadOptions(colour=True))
    grey = np.full((48, 48), 0.5, np.float32)
    maps = coloured_maps(evidence, grey)
    lit = photographs().sum(axis=0) > 0.1
    truth = np.broadcast_to(0.5 * HUE / HUE.mean(), (48, 48, 3))
    np.testing.assert_allclose(maps["albedo"][lit], truth[lit], atol=2e-3)
    assert (maps["albedo"][0, 0] == 0.5).all()
    np.testing.assert_allclose(maps["image"].mean(axis=2), evidence.images.mean(axis=0), atol=1e-6)
    with pytest.raises(ValueError, match="colour=True"):
        coloured_maps(load_evidence(only(tmp_path), LINEAR, None), grey)


def test_grey_photographs_in_colour(tmp_path: Path) -> None:
    write_capture(tmp_path / "s" / "a", colour=False)
    evidence = load_evidence(only(tmp_path), LINEAR, None, ReadOptions(colour=True))
    assert evidence.colour is not None
    assert (evidence.colour == evidence.images[:, None]).all()
    assert (evidence.channel_intensity == 1).all()


def test_each_channel_is_linearised_before_the_mean(tmp_path: Path) -> None:
    write_deep(tmp_path / "s" / "a", coloured() ** (1 / 2.2))
    write_lights(tmp_path / "s" / "a", np.ones((4, 3)))
    exposure = read_exposure(only(tmp_path), Transfer("gamma:2.2"))
    np.testing.assert_allclose(exposure.images, coloured().mean(axis=3), atol=1e-4)
    np.testing.assert_allclose(exposure.stored, (coloured() ** (1 / 2.2)).mean(axis=3), atol=1e-4)


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_ambient_light_is_subtracted_in_linear_light(tmp_path: Path, gamma: float) -> None:
    room = 0.05 + 0.1 * np.linspace(0, 1, 48)[None] * np.ones((48, 1))
    flashes = 0.7 * photographs()
    write_deep(tmp_path / "s" / "a", (flashes + room) ** (1 / gamma))
    write_lights(tmp_path / "s" / "a", np.ones((4, 3)))
    levels = np.rint(room ** (1 / gamma) * 65535).astype(np.uint16)
    for name in ("ambient_1.png", "ambient_2.png"):
        cv2.imwrite(str(tmp_path / "s" / "a" / name), levels)
    exposure = read_exposure(only(tmp_path), Transfer(f"gamma:{gamma}"))
    np.testing.assert_allclose(exposure.images, flashes, atol=2e-4)
    assert exposure.images.min() == 0
    expected = room.mean() / (flashes + room).mean()
    assert exposure.ambient_level == pytest.approx(expected, rel=1e-3)
    plain = read_exposure(only(tmp_path, ambient=""), Transfer(f"gamma:{gamma}"))
    np.testing.assert_allclose(plain.images, flashes + room, atol=2e-4)
    assert plain.ambient_level == 0


def test_saturation_in_any_channel(tmp_path: Path) -> None:
    images = coloured(0.2)
    images[1, 20, 20] = [0.1, 1.0, 0.1]
    images[2, 5, 6] = 0.9952
    images[3, 7, 8] = 0.99
    write_lights(write_deep(tmp_path / "s" / "a", images))
    found = read_exposure(only(tmp_path), LINEAR).saturated
    assert np.argwhere(found).tolist() == [[1, 20, 20], [2, 5, 6]]


def test_floats_have_no_full_scale_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "s" / "a"
    folder.mkdir(parents=True)
    for i, image in enumerate(photographs()):
        np.save(folder / f"f{i}.npy", image * 10)
    write_lights(folder, np.ones((4, 3)))
    capture = only(tmp_path)
    exposure = read_exposure(capture, LINEAR)
    assert not exposure.saturated.any()
    assert exposure.noise == 0
    np.testing.assert_array_equal(exposure.images, photographs() * np.float32(10))
    scaled = read_exposure(capture, LINEAR, ReadOptions(full_scale=7.0))
    assert scaled.saturated.any()
    np.testing.assert_allclose(scaled.images, photographs() * 10 / 7, rtol=1e-6)


def uneven(count: int = 4) -> np.ndarray:
    rows, columns = np.mgrid[:48, :48] / 47
    return np.stack([1 + 0.6 * k / count * columns - 0.4 * rows for k in range(count)])


@pytest.mark.parametrize("as_array", [False, True])
def test_flat_field(tmp_path: Path, as_array: bool) -> None:
    flat = uneven()
    raw = tmp_path / "raw"
    write_deep(raw / "s" / "a", 0.5 * photographs() * flat)
    write_lights(raw / "s" / "a", np.ones((4, 3)))
    if as_array:
        np.save(tmp_path / "white.npy", 3 * flat)
        files = flat_field_files(tmp_path / "white.npy")
    else:
        files = flat_field_files(write_deep(tmp_path / "white", 0.5 * flat))
    options = ReadOptions(flat=files, colour=True)
    exposure = read_exposure(only(raw), LINEAR, options)
    truth = 0.5 * photographs() * flat.mean(axis=(1, 2), keepdims=True)
    bright = truth > 0.1
    np.testing.assert_allclose(exposure.images[bright], truth[bright], rtol=0.02)
    bare = read_exposure(only(raw), LINEAR)
    assert np.abs(bare.images / np.maximum(truth, 1e-9) - 1)[bright].max() > 0.2
    assert exposure.colour is not None
    np.testing.assert_allclose(exposure.colour[:, 1], exposure.images, rtol=1e-5)
    half = read_exposure(only(raw), LINEAR, options, picks=[1, 3])
    np.testing.assert_array_equal(half.images, exposure.images[[1, 3]])
    np.testing.assert_array_equal(half.lights.directions, exposure.lights.directions[[1, 3]])


@pytest.mark.parametrize(
    ("flat", "reason"),
    [
        (uneven(3), "white: found a flat field of 3 lights, expected 4"),
        (uneven()[:, 1:], "white: found a flat field of 48x47 pixels, expected 48x48"),
        (uneven() * (np.arange(48) > 9), "white: light 1 of the flat field is dark"),
        (uneven() * 9, r"f0\.png: .* of the flat field is saturated"),
    ],
)
def test_flat_fields_that_do_not_fit(tmp_path: Path, flat: np.ndarray, reason: str) -> None:
    write_capture(tmp_path / "raw" / "s" / "a")
    files = flat_field_files(write_deep(tmp_path / "white", np.minimum(flat * 0.4, 1)))
    with pytest.raises(MalformedInputError, match=reason):
        read_exposure(only(tmp_path / "raw"), LINEAR, ReadOptions(flat=files))


def test_a_flat_field_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no such file or folder"):
        flat_field_files(tmp_path / "none")
    with pytest.raises(MalformedInputError, match="holds no photographs"):
        flat_field_files(tmp_path)


def test_a_mask_of_nothing_and_of_another_size(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a")
    cv2.imwrite(str(folder / "mask.png"), np.zeros((48, 48), np.uint8))
    with pytest.raises(MalformedInputError, match=r"mask\.png: a mask of nothing"):
        read_exposure(only(tmp_path), LINEAR)
    cv2.imwrite(str(folder / "mask.png"), np.full((47, 48), 255, np.uint8))
    (capture,) = survey_captures(find_captures([tmp_path])).captures
    assert capture.problem == "mask.png: found 48x47 pixels, expected 48x48 as im0.bmp"


def test_16_bit_beside_8_bit_is_named(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a", suffix="png")
    image = cv2.imread(str(folder / "im2.png"), cv2.IMREAD_UNCHANGED)
    assert cv2.imwrite(str(folder / "im2.png"), image.astype(np.uint16) * 257)
    (found,) = find_captures([tmp_path])
    message = "im2.png: found 16 bit values, expected 8 bit as im0.png"
    assert survey_captures([found]).captures[0].problem == message
    with pytest.raises(MalformedInputError, match=message):
        read_exposure(found, LINEAR)


def test_the_checksum_is_that_of_the_files(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a")
    capture = only(tmp_path)
    first = read_exposure(capture, LINEAR).source_sha256
    total = hashlib.sha256()
    for path in capture.files:
        total.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    assert first == total.hexdigest()
    (folder / "metadataII.txt").write_text("a,b,c,d,e,f,g\n")
    assert read_exposure(capture, LINEAR).source_sha256 != first


def test_framing_moves_everything_together(tmp_path: Path) -> None:
    images = coloured(0.25)
    images[1, 20, 20] = 1
    write_lights(write_deep(tmp_path / "s" / "a", images))
    cv2.imwrite(str(tmp_path / "s" / "a" / "mask.png"), np.full((48, 48), 255, np.uint8))
    exposure = read_exposure(only(tmp_path), LINEAR, ReadOptions(colour=True))
    shifts = [(0, 0), (3, -2), (0.5, 0), (0, 0)]
    evidence = frame_evidence(exposure, 24, shifts)
    assert evidence.colour is not None
    assert evidence.given_mask is not None
    assert evidence.images.shape == evidence.saturated.shape == (4, 24, 24)
    assert evidence.colour.shape == (4, 3, 24, 24)
    assert evidence.given_mask.all()
    whole = frame_evidence(exposure, None, shifts)
    assert np.argwhere(whole.saturated).tolist() == [[1, 22, 17]]
    np.testing.assert_array_equal(whole.images[1][4:40, 4:40], exposure.images[1][2:38, 7:43])
