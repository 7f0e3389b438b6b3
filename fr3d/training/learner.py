"""Network, criterion and optimiser of a run: one step of learning, and all of it as tensors."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fr3d.errors import MalformedInputError
from fr3d.losses.margin import LossTerms
from fr3d.models.embedding import Network
from fr3d.training.checkpoint import tensors_below
from fr3d.training.config import TrainConfig
from fr3d.training.optimiser import adamw


class Learner:
    """What learns.

    Args:
        network: with `features` and `head`, on its device.
        criterion: maps embeddings and labels to `LossTerms`, on the same device.
        config: of the run.
        from_features: inputs are features already (cached ones of frozen branches).
    """

    def __init__(
        self,
        network: Network,
        criterion: nn.Module,
        config: TrainConfig,
        *,
        from_features: bool = False,
    ) -> None:
        # Convolutions are a quarter faster with channels last, with bfloat16 a third.
        self.network = network.to(memory_format=torch.channels_last)
        self.criterion = criterion
        self.config = config
        self.from_features = from_features
        self.optimiser = build_optimiser(network, criterion, config)
        self.average = self._floats() if config.average else {}
        self.device = next(network.parameters()).device

    def step(
        self, inputs: tuple[Tensor, ...], label: Tensor, rate: float
    ) -> tuple[LossTerms, Tensor]:
        """Learn from one batch.

        Args:
            inputs: of the network, or its features.
            label: (B,) people.
            rate: learning rate.

        Returns:
            The loss before the step, and the embeddings (B, D) without gradient.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        embedding = self._embed(inputs)
        terms: LossTerms = self.criterion(embedding, label)
        if torch.isfinite(terms.total):
            torch.autograd.backward(terms.total)
            nn.utils.clip_grad_norm_(self._parameters(), self.config.clip)
            self.optimiser.step()
            self._update_average()
        return terms, embedding.detach()

    def result(self) -> dict[str, Tensor]:
        """Return the weights to keep: the running mean where there is one."""
        state = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        if self.config.average:
            state |= {k: v.clone() for k, v in self.average.items()}
        return state

    def tensors(self) -> dict[str, Tensor]:
        """Return everything needed to go on, by name; frozen branches lie in their own runs."""
        found = {f"network.{k}": v for k, v in self._learned().items()}
        found |= {f"criterion.{k}": v for k, v in self.criterion.state_dict().items()}
        found |= {f"average.{k}": v for k, v in self.average.items()}
        for index, values in self.optimiser.state_dict()["state"].items():
            found |= {f"optimiser.{index}.{k}": v for k, v in values.items()}
        return {k: v.detach().cpu().contiguous() for k, v in found.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up where `tensors` were saved.

        Raises:
            MalformedInputError: they belong to another network.
        """
        try:
            frozen = self.network.state_dict().keys() - self._learned().keys()
            kept = {k: v for k, v in self.network.state_dict().items() if k in frozen}
            self.network.load_state_dict(kept | tensors_below(tensors, "network."))
            self.criterion.load_state_dict(tensors_below(tensors, "criterion."))
            self.average = {
                k: v.to(self.device).clone() for k, v in tensors_below(tensors, "average.").items()
            }
            self._load_optimiser(tensors_below(tensors, "optimiser."))
        except (RuntimeError, ValueError, KeyError, IndexError) as error:
            text = " ".join(str(error).split())[:200]
            raise MalformedInputError(
                f"last: does not fit the run: {text}", "start again with --force"
            ) from error

    def _load_optimiser(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back the optimiser's moments, laid out in memory as the weights are."""
        weights = self._parameters()
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, key = name.split(".", 1)
            weight = weights[int(index)]
            # The fused optimiser walks through memory: another order would mix up the elements.
            own = torch.empty_like(weight) if value.shape == weight.shape else value.clone()
            state.setdefault(int(index), {})[key] = own.detach().copy_(value)
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})

    def _embed(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Features in the run's precision, the head in float32."""
        self.network.train()
        self.criterion.train()
        if self.from_features:
            features = inputs[0]
        else:
            reduced = self.config.precision == "bf16"
            images = [x.contiguous(memory_format=torch.channels_last) for x in inputs]
            with torch.autocast(self.device.type, torch.bfloat16, enabled=reduced):
                features = self.network.features(*images)
        return self.network.head(features.float())

    def _learned(self) -> dict[str, Tensor]:
        """Weights and statistics that change in this run."""
        state = self.network.state_dict()
        if self.from_features:
            return {k: v for k, v in state.items() if k.startswith("head.")}
        return dict(state)

    def _floats(self) -> dict[str, Tensor]:
        """Copies of those that can be averaged."""
        learned = self._learned().items()
        return {k: v.detach().clone() for k, v in learned if v.is_floating_point()}

    def _parameters(self) -> list[nn.Parameter]:
        return [p for group in self.optimiser.param_groups for p in group["params"]]

    @torch.no_grad()
    def _update_average(self) -> None:
        """Move the running mean of weights and statistics a little."""
        if not self.config.average:
            return
        current = self._learned()
        for name, mean in self.average.items():
            mean.lerp_(current[name], 1.0 - self.config.average)


def build_optimiser(
    network: nn.Module, criterion: nn.Module, config: TrainConfig
) -> torch.optim.AdamW:
    """Give AdamW every learnable of network and criterion; only matrices decay.

    Args:
        network: frozen parameters are left out.
        criterion: its class directions learn too.
        config: of the run.
    """
    learnable = [
        p for module in (network, criterion) for p in module.parameters() if p.requires_grad
    ]
    return adamw(learnable, config.learning_rate, config.weight_decay)
