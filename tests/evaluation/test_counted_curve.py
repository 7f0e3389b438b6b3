import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr3d.evaluation.metrics.counted_curve import (
    coarse_histogram,
    counted_curve,
    counted_d_prime,
    counted_figures,
    group_aucs,
    left_out_figures,
)
from fr3d.evaluation.metrics.curve import area, at_rate, equal_error, error_curve, score_table
from fr3d.evaluation.metrics.pairs import all_pairs, normalise
from fr3d.evaluation.metrics.scoring import Scored, count_pairs, score_all
from fr3d.evaluation.metrics.verification import auc, d_prime, person_aucs

RATES = (0.0, 0.01, 0.1, 0.5, 1.0)


def crowd(seed, rows=60, people=12, groups=5, size=8, spread=0.7):
    generator = np.random.default_rng(seed)
    person = generator.integers(people, size=rows)
    centre = generator.normal(size=(people, size))
    unit = normalise(centre[person] + spread * generator.normal(size=(rows, size)))
    return unit, person, np.arange(people) % groups


def listed(unit, person, places=1):
    """All pairs with scores rounded so that they tie."""
    pairs = all_pairs(unit, person, 10**6, 0)
    return type(pairs)(pairs.score.round(places), pairs.rows, pairs.mated, sampled=False)


def exact(pairs, keep=None):
    keep = np.ones(len(pairs.score), bool) if keep is None else keep
    return error_curve(
        score_table(pairs.score[keep & pairs.mated], pairs.score[keep & ~pairs.mated])
    )


@given(st.integers(0, 10_000), st.integers(1, 2))
@settings(deadline=None, max_examples=25)
def test_with_a_bin_for_each_score_the_curve_is_that_of_the_scores(seed, places):
    unit, person, group = crowd(seed)
    pairs = listed(unit, person, places)
    counted, curve = counted_curve(count_pairs(pairs, person, group=group)), exact(pairs)
    assert np.array_equal(counted.threshold, curve.threshold)
    assert counted.false_positive == pytest.approx(curve.false_positive, abs=1e-12)
    assert counted.false_negative == pytest.approx(curve.false_negative, abs=1e-12)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_figures_without_a_group_are_those_of_the_other_people_alone(seed):
    unit, person, group = crowd(seed)
    pairs = listed(unit, person)
    scored = count_pairs(pairs, person, group=group)
    found = left_out_figures(scored, RATES)
    assert list(found) == ["auc", "eer", *(f"tpr@{rate}" for rate in RATES)]
    for g in range(group.max() + 1):
        curve = exact(pairs, (group[person[pairs.rows]] != g).all(axis=1))
        assert found["auc"][g] == pytest.approx(area(curve), abs=1e-9, nan_ok=True)
        rate = equal_error(curve).false_positive
        assert found["eer"][g] == pytest.approx(rate, abs=1e-9, nan_ok=True)
        for rate in RATES:
            expected = 1 - at_rate(curve, rate).false_negative
            assert found[f"tpr@{rate}"][g] == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_left_out_groups_in_several_chunks_are_those_of_trials_without_them():
    unit, person, group = crowd(1, rows=400, people=90, groups=90)
    scored = score_all(unit, person, group=group, bins=1 << 14)
    found = left_out_figures(scored, [0.01])
    for g in (0, 31, 32, 63, 89):
        keep = group[person] != g
        alone = counted_figures(
            score_all(unit[keep], person[keep], group=group, bins=1 << 14), [0.01]
        )
        assert {name: values[g] for name, values in found.items()} == pytest.approx(alone)


def test_the_auc_of_bins_is_off_by_no_more_than_the_pairs_that_share_one():
    unit, person, group = crowd(2, rows=200)
    pairs = all_pairs(unit, person, 10**6, 0)
    true = auc(pairs.score[pairs.mated], pairs.score[~pairs.mated])
    for bins in (2, 16, 128, 8192):
        scored = score_all(unit, person, group=group, bins=bins)
        shared = (scored.mated_total / scored.mated_count) @ (
            scored.nonmated_total / scored.nonmated_count
        )
        found = counted_figures(scored, [])["auc"]
        assert abs(found - true) <= shared / 2 + 1e-12
    assert found == pytest.approx(true, abs=1e-4)


