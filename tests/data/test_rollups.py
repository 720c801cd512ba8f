"""The roll-ups: literal books with the sums left visible, then an independent reference on books made by hypothesis.

Whole numbers, days and texts are compared exactly, floats to 1e-12.
"""

import re

import numpy as np
import pandas as pd
import pytest
import rollup_references as references
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.data import rollups
from cs_helpers.data.contract.tables import TABLES

START, END = pd.Timestamp("2024-01-01"), pd.Timestamp("2025-01-01")
SQL_FILES = sorted(rollups.SQL.glob("*.sql"))


def frame(columns, *rows):
    """A frame from the contract's column names and literal rows, dates parsed."""
    names = columns.split()
    table = pd.DataFrame(rows, columns=names)
    for name in names:
        if name.endswith(("_date", "_at", "_on")):
            table[name] = pd.to_datetime(table[name], format="ISO8601").astype("datetime64[us]")
    return table


def subscriptions(*rows):
    return frame("account_id start_date end_date mrr", *rows)


def equal(found, expected):
    """Same rows, same order; whole numbers, texts and days exactly, floats to 1e-12."""
    assert list(found.columns) == list(expected.columns)
    assert len(found) == len(expected)
    for name in found.columns:
        got, wanted = found[name], expected[name]
        if pd.api.types.is_float_dtype(got):
            np.testing.assert_allclose(
                got.to_numpy(), wanted.astype(float).to_numpy(), rtol=1e-12, atol=1e-12, err_msg=name
            )
        else:
            pairs = zip(got.astype(object), wanted.astype(object), strict=True)
            different = [(a, b) for a, b in pairs if not (pd.isna(a) and pd.isna(b)) and (pd.isna(a) or a != b)]
            assert different == [], name


@pytest.fixture(scope="module")
def engine():
    engine = rollups.engine_of()
    yield engine
    engine.close()


def rolled(engine, name, tables, **parameters):
    for table, content in tables.items():
        rollups.stage(engine, table, content)
    return rollups.run(engine, name, **parameters)


# --- books ----------------------------------------------------------------------------------------------------

EDGES = ["2023-12-31", "2024-01-01", "2024-01-30", "2024-01-31", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-31",
         "2024-04-30", "2024-12-31", "2025-01-01", "2025-02-28", "2025-03-01"]  # fmt: skip
SPAN = st.integers(0, 560).map(lambda n: pd.Timestamp("2023-09-01") + pd.Timedelta(days=n))
DAYS = st.sampled_from([pd.Timestamp(day) for day in EDGES]) | SPAN


@st.composite
def books(draw, most_accounts=4):
    """Overlaps, gaps, touching periods, periods without a day or a price, odd cents, month ends, leap days."""
    rows = [("anchor", pd.Timestamp("2023-06-30"), None, 10.01)]
    for account in range(draw(st.integers(0, most_accounts))):
        last = None
        for _ in range(draw(st.integers(1, 4))):
            first = last if last is not None and draw(st.booleans()) else draw(DAYS)
            end = draw(st.none() | DAYS)
            last = None if end is None else max(first, end)
            price = draw(st.sampled_from([0, 100, 250]) | st.integers(1, 300_000)) / 100
            rows.append((f"a{account}", first, last, price))
    return subscriptions(*rows)


checked = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
few = settings(checked, max_examples=20)


# --- who paid when, and movements -----------------------------------------------------------------------------


def test_concurrent_subscriptions_are_summed_and_equal_neighbours_joined(engine):
    book = subscriptions(
        ("A", "2024-01-01", "2024-03-01", 100), ("A", "2024-02-01", None, 50.25),
        ("A", "2024-03-01", "2024-04-01", 100),
        ("trial", "2024-01-01", None, 0), ("no day", "2024-02-01", "2024-02-01", 70),
    )  # fmt: skip
    found = rolled(engine, "paid_periods", {"subscriptions": book})
    assert found["account_id"].tolist() == ["A"] * 3
    assert found["mrr_cents"].tolist() == [10000, 10000 + 5025, 5025]
    assert [f"{day:%m-%d}" for day in found["start_date"]] == ["01-01", "02-01", "04-01"]
    assert found["end_date"].tolist()[:2] == found["start_date"].tolist()[1:] and pd.isna(found["end_date"].iloc[2])


@checked
@given(book=books())
def test_paid_periods_equal_the_reference(engine, book):
    equal(rolled(engine, "paid_periods", {"subscriptions": book}), references.paid_periods(book))


