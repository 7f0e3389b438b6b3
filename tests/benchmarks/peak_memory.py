#!/usr/bin/env python3
"""Peak memory of ps-reconstruct on few and on many sessions, worker processes included.

python tests/benchmarks/peak_memory.py RAW WORK [--sessions 50 500] [--workers 2]

The sessions of RAW are linked into WORK under new names until there are enough.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path


def link_sessions(raw: Path, folder: Path, count: int) -> None:
    """`count` session folders that point at those of `raw`."""
    real = sorted(p.parent for p in raw.glob("*/*/LightSource.m"))
    for i in range(count):
        source = real[i % len(real)]
        target = folder / f"{source.parent.name}x{i // len(real):03d}" / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source.resolve(), target_is_directory=True)


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(p for child in children for p in tree(int(child)))]


def resident(pid: int) -> int:
    """Bytes resident in a process tree."""
    total = 0
    for process in tree(pid):
        fields = Path(f"/proc/{process}/statm").read_text().split()
        total += int(fields[1]) * 4096
    return total


def peak(words: list[str]) -> int:
    """Largest resident size while a command runs."""
    run = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    most = 0
    while run.poll() is None:
        try:
            most = max(most, resident(run.pid))
        except (FileNotFoundError, ProcessLookupError):
            continue
        time.sleep(0.02)
    if run.returncode:
        sys.exit(f"{words}: status {run.returncode}")
    return most


def main() -> None:
    """Print a row a number of sessions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--sessions", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    for count in args.sessions:
        folder = args.work / str(count)
        link_sessions(args.raw, folder, count)
        code = "from fr3d.cli import entry; entry()"
        words = [sys.executable, "-c", code, "ps-reconstruct", str(folder)]
        words += ["-o", str(args.work / f"{count}.h5"), "-j", str(args.workers)]
        print(f"{count} sessions: {peak(words) / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
