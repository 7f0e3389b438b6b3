"""3D scans as maps: meshes and point clouds, drawn as a camera in front of the face sees them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fr3d.alignment.sources.scan_surface import CleanScan, clean_scan
from fr3d.geometry.cloud_drawing import draw_cloud
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.mesh_drawing import draw_mesh
from fr3d.geometry.mesh_reading.read import read_mesh
from fr3d.geometry.picture_frame import PictureFrame
from fr3d.photometric.photograph import decode
from fr3d.photometric.sources import SourceFiles

Array = npt.NDArray[Any]
Up = Literal["y", "z", "auto"]

MM_PER_PIXEL = 0.75
"""A face 150 mm wide becomes 200 pixels wide."""

LONGEST_EDGE = 25.0

# Rows are what becomes x (right), y (up) and z (to the camera) of the picture.
_TURNS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "y up, along +z": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "y up, along -z": ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
    "z up, along -y": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "z up, along +y": ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    "y down, along -z": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
}
_TRIED: dict[Up, tuple[str, ...]] = {
    "y": ("y up, along +z", "y up, along -z"),
    "z": ("z up, along -y", "z up, along +y"),
    "auto": tuple(_TURNS),
}


_HOLLOW = 0.05  # a correlation; a plane has none


@dataclass(frozen=True)
class Scan:
    """A scan as seen from the front.

    Args:
        maps: depth, normal and image; albedo where the scan has colours. Without colours the image
            is the shaded relief, see `fr3d.geometry.relief_shading`.
        scale_mm: millimetres a pixel, of depth as well.
        frame: which millimetre of the turned scan lies where in the maps.
        vertices: (V, 3), millimetres, x right, y up, z towards the camera: what was drawn.
        turn: how the scan's axes were taken, such as "y up, along +z".
        quality: figures of the cleaning, see `fr3d.alignment.sources.scan_surface.clean_scan`.
    """

    maps: FaceMaps
    scale_mm: float
    frame: PictureFrame
    vertices: npt.NDArray[np.float64]
    turn: str
    quality: dict[str, float]


def read_scan(
    path: Path,
    mm_per_pixel: float = MM_PER_PIXEL,
    longest_edge: float = LONGEST_EDGE,
    up: Up = "y",
) -> Scan:
    """Read a scan and draw it in the first of the orientations that `scan_views` tries.

    Args:
        path: OBJ, PLY, XYZ, TXT, ASC or NPY.
        mm_per_pixel: of the maps; coarser where more than 1,536 pixels would be needed.
        longest_edge: triangles of a mesh with a longer edge are dropped; millimetres.
        up: the axis of the file that points up.

    Raises:
        MalformedInputError: not a scan, damaged, or too little of a surface left of it.
        MissingInputError: it cannot be read.
    """
    return next(scan_views(path, mm_per_pixel, longest_edge, up))


def scan_views(
    path: Path,
    mm_per_pixel: float = MM_PER_PIXEL,
    longest_edge: float = LONGEST_EDGE,
    up: Up = "auto",
    texture: Path | None = None,
) -> Iterator[Scan]:
    """Draw a scan in one orientation after the other, for a caller that looks for a face in each.

    See `fr3d.alignment.place.find_place`. Scans mostly have y up and look along z, which comes
    first. Views in which the surface is hollow come last: the inside of a mask shows a face too, a
    mirrored one.

    Args:
        path: as `read_scan`.
        mm_per_pixel: as `read_scan`.
        longest_edge: as `read_scan`.
        up: the axis of the file that points up; with "y" and "z" the scan is looked at from both
            sides, with "auto" both are tried, and y down as depth cameras have it.
        texture: picture of the mesh; None for the one that it names or that lies beside it.

    Raises:
        MalformedInputError: as `read_scan`, before the first view.
        MissingInputError: it cannot be read.
    """
    scan = clean_scan(read_mesh(path), path.name, longest_edge)
    texture = texture or scan.mesh.texture
    paint = None if texture is None else read_texture(texture)
    hollow = []
    for turn in _TRIED[up]:
        view = _drawn(scan, turn, mm_per_pixel, longest_edge, paint)
        if is_hollow(view.maps):
            hollow.append(view)
        else:
            yield view
    yield from hollow


def read_texture(path: Path) -> Array:
    """Read the picture of a mesh, as stored.

    Args:
        path: BMP, PNG, TIFF or JPEG.

    Returns:
        (H, W) or (H, W, 3) in RGB order; the type of the file.

    Raises:
        MalformedInputError: truncated, too large or not an image.
        MissingInputError: it cannot be read.
    """
    photograph = decode(SourceFiles().read(path), path)
    flip = photograph.coloured and photograph.bgr
    return photograph.levels[..., ::-1] if flip else photograph.levels


def is_hollow(maps: FaceMaps) -> bool:
    """Tell the inside of a face from its outside: whether normals lean towards the middle.

    Only left and right count, as collars and shoulders lie in front of necks. On 226 York scans
    the correlation of the normals' x with the column was 0.22 or more; depth against the distance
    from the middle parted the two sides less well.

    Args:
        maps: with normals.
    """
    if maps.normal is None or not maps.mask.any():
        return False
    columns = np.nonzero(maps.mask)[1]
    away = columns - columns.mean()
    lean = maps.normal[maps.mask][:, 0].astype(np.float64)
    return float(away @ lean) < -_HOLLOW * float(np.linalg.norm(away) * np.linalg.norm(lean))


def _drawn(
    scan: CleanScan, turn: str, mm_per_pixel: float, longest_edge: float, texture: Array | None
) -> Scan:
    vertices = np.ascontiguousarray(scan.mesh.vertices @ np.array(_TURNS[turn], dtype=float).T)
    frame = PictureFrame.around(vertices, mm_per_pixel)
    if scan.mesh.is_cloud:
        maps = draw_cloud(vertices, scan.mesh.colours, frame, scan.spacing, longest_edge)
    else:
        maps = draw_mesh(replace(scan.mesh, vertices=vertices), frame, texture)
    return Scan(maps, frame.mm_per_pixel, frame, vertices, turn, dict(scan.quality))
