"""PostgreSQL, read only. This module is the only home of psycopg.

libpq finds the credentials: in the environment (PGUSER, PGPASSWORD, PGPASSFILE), ``~/.pgpass`` or a service file. No
message of the driver leaves this module, because some repeat credentials; a keyword names the reason instead.
Identifiers are quoted; values are never part of the SQL text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cs_helpers.data.engines.duckdb import quote

CONNECT_TIMEOUT = 10  # seconds
STATEMENT_TIMEOUT = 600  # seconds; CS_HELPERS_DATABASE_TIMEOUT sets another
LOCK_TIMEOUT = 20  # seconds

_STATES = {
    "28P01": "password",
    "28000": "not_allowed",
    "3D000": "no_database",
    "42501": "permission",
    "42P01": "gone",
    "57014": "timeout",
    "55P03": "locked",
    "57P03": "starting",
    "53300": "too_many",
}
_CONNECTING = {
    "no password supplied": "no_password",
    "password authentication failed": "password",
    "does not exist": "no_database",
    "no pg_hba.conf entry": "not_allowed",
    "authentication failed": "not_allowed",
    "not permitted to log in": "not_allowed",
    "permission denied for database": "not_allowed",
    "definition of service": "no_service",
    "starting up": "starting",
    "shutting down": "starting",
    "too many": "too_many",
    "remaining connection slots": "too_many",
    "does not support ssl": "no_ssl",
    "certificate": "certificate",
    "translate host name": "no_host",
    "resolve host": "no_host",
    "name or service not known": "no_host",
    "timeout": "no_answer",
    "timed out": "no_answer",
    "refused": "unreachable",
    "no such file or directory": "unreachable",
    "no route": "unreachable",
    "unreachable": "unreachable",
}


class PostgresRefused(Exception):  # noqa: N818 - it says what happened
    """The server did not do it; ``why`` is one word for the reason, never the driver's text."""

    def __init__(self, why: str):
        self.why = why
        super().__init__(why)


@dataclass(frozen=True)
class Relation:
    """A table or view: where it is, and whether the server hides some of its rows from this user."""

    schema: str
    name: str
    oid: int
    hides_rows: bool


class Postgres:
    """One read-only transaction at repeatable read: every table is seen as it was at the same instant."""

    def __init__(self, parameters: Mapping[str, str], schema: str = ""):
        import psycopg

        try:
            self._connection = psycopg.connect(
                **parameters,  # type: ignore[arg-type]
                connect_timeout=CONNECT_TIMEOUT,
                application_name="cs-helpers",
                client_encoding="UTF8",
            )
        except psycopg.Error as error:
            raise PostgresRefused(_connecting(error)) from error
        except (UnicodeError, ValueError) as error:
            raise PostgresRefused("other") from error
        try:
            with _clear_errors():
                self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                self._connection.read_only = True
                for name, value in _settings(schema).items():
                    self._connection.execute("SELECT set_config(%s, %s, FALSE)", (name, value))
        except PostgresRefused:
            self.close()
            raise

    def schemas(self) -> list[str]:
        """The schemas that need no name in front, in order."""
        with self._step():
            found = self._connection.execute("SELECT current_schemas(FALSE)::text[]").fetchone()
        return list(found[0]) if found else []

    def relations(self) -> list[Relation]:
        """Every table and view outside the server's own schemas."""
        with self._step():
            rows = self._connection.execute(
                "SELECT n.nspname, c.relname, c.oid::bigint, c.relkind IN ('r', 'p') AND row_security_active(c.oid) "
                "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition "
                "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%' "
                "ORDER BY n.nspname, c.relname"
            ).fetchall()
        return [Relation(*row) for row in rows]

    def columns(self, relation: Relation) -> list[tuple[str, str, int]]:
        """Name, base type and type modifier of every column."""
        with self._step():
            rows = self._connection.execute(
                "SELECT a.attname, b.typname, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END "
                "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
                "JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
                "WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
                (relation.oid,),
            ).fetchall()
        return [(str(name), str(kind), int(modifier)) for name, kind, modifier in rows]

    def copy(self, relation: Relation, expressions: Mapping[str, str], path: Path) -> int:
        """Writes expressions over the columns of a relation as CSV and returns the number of rows.

        ``{}`` in an expression is the place of the quoted column.
        """
        from psycopg import sql

        parts = [sql.SQL(text).format(sql.Identifier(name)) for name, text in expressions.items()]
        query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT WITH (FORMAT csv, ENCODING 'UTF8')").format(
            sql.SQL(", ").join(parts), sql.Identifier(relation.schema, relation.name)
        )
        with self._step(), self._connection.cursor() as cursor, path.open("wb") as out:
            with cursor.copy(query) as rows:
                for block in rows:
                    out.write(block)
            return cursor.rowcount

    def close(self) -> None:
        """End the transaction and the connection."""
        self._connection.close()

    @contextmanager
    def _step(self) -> Iterator[None]:
        """Runs one statement whose failure does not end the transaction."""
        with _clear_errors(), self._connection.transaction():
            yield


def _settings(schema: str) -> dict[str, str]:
    seconds = os.environ.get("CS_HELPERS_DATABASE_TIMEOUT", "")
    limit = int(seconds) if seconds.isdigit() else STATEMENT_TIMEOUT
    return {
        "TimeZone": "UTC",
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "postgres",
        "bytea_output": "hex",
        "extra_float_digits": "1",
        "statement_timeout": f"{limit}s",
        "lock_timeout": f"{LOCK_TIMEOUT}s",
        "synchronize_seqscans": "off",  # rows come in the same order every time
        "max_parallel_workers_per_gather": "0",
        **({"search_path": quote(schema)} if schema else {}),
    }


def _connecting(error: Any) -> str:
    """One word for why there is no connection; nothing of the driver's text is repeated."""
    text = str(error).lower()
    return _STATES.get(error.sqlstate) or next((word for part, word in _CONNECTING.items() if part in text), "other")


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Errors of the driver as one word."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        state = error.sqlstate or ""
        lost = isinstance(error, psycopg.OperationalError) and not state
        raise PostgresRefused(_STATES.get(state, "lost" if lost else "other")) from error


def decimal_places(modifier: int) -> tuple[int, int] | None:
    """Digits and decimal places of a numeric's type modifier; None where it has no limits."""
    if modifier < 4:
        return None
    places = (modifier - 4) & 0x7FF
    return ((modifier - 4) >> 16) & 0xFFFF, places - 0x800 if places & 0x400 else places
