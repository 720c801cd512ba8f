"""Warnings and notes about unusual data, as sentences for the reader of a report.

They describe the tables as they were known at the as-of date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from cs_helpers.core.periods import day_words, month, month_starts
from cs_helpers.data.contract.checks import MAX_SHOWN, plain
from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.mapping import ExportMapping
from cs_helpers.data.sources.staged import listed
from cs_helpers.data.tables.load_state import Finding, LoadedTable, LoadState

INCLUSIVE_ENDS, INCLUSIVE_SHARE = 5, 0.2  # ends one day before the next start, of the ends that a start follows
PILE_UP_RATIO, PILE_UP_ROWS, PILE_UP_MONTHS = 3, 20, 3  # ends in the last months against the mean month before them
MIN_ANSWERS = 30  # with fewer answers, a scale without low scores proves nothing
MIN_STEADY_ROWS = 10  # rows in the months around an empty one that make it no coincidence (Poisson: 1 in 20,000)
STALE_DAYS = 45  # days without a row at the end of the data
LOWEST_USUAL = {"csat": 3, "ces": 4, "nps": 7}  # a scale whose answers never fall below this is suspicious
MAX_MOVED_SHARE = 0.02  # of the renewals, due on another day than the end or anniversary of a subscription
_NOT_EVERY_MONTH = ("subscriptions", "renewals", "assignments", "reps", "goals")  # tables that may have empty months


def findings(state: LoadState, observed_from: pd.Timestamp, instant: pd.Timestamp) -> Iterator[Finding]:
    """Warnings and notes about the tables; none of them stops a report."""
    engine, tables = state.engine, state.tables
    accounts, subscriptions = tables.get("accounts"), tables.get("subscriptions")
    if subscriptions is not None:
        overlapping, day_before = _neighbours(engine)
        if overlapping:
            yield from _concurrent(engine)
        yield from _pile_up(engine, observed_from, instant)
        if not subscriptions.last_paid_day and (overlapping or day_before):
            yield from _ends_look_inclusive(engine)
    if accounts is not None:
        yield from _differing_by_case(engine)
    for loaded in tables.values():
        if loaded.known_at and loaded.name not in _NOT_EVERY_MONTH:
            yield from _months_without_rows(engine, loaded)
            yield from _stale(engine, loaded, instant)
        yield from _never_low(engine, loaded)
    if (tickets := tables.get("tickets")) is not None:
        yield from _tickets(engine, tickets, accounts)
    if (renewals := tables.get("renewals")) is not None and subscriptions is not None:
        yield from _due_dates_moved(engine, renewals, subscriptions)


def currency_of(
    engine: DuckDB, settings: ExportMapping, subscriptions: LoadedTable | None
) -> tuple[str, list[Finding]]:
    """The source's one currency, and a warning where none is declared."""
    if settings.currency:
        return settings.currency.upper(), []
    if subscriptions is None:
        return "", []
    if subscriptions.has("currency"):
        code = engine.value("SELECT min(upper(trim(currency))) FROM typed_subscriptions")
        if code:
            return str(code), []
    message = "No currency is declared, so amounts carry none. State it as `currency` in mapping.yml."
    return "", [Finding("subscriptions", "currency_undeclared", "warning", 0, message)]


def _neighbours(engine: DuckDB) -> tuple[int, int]:
    """How many subscriptions start while an earlier one still runs, and how many end the day before the next start.

    One pass over the table, so that the more expensive checks run only where they are needed.
    """
    overlapping, day_before = engine.rows(
        "SELECT count(*) FILTER (start_date < running_to), count(*) FILTER (next_start = end_date + 1) FROM (SELECT "
        "start_date, end_date, lead(start_date) OVER w AS next_start, max(coalesce(end_date, DATE '2100-12-31')) "
        "OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS running_to "
        "FROM typed_subscriptions WINDOW w AS (PARTITION BY account_id ORDER BY start_date))"
    )[0]
    return int(overlapping), int(day_before)


def _concurrent(engine: DuckDB) -> Iterator[Finding]:
    """A note on accounts with several subscriptions at once, whose MRR is summed."""
    several, most, accounts, rows = engine.rows(
        "WITH steps AS (SELECT account_id, start_date AS day, 1 AS step FROM typed_subscriptions UNION ALL "
        "SELECT account_id, end_date, -1 FROM typed_subscriptions WHERE end_date IS NOT NULL), "
        "days AS (SELECT account_id, day, sum(step) AS step FROM steps GROUP BY account_id, day), "
        "running AS (SELECT account_id, sum(step) OVER (PARTITION BY account_id ORDER BY day) AS n FROM days), "
        "most AS (SELECT account_id, max(n) AS n FROM running GROUP BY account_id) "
        "SELECT count(*) FILTER (n > 1), max(n), count(*), (SELECT count(*) FROM typed_subscriptions "
        "WHERE account_id IN (SELECT account_id FROM most WHERE n > 1)) FROM most"
    )[0]
    if several:
        message = (
            f"{several:,} of {accounts:,} accounts hold several subscriptions at once (up to {int(most)}); "
            "their MRR is summed. `overlap: error` in mapping.yml refuses this instead."
        )
        yield Finding("subscriptions", "concurrent_subscriptions", "note", int(rows), message)


