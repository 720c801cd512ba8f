"""Sentences about retention: rise, fall, no clear change, too little data; never more than their intervals."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rolled import rolled

from cs_helpers import retention
from cs_helpers.core import stats
from cs_helpers.core.estimates import Change, Comparison, Estimate, Target
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import tiles
from cs_helpers.report.views import begin_page, render, view_of
from cs_helpers.report.words import MIME, money
from cs_helpers.retention.comparison import Summary, Trend, TrendLine
from cs_helpers.retention.groups import retention_by_group
from cs_helpers.retention.mrr import Movements
from cs_helpers.retention.other_definitions import Reconciliation
from cs_helpers.retention.outlook import outlook_of_renewals, score_forecasts
from cs_helpers.retention.renewal_rates import renewals_compared
from cs_helpers.retention.views import revenue
from cs_helpers.retention.windows import year_by_year

AS_OF = pd.Timestamp("2026-01-01")
REFUSED = Suppressed("3 accounts; 20 are needed")
HOSTILE = "<script>alert(1)</script>"


def comparison(now, before, n=200, target=None, key="grr"):
    estimates = [Estimate(key, share, share * n, n, n, *stats.wilson_interval(share * n, n)) for share in (now, before)]
    return Comparison(*estimates, stats.compare(*estimates), "2025", "2024", target=target)


MONTHS = pd.DataFrame(
    {
        "starting": [500.0, 600.0], "new": [100.0, 80.0], "expansion": [0.0, 40.0], "reactivation": [80.0, 0.0],
        "contraction": [50.0, 0.0], "churn": [30.0, 230.0], "ending": [600.0, 490.0],
    },
    index=pd.to_datetime(["2025-01-01", "2025-02-01"]).rename("month"),
)  # fmt: skip
YEARS = pd.DataFrame(
    [("2025", 5, 4, 1, 5, 500.0, 370.0, 120.0, 490.0)],
    columns=["window", "started", "kept", "won", "ended", "started_mrr", "kept_mrr", "won_mrr", "ended_mrr"],
)


def movements(**parts):
    """Movements of two months, with what a test changes."""
    ratio = Estimate("quick_ratio", 0.97, 300.0, 310.0, 0)
    again = Estimate("repeat_purchase_rate", 0.5, 2, 4, 4, 0.15, 0.85)
    return replace(Movements(MONTHS, "2025", YEARS, ratio, again, "EUR"), **parts)


def share(key, kept, n):
    return Estimate(key, kept / n, kept, n, n, *stats.wilson_interval(kept, n))


def compared(now, before):
    return Comparison(now, before, stats.compare(now, before), "July 2025 to June 2026", "July 2024 to June 2025")


def change(item, currency=""):
    return revenue.change_headline(item, currency, "place")


def words(text):
    return str(text).replace("\u202f", " ")


def triangle(as_of="2026-01-01", value="logo"):
    """One cohort of eight accounts, half of which leave after five months."""
    rows = [(f"A{i}", "2025-01-10", None if i % 2 else "2025-06-10", 10.0) for i in range(8)]
    rolled_up = rolled("cohorts", subscriptions(*rows), observed_from="2025-01-01", as_of=as_of)
    return retention.cohort_triangle(rolled_up, value)


@pytest.mark.parametrize(
    ("now", "before", "said", "not_said"),
    [
        (0.95, 0.80, "rose from 80.0", "fell"),
        (0.70, 0.90, "fell from 90.0", "rose"),
        (0.85, 0.86, "no clear change from 86.0", "fell"),
    ],
)
def test_a_rate_rises_falls_or_does_neither_clearly(now, before, said, not_said):
    text = change(comparison(now, before)).text
    assert said in text and not_said not in text


def test_a_rate_of_too_few_accounts_is_not_said_to_move():
    text = change(comparison(0.5, 1.0, n=10)).text
    assert "cannot be told" in text and "10 accounts" in text


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("met", "is met"), ("missed", "is missed"), ("no clear verdict", "lies inside the interval, so it is neither")],
)
def test_a_target_is_named_with_its_verdict(verdict, said):
    aim = Target(0.92, verdict, "2025", "Customer Success")
    text = change(comparison(0.85, 0.86, target=aim)).text
    assert f"target of 92.0\u202f% {said}" in text
    tile = tiles([comparison(0.85, 0.86, target=aim)], "EUR")
    shown = "cannot be told" if verdict == "no clear verdict" else verdict
    assert f"Target 92.0\u202f%: {shown}" in tile.html
    assert tile.data[MIME.format("headline")]["headline"][0]["target"] == 0.92


def subscriptions(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr"])
    dates = {c: pd.to_datetime(table[c]).astype("datetime64[us]") for c in ("start_date", "end_date")}
    return table.assign(mrr=table["mrr"].astype(float), **dates)


def grouped(leaving, n=60):
    rows, groups = [], {}
    for group, gone in leaving.items():
        for k in range(n):
            rows.append((f"{group}{k}", "2023-05-01", "2025-06-15" if k < gone else None, 100))
            groups[f"{group}{k}"] = group
    panel = rolled("account_month", subscriptions(*rows), start="2024-01-01", end=AS_OF, dense=True)
    return retention_by_group(panel, pd.Series(groups, name="segment"), AS_OF, currency="EUR")


def test_groups_that_differ_are_named_and_those_that_do_not_are_not():
    apart = grouped({"SMB": 30, "ENT": 3}).headline
    assert "segment SMB keeps less revenue than the others: GRR 50.0" in apart
    better = grouped({"SMB": 30, "MID": 28, "ENT": 1}).headline
    assert "segment" in better
    alike = grouped({"SMB": 5, "ENT": 4}).headline
    assert "No segment keeps clearly more or less" in alike
    assert "SMB keeps" not in alike


def test_group_tables_show_every_interval_and_escape_names():
    found = grouped({HOSTILE: 30, "ENT": 3})
    block, view = render(found), view_of(found)
    assert "<script>" not in block.html and "&lt;script&gt;" in block.html
    low, high = found.rows.loc["ENT", ["grr_low", "grr_high"]]
    assert f"{low * 100:.1f} to {high * 100:.1f}" in block.html
    assert "60 accounts" in view.alt_text(found)
    assert "under 20 accounts" in view.note(found)


def test_years_say_what_was_started_and_ended_with():
    panel = rolled(
        "account_month",
        subscriptions(
            ("A", "2023-01-01", None, 100), ("B", "2023-01-01", "2025-03-01", 50), ("C", "2025-02-01", None, 9)
        ),
        start="2025-01-01", end=AS_OF, dense=True,
    )  # fmt: skip
    frame = year_by_year(panel, AS_OF)
    block = render(movements(years=frame))
    text = block.text
    assert "January 2025 to December 2025: started with 2 accounts, ended with 2." in text
    assert "1 of those at the start still paid at the end, 1 did not, and 1 that were not paying" in text
    assert "€150" in block.html
    nobody = frame.assign(started=0)
    assert "No account was paying" in render(movements(years=nobody)).text


@pytest.mark.parametrize(
    ("value", "said"),
    [(2.0, "more than was lost"), (0.5, "less than was lost"), (1.0, "Gained was what was lost")],
)
def test_the_quick_ratio_says_which_side_is_larger(value, said):
    assert said in render(movements(quick_ratio=Estimate("quick_ratio", value, value, 1.0, 0))).text


def test_a_ratio_without_any_loss_says_so():
    none = Estimate("quick_ratio", None, 5.0, 0.0, 0, reason="nothing was lost in this window")
    rate = Estimate("repeat_purchase_rate", None, None, None, 0, reason="nobody bought anything in this window")
    text = render(movements(quick_ratio=none, repeat_purchases=rate)).text
    assert "There is no quick ratio. Nothing was lost in this window." in text
    assert "The repeat purchase rate cannot be given. Nobody bought anything in this window." in text


def renewals(rate=0.85, n=240, coming=40, seed=1):
    rng = np.random.default_rng(seed)
    due = AS_OF - pd.to_timedelta(rng.integers(1, 700, n), unit="D")
    past = pd.DataFrame({"due_date": due, "target_mrr": 100.0, "renewed_mrr": 100.0 * (rng.random(n) < rate)})
    ahead = pd.DataFrame(
        {"due_date": AS_OF + pd.to_timedelta(rng.integers(0, 360, coming), unit="D"), "target_mrr": 100.0}
    )
    both = pd.concat([past.assign(decided_date=due), ahead.assign(renewed_mrr=np.nan)], ignore_index=True)
    return both.assign(account_id=[f"{k}" for k in range(len(both))], recorded=True)


def test_the_outlook_says_due_expected_range_and_what_it_rests_on():
    outlook = outlook_of_renewals(renewals(), AS_OF, currency="EUR")
    text = outlook.headline
    assert "€4.0k of MRR comes up for renewal in the next 12 months" in text
    assert f"{money(outlook.total['low'], 'EUR', short=True)} to" in text
    assert "if renewals go on as in the last twelve months" in text
    table = view_of(outlook).page_table(outlook)
    assert table.html.count("<tr>") == 1 + 4 + 1
    assert "nan" not in table.html.lower() and "inf" not in table.html.lower()
    assert "As in the worst quarter" in table.html
    assert "contract term" not in view_of(outlook).note(outlook)
    derived = outlook_of_renewals(renewals().assign(recorded=False), AS_OF, currency="EUR")
    assert "due by contract term" in view_of(derived).note(derived)


def test_an_outlook_without_scenarios_says_why():
    few = renewals(n=300)
    few = few[(few["due_date"] >= AS_OF - pd.Timedelta(days=80))].reset_index(drop=True)
    outlook = outlook_of_renewals(few, AS_OF, currency="EUR")
    assert "Fewer than four past quarters" in view_of(outlook).note(outlook)
    assert "nan" not in view_of(outlook).page_table(outlook).html.lower()


def test_scores_say_by_how_much_and_which_way_a_forecast_was_off():
    book = renewals(n=600)
    worse = book.assign(renewed_mrr=book["renewed_mrr"].mask(book["due_date"].between("2025-10-01", "2025-12-31"), 0.0))
    text = score_forecasts(worse, AS_OF, currency="EUR").headline
    assert "too high, outside its range" in text
    assert "3 of 4 ranges held" in text
    fine = score_forecasts(book, AS_OF, currency="EUR")
    assert "inside its range" in fine.headline
    assert view_of(fine).page_table(fine).html.count("<tr>") == 5


def test_the_score_stands_below_the_outlook_or_the_reason_why_there_is_none():
    outlook = outlook_of_renewals(renewals(), AS_OF, currency="EUR")
    score = Suppressed(REFUSED.reason, "", "Past forecasts cannot be scored.", "forecast-score")
    begin_page()
    block = render(replace(outlook, score=score))
    assert "Past forecasts cannot be scored. 3 accounts; 20 are needed." in block.text
    assert 'id="forecast-score"' in block.html


def test_a_change_of_a_plain_sum_needs_no_interval():
    item = Comparison(
        Estimate("mrr", 120.0, 120.0, None, 9),
        Estimate("mrr", 100.0, 100.0, None, 8),
        Change("rise", 20.0),
        "now",
        "then",
    )
    assert "up 20.0" in change(item, "EUR").text


def test_a_rise_is_called_a_rise_with_its_interval():
    got = change(compared(share("logo_retention", 190, 200), share("logo_retention", 160, 200)))
    assert words(got).startswith(
        "Logo retention rose from 80.0 % to 95.0 %. A difference of +15.0 points, 95 % interval"
    )
    assert got.size == pytest.approx(0.15)


def test_a_fall_is_called_a_fall():
    got = change(compared(share("logo_retention", 160, 200), share("logo_retention", 190, 200)))
    assert "Logo retention fell from 95.0 % to 80.0 %. A difference of −15.0 points" in words(got)


def test_what_may_be_chance_is_no_clear_change():
    got = change(compared(share("logo_retention", 178, 200), share("logo_retention", 180, 200)))
    assert "Logo retention is 89.0 %, no clear change from 90.0 %." in words(got)
    assert "rose" not in words(got)
    assert "fell" not in words(got)
    assert got.size == 0


def test_too_few_accounts_are_not_compared():
    got = change(compared(share("logo_retention", 5, 12), share("logo_retention", 180, 200)))
    assert "Whether it changed cannot be told: 12 accounts, at least 20 are needed." in words(got)


def test_no_earlier_window_is_said():
    nothing = Estimate("grr", None, None, None, 0, reason="the data begin in July 2025")
    got = change(compared(share("grr", 180, 200), nothing))
    assert words(got).endswith("Whether it changed cannot be told: the data begin in July 2025.")


def test_a_number_that_cannot_be_given_says_why():
    nothing = Estimate("grr", None, None, None, 0, reason="the data begin in July 2025")
    assert words(change(compared(nothing, nothing))) == (
        "Gross revenue retention (GRR) cannot be given: the data begin in July 2025."
    )


def test_movements_are_said_as_a_plain_sum():
    assert words(movements().headline) == (
        "MRR shrank by €10 to €490 over 2025. €300 were gained (€180 from new accounts) and €310 lost (€260 to churn)."
    )


def test_movements_without_net_change_say_so():
    calm = MONTHS * 0
    calm[["starting", "ending"]] = 500.0
    assert words(movements(by_month=calm).headline).startswith("MRR stayed at €500 over 2025.")


def test_cohorts_too_young_to_tell_say_so():
    young = triangle("2025-08-01")
    assert words(young.headline) == (
        "Cohorts say nothing yet about 12 months. No cohort has reached 12 months inside the data."
    )


def test_reconciliation_names_the_definition_in_use():
    frame = pd.DataFrame(
        [
            ("grr", "point to point, opening cohort", True, 0.72, 360.0, 500.0, ""),
            ("quick_ratio", "with reactivation", True, float("nan"), 300.0, 0.0, ""),
        ],
        columns=["metric", "definition", "used", "value", "numerator", "denominator", "why"],
    )
    result = Reconciliation(frame, "2025", "EUR")
    text = words(re.sub(r"<[^>]+>", "|", view_of(result).page_table(result).html))
    assert "point to point, opening cohort (used here)" in text
    assert "72.0 %" in text
    assert "€360 / €500" in text
    assert "nan" not in text


def test_chart_is_drawn_for_desk_and_phone_with_a_text_alternative_and_no_foreign_address():
    block = render(triangle())
    assert block.html.count("<svg") == 2
    assert 'role="img" aria-label="Share of each start cohort' in block.html
    assert "50\u202f% at 6 months" in block.html
    assert "http" not in block.html


def test_cohorts_by_revenue_stand_below_those_by_logo_under_an_anchor_of_their_own():
    begin_page()
    html = render(replace(triangle(), by_revenue=triangle(value="revenue"))).html
    assert 'id="cohorts"' in html and 'id="cohorts-revenue"' in html
    assert html.count("<figure") == 2


def line(values, target=0.95):
    values = np.array(values, float)
    months = tuple(pd.date_range("2025-01-01", periods=len(values), freq="MS"))
    return TrendLine("grr", "GRR", months, tuple(values), tuple(values - 0.02), tuple(values + 0.02), target)


def trend(*lines, events=()):
    return Trend(lines, compared(share("grr", 180, 200), share("grr", 186, 200)), 12, events)


def test_the_words_of_a_trend_give_its_course_with_intervals_turns_target_and_events():
    events = ((pd.Timestamp("2025-02-01"), "price change"), (pd.Timestamp("2031-01-01"), "later"))
    result = trend(line([0.91, 0.95, np.nan, 0.88]), events=events)
    assert words(view_of(result).alt_text(result)) == (
        "Lines with their 95 % bands. GRR went from 91.0 % (89.0 to 93.0 %) at January 2025 to 88.0 % (86.0 to 90.0 %) "
        "at April 2025, down 3.0 points, highest 95.0 % at February 2025, without a value in 1 month; its last band "
        "lies wholly below the target of 95.0 %. Marked: price change (February 2025)."
    )


@pytest.mark.parametrize(
    ("values", "told"), [([0.9], "GRR: 90.0 %"), ([np.nan], "no value yet"), ([0.9, 0.9], "level")]
)
def test_the_words_of_a_trend_do_not_make_up_a_course(values, told):
    result = trend(line(values))
    assert told in words(view_of(result).alt_text(result))


def test_the_words_of_a_trend_without_lines_say_so():
    assert view_of(trend()).alt_text(trend()) == "Nothing to show."
    assert view_of(trend()).page_table(trend()) is None


def test_hostile_names_of_events_are_inert():
    result = trend(line([0.9, 0.91]), events=((pd.Timestamp("2025-02-01"), HOSTILE),))
    assert "<script" not in render(result).html


def test_a_summary_has_tiles_and_a_table_of_the_same_figures():
    item = compared(share("grr", 180, 200), share("grr", 186, 200))
    result = Summary((item,), "EUR")
    assert view_of(result).tiles(result).comparisons == (item,)
    assert result.table.loc[0, ["metric", "value", "before", "n"]].tolist() == ["grr", 0.9, 0.93, 200]
    assert "€180 / €200" in render(result).html


def test_renewal_rates_name_open_renewals_and_due_dates_from_contract_terms():
    rates = renewals_compared(renewals().assign(recorded=False), AS_OF, currency="EUR")
    block = render(rates)
    assert "No renewal due in that window is still open. The source has no table of renewals" in block.text
    undecided = renewals()
    undecided.loc[undecided.index[:1], ["renewed_mrr", "due_date"]] = [np.nan, pd.Timestamp("2025-06-01")]
    assert (
        "1 renewal of €100 MRR due in that window is still open"
        in render(renewals_compared(undecided, AS_OF, currency="EUR")).text
    )


def test_the_table_of_movements_has_one_row_per_month_and_the_page_the_years():
    assert movements().table["churn"].tolist() == [30, 230]
    assert "Started the year with X, ended with Y" in render(movements()).html
