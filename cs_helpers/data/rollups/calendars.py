"""The small tables that the roll-ups' texts join: months, days, cohort cells, and the one row of parameters.

Made in Python, because the engines have no common way to make a series of days or to add months to one. Each function
takes the engine and the roll-up's arguments, gives tables by name, and may add values to the arguments.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.data.engines.duckdb import to_pandas
from cs_helpers.data.rollups.staging import Engine, arrow_type, stored

if TYPE_CHECKING:
    import pyarrow as pa

    Values = dict[str, Any]
    Made = dict[str, pa.Table]

EVENTS_PER_BUCKET = 2_500_000
"""Trailing usage is rolled up for so many accounts at a time that about this many events are in work."""


def _table(**columns: tuple[str, list[Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.table({name: pa.array(values, type=arrow_type(kind)) for name, (kind, values) in columns.items()})


def one_row(values: Values) -> pa.Table:
    """``parameters``: each value in a column of its type, and ``one``."""
    columns: dict[str, tuple[str, list[Any]]] = {"one": ("number", [1.0])}
    for name, value in values.items():
        if value is None or isinstance(value, pd.Timestamp):
            columns[name] = ("date", [None if value is None else value.date()])
        elif isinstance(value, bool):
            columns[name] = ("flag", [value])
        else:
            columns[name] = ("integer" if isinstance(value, int) else "text", [value])
    return _table(**columns)


def _index(day: pd.Timestamp) -> int:
    return day.year * 12 + day.month - 1


def _month_starts(first: pd.Timestamp, end: pd.Timestamp) -> list[pd.Timestamp]:
    return list(periods.month_starts(first, end))


def _months(starts: list[pd.Timestamp], **more: tuple[str, list[Any]]) -> pa.Table:
    """``calendar_months``: one row per month that begins on one of ``starts``."""
    following = [periods.add_months(day, 1) for day in starts]
    return _table(
        month_index=("integer", [_index(day) for day in starts]),
        first_day=("date", [day.date() for day in starts]),
        next_first_day=("date", [day.date() for day in following]),
        days=("integer", [day.days_in_month for day in starts]),
        **more,
    )


def window_months(engine: Engine, values: Values) -> Made:
    """The whole months of [start, end)."""
    starts = _month_starts(values["start"], periods.month(values["end"]))
    if not starts:
        raise ContractError(
            f"no whole month lies between {values['start']:%Y-%m-%d} and {values['end']:%Y-%m-%d}. "
            "Load at least one complete month."
        )
    return {"calendar_months": _months(starts)}


def window(engine: Engine, values: Values) -> Made:
    """The window's first day and the first day after it."""
    values["start_day"], values["end_day"] = periods.window(values["start"], values["end"])
    return {}


def observed_months(engine: Engine, values: Values) -> Made:
    """The months of [observed_from, as_of], and the last day seen."""
    if values["as_of"] <= values["observed_from"]:
        raise ParameterError(
            f"as_of {values['as_of']:%Y-%m-%d} is not after observed_from {values['observed_from']:%Y-%m-%d}."
        )
    values["eve"] = values["as_of"] - pd.Timedelta(days=1)
    return {"calendar_months": _months(_month_starts(periods.month(values["observed_from"]), values["as_of"]))}