def _ends_look_inclusive(engine: DuckDB) -> Iterator[Finding]:
    """A warning where many end dates are one day before the next start: they may be last paid days."""
    odd, going_on = engine.rows(
        "WITH starts AS (SELECT DISTINCT account_id, start_date FROM typed_subscriptions), "
        "last AS (SELECT account_id, max(start_date) AS last_start FROM starts GROUP BY account_id), "
        "ends AS (SELECT s.account_id, s.end_date FROM typed_subscriptions s JOIN last USING (account_id) "
        "WHERE s.end_date IS NOT NULL AND last.last_start >= s.end_date) "
        "SELECT count(*) FILTER (b.account_id IS NOT NULL AND a.account_id IS NULL), count(*) FROM ends e "
        "LEFT JOIN starts a ON a.account_id = e.account_id AND a.start_date = e.end_date "
        "LEFT JOIN starts b ON b.account_id = e.account_id AND b.start_date = e.end_date + 1"
    )[0]
    if odd >= max(INCLUSIVE_ENDS, INCLUSIVE_SHARE * going_on):
        message = (
            f"{odd:,} of {going_on:,} ends after which the account goes on stand exactly one day before its next "
            "start: end_date looks like the last paid day and is read as the first unpaid one. MRR then shows a day "
            "without payment as churn and return. `end_date_is: last_paid_day` in mapping.yml reads it as the last "
            "paid day."
        )
        yield Finding("subscriptions", "ends_look_inclusive", "warning", int(odd), message)


def _differing_by_case(engine: DuckDB) -> Iterator[Finding]:
    """A warning for account ids that differ only by letter case and count as several accounts."""
    alike = engine.column(
        "SELECT DISTINCT account_id FROM typed_accounts WHERE lower(account_id) IN (SELECT lower(account_id) "
        "FROM typed_accounts GROUP BY lower(account_id) HAVING count(DISTINCT account_id) > 1) ORDER BY account_id"
    )
    if alike:
        message = (
            f"{len(alike):,} account ids differ from another one only by letter case "
            f"({listed(map(plain, alike), MAX_SHOWN)}) and count as accounts of their own. If they are the same "
            "accounts, write them alike in the export."
        )
        yield Finding("accounts", "account_ids_differ_by_case", "warning", len(alike), message)


def _pile_up(engine: DuckDB, observed_from: pd.Timestamp, instant: pd.Timestamp) -> Iterator[Finding]:
    """A warning where far more subscriptions end in the last months than before, as in an export that was cut off."""
    ended = rows_by_month(engine, "typed_subscriptions", "end_date")
    months = month_starts(month(observed_from), instant)
    counts = [ended.get(day.year * 12 + day.month - 1, 0) for day in months]
    many = 0
    while many < min(PILE_UP_MONTHS, len(counts) - 1):
        last, before = counts[-many - 1], counts[: -many - 1]
        if last < PILE_UP_ROWS or last <= PILE_UP_RATIO * sum(before) / len(before):
            break
        many += 1
    if many:
        ends = zip(reversed(counts[-many:]), months[::-1], strict=False)
        *first, final = (f"{count:,} in {day.month_name()} {day.year}" for count, day in ends)
        named = f"{', '.join(first)} and {final}" if first else final
        message = (
            f"{sum(counts[-many:]):,} of {sum(counts):,} ended subscriptions end in the last "
            f"{'month' if many == 1 else f'{many} months'} ({named}), against "
            f"{sum(counts[:-many]) / len(counts[:-many]):.1f} in an average month before. This may be how the export "
            "was made; check it before reading the last months as a trend."
        )
        yield Finding("subscriptions", "churn_piles_up", "warning", sum(counts[-many:]), message)


def rows_by_month(engine: DuckDB, table: str, day: str) -> dict[int, int]:
    """Number of rows by the month of a day, as months since year 0; months without a row are absent."""
    index = f"year({day}) * 12 + month({day}) - 1"
    return dict(engine.rows(f"SELECT {index}, count(*) FROM {quote(table)} WHERE {day} IS NOT NULL GROUP BY 1"))


