"""Five points of a face: their order set right, nonsense refused."""

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError

FloatArray = npt.NDArray[np.float64]

_PAIRS = ((0, 1), (3, 4))
_MINIMUM_EYES = 4.0
# Share of the way from the eyes to the mouth at which a nose tip can lie, with room for pose.
_NOSE_RANGE = (-0.1, 1.1)
# Eye-to-mouth distance over eye distance: frontal faces have about 1.1, half profiles up to 3.
_HEIGHT_RANGE = (0.4, 4.0)


class NoFaceError(MalformedInputError):
    """A session in which no face could be placed; the message is the reason."""


def is_known(points: npt.ArrayLike) -> bool:
    """Tell whether enough points are known to place a face: both eyes and one more.

    Args:
        points: (5, 2), NaN where unknown.
    """
    known = [bool(np.isfinite(point).all()) for point in np.asarray(points, dtype=np.float64)]
    return all(known[:2]) and any(known[2:])


def ordered(points: npt.ArrayLike) -> FloatArray:
    """Bring points into the order image left, image right, and refuse what is no face.

    Captures name the sides from the camera or from the person: mirrored pairs are swapped, judged
    from the direction eyes to mouth, so that any in-plane rotation is allowed.

    Args:
        points: (5, 2) pixel coordinates, NaN where unknown.

    Returns:
        (5, 2) in the order of `FaceMaps.landmarks`.

    Raises:
        NoFaceError: too few points, or points that no face can have.
    """
    face = np.array(points, dtype=np.float64)
    if not is_known(face):
        known = int(np.isfinite(face).all(axis=1).sum())
        raise NoFaceError(f"{known} of 5 landmarks known, expected both eyes and one more")
    down = _lower_point(face) - face[:2].mean(axis=0)
    for left, right in _PAIRS:
        across = face[right] - face[left]
        if across[0] * down[1] - across[1] * down[0] < 0:
            face[[left, right]] = face[[right, left]]
    _refuse_nonsense(face)
    return face


def _lower_point(face: FloatArray) -> FloatArray:
    """Middle of the known mouth corners, else the nose tip."""
    mouth = face[3:][np.isfinite(face[3:]).all(axis=1)]
    return np.asarray(mouth.mean(axis=0) if len(mouth) else face[2])


def _refuse_nonsense(face: FloatArray) -> None:
    eyes = float(np.hypot(*(face[1] - face[0])))
    if eyes < _MINIMUM_EYES:
        raise NoFaceError(f"eyes are {eyes:.1f} pixels apart, expected {_MINIMUM_EYES:.0f} or more")
    middle = face[:2].mean(axis=0)
    if not np.isfinite(face[3:]).all(axis=1).any():
        return
    down = _lower_point(face) - middle
    height = float(np.hypot(*down)) / eyes
    if not _HEIGHT_RANGE[0] <= height <= _HEIGHT_RANGE[1]:
        raise NoFaceError(f"mouth lies {height:.2f} eye distances from the eyes, expected 0.4 to 4")
    if np.isfinite(face[2]).all():
        share = float((face[2] - middle) @ down / (down @ down))
        if not _NOSE_RANGE[0] <= share <= _NOSE_RANGE[1]:
            raise NoFaceError("nose tip does not lie between eyes and mouth")
