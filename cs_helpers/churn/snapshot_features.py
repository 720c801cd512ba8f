"""What was known of each account as a month began: the features of a risk model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.churn.account_base import (
    EPOCH,
    NEVER,
    AccountBase,
    dates,
    day_of_month_of,
    days_in,
    first_day,
    needs,
    numbers,
)
from cs_helpers.core import periods

Features = dict[str, np.ndarray]
Source = Callable[[int], Features]
"""Gives the features of every account of the base at the start of a month."""
ATTRIBUTE = "account: "
"""Begins the names of the features that are attributes of the account."""
MAX_VALUES = 20
"""A text attribute with more distinct values than this is no feature."""
_USAGE = ("usage_28", "usage_trend", "active_days_28", "users_28")


def _age(start: np.ndarray, month: int) -> np.ndarray:
    """Months from ``start`` to the first day of the month, as ``periods.months_between``; not below 0."""
    begun = start.astype("datetime64[M]").astype(np.int64) + EPOCH
    day_of_start = np.minimum(day_of_month_of(start), int(days_in(np.array(month))))
    result: np.ndarray = month - begun + (1 - day_of_start) / 31
    return result


def paying_source(base: AccountBase) -> Source:
    """Features of what is paid and since when."""
    had = np.bincount(base.spell_of, minlength=len(base.ids)) > 0  # of who came back on the very eve of as_of

    def at(month: int) -> Features:
        place = month - base.first
        back = max(place - 6, 0)
        mrr, earlier = base.eve[:, place], base.eve[:, back]
        start, running = base.starts(month), base.running(month)
        compared = (mrr > 0) & (earlier > 0) & (start < first_day(base.first + back))
        change = np.zeros(len(mrr))
        np.log(np.divide(mrr, earlier, where=compared, out=np.ones(len(mrr))), where=compared, out=change)
        return {
            "log_mrr": np.log(np.maximum(mrr, 1) / 100),
            "tenure_months": _age(start, month),
            "reactivated": np.where(running >= 0, base.spell_later[running], had).astype(float),
            "mrr_change_6m": change,
            "contracted_6m": base.contracted[:, back:place].any(axis=1).astype(float),
        }

    return at


@dataclass(frozen=True, eq=False)
class Contracts:
    """Paid subscriptions, the larger ones of an account later; ``notice`` is far away without one."""

    of: np.ndarray
    accounts: int
    start: np.ndarray
    end: np.ndarray
    notice: np.ndarray
    term: np.ndarray | None
    discount: np.ndarray | None

    def running(self, month: int) -> np.ndarray:
        return np.flatnonzero((self.start < first_day(month)) & (self.end >= first_day(month)))

    def noticed(self, month: int) -> tuple[np.ndarray, np.ndarray]:
        """Who had given notice before the month, and when the last of it was given."""
        rows = self.running(month)
        last = np.full(self.accounts, np.datetime64("0001-01-01", "D"))
        np.maximum.at(last, self.of[rows], self.notice[rows])
        given = (last > np.datetime64("0001-01-01", "D")) & (last < first_day(month))
        return given, last

    def source(self, base: AccountBase, lead: int, horizon: int) -> Source:
        """Features of the largest subscription that runs."""

        def at(month: int) -> Features:
            rows = self.running(month)
            made: Features = {}
            if self.term is not None:
                term = np.full(self.accounts, np.nan)
                term[self.of[rows]] = self.term[rows]
                made |= _due(term, base.starts(month), month, lead, horizon)
            if self.discount is not None:
                made["discount_rate"] = np.full(self.accounts, np.nan)
                made["discount_rate"][self.of[rows]] = self.discount[rows]
            return made

        return at


def contracts_of(subscriptions: pd.DataFrame | None, base: AccountBase) -> Contracts | None:
    """The paid subscriptions of the book's accounts; None without any."""
    if subscriptions is None or subscriptions.empty:
        return None
    needs(subscriptions, "subscriptions", ("account_id", "start_date", "end_date", "mrr"), "the table of the contract")
    rows = subscriptions[numbers(subscriptions["mrr"]) > 0]
    order = [c for c in ("mrr", "start_date", "term_months", "discount_rate", "end_date") if c in rows]
    rows = rows.sort_values(order, na_position="first")
    of = base.places(rows)
    rows, of = rows[of >= 0], of[of >= 0]
    known = dates(rows["start_date"]) < first_day(base.end)

    def recorded(name: str) -> np.ndarray | None:
        return numbers(rows[name]) if name in rows and rows[name][known].notna().any() else None

    notice = dates(rows["notice_date"], NEVER) if "notice_date" in rows else np.full(len(rows), NEVER)
    return Contracts(
        of, len(base.ids), dates(rows["start_date"]), dates(rows["end_date"], NEVER), notice,
        recorded("term_months"), recorded("discount_rate"),
    )  # fmt: skip


