"""Boxes around candidates of faces: which to keep, how to move and square them."""

from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def suppress(
    boxes: FloatArray,
    scores: FloatArray,
    threshold: float,
    share_of: Literal["union", "smaller"] = "union",
) -> npt.NDArray[np.intp]:
    """Drop boxes that overlap one of higher score.

    Args:
        boxes: (N, 4), left, top, right, bottom.
        scores: (N,); of equal ones the first comes first.
        threshold: greatest overlap that is allowed.
        share_of: what the common area is divided by: the area of the union, or that of the
            smaller box, which also drops a box that lies within another.

    Returns:
        Indices of the boxes to keep, highest score first.
    """
    order = np.argsort(-scores, kind="stable")
    left, top, right, bottom = boxes[order].T
    area = (right - left) * (bottom - top)
    left_over = np.arange(len(order))
    kept = []
    while len(left_over):
        best, rest = left_over[0], left_over[1:]
        kept.append(best)
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        common = np.maximum(width, 0) * np.maximum(height, 0)
        if share_of == "union":
            whole = area[best] + area[rest] - common
        else:
            whole = np.minimum(area[best], area[rest])
        left_over = rest[common <= threshold * whole]
    return order[np.array(kept, dtype=np.intp)]


def moved(boxes: FloatArray, shift: FloatArray, margin: float = 0.0) -> FloatArray:
    """Move the sides of boxes.

    Args:
        boxes: (N, 4), left, top, right, bottom.
        shift: (N, 4), in sides of the box.
        margin: what is added to the width and the height first.
    """
    size = boxes[:, 2:] - boxes[:, :2] + np.float32(margin)
    return boxes + shift * np.tile(size, 2)


def squared(boxes: FloatArray) -> FloatArray:
    """Grow the shorter side of each box to the longer one, around the middle."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.max(axis=1, keepdims=True)
    start = boxes[:, :2] + size * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([start, start + side], axis=1)