@checked
@given(book=books(), dense=st.booleans())
def test_account_months_and_movements_equal_the_reference(engine, book, dense):
    window = {"start": START, "end": END, "dense": dense}
    tables = {"subscriptions": book}
    equal(rolled(engine, "account_month", tables, **window), references.account_month(book, *window.values()))
    equal(rolled(engine, "movements", tables, **window), references.movements(book, *window.values()))


@few
@given(book=books(most_accounts=2))
def test_account_months_equal_a_walk_from_day_to_day(engine, book):
    found = rolled(engine, "account_month", {"subscriptions": book}, start=START, end=END, dense=True)
    equal(found, references.account_month_day_by_day(book, START, END))


@checked
@given(book=books())
def test_the_opening_cohort_equals_the_reference(engine, book):
    for start, end in ((START, END), (pd.Timestamp("2024-03-01"), pd.Timestamp("2024-06-01"))):
        found = rolled(engine, "retention", {"subscriptions": book}, start=start, end=end)
        equal(found, references.retention(book, start, end))


def test_what_ends_as_the_window_closes_was_still_paid_on_its_last_day(engine):
    book = subscriptions(
        ("A", "2023-01-01", "2024-07-01", 100), ("B", "2023-01-01", "2024-06-30", 1), ("C", "2024-01-01", None, 7)
    )
    found = rolled(engine, "retention", {"subscriptions": book}, start="2024-01-01", end="2024-07-01")
    assert found[["account_id", "opening", "closing"]].to_numpy().tolist() == [["A", 10000, 10000], ["B", 100, 0]]


# --- cohorts and spells ---------------------------------------------------------------------------------------


def test_the_row_without_a_cohort_counts_the_survivors_only(engine):
    book = subscriptions(("old", "2020-01-10", None, 30), ("A", "2024-01-31", "2024-02-29", 100))
    found = rolled(engine, "cohorts", {"subscriptions": book}, observed_from=START, as_of="2024-04-30", by="month")
    early, cells = found[found["cohort"].isna()], found[found["cohort"].notna()]
    assert early[["accounts", "starting"]].to_numpy().tolist() == [[1, 3000]]
    # A month after 31 January is 29 February, on which A does not pay any more; 30 April itself was not seen.
    assert cells["age_months"].tolist() == [0, 1, 2]
    assert cells["alive"].tolist() == [1, 0, 0]


@checked
@given(book=books(), by=st.sampled_from(["month", "quarter"]), begin=DAYS, length=st.integers(1, 400))
def test_cohorts_equal_the_reference(engine, book, by, begin, length):
    observed = {"observed_from": begin, "as_of": begin + pd.Timedelta(days=length), "by": by}
    equal(rolled(engine, "cohorts", {"subscriptions": book}, **observed), references.cohorts(book, *observed.values()))


@checked
@given(book=books(), begin=DAYS, length=st.integers(1, 500))
def test_spells_and_their_counts_equal_the_reference(engine, book, begin, length):
    observed = {"observed_from": begin, "as_of": begin + pd.Timedelta(days=length)}
    tables = {"subscriptions": book}
    equal(rolled(engine, "spells", tables, **observed), references.spells(book, *observed.values()))
    ids = book["account_id"].drop_duplicates()
    tables["accounts"] = pd.DataFrame({"account_id": ids, "tier": [None, "x", "y", "x", "y"][: len(ids)]})
    for by in ("", "tier"):
        found = rolled(engine, "survival_counts", tables, **observed, by=by)
        equal(found, references.survival_counts(book, tables["accounts"], *observed.values(), by))


# --- usage ----------------------------------------------------------------------------------------------------


@st.composite
def usages(draw):
    """Up to forty events of three accounts and three users or unknown ones, quantities partly missing."""
    told_apart = draw(st.booleans())
    moments = st.integers(0, 24 * 60 * 60 - 1)
    event = st.tuples(
        st.sampled_from("ABC"),
        DAYS | st.integers(0, 75).map(lambda n: pd.Timestamp("2024-01-20") + pd.Timedelta(days=n)),
        moments,
        st.sampled_from(["u", "v", "w", None]) if told_apart else st.none(),
        st.none() | st.integers(0, 9),
        st.none() | st.integers(0, 600).map(lambda n: n / 10),
    )
    rows = [
        (account, day + pd.Timedelta(seconds=second), user, quantity, minutes)
        for account, day, second, user, quantity, minutes in draw(st.lists(event, min_size=1, max_size=40))
    ]
    table = frame("account_id occurred_at user_id quantity minutes", *rows)
    return table.astype({"user_id": object, "quantity": float, "minutes": float})


