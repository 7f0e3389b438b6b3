"""Shrunk pictures and crops by averaging whole pixels, all from one table of sums."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_INT32 = 2**31


class AreaAverage:
    """Means over rectangles of a picture.

    A target pixel is the mean of the source pixels that its area touches, each counted in full:
    target i of n over a side of s covers the pixels floor(i s / n) up to ceil((i + 1) s / n). The
    sums are whole numbers, so that nothing is lost in them, and each mean takes four look-ups
    whatever its size (Crow 1984).
    """

    def __init__(self, picture: npt.NDArray[np.uint8]) -> None:
        """Sum up a picture.

        Args:
            picture: (H, W, C), not empty.
        """
        self.height, self.width = picture.shape[:2]
        depth = cv2.CV_32S if 255 * self.height * self.width < _INT32 else cv2.CV_64F
        self._sums = cv2.integral(np.ascontiguousarray(picture), sdepth=depth)

    def shrunk(self, height: int, width: int) -> FloatArray:
        """The whole picture in another size.

        Returns:
            (height, width, C), in the picture's range.
        """
        top, bottom = _edges(np.array([0]), np.array([self.height]), height)
        left, right = _edges(np.array([0]), np.array([self.width]), width)
        bands = self._sums[bottom[0]] - self._sums[top[0]]
        total = bands[:, right[0]] - bands[:, left[0]]
        return _mean(total, (bottom - top)[0, :, None] * (right - left)[0])

    def crops(self, boxes: IntArray, side: int) -> FloatArray:
        """Rectangles of the picture, each as a square of one size.

        Args:
            boxes: (N, 4), left, top, right, bottom; whole pixels within the picture, the last two
                exclusive, none empty.
            side: of the squares.

        Returns:
            (N, side, side, C), in the picture's range.
        """
        left, right = (edge[:, None, :] for edge in _edges(boxes[:, 0], boxes[:, 2], side))
        top, bottom = (edge[:, :, None] for edge in _edges(boxes[:, 1], boxes[:, 3], side))
        sums = self._sums
        total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return _mean(total, (bottom - top) * (right - left))


def _mean(total: npt.NDArray[Any], area: IntArray) -> FloatArray:
    return np.divide(total, area[..., None], dtype=np.float32, casting="unsafe")


def _edges(start: IntArray, end: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """First pixel and the one after the last of each target, (N, count) each."""
    side = (end - start)[:, None]
    steps = np.arange(count + 1)
    first = steps[:-1] * side // count
    beyond = -(-steps[1:] * side // count)
    return start[:, None] + first, start[:, None] + beyond
