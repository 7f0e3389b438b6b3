"""Random views of a face and its points: where the window lies, light, colour, blur, noise."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.alignment.looks import MIRRORED
from fr3d.alignment.window import AROUND_FACE, FaceFrame, Window, cut, face_frame
from fr3d.geometry.similarity import transform_points

FloatArray = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

_SMALLEST, _LARGEST = 2.5, 4.8  # side of a rough window over the size of the face


@dataclass(frozen=True)
class LandmarkAugmentation:
    """Strengths.

    Args:
        close: share of windows as the second look cuts them, around points nearly right; the
            others lie as a detector's box or a rough square does.
        degrees: standard deviation of the turn in rough windows.
        shift: standard deviation of the window's centre in rough windows, sizes of the face.
        grey: share without colour.
        light: share under one-sided light.
        relief: share of which only the local contrast is left, as in a map of normals.
        backdrop: share whose surroundings are one even tone, as in a map.
        blur: share blurred.
        noise: share with noise.
        cover: share with something before the face.
    """

    close: float = 0.5
    degrees: float = 12.0
    shift: float = 0.2
    grey: float = 0.35
    light: float = 0.3
    relief: float = 0.06
    backdrop: float = 0.1
    blur: float = 0.3
    noise: float = 0.35
    cover: float = 0.25


def augmented(
    picture: Picture,
    points: FloatArray,
    size: int,
    strength: LandmarkAugmentation,
    rng: np.random.Generator,
) -> tuple[Picture, FloatArray]:
    """Draw a view.

    Args:
        picture: (H, W, 3) BGR.
        points: (5, 2), pixels of the picture.
        size: side of the view, pixels.
        strength: of the changes.
        rng: where chance comes from; nothing else decides the view.

    Returns:
        The view (size, size, 3), and the points in its pixels.
    """
    frame = face_frame(points)
    window = _window(frame, strength, rng)
    matrix = window.matrix(size)
    border = (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)[int(rng.random() < 0.2)]
    view = cut(picture, matrix, size, border).astype(np.float32) / 255.0
    seen = transform_points(matrix, points)
    if rng.random() < 0.5:
        view, seen = mirrored(view, seen)
    view = _lit(_coloured(view, strength, rng), strength, rng)
    if rng.random() < strength.backdrop:
        view = _before_backdrop(view, face_frame(seen), rng)
    view = _sensed(view, strength, rng)
    if rng.random() < strength.cover:
        _cover(view, face_frame(seen), rng)
    return np.round(255.0 * np.clip(view, 0.0, 1.0)).astype(np.uint8), seen


def mirrored(view: Image, points: FloatArray) -> tuple[Image, FloatArray]:
    """The mirror image of a view (H, W, 3), and its points, left and right exchanged."""
    flipped = np.array([view.shape[1] - 1.0, 0.0]) + points * [-1.0, 1.0]
    return np.ascontiguousarray(view[:, ::-1]), flipped[MIRRORED]


def _window(frame: FaceFrame, strength: LandmarkAugmentation, rng: np.random.Generator) -> Window:
    """A window as the second look cuts it, or a rough one."""
    if rng.random() < strength.close:
        side = AROUND_FACE * np.exp(rng.normal(0.0, 0.07))
        shift, turn = rng.normal(0.0, 0.06, 2), frame.degrees + rng.normal(0.0, 5.0)
    else:
        side = np.exp(rng.uniform(np.log(_SMALLEST), np.log(_LARGEST)))
        shift, turn = rng.normal(0.0, strength.shift, 2), rng.normal(0.0, strength.degrees)
        # A face that is cut off teaches little.
        room = max(0.1, side / 2.0 - 0.9)
        shift = np.clip(shift, -room, room)
    centre = frame.centre + frame.size * shift
    return Window(centre, float(side) * frame.size, float(turn))


def _coloured(view: Image, strength: LandmarkAugmentation, rng: np.random.Generator) -> Image:
    """Grey of some mixture of channels, or colours of another white."""
    if rng.random() < strength.grey:
        grey = view @ rng.dirichlet([2.0, 2.0, 2.0]).astype(np.float32)
        return np.repeat(grey[..., None], 3, axis=2)
    grey = view.mean(axis=2, keepdims=True)
    colours = grey + np.float32(rng.uniform(0.3, 1.5)) * (view - grey)
    return colours * np.exp(rng.normal(0.0, 0.12, 3)).astype(np.float32)


def _lit(view: Image, strength: LandmarkAugmentation, rng: np.random.Generator) -> Image:
    """Local contrast only, light from one side, gamma and gain."""
    if rng.random() < strength.relief:
        view = _relief(view, rng)
    view = np.clip(view, 0.0, 1.0)
    if rng.random() < strength.light:
        view = view * _shade(view.shape[0], rng)[..., None]
    gamma, gain = np.exp(rng.normal(0.0, (0.35, 0.25)))
    dark = rng.uniform(-0.04, 0.1)
    return np.clip(np.float32(gain) * view ** np.float32(gamma) + np.float32(dark), 0.0, 1.0)


def _relief(view: Image, rng: np.random.Generator) -> Image:
    """Take the coarse light away, or look at slopes in one direction as a lit relief shows them."""
    grey = cv2.GaussianBlur(view.mean(axis=2), (0, 0), rng.uniform(0.5, 1.5))
    if rng.random() < 0.5:
        flat = grey - cv2.GaussianBlur(grey, (0, 0), view.shape[0] * rng.uniform(0.05, 0.2))
    else:
        angle = rng.uniform(0.0, 2.0 * np.pi)
        rows, columns = np.gradient(grey)
        flat = np.cos(angle) * columns + np.sin(angle) * rows
    relief = 0.5 + 0.2 * flat / (flat.std() + 1e-3)
    return np.repeat(relief.astype(np.float32)[..., None], 3, axis=2)


def _shade(size: int, rng: np.random.Generator) -> Image:
    """Light that falls off across the view, softly or at an edge: (size, size), up to about 1."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    axis = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    along = np.float32(np.cos(angle)) * axis + np.float32(np.sin(angle)) * axis[:, None]
    sharp, place = np.exp(rng.uniform(np.log(1.0), np.log(12.0))), rng.uniform(-0.3, 0.3)
    darkest = rng.uniform(0.06, 0.6)
    shade = darkest + (1.0 - darkest) / (1.0 + np.exp(-sharp * (along - place)))
    return np.asarray(shade, dtype=np.float32)


