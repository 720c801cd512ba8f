"""Views of the results of return: what is enough, measured, or refused; never more than the interval."""

import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace as Stand

import numpy as np
import pandas as pd
import pytest

from cs_helpers.core.metrics import subject_metrics
from cs_helpers.core.results import Suppressed
from cs_helpers.report import page
from cs_helpers.report.page import summary as brief
from cs_helpers.report.views import render, view_of
from cs_helpers.report.words import MIME, money
from cs_helpers.roi.bad_experience import count_word_of_mouth
from cs_helpers.roi.breakeven import solve_break_even, value_of_points
from cs_helpers.roi.conditions import Control, gate
from cs_helpers.roi.costs import cost_base
from cs_helpers.roi.economics import outcome
from cs_helpers.roi.effect import MeasuredEffect
from cs_helpers.roi.effect_evidence import Evidence
from cs_helpers.roi.effect_money import EffectMoney
from cs_helpers.roi.portfolio import make_portfolio
from cs_helpers.roi.results import (
    BreakEvenResult,
    CostResult,
    EffectMoneyResult,
    EffectResult,
    EvidenceResult,
    GatesResult,
    InputsResult,
    NegativeControlsResult,
    OverlapResult,
    PlansResult,
    PointWorthResult,
    RoiSummary,
    ScenarioResult,
    SegmentEffectResult,
    SensitivityResult,
    WordOfMouthResult,
)
from cs_helpers.roi.scenario_range import simulate_scenario
from cs_helpers.roi.smaller_plans import plan_cut
from cs_helpers.roi.uncertain_inputs import fixed_input, gather_inputs, read_input, with_risk
from cs_helpers.roi.views import effect as effect_views
from cs_helpers.roi.views import scenario as scenario_views
from cs_helpers.roi.views.names import input_words

REFUSED = Suppressed("nobody was covered; give assignments")
HOSTILE = "<script>alert(1)</script>"
NAN = float("nan")
PORTFOLIO = make_portfolio(
    pd.DataFrame({"due_in": [1, 6, 20], "term": [12, 12, 24], "mrr_cents": 4_000_000, "accounts": 20}), 150_000.0, 80
)
COSTS = cost_base(None, None, pd.Timestamp("2026-01-01"), "EUR", cost_per_month=8_000.0)
KNOWN = gather_inputs(
    [fixed_input("margin", 0.8, "measured", "accounts"), fixed_input("yearly_churn", 0.12, "measured", "GRR")],
    COSTS,
)
EVEN = solve_break_even(PORTFOLIO, KNOWN, draws=200)


def headline_of(result):
    return view_of(result).headline(result)


def alt_of(result):
    return view_of(result).alt_text(result)


def note_of(result):
    return view_of(result).note(result)


def page_of(result):
    return view_of(result).page_table(result)


def kept(even=EVEN, costs=COSTS, portfolio=PORTFOLIO):
    """The result of ``cs.roi.break_even``."""
    return BreakEvenResult(even, portfolio, costs.per_year, "EUR")


def brief_of(even=None, costs=None, effect=None, earned=REFUSED, point=REFUSED):
    """The result of ``cs.roi.summary``; REFUSED where nothing is given."""
    return RoiSummary(
        REFUSED if even is None else kept(even, costs or COSTS),
        REFUSED if costs is None else CostResult(costs, "EUR"),
        REFUSED if effect is None else EffectResult(effect),
        REFUSED,
        earned,
        point,
        "EUR",
    )


def item(key="g_formula", value=4.3, low=1.9, high=6.8, status="shown", reason=""):
    return Evidence(key, 24, value, low, high, 1.2, status, reason, 1_981, 562)


def curves(gap=0.06):
    t = np.arange(25)
    natural = 1 - 0.01 * t
    columns = {"t": t, "natural": natural, "vanished": natural - gap * t / 24, "kaplan_meier": natural}
    for name in ("natural", "vanished"):
        columns |= {f"{name}_low": columns[name] - 0.02, f"{name}_high": columns[name] + 0.02}
    return pd.DataFrame(columns)