def _months_without_rows(engine: DuckDB, loaded: LoadedTable) -> Iterator[Finding]:
    """A warning for empty months between the first and the last row of a table: they may not have been loaded."""
    there = rows_by_month(engine, loaded.typed, loaded.known_at)
    steady = {index for index, rows in there.items() if rows >= MIN_STEADY_ROWS}
    every = range(min(there, default=0), max(there, default=0))
    empty = [index for index in every if index not in there and _between(index, steady, there)]
    if empty:
        named = listed((f"{index // 12}-{index % 12 + 1:02d}" for index in empty), MAX_SHOWN)
        message = (
            f"{loaded.where} has no row in {named}, between its first and its last month: a month that was not loaded "
            "reads as a month in which nothing happened."
        )
        yield Finding(loaded.name, "month_without_rows", "warning", 0, message)


def _between(index: int, steady: set[int], there: Mapping[int, int]) -> bool:
    """Whether the nearest months with rows on either side, and the ones beyond them, all have many."""
    before = sorted(m for m in there if m < index)[-2:]
    after = sorted(m for m in there if m > index)[:2]
    return {*before, *after} <= steady


def _stale(engine: DuckDB, loaded: LoadedTable, instant: pd.Timestamp) -> Iterator[Finding]:
    """A warning for a table whose last row is long before the as-of date."""
    found = engine.value(f"SELECT max(CAST({loaded.known_at} AS DATE)) FROM {quote(loaded.typed)}")
    last = instant if found is None else pd.Timestamp(found)
    if (instant - last).days > STALE_DAYS:
        message = (
            f"The last row of {loaded.where} is of {day_words(last)}, {(instant - last).days:,} days "
            f"before {day_words(instant)}: figures on later days rest on nothing."
        )
        yield Finding(loaded.name, "stale_table", "warning", 0, message)


def _never_low(engine: DuckDB, loaded: LoadedTable) -> Iterator[Finding]:
    """A warning for satisfaction scores that are never low: low scores may be missing from the export."""
    scales = []
    if loaded.name == "tickets":
        scales = [(name, name, "TRUE") for name in ("csat", "ces") if loaded.has(name)]
    elif loaded.name == "surveys" and loaded.has("score"):
        scales = [(kind, "score", f"kind = '{kind}'") for kind in LOWEST_USUAL]
    for kind, column, condition in scales:
        low, n, total = engine.rows(
            f"SELECT min({column}), count({column}), count(*) FROM {quote(loaded.typed)} WHERE {condition}"
        )[0]
        if n >= MIN_ANSWERS and low >= LOWEST_USUAL[kind]:
            message = (
                f"{loaded.header(column)} ({kind}) is never below {low:g} in {n:,} answers, and empty in {total - n:,} "
                f"of {total:,} rows: low scores seem to be missing, so averages and shares say less than they seem to."
            )
            yield Finding(loaded.name, "satisfaction_never_low", "warning", int(n), message)


def _tickets(engine: DuckDB, tickets: LoadedTable, accounts: LoadedTable | None) -> Iterator[Finding]:
    if accounts is not None and accounts.has("signup_date") and tickets.has("account_id"):
        early, total = engine.rows(
            "SELECT count(*) FILTER (t.opened_at < a.signup_date), count(*) FROM typed_tickets t "
            "LEFT JOIN typed_accounts a USING (account_id)"
        )[0]
        if early:
            message = (
                f"{early:,} of {total:,} rows of {tickets.where} were opened before the account's signup_date. They "
                "count; one of the two dates is wrong."
            )
            yield Finding("tickets", "ticket_before_signup", "warning", int(early), message)
    if tickets.has("first_response_at", "resolved_at"):
        late, total = engine.rows(
            "SELECT count(*) FILTER (first_response_at > resolved_at), count(resolved_at) FROM typed_tickets"
        )[0]
        if late:
            message = (
                f"{late:,} of {total:,} resolved rows of {tickets.where} have their first response after they were "
                "resolved. They count; response times of these rows are doubtful."
            )
            yield Finding("tickets", "first_response_after_resolution", "warning", int(late), message)


