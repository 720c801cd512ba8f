"""MRR and paid spells of every account as arrays, for features at month starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record

MIN_MONTHS_BEFORE = 6
"""Months of history that the latest labelled snapshot needs before it."""
MIN_MONTHS_AHEAD = 3  # months of history before the earliest snapshot
EPOCH = 1970 * 12
NEVER = np.datetime64("9999-01-01", "D")


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
    here = np.minimum(day_of_start, days_in(month)) + days
    there = np.minimum(day_of_start, days_in(month + 1)) + days - 31
    later = here > days_in(month)
    found = first_day(month + later) + np.where(later, there, here) - 1
    return pd.Series(found.astype("datetime64[us]"), index=spells.index)


def month_number(day: pd.Timestamp) -> int:
    """Months since year 0 of a day."""
    return day.year * 12 + day.month - 1


def first_day(month: Any) -> Any:
    """First day of a month, or of each in an array."""
    return (np.asarray(month) - EPOCH).astype("datetime64[M]").astype("datetime64[D]")


def days_in(month: np.ndarray) -> np.ndarray:
    """Days of each month."""
    result: np.ndarray = (first_day(month + 1) - first_day(month)).astype(np.int64)
    return result


def day_of_month_of(days: np.ndarray) -> np.ndarray:
    """Day of the month of each day."""
    result: np.ndarray = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    return result


def dates(values: pd.Series, missing: np.datetime64 | None = None) -> np.ndarray:
    """Days as numpy has them, ``missing`` where there is none."""
    days = pd.to_datetime(values).to_numpy().astype("datetime64[D]")
    return days if missing is None else np.where(np.isnat(days), missing, days)


def numbers(values: pd.Series) -> np.ndarray:
    """A column as float, NaN where missing."""
    return values.to_numpy(dtype=float, na_value=np.nan)


def needs(frame: pd.DataFrame, name: str, columns: Sequence[str], source: str) -> None:
    """ContractError naming the columns that ``frame`` lacks."""
    lacking = [column for column in columns if column not in frame]
    if lacking:
        raise ContractError(f"{name}: no column {' and '.join(map(repr, lacking))}. Give {source}.")


@dataclass(frozen=True, eq=False, repr=False)
class AccountBase(Record):
    """All accounts of the panel, in the order of ``ids``; ``eve``: MRR in cents before each month from ``first`` on.

    The last spell, at -1, never runs: it is that of an account without a spell.
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
        day = first_day(month)
        which = np.flatnonzero((self.spell_start < day) & (self.spell_end >= day))  # spells of an account never overlap
        found = np.full(len(self.ids), -1)
        found[self.spell_of[which]] = which
        return found

    def starts(self, month: int) -> np.ndarray:
        """First day of that spell. One that began on the very eve of as_of has no age and no spell yet."""
        running = self.running(month)
        result: np.ndarray = np.where(running >= 0, self.spell_start[running], first_day(month) - 1)
        return result

    def ends(self, month: int) -> np.ndarray:
        """First unpaid day after that spell; far away where it had not ended by as_of."""
        result: np.ndarray = self.spell_end[self.running(month)]
        return result

    def grid(self, frame: pd.DataFrame, column: str, places: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Accounts by months from ``first`` to before as_of, 0 where there is no row."""
        inside = (places >= 0) & (months >= self.first) & (months < self.end)
        made = np.zeros((len(self.ids), self.end - self.first))
        made[places[inside], months[inside] - self.first] = numbers(frame[column])[inside]
        return made


def account_base_of(panel: pd.DataFrame, spells: pd.DataFrame, end: int, ahead: int) -> AccountBase:
    """The base of a panel and its spells, before the month ``end``; checks both, see ``risk_snapshots``."""
    needs(panel, "panel", ("account_id", "month", "closing", "opening", "contraction"), "the roll-up account_month")
    needs(spells, "spells", ("account_id", "start_date", "duration_months", "churned"), "the roll-up spells")
    months = periods.month_index(panel["month"]).to_numpy(np.int64) if len(panel) else np.zeros(0, np.int64)
    first = int(months.min()) if len(months) else end
    if end - first < ahead + MIN_MONTHS_BEFORE:
        raise ContractError(
            f"panel: {max(end - first, 0)} months lie before {first_day(end)}; {ahead} months of lead and outcome and "
            f"{MIN_MONTHS_BEFORE} of history need {ahead + MIN_MONTHS_BEFORE}. Load a longer history, or ask for "
            "a shorter horizon."
        )
    last_seen = spell_ends(spells).to_numpy().astype("datetime64[D]")
    churned = spells["churned"].to_numpy(bool)
    if (~churned & (last_seen < first_day(end) - 1)).any():
        raise ContractError(
            f"spells: they were last seen on {last_seen[~churned].min()}, before the eve of {first_day(end)}. "
            f"Roll them up with as_of {first_day(end)}."
        )
    seen = months < end
    ids = pd.Index(panel["account_id"][seen].unique()).sort_values()
    ended = np.where(churned & (last_seen < first_day(end)), last_seen, NEVER)
    known = spells["account_id"].isin(ids) & (dates(spells["start_date"]) < first_day(end))
    spells = spells.assign(_end=ended.astype("datetime64[s]"))[known].sort_values(["account_id", "start_date"])
    places = np.asarray(ids.get_indexer(pd.Index(panel["account_id"])))
    eve = np.zeros((len(ids), end - first + 1), np.int64)
    contracted = np.zeros((len(ids), end - first), bool)
    rows, columns = places[seen], months[seen] - first
    eve[rows, columns + 1] = panel["closing"].to_numpy(np.int64)[seen]
    contracted[rows, columns] = panel["contraction"].to_numpy(np.int64)[seen] > 0
    begins = months == first
    eve[places[begins], 0] = panel["opening"].to_numpy(np.int64)[begins]
    of = np.asarray(ids.get_indexer(pd.Index(spells["account_id"])))
    starts, ends = np.append(dates(spells["start_date"]), NEVER), np.append(dates(spells["_end"]), NEVER)
    later = np.diff(of, prepend=-1, append=-1) == 0
    base = AccountBase(ids, first, end, eve, contracted, of, starts, ends, later)
    _agree(base)
    return base


def _agree(base: AccountBase) -> None:
    """Raises ContractError where panel and spells disagree on who pays, save spells that began on the eve of as_of."""
    for month in range(base.first + MIN_MONTHS_AHEAD, base.end + 1):
        paying, running = base.mrr(month) > 0, base.running(month) >= 0
        wrong = np.flatnonzero((paying != running) & ~(paying & (month == base.end)))
        if len(wrong):
            raise ContractError(
                f"panel and spells: they disagree on whether {base.ids[wrong[0]]} paid on the eve of "
                f"{first_day(month)} ({len(wrong)} accounts in all). Roll up both from the same subscriptions, the "
                f"panel for every month before {first_day(base.end)}."
            )
