import numpy as np
import pytest
from lit_sphere import AZIMUTH, ZENITH, degrees, photographs, sphere_normals

from fr3d.geometry.lights import direction
from fr3d.photometric.mask import lit_mask
from fr3d.photometric.quality import capture_quality, measure_fit, pixel_confidence
from fr3d.photometric.solvers.linear import split_scaled_normal
from fr3d.photometric.solvers.problem import SATURATED_WEIGHT
from fr3d.photometric.solvers.solve import solve
from fr3d.photometric.usable import Flashes

LIGHTS = direction(ZENITH, AZIMUTH)


def least_squares(images: np.ndarray, lights: np.ndarray) -> np.ndarray:
    return solve(images[None], lights[None])[0]


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def test_finds_the_sphere_through_noise() -> None:
    rng = np.random.default_rng(0)
    _, truth = sphere_normals(size=144, radius=60)
    images = photographs(size=144) + rng.normal(0, 0.004, (4, 144, 144)).astype(np.float32)
    assert overlap(lit_mask(np.clip(images, 0, 1)), truth) > 0.97


def test_keeps_what_lies_in_shadow_of_all_flashes() -> None:
    images = photographs(size=144)
    images[:, 70:78, 60:80] = 0  # nostrils
    images[:, 60:66, 12:20] = 0  # a notch at the rim
    images[:, 90:115, 55:85] = 0  # a mouth, too large to be closed by its rim
    mask = lit_mask(images)
    assert mask[70:78, 60:80].all()
    assert mask[90:115, 55:85].all()
    assert mask[60:66, 16:20].all()


def test_lights_from_one_side_keep_the_dark_side_that_they_graze() -> None:
    images = photographs(np.array([70.0, 75, 60, 80]), np.array([80.0, 100, 90, 60]), size=144)
    mask = lit_mask(images)
    reached = images.max(axis=0) > 0.05
    assert mask[reached].mean() > 0.99


def test_specks_and_darkness() -> None:
    images = np.zeros((4, 60, 60), np.float32)
    assert not lit_mask(images).any()
    images[:, 20:40, 20:40] = 0.6
    images[:, 3, 3] = 0.9
    images[:, 50:52, 50:52] = 0.9
    mask = lit_mask(images)
    assert overlap(mask, images[0] == np.float32(0.6)) > 0.9


def test_exposure_does_not_matter() -> None:
    images = photographs(size=96)
    assert overlap(lit_mask(images), lit_mask(0.3 * images)) > 0.97


def test_confidence_falls_with_shadow_and_misfit() -> None:
    images = photographs()
    _, mask = sphere_normals()
    lit = (images > 0).all(axis=0) & mask
    clean = pixel_confidence(measure_fit(images, LIGHTS, least_squares(images, LIGHTS)))
    assert clean[lit].mean() > 0.9
    assert clean[mask & ~lit].mean() < clean[lit].mean()
    wrong = images[[1, 0, 2, 3]]
    bad = pixel_confidence(measure_fit(wrong, LIGHTS, least_squares(wrong, LIGHTS)))
    assert bad[lit].mean() < clean[lit].mean() - 0.1
    assert (clean[~mask] == 0).all()
    assert min(clean.min(), bad.min()) >= 0
    assert max(clean.max(), bad.max()) <= 1


def slow_error(images: np.ndarray, g: np.ndarray, saturated: np.ndarray) -> float:
    """The expected angle of one pixel, from the formula."""
    shading, albedo = LIGHTS @ g, np.linalg.norm(g)
    residual = images - np.maximum(shading, 0)
    weight = np.minimum(images / (0.1 * images.max()), 1) * (shading > 0)
    weight = weight * np.where(saturated, SATURATED_WEIGHT, 1)
    inverse = np.linalg.inv(LIGHTS.T @ (LIGHTS * weight[:, None]) + 0.01 * np.eye(3))
    across = np.eye(3) - np.outer(g, g) / albedo**2
    variance = (residual**2).sum() + (4 / 255) ** 2 + (0.1 * albedo) ** 2
    return float(np.sqrt(variance * np.trace(across @ inverse)) / albedo)


