"""Where a face is in its own frame, from landmarks that came with it or from a detector."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from fr3d.alignment.detectors import find_face
from fr3d.alignment.landmarks import NoFaceError, is_known, ordered
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.sources.source import Unaligned

FloatArray = npt.NDArray[np.float64]

_NAN = float("nan")
_SURE = 0.9
_FIGURES = ("landmark_score", "landmark_spread", "face_count", "face_look")
_BOX = ("box_left", "box_top", "box_right", "box_bottom")


@dataclass(frozen=True)
class Place:
    """Where a face was found, in pixels of its own frame.

    Args:
        landmarks: (5, 2), in order.
        box: (4,), or None where no detector was asked.
        quality: figures of the detection, NaN where there are none.
    """

    landmarks: FloatArray
    box: FloatArray | None
    quality: Mapping[str, float]


def find_place(face: Unaligned, recipe: AlignmentRecipe, quick: bool) -> tuple[Unaligned, Place]:
    """The side from which a face is surest, and where it is there.

    The first side that shows one need not be the right one: detectors find faces upside down, too,
    and are less sure of them. A surface seen from behind counts only where nothing else does.
    """
    best: tuple[float, Unaligned, Place] | None = None
    reason: NoFaceError | None = None
    for side in chain([face], face.turned()):
        if best is not None and side.hollow:
            break
        try:
            place = _find(side, recipe, quick)
        except NoFaceError as error:
            reason = reason or error
            continue
        score = place.quality["landmark_score"]
        if best is None or score > best[0]:
            best = score, side, place
        if not score < _SURE:
            break
    if best is None:
        raise reason or NoFaceError("no face found")
    return best[1], best[2]


def _find(face: Unaligned, recipe: AlignmentRecipe, quick: bool) -> Place:
    """Landmarks in pixels of the face's frame, in order, and what the detector says of them."""
    nothing = dict.fromkeys((*_FIGURES, *_BOX), _NAN) | {"landmark_detected": 0.0}
    given = face.landmarks
    if recipe.detector == "none":
        return Place(np.full((5, 2), _NAN) if given is None else given, None, nothing)
    if recipe.detector == "capture" or (
        recipe.detector == "auto" and given is not None and is_known(given)
    ):
        if given is None:
            raise NoFaceError("the capture has no landmarks")
        return Place(ordered(given), None, nothing)
    found = find_face(face.picture(recipe.look_at), recipe, quick)
    if found is None:
        raise NoFaceError("no face found")
    figures = (found.face.score, found.face.spread, found.faces, found.look)
    quality = dict(zip(_FIGURES, map(float, figures), strict=True))
    quality |= dict(zip(_BOX, map(float, found.face.box), strict=True))
    landmarks = face.refined(found.face.landmarks)
    return Place(landmarks, found.face.box, {**quality, "landmark_detected": 1.0})
