"""Warnings and notes about unusual data, as sentences for the reader of a report.

They describe the tables as they were known at the as-of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from cs_helpers.core.periods import day_words, month, month_starts
from cs_helpers.data.contract.checks import MAX_SHOWN, plain
from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.mapping import ExportMapping
from cs_helpers.data.tables.load_state import Finding, LoadedTable, LoadState

INCLUSIVE_ENDS, INCLUSIVE_SHARE = 5, 0.2  # ends one day before the next start, of the ends that a start follows
PILE_UP_RATIO, PILE_UP_ROWS, PILE_UP_MONTHS = 3, 20, 3  # ends in the last months against the mean month before them
MIN_ANSWERS = 30  # with fewer answers, a scale without low scores proves nothing
MIN_STEADY_ROWS = (
    10  # with this many rows in the months around it, an empty month is no coincidence (Poisson: 1 in 20,000)
)
STALE_DAYS = 45  # days without a row at the end of the data
LOWEST_USUAL = {"csat": 3, "ces": 4, "nps": 7}  # a scale whose answers never fall below this is suspicious


def findings(state: LoadState, observed_from: pd.Timestamp, instant: pd.Timestamp) -> list[Finding]:
    """Warnings and notes about the tables; none of them stops a report."""
    found: list[Finding] = []
    engine, tables = state.engine, state.tables
    if (subscriptions := tables.get("subscriptions")) is not None:
        overlapping, day_before = neighbours(engine)
        found += concurrent(engine) if overlapping else []
        found += pile_up(engine, observed_from, instant)
        if not subscriptions.last_paid_day and (overlapping or day_before):
            found += ends_look_inclusive(engine)
    if "accounts" in tables:
        found += differing_by_case(engine)
    for loaded in tables.values():
        if loaded.known_at and loaded.table.name not in (
            "subscriptions",
            "renewals",
            "assignments",
            "reps",
            "goals",
        ):
            found += months_without_rows(engine, loaded) + stale(engine, loaded, instant)
        found += never_low(engine, loaded)
    if (tickets := tables.get("tickets")) is not None:
        found += _tickets(engine, tickets, tables.get("accounts"))
    if (renewals := tables.get("renewals")) is not None and subscriptions is not None:
        found += due_dates_moved(engine, renewals, subscriptions)
    return found


def currency_of(
    engine: DuckDB, settings: ExportMapping, subscriptions: LoadedTable | None
) -> tuple[str, list[Finding]]:
    """The source's one currency, and a warning where none is declared."""
    if settings.currency:
        return settings.currency.upper(), []
    if subscriptions is None:
        return "", []
    if subscriptions.has("currency"):
        code = engine.rows("SELECT min(upper(trim(currency))) FROM typed_subscriptions")[0][0]
        if code:
            return str(code), []
    message = "No currency is declared, so amounts carry none. State it as `currency` in mapping.yml."
    return "", [Finding("subscriptions", "currency_undeclared", "warning", 0, message)]


def neighbours(engine: DuckDB) -> tuple[int, int]:
    """How many subscriptions start while an earlier one still runs, and how many end the day before the next start.

    One pass over the table, so that the more expensive checks run only where they are needed.
    """
    overlapping, day_before = engine.rows(
        "SELECT count(*) FILTER (start_date < running_to), count(*) FILTER (next_start = end_date + 1) FROM (SELECT "
        "start_date, "
        "end_date, max(coalesce(end_date, DATE '2100-12-31')) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 "
        "PRECEDING) AS "
        "running_to, lead(start_date) OVER w AS next_start FROM typed_subscriptions "
        "WINDOW w AS (PARTITION BY account_id ORDER BY start_date))"
    )[0]
    return int(overlapping), int(day_before)


def concurrent(engine: DuckDB) -> list[Finding]:
    """A note on accounts with several subscriptions at once, whose MRR is summed."""
    several, most, accounts, rows = engine.rows(
        "WITH steps AS (SELECT account_id, start_date AS day, 1 AS step FROM typed_subscriptions UNION ALL "
        "SELECT account_id, end_date, -1 FROM typed_subscriptions WHERE end_date IS NOT NULL), "
        "days AS (SELECT account_id, day, sum(step) AS step FROM steps GROUP BY account_id, day), "
        "running AS (SELECT account_id, sum(step) OVER (PARTITION BY account_id ORDER BY day) AS n FROM days), "
        "most AS (SELECT account_id, max(n) AS n FROM running GROUP BY account_id) "
        "SELECT count(*) FILTER (n > 1), max(n), count(*), (SELECT count(*) FROM typed_subscriptions WHERE "
        "account_id IN "
        "(SELECT account_id FROM most WHERE n > 1)) FROM most"
    )[0]
    if not several:
        return []
    message = (
        f"{several:,} of {accounts:,} accounts hold several subscriptions at once (up to {int(most)}); "
        "their MRR is summed. `overlap: error` in mapping.yml refuses this instead."
    )
    return [Finding("subscriptions", "concurrent_subscriptions", "note", int(rows), message)]