PEOPLE = pd.DataFrame({"account_id": ["A", "B", "C", "silent"]})


def test_users_days_and_events_are_counted_once_each(engine):
    usage = frame(
        "account_id occurred_at user_id quantity",
        ("other", "2023-11-01", "z", 1),
        ("A", "2024-02-02T23:59:59", "u", 2),  # 28 days before 1 March 2024 is 2 February
        ("A", "2024-02-02T00:00:00", "u", 3),
        ("A", "2024-02-29", "v", None),
        ("A", "2024-02-01", "w", 5),
        ("A", "2023-12-02", "w", 7),  # 90 days before
        ("A", "2023-12-01", "w", 11),
        ("A", "2024-03-01", "w", 13),
        ("often", "2024-02-01", "x", 1),
        ("often", "2024-02-20", "x", 1),
        ("often", "2024-02-20", "y", 1),
    )
    tables = {"usage": usage, "accounts": pd.DataFrame({"account_id": ["A", "often", "other"]})}
    found = rolled(engine, "usage_features", tables, first="2024-03-01", last="2024-04-01").set_index("account_id")
    row, later = (found[found["month"] == month].loc["A"] for month in ("2024-03-01", "2024-04-01"))
    assert (row["events_28"], row["active_days_28"], row["users_28"], row["quantity_28"]) == (3, 2, 2, 2 + 3)
    assert (row["events_90"], row["active_days_90"], row["users_90"], row["quantity_90"]) == (5, 4, 3, 17)
    assert pd.isna(row["minutes_28"]), "nothing recorded is not zero"
    assert row["mau"] == 3
    assert row["dau"] == pytest.approx((1 + 1 + 1) / 29)
    assert row["stickiness"] == pytest.approx(3 / 29 / 3)
    assert (later["users_28"], later["mau"], later["users_90"]) == (0, 1, 3), "1 March is 31 days before 1 April"
    often = found[found["month"] == "2024-03-01"].loc["often"]
    assert (often["users_28"], often["active_days_28"], often["mau"]) == (2, 1, 2), "the last day of use counts"


def test_a_window_that_begins_before_the_data_has_no_value(engine):
    usage = frame("account_id occurred_at user_id", ("A", "2024-01-20", "u"), ("A", "2024-03-20", "u"))
    tables = {"usage": usage, "accounts": PEOPLE}
    found = rolled(engine, "usage_features", tables, first="2024-02-01", last="2024-04-01", dense=True)
    rows = found[found["account_id"] == "A"].set_index("month")
    assert rows["events_28"].isna().tolist() == [True, False, False], "nothing is known of 4 to 19 January"
    assert rows["events_90"].isna().all() and rows["mau"].isna().tolist() == [True, False, False]
    silent = found[(found["account_id"] == "silent") & (found["month"] == "2024-04-01")].iloc[0]
    assert (silent["events_28"], silent["users_28"], silent["mau"], silent["dau"]) == (0, 0, 0, 0)
    told = rolled(engine, "usage_features", tables, first="2024-02-01", last="2024-02-01", observed_from="2023-01-01")
    assert (told["events_28"].tolist(), told["events_90"].tolist()) == ([1], [1])


@checked
@given(usage=usages(), dense=st.booleans(), given_from=st.booleans(), buckets=st.integers(0, 5))
def test_usage_features_equal_the_reference_whatever_the_number_of_buckets(engine, usage, dense, given_from, buckets):
    window = {"first": pd.Timestamp("2024-01-01"), "last": pd.Timestamp("2024-06-01")}
    window |= {"observed_from": pd.Timestamp("2023-12-15") if given_from else None, "dense": dense}
    found = rolled(engine, "usage_features", {"usage": usage, "accounts": PEOPLE}, **window, buckets=buckets)
    equal(found, references.usage_features(usage, PEOPLE, *window.values()))


