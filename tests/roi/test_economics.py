"""The economics of customer success: arithmetic by hand, what can never happen, and the portfolio it works on."""

import math
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.roi.breakeven import solve_break_even
from cs_helpers.roi.economics import INPUTS, LIMITS, Assumptions, flow, outcome, outcomes
from cs_helpers.roi.portfolio import CoveredPortfolio, covered_portfolio, make_portfolio

# e^-L = 1 - churn. Nothing else happens: no growth, no discount, the whole cost saved from the first month on.
PLAIN = Assumptions(
    relative_risk=2.0,
    yearly_churn=0.2,
    expansion=0.0,
    expansion_lost=0.0,
    margin=1.0,
    people=0.0,
    tools=0.0,
    management=0.0,
    absorbed=0.0,
    severance_months=0.0,
    notice_months=0.0,
    discount=0.0,
)
AS_OF = pd.Timestamp("2026-07-01")


def rows(*each: tuple[int, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(each, columns=["due_in", "term", "mrr_cents", "accounts"])


def one_contract(due_in: int, term: int = 12, mrr: int = 100) -> CoveredPortfolio:
    return make_portfolio(rows((due_in, term, 100 * mrr, 1)))


portfolios = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from([1, 3, 6, 12, 24, 36]), st.integers(1, 10**8), st.integers(1, 50)),
    min_size=1,
    max_size=6,
).map(lambda each: make_portfolio(rows(*each)))
settings_of_inputs = st.builds(
    Assumptions,
    relative_risk=st.floats(1, 5),
    yearly_churn=st.floats(0.01, 0.6),
    expansion=st.floats(0, 0.3),
    expansion_lost=st.floats(0, 1),
    margin=st.floats(0.1, 1),
    people=st.floats(0, 1e6),
    tools=st.floats(0, 1e5),
    management=st.floats(0, 1e5),
    absorbed=st.floats(0, 1),
    severance_months=st.floats(0, 6),
    notice_months=st.integers(0, 6),
    discount=st.floats(0, 0.2),
)
quick = settings(max_examples=40, deadline=None)


def test_a_yearly_contract_by_hand():
    # 100 a month, due in 3 months, then every 12. With customer success .8 stay at each decision, without .8^2 = .64.
    # Months 0, 1, 2 are sure. Months 3 to 14 lose 16 each; months 15 to 23 lose 100 (.8^2 - .64^2) = 23.04 each.
    portfolio = one_contract(3)
    year, two = outcome(portfolio, PLAIN, 12), outcome(portfolio, PLAIN, 24)
    assert year.value == approx(16 * 9)
    assert two.value == approx(16 * 12 + 23.04 * 9)
    assert two.lost_mrr_months == approx(two.value)  # margin 1, no discount
    assert (two.retention_with, two.retention_without) == (approx(0.64), approx(0.4096))
    assert two.points == approx(100 * (0.64 - 0.4096))
    assert two.value == approx(399.36)
    # A margin of 75 %, and 10 % a year discount from the middle of each month.
    thrifty = outcome(portfolio, replace(PLAIN, margin=0.75, discount=0.1), 12)
    assert thrifty.value == approx(0.75 * 16 * sum(1.1 ** (-(t + 0.5) / 12) for t in range(3, 12)))


def test_a_monthly_contract_decides_a_twelfth_of_a_year_each_month():
    # After twelve decisions as much is lost as after one yearly one.
    monthly = outcome(one_contract(1, term=1), PLAIN, 12)
    assert (monthly.retention_with, monthly.retention_without) == (approx(0.8), approx(0.64))
    assert monthly.value == approx(sum(100 * (0.8 ** (t / 12) - 0.64 ** (t / 12)) for t in range(12)))


def test_a_two_year_contract_decides_two_years_at_once():
    found = outcome(one_contract(0, term=24), PLAIN, 1)
    assert (found.retention_with, found.retention_without) == (approx(0.8**2), approx(0.64**2))


