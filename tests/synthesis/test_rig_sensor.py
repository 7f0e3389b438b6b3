"""Flashes where they should be, and a sensor that counts light."""

import numpy as np
import pytest

from fr3d.errors import UsageError
from fr3d.synthesis.rig import Rig, sample_lights
from fr3d.synthesis.sensor import EXPOSURE, Sensor, develop, falloff


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def exposed(light: float, sensor: Sensor, size: int = 200) -> np.ndarray:
    noise = rng().standard_normal((size, size))
    return develop(np.full((size, size), light), noise, sensor, 1.0)


def test_the_sensor_is_linear_and_its_noise_grows_with_light() -> None:
    dark, bright = exposed(0.05, Sensor()), exposed(0.5, Sensor())
    assert dark.mean() == pytest.approx(0.05 * EXPOSURE, abs=0.1)
    assert bright.mean() == pytest.approx(0.5 * EXPOSURE, abs=0.1)
    assert bright.std() > 1.5 * dark.std() > 0.3
    assert exposed(5.0, Sensor()).min() == 255


def test_sixteen_bits_hold_the_same_light_in_finer_steps() -> None:
    coarse, fine = exposed(0.31, Sensor(noise=0.0)), exposed(0.31, Sensor(bits=16, noise=0.0))
    assert coarse[0, 0] == round(0.31 * EXPOSURE)
    assert fine[0, 0] / 65535 == pytest.approx(0.31 * EXPOSURE / 255, abs=1e-5)


def test_a_tone_curve_is_undone_by_its_gamma() -> None:
    share = exposed(0.2, Sensor(gamma=2.2, noise=0.0, bits=16))[0, 0] / 65535
    assert share**2.2 == pytest.approx(0.2 * EXPOSURE / 255, abs=1e-4)


def test_vignetting_is_nothing_in_the_centre_and_full_in_the_corners() -> None:
    grid = falloff((5, 9))
    assert grid[2, 4] == 0
    assert grid[0, 0] == grid[-1, -1] == 1


@pytest.mark.parametrize("words", [{"bits": 12}, {"gamma": 0.0}, {"gamma": 9.0}])
def test_sensors_that_cannot_be(words: dict) -> None:
    with pytest.raises(UsageError):
        Sensor(**words)


def test_lights_stand_where_photofaces_stood() -> None:
    lights = sample_lights(rng(), Rig())
    assert np.allclose(lights.zenith, [36, 42, 40, 36], atol=3.1)
    assert np.allclose(lights.azimuth, [134, 47, 313, 233], atol=3.1)
    assert np.array_equal(lights.zenith, np.round(lights.zenith, 1))
    assert np.linalg.cond(lights.directions) < 3
    assert (lights.intensity == 1).all()
    narrow = sample_lights(rng(), Rig("narrow"))
    assert np.allclose(narrow.zenith, [15.7, 17.9, 18.4, 20.0], atol=3.1)


def test_a_ring_surrounds_the_camera_evenly() -> None:
    lights = sample_lights(rng(), Rig("ring", lights=8))
    assert np.abs(lights.directions[:, :2].mean(axis=0)).max() < 0.06
    assert len(np.unique(np.round(lights.azimuth / 45))) >= 7


@pytest.mark.parametrize("count", [3, 4, 12])
def test_random_lights_span_space_and_differ_between_sessions(count: int) -> None:
    draws = [
        sample_lights(np.random.default_rng(k), Rig("random", lights=count)) for k in range(20)
    ]
    for lights in draws:
        assert np.linalg.cond(lights.directions) < 25
        assert lights.directions[:, 2].min() > np.cos(np.deg2rad(69))
    assert np.std([lights.azimuth[0] for lights in draws]) > 40


def test_uneven_flashes_are_uneven() -> None:
    lights = sample_lights(rng(), Rig(uneven=0.2))
    assert 0.5 < lights.intensity.min() < lights.intensity.max() < 2
    assert lights.intensity.std() > 0.02


def test_rigs_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="cannot show a normal"):
        Rig("random", lights=2)
    with pytest.raises(UsageError, match="four lights"):
        Rig("narrow", lights=5)
