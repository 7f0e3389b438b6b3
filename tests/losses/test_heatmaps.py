import numpy as np
import pytest
import torch

from fr3d.losses.heatmaps import HeatmapLoss, gaussians, means


def logits(points, sigma=1.0, size=16):
    return gaussians(points, (size, size), sigma).clamp(min=1e-30).log()


def test_a_drawn_gaussian_is_the_sampled_one():
    points = torch.tensor([[[5.3, 7.8]]], dtype=torch.float64)
    rows, columns = np.mgrid[:12, :16]
    drawn = np.exp(-((columns - 5.3) ** 2 + (rows - 7.8) ** 2) / (2 * 1.5**2))
    assert np.allclose(gaussians(points, (12, 16), 1.5)[0, 0], drawn / drawn.sum())
    assert torch.allclose(means(gaussians(points, (12, 16), 1.0)), points, atol=1e-3)


def test_true_heatmaps_cost_nothing_and_all_stacks_count():
    points = torch.tensor([[[5.3, 7.8], [9.0, 4.5]]])
    loss = HeatmapLoss(1.0)
    good, bad = logits(points), logits(points + 2.0)
    assert float(loss([good, good], points).total) == pytest.approx(0, abs=1e-3)
    one = float(loss([bad], points).total)
    assert float(loss([good, bad], points).total) == pytest.approx(one, rel=1e-3)
    assert float(loss([bad, bad], points).total) == pytest.approx(2 * one, rel=1e-3)


def test_its_parts_are_pixels_and_the_divergence_of_gaussians():
    points = torch.tensor([[[7.0, 8.0]]])
    terms = HeatmapLoss(1.0, spread=0.5)([logits(points + torch.tensor([3.0, 0.0]))], points)
    assert float(terms.parts["distance"]) == pytest.approx(3.0, abs=0.01)
    # Of two Gaussians of one width: d^2 / (2 sigma^2).
    assert float(terms.parts["divergence"]) == pytest.approx(4.5, abs=0.05)
    assert float(terms.total) == pytest.approx(3.0 + 0.5 * 4.5, abs=0.05)


def test_points_beyond_the_map_do_not_count():
    seen = torch.tensor([[[7.0, 8.0], [3.0, 3.0]]])
    out = seen.clone()
    out[0, 1] = torch.tensor([40.0, 3.0])
    answer = logits(seen + 1.0)
    alone = HeatmapLoss(1.0)([answer[:, :1]], seen[:, :1])
    assert torch.allclose(HeatmapLoss(1.0)([answer], out).total, alone.total)
    none = HeatmapLoss(1.0)([answer], out + 100)
    assert float(none.total) == 0
