"""Frames with the contract's column names become an engine's tables, in the contract's stored types."""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.data.contract.columns import Kind, Table
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.engines.duckdb import DuckDB


class Engine(Protocol):
    """What a roll-up needs of an engine; see ``engines.duckdb`` for the meaning."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...
    def arrow(self, sql: str) -> pa.Table: ...
    def register(self, name: str, table: pa.Table) -> None: ...
    def save(self, name: str, sql: str) -> None: ...
    def drop(self, name: str) -> None: ...


def engine_of(memory_limit: str = "", threads: int = 0, **frames: pd.DataFrame) -> DuckDB:
    """An embedded engine with these frames as tables of the contract; the other tables are empty.

    Without ``accounts`` every account_id in the frames is an account. Raises ParameterError for a name that is no
    table.
    """
    if wrong := [name for name in frames if name not in TABLES]:
        near = (f"{name} is not a table of the contract.{did_you_mean(name, list(TABLES))}" for name in wrong)
        raise ParameterError("\n".join(near))
    if "accounts" not in frames:
        named = [frame["account_id"] for frame in frames.values() if "account_id" in frame]
        ids = pd.concat(named).dropna().drop_duplicates().sort_values() if named else pd.Series(dtype="str")
        frames["accounts"] = ids.to_frame("account_id")
    engine = DuckDB(memory_limit, threads)
    for name in TABLES:
        stage(engine, name, frames.get(name, pd.DataFrame()))
    return engine


def stage(engine: Engine, name: str, frame: pd.DataFrame) -> None:
    """Puts a frame with the contract's column names into ``engine`` as its table ``name``.

    Columns it lacks are missing in every row; money is in currency and stored in whole cents; times with a zone become
    UTC. Unknown columns of a table that keeps attributes stay, as text; others are left out. Nothing is checked.
    """
    table: Table = TABLES[name]
    columns = {
        column.stored: stored(frame[column.name], column.kind)
        if column.name in frame
        else pa.nulls(len(frame), arrow_type(column.kind))
        for column in table.columns
    }
    if table.keeps_attributes:
        columns |= {name: stored(frame[name], "text") for name in map(str, frame.columns) if name not in table.names}
    engine.register(name, pa.table(columns))


def stored(values: pd.Series, kind: Kind) -> pa.Array:
    """A column as the contract stores it; see ``stage``."""
    if kind in ("date", "time"):
        times = pd.to_datetime(values)
        times = times.dt.tz_convert("UTC").dt.tz_localize(None) if times.dt.tz is not None else times
        return pa.Array.from_pandas(times.astype("datetime64[us]")).cast(arrow_type(kind), safe=False)
    if kind == "money":
        values = (pd.to_numeric(values) * 100).round()
    make = {"text": str, "money": int, "integer": int, "number": float, "flag": bool}[kind]
    missing = values.isna()
    plain = [None if gone else make(value) for value, gone in zip(values, missing, strict=True)]
    return pa.array(plain, type=arrow_type(kind))


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type of a kind of column."""
    return {
        "text": pa.string(), "date": pa.date32(), "time": pa.timestamp("us"), "money": pa.int64(),
        "integer": pa.int64(), "number": pa.float64(), "flag": pa.bool_(),
    }[kind]  # fmt: skip
