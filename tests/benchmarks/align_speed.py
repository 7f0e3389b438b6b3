#!/usr/bin/env python3
"""Photographs aligned a second: `fr3d align` beside facenet-pytorch's MTCNN, in one run.

    python tests/benchmarks/align_speed.py SHARED PEER [--count 600 --rounds 3 --workers 2]

SHARED is the folder with data/lfw; PEER a folder with facenet-pytorch, made by
`pip install --no-deps --target PEER facenet-pytorch requests urllib3 idna certifi
charset-normalizer`. Both read files, find the face and cut it out; ours writes the artifact, too.
They alternate; the medians count. Neither counts start-up: ours is the difference between many and
few photographs; the rate with start-up stands beside it.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEER = """
import sys, time
sys.path.append({peer!r})
import torch
from PIL import Image
from facenet_pytorch import MTCNN
torch.set_num_threads({workers})
network = MTCNN(image_size=112, margin=0, post_process=False)
paths = {paths!r}
network(Image.open(paths[0]))
begin = time.perf_counter()
found = sum(network(Image.open(path).convert("RGB")) is not None for path in paths)
print(found, time.perf_counter() - begin)
"""


def ours(paths: list[Path], detector: str, workers: int) -> tuple[float, float]:
    """Photographs a second of the command, without start-up and with it."""
    few = paths[: len(paths) // 8]
    brief, whole = (seconds(some, detector, workers) for some in (few, paths))
    return (len(paths) - len(few)) / (whole - brief), len(paths) / whole


def seconds(paths: list[Path], detector: str, workers: int) -> float:
    """How long the command takes."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "list.csv"
        rows = [f"{path.parent.name},{path.stem},{path.resolve()}" for path in paths]
        table.write_text("\n".join(["subject_id,session_id,photograph", *rows]) + "\n")
        code = "from fr3d.cli import entry; entry()"
        words = ["align", table, "-o", Path(folder) / "f.h5", "--detector", detector, "-q"]
        begin = time.perf_counter()
        command = [sys.executable, "-c", code, *words, "-j", workers]
        subprocess.run(list(map(str, command)), check=True)
        return time.perf_counter() - begin


def peer(paths: list[Path], folder: Path, workers: int) -> float:
    """Photographs a second of facenet-pytorch, without start-up."""
    code = PEER.format(peer=str(folder), workers=workers, paths=[str(p) for p in paths])
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found, seconds = done.stdout.split()
    print(f"  facenet-pytorch found {found} of {len(paths)}", file=sys.stderr)
    return len(paths) / float(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("peer", type=Path)
    parser.add_argument("--count", type=int, default=1600)
    parser.add_argument("--peer-count", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    photographs = sorted((args.shared / "data" / "lfw").glob("*/*.jpg"))
    few = photographs[:: len(photographs) // args.peer_count][: args.peer_count]
    rates: dict[str, list[float]] = {"fr3d yunet": [], "fr3d mtcnn": [], "facenet-pytorch": []}
    for _ in range(args.rounds):
        for detector, count in (("yunet", args.count), ("mtcnn", args.count // 4)):
            steady, whole = ours(photographs[:count], detector, args.workers)
            rates[f"fr3d {detector}"].append(steady)
            print(f"  fr3d {detector}: {whole:.1f} /s with start-up", file=sys.stderr)
        rates["facenet-pytorch"].append(peer(few, args.peer, args.workers))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        spread = f"{min(values):.1f}-{max(values):.1f}"
        ratio = middle[name] / middle["facenet-pytorch"]
        print(f"{name:16} {middle[name]:6.1f} /s ({spread}), {ratio:.1f}x facenet-pytorch")


if __name__ == "__main__":
    main()
