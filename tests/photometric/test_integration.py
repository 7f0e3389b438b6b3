"""Depth from normals by each method: exact surfaces, a sparse solver, properties, bad input."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lit_sphere import sphere_normals
from scipy.sparse import coo_array
from scipy.sparse.linalg import lsqr

from fr3d.errors import MalformedInputError, UsageError
from fr3d.photometric.integration.integrate import integrate
from fr3d.photometric.integration.poisson import Problem, pose, solve_poisson
from fr3d.photometric.integration.robust import solve_robust
from fr3d.photometric.integration.settings import EXACT, Settings
from fr3d.photometric.integration.slopes import Slopes, pinhole

ROWS, COLUMNS = np.mgrid[:40, :56].astype(float)
METHODS = ["poisson", "robust", "dct", "fc"]


def disc(radius: float = 17.0) -> np.ndarray:
    return np.hypot(ROWS - 19, COLUMNS - 27) < radius


def centred(z: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask, z - z[mask].mean(), np.nan)


def from_gradient(across: np.ndarray, down: np.ndarray, mask: np.ndarray, **options) -> np.ndarray:
    """Normals with these slopes (height right and down), integrated."""
    normal = np.stack([-across, down, np.ones_like(across)])
    normal /= np.linalg.norm(normal, axis=0)
    chosen = replace(EXACT, **{"rtol": 1e-6, **options})
    return integrate(normal[None], mask[None], chosen).depth[0]


def height_normals(z: np.ndarray) -> np.ndarray:
    """Unit normals (3, H, W) of a height map, by central differences."""
    down, across = np.gradient(z)
    normal = np.stack([-across, down, np.ones_like(z)])
    return normal / np.linalg.norm(normal, axis=0)


def posed(p: np.ndarray, q: np.ndarray, mask: np.ndarray, weight: np.ndarray) -> Problem:
    fields = ((a * mask).astype(np.float32)[None] for a in (p, q, weight))
    return pose(Slopes(*fields), mask.astype(np.float32)[None], 1.0)


@pytest.mark.parametrize("method", ["poisson", "robust"])
def test_quadratic_surfaces_are_exact(method: str) -> None:
    """The mean of two slopes is the exact step of a quadratic."""
    mask = disc()
    z = 0.02 * COLUMNS**2 - 0.03 * ROWS**2 + 0.01 * ROWS * COLUMNS + 0.3 * COLUMNS
    across, down = 0.04 * COLUMNS + 0.01 * ROWS + 0.3, -0.06 * ROWS + 0.01 * COLUMNS
    found = from_gradient(across, down, mask, method=method)
    np.testing.assert_allclose(found, centred(z, mask), atol=2e-4)


@pytest.mark.parametrize(("method", "worst"), [("dct", 1e-4), ("fc", 0.25)])
def test_the_rectangle_methods_on_what_they_assume(method: str, worst: float) -> None:
    """Free borders suit a cosine; a whole period suits the periodic transform."""
    whole = np.ones((32, 48), bool)
    rows, columns = np.mgrid[:32, :48].astype(float)
    if method == "dct":
        z = 3 * np.cos(np.pi * (columns + 0.5) / 48) * np.cos(2 * np.pi * (rows + 0.5) / 32)
        # slopes whose means are the steps: those of the even extension, solved from the border on
        across, down = (alternate(np.diff(z, axis=a), a) for a in (1, 0))
    else:
        z = np.sin(2 * np.pi * columns / 48) + 2 * np.cos(2 * np.pi * rows / 32)
        across = 2 * np.pi / 48 * np.cos(2 * np.pi * columns / 48)
        down = -4 * np.pi / 32 * np.sin(2 * np.pi * rows / 32)
    found = from_gradient(across, down, whole, method=method)
    assert np.abs(found - centred(z, whole)).max() < (worst if method == "dct" else 1e-4)


def alternate(step: np.ndarray, axis: int) -> np.ndarray:
    """Slopes (one more than steps) with the given means between neighbours."""
    step = np.moveaxis(step, axis, 0)
    slopes = np.zeros((len(step) + 1, *step.shape[1:]))
    for i, s in enumerate(step):
        slopes[i + 1] = 2 * s - slopes[i]
    return np.moveaxis(slopes, 0, axis)


def test_a_masked_solution_beats_the_rectangle_on_a_cap() -> None:
    rows, columns = np.mgrid[:96, :96] - 47.5
    z = np.sqrt(np.maximum(60.0**2 - rows**2 - columns**2, 0))
    mask = np.hypot(rows, columns) < 40
    normal = np.stack([columns / 60, -rows / 60, z / 60])[None]
    error = {}
    for method in METHODS:
        found = integrate(normal, mask[None], replace(EXACT, method=method)).depth[0]
        error[method] = np.abs(found - centred(z, mask))[mask].mean()
    assert max(error["poisson"], error["robust"]) < 0.01
    assert min(error["dct"], error["fc"]) > 10 * error["poisson"]


def test_a_slit_is_torn_by_the_robust_method_only() -> None:
    """A sheet cut halfway in, one lip bent up and the other down: no normal shows the gap."""
    rows, columns = np.mgrid[:96, :64].astype(float)
    side = np.where(rows < 48, 1, -1)
    t = np.clip((24 - columns) / 24, 0, 1)
    lift = 8 * t * t * (3 - 2 * t)
    mask = np.ones_like(lift, bool)
    across, down = side * np.gradient(lift, axis=1), np.zeros_like(lift)
    error = {
        m: np.abs(from_gradient(across, down, mask, method=m) - centred(side * lift, mask)).mean()
        for m in METHODS
    }
    assert error["robust"] < 0.1
    assert min(error["poisson"], error["dct"], error["fc"]) > 1


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
    across, down = 2 * a * COLUMNS + c * ROWS + d, 2 * b * ROWS + c * COLUMNS + e
    found = from_gradient(across, down, mask)
    np.testing.assert_allclose(found, centred(z, mask), atol=3e-3)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["poisson", "robust"]))
@settings(max_examples=20, deadline=None)
def test_adding_a_plane_mirroring_and_scaling(seed: int, method: str) -> None:
    """Depth follows what is done to the surface, whatever errors the slopes have."""
    rng = np.random.default_rng(seed)
    mask, (p, q) = disc(), rng.normal(size=(2, *ROWS.shape))
    p, q = (0.1 * np.round(g, 3) for g in (p, q))
    base = from_gradient(p, q, mask, method=method)
    plane = from_gradient(p + 0.3, q - 0.2, mask, method=method)
    wanted = base + centred(0.3 * COLUMNS - 0.2 * ROWS, mask)
    np.testing.assert_allclose(plane, wanted, atol=2e-3)
    mirrored = from_gradient(-p[:, ::-1], q[:, ::-1], mask[:, ::-1], method=method)
    np.testing.assert_allclose(mirrored[:, ::-1], base, atol=2e-3)
    if method == "poisson":  # tears have a scale
        doubled = from_gradient(2 * p, 2 * q, mask, method=method)
        np.testing.assert_allclose(doubled, 2 * base, atol=2e-3)


def sparse_solution(problem: Problem, mask: np.ndarray) -> np.ndarray:
    """The minimiser of the stated sum over edges and anchored pixels, (P,)."""
    number = np.cumsum(mask).reshape(mask.shape) - 1
    entries, values = [], []
    edges, wanted = problem.edges, problem.wanted
    for axis, weight, step in ((1, edges.across, wanted.across), (0, edges.down, wanted.down)):
        w, g = weight[0].astype(float), step[0].astype(float)
        for i in np.argwhere(w > 0):
            here, there, root = tuple(i), tuple(i + (np.arange(2) == axis)), w[tuple(i)] ** 0.5
            entries += [
                (len(values), number[there], root),
                (len(values), number[here], -root),
            ]
            values.append(root * g[here])
    for i in [] if problem.anchor is None else np.argwhere(problem.anchor[0] > 0):
        root = float(problem.anchor[0][tuple(i)]) ** 0.5
        entries.append((len(values), number[tuple(i)], root))
        values.append(root * problem.prior[0][tuple(i)])
    r, c, v = zip(*entries, strict=True)
    matrix = coo_array((v, (r, c)), shape=(len(values), mask.sum())).tocsr()
    z: np.ndarray = lsqr(matrix, np.array(values), atol=1e-12, btol=1e-12, iter_lim=5000)[0]
    return z


def test_against_sparse_least_squares() -> None:
    """An inconsistent field with weights: the minimiser of the stated sum."""
    rng = np.random.default_rng(1)
    mask, weight = disc(), rng.uniform(0.2, 1, ROWS.shape)
    problem = posed(*rng.normal(size=(2, *ROWS.shape)), mask, weight)
    z = sparse_solution(problem, mask)
    found = solve_poisson(problem, 1e-6)[0][0][mask]
    np.testing.assert_allclose(found - found.mean(), z - z.mean(), atol=2e-4)


def test_a_prior_against_sparse_least_squares() -> None:
    rng = np.random.default_rng(2)
    mask = disc()
    problem = posed(*rng.normal(size=(2, *ROWS.shape)), mask, np.ones_like(ROWS))
    known = (mask & (rng.uniform(size=mask.shape) < 0.5)).astype(np.float32)[None]
    prior = known * rng.normal(5, 3, known.shape).astype(np.float32)
    problem = replace(problem, prior=prior, anchor=0.05 * known, ground=0.02)
    found = solve_poisson(problem, 1e-6)[0][0][mask]
    np.testing.assert_allclose(found, sparse_solution(problem, mask), atol=2e-4)


def test_a_prior_mends_the_low_frequencies() -> None:
    """Normals bent by an error that grows across the face, and a coarse depth from elsewhere."""
    z = 6 * np.cos(ROWS / 9) + 5 * np.sin(COLUMNS / 11)
    mask = disc()
    down, across = np.gradient(z)
    prior = z + 40 + np.random.default_rng(0).normal(0, 1, z.shape)
    prior[::2] = np.nan
    normal = np.stack([-(across + 0.2), down, np.ones_like(z)])[None]
    normal /= np.linalg.norm(normal, axis=1)
    chosen = replace(EXACT, prior_weight=0.1)
    held = integrate(normal, mask[None], chosen, prior=prior[None]).depth[0]
    free = integrate(normal, mask[None], chosen).depth[0]
    assert np.abs(held - z - 40)[mask].mean() < 0.4
    assert np.abs(free - centred(z, mask))[mask].mean() > 1


def test_signs_of_a_sphere() -> None:
    normal, mask = sphere_normals(size=96, radius=40)
    rows, columns = np.mgrid[:96, :96] - 47.5
    near = mask & (np.hypot(rows, columns) < 34)
    height = np.sqrt(np.maximum(40**2 - rows**2 - columns**2, 0))
    found = integrate(normal[None], near[None]).depth[0]
    error = found[near] - (height[near] - height[near].mean())
    assert np.abs(error).mean() < 0.01
    assert found[48, 48] > found[48, 20]


@pytest.mark.parametrize("lengths", [(90.0, 90.0), (120.0, 80.0)])
def test_a_sphere_seen_by_a_camera(lengths: tuple[float, float]) -> None:
    """Rays meet a ball; its distances come back, in pixels at their mean."""
    camera = np.array([[lengths[0], 0, 30], [0, lengths[1], 21], [0, 0, 1.0]])
    x, y = (COLUMNS - 30) / lengths[0], (21 - ROWS) / lengths[1]
    # the ball's centre is 5 before the camera, slightly aside; a point is Z (x, y, -1)
    centre, radius = np.array([0.2, -0.1, -5.0]), 1.6
    ray = np.stack([x, y, -np.ones_like(x)])
    along = np.einsum("chw,c->hw", ray, centre)
    square = (ray**2).sum(axis=0)
    under = along**2 - square * (centre @ centre - radius**2)
    mask = under > 0.15 * under.max()
    distance = (along - np.sqrt(np.maximum(under, 0))) / square
    normal = (distance * ray - centre[:, None, None]) / radius
    found = integrate(normal[None], mask[None], EXACT, camera=camera).depth[0]
    relative = distance / distance[mask].mean()
    wanted = pinhole(camera).scale * (1 - relative)
    assert np.abs(found - wanted)[mask].mean() < 0.03
    orthographic = integrate(normal[None], mask[None], EXACT).depth[0]
    assert np.abs(orthographic - wanted)[mask].mean() > 0.3
    # a prior in the same unit is understood, and keeps its level
    prior = np.where(mask, wanted + 3, np.nan)[None]
    strong = replace(EXACT, prior_weight=1.0)
    held = integrate(normal[None], mask[None], strong, camera=camera, prior=prior).depth[0]
    assert np.abs(held - wanted - 3)[mask].mean() < 0.1


@pytest.mark.parametrize("size", [64, 112, 192, 256])
def test_few_iterations_at_any_size(size: int) -> None:
    normal, mask = sphere_normals(size=size, radius=0.45 * size)
    noisy = normal + 0.1 * np.random.default_rng(0).normal(size=normal.shape)
    noisy /= np.linalg.norm(noisy, axis=0)
    assert integrate(noisy[None], mask[None]).iterations[0] <= 15


def test_nan_outside_and_zero_mean_in_each_component() -> None:
    mask = np.zeros((40, 56), bool)
    mask[3:20, 4:20] = mask[22:39, 30:50] = True
    mask[30, 5] = True  # a pixel alone
    z = 0.5 * COLUMNS - 0.25 * ROWS
    for method in ("poisson", "robust"):
        depth = from_gradient(np.full(z.shape, 0.5), np.full(z.shape, -0.25), mask, method=method)
        assert (np.isnan(depth) == ~mask).all()
        for part in (np.s_[3:20, 4:20], np.s_[22:39, 30:50], np.s_[30:31, 5:6]):
            np.testing.assert_allclose(depth[part], z[part] - z[part].mean(), atol=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_flat_empty_and_single_pixel_masks(method: str) -> None:
    flat = np.stack([np.zeros((9, 9)), np.zeros((9, 9)), np.ones((9, 9))])
    masks = np.zeros((3, 9, 9), np.uint8)
    masks[0], masks[1, 4, 4] = 1, 1
    found = integrate(np.stack([flat] * 3), masks, Settings(method))
    assert (found.depth[0] == 0).all()
    assert found.depth[1, 4, 4] == 0
    assert (np.isnan(found.depth) == (masks == 0)).all()
    assert (found.iterations == 0).all()


def test_grazing_normals_are_clamped() -> None:
    """A rim that faces away must not tear the surface."""
    normal, mask = sphere_normals()
    normal = normal.copy()
    normal[:, 24, 5:8] = np.array([-1.0, 0, -0.1])[:, None]
    depth = integrate(normal[None], mask[None]).depth[0][mask]
    assert np.isfinite(depth).all()
    assert np.ptp(depth) < 100


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_detrending(seed: int) -> None:
    """What is left has no plane or quadratic; what was taken is recorded, x right and y up."""
    rng = np.random.default_rng(seed)
    mask = disc() | (COLUMNS > 50)
    bump = 3 * np.exp(-((ROWS - 19) ** 2 + (COLUMNS - 27) ** 2) / 30)
    tilt = rng.uniform(-0.3, 0.3, 2)
    z = bump + tilt[0] * COLUMNS - tilt[1] * ROWS
    normal = height_normals(z)[None]
    base = integrate(height_normals(bump)[None], mask[None], replace(EXACT, detrend="plane"))
    found = integrate(normal, mask[None], replace(EXACT, detrend="plane"))
    np.testing.assert_allclose(found.depth[0], base.depth[0], atol=0.02)
    np.testing.assert_allclose((found.trend - base.trend)[0, 1:3], tilt, atol=1e-3)
    curved = integrate(normal, mask[None], replace(EXACT, detrend="quadratic")).depth[0]
    part = disc()
    for term in (1, COLUMNS - 27, (ROWS - 19) ** 2, (ROWS - 19) * (COLUMNS - 27)):
        assert abs((curved * term)[part].mean()) < 0.02
    one = replace(EXACT, detrend="quadratic")
    assert integrate(normal, (ROWS + COLUMNS == 0)[None], one).depth[0, 0, 0] == 0


def batch(count: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Noisy spheres of several sizes and places in one frame."""
    rng = np.random.default_rng(3)
    normals = np.zeros((count, 3, 96, 80), np.float32)
    masks = np.zeros((count, 96, 80), bool)
    for i in range(count):
        normal, mask = sphere_normals(size=76, radius=20 + 4 * i)
        noisy = normal + 0.05 * rng.normal(size=normal.shape)
        normals[i, :, i : 76 + i, :76] = noisy / np.linalg.norm(noisy, axis=0)
        masks[i, i : 76 + i, :76] = mask
    return normals, masks


