#!/usr/bin/env python3
"""Depth from the true normals of DiLiGenT objects: error in mm and time, method by method.

    python tests/benchmarks/integration.py SHARED [--peer FOLDER] [--repeat 3]

SHARED has data/diligent_depth/NAME/{normal_map.png,mask.png,K.txt,depth_gt.npz}. The error is the
mean absolute one after scaling by the median ratio, as depth from normals has no scale. FOLDER is a
checkout of the authors' bilateral normal integration, run in the same process for comparison; the
time is the median of interleaved runs on one thread (set OMP_NUM_THREADS=1).
"""

import argparse
import contextlib
import importlib
import importlib.util
import io
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import MagicMock

import cv2
import numpy as np

from fr3d.photometric.integration.integrate import integrate
from fr3d.photometric.integration.settings import EXACT, Settings
from fr3d.photometric.integration.slopes import pinhole


@dataclass(frozen=True)
class Thing:
    """An object seen by a camera: normal (3, H, W), mask, K and true distance in mm."""

    name: str
    normal: np.ndarray
    mask: np.ndarray
    camera: np.ndarray
    distance: np.ndarray


Method = Callable[[Thing], np.ndarray]


def read(folder: Path) -> Thing:
    """Read an object."""
    coded = cv2.imread(str(folder / "normal_map.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    normal = np.moveaxis(coded.astype(np.float64) / 65535 * 2 - 1, -1, 0)
    truth = np.load(folder / "depth_gt.npz")
    mask = cv2.imread(str(folder / "mask.png"), 0) > 0
    camera = np.loadtxt(folder / "K.txt")
    return Thing(folder.name, normal, mask, camera, truth[truth.files[0]].astype(np.float64))


def ours(settings: Settings) -> Method:
    """Distance up to scale by fr3d."""

    def run(thing: Thing) -> np.ndarray:
        normal, mask = thing.normal[None], thing.mask[None]
        depth = integrate(normal, mask, settings, camera=thing.camera).depth[0]
        return np.asarray(1 - depth / pinhole(thing.camera).scale)

    return run


def theirs(folder: Path) -> Method:
    """Distance up to scale by the authors' program, which prints what it does."""
    sys.path.insert(0, str(folder))
    if importlib.util.find_spec("pyvista") is None:
        sys.modules["pyvista"] = MagicMock()  # for a mesh that it also makes: spared, in its favour
    module = importlib.import_module("bilateral_normal_integration_cpu")

    def run(thing: Thing) -> np.ndarray:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            depth, *_ = module.bilateral_normal_integration(
                normal_map=np.moveaxis(thing.normal, 0, -1),
                normal_mask=thing.mask,
                k=2,
                K=thing.camera,
                max_iter=100,
                tol=1e-4,
            )
        return np.asarray(depth)

    return run


def error(found: np.ndarray, thing: Thing) -> float:
    """Mean absolute error in mm after scaling."""
    z, truth = found[thing.mask], thing.distance[thing.mask]
    return float(np.abs(z * np.median(truth / z) - truth).mean())


def measure(
    methods: dict[str, Method], thing: Thing, repeat: int
) -> dict[str, tuple[float, float]]:
    """Error in mm and median time in ms of each method."""
    errors: dict[str, float] = {}
    times: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(repeat):
        for name, method in methods.items():
            start = time.perf_counter()
            found = method(thing)
            times[name].append(1000 * (time.perf_counter() - start))
            errors[name] = error(found, thing)
    return {name: (errors[name], statistics.median(times[name])) for name in methods}


def main() -> None:
    """Print a row an object, then the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    names = ("poisson", "robust", "dct", "fc")
    methods = {name: ours(replace(EXACT, method=name)) for name in names[:2]}
    # slopes of 0 outside the mask: limited as for photographs, which serves these two better
    methods |= {n: ours(Settings(method=n, min_nz=0.05)) for n in names[2:]}
    folders = sorted(p.parent for p in (given.shared / "data/diligent_depth").glob("*/K.txt"))
    if given.peer:
        methods["authors"] = theirs(given.peer)
        methods["authors"](read(folders[0]))  # compiles
    rows = []
    print(f"{'':10}" + "".join(f"{name + ' mm':>11}{'ms':>8}" for name in methods))
    for folder in folders:
        row = measure(methods, read(folder), given.repeat)
        rows.append([x for pair in row.values() for x in pair])
        print_row(folder.name, rows[-1])
    print_row("mean", list(np.mean(rows, axis=0)))
    others = [r for r, f in zip(rows, folders, strict=True) if f.name != "goblet"]
    print_row("no goblet", list(np.mean(others, axis=0)))


def print_row(name: str, values: list[float]) -> None:
    """One line of the table."""
    cells = (f"{v:11.3f}" if i % 2 == 0 else f"{v:8.1f}" for i, v in enumerate(values))
    print(f"{name:10}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