def _due(term: np.ndarray, start: np.ndarray, month: int, lead: int, horizon: int) -> Features:
    """The first contract anniversary on or after the month's first day, and whether one lies in the outcome window."""
    term = np.where(term > 0, term, np.nan)
    known = np.isfinite(term)
    steps = np.maximum(np.rint(np.where(known, term, 1)), 1).astype(np.int64)
    fixed = known & (steps > 1)
    begun = start.astype("datetime64[M]").astype(np.int64) + EPOCH

    def first_from(wanted: int) -> np.ndarray:
        result: np.ndarray = begun + np.maximum(-((begun - wanted) // steps), 1) * steps
        return result

    due = first_from(month)
    day_of_month = np.minimum(day_of_month_of(start), days_in(due))
    inside = fixed & (first_from(month + lead) < month + lead + horizon)
    until = np.where(fixed, due - month + (day_of_month - 1) / 31, 0.0)
    return {
        "due_date": np.where(fixed, first_day(due) + day_of_month - 1, np.datetime64("NaT", "D")),
        "term_months": term,
        "months_to_due": np.where(known, until, np.nan),
        "due_in_window": np.where(known, inside, np.nan),
    }


def joined(usage: pd.DataFrame | Sequence[pd.DataFrame] | None) -> pd.DataFrame | None:
    """Several frames of usage, of different months, as one."""
    if usage is None or isinstance(usage, pd.DataFrame):
        return usage
    parts = [part for part in usage if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else None


def used(usage: pd.DataFrame | None, base: AccountBase) -> Source | None:
    """Features of trailing usage."""
    if usage is None or usage.empty:
        return None
    needs(usage, "usage", ("account_id", "month"), "the roll-up usage_features with dense=True")
    months = periods.month_index(usage["month"]).to_numpy(np.int64)
    seen = (months >= base.first) & (months <= base.end)
    rows, months = usage[seen], months[seen]
    places = base.places(rows)
    order = np.argsort(months, kind="stable")
    bounds = np.searchsorted(months[order], np.arange(base.first, base.end + 2))
    columns = {
        name: numbers(rows[name])
        for name in ("events_28", "events_90", "active_days_28", "users_28")
        if name in rows and rows[name].notna().any()
    }

    def at(month: int) -> Features:
        which = order[bounds[month - base.first] : bounds[month - base.first + 1]]
        which = which[places[which] >= 0]
        own = {}
        for name, values in columns.items():
            own[name] = np.full(len(base.ids), np.nan)
            own[name][places[which]] = values[which]
        made: Features = {}
        if "events_28" in own:
            made["usage_28"] = np.log1p(own["events_28"])
        if "events_28" in own and "events_90" in own:
            made["usage_trend"] = np.log((own["events_28"] + 1) / (own["events_90"] * 28 / 90 + 1))
        return made | {name: own[name] for name in _USAGE[2:] if name in own}

    return at


def signalled(signals: pd.DataFrame | None, base: AccountBase) -> Source | None:
    """Features of tickets, answers and touches."""
    if signals is None or signals.empty:
        return None
    needs(signals, "signals", ("account_id", "month"), "the roll-up account_signals")
    places, months = base.places(signals), periods.month_index(signals["month"]).to_numpy(np.int64)
    names = ("tickets", "escalated", "csat_sum", "csat_answers", "nps_sum", "nps_answers", "touches", "qbrs")
    grids = {name: base.grid(signals, name, places, months) for name in names if name in signals}
    grids = {name: grid for name, grid in grids.items() if grid.any()}

    def summed(name: str, month: int, back: int) -> np.ndarray:
        place = month - base.first
        return np.asarray(grids[name][:, max(place - back, 0) : place].sum(axis=1))

    def counted(name: str, month: int, back: int, kind: str) -> np.ndarray:
        """NaN where the whole base has nothing of the kind in that time."""
        found = summed(name, month, back)
        recorded = found.any() or (kind in grids and summed(kind, month, back).any())
        return found if recorded else np.full(len(found), np.nan)

    def mean(name: str, month: int, back: int) -> np.ndarray:
        answers = summed(f"{name}_answers", month, back)
        total = summed(f"{name}_sum", month, back) if f"{name}_sum" in grids else np.zeros(len(answers))
        result: np.ndarray = np.divide(total, answers, where=answers > 0, out=np.full(len(answers), np.nan))
        return result

    def at(month: int) -> Features:
        made: Features = {}
        if "tickets" in grids:
            made["tickets_90"] = np.log1p(counted("tickets", month, 3, "tickets"))
        if "escalated" in grids:
            made["escalated_90"] = counted("escalated", month, 3, "tickets")
        for kind, feature, back in (("csat", "csat_90", 3), ("nps", "nps_last", 6)):
            if f"{kind}_answers" in grids:
                made[feature] = mean(kind, month, back)
                made[f"{kind}_missing"] = np.isnan(made[feature]).astype(float)
        if "touches" in grids:
            made["touches_90"] = counted("touches", month, 3, "touches")
        if "qbrs" in grids:
            made["qbr_180"] = np.minimum(counted("qbrs", month, 6, "touches"), 1.0)
        return made

    return at


def assigned(assignments: pd.DataFrame | None, base: AccountBase) -> Source | None:
    """Features of who looks after the account."""
    if assignments is None or assignments.empty:
        return None
    needs(assignments, "assignments", ("account_id", "start_date", "end_date"), "the table of the contract")
    of = base.places(assignments)
    start, end = dates(assignments["start_date"]), dates(assignments["end_date"], NEVER)
    real = (of >= 0) & (end > start) & (start < first_day(base.end))
    if not real.any():
        return None
    of, start, end = of[real], start[real], end[real]

    def at(month: int) -> Features:
        had = np.zeros(len(base.ids), bool)
        covered = had.copy()
        had[of[start < first_day(month)]] = True
        covered[of[(start < first_day(month)) & (end >= first_day(month))]] = True
        return {"covered": covered.astype(float), "vacant": (had & ~covered).astype(float)}

    return at


def attributes_of(
    accounts: pd.DataFrame | None, base: AccountBase, outcome_columns: Sequence[str]
) -> dict[str, pd.Series]:
    """Attributes of the book's accounts, in its order: few-valued texts, and numbers."""
    if accounts is None or accounts.empty:
        return {}
    needs(accounts, "accounts", ("account_id",), "the table of the contract")
    rows = accounts.drop_duplicates("account_id").set_index("account_id").reindex(base.ids)
    found: dict[str, pd.Series] = {}
    for name in sorted(set(rows.columns) - {"name", *outcome_columns}):
        values = _as_number(rows[name])
        if pd.api.types.is_datetime64_any_dtype(values):
            continue
        if not pd.api.types.is_float_dtype(values):
            values = values.astype("str")
        distinct = values.nunique()
        if distinct >= 2 and (distinct <= MAX_VALUES or pd.api.types.is_float_dtype(values)):
            found[f"{ATTRIBUTE}{name}"] = values
    return found


def _as_number(values: pd.Series) -> pd.Series:
    """As float where every value is a plain number; 007 is a key, not a number."""
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_bool_dtype(values):
        return values
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(numbers(values), index=values.index)
    text = values.dropna().astype("str")
    if text.empty or not text.str.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?").all():
        return values
    return pd.to_numeric(values.astype("str")).astype(float)
