"""Sentences of the churn report: rise, fall, no clear change, too little data; never more than their intervals."""

import numpy as np
import pandas as pd
import pytest
from rolled import rolled

from cs_helpers import retention, show
from cs_helpers.core import stats
from cs_helpers.core.estimates import Change, Comparison, Estimate, Target
from cs_helpers.core.results import Suppressed

AS_OF = pd.Timestamp("2026-01-01")
REFUSED = Suppressed("3 accounts; 20 are needed")
HOSTILE = "<script>alert(1)</script>"


def comparison(now, before, n=200, target=None, key="grr"):
    estimates = [Estimate(key, share, share * n, n, n, *stats.wilson_interval(share * n, n)) for share in (now, before)]
    return Comparison(*estimates, stats.compare(*estimates), "2025", "2024", target=target)


@pytest.mark.parametrize(
    ("now", "before", "said", "not_said"),
    [
        (0.95, 0.80, "rose from 80.0", "fell"),
        (0.70, 0.90, "fell from 90.0", "rose"),
        (0.85, 0.86, "no clear change from 86.0", "fell"),
    ],
)
def test_a_rate_rises_falls_or_does_neither_clearly(now, before, said, not_said):
    text = show.say_change(comparison(now, before)).text
    assert said in text and not_said not in text


def test_a_rate_of_too_few_accounts_is_not_said_to_move():
    text = show.say_change(comparison(0.5, 1.0, n=10)).text
    assert "cannot be told" in text and "10 accounts" in text


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("met", "is met"), ("missed", "is missed"), ("no clear verdict", "lies inside the interval, so it is neither")],
)
def test_a_target_is_named_with_its_verdict(verdict, said):
    aim = Target(0.92, verdict, "2025", "Customer Success")
    text = show.say_change(comparison(0.85, 0.86, target=aim)).text
    assert f"target of 92.0\u202f% {said}" in text
    tile = show.tiles([comparison(0.85, 0.86, target=aim)], "EUR")
    shown = "cannot be told" if verdict == "no clear verdict" else verdict
    assert f"Target 92.0\u202f%: {shown}" in tile.html
    assert tile.data[show.MIME.format("headline")]["headline"][0]["target"] == 0.92


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
    return retention.by_group(panel, pd.Series(groups, name="segment"), AS_OF)


def test_groups_that_differ_are_named_and_those_that_do_not_are_not():
    apart = show.say_groups(grouped({"SMB": 30, "ENT": 3}))
    assert "segment SMB keeps less revenue than the others: GRR 50.0" in apart.text
    better = show.say_groups(grouped({"SMB": 30, "MID": 28, "ENT": 1}))
    assert "segment" in better.text
    alike = show.say_groups(grouped({"SMB": 5, "ENT": 4}))
    assert "No segment keeps clearly more or less" in alike.text
    assert "SMB keeps" not in alike.text
    assert show.say_groups(REFUSED).text.endswith("3 accounts; 20 are needed.")


def test_group_tables_show_every_interval_and_escape_names():
    found = grouped({HOSTILE: 30, "ENT": 3})
    block = show.groups_table(found, "EUR")
    assert "<script>" not in block.html and "&lt;script&gt;" in block.html
    low, high = found.table.loc["ENT", ["grr_low", "grr_high"]]
    assert f"{low * 100:.1f} to {high * 100:.1f}" in block.html
    assert "60 accounts" in show.alt_groups(found)
    assert "under 20 accounts" in show.note_groups(found)
    assert show.groups_table(REFUSED, "EUR").html == "" == show.alt_groups(REFUSED) == show.note_groups(REFUSED)


def test_years_say_what_was_started_and_ended_with():
    panel = rolled(
        "account_month",
        subscriptions(
            ("A", "2023-01-01", None, 100), ("B", "2023-01-01", "2025-03-01", 50), ("C", "2025-02-01", None, 9)
        ),
        start="2025-01-01", end=AS_OF, dense=True,
    )  # fmt: skip
    frame = retention.years(panel, AS_OF)
    text = show.say_years(frame).text
    assert "January 2025 to December 2025: started with 2 accounts, ended with 2." in text
    assert "1 of those at the start still paid at the end, 1 did not, and 1 that were not paying" in text
    assert "€150" in show.years_table(frame, "EUR").html
    nobody = frame.assign(started=0)
    assert "No account was paying" in show.say_years(nobody).text


@pytest.mark.parametrize(
    ("value", "said"),
    [(2.0, "more than was lost"), (0.5, "less than was lost"), (1.0, "Gained was what was lost")],
)
def test_the_quick_ratio_says_which_side_is_larger(value, said):
    assert said in show.say_quick_ratio(Estimate("quick_ratio", value, value, 1.0, 0)).text


def test_a_ratio_without_any_loss_says_so():
    none = Estimate("quick_ratio", None, 5.0, 0.0, 0, reason="nothing was lost in this window")
    assert show.say_quick_ratio(none).text == "There is no quick ratio. Nothing was lost in this window."
    rate = Estimate("repeat_purchase_rate", None, None, None, 0, reason="nobody bought anything in this window")
    assert "Nobody bought anything" in show.say_purchases(rate, "2025").text


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
    outlook = retention.renewal_outlook(renewals(), AS_OF)
    text = show.say_outlook(outlook, "EUR").text
    assert "€4.0k of MRR comes up for renewal in the next 12 months" in text
    assert f"{show.money(outlook.total['low'], 'EUR', short=True)} to" in text
    assert "if renewals go on as in the last twelve months" in text
    table = show.outlook_table(outlook, "EUR")
    assert table.html.count("<tr>") == 1 + 4 + 1
    assert "nan" not in table.html.lower() and "inf" not in table.html.lower()
    assert "As in the worst quarter" in table.html
    assert "contract term" not in show.note_outlook(outlook, "EUR")
    derived = retention.renewal_outlook(renewals().assign(recorded=False), AS_OF)
    assert "due by contract term" in show.note_outlook(derived, "EUR")


def test_an_outlook_without_scenarios_says_why():
    few = renewals(n=300)
    few = few[(few["due_date"] >= AS_OF - pd.Timedelta(days=80))].reset_index(drop=True)
    outlook = retention.renewal_outlook(few, AS_OF)
    assert "Fewer than four past quarters" in show.note_outlook(outlook, "EUR")
    assert "nan" not in show.outlook_table(outlook, "EUR").html.lower()


def test_scores_say_by_how_much_and_which_way_a_forecast_was_off():
    book = renewals(n=600)
    worse = book.assign(renewed_mrr=book["renewed_mrr"].mask(book["due_date"].between("2025-10-01", "2025-12-31"), 0.0))
    text = show.say_score(retention.score_forecasts(worse, AS_OF)).text
    assert "too high, outside its range" in text
    assert "3 of 4 ranges held" in text
    fine = retention.score_forecasts(book, AS_OF)
    assert "inside its range" in show.say_score(fine).text
    assert show.score_table(fine, "EUR").html.count("<tr>") == 5
    for refused in (show.say_outlook(REFUSED, "EUR"), show.say_score(REFUSED)):
        assert refused.text.endswith("3 accounts; 20 are needed.")


def test_a_change_of_a_plain_sum_needs_no_interval():
    item = Comparison(
        Estimate("mrr", 120.0, 120.0, None, 9),
        Estimate("mrr", 100.0, 100.0, None, 8),
        Change("rise", 20.0),
        "now",
        "then",
    )
    assert "up 20.0" in show.say_change(item, "EUR").text
