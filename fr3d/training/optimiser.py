"""The optimiser of all networks: AdamW, of which only matrices decay."""

from collections.abc import Iterable

import torch
from torch import nn


def adamw(
    weights: Iterable[nn.Parameter], learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """Make the optimiser.

    Args:
        weights: all that learns.
        learning_rate: at the start.
        weight_decay: of matrices and filters; vectors, such as biases, do not decay.

    Reference:
        Loshchilov and Hutter 2019, Decoupled weight decay regularization.
    """
    learnable = list(weights)
    groups = [
        {"params": [p for p in learnable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in learnable if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.99), fused=True)
