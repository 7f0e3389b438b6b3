"""Intensities pooled over sessions: skin under flashes of known strength."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction
from fr3d.photometric.calibration.rig import (
    SessionPixels,
    lit_pixels,
    pool_intensities,
)

CORNERS = direction([36.0, 42, 40, 36], [134.0, 47, 313, 233])
TRUE = np.array([1.0, 0.8, 1.15, 0.9])
TRUE = TRUE / np.exp(np.log(TRUE).mean())


def session(
    seed: int, noise: float = 0.01, bad: float = 0.0, lights: NDArray = CORNERS, e: NDArray = TRUE
) -> SessionPixels:
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=(600, 3)) * [0.35, 0.35, 0] + [0, 0, 1]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    light = np.maximum(normal @ lights.T, 0) * rng.uniform(0.3, 0.8, (600, 1)) * e
    light *= 1 + noise * rng.normal(size=light.shape)
    glossy = rng.random(600) < bad
    light[glossy, 0] *= 1.6
    return SessionPixels(light, lights)


def test_intensities_come_out_of_consistent_pixels() -> None:
    found = pool_intensities([session(seed) for seed in range(12)])
    np.testing.assert_allclose(found.intensity, TRUE, rtol=3e-3)
    np.testing.assert_allclose(found.directions, CORNERS, atol=1e-12)
    assert found.sessions == 12
    assert found.residual < 0.02
    assert np.exp(np.log(found.intensity).mean()) == pytest.approx(1)


def test_a_share_of_highlights_does_not_pull_them() -> None:
    found = pool_intensities([session(seed, bad=0.15) for seed in range(12)])
    np.testing.assert_allclose(found.intensity, TRUE, rtol=0.01)


def test_the_spread_is_that_of_repeated_rigs() -> None:
    rigs = [[session(100 * rig + seed, noise=0.05) for seed in range(15)] for rig in range(12)]
    found = [pool_intensities(rig) for rig in rigs]
    between = np.std([np.log(f.intensity) for f in found], axis=0)
    claimed = np.mean([f.spread for f in found], axis=0)
    assert (claimed < 2.5 * between).all()
    assert (claimed > between / 2.5).all()
    again = pool_intensities(rigs[0])
    np.testing.assert_array_equal(found[0].spread, again.spread)


def test_five_lights_are_pooled_as_well() -> None:
    lights = direction([20.0, 35, 40, 30, 45], [10.0, 80, 150, 230, 300])
    e = np.array([1.2, 0.7, 1.0, 0.9, 1.1])
    e = e / np.exp(np.log(e).mean())
    found = pool_intensities([session(seed, lights=lights, e=e) for seed in range(12)])
    np.testing.assert_allclose(found.intensity, e, rtol=5e-3)


def test_too_little_is_refused() -> None:
    with pytest.raises(MalformedInputError, match="expected at least 10"):
        pool_intensities([session(seed) for seed in range(9)])
    with pytest.raises(MalformedInputError, match="three lights"):
        pool_intensities([session(s, lights=CORNERS[:3], e=TRUE[:3]) for s in range(12)])
    mixed = [session(s) for s in range(6)]
    mixed += [session(s, lights=CORNERS[:3], e=TRUE[:3]) for s in range(6)]
    with pytest.raises(MalformedInputError, match="one number"):
        pool_intensities(mixed)


def test_directions_of_another_order_are_noticed() -> None:
    swapped = [SessionPixels(session(seed).values, CORNERS[[1, 0, 2, 3]]) for seed in range(12)]
    with pytest.raises(MalformedInputError, match="do not agree"):
        pool_intensities(swapped)


def test_pixels_in_shadow_or_saturated_are_left_out() -> None:
    images = np.full((4, 3, 40), 0.5, np.float32)
    images[0, 0] = 0.05  # a shadow
    images[1, 1] = 1.0  # saturated
    mask = np.ones((3, 40), bool)
    mask[2, 20:] = False
    assert lit_pixels(images, mask, CORNERS).values.shape == (20, 4)
