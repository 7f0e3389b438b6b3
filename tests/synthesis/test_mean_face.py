"""The mean face: reproducible, and the asset is what the script makes."""

import numpy as np
import pytest

from fr3d.photometric.face_prior import ASSET
from fr3d.synthesis.assets import load_heads
from fr3d.synthesis.identity import sample_identity
from fr3d.synthesis.mean_face import (
    HEADS,
    SEED,
    SIZE,
    common_template,
    flat_landmarks,
    mean_face,
    write,
)


@pytest.fixture(scope="module")
def few() -> dict:
    return mean_face(heads=3, seed=5, size=64)


def test_the_same_heads_give_the_same_face(few, tmp_path) -> None:
    again = mean_face(heads=3, seed=5, size=64)
    assert set(few) == set(again)
    for name, values in few.items():
        np.testing.assert_array_equal(values, again[name])
    write(tmp_path / "a.npz", heads=2)
    write(tmp_path / "b.npz", heads=2)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_asset_has_the_form_that_the_script_gives(few) -> None:
    with np.load(ASSET, allow_pickle=False) as stored:
        assert set(stored.files) == set(few)
        assert int(stored["heads"]) == HEADS
        assert int(stored["seed"]) == SEED
        for name, values in few.items():
            assert stored[name].dtype == values.dtype
            assert stored[name].shape == tuple(SIZE if n == 64 else n for n in values.shape)
    assert ASSET.stat().st_size < 300_000


def test_a_few_heads_already_resemble_the_asset() -> None:
    some = mean_face(heads=6, seed=99, size=SIZE)
    with np.load(ASSET, allow_pickle=False) as stored:
        np.testing.assert_allclose(some["landmarks"], stored["landmarks"], atol=2.5)
        sure = (stored["share"] > 0.95) & (stored["spread"] < 15)
        cosine = (some["normal"].astype(float) * stored["normal"].astype(float)).sum(axis=0)
        assert np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))[sure].mean() < 7


def test_the_template_undoes_how_each_set_was_moved() -> None:
    head = load_heads()
    points = [flat_landmarks(head, head.shape(sample_identity(1, n, head).shape)) for n in range(4)]
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    moved = [points[0], *(2.5 * p @ turn.T + [3, -8] for p in points[1:])]
    np.testing.assert_allclose(common_template(points, 64), common_template(moved, 64), atol=0.02)


def test_normals_and_depth_of_the_mean_agree(few) -> None:
    depth, sure = few["depth"].astype(float), few["share"] > 0.99
    down, across = np.gradient(np.where(sure, depth, np.nan))
    slope = np.stack([-across, down, np.ones_like(down)])
    slope /= np.linalg.norm(slope, axis=0)
    apart = np.rad2deg(np.arccos(np.clip((slope * few["normal"]).sum(axis=0), -1, 1)))
    assert np.nanmedian(apart[sure]) < 6
