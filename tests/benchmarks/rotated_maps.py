#!/usr/bin/env python3
"""Whether normals and depth stay true to one another when turned faces are aligned.

    python tests/benchmarks/rotated_maps.py WORK [--people 12 --size 192]

True maps of synthetic people are turned by -30 to 30 degrees in the plane and aligned; the aligned
normals are held against the normals of the aligned depth, away from the border of the mask and from
creases, where finite differences say nothing (2 pixels around slopes that jump). The same upright.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from fr3d.alignment.align import align_maps
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.sources.maps import read_maps
from fr3d.artifacts.store import open_artifact
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth
from fr3d.geometry.warp import rotate_maps


def errors(maps: FaceMaps) -> np.ndarray:
    """Angles between aligned normals and normals of the aligned depth, degrees."""
    face = align_maps(maps, AlignmentRecipe(detector="capture")).maps
    expected = normals_from_depth(face.depth, face.mask)
    steep = np.zeros(face.mask.shape, bool)
    steep[:, 1:] |= np.abs(np.diff(face.depth, axis=1)) > 2
    steep[1:] |= np.abs(np.diff(face.depth, axis=0)) > 2
    inside = binary_erosion(face.mask, iterations=3) & ~binary_dilation(steep, iterations=2)
    cosine = np.sum(face.normal.astype(float) * expected, axis=-1)[inside]
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--size", type=int, default=192)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    path = args.work / f"maps-{args.people}-{args.size}.h5"
    if not path.exists():
        code = "from fr3d.cli import entry; entry()"
        words = ["synth", path, "--people", args.people, "--sessions", 2, "--size", args.size, "-q"]
        subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)
    artifact = open_artifact(path)
    print("degrees  median  mean  95 %  worst session's median")
    for turn in (-30, -15, 0, 15, 30):
        found = [
            errors(rotate_maps(read_maps(artifact, row), turn)) for row in range(len(artifact))
        ]
        every = np.concatenate(found)
        worst = max(float(np.median(values)) for values in found)
        print(
            f"{turn:7}  {np.median(every):6.2f} {every.mean():5.2f} "
            f"{np.percentile(every, 95):5.2f}  {worst:.2f}"
        )


if __name__ == "__main__":
    main()
