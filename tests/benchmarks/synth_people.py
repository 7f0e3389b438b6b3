#!/usr/bin/env python3
"""How much the heads of synthetic people differ: distances in mm, and dimensions of the shapes.

    python tests/benchmarks/synth_people.py [--people 1000 --seed 0]

Neutral heads, drawn without rendering. Of each, the skin of the front of the face counts, vertex by
vertex. Two heads are compared after the rotation and shift that bring them closest, without a
change of size; the distance is the root mean square over vertices. Words after `--` are accepted
as by the other synth_*.py, and change nothing: shapes depend on the seed alone.
"""

import argparse
import sys

import numpy as np

from fr3d.synthesis.assets import HeadModel, load_heads
from fr3d.synthesis.identity import sample_identity

MM = 100.0  # in a unit of the mesh
ROUNDS = 5
BLOCK = 32
SHARES = (0.90, 0.95, 0.99)


def front(head: HeadModel) -> np.ndarray:
    """Skin between chin and hairline, ear to ear, as tests/synthesis/test_identity.py has it."""
    return (head.part == 0) & (head.vertices[:, 2] > 0.9) & (head.vertices[:, 1] > 6.2)


def faces_of(people: int, seed: int) -> np.ndarray:
    """Centred faces in mm, (N, n, 3)."""
    head = load_heads()
    seen = front(head)
    shapes = (head.shape(sample_identity(seed, n, head).shape)[seen] for n in range(people))
    faces = MM * np.stack(list(shapes))
    return faces - faces.mean(axis=1, keepdims=True)


def turned(faces: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Rotate each face to lie closest to another one (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(np.einsum("pni,nj->pij", faces, goal))
    u[..., -1] *= np.linalg.det(u @ vt)[:, None]
    return faces @ (u @ vt)


def superimposed(faces: np.ndarray) -> np.ndarray:
    """Rotate all faces to their mean, which is found on the way."""
    for _ in range(ROUNDS):
        faces = turned(faces, faces.mean(axis=0))
    return faces


def distances(faces: np.ndarray) -> np.ndarray:
    """Distance of every two faces after the best rotation for these two, (N, N) in mm.

    The rotation itself is not needed: it takes from the sum of both sizes twice the singular
    values of the covariance, the last one with the sign of the determinant.
    """
    people, vertices, _ = faces.shape
    rows = np.ascontiguousarray(faces.transpose(0, 2, 1)).reshape(3 * people, vertices)
    size = np.square(faces).sum(axis=(1, 2))
    result = np.empty((people, people))
    for k in range(0, people, BLOCK):
        some = rows[3 * k : 3 * (k + BLOCK)]
        product = (some @ rows.T).reshape(-1, 3, people, 3).transpose(0, 2, 1, 3)
        values = np.linalg.svd(product, compute_uv=False)
        values[..., 2] *= np.sign(np.linalg.det(product))
        left = size[k : k + BLOCK, None] + size[None] - 2 * values.sum(axis=2)
        result[k : k + BLOCK] = np.sqrt(np.maximum(left, 0.0) / vertices)
    np.fill_diagonal(result, np.inf)
    return result


def variances(faces: np.ndarray) -> np.ndarray:
    """Variance along each principal component, falling, mm2 summed over the vertices."""
    offsets = (faces - faces.mean(axis=0)).reshape(len(faces), -1)
    values = np.linalg.eigvalsh(offsets @ offsets.T)[::-1] / (len(faces) - 1)
    return np.maximum(values, 0.0)


def main() -> None:
    """Print distances and dimensions."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.people < 3:
        sys.exit("--people: at least 3")
    faces = faces_of(args.people, args.seed)
    gap = distances(faces)
    nearest, pairs = gap.min(axis=1), gap[np.triu_indices(len(gap), 1)]
    one, other = np.unravel_index(gap.argmin(), gap.shape)
    print(f"{len(faces)} people, {faces.shape[1]} vertices, seed {args.seed}")
    print(f"nearest other person, RMS mm: min {nearest.min():.2f} (people {one} and {other}), "
          f"1 % {np.percentile(nearest, 1):.2f}, median {np.median(nearest):.2f}")  # fmt: skip
    print(f"all pairs, RMS mm: 1 % {np.percentile(pairs, 1):.2f}, median {np.median(pairs):.2f}, "
          f"99 % {np.percentile(pairs, 99):.2f}")  # fmt: skip
    held = np.cumsum(variances(superimposed(faces)))
    counts = [int(np.searchsorted(held / held[-1], share)) + 1 for share in SHARES]
    of = ", ".join(f"{share:.0%} in {n}" for share, n in zip(SHARES, counts, strict=True))
    print(f"principal components of {len(faces) - 1}: variance {of}; "
          f"spread {np.sqrt(held[-1] / faces.shape[1]):.2f} mm")  # fmt: skip


if __name__ == "__main__":
    main()
