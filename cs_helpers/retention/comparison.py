"""The headline figures of retention in two consecutive windows, and how they ran over the last thirteen month ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.estimates import Comparison, Estimate, Target
from cs_helpers.core.metrics import short_name
from cs_helpers.core.results import Record, Result
from cs_helpers.retention.mrr import unloaded
from cs_helpers.retention.windows import MonthlyMrr, cohort_of, logos_of, monthly_mrr, revenue_of, target

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
class RetentionHistory(Record):
    """MRR, NRR, GRR and logo retention now and in the window before, and the lines that end with them."""

    comparisons: tuple[Comparison, ...]
    lines: tuple[TrendLine, ...]

    def __getitem__(self, key: str) -> Comparison:
        return next(c for c in self.comparisons if c.now.key == key)


@dataclass(frozen=True, repr=False)
class Summary(Result):
    """MRR, NRR, GRR and logo retention, each against the window before and its target. Money in ``currency``.

    ``summary["grr"]`` is one of the ``comparisons``, by the key of its metric.
    """

    comparisons: tuple[Comparison, ...]
    currency: str

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
    return tuple(sorted((_day(day), str(what)) for day, what in (events or {}).items()))


def _day(value: str) -> pd.Timestamp:
    day = pd.to_datetime(value, errors="coerce")
    if pd.isna(day):
        raise ParameterError(f"events: '{value}' is not a date. Write it as YYYY-MM-DD, for example 2026-03-01.")
    return pd.Timestamp(day)


def window_estimates(paid: MonthlyMrr, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, Estimate]:
    """The headline estimates of one window: ``mrr`` (at its end), ``nrr``, ``grr``, ``logo_retention``.

    A window that begins before the data, or in which no account was paying at the start, gives estimates without value
    but with the reason. Raises ContractError for a month inside the data without any row.

    Example:
        >>> paid = cs.retention.monthly_mrr(tables.account_months())
        >>> found = cs.retention.window_estimates(paid, *cs.retention.window(tables))
        >>> list(found)
        ['mrr', 'nrr', 'grr', 'logo_retention']
    """
    first = paid.months[0]
    if start < first or end <= first:
        reason = f"the data begin in {first:%B %Y}"
    elif not (paid.cents[:, paid.place(start)] > 0).any():
        reason = f"no account was paying as {start:%B %Y} began"
    else:
        _refuse_gaps(paid, start, end)
        cohort = cohort_of(paid, start, end)
        found = {**revenue_of(cohort, start, end).estimates, **logos_of(paid, cohort, start, end).estimates}
        return {"mrr": _closing(paid, end), **{key: found[key] for key in KEYS}}
    mrr = _closing(paid, end) if end > first else Estimate("mrr", None, None, None, 0, reason=reason)
    return {"mrr": mrr, **{key: Estimate(key, None, None, None, 0, reason=reason) for key in KEYS}}


def _closing(paid: MonthlyMrr, end: pd.Timestamp) -> Estimate:
    closing = paid.cents[:, paid.place(end)]
    mrr = float(closing.sum() / 100)
    return Estimate("mrr", mrr, mrr, None, int((closing > 0).sum()))


def _refuse_gaps(paid: MonthlyMrr, start: pd.Timestamp, end: pd.Timestamp) -> None:
    inside = slice(paid.place(start), paid.place(end))
    absent = paid.months[:-1][inside][~paid.loaded[inside]]
    if len(absent):
        raise ContractError(unloaded(absent, paid.months[0], paid.months[-2]))


def retention_history(
    panel: pd.DataFrame, as_of: pd.Timestamp, months: int = 12, goals: pd.DataFrame | None = None
) -> RetentionHistory:
    """MRR, NRR, GRR and logo retention over the ``months`` before ``as_of``, against the ``months`` before those.

    ``panel`` is the roll-up ``account_month``. ``goals`` (the contract's table) gives the targets of whole departments
    whose period holds the last day counted. The lines hold the same figures at each of the last thirteen month ends for
    which the window fits. Raises ParameterError for fewer than one month.

    Example:
        >>> history = cs.retention.retention_history(tables.account_months(), tables.as_of)
        >>> history["logo_retention"].change.verdict
        'fall'
    """
    periods.trailing_window(as_of, as_of, months)
    paid = monthly_mrr(panel)
    mid, start = periods.add_months(as_of, -months), periods.add_months(as_of, -2 * months)
    now, before = window_estimates(paid, mid, as_of), window_estimates(paid, start, mid)
    ends = [periods.add_months(as_of, -back) for back in range(12, -1, -1)]
    course = [window_estimates(paid, periods.add_months(end, -months), end) for end in ends]
    words = (periods.window_words(mid, as_of), periods.window_words(start, mid))
    aims = {key: target(now[key], goals, as_of) for key in now}
    comparisons = tuple(
        Comparison(
            now[key], before[key], stats.compare(now[key], before[key]), *words,
            trend=tuple(_number(each[key].value) for each in course), target=aims[key],
        )
        for key in now
    )  # fmt: skip
    return RetentionHistory(comparisons, tuple(_line(key, ends, course, aims) for key in KEYS))


def _number(value: float | None) -> float:
    return float("nan") if value is None or not np.isfinite(value) else float(value)


def _line(
    key: str,
    ends: list[pd.Timestamp],
    course: list[dict[str, Estimate]],
    aims: Mapping[str, Target | None],
) -> TrendLine:
    aim = aims[key]
    rows = [each[key] for each in course]
    return TrendLine(
        key,
        short_name(key),
        tuple(periods.add_months(end, -1) for end in ends),
        tuple(_number(each.value) for each in rows),
        tuple(_number(each.low) for each in rows),
        tuple(_number(each.high) for each in rows),
        aim.value if aim else None,
    )
