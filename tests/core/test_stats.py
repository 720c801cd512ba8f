"""Intervals against published figures, their limits, and books with a known truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from cs_helpers.core import stats
from cs_helpers.core.estimates import Estimate


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, table I (method 3).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_reproduces_newcombes_published_limits(successes, n, low, high):
    got = stats.wilson_interval(successes, n)
    assert got == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(0.5, 0.999))
def test_wilson_equals_scipy_and_holds_the_share(n, share, level):
    successes = round(share * n)
    low, high = stats.wilson_interval(successes, n, level)
    reference = scipy_stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert 0 <= low <= successes / n <= high <= 1


def test_more_successes_than_trials_are_refused():
    with pytest.raises(ValueError, match="between 0 and n"):
        stats.wilson_interval(3, 2)


def test_no_trials_give_no_interval():
    assert all(math.isnan(x) for x in stats.wilson_interval(0, 0))


def test_effective_n_counts_equal_accounts_and_one_giant_as_one():
    assert stats.effective_n([5, 5, 5, 5]) == pytest.approx(4)
    assert stats.effective_n([1_000_000, 1, 1]) == pytest.approx(1, abs=1e-4)


def test_nobody_lost_leaves_a_lower_limit_below_one():
    low, high = stats.kept_share_interval([100.0] * 30, [100.0] * 30)
    # Wilson at 30 of 30 gives .8865; the t quantile with 29 degrees of freedom widens it a little.
    assert 0.86 < low < 0.8865
    assert high == 1


def test_a_single_account_tells_nothing():
    assert stats.kept_share_interval([80.0], [100.0]) == (0.0, 1.0)
    assert stats.ratio_interval([80.0], [100.0]) == (0.0, math.inf)


def book(rng, accounts, spread):
    """Log-normal MRR; one account in ten leaves, one in ten keeps half, three in ten grow by a fifth."""
    starts = np.exp(rng.normal(7, spread, accounts))
    fate = rng.random(accounts)
    kept = starts * np.select([fate < 0.1, fate < 0.2], [0.0, 0.5], 1.0)
    return starts, kept, np.where(fate > 0.7, starts * 1.2, kept)


@pytest.mark.parametrize("accounts", [40, 60, 300])
@pytest.mark.parametrize("spread", [0.5, 1.0, 1.4])
def test_intervals_cover_the_truth_of_simulated_books(accounts, spread):
    rng = np.random.default_rng(20260701)
    # True GRR 1 - .1 - .1/2 = .85; true NRR = .85 + .3 * .2 = .91.
    grr_hits = nrr_hits = 0
    for _ in range(500):
        starts, kept, ends = book(rng, accounts, spread)
        low, high = stats.kept_share_interval(kept, starts)
        grr_hits += low <= 0.85 <= high
        low, high = stats.ratio_interval(ends, starts)
        nrr_hits += low <= 0.91 <= high
    # 500 draws at .95 have a standard error of .01.
    assert grr_hits / 500 >= 0.93
    assert nrr_hits / 500 >= 0.93


@pytest.mark.parametrize(("accounts", "grow", "gain", "leave"), [(40, 0.05, 1.0, 0.02), (40, 0.03, 1.0, 0.03)])
def test_rare_expansion_is_covered_too(accounts, grow, gain, leave):
    rng = np.random.default_rng(5)
    truth, hits = 1 - leave + grow * gain, 0
    for _ in range(500):
        starts, fate = np.exp(rng.normal(7, 0.5, accounts)), rng.random(accounts)
        ends = starts * np.select([fate < leave, fate > 1 - grow], [0.0, 1 + gain], 1.0)
        low, high = stats.ratio_interval(ends, starts)
        hits += low <= truth <= high
    assert hits / 500 >= 0.93


def test_the_plain_linearised_interval_fails_on_the_same_books_so_that_the_test_bites():
    rng = np.random.default_rng(20260701)
    hits = 0
    for _ in range(500):
        starts, kept, _ = book(rng, 100, 1.4)
        p = kept.sum() / starts.sum()
        se = math.sqrt(stats.intervals._linearised_variance(kept, starts, p))
        hits += p - 1.96 * se <= 0.85 <= p + 1.96 * se
    assert hits / 500 < 0.93


def test_difference_interval_reproduces_newcombes_published_limits():
    # Newcombe 1998, Statistics in Medicine 17: 873-890, table II, method 10: 56/70 - 48/80.
    now, before = 56 / 70, 48 / 80
    got = stats.difference_interval(now, stats.wilson_interval(56, 70), before, stats.wilson_interval(48, 80))
    assert got == pytest.approx((0.0524, 0.3339), abs=5e-5)


def share(successes, n):
    return Estimate("logo_retention", successes / n, successes, n, n, *stats.wilson_interval(successes, n))


@pytest.mark.parametrize(
    ("now", "before", "verdict"),
    [
        (share(95, 100), share(70, 100), "rise"),
        (share(70, 100), share(95, 100), "fall"),
        (share(88, 100), share(90, 100), "no clear change"),
        (share(90, 100), share(88, 100), "no clear change"),
        (share(5, 10), share(95, 100), "too few"),
        (Estimate("nrr", 1.0, 9, 9, 40, 0.0, math.inf), share(95, 100), "too few"),
        (share(95, 100), None, "no comparison"),
        (share(95, 100), Estimate("grr", None, None, None, 0, reason="nobody paid then"), "no comparison"),
        (Estimate("mrr", 10.0, None, None, 5), Estimate("mrr", 9.0, None, None, 5), "rise"),
        (Estimate("mrr", 9.0, None, None, 5), Estimate("mrr", 9.0, None, None, 5), "no change"),
    ],
)
def test_a_change_is_called_only_when_its_interval_leaves_zero_out(now, before, verdict):
    assert stats.compare(now, before).verdict == verdict


def test_a_change_without_an_earlier_value_gives_the_reason():
    before = Estimate("grr", None, None, None, 0, reason="nobody paid then")
    assert stats.compare(share(95, 100), before).reason == "nobody paid then"