@pytest.mark.parametrize("method", METHODS)
def test_a_depth_does_not_depend_on_the_rest_of_the_batch(method: str) -> None:
    normals, masks = batch()
    together = integrate(normals, masks, Settings(method))
    for i in (0, 3):
        alone = integrate(normals[i : i + 1], masks[i : i + 1], Settings(method))
        np.testing.assert_array_equal(alone.depth[0], together.depth[i])
        assert alone.iterations[0] == together.iterations[i]


@pytest.mark.parametrize("method", METHODS)
def test_torch_agrees_with_numpy(method: str) -> None:
    torch = pytest.importorskip("torch")
    normals, masks = batch()
    prior = np.where(masks, 4.0, np.nan).astype(np.float32)
    prior[:3] = np.nan
    camera = np.array([[400.0, 0, 40], [0, 420, 48], [0, 0, 1]])
    for options in ({}, {"camera": camera, "prior": prior}):
        wanted = integrate(normals, masks, Settings(method), **options)
        tensors = {k: torch.tensor(v) if k == "prior" else v for k, v in options.items()}
        found = integrate(torch.tensor(normals), torch.tensor(masks), Settings(method), **tensors)
        assert isinstance(found.depth, torch.Tensor)
        difference = np.abs(found.depth.numpy() - wanted.depth)[masks]
        if method == "robust":  # rounding decides whether an edge at the border is kept or torn
            assert np.quantile(difference, 0.99) < 5e-3
        else:
            assert difference.max() < 1e-4


