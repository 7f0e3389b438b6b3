"""What decides the outcome of a training run; stored with it and compared before resuming."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fr3d.data.augmentation import Augmentation
from fr3d.data.inputs import CHANNELS
from fr3d.errors import UsageError

PRECISIONS = ("auto", "bf16", "float32")


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Args:
        modalities: inputs of the network in order.
        backbone: name, see `fr3d.models.build.build_backbone`.
        pretrained: start from published weights.
        embedding_size: D.
        dropout: before the embedding layer.
        loss: name of the criterion.
        loss_options: what else the criterion takes.
        epochs: passes over the training people.
        people: P, people a batch.
        per_person: K, sessions of each.
        learning_rate: peak of AdamW.
        weight_decay: of AdamW, on weight matrices only.
        warmup: share of the steps in which the learning rate rises.
        clip: largest norm of the gradient.
        patience: epochs without a better validation figure before stopping; 0 never stops early.
        precision: "bf16" or "float32" of the backbone, resolved.
        threads: of the CPU arithmetic; their number decides the rounding.
        average: decay of the running mean of the weights that is kept as the result; 0 for none.
        seed: of initial weights, batches and augmentation.
        augmentation: strengths.
    """

    modalities: tuple[str, ...] = ("normal",)
    backbone: str = "small"
    pretrained: bool = False
    embedding_size: int = 256
    dropout: float = 0.2
    loss: str = "arcface"
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 40
    people: int = 8
    per_person: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    clip: float = 5.0
    patience: int = 0
    precision: str = "float32"
    threads: int = 1
    average: float = 0.0
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        unknown = [name for name in self.modalities if name not in CHANNELS]
        if unknown or not self.modalities:
            raise UsageError(
                f"modality {unknown[0] if unknown else ''!r}, expected one of {', '.join(CHANNELS)}"
            )
        counts = ("epochs", "threads", "people", "per_person", "embedding_size")
        for name in (*counts, "learning_rate"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise UsageError(
                    f"{name} {value}, expected more than 0", "fr3d train --help shows the defaults"
                )

    @property
    def is_fusion(self) -> bool:
        """Whether frozen single-modality branches are fused."""
        return len(self.modalities) > 1

    def for_modality(self, modality: str) -> "TrainConfig":
        """Return the configuration of one branch."""
        return replace(self, modalities=(modality,))

    def to_json(self) -> dict[str, Any]:
        """Return a plain dictionary."""
        return asdict(self) | {"modalities": list(self.modalities)}


def single_model(config: TrainConfig) -> dict[str, Any]:
    """Return the "model" part of a single-modality run's configuration."""
    (modality,) = config.modalities
    return {
        "modalities": [modality],
        "channels": CHANNELS[modality],
        "backbone": config.backbone,
        "embedding_size": config.embedding_size,
        "dropout": config.dropout,
    }


def fusion_model(config: TrainConfig, branches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the "model" part of a fusion, given those of its branches.

    Its embedding is as long as theirs together: it starts as their concatenation.
    """
    return {
        "modalities": list(config.modalities),
        "branches": [dict(branch) for branch in branches],
        "embedding_size": sum(int(branch["embedding_size"]) for branch in branches),
        "dropout": config.dropout,
    }