@pytest.mark.parametrize("step", [2, 3, 5])
def test_usage_features_of_every_few_months_are_those_of_all_months(engine, step):
    rng = np.random.default_rng(step)
    days = pd.Timestamp("2023-10-01") + pd.to_timedelta(rng.integers(0, 500, 900), unit="D")
    usage = pd.DataFrame({"account_id": rng.choice(list("ABC"), 900), "occurred_at": days, "quantity": 1.0})
    usage["user_id"] = rng.choice(["u1", "u2", "u3", "u4"], 900)
    window = {"first": "2024-01-01", "last": "2025-03-01", "dense": True}
    tables = {"usage": usage, "accounts": PEOPLE}
    every = rolled(engine, "usage_features", tables, **window)
    some = rolled(engine, "usage_features", tables, **window, step=step)
    months = sorted(every["month"].unique())[::-step]
    assert some["month"].nunique() == len(months) > 2
    pd.testing.assert_frame_equal(some, every[every["month"].isin(months)].reset_index(drop=True))


# --- tickets --------------------------------------------------------------------------------------------------

TICKET = (
    "ticket_id account_id rep_id category opened_at first_response_at resolved_at wait_seconds answered contacts "
    "reopened escalated handle_minutes csat ces"
)


@st.composite
def ticket_books(draw):
    flag, few_days = st.sampled_from([True, False, None]), st.integers(0, 3 * 86400)
    rows = []
    for number in range(draw(st.integers(1, 25))):
        opened = draw(DAYS) + pd.Timedelta(milliseconds=draw(st.integers(0, 86_399_999)))
        answer, resolution = draw(st.none() | few_days), draw(st.none() | few_days)
        rows.append(
            (
                f"t{number:02d}", draw(st.sampled_from(["A", "A", "B", None])), draw(st.sampled_from(["r", "s", None])),
                draw(st.sampled_from(["x", "y", None])), opened,
                None if answer is None else opened + pd.Timedelta(seconds=answer),
                None if resolution is None else opened + pd.Timedelta(seconds=resolution),
                draw(st.none() | st.integers(0, 60)), draw(flag), draw(st.none() | st.integers(0, 3)), draw(flag),
                draw(flag), draw(st.none() | st.integers(0, 900).map(lambda n: n / 7)),
                draw(st.none() | st.integers(1, 5)), draw(st.none() | st.integers(1, 7)),
            )
        )  # fmt: skip
    table = frame(TICKET, *rows)
    texts = dict.fromkeys(("account_id", "rep_id", "category", "answered", "reopened", "escalated"), object)
    numbers = dict.fromkeys(("wait_seconds", "contacts", "handle_minutes", "csat", "ces"), float)
    return table.astype(texts | numbers)


def test_medians_and_ninth_deciles_are_exact(engine):
    tickets = frame(
        "ticket_id rep_id opened_at first_response_at resolved_at",
        *[(f"t{n}", "r", "2024-02-28", None, f"2024-02-29T00:{n:02d}:00") for n in (1, 2, 3, 10)],
    )
    row = rolled(engine, "rep_month", {"tickets": tickets}).iloc[0]
    day = 24 * 60
    assert row["resolution_median_minutes"] == day + (2 + 3) / 2
    # 90 % of the way from the first to the fourth: 0.7 of the way from 3 to 10.
    assert row["resolution_p90_minutes"] == pytest.approx(day + 3 + 0.7 * 7, rel=1e-15)
    assert pd.isna(row["first_response_median_minutes"]) and row["first_responses"] == 0


@checked
@given(tickets=ticket_books(), target=st.integers(0, 60))
def test_rep_months_equal_the_reference(engine, tickets, target):
    found = rolled(engine, "rep_month", {"tickets": tickets}, target_seconds=target)
    expected = references.rep_month(tickets, target)
    equal(found, expected.reindex(columns=found.columns))


def test_a_second_ticket_within_the_days_makes_the_first_no_first_contact_resolution(engine):
    tickets = frame(
        "ticket_id account_id rep_id category opened_at resolved_at contacts",
        ("t1", "A", "r", "x", "2024-03-01", "2024-03-02T12:00:00", 1),
        ("t2", "A", "r", "x", "2024-03-09T12:00:00", "2024-03-10", 1),  # to the second seven days after
        ("t3", "A", "r", "y", "2024-03-11", "2024-03-12", 1),  # another category
        ("t4", "B", "r", "x", "2024-03-11", "2024-03-12", 2),  # two contacts
        ("t5", "B", "r", "x", "2024-03-22", "2024-03-29", 1),  # its seven days are not over
        ("t6", None, "r", "x", "2024-03-11", "2024-03-12", 1),
    )
    row = rolled(engine, "repeat_contacts", {"tickets": tickets}, as_of="2024-04-01").iloc[0]
    assert (row["resolved"], row["without_account"], row["judged"]) == (6, 1, 4)
    assert (row["followed"], row["first_contact"], row["contacts_known"]) == (1, 2, 4)
    for as_of, judged in (("2024-04-05", 4), ("2024-04-06", 5)):  # t5's seventh day ends as 5 April begins
        assert rolled(engine, "repeat_contacts", {}, as_of=as_of)["judged"].tolist() == [judged]
    longer = rolled(engine, "repeat_contacts", {"tickets": tickets}, as_of="2024-05-01", days=10).iloc[0]
    assert (longer["judged"], longer["followed"]) == (5, 2)


