from bisect import bisect_right
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.evaluation.metrics import scoring
from fr3d.evaluation.metrics.pairs import all_pairs, normalise
from fr3d.evaluation.metrics.scoring import count_pairs, score_all
from fr3d.evaluation.metrics.streaming import stream

COUNTS = ("mated", "nonmated", "mated_total", "nonmated_total")


def signs(generator, rows, size=16):
    """Unit vectors whose scores are exact in any precision, many of them equal."""
    return generator.choice([-1.0, 1.0], size=(rows, size)) / np.sqrt(size)


def crowd(seed, rows=90, people=20, groups=7):
    generator = np.random.default_rng(seed)
    person = generator.integers(people, size=rows)
    return signs(generator, rows), person, generator.integers(groups, size=people)


def by_loops(unit, person, group, bins, against):
    """Counts by group and in all, and all pairs of both kinds, from the definition."""
    groups = group.max() + 1
    counts = {True: np.zeros((groups, bins), int), False: np.zeros((groups, bins), int)}
    total = {True: np.zeros(bins, int), False: np.zeros(bins, int)}
    pairs = {True: [], False: []}
    edges = np.linspace(-1, 1, bins + 1).tolist()
    owner = [*group[person], *[None] * len(against)]
    every = np.concatenate([unit, against])
    for i, j in combinations(range(len(every)), 2):
        if i >= len(unit):
            break
        score = every[i] @ every[j]
        b = min(bisect_right(edges, score), bins) - 1
        same = j < len(unit) and person[i] == person[j]
        for g in {owner[i], owner[j]} - {None}:
            counts[same][g, b] += 1
        total[same][b] += 1
        pairs[same].append((i, j, score))
    return counts, total, pairs


def assert_as_by_loops(found, closest, farthest, expected, worst):
    counts, total, pairs = expected
    assert np.array_equal(found.mated, counts[True])
    assert np.array_equal(found.nonmated, counts[False])
    assert np.array_equal(found.mated_total, total[True])
    assert np.array_equal(found.nonmated_total, total[False])
    assert list(closest) == sorted(pairs[False], key=lambda p: (-p[2], p[:2]))[:worst]
    assert list(farthest) == sorted(pairs[True], key=lambda p: (p[2], p[:2]))[:worst]


@pytest.mark.parametrize("distractors", [0, 11])
def test_counts_are_those_of_loops(distractors):
    unit, person, group = crowd(0, rows=50)
    against = signs(np.random.default_rng(1), distractors)
    expected = by_loops(unit, person, group, 16, against)
    found = score_all(unit, person, group=group, bins=16, worst=5, against=against)
    assert_as_by_loops(found, found.closest, found.farthest, expected, 5)
    assert found.people == len(set(person))
    assert found.mated_count == len(expected[2][True])
    assert found.nonmated_count == len(expected[2][False])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("tile", [16, 23, 64, 1024])
def test_streaming_is_exact_for_any_tile_and_any_number_of_threads(tile, threads):
    unit, person, group = crowd(2)
    against = signs(np.random.default_rng(3), 31)
    for bins, strangers in ((8, against), (64, against[:0])):  # few bins: counted apart, added
        expected = by_loops(unit, person, group, bins, strangers)
        found = stream(unit, person, group, strangers, bins, 9, threads=threads, tile=tile)
        assert_as_by_loops(found, found.closest.found, found.farthest.found, expected, 9)


@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 12), st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_both_ways_to_count_agree(seed, rows, people, groups):
    unit, person, group = crowd(seed, rows, people, groups)
    direct = score_all(unit, person, group=group, bins=32, worst=4)
    found = stream(unit, person, group, unit[:0], 32, 4, tile=16)
    for name in COUNTS:
        assert np.array_equal(getattr(direct, name), getattr(found, name))
    assert direct.closest == found.closest.found
    assert direct.farthest == found.farthest.found


def test_no_count_depends_on_tiles_or_on_the_order_of_rows():
    """Real numbers, whose sums depend on their order, at bins as fine as single precision."""
    generator = np.random.default_rng(4)
    unit = normalise(generator.normal(size=(300, 512))).astype(np.float32)
    person = generator.integers(40, size=300)
    group, few, bins = np.arange(40) % 7, unit[:0], 1 << 20
    first = stream(unit, person, group, few, bins, 5, tile=1024, threads=1)
    order = generator.permutation(300)
    for other, names in (
        (stream(unit, person, group, few, bins, 5, tile=128, threads=2), np.arange(300)),
        (stream(unit[order], person[order], group, few, bins, 5, tile=1024, threads=1), order),
    ):
        for name in COUNTS:
            assert np.array_equal(getattr(first, name), getattr(other, name))
        pairs = [(*sorted((names[i], names[j])), s) for i, j, s in other.closest.found]
        assert pairs == list(first.closest.found)


