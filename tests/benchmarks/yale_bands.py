#!/usr/bin/env python3
"""Rank-1 by light band on Extended Yale B, for each modality, beside plain pixel matching.

    python tests/benchmarks/yale_bands.py SHARED WORK [--detector none|yunet] [--people 12]

SHARED is the folder with data/yale_b and bench/yale_sessions.py, WORK an empty folder for what is
made. Runs the commands as a user would: reconstruct, align, split (--people to train, the others
to test), train, embed. Each test person is the mean of the two sessions `gallery_*`; the probes
are those of each band.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fr3d.artifacts.store import open_artifact

MODALITIES = ["image", "albedo", "normal", "depth", "concat3"]
BANDS = ["near", "mid", "far", "extreme"]
SMALL = (24, 28)  # width, height of plain matching


def fr3d(*words: object) -> None:
    """Run one command; stop when it fails."""
    print("$ fr3d", *words, file=sys.stderr, flush=True)
    code = "from fr3d.cli import entry; entry()"
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)


def reconstruct(shared: Path, work: Path) -> Path:
    """Capture folders and maps, made once."""
    raw, maps = work / "raw", work / "maps.h5"
    if not maps.exists():
        script, yale = shared / "bench" / "yale_sessions.py", shared / "data" / "yale_b"
        subprocess.run([sys.executable, script, yale, raw], check=True)
        fr3d("ps-reconstruct", raw, "-o", maps)
    return maps


def partition(faces: Path, split: Path, people: int, seed: int) -> None:
    """The people to train and the people to test."""
    wanted = ["--train", people, "--val", 0, "--calibration", 0, "--unknown", 0, "--seed", seed]
    total = len(set(open_artifact(faces).subject_id))
    wanted += ["--test", total - people, "--gallery-sessions", "gallery_*"]
    fr3d("split", faces, "-o", split, "--force", *wanted)


def unit(x: np.ndarray) -> np.ndarray:
    """Rows of length one."""
    x = x.reshape(len(x), -1).astype(np.float64)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def rank_one(features: np.ndarray, keys: pd.DataFrame, test: set[str]) -> dict[str, float]:
    """Share of each band's probes whose nearest person is right."""
    keys = keys.assign(band=keys.session_id.str.rpartition("_")[0])
    mine = keys.subject_id.isin(test)
    gallery = keys[mine & (keys.band == "gallery")].groupby("subject_id").groups
    names = np.array(list(gallery))
    templates = unit(np.stack([unit(features[rows]).mean(0) for rows in gallery.values()]))
    result = {}
    for band in BANDS:
        probes = keys[mine & (keys.band == band)]
        nearest = names[(unit(features[probes.index]) @ templates.T).argmax(1)]
        result[band] = 100 * float((nearest == probes.subject_id.to_numpy()).mean())
    return result


def plain(maps: Path, name: str) -> np.ndarray:
    """A map as a few pixels, with nothing learned."""
    column = open_artifact(maps)[name]
    return np.stack(
        [
            cv2.resize(np.nan_to_num(m.astype(np.float32)), SMALL, interpolation=cv2.INTER_AREA)
            for m in column
        ]
    )


def keys_of(path: Path, kind: str = "fr3d.maps") -> pd.DataFrame:
    """Subject and session of each row."""
    a = open_artifact(path, kind)
    return pd.DataFrame({"subject_id": a.subject_id, "session_id": a.session_id})


def measure(maps: Path, work: Path, detector: str, people: int, seed: int) -> pd.DataFrame:
    """Train on some, test on the others; one row a method."""
    place = work / f"{detector}-{seed}"
    place.mkdir(exist_ok=True)
    faces, split, runs = work / f"faces-{detector}.h5", place / "split.csv", place / "runs"
    if not faces.exists():
        fr3d("align", maps, "-o", faces, "--detector", detector)
    partition(faces, split, people, seed)
    table = pd.read_csv(split, dtype=str)
    test = set(table.subject_id[table.partition == "test"])
    rows = {
        f"plain {n}": rank_one(plain(maps, n), keys_of(maps), test)
        for n in ("image", "albedo", "normal")
    }
    for modality in ["image", "concat3", "albedo", "normal", "depth"]:
        if not (runs / modality / "best.safetensors").exists():
            fr3d(
                "train",
                faces,
                "--split",
                split,
                "--runs",
                runs,
                "--modality",
                modality,
                "--seed",
                seed,
            )
        vectors = place / f"{modality}.h5"
        fr3d("embed", faces, "-m", runs / modality, "-o", vectors, "--force")
        features = open_artifact(vectors, "fr3d.embeddings")["embedding"][:]
        rows[modality] = rank_one(features, keys_of(vectors, "fr3d.embeddings"), test)
    return pd.DataFrame(rows).T[BANDS]


def main() -> None:
    """Print one table: the mean over the seeds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--detector", default="none")
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    maps = reconstruct(args.shared, args.work)
    tables = [measure(maps, args.work, args.detector, args.people, seed) for seed in args.seed]
    print(f"rank-1 in %, detector {args.detector}, mean over {len(tables)} split(s)")
    print((sum(tables) / len(tables)).round(1).to_string())


if __name__ == "__main__":
    main()
