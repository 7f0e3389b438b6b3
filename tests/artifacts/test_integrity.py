import os
from pathlib import Path

import numpy as np
import pytest

from fr3d.artifacts.integrity import Check, verify
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import write_artifact

STEP = Step("ps-reconstruct", {"solver": "ls"}, {"raw": "5" * 64})


def columns() -> dict:
    """Three sound rows of maps with a hole in the mask."""
    mask = np.ones((3, 4, 5), np.uint8)
    mask[:, 0, 0] = 0
    normal = np.zeros((3, 4, 5, 3), np.float32)
    normal[..., 2] = mask
    return {
        "subject_id": ["x", "y", "zz"],
        "session_id": ["a", "a", "b"],
        "normal": normal,
        "depth": np.where(mask, 1, np.nan).astype(np.float32),
        "mask": mask,
        "confidence": np.full((3, 4, 5), 0.5, np.float16),
        "albedo": np.full((3, 4, 5), 7, np.float32),
        "lights": np.full((3, 4, 3), [0, 0.6, 0.8], np.float32),
        "landmarks": np.full((3, 5, 2), np.nan, np.float32),
        "size": np.full((3, 2), (4, 5), np.int32),
        "scale_mm": np.full(3, np.nan, np.float32),
        "quality/residual": np.array([0.1, np.nan, 0.2], np.float32),
    }


def write(path: Path, values: dict, step: Step = STEP) -> dict[str, Check]:
    write_artifact(path, "fr3d.maps", values, step, frame="camera")
    return {check.name: check for check in verify(open_artifact(path))}


def test_a_sound_file(tmp_path: Path) -> None:
    checks = write(tmp_path / "maps.h5", columns())
    assert {name: (c.of, c.wrong) for name, c in checks.items()} == {
        **dict.fromkeys(["structure", "unique ids", "named", "digest", "values"], (3, 0)),
        **dict.fromkeys(["mask", "normal", "lights"], (3, 0)),
        "history": (1, 0),
    }


@pytest.mark.parametrize(
    ("name", "place", "value", "check", "says"),
    [
        ("normal", (1, 2, 2, 0), 0.2, "normal", "length is off by 0.02"),
        ("normal", (1, 0, 0, 0), 1, "normal", "normals outside the mask"),
        ("normal", (1, 2, 2, 0), np.nan, "values", "normal is not a number"),
        ("depth", (1, 2, 2), np.nan, "values", "depth is not known just where the mask is 1"),
        ("depth", (1, 0, 0), 3, "values", "depth is not known just where the mask is 1"),
        ("depth", (1, 2, 2), np.inf, "values", "depth is infinite"),
        ("quality/residual", 1, np.inf, "values", "quality/residual is infinite"),
        ("albedo", (1, 0, 0), np.nan, "values", "albedo is not a number"),
        ("mask", (1, 1, 1), 2, "mask", "other values than 0 and 1"),
        ("size", (1, 0), 3, "mask", "mask is set beyond the size"),
        ("confidence", (1, 1, 1), 1.5, "mask", "confidence is not between 0 and 1"),
        ("lights", (1, 3, 0), 1, "lights", "a light's length is off by 0.41"),
    ],
)
def test_each_fault_is_found(
    name: str, place: object, value: float, check: str, says: str, tmp_path: Path
) -> None:
    values = columns()
    values[name][place] = value
    checks = write(tmp_path / "maps.h5", values)
    assert checks[check].wrong == 1
    assert checks[check].first.startswith("y/a: ")
    assert says in checks[check].first
    assert checks["digest"].wrong == 0


@pytest.mark.parametrize("name", ["albedo", "mask", "session_id", "quality/residual"])
def test_a_flipped_bit_is_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    write(path, columns())
    segment = open_artifact(path)[name]._segments[0]
    row = int(np.prod(segment.shape[1:])) * segment.dtype.itemsize
    handle = os.open(path, os.O_RDWR)
    value = os.pread(handle, 1, segment.offset + 2 * row)
    os.pwrite(handle, bytes([value[0] ^ 1]), segment.offset + 2 * row)
    os.close(handle)
    digest = next(c for c in verify(open_artifact(path)) if c.name == "digest")
    assert (digest.of, digest.wrong) == (3, 1)
    assert "the row is not what was written" in digest.first


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Step("align", {}, {"maps.h5": "short"}), "align cites maps.h5 without its SHA-256"),
        (Step("align", {}, {"/home/maps.h5": "5" * 64}), "align cites an absolute path"),
    ],
)
def test_history(step: Step, says: str, tmp_path: Path) -> None:
    assert write(tmp_path / "maps.h5", columns(), step)["history"].first == says