@checked
@given(tickets=ticket_books(), as_of=DAYS, days=st.integers(0, 30))
def test_repeat_contacts_equal_the_reference(engine, tickets, as_of, days):
    found = rolled(engine, "repeat_contacts", {"tickets": tickets}, as_of=as_of, days=days)
    equal(found, references.repeat_contacts(tickets, as_of, days))


def test_a_ticket_case_carries_what_was_paid_when_it_opened_and_what_became_of_it_until_as_of(engine):
    tables = {
        "subscriptions": subscriptions(("A", "2024-01-10", "2024-03-05", 100), ("A", "2024-03-01", None, 20.50)),
        "tickets": frame(
            "ticket_id account_id rep_id channel priority category opened_at first_response_at resolved_at csat",
            ("t1", "A", "r", "chat", "high", "x", "2024-03-04T23:59:59.9", "2024-03-05T00:30:29", "2024-03-08", 5),
            ("t2", "A", "r", "chat", "high", "x", "2024-03-15T00:00:00", None, "2024-03-16T12:00:00", 4),
            ("t3", "A", "s", None, "low", "x", "2024-03-30", "2024-04-01", "2024-04-02", 1),
            ("t4", None, None, "chat", "low", "x", "2024-01-31", None, "2024-03-01", 2),
            ("t5", "B", "r", "chat", "low", "x", "2024-01-31", None, "2024-02-29T23:59:59", 2),
            ("t6", "A", "r", "chat", "low", "y", "2024-01-09", None, "2024-03-25", None),
            ("t7", "A", "r", "chat", "low", "y", "2024-04-01", None, None, None),
        ).assign(answered=[True, None, None, False, None, None, None]),
    }
    found = rolled(engine, "ticket_cases", tables, start="2024-03-01", as_of="2024-04-01")
    assert found["case_number"].tolist() == [1, 2, 3, 4, 5], "t5 was resolved before, t7 opened at as_of"
    t6, t4, t1, t2, t3 = (row for _, row in found.iterrows())
    assert (t1["mrr_cents"], t2["mrr_cents"]) == (10000 + 2050, 2050), "on 4 March both were paid"
    assert (t1["tenure_days"], t2["tenure_days"]) == (21 + 29 + 4, 21 + 29 + 15), "from 10 January on, a leap year"
    assert pd.isna(t6["tenure_days"]) and pd.isna(t6["mrr_cents"]), "the day before it first paid"
    assert (t1["opened_hour"], t1["opened_weekday"], t2["opened_weekday"]) == (23, 0, 4), "a Monday and a Friday"
    assert t1["first_response_minutes"] == pytest.approx(30.5), "30 minutes and 29 + 1 seconds"
    assert t2["resolution_minutes"] == 36 * 60 and t2["resolved_day"] == pd.Timestamp("2024-03-16")
    assert (t1["judged"], t1["followed"]) == (True, True), "t2 opened seven days after 8 March, to the second"
    assert (t2["judged"], t2["followed"]) == (True, False), "t3 opened fourteen days after 16 March"
    assert (t4["judged"], pd.isna(t4["followed"])) == (False, True), "nobody knows whose it is"
    assert not t6["judged"], "its seven days end as 1 April begins, which was not seen"
    unknown = ["resolved_month", "resolved_day", "csat", "first_response_minutes", "resolution_minutes", "followed"]
    assert t3[unknown].isna().all() and not t3["judged"], "what comes at as_of or later is not known"
    assert pd.isna(t3["channel"]) and pd.isna(t4["rep_id"]) and t3["priority"] == "low"
    assert found["answered"].astype(object).tolist()[1:3] == [False, True] and pd.isna(t2["answered"])


