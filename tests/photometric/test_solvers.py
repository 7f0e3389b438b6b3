import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lit_sphere import AZIMUTH, ZENITH, degrees, photographs, sphere_normals
from scipy.spatial.transform import Rotation

from fr3d.geometry.lights import direction
from fr3d.photometric.solvers.choice import choose_solver, redundancy_note
from fr3d.photometric.solvers.face_blend import FACE_SPREAD, draw_to_face
from fr3d.photometric.solvers.fit import Rig, fit_adjugate, fit_weighted
from fr3d.photometric.solvers.linear import shade, split_scaled_normal
from fr3d.photometric.solvers.prior import DOUBTED, STEADY
from fr3d.photometric.solvers.problem import SATURATED_WEIGHT
from fr3d.photometric.solvers.robust import CAUCHY, CONSISTENCY, Doubt
from fr3d.photometric.solvers.solve import SOLVERS, solve

LIGHTS = direction(ZENITH, AZIMUTH)
ALL = pytest.mark.parametrize("solver", list(SOLVERS))


def solve_one(images, lights=LIGHTS, saturated=None, solver="ls", prior=None) -> np.ndarray:
    """A session (L, H, W)."""
    saturated = None if saturated is None else saturated[None]
    prior = None if prior is None else (prior[0][None], prior[1][None])
    return solve(images[None], lights[None], saturated, solver, prior)[0]


def pixels(count: int, lights: int, seed: int = 0) -> np.ndarray:
    """Intensities (L, 1, P) that no surface explains."""
    return np.random.default_rng(seed).uniform(0.05, 1, (lights, 1, count)).astype(np.float32)


def rig_of(count: int, zenith: float = 40.0) -> np.ndarray:
    rng = np.random.default_rng(count)
    return direction(zenith * rng.uniform(0.5, 1, count), np.arange(count) * 360 / count)


def unshadowed(images: np.ndarray) -> np.ndarray:
    return (images > 0).all(axis=0)


@ALL
@pytest.mark.parametrize("count", [3, 4, 6, 12])
def test_sphere_is_exact_where_all_lights_reach(solver: str, count: int) -> None:
    zenith, azimuth = np.full(count, 38.0), np.arange(count) * 360 / count + 20
    images = photographs(zenith, azimuth)
    albedo, normal = split_scaled_normal(
        solve_one(images, direction(zenith, azimuth), None, solver)
    )
    truth, mask = sphere_normals()
    lit = unshadowed(images) & mask
    assert lit.mean() > 0.1
    assert degrees(normal, truth)[lit].max() < 0.1
    np.testing.assert_allclose(albedo[lit], 0.7, rtol=1e-4)


def sphere_error(images: np.ndarray, lights: np.ndarray, solver: str) -> float:
    truth, mask = sphere_normals()
    found = split_scaled_normal(solve_one(images, lights, None, solver))[1]
    return float(degrees(found, truth)[mask].mean())


def test_attached_shadows_are_forgiven() -> None:
    """On the whole sphere, shadowed rim included, weighting must pay."""
    error = {name: sphere_error(photographs(), LIGHTS, name) for name in SOLVERS}
    assert error["ratio"] < 0.6 * error["ls"]
    assert error["consistency"] < 0.6 * error["ls"]
    assert error["ratio"] < 4


def test_cauchy_sees_through_shadows_and_highlights() -> None:
    """Twelve lights: a fifth of the samples in cast shadow or in a highlight."""
    zenith, azimuth = np.tile([25.0, 50], 6), np.arange(12) * 30.0
    lights, rng = direction(zenith, azimuth), np.random.default_rng(0)
    images = photographs(zenith, azimuth)
    kind = rng.uniform(size=images.shape)
    images = np.where(kind < 0.1, 0, np.where(kind > 0.9, images + 0.5, images)).astype(np.float32)
    error = {name: sphere_error(images, lights, name) for name in SOLVERS}
    assert error["cauchy"] < 0.25 * error["ls"]
    assert error["cauchy"] < error["consistency"] < 0.8 * error["ls"]


@pytest.mark.parametrize(("count", "spoil", "share"), [(4, 0.0, 0.3), (7, 0.0, 0.3), (7, 2.0, 0.8)])
def test_consistency_finds_the_sample_at_fault(count: int, spoil: float, share: float) -> None:
    """A cast shadow or a highlight on a surface that all lights reach."""
    truth = np.array([0.12, -0.06, 0.99]) / np.linalg.norm([0.12, -0.06, 0.99])
    lights = direction(np.full(count, 38.0), np.arange(count) * 360 / count)
    images = (0.8 * lights @ truth).astype(np.float32)
    images[2] *= spoil
    error = {}
    for name in ("ls", "consistency"):
        g = solve_one(images[:, None, None], lights, None, name)
        error[name] = degrees(split_scaled_normal(g)[1][:, 0, 0], truth)
    assert error["consistency"] < share * error["ls"]


