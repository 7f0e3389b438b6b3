"""Which part of a photograph becomes a map, and where it lies in it."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_FACE_SIDE = 4.0  # heads are 3.5 to 4 times as high as their eyes lie above the mouth


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

    def cut(self, image: FloatArray) -> FloatArray:
        """Cut the rectangle out of a photograph and scale it.

        Args:
            image: (H, W).
        """
        part = image[self.top : self.top + self.height, self.left : self.left + self.width]
        if part.shape == self.size:
            return part
        how = cv2.INTER_AREA if self.scale > 1 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, self.size[::-1], interpolation=how), np.float32)

    def points(self, points: FloatArray) -> FloatArray:
        """Take points (..., 2) of the photograph to the map; pixel centres are whole numbers."""
        offset = np.array([self.left, self.top])
        return (((points - offset) + 0.5) / self.scale - 0.5).astype(np.float32)

    @property
    def warp(self) -> FloatArray:
        """(2, 3): pixels of the map to pixels of the photograph."""
        s, shift = self.scale, 0.5 * self.scale - 0.5
        return np.array([[s, 0, self.left + shift], [0, s, self.top + shift]], np.float32)


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
