"""The headline figures of retention in two consecutive windows, and how they ran over the last thirteen month ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ParameterError
from cs_helpers.core.estimates import Comparison, Estimate
from cs_helpers.core.metrics import short_name
from cs_helpers.core.results import Record, Result
from cs_helpers.retention.windows import MonthlyMrr, cohort_of, estimates_of, monthly_mrr, target

KEYS = ("nrr", "grr", "logo_retention")


@dataclass(frozen=True, repr=False)
class TrendLine(Record):
    """One ratio over trailing windows: ``months`` are their last months; NaN where there is no value.

    Neighbouring windows share most of their months, so the line is smoother than the truth.
    """

    key: str
    label: str
    months: tuple[pd.Timestamp, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    target: float | None = None


@dataclass(frozen=True, repr=False)
class Summary(Result):
    """MRR, NRR, GRR and logo retention, each against the window before and its target. Money in ``currency``.

    ``summary["grr"]`` is one of the ``comparisons``, by the key of its metric. ``lines`` hold the three ratios at each
    of the last thirteen month ends.
    """

    comparisons: tuple[Comparison, ...]
    currency: str = ""
    lines: tuple[TrendLine, ...] = ()

    def __getitem__(self, key: str) -> Comparison:
        return next(c for c in self.comparisons if c.now.key == key)


@dataclass(frozen=True, repr=False)
class Trend(Result):
    """NRR, GRR and logo retention over trailing windows of ``months`` months, one line each.

    ``grr`` compares the last window with the one before it. ``events`` are days and what happened on them.
    """

    lines: tuple[TrendLine, ...]
    grr: Comparison
    months: int
    events: tuple[tuple[pd.Timestamp, str], ...] = ()


def dated_events(events: Mapping[str, str] | None) -> tuple[tuple[pd.Timestamp, str], ...]:
    """Events by day, from days as text (2026-03-01) to what happened. Raises ParameterError for what is no date."""
    found = []
    for text, what in (events or {}).items():
        day = pd.to_datetime(text, errors="coerce")
        if pd.isna(day):
            raise ParameterError(f"events: '{text}' is not a date. Write it as YYYY-MM-DD, for example 2026-03-01.")
        found.append((pd.Timestamp(day), str(what)))
    return tuple(sorted(found))


def window_estimates(paid: MonthlyMrr, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, Estimate]:
    """The headline estimates of one window: ``mrr`` (at its end), ``nrr``, ``grr``, ``logo_retention``.

    A window that begins before the data, or in which no account was paying at the start, gives estimates without value
    but with the reason. Raises ContractError for a month inside the data without any row.
    """
    first = paid.months[0]
    reason = f"the data begin in {first:%B %Y}"
    if end <= first:
        return {key: Estimate(key, None, None, None, 0, reason=reason) for key in ("mrr", *KEYS)}
    closing = paid.cents[:, paid.place(end)]
    amount = float(closing.sum() / 100)
    mrr = {"mrr": Estimate("mrr", amount, amount, None, int((closing > 0).sum()))}
    if start >= first:
        if (paid.cents[:, paid.place(start)] > 0).any():
            return mrr | estimates_of(cohort_of(paid, start, end))
        reason = f"no account was paying as {start:%B %Y} began"
    return mrr | {key: Estimate(key, None, None, None, 0, reason=reason) for key in KEYS}


def retention_history(
    panel: pd.DataFrame, as_of: pd.Timestamp, months: int = 12, goals: pd.DataFrame | None = None, currency: str = ""
) -> Summary:
    """MRR, NRR, GRR and logo retention over the ``months`` before ``as_of``, against the ``months`` before those.

    ``panel`` is the roll-up ``account_month``. ``goals`` (the contract's table) gives the targets of whole departments
    whose period holds the last day counted. Raises ParameterError for fewer than one month.

    Example:
        >>> history = cs.retention.retention_history(tables.account_months(), tables.as_of)
        >>> history["logo_retention"].change.verdict
        'fall'
    """
    periods.trailing_window(as_of, as_of, months)  # checks months
    paid = monthly_mrr(panel)
    mid, start = periods.add_months(as_of, -months), periods.add_months(as_of, -2 * months)
    now, before = window_estimates(paid, mid, as_of), window_estimates(paid, start, mid)
    ends = [periods.add_months(as_of, -back) for back in range(12, -1, -1)]
    course = [window_estimates(paid, periods.add_months(end, -months), end) for end in ends]
    words = (periods.window_words(mid, as_of), periods.window_words(start, mid))
    last_months = tuple(periods.add_months(end, -1) for end in ends)
    comparisons, lines = [], []
    for key, value in now.items():
        aim = target(value, goals, as_of)
        values, low, high = (
            tuple(_number(getattr(each[key], part)) for each in course) for part in ("value", "low", "high")
        )
        change = stats.compare(value, before[key])
        comparisons.append(Comparison(value, before[key], change, *words, trend=values, target=aim))
        if key in KEYS:
            lines.append(TrendLine(key, short_name(key), last_months, values, low, high, aim.value if aim else None))
    return Summary(tuple(comparisons), currency, tuple(lines))


def _number(value: float | None) -> float:
    return float("nan") if value is None or not np.isfinite(value) else float(value)
