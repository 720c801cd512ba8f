"""A whole team: its cases from the tables of a company, compared over a window; what is missing is named."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.core.results import Record, Suppressed, or_suppressed
from cs_helpers.reps.activity_metrics import coverage_cases, onboarding_cases, touch_cases, touch_hours_cases
from cs_helpers.reps.comparison import compare_reps
from cs_helpers.reps.measures import MEASURES
from cs_helpers.reps.outliers import repeated_outliers
from cs_helpers.reps.portfolios import Portfolios, nps_cases, portfolio_months, renewal_cases, usage_cases
from cs_helpers.reps.results import Board, Cases, Persistence, Windows
from cs_helpers.reps.settings import Settings
from cs_helpers.reps.support import agent_cases, contact_cases, resolution_cases, work_cases
from cs_helpers.retention import due_renewals, renewals_of

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables

R = TypeVar("R")


@dataclass(frozen=True, eq=False, repr=False)
class Team(Record):
    """All cases of one role; ``missing``: why others are not there, as sentences."""

    role: str
    cases: tuple[Cases, ...]
    missing: tuple[str, ...] = ()

    def of(self, key: str) -> Cases:
        """The cases of one measure. Raises ContractError where there are none."""
        for part in self.cases:
            if key in part.keys:
                return part
        raise ContractError(f"{key}: the data do not hold it")


@dataclass(frozen=True, eq=False)
class CompanyCases:
    """The cases of a company over all observed months; ``by`` and ``settings`` as in the front doors.

    What several questions share is computed once per company.
    """

    tables: Tables
    by: str
    settings: Settings

    def cached(self, step: tuple[Hashable, ...], make: Callable[[], R]) -> R:
        """The value of ``make()``, computed once per step, attributes and settings."""
        return self.tables.cached(("reps", *step, self.by, self.settings), make)

    @property
    def observed(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """The first observed day and the as-of date."""
        return self.tables.observed_from, self.tables.as_of

    @property
    def attributes(self) -> pd.DataFrame | None:
        """Attributes of accounts for the mix of cases."""
        return mix_attributes(self.tables.accounts, self.by)

    def team(self, role: str) -> Team | Suppressed:
        """All cases of one team."""
        return self.cached(("team", role), self._support if role == "support" else self._csms)

    def _support(self) -> Team | Suppressed:
        tables, observed, tickets, attributes = self.tables, self.observed, self.tickets(), self.attributes
        seconds = self.settings.service_level_seconds
        return gathered(
            "support",
            or_suppressed(resolution_cases, tickets, *observed, attributes),
            or_suppressed(contact_cases, tickets, *observed, attributes, seconds),
            or_suppressed(work_cases, tickets, tables.reps, *observed),
            or_suppressed(agent_cases, tables.surveys, tables.reps, *observed),
        )

    def _csms(self) -> Team | Suppressed:
        tables, portfolios = self.tables, self.portfolios()
        first, last = observed = self.observed
        paid = or_suppressed(tables.rollup, "paid_periods")
        due = or_suppressed(due_renewals, tables.subscriptions, paid, observed_from=first, as_of=last)
        renewals = or_suppressed(renewals_of, tables.renewals, due, last)
        usage = or_suppressed(tables.rollup, "usage_features", first=first, last=last, dense=True, step=3)
        panel = or_suppressed(tables.account_months)
        return gathered(
            "csm",
            or_suppressed(renewal_cases, renewals, portfolios, *observed, tables.subscriptions),
            or_suppressed(portfolio_months, panel, portfolios, *observed),
            or_suppressed(nps_cases, tables.surveys, portfolios, *observed),
            or_suppressed(usage_cases, usage, portfolios, *observed),
            or_suppressed(onboarding_cases, tables.touches, portfolios, *observed),
            or_suppressed(coverage_cases, tables.touches, portfolios, *observed),
            or_suppressed(touch_cases, tables.touches, tables.reps, *observed),
            self.hours(),
        )

    def portfolios(self) -> Portfolios | Suppressed:
        """The assignments of accounts with what was paid and the attributes."""
        tables, days = self.tables, self.settings.handover_days
        paid = or_suppressed(tables.rollup, "paid_periods")
        return or_suppressed(Portfolios, tables.assignments, tables.reps, paid, self.attributes, days)

    def hours(self) -> Cases | Suppressed:
        """Hours spent on accounts by month, as cases of the CSM who had the account."""
        return self.cached(("hours",), self._hours)

    def _hours(self) -> Cases | Suppressed:
        panel = or_suppressed(self.tables.account_months)
        return or_suppressed(touch_hours_cases, self.tables.touches, panel, self.portfolios(), *self.observed)

    def tickets(self) -> pd.DataFrame | Suppressed:
        """The roll-up of tickets."""
        first, last = self.observed
        days = self.settings.repeat_days
        return or_suppressed(self.tables.rollup, "ticket_cases", start=first, as_of=last, days=days)

    def tickets_with_attributes(self) -> pd.DataFrame | Suppressed:
        """The roll-up of tickets with the attributes of their accounts, by which peers with the same work are found."""
        return or_suppressed(with_attributes, self.tickets(), self.attributes)


def with_attributes(tickets: pd.DataFrame, attributes: pd.DataFrame | None) -> pd.DataFrame:
    """Tickets with those attributes of their accounts that they do not hold themselves."""
    fresh = [] if attributes is None else [name for name in attributes.columns if name not in tickets]
    return tickets.join(attributes[fresh], on="account_id") if attributes is not None and fresh else tickets


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


def gathered(role: str, *parts: Cases | Suppressed | Iterable[Cases]) -> Team | Suppressed:
    """The team of all cases that are there, with the reasons of those that are not.

    Suppressed with the first reason where nothing is there.
    """
    cases: list[Cases] = []
    missing: list[str] = []
    for part in parts:
        if isinstance(part, Suppressed):
            missing.append(part.reason)
        else:
            cases += [part] if isinstance(part, Cases) else part
    if not cases:
        return Suppressed(missing[0] if missing else "no cases were given")
    return Team(role, tuple(cases), tuple(dict.fromkeys(missing)))


def windows(as_of: Any, months: int = 12) -> Windows:
    """The last ``months`` whole months before ``as_of`` and as many before those. ParameterError for no window."""
    end = periods.month(as_of)
    start, _ = periods.trailing_window(periods.add_months(end, -min(max(months, 0), 600)), end, months)
    return Windows(periods.add_months(start, -months), start, end)


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


def outliers_by_measure(
    before: Board | Suppressed, now: Board | Suppressed, seen: Windows
) -> tuple[Persistence | Suppressed, ...]:
    """Each measure that both boards hold compared between the two windows; the reason alone where one has no board."""
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


def by_measure(
    team: Team | Suppressed, keys: Sequence[str], analysis: Callable[[Cases, str], R]
) -> dict[str, R | Suppressed]:
    """An analysis of the cases of each measure, or why it has none."""
    if isinstance(team, Suppressed):
        return dict.fromkeys(keys, team)

    def analysed(key: str) -> R:
        return analysis(team.of(key), key)

    return {key: or_suppressed(analysed, key) for key in keys}