def ends_look_inclusive(engine: DuckDB) -> list[Finding]:
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
    if odd < INCLUSIVE_ENDS or odd < INCLUSIVE_SHARE * going_on:
        return []
    message = (
        f"{odd:,} of {going_on:,} ends after which the account goes on stand exactly one day before its next "
        "start: end_date looks like the last paid day and is read as the first unpaid one. MRR then shows a day "
        "without payment as churn and return. `end_date_is: last_paid_day` in mapping.yml reads it as the last paid "
        "day."
    )
    return [Finding("subscriptions", "ends_look_inclusive", "warning", int(odd), message)]


def differing_by_case(engine: DuckDB) -> list[Finding]:
    """A warning for account ids that differ only by letter case and count as several accounts."""
    query = (
        "FROM typed_accounts WHERE lower(account_id) IN (SELECT lower(account_id) FROM typed_accounts "
        "GROUP BY lower(account_id) HAVING count(DISTINCT account_id) > 1)"
    )
    alike = [value for (value,) in engine.rows(f"SELECT DISTINCT account_id {query} ORDER BY account_id")]
    if not alike:
        return []
    more = f" and {len(alike) - MAX_SHOWN:,} more" if len(alike) > MAX_SHOWN else ""
    message = (
        f"{len(alike):,} account ids differ from another one only by letter case "
        f"({', '.join(map(plain, alike[:MAX_SHOWN]))}{more}) and count as accounts of their own. If they are the same "
        "accounts, write them alike in the export."
    )
    return [Finding("accounts", "account_ids_differ_by_case", "warning", len(alike), message)]


def as_of_moved(day: pd.Timestamp, instant: pd.Timestamp) -> list[Finding]:
    """A note where the requested as_of was moved to the first day of its month."""
    if day == instant:
        return []
    message = (
        f"{day_words(day)} was given as as_of and lies inside a month: the figures speak of {day_words(instant)}, "
        "the first day of that month, so that they hold whole months only."
    )
    return [Finding("subscriptions", "as_of_moved", "note", 0, message)]


def pile_up(engine: DuckDB, observed_from: pd.Timestamp, instant: pd.Timestamp) -> list[Finding]:
    """A warning where far more subscriptions end in the last months than before, as in an export that was cut off."""
    months = month_starts(month(observed_from), instant)
    if len(months) < 2:
        return []
    ended = dict(
        engine.rows(
            "SELECT year(end_date) * 12 + month(end_date) - 1, count(*) FROM typed_subscriptions WHERE end_date IS "
            "NOT NULL "
            "GROUP BY 1"
        )
    )
    counts = [int(ended.get(day.year * 12 + day.month - 1, 0)) for day in months]

    def piled(back: int) -> bool:
        before = counts[:-back]
        return (
            bool(before) and counts[-back] >= PILE_UP_ROWS and counts[-back] > PILE_UP_RATIO * sum(before) / len(before)
        )

    many = 0
    while many < PILE_UP_MONTHS and piled(many + 1):
        many += 1
    if not many:
        return []
    earlier = sum(counts[:-many]) / len(counts[:-many])
    named = _and(
        f"{counts[-back]:,} in {months[-back].month_name()} {months[-back].year}" for back in range(1, many + 1)
    )
    last = sum(counts[-many:])
    message = (
        f"{last:,} of {sum(counts):,} ended subscriptions end in the last {'month' if many == 1 else f'{many} months'} "
        f"({named}), against {earlier:.1f} in an average month before. This may be how the export was "
        "made; check it before reading the last months as a trend."
    )
    return [Finding("subscriptions", "churn_piles_up", "warning", last, message)]


