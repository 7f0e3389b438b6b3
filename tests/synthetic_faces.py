"""Little synthetic faces for tests of training: smooth relief and reflectance of each person."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.tables import write_table
from fr3d.artifacts.writer import write_artifact
from fr3d.geometry.normals import normals_from_depth

SIZE = 32


def face_arrays(people: int, sessions: int, seed: int = 0) -> dict[str, NDArray]:
    """People who differ in bumps, sessions that differ in slant and noise; columns by name."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE] / (SIZE - 1) * 2 - 1
    mask = x**2 + y**2 < 0.95
    columns: dict[str, list] = {k: [] for k in ("normal", "albedo", "depth", "image", "mask")}
    for _ in range(people):
        bumps = rng.normal(size=(4, 4))
        shine = rng.normal(size=(4, 4))
        for _ in range(sessions):
            slant = 0.1 * rng.normal(size=2)
            depth = 4 * (1 - x**2 - y**2) + _waves(bumps, x, y) + slant[0] * x + slant[1] * y
            albedo = 0.5 * np.exp(0.3 * _waves(shine, x, y)) + 0.01 * rng.normal(size=x.shape)
            normal = normals_from_depth(depth, mask)
            columns["normal"].append(normal)
            columns["albedo"].append(albedo * mask)
            columns["depth"].append(np.where(mask, depth, np.nan))
            columns["image"].append(albedo * normal[..., 2])
            columns["mask"].append(mask.astype(np.uint8))
    kinds = {"mask": np.uint8}
    return {k: np.stack(v).astype(kinds.get(k, np.float16)) for k, v in columns.items()}


def _waves(weights: NDArray, x: NDArray, y: NDArray) -> NDArray:
    total = np.zeros_like(x)
    for (i, j), weight in np.ndenumerate(weights):
        total += weight * np.cos(np.pi * (i * x + 0.3 * j)) * np.cos(np.pi * (j * y + 0.7 * i))
    return total / np.sqrt(weights.size)


def write_faces(
    folder: Path, train: int = 6, val: int = 3, sessions: int = 4, seed: int = 0
) -> tuple[Path, Path]:
    """Write faces.h5 and split.csv with two test people more; return both paths."""
    people = train + val + 2
    names = [f"{number:03d}" for number in range(people)]
    subjects = [name for name in names for _ in range(sessions)]
    rows = [f"s{number}" for _ in names for number in range(sessions)]
    columns = face_arrays(people, sessions, seed) | {"subject_id": subjects, "session_id": rows}
    step = Step("align", {"template": "test", "size": SIZE})
    write_artifact(folder / "faces.h5", "fr3d.maps", columns, step, frame="face:test", force=True)
    partition = ["train"] * train + ["val"] * val + ["test"] * 2
    split = pd.DataFrame(
        {
            "subject_id": subjects,
            "session_id": rows,
            "partition": [p for p in partition for _ in range(sessions)],
            "role": "",
        }
    )
    write_table(split, folder / "split.csv", force=True)
    return folder / "faces.h5", folder / "split.csv"
