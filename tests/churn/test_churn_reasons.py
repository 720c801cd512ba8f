"""Reasons: recorded against stated, in our hands or not, unknown; literal departures."""

import numpy as np
import pandas as pd
import pytest
from pytest import approx
from rolled import rolled

from cs_helpers.churn.churn_reasons import departures, reason_shares, recorded_reasons
from cs_helpers.core.results import Suppressed

START, END = pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01")


def book(n=12, gone="2025-06-15", mrr=100.0):
    table = pd.DataFrame(
        {"account_id": [f"A{k:02d}" for k in range(n)], "start_date": pd.Timestamp("2024-01-01"), "mrr": mrr}
    )
    table["end_date"] = pd.Timestamp(gone) if gone else pd.NaT
    table["end_date"] = table["end_date"].astype("datetime64[us]")
    anchor = table.iloc[:1].assign(account_id="stays", end_date=pd.NaT, mrr=1000.0)
    return pd.concat([table, anchor], ignore_index=True)


def panel(table):
    return rolled("account_month", table, start=START, end=END, dense=True)


def exits(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "sent_at", "answered_at", "reason", "competitor"])
    dates = {c: pd.to_datetime(table[c]) for c in ("sent_at", "answered_at")}
    return table.assign(kind="exit", **dates)


def recorded(*reasons):
    return pd.Series(list(reasons), index=[f"A{k:02d}" for k in range(len(reasons))], name="recorded", dtype="object")


def test_stated_wins_over_recorded_and_neither_is_unknown():
    surveys = exits(
        ("A00", "2025-06-16", "2025-06-20", "Price ", "Rival"),
        ("A01", "2025-06-16", None, None, None),
        ("stays", "2025-06-16", "2025-06-17", "price", None),
    )
    left = departures(panel(book(3)), START, END, recorded("missing features", "price"), surveys)
    rows = left.table.set_index("account_id")
    assert rows["best"].to_dict() == {"A00": "price", "A01": "price", "A02": "unknown"}
    assert rows.loc["A00", ["recorded", "stated", "competitor"]].tolist() == ["missing features", "price", "Rival"]
    assert rows["mrr"].tolist() == [100, 100, 100]
    assert (left.asked, left.answered) == (2, 1)


def test_an_exit_answer_far_from_the_departure_belongs_to_another_time():
    near = exits(("A00", "2025-09-20", "2025-09-22", "price", None))
    far = exits(("A00", "2024-09-20", "2024-09-22", "price", None))
    assert departures(panel(book(1)), START, END, None, near).table["best"].tolist() == ["price"]
    assert departures(panel(book(1)), START, END, None, far).table["best"].tolist() == ["unknown"]


def test_of_two_exit_surveys_the_answered_one_counts():
    both = exits(("A00", "2025-06-16", None, None, None), ("A00", "2025-07-16", "2025-07-20", "price", None))
    left = departures(panel(book(1)), START, END, None, both)
    assert left.table["stated"].tolist() == ["price"]
    assert (left.asked, left.answered) == (1, 1)


def test_shares_are_of_the_known_revenue_and_the_unknown_has_its_own():
    table = book(14)
    table.loc[table["account_id"] == "A00", "mrr"] = 800.0
    named = recorded(*["price"] * 2, *["competitor"] * 8, "bankrupt", "bankrupt")
    found = reason_shares(departures(panel(table), START, END, named))
    assert (found.departures, found.known, found.mrr) == (14, 12, 800 + 13 * 100)
    shares = found.by_reason["share"].drop("unknown").to_dict()
    assert shares == approx({"price": 900 / 1900, "competitor": 800 / 1900, "bankrupt": 200 / 1900})
    assert list(found.by_reason.index) == ["price", "competitor", "bankrupt", "unknown"]
    assert (found.by_reason["low"].dropna() <= found.by_reason["share"].dropna()).all()
    assert found.unknown_share == approx(2 / 14)
    assert found.unknown_mrr_share == approx(200 / 2100)
    assert found.controllable_share == approx(1700 / 1900)
    assert found.by_reason["controllable"].to_dict() == {
        "price": True, "competitor": True, "bankrupt": False, "unknown": None
    }  # fmt: skip


