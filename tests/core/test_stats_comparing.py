"""What comparisons of many units rest on: shrinkage, limits of counts, many tests at once, NPS."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.stats import chi2, false_discovery_control, norm, poisson, t

import cs_helpers as cs
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats import (
    benjamini_hochberg,
    holm,
    overdispersion,
    poisson_interval,
    rate_interval,
    shrink,
    spread_of,
)
from cs_helpers.core.stats.clusters import two_sided_p, upper_tail
from cs_helpers.core.stats.shrinkage import winsorised_variance

# Batting averages of the first 45 at-bats of 18 players in 1970, Clemente first: hits.
HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])


def test_the_batting_averages_of_efron_and_morris_1977_shrink_as_published():
    averages = HITS / 45
    grand = averages.mean()
    result = cs.stats.shrink(averages, grand * (1 - grand) / 45)
    assert result.kept == approx(np.full(18, 0.212), abs=5e-4)
    assert result.mean == approx(0.2654, abs=5e-5)
    assert result.values[0] == approx(0.294, abs=5e-4), "Clemente"


def test_equal_variances_give_the_factor_of_james_and_stein():
    y, v = np.array([1.0, 3.0, 5.0, 9.0, 12.0]), 4.0
    squares = ((y - 6.0) ** 2).sum()  # 25 + 9 + 1 + 9 + 36 = 80
    assert squares == 80
    result = shrink(y, v)
    assert result.kept == approx(1 - (5 - 3) * v / squares)
    assert result.values == approx(6 + (1 - 8 / 80) * (y - 6))
    assert result.spread == approx(math.sqrt(80 / 4 - 4))


def test_the_noisier_value_moves_further_to_the_mean():
    result = shrink([0.0, 10.0, 0.0, 10.0], [1.0, 1.0, 30.0, 30.0])
    assert result.kept[0] > result.kept[2]
    assert result.standard_errors[0] < result.standard_errors[2]


def test_values_that_noise_alone_explains_shrink_almost_all_the_way():
    result = shrink(np.linspace(-0.1, 0.1, 20), 1.0)
    assert result.spread == 0
    assert result.kept == approx(1 - 17 / 19), "Morris's factor leaves 2 / (k - 1) where the spread is 0"


@pytest.mark.parametrize(
    ("values", "variances", "says"),
    [([1, 2, 3], 1.0, "at least 4"), ([1, 2, 3, math.nan], 1.0, "finite"), ([1, 2, 3, 4], 0.0, "positive")],
)
def test_what_cannot_be_shrunk_is_refused(values, variances, says):
    with pytest.raises(ContractError, match=says):
        shrink(values, variances)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=4, max_size=30), st.floats(0.01, 100), st.randoms())
def test_shrinking_keeps_the_order_of_equally_noisy_values_and_does_not_mind_theirs(values, variance, random):
    result = shrink(values, variance)
    assert ((result.kept >= 0) & (result.kept <= 1)).all()
    assert (np.diff(result.values[np.argsort(values, kind="stable")]) >= -1e-9).all()
    order = list(range(len(values)))
    random.shuffle(order)
    assert shrink(np.array(values)[order], variance).values == approx(result.values[order], abs=1e-6)


def test_shrunken_intervals_cover_the_truth():
    draw = np.random.default_rng(7)
    covered = []
    for _ in range(200):
        truth, v = draw.normal(0, 1, 20), draw.uniform(0.3, 3.0, 20)
        result = shrink(truth + draw.normal(0, np.sqrt(v)), v)
        covered.append(((result.low <= truth) & (truth <= result.high)).mean())
    assert 0.93 <= np.mean(covered) <= 0.98


def test_the_spread_solves_the_equation_of_paule_and_mandel():
    y, v = np.array([0.0, 2.0, 5.0, 9.0]), np.array([1.0, 2.0, 1.0, 4.0])
    result = spread_of(y, v)
    w = 1 / (v + result.value**2)
    assert (w * (y - (w * y).sum() / w.sum()) ** 2).sum() == approx(3)
    w = 1 / (v + result.low**2)
    assert (w * (y - (w * y).sum() / w.sum()) ** 2).sum() == approx(chi2.ppf(0.975, 3))
    w = 1 / v
    assert result.p == approx(chi2.sf((w * (y - (w * y).sum() / w.sum()) ** 2).sum(), 3))


def test_equal_variances_give_the_textbook_spread_and_reliability():
    y = np.array([1.0, 3.0, 5.0, 7.0])  # variance 20 / 3
    result = spread_of(y, np.full(4, 2.0))
    assert result.value == approx(math.sqrt(20 / 3 - 2))
    assert result.reliability == approx((20 / 3 - 2) / (20 / 3))
    assert spread_of([0, 0.1, 0, 0.1], np.ones(4)).value == 0


def test_one_value_has_no_spread():
    with pytest.raises(ContractError, match="at least two"):
        spread_of([1.0], [1.0])


def test_winsorised_overdispersion_ignores_two_outliers_and_sees_a_common_spread():
    quiet = np.linspace(-1.6, 1.6, 20)
    wild = quiet.copy()
    wild[[0, -1]] = [-9, 9]
    assert overdispersion(wild, np.ones(20)) == overdispersion(quiet, np.ones(20)) == 0
    common = overdispersion(3 * quiet, np.ones(20))
    cut = np.clip(3 * quiet, *np.quantile(3 * quiet, [0.1, 0.9]))
    assert common == approx(math.sqrt(((cut**2).sum() - 19) / (20 - 1)))
    assert overdispersion([9.0, -9.0, 0.0], np.ones(3)) == 0, "three units tell nothing about the others"


def test_winsorising_normal_deviates_leaves_what_it_says():
    z = np.sort(norm.ppf((np.arange(200_000) + 0.5) / 200_000))
    assert winsorised_variance(0.1) == approx((np.clip(z, norm.ppf(0.1), norm.ppf(0.9)) ** 2).mean(), abs=1e-4)
    assert winsorised_variance(1e-9) == approx(1, abs=1e-4)


def test_upper_tails_of_the_normal_and_of_student():
    assert upper_tail([1.96, 0.0]) == approx([norm.sf(1.96), 0.5])
    assert upper_tail([2.0, 2.0], [5, math.inf]) == approx([t.sf(2, 5), norm.sf(2)])
    assert two_sided_p(-1.7, 9) == approx(2 * float(upper_tail(1.7, 9)))


def test_poisson_limits_of_a_ratio_are_those_published_for_funnel_plots():
    for expected, level, low, high in (
        (15, 0.95, 0.5597, 1.6493),
        (15, 0.998, 0.3863, 2.0829),
        (30, 0.95, 0.6747, 1.4276),
        (30, 0.998, 0.5290, 1.7028),
    ):
        found = poisson_interval(expected, level)
        assert (float(found[0]) / expected, float(found[1]) / expected) == approx((low, high), abs=5e-5)


def test_poisson_intervals_are_exact():
    low, high = poisson_interval([0, 4, 25])
    assert low[0] == 0
    assert poisson.sf(3, low[1]) == approx(0.025)
    assert poisson.cdf(4, high[1]) == approx(0.025)
    assert high[0] == approx(-math.log(0.025))
    assert rate_interval(4, 2.0) == approx((low[1] / 2, high[1] / 2))
    assert all(math.isnan(end) for end in rate_interval(1, 0))


def test_benjamini_hochberg_on_five_and_against_scipy():
    # sorted .01 .02 .03 .4 .9 times 5 / rank: .05 .05 .05 .5 .9
    assert benjamini_hochberg([0.4, 0.01, 0.03, 0.9, 0.02]) == approx([0.5, 0.05, 0.05, 0.9, 0.05])
    p = np.random.default_rng(3).random(50) ** 2
    assert benjamini_hochberg(p) == approx(false_discovery_control(p))
    with_gap = benjamini_hochberg([0.02, math.nan, 0.9])
    assert with_gap[0] == approx(0.04), "two were compared, not three"
    assert math.isnan(with_gap[1])


def test_holm_on_four():
    # sorted .01 .02 .03 .04 times 4 3 2 1: .04 .06 .06 .06
    assert holm([0.04, 0.01, 0.03, 0.02]) == approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, math.nan, 0.4])[[0, 2]] == approx([0.8, 0.8])


def test_p_values_outside_zero_to_one_are_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg([0.2, 1.2])


def test_nps_has_the_published_margins():
    # P = .5, D = .2: 1.96 sqrt((.7 - .09) / n)
    hundred = [10] * 50 + [8] * 30 + [3] * 20
    assert cs.stats.nps(hundred).margin == approx(15.3, abs=0.05)
    assert cs.stats.nps(hundred * 4).margin == approx(7.65, abs=0.01)
    result = cs.stats.nps(hundred)
    assert (result.value, result.promoters, result.passives, result.detractors, result.n) == (
        approx(30),
        50,
        30,
        20,
        100,
    )
    middle = (50.75 - 20.75) / 103
    half = 1.959964 * math.sqrt(((50.75 + 20.75) / 103 - middle**2) / 103)
    assert (result.low, result.high) == approx((100 * (middle - half), 100 * (middle + half)), abs=1e-4)


def test_nps_of_those_who_agree_is_still_uncertain_and_the_silent_do_not_count():
    result = cs.stats.nps([9, 10, 10, math.nan])
    assert (result.value, result.n) == (100, 3)
    half = 1.959964 * math.sqrt((4.5 / 6 - 0.5**2) / 6)  # 3.75 and 0.75 of 6: net .5
    assert (result.low, result.high) == approx((50 - 100 * half, 100))
    with pytest.raises(ContractError, match="nobody answered"):
        cs.stats.nps([math.nan])
    with pytest.raises(ContractError, match="0 to 10"):
        cs.stats.nps([11])


def test_funnel_limits_are_those_published():
    for expected, level, low, high in (
        (15, 0.95, 0.5597, 1.6493),
        (15, 0.998, 0.3863, 2.0829),
        (30, 0.95, 0.6747, 1.4276),
        (30, 0.998, 0.5290, 1.7028),
    ):
        found = cs.stats.funnel_limits(expected, level)
        assert (float(found[0]), float(found[1])) == approx((low, high), abs=5e-5)


def test_erlang_c_gives_the_published_queue():
    # 360 calls in half an hour, 240 s each, 55 agents, 15 s: load 720 / 3600 * 240 = 48
    queue = cs.stats.erlang_c(720, 240, 55, 15)
    assert (queue.load, queue.p_wait, queue.service_level) == approx((48, 0.239, 0.846), abs=5e-4)
    assert queue.asa_seconds == approx(8.2, abs=0.05)
    assert queue.occupancy == approx(48 / 55)


def test_erlang_c_of_one_agent_is_its_load_and_of_too_much_load_has_no_end():
    assert cs.stats.erlang_c(9, 200, 1, 0).p_wait == approx(0.5), "M/M/1 waits with probability rho"
    full = cs.stats.erlang_c(3600, 10, 10, 20)
    assert (full.p_wait, full.service_level, full.asa_seconds) == (1, 0, math.inf)
    with pytest.raises(ParameterError, match="whole number"):
        cs.stats.erlang_c(10, 100, 2.5, 20)
