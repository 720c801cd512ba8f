"""Scenarios: inputs as users write them, draws that have the distribution they should, and plans by hand."""

import math
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from pytest import approx
from test_economics import PLAIN, one_contract, rows

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Suppressed
from cs_helpers.roi.bad_experience import WORD_OF_MOUTH, count_word_of_mouth
from cs_helpers.roi.breakeven import solve_break_even, value_of_points
from cs_helpers.roi.costs import CostBase
from cs_helpers.roi.economics import INPUTS, Assumptions, outcome
from cs_helpers.roi.portfolio import make_portfolio
from cs_helpers.roi.scenario_range import ScenarioRange, simulate_scenario
from cs_helpers.roi.smaller_plans import plan_contact_time, plan_cut, plan_tech_touch
from cs_helpers.roi.uncertain_inputs import (
    PLAN_LIMITS,
    Input,
    at_mode,
    draw_inputs,
    fixed_input,
    gather_inputs,
    inputs_table,
    measured_input,
    read_input,
)
from cs_helpers.roi.what_if_model import break_even_risk

BOOK = make_portfolio(rows((0, 12, 4_000_000, 20), (5, 12, 5_000_000, 30), (1, 1, 1_000_000, 40)), 200_000, 150)
COSTS = CostBase(4_400, 400, 1_200, "costs")


def number(name: str, value: float) -> Input:
    return fixed_input(name, value)


def exactly(inputs: Assumptions) -> list[Input]:
    return [fixed_input(name, value) for name, value in asdict(inputs).items()]


def some_inputs(**texts: str) -> tuple[Input, ...]:
    given = {"relative_risk": "1.1, 1.4, 2.0", "yearly_churn": "0.10, 0.14, 0.20", "margin": "0.7, 0.8, 0.85"} | texts
    return gather_inputs([read_input(text, name) for name, text in given.items()], COSTS)


# Inputs as users write them


def test_an_input_is_three_numbers_or_one_or_none():
    three = read_input(" 1.0, 1.2 ,1.6", "relative_risk")
    assert (three.low, three.mode, three.high, three.origin) == (1.0, 1.2, 1.6, "guess")
    assert three.ranges
    one = read_input("0.8", "margin", "benchmark", "a survey")
    assert (one.low, one.mode, one.high, one.origin, one.source) == (0.8, 0.8, 0.8, "benchmark", "a survey")
    assert not one.ranges
    assert read_input(0.8, "margin").mode == 0.8
    assert read_input("", "margin") is None and read_input(None, "margin") is None
    assert read_input("1;2;4", "severance_months").high == 4


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("1.6, 1.2, 1.0", "relative_risk", "low 1.6, mode 1.2, high 1 are not in order"),
        ("0.7, 0.6, 0.9", "margin", "are not in order"),
        ("0.7, 0.8, 1.2", "margin", "margin = 1.2: give the gross margin as a fraction"),
        ("-5", "people", "people = -5"),
        ("0, 1, 2", "relative_risk", "relative_risk = 0"),
        ("0.1, 0.2", "yearly_churn", "write low, mode, high, for example 0.08, 0.12, 0.15"),
        ("12 %", "yearly_churn", "fractions instead of percent"),
        ("a lot", "people", "write low, mode, high, for example 70000, 80000, 95000"),
        ("nan", "margin", "margin = nan"),
        ("1", "relativ_risk", "Did you mean 'relative_risk'"),
    ],
)
def test_an_input_that_cannot_be_is_refused_with_its_fix(text, name, words):
    with pytest.raises(ParameterError, match=words):
        read_input(text, name)


def test_an_origin_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="origin 'heard' is none of measured, benchmark, guess"):
        Input("margin", 0.7, 0.8, 0.9, "heard")


