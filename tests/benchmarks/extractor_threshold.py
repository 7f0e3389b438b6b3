"""Measure the threshold of a third-party network: FMR 0.1 % on LFW, checked on other people.

    python tests/benchmarks/extractor_threshold.py LFW_EMBEDDINGS OTHER_EMBEDDINGS

Both are what `fr3d align` and `fr3d embed` make of photographs. All pairs of the first file set
the threshold, rounded up to four digits; both files tell what it does.
"""

import sys
from pathlib import Path

import numpy as np

from fr3d.artifacts.store import open_artifact

RATE = 0.001


def pairs(path: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores of mated and of non-mated pairs, and the number of people."""
    artifact = open_artifact(path, "fr3d.embeddings")
    unit = artifact["embedding"][:].astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    who = np.array(artifact.subject_id)
    one, other = np.triu_indices(len(unit), 1)
    scores, mated = (unit @ unit.T)[one, other], who[one] == who[other]
    return scores[mated], scores[~mated], len(set(who))


def main() -> None:
    first, second = (Path(word) for word in sys.argv[1:])
    strangers = np.sort(pairs(first)[1])[::-1]
    highest_kept_out = strangers[int(RATE * len(strangers))]
    threshold = np.ceil(1e4 * np.nextafter(highest_kept_out, 2.0)) / 1e4
    print(f"threshold {threshold:.4f}")
    for path in (first, second):
        mated, others, people = pairs(path)
        fmr, fnmr = (others >= threshold).mean(), (mated < threshold).mean()
        print(
            f"{path.name}: {people} people, FMR {fmr:.3%} of {len(others)}, "
            f"FNMR {fnmr:.2%} of {len(mated)}"
        )


if __name__ == "__main__":
    main()