def test_calls_without_accounts_or_subscriptions_make_cases_too(engine):
    tickets = frame("ticket_id opened_at resolved_at csat", ("c1", "2024-03-09T10:00:00", "2024-03-09T10:04:30", 3))
    tables = {"tickets": tickets, "subscriptions": subscriptions(), "accounts": pd.DataFrame()}
    found = rolled(engine, "ticket_cases", tables, start="2024-03-01", as_of="2024-04-01")
    assert found["resolution_minutes"].tolist() == [4.5] and found["csat"].tolist() == [3]
    assert found[["account_id", "mrr_cents", "tenure_days", "followed", "contacts"]].isna().all(axis=None)
    assert not found["judged"].any()
    nothing = rolled(engine, "ticket_cases", {"tickets": tickets.iloc[:0]}, start="2024-03-01", as_of="2024-04-01")
    assert len(nothing) == 0 and list(nothing.columns) == list(rollups.ROLLUPS["ticket_cases"].columns)


@checked
@given(
    tickets=ticket_books(), book=books(most_accounts=2), start=DAYS, length=st.integers(1, 200), days=st.integers(0, 30)
)
def test_ticket_cases_equal_the_reference(engine, tickets, book, start, length, days):
    book = book.replace({"account_id": {"a0": "A", "anchor": "B"}})
    tickets = tickets.assign(channel=tickets["category"], priority=tickets["rep_id"])
    window = {"start": start, "as_of": start + pd.Timedelta(days=length), "days": days}
    found = rolled(engine, "ticket_cases", {"tickets": tickets, "subscriptions": book}, **window)
    equal(found, references.ticket_cases(tickets, book, **window).reindex(columns=found.columns))


# --- the panel for the vanish effect --------------------------------------------------------------------------


@st.composite
def companies(draw):
    """A book with assignments, reps, touches, usage and tickets around its paid time."""
    account, moment = st.sampled_from(["anchor", "a0", "a1"]), st.integers(0, 86_399)

    def events(columns, *more):
        rows = [
            (draw(account), draw(DAYS) + pd.Timedelta(seconds=draw(moment)), *(draw(value) for value in more))
            for _ in range(draw(st.integers(0, 12)))
        ]
        return frame(f"account_id {columns}", *rows)

    assigned = []
    for _ in range(draw(st.integers(0, 6))):
        first, last = draw(DAYS), draw(st.none() | DAYS)
        end = None if last is None else max(first, last)
        assigned.append(
            (draw(account), draw(st.sampled_from("rst")), first, end, draw(st.sampled_from(["CSM", "backup", None])))
        )
    reps = frame("rep_id left_on", ("r", None), ("s", draw(DAYS)))
    numbered = events("opened_at")
    return {
        "subscriptions": draw(books(most_accounts=2)),
        "assignments": frame("account_id rep_id start_date end_date role", *assigned).astype({"role": object}),
        "reps": reps,
        "touches": events("occurred_at hours", st.none() | st.integers(1, 8)).astype({"hours": float}),
        "usage": events("occurred_at quantity", st.none() | st.integers(0, 50)).astype({"quantity": float}),
        "tickets": numbered.assign(ticket_id=[f"t{n}" for n in range(len(numbered))]),
    }  # fmt: skip


@few
@given(tables=companies(), role=st.sampled_from(["csm", ""]))
def test_the_vanish_panel_equals_the_reference(engine, tables, role):
    as_of = pd.Timestamp("2024-07-01")
    found = rolled(engine, "vanish_panel", tables, start=START, as_of=as_of, role=role)
    equal(found, references.vanish_panel(tables, START, as_of, role))


def test_an_account_paid_through_the_last_day_left_in_that_month(engine):
    book = subscriptions(("A", "2023-01-15", "2024-03-01", 100), ("B", "2023-01-01", None, 1))
    panel = rolled(engine, "vanish_panel", {"subscriptions": book}, start="2024-01-01", as_of="2024-05-02")
    left = panel[panel["account_id"] == "A"]
    assert [f"{month:%m}" for month in left["month"]] == ["01", "02"]
    assert left["churned"].tolist() == [False, True]
    assert left["tenure_months"].tolist() == [11, 12]
    assert panel["month"].max() == pd.Timestamp("2024-04-01"), "1 May was seen, so April's end is known"


