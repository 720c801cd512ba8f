"""Attribution: which CSM an event of an account counts for, by the dates of assignments and one rule for handovers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Record

HANDOVER_DAYS = 90
NEVER = pd.Timestamp("2262-01-01")

WITHOUT_ASSIGNMENTS = (
    "assignments say who looked after whom; without them nothing can be told about the book of a CSM. Give the table "
    "assignments (account_id, rep_id, start_date, end_date)."
)


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Record):
    """The CSM to whom each event is attributed.

    ``rep_id``: one per row of the events, in their order and with their index, missing where there is none.
    ``counts``: events, attributed, never_assigned (of accounts that no CSM had on any day before), vacant (of accounts
    that nobody had for half of the days), undated (without account or date), overlapping_days and overlapping_accounts
    (days that were somebody else's as well; with three at once a day counts twice), unknown_reps (in the assignments,
    not among the people).
    """

    rep_id: pd.Series
    notes: tuple[str, ...]
    counts: Mapping[str, int]


def attributed(
    events: pd.DataFrame,
    assignments: pd.DataFrame,
    people: pd.DataFrame,
    on: str,
    handover_days: int = HANDOVER_DAYS,
    role: str = "csm",
    since: str = "",
    called: str = "events",
) -> Attribution:
    """The CSM of the account when each event happened.

        window = [max(t - handover_days, since), t);  rep = who had the account on at least half of its days

    ``events``: account_id, the column ``on`` with the day t, which itself does not count, and perhaps the column
    ``since``, the first day of its unbroken paid time; missing: the window has its full length. Half of the days are
    needed: a CSM who took over a vacant account forty days before a renewal did not cause the outcome, nor did the
    first CSM in an export that lacks ended assignments. A newly won account counts from ``since``, so it is its first
    CSM's from the second day on.

    ``assignments``: account_id, rep_id, start_date, end_date (the first day no longer; missing: it runs) and perhaps
    role: those of ``role`` or without one count, with "" all. Where several run at once the day belongs to who started
    last. ``people``: rep_id and left_on, the last day in the job, after which nobody has an account. ``called``: what
    the events are, for the notes. Raises ContractError without assignments, ParameterError for fewer than 1 day.
    """
    if handover_days < 1:
        raise ParameterError(f"handover_days = {handover_days}: at least one day has to be looked at, for example 90.")
    if not len(assignments):
        raise ContractError(WITHOUT_ASSIGNMENTS)
    had = _had(assignments, people, role)
    accounts = pd.Index(had["account_id"].unique())
    place = accounts.get_indexer(events["account_id"].astype("str"))
    when = pd.to_datetime(events[on])
    known = when.notna().to_numpy() & events["account_id"].notna().to_numpy()
    day = _day(when.where(known, pd.Timestamp(0)))
    begin = day - handover_days
    if since:
        first = pd.to_datetime(events[since])
        begin = np.where(first.notna(), np.maximum(begin, _day(first.fillna(pd.Timestamp(0)))), begin)
    seen = known & (place >= 0)
    last_day = int(day[seen].max()) if seen.any() else 0
    held = _Periods.of(accounts.get_indexer(had["account_id"]), had, last_day)
    owner, ever = held.owners(place, begin, day, seen & (begin < day))
    rep = pd.Series(pd.Categorical.from_codes(owner, categories=held.reps), index=events.index, name="rep_id")
    known_reps = len(people) and "rep_id" in people
    counts = {
        "events": len(events),
        "attributed": int((owner >= 0).sum()),
        "never_assigned": int((known & ~ever).sum()),
        "vacant": int((known & ever & (owner < 0)).sum()),
        "undated": int((~known).sum()),
        "overlapping_days": held.overlapping_days,
        "overlapping_accounts": held.overlapping_accounts,
        "unknown_reps": int((~pd.Series(had["rep_id"].unique()).isin(people["rep_id"])).sum()) if known_reps else 0,
    }
    return Attribution(rep, _notes(counts, called, handover_days), counts)


def _had(assignments: pd.DataFrame, people: pd.DataFrame, role: str) -> pd.DataFrame:
    """The assignments that count, in days since 1970: account_id, rep_id, start, end. They end as the rep has left."""
    counts = assignments[["account_id", "rep_id", "start_date"]].notna().all(axis=1)
    if role and "role" in assignments:
        counts &= assignments["role"].isna() | (assignments["role"].astype("str").str.lower() == role.lower())
    kept = assignments[counts].reset_index(drop=True)
    rows = kept[["account_id", "rep_id"]].astype("str")
    end = pd.to_datetime(kept["end_date"] if "end_date" in kept else pd.Series(pd.NaT, kept.index))
    if {"rep_id", "left_on"} <= set(people):
        left = people.dropna(subset=["rep_id", "left_on"]).drop_duplicates("rep_id").set_index("rep_id")["left_on"]
        gone = pd.to_datetime(left.reindex(rows["rep_id"])).set_axis(rows.index) + pd.Timedelta(days=1)
        end = end.where(gone.isna() | (end <= gone), gone)
    return rows.assign(start=_day(pd.to_datetime(kept["start_date"])), end=_day(end.fillna(NEVER)))


@dataclass(frozen=True, eq=False)
class _Periods:
    """Periods of accounts, each with one rep: disjoint, sorted by account and day. ``first``: first day by account."""

    account: np.ndarray
    start: np.ndarray
    end: np.ndarray
    rep: np.ndarray
    reps: pd.Index
    first: np.ndarray
    overlapping_days: int
    overlapping_accounts: int

    @classmethod
    def of(cls, account: np.ndarray, had: pd.DataFrame, last_day: int) -> _Periods:
        rep, reps = pd.factorize(had["rep_id"], sort=True)
        start, end = had["start"].to_numpy(), np.minimum(had["end"].to_numpy(), last_day)
        runs = end > start
        account, rep, start, end = account[runs], rep[runs], start[runs], end[runs]
        order = np.lexsort((rep, start, account))
        account, rep, start, end = account[order], rep[order], start[order], end[order]
        # Days with somebody else at the same time: the reps' own days less those with anybody.
        surplus = _days_had(account, rep, start, end) - _days_had(account, np.zeros_like(rep), start, end)
        at, edge, until = _pieces(account, start, end)
        who = _latest_running(account, start, end, at, edge)
        held = who >= 0
        first = np.full(len(had) and int(account.max(initial=-1)) + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, account, start)
        return cls(
            at[held], edge[held], until[held], rep[who[held]], pd.Index(reps), first,
            int(surplus.sum()), int((surplus > 0).sum()),
        )  # fmt: skip

    def owners(
        self, account: np.ndarray, begin: np.ndarray, day: np.ndarray, asked: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The rep on at least half of [begin, day), -1 for none; and whether the account ever had a rep before."""
        owner, ever = np.full(len(account), -1), np.zeros(len(account), bool)
        within = (account >= 0) & (account < len(self.first))
        ever[within] = self.first[account[within]] < day[within]
        event = np.flatnonzero(asked)
        if not len(event) or not len(self.account):
            return owner, ever
        low = int(min(self.start.min(), begin[event].min()))
        span = int(max(self.end.max(), day[event].max())) - low + 1
        of = account[event] * span - low
        left = np.searchsorted(self.account * span + self.end - low, of + begin[event], side="right")
        right = np.searchsorted(self.account * span + self.start - low, of + day[event], side="left")
        count = np.maximum(right - left, 0)
        which = np.repeat(np.arange(len(event)), count)
        piece = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(left, count)
        start = np.maximum(self.start[piece], begin[event][which])
        end = np.minimum(self.end[piece], day[event][which])
        held = (
            pd.DataFrame({"event": which, "rep": self.rep[piece], "days": end - start, "until": end})
            .groupby(["event", "rep"], sort=False)
            .agg(days=("days", "sum"), until=("until", "max"))
            .reset_index()
        )
        enough = held["days"] * 2 >= (day - begin)[event][held["event"]]
        best = held[enough].sort_values(["event", "days", "until"]).drop_duplicates("event", keep="last")
        owner[event[best["event"].to_numpy()]] = best["rep"].to_numpy()
        return owner, ever