def _and(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def months_without_rows(engine: DuckDB, loaded: LoadedTable) -> list[Finding]:
    """A warning for empty months between the first and the last row of a table: they may not have been loaded."""
    there = dict(
        engine.rows(
            f"SELECT year({loaded.known_at}) * 12 + month({loaded.known_at}) - 1 AS m, count(*) "
            f"FROM {quote(loaded.typed)} "
            f"WHERE {loaded.known_at} IS NOT NULL GROUP BY m"
        )
    )
    if len(there) < 2:
        return []

    steady = {m for m in range(min(there), max(there) + 1) if there.get(m, 0) >= MIN_STEADY_ROWS}
    empty = [m for m in range(min(there), max(there)) if m not in there and _between(m, steady, there)]
    if not empty:
        return []
    named = ", ".join(f"{index // 12}-{index % 12 + 1:02d}" for index in empty[:MAX_SHOWN])
    more = f" and {len(empty) - MAX_SHOWN} more" if len(empty) > MAX_SHOWN else ""
    message = (
        f"{loaded.where} has no row in {named}{more}, between its first and its last month: a month that was not "
        "loaded "
        "reads as a month in which nothing happened."
    )
    return [Finding(loaded.table.name, "month_without_rows", "warning", 0, message)]


def _between(index: int, steady: set[int], there: Mapping[int, int]) -> bool:
    """Whether the nearest months with rows on either side, and the ones beyond them, all have many."""
    before = [m for m in sorted(there, reverse=True) if m < index][:2]
    after = [m for m in sorted(there) if m > index][:2]
    return set(before) | set(after) <= steady


def stale(engine: DuckDB, loaded: LoadedTable, instant: pd.Timestamp) -> list[Finding]:
    """A warning for a table whose last row is long before the as-of date."""
    last = engine.rows(f"SELECT max(CAST({loaded.known_at} AS DATE)) FROM {quote(loaded.typed)}")[0][0]
    if last is None or (instant - pd.Timestamp(last)).days <= STALE_DAYS:
        return []
    message = (
        f"The last row of {loaded.where} is of {day_words(pd.Timestamp(last))}, "
        f"{(instant - pd.Timestamp(last)).days:,} days "
        f"before {day_words(instant)}: figures on later days rest on nothing."
    )
    return [Finding(loaded.table.name, "stale_table", "warning", 0, message)]


def never_low(engine: DuckDB, loaded: LoadedTable) -> list[Finding]:
    """A warning for satisfaction scores that are never low: low scores may be missing from the export."""
    scales = []
    for name in ("csat", "ces"):
        if loaded.table.name == "tickets" and loaded.has(name):
            scales.append((name, quote(name), "TRUE"))
    if loaded.table.name == "surveys" and loaded.has("score"):
        scales += [(kind, "score", f"kind = '{kind}'") for kind in LOWEST_USUAL]
    found = []
    for kind, column, condition in scales:
        low, n = engine.rows(f"SELECT min({column}), count({column}) FROM {quote(loaded.typed)} WHERE {condition}")[0]
        if n >= MIN_ANSWERS and low >= LOWEST_USUAL[kind]:
            head = loaded.header("score" if loaded.table.name == "surveys" else kind)
            total = engine.rows(f"SELECT count(*) FROM {quote(loaded.typed)} WHERE {condition}")[0][0]
            message = (
                f"{head} ({kind}) is never below {low:g} in {n:,} answers, and empty in {total - n:,} of {total:,} "
                "rows: low scores seem to be missing, so averages and shares say less than they seem to."
            )
            found.append(Finding(loaded.table.name, "satisfaction_never_low", "warning", int(n), message))
    return found


def _tickets(engine: DuckDB, tickets: LoadedTable, accounts: LoadedTable | None) -> list[Finding]:
    found = []
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
            found.append(Finding("tickets", "ticket_before_signup", "warning", int(early), message))
    if tickets.has("first_response_at", "resolved_at"):
        late, total = engine.rows(
            "SELECT count(*) FILTER (first_response_at > resolved_at), count(resolved_at) FROM typed_tickets"
        )[0]
        if late:
            message = (
                f"{late:,} of {total:,} resolved rows of {tickets.where} have their first response after they were "
                "resolved. They count; response times of these rows are doubtful."
            )
            found.append(Finding("tickets", "first_response_after_resolution", "warning", int(late), message))
    return found


def due_dates_moved(engine: DuckDB, renewals: LoadedTable, subscriptions: LoadedTable) -> list[Finding]:
    """Renewals due on a day on which no subscription of the account ends or has its anniversary."""
    if not subscriptions.has("term_months"):
        return []
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
    if moved <= 0.02 * total:
        return []
    message = (
        f"{moved:,} of {total:,} renewals are due on a day on which no subscription of the account ends or has its "
        "anniversary: due dates seem to have been moved after the fact, which makes a renewal rate look better."
    )
    return [Finding("renewals", "due_dates_moved", "warning", int(moved), message)]


# --- rival records of churn -----------------------------------------------------------------------------------


def churn_records_disagree(
    state: LoadState, records: dict[str, pd.DataFrame], instant: pd.Timestamp, exported: bool
) -> list[Finding]:
    """A warning where other records of churn name other accounts than the paid periods do.

    A record without a date cannot be cut at the instant: where the export goes on after it (``exported``) it counts
    the accounts known then.
    """
    if not records or not {"accounts", "subscriptions"} <= set(state.tables):
        return []
    table = compare_churn_records(state, records, instant, exported)
    paid = table.iloc[-1]
    if not table["differs"].any():
        return []
    parts = [
        f"{row.record} mark {row.accounts:,} of {row.of_accounts:,} accounts"
        if row.flags
        else f"{row.record} name {row.accounts:,} accounts ({row.events:,} events)"
        for row in table.iloc[:-2].itertuples()
    ]
    ended = table.iloc[-2]
    message = (
        f"{len(parts) + 1} records of who left disagree: {', '.join(parts)}, ended subscriptions are "
        f"{ended.events:,} of "
        f"{ended.of_events:,} ({ended.accounts:,} accounts). By paid periods {paid.accounts:,} of "
        f"{paid.of_accounts:,} accounts had stopped paying on {day_words(instant)}. The figures here rest on paid "
        "periods."
    )
    return [Finding("subscriptions", "churn_records_disagree", "warning", int(ended.events), message)]


def compare_churn_records(
    state: LoadState, records: dict[str, pd.DataFrame], instant: pd.Timestamp, exported: bool
) -> pd.DataFrame:
    """Who left, by each record: one row per churn record, then ended subscriptions, then paid periods.

    Columns record, flags, accounts, of_accounts, events, of_events, shared (accounts that paid periods name too),
    only_here, only_paid (accounts named by one of the two), differs.
    """
    engine = state.engine
    stopped = {
        account
        for (account,) in engine.rows(
            "SELECT account_id FROM typed_subscriptions WHERE mrr_cents > 0 GROUP BY account_id HAVING "
            "count(end_date) = count(*)"
        )
    }
    account_ids = {account for (account,) in engine.rows("SELECT DISTINCT account_id FROM typed_accounts")}
    rows = []
    for record in state.settings.churn_records:
        rows_of_record = records[record.name]
        if "date" in rows_of_record:
            rows_of_record = rows_of_record[~(rows_of_record["date"] >= instant)]
        elif exported:
            rows_of_record = rows_of_record[rows_of_record["account_id"].isin(account_ids)]
        name = record.name + (", as exported," if exported and "date" not in rows_of_record else "")
        named = rows_of_record[rows_of_record["left"]]
        left = set(named["account_id"].dropna())
        rows.append(
            (
                name,
                record.flag is not None,
                left,
                rows_of_record["account_id"].nunique() if record.flag else len(account_ids),
                len(named),
                len(rows_of_record),
            )
        )
    ended = engine.rows("SELECT account_id FROM typed_subscriptions WHERE end_date IS NOT NULL")
    total = engine.rows("SELECT count(*) FROM typed_subscriptions")[0][0]
    rows.append(("ended subscriptions", False, {account for (account,) in ended}, len(account_ids), len(ended), total))
    rows.append(("paid periods (used)", False, stopped, len(account_ids), len(stopped), len(account_ids)))
    table = [
        (name, flags, len(left), of, events, of_events, len(left & stopped), len(left - stopped), len(stopped - left))
        for name, flags, left, of, events, of_events in rows
    ]
    columns = ["record", "flags", "accounts", "of_accounts", "events", "of_events", "shared", "only_here", "only_paid"]
    frame = pd.DataFrame(table, columns=columns)
    # Subscriptions end in the course of business; only the other records claim that an account has left.
    claims = frame.index < len(state.settings.churn_records)
    return frame.assign(differs=claims & ((frame["only_here"] > 0) | (frame["only_paid"] > 0)))
