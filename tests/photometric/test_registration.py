"""Movements put into photographs are found again, and none where nothing moved."""

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lit_sphere import photographs, sphere_normals

from fr3d.geometry.lights import direction
from fr3d.photometric.photograph import read_photograph
from fr3d.photometric.registration.consensus import Surfaces, agree, peaks, refine
from fr3d.photometric.registration.correlation import correlation_surfaces
from fr3d.photometric.registration.estimate import Registration, estimate_shifts
from fr3d.photometric.registration.features import texture
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.scene import capture
from fr3d.synthesis.studio import Studio

FAR = 20


def lit_texture(seed: int = 0, size: int = 128, lights: int = 4) -> np.ndarray:
    """A ball with freckles and creases under lights all around, (L, H, W)."""
    rng = np.random.default_rng(seed)
    freckles = cv2.GaussianBlur(rng.normal(size=(size, size)), (0, 0), 1.2)
    albedo = 0.6 + 0.4 * np.tanh(3 * freckles)
    normal, mask = sphere_normals(size, radius=0.48 * size)
    creases = cv2.GaussianBlur(rng.normal(size=(2, size, size)).transpose(1, 2, 0), (0, 0), 1.5)
    normal[:2] += 2 * creases.transpose(2, 0, 1) * mask
    normal /= np.maximum(np.linalg.norm(normal, axis=0), 1e-9)
    to_light = direction(np.full(lights, 40.0), 360 / lights * np.arange(lights) + 45)
    shading = np.maximum(np.einsum("lc,chw->lhw", to_light, normal), 0)
    return np.asarray(albedo * shading * mask, np.float32)


