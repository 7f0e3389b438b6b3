"""The mean face of many synthetic heads, for priors that know no real person.

`python -m fr3d.synthesis.mean_face` renders it anew into `fr3d/photometric/assets/mean_face.npz`;
the same number of heads and seed give the same bytes.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.geometry.normals import unit
from fr3d.geometry.similarity import estimate_similarity, scale_of
from fr3d.synthesis.assets import HeadModel, load_heads
from fr3d.synthesis.figure import between_eyes
from fr3d.synthesis.identity import Identity, sample_identity
from fr3d.synthesis.portrait import at_rest, portray
from fr3d.synthesis.render import View
from fr3d.synthesis.truth import five_points

FloatArray = npt.NDArray[np.float64]

HEADS, SEED, SIZE = 240, 20_000, 128
# The frame: width between the eyes and the place between eyes and mouth, shares of its side.
EYES_SHARE, MIDDLE = 0.28, (0.5, 0.52)
# Numbers of Photoface's landmarks.
NOSE, CHIN = 6, 10
AHEAD = np.array([0.0, 0.0, 1.0])
ASSET = Path(__file__).parents[1] / "photometric" / "assets" / "mean_face.npz"


def mean_face(heads: int = HEADS, seed: int = SEED, size: int = SIZE) -> dict[str, Any]:
    """Average frontal, neutral heads, each laid over the others by its five landmarks.

    Args:
        heads: how many people are drawn.
        seed: of the people.
        size: side of the square frame, pixels.

    Returns:
        `landmarks` (5, 2) in pixels of the frame; `normal` (3, S, S) unit length where any head
        is; `spread` (S, S), root mean square angle of the heads' normals to it, degrees; `share`
        (S, S) of heads that show skin above the chin; `albedo` (S, S) over that of the plain skin;
        `depth` (S, S) in pixels, nose tip at zero, NaN where no head is; `heads` and `seed`. All
        are symmetric about the middle column.
    """
    head = load_heads()
    people = [sample_identity(seed, number, head) for number in range(heads)]
    points = [flat_landmarks(head, head.shape(person.shape)) for person in people]
    template = common_template(points, size)
    total = _Totals(size)
    for person, flat in zip(people, points, strict=True):
        matrix = estimate_similarity(flat, template)
        total.add(_likeness(head, person, matrix, size))
    return total.mean() | {
        "landmarks": template,
        "heads": np.array(heads),
        "seed": np.array(seed),
    }


def flat_landmarks(head: HeadModel, vertices: FloatArray) -> FloatArray:
    """Five landmarks seen from the front: x to the right, y *down*, decimetres."""
    seen = vertices[head.landmarks, :2] * [1.0, -1.0]
    return five_points(seen).astype(np.float64)


def common_template(points: list[FloatArray], size: int) -> FloatArray:
    """Mean of landmark sets, each moved onto it by a similarity, placed upright in the frame.

    Reference:
        Gower 1975, Generalized Procrustes analysis; here without reflections.
    """
    mean = points[0]
    for _ in range(4):
        moved = [_move(estimate_similarity(p, mean), p) for p in points]
        mean = np.mean(moved, axis=0)
        # Symmetric about the vertical: the asymmetry of a few hundred heads is chance.
        mirrored = mean[[1, 0, 2, 4, 3]] * [-1.0, 1.0]
        mean = (mean - mean[:2].mean(axis=0) + mirrored - mirrored[:2].mean(axis=0)) / 2
    mean *= EYES_SHARE * size / np.hypot(*(mean[1] - mean[0]))
    middle = (mean[:2].mean(axis=0) + mean[3:].mean(axis=0)) / 2
    return np.asarray(mean - middle + np.array(MIDDLE) * size - 0.5)


def _move(matrix: FloatArray, points: FloatArray) -> FloatArray:
    return points @ matrix[:, :2].T + matrix[:, 2]


@dataclass(frozen=True)
class _Likeness:
    """One head in the common frame.

    Attributes:
        view: normals, reflectance with black hair, depth.
        skin: (S, S), share of each pixel that shows skin, without hair and above the chin.
    """

    view: View
    skin: FloatArray


def _likeness(head: HeadModel, person: Identity, matrix: FloatArray, size: int) -> _Likeness:
    """Render a head twice, with white hair and with black: their difference shows the hair."""
    neutral = head.shape(person.shape)
    eyes, nose = between_eyes(head, neutral), neutral[head.landmarks[NOSE], 2]
    seen, look = at_rest(person), person.complexion
    white, black = (
        portray(
            replace(look, hair=np.full(3, hair)),
            seen,
            lambda points: _in_frame(points + eyes, nose, matrix, size),
            AHEAD[None],
            (size, size),
        )[0]
        for hair in (1.0, 0.0)
    )
    skin = black.mask * np.clip(1.0 - (white.albedo - black.albedo), 0.0, 1.0)
    chin = _move(matrix, neutral[head.landmarks[CHIN], :2] * [1.0, -1.0])[1]
    above = np.clip(chin - np.arange(size), 0.0, 1.0)
    return _Likeness(black, skin * above[:, None])


def _in_frame(vertices: FloatArray, nose: float, matrix: FloatArray, size: int) -> FloatArray:
    """Place vertices in pixels from the middle of the frame, y up, the nose tip at depth zero."""
    pixels = _move(matrix, vertices[:, :2] * [1.0, -1.0])
    middle = (size - 1) / 2
    x, y = pixels[:, 0] - middle, middle - pixels[:, 1]
    return np.stack([x, y, scale_of(matrix) * (vertices[:, 2] - nose)], axis=1)


class _Totals:
    """Running sums over heads."""

    def __init__(self, size: int) -> None:
        self.normal = np.zeros((size, size, 3))
        self.count, self.skin, self.albedo, self.depth = np.zeros((4, size, size))
        self.normals: list[npt.NDArray[np.float32]] = []

    def add(self, likeness: _Likeness) -> None:
        """Take in one head."""
        view, skin = likeness.view, likeness.skin
        self.count += view.mask
        self.normal += view.normal
        self.depth += np.nan_to_num(view.depth)
        self.skin += skin
        self.albedo += skin * view.albedo / np.median(view.albedo[skin > 0.99])
        self.normals.append(view.normal.astype(np.float32))

    def mean(self) -> dict[str, npt.NDArray[np.float16]]:
        """What the heads have in common, and how far they differ."""
        normal = unit(self.normal + self.normal[:, ::-1] * [-1.0, 1.0, 1.0])
        count, skin, albedo, depth, square = (
            total + total[:, ::-1]
            for total in (self.count, self.skin, self.albedo, self.depth, self._square(normal))
        )
        seen = count > 0
        most = np.maximum(count, 1)
        planes = {
            "normal": np.moveaxis(normal, -1, 0),
            "spread": np.where(seen, np.sqrt(square / most), 180.0),
            "share": skin / (2 * len(self.normals)),
            "albedo": albedo / np.maximum(skin, 1e-6),
            "depth": np.where(seen, depth / most, np.nan),
        }
        return {name: plane.astype(np.float16) for name, plane in planes.items()}

    def _square(self, mean: FloatArray) -> FloatArray:
        """Sum over heads of the squared angle to the mean, degrees squared."""
        total = np.zeros_like(self.count)
        for normal in self.normals:
            shown = np.square(normal).sum(axis=2) > 0.5
            cosine = np.clip((normal * mean).sum(axis=2), -1.0, 1.0)
            total += np.where(shown, np.square(np.rad2deg(np.arccos(cosine))), 0.0)
        return total


def write(path: Path = ASSET, heads: int = HEADS, seed: int = SEED) -> None:
    """Render the mean face and write it as an asset."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **mean_face(heads, seed))


if __name__ == "__main__":
    write()
