"""From surfaces to what a camera sees: true maps, and photographs under flashes.

Orthographic camera. Each pixel averages a few points, as a sensor does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.geometry.normals import unit
from fr3d.photometric.solvers.arrays import Array, namespace
from fr3d.synthesis.engine import Engine, Seen, block_means, engine_for
from fr3d.synthesis.light import cosines

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
SAMPLES = 2
# From pixels, y up, to columns, rows and depths in samples.
SCALE = (SAMPLES, -SAMPLES, SAMPLES)


class Canvas:
    """A picture with several samples a pixel and a margin around it.

    Args:
        engine: where it is computed.
        points: (B, V, 3): x to the right, y up, z towards the camera, in pixels of the picture,
            from its centre.
        triangles: (T, 3), counter-clockwise seen from outside.
        size: height and width of the picture.
        margin: pixels around it in which a surface still casts shadows into it.
        reach: pixels around it that a moved picture may show, at most the margin.

    Attributes:
        seen: what each sample sees, depth in samples.
        normal: (B, 3, P), unit normals of the visible points.
    """

    def __init__(
        self,
        engine: Engine,
        points: Array,
        triangles: Array,
        size: tuple[int, int],
        margin: int,
        reach: int = 0,
    ) -> None:
        self.engine, self.size, self.margin = engine, size, margin
        self.fine = SAMPLES * (size[0] + 2 * margin), SAMPLES * (size[1] + 2 * margin)
        self.middle = (self.fine[1] - 1) / 2, (self.fine[0] - 1) / 2, 0.0
        border = SAMPLES * (margin - reach)
        self.seen = engine.see(self.samples_of(points), triangles, self.fine, border=border)
        normal = engine.at(engine.corner_normals(points, triangles), self.seen)
        xp = namespace(normal)
        length = xp.sqrt((normal * normal).sum(1))[:, None]
        self.normal = normal / (length + (length == 0))

    def samples_of(self, points: Array) -> Array:
        """Columns, rows and depths in samples of points (..., 3) in pixels from the centre."""
        return points * self.engine.array(SCALE) + self.engine.array(self.middle)

    def pixels(self, values: Array) -> Array:
        """Average the samples of each pixel and cut the margin off: (..., H, W)."""
        return block_means(values, (SAMPLES * self.margin,) * 2, self.size, SAMPLES)

    def moved(self, values: Array, shift: FloatArray) -> Array:
        """The pixels of samples that moved from photograph to photograph.

        Args:
            values: (B, L or 1, C, H', W').
            shift: (B, L, 2), samples: x right, y down.

        Returns:
            (B, L, C, H, W), linear between samples.
        """
        first = SAMPLES * self.margin - shift[..., ::-1]
        whole = np.floor(first).astype(np.int64)
        part = first - whole
        if not part.any():
            return self.engine.blocks(values, whole, self.size, SAMPLES)
        total: Any = 0.0
        for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
            share = np.where(corner, part, 1 - part).prod(axis=-1)[..., None, None, None]
            seen = self.engine.blocks(values, whole + np.array(corner), self.size, SAMPLES)
            total = total + self.engine.array(share) * seen
        return total

    def picture(self, values: Array) -> Array:
        """Average visible points (B, ..., P) over pixels: (B, ..., H, W)."""
        return self.pixels(self.engine.picture(values, self.seen))

    def mask(self) -> Array:
        """Pixels that the surface fills, (B, H, W)."""
        xp = namespace(self.seen.depth)
        return self.pixels(xp.where(self.seen.covered, 1.0, 0.0)) > 1 - 1e-6

    def depth(self) -> Array:
        """Mean height of each pixel in pixels, (B, H, W), 0 where nothing is."""
        xp = namespace(self.seen.depth)
        return self.pixels(xp.where(self.seen.covered, self.seen.depth, 0.0)) / SAMPLES


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
    """What the camera sees of a matte surface.

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


Shade = Callable[[Seen], Array]


def render(
    mesh: Mesh, paint: Shade, lights: FloatArray, size: tuple[int, int], margin: int = 0
) -> View:
    """Render a matte surface under distant point lights.

    Args:
        mesh: the surface, in pixels.
        paint: from what is seen to the reflectance (1, P) of the visible points.
        lights: (L, 3), unit vectors towards the lights.
        size: height and width in pixels.
        margin: pixels around the picture in which a surface still casts shadows into it.
    """
    engine = engine_for("cpu")
    canvas = Canvas(engine, mesh.points[None], mesh.triangles, size, margin)
    cosine = np.maximum(cosines(canvas.normal, lights[None, ..., None]), 0.0)[0]
    lit = np.where(cosine > 0, engine.distant_light(canvas.seen, lights[None], POINT)[0], 0.0)
    albedo = paint(canvas.seen)
    mask = canvas.mask()[0]
    return View(
        mask=mask,
        normal=unit(np.moveaxis(canvas.picture(canvas.normal)[0], 0, -1)) * mask[..., None],
        albedo=canvas.picture(albedo)[0] * mask,
        depth=np.where(mask, canvas.depth()[0], np.nan),
        radiance=np.concatenate(
            [canvas.picture(albedo * c * s) for c, s in zip(cosine, lit, strict=True)]
        ),
        lit=np.concatenate([canvas.picture(shadow[None]) for shadow in lit]),
    )


# A light so small that its shadows have sharp edges, radians.
POINT = 1e-4
