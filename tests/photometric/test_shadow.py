import hashlib
import subprocess
import sys
from importlib.resources import files

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lit_sphere import degrees, photographs, sphere_normals

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction
from fr3d.photometric.solvers import shadow_evidence
from fr3d.photometric.solvers.shadow import solve_shadow
from fr3d.photometric.solvers.shadow_network import WEIGHTS, ask

WIDE = np.array([70.0, 72, 68, 75]), np.array([130.0, 45, 315, 230])


def wide_sphere(size=96):
    images = photographs(*WIDE, size=size)
    normal, mask = sphere_normals(size, radius=size * 20 / 48)
    return images, direction(*WIDE), normal, mask


def plain(images, lights):
    return np.einsum("cl,lhw->chw", np.linalg.pinv(lights), images)


def error(g, normal, mask):
    length = np.maximum(np.linalg.norm(g, axis=0), 1e-9)
    return float(degrees(g / length, normal)[mask].mean())


def test_ridge_solution_solves_the_normal_equations():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(5, 3)).astype(np.float32)
    images, weight = rng.random((2, 5, 4, 3)).astype(np.float32)
    target, ridge = rng.normal(size=(3, 4, 3)).astype(np.float32), rng.random((4, 3)) + 0.1
    g = shadow_evidence.ridge_solution(images, weight, rows, target, ridge.astype(np.float32))
    for place in np.ndindex(4, 3):
        i = (slice(None), *place)
        a = rows.T @ (weight[i][:, None] * rows) + ridge[place] * np.eye(3)
        b = rows.T @ (weight[i] * images[i]) + ridge[place] * target[i]
        np.testing.assert_allclose(g[i], np.linalg.solve(a, b), rtol=2e-3, atol=2e-4)


def test_attached_shadows_of_a_sphere_cost_half_of_what_they_cost_least_squares():
    images, lights, normal, mask = wide_sphere()
    found = solve_shadow(images, lights, mask=mask)
    assert error(found.g, normal, mask) < 0.5 * error(plain(images, lights), normal, mask)


def test_a_cast_shadow_bends_normals_less_than_least_squares():
    images, lights, normal, mask = wide_sphere()
    images[1, 20:50, 30:60] *= 0.02
    hole = np.zeros_like(mask)
    hole[24:46, 34:56] = True
    found = solve_shadow(images, lights, mask=mask)
    worse = error(plain(images, lights), normal, hole)
    assert error(found.g, normal, hole) < 0.6 * worse


def test_expected_error_is_higher_where_fewer_lights_reach():
    images, lights, _, mask = wide_sphere()
    found = solve_shadow(images, lights, mask=mask)
    reached = (images > 0).sum(axis=0)
    assert found.expected_error.shape == mask.shape
    few = found.expected_error[mask & (reached <= 2)].mean()
    assert few > 1.3 * found.expected_error[mask & (reached == 4)].mean()


def test_order_of_lights_changes_nothing():
    images, lights, _, mask = wide_sphere()
    order = [2, 0, 3, 1]
    g = solve_shadow(images, lights, mask=mask).g
    again = solve_shadow(images[order], lights[order], mask=mask).g
    np.testing.assert_allclose(again, g, atol=1e-4)


def test_brightness_of_the_session_only_scales_the_albedo():
    images, lights, _, mask = wide_sphere()
    g = solve_shadow(images, lights, mask=mask).g
    brighter = solve_shadow(4 * images, lights, mask=mask).g
    np.testing.assert_allclose(brighter, 4 * g, rtol=1e-4, atol=1e-4)


def test_empty_surroundings_change_little():
    images, lights, normal, mask = wide_sphere()
    wide = np.pad(images, ((0, 0), (60, 90), (120, 30)))
    g = solve_shadow(wide, lights, mask=np.pad(mask, ((60, 90), (120, 30)))).g
    inner = g[:, 60:-90, 120:-30]
    alone = error(solve_shadow(images, lights, mask=mask).g, normal, mask)
    assert error(inner, normal, mask) == pytest.approx(alone, abs=1.5)
    assert not g[:, :40].any()


