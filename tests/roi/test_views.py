"""Sentences of the report on return: what is enough, measured, or refused; never more than the interval."""

import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace as Stand

import numpy as np
import pandas as pd
import pytest

from cs_helpers import roi, show
from cs_helpers.core.metrics import all_metrics
from cs_helpers.core.results import Suppressed

REFUSED = Suppressed("nobody was covered; give assignments")
HOSTILE = "<script>alert(1)</script>"
NAN = float("nan")
BOOK = roi.book_of(
    pd.DataFrame({"due_in": [1, 6, 20], "term": [12, 12, 24], "mrr_cents": 4_000_000, "accounts": 20}), 150_000.0, 80
)
KNOWN = roi.gather(
    [roi.fixed("margin", 0.8, "measured", "accounts"), roi.fixed("yearly_churn", 0.12, "measured", "GRR")],
    roi.cost_base(None, None, pd.Timestamp("2026-01-01"), "EUR", cost_per_month=8_000.0),
)
COSTS = roi.cost_base(None, None, pd.Timestamp("2026-01-01"), "EUR", cost_per_month=8_000.0)
EVEN = roi.break_even(BOOK, KNOWN, draws=200)


def rung(key="g_formula", value=4.3, low=1.9, high=6.8, status="shown", reason=""):
    return roi.Rung(key, 24, value, low, high, 1.2, status, reason, 1_981, 562)


def curves(gap=0.06):
    t = np.arange(25)
    natural = 1 - 0.01 * t
    columns = {"t": t, "natural": natural, "vanished": natural - gap * t / 24, "kaplan_meier": natural}
    for name in ("natural", "vanished"):
        columns |= {f"{name}_low": columns[name] - 0.02, f"{name}_high": columns[name] + 0.02}
    return pd.DataFrame(columns)


def effect(*rungs, gates=(), controls=(), naive=(), **change):
    """An effect as the analysis gives it: by default measured, 4.3 points, 1.9 to 6.8."""
    rungs = rungs or (rung(),)
    head = next((each for each in rungs if each.status == "shown" and each.key != "association"), None)
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
        "verdict": "measured" if head else "refused", "headline": head.key if head else "",
        "reason": "" if head and head.key == "g_formula" else "too few accounts left (45, at least 50 accounts needed)",
        "horizon": 24, "horizons": (24,), "months": 36, "accounts": 1_981, "churned": 562, "estimand": "No coverage.",
        "points": pd.DataFrame(rows, columns=names), "rungs": rungs, "naive": naive, "gates": gates,
        "controls": controls, "curves": curves() if head and head.key == "g_formula" else None,
    }  # fmt: skip
    return roi.VanishEffect(**{**full, **change})


def words(block):
    """What a reader of a block sees, without marks."""
    return unescape(re.sub(r"<[^>]*>", " ", block.html))


def test_break_even_says_how_much_is_enough_and_makes_no_claim():
    said = show.say_break_even(EVEN, COSTS, "EUR")
    row = EVEN.at(24)
    assert (
        f"within 24 months, customer success must keep {row['points']:.1f}\u202fpoints of the €120k" in said.conclusion
    )
    assert "cost of €96k a year" in said.conclusion
    assert f"That is €{row['points'] / 100 * 120:,.0f}k of MRR a month" in said.evidence
    assert f"churn would be {row['hazard_ratio']:.2f} times as high" in said.evidence
    assert "over 12 months and" in said.evidence and "over 36 months" in said.evidence
    assert "no claim that it does" in said.text
    assert show.say_break_even(REFUSED, COSTS, "EUR").text.endswith("Nobody was covered; give assignments.")


def test_break_even_out_of_reach_is_said_for_the_horizons_it_holds_for():
    def at_cost(amount):
        costs = roi.cost_base(None, None, pd.Timestamp("2026-01-01"), cost_per_month=amount)
        return roi.break_even(BOOK, roi.gather(KNOWN[:1] + KNOWN[3:4], costs), draws=200), costs

    some, costs = at_cost(45_000.0)
    assert list(some.table["reachable"]) == [False, True, True]
    text = show.say_break_even(some, costs, "EUR").text
    assert "within 24 months, customer success must keep" in text
    assert "Within 12 months nothing it could keep would pay its cost." in text
    assert "stays below zero" in show.alt_break_even(some, "EUR")
    assert "its margin would be" in words(show.break_even_table(some, "EUR"))
    never, costs = at_cost(1e6)
    text = show.say_break_even(never, costs, "EUR").text
    assert text.startswith("Customer success cannot earn back its cost of €12.0m a year within 36 months")
    assert "must keep" not in text
    assert not re.search(r"\b(nan|inf|None)\b", words(show.roi_tiles(never, costs, REFUSED, "EUR")))


