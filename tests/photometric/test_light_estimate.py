"""Lights estimated from faces: synthetic ones whose lights are known, and a rig's many."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction
from fr3d.geometry.similarity import similarity, transform_points
from fr3d.photometric.light_estimate import (
    ASSET,
    LightEstimate,
    estimate_lights,
    face_grid,
    pool_estimates,
)
from fr3d.photometric.lights import Lights, read_lights
from fr3d.photometric.metadata import read_landmarks

Session = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]


@pytest.fixture(scope="module")
def sessions(sample_raw: Path) -> list[Session]:
    """Photographs, landmarks and true directions of people the network has not seen."""
    found = []
    for folder in sorted(sample_raw.glob("*/*/"))[::40]:
        flashes = [cv2.imread(str(path), 0) for path in sorted(folder.glob("im*"))]
        lights = read_lights(folder / "LightSource.m").directions
        found.append(
            (
                np.stack(flashes).astype(np.float32) / 255,
                read_landmarks(folder / "metadata.txt"),
                lights,
            )
        )
    return found


def apart(a: NDArray, b: NDArray) -> NDArray:
    return np.rad2deg(np.arccos(np.clip((a * b).sum(axis=-1), -1, 1)))


def test_lights_of_synthetic_faces_are_found(sessions) -> None:
    found = [estimate_lights(images, points) for images, points, _ in sessions]
    errors = np.stack(
        [apart(f.lights.directions, s[2]) for f, s in zip(found, sessions, strict=True)]
    )
    assert errors.mean() < 5
    assert errors.max() < 15
    claimed = np.stack([f.uncertainty_deg for f in found])
    assert (claimed > errors / 3).mean() > 0.95
    assert claimed.max() < 30
    assert all((f.lights.intensity == 1).all() for f in found)


def test_the_right_photograph_gets_the_right_light(sessions) -> None:
    images, points, _ = sessions[0]
    order = np.array([2, 0, 3, 1])
    found = estimate_lights(images, points).lights.directions
    swapped = estimate_lights(images[order], points).lights.directions
    np.testing.assert_allclose(swapped, found[order], atol=1e-6)


def test_exposure_does_not_move_a_light(sessions) -> None:
    images, points, _ = sessions[1]
    found = estimate_lights(images, points).lights.directions
    dimmed = estimate_lights(images * np.float32(0.4), points).lights.directions
    np.testing.assert_allclose(dimmed, found, atol=1e-3)


def test_a_mirrored_face_has_mirrored_lights(sessions) -> None:
    images, points, _ = sessions[0]
    width = images.shape[2]
    turned = points[[1, 0, 2, 4, 3]] * [-1, 1] + [width - 1, 0]
    found = estimate_lights(images, points).lights.directions
    mirrored = estimate_lights(np.ascontiguousarray(images[:, :, ::-1]), turned).lights.directions
    assert apart(mirrored * [-1, 1, 1], found).max() < 0.5


def test_the_grid_follows_the_face(sessions) -> None:
    images, points, _ = sessions[0]
    matrix = similarity(12.0, 1.6, (9.0, -5.0), (68, 68))
    moved = np.stack([cv2.warpAffine(i, matrix, (220, 220)) for i in images])
    one = face_grid(images, points)
    other = face_grid(moved, transform_points(matrix, points))
    assert np.abs(one - other).mean() < 0.05 * one.mean()


def test_what_shows_no_lit_face_is_refused(sessions) -> None:
    images, points, _ = sessions[0]
    with pytest.raises(MalformedInputError, match="landmarks"):
        estimate_lights(images, points[[1, 0, 2, 3, 4]])
    dark = images.copy()
    dark[2] = 0
    with pytest.raises(MalformedInputError, match="photograph 3 shows"):
        estimate_lights(dark, points)


def test_many_sessions_of_a_rig_are_closer_than_one(sessions) -> None:
    found = [estimate_lights(images, points) for images, points, _ in sessions]
    pooled = pool_estimates(found)
    mean = np.mean([s[2] for s in sessions], axis=0)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    assert apart(pooled.lights.directions, mean).max() < 4
    assert (pooled.uncertainty_deg < 6).all()


def test_one_face_that_errs_does_not_move_the_pool() -> None:
    truth = direction([20.0, 40, 60], [10.0, 130, 250])
    rng = np.random.default_rng(0)
    estimates = []
    for _ in range(11):
        off = truth + rng.normal(0, 0.04, truth.shape)
        off /= np.linalg.norm(off, axis=1, keepdims=True)
        estimates.append(LightEstimate(Lights(off, np.ones(3)), np.full(3, 5.0)))
    wrong = direction([80.0, 80, 80], [180.0, 300, 70])
    estimates[4] = replace(estimates[4], lights=Lights(wrong, np.ones(3)))
    assert apart(pool_estimates(estimates).lights.directions, truth).max() < 2.5
    with pytest.raises(MalformedInputError, match="expected one number"):
        pool_estimates([*estimates, LightEstimate(Lights(truth[:2], np.ones(2)), np.ones(2))])


def test_the_asset_is_small_and_names_its_making() -> None:
    assert ASSET.stat().st_size < 300_000
    with np.load(ASSET, allow_pickle=False) as stored:
        assert stored["weight0"].shape[1] == 32 * 32
        assert int(stored["people"]) > 100


def test_real_faces_under_real_lights(shared: Path) -> None:
    from fr3d.alignment.finder import YunetFinder

    names = {"+035E+15": (-35, 15), "-035E+15": (35, 15), "+000E-20": (0, -20), "+000E+45": (0, 45)}
    x, up = np.deg2rad(np.array(list(names.values()), dtype=float)).T
    truth = np.stack([np.sin(x) * np.cos(up), np.sin(up), np.cos(x) * np.cos(up)], axis=1)
    finder, found = YunetFinder(), []
    for person in sorted((shared / "data" / "yale_b").glob("yaleB*"))[:8]:
        files = [person / f"{person.name}_P00A{name}.pgm" for name in names]
        if not all(path.exists() for path in files):
            continue
        images = np.stack([cv2.imread(str(path), 0) for path in files]).astype(np.float32) / 255
        points = finder(images.mean(axis=0))
        assert points is not None
        found.append(estimate_lights(images, points))
    assert np.mean([apart(f.lights.directions, truth) for f in found]) < 9
    assert apart(pool_estimates(found).lights.directions, truth).mean() < 6
