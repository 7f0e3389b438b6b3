from itertools import pairwise

import numpy as np
import pytest

from fr3d.evaluation.report.similarity import UNKNOWN, heat, heat_colours, similarity_matrix


def world(people, sessions, seed=0, size=24):
    """Sessions around people's directions, in a shuffled order."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), sessions)
    vectors = rng.normal(size=(people, size))[who] + 0.5 * rng.normal(size=(len(who), size))
    order = rng.permutation(len(who))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[order]
    names = [f"p{who[i]:05d}" for i in order]
    return unit, names, [f"s{i:05d}" for i in order]


def test_small_matrices_are_the_products_in_order():
    unit, people, sessions = world(4, 3)
    made = similarity_matrix(unit, people, sessions)
    order = np.lexsort((sessions, people))
    np.testing.assert_allclose(made.values, unit[order] @ unit[order].T, atol=1e-6)
    assert made.values.dtype == np.float32
    assert made.subject_id == ("p00000", "p00001", "p00002", "p00003")
    assert made.starts.tolist() == [0, 3, 6, 9, 12]
    assert (made.sessions, made.people) == (12, 4)


@pytest.mark.parametrize("counts", [(7, 1, 20, 2), (1, 1, 1, 30), (9, 9, 9, 9)])
def test_rows_of_a_large_one_are_means_over_one_person(counts):
    unit, people, sessions = world(4, counts)
    made = similarity_matrix(unit, people, sessions, most=10)
    assert 4 <= len(made.values) <= 10
    order = np.lexsort((sessions, people))
    whole = unit[order] @ unit[order].T
    # Sessions of each row, taken again from the rows that each person was given.
    rows, begin = [], 0
    for k, count in enumerate(np.unique(people, return_counts=True)[1]):
        given = made.starts[k + 1] - made.starts[k]
        cuts = [begin + i * count // given for i in range(given + 1)]
        rows += [range(a, b) for a, b in pairwise(cuts)]
        begin += count
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            pairs = [whole[a, b] for a in one for b in other if a != b or len(one) == 1]
            assert made.values[i, j] == pytest.approx(np.mean(pairs), abs=1e-5)


def test_more_people_than_rows():
    unit, people, sessions = world(25, 2)
    made = similarity_matrix(unit, people, sessions, most=10)
    assert made.values.shape == (10, 10)
    assert made.people == 25
    assert made.subject_id == tuple(f"p{k:05d}" for k in (0, 2, 5, 7, 10, 12, 15, 17, 20, 22))
    whole = unit[np.lexsort((sessions, people))]
    assert made.values[0, 1] == pytest.approx((whole[:4] @ whole[4:10].T).mean(), abs=1e-5)


def test_twenty_thousand_sessions_need_little_memory():
    import tracemalloc

    unit, people, sessions = world(700, 29, size=32)
    tracemalloc.start()
    made = similarity_matrix(unit.astype(np.float32), people, sessions)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(made.values) <= 1200
    assert peak < 100e6
    same = np.mean([made.values[a:b, a:b].mean() for a, b in pairwise(made.starts)])
    assert same > made.values.mean() + 0.3


def test_limits_leave_the_diagonal_out():
    unit, people, sessions = world(5, 2)
    low, high = similarity_matrix(unit, people, sessions).limits
    assert -1 < low < high < 1
    assert similarity_matrix(np.ones((1, 1)), ["a"], ["b"]).limits == (0.0, 1.0)
    same = similarity_matrix(np.ones((3, 1)), list("abc"), list("123")).limits
    assert same[0] < 1 < same[1]


def test_colours():
    picture = heat(np.array([[0.0, 0.5, 1.0, np.nan, -9, 9]]), 0.0, 1.0)
    assert picture.shape == (1, 6, 3)
    assert picture.dtype == np.uint8
    assert (picture[0, 3] == UNKNOWN).all()
    assert (picture[0, 4] == picture[0, 0]).all()
    assert (picture[0, 5] == picture[0, 2]).all()
    assert picture[0, 0, 2] > picture[0, 0, 0]  # violet
    assert picture[0, 2, 0] > 200 > picture[0, 2, 2]  # yellow
    # Perceived lightness grows evenly: never falls, and no step is more than a few times another.
    linear = (heat_colours() / 255.0) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(np.cbrt(linear))
    assert (np.add.reduceat(steps, np.arange(0, 255, 15)) > 0).all()
