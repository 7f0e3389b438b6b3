#!/usr/bin/env python3
"""Sessions a second of the renderer, and of the whole of `fr3d synth` without its start-up.

python tests/benchmarks/synth_speed.py [--device cpu] [--size 128] [--sessions 240] [--runs 5]
    [--workers 2] [--people 40] [--batch N] [OPTIONS OF SYNTH]

Rendering alone: people and sessions are drawn beforehand, and nothing is written; `--device` is
cpu (compiled loops, one process), torch-cpu, cuda or cuda:N. For cpu the command runs as well, for
many people and for a tenth of them; the difference is free of the start-up. A busy machine shows in
the wall clock, so the processor time of a session is printed beside it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.engine import Engine, engine_for
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.scene import photograph
from fr3d.synthesis.studio import Shot, Studio, draw

CODE = "from fr3d.cli import entry; entry()"
OF_EACH = 6


@dataclass(frozen=True)
class Run:
    """What some sessions took."""

    wall_s: float
    cpu_s: float


def timed(job: Callable[[], object]) -> Run:
    """Wall clock, and processor time of this process and of those that it waited for."""
    before, start = os.times(), time.perf_counter()
    job()
    wall, after = time.perf_counter() - start, os.times()
    return Run(wall, sum(after[:4]) - sum(before[:4]))


def shots_of(studio: Studio, count: int) -> list[Shot]:
    """Sessions of as many people as it takes."""
    head = load_heads()
    people = [sample_identity(0, n, head) for n in range(-(-count // OF_EACH))]
    return [draw(people[n // OF_EACH], 0, n // OF_EACH, n % OF_EACH, studio) for n in range(count)]


def render(engine: Engine, shots: list[Shot], studio: Studio, batch: int) -> None:
    """Photograph all sessions; they are on the host when this ends."""
    for start in range(0, len(shots), batch):
        photograph(engine, shots[start : start + batch], studio)


def rendering(args: argparse.Namespace) -> None:
    """Print the speed of rendering alone."""
    studio, engine = Studio(args.size), engine_for(args.device)
    shots, batch = shots_of(studio, args.sessions), args.batch or engine.batch
    render(engine, shots[: max(batch, 8)], studio, batch)
    runs = [timed(lambda: render(engine, shots, studio, batch)) for _ in range(args.runs)]
    rates = sorted(len(shots) / run.wall_s for run in runs)
    cpu = 1000 * statistics.median(run.cpu_s for run in runs) / len(shots)
    print(f"rendering on {args.device}, {args.size} px, {len(shots)} sessions, {batch} together")
    print(f"sessions a second: {statistics.median(rates):.1f} ({rates[0]:.1f}..{rates[-1]:.1f})")
    print(f"CPU a session:     {cpu:.1f} ms (load {os.getloadavg()[0]:.1f})")
    if args.device.startswith("cuda"):
        import torch

        print(f"{torch.cuda.get_device_name(args.device)}, at most", end=" ")
        print(f"{torch.cuda.max_memory_allocated(args.device) / 2**30:.1f} GiB")


def command(people: int, args: argparse.Namespace, options: list[str]) -> Run:
    """Make a data set of some people once."""
    with tempfile.TemporaryDirectory() as work:
        words = [sys.executable, "-c", CODE, "synth", str(Path(work) / "raw")]
        words += ["--people", str(people), "--sessions", str(OF_EACH), "--size", str(args.size)]
        words += ["-j", str(args.workers), *options]

        def job() -> None:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)

        return timed(job)


def whole(args: argparse.Namespace, options: list[str]) -> None:
    """Print the speed of the whole command."""
    few = max(args.workers, args.people // 10)
    extra, rates, cpus = OF_EACH * (args.people - few), [], []
    command(args.workers, args, options)
    for number in range(args.runs):
        some, every = command(few, args, options), command(args.people, args, options)
        rates.append(extra / (every.wall_s - some.wall_s))
        cpus.append(1000 * (every.cpu_s - some.cpu_s) / extra)
        print(f"run {number + 1}: {every.wall_s:.1f} s, start-up and few {some.wall_s:.1f} s")
    print(f"fr3d synth, {args.people} people x {OF_EACH}, {args.size} px, {args.workers} workers")
    print(f"without start-up:  {statistics.median(rates):.1f} sessions a second")
    print(f"CPU a session:     {statistics.median(cpus):.1f} ms (load {os.getloadavg()[0]:.1f})")


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--sessions", type=int, default=240)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--batch", type=int)
    args, options = parser.parse_known_args()
    rendering(args)
    if args.device == "cpu":
        whole(args, options)


if __name__ == "__main__":
    main()
