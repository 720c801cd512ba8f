"""Inspection of a source: reads, types, checks and cuts its tables and collects everything found.

``load`` and ``check`` both use it; they differ in how they treat problems.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import pandas as pd

from cs_helpers.core.audience import check_audience
from cs_helpers.core.errors import ContractError, ParameterError, Problem, SourceError
from cs_helpers.core.periods import day_words, month, month_starts
from cs_helpers.data.contract.checks import MAX_SHOWN
from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.mapping import ExportMapping, find_mapping
from cs_helpers.data.sources import open_source
from cs_helpers.data.sources.staged import listed
from cs_helpers.data.tables.across import check_across, set_aside_impossible, unknown_reps
from cs_helpers.data.tables.choosing import choose, conditions_of
from cs_helpers.data.tables.findings import (
    churn_records_disagree,
    compare_churn_records,
    currency_of,
    findings,
    rows_by_month,
)
from cs_helpers.data.tables.frames import expose, set_lines
from cs_helpers.data.tables.load_state import Finding, LoadedTable, LoadState, TableFacts, counted, further_headers
from cs_helpers.data.tables.reading import read_tables
from cs_helpers.data.tables.records import read_records
from cs_helpers.data.tables.sharing import Sharing, prepare

UNSEEN_MONTHS = 3  # starts this long before the first recorded end: accounts that churned earlier seem to be missing

Day = str | dt.date | pd.Timestamp
Where = Mapping[str, str] | str | None


@dataclass(frozen=True, eq=False)
class Inspection:
    """The tables of a source and everything found about them. With errors, later steps were not done."""

    is_tables: ClassVar[bool] = True  # what the front doors of the data check take, as they take tables

    engine: DuckDB
    source: str
    kind: str
    company: str
    settings: ExportMapping
    facts: tuple[TableFacts, ...]
    unreadable: tuple[str, ...]
    problems: tuple[Problem, ...]
    checks: tuple[str, ...]  # table.check of each problem
    findings: tuple[Finding, ...]
    currency: str = ""
    as_of: pd.Timestamp = pd.NaT  # type: ignore[assignment]
    observed_from: pd.Timestamp = pd.NaT  # type: ignore[assignment]
    data_through: pd.Timestamp = pd.NaT  # type: ignore[assignment]
    where: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    churn_records: pd.DataFrame = field(default_factory=pd.DataFrame)
    sharing: Sharing | None = None  # how the tables are shown to readers who must not learn who is who

    @property
    def failed(self) -> bool:
        """Whether anything stops the tables from being used."""
        return bool(self.unreadable or self.problems)


def inspect(
    source: str | Path,
    mapping: str | Path | ExportMapping | None = None,
    as_of: Day | None = None,
    where: Where = None,
    audience: str = "full",
) -> Inspection:
    """Reads, checks and cuts a source; problems of the data are collected, not raised.

    For a shared ``audience`` the tables are pseudonymised by ``tables.sharing``; findings are not, see ``load``. Raises
    SourceError and MappingError where nothing can be read, ParameterError for ``as_of``, ``where`` and ``audience``.

    Example:
        >>> [finding.check for finding in cs.data.inspect("data/sample").findings]
        ['concurrent_subscriptions']
    """
    check_audience(audience)
    place = open_source(source)
    try:
        settings = find_mapping(place.folder, mapping)
        state = read_tables(DuckDB(), place, settings)
        records = read_records(state)
        check_across(state)
        fingerprint = place.fingerprint()
        if not state.tables and not state.unreadable:
            state.unreadable.append(_nothing(state))
    finally:
        place.close()
    facts: tuple[TableFacts, ...] = ()
    if state.unreadable or state.problems:
        _renumber(state)
        facts = _facts(state)
    company = settings.company or (place.folder.resolve().name if place.folder is not None else place.name)
    seen = Inspection(
        state.engine, place.name, place.kind, company, settings, facts, tuple(dict.fromkeys(state.unreadable)),
        tuple(state.problems), tuple(state.checks), tuple(state.findings), fingerprint=fingerprint,
    )  # fmt: skip
    return seen if seen.failed else _cut(seen, state, records, as_of, where, audience)


def _nothing(state: LoadState) -> str:
    return (
        f"{state.source.name}: there is no table of the contract in it.\n"
        f"  It holds: {', '.join(state.source.names()[:12])}. Say in a mapping which file feeds which table; "
        "`cs-helpers map` drafts one."
    )


def _cut(
    seen: Inspection,
    state: LoadState,
    records: Mapping[str, pd.DataFrame],
    as_of: Day | None,
    where: Where,
    audience: str,
) -> Inspection:
    """The inspection of the tables as they were known at ``as_of``, for an audience."""
    engine, tables, notes = state.engine, state.tables, list(state.findings)
    first, last = _span(state)
    data_through, note = _data_through(state, last)
    notes += note
    covered_to = data_through + pd.Timedelta(days=1)
    asked = _given_day(as_of) if as_of else covered_to
    instant = month(asked)
    if "subscriptions" in tables:
        engine.execute("CREATE OR REPLACE TABLE ever_subscribed AS SELECT DISTINCT account_id FROM typed_subscriptions")
    _cut_tables(state, instant, covered_to)
    churn_records = pd.DataFrame()
    if "subscriptions" in tables and "accounts" in tables:
        churn_records = compare_churn_records(state, records, instant, exported=instant < covered_to)
    set_aside_impossible(state)
    observed_from, note = _observed_from(state, first)
    notes += note
    _check_instant(as_of, instant, observed_from, covered_to, seen.source)
    _unloaded_months(state, observed_from, instant)
    currency, note = currency_of(engine, seen.settings, tables.get("subscriptions"))
    notes += note
    notes += [*findings(state, observed_from, instant), *unknown_reps(state)]
    notes += churn_records_disagree(churn_records, instant)
    if as_of and asked != instant:
        message = (
            f"{day_words(asked)} was given as as_of and lies inside a month: the figures speak of "
            f"{day_words(instant)}, the first day of that month, so that they hold whole months only."
        )
        notes.append(Finding("subscriptions", "as_of_moved", "note", 0, message))
    _renumber(state)
    notes = [*_set_aside_findings(state), *notes]
    facts, conditions = _facts(state), choose(state, conditions_of(where), instant)
    sharing = None if audience == "full" else prepare(engine, tables, conditions, audience)
    expose(engine, {name: list(loaded.attributes) for name, loaded in tables.items()}, bool(conditions), sharing)
    for target, _ in state.staged.values():
        engine.drop(target)
    return replace(
        seen, facts=facts, problems=tuple(state.problems), checks=tuple(state.checks), findings=tuple(notes),
        currency=currency, as_of=instant, observed_from=observed_from, data_through=data_through, where=conditions,
        churn_records=churn_records, sharing=sharing,
    )  # fmt: skip


def _renumber(state: LoadState) -> None:
    """Replaces record numbers of rows set aside by line numbers of the file."""
    for name, loaded in state.tables.items():
        lines = state.engine.column("SELECT DISTINCT line FROM aside WHERE table_name = ? ORDER BY line", [name])
        shown = loaded.staged.lines(lines)
        set_lines(state.engine, name, {line: new for line, new in zip(lines, shown, strict=True) if line != new})


def _facts(state: LoadState) -> tuple[TableFacts, ...]:
    found = []
    for name, loaded in state.tables.items():
        when = loaded.known_at or "CAST(NULL AS TIMESTAMP)"
        query = f"SELECT count(*), min({when}), max({when}) FROM {quote(loaded.typed)}"
        rows, first, last = state.engine.rows(query)[0]
        columns = {column.name: loaded.header(column.name) for column in loaded.columns}
        used = {*columns.values(), *loaded.attributes.values()}
        used |= {header for _, _, header in further_headers(loaded.entry)}
        found.append(
            TableFacts(
                name, loaded.where, loaded.rows, int(rows), columns, tuple(loaded.attributes),
                tuple(each for each in loaded.outcome_only if each in loaded.attributes),
                tuple(header for header in loaded.staged.headers if header not in used),
                None if first is None else pd.Timestamp(first), None if last is None else pd.Timestamp(last),
            )
        )  # fmt: skip
    return tuple(found)


# --- the cut --------------------------------------------------------------------------------------------------


def _cut_tables(state: LoadState, instant: pd.Timestamp, covered_to: pd.Timestamp) -> None:
    """Cuts every typed table at ``instant``, which is exclusive.

    What happens on the instant itself belongs to the month that begins there, for starts and ends alike: otherwise
    a subscription renewed on that day would look ended. Accounts became known with their first subscription or
    their signup. Renewals due later stay only where the export ends at the instant: for an earlier instant it is
    unknown which of them were already planned. Decisions made later are missing.
    """
    at = f"TIMESTAMP '{instant:%Y-%m-%d}'"
    for name, loaded in state.tables.items():
        if name == "accounts":
            continue
        keep_due = name == "renewals" and instant >= covered_to
        if loaded.known_at and not keep_due:
            state.engine.execute(f"DELETE FROM {quote(loaded.typed)} WHERE {loaded.known_at} >= {at}")
        _remove_later_values(state.engine, loaded, at)
    if (accounts := state.tables.get("accounts")) is not None:
        _cut_accounts(state, accounts, at)


def _remove_later_values(engine: DuckDB, loaded: LoadedTable, at: str) -> None:
    """Values that became known at or after the instant are missing."""
    known_with: dict[str, list[str]] = {}
    for column in loaded.table.columns:
        if column.known_with and loaded.has(column.known_with, column.name):
            known_with.setdefault(column.known_with, []).append(f"{quote(column.stored)} = NULL")
    for name, blank in known_with.items():
        later = f"{quote(name)} >= {at}"
        if engine.value(f"SELECT 1 FROM {quote(loaded.typed)} WHERE {later} LIMIT 1"):  # usually none; a look is cheap
            engine.execute(f"UPDATE {quote(loaded.typed)} SET {', '.join(blank)} WHERE {later}")


def _cut_accounts(state: LoadState, accounts: LoadedTable, at: str) -> None:
    """Accounts whose signup and first subscription both came later were not known yet."""
    has_signup = accounts.has("signup_date")
    if "subscriptions" not in state.tables:
        if has_signup:
            state.engine.execute(f"DELETE FROM typed_accounts WHERE signup_date >= {at}")
        return
    # typed_subscriptions is already cut, so its accounts had started; accounts that never subscribe are kept.
    signup = f"(signup_date IS NOT NULL AND signup_date < {at})" if has_signup else "FALSE"
    state.engine.execute(
        f"DELETE FROM typed_accounts WHERE NOT {signup} AND account_id NOT IN (SELECT account_id FROM "
        f"typed_subscriptions WHERE account_id IS NOT NULL) AND (account_id IN (SELECT account_id FROM ever_subscribed)"
        f"{' OR signup_date IS NOT NULL' if has_signup else ''})"
    )


# --- the instant ----------------------------------------------------------------------------------------------


def _span(state: LoadState) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """First and last day on which anything happens: of subscriptions, or without them of all events."""
    tables, days = state.tables, []
    names = ["subscriptions"] if "subscriptions" in tables else [n for n, t in tables.items() if t.table.event_time]
    for name in names:
        if name in ("goals", "renewals") or not (known_at := tables[name].known_at):
            continue
        when = f"CAST({known_at} AS DATE)"
        found = state.engine.rows(f"SELECT min({when}), max({when}) FROM {quote(tables[name].typed)}")[0]
        days += [pd.Timestamp(day) for day in found if day is not None]
    return (min(days), max(days)) if days else (None, None)


def _data_through(state: LoadState, last: pd.Timestamp | None) -> tuple[pd.Timestamp, list[Finding]]:
    if state.settings.data_through is not None:
        return pd.Timestamp(state.settings.data_through), []
    if last is None:
        raise SourceError(
            f"{state.source.name}: nothing in it has a date, so it cannot be said of which day it speaks.\n"
            "  State `data_through` in mapping.yml, the last day that was loaded."
        )
    has_subscriptions = "subscriptions" in state.tables
    table, of = ("subscriptions", "start_date") if has_subscriptions else (next(iter(state.tables)), "event")
    message = (
        f"The last day loaded is not declared: taken as {day_words(last)}, the latest {of}. "
        "State it as `data_through` in mapping.yml."
    )
    return last, [Finding(table, "data_through_inferred", "warning", 0, message)]


def _observed_from(state: LoadState, first: pd.Timestamp | None) -> tuple[pd.Timestamp, list[Finding]]:
    """The first day of complete records: declared, or inferred from what was known at the cut."""
    if state.settings.observed_from is not None:
        return pd.Timestamp(state.settings.observed_from), []
    if first is None:
        raise SourceError(
            f"{state.source.name}: nothing in it has a date.\n"
            "  State `observed_from` and `data_through` in mapping.yml."
        )
    if "subscriptions" not in state.tables:
        return first, []
    earliest, first_end = state.engine.rows("SELECT min(start_date), min(end_date) FROM typed_subscriptions")[0]
    if earliest is None:
        return first, []
    start, before = pd.Timestamp(earliest), 0
    message = (
        f"The first day of complete records is not declared: taken as {day_words(start)}, the earliest start_date. "
        "State it as `observed_from` in mapping.yml."
    )
    if first_end is not None and start < pd.Timestamp(first_end) - pd.DateOffset(months=UNSEEN_MONTHS):
        earliest, start = start, month(first_end)
        before = state.engine.value("SELECT count(*) FROM typed_subscriptions WHERE start_date < ?", [start.date()])
        message = (
            f"{counted(before, 'subscription')} started before {day_words(start)}, from {day_words(earliest)} on, yet "
            f"the first recorded end is on {day_words(pd.Timestamp(first_end))}: accounts that left earlier seem to be "
            f"missing from the export. Figures start at {day_words(start)}; state the first completely recorded day as "
            "`observed_from` in mapping.yml."
        )
    return start, [Finding("subscriptions", "observed_from_inferred", "warning", before, message)]


def _given_day(as_of: Day) -> pd.Timestamp:
    try:
        if not isinstance(as_of, str | dt.date):  # a Timestamp is a date; a number is not
            raise TypeError
        # Only ISO text: pandas would read "now" as the clock's time and guess at 01/02/2024.
        day = dt.datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
        return pd.Timestamp(day).tz_localize(None).normalize().as_unit("us")
    except (TypeError, ValueError) as error:
        raise ParameterError(f"as_of {as_of!r} is not a date.\n  Write it like 2024-12-01.") from error


def _check_instant(
    given: object, instant: pd.Timestamp, observed_from: pd.Timestamp, covered_to: pd.Timestamp, name: str
) -> None:
    if observed_from < instant <= covered_to:
        return
    covers = f"{name} covers {day_words(observed_from)} to {day_words(covered_to - pd.Timedelta(days=1))}"
    if given is None:
        raise ContractError(
            f"{covers}: there is no complete month in it.\n"
            "  Load a longer period, or correct `observed_from` and `data_through` in the mapping."
        )
    raise ParameterError(
        f"as_of {instant:%Y-%m-%d} is outside the data: {covers}.\n"
        f"  Give a month's first day after {observed_from:%Y-%m-%d}, at the latest {month(covered_to):%Y-%m-%d}."
    )


def _unloaded_months(state: LoadState, observed_from: pd.Timestamp, instant: pd.Timestamp) -> None:
    """A problem for a month without any subscription: it was not loaded, and must not count as total churn."""
    if "subscriptions" not in state.tables:
        return
    # A start counts from its month on, an end from the month it is not paid in any more.
    starts = rows_by_month(state.engine, "typed_subscriptions", "start_date")
    ends = rows_by_month(state.engine, "typed_subscriptions", "(end_date - 1)")
    empty = []
    for day in month_starts(month(observed_from), instant):
        index = day.year * 12 + day.month - 1
        begun = sum(rows for at, rows in starts.items() if at <= index)
        if begun <= sum(rows for at, rows in ends.items() if at < index):
            empty.append(f"{day.month_name()} {day.year}")
    if empty:
        what = (
            f"no subscription runs in {listed(empty, MAX_SHOWN)}, inside the observed months "
            f"{day_words(observed_from)} to {day_words(instant - pd.Timedelta(days=1))}: a month that was never loaded."
        )
        fix = "Load the missing months, or set `observed_from` and `data_through` in mapping.yml to the days loaded."
        where = state.tables["subscriptions"].where
        state.problem("month_never_loaded", "subscriptions", Problem(where, what, fix))


# --- set aside ---------------------------------------------------------------------------------------------------

_SET_ASIDE_WORDS = {
    "zero_day": "zero-day subscription(s), ending on the day they start",
    "end_before_start": "row(s) that end before they start",
    "repeated_row": "row(s) that repeat an earlier row in every column",
    "repeated_key": "row(s) whose key stands in more than one row",
    "orphan": "row(s) with an account_id no account has",
    "drop_where": "row(s) named by drop_where in the mapping",
    "keep_where": "row(s) not named by keep_where in the mapping",
    "usage_before_start": "row(s) of usage before the first day of the subscription or account",
    "usage_after_end": "row(s) of usage after its last day",
    "usage_without_subscription": "row(s) of usage by accounts without any subscription",
    "missing_value": "row(s) without a value that is required",
    "unreadable_date": "row(s) with a date that cannot be read",
    "unreadable_value": "row(s) with a value that cannot be read",
    "date_out_of_range": "row(s) with a date before 1970 or after 2100",
    "value_out_of_range": "row(s) with a value out of range",
    "not_allowed": "row(s) with a value that is none of those allowed",
    "impossible_time": "row(s) with a local time that does not exist",
}


def _set_aside_findings(state: LoadState) -> list[Finding]:
    """One finding per check and table, with how many rows were set aside."""
    found = []
    query = "SELECT check_name, count(*) FROM aside WHERE table_name = ? GROUP BY check_name ORDER BY check_name"
    for name, loaded in state.tables.items():
        for check, rows in state.engine.rows(query, [name]):
            words = _SET_ASIDE_WORDS.get(check, f"row(s) where {check.replace('_', ' ')}")
            share = f" of {loaded.rows:,}" if rows != loaded.rows else ""
            words = words.replace("(s)", "" if rows == 1 else "s")
            message = f"{loaded.where}: {rows:,}{share} {words}; left out of all figures."
            found.append(Finding(name, check, "set aside", int(rows), message))
    return found