def effect(*items, gates=(), controls=(), naive=(), **change):
    """An effect as the analysis gives it: by default measured, 4.3 points, 1.9 to 6.8."""
    items = items or (item(),)
    head = next((each for each in items if each.status == "shown" and each.key != "association"), None)
    rows = [
        (
            24,
            weight,
            head.value if head else NAN,
            head.low if head else NAN,
            head.high if head else NAN,
            0.72,
            0.67,
            0.71,
        )
        for weight in ("logo", "mrr", "overlap")
    ]
    names = ["horizon", "weight", "value", "low", "high", "natural", "vanished", "kaplan_meier"]
    full = {
        "carried_by": head.key if head else "",
        "reason": "" if head and head.key == "g_formula" else "too few accounts left (45, at least 50 accounts needed)",
        "horizon": 24, "accounts": 1_981, "churned": 562,
        "points": pd.DataFrame(rows, columns=names), "evidence": items, "naive": naive, "gates": gates,
        "controls": controls, "curves": curves() if head and head.key == "g_formula" else None,
    }  # fmt: skip
    return MeasuredEffect(**{**full, **change})


def words(block):
    """What a reader of a block sees, without marks."""
    return unescape(re.sub(r"<[^>]*>", " ", block.html))


def test_break_even_says_how_much_is_enough_and_makes_no_claim():
    said = headline_of(kept())
    row = EVEN.at(24)
    assert (
        f"within 24 months, customer success must keep {row['points']:.1f}\u202fpoints of the €120k" in said.conclusion
    )
    assert "cost of €96k a year" in said.conclusion
    assert f"That is €{row['points'] / 100 * 120:,.0f}k of MRR a month" in said.evidence
    assert f"churn would be {row['hazard_ratio']:.2f} times as high" in said.evidence
    assert "over 12 months and" in said.evidence and "over 36 months" in said.evidence
    assert "no claim that it does" in said.text


def test_break_even_out_of_reach_is_said_for_the_horizons_it_holds_for():
    def at_cost(amount):
        costs = cost_base(None, None, pd.Timestamp("2026-01-01"), cost_per_month=amount)
        return solve_break_even(PORTFOLIO, gather_inputs(KNOWN[:1] + KNOWN[3:4], costs), draws=200), costs

    some, costs = at_cost(45_000.0)
    assert list(some.table["reachable"]) == [False, True, True]
    text = headline_of(kept(some, costs)).text
    assert "within 24 months, customer success must keep" in text
    assert "Within 12 months nothing it could keep would pay its cost." in text
    assert "stays below zero" in alt_of(kept(some))
    assert "its margin would be" in words(page_of(kept(some)))
    never, costs = at_cost(1e6)
    text = headline_of(kept(never, costs)).text
    assert text.startswith("Customer success cannot earn back its cost of €12.0m a year within 36 months")
    assert "must keep" not in text
    assert not re.search(r"\b(nan|inf|None)\b", words(brief(brief_of(never, costs))))


def test_what_costs_nothing_needs_to_keep_nothing():
    free = solve_break_even(PORTFOLIO, gather_inputs(
        [*KNOWN[:1], KNOWN[3], fixed_input("people", 1.0),
         fixed_input("severance_months", 60.0)]), draws=200)  # fmt: skip
    text = headline_of(kept(free, COSTS)).text
    assert text.startswith("Customer success needs to keep nothing to pay for itself. Vanishing would save nothing")


def test_the_note_on_break_even_tells_which_costs_count_as_saved():
    assert "all costs count as saved from the first month on" in note_of(kept()).lower()
    assert "67\u202f% of the exposed MRR decides within a year" in note_of(kept())
    later = solve_break_even(PORTFOLIO, [*KNOWN[:9], fixed_input("notice_months", 3.0), KNOWN[10]], draws=200)
    assert "notice, severance and work" in note_of(kept(later)).lower()
    unknown = replace(PORTFOLIO, note="9 accounts have no recorded term")
    assert "9 accounts have no recorded term." in note_of(kept(portfolio=unknown))