def test_a_threshold_of_bins_accepts_exactly_what_was_counted():
    unit, person, group = crowd(3, rows=150, spread=1.2)
    pairs = all_pairs(unit, person, 10**6, 0)
    mated, nonmated = pairs.score[pairs.mated], pairs.score[~pairs.mated]
    for bins in (4, 64, 1024):
        curve = counted_curve(score_all(unit, person, group=group, bins=bins))
        for rate in RATES:
            point = at_rate(curve, rate)
            assert np.isfinite(point.threshold)
            assert np.mean(nonmated >= point.threshold) == pytest.approx(point.false_positive)
            assert np.mean(mated < point.threshold) == pytest.approx(point.false_negative)
            assert point.false_positive <= rate + 1e-12


def test_between_separated_scores_the_threshold_lies_in_the_middle():
    counts = np.zeros(20, int)
    mated, nonmated = counts.copy(), counts.copy()
    mated[18], nonmated[4] = 3, 5
    scored = Scored(
        np.linspace(-1, 1, 21), mated[None], nonmated[None], mated, nonmated, (), (), 3, 3, 5
    )
    point = at_rate(counted_curve(scored), 0.0)
    assert point.false_negative == 0
    assert point.threshold == pytest.approx((-0.5 + 0.8) / 2)  # end of bin 4, start of bin 18


def test_no_pairs_of_a_kind_are_nan():
    unit, person, group = crowd(4, rows=12, people=12)
    unit, person = unit[:3], np.array([0, 0, 1])
    scored = score_all(unit, person, group=group)
    found = left_out_figures(scored, [0.1])
    assert np.isnan(found["auc"][0])  # without the only mated pair
    assert np.isnan(found["eer"][1])  # without the only stranger
    assert np.isnan(found["tpr@0.1"][1])
    nobody = score_all(unit[:1], person[:1], group=group)
    assert np.isnan(list(counted_figures(nobody, [0.1]).values())).all()
    assert np.isnan(counted_d_prime(nobody))


def test_one_person_a_group_gives_the_auc_of_each_person():
    unit, person, _ = crowd(5)
    pairs = listed(unit, person)
    scored = count_pairs(pairs, person, group=np.arange(12))
    expected = person_aucs(
        pairs.score[pairs.mated],
        person[pairs.rows[pairs.mated, 0]],
        pairs.score[~pairs.mated],
        person[pairs.rows[~pairs.mated]],
        12,
    )
    assert group_aucs(scored) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_d_prime_and_the_histogram_follow_the_scores():
    unit, person, group = crowd(6, rows=200)
    pairs = all_pairs(unit, person, 10**6, 0)
    mated, nonmated = pairs.score[pairs.mated], pairs.score[~pairs.mated]
    scored = score_all(unit, person, group=group, bins=1 << 14)
    assert counted_d_prime(scored) == pytest.approx(d_prime(mated, nonmated), abs=1e-3)
    edges, same, other = coarse_histogram(scored, 20)
    assert len(edges) == 21
    assert same.sum() == pytest.approx(1)
    assert same == pytest.approx(np.histogram(mated, edges)[0] / len(mated), abs=3e-3)
    assert other == pytest.approx(np.histogram(nonmated, edges)[0] / len(nonmated), abs=3e-3)


def test_a_change_that_keeps_order_changes_no_figure():
    unit, person, group = crowd(7)
    pairs = listed(unit, person)
    changed = type(pairs)(np.exp(3 * pairs.score), pairs.rows, pairs.mated, sampled=False)
    for figure in (counted_figures, left_out_figures):
        one = figure(count_pairs(pairs, person, group=group), RATES)
        other = figure(count_pairs(changed, person, group=group), RATES)
        for name, value in one.items():
            assert other[name] == pytest.approx(value, abs=1e-12)
