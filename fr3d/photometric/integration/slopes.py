"""From normals to the change of height per pixel, seen from far away or by a pinhole camera."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.integration.cosine import Field, is_torch


@dataclass(frozen=True)
class Slopes:
    """Slopes of a batch, 0 outside the masks.

    Attributes:
        across: (B, H, W), change of height from a pixel to the next on the right.
        down: (B, H, W), change of height from a row to the next below.
        facing: (B, H, W), cosine between normal and view, not less than the limit.
    """

    across: Field
    down: Field
    facing: Field


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        focal: (2,), focal lengths in pixels, x and y.
        centre: (2,), principal point in pixels; x right, y down, (0, 0) = centre of the first.
    """

    focal: tuple[float, float]
    centre: tuple[float, float]

    @property
    def scale(self) -> float:
        """Pixels of height per unit of the logarithm of the distance."""
        return float(np.sqrt(self.focal[0] * self.focal[1]))

    def moved(self, row: int, column: int) -> "Camera":
        """The camera of a cut whose first pixel is at a row and column."""
        return Camera(self.focal, (self.centre[0] - column, self.centre[1] - row))


def pinhole(matrix: npt.ArrayLike) -> Camera:
    """Take apart an intrinsic matrix K (3, 3).

    Raises:
        MalformedInputError: it is not one of a pinhole camera without skew.
    """
    k = np.asarray(matrix, dtype=np.float64)
    if k.shape != (3, 3) or not np.isfinite(k).all():
        raise MalformedInputError(f"camera matrix: found shape {k.shape}, expected 3 x 3 numbers")
    if (k[2] != (0, 0, 1)).any() or k[1, 0] or k[0, 1] or min(k[0, 0], k[1, 1]) <= 0:
        raise MalformedInputError("camera matrix: expected rows fx 0 cx, 0 fy cy, 0 0 1")
    return Camera((k[0, 0], k[1, 1]), (k[0, 2], k[1, 2]))


def distant_slopes(normal: Field, min_nz: float) -> Slopes:
    """Slopes of a surface seen from far away.

    Args:
        normal: (B, 3, H, W), x right, y up, z to the camera; 0 outside the masks.
        min_nz: least n_z; a pixel that turns further away is taken to have it.
    """
    facing = normal[:, 2].clip(min_nz)
    # height grows to the right by -n_x / n_z; rows run down, so downwards by n_y / n_z
    return Slopes(-normal[:, 0] / facing, normal[:, 1] / facing, facing)


def camera_slopes(normal: Field, cameras: list[Camera], min_nz: float) -> Slopes:
    """Slopes of -f log Z, Z being the distance along the axis of a pinhole camera.

    A surface point is Z (x, y, -1) with x = (column - c_x) / f_x and y = (c_y - row) / f_y. That
    its change is perpendicular to the normal gives d log Z / dx = n_x / (n_z - x n_x - y n_y).

    Args:
        normal: as for `distant_slopes`.
        cameras: one an image.
        min_nz: least n_z - x n_x - y n_y.

    Reference:
        Queau, Durou, Aujol 2018, "Normal Integration: A Survey", section 2 (perspective).
    """
    x, y = _rays(normal, cameras)
    facing = (normal[:, 2] - x * normal[:, 0] - y * normal[:, 1]).clip(min_nz)
    slopes = Slopes(-normal[:, 0] / facing, normal[:, 1] / facing, facing)
    for i, camera in enumerate(cameras):
        slopes.across[i] *= camera.scale / camera.focal[0]
        slopes.down[i] *= camera.scale / camera.focal[1]
    return slopes


def _rays(like: Field, cameras: list[Camera]) -> tuple[Field, Field]:
    height, width = like.shape[-2:]
    x = np.stack([(np.arange(width) - c.centre[0]) / c.focal[0] for c in cameras])
    y = np.stack([(c.centre[1] - np.arange(height)) / c.focal[1] for c in cameras])
    x, y = x[:, None, :].astype(np.float32), y[:, :, None].astype(np.float32)
    return (like.new_tensor(x), like.new_tensor(y)) if is_torch(like) else (x, y)
