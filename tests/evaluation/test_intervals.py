import numpy as np
import pytest
import scipy.stats

from fr3d.evaluation.metrics.intervals import exact, jackknife, person_groups, wilson
from fr3d.evaluation.metrics.paired import compare


def left_out_means(values):
    return (values.sum() - values) / (len(values) - 1)


def test_the_jackknife_of_a_mean_is_the_t_interval():
    values = np.random.default_rng(0).normal(3, 2, 40)
    found = jackknife(values.mean(), left_out_means(values), people=40, bounded=False)
    expected = scipy.stats.t.interval(0.95, 39, values.mean(), scipy.stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)


def test_limits_of_a_rate_stay_between_0_and_1_and_hold_it():
    values = np.random.default_rng(1).random(30) < 0.9
    found = jackknife(values.mean(), left_out_means(values), people=30)
    assert 0 < found.low < values.mean() < found.high < 1


@pytest.mark.parametrize("errors", [0, 1, 7, 20])
def test_exact_and_wilson_limits_against_scipy(errors):
    test = scipy.stats.binomtest(errors, 20)
    limits = exact(errors, 20)
    assert (limits.low, limits.high) == pytest.approx(tuple(test.proportion_ci(method="exact")))
    limits = wilson(errors, 20)
    assert (limits.low, limits.high) == pytest.approx(tuple(test.proportion_ci(method="wilson")))


def test_no_error_is_bounded_by_the_number_of_people():
    found = jackknife(1.0, np.ones(30), people=30)
    assert found.low == pytest.approx(0.025 ** (1 / 30))
    assert found.high == 1.0
    assert jackknife(0.5, np.array([0.4, 0.6]), people=2) is None


def test_groups_deal_people_evenly():
    assert person_groups(5).tolist() == [0, 1, 2, 3, 4]
    assert np.bincount(person_groups(1203)).tolist() == [3] * 203 + [2] * 297


def test_paired_comparison_is_the_paired_t_test():
    generator = np.random.default_rng(2)
    one, other = generator.normal(0.3, 1, 50), generator.normal(0, 1, 50)
    found = compare(
        one.mean(),
        other.mean(),
        left_out_means(one),
        left_out_means(other),
        people=50,
        bounded=False,
    )
    assert found.p_value == pytest.approx(scipy.stats.ttest_rel(one, other).pvalue)
    same = compare(one.mean(), one.mean(), left_out_means(one), left_out_means(one), people=50)
    assert (same.difference, same.p_value) == (0.0, 1.0)
