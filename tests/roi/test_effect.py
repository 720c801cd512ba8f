"""The measured effect: gates that refuse, evidence that is left, money only from a trusted figure."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.data.sample.worlds import simulate
from cs_helpers.roi.conditions import gate, gates_of_fit, measure_overlap, refusal
from cs_helpers.roi.effect import measure_effect
from cs_helpers.roi.effect_evidence import Evidence
from cs_helpers.roi.effect_money import measured_risk, money_of_effect
from cs_helpers.roi.gformula import Futures, fit_models
from cs_helpers.roi.trial import trial
from cs_helpers.roi.uncertain_inputs import fixed_input

CONTROLS = {"outcomes": ["late_payment"], "exposures": ["coverage_starts_next_quarter"]}
ECONOMICS = [
    fixed_input("margin", 0.8),
    fixed_input("people", 20_000.0),
    fixed_input("tools", 1_000.0),
    fixed_input("management", 2_000.0),
    fixed_input("absorbed", 0.0),
    fixed_input("severance_months", 0.0),
    fixed_input("discount", 0.1),
]


@pytest.fixture(scope="module")
def world():
    return simulate("A", accounts=2000, months=24, seed=7)


@pytest.fixture(scope="module")
def effect(world):
    segments = pd.Series(
        np.where(world.panel["mrr"] > 800, "large", "small"), world.panel["account_id"]
    ).groupby(level=0).first()  # fmt: skip
    return measure_effect(world.panel, horizon=24, segments=segments, draws=80, **CONTROLS)


@pytest.fixture(scope="module")
def few_in_a_segment(world):
    """The effect without named controls, twelve accounts in a segment of their own."""
    segments = pd.Series("most", world.panel["account_id"].drop_duplicates())
    segments.iloc[:12] = "few"
    return measure_effect(world.panel, 24, segments, draws=10)


def passed(result):
    return {each.key: each.passed for each in result.gates}


def stayers(panel):
    """Accounts that never leave."""
    return panel.loc[panel.groupby("account_id")["churned"].transform("sum") == 0, "account_id"]


def refused_everywhere(result):
    """No causal evidence shows a figure, and no money follows."""
    shown = [item.key for item in result.evidence if item.status == "shown"]
    assert set(shown) <= {"association", "vacancy"}
    assert result.points["value"].isna().all() and result.curves is None and result.segments is None
    assert result.risk_ratio is None and result.e_value is None
    with pytest.raises(ContractError):
        money_of_effect(result, ECONOMICS)
    return True


def test_a_trusted_effect_comes_with_its_curves_ratio_and_e_value(effect, world):
    assert (effect.carried_by, effect.horizon) == ("g_formula", 24)
    true = world.truth["effect"]["24"]
    points = effect.points.set_index(["horizon", "weight"])
    for weight, truth in (("logo", true["logo_points"]), ("mrr", true["mrr_points"])):
        row = points.loc[(24, weight)]
        assert row["low"] < truth < row["high"] and row["low"] > 0
        assert row["value"] == pytest.approx(100 * (row["natural"] - row["vanished"]))
    last = effect.curves.iloc[-1]
    assert effect.risk_ratio == pytest.approx((1 - last["vanished"]) / (1 - last["natural"]))
    ratio, (low, _) = effect.risk_ratio, effect.risk_ratio_interval
    high = effect.risk_ratio_interval[1]
    assert low < ratio < high and low * high == pytest.approx(ratio**2)  # symmetric on the log scale
    assert effect.e_value == pytest.approx(ratio + np.sqrt(ratio * (ratio - 1)))
    assert effect.e_value_limit == pytest.approx(low + np.sqrt(low * (low - 1)))
    assert all(passed(effect).values())


def test_without_one_csm_the_effect_stays_in_reach_of_its_interval(effect):
    low, high = effect.leave_one_out
    assert effect.csms >= 25 and low < high
    assert effect.main_evidence.low < low < effect.main_evidence.value < high < effect.main_evidence.high


def test_segments_have_figures_of_their_own_and_add_up(effect):
    table = effect.segments.set_index("segment")
    assert table["accounts"].sum() == effect.accounts and table["churned"].sum() == effect.churned
    mixed = np.average(table["points"], weights=table["accounts"])
    assert mixed == pytest.approx(effect.main_evidence.value, abs=1e-6)
    assert table.loc["large", "points"] != pytest.approx(table.loc["small", "points"], abs=0.1)
    assert table["mrr_months"].sum() == pytest.approx(money_of_effect(effect, ECONOMICS).mrr_months)
    assert (table["low"] < table["points"]).all() and (table["mrr_months_low"] < table["mrr_months"]).all()


def test_a_segment_of_few_accounts_gets_a_reason_and_no_figure(few_in_a_segment):
    table = few_in_a_segment.segments.set_index("segment")
    assert np.isnan(table.loc["few", "points"]) and "12 accounts followed" in table.loc["few", "reason"]
    assert np.isfinite(table.loc["most", "points"]) or table.loc["most", "reason"]


def test_a_hidden_confounder_is_caught_and_leaves_no_causal_figure():
    result = measure_effect(simulate("UN", seed=11).panel, draws=10, **CONTROLS)
    assert passed(result)["control:late_payment"] is False
    assert refused_everywhere(result) and "a cause of both is missing" in result.reason
    association = result.evidence[-1]
    assert association.status == "refuted" and "a cause of both is missing" in association.reason


def test_poor_overlap_is_refused_with_the_share_of_mrr_left_out():
    result = measure_effect(simulate("O", seed=11).panel, draws=10, **CONTROLS)
    assert passed(result)["overlap"] is False
    assert result.overlap.left_out_share > 0.4
    assert refused_everywhere(result) and "hardly ever go without coverage" in result.reason


def test_without_named_controls_the_gate_says_that_nothing_was_looked_at(few_in_a_segment):
    found = {each.key: each for each in few_in_a_segment.gates}
    assert found["controls"].passed is None and "was named" in found["controls"].reason


@pytest.mark.parametrize(
    ("change", "failed", "words"),
    [
        (lambda p: p[p["month"] < 8], "months", "8, at least 12 months"),
        (
            lambda p: p[p["account_id"].isin(stayers(p)) | (p["account_id"] < "A-00300")],
            "events",
            "at least 100 accounts",
        ),
        (lambda p: p.assign(health=np.nan), "health_known", "health or usage month by month is not known"),
        (lambda p: p.drop(columns="health"), "health_known", "health or usage month by month is not known"),
        (lambda p: p.assign(health=p.groupby("account_id")["health"].transform("first")), "health_known", "0%"),
        (lambda p: p.assign(covered=p.groupby("account_id")["covered"].transform("max")), "dated_coverage", "label"),
    ],
    ids=["eight months", "too few churned", "no usage", "no column of health", "health never moves", "flags"],
)
def test_what_the_data_do_not_allow_is_refused_with_figure_and_threshold(world, change, failed, words):
    panel = change(world.panel)
    few = panel["churned"].sum()
    result = measure_effect(panel, draws=10)
    assert passed(result)[failed] is False
    assert words in result.reason
    if failed == "events":
        assert f"{few}, at least" in result.reason
    assert result.carried_by in ("", "vacancy") and refused_everywhere(result)


@pytest.mark.parametrize("covered", [True, False], ids=["all covered", "nobody covered"])
def test_where_coverage_never_differs_nothing_is_compared(world, covered):
    result = measure_effect(world.panel.assign(covered=covered, csm_id="C-1" if covered else ""), draws=10)
    assert not result.carried_by and refused_everywhere(result)
    assert all(item.status == "refused" and item.reason for item in result.evidence)
    assert all(item.status == "refused" for item in result.naive if item.key != "touch_count")


def test_eighty_departures_leave_break_even_and_scenarios_only():
    panel = simulate("A", accounts=280, months=24, seed=3).panel
    assert 60 <= panel["churned"].sum() <= 99
    result = measure_effect(panel, draws=10, **CONTROLS)
    assert not result.carried_by and "too few accounts left" in result.reason and refused_everywhere(result)


def test_the_horizon_is_shortened_before_anything_is_refused():
    few = simulate("A", accounts=1100, months=24, seed=2).panel
    result = measure_effect(few, draws=10)
    assert result.horizon < 24 or passed(result)["never_ess"]


def test_a_horizon_beyond_the_window_is_the_users_mistake(world):
    with pytest.raises(ParameterError, match="horizon is 25: the panel has 24 months"):
        measure_effect(world.panel, 25)


def test_reasons_name_figure_and_threshold():
    gates = (
        gate("overlap", 0.31, 0.2, "at most", "share of MRR", "hardly comparable"),
        gate("months", 24, 12, "at least", "months", "too short"),
        gate("natural_6", 1.234, 1, "at most", "points", "not reproduced"),
        gate("control:late", 0.0101, 0.05, "at least", "p value", "a cause is missing"),
    )
    assert refusal(gates) == (
        "hardly comparable (31%, at most 20% share of MRR needed); not reproduced (1.23, at most 1 point needed); "
        "a cause is missing (0.0101, at least 0.05 p value needed)"
    )
    assert refusal(gates, ("months",)) == ""
    assert gate("x", float("nan"), 1, "at least", "y").passed is None


def test_evidence_cannot_be_refused_and_hold_a_figure():
    with pytest.raises(ValueError, match="cannot be refused"):
        Evidence("x", 12, value=1.0, status="refused")
    with pytest.raises(ValueError, match="cannot be shown"):
        Evidence("x", 12, status="shown")


def test_a_natural_course_off_by_more_than_a_point_does_not_pass(effect):
    futures, followed = effect._futures, effect._trial
    check = next(each for each in effect.evidence if each.key == "ltmle")
    off = replace(futures, natural=futures.natural - 0.015)
    found = {each.key: each for each in gates_of_fit(followed, off, effect.overlap, check)}
    assert [found[key].passed for key in ("natural_6", "natural_12", "natural_24")] == [False] * 3
    far = replace(check, value=effect.main_evidence.value + 2 * check.se)
    assert {each.key: each.passed for each in gates_of_fit(followed, futures, effect.overlap, far)}[
        "agreement"
    ] is False


def test_overlap_counts_the_mrr_of_months_without_a_chance_of_being_uncovered():
    rng = np.random.default_rng(1)
    size = 300
    panel = pd.DataFrame(
        {
            "account_id": np.repeat([f"a{n:03d}" for n in range(size)], 4),
            "month": np.tile(range(4), size),
            "mrr": np.repeat(np.where(np.arange(size) < 100, 1000.0, 100.0), 4),
            "tenure_months": np.tile(range(4), size),
            "health": rng.standard_normal(4 * size),
            "churned": rng.random(4 * size) < 0.02,
        }
    )
    panel["covered"] = (panel["mrr"] == 1000) | (rng.random(len(panel)) < 0.5)
    panel = panel.groupby("account_id", group_keys=False).filter(lambda g: not g["churned"].iloc[:-1].any())
    followed = trial(panel, panel.drop_duplicates("account_id").set_index("account_id")["mrr"].map(str))
    found = measure_overlap(fit_models(followed))
    large = panel.loc[panel["mrr"] == 1000, "mrr"].sum() / panel["mrr"].sum()
    assert found.left_out_share == pytest.approx(large, abs=0.02)  # the large are always covered
    table = found.table.set_index("segment")
    assert table.loc["1000.0", "left_out_share"] > 0.95 and table.loc["100.0", "left_out_share"] < 0.05
    assert table["mrr_share"].sum() == pytest.approx(1)


def small_effect(natural, vanished, spread=0.0):
    """An effect of two accounts over two months whose futures by MRR are given (by account: none); MRR 100 and 300."""
    panel = pd.DataFrame(
        {
            "account_id": ["a", "a", "b", "b"],
            "month": [0, 1, 0, 1],
            "mrr": [100.0, 100.0, 300.0, 300.0],
            "tenure_months": [1, 2, 1, 2],
            "covered": [True, True, False, False],
            "churned": False,
        }
    )
    curve = {name: np.array([[1.0, 1.0], [0.6, x], [0.6, x]]) for name, x in (("n", natural), ("v", vanished))}
    drawn = np.array([[[0.0, 0.0], [0.0, d], [0.0, d]] for d in (-spread, spread)])
    futures = Futures(2, curve["n"], curve["v"], np.stack([curve["n"]] * 2), curve["v"] + drawn, np.zeros(2))
    base = measure_effect(panel, draws=2)
    return replace(base, _futures=futures, _trial=trial(panel))


def test_money_is_margin_on_the_mrr_kept_less_the_cost_of_these_months():
    found = money_of_effect(small_effect(0.9, 0.8), ECONOMICS)
    month_1 = 1.1 ** (-1.5 / 12)  # in month 0 both futures are whole
    assert found.mrr_months == pytest.approx(400 * (0.9 - 0.8))
    assert found.value == pytest.approx(0.8 * 400 * 0.1 * month_1)
    # Both covered account-months of the window belong to account a: the whole cost of both months is theirs.
    assert found.cost == pytest.approx(23_000 * (1.1 ** (-0.5 / 12) + month_1))
    assert found.cost_share == 1 and found.covered_months == 2
    assert found.net == pytest.approx(found.value - found.cost)
    assert found.roi == pytest.approx(found.net / found.cost)
    assert found.cost_per_retained == pytest.approx(found.cost / 40)
    assert found.points == pytest.approx(10)
    assert found.break_even_points == pytest.approx(10 * found.cost / found.value)
    assert found.p_positive == 0


def test_absorbed_work_and_severance_lower_what_vanishing_would_have_saved():
    inputs = [each for each in ECONOMICS if each.name not in ("absorbed", "severance_months")]
    found = money_of_effect(
        small_effect(0.9, 0.8), [*inputs, fixed_input("absorbed", 0.25), fixed_input("severance_months", 0.5)]
    )
    months = 1.1 ** (-0.5 / 12) + 1.1 ** (-1.5 / 12)
    assert found.cost == pytest.approx(months * (20_000 * 0.75 + 3_000) - 0.5 * 20_000)


def test_where_the_effect_may_be_nothing_a_kept_euro_has_no_price():
    found = money_of_effect(small_effect(0.9, 0.8, spread=0.2), ECONOMICS)
    assert found.mrr_months_interval[0] < 0 < found.mrr_months_interval[1]
    assert found.cost_per_retained is None and found.cost_per_retained_interval is None


def test_where_vanishing_saves_nothing_there_is_no_return_on_it():
    inputs = [each for each in ECONOMICS if each.name != "severance_months"]
    found = money_of_effect(small_effect(0.9, 0.8), [*inputs, fixed_input("severance_months", 12.0)])
    assert found.cost < 0 and found.roi is None and found.roi_interval is None and "nothing" in found.reason


def test_the_measured_risk_is_the_ratio_of_hazards_of_mrr(effect):
    risk = measured_risk(effect)
    row = effect.points.set_index(["horizon", "weight"]).loc[(24, "mrr")]
    assert risk.mode == pytest.approx(np.log(row["vanished"]) / np.log(row["natural"]))
    assert risk.low < risk.mode < risk.high and risk.origin == "measured"
