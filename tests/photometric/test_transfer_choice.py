from pathlib import Path

import cv2
import numpy as np
import pytest
from lit_sphere import photographs, write_capture

from fr3d.photometric.capture import find_captures
from fr3d.photometric.exposure import ReadOptions
from fr3d.photometric.transfer import LINEAR, Transfer
from fr3d.photometric.transfer_choice import CANDIDATES, choose_transfer


def encode(values: np.ndarray, name: str) -> np.ndarray:
    """The inverse of the transfer function, by its definition."""
    if name == "linear":
        return values
    if name == "srgb":
        curve = 1.055 * np.maximum(values, 1e-9) ** (1 / 2.4) - 0.055
        return np.where(values <= 0.0031308, 12.92 * values, curve)
    return values ** (1 / 2.2)


def write_people(root: Path, name: str, count: int = 4, lights: int = 4) -> None:
    rng = np.random.default_rng(5)
    for k in range(count):
        folder = write_capture(root / f"p{k}" / "a", size=96)
        for i, image in enumerate(photographs(albedo=0.5 + 0.1 * k, size=96)):
            noisy = encode(image, name) + rng.normal(0, 0.006, image.shape)
            levels = np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
            assert cv2.imwrite(str(folder / f"im{i}.bmp"), levels)
        for i in range(lights, 4):
            (folder / f"im{i}.bmp").unlink()
        rows = (folder / "LightSource.m").read_text().split("\n")[:lights]
        (folder / "LightSource.m").write_text("\n".join(rows).rstrip(";") + ("]" * (lights < 4)))


@pytest.mark.parametrize("name", [c.name for c in CANDIDATES])
def test_the_curve_that_was_applied_is_found(tmp_path: Path, name: str) -> None:
    write_people(tmp_path, name)
    choice = choose_transfer(find_captures([tmp_path]))
    assert choice.decided
    assert choice.sessions == 4
    # sRGB is close to a gamma of 2.2: noise may hide the difference, but not that to linear
    assert (choice.transfer.name == "linear") == (name == "linear")
    assert choice.errors[name] < 1.1 * min(choice.errors.values())
    # under the right curve nothing but noise is left, in stored values: 0.67 sigma at the median
    stored = encode(photographs(albedo=0.65, size=96), name)
    lit = stored.min(axis=0) > 0.25 * stored.max(axis=0)
    expected = np.median(0.6745 * 0.006 / stored[:, lit].mean(axis=0))
    assert choice.errors[name] == pytest.approx(expected, rel=0.15)


def test_the_sample_depends_on_the_list_alone(tmp_path: Path) -> None:
    write_people(tmp_path, "srgb", count=7)
    captures = find_captures([tmp_path])
    first = choose_transfer(captures, sessions=3)
    assert first == choose_transfer(captures, sessions=3)
    assert first.sessions == 3


def test_three_lights_cannot_tell(tmp_path: Path) -> None:
    write_people(tmp_path, "srgb", lights=3)
    captures = find_captures([tmp_path])
    assert not any(c.problem for c in captures)
    choice = choose_transfer(captures)
    assert (choice.transfer, choice.decided, choice.errors) == (LINEAR, False, {})
    assert choice.reason.startswith("no session has four lights")


def test_unknown_lights_cannot_tell(tmp_path: Path) -> None:
    write_people(tmp_path, "srgb")
    captures = find_captures([tmp_path], estimate=True)
    assert not choose_transfer(captures, ReadOptions(estimate_lights=True)).decided


def test_one_session_of_noise_cannot_tell(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "p" / "a", size=96)
    rng = np.random.default_rng(0)
    for i in range(4):
        levels = rng.integers(120, 200, (96, 96), dtype=np.uint8)
        assert cv2.imwrite(str(folder / f"im{i}.bmp"), levels)
    choice = choose_transfer(find_captures([tmp_path]))
    assert not choice.decided
    assert "cannot tell" in choice.reason
    assert choice.transfer == LINEAR


@pytest.mark.parametrize("transfer", [*CANDIDATES, Transfer("gamma:1.8")])
def test_the_slope_is_the_derivative(transfer: Transfer) -> None:
    values = np.linspace(0.01, 0.99, 57, dtype=np.float32)
    step = 1e-3
    change = transfer.linear(values + np.float32(step)) - transfer.linear(values - np.float32(step))
    np.testing.assert_allclose(transfer.slope(values), change / (2 * step), rtol=2e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_levels_by_table_and_by_formula(dtype: type) -> None:
    top = {np.uint8: 255, np.uint16: 4095, np.float32: 2}[dtype]
    levels = np.linspace(0, top, 60).astype(dtype).reshape(4, 5, 3)
    expected = (levels.astype(np.float32) / np.float32(top)) ** 2.2
    np.testing.assert_allclose(
        Transfer("gamma:2.2").of_levels(levels, top), expected, rtol=1e-4, atol=1e-7
    )
