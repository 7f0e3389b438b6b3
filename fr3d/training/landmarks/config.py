"""What decides the outcome of a landmark run; stored with it and compared before resuming."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from fr3d.errors import UsageError
from fr3d.models.hourglass import STRIDE
from fr3d.training.landmarks.augmentation import LandmarkAugmentation

SMALLEST, LARGEST = 32, 1024


@dataclass(frozen=True)
class LandmarkConfig:
    """A run of the landmark network.

    Args:
        size: side of the network's input, pixels.
        stacks: hourglasses one after the other.
        channels: of the features.
        depth: halvings within an hourglass.
        sigma: of the Gaussian that a heatmap should be, pixels of the heatmap.
        spread: weight of the heatmap's shape against the distance of its mean from the point.
        epochs: passes over the training faces.
        batch: faces a step.
        learning_rate: peak of AdamW.
        weight_decay: of AdamW, on weight matrices only.
        warmup: share of the steps in which the learning rate rises.
        clip: largest norm of the gradient.
        average: decay of the running mean of the weights that is kept as the result.
        precision: "bf16" or "float32", resolved.
        threads: of the CPU arithmetic; their number decides the rounding.
        val_share: of the faces, or of their groups, to validate on.
        group: column whose faces must not be on both sides; empty for none.
        seed: of initial weights, split, batches and augmentation.
        augmentation: strengths.
    """

    size: int = 128
    stacks: int = 2
    channels: int = 64
    depth: int = 3
    sigma: float = 1.0
    spread: float = 1.0
    epochs: int = 40
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.05
    clip: float = 5.0
    average: float = 0.998
    precision: str = "float32"
    threads: int = 1
    val_share: float = 0.2
    group: str = ""
    seed: int = 0
    augmentation: LandmarkAugmentation = field(default_factory=LandmarkAugmentation)

    def __post_init__(self) -> None:
        step = STRIDE * 2**self.depth
        if not SMALLEST <= self.size <= LARGEST or self.size % step:
            raise UsageError(
                f"size {self.size}, expected a multiple of {step} from {SMALLEST} to {LARGEST}",
                f"try {min(max(round(self.size / step), 1) * step, LARGEST)}",
            )
        for name in ("sigma", "learning_rate", "epochs", "batch", "threads"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise UsageError(
                    f"{name} {value}, expected more than 0", "fr3d train --help shows the defaults"
                )
        if not 0 <= self.val_share < 1:
            raise UsageError(f"share {self.val_share} to validate on, expected 0 to below 1")

    def model(self) -> dict[str, Any]:
        """Return what decides the network's shape."""
        return {
            "network": "hourglass",
            "stacks": self.stacks,
            "channels": self.channels,
            "depth": self.depth,
            "size": self.size,
            "sigma": self.sigma,
        }

    def to_json(self) -> dict[str, Any]:
        """Return a plain dictionary."""
        return asdict(self)
