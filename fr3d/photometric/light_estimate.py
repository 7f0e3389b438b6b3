"""Directions of unknown lights from the shading of a face whose landmarks are known.

A small network, trained on synthetic heads alone, looks at each photograph by itself; where lights
stand before the face, least squares between the photographs and the mean face refines its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.geometry.similarity import compose, estimate_similarity, scale_of
from fr3d.photometric.face_prior import landmark_problem, place_mean_face, template_landmarks
from fr3d.photometric.lights import Lights

FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

ASSET = Path(__file__).parent / "assets" / "light_network.npz"
SIDE = 32
# The part of the mean face's frame that is looked at, from the brows to the chin: its top left
# corner and the pixels in one of the grid.
_CORNER, _STEP = (32.0, 34.0), 2.0
_DARK = 2.0 / 255
_BRIGHTEST = 8.0
# Refinement: strength of the mean albedo, least cosine of a lit pixel, Cauchy scale in sigmas.
_ALBEDO, _LEAST_COSINE, _CAUCHY, _ROUNDS = 0.3, 0.05, 2.0, 2
# How far least squares is believed: not at all for lights at the side, most for those in front.
# Chosen on Extended Yale B, as are the factors that turn the network's doubt and both answers'
# distance into the error found there.
_SIDE_Z, _FRONT_Z, _MOST_BELIEF = 0.5, 0.9, 0.7
_DOUBT, _APART = 1.9, 0.5
# Rounds of the median of directions, and the error that no number of faces takes away.
_POOLING, _SYSTEMATIC_DEG = 10, 3.0


@dataclass(frozen=True)
class LightEstimate:
    """Lights as a face shows them.

    Attributes:
        lights: estimated directions; intensities are taken as equal, since one session cannot tell
            them.
        uncertainty_deg: (L,), expected error of each direction, root mean square, degrees.
    """

    lights: Lights
    uncertainty_deg: Array


def estimate_lights(images: FloatArray, landmarks: npt.NDArray[Any]) -> LightEstimate:
    """Estimate where the lights of a session stand.

    Args:
        images: (L, H, W), linear light, 1 = full scale.
        landmarks: (5, 2), x and y in pixels.

    Raises:
        MalformedInputError: the landmarks are no face's, or a photograph shows nothing.
    """
    problem = landmark_problem(landmarks, *images.shape[1:])
    if problem:
        raise MalformedInputError(f"lights cannot be estimated: landmarks: {problem}")
    grids = face_grid(images, landmarks)
    level = _level(grids)
    if (level < _DARK).any():
        raise MalformedInputError(
            f"lights cannot be estimated: photograph {int(level.argmin()) + 1} shows no light on "
            "the face"
        )
    seen, doubt = _seen(grids)
    fitted = _refined(grids, seen)
    front = np.clip((seen[:, 2:] - _SIDE_Z) / (_FRONT_Z - _SIDE_Z), 0.0, 1.0)
    belief = _MOST_BELIEF * front
    mixed = _unit((1.0 - belief) * seen + belief * fitted)
    apart = np.rad2deg(np.arccos(np.clip((seen * fitted).sum(axis=1), -1.0, 1.0)))
    error = np.hypot(_DOUBT * doubt, _APART * apart)
    return LightEstimate(Lights(mixed, np.ones(len(mixed))), error)


def pool_estimates(estimates: Sequence[LightEstimate]) -> LightEstimate:
    """Pool the estimates of sessions that the same lights shone on.

    Faces err in different ways, so that their mean is closer than any one; what the way of
    estimating errs by itself stays.

    Args:
        estimates: of sessions with the same lights in the same order.

    Returns:
        Mean directions, outliers weighed down; the uncertainty is that of the mean, and no less
        than what stays.
    """
    counts = {len(e.uncertainty_deg) for e in estimates}
    if len(counts) != 1:
        raise MalformedInputError(
            f"sessions with {sorted(counts)} photographs, expected one number: lights of a rig are "
            "pooled by their order"
        )
    directions = np.stack([e.lights.directions for e in estimates])
    mean = _unit(directions.mean(axis=0))
    for _ in range(_POOLING):
        cosine = np.clip((directions * mean).sum(axis=2), -1.0, 1.0)
        apart = np.rad2deg(np.arccos(cosine))
        weight = 1.0 / np.maximum(apart, 1.0)
        mean = _unit((weight[..., None] * directions).sum(axis=0))
    spread = np.sqrt(np.square(apart).mean(axis=0) / len(estimates))
    return LightEstimate(Lights(mean, np.ones(len(mean))), np.hypot(spread, _SYSTEMATIC_DEG))


def face_grid(images: FloatArray, landmarks: npt.NDArray[Any]) -> FloatArray:
    """Bring the inner face of photographs to a small upright grid.

    Args:
        images: (L, H, W).
        landmarks: (5, 2), pixels of the images.

    Returns:
        (L, SIDE, SIDE), light averaged over what becomes one pixel.
    """
    upright = estimate_similarity(landmarks, template_landmarks())
    small = np.array([[1 / _STEP, 0.0, -_CORNER[0] / _STEP], [0.0, 1 / _STEP, -_CORNER[1] / _STEP]])
    small[:, 2] += 0.5 / _STEP - 0.5
    matrix = compose(small, upright)
    sigma = 0.5 * (1.0 / scale_of(matrix) - 1.0)
    grids = [
        cv2.warpAffine(
            cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.1 else image,
            matrix,
            (SIDE, SIDE),
            borderMode=cv2.BORDER_REPLICATE,
        )
        for image in images.astype(np.float32, copy=False)
    ]
    return np.asarray(grids, dtype=np.float32)


def features(grids: FloatArray) -> FloatArray:
    """What the network sees: square roots of brightness over the face's mean, by weight.

    Args:
        grids: (L, SIDE, SIDE).

    Returns:
        (L, SIDE * SIDE).
    """
    weight = _template()[0].reshape(SIDE, SIDE)
    relative = grids / np.maximum(_level(grids), 1e-6)[:, None, None]
    seen = np.sqrt(np.clip(relative, 0.0, _BRIGHTEST)) * np.sqrt(weight)
    return np.asarray(seen.reshape(len(grids), -1), dtype=np.float32)


def _level(grids: FloatArray) -> FloatArray:
    """(L,), brightness of the face."""
    weight = _template()[0].reshape(SIDE, SIDE)
    return np.asarray((grids * weight).sum(axis=(1, 2)) / weight.sum(), dtype=np.float32)


def _seen(grids: FloatArray) -> tuple[Array, Array]:
    """The network's directions (L, 3) and doubts (L,) in degrees, mean of both mirror images."""
    direct, sure = _network(features(grids))
    mirrored, sure_too = _network(features(np.ascontiguousarray(grids[:, :, ::-1])))
    direction = _unit(direct + mirrored * np.array([-1.0, 1.0, 1.0]))
    return direction, np.rad2deg(1.0 / np.sqrt((sure + sure_too) / 2.0))