def test_what_costs_nothing_needs_to_keep_nothing():
    free = roi.break_even(BOOK, roi.gather(
        [*KNOWN[:1], KNOWN[3], roi.fixed("people", 1.0), roi.fixed("severance_months", 60.0)]), draws=200)  # fmt: skip
    text = show.say_break_even(free, COSTS, "EUR").text
    assert text.startswith("Customer success needs to keep nothing to pay for itself. Vanishing would save nothing")


def test_the_note_on_break_even_tells_which_costs_count_as_saved():
    assert "all costs count as saved from the first month on" in show.note_break_even(EVEN, BOOK).lower()
    assert "67\u202f% of the exposed MRR decides within a year" in show.note_break_even(EVEN, BOOK)
    later = roi.break_even(BOOK, [*KNOWN[:9], roi.fixed("notice_months", 3.0), KNOWN[10]], draws=200)
    assert "notice, severance and work" in show.note_break_even(later, BOOK).lower()
    unknown = replace(BOOK, note="9 accounts have no recorded term")
    assert "9 accounts have no recorded term." in show.note_break_even(EVEN, unknown)


def test_tiles_carry_denominator_cost_and_the_effect_or_its_refusal():
    block = show.roi_tiles(EVEN, COSTS, effect(), "EUR")
    record = {each["key"]: each for each in block.data[show.MIME.format("headline")]["headline"]}
    assert list(record) == ["break_even_12", "break_even_24", "break_even_36", "success_cost", "vanish_effect"]
    assert record["break_even_24"]["denominator"] == 120_000
    assert record["break_even_24"]["numerator"] == pytest.approx(EVEN.at(24)["points"] / 100 * 120_000)
    assert record["success_cost"]["text"] == "€96k"
    assert (record["vanish_effect"]["low"], record["vanish_effect"]["high"]) == (1.9, 6.8)
    assert record["vanish_effect"]["text"] == "4.3\u202fpoints"
    assert '4.3<span class="cs-unit">\u202fpoints</span>' in block.html  # both on one line of a narrow tile
    assert "1.9 to 6.8\u202fpoints over 24 months, n = 1,981" in words(block)
    assert "the 60 accounts with a CSM pay (80\u202f% of all MRR)" in words(block)
    for none in (REFUSED, effect(rung(value=None, low=None, high=None, status="refused", reason="too few"))):
        tile = show.roi_tiles(EVEN, COSTS, none, "EUR").data[show.MIME.format("headline")]["headline"][-1]
        assert tile["value"] is None and tile["text"] == "–"
    lower = words(show.roi_tiles(EVEN, COSTS, effect(rung("vacancy")), "EUR"))
    assert "Vacancies: 1.9 to 6.8" in lower
    refused = words(show.roi_tiles(REFUSED, REFUSED, REFUSED, "EUR"))
    assert refused.count("Nobody was covered; give assignments.") == 5


def test_every_key_of_the_glossary_is_defined():
    assert set(show.ROI_METRICS) <= set(all_metrics())
    assert "Who counts" in show.glossary(*show.ROI_METRICS).html


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
    text = show.say_effect(effect(rung(value=value, low=low, high=high))).text
    assert said in text
    assert ("more accounts" in text or "fewer accounts" in text) == (low > 0 or high < 0)
    assert "target trial, 1,981 accounts, 562 left" in text and "Counted by MRR" in text


def test_a_refused_effect_gives_its_reason_and_no_number_that_looks_causal():
    none = effect(rung(value=None, low=None, high=None, status="refused", reason="too few"), rung("association"))
    said = show.say_effect(none)
    assert said.conclusion == "The effect of customer success cannot be measured in these data."
    assert said.evidence == "Too few accounts left (45, at least 50 accounts needed)."
    assert isinstance(show.curved(none), Suppressed)
    assert (
        show.gap_words(none) == show.alt_futures(none) == show.note_futures(none) == show.effect_table(none).html == ""
    )
    assert "No evidence on the effect can be given, only an association." in show.say_ladder(none).text
    assert "not given by segment" in show.say_segments(none).text
    assert "cannot be told" in show.say_robustness(none).text
    assert show.say_effect(REFUSED).text.endswith("Nobody was covered; give assignments.")


