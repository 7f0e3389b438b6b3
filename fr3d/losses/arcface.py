"""ArcFace: softmax over cosines with one angular margin for all."""

import torch
from torch import Tensor
from torch.nn import functional

from fr3d.losses.margin import CosineClassifier, LossTerms, margin_logits
from fr3d.losses.registry import loss


@loss("arcface")
class ArcFace(CosineClassifier):
    """Additive angular margin.

    Args:
        embedding_size: D.
        people: C.
        scale: s, inverse temperature of the softmax.
        margin: m in radians.
        analytic: exact gradient through the margin, see `with_margin`.

    Reference:
        Deng et al. 2019, ArcFace: additive angular margin loss, eq. 3.
    """

    def __init__(
        self,
        embedding_size: int,
        people: int,
        scale: float = 32.0,
        margin: float = 0.3,
        analytic: bool = False,
    ) -> None:
        super().__init__(embedding_size, people)
        self.scale = scale
        self.margin = margin
        self.analytic = analytic

    def forward(self, embedding: Tensor, label: Tensor) -> LossTerms:
        """Return the loss of embeddings (B, D), not normalised, of people (B,)."""
        with torch.autocast(embedding.device.type, enabled=False):
            cosine = self.cosine(embedding)
            logits = margin_logits(cosine, label, self.margin, self.scale, analytic=self.analytic)
            total = functional.cross_entropy(logits, label)
        return LossTerms(total, {"identity": total.detach()}, self.scale * cosine.detach())
