"""Any classification network of timm as a backbone."""

import timm
from torch import Tensor, nn

from fr3d.errors import UnavailableError, UsageError


class TimmBackbone(nn.Module):
    """A network of timm without its classifier, pooled to one vector.

    Args:
        model: made with `num_classes=0`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        # some (MobileNetV3 and V4) widen after the last stage, where features come out
        self.features = int(str(getattr(model, "head_hidden_size", None) or model.num_features))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, H, W) to (B, features)."""
        return self.model(x)


def build_timm(name: str, channels: int, *, pretrained: bool = False) -> nn.Module:
    """Build a network of timm by its name.

    Args:
        name: as in `timm.list_models()`, without prefix.
        channels: of the input; timm folds a pretrained stem to them.
        pretrained: download or take from the cache the published weights.

    Raises:
        UsageError: timm has no such network.
        UnavailableError: the weights cannot be had.
    """
    if not timm.is_model(name):
        near = timm.list_models(f"*{name.partition('_')[0]}*")[:5]
        raise UsageError(
            f"timm has no network {name!r}",
            f"near: {', '.join(near)}" if near else "see timm.list_models()",
        )
    try:
        model = timm.create_model(name, pretrained=pretrained, in_chans=channels, num_classes=0)
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise UsageError(f"timm cannot build {name!r}: {error}") from error
        raise UnavailableError(
            f"weights of {name!r} cannot be had: {type(error).__name__}",
            "pretrained weights are downloaded: go online once, set HF_HUB_CACHE to a folder that "
            "holds them, or leave out --pretrained",
        ) from error
    return TimmBackbone(model)
