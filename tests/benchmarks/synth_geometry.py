#!/usr/bin/env python3
"""How well the normals of synthetic sessions agree with finite differences of their depth.

    python tests/benchmarks/synth_geometry.py [--people 48 --seed 0 --size 128 256]

First sessions of people, dressed as often as in Photoface. Edges are left out: pixels beside one
outside the mask, and those whose depth differs from a neighbour's by more than 4 mm.
"""

import argparse

import numpy as np

from fr3d.geometry.normals import normals_from_depth
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.scene import capture
from fr3d.synthesis.session import Session
from fr3d.synthesis.studio import MM_PER_UNIT, Studio

EDGE_MM = 4.0


def away_from_edges(session: Session) -> np.ndarray:
    """Pixels whose four neighbours lie on the same surface."""
    steep = EDGE_MM * session.shot.scale / MM_PER_UNIT
    inside = session.mask.copy()
    inside[[0, -1]] = inside[:, [0, -1]] = False
    for axis in (0, 1):
        for step in (1, -1):
            jump = np.abs(session.depth - np.roll(session.depth, step, axis))
            inside &= jump < steep  # NaN outside the mask compares false
    return inside


def errors(session: Session) -> np.ndarray:
    """Angles in degrees between the two kinds of normals."""
    from_depth = normals_from_depth(session.depth, session.mask)
    cosine = np.clip((from_depth * session.normal).sum(axis=-1), -1, 1)
    return np.rad2deg(np.arccos(cosine))[away_from_edges(session)]


def main() -> None:
    """Render, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, nargs="+", default=[128, 256])
    args = parser.parse_args()
    for size in args.size:
        found = []
        for number in range(args.people):
            person = sample_identity(args.seed, number, load_heads())
            found.append(errors(capture(person, args.seed, number, 0, Studio(size))))
        pooled, each = np.concatenate(found), [np.median(of_one) for of_one in found]
        print(
            f"{size} px: median {np.median(pooled):.2f}, mean {pooled.mean():.2f} deg over "
            f"{len(pooled)} pixels; median of a session {np.median(each):.2f}, at most "
            f"{np.max(each):.2f} deg"
        )


if __name__ == "__main__":
    main()
