"""MagFace: the margin grows with the length of the embedding, which becomes a quality."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from fr3d.errors import UsageError
from fr3d.losses.margin import CosineClassifier, LossTerms, margin_logits
from fr3d.losses.registry import loss

PUBLISHED_SIZE = 512
"""Embedding size for which the paper's bounds 10 and 110 hold; norms grow with its root."""


@loss("magface")
class MagFace(CosineClassifier):
    """Magnitude-aware margin.

    The bounds and lambda are those of the paper for 512 dimensions; for other sizes they follow
    the norm that BatchNorm gives an embedding, sqrt(D), which leaves lambda g(a) as it is.

    Args:
        embedding_size: D.
        people: C.
        scale: s.
        lower_norm: l_a, norm below which the margin is `lower_margin`; by default from D.
        upper_norm: u_a, norm above which the margin is `upper_margin`; by default from D.
        lower_margin: l_m in radians.
        upper_margin: u_m in radians.
        strength: lambda, weight of the regulariser g; by default 1.55 times its bound, as in the
            published runs (35 for a bound of 22.59).
        analytic: exact gradient through the margin, see `with_margin`.

    Raises:
        UsageError: bounds in the wrong order, or lambda below its bound, for which the magnitude
            would have no optimum between them.

    Reference:
        Meng et al. 2021, MagFace: a universal representation for face recognition and quality
        assessment, eq. 3-5 and the bound on lambda of its supplement.
    """

    def __init__(
        self,
        embedding_size: int,
        people: int,
        scale: float = 32.0,
        lower_norm: float | None = None,
        upper_norm: float | None = None,
        lower_margin: float = 0.3,
        upper_margin: float = 0.6,
        strength: float | None = None,
        analytic: bool = False,
    ) -> None:
        super().__init__(embedding_size, people)
        root = math.sqrt(embedding_size / PUBLISHED_SIZE)
        self.scale = scale
        self.lower_norm = 10.0 * root if lower_norm is None else lower_norm
        self.upper_norm = 110.0 * root if upper_norm is None else upper_norm
        self.lower_margin = lower_margin
        self.upper_margin = upper_margin
        self.analytic = analytic
        self._check_order()
        bound = self.smallest_strength()
        self.strength = 1.55 * bound if strength is None else strength
        if self.strength < bound:
            raise UsageError(
                f"MagFace: lambda {self.strength:g}, expected {bound:.2f} or more",
                "a smaller lambda leaves the magnitude without an optimum within its bounds",
            )

    def forward(self, embedding: Tensor, label: Tensor) -> LossTerms:
        """Return the loss of embeddings (B, D), not normalised, of people (B,)."""
        with torch.autocast(embedding.device.type, enabled=False):
            norm = torch.linalg.vector_norm(embedding.float(), dim=1)
            cosine = self.cosine(embedding)
            logits = margin_logits(
                cosine, label, self.margins(norm), self.scale, analytic=self.analytic
            )
            identity = functional.cross_entropy(logits, label)
            # The norm is not clamped here: outside its bounds it must still be pulled back.
            regulariser = self.regulariser(norm).mean()
            total = identity + self.strength * regulariser
        parts = {"identity": identity.detach(), "regulariser": regulariser.detach()}
        return LossTerms(total, parts, self.scale * cosine.detach())

    def margins(self, norm: Tensor) -> Tensor:
        """Return m(a) in radians for norms (B,): linear between the bounds."""
        share = (norm.clamp(self.lower_norm, self.upper_norm) - self.lower_norm) / (
            self.upper_norm - self.lower_norm
        )
        return self.lower_margin + (self.upper_margin - self.lower_margin) * share

    def regulariser(self, norm: Tensor) -> Tensor:
        """Return g(a) = a / u_a^2 + 1 / a for norms (B,)."""
        return norm / self.upper_norm**2 + 1.0 / norm.clamp(min=1e-6)

    def smallest_strength(self) -> float:
        """Return the bound s K u_a^2 l_a^2 / (u_a^2 - l_a^2), K the slope of the margin."""
        slope = (self.upper_margin - self.lower_margin) / (self.upper_norm - self.lower_norm)
        lower, upper = self.lower_norm**2, self.upper_norm**2
        return self.scale * slope * upper * lower / (upper - lower)

    def _check_order(self) -> None:
        if not 0 < self.lower_norm < self.upper_norm or self.lower_margin > self.upper_margin:
            raise UsageError(
                f"MagFace: norms {self.lower_norm:g} to {self.upper_norm:g}, margins "
                f"{self.lower_margin:g} to {self.upper_margin:g}, expected lower before upper"
            )