def test_a_headline_of_a_lower_rung_says_what_it_leaves_out_and_draws_no_curves():
    lower = effect(rung("vacancy"))
    text = show.say_effect(lower).text
    assert "vacancies, 1,981 accounts" in text and "what works through the health of accounts is not in it" in text
    assert "Counted by MRR" not in text
    assert isinstance(show.curved(lower), Suppressed)


def test_curves_and_their_table_speak_of_both_futures():
    found = effect()
    assert show.gap_words(found) == "+4.3\u202fpoints (1.9 to 6.8) after 24 months"
    assert "24 months: as it was 76\u202f% (74 to 78\u202f%), without 70\u202f% (68 to 72\u202f%)" in show.alt_futures(
        found
    )
    assert "at most 1.0\u202fpoint off what was seen" in show.note_futures(found)
    table = show.effect_table(found)
    assert table.html.count("<tr>") == 1 + 2 and "accounts that can be compared" not in table.html


def test_the_ladder_refutes_what_is_usually_quoted_and_counts_no_association_as_evidence():
    naive = (
        rung("ever_never", 14.4, 7.9, 20.9, "refuted", "An account must stay long enough to be covered at all."),
        rung("touch_count", None, None, None, "refused", "no touches"),
    )
    found = effect(rung(), rung("ltmle", 2.6, -1.8, 7.0), rung("association", 9.0, 8.0, 10.0), naive=naive)
    text = show.say_ladder(found).text
    assert "2 pieces of evidence lie between 2.6 and 4.3\u202fpoints." in text
    assert "Ever against never covered would say +14.4\u202fpoints. That is no effect: an account must stay" in text
    rows = show.ladder_rows(found)
    assert list(rows["status"]) == ["shown", "shown", "tied", "refuted", "refused"]
    assert rows["label"].iloc[0] == "Target trial" and rows["note"].iloc[2] == "no effect by itself"
    assert "+2.6\u202fpoints (−1.8 to 7.0)" in words(show.ladder_table(found))
    assert show.ladder_rows(REFUSED) is REFUSED and show.ladder_table(REFUSED).html == ""
    one = effect(rung("vacancy"))
    assert "One piece of evidence can be given: +4.3\u202fpoints (Vacancies)." in show.say_ladder(one).text


def test_a_reason_is_given_once_in_the_ladder():
    why = "too few accounts left"
    found = effect(*(rung(key, None, None, None, "refused", why) for key in ("g_formula", "ltmle")))
    assert list(show.ladder_rows(found)["why"]) == [why, "as target trial"]


def test_gates_show_figure_threshold_and_verdict_in_their_units():
    gates = (
        roi.gate("months", 35, 12, "at least", "months"),
        roi.gate("overlap", 0.31, 0.2, "at most", "share of MRR", "nothing to compare them with"),
        roi.gate("control:late_payment", 0.0004, 0.05, "at least", "p value", "a cause of both is missing"),
        roi.gate("controls", None, 0.05, "at least", "p value", "no outcome was named"),
        roi.gate("natural_12", 0.4, 1.0, "at most", "points"),
    )
    found = effect(gates=gates)
    said = show.say_gates(found)
    assert said.conclusion == "2 of 5 conditions for a measured effect are met."
    assert (
        "Not met: MRR of accounts that are practically always covered and negative control: late payment."
        in said.evidence
    )
    assert "Not looked at: negative controls." in said.evidence
    seen = words(show.gates_table(found))
    for part in (
        "35\u202fmonths",
        "31.0\u202f%",
        "at most 20.0\u202f%",
        "p < 0.001",
        "at least p = 0.05",
        "0.4\u202fpoints",
    ):
        assert part in seen, part
    held = effect(gates=gates[:1])
    assert show.say_gates(held).conclusion == "1 of 1 conditions for a measured effect are met." and "Why not" not in (
        show.gates_table(held).html
    )
    assert "3 accounts" not in seen and show.gates_table(REFUSED).text.startswith("Not shown.")


def control(p, key="late_payment", reason=""):
    estimate = None if p is None else -0.35
    return roi.Control(key, "outcome", estimate, p and 0.05, p, 900, 80, reason)


