"""Lifetime value: arithmetic by hand, how it must move, and worlds whose true lifetimes are known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from test_shifted_beta_geometric import AS_OF, sbg_world, some_day, spells_of

from cs_helpers.churn.customer_value import LifetimeValue, expected_lifetime_value, lifetime_values_by_group
from cs_helpers.churn.shifted_beta_geometric import fit_sbg, life_table, project
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed, or_suppressed

# Exactly 10 % lost in each month: S(t) = .9^t, the same for all accounts.
CONSTANT = fit_sbg(1000 * 0.9 ** np.arange(13))
# alpha = beta = 1 to within the fit: S(t) = 1 / (t + 1).
HALVES = fit_sbg([120, 60, 40, 30])


def test_a_constant_churn_by_hand():
    # Months 0, 1, 2: S = 1, .9, .81. MRR 200, margin 75 %: 150 a month. No discount: 150 x 2.71 = 406.50.
    value = expected_lifetime_value(CONSTANT, 200, 0.75, discount_rate=0, horizon_months=3)
    assert value.value == approx(406.50, abs=0.01)
    assert value.expected_months == approx(2.71, abs=1e-4)
    # 10 % a year: the margin of month t is divided by 1.1^(t/12).
    discounted = 150 * (1 + 0.9 / 1.1 ** (1 / 12) + 0.81 / 1.1 ** (2 / 12))
    value = expected_lifetime_value(CONSTANT, 200, 0.75, discount_rate=0.10, horizon_months=3)
    assert value.value == approx(discounted, abs=0.01)
    assert value.expected_months == approx(2.71, abs=1e-4)
    # For equal accounts 1 / churn is right: the same inside the horizon, and 150 / .1 = 1,500 without end.
    assert value.monthly_churn_rate == approx(0.10)
    assert value.naive_within_horizon == approx(value.value, abs=0.01)
    assert value.naive == approx(1500)
    assert expected_lifetime_value(CONSTANT, 200, 0.75, discount_rate=0, horizon_months=200).value == approx(
        1500, abs=1
    )


def test_a_falling_churn_by_hand():
    # S = 1, 1/2, 1/3, 1/4; margin 20 % of 60 = 12 a month: 12 + 6 + 4 + 3 = 25.
    value = expected_lifetime_value(HALVES, 60, 0.2, discount_rate=0, horizon_months=4)
    assert value.value == approx(25, abs=1e-3)
    # 90 lost of 120 + 60 + 40 at risk: 12 / (90/220) = 29.33; inside the horizon 12 x (1 + r + r^2 + r^3), r = 13/22.
    assert value.naive == approx(12 * 220 / 90)
    assert value.naive_within_horizon == approx(12 * sum((13 / 22) ** t for t in range(4)))
    assert (value.mrr, value.margin, value.discount_rate, value.horizon_months) == (60, 0.2, 0, 4)


def test_the_churn_rate_can_be_given():
    value = expected_lifetime_value(HALVES, 60, 0.2, discount_rate=0, horizon_months=2, monthly_churn_rate=0.05)
    assert value.naive == approx(12 / 0.05)
    assert value.naive_within_horizon == approx(12 * 1.95)
    assert value.monthly_churn_rate == 0.05


def test_yearly_periods_are_valued_in_months():
    yearly = fit_sbg([120, 60, 40, 30], period_months=12)
    # S(t) = 1 / (t/12 + 1) at month t.
    value = expected_lifetime_value(yearly, 10, 1, discount_rate=0, horizon_months=24)
    assert value.value == approx(10 * sum(1 / (t / 12 + 1) for t in range(24)), abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    mrr=st.floats(1, 1e5),
    margin=st.floats(0.01, 1),
    discount=st.floats(0, 0.9),
    horizon=st.integers(2, 120),
)
def test_value_rises_with_mrr_margin_and_horizon_and_falls_with_the_discount(mrr, margin, discount, horizon):
    def valued(**changed):
        given_ = {"mrr": mrr, "margin": margin, "discount_rate": discount, "horizon_months": horizon} | changed
        return expected_lifetime_value(HALVES, **given_, draws=50)

    value = valued()
    assert valued(mrr=1.1 * mrr).value == approx(1.1 * value.value)
    assert valued(margin=margin / 2).value == approx(value.value / 2)
    assert valued(discount_rate=discount + 0.1).value < value.value
    assert valued(horizon_months=horizon + 1).value > value.value
    assert value.low <= value.value <= value.high
    assert value.value <= mrr * margin * value.expected_months * (1 + 1e-9)
    assert value.expected_months <= horizon
    assert valued(discount_rate=0).value == approx(mrr * margin * value.expected_months)


def test_a_loss_making_account_has_a_negative_value_between_its_limits():
    value = expected_lifetime_value(HALVES, 100, -0.2)
    assert value.low < value.value < value.high < 0


def test_the_interval_narrows_with_the_number_of_accounts_and_repeats():
    small, large = (expected_lifetime_value(fit_sbg(n * np.array([12, 6, 4, 3])), 100, 0.8) for n in (10, 1000))
    assert large.high - large.low < (small.high - small.low) / 5
    assert small == expected_lifetime_value(fit_sbg(10 * np.array([12, 6, 4, 3])), 100, 0.8)


def test_one_over_churn_understates_where_the_risky_leave_first():
    # alpha = .6, beta = 12, seen for 36 months at most. The true lifetimes are known: mean of min(lifetime, 120).
    spells = sbg_world(21, 6000, 0.6, 12.0)
    rng = np.random.default_rng(22)
    chance = np.maximum(rng.beta(0.6, 12.0, 200_000), 1e-12)
    truth = np.minimum(rng.geometric(chance), 120).mean()
    value = expected_lifetime_value(project(spells, AS_OF), 1, 1, discount_rate=0, horizon_months=120)
    table = life_table(spells, AS_OF)
    assert value.monthly_churn_rate == approx(table["lost"].sum() / table["at_risk"].sum())
    assert value.naive_within_horizon < 0.8 * truth
    assert value.naive < 0.8 * truth  # even without an end
    assert value.value == approx(truth, rel=0.05)
    assert value.low < truth < value.high


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"mrr": -1}, "mrr = -1"),
        ({"mrr": float("nan")}, "mrr = nan"),
        ({"margin": 75}, "for example 0.75"),
        ({"margin": float("nan")}, "margin = nan"),
        ({"discount_rate": 10}, "for example 0.10"),
        ({"discount_rate": -0.1}, "discount_rate = -0.1"),
        ({"horizon_months": 0}, "from 1 to 600"),
        ({"horizon_months": 1.5}, "whole months"),
        ({"monthly_churn_rate": 0.0}, "above 0 and at most 1"),
    ],
)
def test_what_cannot_be_valued_breaks_the_contract_in_words(changed, words):
    with pytest.raises(ContractError, match=words):
        expected_lifetime_value(HALVES, **({"mrr": 10, "margin": 0.5} | changed))


def test_without_churn_there_is_a_refusal_and_no_endless_value():
    rng = np.random.default_rng(4)
    loyal = spells_of(some_day(rng, 400, 36), np.full(400, 999.0))
    result = or_suppressed(expected_lifetime_value, project(loyal, AS_OF), 100, 0.8)
    assert isinstance(result, Suppressed)
    assert "0 of 400" in result.reason


@pytest.fixture(scope="module")
def book():
    """Two groups, ``fast`` and ``slow``, a third too small to judge, some accounts without a group."""
    fast, slow, tiny, rest = (
        sbg_world(seed, n, *truth).assign(account_id=lambda d, p=prefix: p + d["account_id"])
        for prefix, seed, n, truth in (
            ("f", 31, 1500, (1.0, 12.0)),
            ("s", 32, 1500, (1.0, 60.0)),
            ("t", 33, 30, (1.0, 20.0)),
            ("r", 34, 100, (1.0, 20.0)),
        )
    )
    spells = pd.concat([fast, slow, tiny, rest])
    names = {"f": "fast", "s": "slow", "t": "tiny"}
    first = spells["account_id"].str[0]
    groups = first.map(names).set_axis(spells["account_id"])
    running = ~spells["churned"].to_numpy()
    mrr = pd.Series(np.where(running, np.where(first == "f", 100.0, 300.0), np.nan), index=groups.index)
    return spells, groups, mrr


def test_groups_are_valued_each_from_its_own_curve(book):
    spells, groups, mrr = book
    table = lifetime_values_by_group(spells, groups, mrr, 0.8, AS_OF)
    assert table.index.tolist() == ["fast", "slow", "tiny", "All"]
    assert table.index.name == "group"
    fast = spells[spells["account_id"].str[0] == "f"]
    alone = expected_lifetime_value(project(fast, AS_OF), 100, 0.8)
    for column in ("value", "low", "high", "expected_months", "naive", "naive_within_horizon", "mrr", "margin"):
        assert table.loc["fast", column] == approx(getattr(alone, column)), column
    assert table.loc["fast", "accounts"] == (~fast["churned"]).sum()
    assert table.loc["All", "accounts"] == (~spells["churned"]).sum()
    assert table.loc["slow", "high"] > table.loc["slow", "value"] > table.loc["slow", "low"] > table.loc["fast", "high"]
    # True months begun inside 36: sum of B(a, b + t) / B(a, b) = b / (b + t) for a = 1.
    for group, beta in (("fast", 12), ("slow", 60)):
        truth = sum(beta / (beta + t) for t in range(36))
        assert table.loc[group, "expected_months"] == approx(truth, rel=0.04)
    assert table.loc[["fast", "slow", "All"], "reason"].tolist() == ["", "", ""]


def test_a_group_too_small_has_a_reason_and_no_numbers_from_a_curve(book):
    spells, groups, mrr = book
    tiny = lifetime_values_by_group(spells, groups, mrr, 0.8, AS_OF).loc["tiny"]
    assert "needs at least 50" in tiny["reason"]
    assert tiny[["expected_months", "value", "low", "high", "naive", "naive_within_horizon"]].isna().all()
    assert (tiny["mrr"], tiny["margin"]) == (approx(300), approx(0.8))


def test_the_margin_of_a_group_is_weighted_by_mrr_over_paying_accounts():
    # Paying: a and b with MRR 100 and 300, margins 50 % and 90 %: (50 + 270) / 400 = 80 %. c pays nothing now; the
    # margin of d is not known, its MRR counts in the mean: (100 + 300 + 500) / 3 = 300.
    rng = np.random.default_rng(5)
    spells = spells_of(some_day(rng, 400, 36), rng.geometric(0.05, 400).astype(float))
    ids = spells["account_id"]
    groups = pd.Series("one", index=ids)
    mrr = pd.Series({"a0": 100.0, "a1": 300.0, "a2": 0.0, "a3": 500.0})
    margin = pd.Series({"a0": 0.5, "a1": 0.9, "a2": 0.1})
    row = lifetime_values_by_group(spells, groups, mrr, margin, AS_OF).loc["one"]
    assert (row["accounts"], row["mrr"], row["margin"]) == (3, approx(300), approx(0.8))
    assert row["value"] == approx(expected_lifetime_value(project(spells, AS_OF), 300, 0.8).value)
    nobody = lifetime_values_by_group(spells, groups, 0 * mrr, margin, AS_OF).loc["one"]
    assert "No account pays" in nobody["reason"]
    assert np.isnan(nobody["value"]) and np.isnan(nobody["mrr"])
    unknown = lifetime_values_by_group(spells, groups, mrr, margin.mask(margin > 0), AS_OF).loc["one"]
    assert "gross margin" in unknown["reason"]


def test_the_order_of_the_rows_does_not_matter(book):
    spells, groups, mrr = book
    mrr = mrr * np.random.default_rng(6).lognormal(size=len(mrr))
    first = lifetime_values_by_group(spells, groups, mrr, 0.8, AS_OF)
    shuffled = lifetime_values_by_group(
        spells.sample(frac=1, random_state=2),
        groups.sample(frac=1, random_state=3),
        mrr.sample(frac=1, random_state=4),
        0.8,
        AS_OF,
    )
    pd.testing.assert_frame_equal(first, shuffled, check_exact=True)


def test_tables_that_do_not_fit_break_the_contract(book):
    spells, groups, mrr = book
    with pytest.raises(ContractError, match="stands twice"):
        lifetime_values_by_group(spells, pd.concat([groups, groups]), mrr, 0.8, AS_OF)
    with pytest.raises(ContractError, match="MRR below 0"):
        lifetime_values_by_group(spells, groups, -mrr, 0.8, AS_OF)
    with pytest.raises(ContractError, match="none is above 1"):
        lifetime_values_by_group(spells, groups, mrr, 80, AS_OF)
    with pytest.raises(ContractError, match="no account of the spells has a group"):
        lifetime_values_by_group(spells, groups.set_axis(range(len(groups))), mrr, 0.8, AS_OF)
    with pytest.raises(ContractError, match="named 'All'"):
        lifetime_values_by_group(spells, groups.replace("slow", "All"), mrr, 0.8, AS_OF)
    with pytest.raises(ContractError, match="discount_rate = 12"):
        lifetime_values_by_group(spells, groups, mrr, 0.8, AS_OF, discount_rate=12)


def test_a_book_without_spells_is_all_reasons(book):
    spells, groups, mrr = book
    table = lifetime_values_by_group(spells.iloc[:0], groups, mrr, 0.8, AS_OF)
    assert table["value"].isna().all()
    assert (table["reason"] != "").all()
    assert isinstance(expected_lifetime_value(HALVES, 1, 1), LifetimeValue)
