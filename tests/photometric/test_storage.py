import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lit_sphere import sphere_normals

from fr3d.errors import MalformedInputError
from fr3d.photometric.storage import storage_type, stored


def test_types() -> None:
    names = ("normal", "confidence", "albedo", "image", "depth")
    assert [np.dtype(storage_type(n, exact=False)).itemsize for n in names] == [2, 2, 2, 2, 4]
    assert [np.dtype(storage_type(n, exact=True)).itemsize for n in names] == [2, 2, 4, 4, 4]


def test_a_stored_normal_turns_by_less_than_a_fortieth_of_a_degree() -> None:
    normal, mask = sphere_normals(200, 99)
    normal = np.moveaxis(normal, 0, -1)[mask]
    half = stored(normal.astype(np.float32), "normal", exact=False).astype(float)
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    angle = np.degrees(2 * np.arcsin(np.linalg.norm(half - normal, axis=-1) / 2))
    assert angle.mean() < 0.01
    assert angle.max() < 0.025


@given(st.floats(0, 2.0**126, width=32), st.sampled_from(["albedo", "image"]), st.booleans())
def test_nothing_becomes_infinite(value: float, name: str, exact: bool) -> None:
    plane = np.full((2, 2), value, np.float32)
    if value > 65504 and not exact:
        with pytest.raises(MalformedInputError, match=f"{name}: found values up to"):
            stored(plane, name, exact=exact)
        return
    kept = stored(plane, name, exact=exact)
    assert np.isfinite(kept).all()
    np.testing.assert_allclose(kept.astype(float), plane, rtol=5e-4, atol=3.1e-8)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(MalformedInputError):
        stored(np.array([0, value], np.float32), "albedo", exact=False)


def test_depth_may_be_unknown() -> None:
    depth = np.array([np.nan, 1538.4321], np.float32)
    assert stored(depth, "depth", exact=False).dtype == np.float32
