"""The table a risk model learns from: accounts at past month starts, their features, and who then left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.churn.account_base import (
    EPOCH,
    MIN_MONTHS_AHEAD,
    NEVER,
    AccountBase,
    account_base_of,
    dates,
    day_of_month_of,
    days_in,
    first_day,
    month_number,
    needs,
    numbers,
)
from cs_helpers.core import periods
from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record

HORIZON_MONTHS = 3
"""Length of the outcome window, and how far snapshots lie apart."""
_MAX_VALUES = 20  # a text attribute with more distinct values is no feature
_USAGE = ("events_28", "events_90", "active_days_28", "users_28")

_Features = dict[str, np.ndarray]
_Source = Callable[[int], _Features]  # the features of every account at the start of a month


@dataclass(frozen=True, eq=False, repr=False)
class Snapshots(Record):
    """Accounts as they were known at month starts; see ``risk_snapshots``.

    ``table``: one row per labelled snapshot and account: account_id, snapshot, churned, mrr (currency per month),
    due_date (the next contract anniversary; NaT for monthly terms and where no term is recorded), then ``features``.
    ``now`` and ``before``: the same without churned, at ``as_of`` and a month earlier. ``notice``: account_id,
    notice_date, mrr of those that pay on the eve of ``as_of`` and have given notice. ``excluded``: who is not in
    ``table`` though paying, over all its snapshots: gave_notice before it, or else left_during_lead.
    """

    table: pd.DataFrame
    features: tuple[str, ...]
    now: pd.DataFrame
    before: pd.DataFrame
    notice: pd.DataFrame
    lead_months: int
    horizon_months: int
    as_of: pd.Timestamp
    excluded: dict[str, int]


def risk_snapshots(
    panel: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    as_of: Any,
    subscriptions: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    outcome_columns: Sequence[str] = (),
    usage: Sequence[pd.DataFrame] = (),
    signals: pd.DataFrame | None = None,
    assignments: pd.DataFrame | None = None,
    lead_months: int = 1,
    horizon_months: int = HORIZON_MONTHS,
    max_snapshots: int = 12,
    max_rows: int = 60_000,
) -> Snapshots:
    """Features of every paying account at past month starts s, and whether it left in the outcome window.

        churned = its paid spell ends in [s + lead, s + lead + horizon); an end is the first day no longer paid

    ``panel`` is the roll-up account_month, ``spells`` spells, ``usage`` frames of usage_features(dense=True) up to
    ``as_of``, ``signals`` account_signals; ``subscriptions``, ``accounts`` and ``assignments`` are tables of the
    contract. Snapshots are ``as_of`` - lead - horizon and every horizon before it, so that outcome windows never
    overlap; at most ``max_snapshots``, none in the panel's first three months. ``as_of`` counts as the first of its
    month and is not seen any more.

    Who counts: accounts paying on the eve of s that still pay on the eve of s + lead and have not given notice before
    s. Notice is given when every paid subscription running on the eve has a notice_date before s. ``now`` and
    ``before`` ask for no later paying. A return after a gap is a new spell.

    The latest labelled snapshot holds everybody. The earlier ones, in a base where they would have more than
    ``max_rows`` rows together, hold a sample of the accounts, the same in each.

    Features rest on what happened before s. Those of a table that is not given, empty, or lacks the column are absent.

    - log_mrr; tenure_months: age of the spell; reactivated: not the first spell seen; mrr_change_6m: log ratio of MRR
      against six months earlier, or the panel's first month; 0 where the spell is younger; contracted_6m: whether MRR
      fell without ending in that time.
    - Of the largest subscription running on the eve: term_months, discount_rate; months_to_due: until the next multiple
      of the term since the spell began, that day s itself included; due_in_window: whether one lies in the outcome
      window. Both are 0 for monthly terms. NaN where nothing is recorded.
    - usage_28: log(1 + events), usage_trend: log((events_28 + 1) / (events_90 x 28 / 90 + 1)), active_days_28,
      users_28. NaN where the account has no row for the month or usage was not recorded then.
    - tickets_90: log(1 + tickets opened in the three months), escalated_90, touches_90: numbers; qbr_180: whether there
      was a business review in six months. NaN where the whole base has none of its kind (of tickets, for escalated_90)
      in that time: not recorded then. csat_90: mean answer of three months, nps_last: of six; NaN without an answer,
      which csat_missing and nps_missing mark.
    - covered: whether an assignment, of any role, runs on the eve; vacant: whether one did earlier but none then.
    - ``account: <name>``: attributes of the account, text with 2 to 20 distinct values as text, and numbers. They are
      today's values, whatever the snapshot; ``outcome_columns``, account_id, name and dates are left out.

    Raises ContractError if a table lacks a needed column, the panel has fewer than lead + horizon + 6 months before
    ``as_of`` or ends before it, or panel and spells disagree; ParameterError for numbers of months that make no sense.

    Example:
        >>> spells = tables.rollup("spells", observed_from=tables.observed_from, as_of=tables.as_of)
        >>> found = cs.churn.risk_snapshots(tables.account_months(), spells, as_of=tables.as_of)
        >>> found.features
        ('log_mrr', 'tenure_months', 'reactivated', 'mrr_change_6m', 'contracted_6m')
    """
    for name, value, least in (
        ("lead_months", lead_months, 0), ("horizon_months", horizon_months, 1), ("max_snapshots", max_snapshots, 1)
    ):  # fmt: skip
        if value < least:
            raise ParameterError(f"{name} = {value}: give a whole number from {least} on.")
    day = periods.month(as_of)
    end = month_number(day)
    base = account_base_of(panel, spells, end, lead_months + horizon_months)
    contracts = _contracts_of(subscriptions, base)
    made = (
        _paying(base),
        contracts.source(base, lead_months, horizon_months) if contracts else None,
        _usage(usage, base),
        _signals(signals, base),
        _coverage(assignments, base),
    )
    sources = [source for source in made if source is not None]
    attributes = _attributes(accounts, base, outcome_columns)
    latest = end - lead_months - horizon_months
    earliest = max(base.first + MIN_MONTHS_AHEAD, latest - (max_snapshots - 1) * horizon_months)

    def noticed(month: int) -> np.ndarray:
        return contracts.noticed(month)[0] if contracts else np.zeros(len(base.ids), bool)

    found, excluded = [], {"left_during_lead": 0, "gave_notice": 0}
    months = list(reversed(range(latest, earliest - 1, -horizon_months)))
    sampled = _sample(base, months[:-1], max_rows)
    for month in months:
        paying, ends = base.mrr(month) > 0, base.ends(month)
        gave_notice = paying & noticed(month)
        gone = paying & ~gave_notice & (ends < first_day(month + lead_months))
        excluded["gave_notice"] += int(gave_notice.sum())
        excluded["left_during_lead"] += int(gone.sum())
        label = ends < first_day(month + lead_months + horizon_months)
        chosen = paying & ~gave_notice & ~gone & (sampled | (month == latest))
        found.append(_rows(base, sources, attributes, month, chosen, label))
    now, before = (
        _rows(base, sources, attributes, month, (base.mrr(month) > 0) & ~noticed(month)) for month in (end, end - 1)
    )
    table = pd.concat(found, ignore_index=True)
    return Snapshots(
        table=table,
        features=tuple(table.columns[5:]),
        now=now,
        before=before,
        notice=_notice(base, contracts, end),
        lead_months=lead_months,
        horizon_months=horizon_months,
        as_of=day,
        excluded=excluded,
    )


def _sample(base: AccountBase, months: Sequence[int], max_rows: int) -> np.ndarray:
    """Which accounts count in ``months``: all, or so many that about ``max_rows`` rows remain."""
    rows = sum(int((base.mrr(month) > 0).sum()) for month in months)
    if rows <= max_rows:
        return np.ones(len(base.ids), dtype=bool)
    ids = np.asarray(base.ids.astype(str).astype(object), dtype=object)
    place = pd.util.hash_array(ids, hash_key="enough rows here").astype(float) / 2.0**64
    return np.asarray(place < max_rows / rows)


def _rows(
    base: AccountBase,
    sources: Sequence[_Source],
    attributes: dict[str, pd.Series],
    month: int,
    chosen: np.ndarray,
    churned: np.ndarray | None = None,
) -> pd.DataFrame:
    """One row per chosen account, with its features at the month's start."""
    which = np.flatnonzero(chosen)
    columns: dict[str, Any] = {
        "account_id": base.ids[which],
        "snapshot": np.full(len(which), first_day(month).astype("datetime64[us]")),
    }
    if churned is not None:
        columns["churned"] = churned[which]
    columns["mrr"] = base.mrr(month)[which] / 100
    columns["due_date"] = np.full(len(which), np.datetime64("NaT", "us"))
    for source in sources:
        columns |= {name: values[which] for name, values in source(month).items()}
    columns["due_date"] = columns["due_date"].astype("datetime64[us]")
    columns |= {name: values.take(which).array for name, values in attributes.items()}
    return pd.DataFrame(columns)


