"""The network of the light estimate: from a shaded face to a direction and how sure it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fr3d.training.light_network.lessons import Lessons

WIDTHS = (96, 64)
_HELD_OUT = 10
_BATCH, _RATE, _DECAY, _DROPOUT = 256, 3e-3, 2e-2, 0.1


@dataclass(frozen=True)
class Fit:
    """A trained network.

    Attributes:
        arrays: `weight0`, `bias0`, ... in float16, for the asset.
        errors: degrees between told and true directions of people who were held out.
    """

    arrays: dict[str, npt.NDArray[Any]]
    errors: npt.NDArray[np.float64]


def fit(
    people: list[Lessons], epochs: int, seed: int, say: Callable[[str], object] = lambda _: None
) -> Fit:
    """Train on people, one in ten held out.

    Args:
        people: examples of each.
        epochs: times that all are seen.
        seed: of weights and order.
        say: told of the progress.
    """
    torch.manual_seed(seed)
    held = [p for n, p in enumerate(people) if n % _HELD_OUT == 0]
    rest = [p for n, p in enumerate(people) if n % _HELD_OUT]
    seen, told = _stacked(rest)
    middle, spread = seen.mean(dim=0), seen.std(dim=0) + 0.05
    network = _network(seen.shape[1])
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=_DECAY)
    steps = epochs * (len(seen) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps)
    inputs = (seen - middle) / spread
    for number, batch in enumerate(_batches(len(seen), epochs)):
        optimiser.zero_grad()
        loss = _misfit(network(inputs[batch]), told[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if number % 500 == 0:
            say(f"step {number} of {steps}: {loss.item():.3f}")
    network.eval()
    unseen, truth = _stacked(held)
    with torch.no_grad():
        answer = nn.functional.normalize(network((unseen - middle) / spread)[:, :3], dim=1)
    cosine = (answer * truth).sum(dim=1).numpy()
    errors = np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))).astype(np.float64)
    return Fit(_arrays(network, middle, spread), errors)


def _network(inputs: int) -> nn.Sequential:
    first, second = WIDTHS
    return nn.Sequential(
        nn.Dropout(_DROPOUT), nn.Linear(inputs, first), nn.ReLU(),
        nn.Dropout(_DROPOUT), nn.Linear(first, second), nn.ReLU(),
        nn.Linear(second, 4),
    )  # fmt: skip


def _misfit(answer: Tensor, truth: Tensor) -> Tensor:
    """Negative logarithm of the von Mises-Fisher density on the sphere, but for a constant.

    Reference:
        Fisher 1953, Dispersion on a sphere, eq. 1.
    """
    # The same concentration as in `light_estimate.concentration`.
    sure = nn.functional.softplus(10.0 * answer[:, 3] + 20.0) + 1.0
    cosine = (nn.functional.normalize(answer[:, :3], dim=1) * truth).sum(dim=1)
    return (torch.log1p(-torch.exp(-2.0 * sure)) - torch.log(sure) + sure * (1.0 - cosine)).mean()


def _batches(count: int, epochs: int) -> Iterator[Tensor]:
    for _ in range(epochs):
        order = torch.randperm(count)
        for start in range(0, count - _BATCH + 1, _BATCH):
            yield order[start : start + _BATCH]


def _stacked(people: list[Lessons]) -> tuple[Tensor, Tensor]:
    seen = np.concatenate([p.features for p in people])
    told = np.concatenate([p.directions for p in people])
    return torch.from_numpy(seen), torch.from_numpy(told)


def _arrays(network: nn.Sequential, middle: Tensor, spread: Tensor) -> dict[str, npt.NDArray[Any]]:
    """Weights and biases; the first layer takes the features as they are, unscaled."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    for number, layer in enumerate(layers):
        weight, bias = layer.weight.detach(), layer.bias.detach()
        if number == 0:
            weight = weight / spread
            bias = bias - weight @ middle
        arrays[f"weight{number}"] = weight.numpy().astype(np.float16)
        arrays[f"bias{number}"] = bias.numpy().astype(np.float32)
    return arrays