def test_expected_error_against_a_slow_solution() -> None:
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 1, (4, 7, 9)).astype(np.float32) ** 2
    g = rng.normal(size=(3, 7, 9)).astype(np.float32)
    fit = measure_fit(images, LIGHTS, g, images > 0.8)
    for row, column in np.ndindex(7, 9):
        at = np.s_[:, row, column]
        expected = slow_error(images[at], g[at].astype(float), images[at] > 0.8)
        assert abs(fit.error[row, column] / expected - 1) < 1e-3


@pytest.mark.parametrize("solver", ["ls", "ratio", "consistency"])
def test_confidence_ranks_the_error(solver: str) -> None:
    """On a noisy sphere with a cast shadow and clipped values, the worst fifth is rated lowest."""
    rng = np.random.default_rng(1)
    truth, mask = sphere_normals()
    images = photographs(albedo=0.95)
    images[1, 15:30, 10:30] *= 0.05
    images = np.clip(images + rng.normal(0, 0.01, images.shape), 0, 0.9).astype(np.float32)
    saturated = images >= 0.9
    g = solve(images[None], LIGHTS[None], saturated[None], solver)[0]
    confidence = pixel_confidence(measure_fit(images, LIGHTS, g, saturated))[mask]
    error = degrees(split_scaled_normal(g)[1], truth)[mask]
    worst = error > np.quantile(error, 0.8)
    ranks = np.empty(len(error))
    ranks[np.argsort(-confidence)] = np.arange(len(error))
    pairs = worst.sum() * (~worst).sum()
    area = (ranks[worst].sum() - worst.sum() * (worst.sum() - 1) / 2) / pairs
    assert area > 0.8


def test_capture_figures() -> None:
    images = np.full((4, 20, 30), 0.5, np.float32)
    images[0, :10] = 0.02  # dark in half of one photograph
    images[1, :, :3] = 1.0
    mask = np.ones((20, 30), bool)
    mask[:, 15:] = False
    fit = measure_fit(images, LIGHTS, least_squares(images, LIGHTS))
    quality = capture_quality(fit, images, images >= 1, LIGHTS, mask)
    assert quality["shadow_share"] == np.float32(0.125)
    assert quality["saturated_share"] == np.float32(0.05)
    assert quality["mask_share"] == 0.5
    assert abs(quality["brightness"] - images[:, mask].mean()) < 1e-6
    assert abs(quality["light_condition"] - np.linalg.cond(LIGHTS)) < 1e-5
    assert 0 < quality["residual"] < 1
    assert (quality["lights_behind"], quality["black_flashes"]) == (0, 0)
    behind = LIGHTS * [1, 1, -1]
    left_out = Flashes(np.array([True, False, True, True]), 1, 0, ("im1 is black",))
    kept = images[left_out.keep]
    fit = measure_fit(kept, behind[left_out.keep], least_squares(kept, behind[left_out.keep]))
    none = np.zeros(images.shape, bool)
    quality = capture_quality(fit, images, none, behind, mask, left_out)
    assert (quality["lights_behind"], quality["black_flashes"]) == (4, 1)
    assert quality["saturated_share"] == 0
    assert quality["shadow_share"] == pytest.approx(0.5 / 3)
    assert quality["light_condition"] == pytest.approx(np.linalg.cond(behind[left_out.keep]))
    assert quality["overexposed_flashes"] == 0


def test_expected_errors_of_few_and_many_lights_are_on_one_scale() -> None:
    """With noise alone, more samples of a pixel lower its expected error and never raise it."""
    rng = np.random.default_rng(2)
    truth = np.tile(np.array([0.1, 0.2, 0.6], np.float32)[:, None, None], (1, 40, 40))
    found = []
    for count in (4, 8, 32):
        azimuth = np.arange(count) * 360 / count
        lights = direction(np.full(count, 35.0), azimuth)
        images = np.einsum("lc,chw->lhw", lights, truth) + rng.normal(0, 0.05, (count, 40, 40))
        images = np.maximum(images, 0).astype(np.float32)
        g = np.einsum("cl,lhw->chw", np.linalg.pinv(lights), images).astype(np.float32)
        off = degrees(g / np.linalg.norm(g, axis=0), truth / np.linalg.norm(truth, axis=0))
        fit = measure_fit(images, lights, g)
        found.append((float(np.rad2deg(fit.error).mean()), float(off.mean())))
    expected, true = np.array(found).T
    assert (np.diff(expected) < 0).all()
    assert (expected / true > 0.8).all()
    assert (expected / true < 3.0).all()
