"""The network: each light's own features and those of all lights together, at four resolutions.

One encoder serves all lights; what they have in common is pooled by mean and maximum, so that any
number of lights in any order gives the same answer.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from fr3d.photometric.solvers.shadow_evidence import CHANNELS

PER_LIGHT, SHARED = 2, 7
WIDTHS = (24, 48, 64, 96)


class Stage(nn.Module):
    """Two convolutions of each light, the second of which also hears all the others."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(before, width, 3, stride, 1)
        self.own = nn.Conv2d(width, width, 3, 1, 1)
        self.all = nn.Conv2d(2 * width, width, 1)

    def forward(self, x: Tensor, lights: int) -> tuple[Tensor, Tensor]:
        """Turn (B L, C, h, w) into features of each light, and those pooled over lights."""
        x = functional.relu(self.enter(x))
        x = x + functional.relu(self.own(x) + spread(self.all(pooled(x, lights)), lights))
        return x, pooled(x, lights)


class ShadowNetwork(nn.Module):
    """From evidence to weights of observations and a prior of scaled normals."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse, deep = WIDTHS
        self.fine = Stage(CHANNELS, fine, 1)
        self.middle = Stage(fine, middle, 2)
        self.coarse = Stage(middle, coarse, 2)
        self.deep = nn.Sequential(
            nn.Conv2d(2 * coarse, deep, 3, 2, 1), nn.ReLU(), nn.Conv2d(deep, deep, 3, 1, 1),
            nn.ReLU(), nn.Conv2d(deep, deep, 3, 1, 1), nn.ReLU(),
        )  # fmt: skip
        self.up_coarse = _joining(deep + 2 * coarse, coarse)
        self.up_middle = _joining(coarse + 2 * middle, middle)
        self.up_fine = _joining(middle + 2 * fine, 32)
        self.shared = nn.Sequential(nn.Conv2d(32, 32, 3, 1, 1), nn.ReLU(), nn.Conv2d(32, SHARED, 1))
        self.tell_middle = nn.Conv2d(middle, fine, 1)
        self.tell_coarse = nn.Conv2d(coarse, fine, 1)
        self.tell = nn.Conv2d(fine, fine, 1)
        self.tell_all = nn.Conv2d(32, fine, 1)
        self.each = nn.Sequential(
            nn.ReLU(), nn.Conv2d(fine, fine, 3, 1, 1), nn.ReLU(), nn.Conv2d(fine, PER_LIGHT, 1)
        )

    def forward(self, evidence: Tensor) -> tuple[Tensor, Tensor]:
        """Look at sessions with the same number of lights.

        Args:
            evidence: (B, L, C, h, w).

        Returns:
            (B, L, 2, h, w), offset and slope of the weight of each observation; and (B, 7, h, w):
            direction (3), logarithms of ridge, albedo, ridge of albedo, and expected error.
        """
        sessions, lights = evidence.shape[:2]
        fine, fine_all = self.fine(evidence.flatten(0, 1), lights)
        middle, middle_all = self.middle(fine, lights)
        coarse, coarse_all = self.coarse(middle, lights)
        x = doubled(self.deep(coarse_all))
        x = doubled(self.up_coarse(torch.cat([x, coarse_all], 1)))
        x = doubled(self.up_middle(torch.cat([x, middle_all], 1)))
        x = self.up_fine(torch.cat([x, fine_all], 1))
        own = self.tell(fine) + doubled(self.tell_middle(middle))
        own = own + doubled(doubled(self.tell_coarse(coarse)))
        each = self.each(own + spread(self.tell_all(x), lights))
        return each.reshape(sessions, lights, *each.shape[1:]), self.shared(x)


def _joining(before: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, width, 3, 1, 1), nn.ReLU())


def pooled(x: Tensor, lights: int) -> Tensor:
    """Mean and maximum over the lights of each session: (B L, C, ...) to (B, 2C, ...)."""
    grouped = x.reshape(-1, lights, *x.shape[1:])
    return torch.cat([grouped.mean(1), grouped.amax(1)], 1)


def spread(x: Tensor, lights: int) -> Tensor:
    """Give each light the features of its session: (B, C, ...) to (B L, C, ...)."""
    return x[:, None].expand(-1, lights, -1, -1, -1).flatten(0, 1)


def doubled(x: Tensor) -> Tensor:
    """Repeat each cell two by two."""
    return functional.interpolate(x, scale_factor=2, mode="nearest")
