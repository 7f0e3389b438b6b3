"""What training asks for: light the surface as the truth would be, and point where it points."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Loss:
    """Parts of the loss, each averaged over the batch.

    Args:
        relit: root mean square error under new lights over mean brightness.
        angle: angle to the true normals, radians.
        prior: the same of the prior alone.
        weights: cross entropy of the weights against what is truly lit.
        spread: how badly the expected error fits.
    """

    relit: Tensor
    angle: Tensor
    prior: Tensor
    weights: Tensor
    spread: Tensor

    @property
    def total(self) -> Tensor:
        """The sum that training descends."""
        return self.relit + self.angle + 0.3 * self.prior + 0.05 * self.weights + 0.02 * self.spread


def loss(
    solved: tuple[Tensor, Tensor, Tensor, Tensor],
    truth: Tensor,
    lit: Tensor,
    mask: Tensor,
    lights: Tensor,
) -> Loss:
    """Compare what was solved with the truth.

    Args:
        solved: as `solution` returns.
        truth: (B, 3, H, W), scaled normals.
        lit: (B, L, H, W), 0 to 1.
        mask: (B, H, W), 0 or 1.
        lights: (B, M, 3), new lights.
    """
    g, weight, prior, expected = solved
    normal = functional.normalize(truth, dim=1, eps=1e-6)
    error = angle(functional.normalize(g, dim=1, eps=1e-6), normal)
    entropy = functional.binary_cross_entropy(weight.clamp(1e-4, 1 - 1e-4), lit, reduction="none")
    misfit = error.detach() * torch.exp(-expected) + expected
    return Loss(
        relit=_relit(g, truth, mask, lights),
        angle=_mean(error, mask),
        prior=_mean(angle(prior, normal), mask),
        weights=_mean(entropy.mean(1), mask),
        spread=_mean(misfit, mask),
    )


def angle(a: Tensor, b: Tensor) -> Tensor:
    """Angle between unit vectors (B, 3, ...), radians, with a gradient everywhere."""
    return 2 * torch.asin((0.5 * torch.sqrt(((a - b) ** 2).sum(1) + 1e-6)).clamp_max(0.999))


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp_min(1)


def _relit(g: Tensor, truth: Tensor, mask: Tensor, lights: Tensor) -> Tensor:
    """Root mean square error of pictures under new lights, with the best gain for each."""
    shade = torch.einsum("bmc,bchw->bmhw", lights, g).clamp_min(0) * mask[:, None]
    want = torch.einsum("bmc,bchw->bmhw", lights, truth).clamp_min(0) * mask[:, None]
    gain = (shade * want).sum((2, 3)) / (shade**2).sum((2, 3)).clamp_min(1e-6)
    square = (gain[..., None, None] * shade - want) ** 2
    count = mask.sum((1, 2))[:, None].clamp_min(1)
    level = want.sum((2, 3)) / count
    rms = torch.sqrt(square.sum((2, 3)) / count + 1e-8)
    return (rms / level.clamp_min(1e-3)).clamp_max(3).mean()
