"""Depth that is known beforehand, from other maps of the same sessions."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.artifacts.store import Artifact, index_rows, open_artifact
from fr3d.errors import MalformedInputError
from fr3d.photometric.framing import Framing

FloatArray = npt.NDArray[np.float32]

_SAME_PLACE = 1e-3  # px


def open_depths(path: Path) -> Artifact:
    """Open maps whose depth others are to follow.

    Args:
        path: a file or a folder of parts.

    Raises:
        MissingInputError: no such file.
        MalformedInputError: not maps in the frame of the camera, or without depth.
    """
    return _opened(path, _stamp(path))[0]


def known_depth(path: Path, subject_id: str, session_id: str, framing: Framing) -> FloatArray:
    """The depth of a session in other maps.

    Args:
        path: the maps.
        subject_id: who it is.
        session_id: which capture.
        framing: of the maps that are to follow it.

    Returns:
        (h, w), pixels of the map, NaN where unknown.

    Raises:
        MalformedInputError: the session is not there, or was cut differently.
    """
    artifact, rows = _opened(path, _stamp(path))
    row = rows.get((subject_id, session_id))
    if row is None:
        raise MalformedInputError(f"{path.name}: has no such session")
    depth = np.asarray(artifact["depth"][row], np.float32)
    height, width = artifact["size"][row] if "size" in artifact else depth.shape
    if (height, width) != framing.size:
        raise MalformedInputError(
            f"{path.name}: depth is {width}x{height} pixels, expected {framing.size[1]}x"
            f"{framing.size[0]} as the maps"
        )
    if "warp" in artifact and np.abs(artifact["warp"][row] - framing.warp).max() > _SAME_PLACE:
        raise MalformedInputError(f"{path.name}: shows another part of the photographs")
    return depth[:height, :width]


def _stamp(path: Path) -> int:
    """Tells one file from another that has taken its name."""
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=1)
def _opened(path: Path, _stamp: int) -> tuple[Artifact, dict[tuple[str, str], int]]:
    artifact = open_artifact(path, require=["depth"])
    if artifact.frame.startswith("face:"):
        raise MalformedInputError(
            f"{path}: found aligned faces, expected maps in the frame of the camera",
            "give maps as 'fr3d ps-reconstruct' writes them",
        )
    return artifact, index_rows(artifact)
