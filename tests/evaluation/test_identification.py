import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.evaluation.metrics.curve import at_rate
from fr3d.evaluation.metrics.identification import (
    cmc,
    hit_rates,
    join_searches,
    open_set_curve,
    search,
)
from fr3d.evaluation.metrics.intervals import (
    bootstrap,
    draw_people,
    resolvable,
    smallest_fmr,
    smallest_fpir,
)


@st.composite
def trials(draw):
    """Scores with many ties, probes of whom some are in no template."""
    probes, templates = draw(st.integers(1, 12)), draw(st.integers(1, 8))
    gallery = np.array(draw(st.lists(st.integers(0, 4), min_size=templates, max_size=templates)))
    probe = np.array(draw(st.lists(st.integers(0, 6), min_size=probes, max_size=probes)))
    values = st.lists(st.integers(0, 4), min_size=templates, max_size=templates)
    rows = draw(st.lists(values, min_size=probes, max_size=probes))
    return np.array(rows, float), probe, gallery


def slow_ranks(row, who, gallery):
    """Best score per person by loops; scores of the others that beat or tie the mate."""
    people = {}
    for score, person in zip(row, gallery, strict=True):
        people[person] = max(people.get(person, -9.0), score)
    mate = people.pop(who, None)
    if mate is None:
        return max(people.values()), None, 0, 0
    others = list(people.values())
    best = max([mate, *others])
    return best, mate, sum(o > mate for o in others), sum(o == mate for o in others)


@given(trials())
@settings(deadline=None)
def test_a_search_is_what_loops_find(trial):
    scores, probe, gallery = trial
    found = search(scores, probe, gallery)
    for i, row in enumerate(scores):
        best, mate, better, tied = slow_ranks(row, probe[i], gallery)
        assert found.best[i] == best
        assert found.mated[i] == (mate is not None)
        if mate is not None:
            assert (found.mate[i], found.better[i], found.tied[i]) == (mate, better, tied)


@given(trials())
@settings(deadline=None)
def test_the_open_set_curve_is_what_counting_gives(trial):
    scores, probe, gallery = trial
    found = search(scores, probe, gallery)
    curve = open_set_curve(found)
    known = found.mated
    for t, fpir, fnir in zip(
        curve.threshold, curve.false_positive, curve.false_negative, strict=True
    ):
        if (~known).any():
            assert fpir == pytest.approx(np.mean(found.best[~known] >= t))
        if known.any():
            hit = [
                (found.better[i] == 0) / (found.tied[i] + 1) * (found.mate[i] >= t)
                for i in np.flatnonzero(known)
            ]
            assert fnir == pytest.approx(1 - np.mean(hit))


@given(trials())
@settings(deadline=None)
def test_cmc_rises_to_one_and_open_set_never_beats_rank_one(trial):
    found = search(*trial)
    if not found.mated.any():
        assert np.isnan(cmc(found, 5)).all()
        return
    rates = cmc(found, 6)
    assert np.all(np.diff(rates) >= -1e-12)
    assert rates[-1] == pytest.approx(1.0)
    curve = open_set_curve(found)
    assert np.all(1 - curve.false_negative <= rates[0] + 1e-9)


def test_ties_are_broken_by_lot():
    found = search(np.zeros((3, 5)), np.array([0, 1, 2]), np.arange(5))
    assert cmc(found, 5) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_permuted_labels_find_one_in_n():
    generator = np.random.default_rng(0)
    people, probes = 20, 4000
    vectors = generator.normal(size=(people, 16))
    person = generator.integers(people, size=probes)
    noisy = vectors[person] + 0.1 * generator.normal(size=(probes, 16))
    scores = noisy @ vectors.T
    assert cmc(search(scores, person, np.arange(people)), 1)[0] > 0.95
    permuted = search(scores, generator.permutation(person), np.arange(people))
    assert cmc(permuted, 1)[0] == pytest.approx(1 / people, abs=0.015)


def test_failures_to_acquire_are_misses():
    found = search(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 5]), np.array([0, 1]))
    assert cmc(found, 1)[0] == 1.0
    assert cmc(found, 1, None, 4.0)[0] == 0.25
    assert at_rate(open_set_curve(found, mated_total=4.0), 0.0).false_negative == 0.75


def test_a_mate_that_is_not_first_is_not_identified_however_high_it_scores():
    scores = np.array([[0.8, 0.9], [0.1, 0.2]])
    found = search(scores, np.array([0, 7]), np.array([0, 1]))
    point = at_rate(open_set_curve(found), 0.0)
    assert point.false_negative == 1.0
    assert hit_rates(found, 2)[0] == 1.0


def test_searches_in_blocks_are_the_same():
    generator = np.random.default_rng(0)
    scores, probe = generator.normal(size=(9, 6)), generator.integers(5, size=9)
    gallery = np.array([0, 0, 1, 2, 3, 3])
    whole = search(scores, probe, gallery)
    parts = join_searches(
        [search(scores[:4], probe[:4], gallery), search(scores[4:], probe[4:], gallery)]
    )
    for name in ("best", "mate", "better", "tied"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_the_bootstrap_of_a_mean_is_as_wide_as_its_standard_error():
    generator = np.random.default_rng(0)
    values = generator.normal(size=400)
    limits = bootstrap(
        np.zeros(400, int), lambda w: {"mean": float(values @ w / w.sum())}, repeats=2000, seed=1
    )["mean"]
    half = 1.96 * values.std() / np.sqrt(400)
    assert limits.high - values.mean() == pytest.approx(half, rel=0.1)
    assert values.mean() - limits.low == pytest.approx(half, rel=0.1)


def test_people_are_drawn_not_pairs():
    """Ten copies of each person's score tell no more than one copy."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=30)
    person = np.repeat(np.arange(30), 10)

    def mean(weight):
        own = weight[person]
        return {"mean": float(np.repeat(values, 10) @ own / own.sum())}

    limits = bootstrap(np.zeros(30, int), mean, repeats=2000, seed=1)["mean"]
    width = 2 * 1.96 * values.std() / np.sqrt(30)
    assert limits.high - limits.low == pytest.approx(width, rel=0.15)


def test_groups_keep_their_size_and_equal_draws_give_no_interval():
    groups = np.array([0] * 7 + [1] * 3)
    for seed in range(20):
        weight = draw_people(groups, np.random.default_rng(seed))
        assert weight[:7].sum() == 7
        assert weight[7:].sum() == 3
    assert bootstrap(groups, lambda _: {"x": 1.0, "y": np.nan}, repeats=20, seed=0) == {}
    assert bootstrap(groups, lambda _: {"x": 1.0}, repeats=0, seed=0) == {}


def test_what_so_few_people_can_show():
    assert smallest_fmr(105) == pytest.approx(3 / 5460)
    assert smallest_fmr(1) == float("inf")
    assert resolvable(0.1, smallest_fpir(10))
    assert not resolvable(0.1, smallest_fpir(9))
    assert not resolvable(0.5, smallest_fpir(0))
