"""The flashes of one capture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction

FloatArray = npt.NDArray[np.float64]

_HINTS = {
    ".csv": "a light table has columns zenith,azimuth (degrees) or x,y,z, and a row for each light",
    ".json": 'write `{"format": "fr3d.lights", "version": 1, "lights": [{"direction": [x, y, z]}, '
    "...]}`",
    ".lp": "an .lp file holds the number of lights, then `photograph x y z` a line",
    ".m": "write rows `90-<zenith> 360-<azimuth>`, degrees, one for each light",
    ".npy": "store x y z of one light a row: from the face to the light, y up, z to the camera",
    ".txt": "write x y z of one light a line: from the face to the light, y up, z to the camera",
}
INTENSITIES = "light_intensities.txt"
_INTENSITY_HINT = "write one number, or red, green and blue, of one light a line"
_POSITIVE_HINT = (
    "photographs are divided by it: a light has a number above 0, 1 where all are equal"
)


@dataclass(frozen=True)
class Lights:
    """The flashes of one capture.

    Attributes:
        directions: (L, 3), unit vectors from the face to each light; x right, y up, z to the
            camera.
        intensity: (L,), relative intensity, or (L, 3) of red, green and blue; photographs are
            divided by it.
        files: name of each light's photograph; empty when they go by their order.
        positions_mm: (L, 3), where the lights stand, from the point that the camera's axis meets
            on the face; None when they are taken as distant.
    """

    directions: FloatArray
    intensity: FloatArray
    files: tuple[str, ...] = ()
    positions_mm: FloatArray | None = None

    @cached_property
    def condition(self) -> float:
        """Ratio of the largest to the smallest singular value: the gain of noise."""
        values = np.linalg.svd(self.directions, compute_uv=False)
        return float(values[0] / values[-1]) if values[-1] > 0 else float("inf")

    @property
    def grey_intensity(self) -> FloatArray:
        """(L,): mean over the channels; grey photographs are divided by it."""
        return self.intensity if self.intensity.ndim == 1 else self.intensity.mean(axis=1)

    def only(self, picks: Sequence[int]) -> "Lights":
        """Some of the lights.

        Args:
            picks: which, by number.
        """
        at = np.asarray(picks, np.intp)
        places = None if self.positions_mm is None else self.positions_mm[at]
        files = tuple(self.files[i] for i in at) if self.files else ()
        return Lights(self.directions[at], self.intensity[at], files, places)

    @property
    def known(self) -> bool:
        """Whether there are directions; they are NaN where the lights are yet to be estimated."""
        return bool(np.isfinite(self.directions).all())


def unknown_lights(count: int) -> Lights:
    """Lights of which nothing is known but their number.

    Args:
        count: how many.
    """
    return Lights(np.full((count, 3), np.nan), np.ones(count))


def light_hint(where: str) -> str:
    """What a light file of this kind should hold; empty for what is none.

    Args:
        where: name of the light file.
    """
    if where.lower().endswith(INTENSITIES):
        return _INTENSITY_HINT
    return _HINTS.get(PurePath(where).suffix.lower(), "")


def lights_from_angles(zenith: FloatArray, azimuth: FloatArray, where: str) -> Lights:
    """Lights of equal intensity.

    Args:
        zenith: (L,), degrees from the camera axis.
        azimuth: (L,), degrees clockwise from up.
        where: name of the light file, for messages.
    """
    wrong = (zenith < 0) | (zenith > 180)
    if wrong.any():
        raise MalformedInputError(
            f"{where}: found a zenith of {zenith[wrong][0]:g} degrees, expected 0 to 180",
            light_hint(where),
        )
    return Lights(direction(zenith, azimuth), np.ones(len(zenith)))


def unit_vectors(vectors: npt.NDArray[Any], where: str) -> FloatArray:
    """Scale directions to length 1; refuse those of length 0.

    Args:
        vectors: (L, 3).
        where: name of the light file, for messages.
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    zero = np.flatnonzero(length < 1e-9)
    if zero.size:
        raise MalformedInputError(
            f"{where}: found a light direction of length 0, light {zero[0] + 1} of {len(vectors)}",
            light_hint(where),
        )
    return np.asarray(vectors / length, np.float64)


def check_intensity(intensity: FloatArray, where: str) -> FloatArray:
    """Refuse intensities that photographs cannot be divided by.

    Args:
        intensity: (L,) or (L, 3).
        where: name of the light file, for messages.
    """
    wrong = np.flatnonzero((intensity <= 0).reshape(len(intensity), -1).any(axis=1))
    if wrong.size:
        raise MalformedInputError(
            f"{where}: found an intensity of 0 or less, light {wrong[0] + 1} of {len(intensity)}",
            _POSITIVE_HINT,
        )
    return intensity
