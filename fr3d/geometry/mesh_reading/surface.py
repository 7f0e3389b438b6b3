"""What a file of a 3D scan holds, and how much of it is taken."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError

MAX_BYTES = 2 << 30
"""The largest file that is read."""

MAX_VERTICES = 5_000_000
"""The most vertices, or places in a texture, that are read; cleaning so many takes 3.5 GB."""

MAX_CORNERS = 30_000_000
"""The most corners of all polygons that are read: 10 million triangles."""

_LARGEST = 1e7


@dataclass(frozen=True)
class SurfaceMesh:
    """A mesh or a point cloud in the frame and the unit of its file.

    Args:
        vertices: (V, 3).
        triangles: (T, 3) vertex numbers; (0, 3) for a point cloud.
        places: (T, 3, 2), where in the texture each corner of a triangle is: from 0 to 1,
            rightwards and upwards; NaN where a corner has no place.
        colours: (V, 3), from 0 to 1, red, green and blue as stored, which is sRGB.
        texture: the picture that the places lie in.
    """

    vertices: npt.NDArray[np.float64]
    triangles: npt.NDArray[np.int64]
    places: npt.NDArray[np.float32] | None = None
    colours: npt.NDArray[np.float32] | None = None
    texture: Path | None = None

    @property
    def is_cloud(self) -> bool:
        """Whether there are points without a surface."""
        return len(self.triangles) == 0


def check_count(count: int, limit: int, what: str, name: str) -> None:
    """Refuse more than is read, before memory is taken for it.

    Args:
        count: found.
        limit: the most.
        what: the things counted, in the plural.
        name: of the file.

    Raises:
        MalformedInputError: too many.
    """
    if count > limit:
        raise MalformedInputError(f"{name}: found {count} {what}, expected at most {limit}")


def checked(mesh: SurfaceMesh, name: str) -> SurfaceMesh:
    """Refuse a mesh whose numbers do not fit together.

    Args:
        mesh: as read.
        name: of its file.

    Raises:
        MalformedInputError: no vertices, coordinates that are not finite or beyond 10 million,
            or a triangle of a vertex that is not there.
    """
    if not len(mesh.vertices):
        raise MalformedInputError(f"{name}: found no vertices")
    if not np.isfinite(mesh.vertices).all():
        raise MalformedInputError(f"{name}: found coordinates that are NaN or infinite")
    largest = float(np.abs(mesh.vertices).max())
    if largest > _LARGEST:
        raise MalformedInputError(
            f"{name}: found a coordinate of {largest:.3g}, expected at most {_LARGEST:g}"
        )
    if not mesh.is_cloud:
        _check_indices(mesh, name)
    return mesh


def _check_indices(mesh: SurfaceMesh, name: str) -> None:
    low, high = int(mesh.triangles.min()), int(mesh.triangles.max())
    if low < 0 or high >= len(mesh.vertices):
        wrong = low if low < 0 else high
        raise MalformedInputError(
            f"{name}: found a triangle of vertex number {wrong} counted from 0, "
            f"but there are {len(mesh.vertices)} vertices"
        )
