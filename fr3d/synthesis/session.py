"""What one capture yields, and what is true about it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.synthesis.rig import Lights
from fr3d.synthesis.sensor import Sensor
from fr3d.synthesis.studio import Shot

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Session:
    """What one capture yields, and what is true about it.

    Args:
        mask: (H, W), true where a surface fills the pixel.
        normal: (H, W, 3), x right, y up, z towards the camera; zero outside the mask.
        albedo: (H, W), or (H, W, 3) in colour; linear reflectance, zero outside the mask. Behind
            lenses it is that of the face.
        depth: (H, W), height towards the camera in pixels; NaN outside the mask.
        lit: (L, H, W), share of each pixel that no cast or attached shadow covers.
        images: (L, H, W), or (L, H, W, 3) in colour; photographs in the sensor's whole numbers.
        shift: (L, 2), movement of each photograph in pixels: what lies at (x, y) in the maps lies
            at (x, y) + shift in the photograph.
        landmarks: (11, 2), x and y in pixels, in Photoface's order, image left first.
        shot: what was drawn.
        sensor: the camera.
    """

    mask: npt.NDArray[np.bool_]
    normal: FloatArray
    albedo: FloatArray
    depth: FloatArray
    lit: FloatArray
    images: npt.NDArray[Any]
    shift: FloatArray
    landmarks: FloatArray
    shot: Shot
    sensor: Sensor

    @property
    def lights(self) -> Lights:
        """Where the flashes stand."""
        return self.shot.lights


def pixels_of(points: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Turn points before the camera into pixels x and y, (0, 0) the centre of the top left one.

    Args:
        points: (N, 3), in pixels from the centre of the picture, y up.
        size: height and width of the picture.
    """
    height, width = size
    return np.stack([(width - 1) / 2 + points[:, 0], (height - 1) / 2 - points[:, 1]], axis=1)
