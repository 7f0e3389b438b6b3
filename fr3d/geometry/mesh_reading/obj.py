"""OBJ: vertices, places in a texture, polygons."""

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.mesh_reading.obj_kernels import count_obj, fill_obj
from fr3d.geometry.mesh_reading.polygons import fan
from fr3d.geometry.mesh_reading.surface import (
    MAX_CORNERS,
    MAX_VERTICES,
    SurfaceMesh,
    check_count,
)
from fr3d.geometry.mesh_reading.tokens import Bytes, FloatArray


def parse_obj(data: Bytes, name: str) -> SurfaceMesh:
    """Read an OBJ; without polygons it is a point cloud. Groups, normals and curves are passed by.

    Vertices of six values have a colour: x y z red green blue.

    Args:
        data: (N,) the file.
        name: its name, for messages.

    Raises:
        MalformedInputError: a line that cannot be read, too much, or a number out of range.
    """
    vertices, places, faces, corners, fewest = count_obj(data)
    check_count(vertices, MAX_VERTICES, "vertices", name)
    check_count(places, MAX_VERTICES, "places in a texture", name)
    check_count(corners, MAX_CORNERS, "corners of polygons", name)
    table = np.empty((vertices, 6 if fewest >= 6 and vertices else 3))
    texture = np.empty((places, 2))
    counts = np.empty(faces, dtype=np.int64)
    numbers = np.empty((corners, 2), dtype=np.int64)
    line = fill_obj(data, table, texture, counts, numbers)
    if line:
        raise MalformedInputError(
            f"{name}: line {line} cannot be read, expected finite coordinates or whole numbers"
        )
    triangles = fan(counts)
    return SurfaceMesh(
        vertices=np.ascontiguousarray(table[:, :3]),
        triangles=numbers[:, 0][triangles],
        places=_places(numbers[:, 1][triangles], texture, name),
        colours=unit_colours(table[:, 3:]) if table.shape[1] == 6 else None,
    )


def _places(
    numbers: npt.NDArray[np.int64], texture: FloatArray, name: str
) -> npt.NDArray[np.float32] | None:
    known = numbers >= 0
    if not known.any():
        return None
    if int(numbers.max()) >= len(texture):
        raise MalformedInputError(
            f"{name}: found place number {int(numbers.max()) + 1} in a texture, "
            f"but there are {len(texture)}"
        )
    places = texture.astype(np.float32)[np.maximum(numbers, 0)]
    places[~known] = np.nan
    return places


def unit_colours(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Colours of text files, which are from 0 to 1 or from 0 to 255, from 0 to 1.

    Args:
        values: (V, 3).
    """
    colours = np.nan_to_num(values.astype(np.float32))
    full = np.float32(255.0 if colours.max(initial=0.0) > 1.0 else 1.0)
    return np.clip(colours / full, 0.0, 1.0)
