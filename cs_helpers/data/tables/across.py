"""Checks that need more than one row or more than one table: keys that lead nowhere, currencies, order in time."""

from __future__ import annotations

from collections.abc import Iterator

from cs_helpers.core.errors import Problem
from cs_helpers.data.contract.checks import MAX_SHOWN, plain
from cs_helpers.data.engines.duckdb import literal, quote
from cs_helpers.data.tables.judging import marked, settle
from cs_helpers.data.tables.load_state import Finding, LoadedTable, LoadState, counted

_ORPHAN_FIX = "Add the accounts, or set `set_aside: [orphan]` in mapping.yml to leave the rows out and list them."


def check_across(state: LoadState) -> None:
    """Accounts that are no accounts, required tables left without rows, mixed currencies, forbidden overlaps."""
    accounts = state.tables.get("accounts")
    for name, loaded in state.tables.items():
        if loaded.table.references.get("account_id") == "accounts" and accounts and accounts.has("account_id"):
            _orphans(state, loaded)
        refused = any(check.startswith(f"{name}.") for check in state.checks)
        if loaded.table.required and not refused and not state.engine.value(f"SELECT count(*) FROM {loaded.typed}"):
            fix = "Correct `drop_where`, `keep_where` or `set_aside` in the mapping; a table of this kind needs rows."
            state.problem("empty", name, Problem(loaded.where, "every row of it is left out.", fix))
    if (subscriptions := state.tables.get("subscriptions")) is None:
        return
    if subscriptions.has("currency"):
        _mixed_currencies(state, subscriptions)
    if state.settings.overlap == "error" and subscriptions.has("start_date", "end_date"):
        _overlaps(state, subscriptions)


def _orphans(state: LoadState, loaded: LoadedTable) -> None:
    """Rows whose account_id is not in the accounts table; rows of accounts that the mapping leaves out go too."""
    if not loaded.has("account_id") and not any(loaded.has(name) for name in loaded.table.stand_in.values()):
        return
    typed, engine = quote(loaded.typed), state.engine
    distinct = f"(SELECT DISTINCT account_id FROM {typed})"
    if loaded.name == "usage":  # many rows: what follows is first asked of first and last use per account
        names = ", ".join(dict.fromkeys(["account_id", _usage_key(state, loaded)]))
        engine.execute(
            f"CREATE OR REPLACE TABLE usage_spans AS SELECT {names}, min(occurred_at) AS first, max(occurred_at) AS "
            f"last FROM typed_usage GROUP BY {names}"
        )
        distinct = "usage_spans"
    unknown, without = engine.rows(
        "SELECT count(*) FILTER (account_id IS NOT NULL AND account_id NOT IN (SELECT account_id FROM "
        f"known_accounts)), count(*) FILTER (account_id IS NULL) FROM {distinct}"
    )[0]
    if not unknown and not without:
        return
    dropped = (
        "SELECT account_id FROM aside WHERE table_name = 'accounts' AND check_name IN ('drop_where', 'keep_where')"
    )
    lost = f"{typed} WHERE account_id IS NOT NULL AND account_id NOT IN (SELECT account_id FROM known_accounts)"
    went = f"concat('account ', {marked('account_id')}, ' is left out by the mapping')"
    query = f"SELECT line, {went} AS reason FROM {lost} AND account_id IN ({dropped})"
    settle(state, loaded, "drop_where", query)
    why = f"concat({literal(loaded.header('account_id') + ' ')}, {marked('account_id')}, ' is no account of accounts')"
    settle(state, loaded, "orphan", f"SELECT line, {why} AS reason FROM {lost}", _ORPHAN_FIX)
    for column, through in loaded.table.stand_in.items():
        if loaded.has(through) and not loaded.has(column):
            head, value = literal(loaded.header(through) + " "), marked(quote(through))
            why = f"concat({head}, {value}, ' is no subscription of subscriptions')"
            query = f"SELECT line, {why} AS reason FROM {typed} WHERE {quote(column)} IS NULL"
            settle(state, loaded, "orphan", query, _ORPHAN_FIX.replace("accounts", "subscriptions"))


def _mixed_currencies(state: LoadState, loaded: LoadedTable) -> None:
    engine, settings = state.engine, state.settings
    counts = engine.rows(
        "SELECT upper(trim(currency)) AS code, count(*) FROM typed_subscriptions WHERE currency IS NOT NULL "
        "GROUP BY code ORDER BY count(*) DESC, code"
    )
    declared = (settings.currency or "").upper()
    if len(counts) <= 1 and (not declared or {code for code, _ in counts} <= {declared}):
        return
    usual = declared or counts[0][0]
    other = engine.column(
        "SELECT line FROM typed_subscriptions WHERE upper(trim(currency)) <> ? ORDER BY line LIMIT ?",
        [usual, MAX_SHOWN],
    )
    named = ", ".join(f"{plain(code)} ({counted(int(n), 'row')})" for code, n in counts)
    what = f"{loaded.header('currency')} holds {named}" + (f", and the mapping says {declared}." if declared else ".")
    fix = (
        "Convert the amounts to one currency, correct `currency` in the mapping, or load one currency at a time "
        "with `keep_where`."
    )
    lines = tuple(loaded.staged.lines(other))
    total = sum(int(n) for code, n in counts if code != usual)
    state.problem("mixed_currencies", "subscriptions", Problem(loaded.where, what, fix, lines, total))


