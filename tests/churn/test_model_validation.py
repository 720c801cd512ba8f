"""Measures of ranking and calibration: by hand, against their definitions, published figures, and planted truths."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.special import ndtr

from cs_helpers.churn.model_validation import (
    auc,
    auc_interval,
    brier,
    brier_skill,
    calibration,
    reliability,
    top_k,
)
from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError

# Hanley & McNeil 1982, "The meaning and use of the area under a ROC curve", Radiology 143, table I: ratings 1 to 5 of
# 58 normal and 51 abnormal scans; area 0.893, standard error 0.032.
RATINGS = np.concatenate([np.repeat([1, 2, 3, 4, 5], [33, 6, 6, 11, 2]), np.repeat([1, 2, 3, 4, 5], [3, 2, 2, 11, 33])])
ABNORMAL = np.repeat([False, True], [58, 51])

rows = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=4, max_size=60).filter(
    lambda found: len({left for _, left in found}) == 2
)


def both(found):
    return np.array([s for s, _ in found], float), np.array([left for _, left in found])


def pairs(s, y):
    """Chance of a pair in the right order, counted pair by pair."""
    difference = s[y][:, None] - s[~y][None, :]
    return np.where(difference > 0, 1.0, np.where(difference == 0, 0.5, 0.0))


def test_auc_counts_pairs_in_the_right_order_and_ties_half():
    # Left: 3, 2; stayed: 2, 1. Pairs 3>2, 3>1, 2=2, 2>1: (1 + 1 + 0.5 + 1) / 4.
    assert auc([3, 2, 2, 1], [True, True, False, False]) == 3.5 / 4


def test_auc_and_its_error_equal_the_published_ones():
    area = auc(RATINGS, ABNORMAL)
    low, high = auc_interval(RATINGS, ABNORMAL)
    scale = math.log(high / (1 - high)) - math.log(low / (1 - low))
    assert area == approx(0.893, abs=0.0005)
    assert scale / 2 / stats.normal_quantile(0.95) * area * (1 - area) == approx(0.032, abs=0.002)


@given(rows)
@settings(max_examples=60, deadline=None)
def test_auc_and_delong_equal_their_definitions_pair_by_pair(found):
    s, y = both(found)
    table = pairs(s, y)
    area = table.mean()
    assert auc(s, y) == approx(area)
    assert auc(-s, y) == approx(1 - area)
    if min(table.shape) < 2 or not 0 < area < 1:
        return
    variance = table.mean(1).var(ddof=1) / len(table) + table.mean(0).var(ddof=1) / table.shape[1]
    if variance < 1e-15:
        return
    low, high = auc_interval(s, y)
    half = stats.normal_quantile(0.95) * math.sqrt(variance) / (area * (1 - area))
    assert low == approx(1 / (1 + math.exp(half) * (1 - area) / area))
    assert high == approx(1 / (1 + math.exp(-half) * (1 - area) / area))


def test_perfect_and_useless_scores_do_not_have_an_interval_without_width():
    low, high = auc_interval([1, 2, 3, 4, 11, 12, 13, 14], np.repeat([False, True], 4))
    assert high == 1 and low == stats.wilson_interval(4, 4)[0] < 0.6
    low, high = auc_interval(np.ones(8), np.repeat([False, True], 4))
    assert low < 0.2 and high > 0.8


def test_the_interval_of_the_auc_covers_the_truth():
    rng, covered = np.random.default_rng(1), 0
    y = np.repeat([True, False], [30, 300])
    truth = float(ndtr(1.2 / math.sqrt(2)))
    for _ in range(300):
        low, high = auc_interval(rng.normal(size=330) + 1.2 * y, y)
        covered += low <= truth <= high
    assert 0.92 <= covered / 300 <= 0.985


def test_top_k_shares_the_places_left_among_equal_scores():
    # k = 3: 9 is in; the two places left are shared by the four with score 5, of whom one left: 1 + 2 / 4 of 1.
    found = top_k([9, 5, 5, 5, 5, 1], [True, True, False, False, False, True], 3, weight=[100, 40, 1, 1, 1, 60])
    assert found.hits == approx(1 + 2 * 1 / 4)
    assert found.precision == approx(1.5 / 3)
    assert found.base_rate == 0.5 and found.lift == approx(1.0)
    assert found.found == approx(1.5 / 3)
    assert found.weight == approx(100 + 40 * 2 / 4)
    assert found.weight_found == approx(120 / 200)
    assert (found.low, found.high) == stats.wilson_interval(1.5, 3)
    assert (found.lift_low, found.lift_high) == (found.low / 0.5, found.high / 0.5)


def mean_lift(hits_of):
    """Mean lift of 200 draws of noise with 30 % ties, in a table whose first rows are those that left."""
    rng, found = np.random.default_rng(7), []
    for _ in range(200):
        y = np.repeat([True, False], [60, 540])
        score = rng.random(600)
        score[rng.random(600) < 0.3] = 0.92  # a tie group that the cut at 100 of 600 runs through
        found.append(hits_of(score, y, 100) / 100 / 0.1)
    return float(np.mean(found))


def test_scores_of_pure_noise_with_ties_have_a_lift_of_one():
    assert mean_lift(lambda s, y, k: top_k(s, y, k).hits) == approx(1.0, abs=0.1)


def test_a_stable_sort_would_fail_that_test():
    def naive(score, outcome, k):
        return outcome[np.argsort(-score, kind="stable")[:k]].sum()

    assert mean_lift(naive) > 1.5


@given(rows, st.integers(1, 70), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_rows_changes_nothing(found, k, random):
    shuffled = found[:]
    random.shuffle(shuffled)
    (s, y), (t, z) = both(found), both(shuffled)
    assert top_k(s, y, k, weight=s + 1) == top_k(t, z, k, weight=t + 1)
    assert (auc(s, y), auc_interval(s, y)) == (auc(t, z), auc_interval(t, z))
    p, q = s / 7 + 0.05, t / 7 + 0.05
    assert (brier(p, y), calibration(p, y)) == (brier(q, z), calibration(q, z))
    pd.testing.assert_frame_equal(reliability(p, y, 3), reliability(q, z, 3))


@given(rows, st.integers(1, 70))
@settings(max_examples=60, deadline=None)
def test_top_k_equals_the_mean_over_random_orders_of_ties_and_stays_in_bounds(found, k):
    s, y = both(found)
    top = top_k(s, y, k)
    rng = np.random.default_rng(0)
    draws = [y[np.lexsort((rng.random(len(s)), -s))[:k]].sum() for _ in range(200)]
    assert top.hits == approx(np.mean(draws), abs=0.5)
    assert top.k == min(k, len(s)) and 0 <= top.hits <= min(top.k, y.sum())
    assert top_k(s, y, len(s)).lift == approx(1.0) and top_k(s, y, len(s)).found == approx(1.0)


def test_brier_by_hand():
    # (0.2² + 0.4² + 0.5²) / 3 = 0.15; the observed share 1/3 alone gives 1/3 * 2/3 = 2/9: skill 1 - 0.15 * 4.5.
    p, y = [0.2, 0.4, 0.5], [False, False, True]
    assert brier(p, y) == approx(0.15)
    assert brier_skill(p, y) == approx(1 - 0.15 * 4.5)
    assert brier_skill([1 / 3] * 3, y) == approx(0.0)
    assert brier_skill([0, 0, 1], y) == 1


def test_equal_probabilities_have_an_intercept_and_no_slope():
    # 20 of 100 left, 10 % was expected: log(0.2 / 0.8) - log(0.1 / 0.9) = log(9 / 4); variance 1 / (100 * 0.2 * 0.8).
    found = calibration(np.full(100, 0.1), np.arange(100) < 20)
    assert found.intercept == approx(math.log(9 / 4))
    half = stats.normal_quantile(0.95) / math.sqrt(16)
    assert (found.intercept_low, found.intercept_high) == approx((math.log(9 / 4) - half, math.log(9 / 4) + half))
    assert found.slope is None and found.slope_low is None and found.slope_high is None
    assert (found.expected, found.observed) == (approx(10), 20)


@pytest.mark.parametrize(("shift", "stretch"), [(0.0, 1.0), (0.5, 1.0), (0.0, 2.0), (-0.4, 0.5)])
def test_probabilities_that_are_off_by_a_known_amount_show_it(shift, stretch):
    rng = np.random.default_rng(3)
    eta = rng.normal(-2, 1, 40_000)
    y = rng.random(40_000) < 1 / (1 + np.exp(-eta))
    found = calibration(1 / (1 + np.exp(-(eta * stretch - shift))), y)
    assert found.slope_low < 1 / stretch < found.slope_high
    assert found.slope == approx(1 / stretch, abs=0.05)
    if stretch == 1:
        assert found.intercept_low < shift < found.intercept_high


def test_probabilities_of_zero_and_one_do_not_break_calibration():
    found = calibration([0, 0, 1, 1, 0.5, 0.5], [False, True, True, True, False, True])
    assert all(math.isfinite(value) for value in (found.intercept, found.slope, found.slope_low, found.slope_high))


def test_reliability_groups_by_probability_and_does_not_tear_equals_apart():
    p = np.repeat([0.1, 0.2, 0.6], [40, 40, 20])
    y = np.concatenate([np.arange(40) < 4, np.arange(40) < 10, np.arange(20) < 11])
    table = reliability(p, y, bins=5)
    assert table["n"].tolist() == [40, 40, 20]
    assert table["expected"].tolist() == approx([0.1, 0.2, 0.6])
    assert table["observed"].tolist() == approx([4 / 40, 10 / 40, 11 / 20])
    assert (table.loc[1, "low"], table.loc[1, "high"]) == stats.wilson_interval(10, 40)


def test_few_who_left_make_fewer_groups():
    p, y = np.linspace(0.01, 0.5, 200), np.arange(200) % 20 == 0  # 10 left: 2 groups of 5
    assert len(reliability(p, y)) == 2
    assert len(reliability(p, np.zeros(200, bool))) == 1
    assert len(reliability(p, np.arange(200) % 2 == 0)) == 10


@pytest.mark.parametrize(
    "call",
    [
        lambda: auc([1, 2], [True, True]),
        lambda: auc([1, math.nan], [True, False]),
        lambda: auc([], []),
        lambda: auc([1, 2, 3], [True, False]),
        lambda: top_k([1, 2], [False, False], 1),
        lambda: top_k([1, 2], [True, False], 0),
        lambda: top_k([1, 2], [True, False], 1, weight=[1, math.nan]),
        lambda: brier([0.5, 1.5], [True, False]),
        lambda: brier_skill([0.5, 0.5], [False, False]),
        lambda: calibration([0.5, 0.5], [True, True]),
        lambda: reliability([0.5, -0.1], [True, False]),
        lambda: auc([1, 2], [0, 3]),
    ],
)
def test_what_cannot_be_measured_is_refused(call):
    with pytest.raises(ContractError):
        call()
