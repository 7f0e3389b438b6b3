"""Is an artifact sound? Everything that can be known from the file itself, row by row."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.rows import as_block, digest_rows
from fr3d.artifacts.store import Artifact

Array = npt.NDArray[Any]

_MAY_BE_UNKNOWN = ("scale_mm", "landmarks", "lights", "light_intensity", "shift")
_STEP_FIELDS = ("command", "version", "arguments", "seed", "device", "inputs")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNIT = 5e-3  # a float16 normal is 1e-3 short at most


@dataclass
class Check:
    """One thing that was looked at.

    Attributes:
        name: such as `digest`.
        of: how many rows or steps were looked at.
        wrong: how many are not as they should be.
        first: the first of these, in words.
    """

    name: str
    of: int = 0
    wrong: int = 0
    first: str = ""

    def note(self, problem: str) -> None:
        """Count one more; a problem is told in words, none is an empty text."""
        self.of += 1
        self.wrong += bool(problem)
        self.first = self.first or problem


@dataclass
class _Checks:
    """In the order in which they were first looked at."""

    by_name: dict[str, Check] = field(default_factory=dict)

    def note(self, name: str, problem: str) -> None:
        self.by_name.setdefault(name, Check(name)).note(problem)


def verify(artifact: Artifact) -> list[Check]:
    """Check an artifact that could be opened, so that structure and unique ids are given.

    Row digests are computed anew; numbers must be finite, or NaN where that means unknown; normals
    have length one under the mask and are zero elsewhere, depth is known just there; every step of
    the history is complete, cites digests and no paths.

    Args:
        artifact: its rows are read one at a time.
    """
    checks = _Checks()
    for name in ("structure", "unique ids"):
        checks.by_name[name] = Check(name, len(artifact))
    keys = zip(artifact.subject_id, artifact.session_id, strict=True)
    for number, (subject, session) in enumerate(keys):
        row = {name: artifact[name][number] for name in artifact.names}
        for name, problem in _row_problems(row, artifact):
            checks.note(name, f"{subject}/{session}: {problem}" if problem else "")
    for step in artifact.history:
        checks.note("history", _step_problem(step))
    if not artifact.history:
        checks.note("history", "there is none")
    return list(checks.by_name.values())


def _row_problems(row: Mapping[str, Array], artifact: Artifact) -> Iterator[tuple[str, str]]:
    yield "named", "" if row["subject_id"].item() else "the subject has no name"
    if "digest" in row:
        yield "digest", _digest_problem(row)
    yield "values", next(filter(None, (_value_problem(n, v, row) for n, v in row.items())), "")
    if "mask" in row:
        yield "mask", _mask_problem(row)
    if "normal" in row:
        yield "normal", _normal_problem(row)
    if "lights" in row and artifact.frame == "camera":
        yield "lights", _light_problem(row["lights"])


def _digest_problem(row: Mapping[str, Array]) -> str:
    blocks = {
        name: as_block(name, [bytes(v.item()).decode()] if v.dtype.kind == "S" else v[None])
        for name, v in row.items()
        if name != "digest"
    }
    same = digest_rows(blocks)[0].encode() == row["digest"].item()
    return "" if same else "the row is not what was written"


def _value_problem(name: str, value: Array, row: Mapping[str, Array]) -> str:
    if value.dtype.kind != "f":
        return ""
    if np.isinf(value).any():
        return f"{name} is infinite"
    unknown = np.isnan(value)
    if name == "depth" and "mask" in row:
        unknown = unknown != (row["mask"] == 0)
        return f"{name} is not known just where the mask is 1" if unknown.any() else ""
    if name in _MAY_BE_UNKNOWN or name.startswith("quality/"):
        return ""
    return f"{name} is not a number" if unknown.any() else ""


def _mask_problem(row: Mapping[str, Array]) -> str:
    mask = row["mask"]
    if (mask > 1).any():
        return "mask has other values than 0 and 1"
    if "size" in row:
        height, width = (int(n) for n in row["size"])
        if mask[height:].any() or mask[:, width:].any():
            return "mask is set beyond the size"
    rating = row.get("confidence")
    if rating is not None and ((rating < 0) | (rating > 1)).any():
        return "confidence is not between 0 and 1"
    return ""


def _normal_problem(row: Mapping[str, Array]) -> str:
    length = np.linalg.norm(row["normal"].astype(np.float32), axis=-1)
    inside = row["mask"] > 0 if "mask" in row else length > 0
    if (length[~inside] > 0).any():
        return "normals outside the mask"
    off = float(np.abs(length[inside] - 1).max(initial=0))
    return f"a normal's length is off by {off:.2g}" if off > _UNIT else ""


def _light_problem(lights: Array) -> str:
    known = lights[np.isfinite(lights).all(axis=-1)]
    off = float(np.abs(np.linalg.norm(known.astype(np.float64), axis=-1) - 1).max(initial=0))
    return f"a light's length is off by {off:.2g}" if off > _UNIT else ""


def _step_problem(step: Mapping[str, Any]) -> str:
    name = str(step.get("command", "a step"))
    missing = [f for f in _STEP_FIELDS if f not in step]
    if missing:
        return f"{name} has no {missing[0]}"
    for file, digest in step["inputs"].items():
        if not _SHA256.fullmatch(str(digest)):
            return f"{name} cites {file} without its SHA-256"
        if str(file).startswith("/"):
            return f"{name} cites an absolute path"
    return ""
