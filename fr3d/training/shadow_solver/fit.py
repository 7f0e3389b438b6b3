"""The training loop: fresh random sessions at every step, nothing seen twice."""

import copy
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from fr3d.training.shadow_solver.heads import Heads
from fr3d.training.shadow_solver.network import ShadowNetwork
from fr3d.training.shadow_solver.objective import Loss, loss
from fr3d.training.shadow_solver.sessions import Example, random_example, random_format
from fr3d.training.shadow_solver.solution import solution

_EVERY = 50
_MOMENTUM = 0.998
# Pixels of a photograph up to which batches are full.
_USUAL = 144 * 144


@dataclass(frozen=True)
class Plan:
    """How to train.

    Args:
        seed: of weights and sessions.
        steps: how many batches.
        batch: sessions a batch, fewer where photographs are large.
        rate: highest learning rate.
        minutes: stop here even if steps are left; the rate follows whichever ends first.
    """

    seed: int = 0
    steps: int = 6000
    batch: int = 8
    rate: float = 1.5e-3
    minutes: float = 1e9


def fit(heads: Heads, plan: Plan, log: Path, start: Path | None = None) -> ShadowNetwork:
    """Train a network and return the running mean of its weights.

    Args:
        heads: to photograph.
        plan: how.
        log: where to write a JSON line now and then.
        start: weights to begin with.
    """
    torch.manual_seed(plan.seed)
    network = ShadowNetwork().to(memory_format=torch.channels_last)
    if start is not None:
        network.load_state_dict(torch.load(start, weights_only=True))
    mean = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=1e-3)
    began, history = time.monotonic(), []
    for step, examples in enumerate(_batches(heads, plan)):
        done = max(step / plan.steps, (time.monotonic() - began) / (60 * plan.minutes))
        if done >= 1:
            break
        _set_rate(optimiser, plan.rate * _share(done))
        parts = _loss_of(network, examples)
        optimiser.zero_grad()
        torch.autograd.backward(parts.total)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        _follow(mean, network, min(_MOMENTUM, (1 + step) / (10 + step)))
        history.append([getattr(parts, field.name).item() for field in fields(Loss)])
        if step % _EVERY == _EVERY - 1:
            _write(log, step + 1, time.monotonic() - began, history[-_EVERY:])
            torch.save(mean.state_dict(), log.with_suffix(".pt"))
    return mean


@torch.no_grad()
def _follow(mean: ShadowNetwork, network: ShadowNetwork, momentum: float) -> None:
    for kept, now in zip(mean.parameters(), network.parameters(), strict=True):
        kept.lerp_(now, 1 - momentum)


def _loss_of(network: ShadowNetwork, examples: list[Example]) -> Loss:
    def stack(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(e, name) for e in examples]))

    seen = stack("evidence")
    shape = seen.shape[:2]
    seen = seen.flatten(0, 1).to(memory_format=torch.channels_last).view(*shape, *seen.shape[2:])
    with torch.autocast("cpu", torch.bfloat16):
        each, shared = network(seen)
    lights = stack("lights")
    solved = solution(stack("images"), lights, stack("saturated"), each.float(), shared.float())
    return loss(solved, stack("truth"), stack("lit"), stack("mask"), stack("judges"))


def _batches(heads: Heads, plan: Plan) -> Iterator[list[Example]]:
    step = 0
    while True:
        rng = np.random.default_rng([plan.seed, step])
        format_ = random_format(rng)
        count = max(2, plan.batch * _USUAL // format_.size**2)
        yield [random_example(rng, heads, format_) for _ in range(min(count, plan.batch))]
        step += 1


def _share(done: float) -> float:
    """Warm up over the first hundredth, then half a cosine down."""
    return min(1.0, done / 0.01 + 0.05) * float(0.5 + 0.5 * np.cos(np.pi * done))


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def _write(log: Path, step: int, seconds: float, history: list[list[float]]) -> None:
    names = [field.name for field in fields(Loss)]
    values = dict(zip(names, np.mean(history, axis=0).round(4).tolist(), strict=True))
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, "seconds": round(seconds), **values}) + "\n")