def test_many_pairs_are_streamed_and_agree_with_double_precision(monkeypatch):
    generator = np.random.default_rng(5)
    unit = normalise(generator.normal(size=(200, 32)))
    person, group = np.arange(200) % 30, np.arange(30) % 4
    direct = score_all(unit, person, group=group, bins=256)
    monkeypatch.setattr(scoring, "_DIRECT", 0)
    streamed = score_all(unit, person, group=group, bins=256)
    moved = np.abs(np.cumsum(direct.nonmated_total - streamed.nonmated_total)).max()
    assert moved <= 2
    assert [pair[:2] for pair in direct.closest] == [pair[:2] for pair in streamed.closest]
    assert direct.closest[0][2] == pytest.approx(streamed.closest[0][2], abs=1e-6)


def test_a_pair_of_two_groups_is_in_both_rows_and_a_pair_within_one_once():
    unit, person, group = crowd(6)
    found = score_all(unit, person, group=group, bins=64)
    pairs = all_pairs(unit, person, 10**6, 0)
    one, other = group[person[pairs.rows]].T
    across = (one != other).sum()
    assert found.mated.sum() == found.mated_count == pairs.mated.sum()
    assert found.nonmated.sum() == found.nonmated_count + across


def test_identical_and_opposite_embeddings_are_in_the_outer_bins():
    one = np.full(16, 0.25)
    unit, person = np.stack([one, one, -one]), np.array([0, 0, 1])
    for found in (
        score_all(unit, person, group=np.array([0, 1]), bins=8),
        stream(unit, person, np.array([0, 1]), unit[:0], 8, 3, tile=16),
    ):
        assert found.mated_total.tolist() == [0] * 7 + [1]
        assert found.nonmated_total.tolist() == [2] + [0] * 7


def test_one_session_and_nobody_are_counted_as_nothing():
    for rows in (0, 1):
        found = score_all(np.full((rows, 4), 0.5), np.zeros(rows, int), group=np.zeros(1, int))
        assert found.mated_count == found.nonmated_count == 0
        assert found.closest == found.farthest == ()
        assert found.people == rows


def test_what_cannot_be_compared_is_refused():
    unit, person, group = crowd(7)
    for value, message in ((np.nan, "finite"), (np.inf, "finite"), (3.0, "unit length")):
        odd = unit.copy()
        odd[3, 2] = value
        with pytest.raises(ValueError, match=message):
            score_all(odd, person, group=group)
        with pytest.raises(ValueError, match=message):
            score_all(unit, person, group=group, against=odd)
    with pytest.raises(ValueError, match="no group"):
        score_all(unit, person, group=group[:3])
    with pytest.raises(ValueError, match="people of shape"):
        score_all(unit, person[1:], group=group)
    with pytest.raises(ValueError, match="even"):
        score_all(unit, person, group=group, bins=7)
    with pytest.raises(ValueError, match="embeddings of 16 and of 4"):
        score_all(unit, person, group=group, against=np.full((1, 4), 0.5))


def test_listed_pairs_get_a_bin_for_each_distinct_score():
    unit, person, group = crowd(8)
    pairs = all_pairs(unit, person, 10**6, 0)
    found = count_pairs(pairs, person, group=group, worst=6)
    assert np.array_equal(found.edges[:-1], np.unique(pairs.score))
    for value, mated, nonmated in zip(
        found.edges, found.mated_total, found.nonmated_total, strict=False
    ):
        assert mated == (pairs.score[pairs.mated] == value).sum()
        assert nonmated == (pairs.score[~pairs.mated] == value).sum()
    equal = score_all(unit, person, group=group, bins=16, worst=6)
    assert found.closest == equal.closest
    assert found.farthest == equal.farthest
    assert np.array_equal(found.nonmated.sum(axis=1), equal.nonmated.sum(axis=1))


def test_listed_pairs_with_too_many_scores_share_bins_and_none_is_lost():
    generator = np.random.default_rng(9)
    unit = normalise(generator.normal(size=(120, 8)))
    person, group = np.arange(120) % 25, np.arange(25)
    pairs = all_pairs(unit, person, 10**6, 0)
    found = count_pairs(pairs, person, group=group, bins=200)
    assert 100 < len(found.edges) <= 201
    assert found.mated_total.sum() == pairs.mated.sum()
    assert found.nonmated_total.sum() == (~pairs.mated).sum()
    highest = np.sort(pairs.score[~pairs.mated])[::-1][:10]  # where low rates are decided
    assert set(highest) <= set(found.edges)
    with pytest.raises(ValueError, match="not finite"):
        count_pairs(
            type(pairs)(pairs.score * np.nan, pairs.rows, pairs.mated, sampled=False),
            person,
            group=group,
        )
