"""The surface of a scan in millimetres, cleaned, or the reason why there is too little of it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.cloud_drawing import point_spacing
from fr3d.geometry.mesh_cleaning import clean_mesh, millimetres_a_unit, surface_area
from fr3d.geometry.mesh_reading.surface import SurfaceMesh

SMALLEST_AREA = 15_000.0
"""Square millimetres: about a face from the brow to the chin."""

SMALLEST_EXTENT = 80.0
"""Millimetres along the second longest side of the box around a scan."""

WIDEST_SPACING = 8.0
"""Millimetres between neighbouring vertices, above which a nose has no shape."""


@dataclass(frozen=True)
class CleanScan:
    """A scan that is fit to be drawn.

    Args:
        mesh: in millimetres.
        spacing: mean distance of neighbouring vertices, millimetres.
        quality: see `clean_scan`.
    """

    mesh: SurfaceMesh
    spacing: float
    quality: dict[str, float]


def clean_scan(mesh: SurfaceMesh, name: str, longest_edge: float) -> CleanScan:
    """Bring a scan to millimetres, clean it, and refuse it where too little is left.

    Whether enough is left is judged by area and spacing, as a number of vertices says
    nothing of a scan whose density is not known.

    Args:
        mesh: as read.
        name: of its file, for messages.
        longest_edge: millimetres.

    Returns:
        The scan, with these figures: `scan_vertices`, kept; `scan_kept`, share of the vertices
        that the largest part has; `scan_long_edges`, share of triangles dropped; `scan_spacing_mm`;
        `scan_area_cm2`; `scan_unit_mm`, millimetres a unit of the file; `scan_textured`, 1 where
        there are colours.

    Raises:
        MalformedInputError: too small, too coarse or nothing left.
    """
    factor = millimetres_a_unit(mesh.vertices)
    scaled = replace(mesh, vertices=mesh.vertices * factor, colours=_colours(mesh))
    long_share, kept_share = 0.0, 1.0
    if not mesh.is_cloud:
        cleaning = clean_mesh(scaled, longest_edge)
        scaled, long_share, kept_share = cleaning.mesh, cleaning.long_share, cleaning.kept_share
        if scaled.is_cloud:
            raise MalformedInputError(
                f"{name}: no triangle is left after dropping edges over {longest_edge:g} mm",
                "is the scan in millimetres or metres? see --longest-edge",
            )
    area, spacing = _measure(scaled)
    _check(scaled, area, spacing, name)
    coloured = scaled.texture is not None or scaled.colours is not None
    quality = {
        "scan_vertices": float(len(scaled.vertices)),
        "scan_kept": kept_share,
        "scan_long_edges": long_share,
        "scan_spacing_mm": spacing,
        "scan_area_cm2": area / 100.0,
        "scan_unit_mm": factor,
        "scan_textured": float(coloured),
    }
    return CleanScan(scaled, spacing, quality)


def _colours(mesh: SurfaceMesh) -> npt.NDArray[Any] | None:
    """Colours of the vertices; one for all is no picture of a face."""
    if mesh.colours is None or not len(mesh.colours):
        return None
    return mesh.colours if np.ptp(mesh.colours, axis=0).any() else None


def _measure(mesh: SurfaceMesh) -> tuple[float, float]:
    """Area and spacing, as if the vertices lay on a square grid."""
    if mesh.is_cloud:
        spacing = point_spacing(mesh.vertices)
        return len(mesh.vertices) * min(spacing, 1e6) ** 2, spacing
    area = surface_area(mesh)
    return area, float(np.sqrt(area / len(mesh.vertices)))


def _check(mesh: SurfaceMesh, area: float, spacing: float, name: str) -> None:
    extent = float(np.sort(np.ptp(mesh.vertices, axis=0))[1])
    left = f"{name}: largest part of {len(mesh.vertices)} vertices"
    if extent < SMALLEST_EXTENT:
        raise MalformedInputError(
            f"{left} is {extent:.0f} mm wide, expected {SMALLEST_EXTENT:.0f} or more",
            "is the scan in millimetres or metres?",
        )
    if area < SMALLEST_AREA:
        raise MalformedInputError(
            f"{left} has {area / 100:.0f} cm2 of surface, expected {SMALLEST_AREA / 100:.0f}"
        )
    if spacing > WIDEST_SPACING:
        raise MalformedInputError(
            f"{left} has one every {spacing:.1f} mm, expected {WIDEST_SPACING:.0f} mm or closer"
        )