def _network(seen: FloatArray) -> tuple[Array, Array]:
    """Unit directions (L, 3) and concentrations (L,) of von Mises-Fisher distributions."""
    layers = _layers()
    values = seen.astype(np.float64)
    for number, (weight, bias) in enumerate(layers):
        # einsum: sums in a fixed order, whatever the number of photographs
        values = np.einsum("li,oi->lo", values, weight) + bias
        if number < len(layers) - 1:
            values = np.maximum(values, 0.0)
    return _unit(values[:, :3]), concentration(values[:, 3])


def concentration(raw: Any) -> Any:
    """The network's last output as a concentration: positive, about 20 at 0."""
    return np.logaddexp(0.0, 10.0 * raw + 20.0) + 1.0


def _refined(grids: FloatArray, directions: Array) -> Array:
    """Alternate reflectance and lights on the mean face, from directions that are about right.

    Reference:
        Basri, Jacobs and Kemelmacher 2007, Photometric stereo with general, unknown lighting; with
        the surface known instead of its ambiguity.
    """
    weight, albedo, normal = _template()
    light = grids.reshape(len(grids), -1).astype(np.float64)
    light /= (weight * light.mean(axis=0)).sum() / weight.sum()
    lit = np.maximum(np.einsum("lc,cp->lp", directions, normal), 0.0) * albedo
    strength = (weight * lit * light).sum(axis=1) / (weight * lit * lit).sum(axis=1)
    scaled = directions * strength[:, None]
    for _ in range(_ROUNDS):
        surface = normal * _reflectance(light, scaled)
        scaled = np.stack(
            [_fitted(one, light[k], surface, directions[k]) for k, one in enumerate(scaled)]
        )
    return _unit(scaled)


def _reflectance(light: Array, scaled: Array) -> Array:
    """(P,): what the lights leave, drawn to the mean face's where they say little."""
    weight, albedo, normal = _template()
    shading = np.maximum(np.einsum("lc,cp->lp", scaled, normal), 0.0)
    square, product = np.square(shading).sum(axis=0), (shading * light).sum(axis=0)
    level = (weight * product).sum() / max(float((weight * square * albedo).sum()), 1e-12)
    drawn = _ALBEDO * square.mean()
    return np.asarray(np.maximum((product + drawn * albedo * level) / (square + drawn), 0.05))


def _fitted(scaled: Array, light: Array, surface: Array, otherwise: Array) -> Array:
    """One light by Cauchy-weighted least squares over what it reaches."""
    weight, _, normal = _template()
    length = float(np.linalg.norm(scaled))
    reached = np.einsum("c,cp->p", scaled, normal) > _LEAST_COSINE * length
    if np.count_nonzero(reached) < SIDE:
        return otherwise * length
    off = light - np.einsum("c,cp->p", scaled, surface)
    sigma = 1.4826 * float(np.median(np.abs(off[reached]))) + 1e-6
    believed = weight * reached / (1.0 + np.square(off / (_CAUCHY * sigma)))
    moment = np.einsum("ap,bp,p->ab", surface, surface, believed)
    moment += 1e-4 * np.trace(moment) * np.eye(3)
    return np.asarray(np.linalg.solve(moment, np.einsum("ap,p,p->a", surface, believed, light)))


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


@cache
def _template() -> tuple[Array, Array, Array]:
    """Weight (P,), albedo (P,) and normals (3, P) of the mean face on the grid."""
    points = (template_landmarks() - _CORNER + 0.5) / _STEP - 0.5
    face = place_mean_face(points, SIDE, SIDE)
    normal = face.normal.reshape(3, -1).astype(np.float64)
    albedo = np.clip(face.albedo.reshape(-1).astype(np.float64), 0.2, 1.5)
    return face.weight.reshape(-1).astype(np.float64), albedo, normal


@cache
def _layers() -> list[tuple[Array, Array]]:
    if not ASSET.is_file():
        raise MissingInputError(f"{ASSET.name}: not in the package", "install fr3d again")
    with np.load(ASSET, allow_pickle=False) as stored:
        count = sum(name.startswith("weight") for name in stored.files)
        return [
            (stored[f"weight{i}"].astype(np.float64), stored[f"bias{i}"].astype(np.float64))
            for i in range(count)
        ]
