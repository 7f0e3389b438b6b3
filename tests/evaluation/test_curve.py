import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import det_curve, roc_auc_score

from fr3d.evaluation.metrics.curve import area, at_rate, equal_error, error_curve, score_table
from fr3d.evaluation.metrics.pairs import all_pairs, normalise
from fr3d.evaluation.metrics.verification import auc, d_prime, identification_rate, person_aucs

# few distinct values, so that ties are common
scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=40)


def curve_of(mated, nonmated, **weights):
    return error_curve(score_table(mated, nonmated), **weights)


@given(mated=scores, nonmated=scores)
def test_auc_is_what_scikit_learn_says_ties_included(mated, nonmated):
    labels = [1] * len(mated) + [0] * len(nonmated)
    assert auc(mated, nonmated) == pytest.approx(roc_auc_score(labels, mated + nonmated))


@given(mated=scores, nonmated=scores)
def test_error_rates_are_counts_at_every_threshold(mated, nonmated):
    curve = curve_of(mated, nonmated)
    for t, fp, fn in zip(curve.threshold, curve.false_positive, curve.false_negative, strict=True):
        assert fp == pytest.approx(np.mean(np.array(nonmated) >= t))
        assert fn == pytest.approx(np.mean(np.array(mated) < t))


@given(mated=scores, nonmated=scores)
def test_the_curve_holds_the_points_of_scikit_learn(mated, nonmated):
    labels = [1] * len(mated) + [0] * len(nonmated)
    curve = curve_of(mated, nonmated)
    ours = set(zip(curve.false_positive.round(9), curve.false_negative.round(9), strict=True))
    fpr, fnr, _ = det_curve(labels, mated + nonmated)
    assert {(round(a, 9), round(b, 9)) for a, b in zip(fpr, fnr, strict=True)} <= ours


@given(mated=scores, nonmated=scores, rate=st.floats(0, 1))
def test_an_operating_point_never_exceeds_its_rate_and_is_the_best_such(mated, nonmated, rate):
    point = at_rate(curve_of(mated, nonmated), rate)
    m, n = np.array(mated), np.array(nonmated)
    assert np.mean(n >= point.threshold) == pytest.approx(point.false_positive)
    assert np.mean(m < point.threshold) == pytest.approx(point.false_negative)
    assert point.false_positive <= rate + 1e-12
    better = [np.mean(m < t) for t in {*mated, *nonmated} if np.mean(n >= t) <= rate]
    assert point.false_negative <= min(better, default=1.0) + 1e-12


@given(mated=scores, nonmated=scores)
def test_the_equal_error_rate_lies_on_the_roc_and_on_the_diagonal(mated, nonmated):
    curve = curve_of(mated, nonmated)
    rate = equal_error(curve).false_positive
    order = np.argsort(curve.false_positive, kind="stable")
    upper = np.interp(rate + 1e-9, curve.false_positive[order], curve.false_negative[order])
    lower = np.interp(rate - 1e-9, curve.false_positive[order], curve.false_negative[order])
    assert min(lower, upper) - 1e-6 <= rate <= max(lower, upper) + 1e-6


@given(mated=scores, nonmated=scores)
def test_an_order_preserving_change_of_scores_changes_no_rate(mated, nonmated):
    curve, other = curve_of(mated, nonmated), curve_of(np.exp(mated), np.exp(nonmated))
    assert area(curve) == pytest.approx(area(other))
    assert equal_error(curve).false_positive == pytest.approx(equal_error(other).false_positive)


@given(mated=scores, nonmated=scores, data=st.data())
def test_a_weight_is_a_repetition(mated, nonmated, data):
    draw = st.integers(1, 3)
    m = np.array(data.draw(st.lists(draw, min_size=len(mated), max_size=len(mated))))
    n = np.array(data.draw(st.lists(draw, min_size=len(nonmated), max_size=len(nonmated))))
    weighted = curve_of(mated, nonmated, mated_weight=m, nonmated_weight=n)
    repeated = curve_of(np.repeat(mated, m), np.repeat(nonmated, n))
    assert np.allclose(weighted.false_positive, repeated.false_positive)
    assert np.allclose(weighted.false_negative, repeated.false_negative)


def test_constant_scores_tell_nothing():
    curve = curve_of([0.3] * 7, [0.3] * 20)
    assert area(curve) == 0.5
    assert equal_error(curve).false_positive == 0.5
    assert math.isnan(d_prime(np.full(3, 0.3), np.full(3, 0.3)))