def _days_had(account: np.ndarray, rep: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Days on which at least one assignment of an account and rep runs, added up by account."""
    order = np.lexsort((start, rep, account))
    account, rep, start, end = account[order], rep[order], start[order], end[order]
    before = pd.Series(end).groupby([account, rep]).cummax().groupby([account, rep]).shift().fillna(-np.inf)
    fresh = np.maximum(end - np.maximum(start, before.to_numpy(float)), 0)
    return np.bincount(account, fresh, int(account.max(initial=-1)) + 1)


def _pieces(account: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The time of each account, cut wherever an assignment starts or ends: account, from, until."""
    edges = pd.DataFrame({"account": np.r_[account, account], "day": np.r_[start, end]})
    edges = edges.drop_duplicates().sort_values(["account", "day"])
    at, day = edges["account"].to_numpy(), edges["day"].to_numpy()
    same = at[1:] == at[:-1]
    return at[:-1][same], day[:-1][same], day[1:][same]


def _latest_running(
    account: np.ndarray, start: np.ndarray, end: np.ndarray, at: np.ndarray, day: np.ndarray
) -> np.ndarray:
    """The assignment that started last among those that run in each piece, -1 where none does.

    Assignments are sorted by account and start. From the last one that had started it goes back over those that have
    ended; pieces in which nothing runs are known by the latest end so far and skipped.
    """
    if not len(account):
        return np.full(len(at), -1)
    low = int(start.min())
    span = int(end.max()) - low + 1
    found: np.ndarray = np.searchsorted(account * span + start - low, at * span + day - low, side="right") - 1
    furthest = np.asarray(pd.Series(end).groupby(account).cummax())
    found[furthest[found] <= day] = -1
    behind = np.flatnonzero(found >= 0)
    behind = behind[end[found[behind]] <= day[behind]]
    while len(behind):
        found[behind] -= 1
        behind = behind[end[found[behind]] <= day[behind]]
    return found


def _day(dates: pd.Series) -> np.ndarray:
    return dates.to_numpy("datetime64[D]").astype(np.int64)


def _notes(counts: Mapping[str, int], called: str, handover_days: int) -> tuple[str, ...]:
    total = f"{counts['events']:,} {called}"
    notes = []
    if counts["never_assigned"]:
        notes.append(f"{counts['never_assigned']:,} of {total} are of accounts that no CSM had before: nobody's.")
    if counts["vacant"]:
        notes.append(
            f"{counts['vacant']:,} of {total} are of accounts that nobody had on at least half of the days that count "
            f"({handover_days} at most): nobody's."
        )
    if counts["undated"]:
        notes.append(f"{counts['undated']:,} of {total} have no account or no date: nobody's.")
    if counts["overlapping_days"]:
        accounts = counts["overlapping_accounts"]
        notes.append(
            f"{accounts:,} account{'s' if accounts > 1 else ''} had more than one CSM at once, on "
            f"{counts['overlapping_days']:,} days in all: those days count for who came last."
        )
    if counts["unknown_reps"]:
        several = counts["unknown_reps"] > 1
        notes.append(
            f"{counts['unknown_reps']:,} CSM{'s' if several else ''} in the assignments {'are' if several else 'is'} "
            "not in the table reps: shown by id."
        )
    return tuple(notes)
