#!/usr/bin/env python3
"""Agreement and speed of our MTCNN beside facenet-pytorch's, on photographs of real people.

    python tests/benchmarks/mtcnn_parity.py SHARED PEER [--lfw 60] [--london 20] [--rounds 3]

SHARED is the folder with data/lfw and data/london (shrunk to 500 pixels), PEER the one that
`pip install --no-deps --target PEER facenet-pytorch requests urllib3 idna certifi
charset-normalizer` filled. Both run in the same process and alternate picture by picture; the time
of a picture is the median over the rounds. The peer has two threads, ours always one. A face of
ours is that of the peer whose box has the nearest corners. Points are compared as the peer places
them; the last row says how far ours lie from them (see `Mtcnn.points_in_uncut_box`).
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from fr3d.alignment.mtcnn import Mtcnn

SIDE = 500
Found = tuple[np.ndarray, np.ndarray, np.ndarray]


def pictures(shared: Path, lfw: int, london: int) -> dict[str, list[np.ndarray]]:
    """Spread evenly over the people; LFW takes one picture of a person before a second."""
    data = shared / "data"
    people = [sorted(one.glob("*.jpg")) for one in sorted((data / "lfw").iterdir())]
    first = [files[0] for files in people if files]
    second = sorted((data / "london").glob("*.jpg"))
    chosen = {"lfw": spread(first, lfw), "london": spread(second, london)}
    return {name: [read(path) for path in paths] for name, paths in chosen.items()}


def spread(paths: list[Path], count: int) -> list[Path]:
    """So many of them, evenly spaced."""
    return [paths[i] for i in np.linspace(0, len(paths) - 1, count).astype(int)]


def read(path: Path) -> np.ndarray:
    """A picture, BGR, no larger than 500 pixels."""
    picture = cv2.imread(str(path))
    scale = SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def load_peer(folder: Path) -> Callable[[np.ndarray], Found]:
    """The peer as a function of a picture."""
    sys.path.append(str(folder))
    from facenet_pytorch import MTCNN

    net = MTCNN(keep_all=True, select_largest=False)

    def find(picture: np.ndarray) -> Found:
        box, score, points = net.detect(np.ascontiguousarray(picture[..., ::-1]), landmarks=True)
        if box is None:
            return np.zeros((0, 4)), np.zeros((0, 5, 2)), np.zeros(0)
        return box.astype(float), points.astype(float), score.astype(float)

    return find


def ours(picture: np.ndarray, **options: Any) -> Found:
    """Our faces in the same form."""
    faces = Mtcnn(**options).find(picture)
    return (
        np.array([f.box for f in faces]).reshape(-1, 4),
        np.array([f.landmarks for f in faces]).reshape(-1, 5, 2),
        np.array([f.score for f in faces]),
    )


def timed(find: Callable[[np.ndarray], Found], picture: np.ndarray) -> tuple[float, Found]:
    """Seconds and what was found."""
    start = time.perf_counter()
    found = find(picture)
    return time.perf_counter() - start, found


def compare(one: Found, other: Found) -> dict[str, Any]:
    """Greatest differences by face, or that the sets differ."""
    if len(one[0]) != len(other[0]):
        return {"same": False, "faces": len(one[0]), "theirs": len(other[0])}
    apart = np.abs(one[0][:, None] - other[0]).max(axis=2)
    match = apart.argmin(axis=1) if len(apart) else np.zeros(0, int)
    same = len(set(match)) == len(match) and (apart.min(axis=1) < 2).all() if len(apart) else True
    return {
        "same": bool(same),
        "faces": len(one[0]),
        "theirs": len(other[0]),
        "box": apart.min(axis=1) if len(apart) else np.zeros(0),
        "points": np.abs(one[1] - other[1][match]).max(axis=(1, 2)),
        "score": np.abs(one[2] - other[2][match]),
    }


def main() -> None:
    """Print a row of agreement and one of speed by data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("peer", type=Path)
    parser.add_argument("--lfw", type=int, default=60)
    parser.add_argument("--london", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(2)
    peer = load_peer(args.peer)
    for name, chosen in pictures(args.shared, args.lfw, args.london).items():
        seconds, rows = np.zeros((args.rounds, len(chosen), 2)), []
        for find in (ours, peer):
            find(chosen[0])
        for i in range(args.rounds):
            for k, picture in enumerate(chosen):
                seconds[i, k, 0], mine = timed(ours, picture)
                seconds[i, k, 1], theirs = timed(peer, picture)
                if i == 0:
                    rows.append(compare(ours(picture, points_in_uncut_box=True), theirs))
                    rows[-1]["moved"] = compare(mine, theirs).get("points")
        report(name, rows, np.median(seconds, axis=0))


def report(name: str, rows: list[dict[str, Any]], seconds: np.ndarray) -> None:
    """Print both rows of a data set."""
    same = sum(row["same"] for row in rows)
    faces, theirs = (sum(row[key] for row in rows) for key in ("faces", "theirs"))
    print(f"{name}: same faces in {same} of {len(rows)} pictures; {faces} ours, {theirs} theirs")
    for key, unit in (("box", "px"), ("points", "px"), ("score", ""), ("moved", "px")):
        values = np.concatenate([row[key] for row in rows if row["same"]])
        print(
            f"  {key:6} median {np.median(values):.2g} {unit}, greatest {values.max():.2g} {unit}"
        )
    rate = 1 / np.median(seconds, axis=0)
    print(
        f"  pictures a second: ours {rate[0]:.1f} (1 thread), theirs {rate[1]:.1f} (2 threads), "
        f"ratio {np.median(seconds[:, 1] / seconds[:, 0]):.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
