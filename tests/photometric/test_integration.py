import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lit_sphere import sphere_normals
from scipy.sparse import coo_array
from scipy.sparse.linalg import lsqr

from fr3d.photometric.integration.poisson import integrate_gradient, integrate_normals

ROWS, COLUMNS = np.mgrid[:40, :56].astype(float)


def disc(radius: float = 17.0) -> np.ndarray:
    return np.hypot(ROWS - 19, COLUMNS - 27) < radius


def centred(z: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask, z - z[mask].mean(), np.nan)


def test_quadratic_surfaces_are_exact() -> None:
    """The mean of two slopes is the exact step of a quadratic."""
    mask = disc()
    z = 0.02 * COLUMNS**2 - 0.03 * ROWS**2 + 0.01 * ROWS * COLUMNS + 0.3 * COLUMNS
    across, down = 0.04 * COLUMNS + 0.01 * ROWS + 0.3, -0.06 * ROWS + 0.01 * COLUMNS
    found = integrate_gradient(across, down, mask, rtol=1e-9)
    np.testing.assert_allclose(found.depth, centred(z, mask), atol=1e-4)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_integrating_a_gradient_gives_the_surface_but_for_a_constant(seed: int) -> None:
    """Any surface, any mask: slopes such that their means are its steps."""
    rng = np.random.default_rng(seed)
    a, b, c, d, e = rng.uniform(-0.05, 0.05, 5)
    z = a * COLUMNS**2 + b * ROWS**2 + c * ROWS * COLUMNS + d * COLUMNS + e * ROWS
    mask = rng.uniform(size=z.shape) < 0.97
    mask[:, 0] = mask[0] = True  # one component: a comb along the border
    mask[:, ::2] = True
    found = integrate_gradient(
        2 * a * COLUMNS + c * ROWS + d, 2 * b * ROWS + c * COLUMNS + e, mask, rtol=1e-10
    )
    np.testing.assert_allclose(found.depth, centred(z, mask), atol=2e-3)


def test_against_sparse_least_squares() -> None:
    """An inconsistent field with weights: the minimiser of the stated sum."""
    rng = np.random.default_rng(1)
    mask, weight = disc(), rng.uniform(0.2, 1, ROWS.shape)
    p, q = rng.normal(size=(2, *ROWS.shape))
    number = np.cumsum(mask).reshape(mask.shape) - 1
    entries, values, k = [], [], 0
    for axis, g in ((1, p), (0, q)):
        a = tuple(slice(None, -1) if i == axis else slice(None) for i in range(2))
        b = tuple(slice(1, None) if i == axis else slice(None) for i in range(2))
        for i in np.argwhere(mask[a] & mask[b]):
            here, there = tuple(i), tuple(i + (np.arange(2) == axis))
            root = np.sqrt(min(weight[here], weight[there]))
            entries += [(k, number[there], root), (k, number[here], -root)]
            values.append(root * (g[here] + g[there]) / 2)
            k += 1
    r, c, v = zip(*entries, strict=True)
    matrix = coo_array((v, (r, c)), shape=(k, mask.sum())).tocsr()
    z = lsqr(matrix, np.array(values), atol=1e-12, btol=1e-12, iter_lim=5000)[0]
    found = integrate_gradient(p, q, mask, weight, rtol=1e-9).depth[mask]
    np.testing.assert_allclose(found, z - z.mean(), atol=1e-4)


def test_signs_of_a_sphere() -> None:
    normal, mask = sphere_normals(size=96, radius=40)
    rows, columns = np.mgrid[:96, :96] - 47.5
    near = mask & (np.hypot(rows, columns) < 34)
    height = np.sqrt(np.maximum(40**2 - rows**2 - columns**2, 0))
    found = integrate_normals(normal, near)
    error = found.depth[near] - (height[near] - height[near].mean())
    assert np.abs(error).mean() < 0.01
    assert found.depth[48, 48] > found.depth[48, 20]


@pytest.mark.parametrize("size", [64, 112, 192, 256])
def test_few_iterations_at_any_size(size: int) -> None:
    normal, mask = sphere_normals(size=size, radius=0.45 * size)
    noisy = normal + 0.1 * np.random.default_rng(0).normal(size=normal.shape)
    noisy /= np.linalg.norm(noisy, axis=0)
    assert integrate_normals(noisy, mask).iterations <= 20


def test_nan_outside_and_zero_mean_in_each_component() -> None:
    mask = np.zeros((40, 56), bool)
    mask[3:20, 4:20] = mask[22:39, 30:50] = True
    mask[30, 5] = True  # a pixel alone
    z = 0.5 * COLUMNS - 0.25 * ROWS
    depth = integrate_gradient(np.full(z.shape, 0.5), np.full(z.shape, -0.25), mask).depth
    assert (np.isnan(depth) == ~mask).all()
    for part in (np.s_[3:20, 4:20], np.s_[22:39, 30:50], np.s_[30:31, 5:6]):
        np.testing.assert_allclose(depth[part], z[part] - z[part].mean(), atol=0.01)


def test_flat_and_empty_masks() -> None:
    flat = np.stack([np.zeros((9, 9)), np.zeros((9, 9)), np.ones((9, 9))])
    whole = integrate_normals(flat, np.ones((9, 9)))
    assert (whole.depth == 0).all()
    assert np.isnan(integrate_normals(flat, np.zeros((9, 9))).depth).all()


def test_grazing_normals_are_clamped() -> None:
    """A rim that faces away must not tear the surface."""
    normal, mask = sphere_normals()
    normal = normal.copy()
    normal[:, 24, 5:8] = np.array([-1.0, 0, -0.1])[:, None]
    depth = integrate_normals(normal, mask).depth[mask]
    assert np.isfinite(depth).all()
    assert np.ptp(depth) < 100
