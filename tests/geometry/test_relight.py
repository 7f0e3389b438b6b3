"""Views under other lights, against closed forms and a slow oracle."""

import numpy as np
import pytest
from surfaces import face

from fr3d.geometry.lights import direction
from fr3d.geometry.relight import cast_shadow, relight, shade_depth


def test_lambert_and_attached_shadow():
    normal = np.array([[[0, 0, 1], [0.6, 0, 0.8], [-0.8, 0, 0.6], [0, 0, 0]]])
    light = np.array([0.6, 0.0, 0.8])
    np.testing.assert_allclose(relight(normal, light)[0], [0.8, 1.0, 0, 0], atol=1e-6)
    albedo = np.full((1, 4, 3), (0.2, 0.4, 0.6))
    view = relight(normal, light, albedo)
    np.testing.assert_allclose(view[0, 0], [0.16, 0.32, 0.48], atol=1e-6)
    assert view[0, 2] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("azimuth", [0, 90, 180, 270])
@pytest.mark.parametrize("zenith", [20, 45, 70])
def test_the_shadow_of_a_wall_is_as_long_as_it_should(azimuth, zenith):
    """A wall of height h throws h tan(zenith) to the side that looks away from the light."""
    height, size = 8.0, 81
    line = np.where(np.arange(size) == 40, height, 0.0)
    along_x = azimuth in (90, 270)
    depth = np.tile(line, (size, 1)) if along_x else np.tile(line[:, None], (1, size))
    shadow = cast_shadow(depth, np.ones_like(depth, bool), direction(zenith, azimuth))
    profile = shadow[size // 2] if along_x else shadow[:, size // 2]
    length = height * np.tan(np.deg2rad(zenith))
    dark = np.nonzero(profile)[0]
    # Light from the right or from above (small rows) darkens the other side.
    away = dark < 40 if azimuth in (90, 180) else dark > 40
    assert away.all()
    assert abs(len(dark) - length) <= 1.5
    assert not profile[40]


def test_shadows_equal_a_walk_from_every_pixel():
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0:24, 0:30].astype(float)
    depth = 4 * np.sin(rows / 3.1) * np.cos(columns / 2.7) + rng.normal(0, 0.3, rows.shape)
    mask = np.hypot(rows - 12, columns - 15) < 12
    for light in (direction(60, 30), direction(75, 200), direction(65, 301)):
        shadow = cast_shadow(np.where(mask, depth, np.nan), mask, light)
        np.testing.assert_array_equal(shadow, slow_shadow(depth, mask, light))
        assert 0.02 < shadow[mask].mean() < 0.9


def slow_shadow(depth, mask, light):
    across = np.hypot(light[0], light[1])
    shadow = np.zeros(mask.shape, bool)
    for row, column in zip(*np.nonzero(mask), strict=True):
        for distance in range(1, 60):
            x, y = column + distance * light[0] / across, row - distance * light[1] / across
            ray = depth[row, column] + distance * light[2] / across + 0.25
            c, r = int(np.floor(x)), int(np.floor(y))
            u, v = x - c, y - r
            total = 0.0
            for rr, cc, w in (
                (r, c, (1 - u) * (1 - v)),
                (r, c + 1, u * (1 - v)),
                (r + 1, c, (1 - u) * v),
                (r + 1, c + 1, u * v),
            ):
                inside = 0 <= rr < mask.shape[0] and 0 <= cc < mask.shape[1] and mask[rr, cc]
                if w > 1e-9:
                    total += w * depth[rr, cc] if inside else -np.inf
            shadow[row, column] |= bool(total > ray)
    return shadow


def test_lights_at_the_ends():
    maps = face()
    assert not cast_shadow(maps.depth, maps.mask, np.array([0, 0, 1.0])).any()
    behind = cast_shadow(maps.depth, maps.mask, np.array([0, 0, -1.0]))
    np.testing.assert_array_equal(behind, maps.mask)
    assert not cast_shadow(maps.depth, np.zeros_like(maps.mask), direction(45, 0)).any()


def test_a_fault_of_the_depth_shows_in_its_shading():
    """A step in the depth leaves views from measured normals as they are, but not this one."""
    maps, light = face(), direction(35, 315)
    before = shade_depth(maps.depth, maps.mask, light)
    broken = maps.depth.copy()
    broken[:, 50:] += 4.0
    change = np.abs(shade_depth(broken, maps.mask, light) - before)
    assert change[40, 49:51].min() > 0.1
    assert change[:, 53:].max() < 1e-6
    lit = relight(maps.normal, light)
    assert np.abs(before - (0.08 * maps.normal[..., 2] + 0.92 * lit))[40:56, 40:56].max() < 0.01
    assert (before[~maps.mask] == 0).all()
