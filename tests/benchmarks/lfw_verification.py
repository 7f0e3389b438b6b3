#!/usr/bin/env python3
"""Same person or not, on photographs from the news: the check that faces are aligned rightly.

    python tests/benchmarks/lfw_verification.py SHARED WORK [--faces FILE] [--model ONNX]
        [--extractor NAME] [--seed 0] [--worst 10]

SHARED is the folder with data/lfw and data/models, WORK a folder for what is made. Runs the
commands as a user would: align the photographs (unless --faces gives faces that are ready), embed
them by a published network, with and without the mirror image, and with the exposure that images
of photometric stereo need. Of each it prints the accuracy over 6,000 pairs: ten folds with 12
people each, nobody in two of them, 300 pairs of one person and 300 of two people a fold; the
threshold of a fold is the best one of the other nine.
"""

import argparse
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from fr3d.artifacts.store import open_artifact

FOLDS = 10
PAIRS = 300  # of one person, and as many of two people, a fold
MODEL = "data/models/mobilefacenet_foamliu/MobileFaceNet.onnx"


def fr3d(*words: object) -> None:
    """Run one command; stop when it fails."""
    print("$ fr3d", *words, file=sys.stderr, flush=True)
    code = "from fr3d.cli import entry; entry()"
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)


def draw_pairs(people: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (6000, 2), whether they show one person, and the fold."""
    random = np.random.default_rng(seed)
    names = random.permutation(np.unique(people))
    rows, same, folds = [], [], []
    for fold, members in enumerate(np.array_split(names, FOLDS)):
        inside = np.flatnonzero(np.isin(people, members))
        pairs = np.array(list(combinations(inside, 2)))
        alike = people[pairs[:, 0]] == people[pairs[:, 1]]
        for kind in (True, False):
            chosen = random.choice(np.flatnonzero(alike == kind), PAIRS, replace=False)
            rows.append(pairs[chosen])
            same += [kind] * PAIRS
            folds += [fold] * PAIRS
    return np.concatenate(rows), np.array(same), np.array(folds)


def best_threshold(scores: np.ndarray, same: np.ndarray) -> float:
    """The threshold that calls most pairs rightly, half way between two scores."""
    order = np.argsort(scores)
    alike = same[order]
    # With the threshold below place i, those before it are called different.
    right = np.concatenate([[0], np.cumsum(~alike)]) + alike.sum()
    right = right - np.concatenate([[0], np.cumsum(alike)])
    place = int(np.argmax(right))
    edges = np.concatenate([[-1.0], scores[order], [1.0]])
    return float((edges[place] + edges[place + 1]) / 2)


def measure(
    embeddings: Path, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Accuracy of each fold; rows, same, scores and margins of all pairs, negative where wrong."""
    artifact = open_artifact(embeddings, "fr3d.embeddings")
    vectors = artifact["embedding"][:].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows, same, folds = draw_pairs(np.array(artifact.subject_id), seed)
    scores = (vectors[rows[:, 0]] * vectors[rows[:, 1]]).sum(axis=1)
    margin = np.zeros(len(rows))
    for fold in range(FOLDS):
        inside = folds == fold
        limit = best_threshold(scores[~inside], same[~inside])
        margin[inside] = np.where(same[inside], 1, -1) * (scores[inside] - limit)
    accuracy = np.array([(margin[folds == fold] > 0).mean() for fold in range(FOLDS)])
    return accuracy, rows, same, scores, margin


def report(name: str, embeddings: Path, seed: int, worst: int) -> None:
    """Print one line, and the pairs that are furthest on the wrong side."""
    accuracy, rows, same, scores, margin = measure(embeddings, seed)
    artifact = open_artifact(embeddings, "fr3d.embeddings")
    strangers, mates = np.sort(scores[~same]), scores[same]
    limit = strangers[-max(1, round(0.001 * len(strangers)))]
    wrong = (margin <= 0).sum()
    print(
        f"{name:24} accuracy {100 * accuracy.mean():.2f} % +- {100 * accuracy.std():.2f}, "
        f"TAR {100 * (mates > limit).mean():.1f} % at FAR 0.1 %, {wrong} of {len(same)} "
        f"pairs wrong, {len(artifact.rejected)} photographs without a face"
    )
    session = artifact.session_id
    for i in np.argsort(margin)[: min(worst, wrong)]:
        kind = "same" if same[i] else "different"
        print(f"  {scores[i]:+.3f} {kind:9} {session[rows[i, 0]]} {session[rows[i, 1]]}")


def main() -> None:
    """Make what is missing, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--faces", type=Path, help="aligned faces that are ready")
    parser.add_argument("--model", type=Path, help="the network; MobileFaceNet in SHARED")
    parser.add_argument("--extractor", default="mobilefacenet", help="a shipped description")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worst", type=int, default=0, help="list so many wrong pairs")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    faces = args.faces or args.work / "lfw.h5"
    if not faces.exists():
        fr3d("align", args.shared / "data" / "lfw", "-o", faces)
    model = args.model or args.shared / MODEL
    from fr3d.inference.description import find_description

    text = find_description(model, args.extractor).read_text()
    for name, changes in {
        "flip = mean": {},
        "flip = unit": {"flip": "unit"},
        "flip = none": {"flip": "none"},
        "exposure = always": {"exposure": "always"},
    }.items():
        described = args.work / f"{name.replace(' ', '')}.toml"
        lines = [line for line in text.splitlines() if line.partition(" ")[0] not in changes]
        lines += [f'{key} = "{value}"' for key, value in changes.items()]
        described.write_text("\n".join(lines) + "\n")
        embeddings = args.work / f"{name.replace(' ', '')}.h5"
        if not embeddings.exists():
            fr3d("embed", faces, "-m", model, "--extractor", described, "-o", embeddings)
        report(name, embeddings, args.seed, args.worst)


if __name__ == "__main__":
    main()
