#!/usr/bin/env python3
"""Normals and depth of a rendered head under lights as near as a few times its size.

    python tests/benchmarks/near_light.py [--side 128]

Four lights at 40 degrees from the camera axis; an analytic head of 190 mm with a nose, lit by the
inverse square law with attached shadows. `distant` takes the lights as far away, `near` knows
their positions; the other columns know them with an error.
"""

import argparse
import time

import numpy as np

from fr3d.geometry.lights import direction
from fr3d.photometric.integration.integrate import integrate
from fr3d.photometric.near_light import NearLights, solve_near
from fr3d.photometric.solvers.linear import split_scaled_normal
from fr3d.photometric.solvers.solve import solve

FACE = 200.0  # mm
FOUR = direction(np.full(4, 40.0), np.array([45.0, 135, 225, 315]))


def head(side: int, mm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points in mm, normals and mask."""
    rows, columns = np.mgrid[:side, :side].astype(float)
    x, y = (columns - (side - 1) / 2) * mm, ((side - 1) / 2 - rows) * mm
    mask = (x / 70) ** 2 + (y / 95) ** 2 < 1
    hill = 60 * np.exp(-((x / 60) ** 2) - (y / 80) ** 2)
    nose = 18 * np.exp(-((x / 14) ** 2) - ((y + 5) / 25) ** 2)
    across = 2 * x * (hill / 60**2 + nose / 14**2)
    up = 2 * (y * hill / 80**2 + (y + 5) * nose / 25**2)
    normal = np.stack([across, up, np.ones_like(x)])
    normal /= np.linalg.norm(normal, axis=0)
    z = hill + nose
    return np.stack([x, y, z - z[mask].mean()]), normal * mask, mask


def lit(points: np.ndarray, normal: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Photographs in 8 bit, divided by each light's strength at the origin."""
    out = []
    for position in positions:
        to_light = position[:, None, None] - points
        distance = np.linalg.norm(to_light, axis=0)
        cosine = np.einsum("chw,chw->hw", normal, to_light) / distance
        out.append(np.maximum(cosine, 0) * (np.linalg.norm(position) / distance) ** 2)
    images = np.stack(out)
    return (np.rint(images / images.max() * 250) / 250 * images.max()).astype(np.float32)


def depth_of(normal: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Depth in px."""
    return np.asarray(integrate(normal[None], mask[None]).depth[0], np.float32)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=128)
    side = parser.parse_args().side
    mm = FACE / side
    points, normal, mask = head(side, mm)

    def errors(g: np.ndarray, depth: np.ndarray) -> str:
        cosine = np.clip((split_scaled_normal(g)[1] * normal).sum(axis=0), -1, 1)
        angle = np.rad2deg(np.arccos(cosine))[mask].mean()
        miss = (depth * mm - points[2])[mask]
        return f"{angle:6.2f} deg {np.abs(miss - miss.mean()).mean():6.2f} mm"

    names = ["distant", "near", "5 % too far", "10 mm aside", "5 % of scale"]
    print(f"{'distance':>8} {'solver':7}" + "".join(f"{n:>22}" for n in names) + "  rounds    ms")
    for times in (2, 4, 8, 100):
        positions = FOUR * FACE * times
        images = lit(points, normal, positions)
        for solver in ("ls", "ratio"):
            far = solve(images[None], FOUR[None], None, solver)[0]
            cells = [errors(far, depth_of(split_scaled_normal(far)[1], mask))]
            start = time.perf_counter()
            found = solve_near(images, NearLights(positions), mm, mask, depth_of, solver=solver)
            elapsed = time.perf_counter() - start
            cells.append(errors(found.g, found.depth))
            wrong = [
                (positions * 1.05, mm),
                (positions + np.array([10, 0, 0]), mm),
                (positions, mm * 1.05),
            ]
            for places, scale in wrong:
                off = solve_near(images, NearLights(places), scale, mask, depth_of, solver=solver)
                cells.append(errors(off.g, off.depth))
            row = "".join(f"{c:>22}" for c in cells)
            rounds = len(found.changes)
            print(f"{times:7d}x {solver:7}{row}{rounds:8d}{1000 * elapsed:6.0f}")


if __name__ == "__main__":
    main()
