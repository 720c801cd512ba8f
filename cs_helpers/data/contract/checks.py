"""The limits of values, and the contract of each table as a pandera schema for typed frames.

The loader runs the same checks inside the engine, which is faster than making a frame first; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

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


def plain(value: object) -> str:
    """A value for a message: short ones without spaces as they are (``end_date 31-31-2024``), others quoted."""
    text = str(value)
    if text.isprintable() and " " not in text and 0 < len(text) <= 40:
        return text
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _one_of(allowed: tuple[str, ...]) -> Callable[[Any], Any]:
    return lambda values: values.str.lower().isin(allowed)


def _in_order(start: str, end: str) -> Callable[[Any], Any]:
    def holds(frame: pd.DataFrame) -> Any:
        return ~(frame[end] < frame[start]) if {start, end} <= set(frame.columns) else True

    return holds


def _one_row_per(key: tuple[str, ...]) -> Callable[[Any], Any]:
    def holds(frame: pd.DataFrame) -> Any:
        if not key or not set(key) <= set(frame.columns):
            return True
        return ~frame.duplicated(list(key), keep=False) | frame[list(key)].isna().any(axis=1)

    return holds


@cache
def schema(table: str) -> pa.DataFrameSchema:
    """The pandera schema of one table, built from ``TABLES``; unknown columns are let through.

    Use it on a frame of your own: ``cs_helpers.data.contract.checks.schema("tickets").validate(frame, lazy=True)``.
    """
    import pandera.pandas as pa

    def check(name: str, holds: Callable[[Any], Any]) -> pa.Check:
        return pa.Check(holds, name=name, error=name)

    entry = TABLES[table]
    columns = {}
    for column in entry.columns:
        checks = []
        if column.kind in ("date", "time"):
            checks = [check("out_of_range", lambda days: (days >= EARLIEST) & (days < LATEST + pd.Timedelta(days=1)))]
        elif column.minimum is not None or column.maximum is not None:
            low = -np.inf if column.minimum is None else column.minimum
            high = np.inf if column.maximum is None else column.maximum
            checks = [pa.Check.in_range(low, high, name="out_of_range", error="out_of_range")]
        if column.one_of:
            checks.append(check("not_allowed", _one_of(column.one_of)))
        columns[column.name] = pa.Column(
            checks=checks, nullable=column.nullable, required=column.required, description=column.meaning
        )
    wide = [check("repeated_key", _one_row_per(entry.key))]
    wide += [check("end_before_start", _in_order(start, end)) for start, end in entry.periods]
    return pa.DataFrameSchema(columns, checks=wide, strict=False, name=table, description=entry.grain)
