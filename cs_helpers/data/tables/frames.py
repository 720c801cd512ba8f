"""Tables of the engine as DataFrames, and the views that roll-ups read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cs_helpers.data.contract.columns import Table
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.engines.duckdb import DuckDB, listed, quote
from cs_helpers.data.tables.judging import shown_reasons

if TYPE_CHECKING:
    from cs_helpers.data.tables.load_state import TableFacts
    from cs_helpers.data.tables.sharing import Sharing

_ORDER = {
    "accounts": ("account_id",),
    "subscriptions": ("account_id", "start_date", "subscription_id", "end_date", "mrr_cents", "plan"),
    "renewals": ("due_date", "account_id", "target_mrr_cents"),
    "usage": ("occurred_at", "account_id", "user_id", "feature"),
    "tickets": ("opened_at", "ticket_id"),
    "surveys": ("sent_at", "answered_at", "kind", "account_id", "rep_id"),
    "touches": ("occurred_at", "account_id", "kind", "rep_id"),
}
_DTYPES: dict[str, Any] = {
    "money": "float64",
    "number": "float64",
    "integer": "Int64",
    "flag": "boolean",
    "text": "str",
}


def expose(engine: DuckDB, present: dict[str, list[str]], chosen: bool, sharing: Sharing | None = None) -> None:
    """A view per table of the contract under its own name: all its columns, no helper columns, chosen accounts only.

    ``present``: table -> its further attributes; the others are made, empty. With ``sharing`` the views are
    pseudonymised for readers who must not identify accounts or people.
    """
    for name, table in TABLES.items():
        stored = [column.stored for column in table.columns]
        if name not in present:
            typed = ", ".join(f"{quote(column.stored)} {column.sql_type}" for column in table.columns)
            engine.execute(f"CREATE OR REPLACE TABLE {quote(name)} ({typed})")
            continue
        only = " WHERE t.account_id IN (SELECT account_id FROM chosen)" if chosen and "account_id" in stored else ""
        columns = [*stored, *present[name]]
        seen = sharing.select(name, columns) if sharing else f"SELECT {listed(columns)} FROM typed_{name} t"
        engine.execute(f"CREATE OR REPLACE VIEW {quote(name)} AS {seen}{only}")


def contract_frame(engine: DuckDB, table: Table, fact: TableFacts | None) -> pd.DataFrame:
    """One table as pandas, with the columns the export has, in a fixed order of rows.

    Money in currency units, whole numbers Int64, flags boolean, days and times datetime64[us] (times are UTC).
    """
    found = set(table.names if fact is None else fact.columns) | set(table.stand_in)
    columns = [column for column in table.columns if column.name in found or column.default]
    names = [column.stored for column in columns] + list(fact.attributes if fact else ())
    order = [name for name in _ORDER.get(table.name, table.key) if name in names] or names[:1]
    frame = engine.frame(
        f"SELECT {listed(names)} FROM {quote(table.name)} "
        f"ORDER BY {', '.join(f'{quote(name)} NULLS LAST' for name in order)}"
    )
    frame = frame.astype({column.stored: _DTYPES[column.kind] for column in columns if column.kind in _DTYPES})
    for column in columns:
        if column.kind == "money":
            frame[column.stored] /= 100
    return frame.rename(columns={column.stored: column.name for column in columns})


def set_aside_frame(engine: DuckDB, limit: int | None = None) -> pd.DataFrame:
    """The rows that were set aside, with table, check, line and reason."""
    first = f" LIMIT {limit:d}" if limit is not None else ""
    frame = engine.frame(
        'SELECT table_name AS "table", check_name AS "check", line AS "row", account_id, reason FROM aside '
        f"ORDER BY table_name, check_name, line{first}"
    )
    return frame.assign(
        row=frame["row"].astype("int64"),
        account_id=frame["account_id"].fillna("").astype("str"),
        reason=pd.Series(shown_reasons(frame["reason"]), dtype="str", index=frame.index),
    )


def set_lines(engine: DuckDB, table: str, lines: dict[int, int]) -> None:
    """Replaces record numbers by line numbers of the file, where the two differ."""
    if lines:
        engine.register("renumbered", pd.DataFrame({"line": list(lines), "shown": list(lines.values())}))
        query = "UPDATE aside SET line = r.shown FROM renumbered r WHERE aside.line = r.line AND table_name = ?"
        engine.execute(query, [table])
