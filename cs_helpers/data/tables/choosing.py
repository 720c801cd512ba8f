"""Filters: which accounts a report is about, by attributes of the account or of its CSM."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.sources.staged import listed
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
    engine, outcome = state.engine, set(loaded.outcome_only)
    _offer(state, loaded, instant)
    if not where:
        return {}
    engine.execute("CREATE OR REPLACE TEMP TABLE chosen AS SELECT account_id FROM typed_accounts")
    chosen = {str(column): str(value) for column, value in where.items()}
    for column, value in chosen.items():
        known_attribute(engine, column, outcome)
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE chosen AS SELECT account_id FROM choosable WHERE account_id IN "
            f"(SELECT account_id FROM chosen) AND {quote(column)} = ?",
            [value],
        )
        if not engine.value("SELECT count(*) FROM chosen"):
            there = [value for value, _ in values_of(engine, column)]
            raise ParameterError(
                f"where: no account has {column} {value!r}.{did_you_mean(value, there)}\n"
                f"  The values there are: {listed(there) or 'none'}."
            )
    return chosen


def known_attribute(engine: DuckDB, column: str, outcome: set[str]) -> None:
    """Raises ParameterError where accounts cannot be chosen by this column."""
    names = engine.column("DESCRIBE choosable")
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


def _offer(state: LoadState, accounts: LoadedTable, instant: pd.Timestamp) -> None:
    texts = [_text("a", accounts, name) for name in _choosable(accounts)]
    reps, assignments, joined = state.tables.get("reps"), state.tables.get("assignments"), ""
    if reps is not None and assignments is not None:
        kinds = {column.name: column.kind for column in reps.columns}
        texts += [_text("r", reps, name, CSM) for name in _choosable(reps) if kinds.get(name, "text") == "text"]
        # A CSM where roles are recorded, the newest where there are several, on the eve of the instant.
        at = f"TIMESTAMP '{instant:%Y-%m-%d}'"
        csm = " AND (role IS NULL OR lower(role) = 'csm')" if assignments.has("role") else ""
        ended = f" AND (end_date IS NULL OR end_date >= {at})" if assignments.has("end_date") else ""
        joined = (
            " LEFT JOIN (SELECT account_id, max_by(rep_id, start_date) AS rep_id FROM typed_assignments WHERE "
            f"start_date < {at}{ended}{csm} GROUP BY account_id) c ON c.account_id = a.account_id "
            "LEFT JOIN typed_reps r ON r.rep_id = c.rep_id"
        )
    state.engine.execute(
        f"CREATE OR REPLACE TEMP VIEW choosable AS SELECT {', '.join(texts)} FROM typed_accounts a{joined}"
    )


def _choosable(loaded: LoadedTable) -> list[str]:
    outcome = loaded.outcome_only
    return [name for name in (*(c.name for c in loaded.columns), *loaded.attributes) if name not in outcome]


def _text(table: str, loaded: LoadedTable, name: str, before: str = "") -> str:
    stored = {column.name: column.stored for column in loaded.columns}.get(name, name)
    return f"CAST({table}.{quote(stored)} AS VARCHAR) AS {quote(before + name)}"
