"""The square that a landmark network looks at: around a face, upright, cut out of a picture."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.geometry.similarity import (
    Matrix,
    compose,
    inverse,
    resizing,
    scale_of,
    similarity,
    transform_points,
)

Picture = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]

AROUND_BOX = 1.25
"""Side of the window over the longer side of a detector's box."""

AROUND_FACE = 3.2
"""Side of the window over the size of a face, see `FaceFrame`."""

_COARSEST = 0.6  # a bilinear sample sees two pixels: stronger shrinking needs a mean first


@dataclass(frozen=True)
class FaceFrame:
    """Where a face is, from its five points.

    Args:
        centre: (2,), half way from the middle of the eyes to that of the mouth, pixels.
        size: the larger of the distance of the eyes and that from eyes to mouth, pixels: a turned
            head shortens the one, a nodding one the other.
        degrees: by which the face is turned counter-clockwise as one sees the picture.
    """

    centre: FloatArray
    size: float
    degrees: float


@dataclass(frozen=True)
class Window:
    """A square in a picture.

    Args:
        centre: (2,), x and y in pixels of the picture.
        side: in pixels of the picture.
        degrees: by which its upper side is turned counter-clockwise as one sees the picture.
    """

    centre: FloatArray
    side: float
    degrees: float = 0.0

    def matrix(self, size: int) -> Matrix:
        """Map pixels of the picture to those of a (size, size) image: (2, 3)."""
        shift = np.full(2, (size - 1) / 2.0) - self.centre
        x, y = float(self.centre[0]), float(self.centre[1])
        return similarity(
            -self.degrees, size / self.side, (float(shift[0]), float(shift[1])), (x, y)
        )


def face_frame(points: FloatArray) -> FaceFrame:
    """Say where a face is.

    Args:
        points: (5, 2), order of `FaceMaps.landmarks`, finite.
    """
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across, down = points[1] - points[0], mouth - eyes
    # The way down turned by a right angle points across: both say how the face is turned.
    both = across + np.array([down[1], -down[0]])
    size = max(float(np.hypot(*across)), float(np.hypot(*down)))
    return FaceFrame((eyes + mouth) / 2.0, size, float(np.rad2deg(np.arctan2(-both[1], both[0]))))


def window_of_picture(picture: Picture) -> Window:
    """The smallest square around a whole picture."""
    height, width = picture.shape[:2]
    return Window(np.array([width - 1.0, height - 1.0]) / 2.0, float(max(height, width)))


def window_of_box(box: npt.NDArray[np.floating]) -> Window:
    """The window around a box of a detector.

    Args:
        box: (4,), left, top, right, bottom in pixels, tight around the face from the hairline to
            the chin, as YuNet and MTCNN draw it.
    """
    left, top, right, bottom = (float(v) for v in box)
    side = AROUND_BOX * max(right - left, bottom - top)
    return Window(np.array([left + right, top + bottom]) / 2.0, side)


def window_of_points(points: FloatArray) -> Window:
    """The upright window around a face whose points are known, if only roughly."""
    frame = face_frame(points)
    return Window(frame.centre, AROUND_FACE * frame.size, frame.degrees)


def cut(picture: Picture, matrix: Matrix, size: int, border: int = cv2.BORDER_REPLICATE) -> Picture:
    """Resample a picture into a square; what is beyond its edge repeats the edge.

    Args:
        picture: (H, W, 3).
        matrix: (2, 3) from pixels of the picture to those of the square.
        size: side of the square, pixels.
        border: another of OpenCV's ways to go beyond the edge.

    Returns:
        (size, size, 3).
    """
    part, to_part = _part(picture, matrix, size)
    onto = compose(matrix, inverse(to_part))
    shrink = scale_of(onto)
    if shrink < _COARSEST:
        smaller = [max(1, round(shrink / _COARSEST * n)) for n in part.shape[1::-1]]
        scales = np.array(smaller) / part.shape[1::-1]
        part = np.asarray(cv2.resize(part, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        stretch = resizing(1.0)
        stretch[[0, 1], [0, 1]] = scales
        stretch[:, 2] = 0.5 * scales - 0.5
        onto = compose(onto, inverse(stretch))
    seen = cv2.warpAffine(part, onto, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(seen, np.uint8)


def _part(picture: Picture, matrix: Matrix, size: int) -> tuple[Picture, Matrix]:
    """The upright part of a picture that a square can show, at least one pixel of it."""
    reach = 2.0 / scale_of(matrix)
    edges = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - 0.5
    corners = transform_points(inverse(matrix), edges)
    last = np.array(picture.shape[1::-1]) - 1.0
    low = np.clip(np.floor(corners.min(axis=0) - reach), 0, last).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + reach), low, last).astype(int)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    part = picture[top : bottom + 1, left : right + 1]
    return np.ascontiguousarray(part), similarity(shift=(-float(left), -float(top)))
