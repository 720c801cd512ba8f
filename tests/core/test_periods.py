"""Months, as people count them."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_helpers.core import periods
from cs_helpers.core.errors import ParameterError


def between(start, end):
    return periods.months_between(pd.Series([pd.Timestamp(start)]), pd.Series([pd.Timestamp(end)])).iloc[0]


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2025-01-15", "2026-01-15", 12),
        ("2024-02-29", "2025-02-28", 12),
        ("2025-01-31", "2025-02-28", 1),
        ("2025-01-31", "2025-03-31", 2),
        ("2025-01-01", "2025-01-01", 0),
        ("2025-01-01", "2025-01-16", 15 / 31),
        ("2025-01-20", "2025-03-10", 2 - 10 / 31),
    ],
)
def test_months_between_two_days(start, end, months):
    assert between(start, end) == pytest.approx(months)


DAY = st.dates(pd.Timestamp("2020-01-01").date(), pd.Timestamp("2030-12-31").date())


@given(DAY, st.integers(0, 1500))
def test_time_between_never_shrinks_from_one_day_to_the_next(start, days):
    end = pd.Timestamp(start) + pd.Timedelta(days=days)
    assert between(start, end) <= between(start, end + pd.Timedelta(days=1))


@given(DAY, st.integers(0, 60))
def test_anniversaries_are_whole_months(start, months):
    assert between(start, periods.add_months(pd.Timestamp(start), months)) == months


def test_windows_in_words():
    july = pd.Timestamp("2025-07-01")
    assert periods.window_words(july, pd.Timestamp("2026-07-01")) == "July 2025 to June 2026"
    assert periods.window_words(july, pd.Timestamp("2025-08-01")) == "July 2025"


def test_a_trailing_window_stops_where_the_data_begin():
    first, as_of = pd.Timestamp("2026-03-01"), pd.Timestamp("2026-07-01")
    assert periods.trailing_window(first, as_of, 2) == (pd.Timestamp("2026-05-01"), as_of)
    assert periods.trailing_window(first, as_of, 12) == (first, as_of)


def test_a_window_of_no_months_is_refused():
    with pytest.raises(ParameterError, match="at least one month"):
        periods.trailing_window(pd.Timestamp("2026-03-01"), pd.Timestamp("2026-07-01"), 0)
