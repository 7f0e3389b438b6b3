"""Synthetic photographs under random lights, as the network of the light estimate sees them."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fr3d.geometry.lights import direction
from fr3d.photometric.face_prior import landmark_problem
from fr3d.photometric.light_estimate import face_grid, features
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.expression import expression_weights, sample_emotion
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.portrait import at_rest, portray
from fr3d.synthesis.pose import Pose
from fr3d.synthesis.render import View
from fr3d.synthesis.session import pixels_of
from fr3d.synthesis.studio import EYES_APART
from fr3d.synthesis.truth import five_points

FloatArray = npt.NDArray[np.float64]

SIZE, MARGIN, LIGHTS = 72, 16, 20
# Eyes apart and the place between them above the middle, shares of the picture.
_EYES, _UP = 0.345, 0.115
_TURN = (4.0, 4.0, 1.5)
_VARIANTS = 2
_LEAST_LEVEL = 0.004
# Landmarks of a detector: spread, and how far it sees eyes and mouth above those of the mesh, in
# eye distances, as measured with YuNet on the sample data.
_SCATTER = 0.03
_ABOVE = np.array([[0.0, -0.02], [0.0, -0.02], [0.0, 0.0], [0.0, -0.06], [0.0, -0.06]])


@dataclass(frozen=True)
class Lessons:
    """Examples of one person.

    Attributes:
        features: (M, F), as `light_estimate.features` makes them.
        directions: (M, 3), unit vectors to the lights.
    """

    features: npt.NDArray[np.float32]
    directions: npt.NDArray[np.float32]


def lessons_of(seed: int, person: int) -> Lessons:
    """Render one person under random lights and photograph it in several ways.

    Args:
        seed: of all people.
        person: number of the person, from 0.
    """
    rng = np.random.default_rng([seed, person])
    lights = _lights(rng)
    view, landmarks = _view(rng, seed, person, lights)
    seen, told = [], []
    for _ in range(_VARIANTS):
        images = _photographed(rng, view, lights)
        points = _detected(rng, landmarks)
        if landmark_problem(points, SIZE, SIZE):
            continue
        grids = face_grid(images, points)
        lit = grids.mean(axis=(1, 2)) > _LEAST_LEVEL
        for mirror in (1.0, -1.0):
            turned = grids[lit] if mirror > 0 else np.ascontiguousarray(grids[lit][:, :, ::-1])
            seen.append(features(turned))
            told.append(lights[lit] * [mirror, 1.0, 1.0])
    empty = np.zeros((0, 3), np.float32)
    if not seen:
        return Lessons(features(np.zeros((0, 32, 32), np.float32)), empty)
    return Lessons(np.concatenate(seen), np.concatenate(told).astype(np.float32))


def _lights(rng: np.random.Generator) -> FloatArray:
    """Mostly before the face, some beside and behind it."""
    before = np.rad2deg(np.arccos(rng.uniform(np.cos(np.deg2rad(85.0)), 1.0, LIGHTS)))
    beside = rng.uniform(60.0, 125.0, LIGHTS)
    zenith = np.where(rng.random(LIGHTS) < 0.75, before, beside)
    return direction(zenith, rng.uniform(0.0, 360.0, LIGHTS))


def _view(
    rng: np.random.Generator, seed: int, person: int, lights: FloatArray
) -> tuple[View, FloatArray]:
    """A head with some expression and pose, and its landmarks (5, 2)."""
    identity = sample_identity(seed, person, load_heads())
    pose = Pose(*(float(v) for v in rng.normal(0.0, _TURN)))
    moved = expression_weights(sample_emotion(rng)[1], identity.race)
    gaze = np.array([*rng.normal(0.0, 0.05, 2), 1.0])
    rest = at_rest(identity)
    seen = replace(
        rest,
        changing={**rest.changing, **moved},
        pose=pose,
        hair=identity.hair,
        gaze=gaze / np.linalg.norm(gaze),
    )
    scale = _EYES * SIZE / EYES_APART * float(np.exp(rng.normal(0.0, 0.03)))
    view, points = portray(
        identity.complexion,
        seen,
        lambda points: scale * points + np.array([0.0, _UP * SIZE, 0.0]),
        lights,
        (SIZE, SIZE),
        margin=MARGIN,
    )
    return view, five_points(pixels_of(points, (SIZE, SIZE))).astype(np.float64)


def _photographed(
    rng: np.random.Generator, view: View, lights: FloatArray
) -> npt.NDArray[np.float32]:
    """Gloss, room light, exposure, noise, clipping, and a response that is not quite linear."""
    half = lights + [0.0, 0.0, 1.0]  # noqa: RUF005 - arrays are added, not joined
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    facing = np.maximum(np.einsum("hwc,lc->lhw", view.normal, half), 0.0)
    light = view.radiance + rng.uniform(0.0, 0.12) * facing ** rng.uniform(4.0, 25.0) * view.lit
    light *= rng.uniform(0.5, 1.3) / max(float(np.percentile(light.max(axis=0), 97)), 1e-6)
    light += rng.uniform(0.0, 0.075) * view.albedo
    light += rng.normal(0.0, 0.01, light.shape)
    return np.asarray(np.clip(light, 0.0, 1.0) ** rng.uniform(0.8, 1.15), dtype=np.float32)


def _detected(rng: np.random.Generator, landmarks: FloatArray) -> FloatArray:
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    scatter = rng.normal(0.0, _SCATTER, (5, 2))
    return landmarks + eyes * (scatter + rng.uniform(0.0, 1.2) * _ABOVE)
