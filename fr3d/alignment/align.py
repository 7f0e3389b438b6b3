"""One face: find its landmarks, move all its maps into the template's frame."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fr3d.alignment import yunet
from fr3d.alignment.landmarks import NoFaceError, is_known, ordered
from fr3d.alignment.recipe import AlignmentRecipe
from fr3d.alignment.templates import template_points
from fr3d.geometry.depth import rezero_depth
from fr3d.geometry.maps import FaceMaps
from fr3d.geometry.similarity import (
    centre_fit,
    estimate_similarity,
    scale_of,
    transform_points,
)
from fr3d.geometry.warp import warp_maps

_MINIMUM_COVER = 0.02


@dataclass(frozen=True)
class AlignedFace:
    """A face in the template's frame.

    Args:
        maps: all maps, depth zero at the tip of the nose.
        matrix: (2, 3) from the pixels of the maps before to those of the aligned face.
        quality: figures of the alignment, NaN where there is none:
            `landmark_residual`, root mean square distance of the landmarks from the template in
            pixels of the aligned face; `landmark_score` and `landmark_spread` of the detector (0
            to 1; pixels of the aligned face); `landmark_detected`, 1 where a detector found them;
            `face_scale`, aligned pixels a map pixel; `face_roll`, degrees by which the face leans
            counter-clockwise; `face_cover`, share of the aligned frame inside the mask.
    """

    maps: FaceMaps
    matrix: npt.NDArray[np.float64]
    quality: dict[str, float]


def align_maps(maps: FaceMaps, recipe: AlignmentRecipe) -> AlignedFace:
    """Align one face.

    Args:
        maps: in the frame of the camera.
        recipe: how.

    Raises:
        NoFaceError: no landmarks, no face found, or nothing of the surface left in the frame.
    """
    points, quality = _find_landmarks(maps, recipe)
    if recipe.detector == "none":
        matrix = centre_fit(maps.height, maps.width, recipe.size)
        residual = float("nan")
    else:
        target = template_points(recipe.template, recipe.size)
        matrix = estimate_similarity(points, target)
        residual = _residual(transform_points(matrix, points), target)
    scale = scale_of(matrix)
    aligned = rezero_depth(warp_maps(_with_landmarks(maps, points), matrix, recipe.size))
    cover = float(aligned.mask.mean())
    if cover < _MINIMUM_COVER:
        raise NoFaceError(f"the mask covers {cover:.1%} of the aligned face, expected 2% or more")
    quality = {
        **quality,
        "landmark_residual": residual,
        "landmark_spread": quality["landmark_spread"] * scale,
        "face_scale": scale,
        "face_roll": float(np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0]))),
        "face_cover": cover,
    }
    return AlignedFace(aligned, matrix, dict(sorted(quality.items())))


def _find_landmarks(
    maps: FaceMaps, recipe: AlignmentRecipe
) -> tuple[npt.NDArray[np.float64], dict[str, float]]:
    """Landmarks in map pixels, in order, and what the detector says of them."""
    nothing = {"landmark_score": float("nan"), "landmark_spread": float("nan")}
    given = maps.landmarks
    if recipe.detector == "none":
        points = np.full((5, 2), np.nan) if given is None else given.astype(np.float64)
        return points, {**nothing, "landmark_detected": 0.0}
    if recipe.detector == "capture" or (
        recipe.detector == "auto" and given is not None and is_known(given)
    ):
        if given is None:
            raise NoFaceError("the capture has no landmarks")
        return ordered(given), {**nothing, "landmark_detected": 0.0}
    if maps.image is None:
        raise NoFaceError("no photograph to look for a face in")
    found = yunet.detect(maps.image)
    if found is None:
        raise NoFaceError("no face found in the mean photograph")
    quality = {"landmark_score": found.score, "landmark_spread": found.spread}
    return ordered(found.landmarks), {**quality, "landmark_detected": 1.0}


def _with_landmarks(maps: FaceMaps, points: npt.NDArray[np.float64]) -> FaceMaps:
    return FaceMaps(mask=maps.mask, landmarks=points.astype(np.float32), **maps.present)


def _residual(moved: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> float:
    squares = np.sum(np.square(moved - target), axis=1)
    return float(np.sqrt(np.nanmean(squares)))
