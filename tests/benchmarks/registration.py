#!/usr/bin/env python3
"""Accuracy of registration on Extended Yale B photographs moved by up to 20 px.

    python tests/benchmarks/registration.py SHARED [--border replicate|crop] [--seeds 3] [--plain]

SHARED is the folder with data/yale_b and bench/yale_sessions.py. Each photograph of a set of four
is moved at random; an image is right when its movement is found, up to the median movement of
its set. The heads themselves moved as well while they were photographed, by up to 7 px: that is
found from all photographs of a person together and is part of the truth, unless --plain.
"""

import argparse
import csv
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from fr3d.photometric.registration.estimate import Registration, estimate_shifts

FAR = 20
QUADS = {
    "Q1": [(35, 40), (-35, 40), (35, -20), (-35, -20)],
    "Q2": [(20, 10), (-20, 10), (20, -10), (-20, -10)],
    "Q3": [(50, 0), (-50, 0), (0, 45), (0, -35)],
    "Q4": [(35, 15), (-35, 15), (20, -40), (-20, -40)],
}
Set = tuple[str, np.ndarray, np.ndarray]


def angles(name: str) -> tuple[int, int] | None:
    """Azimuth and elevation in a file name."""
    match = re.search(r"A([+-]\d+)E([+-]\d+)\.pgm$", name)
    return (int(match[1]), int(match[2])) if match else None


def person(folder: Path) -> tuple[dict[tuple[int, int], np.ndarray], dict]:
    """Photographs by light, and how far the head had moved in each."""
    files = {angles(p.name): p for p in sorted(folder.glob("*.pgm"))}
    images = {k: cv2.imread(str(p), 0) for k, p in files.items() if k}
    own = estimate_shifts(np.stack(list(images.values())).astype(np.float32) / 255, rest=0).shift
    return images, dict(zip(images, own, strict=True))


def sets(shared: Path) -> Iterator[Set]:
    """Name, four photographs and the head's own movement, of the named quads and the bands."""
    yale = shared / "data" / "yale_b"
    with tempfile.TemporaryDirectory() as work:
        script = shared / "bench" / "yale_sessions.py"
        subprocess.run([sys.executable, script, yale, work], check=True, stdout=subprocess.DEVNULL)
        with (Path(work) / "sessions.csv").open() as file:
            sessions = list(csv.DictReader(file))
    for folder in sorted(yale.iterdir()):
        images, own = person(folder)
        chosen = [(name, quad) for name, quad in QUADS.items() if set(quad) <= set(images)]
        for s in sessions:
            if s["subject_id"] == folder.name:
                lights = [angles(s[f"im{i}"]) for i in range(4)]
                chosen.append((s["session_id"].rpartition("_")[0], lights))
        for name, lights in chosen:
            yield name, np.stack([images[k] for k in lights]), np.stack([own[k] for k in lights])


def moved(images: np.ndarray, shift: np.ndarray, border: str) -> np.ndarray:
    """Photographs with their content moved by whole pixels."""
    height, width = images.shape[1:]
    out = []
    for image, (x, y) in zip(images, shift, strict=True):
        if border == "crop":
            out.append(image[FAR - y : height - FAR - y, FAR - x : width - FAR - x])
        else:
            rows = np.clip(np.arange(height) - y, 0, height - 1)
            out.append(image[rows][:, np.clip(np.arange(width) - x, 0, width - 1)])
    return np.stack(out).astype(np.float32) / 255


def errors(found: Registration, truth: np.ndarray) -> np.ndarray:
    """(L,) px, up to a common offset."""
    miss = found.shift - truth
    return np.asarray(np.hypot(*(miss - np.median(miss, axis=0)).T))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path)
    parser.add_argument("--border", choices=["replicate", "crop"], default="replicate")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plain", action="store_true", help="take the heads to have been still")
    args = parser.parse_args()
    result: dict[str, list[tuple[np.ndarray, float, float]]] = {}
    rng = np.random.default_rng(0)
    for name, images, own in sets(args.shared):
        for _ in range(args.seeds):
            shift = rng.integers(-FAR, FAR + 1, (4, 2))
            pictures = moved(images, shift, args.border)
            start = time.perf_counter()
            found = estimate_shifts(pictures)
            elapsed = time.perf_counter() - start
            miss = errors(found, shift if args.plain else shift + own)
            result.setdefault(name, []).append((miss, elapsed, found.loop_residual))
    result["all"] = [row for rows in result.values() for row in rows]
    print(f"{'set':10}{'images':>7}{'median px':>11}{'<=1 %':>7}{'<=2 %':>7}{'<=3 %':>7}", end="")
    print(f"{'residual > 2 %':>16}{'ms':>7}")
    for name, rows in result.items():
        miss = np.concatenate([r[0] for r in rows])
        share = "".join(f"{100 * (miss <= t).mean():7.1f}" for t in (1, 2, 3))
        doubtful = 100 * np.mean([r[2] > 2 for r in rows])
        ms = 1000 * np.median([r[1] for r in rows])
        print(f"{name:10}{len(miss):7d}{np.median(miss):11.2f}{share}{doubtful:16.1f}{ms:7.1f}")


if __name__ == "__main__":
    main()
