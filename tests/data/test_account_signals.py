"""What became known about an account, and in which month: literal rows, then an independent reference."""

import pandas as pd
import pytest
import rollup_references as references
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_helpers.data import rollups
from cs_helpers.data.contract.tables import TABLES

START, END = pd.Timestamp("2024-01-01"), pd.Timestamp("2024-07-01")
NAMES = ["tickets", "escalated", "csat_sum", "csat_answers", "nps_sum", "nps_answers", "touches", "qbrs", "touch_hours"]
TICKETS = ["ticket_id", "account_id", "opened_at", "resolved_at", "escalated", "csat"]
SURVEYS = ["kind", "account_id", "sent_at", "answered_at", "score"]
TOUCHES = ["account_id", "occurred_at", "kind", "hours"]


def frame(columns, rows):
    table = pd.DataFrame(rows, columns=columns)
    for name in columns:
        if name.endswith("_at"):
            table[name] = pd.to_datetime(table[name], format="ISO8601").astype("datetime64[us]")
    return table


@pytest.fixture(scope="module")
def engine():
    engine = rollups.engine_of()
    yield engine
    engine.close()


def signals(engine, tickets=(), surveys=(), touches=(), start=START, end=END):
    for name, columns, rows in (
        ("tickets", TICKETS, tickets), ("surveys", SURVEYS, surveys), ("touches", TOUCHES, touches)
    ):  # fmt: skip
        rollups.stage(engine, name, rows if isinstance(rows, pd.DataFrame) else frame(columns, rows))
    return rollups.run(engine, "account_signals", start=start, end=end)


def months(found, *names):
    return [(row["account_id"], f"{row['month']:%m}", *(row[name] for name in names)) for _, row in found.iterrows()]


def test_a_ticket_counts_when_opened_and_its_escalation_and_csat_when_resolved(engine):
    found = signals(
        engine,
        tickets=[
            ("t1", "A", "2024-01-31T23:59:59", "2024-02-01", True, 2),
            ("t2", "A", "2024-01-15", "2024-02-29T23:59:59", False, 5),
            ("t3", "A", "2024-02-20", None, None, None),
        ],
    )
    assert months(found, "tickets", "escalated", "csat_sum", "csat_answers") == [
        ("A", "01", 2, 0, 0, 0), ("A", "02", 1, 1, 7, 2)
    ]  # fmt: skip


def test_nps_counts_when_answered_and_only_answers_with_a_score_do(engine):
    found = signals(
        engine,
        surveys=[
            ("nps", "A", "2024-01-31", "2024-02-02", 9), ("nps", "A", "2024-01-31", "2024-02-03", 4),
            ("nps", "A", "2024-01-31", None, None), ("nps", "A", "2024-01-31", "2024-03-01", None),
            ("csat", "A", "2024-01-31", "2024-02-02", 5), ("nps", None, "2024-01-31", "2024-02-02", 10),
        ],
    )  # fmt: skip
    assert months(found, "nps_sum", "nps_answers") == [("A", "02", 13, 2)]


def test_hours_of_touches_are_missing_where_none_is_recorded_and_0_where_nothing_was_done(engine):
    found = signals(
        engine,
        tickets=[("t", "A", "2024-01-05", None, None, None)],
        touches=[
            ("A", "2024-02-05", "qbr", 1.5), ("A", "2024-02-06", "check_in", None), ("A", "2024-03-05", "qbr", None)
        ],
    )  # fmt: skip
    assert found["touches"].tolist() == [0, 2, 1] and found["qbrs"].tolist() == [0, 1, 1]
    assert found["touch_hours"].tolist()[:2] == [0, 1.5] and pd.isna(found["touch_hours"].iloc[2])


def test_only_whole_months_of_the_window_and_nothing_of_nobody(engine):
    touches = [("A", day, "qbr", 1.0) for day in ("2023-12-31", "2024-01-01", "2024-02-29", "2024-03-01")]
    tickets = [("t", None, "2024-02-05", "2024-02-06", True, 1)]
    found = signals(engine, tickets, touches=touches, start="2024-01-01", end="2024-03-15")
    assert months(found, "touches", "tickets") == [("A", "01", 1, 0), ("A", "02", 1, 0)]


def test_a_book_without_tickets_surveys_and_touches_has_no_rows(engine):
    found = signals(engine)
    assert len(found) == 0 and list(found.columns) == list(rollups.ROLLUPS["account_signals"].columns)


MOMENTS = st.sampled_from(
    ["2023-12-31T23:59:59.9", "2024-01-01", "2024-02-29T12:00", "2024-03-01", "2024-06-30T23:59:59.999", "2024-07-01"]
).map(pd.Timestamp) | st.integers(0, 300 * 86_400).map(
    lambda n: pd.Timestamp("2023-11-01") + pd.Timedelta(seconds=n)
)  # fmt: skip
WHO = st.none() | st.sampled_from(["A", "B", "C"])


@st.composite
def companies(draw):
    most = 8
    opened = draw(st.lists(MOMENTS, max_size=most))
    later = st.none() | st.integers(0, 90).map(lambda n: pd.Timedelta(days=n))
    tickets = [
        (
            f"t{n}", draw(WHO), at, None if (delay := draw(later)) is None else at + delay,
            draw(st.none() | st.booleans()), draw(st.none() | st.integers(2, 10).map(lambda x: x / 2)),
        )
        for n, at in enumerate(opened)
    ]  # fmt: skip
    surveys = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["nps", "csat", "exit"]), WHO, st.none() | MOMENTS, st.none() | MOMENTS,
                st.none() | st.integers(0, 10),
            ),
            max_size=most,
        )
    )  # fmt: skip
    hours = st.none() | st.integers(0, 40).map(lambda n: n / 7)
    touch = st.tuples(st.sampled_from("ABC"), MOMENTS, st.sampled_from(["qbr", "check_in"]), hours)
    touches = draw(st.lists(touch, max_size=most))
    return frame(TICKETS, tickets), frame(SURVEYS, surveys), frame(TOUCHES, touches)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables=companies())
def test_signals_equal_the_reference(engine, tables):
    found = signals(engine, *tables)
    expected = references.account_signals(*tables, START, END)
    assert list(found.columns) == list(expected.columns)
    pd.testing.assert_frame_equal(
        found.astype(dict.fromkeys(NAMES, float)), expected.astype(dict.fromkeys(NAMES, float)),
        check_dtype=False, rtol=1e-12, atol=1e-12,
    )  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables=companies())
def test_what_happens_later_never_changes_a_past_month(engine, tables):
    """Everything known by the end of March, cut off there, gives the same January to March."""
    cut = pd.Timestamp("2024-04-01")
    tickets, surveys, touches = tables
    seen = tickets[tickets["opened_at"] < cut].copy()
    later = ~(seen["resolved_at"] < cut)
    seen.loc[later, "resolved_at"] = pd.NaT
    seen[["escalated", "csat"]] = seen[["escalated", "csat"]].astype(object)
    seen.loc[later, ["escalated", "csat"]] = None
    then = signals(engine, seen, surveys[surveys["answered_at"] < cut], touches[touches["occurred_at"] < cut], end=cut)
    today = signals(engine, *tables)
    past = today[today["month"] < cut].reset_index(drop=True)
    pd.testing.assert_frame_equal(then, past, check_dtype=False)


def test_it_reads_tables_of_the_contract_that_say_when_each_value_became_known():
    known = {column.name: column.known_with for column in TABLES["tickets"].columns}
    assert known["csat"] == known["escalated"] == "resolved_at"
