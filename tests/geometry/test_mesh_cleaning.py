"""Spikes, shreds and doubled vertices, against a slow search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_files import slope

from fr3d.geometry.mesh_cleaning import clean_mesh, millimetres_a_unit, surface_area, weld
from fr3d.geometry.mesh_reading.surface import SurfaceMesh


def slow_largest_part(points: np.ndarray, triangles: np.ndarray, longest: float) -> set:
    """Places of the vertices of the largest part, by spreading from each in turn."""
    kept = [
        [tuple(points[i]) for i in t]
        for t in triangles
        if max(np.linalg.norm(points[t[k]] - points[t[k - 1]]) for k in range(3)) <= longest
    ]
    kept = [t for t in kept if len(set(t)) == 3]
    best: set = set()
    for start in {p for t in kept for p in t}:
        part, grown = set(), {start}
        while grown != part:
            part = set(grown)
            grown |= {p for t in kept if part & set(t) for p in t}
        if len(part) > len(best):
            best = part
    return best


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 12), st.sampled_from([1.5, 2.5, 9.0]))
def test_the_largest_part_is_as_slow_code_finds_it(seed: int, count: int, longest: float):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 4, (14, 3)).astype(float)
    triangles = rng.integers(0, 14, (count, 3))
    places = rng.random((count, 3, 2)).astype(np.float32)
    mesh = SurfaceMesh(points, triangles, places, points.astype(np.float32) / 4)
    found = clean_mesh(mesh, longest).mesh
    expected = slow_largest_part(points, triangles, longest)
    assert len(found.vertices) == len(expected)
    np.testing.assert_array_equal(found.colours, found.vertices.astype(np.float32) / 4)
    if len(expected):
        assert len(np.unique(found.vertices, axis=0)) == len(found.vertices)
        # Whatever is left still has the places of its own triangle.
        known = {p.tobytes(): t for p, t in zip(places, points[triangles], strict=True)}
        for place, corners in zip(found.places, found.vertices[found.triangles], strict=True):
            np.testing.assert_array_equal(known[place.tobytes()], corners)


def test_a_seam_does_not_part_a_surface():
    points, triangles = slope(side=9)
    split = SurfaceMesh(points[triangles].reshape(-1, 3), np.arange(triangles.size).reshape(-1, 3))
    cleaned = clean_mesh(split, 25.0)
    assert cleaned.parts == 1
    assert len(cleaned.mesh.vertices) == 81
    assert surface_area(cleaned.mesh) == pytest.approx(surface_area(split))
    assert surface_area(split) == pytest.approx(24**2 * np.sqrt(1 + 0.09 + 0.04))
    assert len(weld(split).triangles) == len(triangles)


def test_units():
    points = slope(side=9)[0]
    assert millimetres_a_unit(points) == 1
    assert millimetres_a_unit(points / 1000) == 1000
