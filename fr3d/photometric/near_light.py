"""Lights at a finite distance: photographs under them and their positions become normals and depth.

Frame: the origin is where the optical axis meets the plane of the face, the mean of its depth;
x right, y up, z to the camera, in mm.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.errors import UsageError
from fr3d.photometric.solvers.symmetric import UPPER, adjugate

FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Integrator = Callable[[FloatArray, Mask], FloatArray]

SOLVERS = ("ls", "ratio")
ROUNDS = 10
_SETTLED = 0.02  # px; a round that moves the depth by less is the last
_LEAST_WEIGHT = 0.02
_SATURATED_WEIGHT = 0.05
_LEAST_DISTANCE = 1.0  # mm; no light is inside the face


@dataclass(frozen=True)
class NearLights:
    """Lights at known places.

    Attributes:
        positions: (L, 3), mm.
        axes: (L, 3), unit vectors along which each light shines most; None when they shine alike
            in all directions.
        exponents: (L,), mu of cos^mu, by which each light falls off from its axis; 1 for a bare
            LED, 0 for none.
    """

    positions: Array
    axes: Array | None = None
    exponents: Array | None = None

    @property
    def directions(self) -> Array:
        """(L, 3) unit vectors from the origin to the lights."""
        return self.positions / np.linalg.norm(self.positions, axis=1, keepdims=True)

    def reaching(self, k: int, points: Array) -> Array:
        """Direction to a light times its strength, which is 1 at the origin.

        Args:
            k: which light.
            points: (3, ...), mm.

        Returns:
            (3, ...), so that an intensity is its product with albedo times normal.

        Reference:
            Queau, Durix, Wu, Cremers, Lauze, Durou 2018, "LED-based photometric stereo: modeling,
            calibration and numerical solution", equation 2.9.
        """
        place = self.positions[k].reshape(3, *([1] * (points.ndim - 1)))
        to_light = place - points
        distance = np.maximum(np.sqrt(_dot(to_light, to_light)), _LEAST_DISTANCE)
        origin = float(np.linalg.norm(self.positions[k]))
        strength = origin**2 / distance**3
        if self.axes is not None and self.exponents is not None:
            axis = self.axes[k].reshape(place.shape)
            at_origin = -float(self.axes[k] @ self.positions[k]) / origin
            cosine = np.maximum(-_dot(axis, to_light) / distance, 0)
            strength = strength * (cosine / max(at_origin, 1e-6)) ** self.exponents[k]
        return np.asarray(to_light * strength)


@dataclass(frozen=True)
class NearSolution:
    """Normals and depth under near lights.

    Attributes:
        g: (3, H, W), albedo times normal.
        depth: (H, W), height towards the camera, px, NaN outside the mask.
        changes: root mean square by which each round moved the depth, px; one a round.
        points: (3, H, W), mm, where the surface is.
    """

    g: FloatArray
    depth: FloatArray
    changes: tuple[float, ...]
    points: Array


def solve_near(
    images: FloatArray,
    lights: NearLights,
    mm_per_pixel: float,
    mask: Mask,
    integrate: Integrator,
    *,
    solver: str = "ratio",
    rounds: int = ROUNDS,
    centre: tuple[float, float] | None = None,
    camera_mm: float | None = None,
    saturated: Mask | None = None,
) -> NearSolution:
    """Reconstruct a surface under lights so near that direction and strength change across it.

    Starts from a plane; in each round the lights that reach each pixel are computed from the
    depth, normals are solved with them, and integrated. A round that hardly moves the depth ends
    it.

    Args:
        images: (L, H, W), linear light, divided by the lights' intensities at the origin.
        lights: where they are.
        mm_per_pixel: length that a pixel covers in the plane of the face.
        mask: (H, W), where the surface is.
        integrate: takes unit normals (3, H, W) and the mask, returns depth (H, W) in px.
        solver: `ls`, or `ratio` in which each light weighs as it is bright.
        rounds: at most.
        centre: column and row of the optical axis; the middle of the image by default.
        camera_mm: distance of the camera from the origin; None when it is far away.
        saturated: (L, H, W), values that the camera could not hold.
    """
    if solver not in SOLVERS:
        raise UsageError(
            f"solver {solver} does not know near lights", f"choose {' or '.join(SOLVERS)}"
        )
    weights = _weights(images, solver, saturated)
    rays = _rays(mask.shape, mm_per_pixel, centre)
    depth, changes = np.zeros(mask.shape, np.float32), []
    points = _surface(rays, depth, mm_per_pixel, camera_mm)
    while True:
        g = _solve(images, weights, lights, points)
        before, depth = depth, _depth(g, mask, integrate)
        points = _surface(rays, depth, mm_per_pixel, camera_mm)
        changes.append(_rms((depth - before)[mask]))
        if len(changes) >= rounds or changes[-1] < _SETTLED:
            break
    depth = np.where(mask, depth, np.float32(np.nan))
    return NearSolution(g.astype(np.float32), depth, tuple(changes), points)


def shade_near(g: FloatArray, lights: NearLights, points: Array) -> FloatArray:
    """Intensities (L, H, W) that scaled normals predict, negative where a light lies behind.

    Args:
        g: (3, H, W), albedo times normal.
        lights: where they are.
        points: (3, H, W), mm.
    """
    count = range(len(lights.positions))
    return np.stack([_dot(lights.reaching(k, points), g) for k in count]).astype(np.float32)


def as_distant(images: FloatArray, solution: NearSolution, lights: NearLights) -> FloatArray:
    """Photographs as they were if each light were far away in its direction from the origin.

    What the solution predicts is exchanged and the rest is kept, so that what judges a solution
    under distant lights judges this one: the residuals are the same.

    Args:
        images: (L, H, W), as `solve_near` took them.
        solution: what it returned.
        lights: where they are.
    """
    far = np.stack([_dot(d.reshape(3, 1, 1), solution.g) for d in lights.directions])
    near = shade_near(solution.g, lights, solution.points)
    return np.asarray(images + np.maximum(far, 0) - np.maximum(near, 0), np.float32)


def _dot(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> Array:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], np.float64)


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values.astype(np.float64) ** 2))) if values.size else 0.0


def _rays(
    shape: tuple[int, ...], mm_per_pixel: float, centre: tuple[float, float] | None
) -> tuple[Array, Array]:
    height, width = shape
    column, row = centre if centre is not None else ((width - 1) / 2, (height - 1) / 2)
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    return (columns - column) * mm_per_pixel, (row - rows) * mm_per_pixel


def _surface(
    rays: tuple[Array, Array], depth: FloatArray, mm_per_pixel: float, camera_mm: float | None
) -> Array:
    z = depth.astype(np.float64) * mm_per_pixel
    # what is nearer to the camera looks larger than it is
    shrink = 1.0 if camera_mm is None else (camera_mm - z) / camera_mm
    return np.stack([rays[0] * shrink, rays[1] * shrink, z])


def _depth(g: Array, mask: Mask, integrate: Integrator) -> FloatArray:
    length = np.sqrt(_dot(g, g))
    towards = np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1)
    unit = np.where(length > 0, g / np.maximum(length, 1e-30), towards)
    found = integrate(unit.astype(np.float32), mask)
    return np.where(mask & np.isfinite(found), found, 0).astype(np.float32)


def _weights(images: FloatArray, solver: str, saturated: Mask | None) -> FloatArray:
    weights = np.ones_like(images)
    if solver == "ratio":
        brightest = np.maximum(images.max(axis=0), np.float32(1e-12))
        weights = np.maximum(images / brightest, np.float32(_LEAST_WEIGHT))
    if saturated is not None:
        weights[saturated] *= np.float32(_SATURATED_WEIGHT)
    return weights


def _solve(images: FloatArray, weights: FloatArray, lights: NearLights, points: Array) -> Array:
    """Weighted least squares with other lights at each pixel, by the adjugate of 3 x 3."""
    shape = images.shape[1:]
    a = np.zeros((6, *shape))
    b = np.zeros((3, *shape))
    for k, (image, weight) in enumerate(zip(images, weights, strict=True)):
        light = lights.reaching(k, points)
        for n, (i, j) in enumerate(UPPER):
            a[n] += weight * light[i] * light[j]
        b += (weight * image) * light
    rows, determinant = adjugate(*a)
    scale = 1 / np.maximum(determinant, 1e-30)
    return np.stack([(x * b[0] + y * b[1] + z * b[2]) * scale for x, y, z in rows])
