import numpy as np
import pytest

from fr3d.alignment.heatmaps import decode, from_heatmap, to_heatmap


def gaussian(points, sigma, shape=(24, 32), turn=0.0):
    """Analytic Gaussians (N, H, W) of height 1; `turn` makes them oblique."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x = columns - points[:, 0, None, None]
    y = rows - points[:, 1, None, None]
    return np.exp(-(x**2 + y**2 + 2 * turn * x * y) / (2 * sigma**2)).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.6, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_the_top_of_a_gaussian_is_found_between_pixels_and_at_edges(sigma, turn):
    points = np.random.default_rng(0).uniform(-0.4, [31.4, 23.4], (200, 2))
    found, heights = decode(gaussian(points, sigma, turn=turn))
    assert np.abs(found - points).max() < 0.05
    assert (heights > 0.4).all()
    assert (heights <= 1).all()


def test_noise_below_the_peak_moves_it_little():
    rng = np.random.default_rng(1)
    points = rng.uniform(3, [28, 20], (200, 2))
    maps = gaussian(points, 1.0) + rng.uniform(0, 0.02, (200, 24, 32)).astype(np.float32)
    found, _ = decode(maps)
    assert np.linalg.norm(found - points, axis=1).mean() < 0.05


def test_it_beats_the_highest_pixel():
    points = np.random.default_rng(2).uniform(3, [28, 20], (100, 2))
    found, _ = decode(gaussian(points, 1.0))
    pixels = np.round(points)
    assert np.abs(found - points).max() < 0.01 < np.abs(pixels - points).mean()


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-30])
def test_flat_maps_give_a_pixel_and_no_warning(value):
    found, heights = decode(np.full((2, 5, 8, 8), value, np.float32))
    assert found.shape == (2, 5, 2)
    assert np.isfinite(found).all()
    assert np.allclose(heights, value)


def test_one_lit_pixel_is_the_point():
    maps = np.zeros((1, 8, 8), np.float32)
    maps[0, 5, 2] = 0.7
    found, heights = decode(maps)
    assert np.allclose(found, [[2, 5]], atol=0.05)
    assert heights[0] == np.float32(0.7)


def test_pixels_of_image_and_map_share_their_edges():
    # The first pixel of the map covers the first four of the image: its centre is at 1.5.
    assert np.allclose(from_heatmap(np.array([[0.0, 0.0]]), 4), 1.5)
    points = np.random.default_rng(0).uniform(0, 127, (5, 2))
    assert np.allclose(from_heatmap(to_heatmap(points, 4), 4), points)