def slow_weights(intensity, shading, unit: float, doubt: Doubt) -> np.ndarray:
    """Weights of one pixel from the formula."""
    relative = intensity / intensity.max()
    residual = (intensity - np.maximum(shading, 0)) / unit
    above, below = (d[1] + (d[0] - d[1]) * relative for d in (doubt.above, doubt.below))
    slack = 1 + (residual / np.where(residual > 0, above, below)) ** 2
    slack = np.where(shading < 0, np.maximum(slack, 1 / doubt.behind), slack)
    if doubt.dark > 0:
        slack *= 1 + (1 / doubt.dark_weight - 1) * np.maximum(1 - relative / doubt.dark, 0)
    return 1 / np.minimum(slack, 1e5)


def slow_fit(intensity, lights, weight) -> np.ndarray:
    root = np.sqrt(weight)
    return np.linalg.lstsq(lights * root[:, None], intensity * root, rcond=None)[0]


def slow_solution(intensity, lights, saturated, solver: str) -> np.ndarray:
    """One pixel in float64."""
    count = len(intensity)
    trust = np.where(saturated, SATURATED_WEIGHT, 1.0)
    if solver == "ls":
        return slow_fit(intensity, lights, trust)
    if solver == "ratio":
        return slow_fit(intensity, lights, trust * np.maximum(intensity / intensity.max(), 0.02))
    doubt = {"cauchy": CAUCHY, "consistency": CONSISTENCY}[solver]
    weight = np.ones(count)
    if solver == "cauchy" and count >= 8:
        ordered = np.sort(intensity)
        low, high = ordered[int(0.3 * count)], ordered[count - 1 - int(0.2 * count)]
        weight = np.where((intensity >= low) & (intensity <= high), 1, 1e-4)
    unit = intensity.max()
    if solver == "cauchy":
        unit = np.linalg.norm(slow_fit(intensity, lights, trust * weight))
    for _ in range(doubt.rounds * (count > 3)):
        g = slow_fit(intensity, lights, trust * weight)
        weight = slow_weights(intensity, lights @ g, unit, doubt)
    return slow_fit(intensity, lights, trust * weight)


@ALL
@pytest.mark.parametrize("count", [3, 4, 7, 24])
def test_against_slow_solutions(solver: str, count: int) -> None:
    lights, images = rig_of(count), pixels(150, count)
    saturated = images > 0.9
    slow = [
        slow_solution(images[:, 0, p].astype(float), lights, saturated[:, 0, p], solver)
        for p in range(images.shape[2])
    ]
    found = solve_one(images, lights, saturated, solver)[:, 0].T
    np.testing.assert_allclose(found, slow, atol=2e-3 if solver == "cauchy" else 1e-4)


@pytest.mark.parametrize("solver", ["ls", "ratio"])
@pytest.mark.parametrize("count", [3, 4, 7])
def test_narrow_rigs_are_solved_in_a_well_conditioned_frame(solver: str, count: int) -> None:
    lights, images = rig_of(count, zenith=4), pixels(100, count)
    nothing = np.zeros(count, bool)
    slow = [slow_solution(v.astype(float), lights, nothing, solver) for v in images[:, 0].T]
    found = solve_one(images, lights, None, solver)[:, 0].T
    np.testing.assert_allclose(found, slow, atol=1e-4 * np.linalg.cond(lights))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_four_lights_need_no_matrix(seed: int) -> None:
    """The closed form for four lights and the adjugate agree for any weights."""
    rng = np.random.default_rng(seed)
    lights = direction(rng.uniform(15, 60, 4), rng.uniform(0, 80, 4) + np.arange(4) * 90)
    planes = rng.uniform(0, 1, (4, 50)).astype(np.float32)
    weights = (10.0 ** rng.uniform(-2, 0, (4, 50))).astype(np.float32)
    rig = Rig(lights, planes)
    scale = np.linalg.cond(lights) ** 2
    np.testing.assert_allclose(
        fit_weighted(rig, planes, 1 / weights),
        fit_adjugate(rig, planes, weights),
        atol=1e-4 * scale,
    )


