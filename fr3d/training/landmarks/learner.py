"""Network, loss and optimiser of a landmark run: one step of learning, and all of it as tensors."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fr3d.errors import MalformedInputError
from fr3d.losses.heatmaps import HeatmapLoss
from fr3d.losses.margin import LossTerms
from fr3d.models.hourglass import StackedHourglass
from fr3d.training.checkpoint import tensors_below
from fr3d.training.landmarks.config import LandmarkConfig
from fr3d.training.optimiser import adamw

# The mean of the weights follows faster while there are few steps to average.
_FIRST = 10


class LandmarkLearner:
    """What learns.

    Args:
        network: on its device.
        config: of the run.
    """

    def __init__(self, network: StackedHourglass, config: LandmarkConfig) -> None:
        self.network = network.to(memory_format=torch.channels_last)
        self.criterion = HeatmapLoss(config.sigma, config.spread)
        self.config = config
        self.device = next(network.parameters()).device
        self.optimiser = adamw(network.parameters(), config.learning_rate, config.weight_decay)
        self.average = {k: v.detach().clone() for k, v in network.state_dict().items()}
        self.steps = 0

    def step(self, views: Tensor, points: Tensor, rate: float) -> LossTerms:
        """Learn from one batch.

        Args:
            views: (B, 3, S, S), values 0 to 255.
            points: (B, 5, 2), pixels of the heatmaps.
            rate: learning rate.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        images = views.to(self.device).float().contiguous(memory_format=torch.channels_last)
        reduced = self.config.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=reduced):
            answers = self.network(images)
        terms: LossTerms = self.criterion(answers, points.to(self.device))
        if torch.isfinite(terms.total):
            torch.autograd.backward(terms.total)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
            self.optimiser.step()
            self._update_average()
        return terms

    def tensors(self) -> dict[str, Tensor]:
        """Return everything needed to go on, by name."""
        found = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        found |= {f"average.{k}": v for k, v in self.average.items()}
        for index, values in self.optimiser.state_dict()["state"].items():
            found |= {f"optimiser.{index}.{k}": v for k, v in values.items()}
        found["steps"] = torch.tensor(self.steps)
        # Weights lie in memory channels last; a file keeps them in the plain order.
        return {k: v.detach().cpu().contiguous() for k, v in found.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up where `tensors` were saved.

        Raises:
            MalformedInputError: they belong to another network.
        """
        try:
            self.network.load_state_dict(tensors_below(tensors, "network."))
            for name, value in tensors_below(tensors, "average.").items():
                self.average[name].copy_(value)
            self.steps = int(tensors["steps"])
            self._load_optimiser(tensors_below(tensors, "optimiser."))
        except (RuntimeError, ValueError, KeyError, IndexError) as error:
            text = " ".join(str(error).split())[:200]
            raise MalformedInputError(
                f"last: does not fit the run: {text}", "start again with --force"
            ) from error

    def _load_optimiser(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back the optimiser's moments, laid out in memory as the weights are."""
        weights = [p for group in self.optimiser.param_groups for p in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, key = name.split(".", 1)
            weight = weights[int(index)]
            # The fused optimiser walks through memory: another order would mix up the elements.
            own = torch.empty_like(weight) if value.shape == weight.shape else value.clone()
            state.setdefault(int(index), {})[key] = own.detach().copy_(value)
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})

    @torch.no_grad()
    def _update_average(self) -> None:
        """Move the running mean of weights and statistics a little."""
        self.steps += 1
        decay = min(self.config.average, (1 + self.steps) / (_FIRST + self.steps))
        for name, value in self.network.state_dict().items():
            mean = self.average[name]
            if mean.is_floating_point():
                mean.lerp_(value, 1.0 - decay)
            else:
                mean.copy_(value)
