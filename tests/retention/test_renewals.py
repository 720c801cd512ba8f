"""Renewals due by contract, the outlook on the next quarters, and past forecasts: literal tables, then coverage."""

import numpy as np
import pandas as pd
import pytest
from pytest import approx
from rolled import rolled

from cs_helpers import retention
from cs_helpers.core.results import Suppressed
from cs_helpers.retention.outlook import outlook_of_renewals, score_forecasts
from cs_helpers.retention.renewal_rates import renewals_compared

FIRST, AS_OF = pd.Timestamp("2023-01-01"), pd.Timestamp("2026-01-01")


def subscriptions(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr", "term_months"])
    dates = {c: pd.to_datetime(table[c]).astype("datetime64[us]") for c in ("start_date", "end_date")}
    return table.assign(mrr=table["mrr"].astype(float), term_months=table["term_months"].astype(float), **dates)


def dues(table, horizon=12):
    return retention.due_renewals(table, rolled("paid_periods", table), FIRST, AS_OF, horizon)


def test_a_contract_is_due_every_term_from_its_start_on_what_it_paid_the_day_before():
    table = subscriptions(
        ("A", "2023-03-31", "2025-03-31", 100, 12),
        ("A", "2025-03-31", None, 80, 12),
    )
    due = dues(table)
    assert due["due_date"].dt.strftime("%Y-%m-%d").tolist() == ["2024-03-31", "2025-03-31", "2026-03-31"]
    assert due["target_mrr"].tolist() == [100, 100, 80]
    assert due["renewed_mrr"].tolist()[:2] == [100, 80]
    assert np.isnan(due["renewed_mrr"].iloc[2]) and pd.isna(due["decided_date"].iloc[2])


def test_a_price_change_between_does_not_move_the_due_date_and_a_loss_is_zero():
    table = subscriptions(
        ("A", "2023-05-10", "2023-11-02", 100, 12), ("A", "2023-11-02", "2024-05-10", 150, 12),
        ("B", "2023-02-01", "2024-01-20", 70, 12),
    )  # fmt: skip
    due = dues(table)
    # A is due once and lost then; B left before its due date, so nothing was ever up for renewal.
    assert due[["account_id", "target_mrr", "renewed_mrr"]].to_numpy().tolist() == [["A", 150.0, 0.0]]


def test_the_last_day_of_a_shorter_month_stands_for_a_day_it_lacks():
    table = subscriptions(("A", "2024-08-31", None, 100, 6))
    assert dues(table)["due_date"].dt.strftime("%Y-%m-%d").tolist()[:2] == ["2025-02-28", "2025-08-31"]


def test_monthly_terms_and_unrecorded_terms_are_no_renewals():
    table = subscriptions(("A", "2023-05-10", None, 100, 1), ("B", "2023-05-10", None, 100, None))
    assert dues(table).empty
    assert list(dues(table).columns) == ["account_id", "due_date", "target_mrr", "renewed_mrr", "decided_date"]


def test_a_return_begins_a_new_contract():
    table = subscriptions(("A", "2023-01-15", "2023-06-01", 100, 12), ("A", "2024-02-01", None, 90, 12))
    assert dues(table)["due_date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-02-01", "2026-02-01"]


def test_an_anniversary_near_a_recorded_renewal_is_that_renewal():
    recorded = pd.DataFrame(
        {
            "account_id": ["A"], "due_date": pd.to_datetime(["2026-03-01"]), "target_mrr": [100.0],
            "renewed_mrr": [np.nan], "decided_date": pd.to_datetime([None]),
        }
    )  # fmt: skip
    table = subscriptions(("A", "2024-03-20", None, 100, 12), ("B", "2024-03-20", None, 70, 12))
    both = retention.renewals_of(recorded, dues(table, 18), AS_OF)
    got = {(row.account_id, f"{row.due_date:%Y-%m}", row.recorded) for row in both.itertuples()}
    assert got == {("A", "2026-03", True), ("A", "2027-03", False), ("B", "2026-03", False), ("B", "2027-03", False)}


def test_sample_contract_terms_give_the_renewals_that_the_sample_records(sample_tables):
    as_of, observed = sample_tables.as_of, sample_tables.observed_from
    derived = retention.due_renewals(sample_tables.subscriptions, sample_tables.rollup("paid_periods"), observed, as_of)
    a, b = (renewals_compared(each, as_of).now for each in (derived, sample_tables.renewals))
    assert (a.due, a.renewed) == (b.due, b.renewed)
    assert a.revenue_rate == approx(b.revenue_rate, abs=1e-9)


@pytest.fixture(scope="module")
def sample_tables():
    from pathlib import Path

    import cs_helpers as cs

    return cs.load(Path(__file__).resolve().parents[2] / "data" / "sample")


def renewals(n=240, rate=0.85, months=24, seed=1, sigma=0.0, coming=0, until=AS_OF):
    """``n`` decided renewals spread over ``months`` before ``until``, and ``coming`` open ones in the year after."""
    rng = np.random.default_rng(seed)
    back = rng.integers(0, months * 30, n)
    due = until - pd.to_timedelta(back + 1, unit="D")
    target = np.exp(rng.normal(5, sigma, n)).round(2)
    kept = target * (rng.random(n) < rate)
    table = pd.DataFrame({"due_date": due, "target_mrr": target, "renewed_mrr": kept, "decided_date": due})
    ahead = pd.DataFrame({"due_date": until + pd.to_timedelta(rng.integers(0, 364, coming), unit="D")})
    ahead["target_mrr"] = np.exp(rng.normal(5, sigma, coming)).round(2)
    both = pd.concat([table, ahead.assign(renewed_mrr=np.nan, decided_date=pd.NaT)], ignore_index=True)
    return both.assign(account_id=[f"{k:04d}" for k in range(len(both))])


def test_rates_against_the_window_before_and_a_window_without_any():
    book = renewals(n=200, rate=0.9)
    found = renewals_compared(book, AS_OF)
    assert found.now.due + found.before.due == 200 - (book["due_date"] < pd.Timestamp("2024-01-01")).sum()
    empty = renewals_compared(book.iloc[:0], AS_OF)
    assert empty.comparisons[0].now.value is None
    assert "no renewal due from January 2025 to December 2025 is decided" in empty.comparisons[0].now.reason
    assert empty.comparisons[0].change.verdict == "no comparison"


def test_expected_is_the_rate_times_what_is_open_and_decided_ones_count_as_decided():
    book = renewals(n=100, rate=0.8, months=12, coming=3)
    book.loc[100:, "due_date"] = pd.to_datetime(["2026-01-10", "2026-02-10", "2026-08-01"])
    book.loc[100:, "target_mrr"] = [100.0, 200.0, 400.0]
    book.loc[100, ["renewed_mrr"]] = 40.0
    book.loc[100, "decided_date"] = pd.Timestamp("2025-12-20")
    found = outlook_of_renewals(book, AS_OF)
    past = book.iloc[:100]
    rate = past["renewed_mrr"].sum() / past["target_mrr"].sum()
    assert found.rate == approx(rate)
    first = found.quarters.loc["Jan–Mar 2026"]
    assert first[["due", "decided", "expected"]].tolist() == approx([300, 100, 40 + rate * 200])
    assert found.quarters["due"].tolist() == [300, 0, 400, 0]
    assert found.quarters.loc["Apr–Jun 2026", ["expected", "low", "high"]].tolist() == [0, 0, 0]
    assert found.total["expected"] == approx(40 + rate * 600)
    # One open renewal of 200 is all or nothing.
    assert first[["low", "high"]].tolist() == [40, 40 + 200]
    assert found.scenarios[0].rate == approx(rate)
    assert found.quarters["worst"].sum() <= found.total["expected"] <= found.quarters["best"].sum() + 1e-9


def test_an_outcome_known_only_later_does_not_enter_the_rate():
    book = renewals(n=60, rate=1.0, months=12, coming=5)
    late = book.assign(decided_date=book["decided_date"].mask(book.index < 10, AS_OF + pd.Timedelta(days=3)))
    late.loc[late.index < 10, "renewed_mrr"] = 0.0
    assert outlook_of_renewals(late, AS_OF).rate == 1.0


def test_everything_renewed_so_far_is_no_certainty():
    found = outlook_of_renewals(renewals(n=40, rate=1.0, months=12, coming=20), AS_OF)
    assert found.rate == 1
    assert found.total["low"] < 0.97 * found.total["due"]
    none = outlook_of_renewals(renewals(n=40, rate=0.0, months=12, coming=20), AS_OF)
    assert none.total["high"] > 0.03 * none.total["due"]


@pytest.mark.parametrize(
    ("book", "said"),
    [(renewals(n=5, coming=5), "5 renewals were decided"), (renewals(n=50), "no renewal is due in the 12 months")],
)
def test_too_few_decided_or_nothing_due_is_refused_in_words(book, said):
    found = outlook_of_renewals(book, AS_OF)
    assert isinstance(found, Suppressed)
    assert said in found.reason


def test_few_quarters_give_no_scenarios():
    assert outlook_of_renewals(renewals(n=40, months=3, coming=9), AS_OF).scenarios == ()


def test_forecasts_are_scored_on_what_was_known_as_the_quarter_began():
    book = renewals(n=400, rate=0.85, months=30)
    scored = score_forecasts(book, AS_OF)
    assert list(scored.quarters.index) == ["Jan–Mar 2025", "Apr–Jun 2025", "Jul–Sep 2025", "Oct–Dec 2025"]
    last = scored.quarters.iloc[-1]
    quarter = book[(book["due_date"] >= "2025-10-01") & (book["due_date"] < AS_OF)]
    assert last["actual"] == approx(quarter["renewed_mrr"].sum())
    before = book[(book["due_date"] >= "2024-10-01") & (book["due_date"] < "2025-10-01")]
    rate = before["renewed_mrr"].sum() / before["target_mrr"].sum()
    assert last["expected"] == approx(rate * quarter["target_mrr"].sum())
    # What happens in a quarter moves its own score, never its forecast.
    worse = book.assign(renewed_mrr=book["renewed_mrr"].mask(book["due_date"] >= "2025-10-01", 0.0))
    again = score_forecasts(worse, AS_OF).quarters.iloc[-1]
    assert again["expected"] == last["expected"]
    assert again["actual"] == 0 and not again["inside"]


def test_without_history_there_is_nothing_to_score():
    assert "no past quarter" in score_forecasts(renewals(n=30, months=2), AS_OF).reason


@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_ranges_hold_what_happens_about_as_often_as_they_say(sigma):
    held, scored = 0, 0
    for seed in range(100):
        book = renewals(n=320, rate=0.85, months=36, seed=seed, sigma=sigma)
        table = score_forecasts(book, AS_OF).quarters
        held, scored = held + int(table["inside"].sum()), scored + len(table)
    assert scored == 400
    # At .95 the standard error over 400 quarters is .011; the spread between quarters makes ranges a little wide.
    assert 0.93 <= held / scored <= 0.995


def test_quarters_that_differ_more_than_chance_widen_the_ranges():
    def spread(book):
        found = outlook_of_renewals(book, AS_OF)
        return found.spread, (found.total["high"] - found.total["low"]) / found.total["due"]

    calm, wild = [], []
    for seed in range(9):
        book = renewals(n=800, rate=0.85, coming=50, seed=seed)
        calm.append(spread(book))
        bad = book["due_date"].dt.to_period("Q").astype(str).isin(["2024Q2", "2025Q1", "2025Q4"])
        half = np.random.default_rng(seed).random(len(book)) < 0.5
        wild.append(spread(book.assign(renewed_mrr=book["renewed_mrr"].mask(bad & half, 0.0))))
    assert np.median([each[0] for each in calm]) < 1.5
    assert min(each[0] for each in wild) > 3
    assert np.median([each[1] for each in wild]) > 1.5 * np.median([each[1] for each in calm])
