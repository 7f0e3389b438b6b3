"""Pictures of a landmark table: read safely, checked against their points, kept where small."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import MalformedInputError, cannot_read
from fr3d.photometric.image_header import check_complete, parse_header
from fr3d.training.landmarks.table import FaceTable

Picture = npt.NDArray[np.uint8]
# The points are in pixels as they are stored, whatever a camera noted about the way up.
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
KEPT_BYTES = 1_500_000_000
"""Decoded pictures that are kept in memory; those beyond are decoded anew each time."""


@dataclass
class Pictures:
    """The pictures of a table by row.

    Args:
        table: rows.
        kept: decoded ones by row.
    """

    table: FaceTable
    kept: dict[int, Picture] = field(default_factory=dict)

    def __getitem__(self, row: int) -> Picture:
        """Return a row's picture (H, W, 3), BGR."""
        found = self.kept.get(row)
        return read_picture(self.table.images[row]) if found is None else found

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.table.images)


def load_pictures(table: FaceTable) -> tuple[Pictures, str]:
    """Decode every picture once, so that a bad one is known before anything is trained.

    Args:
        table: rows.

    Returns:
        The pictures, and a digest of table and pictures.

    Raises:
        MalformedInputError: a picture is damaged, or its points lie outside it.
        MissingInputError: a picture cannot be read.
    """
    pictures, room = Pictures(table), KEPT_BYTES
    digest = hashlib.sha256(sha256_file(table.path).encode())
    for row, path in enumerate(table.images):
        data = _bytes(path)
        digest.update(hashlib.sha256(data).digest())
        picture = _decoded(data, path)
        _check_points(table, row, picture)
        if picture.nbytes <= room:
            pictures.kept[row] = picture
            room -= picture.nbytes
    return pictures, digest.hexdigest()


def read_picture(path: Path) -> Picture:
    """Read a picture as (H, W, 3), BGR, 8 bit a value.

    Raises:
        MalformedInputError: truncated, too large or not an image.
        MissingInputError: it cannot be read.
    """
    return _decoded(_bytes(path), path)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error) from error


def _decoded(data: bytes, path: Path) -> Picture:
    parse_header(data, path.name)
    check_complete(data, path.name)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS)
    except cv2.error:
        picture = None
    if picture is None:
        raise MalformedInputError(
            f"{path.name}: damaged image, it cannot be decoded", "mend it or leave its row out"
        )
    return np.asarray(picture, dtype=np.uint8)


def _check_points(table: FaceTable, row: int, picture: Picture) -> None:
    height, width = picture.shape[:2]
    points = table.points[row]
    if (points < -0.5).any() or (points > [width - 0.5, height - 0.5]).any():
        x, y = points[np.argmax(np.abs(points - [width / 2, height / 2]).max(axis=1))]
        raise MalformedInputError(
            f"{table.path}: {table.images[row].name}: point ({x:g}, {y:g}) lies outside its "
            f"picture of {width}x{height}",
            "points are in pixels, x to the right and y down",
        )
