"""Cameras of RGB-D devices: intrinsics, and depth moved into the picture of the colour camera."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.mesh import triangulate
from fr3d.geometry.reproject import redraw
from fr3d.photometric.text import read_text

FloatArray = npt.NDArray[np.float64]

_EXPECTED = (
    'expected {"color": {"fx": .., "fy": .., "cx": .., "cy": ..}} and, where depth has its own '
    'camera, "depth" likewise with "rotation" and "translation_mm" to the colour camera'
)
_JUMP = 8.0


@dataclass(frozen=True)
class Pinhole:
    """Intrinsics of one camera, pixels.

    Args:
        fx: focal length across.
        fy: focal length down.
        cx: column of the principal point; 0 is the centre of the first pixel.
        cy: its row.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def points(self, distance: npt.NDArray[Any]) -> FloatArray:
        """Points in space, (H, W, 3), of distances along the axis; x right, y down, z away."""
        rows, columns = np.mgrid[0 : distance.shape[0], 0 : distance.shape[1]]
        z = distance.astype(np.float64)
        x = (columns - self.cx) / self.fx * z
        return np.stack([x, (rows - self.cy) / self.fy * z, z], axis=-1)


@dataclass(frozen=True)
class Cameras:
    """The cameras of a device.

    Args:
        color: of the photograph.
        depth: of the depth image, or None where it is registered to the photograph.
        rotation: (3, 3) from the depth camera to the colour camera, x right, y down, z away.
        translation_mm: (3,).
    """

    color: Pinhole
    depth: Pinhole | None = None
    rotation: tuple[tuple[float, ...], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    translation_mm: tuple[float, ...] = (0, 0, 0)

    def register(
        self, height: npt.NDArray[np.float32], shape: tuple[int, int]
    ) -> npt.NDArray[np.float32]:
        """Depth as the colour camera would see it.

        Args:
            height: (h, w) minus the distance from the depth camera, mm; NaN where unknown.
            shape: height and width of the photograph.

        Returns:
            (H, W), minus the distance from the colour camera.
        """
        if self.depth is None:
            return height
        known = np.isfinite(height)
        distance = np.where(known, -height, 0.0)
        points = self.depth.points(distance) @ np.array(self.rotation).T + self.translation_mm
        z = np.where(known, points[..., 2], 1.0)
        known &= z > 1.0
        z = np.where(known, z, 1.0)
        places = np.stack(
            [
                points[..., 0] / z * self.color.fx + self.color.cx,
                points[..., 1] / z * self.color.fy + self.color.cy,
                -z,
            ],
            axis=-1,
        )
        steps = height / np.float32(
            np.median(distance[known]) / self.depth.fx if known.any() else 1
        )
        triangles = triangulate(steps, known, _JUMP)
        _, moved, _ = redraw(places.reshape(-1, 3), triangles, np.zeros((height.size, 0)), shape)
        return moved


def read_cameras(path: Path) -> Cameras:
    """Read the cameras of a device.

    Args:
        path: JSON: `color`, and where depth has its own camera `depth`, `rotation` (3 x 3) and
            `translation_mm`.

    Raises:
        MalformedInputError: it is not that.
    """
    try:
        content = json.loads(read_text(path))
        color = _pinhole(content["color"])
        if "depth" not in content:
            return Cameras(color)
        rotation, translation = _movement(content)
        return Cameras(color, _pinhole(content["depth"]), rotation, translation)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedInputError(f"{path.name}: no cameras: {error}", _EXPECTED) from error


def _movement(
    content: Mapping[str, Any],
) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
    """Rotation and translation from the depth camera to the colour camera."""
    rotation = np.array(content.get("rotation", np.eye(3)), np.float64)
    translation = np.array(content.get("translation_mm", np.zeros(3)), np.float64)
    if rotation.shape != (3, 3) or not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3):
        raise ValueError("its rotation is none")
    if translation.shape != (3,) or not np.isfinite(translation).all():
        raise ValueError("its translation is none")
    return tuple(tuple(map(float, row)) for row in rotation), tuple(map(float, translation))


def _pinhole(content: Mapping[str, Any]) -> Pinhole:
    values = [float(content[name]) for name in ("fx", "fy", "cx", "cy")]
    if not np.isfinite(values).all() or min(values[:2]) <= 0:
        raise ValueError(f"fx {values[0]:g}, fy {values[1]:g}")
    return Pinhole(*values)
