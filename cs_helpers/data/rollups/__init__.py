"""Roll-ups: plain SQL under ``cs_helpers/sql`` that turns large tables into small ones inside the engine.

    tables.rollup("account_month", start="2025-01-01", end="2026-01-01")     # a loaded source
    engine = rollups.engine_of(subscriptions=frame)                          # your own frames
    rollups.run(engine, "account_month", start="2025-01-01", end="2026-01-01")

``ROLLUPS`` lists the parameters and columns of each. The SQL runs unchanged on DuckDB, PostgreSQL and Spark and
contains no values: ``run`` registers the one-row table ``parameters`` and the calendars, saves the steps that a roll-up
builds on, and returns the result as Arrow. ``parameters.one`` is 1.0: multiplied by it, a whole number becomes a double
on all three engines, which have no common cast for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.data.engines.duckdb import to_pandas
from cs_helpers.data.rollups.calendars import one_row
from cs_helpers.data.rollups.catalogue import ROLLUPS, Rollup
from cs_helpers.data.rollups.staging import Engine, arrow_type, engine_of, stage

__all__ = ["ROLLUPS", "Engine", "arrow", "checked", "engine_of", "run", "schema", "stage", "text"]

SQL = Path(__file__).parents[1] / "sql"
NEVER_PAID = "subscriptions: none of these accounts ever paid anything, so there is nothing to count."


def checked(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a roll-up in their types, with the defaults.

    Raises ParameterError for an unknown roll-up and with everything that is wrong with the parameters.
    """
    return _rollup(name).values(parameters)


def run(engine: Engine, name: str, **parameters: Any) -> pd.DataFrame:
    """The roll-up ``name`` of the tables in ``engine``, sorted by its grain; see ``ROLLUPS[name]``.

    Raises ParameterError naming everything wrong with the arguments at once, and ContractError where the tables do not
    allow a result: no whole month in the window, nothing ever paid.
    """
    rollup = _rollup(name)
    frame = to_pandas(arrow(engine, name, **parameters))
    return frame.sort_values(list(rollup.grain), kind="stable", na_position="last", ignore_index=True)


def arrow(engine: Engine, name: str, **parameters: Any) -> pa.Table:
    """The same as Arrow, in no particular order, with exactly the columns and types that ``ROLLUPS`` declares."""
    rollup = _rollup(name)
    values = rollup.values(parameters)
    made = rollup.calendar(engine, values) if rollup.calendar else {}
    try:
        for table, content in made.items():
            engine.register(table, content)
        engine.register("parameters", one_row(values))
        for step in rollup.steps:
            engine.save(step, text(step))
        if rollup.refuses_unpaid and engine.rows("SELECT COUNT(*) FROM paid_periods")[0][0] == 0:
            raise ContractError(NEVER_PAID)
        parts = []
        for bucket in range(values.get("buckets", 1)):
            if bucket:
                engine.register("parameters", one_row(values | {"bucket": bucket}))
            parts.append(engine.arrow(text(name)).select(list(rollup.columns)).cast(schema(name)))
    finally:
        for table in (*made, *rollup.steps, "parameters"):
            engine.drop(table)
    return pa.concat_tables(parts)


@cache
def text(name: str) -> str:
    """The SQL of a roll-up or of a step, one statement without a closing semicolon."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def schema(name: str) -> pa.Schema:
    """Names and Arrow types of a roll-up's columns."""
    return pa.schema([(column, arrow_type(output.kind)) for column, output in _rollup(name).columns.items()])


def _rollup(name: str) -> Rollup:
    if name not in ROLLUPS:
        raise ParameterError(
            f"there is no roll-up '{name}'.{did_you_mean(name, list(ROLLUPS))} There are: {', '.join(ROLLUPS)}."
        )
    return ROLLUPS[name]
