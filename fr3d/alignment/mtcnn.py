"""Faces and their five points by MTCNN (Zhang et al. 2016), run without torch.

Zhang, Zhang, Li, Qiao 2016, Joint face detection and alignment using multi-task cascaded
convolutional networks, IEEE Signal Processing Letters 23(10), arXiv:1604.02878.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.area_average import AreaAverage, IntArray
from fr3d.alignment.boxes import FloatArray, moved, squared, suppress
from fr3d.alignment.found import FoundFace
from fr3d.alignment.mtcnn_network import run, weights_sha256
from fr3d.errors import UsageError

__all__ = ["Mtcnn", "weights_sha256"]

_CELL = 12  # side of what PNet looks at, pixels
_STRIDE = 2
# Greatest overlaps: within one size of the picture, over all sizes and after RNet, after ONet.
_SAME_SIZE, _ANY_SIZE, _LAST = 0.5, 0.7, 0.7


@dataclass(frozen=True)
class Mtcnn:
    """The cascade: PNet on all sizes of a picture, RNet and ONet on what it proposes.

    Carries no state: worker processes take copies and load the networks at their first face.

    Args:
        smallest: side of the smallest face that is looked for, pixels.
        smallest_share: the same as a share of the picture's longer side; the larger of the two
            counts. With 0.04 pictures above 500 pixels take little longer than those of 500, and
            faces below a 25th of the picture are not found in them. 0 looks for all.
        thresholds: least scores after PNet, RNet and ONet.
        factor: from one size of the picture to the next.
        points_in_uncut_box: place the points as facenet-pytorch does: by the box that ONet was
            asked about, not by the whole pixels of it that lie in the picture, which ONet saw.
            Points then lie about 1 pixel too far right and down, and beside the face where a box
            reaches over the edge: on 53 such faces of 160 pixels 7.8 pixels from the truth (mean)
            after that pixel is taken off, against 3.5.
    """

    smallest: float = 20.0
    smallest_share: float = 0.04
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    factor: float = 0.709
    points_in_uncut_box: bool = False

    def __post_init__(self) -> None:
        if not self.smallest >= _CELL or not 0 < self.factor < 1:
            raise UsageError(
                f"smallest face {self.smallest:g} and factor {self.factor:g}, "
                f"expected {_CELL} or more and between 0 and 1"
            )

    def find(self, picture: npt.NDArray[np.uint8]) -> list[FoundFace]:
        """Find all faces.

        What of a candidate lies beyond the picture is cut off before RNet and ONet see it, so that
        a face at the edge is stretched to a square, as facenet-pytorch does it; the paper's own
        program fills it with zeros.

        Args:
            picture: (H, W, 3) in BGR order; may be empty.

        Returns:
            The faces, highest score first.
        """
        sizes = list(self._scales(*picture.shape[:2]))
        if not sizes:
            return []
        source = AreaAverage(picture[..., ::-1])
        boxes = self._propose(source, sizes)
        boxes = self._refine(source, boxes)
        return self._decide(source, boxes)

    def _scales(self, height: int, width: int) -> Iterator[float]:
        """Scales at which the smallest face, and ever larger ones, fill what PNet looks at."""
        scale = _CELL / max(self.smallest, self.smallest_share * max(height, width))
        shorter = min(height, width) * scale
        while shorter >= _CELL:
            yield scale
            scale *= self.factor
            shorter *= self.factor

    def _propose(self, source: AreaAverage, scales: list[float]) -> FloatArray:
        """First stage: square boxes of candidates, (N, 4)."""
        parts = [self._propose_at(source, scale) for scale in scales]
        boxes, scores, shift = (np.concatenate(part) for part in zip(*parts, strict=True))
        keep = suppress(boxes, scores, _ANY_SIZE)
        return squared(moved(boxes[keep], shift[keep]))

    def _propose_at(
        self, source: AreaAverage, scale: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Boxes, scores and shifts of the candidates in one size of the picture."""
        size = int(source.height * scale + 1), int(source.width * scale + 1)
        score, shift = run("pnet", _planes(source.shrunk(*size)[None]))
        row, column = np.nonzero(score[0, 1] >= self.thresholds[0])
        corner = (_STRIDE * np.stack([column, row], axis=1)).astype(np.float32)
        boxes = np.floor(np.concatenate([corner + 1, corner + _CELL], axis=1) / np.float32(scale))
        scores = score[0, 1, row, column]
        keep = suppress(boxes, scores, _SAME_SIZE)
        return boxes[keep], scores[keep], shift[0, :, row, column][keep]

    def _refine(self, source: AreaAverage, boxes: FloatArray) -> FloatArray:
        """Second stage: fewer and better boxes, square."""
        boxes, rectangles = _in_picture(source, boxes)
        if not len(boxes):
            return boxes
        score, shift = run("rnet", _planes(source.crops(rectangles, 24)))
        passed = np.flatnonzero(score[:, 1] > self.thresholds[1])
        keep = passed[suppress(boxes[passed], score[passed, 1], _ANY_SIZE)]
        return squared(moved(boxes[keep], shift[keep], 1))

    def _decide(self, source: AreaAverage, boxes: FloatArray) -> list[FoundFace]:
        """Third stage: the faces."""
        boxes, rectangles = _in_picture(source, boxes)
        if not len(boxes):
            return []
        score, shift, share = run("onet", _planes(source.crops(rectangles, 48)))
        points = self._points(share.reshape(-1, 2, 5).transpose(0, 2, 1), boxes, rectangles)
        boxes = moved(boxes, shift, 1)
        # Scores near 1 are often equal in 32 bits: the last counts, as in facenet-pytorch.
        passed = np.flatnonzero(score[:, 1] > self.thresholds[2])[::-1]
        whole = boxes[passed] + np.array([0, 0, 1, 1], np.float32)  # edges of the last pixels
        kept = passed[suppress(whole, score[passed, 1], _LAST, "smaller")]
        return [FoundFace(boxes[i].astype(np.float64), points[i], float(score[i, 1])) for i in kept]

    def _points(
        self, share: FloatArray, boxes: FloatArray, rectangles: IntArray
    ) -> npt.NDArray[np.float64]:
        """From shares of what ONet saw (N, 5, 2) to pixels."""
        if self.points_in_uncut_box:
            return share * (_size(boxes) + 1.0) + boxes[:, None, :2] - 1.0
        return share * _size(rectangles) + rectangles[:, None, :2] - 0.5  # from the pixel's edge


def _size(boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Width and height, (N, 1, 2)."""
    return np.asarray(boxes[:, None, 2:] - boxes[:, None, :2], dtype=np.float64)


def _in_picture(source: AreaAverage, boxes: FloatArray) -> tuple[FloatArray, IntArray]:
    """The boxes that meet the picture, and the whole pixels of each that lie in it."""
    whole = np.trunc(boxes).astype(np.int64) - np.array([1, 1, 0, 0])
    whole = np.clip(whole, 0, np.array([source.width, source.height] * 2))
    inside = (whole[:, 2:] > whole[:, :2]).all(axis=1)
    return boxes[inside], whole[inside]


def _planes(pictures: FloatArray) -> FloatArray:
    """Pictures (N, H, W, 3) as the networks take them."""
    return np.ascontiguousarray(((pictures - 127.5) * 0.0078125).transpose(0, 3, 1, 2))
