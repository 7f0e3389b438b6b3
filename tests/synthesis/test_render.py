"""Rendering against closed forms: a sphere, a ramp, a wall and its shadow."""

import numpy as np
import pytest
from solids import height_field, sphere, white

from fr3d.geometry.lights import direction
from fr3d.geometry.normals import normals_from_depth
from fr3d.geometry.raster import rasterise
from fr3d.synthesis.cast_shadow import distant_light, near_light
from fr3d.synthesis.render import POINT, Mesh, render

SIZE = (120, 100)
RADIUS = 45.0
LIGHTS = direction([0.0, 40.0, 40.0, 60.0], [0.0, 90.0, 0.0, 225.0])


def grid() -> tuple[np.ndarray, np.ndarray]:
    """Place x (right) and y (up) of each pixel centre from the middle of the picture."""
    rows, columns = SIZE
    return np.meshgrid(np.arange(columns) - (columns - 1) / 2, (rows - 1) / 2 - np.arange(rows))


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.rad2deg(np.arccos(np.clip((a * b).sum(axis=-1), -1, 1)))


@pytest.fixture(scope="module")
def ball():
    return render(sphere(RADIUS), white, LIGHTS, SIZE)


def test_a_sphere_has_its_analytic_normals_and_depth(ball) -> None:
    x, y = grid()
    inside = np.hypot(x, y) < 0.9 * RADIUS
    z = np.sqrt(np.maximum(RADIUS**2 - x**2 - y**2, 0))
    truth = np.stack([x, y, z], axis=-1) / RADIUS
    assert ball.mask[inside].all()
    assert not ball.mask[np.hypot(x, y) > RADIUS + 1].any()
    assert degrees(ball.normal, truth)[inside].max() < 0.6
    assert np.abs(ball.depth - z)[inside].max() < 0.15
    assert np.isnan(ball.depth[~ball.mask]).all()
    assert not ball.normal[~ball.mask].any()


def test_a_sphere_shades_as_lambert_says(ball) -> None:
    """A convex body casts no shadow on itself: only the cosine counts."""
    x, y = grid()
    inside = np.hypot(x, y) < 0.9 * RADIUS
    z = np.sqrt(np.maximum(RADIUS**2 - x**2 - y**2, 0))
    truth = np.stack([x, y, z], axis=-1) / RADIUS
    for light, photo in zip(LIGHTS, ball.radiance, strict=True):
        expected = np.maximum(truth @ light, 0)
        assert np.abs(photo - expected)[inside].max() < 0.03
        assert np.abs(photo - expected)[inside].mean() < 0.002


def test_light_from_the_right_brightens_the_right_and_light_from_above_the_top(ball) -> None:
    right, above = ball.radiance[1], ball.radiance[2]
    assert right[60, 80] > right[60, 20] + 0.3
    assert above[30, 50] > above[90, 50] + 0.3


def test_a_slope_turns_its_normal_downhill() -> None:
    x, y = grid()
    view = render(height_field(0.5 * x - 0.25 * y), white, LIGHTS[:1], SIZE)
    expected = np.array([-0.5, 0.25, 1.0]) / np.linalg.norm([-0.5, 0.25, 1.0])
    inner = view.normal[4:-4, 4:-4]
    assert degrees(inner, expected).max() < 1e-3
    assert np.allclose(view.depth[60, 51] - view.depth[60, 50], 0.5)


def test_normals_agree_with_differences_of_depth() -> None:
    x, y = grid()
    waves = 6 * np.sin(x / 9) * np.cos(y / 11)
    view = render(height_field(waves), white, LIGHTS[:1], SIZE)
    from_depth = normals_from_depth(view.depth, view.mask)
    assert np.median(degrees(view.normal, from_depth)[4:-4, 4:-4]) < 0.5


@pytest.mark.parametrize(("azimuth", "axis", "sign"), [(90, 1, -1), (270, 1, 1), (0, 0, 1)])
def test_a_wall_casts_a_shadow_as_long_as_trigonometry_says(azimuth, axis, sign) -> None:
    """A wall 20 high under a light at zenith 50 shades 20 tan 50 = 23.8 pixels behind it."""
    depth = np.zeros((121, 121))
    wall = (slice(None), slice(59, 62)) if axis == 1 else (slice(59, 62), slice(None))
    depth[wall] = 20.0
    lit = distant_light(depth, direction(50.0, azimuth), POINT) > 0.5
    line = lit[60] if axis == 1 else lit[:, 60]
    behind = line[62:] if sign > 0 else line[58::-1]
    before = line[58::-1] if sign > 0 else line[62:]
    assert abs(np.argmax(behind) - 20 * np.tan(np.deg2rad(50))) < 1.5
    assert behind[30:].all()
    assert before.all()


def test_a_frontal_light_casts_no_shadow_and_nothing_is_dark_where_nothing_is() -> None:
    depth = np.zeros((20, 20))
    depth[5:9, 5:9] = 9.0
    depth[0] = np.nan
    lit = distant_light(depth, np.array([0.0, 0.0, 1.0]), POINT) > 0.5
    assert lit[1:].all()
    assert not lit[0].any()


