"""The embedded engine. This module is the only home of duckdb.

An engine knows names, SQL and Arrow; it knows nothing of accounts. Identifiers that come from outside are quoted
by ``quote``; values go in as tables or parameters, and the few texts of a mapping through ``literal``.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from cs_helpers.core.errors import SourceError

MEMORY_LIMIT = "1GB"
TEMP_LIMIT = "20GB"

_DAMAGED = re.compile(
    "Failed to read file|likely corrupted|decompress|Snappy|ZSTD|TProtocol|Invalid Parquet|No magic bytes"
)
_FILE = re.compile('file "([^"]+)"')


Parameters = Sequence[Any] | dict[str, Any] | None


class EngineRefused(Exception):  # noqa: N818 - it says what happened
    """The engine did not run a statement; the text is its reason. Sources turn it into a SourceError."""


def _settings(**more: Any) -> dict[str, Any]:
    """No extension is loaded, and memory is bounded."""
    return {
        "memory_limit": os.environ.get("CS_HELPERS_MEMORY", MEMORY_LIMIT),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    } | more


class DuckDB:
    """One in-memory database with bounded memory that spills to a temporary folder, UTC throughout."""

    def __init__(self, memory_limit: str = "", threads: int = 0):
        self._spill = tempfile.TemporaryDirectory(prefix="cs-helpers-", ignore_cleanup_errors=True)
        settings = _settings(
            threads=threads or os.cpu_count() or 1,
            temp_directory=self._spill.name,
            max_temp_directory_size=TEMP_LIMIT,
            **({"memory_limit": memory_limit} if memory_limit else {}),
        )
        try:
            self.connection = duckdb.connect(":memory:", config=settings)
        except duckdb.Error as error:
            limit = settings["memory_limit"]
            raise SourceError(
                f"the embedded database does not start with memory_limit {limit!r}: {_first_line(error)}\n"
                "  Set CS_HELPERS_MEMORY to a size such as 1GB."
            ) from error
        self.held: dict[str, pa.Table] = {}  # the rows behind each view that ``present`` has made
        self.execute("SET TimeZone = 'UTC'")

    def execute(self, sql: str, parameters: Parameters = None) -> Any:
        """Runs one statement. Raises SourceError where a file is damaged or memory or disk space are not enough."""
        with _clear_errors():
            return self.connection.execute(sql, parameters)

    def attempt(self, sql: str, parameters: Parameters = None) -> Any:
        """Runs one statement that may fail. Raises EngineRefused with the engine's first line."""
        with _refusals():
            return self.connection.execute(sql, parameters)

    def rows(self, sql: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """All rows of a query, as Python values."""
        with _clear_errors():
            found: list[tuple[Any, ...]] = self.connection.execute(sql, parameters).fetchall()
        return found

    def column(self, sql: str, parameters: Parameters = None) -> list[Any]:
        """The first column of a query's result."""
        return [row[0] for row in self.rows(sql, parameters)]

    def value(self, sql: str, parameters: Parameters = None) -> Any:
        """The first value of a query's first row; None where there is no row."""
        return next(iter(self.column(sql, parameters)), None)

    def arrow(self, sql: str, parameters: Parameters = None) -> pa.Table:
        """A query's result as Arrow."""
        with _clear_errors():
            return self.connection.sql(sql, params=parameters).to_arrow_table()

    def frame(self, sql: str, parameters: Parameters = None) -> pd.DataFrame:
        """A query's result as pandas: text as ``str``, integers as int64 (Int64 where some are missing),
        flags as bool (boolean where some are missing), days and times as datetime64[us]."""
        return to_pandas(self.arrow(sql, parameters))

    def register(self, name: str, table: pa.Table | pd.DataFrame) -> None:
        """Creates or replaces a table from Arrow or pandas."""
        with self._incoming(name, table) as rows:
            self.execute(f"CREATE OR REPLACE TABLE {quote(name)} AS {rows}")

    def add(self, name: str, table: pa.Table) -> None:
        """Appends Arrow rows to a table, which is created where it is missing."""
        with self._incoming(name, table) as rows:
            self.execute(f"CREATE TABLE IF NOT EXISTS {quote(name)} AS {rows} LIMIT 0")
            self.execute(f"INSERT INTO {quote(name)} {rows}")

    def fill(self, name: str, table: pa.RecordBatchReader) -> None:
        """Creates or replaces a table from Arrow rows that come batch by batch. Raises EngineRefused."""
        with self._incoming(name, table) as rows:
            self.attempt(f"CREATE OR REPLACE TABLE {quote(name)} AS {rows}")

    @contextmanager
    def _incoming(self, name: str, table: pa.Table | pa.RecordBatchReader | pd.DataFrame) -> Iterator[str]:
        """SQL for rows that are not yet in the database."""
        view = f"incoming_{name}"
        self.connection.register(view, table)
        try:
            yield f"SELECT * FROM {quote(view)}"
        finally:
            self.connection.unregister(view)

    def present(self, name: str, table: pa.Table, columns: str) -> None:
        """Creates a view of expressions over Arrow rows, which stay where they are; see ``drop``."""
        self.drop(name)
        self.connection.register(f"held_{name}", table)
        self.held[name] = table
        self.execute(f"CREATE VIEW {quote(name)} AS SELECT {columns} FROM {quote(f'held_{name}')}")

    def digest(self, name: str, columns: Sequence[str]) -> str:
        """Rows, types and values of a table in one text that does not depend on the order of its rows."""
        every = listed(columns)
        rows, total = self.rows(f"SELECT count(*), coalesce(sum(hash({every})::HUGEINT), 0) FROM {quote(name)}")[0]
        kinds = self.columns(name)
        return f"{rows} {total} " + " ".join(f"{column} {kinds[column]}" for column in columns)

    @staticmethod
    def csv_file(path: Path, columns: Sequence[str]) -> str:
        """SQL that reads a CSV file without a header, made by a database, strictly as text in its order of rows."""
        names = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
        return (
            f"read_csv({file_literal(path)}, auto_detect = FALSE, columns = {{{names}}}, delim = ',', "
            "quote = '\"', escape = '\"', header = FALSE, strict_mode = TRUE, null_padding = FALSE, "
            "ignore_errors = FALSE, compression = 'none', parallel = FALSE, max_line_size = 33554432)"
        )

    @staticmethod
    def parquet_file(path: Path, numbered: bool = False) -> str:
        """SQL that reads a Parquet file, with ``file_row_number`` from 0 if asked."""
        return f"read_parquet({file_literal(path)}, hive_partitioning = FALSE{', file_row_number = TRUE' * numbered})"

    def save(self, name: str, sql: str) -> None:
        """Creates or replaces a table with the result of a query."""
        self.execute(f"CREATE OR REPLACE TEMP TABLE {quote(name)} AS {sql}")

    def drop(self, name: str) -> None:
        """Drops the table or view of that name, if there is one."""
        try:
            self.execute(f"DROP TABLE IF EXISTS {quote(name)}")
        except duckdb.CatalogException:
            self.execute(f"DROP VIEW IF EXISTS {quote(name)}")
            self.connection.unregister(f"held_{name}")
            self.held.pop(name, None)

    def columns(self, name: str) -> dict[str, str]:
        """Column names of a table and their types."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {quote(name)}")}

    def close(self) -> None:
        """Frees the memory and deletes the temporary folder."""
        self.connection.close()
        self._spill.cleanup()


class DatabaseFile:
    """A DuckDB file opened read-only and isolated: its views can read no other file and load no extension."""

    def __init__(self, path: Path):
        try:
            settings = _settings(enable_external_access=False)
            self._connection = duckdb.connect(str(path), read_only=True, config=settings)
            self._connection.execute("SET TimeZone = 'UTC'")
        except (duckdb.Error, UnicodeError) as error:
            raise EngineRefused(" ".join(str(error).split())) from error

    def tables(self) -> list[tuple[str, str]]:
        """Schema and name of every table and view."""
        return self._connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_catalog = current_database() ORDER BY table_schema, table_name"
        ).fetchall()

    def columns(self, schema: str, name: str) -> list[tuple[str, str]]:
        """Names and types of a table's columns. Raises EngineRefused, as for a view on a missing table."""
        with _refusals():
            rows = self._connection.execute(f"DESCRIBE SELECT * FROM {quote(schema)}.{quote(name)}").fetchall()
        return [(str(row[0]), str(row[1])) for row in rows]

    def read(self, schema: str, name: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """Expressions over a table's columns, batch by batch. Raises EngineRefused."""
        with _refusals():
            query = self._connection.sql(f"SELECT {', '.join(columns)} FROM {quote(schema)}.{quote(name)}")
            return query.to_arrow_reader(100_000)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()


@contextmanager
def _refusals() -> Iterator[None]:
    """Turns every error of the engine into EngineRefused."""
    try:
        yield
    except (duckdb.Error, UnicodeError) as error:
        raise EngineRefused(_first_line(error)) from error


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Turns damaged files and lack of memory into a SourceError."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        if isinstance(error, duckdb.OutOfMemoryException):
            raise SourceError(
                "the tables need more memory than the embedded database may use.\n"
                "  Set CS_HELPERS_MEMORY to a larger size, such as 2GB, and make room for temporary files."
            ) from error
        if _DAMAGED.search(text):
            file = _FILE.search(text)
            raise SourceError(
                f"{Path(file[1]).name if file else 'a Parquet file'}: the file is damaged: a part of it cannot be "
                "unpacked.\n  Copy or export it again, whole."
            ) from error
        raise


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Arrow as pandas; see ``DuckDB.frame``."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        dtype: Any = None
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us"))
        elif pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        elif pa.types.is_integer(kind):
            kind, dtype = pa.int64(), pd.Int64Dtype() if column.null_count else None
            column = column.cast(kind)
        elif pa.types.is_boolean(kind) and column.null_count:
            dtype = pd.BooleanDtype()
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            dtype = pd.StringDtype(na_value=float("nan"))
        columns[name] = column.to_pandas(types_mapper={kind: dtype}.get)
    return pd.DataFrame(columns, columns=table.column_names)


def quote(name: str) -> str:
    """An identifier as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL takes it, for the few places that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def file_literal(path: Path) -> str:
    """A file name as an SQL text, with wildcard signs escaped."""
    return literal("".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path)))


def listed(names: Iterable[str]) -> str:
    """Quoted identifiers with commas between them."""
    return ", ".join(map(quote, names))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
