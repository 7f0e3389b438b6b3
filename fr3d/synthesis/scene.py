"""One capture session of one person: everything drawn, shaped, placed and rendered."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.synthesis.assets import HeadModel, load_heads
from fr3d.synthesis.complexion import Complexion
from fr3d.synthesis.expression import Pose, expression_weights, sample_emotion, sample_pose
from fr3d.synthesis.identity import Identity
from fr3d.synthesis.paint import reflectance
from fr3d.synthesis.render import Mesh, View, render
from fr3d.synthesis.rig import Lights, expose, sample_lights
from fr3d.synthesis.subdivision import Operator, head_subdivision

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# The camera: the mean person's eyes, 0.616 dm apart, lie 0.275 picture heights apart.
EYES_APART = 0.616
EYES_SHARE = 0.275
EYES_ROW = 0.47
SHOULDERS, JAW = 5.6, 6.3
NECK, CHIN = 0.6, 1.2
PIVOT = np.array([0.0, -0.3, -1.0])


@dataclass(frozen=True)
class Session:
    """What one capture yields, and what is true about it.

    Args:
        view: true maps and radiance.
        images: (4, H, W) uint8 photographs.
        lights: where the flashes stand.
        landmarks: (11, 2), x and y in pixels, in Photoface's order, image left first.
        emotion: in Photoface's words.
        pose: how the head is turned.
        scale: pixels per decimetre.
    """

    view: View
    images: npt.NDArray[np.uint8]
    lights: Lights
    landmarks: FloatArray
    emotion: str
    pose: Pose
    scale: float


def capture(identity: Identity, seed: int, person: int, number: int, size: int) -> Session:
    """Photograph a person once.

    Args:
        identity: who.
        seed: of the whole data set.
        person: number of the person, from 0.
        number: number of the session, from 0.
        size: height and width of the pictures, pixels.
    """
    rng = np.random.default_rng([seed, person, 1, number])
    head = load_heads()
    emotion, units = sample_emotion(rng)
    pose, lights = sample_pose(rng), sample_lights(rng)
    scale = EYES_SHARE * size / EYES_APART * float(np.exp(rng.normal(0.0, 0.03)))
    shift = rng.normal(0.0, 0.012 * size, 2)
    gaze = np.array([*rng.normal(0.0, 0.05, 2), 1.0])
    operator, triangles = head_subdivision(2 if size <= 300 else 3)
    neutral = head.shape(identity.shape)
    shape = neutral + head.shape(expression_weights(units, identity.race)) - head.vertices
    placed = place_head(
        operator @ shape, operator @ head.vertices, between_eyes(head, neutral), pose
    )
    points = scale * placed
    points[:, :2] += shift + np.array([0.0, (0.5 - EYES_ROW) * size])
    paint = Painter(identity.complexion, gaze / np.linalg.norm(gaze), operator, head)
    shown = Mesh(points, triangles)
    view = render(shown, paint, lights.directions, (size, size), margin=size // 8)
    images = expose(view.radiance, rng, gain=float(np.exp(rng.normal(0.0, 0.04))))
    landmarks = pixels_of(points[head.landmarks], (size, size))
    return Session(view, images, lights, landmarks, emotion, pose, scale)


def pixels_of(points: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Turn points before the camera into pixels x and y, (0, 0) the centre of the top left one.

    Args:
        points: (N, 3), in pixels from the centre of the picture, y up.
        size: height and width of the picture.
    """
    height, width = size
    return np.stack([(width - 1) / 2 + points[:, 0], (height - 1) / 2 - points[:, 1]], axis=1)


def between_eyes(head: HeadModel, vertices: FloatArray) -> FloatArray:
    """The point midway between the eyes."""
    eye = vertices[head.part == 1]
    right = eye[:, 0] > 0
    return (eye[right].mean(axis=0) + eye[~right].mean(axis=0)) / 2


def place_head(points: FloatArray, base: FloatArray, eyes: FloatArray, pose: Pose) -> FloatArray:
    """Turn the head on its neck; the point between the eyes comes back to the origin."""
    turned = (points - eyes - PIVOT) @ pose.matrix().T + PIVOT
    up = np.clip((base[:, 1] - SHOULDERS) / (JAW - SHOULDERS), 0.0, 1.0)
    forward = np.clip((base[:, 2] - NECK) / (CHIN - NECK), 0.0, 1.0)
    # The underside of the chin lies as low as the neck, but before it, and turns with the head.
    follow = (1 - (1 - up) * (1 - forward))[:, None]
    back = PIVOT - pose.matrix() @ PIVOT
    return (1 - follow) * (points - eyes) + follow * (turned - back)


class Painter:
    """Reflectance between vertices, from a complexion."""

    def __init__(
        self, look: Complexion, gaze: FloatArray, operator: Operator, head: HeadModel
    ) -> None:
        self.look, self.gaze = look, gaze
        self.place = operator @ head.vertices
        # A subdivided vertex lies in one part only: parts are not connected.
        self.part = np.rint(operator @ head.part.astype(np.float64)).astype(np.int64)
        self.masks = {name: operator @ mask for name, mask in head.masks.items()}

    def __call__(self, corners: IntArray, weight: FloatArray) -> FloatArray:
        """Reflectance (N,) of points, from the vertices (N, 3) around them and their weights."""
        place = np.einsum("nk,nkc->nc", weight, self.place[corners])
        masks = {name: np.einsum("nk,nk->n", weight, m[corners]) for name, m in self.masks.items()}
        return reflectance(self.look, place, self.part[corners[:, 0]], masks, self.gaze)