def _before_backdrop(view: Image, frame: FaceFrame, rng: np.random.Generator) -> Image:
    """Replace what lies outside an ellipse around the face by one tone, mostly black."""
    tone = 0.0 if rng.random() < 0.6 else float(rng.random())
    inside = np.zeros(view.shape[:2], np.uint8)
    axes = frame.size * rng.uniform([0.85, 1.2], [1.3, 1.7])
    _ellipse(inside, frame, axes)
    return np.where(inside[..., None] > 0, view, np.float32(tone))


def _ellipse(inside: Picture, frame: FaceFrame, axes: FloatArray) -> None:
    x, y = (int(v) for v in frame.centre)
    reach = (int(axes[0]), int(axes[1]))
    cv2.ellipse(inside, (x, y), reach, -frame.degrees, 0.0, 360.0, (1,), -1)


def _sensed(view: Image, strength: LandmarkAugmentation, rng: np.random.Generator) -> Image:
    """Blur, coarse pixels and noise."""
    if rng.random() < strength.blur:
        view = _blurred(view, rng)
    if rng.random() < strength.noise:
        noise = rng.standard_normal(view.shape, dtype=np.float32)
        if rng.random() < 0.5:
            noise = noise[..., :1]
        # Against the contrast that is there: cameras amplify both in the dark.
        level = rng.uniform(0.02, 0.3) * float(view.std())
        view = view + np.float32(level) * noise
    return view


def _blurred(view: Image, rng: np.random.Generator) -> Image:
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(view, (0, 0), rng.uniform(0.4, 2.2)), np.float32)
    size = view.shape[0]
    few = max(8, round(size * rng.uniform(0.3, 0.8)))
    small = cv2.resize(view, (few, few), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _cover(view: Image, frame: FaceFrame, rng: np.random.Generator) -> None:
    """Draw a rectangle of one colour, or of noise, somewhere on the face, in place."""
    size = view.shape[0]
    height, width = (frame.size * rng.uniform(0.2, 0.9, 2)).astype(int) + 1
    x, y = (frame.centre + frame.size * rng.uniform(-1.0, 1.0, 2)).astype(int)
    top, left = max(0, y - height // 2), max(0, x - width // 2)
    part = view[top : min(size, top + height), left : min(size, left + width)]
    part[:] = rng.random(3, dtype=np.float32)
    if rng.random() < 0.3:
        part[:] = rng.random(part.shape, dtype=np.float32)
