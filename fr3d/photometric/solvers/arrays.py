"""The few array operations that NumPy and PyTorch name alike, so that solvers are written once.

Planes are (..., L, P): one light or component a row, one pixel a column. NumPy solves one session
and one block of pixels at a time, (L, P); PyTorch a whole batch, (B, L, P).
"""

import sys
from typing import Any

import numpy as np

Array = Any
"""A NumPy array or a PyTorch tensor, float32."""


def namespace(array: Array) -> Any:
    """The module whose functions work on an array; PyTorch is never imported here."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        return torch
    return np


def constant(values: Array, like: Array) -> Array:
    """Put small float64 matrices where `like` lives, as float32."""
    if isinstance(like, np.ndarray):
        return np.asarray(values, dtype=np.float32)
    torch = sys.modules["torch"]
    return torch.as_tensor(values, dtype=torch.float32, device=like.device)


def combine(matrix: Array, planes: Array) -> Array:
    """Multiply small matrices (..., I, K) with planes (..., K, P), always in the order of K.

    Not by BLAS, whose sums depend on the number of threads and on what else is in the batch.
    """
    out = matrix[..., :, 0, None] * planes[..., 0, None, :]
    for k in range(1, planes.shape[-2]):
        out += matrix[..., :, k, None] * planes[..., k, None, :]
    return out


def brightest(planes: Array) -> Array:
    """Largest of each pixel, (..., 1, P)."""
    return namespace(planes).amax(planes, -2)[..., None, :]


def at_least(planes: Array, floor: Any) -> Array:
    """The larger of each value and a floor, a number or an array."""
    # a third faster than `clip`, which both modules have
    if namespace(planes) is np:
        return np.maximum(planes, floor)
    return planes.clamp(min=floor)


def length(planes: Array) -> Array:
    """Euclidean length of each pixel's vector, (..., 1, P)."""
    xp = namespace(planes)
    total = planes[..., 0, :] * planes[..., 0, :]
    for k in range(1, planes.shape[-2]):
        total = total + planes[..., k, :] * planes[..., k, :]
    return xp.sqrt(total)[..., None, :]


def ascending(planes: Array) -> Array:
    """Each pixel's values, the smallest first."""
    found = namespace(planes).sort(planes, -2)
    return found if isinstance(found, np.ndarray) else found.values


def indicator(flags: Array) -> Array:
    """1 where true, 0 elsewhere, float32."""
    return flags.astype(np.float32) if isinstance(flags, np.ndarray) else flags.float()