def test_lost_expansion_is_lost_on_survivors_only_and_churn_is_not_counted_twice():
    # 100 a month decide now: 80 stay with customer success, 64 without. Survivors grow by 20 % a year; without it by
    # 20 % x (1 - .5) = 10 %. In month 6 the growth lost is 64 (1.2^.5 - 1.1^.5), and the churn lost is 16, no more.
    inputs = replace(PLAIN, expansion=0.2, expansion_lost=0.5)
    found = outcome(one_contract(0), inputs, 12)
    grown = [64 * (1.2 ** (t / 12) - 1.1 ** (t / 12)) for t in range(12)]
    assert found.churn_value == approx(12 * 16)
    assert found.expansion_value == approx(sum(grown))
    assert found.value == approx(12 * 16 + sum(grown))
    # If nothing of the growth is lost, growth is worth nothing here, however high it is.
    assert outcome(one_contract(0), replace(inputs, expansion_lost=0.0), 12).value == approx(12 * 16)


def test_the_tail_by_hand():
    # At 12 months 16 of 100 are kept. After that they fade by .8 a year: month 12 counts .8^(1/12), month 13 .8^(2/12).
    found = outcome(one_contract(0, term=60), replace(PLAIN, yearly_churn=1 - 0.8 ** (1 / 5)), 12, tail_months=2)
    monthly = 0.8 ** (1 / 60)
    assert found.tail_value == approx(16 * (monthly + monthly**2))
    assert found.value == approx(12 * 16 + found.tail_value)
    assert outcome(one_contract(0, term=60), PLAIN, 12).tail_value == 0


def test_cost_by_hand():
    # 1,000 for people, of whose work 20 % must be done by others, 300 for tools, 200 for management: 1,300 a month.
    # Two months of notice and three of severance: within a year 10 x 1,300 - 3 x 1,000 = 10,000.
    inputs = replace(PLAIN, people=1000, tools=300, management=200, absorbed=0.2, severance_months=3, notice_months=2)
    found = outcome(one_contract(3), inputs, 12)
    assert found.cost == approx(10_000)
    assert found.net == approx(144 - 10_000)
    assert found.roi == approx((144 - 10_000) / 10_000)
    assert inputs.cost_per_month == 1500
    # Half a month of notice saves half of that month; severance is not discounted, since it is due at once.
    half = outcome(one_contract(3), replace(inputs, notice_months=2.5, discount=0.1), 3)
    assert half.cost == approx(0.5 * 1300 * 1.1 ** (-2.5 / 12) - 3000)


def test_without_a_cost_there_is_no_roi_and_the_reason_is_said():
    found = outcome(one_contract(3), PLAIN, 12)
    assert found.roi is None
    assert "no cost to set the value against" in found.reason
    assert outcome(one_contract(3), replace(PLAIN, tools=1), 12).reason == ""


def test_points_of_the_whole_company_are_those_of_its_exposed_part():
    portfolio = make_portfolio(rows((0, 12, 3000, 3)), total_mrr=120, all_accounts=9)
    found = outcome(portfolio, PLAIN, 12)
    # At the end of month 12 the second decision has been made: .8^2 against .64^2, of a quarter of the MRR.
    assert found.points == approx(100 * (0.8**2 - 0.64**2))
    assert found.points_of_all == approx(found.points / 4)


@quick
@given(portfolios, settings_of_inputs, st.integers(1, 48))
def test_a_relative_risk_of_one_is_worth_nothing(portfolio, inputs, horizon):
    found = outcome(portfolio, replace(inputs, relative_risk=1.0, expansion_lost=0.0), horizon, tail_months=24)
    assert found.value == approx(0, abs=1e-6)
    assert found.points == approx(0, abs=1e-9)


@quick
@given(portfolios, settings_of_inputs)
def test_before_the_first_due_date_nothing_can_be_lost(portfolio, inputs):
    first = int(portfolio.rows["due_in"].min())
    if first > 0:
        found = outcome(portfolio, replace(inputs, expansion_lost=0.0), first)
        assert found.value == approx(0, abs=1e-9)


@quick
@given(portfolios, settings_of_inputs, st.integers(1, 48))
def test_churn_is_never_worth_more_than_the_margin_of_the_mrr_that_decides(portfolio, inputs, horizon):
    found = outcome(portfolio, inputs, horizon)
    decides = sum(
        row.mrr_cents / 100 * max(0, horizon - row.due_in) for row in portfolio.rows.itertuples()
    )  # months of each row in which it has decided
    assert -1e-6 <= found.churn_value <= inputs.margin * decides + 1e-6
    assert found.value == approx(found.churn_value + found.expansion_value)
    assert found.expansion_value >= -1e-6


