"""Directions of lights: angles in degrees from and to unit vectors."""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def direction(zenith_deg: npt.ArrayLike, azimuth_deg: npt.ArrayLike) -> FloatArray:
    """Turn zenith and azimuth into the unit vector from the face to the light.

    Args:
        zenith_deg: angle from the camera axis, degrees; any shape (...).
        azimuth_deg: clockwise from up as the photograph shows it (90 is at its right), degrees.

    Returns:
        (..., 3): x right, y up, z towards the camera.

    >>> direction(90, 90).round(3).tolist()
    [1.0, 0.0, 0.0]
    """
    zenith = np.deg2rad(np.asarray(zenith_deg, dtype=np.float64))
    azimuth = np.deg2rad(np.asarray(azimuth_deg, dtype=np.float64))
    across = np.sin(zenith)
    parts = (across * np.sin(azimuth), across * np.cos(azimuth), np.cos(zenith))
    return np.stack(np.broadcast_arrays(*parts), axis=-1)


def angles(directions: npt.NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Turn vectors towards lights into zenith and azimuth: the inverse of `direction`.

    Args:
        directions: (..., 3), not zero; need not have unit length.

    Returns:
        Zenith in 0..180 and azimuth in 0..360, degrees, each (...).
    """
    x, y, z = np.moveaxis(np.asarray(directions, dtype=np.float64), -1, 0)
    zenith = np.rad2deg(np.arctan2(np.hypot(x, y), z))
    azimuth = np.rad2deg(np.arctan2(x, y)) % 360.0
    return zenith, azimuth