def test_negative_controls_raise_an_alarm_none_or_cannot_tell():
    assert (
        "Coverage goes with late payment, which it cannot have moved."
        in show.say_controls(effect(controls=(control(0.001),))).text
    )
    calm = show.say_controls(effect(controls=(control(0.6),))).text
    assert "No negative control raises an alarm (late payment)." in calm and "does not prove" in calm
    few = show.say_controls(effect(controls=(control(None, reason="3 events; 20 are needed"),))).text
    assert "3 events; 20 are needed." in few
    assert "No negative control was named" in show.say_controls(effect()).text
    assert "<script>" not in show.controls_table(effect(controls=(control(0.6, HOSTILE),))).html
    assert show.controls_table(effect()).html == "" and "nobody" in show.say_controls(REFUSED).text.lower()


def overlapping(share):
    rows = [("Enterprise", 98, 0.7, share / 0.7), (HOSTILE, 300, 0.3, 0.0)]
    return Stand(
        left_out_share=share, table=pd.DataFrame(rows, columns=["segment", "accounts", "mrr_share", "left_out_share"])
    )


def test_overlap_says_how_much_has_nobody_to_compare_with():
    text = show.say_overlap(effect(overlap=overlapping(0.049))).text
    assert "4.9\u202f% of the MRR is of accounts of a kind that was hardly ever without a CSM." in text
    assert "Enterprise: 7.0\u202f% of its MRR" in text
    assert "also seen without a CSM" in show.say_overlap(effect(overlap=overlapping(0.0))).text
    assert "cannot be told" in show.say_overlap(effect()).text
    table = show.overlap_table(effect(overlap=overlapping(0.049)))
    assert "<script>" not in table.html and "&lt;script&gt;" in table.html


def by_segment(*rows):
    names = ["segment", "accounts", "churned", "mrr", "points", "low", "high", "mrr_months", "mrr_months_low"]
    return pd.DataFrame(rows, columns=[*names, "mrr_months_high", "reason"])


def test_segments_are_clear_by_themselves_or_not():
    large = ("SMB", 767, 248, 1e5, 5.3, 3.6, 7.1, 188e3, 90e3, 280e3, "")
    small = ("Public", 9, 1, 1e3, NAN, NAN, NAN, NAN, NAN, NAN, "9 accounts followed, at least 30 needed")
    unclear = ("Enterprise", 366, 76, 9e5, 1.7, -3.7, 7.1, 150e3, -99e3, 400e3, "")
    found = effect(segments=by_segment(large, unclear, small))
    assert "The effect is clear by itself in SMB." in show.say_segments(found).text
    seen = words(show.segments_table(found, "EUR"))
    assert "€188k (€90k to €280k)" in seen and "9 accounts followed, at least 30 needed." in seen
    assert "nan" not in seen
    assert "In no segment is the effect clear" in show.say_segments(effect(segments=by_segment(unclear))).text
    assert "no segment is large enough" in show.say_segments(effect(segments=by_segment(small))).text.lower()
    assert show.segments_table(effect(segments=by_segment(small)), "EUR").html == ""


def test_robustness_holds_the_e_value_against_the_strongest_measured_attribute():
    found = effect(
        e_value=1.57, e_value_limit=1.34, yardstick=Stand(covariate="log_mrr", bias_factor=1.12),
        leave_one_out=(4.0, 5.1), csms=40,
    )  # fmt: skip
    text = show.say_robustness(found).text
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
    return roi.scenario(BOOK, roi.gather([*KNOWN[:1], KNOWN[3], roi.fixed("people", 8_000.0, "measured", "table costs"),
                        roi.read_input(f"{low}, {mode}, {high}", "relative_risk")]), draws=2_000)  # fmt: skip


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
    text = show.say_scenario(found, "EUR").text
    assert said in text and "no confidence interval" in text and "95\u202f% of draws between" in text
    row = found.at(24)
    assert f"{row['p_positive'] * 100:.0f}\u202f% of draws gain" in text