def test_an_estimate_becomes_a_measured_input():
    grr = Estimate("grr", 0.88, 88.0, 100.0, 250, 0.83, 0.92)
    churn = measured_input(grr, "yearly_churn", complement=True)
    assert (churn.low, churn.mode, churn.high) == (approx(0.08), approx(0.12), approx(0.17))
    assert (churn.origin, churn.source) == ("measured", "1 - GRR of 250 accounts, 95 % interval")
    assert measured_input(Estimate("margin", 0.8, 8, 10, 10), "margin").ranges is False
    # An interval that reaches a limit stops there.
    assert measured_input(Estimate("grr", 1.0, 10, 10, 10, 0.7, 1.0), "yearly_churn", complement=True).low == 0
    with pytest.raises(ContractError, match="too few accounts"):
        measured_input(Estimate("grr", None, None, None, 3, reason="too few accounts"), "yearly_churn")


def test_what_the_user_gives_goes_before_costs_and_these_before_cautious_values():
    inputs = gather_inputs(
        [read_input("0.1", "yearly_churn"), None, read_input("0.8", "margin"), number("tools", 1)], COSTS
    )
    table = inputs_table(inputs).set_index("name")
    assert list(table.index) == [name for name in INPUTS if name != "relative_risk"]
    assert dict(table["mode"]) == {
        "yearly_churn": 0.1,
        "expansion": 0,
        "expansion_lost": 0,
        "margin": 0.8,
        "people": 4_400,
        "tools": 1,
        "management": 1_200,
        "absorbed": 0,
        "severance_months": 0,
        "notice_months": 0,
        "discount": 0.1,
    }
    assert table.loc["people", "origin"] == "measured"
    assert table.loc["discount", "origin"] == "benchmark"
    assert table.loc["absorbed", "source"].startswith("cautious")


def test_no_effect_ships_as_a_default():
    inputs = gather_inputs([number("yearly_churn", 0.1), number("margin", 0.8)], COSTS)
    assert "relative_risk" not in [each.name for each in inputs]
    assert at_mode(inputs).relative_risk == 1.0
    assert at_mode(inputs).expansion_lost == 0.0
    refused = simulate_scenario(BOOK, inputs)
    assert isinstance(refused, Suppressed)
    assert "no figure of that kind is published" in refused.reason
    assert solve_break_even(BOOK, inputs).at(24)["reachable"]  # which needs none


def test_what_cannot_be_known_without_the_user_is_asked_for_all_at_once():
    with pytest.raises(ParameterError) as caught:
        gather_inputs([number("margin", 0.8), number("margin", 0.7), number("people_share", 0.5)])
    text = str(caught.value)
    for words in ("margin: given twice", "people_share: no input", "yearly_churn is not known", "people is not known"):
        assert words in text
    with pytest.raises(ParameterError, match="people is not known"):
        at_mode([number("margin", 0.8), number("yearly_churn", 0.1), number("discount", 0.1)])


# Draws


def test_pert_draws_have_its_mean_and_spread():
    given = Input("margin", 0.6, 0.8, 0.9)
    draws = draw_inputs([given], 200_000, 5)["margin"]
    # Mean (low + 4 mode + high) / 6; Beta(1 + 4 x 2/3, 1 + 4 x 1/3) on a width of .3.
    a, b = 1 + 4 * 2 / 3, 1 + 4 / 3
    assert draws.mean() == approx((0.6 + 4 * 0.8 + 0.9) / 6, abs=3e-4)
    assert draws.std() == approx(0.3 * math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))), abs=3e-4)
    assert draws.min() >= 0.6 and draws.max() <= 0.9


def test_the_relative_risk_has_its_low_and_high_as_outer_points():
    draws = draw_inputs([Input("relative_risk", 0.9, 1.2, 2.4)], 200_000, 5)["relative_risk"]
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
    assert (low, middle, high) == (approx(0.9, rel=0.01), approx(1.2, rel=0.01), approx(2.4, rel=0.01))
    # Log-normal on each side: a third of the way on the log scale at z = 1.96 / 3.
    assert np.quantile(draws, 0.7432) == approx(1.2 * 2 ** (1 / 3), rel=0.01)
    assert (draws < 1).mean() > 0.02  # that customer success does harm is allowed


