"""The table a risk model learns from: accounts at past month starts, what was known of each, and who then left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers import periods
from cs_helpers.errors import ContractError, ParameterError

HORIZON_MONTHS = 3
"""Length of the outcome window, and how far snapshots lie apart."""
FEWEST_MONTHS_BEFORE = 6
"""Months of history that the latest labelled snapshot needs before it."""
ATTRIBUTE = "account: "
"""Begins the names of the features that are attributes of the account."""
MOST_VALUES = 20
"""A text attribute with more distinct values than this is no feature."""

_FIRST = 3  # months of history before the earliest snapshot
_EPOCH = 1970 * 12
_NEVER = np.datetime64("9999-01-01", "D")
_USAGE = ("usage_28", "usage_trend", "active_days_28", "users_28")
_Features = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Snapshots:
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
    usage: pd.DataFrame | Sequence[pd.DataFrame] | None = None,
    signals: pd.DataFrame | None = None,
    assignments: pd.DataFrame | None = None,
    lead_months: int = 1,
    horizon_months: int = HORIZON_MONTHS,
    most_snapshots: int = 12,
) -> Snapshots:
    """What was known of every paying account at past month starts s, and whether it left in the outcome window.

        churned = its paid spell ends in [s + lead, s + lead + horizon); an end is the first day no longer paid

    ``panel`` is the roll-up account_month, ``spells`` spells, ``usage`` usage_features(dense=True) of every month up
    to ``as_of``, ``signals`` account_signals; ``subscriptions``, ``accounts`` and ``assignments`` are tables of the
    contract. Snapshots are ``as_of`` - lead - horizon and every horizon before it, so that outcome windows never
    overlap; at most ``most_snapshots``, none in the panel's first three months. ``as_of`` counts as the first of its
    month and is not seen any more.

    Who counts: accounts paying on the eve of s that still pay on the eve of s + lead and have not given notice before
    s. Notice is given when every paid subscription running on the eve has a notice_date before s. ``now`` and
    ``before`` ask for no later paying. A return after a gap is a new spell.

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
      was a business review in six months. NaN where the whole book has none of its kind (of tickets, for escalated_90)
      in that time: not recorded then. csat_90: mean answer of three months, nps_last: of six; NaN without an answer,
      which csat_missing and nps_missing mark.
    - covered: whether an assignment, of any role, runs on the eve; vacant: whether one did earlier but none then.
    - ``account: <name>``: attributes of the account, text with 2 to 20 distinct values as text, and numbers. They are
      today's values, whatever the snapshot; ``outcome_columns``, account_id, name and dates are left out.

    Raises ContractError if a table lacks a needed column, the panel has fewer than lead + horizon + 6 months before
    ``as_of`` or ends before it, or panel and spells disagree; ParameterError for numbers of months that make no sense.
    """
    for name, value, least in (
        ("lead_months", lead_months, 0), ("horizon_months", horizon_months, 1), ("most_snapshots", most_snapshots, 1)
    ):  # fmt: skip
        if value < least:
            raise ParameterError(f"{name} = {value}: give a whole number from {least} on.")
    day = periods.month(as_of)
    end = _number(day)
    book = _book(panel, spells, end, lead_months + horizon_months)
    contracts = _contracts(subscriptions, book)
    sources = [
        source
        for source in (
            _paying(book),
            contracts.source(book, lead_months, horizon_months) if contracts else None,
            _used(_joined(usage), book),
            _signalled(signals, book),
            _assigned(assignments, book),
        )
        if source is not None
    ]
    attributes = _attributes(accounts, book, outcome_columns)
    latest = end - lead_months - horizon_months
    earliest = max(book.first + _FIRST, latest - (most_snapshots - 1) * horizon_months)
    found, excluded = [], {"left_during_lead": 0, "gave_notice": 0}
    for month in reversed(range(latest, earliest - 1, -horizon_months)):
        paying = book.mrr(month) > 0
        ends = book.ends(month)
        noticed = paying & (contracts.noticed(month)[0] if contracts else False)
        gone = paying & ~noticed & (ends < _day(month + lead_months))
        excluded["gave_notice"] += int(noticed.sum())
        excluded["left_during_lead"] += int(gone.sum())
        label = ends < _day(month + lead_months + horizon_months)
        found.append(_rows(book, sources, attributes, month, paying & ~noticed & ~gone, label))
    present = []
    for month in (end, end - 1):
        paying = book.mrr(month) > 0
        noticed = contracts.noticed(month)[0] if contracts else np.zeros(len(paying), bool)
        present.append(_rows(book, sources, attributes, month, paying & ~noticed))
    table = pd.concat(found, ignore_index=True)
    return Snapshots(
        table=table,
        features=tuple(table.columns[5:]),
        now=present[0],
        before=present[1],
        notice=_notice(book, contracts, end),
        lead_months=lead_months,
        horizon_months=horizon_months,
        as_of=day,
        excluded=excluded,
    )


def spell_ends(spells: pd.DataFrame) -> pd.Series:
    """The day on which each spell ended, its first unpaid one, or was last seen: start_date + duration_months, exactly.

    The age counts calendar months and thirty-firsts of the days between (``periods.months_between``); of the two months
    that a broken age can mean only one has such a day.
    """
    start = spells["start_date"]
    age = spells["duration_months"].to_numpy(float)
    whole = np.floor(age).astype(np.int64)
    days = np.rint((age - whole) * 31).astype(np.int64)
    month = periods.month_index(start).to_numpy(np.int64) + whole
    day_of_start = start.dt.day.to_numpy(np.int64)
    here = np.minimum(day_of_start, _days_in(month)) + days
    there = np.minimum(day_of_start, _days_in(month + 1)) + days - 31
    later = here > _days_in(month)
    found = _day(month + later) + np.where(later, there, here) - 1
    return pd.Series(found.astype("datetime64[us]"), index=spells.index)


# --- months as numbers: months since year 0 ---------------------------------------------------------------------


def _number(day: pd.Timestamp) -> int:
    return day.year * 12 + day.month - 1


def _day(month: Any) -> Any:
    """First day of a month, or of each in an array."""
    return (np.asarray(month) - _EPOCH).astype("datetime64[M]").astype("datetime64[D]")


def _days_in(month: np.ndarray) -> np.ndarray:
    return (_day(month + 1) - _day(month)).astype(np.int64)


def _dates(values: pd.Series, missing: np.datetime64 | None = None) -> np.ndarray:
    days = pd.to_datetime(values).to_numpy().astype("datetime64[D]")
    return days if missing is None else np.where(np.isnat(days), missing, days)


def _numbers(values: pd.Series) -> np.ndarray:
    return values.to_numpy(dtype=float, na_value=np.nan)


def _needs(frame: pd.DataFrame, name: str, columns: Sequence[str], source: str) -> None:
    lacking = [column for column in columns if column not in frame]
    if lacking:
        raise ContractError(f"{name}: no column {' and '.join(map(repr, lacking))}. Give {source}.")


# --- the book -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Book:
    """Everybody in the panel, by place in ``ids``; ``eve``: MRR in cents before each month from ``first`` to as_of.

    Behind the spells, at -1, stands one that never runs: that of an account without a spell.
    """

    ids: pd.Index
    first: int
    end: int
    eve: np.ndarray
    contracted: np.ndarray
    spell_of: np.ndarray
    spell_start: np.ndarray
    spell_end: np.ndarray
    spell_later: np.ndarray

    def places(self, frame: pd.DataFrame) -> np.ndarray:
        """Each row's account; -1 where it is not in the panel."""
        return np.asarray(self.ids.get_indexer(pd.Index(frame["account_id"])))

    def mrr(self, month: int) -> np.ndarray:
        """Paid on the eve of the month, in cents."""
        return self.eve[:, month - self.first]

    def running(self, month: int) -> np.ndarray:
        """Each account's spell that ran on the eve; -1 without one."""
        day = _day(month)
        which = np.flatnonzero((self.spell_start < day) & (self.spell_end >= day))  # spells of an account never overlap
        found = np.full(len(self.ids), -1)
        found[self.spell_of[which]] = which
        return found

    def starts(self, month: int) -> np.ndarray:
        """First day of that spell. One that began on the very eve of as_of has no age and no spell yet."""
        running = self.running(month)
        return np.where(running >= 0, self.spell_start[running], _day(month) - 1)

    def ends(self, month: int) -> np.ndarray:
        """First unpaid day after that spell; far away where it had not ended by as_of."""
        return self.spell_end[self.running(month)]

    def grid(self, frame: pd.DataFrame, column: str, places: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Accounts by months from ``first`` to before as_of, 0 where there is no row."""
        inside = (places >= 0) & (months >= self.first) & (months < self.end)
        made = np.zeros((len(self.ids), self.end - self.first))
        made[places[inside], months[inside] - self.first] = _numbers(frame[column])[inside]
        return made


def _book(panel: pd.DataFrame, spells: pd.DataFrame, end: int, ahead: int) -> _Book:
    _needs(panel, "panel", ("account_id", "month", "closing", "opening", "contraction"), "the roll-up account_month")
    _needs(spells, "spells", ("account_id", "start_date", "duration_months", "churned"), "the roll-up spells")
    months = periods.month_index(panel["month"]).to_numpy(np.int64) if len(panel) else np.zeros(0, np.int64)
    first = int(months.min()) if len(months) else end
    if end - first < ahead + FEWEST_MONTHS_BEFORE:
        raise ContractError(
            f"panel: {max(end - first, 0)} months lie before {_day(end)}; {ahead} months of lead and outcome and "
            f"{FEWEST_MONTHS_BEFORE} of history need {ahead + FEWEST_MONTHS_BEFORE}. Load a longer history, or ask for "
            "a shorter horizon."
        )
    last_seen = spell_ends(spells).to_numpy().astype("datetime64[D]")
    churned = spells["churned"].to_numpy(bool)
    if (~churned & (last_seen < _day(end) - 1)).any():
        raise ContractError(
            f"spells: they were last seen on {last_seen[~churned].min()}, before the eve of {_day(end)}. "
            f"Roll them up with as_of {_day(end)}."
        )
    seen = months < end
    ids = pd.Index(panel["account_id"][seen].unique()).sort_values()
    spells = spells.assign(_end=np.where(churned & (last_seen < _day(end)), last_seen, _NEVER).astype("datetime64[s]"))
    known = spells["account_id"].isin(ids) & (_dates(spells["start_date"]) < _day(end))
    spells = spells[known].sort_values(["account_id", "start_date"])
    places = np.asarray(ids.get_indexer(pd.Index(panel["account_id"])))
    eve = np.zeros((len(ids), end - first + 1), np.int64)
    contracted = np.zeros((len(ids), end - first), bool)
    eve[places[seen], months[seen] - first + 1] = panel["closing"].to_numpy(np.int64)[seen]
    begins = months == first
    eve[places[begins], 0] = panel["opening"].to_numpy(np.int64)[begins]
    contracted[places[seen], months[seen] - first] = panel["contraction"].to_numpy(np.int64)[seen] > 0
    of = np.asarray(ids.get_indexer(pd.Index(spells["account_id"])))
    book = _Book(
        ids, first, end, eve, contracted, of,
        spell_start=np.r_[_dates(spells["start_date"]), _NEVER],
        spell_end=np.r_[_dates(spells["_end"]), _NEVER],
        spell_later=np.diff(of, prepend=-1, append=-1) == 0,
    )  # fmt: skip
    _agree(book)
    return book


def _agree(book: _Book) -> None:
    """Panel and spells must say the same of who pays; a spell that began on the eve of as_of is not one yet."""
    for month in range(book.first + _FIRST, book.end + 1):
        paying, running = book.mrr(month) > 0, book.running(month) >= 0
        wrong = np.flatnonzero((paying != running) & ~(paying & (month == book.end)))
        if len(wrong):
            raise ContractError(
                f"panel and spells: they disagree on whether {book.ids[wrong[0]]} paid on the eve of {_day(month)} "
                f"({len(wrong)} accounts in all). Roll up both from the same subscriptions, the panel for every month "
                f"before {_day(book.end)}."
            )


def _rows(
    book: _Book,
    sources: Sequence[_Source],
    attributes: dict[str, pd.Series],
    month: int,
    chosen: np.ndarray,
    churned: np.ndarray | None = None,
) -> pd.DataFrame:
    """One row per chosen account, with its features at the month's start."""
    which = np.flatnonzero(chosen)
    columns: dict[str, Any] = {
        "account_id": book.ids[which],
        "snapshot": np.full(len(which), _day(month).astype("datetime64[us]")),
    }
    if churned is not None:
        columns["churned"] = churned[which]
    columns["mrr"] = book.mrr(month)[which] / 100
    columns["due_date"] = np.full(len(which), np.datetime64("NaT", "us"))
    for source in sources:
        columns |= {name: values[which] for name, values in source(month).items()}
    columns["due_date"] = columns["due_date"].astype("datetime64[us]")
    columns |= {name: values.take(which).array for name, values in attributes.items()}
    return pd.DataFrame(columns)


_Source = Callable[[int], _Features]
"""Gives the features of every account of the book at the start of a month."""


# --- what is known ------------------------------------------------------------------------------------------------


def _age(start: np.ndarray, month: int) -> np.ndarray:
    """Months from ``start`` to the first day of the month, as ``periods.months_between``; not below 0."""
    begun = start.astype("datetime64[M]").astype(np.int64) + _EPOCH
    day_of_start = np.minimum(_day_of_month(start), int(_days_in(np.array(month))))
    return month - begun + (1 - day_of_start) / 31


def _day_of_month(days: np.ndarray) -> np.ndarray:
    return (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1


def _paying(book: _Book) -> _Source:
    had = np.bincount(book.spell_of, minlength=len(book.ids)) > 0  # of who came back on the very eve of as_of

    def at(month: int) -> _Features:
        place = month - book.first
        back = max(place - 6, 0)
        mrr, earlier = book.eve[:, place], book.eve[:, back]
        start, running = book.starts(month), book.running(month)
        compared = (mrr > 0) & (earlier > 0) & (start < _day(book.first + back))
        change = np.zeros(len(mrr))
        np.log(np.divide(mrr, earlier, where=compared, out=np.ones(len(mrr))), where=compared, out=change)
        return {
            "log_mrr": np.log(np.maximum(mrr, 1) / 100),
            "tenure_months": _age(start, month),
            "reactivated": np.where(running >= 0, book.spell_later[running], had).astype(float),
            "mrr_change_6m": change,
            "contracted_6m": book.contracted[:, back:place].any(axis=1).astype(float),
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
        return np.flatnonzero((self.start < _day(month)) & (self.end >= _day(month)))

    def noticed(self, month: int) -> tuple[np.ndarray, np.ndarray]:
        """Who had given notice before the month, and when the last of it was given."""
        rows = self.running(month)
        last = np.full(self.accounts, np.datetime64("0001-01-01", "D"))
        np.maximum.at(last, self.of[rows], self.notice[rows])
        given = (last > np.datetime64("0001-01-01", "D")) & (last < _day(month))
        return given, last

    def source(self, book: _Book, lead: int, horizon: int) -> _Source:
        """Features of the largest subscription that runs."""

        def at(month: int) -> _Features:
            rows = self.running(month)
            made: _Features = {}
            if self.term is not None:
                term = np.full(self.accounts, np.nan)
                term[self.of[rows]] = self.term[rows]
                made |= _due(term, book.starts(month), month, lead, horizon)
            if self.discount is not None:
                made["discount_rate"] = np.full(self.accounts, np.nan)
                made["discount_rate"][self.of[rows]] = self.discount[rows]
            return made

        return at


def _contracts(subscriptions: pd.DataFrame | None, book: _Book) -> _Contracts | None:
    if subscriptions is None or subscriptions.empty:
        return None
    _needs(subscriptions, "subscriptions", ("account_id", "start_date", "end_date", "mrr"), "the table of the contract")
    rows = subscriptions[_numbers(subscriptions["mrr"]) > 0]
    order = [c for c in ("mrr", "start_date", "term_months", "discount_rate", "end_date") if c in rows]
    rows = rows.sort_values(order, na_position="first")
    of = book.places(rows)
    rows, of = rows[of >= 0], of[of >= 0]
    known = _dates(rows["start_date"]) < _day(book.end)

    def recorded(name: str) -> np.ndarray | None:
        return _numbers(rows[name]) if name in rows and rows[name][known].notna().any() else None

    notice = _dates(rows["notice_date"], _NEVER) if "notice_date" in rows else np.full(len(rows), _NEVER)
    return _Contracts(
        of, len(book.ids), _dates(rows["start_date"]), _dates(rows["end_date"], _NEVER), notice,
        recorded("term_months"), recorded("discount_rate"),
    )  # fmt: skip


def _due(term: np.ndarray, start: np.ndarray, month: int, lead: int, horizon: int) -> _Features:
    """The first contract anniversary on or after the month's first day, and whether one lies in the outcome window."""
    term = np.where(term > 0, term, np.nan)
    known = np.isfinite(term)
    steps = np.maximum(np.rint(np.where(known, term, 1)), 1).astype(np.int64)
    fixed = known & (steps > 1)
    begun = start.astype("datetime64[M]").astype(np.int64) + _EPOCH

    def first_from(wanted: int) -> np.ndarray:
        return begun + np.maximum(-((begun - wanted) // steps), 1) * steps

    due = first_from(month)
    day_of_month = np.minimum(_day_of_month(start), _days_in(due))
    inside = fixed & (first_from(month + lead) < month + lead + horizon)
    until = np.where(fixed, due - month + (day_of_month - 1) / 31, 0.0)
    return {
        "due_date": np.where(fixed, _day(due) + day_of_month - 1, np.datetime64("NaT", "D")),
        "term_months": term,
        "months_to_due": np.where(known, until, np.nan),
        "due_in_window": np.where(known, inside, np.nan),
    }


def _notice(book: _Book, contracts: _Contracts | None, month: int) -> pd.DataFrame:
    given, last = contracts.noticed(month) if contracts else (np.zeros(len(book.ids), bool), np.zeros(0, "M8[D]"))
    which = np.flatnonzero(given & (book.mrr(month) > 0))
    days = last[which].astype("datetime64[us]")
    return pd.DataFrame({"account_id": book.ids[which], "notice_date": days, "mrr": book.mrr(month)[which] / 100})


def _joined(usage: pd.DataFrame | Sequence[pd.DataFrame] | None) -> pd.DataFrame | None:
    """Several frames of usage, of different months, as one."""
    if usage is None or isinstance(usage, pd.DataFrame):
        return usage
    parts = [part for part in usage if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else None


def _used(usage: pd.DataFrame | None, book: _Book) -> _Source | None:
    if usage is None or usage.empty:
        return None
    _needs(usage, "usage", ("account_id", "month"), "the roll-up usage_features with dense=True")
    months = periods.month_index(usage["month"]).to_numpy(np.int64)
    seen = (months >= book.first) & (months <= book.end)
    rows, months = usage[seen], months[seen]
    places = book.places(rows)
    order = np.argsort(months, kind="stable")
    bounds = np.searchsorted(months[order], np.arange(book.first, book.end + 2))
    columns = {
        name: _numbers(rows[name])
        for name in ("events_28", "events_90", "active_days_28", "users_28")
        if name in rows and rows[name].notna().any()
    }

    def at(month: int) -> _Features:
        which = order[bounds[month - book.first] : bounds[month - book.first + 1]]
        which = which[places[which] >= 0]
        own = {}
        for name, values in columns.items():
            own[name] = np.full(len(book.ids), np.nan)
            own[name][places[which]] = values[which]
        made: _Features = {}
        if "events_28" in own:
            made["usage_28"] = np.log1p(own["events_28"])
        if "events_28" in own and "events_90" in own:
            made["usage_trend"] = np.log((own["events_28"] + 1) / (own["events_90"] * 28 / 90 + 1))
        return made | {name: own[name] for name in _USAGE[2:] if name in own}

    return at


def _signalled(signals: pd.DataFrame | None, book: _Book) -> _Source | None:
    if signals is None or signals.empty:
        return None
    _needs(signals, "signals", ("account_id", "month"), "the roll-up account_signals")
    places, months = book.places(signals), periods.month_index(signals["month"]).to_numpy(np.int64)
    names = ("tickets", "escalated", "csat_sum", "csat_answers", "nps_sum", "nps_answers", "touches", "qbrs")
    grids = {name: book.grid(signals, name, places, months) for name in names if name in signals}
    grids = {name: grid for name, grid in grids.items() if grid.any()}

    def summed(name: str, month: int, back: int) -> np.ndarray:
        place = month - book.first
        return np.asarray(grids[name][:, max(place - back, 0) : place].sum(axis=1))

    def counted(name: str, month: int, back: int, kind: str) -> np.ndarray:
        """NaN where the whole book has nothing of the kind in that time."""
        found = summed(name, month, back)
        recorded = found.any() or (kind in grids and summed(kind, month, back).any())
        return found if recorded else np.full(len(found), np.nan)

    def mean(name: str, month: int, back: int) -> np.ndarray:
        answers = summed(f"{name}_answers", month, back)
        total = summed(f"{name}_sum", month, back) if f"{name}_sum" in grids else np.zeros(len(answers))
        return np.divide(total, answers, where=answers > 0, out=np.full(len(answers), np.nan))

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


def _assigned(assignments: pd.DataFrame | None, book: _Book) -> _Source | None:
    if assignments is None or assignments.empty:
        return None
    _needs(assignments, "assignments", ("account_id", "start_date", "end_date"), "the table of the contract")
    of = book.places(assignments)
    start, end = _dates(assignments["start_date"]), _dates(assignments["end_date"], _NEVER)
    real = (of >= 0) & (end > start) & (start < _day(book.end))
    if not real.any():
        return None
    of, start, end = of[real], start[real], end[real]

    def at(month: int) -> _Features:
        had = np.zeros(len(book.ids), bool)
        covered = had.copy()
        had[of[start < _day(month)]] = True
        covered[of[(start < _day(month)) & (end >= _day(month))]] = True
        return {"covered": covered.astype(float), "vacant": (had & ~covered).astype(float)}

    return at


def _attributes(accounts: pd.DataFrame | None, book: _Book, outcome_columns: Sequence[str]) -> dict[str, pd.Series]:
    """Attributes of the book's accounts, in its order: few-valued texts, and numbers."""
    if accounts is None or accounts.empty:
        return {}
    _needs(accounts, "accounts", ("account_id",), "the table of the contract")
    rows = accounts.drop_duplicates("account_id").set_index("account_id").reindex(book.ids)
    found: dict[str, pd.Series] = {}
    for name in sorted(set(rows.columns) - {"name", *outcome_columns}):
        values = _as_number(rows[name])
        if pd.api.types.is_datetime64_any_dtype(values):
            continue
        if not pd.api.types.is_float_dtype(values):
            values = values.astype("str")
        distinct = values.nunique()
        if distinct >= 2 and (distinct <= MOST_VALUES or pd.api.types.is_float_dtype(values)):
            found[f"{ATTRIBUTE}{name}"] = values
    return found


def _as_number(values: pd.Series) -> pd.Series:
    """As float where every value is a plain number; 007 is a key, not a number."""
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_bool_dtype(values):
        return values
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(_numbers(values), index=values.index)
    text = values.dropna().astype("str")
    if text.empty or not text.str.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?").all():
        return values
    return pd.to_numeric(values.astype("str")).astype(float)