def test_scenario_table_chart_and_inputs_agree_with_the_draws():
    found = scenario(1.0, 1.6, 9.0)
    row = found.at(24)
    options = show.outcome_options(found, "EUR")
    assert (options["middle"], options["low"], options["high"]) == (row["roi"], row["roi_low"], row["roi_high"])
    assert options["unit"] == "return on cost over 24 months" and options["number"](0.5) == "50\u202f%"
    assert (show.outcome_bins(found)["tail_months"] == 0).all() and show.outcome_bins(found)[
        "share"
    ].sum() == pytest.approx(1)
    assert f"{row['p_positive'] * 100:.0f}\u202f% above zero" in show.alt_outcomes(found, "EUR")
    table = show.scenario_table(found, "EUR")
    assert table.html.count("<tr>") == 1 + 6 and "24 months, then a tail of 60" in table.html
    rows = show.tornado_rows(found, "EUR")
    assert rows["label"].iloc[0] == "Risk of leaving without it" and rows["low_input"].iloc[0] == "1.00×"
    assert rows.attrs["base"] == found.tornado.attrs["base"]
    assert "hangs on: risk of leaving without it" in show.say_tornado(found).text
    seen = words(show.inputs_table(KNOWN, "EUR"))
    assert "measured" in seen and "80\u202f%" in seen and "0\u202fmonths" in seen


def test_a_gain_that_comes_only_from_the_tail_is_called_so():
    found = scenario(1.2, 1.4, 1.6)
    assert found.at(24)["net"] < 0 < found.at(24, tail=True)["net"]
    assert "only with the tail" in words(show.scenario_table(found, "EUR"))
    assert "only with the tail" not in words(show.scenario_table(scenario(8, 9, 10), "EUR"))


def test_without_an_effect_there_is_no_scenario_only_the_reason():
    refused = roi.scenario(BOOK, KNOWN)
    said = show.say_scenario(refused, "EUR")
    assert said.conclusion == "No return is computed." and "Give relative_risk as low, mode, high" in said.evidence
    assert show.scenario_table(refused, "EUR").html == show.alt_outcomes(refused, "EUR") == ""
    assert show.outcome_options(refused, "EUR") == {} and isinstance(show.tornado_rows(refused, "EUR"), Suppressed)
    assert "cannot be told" in show.say_tornado(refused).text


def earned(low, net, high, cost=4.5e6, **change):
    base = {
        "horizon": 24, "mrr": 2e6, "accounts": 1_981, "mrr_months": 848e3, "mrr_months_interval": (-401e3, 2.17e6),
        "value": cost + net, "value_interval": (cost + low, cost + high), "cost": cost, "cost_interval": (cost, cost),
        "net": net, "net_interval": (low, high), "roi": net / cost if cost > 0 else None, "roi_interval": None,
        "p_positive": 0.4, "cost_per_retained": None, "cost_per_retained_interval": None, "points": 2.6,
        "points_interval": (-1.6, 6.8), "break_even_points": None, "covered_months": 9_000, "cost_share": 0.75,
    }  # fmt: skip
    return roi.Money(**{**base, **change})


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
    assert said in show.say_money(worth, "EUR").text
    seen = words(show.money_table(worth, "EUR"))
    assert "75\u202f% of all covered account-months" in seen and not re.search(r"\b(nan|None)\b", seen)
    assert show.say_money(REFUSED, "EUR").conclusion == "No money is derived from a measured effect."
    assert show.money_table(REFUSED, "EUR").html == ""


def test_whether_it_paid_is_the_measured_money_where_there_is_any_and_else_the_readers_own_inputs():
    worth = earned(1e5, 5e5, 9e5)
    assert show.say_return(worth, REFUSED, "EUR") == show.say_money(worth, "EUR")
    assert show.say_return(REFUSED, REFUSED, "EUR").conclusion == "No return is computed."


def test_money_without_a_cost_has_no_return():
    worth = earned(1.0, 2.0, 3.0, cost=0.0, reason="vanishing would have saved nothing")
    assert "would have saved nothing" in show.say_money(worth, "EUR").conclusion
    assert "Vanishing would have saved nothing." in words(show.money_table(worth, "EUR"))


