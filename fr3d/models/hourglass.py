"""Stacked hourglass: from a face to one map of log-odds of place a point, several times over."""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from fr3d.errors import UsageError

STRIDE = 4
"""Pixels of the input a pixel of the heatmaps, along each side."""


class Residual(nn.Module):
    """Pre-activated bottleneck: 1x1, 3x3, 1x1, and a 1x1 on the way around where widths differ.

    Args:
        inputs: channels in.
        outputs: channels out.

    Reference:
        He et al. 2016, Identity mappings in deep residual networks; figure 4 left of Newell et al.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, half, 1, bias=False),
            nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, padding=1, bias=False),
            nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, outputs, 1),
        )  # fmt: skip
        self.around = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W)."""
        return self.body(x) + self.around(x)


class HourglassModule(nn.Module):
    """Down to a coarse view of the whole face and up again, with a way around at each level.

    Args:
        depth: halvings of the resolution.
        channels: at every level.
    """

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__()
        self.around = Residual(channels, channels)
        self.down = Residual(channels, channels)
        self.inner = (
            HourglassModule(depth - 1, channels) if depth > 1 else Residual(channels, channels)
        )
        self.up = Residual(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, H, W) to the same shape."""
        low = self.up(self.inner(self.down(functional.max_pool2d(x, 2))))
        return self.around(x) + functional.interpolate(low, scale_factor=2.0, mode="nearest")


class StackedHourglass(nn.Module):
    """Hourglasses one after the other, each told what the one before believed.

    The stem brings the picture to a quarter of its side. The heatmaps of every stack but the last
    go back into the features through a 1x1 convolution, beside the features they were made from,
    so that the next stack weighs the points against each other.

    Args:
        points: heatmaps a stack.
        stacks: hourglasses.
        channels: of the features, a multiple of 4.
        depth: halvings within an hourglass; the heatmaps' sides must be multiples of 2**depth.

    Raises:
        UsageError: sizes that no network can have.

    Reference:
        Newell, Yang and Deng 2016, Stacked hourglass networks for human pose estimation,
        arXiv:1603.06937, sections 3.1-3.2; its stem is the same, its input 256.
    """

    def __init__(
        self, points: int = 5, stacks: int = 2, channels: int = 96, depth: int = 3
    ) -> None:
        super().__init__()
        if min(points, stacks, depth) < 1 or channels < 8 or channels % 4:
            raise UsageError(
                f"an hourglass of {points} points, {stacks} stacks, {channels} channels and depth "
                f"{depth}, expected at least one of each and channels in multiples of 4 from 8"
            )
        self.depth = depth
        half = channels // 2
        self.stem = nn.Sequential(
            nn.Conv2d(3, half // 2, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(half // 2), nn.ReLU(),
            Residual(half // 2, half), nn.MaxPool2d(2), Residual(half, channels),
        )  # fmt: skip
        self.hourglasses = nn.ModuleList(HourglassModule(depth, channels) for _ in range(stacks))
        self.features = nn.ModuleList(_features(channels) for _ in range(stacks))
        self.heads = nn.ModuleList(nn.Conv2d(channels, points, 1) for _ in range(stacks))
        self.keep = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(stacks - 1))
        self.tell = nn.ModuleList(nn.Conv2d(points, channels, 1) for _ in range(stacks - 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Look for the points.

        Args:
            images: (B, 3, S, S), 0 to 255 or any other scale: each is brought to mean 0 and
                deviation 1 first; S a multiple of `STRIDE` * 2**depth.

        Returns:
            A list of (B, points, S / STRIDE, S / STRIDE), one a stack, the last the best: logits
            whose softmax over the pixels of a map says where its point is.
        """
        x = self.stem(_standardised(images))
        answers = []
        for stack, (hourglass, features, head) in enumerate(
            zip(self.hourglasses, self.features, self.heads, strict=True)
        ):
            seen = features(hourglass(x))
            answer = cast("Tensor", head(seen))
            answers.append(answer)
            if stack < len(self.tell):
                # Logits have no bounds; what goes back in are the probabilities' shapes.
                x = x + self.keep[stack](seen) + self.tell[stack](_bounded(answer))
        return answers


def _features(channels: int) -> nn.Sequential:
    return nn.Sequential(
        Residual(channels, channels), nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels), nn.ReLU(),
    )  # fmt: skip


def _standardised(images: Tensor) -> Tensor:
    """Take level and contrast of each image away: photographs, maps and shaded relief differ."""
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    apart = images - middle
    # One grey level keeps an even image even.
    return apart / (apart.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() + 1.0)


def _bounded(logits: Tensor) -> Tensor:
    """Logits relative to the highest of their map, as heights from 0 to 1."""
    return torch.exp(logits - logits.amax(dim=(2, 3), keepdim=True))


class HeatmapNet(nn.Module):
    """A stacked hourglass as what a detector asks: heatmaps instead of logits.

    Args:
        network: whose last stack answers.
        sigma: width that it was trained for, pixels of the heatmap.
    """

    def __init__(self, network: StackedHourglass, sigma: float) -> None:
        super().__init__()
        self.network = network
        self.peak = 2.0 * math.pi * sigma**2

    def forward(self, images: Tensor) -> Tensor:
        """Look for the points.

        Args:
            images: (B, 3, S, S), BGR, 0 to 255.

        Returns:
            (B, points, S / STRIDE, S / STRIDE): a Gaussian of that width and height 1 where the
            network is as sure as it can be, lower and broader where it is not.
        """
        answer = self.network(images)[-1].float()
        return self.peak * answer.flatten(2).softmax(dim=2).view(answer.shape)
