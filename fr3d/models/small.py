"""A small residual network that learns from scratch in minutes on two cores.

Recognition from normals needs little resolution, so the stem strides by four: nearly all work is
done at 28 x 28 and below, with enough channels for the matrix units of a CPU.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from fr3d.models.registry import backbone


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Convolution and BatchNorm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        stride: 2 halves height and width.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, 3, stride)
        self.middle = nn.ReLU()
        self.second = _convolution(outputs, outputs, 3, 1)
        self.shortcut = (
            nn.Identity()
            if inputs == outputs and stride == 1
            else nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False),
                *_convolution(inputs, outputs, 1, 1),
            )
        )
        self.last = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return self.last(self.second(self.middle(self.first(x))) + self.shortcut(x))


class SmallNet(nn.Module):
    """Stem, one residual block a stage, and a coarse grid of features that keeps their place.

    Args:
        channels: of the input.
        widths: channels of the stages; each but the first halves the resolution.
        blocks: residual blocks of each stage.
        grid: side of the grid to which the last map is averaged.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int] = (32, 64, 128, 256),
        blocks: Sequence[int] = (1, 1, 1, 1),
        grid: int = 3,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(_convolution(channels, widths[0], 7, 4), nn.ReLU())
        stages: list[nn.Module] = []
        inputs = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                stride = 2 if stage and not block else 1
                stages.append(ResidualBlock(inputs, width, stride))
                inputs = width
        self.stages = nn.Sequential(*stages)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(grid), nn.Flatten())
        self.features = inputs * grid * grid

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, H, W) to (B, features)."""
        return self.pool(self.stages(self.stem(x)))


@backbone("small")
def small(channels: int) -> nn.Module:
    """Build the default: about 1.2 million parameters."""
    return SmallNet(channels)


@backbone("tiny")
def tiny(channels: int) -> nn.Module:
    """Build the smallest, for trying things out."""
    return SmallNet(channels, widths=(8, 16), blocks=(1, 1), grid=2)
