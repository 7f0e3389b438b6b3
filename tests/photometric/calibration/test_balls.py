"""Balls with lights at known places: outline, mirror highlights, matte shading."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError
from fr3d.geometry.lights import direction
from fr3d.photometric.calibration.ball import Ball, ball_of_mask, find_ball
from fr3d.photometric.calibration.balls import chrome_lights, diffuse_lights
from fr3d.photometric.calibration.chrome import find_highlight, mirror
from fr3d.photometric.calibration.diffuse import fit_shading
from fr3d.photometric.calibration.folder import list_folder, locate_ball
from fr3d.photometric.transfer import Transfer

BALL = Ball(83.3, 61.7, 52.4)
SHAPE = (130, 160)
LINEAR = Transfer()
TWELVE = direction(np.linspace(5, 60, 12), np.arange(12) * 77.0)


def chrome_image(light: NDArray, ball: Ball = BALL) -> NDArray[np.float32]:
    """A mirror ball: a spot where the normal halves the way from the light to the camera."""
    normal, inside = ball.surface(*SHAPE)
    half = light + np.array([0, 0, 1])
    half /= np.linalg.norm(half)
    cosine = np.einsum("chw,c->hw", normal, half)
    spot = np.exp(-(1 - cosine) / 1e-3)
    return np.where(inside, 0.03 + spot, 0.01).clip(0, 1).astype(np.float32)


def matte_image(
    light: NDArray, intensity: float = 0.8, ball: Ball = BALL, seed: int | None = 0
) -> NDArray[np.float32]:
    normal, _ = ball.surface(*SHAPE)
    image = intensity * np.maximum(np.einsum("chw,c->hw", normal, light), 0)
    noise = 0 if seed is None else np.random.default_rng(seed).normal(0, 0.004, SHAPE)
    return (image + noise).clip(0, 1).astype(np.float32)


def apart(a: NDArray, b: NDArray) -> float:
    return float(np.rad2deg(np.arccos(np.clip(a @ b, -1, 1))))


def write(folder: Path, images: list, name: str = "ball.{}.png") -> Path:
    folder.mkdir()
    for number, image in enumerate(images):
        levels = np.rint(np.asarray(image) * 65535).astype(np.uint16)
        assert cv2.imwrite(str(folder / name.format(number)), levels)
    return folder


def write_mask(folder: Path, ball: Ball = BALL) -> None:
    _, inside = ball.surface(*SHAPE)
    assert cv2.imwrite(str(folder / "ball.mask.png"), inside.astype(np.uint8) * 255)


@settings(max_examples=20, deadline=None)
@given(x=st.floats(60, 95), y=st.floats(55, 75), radius=st.floats(20, 50))
def test_a_mask_gives_its_ball(x: float, y: float, radius: float) -> None:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    found = ball_of_mask(np.hypot(columns - x, rows - y) < radius, "mask")
    np.testing.assert_allclose([found.x, found.y], [x, y], atol=0.15)
    assert found.radius == pytest.approx(radius, abs=0.35)


def test_a_ball_on_a_stand_and_cut_off_is_still_found() -> None:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    mask = np.hypot(columns - 80, rows - 30) < 45
    mask |= (np.abs(columns - 80) < 12) & (rows > 70)
    found = ball_of_mask(mask, "mask")
    np.testing.assert_allclose([found.x, found.y, found.radius], [80, 30, 45], atol=0.6)


@pytest.mark.parametrize("shape", ["square", "nothing", "all", "speck"])
def test_what_is_no_disc_is_refused(shape: str) -> None:
    mask = np.zeros(SHAPE, bool)
    if shape == "square":
        mask[20:100, 30:110] = True
    elif shape == "speck":
        mask[50:54, 50:54] = True
    mask |= shape == "all"
    with pytest.raises(MalformedInputError, match="no disc") as error:
        ball_of_mask(mask, "m.png")
    assert "--mask" in error.value.hint


def test_a_matte_ball_is_found_without_a_mask() -> None:
    image = np.maximum(matte_image(direction(20, 30)), matte_image(direction(25, 230)))
    found = find_ball(image, "folder")
    np.testing.assert_allclose([found.x, found.y], [BALL.x, BALL.y], atol=1.5)
    assert found.radius == pytest.approx(BALL.radius, abs=2)
    with pytest.raises(MalformedInputError, match="no ball"):
        find_ball(np.random.default_rng(0).random(SHAPE, np.float32), "folder")


@pytest.mark.parametrize("light", TWELVE)
def test_a_mirror_ball_shows_where_the_light_is(light: NDArray) -> None:
    found = find_highlight(chrome_image(light), BALL, "im")
    assert apart(found.direction, light) < 0.4
    assert apart(found.direction, light) < 3 * found.uncertainty_deg
    normal = np.array([found.x - BALL.x, BALL.y - found.y, 0]) / BALL.radius
    normal[2] = np.sqrt(1 - normal @ normal)
    # The light is not the normal under the highlight, but twice as far from the camera's axis.
    assert apart(found.direction, normal) > 2
    zenith = apart(found.direction, np.array([0, 0, 1]))
    assert zenith == pytest.approx(2 * apart(normal, np.array([0, 0, 1])), abs=1e-6)


def test_a_mirror_turns_the_view_into_the_light() -> None:
    normal = direction([0.0, 30, 45, 60], [0.0, 50, 90, 200])
    expected = direction([0.0, 60, 90, 120], [0.0, 50, 90, 200])
    np.testing.assert_allclose(mirror(normal), expected, atol=1e-12)


def test_the_largest_of_two_highlights_counts() -> None:
    light = direction(30, 80)
    image = chrome_image(light)
    image[30, 60] = 1.0
    assert apart(find_highlight(image, BALL, "im").direction, light) < 0.4


def test_a_ball_without_a_highlight_is_refused() -> None:
    with pytest.raises(MalformedInputError, match=r"im7: no highlight"):
        find_highlight(np.full(SHAPE, 0.02, np.float32), BALL, "im7")
    with pytest.raises(MalformedInputError, match="highlight") as error:
        find_highlight(matte_image(direction(20, 10)), BALL, "im7")
    assert "diffuse" in error.value.hint


@settings(max_examples=25, deadline=None)
@given(zenith=st.floats(0, 75), azimuth=st.floats(0, 360), intensity=st.floats(0.1, 0.9))
def test_a_matte_ball_gives_direction_and_intensity(
    zenith: float, azimuth: float, intensity: float
) -> None:
    light = direction(zenith, azimuth)
    found = fit_shading(matte_image(light, intensity), BALL, "im")
    assert apart(found.direction, light) < 0.5
    assert found.intensity == pytest.approx(intensity, rel=0.01)
    assert found.residual < 0.06
    known = fit_shading(matte_image(light, intensity), BALL, "im", light)
    assert known.intensity == pytest.approx(intensity, rel=0.01)


def test_stains_and_the_own_shadow_do_not_pull_the_fit() -> None:
    light = direction(55, 120)
    image = matte_image(light, seed=None)
    image[50:62, 90:104] *= 0.5
    image[30:36, 70:78] = 0.95
    found = fit_shading(image, BALL, "im")
    assert apart(found.direction, light) < 1.0
    assert found.intensity == pytest.approx(0.8, rel=0.02)
    normal, inside = BALL.surface(*SHAPE)
    plain = np.linalg.lstsq(normal[:, inside].T, image[inside], rcond=None)[0]
    assert apart(plain / np.linalg.norm(plain), light) > 3  # what least squares over all gives


def test_the_doubt_of_a_direction_grows_with_what_does_not_fit() -> None:
    light = direction(30, 45)
    clean = fit_shading(matte_image(light), BALL, "im")
    normal, _ = BALL.surface(*SHAPE)
    painted = matte_image(light) * (1 + 0.3 * normal[0])
    assert fit_shading(painted, BALL, "im").uncertainty_deg > 5 * clean.uncertainty_deg


@pytest.mark.parametrize("what", ["dark", "chrome"])
def test_what_is_not_matte_is_refused(what: str) -> None:
    image = chrome_image(direction(30, 40)) if what == "chrome" else np.zeros(SHAPE, np.float32)
    with pytest.raises(MalformedInputError, match="im3"):
        fit_shading(image, BALL, "im3")


def test_photographs_go_by_number_not_by_letter(tmp_path) -> None:
    folder = list_folder(write(tmp_path / "b", [chrome_image(light) for light in TWELVE]))
    assert folder.mask is None
    write_mask(tmp_path / "b")
    folder = list_folder(tmp_path / "b")
    assert folder.mask is not None
    ball = locate_ball(folder, LINEAR)
    warned: list[str] = []
    lights = chrome_lights(folder, ball, LINEAR, warned.append)
    assert max(apart(a.direction, b) for a, b in zip(lights, TWELVE, strict=True)) < 0.6
    assert lights[10].source == "ball.10.png"
    assert not warned


def test_a_highlight_at_the_rim_is_warned_of(tmp_path) -> None:
    folder = write(tmp_path / "b", [chrome_image(direction(120, 70))])
    write_mask(folder)
    listed = list_folder(folder)
    warned: list[str] = []
    lights = chrome_lights(listed, locate_ball(listed, LINEAR), LINEAR, warned.append)
    assert "rim" in warned[0]
    assert lights[0].uncertainty_deg > 1


def test_colours_of_lights_are_told_apart(tmp_path) -> None:
    tint = np.array([1.0, 0.8, 0.5])  # red, green, blue
    images = [
        matte_image(TWELVE[0], 0.8)[..., None] * tint[::-1],
        matte_image(TWELVE[1], 0.4)[..., None] * np.ones(3),
    ]
    folder = list_folder(write(tmp_path / "b", images))
    lights = diffuse_lights(folder, BALL, LINEAR)
    first, second = (np.array(light.intensity) for light in lights)
    np.testing.assert_allclose(first / first[0], tint, rtol=0.01)
    np.testing.assert_allclose(second, second.mean(), rtol=0.01)
    assert first.mean() * second.mean() == pytest.approx(1, rel=1e-6)
    ratio = 0.8 * tint.mean() / 0.4
    assert first.mean() / second.mean() == pytest.approx(ratio, rel=0.01)


def test_a_wrong_transfer_shows_in_the_residual(tmp_path) -> None:
    encoded = [matte_image(TWELVE[5], seed=None) ** (1 / 2.2)]
    folder = list_folder(write(tmp_path / "b", encoded))
    right = diffuse_lights(folder, BALL, Transfer("gamma:2.2"))[0]
    wrong = diffuse_lights(folder, BALL, LINEAR)[0]
    assert right.residual < 0.01
    assert wrong.residual > 0.04


def test_folders_that_do_not_fit_are_refused(tmp_path) -> None:
    with pytest.raises(MissingInputError, match="no such folder"):
        list_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MalformedInputError, match="no photographs") as error:
        list_folder(tmp_path / "empty")
    assert "--rig" in error.value.hint
    folder = write(tmp_path / "b", [matte_image(TWELVE[0]), matte_image(TWELVE[1])[:100]])
    with pytest.raises(Fr3dError, match="pixels, expected"):
        locate_ball(list_folder(folder), LINEAR)
    with pytest.raises(MalformedInputError, match="3, one for each"):
        diffuse_lights(list_folder(folder), BALL, LINEAR, TWELVE[:3])
