"""Symmetric 3 x 3 equations of many pixels at once, in closed form."""

from collections.abc import Sequence
from typing import Any

Array = Any
"""NumPy or PyTorch; one value a pixel."""

UPPER = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
"""Rows and columns of the six entries, in the order in which all here take them."""


def adjugate(
    xx: Array, xy: Array, xz: Array, yy: Array, yz: Array, zz: Array
) -> tuple[tuple[tuple[Array, Array, Array], ...], Array]:
    """Adjugate, by rows, and determinant; their ratio is the inverse."""
    cxx, cxy, cxz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    cyy, cyz, czz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    rows = ((cxx, cxy, cxz), (cxy, cyy, cyz), (cxz, cyz, czz))
    return rows, xx * cxx + xy * cxy + xz * cxz


def solve_symmetric(entries: Sequence[Array], right: Sequence[Array]) -> list[Array]:
    """Solve A g = b for each pixel.

    Args:
        entries: the six of A, as `UPPER` orders them; A must be regular.
        right: the three of b.

    Returns:
        The three of g.
    """
    rows, determinant = adjugate(*entries)
    scale = 1 / determinant
    bx, by, bz = right
    return [(x * bx + y * by + z * bz) * scale for x, y, z in rows]