def test_a_fixed_input_is_one_number_and_draws_repeat():
    inputs = [number("discount", 0.1), Input("margin", 0.7, 0.8, 0.9), Input("expansion", 0, 0.1, 0.2)]
    one, two = draw_inputs(inputs, 500, 1), draw_inputs(inputs, 500, 1)
    assert one["discount"] == 0.1
    assert (one["margin"] == two["margin"]).all()
    assert (one["margin"] != draw_inputs(inputs, 500, 2)["margin"]).any()
    # Another input's range leaves these draws as they were, and two inputs are not drawn alike.
    wider = [number("discount", 0.1), Input("margin", 0.7, 0.8, 0.9), Input("expansion", 0, 0.1, 0.5)]
    assert (draw_inputs(wider, 500, 1)["margin"] == one["margin"]).all()
    assert abs(np.corrcoef(one["margin"], one["expansion"])[0, 1]) < 0.15


# Scenarios


def test_without_any_range_every_draw_is_the_point_outcome():
    inputs = replace(
        PLAIN, expansion=0.1, expansion_lost=0.4, margin=0.8, people=20_000, tools=500, notice_months=2, discount=0.1
    )
    found = simulate_scenario(BOOK, exactly(inputs), draws=100)
    for horizon in (12, 24, 36):
        for tail in (0, 60):
            row, point = found.at(horizon, tail > 0), outcome(BOOK, inputs, horizon, tail)
            for name in ("value", "cost", "net", "roi", "points"):
                want = getattr(point, name)
                assert (row[name], row[f"{name}_low"], row[f"{name}_high"]) == (approx(want),) * 3
            assert row["p_positive"] == float(point.net > 0)
    assert found.tornado.empty
    assert found.distribution.groupby(["horizon", "tail_months"])["share"].sum().eq(1).all()


def test_a_scenario_repeats_and_its_ranges_are_in_order():
    one, two = (simulate_scenario(BOOK, some_inputs(), draws=2000) for _ in range(2))
    assert isinstance(one, ScenarioRange)
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.distribution, two.distribution)
    assert list(one.table["horizon"]) == [12, 12, 24, 24, 36, 36]
    assert list(one.table["tail_months"]) == [0, 60] * 3
    for name in ("value", "cost", "net", "roi", "points"):
        assert (one.table[f"{name}_low"] <= one.table[name]).all()
        assert (one.table[name] <= one.table[f"{name}_high"]).all()
    without, with_ = (one.table[one.table["tail_months"] == tail].reset_index() for tail in (0, 60))
    assert (with_["net"] > without["net"]).all()
    assert (with_["cost"] == without["cost"]).all()
    assert (one.table["p_positive"].diff()[[1, 3, 5]] > 0).all()


def test_p_positive_is_the_chance_of_being_beyond_the_break_even():
    inputs = [each if each.name == "relative_risk" else number(each.name, each.mode) for each in some_inputs()]
    found = simulate_scenario(BOOK, inputs, draws=20_000).at(24)
    draws = draw_inputs(inputs, 20_000, 1)["relative_risk"]
    assert 0.1 < found["p_positive"] < 0.9
    assert found["p_positive"] == approx((draws > found["break_even_ratio"]).mean(), abs=1e-4)
    assert found["break_even_ratio"] == approx(solve_break_even(BOOK, at_mode(inputs)).at(24)["hazard_ratio"])
    # The live panel finds the same.
    assert found["break_even_ratio"] == approx(break_even_risk_of(inputs), rel=1e-9)


def break_even_risk_of(inputs):
    from cs_helpers.roi.economics import flow

    return break_even_risk(flow(BOOK.rows, 24), at_mode(inputs), 24)


