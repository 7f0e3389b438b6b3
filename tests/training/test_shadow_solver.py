import json

import numpy as np
import onnxruntime
import pytest
import torch

from fr3d.photometric.solvers.shadow import _solved
from fr3d.photometric.solvers.shadow_evidence import CHANNELS
from fr3d.training.shadow_solver.cast_shadow import reached
from fr3d.training.shadow_solver.export import export
from fr3d.training.shadow_solver.fit import Plan, fit
from fr3d.training.shadow_solver.heads import Heads, build_heads
from fr3d.training.shadow_solver.network import ShadowNetwork
from fr3d.training.shadow_solver.objective import loss
from fr3d.training.shadow_solver.objects import random_object
from fr3d.training.shadow_solver.rigs import random_rig
from fr3d.training.shadow_solver.sessions import Format, random_example
from fr3d.training.shadow_solver.solution import solution
from fr3d.training.shadow_solver.surface import NOWHERE, Surface, reshaped, transformed


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    path = tmp_path_factory.mktemp("heads") / "heads.npz"
    build_heads(path, 3, 2)
    return Heads(path)


def hill(size=80):
    """A smooth surface whose slope is known in closed form."""
    y, x = np.mgrid[:size, :size].astype(np.float32) - size / 2
    z = 12 * np.exp(-(x**2 + 0.5 * y**2) / 300)
    slope = np.stack([-2 * x / 300 * z, y / 300 * z])
    mask = np.ones((size, size), bool)
    return Surface(slope.astype(np.float32), z.astype(np.float32), np.ones_like(z), mask)


def slope_of(depth):
    down, right = np.gradient(depth)
    return np.stack([right, -down])


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_slopes_follow_a_turned_scaled_and_mirrored_picture(mirror):
    zoom, turn = 1.3, 0.4
    cos, sin = np.cos(turn) / zoom, np.sin(turn) / zoom
    linear = np.array([[mirror * cos, -sin], [mirror * sin, cos]])
    matrix = np.concatenate([linear, (40 - linear @ [40, 40])[:, None]], axis=1)
    moved = transformed(hill(), matrix.astype(np.float32), 80, zoom)
    inner = (slice(None), slice(30, 50), slice(30, 50))
    np.testing.assert_allclose(moved.slope[inner], slope_of(moved.depth)[inner], atol=0.03)


def test_slopes_follow_stretch_tilt_and_bumps():
    bumps = np.fromfunction(lambda i, j: np.sin(i / 9) * np.cos(j / 7), (80, 80))
    shaped = reshaped(hill(), 1.4, np.array([0.2, -0.1], np.float32), bumps.astype(np.float32))
    inner = (slice(None), slice(5, -5), slice(5, -5))
    np.testing.assert_allclose(shaped.slope[inner], slope_of(shaped.depth)[inner], atol=0.02)


def test_slopes_of_things_are_those_of_their_height():
    # Superellipsoids are steep at their rims, where differences of heights lag behind.
    for seed in range(4):
        thing = random_object(np.random.default_rng(seed), 128)
        both = thing.mask & (np.abs(thing.slope).max(axis=0) < 1)
        off = np.abs(slope_of(np.where(thing.mask, thing.depth, np.nan)) - thing.slope)
        assert np.nanmedian(off[:, both]) < 0.05


def test_a_wall_casts_a_shadow_as_long_as_the_light_is_low():
    depth = np.zeros((41, 61), np.float32)
    depth[:, 30:33] = 12.0
    for zenith in (45.0, 63.4):
        angle = np.deg2rad(zenith)
        light = np.array([np.sin(angle), 0, np.cos(angle)], np.float32)
        share = reached(depth, np.ones_like(depth, bool), light, 0, 0.02)[20]
        dark = np.count_nonzero(share[:30] < 0.5)
        assert dark == pytest.approx(12 * np.tan(angle), abs=2.5)
        assert share[33:].min() == 1.0


def test_shadow_of_nothing_and_mask_are_kept():
    depth = np.full((20, 20), NOWHERE, np.float32)
    depth[5:15, 5:15] = 3.0
    share = reached(depth, depth > 0, np.array([0.8, 0, -0.6], np.float32), 2, 0.05)
    assert share.shape == (16, 16)
    assert share[:3].max() == 0.0
    assert share[5, 12] == 1.0


