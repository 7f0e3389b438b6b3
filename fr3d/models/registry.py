"""Backbones by name: a dictionary that a decorator fills."""

from collections.abc import Callable

from torch import nn

Builder = Callable[[int], nn.Module]
"""Takes the number of input channels; the module maps (B, C, H, W) to (B, F) and tells F as
`features`."""

BACKBONES: dict[str, Builder] = {}


def backbone(name: str) -> Callable[[Builder], Builder]:
    """Register a builder under a name."""

    def register(builder: Builder) -> Builder:
        BACKBONES[name] = builder
        return builder

    return register
