"""From a name and options to a criterion."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from fr3d.errors import UsageError
from fr3d.losses.arcface import ArcFace
from fr3d.losses.magface import MagFace
from fr3d.losses.registry import LOSSES

BUILT_IN = (ArcFace, MagFace)


def build_criterion(
    name: str, embedding_size: int, people: int, options: Mapping[str, Any]
) -> nn.Module:
    """Build a criterion.

    Args:
        name: e.g. "arcface".
        embedding_size: D.
        people: C, number of training people.
        options: what else the criterion takes, e.g. scale and margin.

    Returns:
        A module that maps embeddings (B, D) and people (B,) to `LossTerms`.

    Raises:
        UsageError: there is no such criterion, or it does not take such options.
    """
    if name not in LOSSES:
        raise UsageError(f"no loss {name!r}, expected {', '.join(sorted(LOSSES))}")
    try:
        return LOSSES[name](embedding_size, people, **options)
    except TypeError as error:
        raise UsageError(f"loss {name!r}: {error}") from error
