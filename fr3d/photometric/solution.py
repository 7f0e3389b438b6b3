"""Prepared captures become normals, albedo and depth, on a CPU or in batches on a GPU."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fr3d.photometric.integration.integrate import integrate
from fr3d.photometric.near_capture import NEAR_SOLVER, is_near, map_camera, solve_near_capture
from fr3d.photometric.preparation import Prepared
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.solvers.choice import choose_solver
from fr3d.photometric.solvers.face_blend import draw_to_face
from fr3d.photometric.solvers.linear import split_scaled_normal
from fr3d.photometric.solvers.shadow import solve_shadow
from fr3d.photometric.solvers.solve import solve

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_MOST_AT_ONCE = 64  # sessions on a GPU: 64 of 256x256 with four lights take 64 MiB an array


@dataclass(frozen=True)
class Solution:
    """The surface of a capture.

    Attributes:
        g: (3, h, w), albedo times normal, as the solver found it.
        normal: (3, h, w), unit length on the mask, zero outside.
        albedo: (h, w), zero outside the mask.
        depth: (h, w), height towards the camera in pixels of the map, NaN outside the mask.
        images: (K, h, w), the photographs that `g` is to be held against: of near lights, as they
            would be under distant ones.
        error: (h, w), angle by which the solver expects the normal to be off, radians; None when
            it does not say.
    """

    g: FloatArray
    normal: FloatArray
    albedo: FloatArray
    depth: FloatArray
    images: FloatArray
    error: FloatArray | None = None


def solve_captures(
    captures: Sequence[Prepared], recipe: Recipe, depths: Sequence[FloatArray | None]
) -> Iterator[Solution]:
    """Solve captures, in order; none depends on the others.

    Args:
        captures: prepared by the same recipe.
        recipe: how.
        depths: (h, w) of each, depth that is known beforehand, NaN = unknown; or None.
    """
    if recipe.device == "cpu":
        for capture, depth in zip(captures, depths, strict=True):
            yield from _solve_alike([capture], recipe, [depth])
        return
    pairs = zip(captures, depths, strict=True)
    for _, group in groupby(pairs, lambda pair: _likeness(pair[0], pair[1], recipe)):
        members = list(group)
        for start in range(0, len(members), _MOST_AT_ONCE):
            part = members[start : start + _MOST_AT_ONCE]
            yield from _solve_alike([p for p, _ in part], recipe, [d for _, d in part])


def chosen_solver(capture: Prepared, recipe: Recipe) -> str:
    """The solver that a capture gets."""
    if recipe.solver != "auto":
        return recipe.solver
    if is_near(capture, recipe):
        return NEAR_SOLVER
    count = int(capture.flashes.keep.sum())
    return choose_solver(capture.directions, count)


def _likeness(capture: Prepared, depth: FloatArray | None, recipe: Recipe) -> tuple[Any, ...]:
    """What captures of one batch share."""
    shape = int(capture.flashes.keep.sum()), *capture.mask.shape
    near = is_near(capture, recipe)
    return shape, chosen_solver(capture, recipe), near, capture.prior is None, depth is None


def _solve_alike(
    captures: Sequence[Prepared], recipe: Recipe, depths: Sequence[FloatArray | None]
) -> list[Solution]:
    if is_near(captures[0], recipe):
        return [_solve_one_near(c, recipe, d) for c, d in zip(captures, depths, strict=True)]
    found = _scaled_normals(captures, recipe)
    masks = _stacked([c.mask for c in captures])
    split = [_surface(g, mask) for (g, _), mask in zip(found, masks, strict=True)]
    normal = _stacked([n for _, n in split])
    depth = _integrated(captures, normal, masks, recipe, depths)
    return [
        Solution(g, n, albedo, z, c.images, error)
        for c, (g, error), (albedo, n), z in zip(captures, found, split, depth, strict=True)
    ]


def _integrated(
    captures: Sequence[Prepared],
    normal: FloatArray,
    masks: Mask,
    recipe: Recipe,
    depths: Sequence[FloatArray | None],
) -> FloatArray:
    """(B, h, w)."""
    cameras = None
    if recipe.camera is not None:
        cameras = np.stack([map_camera(recipe.camera, c.evidence.framing) for c in captures])
    known = [d for d in depths if d is not None]
    found = integrate(
        _on(recipe.device, normal),
        _on(recipe.device, masks),
        recipe.integration,
        camera=cameras,
        prior=_on(recipe.device, np.stack(known)) if known else None,
    )
    return _off(found.depth)


def _scaled_normals(
    captures: Sequence[Prepared], recipe: Recipe
) -> list[tuple[FloatArray, FloatArray | None]]:
    """Albedo times normal (3, h, w) and expected error (h, w) of each."""
    solver = chosen_solver(captures[0], recipe)
    if solver == "shadow":
        return [_by_network(capture) for capture in captures]
    saturated = _stacked([c.saturated for c in captures])
    prior = None
    if captures[0].prior is not None:
        normal, weight = zip(*(c.prior for c in captures if c.prior is not None), strict=True)
        prior = _on(recipe.device, np.stack(normal)), _on(recipe.device, np.stack(weight))
    g = solve(
        _on(recipe.device, _stacked([c.images for c in captures])),
        np.stack([c.directions for c in captures]),
        _on(recipe.device, saturated) if saturated.any() else None,
        solver,
        prior,
    )
    return [(one, None) for one in _off(g)]


def _by_network(capture: Prepared) -> tuple[FloatArray, FloatArray]:
    found = solve_shadow(capture.images, capture.directions, capture.saturated, capture.mask)
    error = np.deg2rad(found.expected_error)
    if capture.prior is None:
        return found.g, error
    return draw_to_face(found.g, error, capture.prior), error


def _solve_one_near(capture: Prepared, recipe: Recipe, depth: FloatArray | None) -> Solution:
    """Under lights so near that direction and strength change over the face."""

    def heights(normal: FloatArray, mask: Mask) -> FloatArray:
        return _integrated([capture], normal[None], mask[None], recipe, [depth])[0]

    found, seen = solve_near_capture(capture, recipe, chosen_solver(capture, recipe), heights)
    albedo, normal = _surface(found.g, capture.mask)
    return Solution(found.g, normal, albedo, found.depth, seen)


def _surface(g: FloatArray, mask: Mask) -> tuple[FloatArray, FloatArray]:
    """Albedo and unit normals on the mask."""
    albedo, normal = split_scaled_normal(g)
    return albedo * mask, _filled(normal, albedo, mask) * mask


def _filled(normal: FloatArray, albedo: FloatArray, mask: Mask) -> FloatArray:
    """Give pixels of the mask that no light reached the nearest normal; their albedo stays 0."""
    known = mask & (albedo > 0)
    if (known == mask).all() or not known.any():
        return normal
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros(int(labels.max()) + 1, np.intp)
    source[labels[known]] = np.flatnonzero(known)
    missing = mask & ~known
    filled = normal.copy()
    filled[:, missing] = normal.reshape(3, -1)[:, source[labels[missing]]]
    return filled


def _stacked(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """As one batch; a single array is not copied for that."""
    return arrays[0][None] if len(arrays) == 1 else np.stack(arrays)


def _on(device: str, values: npt.NDArray[Any]) -> Any:
    """An array where it is to be computed with; PyTorch is loaded for a GPU only."""
    if device == "cpu":
        return values
    import torch

    return torch.as_tensor(values, device=device)


def _off(values: Any) -> npt.NDArray[Any]:
    """Back on the CPU as an array."""
    return np.asarray(values if isinstance(values, np.ndarray) else values.cpu())
