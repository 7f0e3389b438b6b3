"""Margin softmax: cosine logits, and the angular margin of the true class."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

LIMIT = 1.0 - 1e-7
"""Bound on |cos|: at 1 the slope of the sine is infinite, and infinity times zero is NaN."""


@dataclass(frozen=True)
class LossTerms:
    """What a criterion says of a batch.

    Args:
        total: scalar to be minimised.
        parts: its summands, unweighted and without gradient, for the log.
        logits: (B, C) scaled cosines without margin and without gradient.
    """

    total: Tensor
    parts: dict[str, Tensor] = field(default_factory=dict)
    logits: Tensor = field(default_factory=lambda: torch.empty(0))


class CosineClassifier(nn.Module):
    """One direction a person; always float32, whatever autocast says.

    Args:
        embedding_size: D.
        people: C, number of training people.
    """

    def __init__(self, embedding_size: int, people: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(people, embedding_size))
        nn.init.normal_(self.weight, std=0.01)

    def cosine(self, embedding: Tensor) -> Tensor:
        """Compare embeddings (B, D) with all people: (B, C) in [-LIMIT, LIMIT]."""
        with torch.autocast(embedding.device.type, enabled=False):
            directions = functional.normalize(embedding.float())
            cosine = functional.linear(directions, functional.normalize(self.weight))
            return cosine.clamp(-LIMIT, LIMIT)


def with_margin(cosine: Tensor, margin: Tensor | float, *, analytic: bool) -> Tensor:
    """Add an angular margin to cosines of the true class: cos(theta + m).

    Beyond theta = pi - m, where cos(theta + m) would rise again, it goes on as a straight line
    cos(theta) - m sin(m), so that it always falls with theta.

    Args:
        cosine: (B,) within [-LIMIT, LIMIT].
        margin: m in radians, one number or (B,); its gradient is always exact.
        analytic: with the exact gradient of cos(theta + m) with respect to cos(theta); else that
            gradient is 1, which stays bounded at theta = 0 and gave the published accuracies.

    Returns:
        (B,) cosines with margin.

    Reference:
        Deng et al. 2019, ArcFace: additive angular margin loss, eq. 3.
    """
    m = torch.as_tensor(margin, dtype=cosine.dtype, device=cosine.device)
    c = cosine if analytic else cosine.detach()
    bent = c * torch.cos(m) - torch.sqrt(1.0 - c * c) * torch.sin(m)
    straight = c - m * torch.sin(m)
    shifted = torch.where(c > -torch.cos(m), bent, straight)
    return shifted if analytic else shifted + (cosine - c)


def margin_logits(
    cosine: Tensor, label: Tensor, margin: Tensor | float, scale: float, *, analytic: bool
) -> Tensor:
    """Scale cosines and apply the margin to the true class of each row.

    Args:
        cosine: (B, C).
        label: (B,) true classes.
        margin: radians, one number or (B,).
        scale: s.
        analytic: see `with_margin`.

    Returns:
        (B, C) logits.
    """
    true = cosine.gather(1, label[:, None])
    shifted = with_margin(true[:, 0], margin, analytic=analytic)
    return scale * cosine.scatter(1, label[:, None], shifted[:, None])


def smallest_scale(people: int, probability: float = 0.99) -> float:
    """Return the scale below which no softmax can give the true person this probability.

    Reference:
        Wang et al. 2018, CosFace, eq. 6.
    """
    return (people - 1) / people * math.log((people - 1) * probability / (1 - probability))
