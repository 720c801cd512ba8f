"""The sBG curve against the published figures, arithmetic by hand, and worlds whose truth is known."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from rolled import rolled
from scipy import stats as scipy_stats

from cs_helpers.churn.shifted_beta_geometric import (
    HeldOut,
    Projection,
    fit_sbg,
    fit_sbg_hazards,
    fit_spells,
    known_at,
    life_table,
    project,
)
from cs_helpers.core.errors import ContractError
from cs_helpers.core.periods import add_months, months_between
from cs_helpers.core.results import Suppressed
from cs_helpers.core.stats.likelihood import maximise, pooled

PUBLISHED = (
    Path(__file__).resolve().parents[3] / "shared" / "datasets" / "retention_curves" / "fader_hardie_2007_retention.csv"
)
AS_OF = pd.Timestamp("2026-07-01")

# Fader & Hardie 2007, "How to project customer retention", Journal of Interactive Marketing 21(1): % of 1,000 customers
# left after 0 to 7 years, the estimates from them, and the projection of years 8 to 12.
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]
PAPER = [
    (REGULAR, 0.704, 1.182, -1680.265, [22.0, 20.4, 19.1, 18.0, 17.0]),
    (HIGH_END, 0.668, 3.806, -1611.158, [46.0, 43.6, 41.4, 39.5, 37.8]),
]


def spells_of(starts, lifetimes, as_of=AS_OF, observed_from=None):
    """Spells of accounts that stay a planned number of months, as the roll-up shows them at ``as_of``."""
    starts = pd.Series(starts)
    eve = pd.Series(as_of - pd.Timedelta(days=1), index=starts.index)
    could_last = months_between(starts, eve)
    entry = pd.Series(0.0, index=starts.index)
    if observed_from is not None:
        entry = months_between(starts, pd.Series(observed_from, index=starts.index)).clip(lower=0)
    spells = pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(len(starts))],
            "start_date": starts,
            "duration_months": np.minimum(lifetimes, could_last),
            "churned": np.asarray(lifetimes) <= could_last,
            "entry_months": entry,
            "mrr_cents": 10_000,
        }
    )
    return spells[spells["duration_months"] > spells["entry_months"]]


def some_day(rng, n, months, as_of=AS_OF):
    """``n`` starts on any day of the ``months`` before ``as_of``."""
    days = (as_of - add_months(as_of, -months)).days
    return as_of - pd.to_timedelta(rng.integers(1, days, n), unit="D")


def sbg_world(seed, n, alpha, beta, months=48, window=36, faster=1.0):
    """Accounts with a constant monthly chance to leave each, Beta(alpha, beta) over accounts, times ``faster`` in the
    last 12 months; started over ``months``, seen in the last ``window``."""
    rng = np.random.default_rng(seed)
    starts, chance = pd.Series(some_day(rng, n, months)), rng.beta(alpha, beta, n)
    lifetime = rng.geometric(np.maximum(chance, 1e-9)).astype(float)
    eve = pd.Series(add_months(AS_OF, -12) - pd.Timedelta(days=1), index=starts.index)
    age = np.maximum(np.floor(months_between(starts, eve)), 0)
    later = age + rng.geometric(np.clip(faster * chance, 1e-9, 1))
    lifetime = np.where(lifetime > age, later, lifetime)
    return spells_of(starts, lifetime, observed_from=add_months(AS_OF, -window))


@pytest.mark.parametrize(("percent", "alpha", "beta", "log_likelihood", "ahead"), PAPER)
def test_the_published_estimates_and_projections_are_reproduced(percent, alpha, beta, log_likelihood, ahead):
    fit = fit_sbg(np.array(percent) * 10)
    assert fit.alpha == approx(alpha, abs=5e-4)
    assert fit.beta == approx(beta, abs=5e-4)
    assert fit.log_likelihood == approx(log_likelihood, abs=5e-4)
    assert (100 * fit.survival(np.arange(8, 13))).round(1).tolist() == ahead
    assert fit.periods == 7
    assert not fit.homogeneous
    assert fit.held_out.empty


@pytest.mark.parametrize(("segment", "paper"), [("regular", PAPER[0]), ("high_end", PAPER[1])])
def test_the_five_years_held_out_in_the_paper_are_missed_by_no_more_than_there(segment, paper):
    if not PUBLISHED.exists():
        pytest.skip("the published retention table is not beside this checkout")
    actual = pd.read_csv(PUBLISHED)[segment].to_numpy()
    fit = fit_sbg(actual * 10, hold_out=5)
    assert fit.alpha == approx(paper[1], abs=5e-4)
    assert fit.held_out.index.tolist() == [8, 9, 10, 11, 12]
    assert fit.held_out["actual"].iloc[-1] == approx({"regular": 0.173, "high_end": 0.394}[segment])
    printed = (actual[8:] - np.array(paper[4])) / 100  # both to 0.1 %, so that each may be off by .0005
    assert (fit.held_out["error"].abs() <= np.abs(printed) + 0.0006).all()
    assert (fit.held_out["error"] == fit.held_out["actual"] - fit.held_out["projected"]).all()


def test_survival_and_hazard_by_hand():
    # alpha = 1, beta = 1: h(t) = 1 / (t + 1), S(t) = 1/2 x 2/3 x ... x t/(t+1) = 1 / (t + 1), also between whole t.
    # With 60 of 120 lost, then 20 of 60, then 10 of 40, just those hazards are seen.
    fit = fit_sbg([120, 60, 40, 30])
    assert (fit.alpha, fit.beta) == (approx(1, abs=1e-5), approx(1, abs=1e-5))
    assert fit.hazard(np.array([1, 2, 3])) == approx([1 / 2, 1 / 3, 1 / 4], abs=1e-5)
    assert fit.survival(0) == 1
    assert fit.survival(3) == approx(1 / 4, abs=1e-5)
    assert fit.survival(1.5) == approx(1 / 2.5, abs=1e-5)
    # log L = 60 log 1/2 + 20 log 1/6 + 10 log 1/12 + 30 log 1/4: left in period 1, 2, 3, or still there.
    by_hand = 60 * np.log(1 / 2) + 20 * np.log(1 / 6) + 10 * np.log(1 / 12) + 30 * np.log(1 / 4)
    assert fit.log_likelihood == approx(by_hand)
    # 120 + 60 + 40 at risk, 90 lost: 9/22 a period.
    assert fit.monthly_churn_rate == approx(90 / 220)
    # Months begun of the first three: 1 + 1/2 + 1/3.
    assert fit.expected_months(3) == approx(1 + 1 / 2 + 1 / 3, abs=1e-5)


def test_periods_of_a_year_are_read_in_months():
    fit = fit_sbg([120, 60, 40, 30], period_months=12)
    assert fit.survival_months(12) == approx(1 / 2, abs=1e-5)
    assert fit.survival_months(36) == approx(1 / 4, abs=1e-5)
    assert fit.monthly_churn_rate == approx(1 - (1 - 90 / 220) ** (1 / 12))
    assert "3 periods of 12 months" in repr(fit)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 300), min_size=3, max_size=30),
    st.integers(1, 500),
)
def test_no_other_parameters_are_more_likely(losses, rest):
    left = np.cumsum([rest, *losses])[::-1].astype(float)
    if not any(losses[1:]) and losses[0] == 0:
        return
    if left[1] == left[0] and len(set(left)) == 1:
        return
    fit = fit_sbg(left)
    at_risk, lost, k = left[:-1], -np.diff(left), np.arange(1, len(left))
    rng = np.random.default_rng(0)
    alphas = np.concatenate([fit.alpha * np.exp(rng.normal(0, 0.3, 300)), np.exp(rng.uniform(-6, 9, 300))])
    betas = np.concatenate([fit.beta * np.exp(rng.normal(0, 0.3, 300)), np.exp(rng.uniform(-6, 9, 300))])
    h = alphas[:, None] / (alphas[:, None] + betas[:, None] + k - 1)
    others = (lost * np.log(h) + (at_risk - lost) * np.log1p(-h)).sum(axis=1)
    inside = (alphas + betas > np.exp(-7)) & (alphas + betas < np.exp(14))
    assert others[inside].max() <= fit.log_likelihood + 2e-4
    survival = fit.survival(np.arange(0, 121))
    assert survival[0] == 1
    assert (np.diff(survival) <= 1e-12).all()
    assert (survival >= 0).all()
    assert np.isfinite(fit.covariance).all()
    assert np.isfinite(fit.draws(50)).all()


def test_the_covariance_is_the_curvature_of_the_likelihood():
    fit = fit_sbg(np.array(HIGH_END) * 10)
    left = np.array(HIGH_END) * 10
    at_risk, lost, k = left[:-1], -np.diff(left), np.arange(1, 8)

    def log_likelihood(x, y):
        h = np.exp(x) / (np.exp(x) + np.exp(y) + k - 1)
        return (lost * np.log(h) + (at_risk - lost) * np.log1p(-h)).sum()

    x, y, e = np.log(fit.alpha), np.log(fit.beta), 1e-3
    middle = log_likelihood(x, y)
    xx = (log_likelihood(x + e, y) - 2 * middle + log_likelihood(x - e, y)) / e**2
    yy = (log_likelihood(x, y + e) - 2 * middle + log_likelihood(x, y - e)) / e**2
    corners = [log_likelihood(x + i * e, y + j * e) * i * j for i in (-1, 1) for j in (-1, 1)]
    information = -np.array([[xx, sum(corners) / (4 * e**2)], [sum(corners) / (4 * e**2), yy]])
    assert fit.covariance == approx(np.linalg.inv(information), rel=1e-3)
    # On a thousand customers the draws agree with that normal approximation.
    drawn = np.log(fit.draws(20_000, seed=3))
    assert drawn.mean(axis=0) == approx([x, y], abs=0.25 * np.sqrt(fit.covariance[0, 0]))
    assert np.cov(drawn.T) == approx(fit.covariance, rel=0.15)


@pytest.mark.parametrize("left", [[60, 50, 43, 39, 36], [200, 180, 163, 146, 131, 119, 106]])
def test_the_draws_of_a_small_cohort_follow_likelihood_times_weight(left):
    # Against a brute-force grid over log(alpha / beta) and log(alpha + beta); the weight is half-Cauchy in
    # c = 1 / sqrt(alpha): 1 / (1 + c^2) times dc / dlog alpha = c / 2.
    left = np.array(left, float)
    odds, size = np.meshgrid(np.linspace(-12, 4, 801), np.linspace(-7, 14, 421))
    alpha, beta = np.exp(size) / (1 + np.exp(-odds)), np.exp(size) / (1 + np.exp(odds))
    log_weight = np.log(alpha**-0.5 / (1 + 1 / alpha))
    for k, (there, stay) in enumerate(pairwise(left)):
        log_weight += (there - stay) * np.log(alpha) + stay * np.log(beta + k) - there * np.log(alpha + beta + k)
    weight = np.exp(log_weight - log_weight.max())
    chosen = np.random.default_rng(0).choice(weight.size, 40_000, p=(weight / weight.sum()).ravel())
    drawn = fit_sbg(left).draws(40_000)
    exact = np.column_stack([alpha.ravel()[chosen], beta.ravel()[chosen]])
    quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    found, expected = (np.quantile(np.log(each.sum(axis=1)), quantiles) for each in (drawn, exact))
    assert found == approx(expected, abs=0.25)
    found, expected = (np.quantile(each[:, 0] / each.sum(axis=1), quantiles) for each in (drawn, exact))
    assert found == approx(expected, rel=0.03)


def test_draws_repeat_with_their_seed_and_change_with_it():
    fit = fit_sbg(np.array(REGULAR) * 10)
    assert (fit.draws(100, seed=4) == fit.draws(100, seed=4)).all()
    assert (fit.draws(100, seed=4) != fit.draws(100, seed=5)).any()
    assert fit.draws(7).shape == (7, 2)


# Losses of 10 % in each period, or of more and more: no sBG hazard rises, so that a constant one is the best.
@pytest.mark.parametrize("hazards", [[0.1] * 8, [0.05, 0.1, 0.15, 0.2], [0, 0, 0, 0, 0, 0.5]])
def test_without_heterogeneity_the_curve_is_that_of_equal_accounts(hazards):
    left = 1000 * np.cumprod([1, *(1 - np.array(hazards))])
    fit = fit_sbg(left)
    rate = (left[0] - left[-1]) / left[:-1].sum()
    assert fit.homogeneous
    assert fit.survival(np.arange(20)) == approx((1 - rate) ** np.arange(20), abs=1e-4)
    assert "no heterogeneity" in repr(fit)
    drawn = fit.survival_draws([12], 500)
    assert np.isfinite(drawn).all()
    assert drawn.std() > 0


def test_losses_in_the_first_period_only_are_fitted_without_end_or_overflow():
    fit = fit_sbg([1000, 600, 600, 600, 600])
    assert fit.survival(np.array([1, 4])) == approx([0.6, 0.6], abs=0.01)
    assert not fit.homogeneous
    assert np.isfinite(fit.draws(100)).all()


@pytest.mark.parametrize(
    ("survivors", "words"),
    [
        ([100, 100, 100], "nobody left"),
        ([100, 0, 0], "everybody left in period 1"),
        ([100, 80, 90], "never rise"),
        ([100, 80], "at least two"),
        ([100], "at least two"),
        ([], "at least two"),
        ([0, 0, 0], "begin above 0"),
        ([100, float("nan"), 50], "none is missing"),
        ([100, 50, -1], "begin above 0"),
    ],
)
def test_survivors_without_a_curve_are_refused_in_words(survivors, words):
    with pytest.raises(ContractError, match=words):
        fit_sbg(survivors)


def test_holding_out_too_much_is_refused():
    with pytest.raises(ContractError, match="5 held out leave 1 periods"):
        fit_sbg([100, 80, 70, 60, 55, 50, 48], hold_out=5)


@pytest.mark.parametrize(
    ("at_risk", "lost", "words"),
    [
        ([10, 5], [11, 1], "0 <= lost <= at_risk"),
        ([10, 5, 3], [1, 1], "one value per period"),
        ([10, 0], [1, 0], "1 period with anybody at risk"),
        ([10, 5], [0, 0], "nobody left"),
        ([10, 5], [10, 5], "everybody left"),
    ],
)
def test_life_tables_that_cannot_be_are_refused(at_risk, lost, words):
    with pytest.raises(ContractError, match=words):
        fit_sbg_hazards(at_risk, lost)


def test_a_cohort_and_its_life_table_give_one_fit():
    left = np.array(REGULAR) * 10
    cohort = fit_sbg(left)
    table = fit_sbg_hazards(left[:-1], -np.diff(left))
    assert (table.alpha, table.beta, table.log_likelihood) == (cohort.alpha, cohort.beta, cohort.log_likelihood)
    # Half of the cohort came under observation only at the start of period 3; the hazards are the same.
    late = fit_sbg_hazards(np.r_[left[:2] / 2, left[2:-1]], np.r_[-np.diff(left)[:2] / 2, -np.diff(left)[2:]])
    assert late.survival(12) == approx(cohort.survival(12), abs=0.01)


def test_a_life_table_by_hand():
    # As of 1 July 2026 the eve is 30 June: what began on 30 January could have lasted 5 months to the day.
    spells = pd.DataFrame(
        {
            "account_id": list("abcdef"),
            "start_date": pd.to_datetime(
                ["2026-01-30", "2026-01-30", "2026-04-01", "2026-04-01", "2025-01-30", "2026-01-30"]
            ),
            "duration_months": [2.0, 5.0, 2 + 29 / 31, 2 + 10 / 31, 17.0, 5.0],
            "churned": [True, True, False, True, False, False],
            "entry_months": [0, 0, 0, 0, 2.5, 0],
        }
    )
    table = life_table(spells.iloc[[0, 1, 2, 3, 5]], "2026-07-01")
    # Period 3: a has left at 2.0, which ends period 2. c and d began 2 months and 29 days before the eve: d left
    # in a period that c has not finished, and neither counts in it. e is at risk from period 4 on.
    assert table["at_risk"].tolist() == [5, 5, 2, 2, 2]
    assert table["lost"].tolist() == [0, 1, 0, 0, 1]
    assert life_table(spells, "2026-07-01")["at_risk"].tolist() == [5, 5, 2, 3, 3, *[1] * 12]
    assert life_table(spells, "2026-07-01", period_months=2)["at_risk"].tolist() == [5, 2, 1, 1, 1, 1, 1, 1]
    assert life_table(spells, "2026-07-01", period_months=2)["lost"].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_the_life_table_of_annual_contracts_recovers_the_planted_hazards():
    planted = np.array([0.30, 0.20, 0.12, 0.08])
    rng = np.random.default_rng(7)
    n = 20_000
    leaves = rng.random((n, 4)) < planted
    years = 1 + np.where(leaves.any(axis=1), leaves.argmax(axis=1), 98)
    spells = spells_of(some_day(rng, n, 60), 12.0 * years, observed_from=add_months(AS_OF, -30))
    table = life_table(spells, AS_OF, period_months=12).loc[1:4]
    deviation = np.sqrt(planted * (1 - planted) / table["at_risk"])
    assert (np.abs(table["lost"] / table["at_risk"] - planted) < 3.5 * deviation).all()
    # Month by month the whole loss of a year falls into its last month.
    monthly = life_table(spells, AS_OF)
    assert monthly.loc[monthly["lost"] > 0].index.tolist() == [12, 24, 36, 48]
    assert monthly.loc[12, "lost"] / monthly.loc[12, "at_risk"] == approx(0.30, abs=0.02)


def test_naive_counts_are_biased_and_the_life_table_is_not():
    # A chance of 2 % a month: 1 - .98^12 = 21.5 % in each year.
    truth = 1 - 0.98**12
    rng = np.random.default_rng(8)
    starts, lifetimes = some_day(rng, 20_000, 48), rng.geometric(0.02, 20_000).astype(float)
    complete = spells_of(starts, lifetimes)
    late = spells_of(starts, lifetimes, observed_from=add_months(AS_OF, -18))
    for spells in (complete, late):
        table = life_table(spells, AS_OF, period_months=12)
        deviation = np.sqrt(truth * (1 - truth) / table["at_risk"])
        assert (np.abs(table["lost"] / table["at_risk"] - truth) < 3.5 * deviation).all()

    def left_in(spells, k):
        return spells["churned"] & spells["duration_months"].between(12 * (k - 1), 12 * k, inclusive="right")

    for k in (1, 2, 3):
        # Whoever left in the period or was seen to its end: leavers count sooner than stayers can.
        lost = left_in(complete, k)
        assert lost.sum() / (lost | (complete["duration_months"] >= 12 * k)).sum() > truth + 0.02
        # Whoever could have been seen to its end, also if it came under observation only within it: survivors.
        lost, in_time = left_in(late, k), known_at(late, AS_OF)["could_last"] >= 12 * k
        there = in_time & (late["duration_months"] > 12 * (k - 1))
        assert (lost & in_time).sum() / there.sum() < truth - 0.02


def annual_world(seed, n, alpha, beta, months=48, window=36):
    """Contracts of a year, each left at its end with a chance of its own."""
    rng = np.random.default_rng(seed)
    years = np.minimum(rng.geometric(rng.beta(alpha, beta, n)), 50)
    return spells_of(some_day(rng, n, months), 12.0 * years, observed_from=add_months(AS_OF, -window))


def test_periods_are_pooled_by_hand():
    # 10 at risk, 1 lost; one more goes unseen; of 8 half are lost: h = 1 - 9/10 x 1/2 = 11/20. Greenwood:
    # (9/20)^2 x (1/(10 x 9) + 4/(8 x 4)) = .2025 x .136111; at risk .55 x .45 / .0275625 = 8.98, lost 4.94.
    at_risk, lost = pooled([10, 8, 4, 3], [1, 4, 0, 0], 2)
    assert at_risk == approx([0.55 * 0.45 / 0.0275625, 3])
    assert lost == approx([0.55 * 0.55 * 0.45 / 0.0275625, 0])
    # All losses in one month: its own counts. Periods of one month: as they were. The last, incomplete, is dropped.
    assert [each.tolist() for each in pooled([20, 20, 20], [0, 0, 5], 3)] == [approx([20]), approx([5])]
    assert [each.tolist() for each in pooled([7, 6, 9], [1, 2, 3], 1)] == [approx([7, 6, 9]), approx([1, 2, 3])]
    assert [each.tolist() for each in pooled([9, 9, 9], [1, 0, 0], 2)] == [approx([9]), approx([1])]
    # Everybody left; nobody at risk afterwards.
    assert [each.tolist() for each in pooled([9, 9, 0, 5], [0, 9, 0, 1], 2)] == [[9], [9]]
    assert pooled([9], [1], 12)[0].size == 0


def test_annual_contracts_are_projected_by_years_and_recovered():
    projection = project(annual_world(41, 6000, 1.0, 4.0), AS_OF)
    assert (projection.fit.period_months, projection.fit.steps) == (12, True)
    # S after 1, 2, 3 and 5 years: 4/5, 4/6, 4/7, 4/9, and nobody can leave in between.
    assert projection.at(np.array([12, 24, 36, 60])) == approx([4 / 5, 4 / 6, 4 / 7, 4 / 9], abs=0.02)
    curve = projection.curve
    assert (curve.loc[:11, "survival"] == 1).all()
    assert curve.loc[23, "survival"] == curve.loc[12, "survival"] > curve.loc[24, "survival"]
    assert projection.expected_lifetime == approx(12 * sum(4 / (4 + t) for t in range(5)), rel=0.02)
    assert projection.held_out.inside


def test_the_held_out_year_of_annual_contracts_lies_inside_its_interval():
    held_out = [project(annual_world(200 + seed, 500, 1.0, 4.0), AS_OF, draws=300).held_out for seed in range(20)]
    assert np.mean([each.inside for each in held_out]) >= 0.85
    assert abs(np.mean([each.error for each in held_out])) < 0.03


def test_contracts_of_which_one_period_is_seen_in_full_are_refused():
    spells = annual_world(42, 400, 1.0, 4.0, months=23, window=23)
    assert "periods of 12 months that can be seen in full by 30 June 2026: 1;" in project(spells, AS_OF).reason


def test_where_only_some_contracts_are_annual_the_curve_is_smooth_within_the_year():
    rng = np.random.default_rng(43)
    monthly = spells_of(some_day(rng, 800, 48), rng.geometric(0.02, 800).astype(float))
    spells = pd.concat([annual_world(44, 2000, 1.0, 3.0), monthly])
    share = (spells.loc[spells["churned"], "duration_months"] % 12 == 0).mean()
    assert 0.5 < share < 0.8
    fit = project(spells, AS_OF).fit
    assert (fit.period_months, fit.steps) == (12, False)
    assert 1 > fit.survival_months(6) > fit.survival_months(12)


def random_subscriptions(seed, n=120):
    rng = np.random.default_rng(seed)
    starts = pd.Series(some_day(rng, n, 40))
    ends = starts + pd.to_timedelta(rng.integers(5, 900, n), unit="D")
    return pd.DataFrame(
        {
            "subscription_id": [f"s{i}" for i in range(n)],
            "account_id": [f"a{i % 100}" for i in range(n)],
            "start_date": starts,
            "end_date": ends.where(ends < AS_OF),
            "mrr": 100.0,
        }
    )


@pytest.mark.parametrize("earlier", ["2025-07-01", "2025-03-01", "2024-10-17"])
def test_what_was_known_earlier_is_what_the_roll_up_said_then(earlier):
    subscriptions = random_subscriptions(3)
    dates = {"observed_from": pd.Timestamp("2024-01-01")}
    now = rolled("spells", subscriptions, **dates, as_of=AS_OF)
    then = rolled("spells", subscriptions, **dates, as_of=pd.Timestamp(earlier))
    columns = ["account_id", "start_date", "duration_months", "churned", "entry_months"]
    found, expected = (
        frame[columns].sort_values(["account_id", "start_date"]).reset_index(drop=True)
        for frame in (known_at(now, earlier), then)
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert len(expected) > 20
    assert life_table(now, earlier).equals(life_table(then, earlier))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_life_table_does_not_depend_on_the_order_of_the_rows_and_loses_nobody(seed):
    spells = sbg_world(seed, 80, 1.0, 15.0)
    shuffled = spells.sample(frac=1, random_state=seed % 1000)
    table = life_table(spells, AS_OF)
    assert table.equals(life_table(shuffled, AS_OF))
    assert (table["lost"] <= table["at_risk"]).all()
    assert (table["lost"] >= 0).all()
    # On whole anniversaries every end is at risk in the period it completes, unless it came under observation in it.
    in_full = spells["churned"] & (spells["entry_months"] <= spells["duration_months"] - 1)
    assert table["lost"].sum() == in_full.sum()


@pytest.mark.parametrize(("alpha", "beta"), [(0.8, 25.0), (2.0, 60.0)])
def test_the_planted_curve_is_recovered_beyond_the_ages_seen(alpha, beta):
    spells = sbg_world(11, 6000, alpha, beta)
    projection = project(spells, AS_OF)
    assert isinstance(projection, Projection)
    ages = np.array([12, 24, 60])
    truth = [scipy_stats.betabinom.pmf(0, t, alpha, beta) for t in ages]  # B(alpha, beta + t) / B(alpha, beta)
    assert np.abs(projection.at(ages) - truth).max() < 0.02
    curve = projection.curve
    assert curve.index.tolist() == list(range(61))
    assert curve.loc[0].tolist() == [1, 1, 1]
    assert ((curve["low"] <= curve["survival"]) & (curve["survival"] <= curve["high"])).all()
    assert (curve.loc[ages, "low"] <= truth).all() and (truth <= curve.loc[ages, "high"]).all()
    assert 40 <= projection.observed_to <= 47
    assert projection.expected_lifetime == approx(curve["survival"].iloc[:60].sum())
    low, high = projection.expected_lifetime_interval
    assert low < projection.expected_lifetime < high
    assert projection.spells == len(spells)
    assert projection.events == life_table(spells, AS_OF)["lost"].sum()
    assert projection.held_out.inside


def test_the_projection_does_not_depend_on_the_order_of_the_rows_nor_on_their_index():
    spells = sbg_world(12, 400, 1.0, 25.0)
    other = spells.sample(frac=1, random_state=1).set_axis([0] * len(spells))
    first, second = (project(each, AS_OF, draws=200) for each in (spells, other))
    assert first.curve.equals(second.curve)
    assert first.held_out == second.held_out


def test_where_nothing_changed_the_held_out_share_lies_inside_its_interval():
    inside, errors = [], []
    for seed in range(60):
        held_out = project(sbg_world(100 + seed, 300, 1.0, 25.0), AS_OF, horizon_months=12, draws=300).held_out
        inside.append(held_out.inside)
        errors.append(held_out.error)
    assert np.mean(inside) >= 0.85
    assert abs(np.mean(errors)) < 3.5 * np.std(errors) / np.sqrt(60)


def test_where_churn_rises_the_held_out_error_is_negative_and_outside():
    held_out = project(sbg_world(13, 6000, 1.0, 25.0, faster=1.6), AS_OF).held_out
    assert isinstance(held_out, HeldOut)
    assert held_out.error == held_out.actual_share - held_out.expected_share
    assert held_out.error < -0.03
    assert not held_out.inside
    assert held_out.accounts > 1000


def test_too_few_spells_too_few_ends_and_too_short_a_history_are_refused_in_words():
    rng = np.random.default_rng(1)
    few = spells_of(some_day(rng, 49, 36), rng.geometric(0.1, 49).astype(float))
    assert "49 paid spells by 30 June 2026; a projection needs at least 50" in project(few, AS_OF).reason
    loyal = spells_of(some_day(rng, 500, 36), np.full(500, 999.0))
    assert "0 of 500 paid spells ended" in project(loyal, AS_OF).reason
    assert isinstance(project(loyal.iloc[:0], AS_OF), Suppressed)
    young = spells_of(some_day(rng, 500, 10), rng.geometric(0.1, 500).astype(float))
    assert "10 months of history" in project(young, AS_OF).reason
    old = spells_of(
        some_day(rng, 500, 20, add_months(AS_OF, -30)),
        20.0 + rng.geometric(0.05, 500),
        observed_from=add_months(AS_OF, -24),
    )
    assert "0 paid spells were seen from their start" in project(old, AS_OF).reason


@pytest.mark.parametrize("as_of", ["2026-03-01", "2026-07-01", "2026-08-01"])
def test_eighteen_months_of_history_are_enough_whatever_month_they_end_with_and_seventeen_are_not(as_of):
    as_of, rng = pd.Timestamp(as_of), np.random.default_rng(9)
    lifetimes = rng.geometric(0.04, 2000).astype(float)
    for months, enough in ((18, True), (17, False)):
        starts = pd.Series(add_months(as_of, -30) + pd.to_timedelta(rng.integers(0, 850, 2000), unit="D"))
        result = project(spells_of(starts, lifetimes, as_of, add_months(as_of, -months)), as_of)
        assert isinstance(result, Projection) == enough
        assert enough or "17 months of history" in result.reason


def test_a_book_too_young_to_hold_out_a_year_is_projected_and_says_so():
    rng = np.random.default_rng(2)
    projection = project(spells_of(some_day(rng, 400, 20), rng.geometric(0.05, 400).astype(float)), AS_OF)
    assert isinstance(projection, Projection)
    assert isinstance(projection.held_out, HeldOut)
    many = spells_of(some_day(rng, 9000, 20), rng.geometric(0.05, 9000).astype(float))
    assert "3 months of history by 28 February 2025" in project(many, AS_OF, hold_out_months=16).held_out.reason
    few = project(many.iloc[:300], AS_OF, hold_out_months=16)
    assert "ended by 28 February 2025 in a month seen in full" in few.held_out.reason


def test_where_everybody_left_the_curve_falls_to_nearly_nothing():
    rng = np.random.default_rng(3)
    gone = spells_of(some_day(rng, 300, 24, add_months(AS_OF, -14)), rng.integers(1, 13, 300).astype(float))
    projection = project(gone, AS_OF)
    assert projection.at(36) < 0.02
    assert projection.events == 300


@pytest.mark.parametrize(
    "options", [{"horizon_months": 0}, {"horizon_months": 601}, {"hold_out_months": 0}, {"draws": 0}]
)
def test_options_that_make_no_sense_break_the_contract(options):
    with pytest.raises(ContractError, match="project:"):
        project(sbg_world(1, 100, 1, 20), AS_OF, **options)


def test_spells_without_a_length_break_the_contract():
    spells = sbg_world(1, 100, 1, 20)
    with pytest.raises(ContractError, match="1 of 93 have no length"):
        known_at(spells.assign(duration_months=spells["duration_months"].mask(spells.index == spells.index[3])), AS_OF)
    with pytest.raises(ContractError, match="whole months"):
        life_table(spells, AS_OF, period_months=0)
    with pytest.raises(ContractError, match="ended by"):
        fit_spells(spells.assign(churned=False), AS_OF)


def test_the_maximiser_keeps_to_its_bounds_and_goes_on_from_a_second_start():
    # -(x - 3)^2 - (y + 1)^2: inside the bounds the best is at x = 2, y = -1.
    def hill(point):
        return -float(((point - [3, -1]) ** 2).sum()), -2 * (point - np.array([3, -1]))

    value, point = maximise(hill, [[0, 0]], [(-2, 2), (-5, 5)])
    assert point == approx([2, -1], abs=1e-6)
    assert value == approx(-1)

    def broken(point):  # on the left half a slope that does not belong to the values
        value, slope = hill(point)
        return (value, slope) if point[0] >= 0 else (value - 100, -slope - 1)

    assert maximise(broken, [[-1, 0], [1, 0]], [(-2, 2), (-5, 5)])[1] == approx([2, -1], abs=1e-6)