def _notice(base: AccountBase, contracts: _Contracts | None, month: int) -> pd.DataFrame:
    given, last = contracts.noticed(month) if contracts else (np.zeros(len(base.ids), bool), np.zeros(0, "M8[D]"))
    which = np.flatnonzero(given & (base.mrr(month) > 0))
    days = last[which].astype("datetime64[us]")
    return pd.DataFrame({"account_id": base.ids[which], "notice_date": days, "mrr": base.mrr(month)[which] / 100})


def _age(start: np.ndarray, month: int) -> np.ndarray:
    """Months from ``start`` to the first day of the month, as ``periods.months_between``; not below 0."""
    begun = start.astype("datetime64[M]").astype(np.int64) + EPOCH
    day_of_start = np.minimum(day_of_month_of(start), int(days_in(np.array(month))))
    result: np.ndarray = month - begun + (1 - day_of_start) / 31
    return result


def _paying(base: AccountBase) -> _Source:
    """_Features of what is paid and since when."""
    had = np.bincount(base.spell_of, minlength=len(base.ids)) > 0  # of who came back on the very eve of as_of

    def at(month: int) -> _Features:
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
class _Contracts:
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

    def source(self, base: AccountBase, lead: int, horizon: int) -> _Source:
        """_Features of the largest subscription that runs."""

        def at(month: int) -> _Features:
            rows = self.running(month)
            made: _Features = {}
            if self.term is not None:
                term = np.full(self.accounts, np.nan)
                term[self.of[rows]] = self.term[rows]
                made |= _due(term, base.starts(month), month, lead, horizon)
            if self.discount is not None:
                made["discount_rate"] = np.full(self.accounts, np.nan)
                made["discount_rate"][self.of[rows]] = self.discount[rows]
            return made

        return at


