"""The small tables that the roll-ups' texts join: months, days, cohort cells, and the one row of parameters.

Made in Python, because the engines have no common way to make a series of days or to add months to one. Each function
takes the engine and the roll-up's arguments, returns tables by name, and may add values to the arguments.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.data.engines.duckdb import to_pandas
from cs_helpers.data.rollups.staging import Engine, arrow_type, stored

Values = dict[str, Any]
Made = dict[str, pa.Table]

EVENTS_PER_BUCKET = 2_500_000
"""Trailing usage is rolled up for so many accounts at a time that about this many events are in work."""
_DAY, _NEXT_MONTH = pd.Timedelta(days=1), pd.offsets.MonthBegin(1)


def _table(**columns: tuple[str, Any]) -> pa.Table:
    return pa.table({name: pa.array(values, type=arrow_type(kind)) for name, (kind, values) in columns.items()})


def one_row(values: Values) -> pa.Table:
    """``parameters``: each value in a column of its type, and ``one``."""
    columns: dict[str, tuple[str, list[Any]]] = {"one": ("number", [1.0])}
    for name, value in values.items():
        kinds = {bool: "flag", int: "integer", str: "text"}
        columns[name] = (kinds.get(type(value), "date"), [value])
    return _table(**columns)


def _index(day: Any) -> Any:
    """Months since year 0 of a day or of many."""
    return day.year * 12 + day.month - 1


def _months(starts: pd.DatetimeIndex, **more: tuple[str, Any]) -> Made:
    """``calendar_months``: one row per month that begins on one of ``starts``."""
    return {
        "calendar_months": _table(
            month_index=("integer", _index(starts)),
            first_day=("date", starts),
            next_first_day=("date", starts + _NEXT_MONTH),
            days=("integer", starts.days_in_month),
            **more,
        )
    }


def window_months(engine: Engine, values: Values) -> Made:
    """The whole months of [start, end)."""
    starts = periods.month_starts(values["start"], periods.month(values["end"]))
    if starts.empty:
        raise ContractError(
            f"no whole month lies between {values['start']:%Y-%m-%d} and {values['end']:%Y-%m-%d}. "
            "Load at least one complete month."
        )
    return _months(starts)


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
    values["eve"] = values["as_of"] - _DAY
    return _months(periods.month_starts(periods.month(values["observed_from"]), values["as_of"]))


def cohort_cells(engine: Engine, values: Values) -> Made:
    """The cells of a cohort triangle that the whole cohort had reached before ``as_of``."""
    made = observed_months(engine, values)
    step = values["cohort_months"] = 1 if values.pop("by") == "month" else 3
    first, as_of = _index(values["observed_from"]), values["as_of"]
    cells: list[tuple[pd.Timestamp, int]] = []
    for index in range(first - first % step, _index(as_of) + 1, step):
        cohort = pd.Timestamp(index // 12, index % 12 + 1, 1)
        # The last account of a cohort may start on its last day; as_of itself is not seen any more.
        last_start = periods.add_months(cohort, step) - _DAY
        ages = range(0, _index(as_of) - first + 1, step)
        cells += [(cohort, age) for age in ages if periods.add_months(last_start, age) < as_of]
    return made | {
        "calendar_cohorts": _table(
            cohort=("date", [cohort for cohort, _ in cells]),
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
    starts = periods.month_starts(periods.month(values["first"]), values["last"] + _DAY)
    starts = starts[:: -values.pop("step")][::-1]
    if starts.empty:
        raise ParameterError(
            f"usage_features: no month begins from {values['first']:%Y-%m-%d} to {values['last']:%Y-%m-%d}."
        )
    found, events = engine.rows("SELECT MIN(occurred_at), COUNT(*) FROM usage")[0]
    seen_from = values["observed_from"] or (pd.Timestamp(found).normalize() if found is not None else pd.Timestamp.max)
    values["buckets"] = values["buckets"] or max(1, -(-events // EVENTS_PER_BUCKET))
    values["bucket"] = 0
    before = starts - _NEXT_MONTH
    months = _months(
        starts,
        days_before=("integer", before.days_in_month),
        seen_28=("flag", starts - 28 * _DAY >= seen_from),
        seen_90=("flag", starts - 90 * _DAY >= seen_from),
        seen_month=("flag", before >= seen_from),
    )
    return months | _segments(starts)


def _segments(starts: pd.DatetimeIndex) -> Made:
    """The days before ``starts``, each with the number of its segment, and the windows that hold each segment.

    ``starts`` ascend, not necessarily month by month. Days are of one segment if they lie in the same of the windows:
    90 days, 28 days, and the calendar month before a month start. Numbers grow with time.
    """
    days = pd.date_range(starts[0] - 90 * _DAY, starts[-1] - _DAY, unit="us")
    segments: list[int] = []
    windows: list[tuple[int, pd.Timestamp, bool, bool]] = []
    last: list[tuple[pd.Timestamp, bool, bool]] = []
    numbered = {_index(month): (month, month.toordinal()) for month in starts}
    number = -1
    for day in days:
        at, own = day.toordinal(), _index(day)
        following = [(numbered[index], index == own + 1) for index in range(own + 1, own + 5) if index in numbered]
        holding = [(month, begins - at <= 28, first) for (month, begins), first in following if begins - at <= 90]
        if holding != last:
            number, last = number + 1, holding
            windows += [(number, *window) for window in holding]
        segments.append(number)
    segment, month, in_28, in_month = map(list, zip(*windows, strict=True))
    return {
        "calendar_days": _table(
            day=("date", days), segment=("integer", segments), month_index=("integer", _index(days))
        ),
        "calendar_windows": _table(
            segment=("integer", segment), month=("date", month), in_28=("flag", in_28), in_month=("flag", in_month)
        ),
    }


def ticket_days(engine: Engine, values: Values, *more: Any) -> Made:
    """Every day from the first to the last one that a ticket (or ``more``) names, numbered from 1970."""
    if "as_of" in values:
        values["as_of_second"] = _second(values["as_of"])
    found = engine.rows(
        "SELECT MIN(opened_at), MIN(first_response_at), MIN(resolved_at), "
        "MAX(opened_at), MAX(first_response_at), MAX(resolved_at) FROM tickets"
    )[0]
    named = [pd.Timestamp(value).normalize() for value in [*found, *more] if value is not None]
    days = pd.date_range(min(named), max(named), unit="us") if named else pd.DatetimeIndex([])
    return {
        "calendar_days": _table(
            day=("date", days),
            day_number=("integer", (days - pd.Timestamp(0)).days),
            month=("date", days.to_period("M").to_timestamp()),
            weekday=("integer", days.day_of_week),
        )
    }


def case_days(engine: Engine, values: Values) -> Made:
    """The same from the first day that a subscription names on, and the window's first second among the arguments."""
    if values["as_of"] <= values["start"]:
        raise ParameterError(f"as_of {values['as_of']:%Y-%m-%d} is not after start {values['start']:%Y-%m-%d}.")
    values["start_second"] = _second(values["start"])
    return ticket_days(engine, values, *engine.rows("SELECT MIN(start_date) FROM subscriptions")[0])


def _second(day: pd.Timestamp) -> int:
    return int((day - pd.Timestamp(0)) // pd.Timedelta(seconds=1))


def months_with_an_end(engine: Engine, values: Values) -> Made:
    """The months from ``start`` on whose next first day lies before ``as_of``."""
    starts = periods.month_starts(values["start"], values["as_of"])
    starts = starts[starts + _NEXT_MONTH < values["as_of"]]
    if starts.empty:
        raise ContractError(
            f"no whole month, with the day after it, lies between {values['start']:%Y-%m-%d} and "
            f"{values['as_of']:%Y-%m-%d}. Load at least two complete months."
        )
    values["first_index"] = _index(starts[0])
    return _months(starts)
