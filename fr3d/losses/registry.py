"""Criteria by name: a dictionary that a decorator fills."""

from collections.abc import Callable

from torch import nn

LOSSES: dict[str, type[nn.Module]] = {}


def loss(name: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Register a criterion under a name."""

    def register(criterion: type[nn.Module]) -> type[nn.Module]:
        LOSSES[name] = criterion
        return criterion

    return register
