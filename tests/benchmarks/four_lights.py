#!/usr/bin/env python3
"""Mean angular error of each solver on random sets of a few lights of DiLiGenT objects.

    python tests/benchmarks/four_lights.py SHARED [--object bear ...] [--sets 200] [--lights 4]
        [--seed 0] [--solver ratio ...] [--condition 5]

SHARED holds data/diligent/OBJECT: photographs, light files, mask and `Normal_gt.mat`. Draws sets
of lights (numbered from 0 in the order of their files) whose directions have at most the given
condition number, solves each set with least squares and with every solver, and prints the mean of
the mean angular errors, its ratio to least squares, the largest such ratio, how many sets a solver
wins and how many it loses by more than one percent.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from scipy.io import loadmat

from fr3d.photometric.solvers.shadow import solve_shadow
from fr3d.photometric.solvers.solve import SOLVERS, solve


def load(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Grey photographs over intensity (L, H, W), lights (L, 3), mask, true normals (3, H, W)."""
    strength = np.loadtxt(folder / "light_intensities.txt")
    names = sorted(folder.glob("[0-9]*.png"))
    images = [
        (cv2.imread(str(name), cv2.IMREAD_UNCHANGED)[..., ::-1] / 65535 / factor).mean(axis=-1)
        for name, factor in zip(names, strength, strict=True)
    ]
    mask = cv2.imread(str(folder / "mask.png"), cv2.IMREAD_GRAYSCALE) > 0
    normal = np.moveaxis(loadmat(folder / "Normal_gt.mat")["Normal_gt"], -1, 0)
    lights = np.loadtxt(folder / "light_directions.txt")
    return np.stack(images).astype(np.float32), lights, mask, normal


def run(name: str, images: np.ndarray, lights: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Scaled normals (3, H, W) of one set of photographs."""
    if name == "shadow":
        return solve_shadow(images, lights, None, mask).g
    return solve(images[None], lights[None], None, name)[0]


def angle(g: np.ndarray, normal: np.ndarray, mask: np.ndarray) -> float:
    """Mean angle to the truth in the mask, degrees."""
    found, truth = g[:, mask], normal[:, mask]
    length = np.maximum(np.linalg.norm(found, axis=0), 1e-12)
    return float(np.rad2deg(np.arccos(np.clip((found * truth).sum(0) / length, -1, 1))).mean())


def draws(lights: np.ndarray, count: int, sets: int, most: float, seed: int) -> list[np.ndarray]:
    """Random sets of lights with a condition number of at most `most`."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < sets:
        pick = np.sort(rng.choice(len(lights), count, replace=False))
        if np.linalg.cond(lights[pick]) <= most:
            found.append(pick)
    return found


def measure(folder: Path, args: argparse.Namespace, names: list[str]) -> np.ndarray:
    """Errors (sets, solvers) on one object."""
    images, lights, mask, normal = load(folder)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.s_[..., max(rows[0] - 8, 0) : rows[-1] + 9, max(columns[0] - 8, 0) : columns[-1] + 9]
    images, mask, normal = np.ascontiguousarray(images[box]), mask[box], normal[box]
    score: Callable[[str, np.ndarray], float] = lambda name, pick: angle(  # noqa: E731
        run(name, images[pick], lights[pick], mask), normal, mask
    )
    picks = draws(lights, args.lights, args.sets, args.condition, args.seed)
    return np.array([[score(name, pick) for name in names] for pick in picks])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path)
    parser.add_argument("--object", action="append")
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--lights", type=int, default=4)
    parser.add_argument("--condition", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--solver", action="append")
    args = parser.parse_args()
    asked = args.solver or [name for name in SOLVERS if name not in ("ls", "shadow")] + ["shadow"]
    names = ["ls", *asked]
    print(
        f"{'object':8} {'solver':12} {'degrees':>8} {'to ls':>6} {'worst':>6} {'wins':>5} lose>1%"
    )
    for thing in args.object or ["bear", "cat"]:
        errors = measure(args.shared / "data" / "diligent" / thing, args, names)
        for i, name in enumerate(names):
            share = errors[:, i] / errors[:, 0]
            print(
                f"{thing:8} {name:12} {errors[:, i].mean():8.2f} "
                f"{errors[:, i].mean() / errors[:, 0].mean():6.3f} {share.max():6.3f} "
                f"{(share < 1).mean():5.0%} {(share > 1.01).mean():6.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