@ALL
@pytest.mark.parametrize("prior", [False, True])
@pytest.mark.parametrize("count", [3, 4, 12])
def test_numpy_and_torch_agree(solver: str, prior: bool, count: int) -> None:
    torch = pytest.importorskip("torch")
    lights = np.stack([rig_of(count), rig_of(count, 30.0)])
    rng = np.random.default_rng(count)
    images = rng.uniform(0, 1, (2, count, 20, 31)).astype(np.float32)
    saturated = images > 0.97
    known = (rng.normal(size=(2, 3, 20, 31)).astype(np.float32), np.ones((2, 20, 31), np.float32))
    expected = solve(images, lights, saturated, solver, known if prior else None)
    for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
        there = [torch.from_numpy(a).to(device) for a in (images, saturated, *known)]
        given_prior = (there[2], there[3]) if prior else None
        found = solve(there[0], lights, there[1], solver, given_prior)
        assert found.device.type == device
        np.testing.assert_allclose(found.cpu().numpy(), expected, atol=1e-4)


def test_numpy_never_imports_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from fr3d.photometric.solvers.solve import solve, SOLVERS\n"
        "for s in SOLVERS: solve(np.ones((1, 4, 2, 2), np.float32), np.eye(4, 3)[None], None, s)\n"
        "sys.exit('torch' in sys.modules)"
    ).replace("np.eye(4, 3)", "np.array([[1., 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]])")
    subprocess.run([sys.executable, "-c", code], check=True)


@ALL
def test_a_session_does_not_depend_on_its_batch(solver: str) -> None:
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 1, (3, 4, 90, 110)).astype(np.float32)
    saturated = images > 0.99
    saturated[1] = False
    lights = np.stack([LIGHTS, rig_of(4), LIGHTS[::-1]])
    together = solve(images, lights, saturated, solver)
    for i in range(3):
        assert (solve_one(images[i], lights[i], saturated[i], solver) == together[i]).all()


@ALL
@given(st.permutations(range(4)))
@settings(max_examples=10)
def test_the_order_of_lights_changes_nothing(solver: str, order: list[int]) -> None:
    images = photographs(size=24)
    found = solve_one(images[order], LIGHTS[order], None, solver)
    np.testing.assert_allclose(found, solve_one(images, LIGHTS, None, solver), atol=1e-4)


@ALL
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_rotating_the_lights_rotates_the_normals(solver: str, seed: int) -> None:
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    images = photographs(size=24)
    turned = solve_one(images, LIGHTS @ turn.T, None, solver)
    expected = np.einsum("ij,jhw->ihw", turn, solve_one(images, LIGHTS, None, solver))
    np.testing.assert_allclose(turned, expected, atol=1e-4)


@ALL
@given(st.floats(1e-2, 50))
@settings(max_examples=10)
def test_exposure_scales_the_albedo_alone(solver: str, exposure: float) -> None:
    images = photographs(size=24) + 0.01
    found = solve_one((exposure * images).astype(np.float32), LIGHTS, None, solver)
    expected = exposure * solve_one(images, LIGHTS, None, solver)
    np.testing.assert_allclose(found, expected, atol=2e-4 * exposure)


@ALL
def test_black_pixels_stay_black_and_finite(solver: str) -> None:
    g = solve_one(np.zeros((4, 5, 6), np.float32), LIGHTS, None, solver)
    albedo, normal = split_scaled_normal(g)
    assert (albedo == 0).all()
    assert (normal == 0).all()


@ALL
def test_saturated_values_lose_weight(solver: str) -> None:
    zenith, azimuth = np.append(ZENITH, [20, 30, 25]), np.append(AZIMUTH, [0, 110, 220])
    lights = direction(zenith, azimuth)
    images = photographs(zenith, azimuth, albedo=1.0)
    clipped = np.minimum(images, 0.8).astype(np.float32)
    truth, mask = sphere_normals()
    lit = unshadowed(images) & mask & ((images > 0.8).sum(axis=0) == 1)

    def error(saturated) -> float:
        found = split_scaled_normal(solve_one(clipped, lights, saturated, solver))[1]
        return degrees(found, truth)[lit].mean()

    assert error(clipped >= 0.8) < 0.5 * error(None) + 0.05


def test_three_lights_use_saturated_values_for_want_of_others() -> None:
    images = pixels(40, 3)
    expected = solve_one(images, LIGHTS[:3])
    np.testing.assert_allclose(solve_one(images, LIGHTS[:3], images > 0.5), expected, atol=1e-5)