@quick
@given(portfolios, settings_of_inputs, st.integers(1, 48), st.integers(0, 60))
def test_value_rises_with_the_relative_risk(portfolio, inputs, horizon, tail):
    worse = replace(inputs, relative_risk=1.3 * inputs.relative_risk, expansion_lost=0.0)
    inputs = replace(inputs, expansion_lost=0.0)
    assert outcome(portfolio, worse, horizon, tail).value >= outcome(portfolio, inputs, horizon, tail).value - 1e-6


@quick
@given(portfolios, settings_of_inputs, st.integers(1, 48), st.integers(0, 24))
def test_the_economics_equal_their_definition_row_by_row(portfolio, inputs, horizon, tail):
    by_row = by_definition(portfolio, inputs, horizon, tail)
    rounding = 1e-12 * portfolio.exposed_mrr * horizon  # of differences between sums of nearly equal size
    assert outcome(portfolio, inputs, horizon, tail).value == approx(by_row, rel=1e-9, abs=rounding)


def by_definition(portfolio: CoveredPortfolio, a: Assumptions, horizon: int, tail: int) -> float:
    """Value as the definition has it: month by month, row by row."""
    hazard = -math.log(1 - a.yearly_churn)
    value, at_end = 0.0, 0.0
    for row in portfolio.rows.itertuples():
        for t in range(horizon + 1):
            decisions = 0 if t < row.due_in else 1 + (t - row.due_in) // row.term
            years = decisions * row.term / 12
            s1, s0 = math.exp(-hazard * years), math.exp(-hazard * a.relative_risk * years)
            if t == horizon:
                at_end += row.mrr_cents / 100 * (s1 - s0)
                continue
            g1 = (1 + a.expansion) ** (t / 12)
            g0 = (1 + a.expansion * (1 - a.expansion_lost)) ** (t / 12)
            lost = row.mrr_cents / 100 * ((s1 - s0) + s0 * (g1 - g0))
            value += a.margin * lost * (1 + a.discount) ** (-(t + 0.5) / 12)
    for t in range(horizon, horizon + tail):
        fading = math.exp(-hazard * (t - horizon + 1) / 12)
        value += a.margin * (1 + a.discount) ** (-(t + 0.5) / 12) * fading * at_end
    return value


def test_many_draws_at_once_equal_one_after_the_other():
    rng = np.random.default_rng(3)
    portfolio = make_portfolio(rows((0, 12, 120_000, 4), (5, 1, 80_000, 9), (7, 24, 500_000, 2)))
    many = {name: np.full(50, value) for name, value in asdict(PLAIN).items()}
    many |= {
        "relative_risk": rng.uniform(1, 3, 50),
        "expansion": rng.uniform(0, 0.3, 50),
        "expansion_lost": rng.uniform(0, 1, 50),
        "people": rng.uniform(0, 3000, 50),
        "notice_months": rng.uniform(0, 4, 50),
        "discount": rng.uniform(0, 0.2, 50),
        "severance_months": 2.0,  # one number for all draws
    }
    found = outcomes(flow(portfolio.rows, 24), many, 24, 12)
    for place in range(50):
        inputs = Assumptions(**{name: float(np.broadcast_to(many[name], 50)[place]) for name in INPUTS})
        one = outcome(portfolio, inputs, 24, 12)
        assert (found.value[place], found.cost[place]) == (approx(one.value), approx(one.cost))
        assert (found.points[place], found.tail_value[place]) == (approx(one.points), approx(one.tail_value))


def test_a_flow_holds_all_mrr_in_every_month():
    seen = flow(rows((2, 12, 12_345, 1), (2, 1, 55, 2), (30, 12, 700, 1)), 24)
    assert seen.mrr.sum(axis=1) == approx(131.0)
    assert seen.total == approx(131.0)
    assert seen.mrr[1, seen.years > 0].sum() == 0
    assert seen.mrr[2, seen.years == 1].sum() == approx(123.45)


