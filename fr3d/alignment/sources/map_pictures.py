"""A map of any kind as the picture that a face detector looks at."""

import numpy as np
import numpy.typing as npt

from fr3d.alignment.exposure import as_picture
from fr3d.alignment.landmarks import NoFaceError
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.normals import normals_from_depth

_ORDER = ("image", "albedo", "normal", "depth")
# From a little above, as rooms are lit: brows and nose throw shade, as detectors know it.
_LIGHT = np.array([0.0, 0.35, 0.94], np.float32)


def look_at_maps(maps: FaceMaps, look_at: str) -> npt.NDArray[np.uint8]:
    """Draw a map for a detector; normals and depth as a white face under one light.

    Args:
        maps: the face.
        look_at: which map, or "auto": the photograph, albedo, normals or depth, whichever is
            there first.

    Returns:
        (H, W, 3), BGR.

    Raises:
        NoFaceError: it is not there.
    """
    there = [name for name in _ORDER if name in maps.present]
    name = (there[0] if there else "image") if look_at == "auto" else look_at
    if name not in there:
        word = "photograph" if name == "image" else f"{name} map"
        raise NoFaceError(f"no {word} to look for a face in")
    if name in ("image", "albedo"):
        return as_picture(maps.present[name])
    normal = maps.normal
    if name == "depth" or normal is None:
        known = maps.mask & np.isfinite(maps.present["depth"])
        normal = normals_from_depth(maps.present["depth"], known)
    return as_picture(np.clip(normal.astype(np.float32) @ _LIGHT, 0.0, None))
