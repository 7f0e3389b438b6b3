"""Maps of a face as short text for a page: quantised, differenced, deflated, base64."""

import base64
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.evaluation.report.drawing import Session
from fr3d.geometry.coding import encode_light, white_of
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth
from fr3d.geometry.similarity import resizing
from fr3d.geometry.warp import warp_maps

Array = npt.NDArray[Any]

MOST_PIXELS = 512
"""Longest side of a face on a page; larger maps are made smaller."""

_NORMAL_LEVELS = 4095  # an error of 0.03 degrees, well below that of any measured normal
_DEPTH_LEVELS = 65534


def pack_face(session: Session) -> dict[str, Any]:
    """What a page needs of one face, ready for JSON.

    Args:
        session: a face with depth.
    """
    maps, shrink = _fit(session.maps)
    rows, columns = _extent(maps)
    depth, mask = np.asarray(maps.depth)[rows, columns], maps.mask[rows, columns]
    known = mask & np.isfinite(depth)
    normal = normals_from_depth(depth, known) if maps.normal is None else maps.normal[rows, columns]
    scale = session.scale_mm * shrink
    return {
        "subject": session.subject,
        "session": session.session,
        "height": depth.shape[0],
        "width": depth.shape[1],
        # Where the middle of the whole map lies in this cutting: the origin of the mesh.
        "centre": [(maps.width - 1) / 2 - columns.start, (maps.height - 1) / 2 - rows.start],
        "scale_mm": scale if np.isfinite(scale) else None,
        "shrunk": shrink,
        "depth": _pack_depth(depth, known),
        "normal": pack_levels(_octahedron(normal)),
        "albedo": _pack_albedo(maps, rows, columns),
        "lights": _usable(session.lights),
    }


def pack_levels(levels: Array) -> str:
    """Text of whole numbers: row-wise differences, high bytes before low ones, deflated, base64.

    Args:
        levels: (K, H, W), 8 or 16 bit.
    """
    steps = np.diff(levels, axis=2, prepend=levels.dtype.type(0))
    planes = [steps >> 8, steps & 255] if levels.dtype == np.uint16 else [steps]
    data = b"".join(plane.astype(np.uint8).tobytes() for plane in planes)
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _fit(maps: FaceMaps) -> tuple[FaceMaps, float]:
    """Maps that are not too large for a page, and by how much they shrank."""
    longest = max(maps.height, maps.width)
    if longest <= MOST_PIXELS:
        return maps, 1.0
    shape = [round(n * MOST_PIXELS / longest) for n in (maps.height, maps.width)]
    small = warp_maps(maps, resizing(MOST_PIXELS / longest), (shape[0], shape[1]))
    return small, longest / MOST_PIXELS


def _extent(maps: FaceMaps) -> tuple[slice, slice]:
    """Rows and columns that the surface reaches."""
    known = maps.mask & np.isfinite(np.asarray(maps.depth))
    parts = []
    for axis in (1, 0):
        reached = np.nonzero(known.any(axis=axis))[0]
        parts.append(slice(int(reached[0]), int(reached[-1]) + 1))
    return parts[0], parts[1]


def _usable(lights: Array | None) -> list[list[float]]:
    """The lights of a capture that have a direction; a file may fill its rows up with others."""
    if lights is None:
        return []
    rows = np.round(lights.astype(np.float64), 4).tolist()
    return [row for row in rows if np.isfinite(row).all() and any(row)]


def _pack_depth(depth: Array, known: Array) -> dict[str, Any]:
    """Depth in 65534 steps of its range; level 0 is unknown."""
    z = depth.astype(np.float64)  # half precision could not hold the levels
    low, high = float(z[known].min()), float(z[known].max())
    step = max(high - low, 1e-6) / (_DEPTH_LEVELS - 1)
    levels = np.where(known, np.round((np.where(known, z, low) - low) / step) + 1, 0)
    return {"zero": low - step, "step": step, "data": pack_levels(levels.astype(np.uint16)[None])}


def _octahedron(normal: Array) -> npt.NDArray[np.uint16]:
    """Directions as two numbers: the sphere folded onto a square by way of an octahedron."""
    n = np.nan_to_num(normal.astype(np.float64))
    n = n / np.maximum(np.abs(n).sum(axis=-1, keepdims=True), 1e-12)
    flat, z = n[..., :2], n[..., 2:]
    folded = (1.0 - np.abs(flat[..., ::-1])) * np.where(flat >= 0, 1.0, -1.0)
    square = np.where(z >= 0, flat, folded)
    levels = np.round((square + 1.0) / 2.0 * _NORMAL_LEVELS).astype(np.uint16)
    return np.ascontiguousarray(np.moveaxis(levels, -1, 0))


def _pack_albedo(maps: FaceMaps, rows: slice, columns: slice) -> dict[str, Any] | None:
    """8-bit sRGB, one or three planes; None where the face has no albedo."""
    if maps.albedo is None:
        return None
    albedo = maps.albedo[rows, columns]
    levels = encode_light(maps.albedo, maps.mask, white_of(maps.albedo, maps.mask))[rows, columns]
    planes = levels[None] if albedo.ndim == 2 else np.moveaxis(levels, -1, 0)
    return {"planes": len(planes), "data": pack_levels(np.ascontiguousarray(planes))}