def cohort_cells(engine: Engine, values: Values) -> Made:
    """The cells of a cohort triangle that the whole cohort had reached before ``as_of``."""
    made = observed_months(engine, values)
    step = values["cohort_months"] = 1 if values.pop("by") == "month" else 3
    observed_from, as_of = values["observed_from"], values["as_of"]
    first = _index(observed_from) - _index(observed_from) % step
    cells: list[tuple[pd.Timestamp, int]] = []
    for index in range(first, _index(as_of) + 1, step):
        cohort = pd.Timestamp(index // 12, index % 12 + 1, 1)
        # The last account of a cohort may start on its last day; as_of itself is not seen any more.
        last_start = periods.add_months(cohort, step) - pd.Timedelta(days=1)
        for age in range(0, _index(as_of) - _index(observed_from) + 1, step):
            if periods.add_months(last_start, age) >= as_of:
                break
            cells.append((cohort, age))
    return made | {
        "calendar_cohorts": _table(
            cohort=("date", [cohort.date() for cohort, _ in cells]),
            first_index=("integer", [_index(cohort) for cohort, _ in cells]),
            last_index=("integer", [_index(cohort) + step - 1 for cohort, _ in cells]),
            cohort_months=("integer", [step] * len(cells)),
            age_months=("integer", [age for _, age in cells]),
        )
    }


def spells_by_attribute(engine: Engine, values: Values) -> Made:
    """``account_groups``: the value of the chosen attribute for each account; one group without an attribute."""
    column = values.pop("by")
    accounts = to_pandas(engine.arrow("SELECT * FROM accounts"))
    if column and column not in accounts:
        raise ParameterError(
            f"survival_counts: accounts have no attribute '{column}'.{did_you_mean(column, list(accounts.columns))}"
        )
    groups: Any = accounts[column] if column else pd.Series("", accounts.index)
    made = _table(account_id=("text", list(accounts["account_id"])))
    return observed_months(engine, values) | {"account_groups": made.append_column("attribute", stored(groups, "text"))}


def trailing_days(engine: Engine, values: Values) -> Made:
    """The days before each month start asked for, and which of its windows begin inside the data."""
    every = _month_starts(periods.month(values["first"]), values["last"] + pd.Timedelta(days=1))
    starts = every[:: -values.pop("step")][::-1]
    if not starts:
        raise ParameterError(
            f"usage_features: no month begins from {values['first']:%Y-%m-%d} to {values['last']:%Y-%m-%d}."
        )
    found, events = engine.rows("SELECT MIN(occurred_at), COUNT(*) FROM usage")[0]
    seen_from = values["observed_from"] or (pd.Timestamp(found).normalize() if found is not None else pd.Timestamp.max)
    values["buckets"] = values["buckets"] or max(1, -(-events // EVENTS_PER_BUCKET))
    values["bucket"] = 0
    days, windows = segments(starts)
    before = [periods.add_months(month, -1) for month in starts]
    return {
        "calendar_months": _months(
            starts,
            days_before=("integer", [month.days_in_month for month in before]),
            seen_28=("flag", [month - pd.Timedelta(days=28) >= seen_from for month in starts]),
            seen_90=("flag", [month - pd.Timedelta(days=90) >= seen_from for month in starts]),
            seen_month=("flag", [month >= seen_from for month in before]),
        ),
        "calendar_days": _table(
            day=("date", [day.date() for day, _ in days]),
            segment=("integer", [segment for _, segment in days]),
            month_index=("integer", [_index(day) for day, _ in days]),
        ),
        "calendar_windows": _table(
            segment=("integer", [segment for segment, *_ in windows]),
            month=("date", [month.date() for _, month, *_ in windows]),
            in_28=("flag", [in_28 for *_, in_28, _ in windows]),
            in_month=("flag", [in_month for *_, in_month in windows]),
        ),
    }


def segments(
    starts: list[pd.Timestamp],
) -> tuple[list[tuple[pd.Timestamp, int]], list[tuple[int, pd.Timestamp, bool, bool]]]:
    """The days before ``starts``, each with the number of its segment, and the windows that hold each segment.

    ``starts`` ascend, not necessarily month by month. Days are of one segment if they lie in the same of the windows:
    90 days, 28 days, and the calendar month before a month start. Numbers grow with time.
    """
    days: list[tuple[pd.Timestamp, int]] = []
    windows: list[tuple[int, pd.Timestamp, bool, bool]] = []
    last: list[tuple[pd.Timestamp, bool, bool]] = []
    numbered = {_index(month): (month, month.toordinal()) for month in starts}
    number = -1
    for day in pd.date_range(starts[0] - pd.Timedelta(days=90), starts[-1] - pd.Timedelta(days=1), unit="us"):
        at, own = day.toordinal(), _index(day)
        following = [(numbered[index], index == own + 1) for index in range(own + 1, own + 5) if index in numbered]
        holding = [(month, begins - at <= 28, first) for (month, begins), first in following if begins - at <= 90]
        if holding != last:
            number, last = number + 1, holding
            windows += [(number, *window) for window in holding]
        days.append((day, number))
    return days, windows


def ticket_days(engine: Engine, values: Values) -> Made:
    """Every day from the first to the last one that a ticket names, numbered from 1970."""
    return _numbered_days(engine, values, [])


def case_days(engine: Engine, values: Values) -> Made:
    """The same from the first day that a subscription names on, and the window's first second among the arguments."""
    if values["as_of"] <= values["start"]:
        raise ParameterError(f"as_of {values['as_of']:%Y-%m-%d} is not after start {values['start']:%Y-%m-%d}.")
    values["start_second"] = _second(values["start"])
    return _numbered_days(engine, values, list(engine.rows("SELECT MIN(start_date) FROM subscriptions")[0]))


def _second(day: pd.Timestamp) -> int:
    return int((day - pd.Timestamp(0)) // pd.Timedelta(seconds=1))


def _numbered_days(engine: Engine, values: Values, more: list[Any]) -> Made:
    if "as_of" in values:
        values["as_of_second"] = _second(values["as_of"])
    found = engine.rows(
        "SELECT MIN(opened_at), MIN(first_response_at), MIN(resolved_at), "
        "MAX(opened_at), MAX(first_response_at), MAX(resolved_at) FROM tickets"
    )[0]
    named = [pd.Timestamp(value).normalize() for value in [*found, *more] if value is not None]
    days = list(pd.date_range(min(named), max(named), unit="us")) if named else []
    return {
        "calendar_days": _table(
            day=("date", [day.date() for day in days]),
            day_number=("integer", [(day.date() - dt.date(1970, 1, 1)).days for day in days]),
            month=("date", [day.date().replace(day=1) for day in days]),
            weekday=("integer", [day.weekday() for day in days]),
        )
    }


def months_with_an_end(engine: Engine, values: Values) -> Made:
    """The months from ``start`` on whose next first day lies before ``as_of``."""
    starts = [
        day for day in _month_starts(values["start"], values["as_of"]) if periods.add_months(day, 1) < values["as_of"]
    ]
    if not starts:
        raise ContractError(
            f"no whole month, with the day after it, lies between {values['start']:%Y-%m-%d} and "
            f"{values['as_of']:%Y-%m-%d}. Load at least two complete months."
        )
    values["first_index"] = _index(starts[0])
    return {"calendar_months": _months(starts)}
