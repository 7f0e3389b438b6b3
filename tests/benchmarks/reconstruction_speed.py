#!/usr/bin/env python3
"""Sessions a second of ps-reconstruct, with and without its start-up.

python tests/benchmarks/reconstruction_speed.py WORK [--sessions 500] [--size 256] [--runs 3]
    [--workers 2] [OPTIONS OF PS-RECONSTRUCT]

The photographs of sample_data are enlarged into WORK as 8 bit BMP under new names until there are
enough. The command runs on all of them and on a tenth; the difference is free of the start-up. A
busy machine shows in the wall clock, so the processor time of a session is printed as well.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2

SAMPLE = Path(__file__).parents[2] / "sample_data" / "raw"
CODE = "from fr3d.cli import entry; entry()"


@dataclass(frozen=True)
class Run:
    """What one run took."""

    wall_s: float
    cpu_s: float


def make_sessions(folder: Path, count: int, size: int) -> None:
    """`count` sessions of photographs of `size` x `size` pixels."""
    if folder.exists():
        return
    real = sorted(p.parent for p in SAMPLE.glob("*/*/LightSource.m"))
    for i in range(count):
        source = real[i % len(real)]
        target = folder / f"{source.parent.name}x{i // len(real):03d}" / source.name
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.png"))
        for path in source.glob("*.png"):
            image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            large = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(target / f"{path.stem}.bmp"), large)
        _enlarge_landmarks(target / "metadata.txt", size / image.shape[0])


def _enlarge_landmarks(path: Path, factor: float) -> None:
    text = path.read_text()
    path.write_text(re.sub(r"[\d.]+", lambda m: f"{float(m[0]) * factor:.2f}", text))


def run(raw: Path, workers: int, options: list[str]) -> Run:
    """Reconstruct a folder once."""
    output = raw.with_suffix(".h5")
    words = [sys.executable, "-c", CODE, "ps-reconstruct", str(raw), "-o", str(output), "-f"]
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        [*words, "-j", str(workers), *options], capture_output=True, text=True, check=False
    )
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode:
        sys.exit(done.stderr)
    cpu = after.children_user + after.children_system
    return Run(wall, cpu - before.children_user - before.children_system)


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    args, options = parser.parse_known_args()
    few = max(1, args.sessions // 10)
    folders = {n: args.work / f"raw-{n}-{args.size}" for n in (few, args.sessions)}
    for count, folder in folders.items():
        make_sessions(folder, count, args.size)
    walls, cpus, rates = [], [], []
    for number in range(args.runs):
        some, every = (run(folders[n], args.workers, options) for n in (few, args.sessions))
        extra = args.sessions - few
        walls.append(args.sessions / every.wall_s)
        rates.append(extra / (every.wall_s - some.wall_s))
        cpus.append(1000 * (every.cpu_s - some.cpu_s) / extra)
        print(f"run {number + 1}: {every.wall_s:.1f} s, {every.cpu_s:.1f} s CPU", flush=True)
    load = os.getloadavg()[0]
    print(f"{args.sessions} sessions of {args.size} x {args.size}, {args.workers} workers")
    print(f"sessions a second: {statistics.median(walls):.1f}")
    print(f"without start-up:  {statistics.median(rates):.1f}")
    print(f"CPU a session:     {statistics.median(cpus):.1f} ms (load {load:.1f})")


if __name__ == "__main__":
    main()