def test_a_session_gives_the_same_bytes_each_time():
    images, lights, _, mask = wide_sphere()
    first = solve_shadow(images, lights, mask=mask)
    solve_shadow(images[:, ::2, ::2], lights)
    again = solve_shadow(images, lights, mask=mask)
    assert first.g.tobytes() == again.g.tobytes()
    assert first.expected_error.tobytes() == again.expected_error.tobytes()


def test_saturated_highlight_counts_less_when_marked():
    images, lights, normal, mask = wide_sphere()
    spot = np.zeros_like(mask)
    spot[44:52, 44:52] = True
    images[0][spot] = 1.0
    marked = np.zeros(images.shape, bool)
    marked[0] = spot
    told = error(solve_shadow(images, lights, marked, mask).g, normal, spot)
    assert told < error(solve_shadow(images, lights, None, mask).g, normal, spot)


@settings(max_examples=15, deadline=None)
@given(
    count=st.integers(3, 9),
    height=st.integers(5, 130),
    width=st.integers(5, 130),
    seed=st.integers(0, 99),
)
def test_any_number_of_lights_and_any_size_gives_numbers(count, height, width, seed):
    rng = np.random.default_rng(seed)
    images = rng.random((count, height, width), np.float32)
    lights = rng.normal(size=(count, 3))
    lights /= np.linalg.norm(lights, axis=1, keepdims=True)
    found = solve_shadow(images, lights, images > 0.9, rng.random((height, width)) > 0.5)
    assert found.g.shape == (3, height, width)
    assert np.isfinite(found.g).all()
    assert np.isfinite(found.expected_error).all()


def test_black_photographs_and_an_empty_mask_give_numbers():
    images = np.zeros((4, 20, 30), np.float32)
    found = solve_shadow(images, direction(*WIDE), mask=np.zeros((20, 30), bool))
    assert np.isfinite(found.g).all()


def test_two_photographs_are_refused():
    with pytest.raises(MalformedInputError, match="2 photographs"):
        solve_shadow(np.zeros((2, 8, 8), np.float32), np.eye(3)[:2])


def test_working_size_keeps_proportions_in_whole_cells():
    assert shadow_evidence.working_size(512, 512, 96) == (96, 96)
    height, width = shadow_evidence.working_size(200, 100, 96)
    assert height % shadow_evidence.CELL == width % shadow_evidence.CELL == 0
    assert height == 2 * width


def test_the_network_takes_any_multiple_of_its_cell():
    each, shared = ask(np.zeros((3, shadow_evidence.CHANNELS, 16, 40), np.float32))
    assert each.shape == (3, 2, 16, 40)
    assert shared.shape == (7, 16, 40)


def test_solving_needs_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from fr3d.photometric.solvers.shadow import solve_shadow\n"
        "solve_shadow(np.ones((3, 32, 32), np.float32), np.eye(3))\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_four_lights_on_real_objects_beat_least_squares(shared):
    folder = shared / "data" / "diligent" / "cat"
    strength = np.loadtxt(folder / "light_intensities.txt")
    lights = np.loadtxt(folder / "light_directions.txt")
    mask = cv2.imread(str(folder / "mask.png"), cv2.IMREAD_GRAYSCALE) > 0
    from scipy.io import loadmat

    normal = np.moveaxis(loadmat(folder / "Normal_gt.mat")["Normal_gt"], -1, 0)
    names = sorted(folder.glob("[0-9]*.png"))
    for pick in ([0, 5, 11, 17], [2, 8, 15, 22]):
        images = np.stack(
            [
                (cv2.imread(str(names[i]), -1)[..., ::-1] / 65535 / strength[i]).mean(-1)
                for i in pick
            ]
        ).astype(np.float32)
        found = solve_shadow(images, lights[pick], mask=mask)
        assert error(found.g, normal, mask) < error(plain(images, lights[pick]), normal, mask)


def test_the_note_beside_the_weights_is_about_these_weights():
    assets = files("fr3d.photometric") / "assets"
    digest = hashlib.sha256((assets / WEIGHTS).read_bytes()).hexdigest()
    assert digest in (assets / "LICENSE.shadow.md").read_text(encoding="utf-8")
