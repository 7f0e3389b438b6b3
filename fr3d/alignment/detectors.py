"""Detectors by name: pictures in, the face that is meant out, with a second look where needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.alignment import yunet
from fr3d.alignment.closer_yunet import CloserYunet
from fr3d.alignment.found import FoundFace
from fr3d.alignment.landmarks import NoFaceError, ordered
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.errors import UsageError

if TYPE_CHECKING:
    from fr3d.alignment.hourglass import Hourglass

Picture = npt.NDArray[np.uint8]

# Blur of the later looks, in pixels of a picture of 256.
_BLURS = (1.0, 2.0, 3.0)
_BLUR_SIDE = 256
# Mean height of a landmark network's peaks that tells a face from none where no box was found:
# faces have 0.69 to 0.86, noise and flat pictures 0.41 to 0.54.
_LEAST_HEIGHT = 0.6


class FaceDetector(Protocol):
    """Finds faces in one picture."""

    def find(self, picture: Picture) -> list[FoundFace]:
        """All faces of a picture (H, W, 3) in BGR order."""
        ...


@dataclass(frozen=True)
class Detection:
    """The face that is meant.

    Args:
        face: with its points in order.
        faces: how many the picture shows.
        look: which look showed it; 0 is the picture as it is.
    """

    face: FoundFace
    faces: int
    look: int


def weights_sha256(recipe: AlignmentRecipe) -> str:
    """Digest of the weights that a recipe's detector uses.

    Args:
        recipe: one that detects.
    """
    if recipe.detector == "hourglass":
        return recipe.network_sha256
    if recipe.detector == "mtcnn":
        from fr3d.alignment import mtcnn

        return mtcnn.weights_sha256()
    return yunet.weights_sha256()


def find_face(picture: Picture, recipe: AlignmentRecipe, quick: bool = False) -> Detection | None:
    """Find the face that is meant.

    Where a detector finds nothing it looks again: at a copy of stretched local contrast, and at
    blurred ones. A find whose points no face can have does not count.

    Args:
        picture: (H, W, 3), BGR.
        recipe: which detector, and which of several faces.
        quick: glance at the whole first and look at what it shows more closely, as photographs
            allow, which are lit well.

    Returns:
        The face, or None.
    """
    detector = open_detector(recipe, quick)
    for look, view in enumerate(_looks(picture)):
        faces = _usable(detector.find(view))
        if faces:
            return Detection(_choose(faces, picture.shape, recipe.face), len(faces), look)
    return None


def open_detector(recipe: AlignmentRecipe, quick: bool = False) -> FaceDetector:
    """Make the detector of a recipe.

    Args:
        recipe: one that detects.
        quick: see `find_face`.
    """
    if recipe.detector == "mtcnn":
        from fr3d.alignment.mtcnn import Mtcnn

        return Mtcnn()
    prominence = _area if recipe.face == "largest" else _central
    faces: FaceDetector = CloserYunet(prominence) if quick else yunet.Yunet()
    if recipe.detector != "hourglass":
        return faces
    if recipe.network is None:
        raise UsageError("the detector 'hourglass' has no network", "name it with --landmarks")
    return _Refined(faces, recipe.network)


@dataclass(frozen=True)
class _Refined:
    """Boxes by YuNet, points by a landmark network; without a box, the whole picture is one."""

    boxes: FaceDetector
    network: bytes

    def find(self, picture: Picture) -> list[FoundFace]:
        network = _landmark_network(self.network)
        height, width = picture.shape[:2]
        whole = np.array([0.0, 0.0, width - 1.0, height - 1.0])
        boxes = [found.box for found in self.boxes.find(picture)]
        if boxes:
            return [network.find(picture, box) for box in boxes]
        face = network.find(picture, whole)
        return [face] if face.score >= _LEAST_HEIGHT else []


@lru_cache(maxsize=2)
def _landmark_network(data: bytes) -> "Hourglass":
    from fr3d.alignment.hourglass import Hourglass

    return Hourglass(data)


def _looks(picture: Picture) -> Iterator[Picture]:
    """The picture, then copies in which detectors find what they missed."""
    yield picture
    yield _stretched(picture)
    sigma = max(picture.shape[:2]) / _BLUR_SIDE
    for blur in _BLURS:
        yield cv2.GaussianBlur(picture, (0, 0), blur * sigma).astype(np.uint8)


def _stretched(picture: Picture) -> Picture:
    """Equalise contrast tile by tile, with a limit (Zuiderveld 1994)."""
    lightness = cv2.cvtColor(picture, cv2.COLOR_BGR2LAB)
    lightness[..., 0] = cv2.createCLAHE(3.0, (8, 8)).apply(np.ascontiguousarray(lightness[..., 0]))
    return np.asarray(cv2.cvtColor(lightness, cv2.COLOR_LAB2BGR), np.uint8)


def _usable(faces: Sequence[FoundFace]) -> list[FoundFace]:
    """Those whose points a face can have, in order."""
    return [face for found in faces if (face := _in_order(found))]


def _in_order(face: FoundFace) -> FoundFace | None:
    try:
        points = ordered(face.landmarks)
    except NoFaceError:
        return None
    return FoundFace(face.box, points, face.score, face.spread)


def _choose(faces: Sequence[FoundFace], shape: Sequence[int], which: str) -> FoundFace:
    """The most prominent face, of those that were looked at closely where some were."""
    closely = [face for face in faces if np.isfinite(face.spread)] or faces
    prominence = _area if which == "largest" else _central
    return max(closely, key=lambda face: prominence(face, shape))


def _area(face: FoundFace, _: Sequence[int]) -> float:
    return face.area


def _central(face: FoundFace, shape: Sequence[int]) -> float:
    """The area of a face weighed against its distance from the middle.

    The weight is the one that many scripts of the field use: area less twice the squared distance.
    It is negative for a face that lies further from the middle than it is large.
    """
    return face.area - 2.0 * _offset(face, shape)


def _offset(face: FoundFace, shape: Sequence[int]) -> float:
    """Squared distance of a face from the middle of the picture."""
    middle = (np.array([shape[1], shape[0]]) - 1) / 2
    offset = face.box.reshape(2, 2).mean(axis=0) - middle
    return float(offset @ offset)