def test_rigs_are_unit_vectors_that_span_space():
    for seed in range(20):
        rig = random_rig(np.random.default_rng(seed), 4)
        np.testing.assert_allclose(np.linalg.norm(rig, axis=1), 1, atol=1e-5)
        assert np.linalg.matrix_rank(rig, tol=0.01) == 3


@pytest.mark.parametrize("head", [True, False])
def test_examples_come_from_their_seed_and_obey_lambert_where_lit(heads, head):
    format_ = Format(4, 96, 64)
    draws = [random_example(np.random.default_rng(8), heads, format_, head=head) for _ in range(2)]
    one = draws[0]
    assert one.images.tobytes() == draws[1].images.tobytes()
    assert one.evidence.shape == (4, CHANNELS, 32, 32)
    shading = np.einsum("lc,chw->lhw", one.lights, one.truth)
    lit = (one.lit > 0.99) & (one.saturated == 0) & (one.mask > 0)
    assert np.corrcoef(shading[lit], one.images[lit])[0, 1] > 0.8


def advice(rng, lights):
    each = rng.normal(size=(1, lights, 2, 12, 16)).astype(np.float32)
    return each, rng.normal(size=(1, 7, 12, 16)).astype(np.float32)


def test_shipped_solver_and_its_differentiable_twin_agree():
    rng = np.random.default_rng(0)
    images = rng.random((5, 24, 32), np.float32)
    lights = rng.normal(size=(5, 3)).astype(np.float32)
    lights /= np.linalg.norm(lights, axis=1, keepdims=True)
    saturated = images > 0.9
    each, shared = advice(rng, 5)
    found = _solved(images, lights, saturated, (each[0], shared[0]), np.float32(1))
    numbers = [torch.from_numpy(a) for a in (images[None], lights[None])]
    marked = torch.from_numpy(saturated[None].astype(np.float32))
    g, _, _, expected = solution(*numbers, marked, torch.from_numpy(each), torch.from_numpy(shared))
    np.testing.assert_allclose(found.g, g[0].numpy(), atol=2e-3)
    want = np.rad2deg(np.exp(np.minimum(expected[0].numpy(), 1.0)))
    np.testing.assert_allclose(found.expected_error, want, rtol=1e-3)


def test_the_truth_costs_nothing():
    rng = np.random.default_rng(2)
    truth = torch.from_numpy(rng.normal(size=(2, 3, 8, 8)).astype(np.float32))
    truth[:, 2] = truth[:, 2].abs() + 1
    unit = torch.nn.functional.normalize(truth, dim=1)
    lit, mask = torch.ones(2, 4, 8, 8), torch.ones(2, 8, 8)
    judges = torch.tensor([[[0.0, 0, 1], [0.5, 0, 0.8]]]).expand(2, -1, -1)
    solved = (3 * truth, torch.ones(2, 4, 8, 8), unit, torch.zeros(2, 8, 8))
    parts = loss(solved, truth, lit, mask, judges)
    assert parts.relit < 1e-3
    assert parts.angle < 2e-3
    wrong = (truth.flip(2), *solved[1:])
    assert loss(wrong, truth, lit, mask, judges).relit > 0.1


def test_training_descends_and_repeats_itself(heads, tmp_path):
    plan = Plan(seed=4, steps=3, batch=2)
    networks = [fit(heads, plan, tmp_path / f"{i}.jsonl") for i in range(2)]
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    fresh = ShadowNetwork().state_dict()
    assert any(not torch.equal(fresh[name], states[0][name]) for name in fresh)


@pytest.mark.filterwarnings("ignore")
def test_exported_network_says_what_the_trained_one_says(tmp_path):
    torch.manual_seed(0)
    network = ShadowNetwork()
    export(network, tmp_path / "net.onnx", {"seed": 0, "data": "none"})
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"))
    assert json.loads(session.get_modelmeta().custom_metadata_map["seed"]) == 0
    assert (tmp_path / "net.onnx").stat().st_size < 2_000_000
    for lights, height, width in ((4, 24, 24), (3, 16, 40), (7, 32, 8)):
        seen = torch.rand(lights, CHANNELS, height, width)
        each, shared = session.run(None, {"evidence": seen.numpy()})
        with torch.no_grad():
            want = network(seen[None])
        np.testing.assert_allclose(each, want[0][0].numpy(), atol=5e-3)
        np.testing.assert_allclose(shared, want[1].numpy(), atol=5e-3)
