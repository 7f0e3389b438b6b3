#!/usr/bin/env python3
"""Mean angular error of every solver on random four-light sets of DiLiGenT objects, beside ls.

    python tests/benchmarks/four_lights.py DILIGENT [--sets 200] [--seed 0] [--condition 5]

DILIGENT holds a folder an object: 16-bit PNGs named in filenames.txt, light_directions.txt,
light_intensities.txt, mask.png, Normal_gt.mat. Also prints the error with all lights together. A
ratio is the error of a set over that of least squares on the same set.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from scipy.io import loadmat

from fr3d.photometric.solvers.choice import choose_solver
from fr3d.photometric.solvers.linear import split_scaled_normal
from fr3d.photometric.solvers.shadow import solve_shadow
from fr3d.photometric.solvers.solve import SOLVERS, solve

NAMES = [*SOLVERS, "shadow", "auto"]


class Scene:
    """One object: images (L, H, W) cut to the mask, lights, mask, true normals (3, H, W)."""

    def __init__(self, folder: Path) -> None:
        mask = cv2.imread(str(folder / "mask.png"), 0) > 0
        rows, columns = np.nonzero(mask)
        box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        strength = np.loadtxt(folder / "light_intensities.txt")
        names = (folder / "filenames.txt").read_text().split()
        images = []
        for name, rgb in zip(names, strength, strict=True):
            image = cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED)[box][..., ::-1]
            images.append((image / 65535 / rgb).mean(axis=-1))
        self.mask = mask[box]
        self.images = np.stack(images).astype(np.float32) * self.mask
        self.lights = np.loadtxt(folder / "light_directions.txt")
        self.truth = np.moveaxis(loadmat(folder / "Normal_gt.mat")["Normal_gt"][box], -1, 0)

    def error(self, pick: np.ndarray, solver: str) -> float:
        """Mean angle in degrees with some of the lights."""
        images, lights = self.images[pick], self.lights[pick]
        if solver == "auto":
            solver = choose_solver(lights, len(lights))
        if solver == "shadow":
            g = solve_shadow(images, lights, None, self.mask).g
        else:
            g = solve(images[None], lights[None], None, solver)[0]
        normal = split_scaled_normal(g)[1]
        cosine = np.clip((normal * self.truth).sum(axis=0)[self.mask], -1, 1)
        return float(np.rad2deg(np.arccos(cosine)).mean())


def random_sets(lights: np.ndarray, count: int, seed: int, condition: float) -> list[np.ndarray]:
    """Different sets of four lights whose condition number is at most `condition`."""
    rng = np.random.default_rng(seed)
    found: dict[tuple[int, ...], np.ndarray] = {}
    while len(found) < count:
        pick = np.sort(rng.choice(len(lights), 4, replace=False))
        if np.linalg.cond(lights[pick]) <= condition:
            found[tuple(pick)] = pick
    return list(found.values())


def main() -> None:
    """Print a row an object and solver."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("diligent", type=Path)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--condition", type=float, default=5)
    parser.add_argument("--solver", action="append", choices=NAMES)
    args = parser.parse_args()
    print(f"{'object':8} {'solver':12} {'all lights':>10} {'four':>6} {'ratio':>6} {'worst':>6} "
          f"{'lower in':>8} {'>1.01 in':>8}")  # fmt: skip
    for folder in sorted(p for p in args.diligent.iterdir() if (p / "Normal_gt.mat").exists()):
        scene = Scene(folder)
        sets = random_sets(scene.lights, args.sets, args.seed, args.condition)
        base = np.array([scene.error(pick, "ls") for pick in sets])
        for solver in args.solver or NAMES:
            found = np.array([scene.error(pick, solver) for pick in sets])
            ratio = found / base
            full = scene.error(np.arange(len(scene.lights)), solver)
            print(f"{folder.name:8} {solver:12} {full:10.2f} {found.mean():6.2f} "
                  f"{ratio.mean():6.3f} {ratio.max():6.3f} {(ratio < 1).mean():8.1%} "
                  f"{(ratio > 1.01).mean():8.1%}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