def test_a_coin_flip_has_an_auc_of_one_half():
    generator = np.random.default_rng(0)
    mated, nonmated = generator.integers(0, 2, 20000), generator.integers(0, 2, 20000)
    assert auc(mated, nonmated) == pytest.approx(0.5, abs=0.01)


def test_separated_scores_make_no_error():
    curve = curve_of([0.8, 0.9], [0.1, 0.2])
    assert area(curve) == 1.0
    assert equal_error(curve).false_positive == 0.0
    point = at_rate(curve, 0.0)
    assert point.false_negative == 0.0
    assert point.threshold == pytest.approx(0.5)  # half-way between the groups


def test_a_failure_is_a_miss_at_every_threshold():
    curve = curve_of([0.9, -np.inf], [0.1])
    assert at_rate(curve, 0.5).false_negative == 0.5
    curve = curve_of([0.9], [0.1], mated_total=4)
    assert at_rate(curve, 0.0).false_negative == 0.75


def test_a_missing_side_is_nan_and_a_nan_score_an_error():
    assert np.isnan(curve_of([], [0.1]).false_negative).all()
    assert math.isnan(at_rate(curve_of([0.1], []), 0.1).threshold)
    assert math.isnan(equal_error(curve_of([], [0.1])).false_positive)
    with pytest.raises(ValueError, match="NaN"):
        score_table([np.nan], [0.1])


def test_d_prime_of_two_normal_distributions():
    generator = np.random.default_rng(0)
    mated, nonmated = generator.normal(2, 1, 50000), generator.normal(0, 1, 50000)
    assert d_prime(mated, nonmated) == pytest.approx(2.0, abs=0.03)


def test_person_aucs_against_a_slow_loop():
    generator = np.random.default_rng(1)
    person = np.array([0, 0, 0, 1, 1, 2, 3, 3])
    unit = normalise(generator.normal(size=(8, 3)))
    pairs = all_pairs(unit, person, 1000, 0)
    own, others = person[pairs.rows[pairs.mated, 0]], person[pairs.rows[~pairs.mated]]
    found = person_aucs(pairs.score[pairs.mated], own, pairs.score[~pairs.mated], others, 4)
    for p in range(4):
        rows = [
            (s, m)
            for s, m, (i, j) in zip(pairs.score, pairs.mated, pairs.rows, strict=True)
            if p in (person[i], person[j])
        ]
        if any(m for _, m in rows):
            expected = roc_auc_score([m for _, m in rows], [s for s, _ in rows])
            assert found[p] == pytest.approx(expected)
        else:
            assert math.isnan(found[p])


@pytest.fixture
def exercise(shared):
    return json.loads((shared / "data" / "identification_rate.json").read_text())


def test_the_identification_rate_of_the_exercise(exercise):
    query = normalise(np.array(exercise["query"]["embedding"]))
    strangers = normalise(np.array(exercise["distractor"]["embedding"]))
    person = np.unique(exercise["query"]["subject"], return_inverse=True)[1]
    pairs = all_pairs(query, person, 1000, 0)
    negatives = np.concatenate([pairs.score[~pairs.mated], (query @ strangers.T).ravel()])
    for fpr, threshold, tpr in zip(
        exercise["fpr"], exercise["threshold"], exercise["tpr"], strict=True
    ):
        found = identification_rate(pairs.score[pairs.mated], negatives, fpr)
        assert found == pytest.approx((threshold, tpr), abs=1e-6)


def test_all_pairs_are_cosines_and_a_sample_keeps_all_mated_pairs():
    generator = np.random.default_rng(2)
    vectors, person = generator.normal(size=(40, 5)), np.repeat(np.arange(10), 4)
    unit = normalise(vectors)
    pairs = all_pairs(unit, person, 10_000, 0)
    assert len(pairs.score) == 40 * 39 // 2
    for (i, j), score in zip(pairs.rows[:50], pairs.score[:50], strict=True):
        length = np.linalg.norm(vectors[i]) * np.linalg.norm(vectors[j])
        assert score == pytest.approx(vectors[i] @ vectors[j] / length, abs=1e-8)
    few = all_pairs(unit, person, 100, 3)
    assert few.sampled
    assert few.mated.sum() == pairs.mated.sum() == 60
    assert 50 < (~few.mated).sum() <= 100
    assert len(np.unique(few.rows, axis=0)) == len(few.rows)
    assert np.array_equal(few.rows, all_pairs(unit, person, 100, 3).rows)
    assert np.array_equal(few.mated, person[few.rows[:, 0]] == person[few.rows[:, 1]])
