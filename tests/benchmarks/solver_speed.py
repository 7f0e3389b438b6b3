#!/usr/bin/env python3
"""Time of each solver on one thread beside copying as many bytes, all in one run.

    python tests/benchmarks/solver_speed.py [--size 256] [--sessions 8] [--rounds 15]
                                            [--robust FOLDER] [--cuda]

The limit is the time in which the machine copies the planes that a solver reads (four) and writes
(three), measured on as many sessions. `--robust` names a checkout of RobustPhotometricStereo
(rps.py), whose least squares then runs in the same rounds. Least of interleaved rounds, in time
of the thread, so that other work on the machine counts little.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from fr3d.geometry.lights import direction
from fr3d.photometric.solvers.shadow import solve_shadow
from fr3d.photometric.solvers.solve import SOLVERS, solve

LIGHTS = direction(np.array([36.0, 42, 40, 36]), np.array([134.0, 47, 313, 233]))


def face_like(sessions: int, size: int) -> np.ndarray:
    """Photographs of spheres with noise, (B, 4, H, W)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[1 : -1 : size * 1j, -1 : 1 : size * 1j]
    normal = np.stack([x, y, np.sqrt(np.maximum(1 - x**2 - y**2, 0.02))])
    shading = np.maximum(
        np.einsum("lc,chw->lhw", LIGHTS, normal / np.linalg.norm(normal, axis=0)), 0
    )
    noise = rng.normal(0, 0.01, (sessions, 4, size, size))
    return np.clip(0.7 * shading + noise, 0, 1).astype(np.float32)


def copying(images: np.ndarray) -> Callable[[], Any]:
    """Copy as many bytes as solving reads and writes: half read, half written."""
    planes = images.size * 7 // 4
    source, target = np.ones(planes // 2, np.float32), np.zeros(planes // 2, np.float32)
    return lambda: np.copyto(target, source)


def theirs(folder: Path, images: np.ndarray) -> Callable[[], Any]:
    """Least squares of RobustPhotometricStereo, session by session, from arrays in memory."""
    sys.path.insert(0, str(folder))
    import rps

    solver = rps.RPS()
    solver.L = LIGHTS.T
    solver.height, solver.width = images.shape[2:]
    matrices = [session.reshape(4, -1).T.astype(np.float64) for session in images]

    def run() -> None:
        for matrix in matrices:
            solver.M = matrix
            solver.solve(rps.RPS.L2_SOLVER)

    return run


def on_cuda(images: np.ndarray, name: str) -> Callable[[], Any]:
    """Solve on a GPU from arrays there, waiting for the end."""
    import torch

    there = torch.from_numpy(images).cuda()
    lights = np.stack([LIGHTS] * len(images))

    def run() -> None:
        solve(there, lights, None, name)
        torch.cuda.synchronize()

    return run


def main() -> None:
    """Print a row a solver."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--robust", type=Path)
    parser.add_argument("--cuda", action="store_true")
    args = parser.parse_args()
    images = face_like(args.sessions, args.size)
    lights = np.stack([LIGHTS] * args.sessions)
    cases: dict[str, Callable[[], Any]] = {"copy": copying(images)}
    for name in SOLVERS:
        cases[name] = lambda name=name: solve(images, lights, None, name)
    cases["shadow"] = lambda: [solve_shadow(session, LIGHTS) for session in images]
    if args.robust:
        cases["RobustPhotometricStereo L2"] = theirs(args.robust, images)
    if args.cuda:
        cases |= {f"{name} (cuda)": on_cuda(images, name) for name in SOLVERS}
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for index in range(args.rounds + 1):
        for name, run in cases.items():
            clock = time.perf_counter if name.endswith("(cuda)") else time.thread_time
            start = clock()
            run()
            if index:
                seconds[name].append((clock() - start) / args.sessions)
    limit = min(seconds["copy"])
    print(f"{'solver':28} {'ms a session':>12} {'x copy':>8}")
    for name, values in seconds.items():
        print(f"{name:28} {1000 * min(values):12.3f} {min(values) / limit:8.1f}")


if __name__ == "__main__":
    main()
