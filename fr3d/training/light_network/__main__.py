"""Make the network of the light estimate from nothing but this package.

    python -m fr3d.training.light_network OUTPUT.npz [--people 400] [--epochs 16] [--seed 31000]

OUTPUT is the file to put into `fr3d/photometric/assets`. Half a second a person and a minute of
training on one core; the same people and seed give the same network.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fr3d.training.light_network.fit import fit
from fr3d.training.light_network.lessons import lessons_of


def main() -> None:
    """Render, train, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=31_000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    people = [lessons_of(args.seed, number) for number in range(args.people)]
    made = fit(people, args.epochs, args.seed, _say)
    arrays: dict[str, Any] = made.arrays
    np.savez_compressed(
        args.output, people=np.array(args.people), seed=np.array(args.seed), **arrays
    )
    _say(
        f"people held out: median {np.median(made.errors):.2f}, "
        f"95 % below {np.percentile(made.errors, 95):.2f} degrees"
    )


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