def test_inputs_outside_their_limits_are_all_named_at_once():
    with pytest.raises(ParameterError) as caught:
        replace(PLAIN, margin=75, relative_risk=0, people=-1, discount=float("nan"))
    for words in ("margin = 75", "relative_risk = 0", "people = -1", "discount = nan"):
        assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 4
    assert tuple(LIMITS) == INPUTS


@pytest.mark.parametrize(("horizon", "tail"), [(0, 0), (121, 0), (12.5, 0), (12, -1), (12, 121)])
def test_a_horizon_that_is_no_whole_month_is_refused(horizon, tail):
    with pytest.raises(ParameterError, match="choose whole months from"):
        outcome(one_contract(0), PLAIN, horizon, tail)


# Break-even


def test_break_even_of_one_contract_by_hand():
    # 100 decide now. With .8 stay. The year costs 192: as 12 x 16, exactly what a hazard ratio of 2 keeps.
    found = solve_break_even(one_contract(0), replace(PLAIN, tools=16), horizons=(12,)).at(12)
    assert found["hazard_ratio"] == approx(2)
    assert found["cost"] == approx(192)
    assert found["points"] == approx(100 * (0.8**2 - 0.64**2))  # the second decision falls on month 12
    assert (found["retention_with"], found["retention_break_even"]) == (approx(0.64), approx(0.4096))
    assert found["reachable"] and found["reason"] == ""


@quick
@given(portfolios, settings_of_inputs, st.sampled_from([12, 24, 36]))
def test_the_break_even_ratio_put_back_nets_nothing_to_the_cent(portfolio, inputs, horizon):
    found = solve_break_even(portfolio, inputs, horizons=(horizon,)).at(horizon)
    if found["reachable"] and found["cost"] > 0:
        again = outcome(portfolio, replace(inputs, relative_risk=found["hazard_ratio"], expansion_lost=0.0), horizon)
        scale = max(again.value, portfolio.exposed_mrr)
        assert again.net == approx(0, abs=max(0.005, 1e-12 * scale))
        assert again.points == approx(found["points"])


@quick
@given(portfolios, settings_of_inputs, st.sampled_from([12, 36]))
def test_twice_the_book_at_twice_the_cost_breaks_even_at_the_same_points(portfolio, inputs, horizon):
    twice = make_portfolio(portfolio.rows.assign(mrr_cents=2 * portfolio.rows["mrr_cents"]))
    dear = replace(inputs, people=2 * inputs.people, tools=2 * inputs.tools, management=2 * inputs.management)
    one = solve_break_even(portfolio, inputs, horizons=(horizon,)).at(horizon)
    two = solve_break_even(twice, dear, horizons=(horizon,)).at(horizon)
    assert two["reachable"] == one["reachable"]
    for name in ("points", "hazard_ratio", "retention_break_even"):
        assert two[name] == approx(one[name], rel=1e-6, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("portfolio", "changed", "words"),
    [
        (one_contract(12), {}, "no contract decides within the first 12 months"),
        (one_contract(0), {"yearly_churn": 0.0}, "the yearly churn is 0"),
        (one_contract(0), {"margin": 0.0}, "the gross margin is 0"),
        # At the most 12 x 80 of margin: .8 with customer success against nothing without.
        (one_contract(0), {"tools": 81.0}, "its margin would be 960 within 12 months, and customer success costs 972"),
    ],
)
def test_a_break_even_out_of_reach_is_none_and_says_why(portfolio, changed, words):
    found = solve_break_even(portfolio, replace(PLAIN, **{"tools": 5.0, **changed}), horizons=(12,)).at(12)
    assert not found["reachable"]
    assert words in found["reason"]
    assert math.isnan(found["hazard_ratio"]) and math.isnan(found["points"])


def test_where_vanishing_saves_nothing_no_points_are_needed():
    found = solve_break_even(one_contract(0), replace(PLAIN, people=10, severance_months=40), horizons=(12,)).at(12)
    assert (found["hazard_ratio"], found["points"], found["reachable"]) == (1.0, 0.0, True)
    assert "vanishing would save nothing" in found["reason"]


