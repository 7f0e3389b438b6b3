#!/usr/bin/env python3
"""Counting the scores of all pairs beside the matrix product alone, in one run.

    python tests/benchmarks/score_speed.py [--rows 100000] [--people 10000] [--size 512]
                                           [--groups 500] [--bins 8192] [--rounds 3] [--threads N]

The product is that of the same tiles: those of the upper triangle, in single precision, written
to the same place and not looked at. Rounds alternate; medians. The peak memory of the process is
that of the embeddings (4 bytes a number), a sorted copy of them, the counts, and the libraries.
"""

import argparse
import resource
import statistics
import time

import numpy as np

from fr3d.evaluation.metrics.counted_curve import left_out_figures
from fr3d.evaluation.metrics.scoring import Scored
from fr3d.evaluation.metrics.streaming import TILE, stream


def crowd(rows: int, people: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings (N, D) around a centre for each person, and the people."""
    random = np.random.default_rng(0)
    person = random.permutation(np.arange(rows) % people)
    centre = random.normal(size=(people, size)).astype(np.float32)
    unit = np.empty((rows, size), np.float32)
    for i in range(0, rows, 4096):
        part = person[i : i + 4096]
        unit[i : i + 4096] = centre[part] + 0.8 * random.normal(size=(len(part), size))
        unit[i : i + 4096] /= np.linalg.norm(unit[i : i + 4096], axis=1, keepdims=True)
    return unit, person


def product(unit: np.ndarray) -> None:
    """All tiles of the upper triangle."""
    scores = np.empty((TILE, TILE), np.float32)
    whole = len(unit) // TILE * TILE
    for i in range(0, len(unit), TILE):
        for j in range(i, len(unit), TILE):
            if max(i, j) < whole:
                np.matmul(unit[i : i + TILE], unit[j : j + TILE].T, out=scores)
            else:
                np.matmul(unit[i : i + TILE], unit[j : j + TILE].T)


def peak() -> float:
    """Most memory that the process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--people", type=int, help="a tenth of the rows by default")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--bins", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    people = args.people or args.rows // 10
    unit, person = crowd(args.rows, people, args.size)
    group = np.arange(people) % args.groups
    few = np.empty((0, args.size), np.float32)
    stream(unit[:2000], person[:2000], group, few, args.bins, 10)  # loads compiled loops
    before = peak()
    print(f"{args.rows} rows, {people} people, {args.groups} groups, {args.bins} bins")
    print(f"peak before: {before:.0f} MB, of which embeddings {unit.nbytes / 2**20:.0f} MB")
    times: dict[str, list[float]] = {"product": [], "count": []}
    for number in range(args.rounds):
        start = time.perf_counter()
        product(unit)
        middle = time.perf_counter()
        tally = stream(unit, person, group, few, args.bins, 10, threads=args.threads)
        times["product"].append(middle - start)
        times["count"].append(time.perf_counter() - middle)
        ratio = times["count"][-1] / times["product"][-1]
        print(
            f"round {number}: product {times['product'][-1]:.2f} s, "
            f"count {times['count'][-1]:.2f} s, ratio {ratio:.2f}"
        )
    ratios = [c / p for c, p in zip(times["count"], times["product"], strict=True)]
    print(
        f"median: product {statistics.median(times['product']):.2f} s, "
        f"count {statistics.median(times['count']):.2f} s, "
        f"ratio {statistics.median(ratios):.2f}, peak {peak():.0f} MB"
    )
    edges = np.arange(args.bins + 1) / (args.bins / 2) - 1
    mated, nonmated = tally.mated_total, tally.nonmated_total
    counts = (int(mated.sum()), int(nonmated.sum()))
    scored = Scored(edges, tally.mated, tally.nonmated, mated, nonmated, (), (), people, *counts)
    start = time.perf_counter()
    left_out_figures(scored, (1e-2, 1e-3, 1e-4, 1e-5, 1e-6))
    print(f"figures without each group: {time.perf_counter() - start:.2f} s, peak {peak():.0f} MB")


if __name__ == "__main__":
    main()
