"""The table a risk model learns from: who counts, who left, and that nothing is known too early."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rolled import rolled

from cs_helpers.churn.account_base import spell_ends
from cs_helpers.churn.snapshots import risk_snapshots
from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError

FROM, AS_OF = pd.Timestamp("2024-01-01"), pd.Timestamp("2025-07-01")
LAST = pd.Timestamp("2025-03-01")  # as_of - 1 month of lead - 3 of outcome: the outcome window is [1 April, 1 July)
AHEAD = (pd.DateOffset(months=1), pd.DateOffset(months=4))
DATES = ("start_date", "end_date", "notice_date")


def days(values):
    return pd.to_datetime(pd.Series(values, dtype=object), format="ISO8601").astype("datetime64[us]")


def subscriptions(*rows, more=()):
    """account_id, start_date, end_date, mrr and further columns."""
    book = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr", *more])
    return book.assign(**{name: days(book[name]) for name in DATES if name in book})


def rolled_up(book, observed_from=FROM, as_of=AS_OF):
    return (
        rolled("account_month", book, start=observed_from, end=as_of),
        rolled("spells", book, observed_from=observed_from, as_of=as_of),
    )


def snapshots(book, *, as_of=AS_OF, observed_from=FROM, contracts=True, **more):
    subs = {"subscriptions": book} if contracts else {}
    if isinstance(more.get("usage"), pd.DataFrame):
        more["usage"] = [more["usage"]]
    return risk_snapshots(*rolled_up(book, observed_from, as_of), as_of=as_of, **subs, **more)


def at(found, month=LAST):
    """Rows of one snapshot, by account."""
    return found.table[found.table["snapshot"] == month].set_index("account_id")


def dated(columns, *rows):
    frame = pd.DataFrame(rows, columns=columns.split())
    dates = [name for name in frame if name == "month" or name.endswith("_date")]
    return frame.assign(**{name: days(frame[name]) for name in dates})


def use(*rows):
    return dated("account_id month events_28 active_days_28 users_28 events_90", *rows)


SIGNALS = ["tickets", "escalated", "csat_sum", "csat_answers", "nps_sum", "nps_answers", "touches", "qbrs"]


def known(account, month, **facts):
    return {"account_id": account, "month": pd.Timestamp(month), **dict.fromkeys(SIGNALS, 0), **facts}


# --- who counts, and who left -------------------------------------------------------------------------------------


def test_who_left_in_the_outcome_window_first_day_in_first_day_after_out():
    book = subscriptions(
        ("on 1 March", "2024-01-01", "2025-03-01", 10), ("on 31 March", "2024-01-01", "2025-03-31", 10),
        ("on 1 April", "2024-01-01", "2025-04-01", 10), ("on 30 June", "2024-01-01", "2025-06-30", 10),
        ("on 1 July", "2024-01-01", "2025-07-01", 10), ("stays", "2024-01-01", None, 10),
        ("gone", "2024-01-01", "2025-02-28", 10), ("came later", "2025-03-01", None, 10),
    )  # fmt: skip
    found = snapshots(book)
    assert at(found)["churned"].to_dict() == {
        "on 1 April": True, "on 1 July": False, "on 30 June": True, "stays": False
    }  # fmt: skip
    # One window earlier, [1 January, 1 April): 31 March is inside, 1 April is not.
    earlier = at(found, pd.Timestamp("2024-12-01"))["churned"]
    assert earlier[["gone", "on 1 March", "on 31 March"]].all() and not earlier[["on 1 April", "on 30 June"]].any()
    assert found.excluded == {"left_during_lead": 2, "gave_notice": 0}
    assert list(found.now["account_id"]) == ["came later", "on 1 July", "stays"], "paying on the eve of as_of"


def test_without_a_lead_the_outcome_window_begins_at_once():
    book = subscriptions(("A", "2024-01-01", "2025-04-01", 10), ("B", "2024-01-01", None, 10))
    found = snapshots(book, lead_months=0)
    assert at(found, pd.Timestamp("2025-04-01"))["churned"].to_dict() == {"A": True, "B": False}


def test_snapshots_step_back_by_the_horizon_and_leave_three_months_of_history():
    book = subscriptions(("A", "2023-01-01", None, 10))
    wanted = ["2024-06-01", "2024-09-01", "2024-12-01", "2025-03-01"]
    found = snapshots(book)
    assert found.table["snapshot"].dt.strftime("%Y-%m-%d").tolist() == wanted, "1 March 2024 has two months before it"
    assert (found.as_of, found.lead_months, found.horizon_months) == (AS_OF, 1, 3)
    assert found.now["snapshot"].tolist() == [AS_OF] and found.before["snapshot"].tolist() == [
        AS_OF - pd.DateOffset(months=1)
    ]
    few = snapshots(book, max_snapshots=2)
    assert few.table["snapshot"].dt.strftime("%Y-%m-%d").tolist() == wanted[2:]
    # From 1 March 2024 on, 1 June 2024 has exactly three months before it.
    assert len(snapshots(book, observed_from=pd.Timestamp("2024-03-01")).table) == 4
    half = snapshots(book, horizon_months=6, lead_months=0)
    assert half.table["snapshot"].dt.strftime("%Y-%m-%d").tolist() == ["2024-07-01", "2025-01-01"]


def test_who_gave_notice_before_the_snapshot_is_counted_apart():
    book = subscriptions(
        ("before", "2024-01-01", "2025-04-15", 10, "2025-02-28"), ("on the day", "2024-01-01", "2025-04-15", 10,
        "2025-03-01"), ("half", "2024-01-01", "2025-04-15", 10, "2025-02-01"), ("half", "2024-01-01", None, 5, None),
        ("earlier", "2023-01-01", "2024-02-01", 10, "2024-01-15"), ("earlier", "2024-03-01", None, 10, None),
        ("present", "2024-01-01", None, 70, "2025-06-30"), ("too late", "2024-01-01", None, 10, "2025-07-01"),
        more=["notice_date"],
    )  # fmt: skip
    found = snapshots(book)
    assert at(found)["churned"].to_dict() == {
        "earlier": False, "half": False, "on the day": True, "present": False, "too late": False
    }  # fmt: skip
    assert found.excluded == {"left_during_lead": 0, "gave_notice": 1}
    assert found.now["account_id"].tolist() == ["earlier", "half", "too late"]
    assert found.before["account_id"].tolist() == ["earlier", "half", "present", "too late"]
    assert found.notice.to_dict("records") == [
        {"account_id": "present", "notice_date": pd.Timestamp("2025-06-30"), "mrr": 70.0}
    ]


def test_one_who_gave_notice_and_left_in_the_lead_is_counted_once():
    book = subscriptions(
        ("A", "2024-01-01", "2025-03-15", 10, "2025-02-01"), ("B", "2024-01-01", None, 10, None), more=["notice_date"]
    )
    assert snapshots(book).excluded == {"left_during_lead": 0, "gave_notice": 1}


def test_a_return_is_a_new_spell_and_nobody_counts_while_away():
    book = subscriptions(
        ("A", "2024-01-01", "2024-08-15", 10), ("A", "2024-12-15", None, 10), ("B", "2024-01-01", None, 10)
    )
    found = snapshots(book)
    of_a = found.table[found.table["account_id"] == "A"].set_index("snapshot")
    # In June it was about to leave: [1 July, 1 October) holds 15 August. Then away, until the second spell.
    assert of_a["churned"].to_dict() == {pd.Timestamp("2024-06-01"): True, LAST: False}
    assert of_a["reactivated"].tolist() == [0, 1]
    assert of_a["tenure_months"].tolist() == pytest.approx([5, 3 - 14 / 31])
    assert of_a["mrr_change_6m"].tolist() == [0, 0], "the price of the spell before is another story"


def test_one_that_began_on_the_very_eve_counts_at_age_0():
    book = subscriptions(
        ("new", "2025-06-30", None, 10), ("old", "2024-01-01", None, 10), ("back", "2024-01-01", "2024-09-01", 10),
        ("back", "2025-06-30", None, 10),
    )  # fmt: skip
    now = snapshots(book).now.set_index("account_id")
    assert now.loc["new", "tenure_months"] == pytest.approx(1 - 29 / 31)
    assert now["reactivated"].to_dict() == {"back": 1, "new": 0, "old": 0}


# --- features by hand ---------------------------------------------------------------------------------------------


def test_money_age_and_what_fell():
    book = subscriptions(
        ("grows", "2023-03-16", "2024-11-01", 100), ("grows", "2024-11-01", None, 150),
        ("falls", "2024-01-01", "2025-02-15", 80), ("falls", "2025-02-15", None, 20),
        ("long ago", "2024-01-01", "2024-08-31", 80), ("long ago", "2024-08-31", None, 20),
        ("on the day", "2024-01-01", "2025-03-01", 80), ("on the day", "2025-03-01", None, 20),
        ("young", "2024-09-01", "2024-10-01", 50), ("young", "2024-10-01", None, 70),
    )  # fmt: skip
    rows = at(snapshots(book, contracts=False))
    assert np.exp(rows["log_mrr"]).to_dict() == pytest.approx(rows["mrr"].to_dict())
    assert rows["mrr"].to_dict() == {"falls": 20, "grows": 150, "long ago": 20, "on the day": 80, "young": 70}
    assert rows["tenure_months"].to_dict() == pytest.approx(
        {"falls": 14, "grows": 24 - 15 / 31, "long ago": 14, "on the day": 14, "young": 6}
    )
    # Against the eve of 1 September 2024; the young one did not pay then.
    assert rows["mrr_change_6m"].to_dict() == pytest.approx(
        {"falls": np.log(20 / 80), "grows": np.log(1.5), "long ago": 0, "on the day": 0, "young": 0}
    )
    assert rows["contracted_6m"].to_dict() == {"falls": 1, "grows": 0, "long ago": 0, "on the day": 0, "young": 0}


def test_a_change_of_price_before_the_panel_began_does_not_show():
    """The first snapshot has three months before it; the change is then taken over three."""
    book = subscriptions(("A", "2023-01-01", "2024-04-10", 10), ("A", "2024-04-10", None, 20))
    found = snapshots(book, observed_from=pd.Timestamp("2024-03-01"))
    assert at(found, pd.Timestamp("2024-06-01"))["mrr_change_6m"].tolist() == pytest.approx([np.log(2)])


def test_the_next_contract_anniversary_and_whether_it_lies_in_the_outcome_window():
    book = subscriptions(
        ("due 1 March", "2024-03-01", None, 10, 12), ("due 31 March", "2024-03-31", None, 10, 12),
        ("due 1 April", "2023-04-01", None, 10, 12), ("due 30 June", "2022-06-30", None, 10, 12),
        ("due 1 July", "2024-07-01", None, 10, 12), ("two years", "2024-05-10", None, 10, 24),
        ("quarters", "2024-01-01", None, 10, 3), ("monthly", "2024-01-05", None, 10, 1),
        ("not known", "2024-01-05", None, 10, None), ("leap", "2024-02-29", None, 10, 12),
        more=["term_months"],
    )  # fmt: skip
    rows = at(snapshots(book))
    assert rows["due_date"].dt.strftime("%Y-%m-%d").fillna("").to_dict() == {
        "due 1 March": "2025-03-01", "due 31 March": "2025-03-31", "due 1 April": "2025-04-01",
        "due 30 June": "2025-06-30", "due 1 July": "2025-07-01", "two years": "2026-05-10", "quarters": "2025-04-01",
        "monthly": "", "not known": "", "leap": "2026-02-28",
    }  # fmt: skip
    inside = rows["due_in_window"]
    assert set(inside[inside == 1].index) == {"due 1 April", "due 30 June", "quarters"}
    assert inside[inside.isna()].index.tolist() == rows.index[rows["months_to_due"].isna()].tolist() == ["not known"]
    assert rows["months_to_due"].drop("not known").to_dict() == pytest.approx(
        {
            "due 1 March": 0, "due 31 March": 30 / 31, "due 1 April": 1, "due 30 June": 3 + 29 / 31, "due 1 July": 4,
            "two years": 14 + 9 / 31, "quarters": 1, "monthly": 0, "leap": 11 + 27 / 31,
        }
    )  # fmt: skip
    assert rows["term_months"].drop("not known").to_dict()["two years"] == 24


def test_term_and_discount_are_those_of_the_largest_subscription_on_the_eve():
    book = subscriptions(
        ("A", "2024-01-01", "2025-03-01", 20, 12, 0.1), ("A", "2024-01-01", None, 10, 1, 0.3),
        ("A", "2025-03-01", None, 90, 24, 0.2), ("A", "2024-01-01", "2025-02-28", 80, 36, 0.4),
        more=["term_months", "discount_rate"],
    )  # fmt: skip
    assert at(snapshots(book))[["term_months", "discount_rate"]].to_numpy().tolist() == [[12, 0.1]]


def test_usage_is_that_of_the_window_before_the_month_and_missing_where_there_is_no_row():
    book = subscriptions(*[(name, "2024-01-01", None, 10) for name in "ABC"])
    usage = use(
        ("A", "2025-03-01", 30, 5, 2, 45), ("A", "2025-04-01", 999, 28, 99, 999), ("A", "2025-02-01", 1, 1, 1, 1),
        ("B", "2025-03-01", 0, 0, None, 90),
    )  # fmt: skip
    rows = at(snapshots(book, usage=usage))
    parts = [usage[usage["month"] == month] for month in usage["month"].unique()]
    pd.testing.assert_frame_equal(at(snapshots(book, usage=[usage.iloc[:0], *parts])), rows)
    # 45 events in 90 days are 45 x 28 / 90 = 14 in 28.
    expected = {"A": [np.log(31), np.log(31 / 15), 5, 2], "B": [0, np.log(1 / 29), 0, np.nan], "C": [np.nan] * 4}
    for name, values in expected.items():
        found = rows.loc[name, ["usage_28", "usage_trend", "active_days_28", "users_28"]].astype(float)
        assert found.tolist() == pytest.approx(values, nan_ok=True), name


def test_signals_of_three_and_six_months_before():
    book = subscriptions(*[(name, "2024-01-01", None, 10) for name in "ABC"])
    signals = pd.DataFrame(
        [
            known("A", "2024-08-01", qbrs=1, touches=1, nps_sum=1, nps_answers=1),
            known("A", "2024-11-01", tickets=50, csat_sum=1, csat_answers=1, touches=7, nps_sum=16, nps_answers=2),
            known("A", "2024-12-01", tickets=2, csat_sum=7, csat_answers=2, touches=1),
            known("A", "2025-02-01", tickets=1, escalated=1, touches=2, nps_sum=5, nps_answers=1),
            known("A", "2025-03-01", tickets=99, escalated=9, csat_sum=5, csat_answers=1, touches=9, qbrs=9),
            known("B", "2024-09-01", qbrs=2, touches=2),
        ]
    )
    rows = at(snapshots(book, signals=signals))
    names = [
        "tickets_90",
        "escalated_90",
        "csat_90",
        "csat_missing",
        "nps_last",
        "nps_missing",
        "touches_90",
        "qbr_180",
    ]
    assert rows.loc["A", names].astype(float).tolist() == pytest.approx([np.log(4), 1, 3.5, 0, 7, 0, 3, 0])
    for name, qbr in (("B", 1), ("C", 0)):
        nothing = [0, 0, np.nan, 1, np.nan, 1, 0, qbr]
        assert rows.loc[name, names].astype(float).tolist() == pytest.approx(nothing, nan_ok=True)


def test_a_kind_of_signal_that_nobody_has_in_that_time_was_not_recorded_then():
    book = subscriptions(("A", "2024-01-01", None, 10), ("B", "2024-01-01", None, 10))
    signals = pd.DataFrame([known("A", "2025-01-01", tickets=1), known("A", "2025-05-01", touches=1)])
    found = snapshots(book, signals=signals)
    assert found.table.set_index("snapshot")["tickets_90"].groupby(level=0).count().tolist() == [0, 0, 0, 2]
    assert found.table["touches_90"].isna().all() and found.now["touches_90"].tolist() == [1, 0]
    absent = {"escalated_90", "csat_90", "csat_missing", "nps_last", "nps_missing", "qbr_180"}
    assert absent.isdisjoint(found.features), "of these nothing is recorded at all"


def test_cover_on_the_eve_and_vacancy():
    names = ["now", "ends on the day", "ended", "starts on the day", "never", "no day"]
    book = subscriptions(*[(name, "2024-01-01", None, 10) for name in names])
    cover = dated(
        "account_id rep_id start_date end_date",
        ("now", "r", "2025-02-28", None), ("ends on the day", "r", "2024-01-01", "2025-03-01"),
        ("ended", "r", "2024-01-01", "2025-02-28"), ("starts on the day", "r", "2025-03-01", None),
        ("no day", "r", "2025-01-01", "2025-01-01"),
    )  # fmt: skip
    rows = at(snapshots(book, assignments=cover))
    assert rows.index[rows["covered"] == 1].tolist() == ["ends on the day", "now"]
    assert rows.index[rows["vacant"] == 1].tolist() == ["ended"]


def test_attributes_come_along_texts_of_few_values_and_numbers():
    ids = [f"{n:02d}" for n in range(30)]
    book = subscriptions(*[(name, "2024-01-01", None, 10) for name in ids])
    accounts = pd.DataFrame(
        {
            "account_id": ids, "name": ids, "segment": ["SMB", "ENT", None] * 10, "one": ["x"] * 30, "many": ids,
            "employees": pd.array([5, None, 7] * 10, dtype="Int64"), "score": ["1.5", "-2", None] * 10,
            "key": ["007", "008", "009"] * 10, "exit reason": ["price", "none", "none"] * 10,
            "signup_date": pd.Timestamp("2020-01-01"), "partner": [True, False, False] * 10,
        }
    )  # fmt: skip
    found = snapshots(book, accounts=accounts.sample(frac=1, random_state=1), outcome_columns=("exit reason",))
    names = {name.removeprefix("account: ") for name in found.features if name.startswith("account: ")}
    assert names == {"segment", "employees", "score", "key", "partner"}
    rows = at(found)
    assert rows.loc["00":"02", "account: segment"].fillna("").tolist() == ["SMB", "ENT", ""]
    assert rows.loc["00":"02", "account: score"].tolist() == pytest.approx([1.5, -2, np.nan], nan_ok=True)
    assert rows.loc["00":"02", "account: employees"].tolist() == pytest.approx([5, np.nan, 7], nan_ok=True)
    assert rows.loc["00":"02", "account: partner"].tolist() == ["True", "False", "False"]


def test_features_of_tables_that_are_not_there_are_absent():
    book = subscriptions(("A", "2024-01-01", None, 10), ("B", "2024-01-01", None, 10))
    bare = ("log_mrr", "tenure_months", "reactivated", "mrr_change_6m", "contracted_6m")
    panel_only = snapshots(book, contracts=False)
    assert panel_only.features == bare and panel_only.now["due_date"].isna().all()
    empty = {name: pd.DataFrame() for name in ("accounts", "usage", "signals", "assignments")}
    assert snapshots(book, **empty).features == bare, "and neither term_months nor discount_rate is recorded"
    assert list(panel_only.table)[:5] == ["account_id", "snapshot", "churned", "mrr", "due_date"]
    assert list(panel_only.now) == list(panel_only.before) == [name for name in panel_only.table if name != "churned"]


# --- nothing is known too early -----------------------------------------------------------------------------------


def world(seed, accounts=40, months=18):
    """Every table drawn at random, with prices that change, gaps, notices and holes."""
    rng = np.random.default_rng(seed)
    ids = [f"a{n:02d}" for n in range(accounts)]
    rows = []
    for name in ids:
        day = FROM + pd.Timedelta(days=int(rng.integers(-400, 400)))
        for _ in range(rng.integers(1, 4)):
            end = day + pd.Timedelta(days=int(rng.integers(20, 500)))
            last = rng.random() < 0.4
            notice = None if last or rng.random() < 0.5 else end - pd.Timedelta(days=int(rng.integers(0, 60)))
            rows.append((name, day, None if last else end, int(rng.integers(1, 90)), rng.choice([1, 12, 24]),
                         rng.choice([0, 0.1, np.nan]), notice))  # fmt: skip
            if last:
                break
            day = end + pd.Timedelta(days=int(rng.choice([0, 0, 40])))
    book = subscriptions(*rows, more=["term_months", "discount_rate", "notice_date"])
    grid = [(name, month) for name in ids for month in periods.month_starts(FROM, periods.add_months(FROM, months + 1))]
    usage = use(*[(*key, *rng.integers(0, 60, 4)) for key in grid if rng.random() < 0.9])
    signals = pd.DataFrame(
        [known(*key, **dict(zip(SIGNALS, rng.integers(0, 5, 8), strict=True))) for key in grid if rng.random() < 0.5]
    )
    begun = [FROM + pd.Timedelta(days=int(n)) for n in rng.integers(-100, 500, accounts)]
    cover = dated(
        "account_id rep_id start_date end_date",
        *[
            (name, "r", day, day + pd.Timedelta(days=int(rng.integers(0, 300))))
            for name, day in zip(ids, begun, strict=True)
        ],
    )
    people = pd.DataFrame({"account_id": ids, "segment": rng.choice(["SMB", "ENT"], accounts)})
    return book, {"usage": usage, "signals": signals, "assignments": cover, "accounts": people}


def cut(book, tables, day):
    """The same company as it was known on the eve of ``day``."""
    seen = book[book["start_date"] < day]
    seen = seen.assign(**{name: seen[name].where(seen[name] < day) for name in ("end_date", "notice_date")})
    cover = tables["assignments"]
    cover = cover[cover["start_date"] < day]
    return seen, {
        "usage": tables["usage"][tables["usage"]["month"] <= day],
        "signals": tables["signals"][tables["signals"]["month"] < day],
        "assignments": cover.assign(end_date=cover["end_date"].where(cover["end_date"] < day)),
        "accounts": tables["accounts"],
    }


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_nothing_that_happens_from_the_snapshot_on_changes_its_features(seed):
    """Each past snapshot equals the present one of the company as it was known on that day."""
    book, tables = world(seed)
    found = snapshots(book, **tables)
    past = found.table[found.table["snapshot"] >= periods.add_months(FROM, 10)]  # a past panel needs ten months, too
    assert past["snapshot"].nunique() == 2
    for month, rows in past.groupby("snapshot"):
        # An end that falls on the day itself was not yet seen then.
        then_book, then_tables = cut(book, tables, month)
        then = snapshots(then_book, as_of=month, **then_tables).now.set_index("account_id")
        same = rows.set_index("account_id").drop(columns="churned")
        pd.testing.assert_frame_equal(same, then.loc[same.index, same.columns], check_dtype=False, rtol=1e-12)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed):
    book, tables = world(seed, accounts=12)
    panel, spells = rolled_up(book)
    mixed = [frame.sample(frac=1, random_state=seed) for frame in (panel, spells)]
    tables["subscriptions"] = book
    shuffled = {name: frame.sample(frac=1, random_state=seed) for name, frame in tables.items()}
    found, again = (
        risk_snapshots(*frames, as_of=AS_OF, **{**more, "usage": [more["usage"]]})
        for frames, more in (((panel, spells), tables), (mixed, shuffled))
    )
    for name in ("table", "now", "before", "notice"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(again, name))
    assert (found.features, found.excluded) == (again.features, again.excluded)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rows_of_the_table_agree_with_the_subscriptions_day_by_day(seed):
    """Who pays on which day, read from the subscriptions alone."""
    book, _ = world(seed, accounts=12)
    found = snapshots(book, contracts=False)

    paid = {name: set() for name in book["account_id"]}
    for row in book.itertuples():
        last = periods.add_months(AS_OF, 1) if pd.isna(row.end_date) else row.end_date
        paid[row.account_id].update(pd.date_range(row.start_date, last, inclusive="left"))
    expected = {}
    for month in ("2024-06-01", "2024-09-01", "2024-12-01", "2025-03-01"):
        eve, begins, ends = (pd.Timestamp(month) + offset for offset in (-pd.Timedelta(days=1), *AHEAD))
        for account, its_days in paid.items():
            if its_days.issuperset(pd.date_range(eve, begins, inclusive="left")):
                window = pd.date_range(begins, ends, inclusive="left")
                expected[account, pd.Timestamp(month)] = not its_days.issuperset(window)
    assert found.table.set_index(["account_id", "snapshot"])["churned"].to_dict() == expected
    assert len(found.table) == len(expected)


def test_touches_without_effect_do_not_look_protective():
    """Touches come at random in every month an account lives and do nothing. 'Ever touched' says otherwise: who lives
    longer has more months in which to be touched. What was known at the snapshot does not."""
    rng = np.random.default_rng(4)
    ids = [f"{n:05d}" for n in range(3000)]
    months = pd.date_range("2022-07-01", AS_OF, freq="MS", inclusive="left")
    begun = rng.integers(0, 30, len(ids))
    life = rng.geometric(0.05, len(ids))
    ends = [months[b] + pd.DateOffset(months=int(n)) for b, n in zip(begun, life, strict=True)]
    book = subscriptions(
        *[(i, months[b], end if end < AS_OF else None, 10) for i, b, end in zip(ids, begun, ends, strict=True)]
    )
    touched = [
        (i, k)
        for i, b, n in zip(ids, begun, life, strict=True)
        for k in range(b, min(b + n, len(months)))
        if rng.random() < 0.06
    ]
    signals = pd.DataFrame([known(i, months[k], touches=1) for i, k in touched])
    found = snapshots(book, observed_from=months[0], signals=signals, contracts=False)
    ever = book["account_id"].isin(signals["account_id"])
    left = book["end_date"].notna()
    assert left[ever].mean() - left[~ever].mean() < -0.1, "the naive contrast looks protective"
    by_touch = found.table.groupby(found.table["touches_90"] > 0)["churned"].agg(["mean", "size"])
    difference = by_touch["mean"][True] - by_touch["mean"][False]
    share = found.table["churned"].mean()
    error = np.sqrt(share * (1 - share) * (1 / by_touch["size"]).sum())
    assert abs(difference) < 2.5 * error < 0.04
    # Left after a month with probability 0.05: 1 - 0.95 ** 3 in three months.
    assert share == pytest.approx(1 - 0.95**3, abs=0.01)


# --- ends of spells, and bad input --------------------------------------------------------------------------------

ANY_DAY = st.integers(0, 1500).map(lambda n: pd.Timestamp("2023-01-01") + pd.Timedelta(days=n))


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(ANY_DAY, st.integers(0, 900)), min_size=1, max_size=60))
def test_the_end_of_a_spell_follows_exactly_from_its_age(pairs):
    start = days([day for day, _ in pairs])
    end = start + pd.to_timedelta([length for _, length in pairs], unit="D").astype("timedelta64[us]")
    spells = pd.DataFrame({"start_date": start, "duration_months": periods.months_between(start, end)})
    assert spell_ends(spells).tolist() == end.tolist()


def test_too_short_a_panel_is_refused_with_both_numbers():
    book = subscriptions(("A", "2023-01-01", None, 10))
    with pytest.raises(ContractError, match=r"9 months lie before 2025-07-01.* need 10"):
        snapshots(book, observed_from=pd.Timestamp("2024-10-01"))
    assert len(snapshots(book, observed_from=pd.Timestamp("2024-09-01")).table) == 2, "ten are enough"
    panel, spells = rolled_up(book)
    with pytest.raises(ContractError, match="0 months"):
        risk_snapshots(panel.iloc[:0], spells.iloc[:0], as_of=AS_OF)


def test_tables_that_do_not_belong_together_are_refused():
    book = subscriptions(("A", "2024-01-01", None, 10), ("B", "2024-01-01", "2025-02-01", 10))
    panel, spells = rolled_up(book)
    with pytest.raises(ContractError, match=r"disagree on whether A paid"):
        risk_snapshots(panel, spells[spells["account_id"] != "A"], as_of=AS_OF)
    with pytest.raises(ContractError, match=r"last seen on 2025-05-31.*Roll them up"):
        risk_snapshots(panel, rolled_up(book, as_of=pd.Timestamp("2025-06-01"))[1], as_of=AS_OF)
    with pytest.raises(ContractError, match=r"disagree on whether A paid on the eve of 2025-07-01"):
        risk_snapshots(panel[panel["month"] < "2025-06-01"], spells, as_of=AS_OF)
    with pytest.raises(ContractError, match="no column 'closing'"):
        risk_snapshots(panel.drop(columns="closing"), spells, as_of=AS_OF)
    with pytest.raises(ContractError, match="usage: no column 'month'"):
        risk_snapshots(panel, spells, as_of=AS_OF, usage=[pd.DataFrame({"account_id": ["A"]})])
    with pytest.raises(ParameterError, match="horizon_months = 0"):
        risk_snapshots(panel, spells, as_of=AS_OF, horizon_months=0)


def test_roll_ups_that_reach_beyond_as_of_say_nothing_of_it():
    book = subscriptions(("A", "2024-01-01", "2025-07-10", 10), ("B", "2025-08-01", None, 10))
    later = risk_snapshots(*rolled_up(book, as_of=pd.Timestamp("2025-12-01")), as_of=AS_OF)
    cut_off = snapshots(subscriptions(("A", "2024-01-01", None, 10)), contracts=False)
    for name in ("table", "now", "before"):
        pd.testing.assert_frame_equal(getattr(later, name), getattr(cut_off, name))


def test_a_book_in_which_everybody_has_left_and_one_of_a_single_account():
    everybody = snapshots(subscriptions(("A", "2024-01-01", "2025-05-01", 10), ("B", "2024-01-01", "2024-09-10", 10)))
    assert at(everybody)["churned"].tolist() == [True] and everybody.now.empty and everybody.before.empty
    gone = snapshots(subscriptions(("A", "2024-01-01", "2024-05-01", 10)))
    assert gone.table.empty and gone.features[0] == "log_mrr" and gone.table["churned"].dtype == bool
    one = snapshots(subscriptions(("A", "2024-01-01", None, 10)))
    assert not one.table["churned"].any() and one.now["account_id"].tolist() == ["A"]


def test_of_a_large_book_earlier_snapshots_hold_a_sample_of_accounts_and_the_latest_everybody():
    rows = [(f"A{k:04d}", "2024-01-01", None, 10) for k in range(400)]
    whole, some = snapshots(subscriptions(*rows)), snapshots(subscriptions(*rows), max_rows=200)
    last = whole.table["snapshot"].max()
    number = whole.table["snapshot"].nunique() - 1
    assert number >= 2
    everybody = [each.table.loc[each.table["snapshot"] == last, "account_id"].tolist() for each in (whole, some)]
    assert everybody[0] == everybody[1] and len(everybody[0]) == 400
    earlier = some.table[some.table["snapshot"] < last]
    assert 100 < len(earlier) < 300
    assert (earlier.groupby("account_id").size() == number).all(), "an account is in all of them or in none"
    pd.testing.assert_frame_equal(some.now, whole.now)
    again = snapshots(subscriptions(*rows[::-1]), max_rows=200)
    assert set(again.table["account_id"]) == set(some.table["account_id"])