def _contracts_of(subscriptions: pd.DataFrame | None, base: AccountBase) -> _Contracts | None:
    """The paid subscriptions of the base's accounts; None without any."""
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
    return _Contracts(
        of, len(base.ids), dates(rows["start_date"]), dates(rows["end_date"], NEVER), notice,
        recorded("term_months"), recorded("discount_rate"),
    )  # fmt: skip


def _due(term: np.ndarray, start: np.ndarray, month: int, lead: int, horizon: int) -> _Features:
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


def _usage(usage: Sequence[pd.DataFrame], base: AccountBase) -> _Source | None:
    """Features of trailing usage."""
    parts = [part for part in usage if len(part)]
    if not parts:
        return None
    rows = pd.concat(parts, ignore_index=True)
    needs(rows, "usage", ("account_id", "month"), "the roll-up usage_features with dense=True")
    months = periods.month_index(rows["month"]).to_numpy(np.int64)
    seen = (months >= base.first) & (months <= base.end)
    rows, months = rows[seen], months[seen]
    places = base.places(rows)
    columns = {name: numbers(rows[name]) for name in _USAGE if name in rows and rows[name].notna().any()}

    def at(month: int) -> _Features:
        which = np.flatnonzero((months == month) & (places >= 0))
        made = {name: np.full(len(base.ids), np.nan) for name in columns}
        for name, values in columns.items():
            made[name][places[which]] = values[which]
        of_28, of_90 = made.pop("events_28", None), made.pop("events_90", None)
        if of_28 is None:
            return made
        trend = {} if of_90 is None else {"usage_trend": np.log((of_28 + 1) / (of_90 * 28 / 90 + 1))}
        return {"usage_28": np.log1p(of_28), **trend, **made}

    return at


def _signals(signals: pd.DataFrame | None, base: AccountBase) -> _Source | None:
    """_Features of tickets, answers and touches."""
    if signals is None or signals.empty:
        return None
    needs(signals, "signals", ("account_id", "month"), "the roll-up account_signals")
    places, months = base.places(signals), periods.month_index(signals["month"]).to_numpy(np.int64)
    names = ("tickets", "escalated", "csat_sum", "csat_answers", "nps_sum", "nps_answers", "touches", "qbrs")
    grids = {name: base.grid(signals, name, places, months) for name in names if name in signals}
    grids = {name: grid for name, grid in grids.items() if grid.any()}
    nothing = np.zeros((len(base.ids), 1))

    def summed(name: str, month: int, back: int) -> np.ndarray:
        place = month - base.first
        return np.asarray(grids.get(name, nothing)[:, max(place - back, 0) : place].sum(axis=1))

    def counted(name: str, month: int, back: int, kind: str) -> np.ndarray:
        """NaN where the whole base has nothing of the kind in that time."""
        found = summed(name, month, back)
        return found if found.any() or summed(kind, month, back).any() else np.full(len(found), np.nan)

    def mean(name: str, month: int, back: int) -> np.ndarray:
        answers, total = summed(f"{name}_answers", month, back), summed(f"{name}_sum", month, back)
        return np.asarray(np.divide(total, answers, where=answers > 0, out=np.full(len(answers), np.nan)))

    def at(month: int) -> _Features:
        made: _Features = {}
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


def _coverage(assignments: pd.DataFrame | None, base: AccountBase) -> _Source | None:
    """_Features of who looks after the account."""
    if assignments is None or assignments.empty:
        return None
    needs(assignments, "assignments", ("account_id", "start_date", "end_date"), "the table of the contract")
    of = base.places(assignments)
    start, end = dates(assignments["start_date"]), dates(assignments["end_date"], NEVER)
    real = (of >= 0) & (end > start) & (start < first_day(base.end))
    if not real.any():
        return None
    of, start, end = of[real], start[real], end[real]

    def at(month: int) -> _Features:
        had = np.zeros(len(base.ids), bool)
        covered = had.copy()
        had[of[start < first_day(month)]] = True
        covered[of[(start < first_day(month)) & (end >= first_day(month))]] = True
        return {"covered": covered.astype(float), "vacant": (had & ~covered).astype(float)}

    return at


def _attributes(
    accounts: pd.DataFrame | None, base: AccountBase, outcome_columns: Sequence[str]
) -> dict[str, pd.Series]:
    """Attributes of the base's accounts, in its order: few-valued texts, and numbers."""
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
        if distinct >= 2 and (distinct <= _MAX_VALUES or pd.api.types.is_float_dtype(values)):
            found[f"account: {name}"] = values
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