def test_tiles_carry_denominator_cost_and_the_effect_or_its_refusal():
    block = brief(brief_of(EVEN, COSTS, effect()))
    record = {each["key"]: each for each in block.data[MIME.format("headline")]["headline"]}
    assert list(record) == ["break_even_12", "break_even_24", "break_even_36", "success_cost", "vanish_effect"]
    assert record["break_even_24"]["denominator"] == 120_000
    assert record["break_even_24"]["numerator"] == pytest.approx(EVEN.at(24)["points"] / 100 * 120_000)
    assert record["success_cost"]["text"] == "€96k"
    assert (record["vanish_effect"]["low"], record["vanish_effect"]["high"]) == (1.9, 6.8)
    assert record["vanish_effect"]["text"] == "4.3\u202fpoints"
    assert '4.3<span class="cs-unit">\u202fpoints</span>' in block.html  # both on one line of a narrow tile
    assert "1.9 to 6.8\u202fpoints over 24 months, n = 1,981" in words(block)
    assert "the 60 accounts with a CSM pay (80\u202f% of all MRR)" in words(block)
    tile = brief(brief_of(EVEN, COSTS)).data[MIME.format("headline")]["headline"][-1]
    assert tile["value"] is None and tile["text"] == "–"
    lower = words(brief(brief_of(EVEN, COSTS, effect(item("vacancy")))))
    assert "Vacancies: 1.9 to 6.8" in lower
    refused = words(brief(brief_of()))
    assert refused.count("Nobody was covered; give assignments.") == 5 + 4  # five tiles, four takeaways


def test_a_tile_of_an_effect_that_was_refused_counts_the_conditions_that_are_not_met():
    gates = (gate("months", 3, 12, "at least", "months", "too short"), gate("events", 200, 100, "at least", ""))
    shown = words(brief(replace(brief_of(EVEN, COSTS), gates=GatesResult(gates))))
    assert "1 of 2 conditions not met, see the section on what is measured" in shown.lower()


def test_the_summary_states_four_takeaways_and_the_scope_of_them():
    earning = EffectMoneyResult(earned(1e5, 5e5, 9e5), "EUR")
    point = PointWorthResult(value_of_points(PORTFOLIO, EVEN.assumptions), "EUR")
    block = brief(brief_of(EVEN, COSTS, effect(), earning, point))
    told = block.data[MIME.format("takeaways")]["takeaways"]
    assert [text.split(" ")[0] for text in told] == ["To", "After", "Customer", "One"]
    assert "withdrawing assigned people" in block.text and "never seen, and nothing here says it" in words(block)


def test_every_metric_of_return_is_in_the_glossary():
    assert page.glossary("roi").html.count("Who counts") == len(subject_metrics("roi"))


@pytest.mark.parametrize(
    ("low", "value", "high", "said"),
    [
        (1.9, 4.3, 6.8, "After 24 months 4.3\u202fpoints more accounts still paid than would have without any CSM."),
        (-6.0, -3.0, -0.5, "After 24 months 3.0\u202fpoints fewer accounts still paid"),
        (-0.4, 2.0, 4.4, "No clear effect of coverage on who still paid after 24 months. +2.0\u202fpoints, 95"),
        (-4.4, -2.0, 0.4, "No clear effect of coverage"),
    ],
)
def test_an_effect_is_named_only_where_its_interval_leaves_zero_out(low, value, high, said):
    text = headline_of(EffectResult(effect(item(value=value, low=low, high=high)))).text
    assert said in text
    assert ("more accounts" in text or "fewer accounts" in text) == (low > 0 or high < 0)
    assert "target trial, 1,981 accounts, 562 left" in text and "Counted by MRR" in text


def test_a_refused_effect_leaves_an_association_and_no_number_that_looks_causal():
    none = effect(item(value=None, low=None, high=None, status="refused", reason="too few"), item("association"))
    shown = render(EvidenceResult(none))
    assert "No evidence on the effect can be given, only an association." in shown.text
    assert "risk ratio" not in shown.text  # no robustness of what was not measured


def test_a_headline_of_weaker_evidence_says_what_it_leaves_out_and_draws_no_curves():
    lower = effect(item("vacancy"))
    text = headline_of(EffectResult(lower)).text
    assert "vacancies, 1,981 accounts" in text and "what works through the health of accounts is not in it" in text
    assert "Counted by MRR" not in text
    assert EffectResult(lower).figure() is None and page_of(EffectResult(lower)) is None