def test_bad_input() -> None:
    normals, masks = batch(2)
    broken = normals.copy()
    broken[1, 0][masks[1]] = np.nan
    with pytest.raises(MalformedInputError, match="NaN or infinity inside the mask"):
        integrate(broken, masks)
    broken[1] = np.where(masks[1], normals[1], np.nan)  # outside, nothing is read
    np.testing.assert_array_equal(integrate(broken, masks).depth, integrate(normals, masks).depth)
    with pytest.raises(MalformedInputError, match="expected"):
        integrate(normals, masks[:, 1:])
    with pytest.raises(MalformedInputError, match="prior"):
        integrate(normals, masks, prior=np.zeros((1, 96, 80)))
    with pytest.raises(MalformedInputError, match="fx 0 cx"):
        integrate(normals, masks, camera=np.diag([400.0, -400, 1]))
    with pytest.raises(MalformedInputError, match="camera matrices: found 3, expected 2"):
        integrate(normals, masks, camera=np.stack([np.eye(3)] * 3))


@pytest.mark.parametrize(
    "options", [{"method": "magic"}, {"detrend": "cubic"}, {"min_nz": 0}, {"rtol": 2}]
)
def test_bad_settings(options: dict) -> None:
    with pytest.raises(UsageError):
        Settings(**options)


