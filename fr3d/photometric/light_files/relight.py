"""Light positions of reflectance transformation imaging: `.lp` files."""

import re

import numpy as np

from fr3d.errors import MalformedInputError
from fr3d.photometric.light_files.model import Lights, light_hint, unit_vectors
from fr3d.photometric.light_files.numbers import finite_number


def parse_lp(text: str, where: str) -> Lights:
    """Read an `.lp` file: a count, then the name of a photograph and x, y, z on each line.

    Args:
        text: the file's content.
        where: its name, for messages.
    """
    lines = [(i, line.strip()) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines or not re.fullmatch(r"\d+", lines[0][1]):
        found = lines[0][1][:20] if lines else ""
        raise MalformedInputError(
            f"{where}: line 1: found {found!r}, expected the number of lights", light_hint(where)
        )
    count = int(lines[0][1])
    if count != len(lines) - 1:
        raise MalformedInputError(
            f"{where}: found {len(lines) - 1} lights, expected {count} as its first line says",
            light_hint(where),
        )
    if not count:
        raise MalformedInputError(f"{where}: holds no lights", light_hint(where))
    names, vectors = [], []
    for i, line in lines[1:]:
        words = line.rsplit(None, 3)
        if len(words) != 4:
            raise MalformedInputError(
                f"{where}: line {i}: found {len(words)} words, expected a photograph, x, y and z",
                light_hint(where),
            )
        names.append(re.split(r"[/\\]", words[0].strip('"'))[-1])
        vectors.append([finite_number(w, where, i) for w in words[1:]])
    directions = unit_vectors(np.array(vectors, dtype=np.float64), where)
    return Lights(directions, np.ones(count), tuple(names))
