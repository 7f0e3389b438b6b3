"""The tip of the nose on surfaces where it is known."""

import numpy as np
import pytest

from fr3d.alignment.sources.nose import nose_tip
from fr3d.geometry.maps import FaceMaps

MM = 0.75


def head(tip=(70.0, 90.0), noise: float = 0.0) -> FaceMaps:
    """A dome of 160 mm with a nose of 20 mm at a pixel, and a peak of hair above it."""
    rows, columns = np.mgrid[0:200, 0:160].astype(float)

    def peak(x, y, height, width):
        away = np.hypot(columns - x, rows - y) * MM
        return height * np.exp(-((away / width) ** 2))

    depth = peak(80, 100, 60, 80) + peak(*tip, 20, 9) + peak(80, 20, 90, 12)
    depth += np.random.default_rng(0).normal(0, noise + 1e-12, depth.shape)
    return FaceMaps(mask=np.hypot(columns - 80, rows - 100) < 98, depth=depth / MM)


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("off", [(0, 0), (12, 3), (-9, 12), (3, -14)])
def test_the_tip_is_found_from_a_point_beside_it(off, noise):
    found = nose_tip(head(noise=noise), np.array([70.0, 90.0]) + off, MM)
    assert np.hypot(*(found - [70, 90])) * MM < 3.0


def test_nothing_beyond_the_radius_counts():
    near = np.array([80.0, 48.0])
    found = nose_tip(head(), near, MM)
    assert np.hypot(*(found - near)) * MM <= 15.0


def test_holes_are_no_tips_and_a_point_without_depth_stays():
    maps = head()
    maps.depth[85:95, 65:70] = np.nan
    maps.depth[~maps.mask] = np.nan
    row, column = nose_tip(maps, (68, 88), MM)[::-1].astype(int)
    assert np.isfinite(maps.depth[row, column])
    for near in ([2.0, 2.0], [-500.0, 80.0], [1e6, 1e6], [np.nan, 3.0]):
        np.testing.assert_array_equal(nose_tip(maps, near, MM), near)
    bare = FaceMaps(mask=maps.mask)
    np.testing.assert_array_equal(nose_tip(bare, (70, 90), MM), [70, 90])
