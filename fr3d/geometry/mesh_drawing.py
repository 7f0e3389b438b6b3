"""A mesh as maps: what a camera far in front of it sees."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.geometry.coding import from_srgb
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.mesh_reading.surface import SurfaceMesh
from fr3d.geometry.normals import unit
from fr3d.geometry.picture_frame import PictureFrame
from fr3d.geometry.raster import corner_normals, interpolate, rasterise
from fr3d.geometry.relief_shading import shade_relief

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

# Shares of the picture that show the backs of triangles: below the first the winding is trusted,
# above the second it is turned, in between triangles are wound without order.
_ORDERLY = (0.1, 0.9)
_TEXELS = 1.5


@dataclass(frozen=True)
class _Seen:
    """What each of the N pixels inside the mask shows: a triangle, and where on it."""

    inside: npt.NDArray[np.bool_]
    triangle: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]

    def spread(self, values: Array) -> Floats:
        """Values of the N pixels as a map, zero elsewhere."""
        out = np.zeros((*self.inside.shape, *values.shape[1:]), dtype=np.float32)
        out[self.inside] = values
        return out


def draw_mesh(mesh: SurfaceMesh, frame: PictureFrame, texture: Array | None = None) -> FaceMaps:
    """Draw a mesh by a z-buffer; the back of a closed head is never seen.

    Normals are those of the vertices, each the mean of its triangles by area, interpolated. The
    texture is sampled bilinearly, shrunk before where it is much finer than the picture. Without
    texture and colours the image is the shaded relief, and there is no albedo.

    Args:
        mesh: in millimetres, x right, y up, z towards the camera.
        frame: of the picture.
        texture: (h, w) or (h, w, 3) levels of the picture that the mesh's places lie in, RGB,
            uint8 or uint16, or float from 0 to 1; as stored, which is sRGB.
    """
    points = frame.to_pixels(mesh.vertices)
    wound = _wound_outwards(mesh, points, frame)
    number, weights, depth = rasterise(points, wound.triangles, frame.height, frame.width)
    inside = number >= 0
    seen = _Seen(inside, number[inside], weights[inside])
    vectors = corner_normals(wound.vertices, wound.triangles)
    normal = seen.spread(unit(interpolate(vectors, wound.triangles[seen.triangle], seen.weights).T))
    depth = depth.astype(np.float32)
    albedo = _albedo(wound, seen, texture)
    image = albedo
    if image is None:
        image = shade_relief(normal, depth, inside, frame.mm_per_pixel)
    return FaceMaps(mask=inside, normal=normal, albedo=albedo, depth=depth, image=image)


def _wound_outwards(mesh: SurfaceMesh, points: Array, frame: PictureFrame) -> SurfaceMesh:
    """Turn triangles so that those that are seen face the camera.

    The winding of a file is trusted, or turned as a whole, where nearly all that is seen agrees.
    """
    seen = rasterise(points, mesh.triangles, frame.height, frame.width, True)[0]
    a, b, c = (points[mesh.triangles[:, k]] for k in range(3))
    area: Array = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (
        c[:, 0] - a[:, 0]
    )
    backs = area > 0  # rows run down
    behind = float(backs[seen[seen >= 0]].mean()) if (seen >= 0).any() else 0.0
    if behind < _ORDERLY[0]:
        return mesh
    turned = (backs | (behind > _ORDERLY[1])).reshape(-1, 1)
    order = np.where(turned, [2, 1, 0], [0, 1, 2])
    places = mesh.places
    return replace(
        mesh,
        triangles=np.take_along_axis(mesh.triangles, order, axis=1),
        places=None if places is None else np.take_along_axis(places, order[..., None], axis=1),
    )


def _albedo(mesh: SurfaceMesh, seen: _Seen, texture: Array | None) -> Floats | None:
    if texture is not None and mesh.places is not None:
        corners = mesh.places[seen.triangle]
        places = np.einsum("nk,nkc->nc", seen.weights, corners)
        return seen.spread(_sampled(_shrunk(texture, mesh.places, seen), places))
    if mesh.colours is not None:
        table = from_srgb(mesh.colours.astype(np.float64))
        return seen.spread(interpolate(table, mesh.triangles[seen.triangle], seen.weights).T)
    return None


def _shrunk(texture: Array, places: Floats, seen: _Seen) -> Array:
    """The texture, about as fine as the picture: sampling one texel of many would be noise."""
    a, b, c = (places[seen.triangle, k].astype(np.float64) for k in range(3))
    u, v = b - a, c - a
    share = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2.0
    # pixels share triangles, so that the mean over pixels of area by pixels is the sum of areas
    pixels = np.bincount(seen.triangle)[seen.triangle]
    texels = float(np.nanmedian(share / pixels)) * texture.shape[0] * texture.shape[1]
    step = np.sqrt(texels)
    if not np.isfinite(step) or step < _TEXELS:
        return texture
    size = [max(1, round(n / step)) for n in texture.shape[1::-1]]
    return np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA))


def _sampled(texture: Array, places: Array) -> Floats:
    """Linear light of a texture at places, bilinear; black where there is no place."""
    height, width = texture.shape[:2]
    known: npt.NDArray[np.bool_] = np.all(np.isfinite(places), axis=1)
    u, v = np.where(known[:, None], np.clip(places, 0.0, 1.0), 0.0).T
    x, y = np.clip(u * width - 0.5, 0, width - 1), np.clip((1 - v) * height - 0.5, 0, height - 1)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    fx, fy = x - left, y - top
    if texture.ndim == 3:
        fx, fy = fx[:, None], fy[:, None]
    upper = _light(texture[top, left]) * (1 - fx) + _light(texture[top, right]) * fx
    lower = _light(texture[bottom, left]) * (1 - fx) + _light(texture[bottom, right]) * fx
    mixed = upper * (1 - fy) + lower * fy
    mixed[~known] = 0.0
    return np.asarray(mixed, dtype=np.float32)


def _light(levels: Array) -> Array:
    full = np.iinfo(levels.dtype).max if levels.dtype.kind == "u" else 1.0
    return np.asarray(from_srgb(levels / full))
