"""The lessons and the fit behind the light estimate: repeatable, and worth something."""

import numpy as np
import pytest

from fr3d.photometric.light_estimate import ASSET
from fr3d.training.light_network.fit import fit
from fr3d.training.light_network.lessons import Lessons, lessons_of


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    return lessons_of(5, 1)


def test_a_person_gives_the_same_lessons_each_time(lessons: Lessons) -> None:
    again = lessons_of(5, 1)
    np.testing.assert_array_equal(lessons.features, again.features)
    np.testing.assert_array_equal(lessons.directions, again.directions)
    assert lessons.features.shape == (len(lessons.directions), 32 * 32)
    np.testing.assert_allclose(np.linalg.norm(lessons.directions, axis=1), 1, atol=1e-6)


def test_brightness_lies_where_the_light_is(lessons: Lessons) -> None:
    """A light at the image's right lights the right half, one above the upper half."""
    seen = np.square(lessons.features).reshape(-1, 32, 32)
    across = seen[:, :, 16:].mean(axis=(1, 2)) - seen[:, :, :16].mean(axis=(1, 2))
    down = seen[:, :16].mean(axis=(1, 2)) - seen[:, 16:].mean(axis=(1, 2))
    assert np.corrcoef(across, lessons.directions[:, 0])[0, 1] > 0.8
    assert np.corrcoef(down, lessons.directions[:, 1])[0, 1] > 0.5


def test_a_network_learns_shading_of_a_bumpy_plane_and_repeats_it() -> None:
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(40, 3)) * [0.5, 0.5, 0] + [0, 0, 1]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)

    def person() -> Lessons:
        lights = rng.normal(size=(60, 3)) * [0.6, 0.6, 0] + [0, 0, 1]
        lights = (lights / np.linalg.norm(lights, axis=1, keepdims=True)).astype(np.float32)
        return Lessons(np.maximum(lights @ normal.T, 0).astype(np.float32), lights)

    people = [person() for _ in range(20)]
    made = fit(people, epochs=25, seed=1)
    assert np.median(made.errors) < 12
    again = fit(people, epochs=25, seed=1)
    for name, values in made.arrays.items():
        np.testing.assert_array_equal(values, again.arrays[name])


def test_the_asset_has_the_form_that_training_gives(lessons: Lessons) -> None:
    made = fit([lessons] * 12, epochs=1, seed=0)
    with np.load(ASSET, allow_pickle=False) as stored:
        assert set(stored.files) == {"people", "seed", *made.arrays}
        for name, values in made.arrays.items():
            assert stored[name].shape == values.shape
            assert stored[name].dtype == values.dtype
