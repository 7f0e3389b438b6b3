import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lit_sphere import AZIMUTH, ZENITH, degrees, photographs, sphere_normals
from scipy.spatial.transform import Rotation

from fr3d.geometry.lights import direction
from fr3d.photometric.solvers.linear import SOLVERS, shade, split_scaled_normal

LIGHTS = direction(ZENITH, AZIMUTH)
BOTH = pytest.mark.parametrize("solver", list(SOLVERS.values()), ids=list(SOLVERS))


def unshadowed(images: np.ndarray) -> np.ndarray:
    return (images > 0).all(axis=0)


@BOTH
def test_sphere_is_exact_where_all_lights_reach(solver) -> None:
    images = photographs()
    albedo, normal = split_scaled_normal(solver(images, LIGHTS, None))
    truth, mask = sphere_normals()
    lit = unshadowed(images) & mask
    assert lit.mean() > 0.2
    assert degrees(normal, truth)[lit].max() < 0.1
    np.testing.assert_allclose(albedo[lit], 0.7, rtol=1e-4)


def test_ratio_forgives_attached_shadows() -> None:
    """On the whole sphere, shadowed rim included, weighting must pay."""
    images = photographs()
    truth, mask = sphere_normals()
    error = {
        name: degrees(split_scaled_normal(solve(images, LIGHTS, None))[1], truth)[mask].mean()
        for name, solve in SOLVERS.items()
    }
    assert error["ratio"] < 0.6 * error["ls"]
    assert error["ratio"] < 4


def slow_weighted(images: np.ndarray, lights: np.ndarray, saturated: np.ndarray) -> np.ndarray:
    """The weighted solution pixel by pixel in float64."""
    out = np.empty((3, images.shape[1]))
    for p in range(images.shape[1]):
        intensity = images[:, p].astype(float)
        weight = np.maximum(intensity / intensity.max(), 0.02)
        weight = np.where(saturated[:, p], 0.05 * weight, weight)
        root = np.sqrt(weight)
        out[:, p] = np.linalg.lstsq(lights * root[:, None], intensity * root, rcond=None)[0]
    return out


@pytest.mark.parametrize("count", [3, 4, 7, 24])
@pytest.mark.parametrize("zenith", [4.0, 40.0])
def test_against_slow_solutions(count: int, zenith: float) -> None:
    rng = np.random.default_rng(count)
    lights = direction(zenith * rng.uniform(0.5, 1, count), np.arange(count) * 360 / count)
    images = rng.uniform(0.05, 1, (count, 300)).astype(np.float32)
    saturated = images > 0.9
    scale = np.linalg.cond(lights)
    plain = np.linalg.lstsq(lights, images.astype(float), rcond=None)[0]
    np.testing.assert_allclose(SOLVERS["ls"](images, lights, None), plain, atol=1e-5 * scale)
    np.testing.assert_allclose(
        SOLVERS["ratio"](images, lights, saturated),
        slow_weighted(images, lights, saturated),
        atol=1e-4 * scale,
    )


@BOTH
@given(st.permutations(range(4)))
@settings(max_examples=20)
def test_the_order_of_lights_changes_nothing(solver, order: list[int]) -> None:
    images = photographs(size=24)
    found = solver(images[order], LIGHTS[order], None)
    np.testing.assert_allclose(found, solver(images, LIGHTS, None), atol=1e-5)


@BOTH
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_rotating_the_lights_rotates_the_normals(solver, seed: int) -> None:
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    images = photographs(size=24)
    turned = solver(images, LIGHTS @ turn.T, None)
    expected = np.einsum("ij,jhw->ihw", turn, solver(images, LIGHTS, None))
    np.testing.assert_allclose(turned, expected, atol=1e-5)


@BOTH
def test_black_pixels_stay_black_and_finite(solver) -> None:
    g = solver(np.zeros((4, 5, 6), np.float32), LIGHTS, None)
    albedo, normal = split_scaled_normal(g)
    assert (albedo == 0).all()
    assert (normal == 0).all()


def test_saturated_values_lose_weight() -> None:
    images = photographs(albedo=1.0)
    clipped = np.minimum(images, 0.8).astype(np.float32)
    truth, mask = sphere_normals()
    lit = unshadowed(images) & mask & ((images > 0.8).sum(axis=0) == 1)

    def error(saturated) -> float:
        found = split_scaled_normal(SOLVERS["ratio"](clipped, LIGHTS, saturated))[1]
        return degrees(found, truth)[lit].mean()

    assert error(clipped >= 0.8) < 0.4 * error(None)


def test_shade_inverts_the_solution() -> None:
    g = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(shade(LIGHTS, g), np.einsum("lc,chw->lhw", LIGHTS, g), atol=1e-6)


@pytest.mark.benchmark
@BOTH
def test_speed(solver, record_property) -> None:
    images = np.random.default_rng(0).uniform(size=(4, 256, 256)).astype(np.float32)
    best = min(_timed(lambda: solver(images, LIGHTS, None)) for _ in range(20))
    record_property("ms", 1000 * best)


def _timed(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