def test_curves_and_their_table_speak_of_both_futures():
    found = effect()
    assert effect_views.gap_words(found) == "+4.3\u202fpoints (1.9 to 6.8) after 24 months"
    both = "24 months: as it was 76\u202f% (74 to 78\u202f%), without 70\u202f% (68 to 72\u202f%)"
    assert both in alt_of(EffectResult(found))
    assert "at most 1.0\u202fpoint off what was seen" in note_of(EffectResult(found))
    table = page_of(EffectResult(found))
    assert table.html.count("<tr>") == 1 + 2 and "accounts that can be compared" not in table.html


def test_the_evidence_refutes_what_is_usually_quoted_and_counts_no_association_as_evidence():
    naive = (
        item("ever_never", 14.4, 7.9, 20.9, "refuted", "An account must stay long enough to be covered at all."),
        item("touch_count", None, None, None, "refused", "no touches"),
    )
    found = effect(item(), item("ltmle", 2.6, -1.8, 7.0), item("association", 9.0, 8.0, 10.0), naive=naive)
    text = headline_of(EvidenceResult(found)).text
    assert "2 pieces of evidence lie between 2.6 and 4.3\u202fpoints." in text
    assert "Ever against never covered would say +14.4\u202fpoints. That is no effect: an account must stay" in text
    rows = effect_views.evidence_rows(found)
    assert list(rows["status"]) == ["shown", "shown", "tied", "refuted", "refused"]
    assert rows["label"].iloc[0] == "Target trial" and rows["note"].iloc[2] == "no effect by itself"
    assert "+2.6\u202fpoints (−1.8 to 7.0)" in words(page_of(EvidenceResult(found)))
    one = effect(item("vacancy"))
    assert "One piece of evidence can be given: +4.3\u202fpoints (Vacancies)." in headline_of(EvidenceResult(one)).text


def test_a_reason_is_given_once_in_the_evidence():
    why = "too few accounts left"
    found = effect(*(item(key, None, None, None, "refused", why) for key in ("g_formula", "ltmle")))
    assert list(effect_views.evidence_rows(found)["why"]) == [why, "as target trial"]


def test_gates_show_figure_threshold_and_verdict_in_their_units():
    gates = (
        gate("months", 35, 12, "at least", "months"),
        gate("overlap", 0.31, 0.2, "at most", "share of MRR", "nothing to compare them with"),
        gate("control:late_payment", 0.0004, 0.05, "at least", "p value", "a cause of both is missing"),
        gate("controls", None, 0.05, "at least", "p value", "no outcome was named"),
        gate("natural_12", 0.4, 1.0, "at most", "points"),
    )
    found = GatesResult(gates)
    headline = headline_of(found)
    assert headline.conclusion == "2 of 5 conditions for a measured effect are met."
    assert (
        "Not met: MRR of accounts that are practically always covered and negative control: late payment."
        in headline.evidence
    )
    assert "Not looked at: negative controls." in headline.evidence
    seen = words(page_of(found))
    for part in (
        "35\u202fmonths",
        "31.0\u202f%",
        "at most 20.0\u202f%",
        "p < 0.001",
        "at least p = 0.05",
        "0.4\u202fpoints",
    ):
        assert part in seen, part
    held = GatesResult(gates[:1])
    assert headline_of(held).conclusion == "1 of 1 conditions for a measured effect are met."
    assert "Why not" not in page_of(held).html and found.table["passed"].tolist() == [True, False, False, None, True]


def control(p, key="late_payment", reason=""):
    estimate = None if p is None else -0.35
    return Control(key, "outcome", estimate, p and 0.05, p, 900, 80, reason)


def test_negative_controls_raise_an_alarm_none_or_cannot_tell():
    assert (
        "Coverage goes with late payment, which it cannot have moved."
        in headline_of(NegativeControlsResult((control(0.001),))).text
    )
    calm = headline_of(NegativeControlsResult((control(0.6),))).text
    assert "No negative control raises an alarm (late payment)." in calm and "does not prove" in calm
    few = headline_of(NegativeControlsResult((control(None, reason="3 events; 20 are needed"),))).text
    assert "3 events; 20 are needed." in few
    assert "No negative control was named" in headline_of(NegativeControlsResult(())).text
    assert "<script>" not in page_of(NegativeControlsResult((control(0.6, HOSTILE),))).html
    assert page_of(NegativeControlsResult(())) is None


