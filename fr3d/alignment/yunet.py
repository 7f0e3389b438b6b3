"""Five landmarks of the largest face in a photograph, by the YuNet detector."""

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
from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import UnavailableError
from fr3d.geometry.maps import FloatArray

WEIGHTS = "yunet_n_320_320.onnx"
MINIMUM_SCORE = 0.5
# Longer side in pixels of the views that are averaged, and of those tried when these show nothing.
ROUNDS: tuple[tuple[int, ...], ...] = ((256, 384), (192, 640), (1024,))
_PADDING = 0.25
_MIRRORED = [1, 0, 2, 4, 3]
# A view whose points lie further off than this share of the eye distance shows another face.
_AGREEMENT = 0.35
_MINIMUM_VIEWS = 2


@dataclass(frozen=True)
class Detection:
    """A face in a photograph.

    Args:
        landmarks: (5, 2) pixel coordinates in the photograph, order of `FaceMaps.landmarks`.
        score: 0 to 1, mean over the views in which it was found.
        views: how many views it was found in.
        spread: how far the views differ, mean distance from their median in pixels.
    """

    landmarks: npt.NDArray[np.float64]
    score: float
    views: int
    spread: float


@dataclass(frozen=True)
class _Find:
    landmarks: npt.NDArray[np.float64]
    area: float
    score: float


def weights_sha256() -> str:
    """Digest of the weights that are shipped."""
    return sha256_file(_weights())


def detect(image: FloatArray, rounds: Sequence[Sequence[int]] = ROUNDS) -> Detection | None:
    """Find the largest face of a photograph.

    Each picture is looked at in two sizes, each also mirrored, and the points are the median over
    these views: hard flashes move the points of any one view by several pixels. Where that shows
    nothing, more sizes and a margin around the picture are tried.

    Args:
        image: (H, W) or (H, W, 3), linear, any range.
        rounds: longer sides in pixels of the views; a round is looked at when those before it
            showed nothing.

    Returns:
        The face, or None when there is none.
    """
    picture = as_picture(image)
    for padding in (0.0, _PADDING):
        for sides in rounds:
            finds = [f for side in sides for f in _look(picture, side, padding)]
            found = _combine(finds)
            if found is not None:
                return found
    return None


def _look(picture: npt.NDArray[np.uint8], side: int, padding: float) -> Iterator[_Find]:
    """Find the largest face in one size of a picture and in its mirror image."""
    margin = round(padding * max(picture.shape[:2]))
    framed = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    scale = side / max(framed.shape[:2])
    size = [max(1, round(scale * n)) for n in framed.shape[1::-1]]
    method = cv2.INTER_LINEAR if scale >= 1 else cv2.INTER_AREA
    view = cv2.resize(framed, size, interpolation=method)
    stretch = np.array(size) / framed.shape[1::-1]
    for mirrored in (False, True):
        row = _largest(np.ascontiguousarray(view[:, ::-1]) if mirrored else view)
        if row is None:
            continue
        points = row[4:14].reshape(5, 2).astype(np.float64)
        if mirrored:
            points = (points * [-1, 1] + [size[0] - 1, 0])[_MIRRORED]
        points = (points + 0.5) / stretch - 0.5 - margin
        yield _Find(points, float(row[2] * row[3] / stretch.prod()), float(row[14]))


def _largest(view: npt.NDArray[Any]) -> FloatArray | None:
    """Row of the largest face: x, y, width, height, five points, score."""
    detector = _detector()
    detector.setInputSize((view.shape[1], view.shape[0]))
    rows = detector.detect(view)[1]
    if rows is None:
        return None
    rows = rows[np.isfinite(rows).all(axis=1)]  # OpenCV 4.10 finds faces of infinite size in noise
    return np.asarray(rows[int(np.argmax(rows[:, 2] * rows[:, 3]))]) if len(rows) else None


def _combine(finds: list[_Find]) -> Detection | None:
    """Take the median over the views of the largest face that at least two of them show.

    One view alone is not believed: in noise it shows a face now and then.
    """
    for largest in sorted(finds, key=lambda find: -find.area):
        reach = _AGREEMENT * float(np.hypot(*(largest.landmarks[1] - largest.landmarks[0])))
        agreeing = [find for find in finds if _apart(find.landmarks, largest.landmarks) <= reach]
        if len(agreeing) >= _MINIMUM_VIEWS:
            return _median(agreeing)
    return None


def _median(agreeing: list[_Find]) -> Detection:
    points = np.median([find.landmarks for find in agreeing], axis=0)
    return Detection(
        landmarks=points,
        score=float(np.mean([find.score for find in agreeing])),
        views=len(agreeing),
        spread=float(np.mean([_apart(find.landmarks, points) for find in agreeing])),
    )


def _apart(one: FloatArray, other: FloatArray) -> float:
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
