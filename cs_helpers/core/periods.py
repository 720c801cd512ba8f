"""Months and windows of whole months, [start, end). A month is named by its first day; today's date is never used."""

from __future__ import annotations

import calendar
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError


def month(value: Any) -> pd.Timestamp:
    """The month that holds ``value``, as its first day. Raises ParameterError if it is not a date."""
    try:
        return pd.Timestamp(value).normalize().replace(day=1)
    except (ValueError, TypeError):
        raise ParameterError(f"'{value}' is not a date. Write it as YYYY-MM-DD, for example 2026-07-01.") from None


def window(start: Any, end: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The window [start, end) of whole months, from dates or text. Raises ParameterError if it holds none."""
    first, last = month(start), month(end)
    if last <= first:
        raise ParameterError(f"the window {first:%Y-%m-%d} to {last:%Y-%m-%d} holds no month; choose a later end.")
    return first, last


def add_months(value: pd.Timestamp, months: int) -> pd.Timestamp:
    """The same day ``months`` later; the last day of a shorter month where that day does not exist."""
    year, place = divmod(value.year * 12 + value.month - 1 + int(months), 12)
    longest = calendar.monthrange(year, place + 1)[1] if value.day > 28 else 31
    return value.replace(year=year, month=place + 1, day=min(value.day, longest))


def month_starts(first: pd.Timestamp, end: pd.Timestamp) -> pd.DatetimeIndex:
    """First days of the months in [first, end)."""
    return pd.date_range(first, end, freq="MS", inclusive="left", unit="us")


def month_index(dates: pd.Series) -> pd.Series:
    """Months since year 0, an integer; consecutive months differ by 1."""
    result: pd.Series = dates.dt.year * 12 + dates.dt.month - 1
    return result


def month_start(dates: pd.Series) -> pd.Series:
    """The first day of the month that holds each date; NaT where missing."""
    result: pd.Series = (dates - pd.to_timedelta(dates.dt.day - 1, unit="D")).dt.normalize()
    return result


def months_between(start: pd.Series, end: pd.Series) -> pd.Series:
    """Calendar months from ``start`` to ``end``, elementwise.

        months = whole calendar months + (day of end - day of start) / 31

    Whole numbers on monthly anniversaries (31 January to 28 February is 1): a contract of a year always lasts 12.0
    months. NaN where either date is missing.
    """
    last_day = end.dt.days_in_month
    day_of_start = np.minimum(start.dt.day, last_day)
    result: pd.Series = (month_index(end) - month_index(start)) + (end.dt.day - day_of_start) / 31
    return result


def day_words(day: pd.Timestamp) -> str:
    """``30 June 2026``, whatever the locale."""
    return f"{day.day} {day.month_name()} {day.year}"


def window_words(start: pd.Timestamp, end: pd.Timestamp) -> str:
    """A window of whole months in words: ``July 2025 to June 2026``, or the one month."""
    last = end - pd.DateOffset(months=1)
    words = [f"{month.month_name()} {month.year}" for month in (start, last)]
    return words[0] if last <= start else " to ".join(words)


def quarter_words(start: pd.Timestamp, end: pd.Timestamp) -> str:
    """A window of whole months in short: ``Jul–Sep 2026``, ``Nov 2026–Jan 2027``."""
    last = end - pd.DateOffset(months=1)
    first = start.month_name()[:3] + ("" if start.year == last.year else f" {start.year}")
    return f"{first}–{last.month_name()[:3]} {last.year}"


def trailing_window(first: pd.Timestamp, as_of: pd.Timestamp, months: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The ``months`` before ``as_of``, or as many of them as lie at or after ``first``.

    Raises ParameterError for fewer than one month or more than 600.
    """
    if not 1 <= months <= 600:
        raise ParameterError(f"months = {months}: a window has at least one month and at most 600, for example 12.")
    return max(add_months(as_of, -months), first), as_of
