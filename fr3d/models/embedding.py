"""Networks from faces to embeddings: one modality, or frozen branches that are fused.

Each splits into `features`, which may run in bfloat16, and `head`, which stays in float32:
`forward` is one after the other.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def embedding_head(features: int, size: int, dropout: float) -> nn.Sequential:
    """Make dropout, a linear layer and BatchNorm: norms near sqrt(size), as MagFace needs.

    Args:
        features: length of what comes in.
        size: length of the embedding.
        dropout: share of features dropped in training.
    """
    linear = nn.Linear(features, size, bias=False)
    return nn.Sequential(nn.Dropout(dropout), linear, nn.BatchNorm1d(size))


class EmbeddingNet(nn.Module):
    """One modality: backbone and head.

    Args:
        backbone: maps (B, C, H, W) to (B, backbone.features).
        size: length of the embedding.
        dropout: before the linear layer.
    """

    def __init__(self, backbone: nn.Module, size: int, dropout: float) -> None:
        super().__init__()
        self.backbone = backbone
        self.embedding_size = size
        self.head = embedding_head(int(str(backbone.features)), size, dropout)

    def features(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, F)."""
        return self.backbone(x)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to embeddings (B, D), not normalised."""
        return self.head(self.features(x))


class FusionNet(nn.Module):
    """Frozen single-modality branches, concatenated and fused by a trained head.

    The branches never train: their BatchNorm statistics stay as they are in training mode too.
    Their embeddings are brought to length one, so that no modality wins by its scale.

    Args:
        branches: trained networks, one a modality.
        size: length of the fused embedding.
        dropout: before the linear layer.
    """

    def __init__(self, branches: Sequence[EmbeddingNet], size: int, dropout: float) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.embedding_size = size
        self.head = embedding_head(sum(b.embedding_size for b in branches), size, dropout)
        self.branches.requires_grad_(False).eval()
        # Where the sizes allow, fusion starts as the plain concatenation.
        nn.init.eye_(self.head.get_parameter("1.weight"))

    def train(self, mode: bool = True) -> "FusionNet":
        """Switch the head; the branches stay in evaluation mode."""
        super().train(mode)
        self.branches.eval()
        return self

    def features(self, *inputs: Tensor) -> Tensor:
        """Map one (B, C, H, W) a branch to the concatenation of their directions (B, F)."""
        parts = [
            functional.normalize(branch(x)) for branch, x in zip(self.branches, inputs, strict=True)
        ]
        return torch.cat(parts, dim=1)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map one (B, C, H, W) a branch to embeddings (B, D), not normalised."""
        return self.head(self.features(*inputs))


Network = EmbeddingNet | FusionNet
"""What `build_network` makes."""
