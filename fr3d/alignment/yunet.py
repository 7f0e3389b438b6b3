"""Faces in a picture with five landmarks each, by the YuNet detector."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.alignment.exposure import as_picture
from fr3d.alignment.found import FoundFace
from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import UnavailableError
from fr3d.geometry.maps import FloatArray

Picture = npt.NDArray[np.uint8]

WEIGHTS = "yunet_n_320_320.onnx"
MINIMUM_SCORE = 0.5
# Longer side in pixels of the views that are averaged, and of those tried when these show nothing.
ROUNDS: tuple[tuple[int, ...], ...] = ((256, 384), (192, 640), (1024,))
_PADDING = 0.25
_MIRRORED = [1, 0, 2, 4, 3]
# A view whose points lie further off than this share of the eye distance shows another face.
AGREEMENT = 0.35
_MINIMUM_VIEWS = 2


def weights_sha256() -> str:
    """Digest of the weights that are shipped."""
    return sha256_file(_weights())


@dataclass(frozen=True)
class Yunet:
    """Finds faces in pictures.

    Each picture is looked at in two sizes, each also mirrored, and the points are the median over
    these views: hard flashes move the points of any one view by several pixels. Where that shows
    nothing, more sizes and a margin around the picture are tried.

    Attributes:
        rounds: longer sides in pixels of the views; a round is looked at when those before it
            showed nothing.
    """

    rounds: Sequence[Sequence[int]] = ROUNDS

    def find(self, picture: Picture) -> list[FoundFace]:
        """Find all faces of a picture.

        Args:
            picture: (H, W, 3), BGR.

        Returns:
            The faces, the largest first.
        """
        for padding in (0.0, _PADDING):
            for sides in self.rounds:
                views = [v for side in sides for v in look(picture, side, padding)]
                found = fuse(views)
                if found:
                    return found
        return []


def detect(image: FloatArray, rounds: Sequence[Sequence[int]] = ROUNDS) -> FoundFace | None:
    """Find the largest face of a photograph.

    Args:
        image: (H, W) or (H, W, 3), linear, any range.
        rounds: as `Yunet` has them.

    Returns:
        The face, or None when there is none.
    """
    found = Yunet(rounds).find(as_picture(image))
    return found[0] if found else None


def look(picture: Picture, side: int, padding: float) -> Iterator[list[FoundFace]]:
    """Find the faces in one size of a picture and in its mirror image.

    Args:
        picture: (H, W, 3), BGR.
        side: longer side of the view, pixels.
        padding: margin around the picture, in longer sides of it.

    Yields:
        The faces of either view, in pixels of the picture.
    """
    margin = round(padding * max(picture.shape[:2]))
    sides = ((margin, margin), (margin, margin), (0, 0))
    framed = np.pad(picture, sides, mode="edge") if margin else picture
    scale = side / max(framed.shape[:2])
    size = [max(1, round(scale * n)) for n in framed.shape[1::-1]]
    method = cv2.INTER_LINEAR if scale >= 1 else cv2.INTER_AREA
    view = np.asarray(cv2.resize(framed, size, interpolation=method), np.uint8)
    stretch = np.array(size) / framed.shape[1::-1]
    for mirrored in (False, True):
        rows = _faces(np.ascontiguousarray(view[:, ::-1]) if mirrored else view)
        yield [_as_found(row, size[0] if mirrored else 0, stretch, margin) for row in rows]


def _as_found(row: FloatArray, mirror: int, stretch: FloatArray, margin: int) -> FoundFace:
    """One row of the detector in pixels of the picture.

    Args:
        row: x, y, width, height, five points, score.
        mirror: width of the view where it was mirrored, else 0.
        stretch: pixels of the view a pixel of the picture, across and down.
        margin: pixels around the picture.
    """
    corners = np.stack([row[:2], row[:2] + row[2:4]]).astype(np.float64)
    points = row[4:14].reshape(5, 2).astype(np.float64)
    if mirror:
        corners = (corners * [-1, 1] + [mirror - 1, 0])[[1, 0]]
        corners[:, 1] = corners[::-1, 1]
        points = (points * [-1, 1] + [mirror - 1, 0])[_MIRRORED]
    corners, points = (((p + 0.5) / stretch - 0.5) - margin for p in (corners, points))
    return FoundFace(corners.ravel(), points, float(row[14]))


def _faces(view: Picture) -> FloatArray:
    """Rows of the faces of a view: x, y, width, height, five points, score."""
    detector = _detector()
    detector.setInputSize((view.shape[1], view.shape[0]))
    rows = detector.detect(view)[1]
    if rows is None:
        return np.empty((0, 15), np.float32)
    rows = np.asarray(rows)
    # OpenCV 4.10 finds faces of infinite size in noise
    return rows[np.isfinite(rows).all(axis=1) & (rows[:, 2:4] > 0).all(axis=1)]


def fuse(views: list[list[FoundFace]]) -> list[FoundFace]:
    """Take the median over the views of each face that at least two of them show.

    One view alone is not believed: in noise it shows a face now and then.

    Args:
        views: the faces of each.
    """
    left = {(k, n): face for k, view in enumerate(views) for n, face in enumerate(view)}
    found: list[FoundFace] = []
    while left:
        first = max(left, key=lambda key: left[key].area)
        agreeing = _agreeing(left, left[first])
        if len(agreeing) >= _MINIMUM_VIEWS:
            found.append(_median([left[key] for key in agreeing]))
        for key in [*agreeing, first]:
            left.pop(key, None)
    return found


def _agreeing(left: dict[tuple[int, int], FoundFace], face: FoundFace) -> list[tuple[int, int]]:
    """The nearest find of each view that shows the same face."""
    reach = AGREEMENT * float(np.hypot(*(face.landmarks[1] - face.landmarks[0])))
    nearest: dict[int, tuple[float, tuple[int, int]]] = {}
    for key, other in left.items():
        distance = apart(other.landmarks, face.landmarks)
        if distance <= reach and distance < nearest.get(key[0], (np.inf, key))[0]:
            nearest[key[0]] = (distance, key)
    return [key for _, key in nearest.values()]


def _median(agreeing: list[FoundFace]) -> FoundFace:
    points = np.median([find.landmarks for find in agreeing], axis=0)
    return FoundFace(
        box=np.median([find.box for find in agreeing], axis=0),
        landmarks=points,
        score=float(np.mean([find.score for find in agreeing])),
        spread=float(np.mean([apart(find.landmarks, points) for find in agreeing])),
    )


def apart(one: FloatArray, other: FloatArray) -> float:
    """Mean distance of points (K, 2) from others."""
    return float(np.hypot(*(one - other).T).mean())


@cache
def _detector() -> Any:
    """One detector a process; loading takes longer than looking."""
    path = _weights()
    try:
        with _without_warnings():
            return cv2.FaceDetectorYN.create(str(path), "", (320, 320), MINIMUM_SCORE)
    except cv2.error as error:
        raise UnavailableError(
            f"{path.name}: OpenCV {cv2.__version__} cannot load it", "install fr3d again"
        ) from error


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep OpenCV 5 from warning that it ignores the choice of a processor; errors still show."""
    logging = getattr(cv2.utils, "logging", None)
    if logging is None:
        yield
        return
    before = logging.getLogLevel()
    logging.setLogLevel(min(before, logging.LOG_LEVEL_ERROR))
    try:
        yield
    finally:
        logging.setLogLevel(before)


def _weights() -> Any:
    return files("fr3d.alignment") / "weights" / WEIGHTS
