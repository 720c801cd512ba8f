"""What was known at an instant: rows that became known later are removed, values that did are missing."""

from __future__ import annotations

import pandas as pd

from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.tables.load_state import LoadedTable, LoadState


def cut(state: LoadState, instant: pd.Timestamp, covered_to: pd.Timestamp) -> None:
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
