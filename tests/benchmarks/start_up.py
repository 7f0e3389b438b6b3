#!/usr/bin/env python3
"""Start-up of the program beside `python -c "import typer"`: medians of interleaved runs.

python tests/benchmarks/start_up.py [RUNS]
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("fr3d"))
TAB = {"COMP_WORDS": "fr3d identify --g", "COMP_CWORD": "2", "_FR3D_COMPLETE": "complete_bash"}
FIRST_TAB = {"COMP_WORDS": "fr3d ", "COMP_CWORD": "1", "_FR3D_COMPLETE": "complete_bash"}
CASES = {
    "import typer": ([sys.executable, "-c", "import typer"], {}),
    "--version": ([PROGRAM, "--version"], {}),
    "TAB on an option": ([PROGRAM], TAB),
    "TAB on a command": ([PROGRAM], FIRST_TAB),
    "--help": ([PROGRAM, "--help"], {}),
    "align --help": ([PROGRAM, "align", "--help"], {}),
}


def once(words: list[str], env: dict[str, str]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    subprocess.run(words, env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print a row a case."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for run in range(runs + 1):
        for name, (words, env) in CASES.items():
            taken = once(words, env)
            if run:
                seconds[name].append(taken)
    base = statistics.median(seconds["import typer"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:18} {1000 * median:7.0f} ms   {median / base:5.2f} x import typer")


if __name__ == "__main__":
    main()
