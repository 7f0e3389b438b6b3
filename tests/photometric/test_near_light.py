"""Near lights against surfaces and intensities in closed form."""

import numpy as np
import pytest
from lit_sphere import degrees
from near_head import FACE, FOUR, MM, SIDE, head, lit, pixels_mm

from fr3d.errors import UsageError
from fr3d.geometry.lights import direction
from fr3d.photometric.integration.integrate import integrate
from fr3d.photometric.near_light import NearLights, as_distant, shade_near, solve_near
from fr3d.photometric.solvers.linear import split_scaled_normal
from fr3d.photometric.solvers.solve import solve


def depth_of(normal: np.ndarray, mask: np.ndarray) -> np.ndarray:
    found = integrate(normal[None], mask[None]).depth[0]
    return np.asarray(found, np.float32)


def distant_solution(images: np.ndarray, lights: NearLights, solver: str) -> np.ndarray:
    return np.asarray(solve(images[None], lights.directions[None], None, solver)[0])


def depth_error(depth: np.ndarray, z: np.ndarray, mask: np.ndarray) -> float:
    """Mean absolute, mm."""
    miss = (depth * MM - z)[mask]
    return float(np.abs(miss - miss.mean()).mean())


@pytest.mark.parametrize("solver", ["ls", "ratio"])
@pytest.mark.parametrize("distance", [1.5, 2, 4, 8])
def test_near_lights_beat_distant_ones(distance: float, solver: str) -> None:
    """At so many times the size of the face."""
    points, normal, mask = head()
    lights = NearLights(FOUR * FACE * distance)
    images = lit(points, normal, lights)
    far = split_scaled_normal(solve(images[None], lights.directions[None], None, solver)[0])[1]
    found = solve_near(images, lights, MM, mask, depth_of, solver=solver)
    near = split_scaled_normal(found.g)[1]
    wrong = degrees(far, normal)[mask].mean()
    assert wrong > 20 / distance
    assert degrees(near, normal)[mask].mean() < 0.05 * wrong
    far_depth = depth_error(depth_of(far, mask), points[2], mask)
    assert depth_error(found.depth, points[2], mask) < 0.05 * far_depth
    assert len(found.changes) < 8
    assert found.changes[-1] < 0.02 < found.changes[0]
    assert np.isnan(found.depth[~mask]).all()


def test_albedo_is_the_surface_s_own() -> None:
    points, normal, mask = head()
    found = solve_near(
        lit(points, normal, NearLights(FOUR * 400)), NearLights(FOUR * 400), MM, mask, depth_of
    )
    albedo = split_scaled_normal(found.g)[0][mask]
    assert albedo == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("solver", ["ls", "ratio"])
def test_far_away_it_is_the_distant_solution(solver: str) -> None:
    points, normal, mask = head()
    lights = NearLights(FOUR * FACE * 1e5)
    images = lit(points, normal, lights)
    images += np.random.default_rng(0).normal(0, 0.01, images.shape).astype(np.float32)
    distant = solve(images[None], lights.directions[None], None, solver)[0]
    found = solve_near(images, lights, MM, mask, depth_of, solver=solver)
    assert found.g[:, mask] == pytest.approx(distant[:, mask], abs=1e-4)


def test_lamps_that_shine_ahead() -> None:
    """Lambertian LEDs that point past the face; without their beam the result is far off."""
    points, normal, mask = head()
    positions = FOUR * 2 * FACE
    ahead = np.tile([0.0, 0, -1], (4, 1))
    lights = NearLights(positions, ahead, np.full(4, 2.0))
    images = lit(points, normal, lights)
    found = solve_near(images, lights, MM, mask, depth_of)
    alike = solve_near(images, NearLights(positions), MM, mask, depth_of)
    miss, blind = (
        degrees(split_scaled_normal(s.g)[1], normal)[mask].mean() for s in (found, alike)
    )
    assert miss < 0.3
    assert blind > 5 * miss