def moved(images: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Content moved by whole pixels (L, 2), borders repeated."""
    height, width = images.shape[1:]
    rows = [np.clip(np.arange(height) - y, 0, height - 1) for y in shift[:, 1]]
    columns = [np.clip(np.arange(width) - x, 0, width - 1) for x in shift[:, 0]]
    return np.stack([i[r][:, c] for i, r, c in zip(images, rows, columns, strict=True)])


def miss(found: Registration, truth: np.ndarray) -> np.ndarray:
    """Errors in px, up to a common offset."""
    difference = found.shift - truth
    return np.asarray(np.hypot(*(difference - np.median(difference, axis=0)).T))


@pytest.mark.parametrize("seed", range(6))
def test_movements_are_found(seed: int) -> None:
    shift = np.random.default_rng(seed).integers(-FAR, FAR + 1, (4, 2))
    found = estimate_shifts(moved(lit_texture(seed), shift))
    assert miss(found, shift).max() < 0.5
    assert np.median(found.shift, axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert found.loop_residual < 2
    assert len(found.pairs) == len(found.pair_residual) == 6


def test_the_sign_and_the_axes() -> None:
    """A head that went right and down has positive x and y."""
    images = lit_texture()
    shift = np.zeros((4, 2), int)
    shift[2] = 9, 4
    found = estimate_shifts(moved(images, shift)).shift
    assert found[2] == pytest.approx([9, 4], abs=0.3)
    assert np.abs(found[[0, 1, 3]]).max() < 0.3


def test_parts_of_a_pixel() -> None:
    """Photographs of twice the size moved by odd numbers, then halved."""
    shift = np.array([[0, 0], [7, -4], [-10, 5], [3, 12]])
    large = moved(lit_texture(size=256), shift)
    small = np.stack([cv2.resize(i, None, fx=0.5, fy=0.5, interpolation=3) for i in large])
    assert miss(estimate_shifts(small), shift / 2).max() < 0.15


def test_large_photographs_are_measured_in_their_own_pixels() -> None:
    images = np.stack([cv2.resize(i, (512, 512)) for i in lit_texture()])
    shift = np.array([[0, 0], [30, -12], [-24, 8], [4, 28]])
    assert miss(estimate_shifts(moved(images, shift)), shift).max() < 1


@pytest.mark.parametrize("count", [2, 3, 9, 24])
def test_any_number_of_photographs(count: int) -> None:
    shift = np.random.default_rng(count).integers(-FAR, FAR + 1, (count, 2))
    found = estimate_shifts(moved(lit_texture(3, lights=count), shift))
    assert miss(found, shift).max() < 0.5


def synthetic(person: int, size: int, movement: float) -> tuple[np.ndarray, np.ndarray]:
    """Photographs of a synthetic person, and how they truly moved."""
    identity = sample_identity(1, person, load_heads())
    session = capture(identity, 1, person, person % 3, Studio(size, movement=movement))
    return (session.images / 255).astype(np.float32), session.shift


@pytest.mark.parametrize("person", range(8))
def test_what_did_not_move_stays(person: int) -> None:
    images, _ = synthetic(person, 128, 0.0)
    assert not estimate_shifts(images).shift.any()


@pytest.mark.parametrize("person", range(8))
def test_the_movement_of_synthetic_heads_is_found(person: int) -> None:
    images, truth = synthetic(person, 224, 18.0)
    found = estimate_shifts(images).shift
    assert np.hypot(*(found - found.mean(axis=0) - truth).T).max() < 2


@pytest.mark.parametrize("size", [48, 96, 200])
@pytest.mark.parametrize("noise", [0, 0.01])
def test_shadows_that_creep_over_a_smooth_ball_are_not_movement(size: int, noise: float) -> None:
    images = photographs(size=size)
    images = images + np.random.default_rng(0).normal(0, 1, images.shape) * noise
    assert not estimate_shifts(np.maximum(images, 0).astype(np.float32)).shift.any()


def test_one_of_four_moved_a_little() -> None:
    """Three at rest do not hold back the one that moved."""
    shift = np.zeros((4, 2), int)
    shift[0] = -3, 2
    assert miss(estimate_shifts(moved(lit_texture(5), shift)), shift).max() < 0.3


def test_black_photographs() -> None:
    shift = np.array([[0, 0], [6, -9], [0, 0], [-5, 3]])
    images = moved(lit_texture(), shift)
    images[2] = 0
    found = estimate_shifts(images)
    assert not found.shift[2].any()
    assert 2 not in found.pairs
    assert np.diff(found.shift[[0, 1, 3]], axis=0) == pytest.approx(
        np.diff(shift[[0, 1, 3]], axis=0), abs=0.5
    )
    nothing = estimate_shifts(np.zeros((4, 96, 96), np.float32))
    assert not nothing.shift.any()
    assert nothing.score == 0


def test_strangers_have_a_large_residual_and_a_low_score() -> None:
    """Photographs of four different things."""
    strangers = np.stack([lit_texture(seed)[seed % 4] for seed in range(4)])
    strange, same = estimate_shifts(strangers), estimate_shifts(lit_texture())
    assert strange.loop_residual > 2 >= same.loop_residual
    assert strange.score < 0.5 * same.score


def test_results_do_not_depend_on_threads() -> None:
    images = moved(lit_texture(), np.array([[0, 0], [7, 3], [-9, 5], [3, 11]]))
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = estimate_shifts(images).shift
        cv2.setNumThreads(4)
        assert np.array_equal(one, estimate_shifts(images).shift)
    finally:
        cv2.setNumThreads(before)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(4)), st.integers(0, 99))
def test_order_of_photographs(order: list[int], seed: int) -> None:
    shift = np.random.default_rng(seed).integers(-12, 13, (4, 2))
    images = moved(lit_texture(seed), shift)
    straight, permuted = estimate_shifts(images), estimate_shifts(images[order])
    assert permuted.shift == pytest.approx(straight.shift[order], abs=0.02)
    assert permuted.loop_residual == pytest.approx(straight.loop_residual, abs=0.05)


@settings(max_examples=10, deadline=None)
@given(st.integers(-8, 8), st.integers(-8, 8), st.integers(0, 99))
def test_a_common_movement_is_not_seen(x: int, y: int, seed: int) -> None:
    shift = np.random.default_rng(seed).integers(-8, 9, (4, 2))
    images = lit_texture(seed)
    here, there = (
        estimate_shifts(moved(images, s)).shift for s in (shift, shift + np.array([x, y]))
    )
    assert there == pytest.approx(here, abs=0.3)


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 99))
def test_exposure_does_not_matter(gain: float, seed: int) -> None:
    images = moved(lit_texture(seed), np.array([[0, 0], [7, 3], [-9, 5], [3, 11]]))
    plain, other = (estimate_shifts(images * np.float32(g)).shift for g in (1, gain))
    assert other == pytest.approx(plain, abs=0.01)


def test_texture_has_no_light() -> None:
    """A brightness that varies slowly changes nothing where it is bright."""
    image = 0.3 + 0.2 * lit_texture(size=96)[0]
    ramp = np.linspace(0.6, 1.4, 96, dtype=np.float32)
    inside = slice(20, -20)
    plain, lit = (texture(np.float32(20) * i)[inside, inside] for i in (image, image * ramp))
    assert np.corrcoef(plain.ravel(), lit.ravel())[0, 1] > 0.99
    assert not texture(np.full((70, 70), 0.3, np.float32)).any()


def test_surfaces_against_the_whole_transform() -> None:
    """The highest point lies where the second photograph went, whatever the order of the pair."""
    images = moved(lit_texture(), np.array([[0, 0], [5, -11], [0, 0], [0, 0]]))
    found = correlation_surfaces(images, [(0, 1), (1, 0)], 20)
    assert found.shape == (2, 41, 41)
    assert peaks(found, 20).tolist() == [[5, -11], [-5, 11]]
    assert found[0] == pytest.approx(found[1][::-1, ::-1], abs=1e-3)
    assert found.std(axis=(1, 2)) == pytest.approx(1, abs=1e-4)


def hand_made(shift: np.ndarray, reach: int, false: dict[int, tuple[int, int]]) -> Surfaces:
    """A bump where each pair belongs; pairs in `false` have a higher one elsewhere."""
    pairs = list(combinations(range(len(shift)), 2))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]

    def bump(at: np.ndarray | tuple[int, int]) -> np.ndarray:
        return np.asarray(np.exp(-0.5 * ((x - at[0]) ** 2 + (y - at[1]) ** 2)))

    values = [5 * bump(shift[j] - shift[i]) for i, j in pairs]
    for k, place in false.items():
        values[k] = values[k] + 8 * bump(place)
    return Surfaces(np.stack(values).astype(np.float32), pairs, reach)


def test_pairs_that_are_wrong_are_outvoted() -> None:
    shift = np.array([[0, 0], [4, 2], [-6, 3], [5, -7]])
    surfaces = hand_made(shift, 16, {0: (-9, 9), 4: (1, 12)})
    found = agree(surfaces, 4)
    assert (found - found[0]).tolist() == shift.tolist()
    fine = refine(surfaces, found)
    assert fine - fine[0] == pytest.approx(shift, abs=0.02)


def test_refinement_is_robust() -> None:
    """One pair's peak is a pixel off; the others keep their solution."""
    shift = np.array([[0, 0], [4, 2], [-6, 3], [5, -7]])
    surfaces = hand_made(shift, 16, {})
    wrong = np.roll(surfaces.values[2], 1, axis=1)
    values = surfaces.values.copy()
    values[2] = wrong
    fine = refine(Surfaces(values, surfaces.pairs, 16), shift)
    assert np.abs(fine - fine[1] - (shift - shift[1])).max() < 0.15  # least squares: 0.5


@pytest.mark.parametrize("quad", [[(35, 40), (-35, 40), (35, -20), (-35, -20)]])
def test_real_faces(shared: Path, quad: list[tuple[int, int]]) -> None:
    rng, wrong = np.random.default_rng(0), []
    for folder in sorted((shared / "data" / "yale_b").iterdir()):
        names = [f"{folder.name}_P00A{a:+04d}E{e:+03d}.pgm" for a, e in quad]
        if not all((folder / n).exists() for n in names):
            continue
        images = np.stack([read_photograph(folder / n) for n in names])
        shift = rng.integers(-FAR, FAR + 1, (4, 2))
        wrong.append(miss(estimate_shifts(moved(images, shift)), shift))
    assert np.mean(np.concatenate(wrong) <= 2) >= 0.9
    assert np.mean(np.concatenate(wrong) <= 3) >= 0.98


def test_sheen_that_creeps_over_a_glossy_bear_is_not_movement(shared: Path) -> None:
    """Forty random sets of four of the photographs, under lights that determine normals."""
    folder = shared / "data" / "diligent" / "bear"
    lights = np.loadtxt(folder / "light_directions.txt")
    strength = np.loadtxt(folder / "light_intensities.txt").mean(axis=1)
    files = (folder / "filenames.txt").read_text().split()
    images = np.stack([read_photograph(folder / f) for f in files]) / strength[:, None, None]
    images = images.reshape(-1, 256, 2, 306, 2).mean(axis=(2, 4)).astype(np.float32)
    rng, found = np.random.default_rng(0), []
    while len(found) < 40:
        four = rng.choice(len(files), 4, replace=False)
        if np.linalg.cond(lights[four]) <= 5:
            found.append(estimate_shifts(images[four]).shift.any())
    assert sum(found) <= 1