def overlapping(share):
    rows = [("Enterprise", 98, 0.7, share / 0.7), (HOSTILE, 300, 0.3, 0.0)]
    return Stand(
        left_out_share=share, table=pd.DataFrame(rows, columns=["segment", "accounts", "mrr_share", "left_out_share"])
    )


def test_overlap_says_how_much_has_nobody_to_compare_with():
    text = headline_of(OverlapResult(overlapping(0.049))).text
    assert "4.9\u202f% of the MRR is of accounts of a kind that was hardly ever without a CSM." in text
    assert "Enterprise: 7.0\u202f% of its MRR" in text
    assert "also seen without a CSM" in headline_of(OverlapResult(overlapping(0.0))).text
    table = page_of(OverlapResult(overlapping(0.049)))
    assert "<script>" not in table.html and "&lt;script&gt;" in table.html


def by_segment(*rows):
    names = ["segment", "accounts", "churned", "mrr", "points", "low", "high", "mrr_months", "mrr_months_low"]
    return pd.DataFrame(rows, columns=[*names, "mrr_months_high", "reason"])


def test_segments_are_clear_by_themselves_or_not():
    large = ("SMB", 767, 248, 1e5, 5.3, 3.6, 7.1, 188e3, 90e3, 280e3, "")
    small = ("Public", 9, 1, 1e3, NAN, NAN, NAN, NAN, NAN, NAN, "9 accounts followed, at least 30 needed")
    unclear = ("Enterprise", 366, 76, 9e5, 1.7, -3.7, 7.1, 150e3, -99e3, 400e3, "")
    found = SegmentEffectResult(by_segment(large, unclear, small), 24, "EUR")
    assert "The effect is clear by itself in SMB." in headline_of(found).text
    seen = words(page_of(found))
    assert "€188k (€90k to €280k)" in seen and "9 accounts followed, at least 30 needed." in seen
    assert "nan" not in seen
    assert "In no segment is the effect clear" in headline_of(replace(found, segments=by_segment(unclear))).text


def test_robustness_holds_the_e_value_against_the_strongest_measured_attribute():
    found = effect(
        e_value=1.57, e_value_limit=1.34, yardstick=Stand(covariate="log_mrr", bias_factor=1.12),
        leave_one_out=(4.0, 5.1), csms=40,
    )  # fmt: skip
    text = effect_views.robustness(found).text
    for part in (
        "a risk ratio of 1.57 each",
        "it is 1.34",
        "size by MRR",
        "risk ratio of 1.12",
        "40 CSMs",
        "4.0 to 5.1",
    ):
        assert part in text, part


def scenario(low, mode, high):
    people = fixed_input("people", 8_000.0, "measured", "table costs")
    return simulate_scenario(PORTFOLIO, gather_inputs([*KNOWN[:1], KNOWN[3], people,
                        read_input(f"{low}, {mode}, {high}", "relative_risk")]), draws=2_000)  # fmt: skip


@pytest.mark.parametrize(
    ("risk", "said"),
    [
        ((8, 9, 10), "customer success pays for itself within 24 months."),
        ((1.0, 1.05, 1.1), "customer success does not pay for itself within 24 months."),
        ((1.0, 1.6, 9.0), "These inputs leave open whether customer success pays for itself within 24 months."),
        ((1.0, 3.0, 9.0), "These inputs leave open whether customer success pays for itself within 24 months."),
    ],
)
def test_a_scenario_says_no_more_than_its_range_and_is_never_an_interval(risk, said):
    found = scenario(*risk)
    text = headline_of(ScenarioResult(found, "EUR")).text
    assert said in text and "no confidence interval" in text and "95\u202f% of draws between" in text
    row = found.at(24)
    assert f"{row['p_positive'] * 100:.0f}\u202f% of draws gain" in text


