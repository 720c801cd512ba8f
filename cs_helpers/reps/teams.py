"""A whole team: its cases together, compared now and before, measure by measure; what is not there is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.core.results import Record, Suppressed, or_suppressed
from cs_helpers.reps.comparison import compare_reps
from cs_helpers.reps.measures import MEASURES, ROLES
from cs_helpers.reps.monthly import monthly_history
from cs_helpers.reps.outlier_profiles import outlier_profiles
from cs_helpers.reps.outliers import repeated_outliers
from cs_helpers.reps.proficiency import time_to_proficiency
from cs_helpers.reps.results import Board, Cases, History, Persistence, Profile, Ramp, Windows


@dataclass(frozen=True, eq=False, repr=False)
class Team(Record):
    """All cases of one role, and why others are not there."""

    role: str
    cases: tuple[Cases, ...]
    missing: tuple[str, ...] = ()

    def of(self, key: str) -> Cases:
        """The cases of one measure. Raises ContractError where there are none."""
        for part in self.cases:
            if key in part.keys:
                return part
        raise ContractError(f"{key}: the data do not hold it")


def mix_attributes(accounts: pd.DataFrame, named: str = "") -> pd.DataFrame | None:
    """Attributes of accounts for the mix of cases, by account_id: the segment, and those named with commas between.

    None where there is none. Raises ParameterError for a name that is no attribute.
    """
    wanted = list(dict.fromkeys(name.strip() for name in named.split(",") if name.strip()))
    known = [str(column) for column in accounts.columns if column != "account_id"]
    for name in wanted:
        if name not in known:
            raise ParameterError(
                f"accounts have no attribute '{name}'.{did_you_mean(name, known)} They have: {', '.join(known)}."
            )
    chosen = [name for name in dict.fromkeys(["segment", *wanted]) if name in known and accounts[name].notna().any()]
    return accounts.set_index("account_id")[chosen] if chosen else None


def windows(as_of: Any, months: int = 12) -> Windows:
    """The last ``months`` whole months before ``as_of`` and as many before those. ParameterError for no window."""
    end = periods.month(as_of)
    start, _ = periods.trailing_window(periods.add_months(end, -min(max(months, 0), 600)), end, months)
    return Windows(periods.add_months(start, -months), start, end)


def team_cases(role: str, *parts: Cases | Suppressed | Iterable[Cases]) -> Team | Suppressed:
    """The team of all cases that are there; Refusals among the parts are kept as reasons.

    Suppressed with the first reason where nothing is there: one section without a result must not take others with it.
    """
    cases: list[Cases] = []
    missing: list[str] = []
    for part in parts:
        if isinstance(part, Suppressed):
            missing.append(part.reason)
        elif isinstance(part, Cases):
            cases.append(part)
        else:
            cases.extend(part)
    if not cases:
        return Suppressed(missing[0] if missing else "no cases were given")
    return Team(role, tuple(cases), tuple(dict.fromkeys(missing)))


def compare_team(team: Team, people: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp, fdr: float = 0.05) -> Board:
    """Every measure of the team compared between reps over the months of [start, end): see ``compare_reps``.

    Each measure of the role is asked for, so that those the data do not hold are named as refused. ``untouched`` are
    those who were employed in the window and have no case in it, not those who came later or had left. Raises
    ContractError where nothing can be compared.
    """
    wanted = [key for key, each in MEASURES.items() if each.role == team.role]
    board = compare_reps([part.between(start, end) for part in team.cases], people, wanted, role=team.role, fdr=fdr)
    if not board.untouched:
        return board
    known = people.reindex(columns=["rep_id", "name", "hired_on", "left_on"])
    hired, left = (pd.to_datetime(known[name]) for name in ("hired_on", "left_on"))
    there = set(known.loc[~((hired >= end) | (left < start)), "name"].fillna(known["rep_id"]))
    return replace(board, untouched=tuple(name for name in board.untouched if name in there))


def with_attributes(tickets: pd.DataFrame, attributes: pd.DataFrame | None) -> pd.DataFrame:
    """Tickets with the attributes of their accounts beside them, so that peers with the same work can be found."""
    fresh = [] if attributes is None else [name for name in attributes.columns if name not in tickets]
    return tickets.join(attributes[fresh], on="account_id") if attributes is not None and fresh else tickets


def outliers_by_measure(
    before: Board | Suppressed, now: Board | Suppressed, seen: Windows
) -> tuple[Persistence | Suppressed, ...]:
    """Each measure that both boards hold, held against itself; a Suppressed alone where one board is refused."""
    if isinstance(now, Suppressed):
        return (now,)
    if isinstance(before, Suppressed):
        return (
            Suppressed(f"nobody can be compared in {seen.before_words}, so there is no earlier period to look back to"),
        )
    return tuple(
        repeated_outliers(earlier, each, seen.before_words, seen.now_words)
        for each in now.benchmarks
        if (earlier := before.of(each.key)) is not None
    )


def profiles_by_measure(
    found: Sequence[Persistence | Suppressed],
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    touches: pd.DataFrame | None = None,
    book: Cases | None = None,
) -> tuple[Profile | Suppressed, ...]:
    """What each consistent outlier of each measure does differently (``outlier_profiles``), or why that cannot be told.

    Whoever is consistent on several measures is profiled on the first of them.
    """
    done: set[str] = set()
    made: list[Profile | Suppressed] = []
    for each in found:
        if isinstance(each, Suppressed) or not len(each.consistent):
            continue
        fresh = replace(each, pairs=each.pairs[~each.pairs["unit"].isin(done)])
        done |= set(each.consistent["unit"])
        looked = or_suppressed(outlier_profiles, fresh, tickets, people, start, end, touches, book)
        made.extend([looked] if isinstance(looked, Suppressed) else looked)
    return tuple(made)


def histories_by_measure(
    team: Team | Suppressed,
    keys: Sequence[str],
    as_of: Any,
    goals: pd.DataFrame | None = None,
    window: int = 12,
) -> dict[str, History | Suppressed]:
    """The organisation's own history of each measure, or why there is none."""
    if isinstance(team, Suppressed):
        return dict.fromkeys(keys, team)
    return {key: or_suppressed(_history, team, key, as_of, goals, window) for key in keys}


def _history(team: Team, key: str, as_of: Any, goals: pd.DataFrame | None, window: int) -> History:
    return monthly_history(team.of(key), key, as_of, goals, window=window)


def ramps_by_measure(
    team: Team | Suppressed, keys: Sequence[str], people: pd.DataFrame, records: pd.DataFrame | None = None
) -> dict[str, Ramp | Suppressed]:
    """How newcomers come up in each measure, or why that cannot be told."""
    if isinstance(team, Suppressed):
        return dict.fromkeys(keys, team)
    return {key: or_suppressed(_ramp, team, key, people, records) for key in keys}


def _ramp(team: Team, key: str, people: pd.DataFrame, records: pd.DataFrame | None) -> Ramp:
    return time_to_proficiency(team.of(key), key, people, records)


def checked_role(role: str) -> str:
    """The role itself. Raises ParameterError with the nearest one for whatever is no role."""
    if role not in ROLES:
        raise ParameterError(f"role '{role}' is none of {', '.join(ROLES)}.{did_you_mean(role, list(ROLES))}")
    return role


def chosen_roles(role: str = "") -> tuple[str, ...]:
    """The roles that a report is about: the one named, all with "". ParameterError for another role."""
    return (checked_role(role),) if role else ROLES