def test_the_curve_runs_through_the_break_even():
    found = solve_break_even(one_contract(3), replace(PLAIN, tools=10), horizons=(12, 24))
    for horizon, curve in found.curve.groupby("horizon"):
        row = found.at(horizon)
        here = curve[curve["relative_risk"] == row["hazard_ratio"]]
        assert here["net"].iloc[0] == approx(0, abs=1e-6)
        assert here["points"].iloc[0] == approx(row["points"])
        assert curve["net"].is_monotonic_increasing and curve["points"].iloc[0] == 0
        assert curve["net"].iloc[0] == approx(-row["cost"])  # without any effect the cost is all there is
    with pytest.raises(ParameterError, match="there are 12, 24"):
        found.at(36)


def test_expansion_and_relative_risk_do_not_touch_the_break_even():
    inputs = replace(PLAIN, tools=10, expansion=0.2)
    one = solve_break_even(one_contract(3), inputs)
    two = solve_break_even(one_contract(3), replace(inputs, expansion_lost=0.9, relative_risk=4.0))
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.curve, two.curve)


# The portfolio


def subscriptions(*each: tuple[str, str, str | None, float, float | None]) -> pd.DataFrame:
    table = pd.DataFrame(each, columns=["account_id", "start_date", "end_date", "mrr", "term_months"])
    return table.assign(start_date=pd.to_datetime(table["start_date"]), end_date=pd.to_datetime(table["end_date"]))


def paying(**covered: bool | None) -> pd.DataFrame:
    table = pd.DataFrame({"account_id": list(covered), "mrr": 100.0, "covered": list(covered.values())})
    return table.astype({"covered": "boolean"})


