"""Faces in photographs by YuNet: a glance at all of it, then each face from nearby."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from fr3d.alignment.found import FoundFace
from fr3d.alignment.yunet import AGREEMENT, Picture, Yunet, apart, fuse, look


@dataclass(frozen=True)
class CloserYunet:
    """Finds faces in photographs.

    Only the face that is meant is looked at from nearby, at one scale whatever its size, and also
    mirrored; both looks must show it, else the next one is taken. The others are returned as the
    glance shows them, without a spread. Where nothing lasts, or the most prominent face is not
    prominent at all, the whole is searched as `Yunet` does: whoever is meant may be seen there.

    Attributes:
        prominence: how far a face is the one that is meant, given the picture's shape; below zero
            it can hardly be.
        glance: longer side in pixels of the first view.
        side: side of the closer views.
        around: side of what they show, in longer sides of the box that the glance found.
    """

    prominence: Callable[[FoundFace, Sequence[int]], float]
    glance: int = 160
    side: int = 128
    around: float = 1.9

    def find(self, picture: Picture) -> list[FoundFace]:
        """Find all faces of a picture; see `Yunet`."""
        seen = next(look(picture, self.glance, 0.0))
        seen.sort(key=lambda face: self.prominence(face, picture.shape), reverse=True)
        faces: list[FoundFace] = []
        for n, face in enumerate(seen):
            closer = self._closer(picture, face)
            if closer is not None:
                faces = [closer, *seen[n + 1 :]]
                break
        if faces and self.prominence(faces[0], picture.shape) >= 0:
            return faces
        return Yunet().find(picture) or faces

    def _closer(self, picture: Picture, seen: FoundFace) -> FoundFace | None:
        """The same face in a window around it, or None where it is not there."""
        corners = seen.box.reshape(2, 2)
        side = max(8, round(self.around * float(np.ptp(corners, axis=0).max())))
        origin = np.rint(corners.mean(axis=0) - side / 2).astype(int)
        reach = AGREEMENT * float(np.hypot(*(seen.landmarks[1] - seen.landmarks[0])))
        for face in fuse(
            list(look(_window(picture, int(origin[1]), int(origin[0]), side), self.side, 0.0))
        ):
            points = face.landmarks + origin
            if apart(points, seen.landmarks) <= reach:
                return FoundFace(face.box + np.tile(origin, 2), points, face.score, face.spread)
        return None


def _window(picture: Picture, top: int, left: int, side: int) -> Picture:
    """A square of a picture; what lies outside repeats the border."""
    height, width = picture.shape[:2]
    rows = np.clip([top, top + side], 0, height)
    columns = np.clip([left, left + side], 0, width)
    inside = picture[rows[0] : rows[1], columns[0] : columns[1]]
    around = (rows[0] - top, top + side - rows[1], columns[0] - left, left + side - columns[1])
    if not any(around):
        return inside
    return np.asarray(cv2.copyMakeBorder(inside, *around, cv2.BORDER_REPLICATE), np.uint8)