def _due_dates_moved(engine: DuckDB, renewals: LoadedTable, subscriptions: LoadedTable) -> Iterator[Finding]:
    """Renewals due on a day on which no subscription of the account ends or has its anniversary."""
    if not subscriptions.has("term_months"):
        return
    moved, total = engine.rows(
        "WITH own AS (SELECT r.line, r.due_date, s.start_date, s.end_date, "
        "CAST(coalesce(s.term_months, 12) AS BIGINT) AS term, (year(r.due_date) - year(s.start_date)) * 12 + "
        "month(r.due_date) - month(s.start_date) AS months "
        "FROM typed_renewals r JOIN typed_subscriptions s USING (account_id)), "
        "fits AS (SELECT line, bool_or(coalesce(due_date = end_date, FALSE) OR coalesce(due_date = end_date - 1, "
        "FALSE) OR (months > 0 AND term > 0 AND months % term = 0 AND "
        "abs(date_diff('day', CAST(start_date + to_months(CAST(months AS INTEGER)) AS DATE), due_date)) <= 1)) AS good "
        "FROM own GROUP BY line) SELECT count(*) FILTER (NOT good), count(*) FROM fits"
    )[0]
    if moved > MAX_MOVED_SHARE * total:
        message = (
            f"{moved:,} of {total:,} renewals are due on a day on which no subscription of the account ends or has its "
            "anniversary: due dates seem to have been moved after the fact, which makes a renewal rate look better."
        )
        yield Finding("renewals", "due_dates_moved", "warning", int(moved), message)


# --- other records of churn -----------------------------------------------------------------------------------


def churn_records_disagree(compared: pd.DataFrame, instant: pd.Timestamp) -> Iterator[Finding]:
    """A warning where other records of churn name other accounts than the paid periods do."""
    if compared.empty or not compared["differs"].any():
        return
    ended: Any
    paid: Any
    *others, ended, paid = compared.itertuples()
    parts = [
        f"{row.record} mark {row.accounts:,} of {row.of_accounts:,} accounts"
        if row.flags
        else f"{row.record} name {row.accounts:,} accounts ({row.events:,} events)"
        for row in others
    ]
    message = (
        f"{len(parts) + 1} records of who left disagree: {', '.join(parts)}, ended subscriptions are "
        f"{ended.events:,} of {ended.of_events:,} ({ended.accounts:,} accounts). By paid periods {paid.accounts:,} of "
        f"{paid.of_accounts:,} accounts had stopped paying on {day_words(instant)}. The figures here rest on paid "
        "periods."
    )
    yield Finding("subscriptions", "churn_records_disagree", "warning", int(ended.events), message)


def compare_churn_records(
    state: LoadState, records: Mapping[str, pd.DataFrame], instant: pd.Timestamp, exported: bool
) -> pd.DataFrame:
    """Who left, by each record: one row per churn record, then ended subscriptions, then paid periods.

    Columns record, flags, accounts, of_accounts, events, of_events, shared (accounts that paid periods name too),
    only_here, only_paid (accounts named by one of the two), differs. A record without a date cannot be cut at the
    instant: where the export goes on after it (``exported``) it counts the accounts known then.
    """
    engine, table = state.engine, list[dict[str, object]]()
    stopped = set(
        engine.column(
            "SELECT account_id FROM typed_subscriptions WHERE mrr_cents > 0 GROUP BY account_id "
            "HAVING count(end_date) = count(*)"
        )
    )
    account_ids = set(engine.column("SELECT DISTINCT account_id FROM typed_accounts"))

    def add(name: str, flags: bool, left: set[str], of_accounts: int, events: int, of_events: int) -> None:
        both, only_here, only_paid = len(left & stopped), len(left - stopped), len(stopped - left)
        table.append(
            {"record": name, "flags": flags, "accounts": len(left), "of_accounts": of_accounts, "events": events,
             "of_events": of_events, "shared": both, "only_here": only_here, "only_paid": only_paid}
        )  # fmt: skip

    for record in state.settings.churn_records:
        rows, undated = records[record.name], "date" not in records[record.name]
        if not undated:
            rows = rows[~(rows["date"] >= instant)]
        elif exported:
            rows = rows[rows["account_id"].isin(account_ids)]
        named = rows[rows["left"]]
        of_accounts = rows["account_id"].nunique() if record.flag else len(account_ids)
        name = record.name + (", as exported," if exported and undated else "")
        left = set(named["account_id"].dropna())
        add(name, record.flag is not None, left, of_accounts, len(named), len(rows))
    ended = engine.column("SELECT account_id FROM typed_subscriptions WHERE end_date IS NOT NULL")
    total = engine.value("SELECT count(*) FROM typed_subscriptions")
    add("ended subscriptions", False, set(ended), len(account_ids), len(ended), total)
    add("paid periods (used)", False, stopped, len(account_ids), len(stopped), len(account_ids))
    frame = pd.DataFrame(table)
    # Subscriptions end in the course of business; only the other records claim that an account has left.
    claims = frame.index < len(state.settings.churn_records)
    return frame.assign(differs=claims & ((frame["only_here"] > 0) | (frame["only_paid"] > 0)))