def test_shadow_enters_the_photograph_from_outside_of_it() -> None:
    """With a margin, what lies beyond the border still stands in the light."""
    heights = np.zeros((40, 80))
    heights[:, 68:] = 30.0
    mesh = height_field(heights)
    light = direction([60.0], [90.0])
    view = render(mesh, white, light, (40, 50), margin=15)
    assert view.lit[0][2:-2, 40:].max() < 0.01
    assert render(mesh, white, light, (40, 50)).lit[0][2:-2, 40:].min() > 0.99


def test_nearer_surfaces_hide_farther_ones_and_backs_are_not_seen() -> None:
    points = np.array([[1, 9, 0], [9, 9, 0], [5, 1, 0], [1, 9, 5], [9, 9, 5], [5, 1, 5]], float)
    front, back = [0, 1, 2], [3, 5, 4]
    seen, weight, depth = rasterise(points, np.array([front, [3, 4, 5]]), 12, 12)
    assert set(np.unique(seen)) == {-1, 1}
    assert np.allclose(depth[seen == 1], 5)
    assert np.allclose(weight[seen == 1].sum(axis=1), 1)
    assert np.isnan(depth[seen < 0]).all()
    seen, _, depth = rasterise(points, np.array([front, back]), 12, 12)
    assert set(np.unique(seen)) == {-1, 0}
    assert (rasterise(points, np.array([back]), 12, 12)[0] < 0).all()


def test_reflectance_scales_the_photograph() -> None:
    half = render(sphere(RADIUS), lambda seen: 0.5 * white(seen), LIGHTS, SIZE)
    full = render(sphere(RADIUS), white, LIGHTS, SIZE)
    assert np.allclose(half.radiance * 2, full.radiance)
    assert np.allclose(half.albedo[half.mask], 0.5)


def test_an_empty_scene_is_dark() -> None:
    nothing = Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]]))
    view = render(nothing, white, LIGHTS, (10, 10))
    assert not view.mask.any()
    assert not view.radiance.any()


def wall() -> np.ndarray:
    """A plane with a wall 20 high across its middle."""
    depth = np.zeros((121, 121))
    depth[:, 59:62] = 20.0
    return depth


def test_a_wide_light_has_a_penumbra_as_broad_as_trigonometry_says() -> None:
    """From full shadow to full light between 20 / tan(40 + 3) and 20 / tan(40 - 3) pixels."""
    shade = distant_light(wall(), direction(50.0, 270.0), np.deg2rad(3.0))[60, 62:]
    near, far = (20 / np.tan(np.deg2rad(40 + k)) for k in (3, -3))
    assert shade[: int(near) - 1].max() < 0.01
    assert shade[int(far) + 2 :].min() > 0.99
    between = shade[int(near) : int(far) + 1]
    assert (np.diff(between) >= -1e-9).all()
    assert 0.3 < between.mean() < 0.7


@pytest.mark.parametrize("azimuth", [0.0, 33.0, 90.0, 200.0, 305.0])
def test_shadows_agree_with_a_slow_walk_along_each_ray(azimuth: float) -> None:
    rng = np.random.default_rng(int(azimuth))
    rows, columns = np.mgrid[:70, :80]
    depth = 9 * np.sin(columns / 7 + rng.uniform(0, 6)) * np.cos(rows / 9) + 0.1 * columns
    depth[(rows - 35) ** 2 + (columns - 40) ** 2 > 33**2] = np.nan
    light = direction(62.0, azimuth)
    fast = distant_light(depth, light, POINT) > 0.5
    slow = np.array([[_walk(depth, light, r, c) for c in range(80)] for r in range(70)])
    inside = ~np.isnan(depth)
    assert not fast[~inside].any()
    assert 0.03 < (~slow[inside]).mean() < 0.9
    assert (fast != slow)[inside].mean() < 0.03


def _walk(depth: np.ndarray, light: np.ndarray, row: int, column: int) -> bool:
    """Whether small steps towards the light stay above the surface."""
    if np.isnan(depth[row, column]):
        return False
    across = np.hypot(*light[:2])
    for t in np.arange(1.0, 70.0, 0.25):
        x, y = column + t * light[0] / across, row - t * light[1] / across
        i, j = int(y), int(x)
        if not (0 <= i < 69 and 0 <= j < 79 and x >= 0 and y >= 0):
            return True
        corner = depth[i : i + 2, j : j + 2]
        v, u = y - i, x - j
        height = np.array([1 - v, v]) @ corner @ np.array([1 - u, u])
        if height > depth[row, column] + 0.35 + t * light[2] / across:
            return False
    return True


def test_a_light_far_away_shades_like_one_at_infinity() -> None:
    light = direction(50.0, 270.0)
    far = np.array([60.0, 60.0, 0.0]) + 1e6 * light * [1, -1, 1]
    radius = np.deg2rad(2.0)
    distant = distant_light(wall(), light, radius)
    assert np.abs(near_light(wall(), far, 1e6 * radius) - distant).max() < 0.15
    assert np.abs(near_light(wall(), far, 1e6 * radius) - distant).mean() < 0.005


def test_a_near_light_throws_a_longer_shadow_at_the_far_end() -> None:
    """Over a wall 20 high, from 60 high and 40 before it: similar triangles give 20 behind it."""
    lit = near_light(wall(), np.array([59.0 - 40.0, 60.0, 60.0]), 0.01)[60, 62:] > 0.5
    assert abs(np.argmax(lit) - 20) <= 2