def test_the_tornado_moves_one_input_at_a_time():
    inputs = some_inputs()
    found = simulate_scenario(BOOK, inputs, draws=100)
    mode = at_mode(inputs)
    assert found.tornado_horizon == 24
    assert found.tornado_base == approx(outcome(BOOK, mode, 24).net)
    assert set(found.tornado["label"]) == {"relative_risk", "yearly_churn", "margin", "discount"}  # those with a range
    spans = (found.tornado["high"] - found.tornado["low"]).abs()
    assert spans.is_monotonic_decreasing
    row = found.tornado.set_index("label").loc["margin"]
    assert (row["low_input"], row["high_input"], row["origin"]) == (0.7, 0.85, "guess")
    assert row["low"] == approx(outcome(BOOK, replace(mode, margin=0.7), 24).net)
    assert row["high"] == approx(outcome(BOOK, replace(mode, margin=0.85), 24).net)


def test_bars_of_the_distribution_never_lie_on_both_sides_of_break_even():
    found = simulate_scenario(BOOK, some_inputs(), draws=5000)
    for (horizon, tail), bars in found.distribution.groupby(["horizon", "tail_months"]):
        assert bars["share"].sum() == approx(1)
        assert not ((bars["left"] < -1e-9) & (bars["right"] > 1e-9)).any()
        assert bars["left"].iloc[1:].to_numpy() == approx(bars["right"].iloc[:-1].to_numpy())
        above = bars.loc[bars["left"] > -1e-9, "share"].sum()
        assert above == approx(found.at(horizon, tail > 0)["p_positive"], abs=1e-9)
        assert set(bars["measure"]) == {"roi"}
        assert 15 <= len(bars) <= 60


def test_where_a_draw_has_no_cost_there_is_no_roi_but_a_net():
    inputs = some_inputs(severance_months="0, 6, 60", absorbed="0, 0.5, 1")
    found = simulate_scenario(BOOK, inputs, draws=2000)
    row = found.at(12)
    assert math.isnan(row["roi"]) and math.isfinite(row["net"])
    assert row["reason"].startswith("in ") and "no cost to set the value against" in row["reason"]
    assert set(found.distribution[found.distribution["horizon"] == 12]["measure"]) == {"net"}


def test_a_scenario_refuses_what_it_cannot_do():
    with pytest.raises(ParameterError, match="at least 100 draws"):
        simulate_scenario(BOOK, some_inputs(), draws=10)
    with pytest.raises(ParameterError, match="horizon = 0"):
        simulate_scenario(BOOK, some_inputs(), horizons=(0,), draws=100)
    with pytest.raises(ParameterError, match="no such row"):
        simulate_scenario(BOOK, some_inputs(), draws=100).at(48)


def test_break_even_points_have_a_range_where_inputs_have_one():
    inputs = some_inputs(margin="0.5, 0.8, 0.9", people="4000, 4400, 8000")
    row = solve_break_even(BOOK, inputs).at(24)
    assert row["points_low"] < row["points"] < row["points_high"]
    assert row["hazard_ratio_low"] < row["hazard_ratio"] < row["hazard_ratio_high"]
    assert row["unreachable_share"] == 0
    fixed_ = solve_break_even(BOOK, at_mode(inputs)).at(24)
    assert fixed_["points"] == approx(row["points"])
    assert math.isnan(fixed_["points_low"])
    # Where many draws cannot pay the cost at all, the range has no upper end.
    dear = solve_break_even(BOOK, some_inputs(people="20000, 60000, 100000")).at(12)
    assert dear["unreachable_share"] > 0.025
    assert math.isnan(dear["points_high"]) and math.isnan(dear["hazard_ratio_high"])
    assert math.isfinite(dear["points_low"])


# Other plans


def test_a_cut_by_hand():
    # 100 decide now at a churn of 20 %; abolishing doubles the hazard. Half of the work less: 2^.5.
    inputs = exactly(replace(PLAIN, people=10, tools=2, management=3))
    found = plan_cut(one_contract(0), inputs, 0.5).table.iloc[0]
    lost = 12 * 100 * (0.8 - 0.8 ** (2**0.5))
    assert found["saved"] == approx(12 * (5 + 1))  # management stays
    assert found["lost"] == approx(lost)
    assert found["gain"] == approx(72 - lost)
    assert found["p_gain"] == 0
    assert found["points_lost"] == approx(100 * (0.8**2 - 0.8 ** (2 * 2**0.5)))
    # All of it is the scenario of the whole department.
    whole = plan_cut(one_contract(0), inputs, 1.0).table.iloc[0]
    point = outcome(one_contract(0), Assumptions(**{each.name: each.mode for each in inputs}), 12)
    assert (whole["saved"], whole["lost"]) == (approx(point.cost), approx(point.value))