def test_what_comes_after_an_account_left_and_a_rep_who_is_gone_do_not_count(engine):
    tables = {
        "subscriptions": subscriptions(("A", "2023-01-01", "2024-01-15", 100), ("B", "2023-01-01", None, 1)),
        "touches": frame(
            "account_id occurred_at hours", ("A", "2024-01-14T23:00:00", 1), ("A", "2024-01-15T09:00:00", 2)
        ),
        "usage": frame("account_id occurred_at quantity", ("A", "2024-01-14", 5), ("A", "2024-01-15", 7)),
        "tickets": frame("ticket_id account_id opened_at", ("t1", "A", "2024-01-03"), ("t2", "A", "2024-01-20")),
        "assignments": frame(
            "account_id rep_id start_date end_date role",
            ("A", "last day", "2023-01-01", None, "csm"), ("B", "gone", "2023-01-01", None, None),
        ),
        "reps": frame("rep_id left_on", ("last day", "2024-01-01"), ("gone", "2023-12-31")),
    }  # fmt: skip
    panel = rolled(engine, "vanish_panel", tables, start="2024-01-01", as_of="2024-02-02").set_index("account_id")
    counts = ["touches", "touch_hours", "events", "quantity", "tickets"]
    assert panel.loc["A", counts].tolist() == [1, 1, 1, 5, 1]
    assert panel.loc["B", counts].tolist() == [0, 0, 0, 0, 0]
    assert panel["covered"].tolist() == [True, False] and panel["csm"].fillna("").tolist() == ["last day", ""]


def test_the_simulated_worlds_panel_comes_back_from_its_tables(engine):
    from cs_helpers.data.sample.worlds import simulate

    world = simulate("A", accounts=300, months=12)
    tables = {name: table.mask(table == "") for name, table in world.tables().items()}
    for name in ("subscriptions", "assignments", "reps", "touches", "usage", "tickets"):
        table = tables[name]
        for column in TABLES[name].columns:
            if column.name in table and column.kind in ("money", "number"):
                table[column.name] = table[column.name].astype(float)
    found = rolled(engine, "vanish_panel", tables, start=world.panel["month_start"].min(), as_of="2026-07-02")
    truth = world.panel.sort_values(["account_id", "month"], ignore_index=True)
    assert found["account_id"].tolist() == truth["account_id"].tolist()
    assert found["month_index"].tolist() == truth["month"].tolist()
    assert found["mrr_cents"].tolist() == (truth["mrr"] * 100).round().astype(int).tolist()
    for name, wanted in (("tenure_months", "tenure_months"), ("covered", "covered"), ("touches", "touches"),
                         ("tickets", "late_payment"), ("churned", "churned")):  # fmt: skip
        assert found[name].astype(int).tolist() == truth[wanted].astype(int).tolist(), name
    assert found["csm"].fillna("").tolist() == truth["csm_id"].tolist()
    assert np.abs(2 * np.log(found["quantity"] / 1000) - truth["health"]).max() < 0.02


# --- arguments, texts and the record of what there is ---------------------------------------------------------