def _overlaps(state: LoadState, loaded: LoadedTable) -> None:
    why = (
        "concat('account ', " + marked("account_id") + ", ' starts again on ', strftime(start_date, '%Y-%m-%d'), "
        "' while another of its subscriptions runs')"
    )
    query = (
        f"SELECT line, {why} AS reason FROM (SELECT line, account_id, start_date, "
        "max(coalesce(end_date, DATE '2100-12-31')) OVER (PARTITION BY account_id ORDER BY start_date, line "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM typed_subscriptions) "
        "WHERE start_date < before"
    )
    fix = "Correct the periods, or set `overlap: sum` in mapping.yml if accounts may hold several at once."
    settle(state, loaded, "overlap", query, fix)


# --- set aside, once cut ----------------------------------------------------------------------------------------


def set_aside_impossible(state: LoadState) -> None:
    """Sets aside impossible rows that no figure needs, such as a resolution before the opening."""
    for loaded in state.tables.values():
        for first, then in loaded.table.orders:
            if loaded.has(first, then):
                head, tail = literal(f"{loaded.header(then)} "), literal(f" is before {loaded.header(first)} ")
                why = f"concat({head}, {quote(then)}, {tail}, {quote(first)})"
                query = f"SELECT line, {why} AS reason FROM {quote(loaded.typed)} WHERE {quote(then)} < {quote(first)}"
                settle(state, loaded, f"{then}_before_{first}", query)
    if (subscriptions := state.tables.get("subscriptions")) is None:
        return
    if "usage" in state.tables:  # before zero-day subscriptions are removed, so that their usage has a subscription
        _usage_outside(state, state.tables["usage"])
    why = "concat('starts and ends on ', strftime(start_date, '%Y-%m-%d'), ': no day was paid for')"
    if subscriptions.last_paid_day:
        why = (
            "concat('starts on ', strftime(start_date, '%Y-%m-%d'), ', its last paid day is ', "
            "strftime(end_date - 1, '%Y-%m-%d'), ': no day was paid for')"
        )
    query = f"SELECT line, {why} AS reason FROM typed_subscriptions WHERE end_date = start_date"
    settle(state, subscriptions, "zero_day", query)


def _usage_key(state: LoadState, loaded: LoadedTable) -> str:
    """The key that links usage to subscriptions: subscription_id where every row has it, else account_id."""
    subscriptions = state.tables.get("subscriptions")
    if subscriptions is None or not (loaded.has("subscription_id") and subscriptions.has("subscription_id")):
        return "account_id"
    some = state.engine.value("SELECT 1 FROM typed_usage WHERE subscription_id IS NULL LIMIT 1")
    return "account_id" if some else "subscription_id"


def _usage_outside(state: LoadState, loaded: LoadedTable) -> None:
    """Usage before the first or after the last day of its subscription, or of its account where it names none."""
    key = _usage_key(state, loaded)
    noun = "its subscription" if key == "subscription_id" else "the account"
    spans = (
        f"(SELECT {key}, min(start_date) AS first_day, CASE WHEN count(end_date) = count(*) THEN max(end_date) END "
        f"AS stop FROM typed_subscriptions GROUP BY {key})"
    )
    joined = f"u LEFT JOIN {spans} s ON u.{key} = s.{key}"
    if "accounts" in state.tables and state.tables["accounts"].has("account_id"):
        doubt = "s.first_day IS NULL OR u.first < s.first_day OR u.last >= s.stop"
        if not state.engine.value(f"SELECT 1 FROM usage_spans {joined} WHERE {doubt} LIMIT 1"):
            return
    cases = (
        ("usage_before_start", "u.occurred_at < s.first_day", f"before {noun} started", "s.first_day"),
        ("usage_after_end", "u.occurred_at >= s.stop", f"after {noun} ended", "s.stop"),
        ("usage_without_subscription", "s.first_day IS NULL", f"{noun} has no day at all", ""),
    )
    for check, condition, words, day in cases:
        since = f", {literal(f', {words} on ')}, strftime({day}, '%Y-%m-%d')" if day else f", {literal(f', {words}')}"
        why = f"concat('used on ', strftime(u.occurred_at, '%Y-%m-%d'){since})"
        settle(state, loaded, check, f"SELECT u.line, {why} AS reason FROM typed_usage {joined} WHERE {condition}")


def unknown_reps(state: LoadState) -> Iterator[Finding]:
    """Rep ids of other tables that the reps table does not have: their rows count, without a name, team or manager."""
    columns = [
        (loaded, quote(column))
        for loaded in state.tables.values()
        for column, target in loaded.table.references.items()
        if target == "reps" and "reps" in state.tables and loaded.has(column)
    ]
    for loaded, column in columns:
        query = (
            f"SELECT {column}, count(*) FROM {quote(loaded.typed)} WHERE {column} NOT IN "
            f"(SELECT rep_id FROM typed_reps WHERE rep_id IS NOT NULL) GROUP BY {column} ORDER BY {column}"
        )
        if found := dict(state.engine.rows(query)):
            rows, few = sum(found.values()), [plain(value) for value in found][:MAX_SHOWN]
            message = (
                f"{counted(rows, 'row')} of {loaded.where} name {counted(len(found), 'rep')} that reps does not have "
                f"({', '.join(few)}{', ...' if len(found) > MAX_SHOWN else ''}). They count, but under no name, team "
                "or manager."
            )
            yield Finding(loaded.name, "unknown_rep", "warning", rows, message)