def test_what_a_cut_assumes_is_a_guess_and_said():
    plan = plan_cut(BOOK, [replace(each, origin="measured") for each in some_inputs()], 0.2)
    table = plan.inputs.set_index("name")
    assert table.loc["relative_risk", "origin"] == "guess"
    assert table.loc["margin", "origin"] == "measured"
    assert table.loc["relative_risk", "mode"] == approx(1.4**0.2)
    assert "half the work less is taken to lose half of the effect" in plan.note
    with pytest.raises(ParameterError, match="fraction above 0 and at most 1"):
        plan_cut(BOOK, some_inputs(), 20)


def test_a_plan_without_an_effect_says_up_to_which_churn_it_pays():
    inputs = [each for each in some_inputs() if each.name != "relative_risk"]
    plan = plan_cut(BOOK, inputs, 0.5)
    row = plan.table.set_index("horizon").loc[24]
    assert math.isnan(row["lost"]) and math.isnan(row["p_gain"])
    assert row["saved"] > 0
    assert "give relative_risk" in plan.reason.replace("Give", "give")
    # At that ratio it loses just what it saves.
    mode = replace(at_mode(inputs), relative_risk=row["break_even_ratio"])
    saved = outcome(BOOK, replace(mode, people=2_200, tools=200, management=0), 24)
    assert saved.value == approx(saved.cost)


def test_tech_touch_by_hand():
    # A quarter of 40 for people and of 8 for tools is saved: 12 a month; management stays.
    inputs = exactly(replace(PLAIN, people=40, tools=8, management=50))
    plan = plan_tech_touch(one_contract(0), inputs, number("people_share", 0.25))
    row = plan.table.iloc[0]
    assert row["saved"] == approx(12 * 12)
    assert row["lost"] == approx(12 * 16)
    assert row["gain"] == approx(144 - 192)
    assert set(plan.inputs["name"]) == {*INPUTS, "people_share"}
    with pytest.raises(ParameterError, match="must be named people_share"):
        plan_tech_touch(one_contract(0), inputs, number("margin", 0.5))


def test_what_a_plan_costs_to_run_is_discounted_month_by_month():
    inputs = exactly(replace(PLAIN, discount=0.1))
    plan = plan_contact_time(one_contract(0), inputs, number("saved_per_month", 0), number("added_per_month", 5))
    assert plan.table["saved"].iloc[0] == approx(-5 * sum(1.1 ** (-(t + 0.5) / 12) for t in range(12)))
    assert plan.table["break_even_ratio"].iloc[0] == 1.0  # it saves nothing
    assert set(plan.inputs["name"]) == {*INPUTS, "saved_per_month", "added_per_month"}


def test_contact_time_saves_only_what_the_plan_names():
    inputs = exactly(replace(PLAIN, people=40, tools=8, management=50, severance_months=6, absorbed=0.5))
    row = plan_contact_time(one_contract(0), inputs, number("saved_per_month", 20)).table.iloc[0]
    assert row["saved"] == approx(240)
    assert row["lost"] == approx(192)
    assert (row["gain"], row["p_gain"]) == (approx(48), 1.0)
    assert row["break_even_ratio"] > 2


def test_a_plan_that_pays_whatever_happens_has_no_limit():
    row = plan_contact_time(one_contract(0), exactly(PLAIN), number("saved_per_month", 100)).table.iloc[0]
    assert math.isnan(row["break_even_ratio"])