def test_which_reasons_are_outside_our_hands_can_be_said():
    named = recorded(*["price"] * 10, "moved abroad", "bankrupt")
    left = departures(panel(book(12)), START, END, named)
    assert reason_shares(left, outside=["Price"]).controllable_share == approx(2 / 12)
    assert reason_shares(left).controllable_share == approx(10 / 12)


def test_agreement_counts_only_departures_with_both():
    surveys = exits(*[(f"A{k:02d}", "2025-06-16", "2025-06-18", "price", None) for k in range(6)])
    named = recorded(*["price"] * 4, *["competitor"] * 8)
    found = reason_shares(departures(panel(book(12)), START, END, named, surveys))
    assert (found.both, found.agree) == (6, 4)
    assert found.agree_interval[0] < 4 / 6 < found.agree_interval[1]


def test_reasons_by_group_show_only_groups_with_ten_known_departures():
    named = recorded(*["price"] * 6, *["competitor"] * 9)
    groups = pd.Series({f"A{k:02d}": "SMB" if k < 12 else "ENT" for k in range(15)}, name="segment")
    found = reason_shares(departures(panel(book(15)), START, END, named, groups=groups))
    assert list(found.by_group.columns) == ["SMB"]
    assert found.by_group["SMB"].to_dict() == approx({"price": 6 / 12, "competitor": 6 / 12})


def test_competitors_are_counted():
    surveys = exits(*[(f"A{k:02d}", "2025-06-16", "2025-06-18", "competitor", name) for k, name in enumerate("BAB")])
    named = recorded(*["price"] * 12)
    found = reason_shares(departures(panel(book(12)), START, END, named, surveys))
    assert found.competitors.to_dict() == {"B": 2, "A": 1}


@pytest.mark.parametrize(
    ("table", "named", "said"),
    [
        (book(12, gone=None), recorded(), "nobody left in this window"),
        (book(12), recorded(), "12 accounts left, and the reason is known of 0"),
        (book(1), recorded("price"), "1 account left, and its reason is known of 1"),
        (book(12), recorded(*[" "] * 12), "known of 0"),
    ],
)
def test_nobody_left_or_hardly_any_reason_known_is_refused_in_words(table, named, said):
    accounts = pd.DataFrame({"account_id": named.index, "churn_reason": named.to_numpy()})
    found = reason_shares(departures(panel(table), START, END, recorded_reasons(accounts)))
    assert isinstance(found, Suppressed)
    assert said in found.reason


def test_recorded_reasons_are_found_by_name_in_one_spelling():
    accounts = pd.DataFrame(
        {
            "account_id": ["A", "B", "C"],
            "Churn Reason": ["  Too   expensive", "", None],
            "other_reason": ["x", "y", "z"],
        }
    )
    assert recorded_reasons(accounts).to_dict() == {"A": "too expensive"}
    assert recorded_reasons(accounts, "other_reason").to_dict() == {"A": "x", "B": "y", "C": "z"}
    assert recorded_reasons(accounts[["account_id"]]).empty


def test_sample_reasons_agree_as_often_as_was_planted():
    from pathlib import Path

    import cs_helpers as cs

    tables = cs.load(Path(__file__).resolve().parents[2] / "data" / "sample")
    rows = tables.rollup("account_month", start=tables.observed_from, end=tables.as_of, dense=True)
    left = departures(rows, tables.observed_from, tables.as_of, recorded_reasons(tables.accounts), tables.surveys)
    found = reason_shares(left)
    # Stated truly in 85 %, recorded truly in 60 %, otherwise both say price, which is the truth for about a quarter:
    # they agree where both are true, or both fall back on price; so between .6 x .85 and .6 x .85 + .4 + .15.
    low, high = found.agree_interval
    assert low < 0.85 * 0.6 + 0.15 * 0.4 + 0.25 * (0.85 * 0.4 + 0.15 * 0.6) < high
    assert found.asked > found.answered > 0
    assert np.isclose(found.by_reason["share"].sum(), 1)
