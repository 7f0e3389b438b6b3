"""From a configuration to a network: what training makes and what a run's weights fit."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from fr3d.errors import MalformedInputError, UsageError
from fr3d.models.embedding import EmbeddingNet, FusionNet, Network
from fr3d.models.registry import BACKBONES
from fr3d.models.small import small, tiny

PREFIX = "timm_"
BUILT_IN = (small, tiny)


def build_backbone(name: str, channels: int, *, pretrained: bool = False) -> nn.Module:
    """Build one of our backbones, or any network of timm as `timm_NAME`.

    Args:
        name: e.g. "small" or "timm_convnextv2_atto".
        channels: of the input.
        pretrained: start from published weights, which only timm's networks have.

    Raises:
        UsageError: there is no such backbone, or it has no published weights.
        UnavailableError: the published weights cannot be had.
    """
    if name.startswith(PREFIX):
        # timm takes two seconds to load, which only its users should wait for.
        from fr3d.models.timm_backbone import build_timm

        return build_timm(name.removeprefix(PREFIX), channels, pretrained=pretrained)
    if name not in BACKBONES:
        raise UsageError(
            f"no backbone {name!r}, expected {', '.join(sorted(BACKBONES))} or {PREFIX}NAME",
            f"e.g. {PREFIX}convnextv2_atto, {PREFIX}mobilenetv4_conv_small",
        )
    if pretrained:
        raise UsageError(
            f"backbone {name!r} has no published weights", f"--pretrained is for {PREFIX}NAME"
        )
    return BACKBONES[name](channels)


def build_network(config: Mapping[str, Any], *, pretrained: bool = False) -> Network:
    """Build the network of a run; its weights are loaded by the caller.

    Args:
        config: the "model" part of a run's configuration. One modality: `modalities` (one name),
            `channels`, `backbone`, `embedding_size`, `dropout`. Fusion: `modalities`, `branches`
            (one such configuration each), `embedding_size`, `dropout`.
        pretrained: let backbones start from published weights.

    Returns:
        A module that maps one (B, C, H, W) a modality, in their order, to embeddings (B, D) that
        are not normalised.

    Raises:
        MalformedInputError: the configuration lacks something.
    """
    try:
        if "branches" not in config:
            return _single(config, pretrained)
        branches = [_single(branch, pretrained) for branch in config["branches"]]
        return FusionNet(branches, int(config["embedding_size"]), float(config["dropout"]))
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedInputError(
            f"model configuration: {type(error).__name__}: {error}",
            "the run was made by another version of fr3d",
        ) from error


def _single(config: Mapping[str, Any], pretrained: bool) -> EmbeddingNet:
    """Build the network of one modality."""
    backbone = build_backbone(config["backbone"], int(config["channels"]), pretrained=pretrained)
    return EmbeddingNet(backbone, int(config["embedding_size"]), float(config["dropout"]))
