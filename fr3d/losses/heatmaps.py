"""What heatmaps of landmarks cost: how far off they are, and how far from one clean peak."""

import torch
from torch import Tensor, nn

from fr3d.losses.margin import LossTerms


class HeatmapLoss(nn.Module):
    """Distance of the softmax's mean from the point, and divergence from a Gaussian around it.

    The first is what is measured in the end, and its gradient knows no pixel grid; it alone would
    allow maps of any shape, which the second holds to one peak of a stated width, so that its
    height says how sure the network is. Both are summed over stacks and averaged over points.

    Args:
        sigma: of the Gaussian, pixels of the heatmap.
        spread: weight of the divergence; that of the distance, in pixels of the heatmap, is 1.

    Reference:
        Nibali et al. 2018, Numerical coordinate regression with convolutional neural networks,
        arXiv:1801.07372, eq. 2-4 and 8; here with the Kullback-Leibler divergence of eq. 7's
        Gaussian from the map, which is the cross-entropy of a soft label.
    """

    def __init__(self, sigma: float, spread: float = 1.0) -> None:
        super().__init__()
        self.sigma = sigma
        self.spread = spread

    def forward(self, answers: list[Tensor], points: Tensor) -> LossTerms:
        """Compare.

        Args:
            answers: logits (B, P, H, W), one a stack.
            points: (B, P, 2), x and y in pixels of the heatmap; those beyond it do not count.
        """
        height, width = answers[0].shape[2:]
        target = gaussians(points, (height, width), self.sigma)
        bounds = points.new_tensor([width - 1.0, height - 1.0])
        weight = ((points >= 0) & (points <= bounds)).all(dim=2).float()
        weight = weight / weight.sum().clamp(min=1.0)
        distance = divergence = points.new_zeros(())
        for answer in answers:
            log = answer.float().flatten(2).log_softmax(dim=2).view(answer.shape)
            apart = torch.linalg.vector_norm(means(log.exp()) - points, dim=2)
            distance = distance + (weight * apart).sum()
            unlike = torch.xlogy(target, target) - target * log
            divergence = divergence + (weight * unlike.sum(dim=(2, 3))).sum()
        total = distance + self.spread * divergence
        return LossTerms(total, {"distance": distance.detach(), "divergence": divergence.detach()})


def gaussians(points: Tensor, shape: tuple[int, int], sigma: float) -> Tensor:
    """Draw one Gaussian a point, each of sum 1.

    Args:
        points: (..., 2), x and y in pixels.
        shape: height and width of a map.
        sigma: pixels.

    Returns:
        (..., H, W).
    """
    x = torch.arange(shape[1], dtype=points.dtype, device=points.device) - points[..., 0, None]
    y = torch.arange(shape[0], dtype=points.dtype, device=points.device) - points[..., 1, None]
    # As softmaxes, they do not vanish where a point lies far outside.
    across = torch.softmax(-x.square() / (2.0 * sigma**2), dim=-1)
    down = torch.softmax(-y.square() / (2.0 * sigma**2), dim=-1)
    return down[..., :, None] * across[..., None, :]


def means(maps: Tensor) -> Tensor:
    """Return the mean places (..., 2), x and y in pixels, of maps (..., H, W) of sum 1."""
    x = torch.arange(maps.shape[-1], dtype=maps.dtype, device=maps.device)
    y = torch.arange(maps.shape[-2], dtype=maps.dtype, device=maps.device)
    return torch.stack([(maps.sum(dim=-2) * x).sum(-1), (maps.sum(dim=-1) * y).sum(-1)], dim=-1)
