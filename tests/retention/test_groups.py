"""Groups, targets, years, trends and purchases: literal tables, then what must never happen."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from rolled import rolled

from cs_helpers import retention
from cs_helpers.core.errors import ContractError
from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Suppressed
from cs_helpers.retention.groups import retention_by_group
from cs_helpers.retention.mrr import purchases
from cs_helpers.retention.windows import monthly_mrr, target, year_by_year

AS_OF = pd.Timestamp("2026-01-01")
FIRST = pd.Timestamp("2024-01-01")


def subscriptions(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr"])
    dates = {c: pd.to_datetime(table[c]).astype("datetime64[us]") for c in ("start_date", "end_date")}
    return table.assign(mrr=table["mrr"].astype(float), **dates)


def panel(table, start=FIRST, end=AS_OF):
    return rolled("account_month", table, start=start, end=end, dense=True)


def book_of(sizes, leaving, mrr=100.0):
    """Accounts g0-00, g0-01, ... per group; the first ``leaving`` of each group leave in mid 2025."""
    rows, groups = [], {}
    for group, n in sizes.items():
        for k in range(n):
            account = f"{group}-{k:03d}"
            gone = "2025-06-15" if k < leaving.get(group, 0) else None
            rows.append((account, "2023-05-01", gone, mrr))
            groups[account] = group
    return subscriptions(*rows), pd.Series(groups, name="segment")


def test_each_group_has_its_own_rates_and_shares():
    table, groups = book_of({"SMB": 40, "ENT": 60}, {"SMB": 10, "ENT": 3})
    found = retention_by_group(panel(table), groups, AS_OF)
    assert found.rows.loc["SMB", ["accounts", "grr", "nrr", "logo"]].tolist() == approx([40, 30 / 40, 30 / 40, 30 / 40])
    assert found.rows.loc["ENT", "grr"] == approx(57 / 60)
    assert found.rows["share"].tolist() == approx([60 / 100, 40 / 100])
    assert found.overall == approx(87 / 100)
    # A year before nobody left.
    assert found.rows["grr_before"].tolist() == [1, 1]
    assert found.rows.loc["SMB", "difference"] == approx(30 / 40 - 57 / 60)
    assert found.rows["verdict"].to_dict() == {"ENT": "higher", "SMB": "lower"}
    assert found.window == "January 2025 to December 2025"


def test_equal_groups_are_not_called_different_and_many_looks_widen_the_limits():
    table, groups = book_of({"a": 30, "b": 30}, {"a": 4, "b": 5})
    two = retention_by_group(panel(table), groups, AS_OF)
    assert set(two.rows["verdict"]) == {"no clear difference"}
    many, more = book_of({"a": 30, **{f"z{k}": 30 for k in range(9)}}, {"a": 4, **{f"z{k}": 5 for k in range(9)}})
    ten = retention_by_group(panel(many), more, AS_OF)

    def lower_part(found):  # of the limits around group a's own share
        return found.rows.loc["a", "difference"] - found.rows.loc["a", "difference_low"]

    alone = retention_by_group(panel(many), more.where(more == "a", "rest"), AS_OF)
    assert lower_part(ten) > lower_part(alone)


def test_small_groups_are_pooled_and_those_too_small_even_together_are_withheld():
    table, groups = book_of({"big": 50, "mid": 30, "x": 12, "y": 11}, {})
    found = retention_by_group(panel(table), groups, AS_OF)
    assert list(found.rows.index) == ["big", "mid", "other"]
    assert found.rows.loc["other", "accounts"] == 23
    assert (found.pooled, found.withheld) == (("x", "y"), 0)
    table, groups = book_of({"big": 50, "mid": 30, "x": 1}, {})
    found = retention_by_group(panel(table), groups, AS_OF)
    assert list(found.rows.index) == ["big", "mid"]
    assert (found.pooled, found.withheld) == (("x",), 1)


def test_accounts_without_the_attribute_are_a_group_of_their_own_at_the_end():
    table, groups = book_of({"big": 30, "none": 50}, {})
    found = retention_by_group(panel(table), groups[groups == "big"], AS_OF)
    assert list(found.rows.index) == ["big", "not recorded"]


def test_one_group_or_only_small_ones_are_refused_in_words():
    table, groups = book_of({"all": 50}, {})
    assert "segment has 1 group among the 50 accounts" in retention_by_group(panel(table), groups, AS_OF).reason
    table, groups = book_of({"a": 5, "b": 5}, {})
    refused = retention_by_group(panel(table), groups, AS_OF)
    assert isinstance(refused, Suppressed)
    assert "0 of at least 20 accounts" in refused.reason


def test_identical_groups_are_called_different_in_at_most_five_percent():
    rng = np.random.default_rng(11)
    flagged, books = 0, 120
    for _ in range(books):
        n = 120
        opening = np.exp(rng.normal(4, 0.8, n)).round(2)
        gone = rng.random(n) < 0.15
        start, middle = pd.Timestamp("2023-05-01"), pd.Timestamp("2025-06-15")
        table = pd.DataFrame({"account_id": [f"{k:03d}" for k in range(n)], "start_date": start, "mrr": opening})
        table["end_date"] = pd.Series(np.where(gone, middle, pd.NaT)).astype("datetime64[us]")
        groups = pd.Series(rng.choice(["a", "b", "c"], n), index=table["account_id"], name="g")
        found = retention_by_group(panel(table, pd.Timestamp("2025-01-01")), groups, AS_OF)
        flagged += bool((found.rows["verdict"] != "no clear difference").any())
    # 120 books at .05 have a standard error of .02.
    assert flagged / books <= 0.09


GOALS = pd.DataFrame(
    [
        ("grr", "Customer Success", 0.92, "2025-01-01", "2026-01-01", None),
        ("grr", "Customer Success", 0.50, "2024-01-01", "2025-01-01", None),
        ("grr", "Sales", 0.10, "2025-01-01", "2026-01-01", None),
        ("grr", "Customer Success", 0.99, "2025-01-01", "2026-01-01", "R-7"),
        ("logo_churn", "Customer Success", 0.10, "2025-01-01", "2026-01-01", "department"),
    ],
    columns=["metric", "department", "target", "period_start", "period_end", "owner"],
).assign(period_start=lambda d: pd.to_datetime(d["period_start"]), period_end=lambda d: pd.to_datetime(d["period_end"]))


def grr(value, low, high):
    return Estimate("grr", value, value, 1.0, 100, low, high)


def test_the_target_is_the_departments_own_of_the_period_that_holds_the_last_day():
    aim = target(grr(0.9, 0.85, 0.95), GOALS, AS_OF)
    assert (aim.value, aim.owner, aim.period) == (0.92, "Customer Success", "January 2025 to December 2025")
    assert target(grr(0.9, 0.85, 0.95), GOALS, pd.Timestamp("2025-01-01")).value == 0.50
    assert target(grr(0.9, 0.85, 0.95), GOALS, pd.Timestamp("2027-01-01")) is None
    assert target(grr(0.9, 0.85, 0.95), None, AS_OF) is None


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.93, 0.97, "met"), (0.80, 0.91, "missed"), (0.85, 0.95, "no clear verdict"), (0.92, 0.95, "met")],
)
def test_a_target_is_met_or_missed_only_where_the_whole_interval_says_so(low, high, verdict):
    assert target(grr((low + high) / 2, low, high), GOALS, AS_OF).verdict == verdict


def test_a_goal_on_churn_is_one_on_retention_from_the_other_side():
    aim = target(Estimate("logo_retention", 0.95, 95, 100, 100, 0.91, 0.98), GOALS, AS_OF)
    assert (aim.value, aim.verdict) == (approx(0.90), "met")
    churn = target(Estimate("logo_churn", 0.20, 20, 100, 100, 0.13, 0.29), GOALS, AS_OF)
    assert (churn.value, churn.verdict) == (0.10, "missed"), "lower is better"


def test_the_history_carries_targets_and_lines():
    table, _ = book_of({"a": 60}, {"a": 12})
    found = retention.retention_history(panel(table), AS_OF, 12, GOALS)
    assert found["grr"].target.verdict == "missed"
    assert found["mrr"].target is None
    trend = {each.key: each for each in found.lines}["grr"]
    assert trend.values[-1] == approx(48 / 60)
    assert trend.values[0] == 1
    assert trend.low[-1] < 48 / 60 < trend.high[-1]
    assert trend.target == 0.92
    assert trend.months[-1] == pd.Timestamp("2025-12-01") and len(trend.months) == 13


def test_a_trend_before_the_data_has_no_values():
    table, _ = book_of({"a": 30}, {})
    trend = retention.retention_history(panel(table, pd.Timestamp("2025-01-01")), AS_OF).lines[0]
    assert np.isnan(trend.values[:-1]).all() and trend.values[-1] == 1


def test_years_start_with_x_and_end_with_y():
    table = subscriptions(
        ("A", "2023-01-01", None, 100),
        ("B", "2023-01-01", "2025-03-01", 50),
        ("C", "2025-02-01", None, 30),
        ("D", "2024-02-01", "2024-06-01", 10),
    )
    years = year_by_year(panel(table), AS_OF)
    assert years["window"].tolist() == ["January 2025 to December 2025", "January 2024 to December 2024"]
    assert years[["started", "kept", "won", "ended"]].to_numpy().tolist() == [[2, 1, 1, 2], [2, 2, 0, 2]]
    assert years[["started_mrr", "kept_mrr", "won_mrr", "ended_mrr"]].iloc[0].tolist() == [150, 100, 30, 130]


def test_less_than_a_year_is_one_row_of_the_months_there_are():
    table = subscriptions(("A", "2025-10-05", None, 100))
    years = year_by_year(panel(table, pd.Timestamp("2025-10-01")), AS_OF)
    assert years["window"].tolist() == ["October 2025 to December 2025"]
    assert years.loc[0, ["started", "kept", "won", "ended"]].tolist() == [0, 0, 1, 1]


def test_a_window_that_the_panel_does_not_reach_is_an_error_not_the_wrong_month():
    table, _ = book_of({"a": 30}, {})
    with pytest.raises(ContractError, match="2026-07"):
        retention.retention_history(panel(table), pd.Timestamp("2026-07-01"))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 24), st.integers(1, 30), st.integers(1, 500)), min_size=1, max_size=12))
def test_monthly_mrr_holds_what_the_panel_holds_and_years_add_up(rows):
    starts = [FIRST + pd.DateOffset(months=a) for a, _, _ in rows]
    ends = [s + pd.DateOffset(months=length) for s, (_, length, _) in zip(starts, rows, strict=True)]
    table = pd.DataFrame(
        {
            "account_id": [f"{k:02d}" for k in range(len(rows))], "start_date": starts,
            "end_date": pd.Series(ends).where(pd.Series(ends) < AS_OF), "mrr": [float(m) for _, _, m in rows],
        }
    )  # fmt: skip
    if min(starts) >= AS_OF:
        return
    rolled_up = panel(table)
    paid = monthly_mrr(rolled_up)
    for month, rows_ in rolled_up.groupby("month"):
        assert paid.cents[:, paid.place(month)].sum() == rows_["opening"].sum()
    years = year_by_year(rolled_up, AS_OF)
    assert (years["kept"] + years["won"] == years["ended"]).all()
    assert years["ended_mrr"].to_numpy() == approx((years["kept_mrr"] + years["won_mrr"]).to_numpy())


def test_customers_with_a_second_purchase_in_the_window_bought_again():
    bought = pd.DataFrame(
        [("A", "2025-01-05"), ("A", "2025-03-01"), ("B", "2025-02-01"), ("B", "2024-02-01"), ("C", "2024-05-01")],
        columns=["account_id", "date"],
    ).assign(date=lambda d: pd.to_datetime(d["date"]))
    rate = retention.repeat_purchase_rate(bought, pd.Timestamp("2025-01-01"), AS_OF)
    assert (rate.numerator, rate.denominator, rate.value) == (1, 2, 1 / 2)
    none = retention.repeat_purchase_rate(bought, AS_OF, pd.Timestamp("2027-01-01"))
    assert none.value is None and "nobody bought" in none.reason


def test_purchases_are_starts_returns_expansions_and_agreed_renewals_but_no_mere_continuation():
    table = subscriptions(
        ("A", "2024-03-10", "2025-03-10", 100), ("A", "2025-03-10", None, 120), ("B", "2024-01-01", None, 50)
    )
    renewals = pd.DataFrame(
        {"account_id": ["B", "B"], "due_date": pd.to_datetime(["2025-01-01", "2025-02-01"]), "renewed_mrr": [50.0, 0.0]}
    )
    bought = purchases(panel(table), renewals)
    got = sorted((row.account_id, f"{row.date:%Y-%m}") for row in bought.itertuples())
    assert got == [("A", "2024-03"), ("A", "2025-03"), ("B", "2024-01"), ("B", "2025-01")]


def test_cdnow_reproduces_the_published_number_of_repeat_buyers(cdnow):
    # Fader, Hardie & Lee 2005 ("Counting your customers the easy way"): of the 2,357 sampled customers 1,411 made no
    # repeat purchase in the first 39 weeks of 1997; purchases of one day are one.
    rate = retention.repeat_purchase_rate(
        cdnow.drop_duplicates(), pd.Timestamp("1997-01-01"), pd.Timestamp("1997-10-01")
    )
    assert (rate.n, rate.numerator) == (2_357, 2_357 - 1_411)


@pytest.fixture(scope="module")
def cdnow():
    path = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "retention_curves" / "CDNOW_sample.txt"
    if not path.exists():
        pytest.skip("the CDNOW purchases are not beside this checkout")
    frame = pd.read_csv(path, sep=r"\s+", header=None, dtype=str, usecols=[0, 2], names=["account_id", "date"])
    return frame.assign(date=pd.to_datetime(frame["date"], format="%Y%m%d"))
