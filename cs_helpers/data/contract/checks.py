"""The checks that every row of a table has to pass, for tables that are already typed; made from ``TABLES``.

The loader runs the same checks inside the engine, because millions of rows are judged there in the time that a
frame takes to be made; a test holds the two against each other. This module is the only home of pandera.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import Problem
from cs_helpers.data.contract.columns import Column
from cs_helpers.data.contract.tables import TABLES

if TYPE_CHECKING:
    import pandera.pandas as pa

EARLIEST = pd.Timestamp("1970-01-01")
LATEST = pd.Timestamp("2100-12-31")
MAX_SHOWN = 5  # rows and values named per problem; the rest are counted

# Words in the header of an attribute that mark it as a record of the outcome itself.
OUTCOME_WORDS = ("churn", "cancel", "lifetime", "left_on", "lost_")


def known_only_after_outcome(table: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of ``columns`` that exist only because of the outcome and must not enter a risk model."""
    marked = {column.name for column in TABLES[table].columns if column.after_outcome}
    own = set(TABLES[table].names)
    return tuple(
        name
        for name in columns
        if name in marked or (name not in own and any(word in name.lower() for word in OUTCOME_WORDS))
    )


def quoted(value: object) -> str:
    """A value as a message may show it: quoted, on one line, at most 60 characters."""
    text = str(value)
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def plain(value: object) -> str:
    """A value for a message: short ones without spaces as they are (``end_date 31-31-2024``), others quoted."""
    text = str(value)
    return text if text.isprintable() and " " not in text and 0 < len(text) <= 40 else quoted(text)


def _in_range(column: Column) -> Callable[[Any], Any]:
    if column.kind in ("date", "time"):
        return lambda values: (values >= EARLIEST) & (values < LATEST + pd.Timedelta(days=1))
    minimum = -np.inf if column.minimum is None else column.minimum
    maximum = np.inf if column.maximum is None else column.maximum
    return lambda values: (values >= minimum) & (values <= maximum)


def _one_of(column: Column) -> Callable[[Any], Any]:
    return lambda values: values.str.lower().isin(column.one_of)


def _forwards(start: str, end: str) -> Callable[[Any], Any]:
    def holds(frame: pd.DataFrame) -> pd.Series:
        if start not in frame or end not in frame:
            return pd.Series(True, index=frame.index)
        return ~(frame[end] < frame[start])

    return holds


def _one_row_per(key: tuple[str, ...]) -> Callable[[Any], Any]:
    def holds(frame: pd.DataFrame) -> pd.Series:
        if not key or not set(key) <= set(frame.columns):
            return pd.Series(True, index=frame.index)
        whole = frame[list(key)].notna().all(axis=1)
        return ~(frame.duplicated(list(key), keep=False) & whole)

    return holds


@cache
def schema(table: str) -> pa.DataFrameSchema:
    """The pandera schema of one table, built from ``TABLES``; unknown columns are let through.

    Use it on a frame of your own: ``cs_helpers.data.contract.checks.schema("tickets").validate(frame, lazy=True)``.
    """
    import pandera.pandas as pa

    entry = TABLES[table]
    columns = {}
    for column in entry.columns:
        checks = []
        if column.kind in ("date", "time") or column.minimum is not None or column.maximum is not None:
            checks.append(pa.Check(_in_range(column), error="out_of_range", name="out_of_range"))
        if column.one_of:
            checks.append(pa.Check(_one_of(column), error="not_allowed", name="not_allowed"))
        columns[column.name] = pa.Column(
            checks=checks, nullable=column.nullable, required=column.required, description=column.meaning
        )
    wide = [pa.Check(_one_row_per(entry.key), error="repeated_key", name="repeated_key")]
    wide += [
        pa.Check(_forwards(start, end), error="end_before_start", name="end_before_start")
        for start, end in entry.periods
    ]
    return pa.DataFrameSchema(columns, checks=wide, strict=False, name=table, description=entry.grain)


def failures(table: str, frame: pd.DataFrame) -> dict[tuple[str, str], list[Any]]:
    """(check, column) -> index labels of the rows of a typed frame that fail it; column "" for whole rows."""
    import pandera.errors

    try:
        schema(table).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return {}
    failed: dict[tuple[str, str], list[Any]] = {}
    for (check, context), rows in cases.groupby(["check", "schema_context"], sort=False):
        if check == "column_in_dataframe":
            failed.update({("missing_column", str(name)): [] for name in rows["failure_case"]})
        elif context == "DataFrameSchema":
            failed[(str(check), "")] = sorted(set(rows["index"]))
        else:
            for name, part in rows.groupby("column", sort=False):
                failed[(str(check), str(name))] = sorted(set(part["index"]))
    return failed


_FAILURE_WORDS = {
    "missing_column": ("the column is missing", "Add it."),
    "not_nullable": ("a value is missing", "Fill it in, or leave the rows out."),
    "out_of_range": ("a value is out of range", "Correct it."),
    "not_allowed": ("a value is none of those allowed", "Translate it."),
    "repeated_key": ("the key stands in more than one row", "Keep one row per key."),
    "end_before_start": ("the end is before the start", "Correct the rows."),
}


def validate(table: str, frame: pd.DataFrame) -> list[Problem]:
    """All problems of a typed frame, found in one pass; empty when the frame keeps the contract.

    Rows are numbered from 1. Never raises.
    """
    found = []
    for (check, column), rows in failures(table, frame.reset_index(drop=True)).items():
        what, fix = _FAILURE_WORDS.get(check, (check, "Correct it."))
        where = f"{table}.{column}" if column else table
        found.append(Problem(where, f"{what}.", fix, tuple(int(row) + 1 for row in rows[:MAX_SHOWN]), len(rows)))
    return found