def test_scenario_table_chart_and_inputs_agree_with_the_draws():
    found = scenario(1.0, 1.6, 9.0)
    row = found.at(24)
    percents = [f"{row[name] * 100:,.0f}\u202f%".replace("-", "−") for name in ("roi", "roi_low", "roi_high")]
    drawn = alt_of(ScenarioResult(found, "EUR"))
    assert "return on cost over 24 months" in drawn and [part for part in percents if part not in drawn] == []
    assert (scenario_views.outcome_bins(found)["tail_months"] == 0).all() and scenario_views.outcome_bins(found)[
        "share"
    ].sum() == pytest.approx(1)
    assert f"{row['p_positive'] * 100:.0f}\u202f% above zero" in alt_of(ScenarioResult(found, "EUR"))
    table = page_of(ScenarioResult(found, "EUR"))
    assert table.html.count("<tr>") == 1 + 6 and "24 months, then a tail of 60" in table.html
    rows = scenario_views.tornado_rows(SensitivityResult(found, "EUR"))
    assert rows["label"].iloc[0] == "Risk of leaving without it" and rows["low_input"].iloc[0] == "1.00×"
    assert found.tornado_base == outcome(PORTFOLIO, found.assumptions, 24).net
    assert "hangs on: risk of leaving without it" in headline_of(SensitivityResult(found, "EUR")).text
    seen = words(page_of(InputsResult(KNOWN, "EUR")))
    assert "measured" in seen and "80\u202f%" in seen and "0\u202fmonths" in seen


def test_a_gain_that_comes_only_from_the_tail_is_called_so():
    found = scenario(1.2, 1.4, 1.6)
    assert found.at(24)["net"] < 0 < found.at(24, tail=True)["net"]
    assert "only with the tail" in words(page_of(ScenarioResult(found, "EUR")))
    assert "only with the tail" not in words(page_of(ScenarioResult(scenario(8, 9, 10), "EUR")))


def test_without_an_effect_there_is_no_scenario_only_the_reason():
    refused = simulate_scenario(PORTFOLIO, KNOWN)
    assert isinstance(refused, Suppressed) and "Give relative_risk as low, mode, high" in refused.reason


def earned(low, net, high, cost=4.5e6, **change):
    base = {
        "horizon": 24, "accounts": 1_981, "mrr_months": 848e3, "mrr_months_interval": (-401e3, 2.17e6),
        "value": cost + net, "value_interval": (cost + low, cost + high), "cost": cost, "cost_interval": (cost, cost),
        "net": net, "net_interval": (low, high), "roi": net / cost if cost > 0 else None, "roi_interval": None,
        "p_positive": 0.4, "cost_per_retained": None, "cost_per_retained_interval": None, "points": 2.6,
        "points_interval": (-1.6, 6.8), "break_even_points": None, "covered_months": 9_000, "cost_share": 0.75,
    }  # fmt: skip
    return EffectMoney(**{**base, **change})


@pytest.mark.parametrize(
    ("low", "net", "high", "said"),
    [
        (1e5, 5e5, 9e5, "Customer success earned back its cost in the 24 months that were watched."),
        (-9e5, -5e5, -1e5, "Customer success did not earn back its cost"),
        (-1e5, 5e5, 9e5, "is not clear."),
    ],
)
def test_money_of_the_effect_is_a_gain_only_where_its_interval_says_so(low, net, high, said):
    worth = earned(low, net, high)
    assert said in headline_of(EffectMoneyResult(worth, "EUR")).text
    seen = words(page_of(EffectMoneyResult(worth, "EUR")))
    assert "75\u202f% of all covered account-months" in seen and not re.search(r"\b(nan|None)\b", seen)


def test_money_without_a_cost_has_no_return():
    worth = earned(1.0, 2.0, 3.0, cost=0.0, reason="vanishing would have saved nothing")
    assert "would have saved nothing" in headline_of(EffectMoneyResult(worth, "EUR")).conclusion
    assert "Vanishing would have saved nothing." in words(page_of(EffectMoneyResult(worth, "EUR")))