def test_a_point_of_retention_is_priced_per_horizon_or_refused_with_the_reason():
    rows = roi.worth_of_a_point(BOOK, EVEN.assumptions)
    one = rows[rows["points"] == 1].set_index("horizon")["value"]
    text = show.say_point(rows, "EUR").text
    assert f"is worth {show.money(one[24], 'EUR', short=True)} of gross margin over 24 months" in text
    assert f"{show.money(one[12], 'EUR', short=True)} over 12" in text
    assert f"over 36 months {show.money(one[36], 'EUR', short=True)} for 1 and" in show.alt_point(rows, "EUR")
    assert show.point_table(rows, "EUR").html.count("<tr>") == 1 + 5
    none = roi.worth_of_a_point(BOOK, replace(EVEN.assumptions, yearly_churn=0.005))
    assert "Of a yearly churn of 0.5 % no 1 points can be won" in show.say_point(none, "EUR").text
    assert "nan" not in show.point_table(none, "EUR").html.lower()
    assert "0.5 %" in show.priced(none).reason and show.priced(rows) is rows and show.priced(REFUSED) is REFUSED
    assert show.say_point(REFUSED, "EUR").text.endswith("give assignments.") and show.alt_point(REFUSED, "EUR") == ""


def test_plans_gain_lose_or_stay_open_and_say_what_is_missing():
    known = roi.with_risk(KNOWN, [roi.read_input("1.0, 1.6, 9.0", "relative_risk")])
    plans = {"cut": roi.cut(BOOK, known, 0.2, draws=500), "tech_touch": Suppressed("tail_share is not given: give it")}
    assert "open: customer success cut" in show.say_plans(plans).text
    seen = words(show.plans_table(plans, "EUR"))
    assert "Not computed. Tech touch for small accounts: tail_share is not given: give it." in seen
    cheap = roi.with_risk(KNOWN, [roi.read_input("1.0, 1.01, 1.02", "relative_risk")])
    assert "gain: customer success cut" in show.say_plans({"cut": roi.cut(BOOK, cheap, 0.2, draws=500)}).text
    dear = roi.with_risk(KNOWN, [roi.read_input("8, 9, 10", "relative_risk")])
    assert "loss: customer success cut" in show.say_plans({"cut": roi.cut(BOOK, dear, 0.2, draws=500)}).text
    blind = roi.cut(BOOK, KNOWN, 0.2, draws=500)
    text = show.say_plans({"cut": blind}).text
    assert (
        f"customer success cut {blind.table['break_even_ratio'].iloc[1]:.2f} times" in text
        and "no gain is given" in text
    )
    assert "nan" not in words(show.plans_table({"cut": blind}, "EUR"))
    assert "No smaller plan can be computed." in show.say_plans({"cut": REFUSED}).text
    assert "nobody was covered" in show.plans_table({"cut": REFUSED}, "EUR").text


def test_word_of_mouth_gives_tellings_and_money_only_with_the_readers_chance():
    talk = roi.word_of_mouth(happy=92, unhappy=52)
    text = show.say_talk(talk, "EUR").text
    assert "About 52 unhappy accounts would tell at least 101 people." in text  # 52 x 0.13 x 15 = 101.4
    assert "92 happy ones would tell at least 397" in text  # 92 x 0.72 x 6 = 397.4
    assert "€" not in text and "give lost_sale_chance" in text
    priced = roi.word_of_mouth(
        92, 52, lost_sale_chance=roi.fixed("lost_sale_chance", 0.01), sale_value=roi.fixed("sale_value", 5_000.0)
    )
    assert "€5.1k" in show.say_talk(priced, "EUR").text  # 101.4 x 0.01 x 5,000
    assert "benchmark" in show.talk_table(talk).html and show.talk_table(REFUSED).html == ""
    assert "Nobody was covered" in show.say_talk(REFUSED, "EUR").text


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
    from cs_helpers.show.roi import input_words

    assert input_words(name, value, "EUR") == said


def test_costs_say_where_they_come_from_and_escape_what_people_wrote():
    costs = pd.DataFrame(
        {"month": pd.date_range("2025-01-01", periods=12, freq="MS"), "item": HOSTILE, "amount": 9_000.0}
    )
    found = roi.cost_base(costs, None, pd.Timestamp("2026-01-01"), "EUR")
    text = show.say_cost(found, "EUR").text
    assert "Customer success costs €108k a year. Mean of 12 months in the table of costs" in text
    assert "<script>" not in show.costs_table(found, "EUR").html
    assert "Given as a parameter" in show.say_cost(COSTS, "EUR").text
    assert show.costs_table(COSTS, "EUR").html == "" and "not known" in show.say_cost(REFUSED, "EUR").text


def test_the_scope_says_what_coverage_data_cannot_say():
    assert "withdrawing assigned people" in show.scope().text
    assert "never seen, and nothing here says it" in show.scope().text
