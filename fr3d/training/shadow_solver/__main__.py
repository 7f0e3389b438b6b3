"""Make the weights of the shadow solver from nothing but this package.

    python -m fr3d.training.shadow_solver WORK [--heads 400] [--minutes 45] [--seed 1] [--start W]

WORK keeps the rendered heads, a log and the weights as PyTorch sees them; `WORK/shadow.onnx` is
the file to put into `fr3d/photometric/assets`. Everything is synthetic: heads of `fr3d synth`
and random solids. One CPU core is enough: half a second a step, useful after two hundred steps.
A run that stops after so many `--steps` is repeatable; one that stops by the clock is not.
"""

import argparse
from pathlib import Path

import torch

from fr3d.training.shadow_solver.export import export
from fr3d.training.shadow_solver.fit import Plan, fit
from fr3d.training.shadow_solver.heads import Heads, build_heads


def main() -> None:
    """Render, train, export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--heads", type=int, default=400, help="different people to render")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop by the clock")
    parser.add_argument("--rate", type=float, default=Plan.rate, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to begin with")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    cache = args.work / f"heads-{args.heads}.npz"
    if not cache.exists():
        build_heads(cache, _PEOPLE, args.heads)
    plan = Plan(args.seed, args.steps, rate=args.rate, minutes=args.minutes)
    network = fit(Heads(cache), plan, args.work / "log.jsonl", args.start)
    torch.save(network.state_dict(), args.work / "shadow.pt")
    notes = {
        "made_by": "python -m fr3d.training.shadow_solver",
        "data": "synthetic only: heads from CC0 MakeHuman assets, random solids",
        "licence": "CC0-1.0",
        "heads": [args.heads, _PEOPLE],
        "seed": args.seed,
    }
    export(network, args.work / "shadow.onnx", notes)


# Seed of the people; data sets made by `fr3d synth` begin at other seeds.
_PEOPLE = 2026

if __name__ == "__main__":
    main()
