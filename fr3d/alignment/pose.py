"""How a face is turned out of the image plane, from five points with depth."""

from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from fr3d.geometry.depth import depth_at
from fr3d.geometry.maps import FaceMaps

FloatArray = npt.NDArray[np.float64]

_UP = np.array([1.0, -1.0, 1.0])  # rows run down
_NOSE = 2


def estimate_rotation(points: npt.ArrayLike) -> FloatArray | None:
    """The rotation of a head that looks to the front to the one whose points are given.

    Least squares over similarities in space, against the mean of many heads.

    Args:
        points: (5, 3), column, row and depth in pixels; NaN where unknown.

    Returns:
        (3, 3) in the frame x right, y up, z to the camera; None where fewer than four points have
        a depth.

    Reference:
        Umeyama 1991, Least-squares estimation of transformation parameters, eq. 39-43.
    """
    seen = np.asarray(points, np.float64) * _UP
    known = np.isfinite(seen).all(axis=1)
    if known.sum() < 4:
        return None
    model = _mean_points()[known]
    seen = seen[known]
    covariance = (seen - seen.mean(axis=0)).T @ (model - model.mean(axis=0))
    left, _, right = np.linalg.svd(covariance)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.asarray((left * sign) @ right)


def angles(rotation: FloatArray) -> tuple[float, float]:
    """Yaw to the image's right and pitch downwards, degrees, of a rotated head.

    Args:
        rotation: (3, 3).
    """
    x, y, z = rotation[:, 2]  # where the face looks
    return float(np.rad2deg(np.arctan2(x, z))), float(np.rad2deg(np.arctan2(-y, np.hypot(x, z))))


def head_rotation(maps: FaceMaps) -> FloatArray | None:
    """The rotation of a face from its landmarks and depth; None where too little is known.

    Args:
        maps: with landmarks and depth.
    """
    if maps.landmarks is None or maps.depth is None:
        return None
    eyes = float(np.hypot(*(maps.landmarks[1] - maps.landmarks[0])))
    reach = max(1, round(0.05 * eyes)) if np.isfinite(eyes) else 1
    return estimate_rotation(
        np.column_stack([maps.landmarks, depth_at(maps, maps.landmarks, reach)])
    )


def face_the_front(maps: FaceMaps, rotation: FloatArray) -> FaceMaps:
    """Turn a face back to the front about the tip of its nose; in-plane roll is left to the warp.

    Args:
        maps: with landmarks and depth.
        rotation: as `head_rotation` finds it.
    """
    if maps.landmarks is None or maps.depth is None:
        return maps
    yaw, pitch = np.deg2rad(angles(rotation))
    nose = maps.landmarks[_NOSE].astype(np.float64)
    about = np.array([*nose, depth_at(maps, nose[None])[0]])
    if not np.isfinite(about).all():
        return maps
    from fr3d.geometry.reproject import turn_maps  # loads a compiler

    return turn_maps(maps, _turn(yaw, pitch).T, about)


def _turn(yaw: float, pitch: float) -> FloatArray:
    """A head that looks to the front, nodded down and turned to the image's right."""
    cos, sin = np.cos, np.sin
    turn = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
    return turn @ nod


@cache
def _mean_points() -> FloatArray:
    """Five points of the mean of many heads, (5, 3) in the frame x right, y up, z to the camera."""
    asset = files("fr3d.photometric") / "assets" / "mean_face.npz"
    with asset.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        places = stored["landmarks"].astype(np.float64)
        depth = stored["depth"].astype(np.float32)
    mean = FaceMaps(np.isfinite(depth), depth=depth, landmarks=places)
    return np.column_stack([places, depth_at(mean, places, 2)]) * _UP