def test_a_point_of_retention_is_priced_per_horizon_or_refused_with_the_reason():
    rows = value_of_points(PORTFOLIO, EVEN.assumptions)
    one = rows[rows["points"] == 1].set_index("horizon")["value"]
    text = headline_of(PointWorthResult(rows, "EUR")).text
    assert f"is worth {money(one[24], 'EUR', short=True)} of gross margin over 24 months" in text
    assert f"{money(one[12], 'EUR', short=True)} over 12" in text
    assert f"over 36 months {money(one[36], 'EUR', short=True)} for 1 and" in alt_of(PointWorthResult(rows, "EUR"))
    assert page_of(PointWorthResult(rows, "EUR")).html.count("<tr>") == 1 + 5
    none = value_of_points(PORTFOLIO, replace(EVEN.assumptions, yearly_churn=0.005))
    assert none["value"].isna().all() and (none["reason"] != "").all()


def test_plans_gain_lose_or_stay_open_and_say_what_is_missing():
    known = with_risk(KNOWN, read_input("1.0, 1.6, 9.0", "relative_risk"))
    plan = plan_cut(PORTFOLIO, known, 0.2)
    plans = PlansResult((plan,), {"tech_touch": "tail_share is not given: give it"}, "EUR")
    assert "open: customer success cut" in headline_of(plans).text
    seen = words(page_of(plans))
    assert "Not computed. Tech touch for small accounts: tail_share is not given: give it." in seen

    def cut_at(inputs):
        return replace(plans, plans=(plan_cut(PORTFOLIO, inputs, 0.2),))

    cheap = with_risk(KNOWN, read_input("1.0, 1.01, 1.02", "relative_risk"))
    assert "gain: customer success cut" in headline_of(cut_at(cheap)).text
    dear = with_risk(KNOWN, read_input("8, 9, 10", "relative_risk"))
    assert "loss: customer success cut" in headline_of(cut_at(dear)).text
    blind = plan_cut(PORTFOLIO, KNOWN, 0.2)
    text = headline_of(replace(plans, plans=(blind,))).text
    assert (
        f"customer success cut {blind.table['break_even_ratio'].iloc[1]:.2f} times" in text
        and "no gain is given" in text
    )
    assert "nan" not in words(page_of(replace(plans, plans=(blind,))))


def test_word_of_mouth_gives_tellings_and_money_only_with_the_readers_chance():
    talk = count_word_of_mouth(happy=92, unhappy=52)
    text = headline_of(WordOfMouthResult(talk, "EUR")).text
    assert "About 52 unhappy accounts would tell at least 101 people." in text  # 52 x 0.13 x 15 = 101.4
    assert "92 happy ones would tell at least 397" in text  # 92 x 0.72 x 6 = 397.4
    assert "€" not in text and "give lost_sale_chance" in text
    priced = count_word_of_mouth(
        92,
        52,
        lost_sale_chance=fixed_input("lost_sale_chance", 0.01),
        sale_value=fixed_input("sale_value", 5_000.0),
    )
    assert "€5.1k" in headline_of(WordOfMouthResult(priced, "EUR")).text  # 101.4 x 0.01 x 5,000
    assert "benchmark" in page_of(WordOfMouthResult(talk, "EUR")).html


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("relative_risk", 1.4, "1.40×"),
        ("margin", 0.8, "80\u202f%"),
        ("yearly_churn", 0.1366, "13.7\u202f%"),
        ("severance_months", 1, "1\u202fmonth"),
        ("notice_months", 2.5, "2.5\u202fmonths"),
        ("people", 89_154.3, "€89k"),
    ],
)
def test_inputs_are_written_in_their_unit(name, value, said):
    assert input_words(name, value, "EUR") == said


def test_costs_say_where_they_come_from_and_escape_what_people_wrote():
    costs = pd.DataFrame(
        {"month": pd.date_range("2025-01-01", periods=12, freq="MS"), "item": HOSTILE, "amount": 9_000.0}
    )
    found = cost_base(costs, None, pd.Timestamp("2026-01-01"), "EUR")
    text = headline_of(CostResult(found, "EUR")).text
    assert "Customer success costs €108k a year. Mean of 12 months in the table of costs" in text
    assert "<script>" not in page_of(CostResult(found, "EUR")).html
    assert "Given as a parameter" in headline_of(CostResult(COSTS, "EUR")).text
    assert page_of(CostResult(COSTS, "EUR")) is None