def test_a_near_camera() -> None:
    """A ball seen from half a metre, by rays that meet in the camera."""
    camera, radius = 500.0, 120.0
    x, y = pixels_mm()
    ray = np.stack([x, y, np.full_like(x, -camera)]) / camera  # for each mm away from the camera
    start = np.array([0, 0, camera])
    low = 110.0  # the ball's centre lies so far behind the plane
    offset = start + np.array([0, 0, low])
    a, b = (ray**2).sum(axis=0), ray[2] * offset[2]
    root = b**2 - a * (offset[2] ** 2 - radius**2)
    along = (-b - np.sqrt(np.maximum(root, 0))) / a
    points = start[:, None, None] + along * ray
    mask = (root > 0) & (np.hypot(points[0], points[1]) < 80)
    points[2] -= (level := points[2][mask].mean())
    normal = (points + np.array([0, 0, low + level])[:, None, None]) / radius * mask
    lights = NearLights(FOUR * 400)
    images = lit(points, normal, lights)
    focal = camera / MM
    k = [[focal, 0, (SIDE - 1) / 2], [0, focal, (SIDE - 1) / 2], [0, 0, 1]]

    def perspective(unit: np.ndarray, inside: np.ndarray) -> np.ndarray:
        return np.asarray(integrate(unit[None], inside[None], camera=k).depth[0], np.float32)

    mm = MM * (camera - level) / camera  # a pixel at the mean depth
    found = solve_near(images, lights, mm, mask, perspective, camera_mm=camera - level)
    flat = solve_near(images, lights, mm, mask, depth_of)
    miss, plain = (degrees(split_scaled_normal(s.g)[1], normal)[mask].mean() for s in (found, flat))
    assert miss < 0.5
    deep, shallow = (depth_error(s.depth * mm / MM, points[2], mask) for s in (found, flat))
    assert miss < 0.3 * plain
    assert deep < 0.3 * shallow


def test_where_the_axis_meets_the_picture() -> None:
    """A picture cut from a larger one keeps its place under the lights."""
    points, normal, mask = head()
    lights = NearLights(FOUR * 300)
    images = lit(points, normal, lights)
    whole = solve_near(images, lights, MM, mask, depth_of)
    cut = (slice(None), slice(5, None), slice(3, None))
    middle = (SIDE - 1) / 2
    part = solve_near(
        images[cut], lights, MM, mask[cut[1:]], depth_of, centre=(middle - 3, middle - 5)
    )
    inside = mask[cut[1:]]
    assert part.g[:, inside] == pytest.approx(whole.g[cut][:, inside], abs=2e-3)


def test_saturated_values_hardly_count() -> None:
    points, normal, mask = head()
    lights = NearLights(direction(np.full(6, 40.0), np.arange(6) * 60.0) * 400)
    images = lit(points, normal, lights)
    limit = np.float32(np.quantile(images[:, mask], 0.9))
    cut, saturated = np.minimum(images, limit), images >= limit
    kept = solve_near(cut, lights, MM, mask, depth_of, solver="ls", saturated=saturated)
    plain = solve_near(cut, lights, MM, mask, depth_of, solver="ls")
    good, bad = (degrees(split_scaled_normal(s.g)[1], normal)[mask].mean() for s in (kept, plain))
    assert good < 0.5 * bad


def test_prediction_and_residuals() -> None:
    """The solution predicts its photographs; as distant ones they have the same residuals."""
    points, normal, mask = head()
    lights = NearLights(FOUR * 400)
    images = lit(points, normal, lights)
    found = solve_near(images, lights, MM, mask, depth_of)
    near = shade_near(found.g, lights, found.points)
    assert np.maximum(near, 0)[:, mask] == pytest.approx(images[:, mask], abs=0.02)
    noisy = images + np.random.default_rng(0).normal(0, 0.02, images.shape).astype(np.float32)
    distant = as_distant(noisy, found, lights)
    shaded = np.einsum("lc,chw->lhw", lights.directions, found.g)
    assert distant - np.maximum(shaded, 0) == pytest.approx(noisy - np.maximum(near, 0), abs=1e-5)


def test_rounds_end() -> None:
    points, normal, mask = head()
    lights = NearLights(FOUR * 300)
    found = solve_near(lit(points, normal, lights), lights, MM, mask, depth_of, rounds=2)
    assert len(found.changes) == 2


def test_other_solvers_are_refused() -> None:
    points, normal, mask = head()
    lights = NearLights(FOUR * 300)
    with pytest.raises(UsageError, match="solver cauchy does not know near lights"):
        solve_near(lit(points, normal, lights), lights, MM, mask, depth_of, solver="cauchy")
