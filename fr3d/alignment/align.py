"""One face: find its landmarks, move all its maps into the template's frame."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.alignment.landmarks import NoFaceError
from fr3d.alignment.place import Place, find_place
from fr3d.alignment.pose import angles, face_the_front, head_rotation
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.sources.maps import MapsFace
from fr3d.alignment.sources.source import Placed, Unaligned
from fr3d.alignment.templates import BOX
from fr3d.geometry.depth import rezero_depth
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.similarity import (
    centre_fit,
    compose,
    estimate_affine,
    estimate_similarity,
    resizing,
    scale_of,
    transform_points,
)
from fr3d.geometry.warp import warp_maps

_MINIMUM_COVER = 0.02
_NAN = float("nan")

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AlignedFace:
    """A face in the template's frame.

    Args:
        maps: all maps, depth zero at the tip of the nose.
        matrix: (2, 3) from the pixels of its own frame before to those of the aligned face.
        scale_mm: mm a pixel of the aligned face; NaN where unknown.
        quality: figures of the alignment, NaN where there is none:
            `landmark_residual`, root mean square distance of the landmarks from the template in
            pixels of the aligned face; `landmark_score` and `landmark_spread` of the detector (0
            to 1; pixels of the aligned face); `landmark_detected`, 1 where a detector found them;
            `face_count`, how many faces the picture shows; `face_look`, at which look the face
            was found, 0 the first; `box_left` to `box_bottom`, the detector's box in pixels before;
            `face_scale`, aligned pixels a pixel before; `face_roll`, degrees by which the face
            leans counter-clockwise; `face_cover`, share of the aligned frame inside the mask;
            `face_yaw` and `face_pitch`, degrees by which a face with depth turns to the image's
            right and down; `face_inside`, share of the aligned frame that the picture covers.
    """

    maps: FaceMaps
    matrix: FloatArray
    scale_mm: float
    quality: dict[str, float]


def align_maps(maps: FaceMaps, recipe: AlignmentRecipe) -> AlignedFace:
    """Align the maps of one face; see `align_face`."""
    return align_face(MapsFace(maps, {}), recipe)


def align_face(face: Unaligned, recipe: AlignmentRecipe, quick: bool = False) -> AlignedFace:
    """Align one face.

    Args:
        face: before alignment.
        recipe: how.
        quick: look for it in one size first, as photographs allow.

    Raises:
        NoFaceError: no landmarks, no face found, or nothing of the surface left in the frame.
    """
    face, place = find_place(face, recipe, quick)
    matrix = _matrix(face, place, recipe)
    size = (recipe.size, recipe.size)
    placed, turn = _fronted(_settled(face.placed(place.landmarks, matrix, size), recipe), recipe)
    scale_mm = placed.scale_mm / scale_of(placed.matrix)
    warped = warp_maps(placed.maps, placed.matrix, size)
    if placed.finish is not None:
        warped = placed.finish(warped, scale_mm)
    aligned = rezero_depth(warped)
    cover = float(aligned.mask.mean())
    if cover < _MINIMUM_COVER:
        raise NoFaceError(f"the mask covers {cover:.1%} of the aligned face, expected 2% or more")
    quality = {**place.quality, **placed.quality, **turn, "face_cover": cover}
    quality |= _figures(face, place, matrix, recipe)
    return AlignedFace(aligned, matrix, scale_mm, dict(sorted(quality.items())))


def _figures(
    face: Unaligned, place: Place, matrix: FloatArray, recipe: AlignmentRecipe
) -> dict[str, float]:
    """What the transform tells of the alignment."""
    scale = scale_of(matrix)
    return {
        "landmark_residual": _residual(matrix, place.landmarks, recipe),
        "landmark_spread": place.quality["landmark_spread"] * scale,
        "face_scale": scale,
        "face_roll": float(np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0]))),
        "face_inside": _inside(face, matrix, recipe.size),
    }


def _settled(placed: Placed, recipe: AlignmentRecipe) -> Placed:
    """The matrix for landmarks that have moved since the first one was made."""
    if not placed.moved or not recipe.points or placed.maps.landmarks is None:
        return placed
    return replace(placed, matrix=_estimate(placed.maps.landmarks, recipe))


def _fronted(placed: Placed, recipe: AlignmentRecipe) -> tuple[Placed, dict[str, float]]:
    """How a face with depth is turned; turned to the front where that is asked for."""
    if placed.maps.depth is None:
        if recipe.frontal:
            raise NoFaceError("no depth to turn it to the front by")
        return placed, {}
    rotation = head_rotation(placed.maps)
    yaw, pitch = (_NAN, _NAN) if rotation is None else angles(rotation)
    turn = {"face_yaw": yaw, "face_pitch": pitch}
    if not recipe.frontal:
        return placed, turn
    if rotation is None:
        raise NoFaceError("too few landmarks with depth to turn it to the front by")
    if placed.finish is not None:  # noise would tear the surface when it is turned
        smooth = placed.finish(placed.maps, placed.scale_mm)
        placed = replace(placed, maps=smooth, finish=None)
    maps = face_the_front(placed.maps, rotation)
    if maps.landmarks is None or not recipe.points:
        return replace(placed, maps=maps), turn
    return replace(placed, maps=maps, matrix=_estimate(maps.landmarks, recipe)), turn


def _matrix(face: Unaligned, place: Place, recipe: AlignmentRecipe) -> FloatArray:
    """From the face's own frame to the aligned one."""
    inner = recipe.size - recipe.margin
    if recipe.detector == "none":
        fitted = centre_fit(face.height, face.width, inner)
        return compose(_shift(recipe.margin / 2), fitted)
    if recipe.template == BOX:
        if place.box is None:
            raise NoFaceError("the capture's own landmarks come without a box")
        return _square(place.box, inner, recipe.size)
    return _estimate(place.landmarks, recipe)


def _estimate(landmarks: npt.NDArray[Any], recipe: AlignmentRecipe) -> FloatArray:
    estimate = estimate_affine if recipe.warp == "affine" else estimate_similarity
    return estimate(landmarks, recipe.places.scaled(recipe.size, recipe.margin))


def _square(box: FloatArray, inner: int, size: int) -> FloatArray:
    """Put the middle of a box in the middle, its longer side filling `inner` of `size` pixels."""
    corners = box.reshape(2, 2)
    matrix = resizing(inner / float(np.ptp(corners, axis=0).max()))
    middle = (size - 1) / 2
    matrix[:, 2] = middle - matrix[:, :2] @ corners.mean(axis=0)
    return matrix


def _shift(pixels: float) -> FloatArray:
    return np.array([[1.0, 0.0, pixels], [0.0, 1.0, pixels]])


def _residual(matrix: FloatArray, points: FloatArray, recipe: AlignmentRecipe) -> float:
    if not recipe.points:
        return _NAN
    target = recipe.places.scaled(recipe.size, recipe.margin)
    squares = np.sum(np.square(transform_points(matrix, points) - target), axis=1)
    return float(np.sqrt(np.nanmean(squares)))


def _inside(face: Unaligned, matrix: FloatArray, size: int) -> float:
    """Share of the aligned frame that lies inside the frame before."""
    rows, columns = np.mgrid[0:size, 0:size][:, ::4, ::4]
    linear = np.linalg.inv(matrix[:, :2])
    x, y = linear @ (np.stack([columns.ravel(), rows.ravel()]) - matrix[:, 2:])
    within = (x >= -0.5) & (x <= face.width - 0.5) & (y >= -0.5) & (y <= face.height - 0.5)
    return float(within.mean())
