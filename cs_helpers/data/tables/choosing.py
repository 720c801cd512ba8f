"""Filters: which accounts a report is about, by attributes of the account or of its CSM."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.data.contract.checks import known_only_after_outcome
from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.tables.load_state import LoadedTable, LoadState

CSM = "csm."
_CONDITION = re.compile(r'\s*([^=,]+?)\s*=\s*(?:"((?:[^"]|"")*)"|([^,"][^,]*?))\s*(?:,|$)')


def conditions_of(where: Mapping[str, str] | str | None) -> Mapping[str, str]:
    """``where`` as given, or read from text such as ``segment=SMB, region=EMEA``; empty text is none.

    A value with a comma is written in double quotes; a double quote inside it is doubled. Raises ParameterError.
    """
    if not isinstance(where, str):
        return where or {}
    found, place = {}, 0
    text = where.strip().rstrip(",")
    while place < len(text):
        match = _CONDITION.match(text, place)
        if not match:
            raise ParameterError(
                f"where: '{where}' is not column=value.\n  Write it as segment=SMB, or segment=SMB, region=EMEA; a "
                'value with a comma in quotes: industry="Food, drink".'
            )
        quoted, plain = match[2], match[3]
        found[match[1]] = quoted.replace('""', '"') if quoted is not None else plain
        place = match.end()
    return found


def choose(state: LoadState, where: Mapping[str, str], instant: pd.Timestamp) -> dict[str, str]:
    """``chosen``: the accounts whose attributes have the given values, if these do not record the outcome itself.

    ``csm.team`` and the like are the attributes of the CSM who has the account on the eve of ``instant``. Also makes
    the view ``choosable``: an account per row, what it can be chosen by in columns of text. Raises ParameterError.
    """
    loaded = state.tables.get("accounts")
    if loaded is None:
        if where:
            raise ParameterError("where: this source has no accounts to choose from.\n  Leave `where` out.")
        return {}
    engine = state.engine
    names, outcome = _choosable(loaded)
    _offer(state, names, instant)
    if not where:
        return {}
    engine.execute("CREATE OR REPLACE TEMP TABLE chosen AS SELECT account_id FROM typed_accounts")
    for column, value in where.items():
        known_attribute(engine, str(column), outcome)
        among = "FROM choosable WHERE account_id IN (SELECT account_id FROM chosen)"
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE chosen AS SELECT account_id {among} AND {quote(column)} = ?", [str(value)]
        )
        if not engine.rows("SELECT count(*) FROM chosen")[0][0]:
            there = [value for value, _ in values_of(engine, str(column))]
            listed_values = ", ".join(there[:12]) + (f" and {len(there) - 12:,} more" if len(there) > 12 else "")
            raise ParameterError(
                f"where: no account has {column} {str(value)!r}.{did_you_mean(str(value), there)}\n"
                f"  The values there are: {listed_values or 'none'}."
            )
    return {str(column): str(value) for column, value in where.items()}


def known_attribute(engine: DuckDB, column: str, outcome: set[str]) -> None:
    """Raises ParameterError where accounts cannot be chosen by this column."""
    names = _offered(engine)
    if column in outcome:
        raise ParameterError(
            f"where: {column!r} is known only after the outcome: filtering by the outcome decides the result.\n"
            f"  Choose by what was known beforehand: {', '.join(names)}."
        )
    if column not in names:
        raise ParameterError(
            f"where: accounts have no column {column!r}.{did_you_mean(column, names)}\n  They have: {', '.join(names)}."
        )


def values_of(engine: DuckDB, column: str, among: str = "choosable") -> list[tuple[str, int]]:
    """The values an attribute has, in their order, each with its number of accounts; missing ones are left out."""
    name = quote(column)
    return [
        (str(value), int(count))
        for value, count in engine.rows(
            f"SELECT {name} AS v, count(*) FROM {among} WHERE v IS NOT NULL AND trim(v) <> '' GROUP BY v ORDER BY v"
        )
    ]


def _offered(engine: DuckDB) -> list[str]:
    return [name for name, *_ in engine.rows("DESCRIBE choosable")]


def _offer(state: LoadState, names: list[str], instant: pd.Timestamp) -> None:
    texts = [_text("a", state.tables["accounts"], name) for name in names]
    reps, joined = state.tables.get("reps"), ""
    if reps is not None and "assignments" in state.tables:
        kinds = {column.name: column.kind for column in reps.columns}
        texts += [
            _text("r", reps, name, CSM) for name in _choosable(reps)[0] if kinds.get(name, "text") in ("text", "key")
        ]
        joined = f" LEFT JOIN ({_csm_of_each(state, instant)}) c ON c.account_id = a.account_id"
        joined += " LEFT JOIN typed_reps r ON r.rep_id = c.rep_id"
    state.engine.execute(
        f"CREATE OR REPLACE TEMP VIEW choosable AS SELECT {', '.join(texts)} FROM typed_accounts a{joined}"
    )


def _text(table: str, loaded: LoadedTable, name: str, before: str = "") -> str:
    stored = {column.name: column.stored for column in loaded.columns}.get(name, name)
    return f"CAST({table}.{quote(stored)} AS VARCHAR) AS {quote(before + name)}"


def _csm_of_each(state: LoadState, instant: pd.Timestamp) -> str:
    """The rep of each account on the eve of the instant: a CSM where roles are recorded, the newest where there are
    several."""
    at = f"TIMESTAMP '{instant:%Y-%m-%d}'"
    loaded = state.tables["assignments"]
    csm = " AND (role IS NULL OR lower(role) = 'csm')" if loaded.has("role") else ""
    ended = f" AND (end_date IS NULL OR end_date >= {at})" if loaded.has("end_date") else ""
    return (
        f"SELECT account_id, max_by(rep_id, start_date) AS rep_id FROM typed_assignments "
        f"WHERE start_date < {at}{ended}{csm} GROUP BY account_id"
    )


def _choosable(loaded: LoadedTable) -> tuple[list[str], set[str]]:
    """Columns by which accounts may be chosen, and those that record the outcome, by name or by header."""
    table = loaded.table.name
    every = [column.name for column in loaded.columns] + list(loaded.attributes)
    marked = set(loaded.entry.outcome_only)
    outcome = {
        name
        for name in every
        if {name, loaded.attributes.get(name, name)} & marked
        or known_only_after_outcome(table, dict.fromkeys([name, loaded.attributes.get(name, name)]))
    }
    return [name for name in every if name not in outcome], outcome