def test_everything_wrong_with_the_arguments_is_said_at_once(engine):
    with pytest.raises(ParameterError) as error:
        rollups.run(engine, "account_month", strat="2024-01-01", end="soon", dense=1)
    said = str(error.value)
    assert "unknown parameter 'strat'" in said and "Did you mean 'start'?" in said
    assert "parameter 'start' is missing: the window's first day" in said
    assert "end = 'soon': it is not a date; write it as YYYY-MM-DD" in said
    assert "dense = 1: give True or False" in said


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("account_moth", {}, r"no roll-up 'account_moth'. Did you mean 'account_month'\? There are: paid_periods"),
        ("cohorts", {"observed_from": START, "as_of": END, "by": "week"}, "by = 'week': choose month or quarter"),
        ("cohorts", {"observed_from": END, "as_of": START}, "as_of 2024-01-01 is not after observed_from 2025-01-01"),
        ("survival_counts", {"observed_from": START, "as_of": END, "by": "segmnt"}, "Did you mean 'segment'"),
        ("ticket_cases", {"start": END, "as_of": END}, "as_of 2025-01-01 is not after start 2025-01-01"),
        ("repeat_contacts", {"as_of": END, "days": -1}, "give a whole number from 0 on"),
        ("usage_features", {"first": "2024-02-02", "last": "2024-01-20"}, "no month begins"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(engine, name, parameters, said):
    with pytest.raises(ParameterError, match=said):
        rollups.run(engine, name, **parameters)


def test_a_frame_that_is_no_table_of_the_contract_is_refused():
    with pytest.raises(
        ParameterError, match=r"subscription is not a table of the contract\. Did you mean 'subscriptions'"
    ):
        rollups.engine_of(subscription=pd.DataFrame())


def test_a_window_without_a_whole_month_and_a_book_that_never_paid_are_refused(engine):
    book = {"subscriptions": subscriptions(("A", "2024-01-01", None, 0))}
    with pytest.raises(ContractError, match="ever paid anything"):
        rolled(engine, "account_month", book, start=START, end=END)
    with pytest.raises(ContractError, match="no whole month lies between 2024-01-05 and 2024-02-25"):
        rollups.run(engine, "account_month", start="2024-01-05", end="2024-02-25")


def test_frames_of_ones_own_are_staged_by_the_contract():
    times = pd.to_datetime(["2024-01-01T01:30:00+02:00"])
    engine = rollups.engine_of(
        usage=pd.DataFrame({"account_id": ["A"], "occurred_at": times}),
        subscriptions=subscriptions(("B", "2024-01-01", None, 19.99)),
    )
    assert engine.rows("SELECT occurred_at, user_id FROM usage")[0][0] == pd.Timestamp("2023-12-31T23:30:00")
    assert engine.rows("SELECT mrr_cents, end_date, plan FROM subscriptions") == [(1999, None, None)]
    assert engine.rows("SELECT account_id FROM accounts ORDER BY account_id") == [("A",), ("B",)]
    for name, table in TABLES.items():
        kept = {column.stored: column.sql_type for column in table.columns}
        assert engine.columns(name) == kept, name
    engine.close()


def test_nothing_is_left_behind_in_the_engine(engine):
    before = engine.rows("SELECT table_name FROM information_schema.tables ORDER BY table_name")
    rolled(engine, "movements", {"subscriptions": subscriptions(("A", "2024-01-01", None, 5))}, start=START, end=END)
    assert engine.rows("SELECT table_name FROM information_schema.tables ORDER BY table_name") == before


@pytest.mark.parametrize("name", list(rollups.ROLLUPS))
def test_each_rollup_describes_its_parameters_and_columns(name):
    rollup = rollups.ROLLUPS[name]
    assert set(rollup.grain) <= set(rollup.columns)
    assert all(parameter.meaning for parameter in rollup.parameters.values())
    for column, output in rollup.columns.items():
        assert output.meaning, column
        assert output.unit or output.kind in ("text", "date", "flag"), f"{column} has no unit"


def test_every_text_belongs_to_a_rollup():
    named = {step for rollup in rollups.ROLLUPS.values() for step in (*rollup.steps, rollup.name)}
    assert {path.stem for path in SQL_FILES} == named


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda p: p.stem)
def test_the_texts_keep_to_what_all_engines_understand(path):
    text = path.read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    banned = (
        r"\bQUALIFY\b|\bFILTER\b|\bGROUP BY ALL\b|::|\bINTERVAL\b|\bDATE_?(DIFF|TRUNC|ADD|PART)\b|\bGENERATE_SERIES\b|"
        r"\bRANGE\(|\bPERCENTILE|\bQUANTILE|\bAPPROX|\bMEDIAN\(|\bHASH\(|\bEPOCH\b|\bDOUBLE\b|\bVARCHAR\b|\bFLOAT\b|"
        r"\bTRY_CAST\b|\bILIKE\b|\bANY_VALUE\b|\bARG_M|\bLIMIT\b|\bUSING\b|\bIFNULL\b|\bNVL\b|\bNOW\(|\bCURRENT_(DATE|TIME)"
    )
    assert re.findall(banned, code, re.IGNORECASE) == []
    assert not text.rstrip().endswith(";") and "{" not in code and "?" not in code and "$" not in code
    assert text.startswith("-- "), "the first lines say what it makes"
    assert not re.search(r"[^.\w](/)\s*\d+\b(?!.*q\.one)", code) or "q.one" in code, "whole-number division differs"
    for order in re.findall(r"OVER \(([^()]*(?:\([^()]*\)[^()]*)*)\)", code):
        if "ORDER BY" in order:
            by = order.split("ORDER BY")[1].split("ROWS")[0]
            unique = ("ticket_id", "rep_id", "start_date", "day", "account_id")
            assert by.split(",")[-1].split()[0].split(".")[-1] in unique, f"no tie-break: {by}"
