"""Which part of a photograph becomes a map, and where it lies in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

Mask = npt.NDArray[np.bool_]

_FACE_SIDE = 4.0  # heads are 3.5 to 4 times as high as their eyes lie above the mouth
_MARGIN = 0.125  # of the side of the face: as far as heads move and the border is tapered
_TAPS = 2  # pixels on either side that the cubic kernel reaches
_STILL = (0.0, 0.0)


@dataclass(frozen=True)
class Framing:
    """A rectangle of the photograph and its size in the map.

    Attributes:
        left: first column, pixels of the photograph.
        top: first row.
        height: rows in the photograph.
        width: columns in the photograph.
        size: height and width in the map; the rectangle is scaled to it.
    """

    left: int
    top: int
    height: int
    width: int
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """Pixels of the photograph in one of the map."""
        return self.height / self.size[0]

    def cut(self, image: FloatArray, shift: Sequence[float] = _STILL) -> FloatArray:
        """Cut the rectangle out of a photograph in which the head has moved, and scale it.

        Where the rectangle leaves the photograph its border is repeated; `valid` tells where. Parts
        of a pixel are resampled by a cubic kernel, once, and never below 0.

        Args:
            image: (H, W).
            shift: movement of the head in this photograph relative to the common frame, px of the
                photograph, x to the right and y down, as `Registration.shift` gives it.
        """
        part = self._moved(image, float(shift[0]), float(shift[1]))
        if part.shape == self.size:
            return part
        how = cv2.INTER_AREA if self.scale > 1 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, self.size[::-1], interpolation=how), np.float32)

    def _moved(self, image: FloatArray, x: float, y: float) -> FloatArray:
        column, row = round(x), round(y)
        if (x, y) == (column, row):
            return self._part(image, column, row, 0)
        wide = self._part(image, column, row, _TAPS)
        kernels = _cubic(x - column), _cubic(y - row)
        moved = cv2.sepFilter2D(wide, -1, *kernels, borderType=cv2.BORDER_REPLICATE)
        inner = moved[_TAPS : _TAPS + self.height, _TAPS : _TAPS + self.width]
        return np.asarray(np.maximum(inner, 0), np.float32)

    def _part(self, image: FloatArray, column: int, row: int, margin: int) -> FloatArray:
        """The rectangle moved by whole pixels, with a margin around it."""
        height, width = image.shape
        left, top = self.left + column - margin, self.top + row - margin
        right, bottom = left + self.width + 2 * margin, top + self.height + 2 * margin
        if left >= 0 and top >= 0 and right <= width and bottom <= height:
            return image[top:bottom, left:right]
        rows = np.clip(np.arange(top, bottom), 0, height - 1)
        columns = np.clip(np.arange(left, right), 0, width - 1)
        return np.ascontiguousarray(image[rows[:, None], columns])

    def valid(self, shifts: npt.ArrayLike, height: int, width: int) -> Mask:
        """Where all photographs of a session show what the map shows.

        Args:
            shifts: (L, 2), as `cut` takes them.
            height: of the photographs.
            width: of the photographs.

        Returns:
            Mask of the size of the map.
        """
        moved = np.asarray(shifts, np.float64).reshape(-1, 2)
        columns = self._inside(self.left, self.size[1], width, moved[:, 0])
        rows = self._inside(self.top, self.size[0], height, moved[:, 1])
        return np.asarray(rows[:, None] & columns)

    def _inside(self, start: int, count: int, length: int, moved: npt.NDArray[np.float64]) -> Mask:
        """Along one axis: map pixels whose whole area lies in the photograph, however it moved."""
        edge = start - 0.5 + self.scale * np.arange(count + 1)
        slack = 1e-3  # shifts are known to less, and rounding must not take a row
        low = edge[:-1] + min(moved.min(initial=0), 0) >= -0.5 - slack
        high = edge[1:] + max(moved.max(initial=0), 0) <= length - 0.5 + slack
        return low & high

    def around(self, margin: int, height: int, width: int) -> "Framing":
        """The rectangle and a margin around it at full resolution: where to look for movement.

        Args:
            margin: px of the photograph.
            height: of the photograph.
            width: of the photograph.
        """
        left, top = max(0, self.left - margin), max(0, self.top - margin)
        right = min(width, self.left + self.width + margin)
        bottom = min(height, self.top + self.height + margin)
        size = (bottom - top, right - left)
        return Framing(left, top, *size, size)

    def points(self, points: FloatArray) -> FloatArray:
        """Take points (..., 2) of the photograph to the map; pixel centres are whole numbers."""
        offset = np.array([self.left, self.top])
        return (((points - offset) + 0.5) / self.scale - 0.5).astype(np.float32)

    @property
    def warp(self) -> FloatArray:
        """(2, 3): pixels of the map to pixels of the photograph."""
        s, shift = self.scale, 0.5 * self.scale - 0.5
        return np.array([[s, 0, self.left + shift], [0, s, self.top + shift]], np.float32)


def _cubic(t: float) -> npt.NDArray[np.float64]:
    """Weights of the pixels -2 to 2 for the value at t, -0.5 <= t <= 0.5.

    Reference:
        Keys 1981, "Cubic convolution interpolation for digital image processing", equation 15.
    """
    d = np.abs(np.arange(-_TAPS, _TAPS + 1) - t)
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.asarray(np.where(d <= 1, near, np.where(d < 2, far, 0.0)))


def frame_whole(height: int, width: int) -> Framing:
    """The whole photograph, pixel by pixel."""
    return Framing(0, 0, height, width, (height, width))


def frame_face(landmarks: FloatArray, height: int, width: int, size: int) -> Framing:
    """The square around the face, scaled to `size`.

    With landmarks its middle lies between eyes and mouth and its side is four times their distance;
    without, it is the largest square in the middle. It never leaves the photograph.

    Args:
        landmarks: (5, 2), NaN where unknown.
        height: of the photograph.
        width: of the photograph.
        size: side in the map.
    """
    most = min(height, width)
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    if np.isfinite([eyes, mouth]).all():
        side = int(min(most, max(8, round(_FACE_SIDE * float(np.hypot(*(mouth - eyes)))))))
        x, y = (eyes + mouth) / 2
    else:
        side, x, y = most, (width - 1) / 2, (height - 1) / 2
    left = int(np.clip(round(float(x) - (side - 1) / 2), 0, width - side))
    top = int(np.clip(round(float(y) - (side - 1) / 2), 0, height - side))
    return Framing(left, top, side, side, (size, size))


def frame_movement(landmarks: FloatArray, height: int, width: int) -> Framing:
    """Where to look for movement of the head: the face and a margin, at full resolution.

    A background that stands still would otherwise speak for no movement. Without landmarks it is
    the whole photograph.

    Args:
        landmarks: (5, 2), NaN where unknown.
        height: of the photograph.
        width: of the photograph.
    """
    if not np.isfinite(landmarks).all():
        return frame_whole(height, width)
    face = frame_face(landmarks, height, width, 1)
    return face.around(round(_MARGIN * face.width), height, width)