@pytest.mark.parametrize(("noise", "gain"), [(0.05, 1.05), (0.2, 0.85), (0.5, 0.45)])
def test_the_robust_solver_under_noise(noise: float, gain: float) -> None:
    """Where nothing tears it does no harm, and outliers of strong noise weigh less."""
    normal, mask = sphere_normals(size=96, radius=44)
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:96, :96] - 47.5
    near = mask & (np.hypot(rows, columns) < 38)
    truth = centred(np.sqrt(np.maximum(44**2 - rows**2 - columns**2, 0)), near)
    error = {"poisson": 0.0, "robust": 0.0}
    for _ in range(3):
        noisy = normal + noise * rng.normal(size=normal.shape)
        noisy /= np.linalg.norm(noisy, axis=0)
        for method in error:
            found = integrate(noisy[None], near[None], Settings(method)).depth[0]
            error[method] += float(np.abs(found - truth)[near].mean())
    assert error["robust"] < gain * error["poisson"]


def test_nothing_to_tear() -> None:
    problem = posed(*np.zeros((2, 40, 56)), disc(), np.ones_like(ROWS))
    assert (solve_robust(problem, 1e-4)[0] == 0).all()


def test_a_place_in_a_larger_frame_changes_nothing() -> None:
    """The camera, the prior and the mask move with the face."""
    mask, z = disc(12), 3 * np.cos(ROWS / 9) + 2 * np.sin(COLUMNS / 11)
    normal, prior = height_normals(z), np.where(ROWS < 18, z, np.nan)
    camera = np.array([[90.0, 0, 30], [0, 90, 21], [0, 0, 1]])
    chosen = replace(EXACT, prior_weight=1.0)
    small = integrate(normal[None], mask[None], chosen, camera=camera, prior=prior[None])
    pad = ((100, 60), (150, 94))
    moved = camera + np.array([[0, 0, 150], [0, 0, 100], [0, 0, 0]])
    large = integrate(
        np.pad(normal, ((0, 0), *pad))[None],
        np.pad(mask, pad)[None],
        chosen,
        camera=moved,
        prior=np.pad(prior, pad)[None],
    )
    found = large.depth[0, 100:140, 150:206]
    np.testing.assert_allclose(found, small.depth[0], atol=1e-3)


def test_a_strong_prior_is_solved_as_fast() -> None:
    z, mask = 6 * np.cos(ROWS / 9) + 5 * np.sin(COLUMNS / 11), disc()
    strong = replace(EXACT, prior_weight=1.0)
    found = integrate(height_normals(z)[None], mask[None], strong, prior=z[None])
    assert found.iterations[0] <= 6
