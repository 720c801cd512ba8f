"""What was known at an instant: rows that became known later leave, values that did are unknown."""

from __future__ import annotations

import pandas as pd

from cs_helpers.data.contract.columns import Column
from cs_helpers.data.engines.duckdb import quote
from cs_helpers.data.tables.load_state import LoadedTable, LoadState


def cut(state: LoadState, instant: pd.Timestamp, covered_to: pd.Timestamp) -> None:
    """Cut every typed table at ``instant``, which is exclusive.

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
        _forget(state, loaded, at)
    if "accounts" in state.tables:
        _cut_accounts(state, at)


def _forget(state: LoadState, loaded: LoadedTable, at: str) -> None:
    """Values that became known at or after the instant are missing."""
    known_with: dict[str, list[Column]] = {}
    for column in loaded.table.columns:
        if column.known_with and loaded.has(column.known_with) and loaded.has(column.name):
            known_with.setdefault(column.known_with, []).append(column)
    for name, columns in known_with.items():
        later = f"{quote(loaded.typed)} WHERE {quote(name)} >= {at}"
        if not state.engine.rows(f"SELECT 1 FROM {later} LIMIT 1"):  # usually there is none, and a look is cheap
            continue
        blank = ", ".join(f"{quote(column.stored)} = NULL" for column in columns)
        state.engine.execute(f"UPDATE {quote(loaded.typed)} SET {blank} WHERE {quote(name)} >= {at}")


def _cut_accounts(state: LoadState, at: str) -> None:
    """Accounts whose signup and first subscription both came later were not known yet."""
    accounts = state.tables["accounts"]
    signup = f"(signup_date IS NOT NULL AND signup_date < {at})" if accounts.has("signup_date") else "FALSE"
    if "subscriptions" not in state.tables:
        if accounts.has("signup_date"):
            state.engine.execute(f"DELETE FROM typed_accounts WHERE signup_date >= {at}")
        return
    # typed_subscriptions is already cut, so its accounts had started; accounts that never subscribe are kept.
    state.engine.execute(
        f"DELETE FROM typed_accounts WHERE NOT {signup} AND account_id NOT IN (SELECT account_id FROM "
        f"typed_subscriptions WHERE account_id IS NOT NULL) AND (account_id IN (SELECT account_id FROM ever_subscribed)"
        f"{' OR signup_date IS NOT NULL' if accounts.has('signup_date') else ''})"
    )
