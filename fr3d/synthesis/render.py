"""From a mesh to what a camera sees: true maps, and photographs under distant lights.

Orthographic camera; a photograph is Lambert's cosine times reflectance, dark in attached and in
cast shadow. Each pixel averages a few points, as a sensor does.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.geometry.normals import unit
from fr3d.synthesis.raster import corner_normals, lit_by, rasterise

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
SAMPLES = 2


@dataclass(frozen=True)
class Mesh:
    """A surface placed before the camera.

    Args:
        points: (V, 3): x to the right, y up, z towards the camera, in pixels, from the centre of
            the picture.
        triangles: (T, 3), counter-clockwise seen from outside.
    """

    points: FloatArray
    triangles: IntArray


@dataclass(frozen=True)
class View:
    """What the camera sees.

    Args:
        mask: (H, W), true where the surface fills the pixel.
        normal: (H, W, 3), x right, y up, z towards the camera; zero outside the mask.
        albedo: (H, W), linear reflectance; zero outside the mask.
        depth: (H, W), height towards the camera in pixels; NaN outside the mask.
        radiance: (L, H, W), reflectance times light that arrives, for each light.
        lit: (L, H, W), share of each pixel that no cast or attached shadow covers.
    """

    mask: npt.NDArray[np.bool_]
    normal: FloatArray
    albedo: FloatArray
    depth: FloatArray
    radiance: FloatArray
    lit: FloatArray


Paint = Callable[[IntArray, FloatArray], FloatArray]


def render(
    mesh: Mesh, paint: Paint, lights: FloatArray, size: tuple[int, int], margin: int = 0
) -> View:
    """Render a mesh under distant lights.

    Args:
        mesh: the surface, in pixels.
        paint: from the vertex numbers (N, 3) around N points and their weights (N, 3) to the
            reflectance (N,) there.
        lights: (L, 3), unit vectors towards the lights.
        size: height and width in pixels.
        margin: pixels around the picture in which a surface still casts shadows into it.
    """
    fine = _Fine(mesh, paint, size, margin)
    cosine = np.maximum(np.einsum("hwc,lc->lhw", fine.normal, lights), 0.0)
    reached = np.stack([lit_by(fine.depth, light) for light in lights])
    lit = np.where(reached & (cosine > 0), 1.0, 0.0)
    mask = fine.coarse(fine.covered.astype(np.float64)) > 1 - 1e-9
    depth = fine.coarse(np.where(fine.covered, fine.depth, 0.0)) / SAMPLES
    return View(
        mask=mask,
        normal=unit(fine.coarse(fine.normal)) * mask[..., None],
        albedo=fine.coarse(fine.albedo) * mask,
        depth=np.where(mask, depth, np.nan),
        radiance=np.stack(
            [fine.coarse(fine.albedo * c * s) for c, s in zip(cosine, lit, strict=True)]
        ),
        lit=np.stack([fine.coarse(shadow) for shadow in lit]),
    )


class _Fine:
    """Buffers with several samples a pixel, and a margin around the picture."""

    def __init__(self, mesh: Mesh, paint: Paint, size: tuple[int, int], margin: int) -> None:
        self.size, self.margin = size, margin
        height, width = (SAMPLES * (side + 2 * margin) for side in size)
        middle = np.array([(width - 1) / 2, (height - 1) / 2, 0.0])
        points = mesh.points * SAMPLES * np.array([1.0, -1.0, 1.0]) + middle
        seen, weight, self.depth = rasterise(points, mesh.triangles, height, width)
        self.covered = seen >= 0
        corners, weight = mesh.triangles[seen[self.covered]], weight[self.covered]
        smooth = vertex_normals(mesh)[corners]
        self.normal = np.zeros((height, width, 3))
        self.normal[self.covered] = unit(np.einsum("nk,nkc->nc", weight, smooth))
        self.albedo = np.zeros((height, width))
        self.albedo[self.covered] = paint(corners, weight)

    def coarse(self, values: FloatArray) -> FloatArray:
        """Average the samples of each pixel and cut the margin off."""
        rows, columns = self.size[0] + 2 * self.margin, self.size[1] + 2 * self.margin
        blocks = values.reshape(rows, SAMPLES, columns, SAMPLES, *values.shape[2:])
        whole = blocks.mean(axis=(1, 3))
        keep = slice(self.margin, self.margin + self.size[0])
        return whole[keep, self.margin : self.margin + self.size[1]]


def vertex_normals(mesh: Mesh) -> FloatArray:
    """Average the normals of the triangles around each vertex, weighted by their area.

    Returns:
        (V, 3) unit vectors.
    """
    return unit(corner_normals(mesh.points, mesh.triangles))