def test_a_point_of_retention_by_hand():
    # 100 decide now at a churn of 20 %: 81 instead of 80 stay, 1 a month more. A margin of 75 %: 9 in a year.
    # At month 12 the second decision: .81^2 - .8^2 = 1.61 a month in the second year.
    table = value_of_points(one_contract(0), replace(PLAIN, margin=0.75), (1, 5, 25), (12, 24))
    found = table.set_index(["horizon", "points"])
    assert found.loc[(12, 1), "value"] == approx(9)
    assert found.loc[(12, 1), "mrr_months"] == approx(12)
    assert found.loc[(24, 1), "value"] == approx(0.75 * (12 + 12 * 1.61))
    assert found.loc[(12, 5), "value"] == approx(45)
    assert found.loc[(12, 5), "per_point"] == approx(9)
    assert found.loc[(12, 5), ["retention_from", "retention_to"]].tolist() == [approx(0.8), approx(0.85)]
    assert "no 25 points can be won" in found.loc[(12, 25), "reason"]
    assert math.isnan(found.loc[(12, 25), "value"])
    # Nothing is due before month 12: a year brings nothing yet.
    assert value_of_points(one_contract(12), PLAIN, (1,), (12,))["value"].iloc[0] == 0
    # All churn can be won, and no more.
    assert value_of_points(one_contract(0), PLAIN, (20,), (12,))["value"].iloc[0] == approx(240)
    with pytest.raises(ParameterError, match="above 0"):
        value_of_points(one_contract(0), PLAIN, (0,))


def test_a_point_of_retention_equals_the_economics_of_the_same_two_curves():
    mode = at_mode(some_inputs())
    found = value_of_points(BOOK, mode, (3,), (36,))["value"].iloc[0]
    better = mode.yearly_churn - 0.03
    ratio = math.log(1 - mode.yearly_churn) / math.log(1 - better)
    same = outcome(BOOK, replace(mode, yearly_churn=better, relative_risk=ratio, expansion_lost=0.0), 36)
    assert found == approx(same.value)


def test_word_of_mouth_counts_tellings_and_no_money():
    found = count_word_of_mouth(happy=200, complaints=10)
    table = found.table.set_index("group")
    # 10 complaints stand for 260 unhappy accounts; 13 % tell 15 or more: 507. 72 % of 200 tell 6 or more: 864.
    assert table.loc["unhappy", "accounts"] == 260
    assert table.loc["unhappy", "tellings"] == approx(507)
    assert table.loc["happy", "tellings"] == approx(864)
    assert found.tellings == approx(507)
    assert found.lost is None and "not published" in found.reason
    assert set(found.inputs["origin"]) == {"benchmark"}
    assert count_word_of_mouth(happy=0, left=100).table["accounts"].iloc[0] == approx(67)
    assert count_word_of_mouth(happy=0, unhappy=100, complaints=10).table["accounts"].iloc[0] == 100
    half = count_word_of_mouth(happy=0, unhappy=100, sale_value=number("sale_value", 5000))
    assert half.lost is None and half.reason
    assert list(WORD_OF_MOUTH.values()) == [0.13, 15, 0.72, 6, 26, 0.67]


def test_word_of_mouth_in_money_needs_both_of_the_users_own_figures():
    found = count_word_of_mouth(
        happy=0,
        unhappy=100,
        lost_sale_chance=Input("lost_sale_chance", 0.0, 0.01, 0.02),
        sale_value=number("sale_value", 1000),
    )
    # 100 x .13 x 15 = 195 tellings; at 1 % and 1,000 each 1,950.
    assert found.lost == approx(1950, rel=0.02)
    assert 0 < found.lost_low < found.lost < found.lost_high < 3900
    assert found.reason == ""
    assert list(found.inputs["origin"][-2:]) == ["guess", "guess"]
    with pytest.raises(ParameterError, match="must be named sale_value"):
        count_word_of_mouth(happy=0, unhappy=1, sale_value=number("margin", 0.5))
    with pytest.raises(ContractError, match="give unhappy, complaints or left"):
        count_word_of_mouth(happy=10)
    with pytest.raises(ParameterError, match="happy = -1"):
        count_word_of_mouth(happy=-1, unhappy=1)
    assert set(PLAN_LIMITS) == {"people_share", "saved_per_month", "added_per_month", "lost_sale_chance", "sale_value"}
