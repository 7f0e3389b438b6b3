"""Photoface's metadata of a capture: landmarks and attributes."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.text import read_text

FIELDS = ("gender", "spectacles", "facial_hair", "pose", "quality", "occlusion", "emotion")
"""The seven fields of `metadataII.txt`, in order."""

_COUNT = 11
_EYES, _NOSE, _MOUTH = ((0, 1), (3, 4)), 6, (8, 9)


def read_landmarks(path: Path) -> npt.NDArray[np.float32]:
    """Read `metadata.txt` and reduce its eleven landmarks to five.

    An eye is the middle of its corners. Which eye and mouth corner is at image left is decided by
    x, since the file does not say whose left it means.

    Args:
        path: x and y of eleven points, separated by commas, blanks or line ends.

    Returns:
        (5, 2): eye at image left, eye at image right, nose tip, mouth corner at image left, at
        image right; pixels of the photograph.
    """
    words = [w for w in re.split(r"[,;\s]+", read_text(path)) if w]
    try:
        values = np.array([float(w) for w in words], dtype=np.float64)
    except ValueError:
        raise MalformedInputError(f"{path.name}: found text, expected numbers") from None
    if values.size != 2 * _COUNT:
        raise MalformedInputError(
            f"{path.name}: found {values.size} numbers, expected {2 * _COUNT} (11 landmarks)"
        )
    if not np.isfinite(values).all():
        raise MalformedInputError(f"{path.name}: found a landmark that is not finite")
    points = values.reshape(_COUNT, 2)
    eyes = sorted((points[list(corners)].mean(axis=0) for corners in _EYES), key=lambda p: p[0])
    mouth = sorted((points[i] for i in _MOUTH), key=lambda p: p[0])
    return np.stack([*eyes, points[_NOSE], *mouth]).astype(np.float32)


def landmarks_inside(
    points: npt.NDArray[np.float32], height: int, width: int
) -> npt.NDArray[np.float32]:
    """Make landmarks outside the photograph unknown (NaN), as hidden ones are recorded there.

    Args:
        points: (5, 2), x and y in pixels.
        height: of the photograph.
        width: of the photograph.
    """
    limit = np.array([width, height]) - 0.5
    inside = ((points >= -0.5) & (points <= limit)).all(axis=1, keepdims=True)
    return np.where(inside, points, np.float32(np.nan))


def read_attributes(path: Path) -> dict[str, str]:
    """Read the seven comma-separated fields of `metadataII.txt`; empty means unknown."""
    line = next((line for line in read_text(path).split("\n") if line.strip()), "")
    values = [v.strip() for v in line.split(",")]
    if len(values) < len(FIELDS):
        raise MalformedInputError(
            f"{path.name}: found {len(values)} fields, expected {len(FIELDS)}"
        )
    return dict(zip(FIELDS, values, strict=False))
