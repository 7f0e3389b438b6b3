"""Normals in, depth out: batches of any size, NumPy arrays or torch tensors."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.photometric.integration.cosine import Field, is_torch
from fr3d.photometric.integration.pieces import Pieces, place, subtract_trend
from fr3d.photometric.integration.poisson import Problem, pose, solve_poisson
from fr3d.photometric.integration.robust import solve_robust
from fr3d.photometric.integration.settings import RECTANGLE, Integration, Settings
from fr3d.photometric.integration.slopes import (
    Camera,
    Slopes,
    camera_slopes,
    distant_slopes,
    pinhole,
)
from fr3d.photometric.integration.spectral import solve_dct, solve_fc
from fr3d.photometric.integration.windows import Group, cut, group_windows

DEFAULT = Settings()

Cameras = list[Camera | None]


def integrate(
    normal: Field,
    mask: Field,
    settings: Settings = DEFAULT,
    *,
    camera: npt.ArrayLike | None = None,
    prior: Field | None = None,
) -> Integration:
    """Integrate the normals of each image of a batch; no image depends on the others.

    Args:
        normal: (B, 3, H, W), unit vectors; x right, y up, z to the camera; rows run down.
        mask: (B, H, W), where the surface is.
        settings: how.
        camera: intrinsic matrix K, (3, 3) or one an image (B, 3, 3), in pixels of these maps; None
            for a surface seen from far away.
        prior: (B, H, W), depth known from elsewhere, in the unit of the result; NaN = unknown. A
            component that has some keeps its level.

    Raises:
        MalformedInputError: shapes do not fit, or a normal inside a mask is not finite.
    """
    inside = as_numpy(mask) != 0
    _check_shapes(normal, inside, prior)
    cameras = _cameras(camera, len(inside))
    exact = settings.method in RECTANGLE
    if settings.prior_weight == 0 or exact:
        prior = None
    heights = np.zeros(inside.shape, np.float32)
    iterations = np.zeros(len(inside), np.int64)
    for group in group_windows(inside, exact=exact, alone=not is_torch(normal)):
        solved, taken = _solve_group(normal, inside, prior, cameras, group, settings)
        for (i, window), z, n in zip(group, as_numpy(solved), taken, strict=True):
            heights[i][window], iterations[i] = z, n
    held = np.zeros_like(inside) if prior is None else np.isfinite(as_numpy(prior))
    depth, trend = _finish(heights, inside, held, cameras, settings)
    return Integration(_as(depth, normal), iterations, trend)


def as_numpy(field: Field) -> npt.NDArray[Any]:
    """An array or tensor as an array."""
    return np.asarray(field.detach().cpu() if is_torch(field) else field)


def _as(values: npt.NDArray[Any], like: Field) -> Field:
    """Values as an array or as a tensor on the same device."""
    if not is_torch(like):
        return values
    import torch

    return torch.as_tensor(values, device=like.device)


def _check_shapes(normal: Field, inside: npt.NDArray[np.bool_], prior: Field | None) -> None:
    batch, height, width = inside.shape if inside.ndim == 3 else (0, 0, 0)
    if tuple(normal.shape) != (batch, 3, height, width):
        found = f"{tuple(normal.shape)} and {inside.shape}"
        raise MalformedInputError(f"normal and mask: found {found}, expected (B,3,H,W) and (B,H,W)")
    if prior is not None and tuple(prior.shape) != inside.shape:
        raise MalformedInputError(f"prior: found {tuple(prior.shape)}, expected {inside.shape}")


def _cameras(camera: npt.ArrayLike | None, batch: int) -> Cameras:
    if camera is None:
        return [None] * batch
    matrices = np.asarray(camera, dtype=np.float64)
    if matrices.ndim == 2:
        return [pinhole(matrices)] * batch
    if len(matrices) != batch:
        raise MalformedInputError(f"camera matrices: found {len(matrices)}, expected {batch}")
    return [pinhole(k) for k in matrices]


def _solve_group(
    normal: Field,
    inside: npt.NDArray[np.bool_],
    prior: Field | None,
    cameras: Cameras,
    group: Group,
    settings: Settings,
) -> tuple[Field, npt.NDArray[np.int64]]:
    """The heights in the windows of a group; of a camera, -f log Z."""
    known = _as(cut(inside, group), normal)
    seen = [_moved(cameras[i], window) for i, window in group]
    slopes = _slopes(_only(cut(normal, group), known[:, None]), seen, settings.min_nz)
    none = np.zeros(len(group), np.int64)
    if settings.method == "dct":
        return solve_dct(slopes), none
    if settings.method == "fc":
        return solve_fc(slopes), none
    problem = pose(slopes, _only(slopes.facing * 0 + 1, known), settings.edge_power)
    if prior is not None:
        problem = _anchored(problem, cut(prior, group), seen, settings.prior_weight)
    solve = solve_robust if settings.method == "robust" else solve_poisson
    return solve(problem, settings.rtol)


def _only(field: Field, known: Field) -> Field:
    """A field as float32, 0 outside the masks, whatever stands there."""
    if not is_torch(field):
        return np.where(known, field, 0).astype(np.float32, copy=False)
    return field.float().masked_fill(~known, 0)


def _moved(camera: Camera | None, window: tuple[slice, slice]) -> Camera | None:
    return camera and camera.moved(window[0].start, window[1].start)


def _slopes(normal: Field, seen: Cameras, min_nz: float) -> Slopes:
    if not np.isfinite(as_numpy(normal.sum())):
        raise MalformedInputError("normal: found NaN or infinity inside the mask")
    cameras = [camera for camera in seen if camera is not None]
    return camera_slopes(normal, cameras, min_nz) if cameras else distant_slopes(normal, min_nz)


def _anchored(problem: Problem, depth: Field, seen: Cameras, weight: float) -> Problem:
    """The problem with its pixels held to a depth wherever there is one."""
    known = (depth == depth) & (problem.mask > 0)  # noqa: PLR0124 (NaN differs from itself)
    heights = _only(depth, known)
    for i, camera in enumerate(seen):
        if camera is not None:
            # the inverse of what `place` does
            log = np.log1p(np.maximum(as_numpy(heights[i]) / -camera.scale, -0.999))
            heights[i] = _as((-camera.scale * log).astype(np.float32), heights)
    anchor = _only(problem.mask * weight, known)
    return replace(problem, prior=heights, anchor=anchor, ground=weight)


def _finish(
    heights: npt.NDArray[np.float32],
    inside: npt.NDArray[np.bool_],
    held: npt.NDArray[np.bool_],
    cameras: Cameras,
    settings: Settings,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Zero, perspective and trend of each image."""
    depth = np.full(inside.shape, np.nan, np.float32)
    trend = np.zeros((len(inside), 6))
    for i, mask in enumerate(inside):
        pieces = Pieces(mask)
        if not pieces.count:
            continue
        placed = place(heights[i][mask], pieces, held[i][mask], cameras[i])
        depth[i][mask], trend[i] = subtract_trend(placed, pieces, settings.detrend)
    return depth, trend
