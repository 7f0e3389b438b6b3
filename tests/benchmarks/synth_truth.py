#!/usr/bin/env python3
"""Angular and depth error of each solver on synthetic faces with cast shadows, against their truth.

    python tests/benchmarks/synth_truth.py WORK [--people 24] [--solver ls --solver ratio ...]

WORK is an empty folder for what is made. Renders four-light captures, reconstructs them with each
solver, and once more with a wrong transfer function, which must show. The mask is the true one;
pixels that a map leaves out are counted in their own column. Depth is compared after removing its
mean, in pixels and as a share of the true spread.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from fr3d.artifacts.store import Artifact, open_artifact


def fr3d(*words: object) -> None:
    """Run one command; stop when it fails."""
    print("$ fr3d", *words, file=sys.stderr, flush=True)
    code = "from fr3d.cli import entry; entry()"
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)


def errors(maps: Artifact, truth: Artifact) -> np.ndarray:
    """Mean of each session: mean and median angle, depth error in pixels and share, left out."""
    at = {key: i for i, key in enumerate(zip(truth.subject_id, truth.session_id, strict=True))}
    rows = []
    for i, key in enumerate(zip(maps.subject_id, maps.session_id, strict=True)):
        face, found = truth["mask"][at[key]] > 0, maps["mask"][i] > 0
        both = face & found
        normal = maps["normal"][i].astype(np.float64), truth["normal"][at[key]].astype(np.float64)
        cosine = np.clip((normal[0] * normal[1]).sum(axis=-1)[both], -1, 1)
        angle = np.rad2deg(np.arccos(cosine))
        z, goal = maps["depth"][i][both], truth["depth"][at[key]][both]
        off = np.abs((z - z.mean()) - (goal - goal.mean())).mean()
        left_out = 1 - both.sum() / face.sum()
        rows.append([angle.mean(), np.median(angle), off, off / goal.std(), left_out])
    return np.mean(rows, axis=0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--solver", action="append")
    args = parser.parse_args()
    raw = args.work / f"raw-{args.size}"
    fr3d("synth", raw, "--people", args.people, "--sessions", 2, "--size", args.size,
         "--seed", args.seed)  # fmt: skip
    truth = open_artifact(raw / "truth.h5")
    runs = [(name, "linear") for name in args.solver or ["ls", "ratio"]]
    runs += [("ls", "gamma:2.2"), (runs[-1][0], "gamma:2.2")]
    print(f"{'solver':12} {'transfer':10} {'mean deg':>9} {'median':>7} {'depth px':>9} "
          f"{'share':>6} {'left out':>9}")  # fmt: skip
    for solver, transfer in dict.fromkeys(runs):
        maps = args.work / f"{solver}-{transfer.replace(':', '')}.h5"
        fr3d("ps-reconstruct", raw, "-o", maps, "--solver", solver, "--transfer", transfer, "-f")
        mean, median, depth, share, out = errors(open_artifact(maps), truth)
        print(f"{solver:12} {transfer:10} {mean:9.2f} {median:7.2f} {depth:9.2f} {share:6.1%} "
              f"{out:9.2%}")  # fmt: skip


if __name__ == "__main__":
    main()
