import math

import pytest
import torch

from fr3d.errors import UsageError
from fr3d.models.hourglass import HeatmapNet, StackedHourglass


def tiny(**more):
    torch.manual_seed(0)
    return StackedHourglass(**({"stacks": 2, "channels": 8, "depth": 2} | more)).eval()


def test_every_stack_answers_at_a_quarter_of_the_side():
    images = torch.rand(2, 3, 64, 64)
    answers = tiny(stacks=3)(images)
    assert [tuple(a.shape) for a in answers] == [(2, 5, 16, 16)] * 3


@torch.no_grad()
def test_level_and_contrast_of_a_picture_do_not_matter():
    network, images = tiny(), 255 * torch.rand(2, 3, 32, 32)
    one, other = network(images)[-1], network(0.3 * images + 40)[-1]
    assert torch.allclose(one, other, atol=0.05 * float(one.std()) + 1e-3)


def test_the_next_stack_sees_the_heatmaps_of_the_one_before():
    network, images = tiny(), torch.rand(2, 3, 32, 32)
    before = network(images)
    with torch.no_grad():
        network.tell[0].weight.mul_(-5.0)
    after = network(images)
    assert torch.equal(before[0], after[0])
    assert not torch.allclose(before[1], after[1])


def test_all_weights_learn():
    network = tiny().train()
    sum(a.square().mean() for a in network(torch.rand(4, 3, 32, 32))).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert not without


def test_heatmaps_are_a_gaussian_of_height_one_where_sure():
    maps = HeatmapNet(tiny(), sigma=1.5)(torch.rand(2, 3, 32, 32))
    assert torch.allclose(maps.sum(dim=(2, 3)), torch.tensor(2 * math.pi * 1.5**2), rtol=1e-4)


@pytest.mark.parametrize("wrong", [{"stacks": 0}, {"channels": 6}, {"channels": 10}, {"depth": 0}])
def test_sizes_that_no_network_can_have(wrong):
    with pytest.raises(UsageError, match="expected at least one"):
        tiny(**wrong)