def due(table: pd.DataFrame, renewals: pd.DataFrame | None = None, **covered: bool) -> list[tuple[int, int, int]]:
    portfolio = covered_portfolio(table, paying(**covered or dict.fromkeys(table["account_id"], True)), AS_OF, renewals)
    assert portfolio.rows["mrr_cents"].sum() == 100 * portfolio.exposed_mrr
    return list(portfolio.rows[["due_in", "term", "accounts"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("start", "term", "expected"),
    [
        ("2025-10-01", 12, (3, 12, 1)),  # due on 1 October 2026
        ("2025-10-02", 12, (4, 12, 1)),  # due on 2 October: October is paid in part, so it decides from November on
        ("2025-07-31", 12, (1, 12, 1)),  # due on 31 July
        ("2025-07-01", 12, (0, 12, 1)),  # due on the day of the portfolio
        ("2025-07-02", 12, (1, 12, 1)),
        ("2024-10-01", 24, (3, 24, 1)),
        ("2024-10-01", 36, (15, 36, 1)),
        ("2024-02-15", 1, (1, 1, 1)),  # monthly: next month
        ("2026-05-01", 3, (1, 3, 1)),
    ],
)
def test_a_contract_decides_on_its_next_anniversary(start, term, expected):
    assert due(subscriptions(("A", start, None, 100, term))) == [expected]


def test_a_price_change_in_mid_term_moves_no_due_date():
    table = subscriptions(("A", "2025-10-01", "2026-02-15", 80, 12), ("A", "2026-02-15", None, 100, 12))
    assert due(table) == [(3, 12, 1)]


def test_an_account_that_came_back_decides_by_its_new_contract():
    table = subscriptions(("A", "2023-01-01", "2024-01-01", 80, 12), ("A", "2025-09-01", None, 100, 12))
    assert due(table) == [(2, 12, 1)]


def test_who_turned_from_monthly_to_yearly_decides_by_the_contract_that_runs():
    table = subscriptions(("A", "2025-01-01", "2025-11-01", 80, 1), ("A", "2025-11-01", None, 100, 12))
    assert due(table) == [(4, 12, 1)]


def test_a_monthly_extra_beside_a_yearly_contract_changes_nothing():
    table = subscriptions(("A", "2025-11-01", None, 80, 12), ("A", "2026-03-01", None, 20, 1))
    assert due(table) == [(4, 12, 1)]


def test_an_end_that_lies_ahead_is_not_known_yet():
    assert due(subscriptions(("A", "2025-10-01", "2026-08-15", 100, 12))) == [(3, 12, 1)]


def test_a_recorded_due_date_goes_before_the_anniversary():
    table = subscriptions(("A", "2025-10-01", None, 100, 12))
    renewals = pd.DataFrame({"account_id": ["A"], "due_date": pd.to_datetime(["2026-12-01"]), "renewed_mrr": [np.nan]})
    assert due(table, renewals) == [(5, 12, 1)]
    assert due(table, renewals.assign(renewed_mrr=100.0)) == [(3, 12, 1)]  # decided early
    assert due(table, renewals.assign(due_date=pd.Timestamp("2025-10-01"))) == [(3, 12, 1)]  # over


def test_accounts_whose_term_is_not_recorded_are_spread_over_the_year_and_that_is_said():
    table = subscriptions(("A", "2025-10-01", None, 100, 12), ("B", "2025-03-01", None, 100, None))
    now = pd.DataFrame({"account_id": ["A", "B"], "mrr": [300.0, 100.05], "covered": True})
    portfolio = covered_portfolio(table, now, AS_OF)
    spread = portfolio.rows.set_index("due_in")["mrr_cents"]
    # 10,005 cents in twelve parts of 833 or 834; A's 30,000 stand at 3 months.
    assert list(spread) == [833, 833, 30_833, 834, 834, 834, 834, 834, 834, 834, 834, 834]
    assert list(spread.index) == list(range(1, 13))
    assert set(portfolio.rows["term"]) == {12}
    assert "1 of 2 covered accounts have no recorded contract term (25% of the exposed MRR)" in portfolio.note
    assert (portfolio.accounts, portfolio.rows["accounts"].sum(), portfolio.exposed_mrr) == (2, 2, 400.05)
    assert covered_portfolio(table, now[:1], AS_OF).note == ""


def test_only_covered_accounts_are_exposed_and_all_are_the_company():
    table = subscriptions(*((name, "2025-10-01", None, 100, 12) for name in "ABCD"))
    portfolio = covered_portfolio(table, paying(A=True, B=False, C=True, D=False), AS_OF)
    assert (portfolio.exposed_mrr, portfolio.total_mrr, portfolio.accounts, portfolio.all_accounts) == (200, 400, 2, 4)
    everybody = covered_portfolio(table, paying(A=True, B=True, C=True, D=True), AS_OF)
    assert everybody.exposed_mrr == everybody.total_mrr


def test_the_order_of_rows_changes_no_book():
    table = subscriptions(
        ("A", "2025-10-01", "2026-01-01", 100, 12),
        ("A", "2026-01-01", None, 100, 12),
        ("B", "2025-03-01", None, 100, None),
        ("C", "2024-12-01", None, 50, 24),
    )
    now = paying(A=True, B=True, C=False)
    portfolio = covered_portfolio(table, now, AS_OF)
    other = covered_portfolio(table.sample(frac=1, random_state=2), now[::-1], AS_OF)
    pd.testing.assert_frame_equal(portfolio.rows, other.rows)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (paying(A=False, B=False), "none of the 2 accounts paying at 1 July 2026 is covered"),
        (paying(A=True, B=None), "covered is missing"),
        (paying(A=True).assign(mrr=0.0), "give only accounts that pay"),
        (pd.concat([paying(A=True), paying(A=True)]), "stands twice"),
        (paying(A=True)[["account_id", "mrr"]], "lack covered"),
    ],
)
def test_a_book_that_cannot_be_told_is_refused(now, words):
    with pytest.raises(ContractError, match=words):
        covered_portfolio(subscriptions(("A", "2025-10-01", None, 100, 12)), now, AS_OF)


@pytest.mark.parametrize(
    ("table", "total", "words"),
    [
        (rows((0, 0, 100, 1)), None, "term >= 1"),
        (rows((0, 12, 0, 1)), None, "no MRR"),
        (rows((0, 12, 10_000, 1)), 50.0, "smaller than the part"),
        (rows((0, 12, 100, 1))[["due_in", "term"]], None, "lacks mrr_cents, accounts"),
    ],
)
def test_rows_that_are_no_book_are_refused(table, total, words):
    with pytest.raises(ContractError, match=words):
        make_portfolio(table, total)
