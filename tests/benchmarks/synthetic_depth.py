#!/usr/bin/env python3
"""Depth of synthetic faces against their true depth, by method and limit on slopes.

    fr3d synth raw/ --people 8 --sessions 2 --size 256 && fr3d ps-reconstruct raw/ -o maps.h5
    python tests/benchmarks/synthetic_depth.py maps.h5 raw/truth.h5

Integrates the true normals and the reconstructed ones on the same masks. Columns: mean over the
sessions of the mean absolute error in pixels after removing the mean, the plane, or the quadratic
of the difference from the truth; of the median absolute error after removing the median, which the
neck and the ears, hidden layers that no normal leads to, leave alone; median time of an image.
"""

import argparse
import statistics
import time
from pathlib import Path

import h5py
import numpy as np

from fr3d.photometric.integration.integrate import integrate
from fr3d.photometric.integration.pieces import Pieces, subtract_trend
from fr3d.photometric.integration.settings import EXACT_MIN_NZ, Settings

CASES = [("poisson", 0.05, 0.5), ("poisson", 0.05, 0.0), ("poisson", 0.1, 0.5)]
CASES += [("poisson", 0.2, 0.5), ("poisson", EXACT_MIN_NZ, 0.0), ("robust", 0.05, 0.5)]
CASES += [("dct", 0.05, 0.0), ("fc", 0.05, 0.0)]


def rows(path: Path) -> dict[tuple[str, str], int]:
    """Row of each session."""
    with h5py.File(path) as file:
        names = zip(file["subject_id"].asstr(), file["session_id"].asstr(), strict=True)
        return {pair: i for i, pair in enumerate(names)}


def errors(depth: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> list[float]:
    """Mean absolute errors with the mean, the plane, the quadratic removed; the median one."""
    difference, pieces = (depth - truth)[mask], Pieces(mask)
    left = [difference - difference.mean()]
    left += [subtract_trend(difference, pieces, trend)[0] for trend in ("plane", "quadratic")]
    middle = np.median(np.abs(difference - np.median(difference)))
    return [*(float(np.abs(x).mean()) for x in left), float(middle)]


def load(maps: Path, truth: Path) -> list[tuple[np.ndarray, ...]]:
    """Reconstructed normal, true normal, true depth and common mask of each session."""
    found, known = rows(maps), rows(truth)
    sessions = []
    with h5py.File(maps) as a, h5py.File(truth) as b:
        for pair in sorted(found.keys() & known.keys()):
            i, j = found[pair], known[pair]
            mask = (a["mask"][i] > 0) & (b["mask"][j] > 0) & np.isfinite(b["depth"][j])
            normals = (np.moveaxis(x, -1, 0) for x in (a["normal"][i], b["normal"][j]))
            sessions.append((*normals, b["depth"][j], mask))
    return sessions


def main() -> None:
    """Print a row a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("maps", type=Path)
    parser.add_argument("truth", type=Path)
    given = parser.parse_args()
    sessions = load(given.maps, given.truth)
    for kind, which in (("true normals", 1), ("reconstructed normals", 0)):
        print(f"{kind:38}    mean   plane  quadr.  median      ms")
        for method, min_nz, power in CASES:
            settings = Settings(method=method, min_nz=min_nz, edge_power=power)
            table, times = [], []
            for session in sessions:
                start = time.perf_counter()
                depth = integrate(session[which][None], session[3][None], settings).depth[0]
                times.append(1000 * (time.perf_counter() - start))
                table.append(errors(depth, session[2], session[3]))
            cells = "".join(f"{x:8.3f}" for x in np.mean(table, axis=0))
            name = f"{method} min_nz {min_nz:g} power {power:g}"
            print(f"  {name:36}{cells}{statistics.median(times):8.1f}")


if __name__ == "__main__":
    main()