@ALL
def test_the_prior_takes_over_where_light_is_scarce(solver: str) -> None:
    """Half of the sphere lies in the shadow of all lights but one."""
    images, (truth, mask) = photographs(), sphere_normals()
    dark = mask.copy()
    dark[:, 24:] = False
    images[1:, dark] = 0
    tilted = truth + np.array([0.1, 0.0, 0])[:, None, None] * mask
    prior = (tilted.astype(np.float32), mask.astype(np.float32))

    def error(known, where) -> float:
        found = split_scaled_normal(solve_one(images, LIGHTS, None, solver, known))[1]
        return degrees(found, truth)[where].mean()

    assert error(prior, dark) < 0.7 * error(None, dark)
    reached = unshadowed(images) & mask
    assert error(prior, reached) < 2
    nowhere = (prior[0], 0 * prior[1])
    assert error(nowhere, mask) == pytest.approx(error(None, mask), abs=0.01)


def test_the_prior_against_a_slow_solution() -> None:
    images = pixels(60, 4, seed=3)
    rng = np.random.default_rng(1)
    known = rng.normal(size=(3, 1, 60)).astype(np.float32), rng.uniform(size=(1, 60))
    found = solve_one(images, LIGHTS, None, "ls", (known[0], known[1].astype(np.float32)))
    shading = np.maximum(np.einsum("lc,chw->lhw", LIGHTS, known[0]), 0)
    weight = known[1] * images / images.max(axis=0)
    scale = (weight * images * shading).sum() / (weight * shading**2).sum()
    for p in range(60):
        intensity = images[:, 0, p].astype(float)
        misfit = intensity - LIGHTS @ np.linalg.lstsq(LIGHTS, intensity, rcond=None)[0]
        doubt = np.linalg.norm(misfit) / np.linalg.norm(intensity)
        pull = (STEADY + DOUBTED * doubt) * known[1][0, p]
        expected = np.linalg.solve(
            LIGHTS.T @ LIGHTS + pull * np.eye(3),
            LIGHTS.T @ intensity + pull * scale * known[0][:, 0, p],
        )
        np.testing.assert_allclose(found[:, 0, p], expected, atol=1e-4)


def test_the_choice_of_solver() -> None:
    chosen = {n: choose_solver(rig_of(n), n) for n in (3, 4, 12, 20, 24)}
    expected = {3: "shadow", 4: "shadow", 12: "shadow", 20: "cauchy", 24: "cauchy"}
    assert chosen == expected
    assert choose_solver(rig_of(24), 4) == "shadow"


def test_a_face_takes_over_where_normals_are_doubted() -> None:
    """The posterior mean of two estimates of known variance, checked pixel by pixel."""
    rng = np.random.default_rng(4)
    expected = rng.normal(size=(3, 6, 5)).astype(np.float32)
    g = 2 * expected + rng.normal(0, 0.1, expected.shape).astype(np.float32)
    sure, doubtful = np.zeros((6, 5), np.float32), np.full((6, 5), 1e3, np.float32)
    weight = np.ones((6, 5), np.float32)
    np.testing.assert_allclose(draw_to_face(g, sure, (expected, weight)), g, atol=1e-6)
    np.testing.assert_allclose(draw_to_face(g, doubtful, (expected, 0 * weight)), g, atol=1e-6)
    drawn = draw_to_face(g, doubtful, (expected, weight))
    scale = (g * expected).sum() / (expected * expected).sum()
    np.testing.assert_allclose(drawn, scale * expected, rtol=1e-4, atol=1e-5)
    half = draw_to_face(g, np.full((6, 5), FACE_SPREAD), (expected, weight))
    np.testing.assert_allclose(half, (g + scale * expected) / 2, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        draw_to_face(3 * g, doubtful, (5 * expected, weight)), 3 * drawn, rtol=1e-4, atol=1e-4
    )


def test_three_lights_say_so() -> None:
    assert "least squares" in (redundancy_note("cauchy", 3) or "")
    assert "neighbours" in (redundancy_note("shadow", 3) or "")
    assert "no redundancy" in (redundancy_note("ls", 3) or "")
    assert redundancy_note("cauchy", 4) is None
    images = pixels(40, 3)
    for name in SOLVERS:
        same = solve_one(images, LIGHTS[:3], None, name)
        np.testing.assert_array_equal(same, solve_one(images, LIGHTS[:3]))


def test_shade_inverts_the_solution() -> None:
    g = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(shade(LIGHTS, g), np.einsum("lc,chw->lhw", LIGHTS, g), atol=1e-6)


@pytest.mark.benchmark
@ALL
def test_speed(solver: str, record_property) -> None:
    images = np.random.default_rng(0).uniform(size=(4, 256, 256)).astype(np.float32)
    best = min(_timed(lambda: solve_one(images, LIGHTS, None, solver)) for _ in range(20))
    record_property("ms", 1000 * best)


def _timed(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
