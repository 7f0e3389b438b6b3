"""The exact inverse of the free-border Laplacian of a rectangle, by cosine transforms."""

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn, idctn

# NumPy and torch share slices, arithmetic and in-place operators; no more is asked of either
Field = Any


class Inverse(Protocol):
    """From a right-hand side (B, H, W) to a solution (B, H, W)."""

    def __call__(self, right: Field) -> Field:
        """Solve on the rectangle."""
        ...


def is_torch(field: Field) -> bool:
    """Whether an array is a torch tensor, without importing torch."""
    return type(field).__module__.partition(".")[0] == "torch"


def rectangle_inverse(like: Field, ground: float = 0.0) -> Inverse:
    """Make the inverse for fields of a shape, kind and device.

    Args:
        like: (B, H, W), NumPy array or torch tensor.
        ground: added to every eigenvalue: the mean weight of a depth prior.
    """
    scale = inverse_eigenvalues(like.shape[-2], like.shape[-1], ground)
    return _torch_inverse(like, scale) if is_torch(like) else _numpy_inverse(scale)


@lru_cache(maxsize=64)
def inverse_eigenvalues(height: int, width: int, ground: float = 0.0) -> npt.NDArray[np.float32]:
    """One over the eigenvalues of the 4-neighbour Laplacian with free borders, (H, W)."""
    rows, columns = (2 - 2 * np.cos(np.pi * np.arange(n) / n) for n in (height, width))
    values = rows[:, None] + columns[None, :]
    # the constant is free; a small value would let the rounding errors of single precision grow
    values[0, 0] = values.ravel()[1:].min() if values.size > 1 else 1.0
    inverse = np.asarray(1 / (values + ground), dtype=np.float32)
    inverse.flags.writeable = False
    return inverse


def _numpy_inverse(scale: npt.NDArray[np.float32]) -> Inverse:
    def solve(right: Field) -> Field:
        spectrum = dctn(right, axes=(1, 2), workers=1)
        spectrum *= scale
        return idctn(spectrum, axes=(1, 2), overwrite_x=True, workers=1)

    return solve


def _torch_inverse(like: Field, scale: npt.NDArray[np.float32]) -> Inverse:
    """Cosine transforms as products with their matrices, which suits a GPU at these sizes."""
    import torch

    def onto(matrix: npt.NDArray[Any]) -> Field:
        return torch.tensor(matrix, dtype=like.dtype, device=like.device)

    rows, columns = (onto(_cosine_matrix(n)) for n in like.shape[-2:])
    factor = onto(scale)

    def solve(right: Field) -> Field:
        spectrum = (rows @ right) @ columns.T
        spectrum *= factor
        return (rows.T @ spectrum) @ columns

    return solve


@lru_cache(maxsize=64)
def _cosine_matrix(n: int) -> npt.NDArray[np.float64]:
    """The orthonormal cosine transform of length n, (n, n)."""
    frequency, place = np.mgrid[:n, :n]
    matrix = np.sqrt(2 / n) * np.cos(np.pi * frequency * (place + 0.5) / n)
    matrix[0] = np.sqrt(1 / n)
    return matrix
