"""Databases: a DuckDB file, or a PostgreSQL server by its address. Both are only ever read.

An address with a password in it is refused, and nothing of it is repeated: credentials come from the environment
(PGUSER, PGPASSWORD, PGPASSFILE), from ``~/.pgpass`` or from a service file.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from cs_helpers.core.errors import SourceError, SourceUnavailable, did_you_mean
from cs_helpers.data.engines.duckdb import DatabaseFile, DuckDB, EngineRefused, quote
from cs_helpers.data.engines.postgres import Postgres, PostgresRefused, Relation, decimal_places
from cs_helpers.data.sources.parquet import plain_reason
from cs_helpers.data.sources.staged import (
    LINE,
    ReadOptions,
    Source,
    Staged,
    check_headers,
    listed,
    stripped,
    typed,
)

POSTGRES = ("postgresql", "postgres")
OPTIONS = ("host", "port", "schema", "service", "sslmode")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SUPPORTED = "a folder of CSV or Parquet files, an .xlsx workbook, a DuckDB file, or postgresql://host/database"
WHY = {
    "password": ("the password is wrong.", "Check PGUSER and PGPASSWORD, or the entry in ~/.pgpass."),
    "no_password": ("it asks for a password and none was given.", "Set PGPASSWORD, or add an entry to ~/.pgpass."),
    "not_allowed": ("this user may not connect.", "Check PGUSER, or ask for access to this database."),
    "no_database": (
        "there is no such database, or no such user.",
        "Check the name at the end of the address, and PGUSER.",
    ),
    "no_service": ("there is no such service.", "Check the name, and the service file (PGSERVICEFILE)."),
    "unreachable": ("nothing answers there: the connection was refused.", "Check host and port, VPN and firewall."),
    "no_answer": ("there is no answer.", "Check host and port, VPN and firewall."),
    "no_host": ("the host is not known.", "Check the host's name, and the VPN."),
    "no_ssl": ("the server does not encrypt connections.", "Set sslmode=prefer if that is acceptable."),
    "certificate": ("the server's certificate is not accepted.", "Put its root certificate at PGSSLROOTCERT."),
    "starting": ("the server is starting up or shutting down.", "Try again in a minute."),
    "too_many": ("the server has no connection left.", "Try again later."),
    "permission": ("this user may not read it.", "Ask for SELECT on it, or set PGUSER to a user who has it."),
    "gone": ("it is no longer there.", "Check the table, and those a view refers to."),
    "timeout": (
        "it took too long and was stopped.",
        "Read a smaller view, or set CS_HELPERS_DATABASE_TIMEOUT to more seconds.",
    ),
    "locked": ("somebody else has locked it.", "Try again when their change is done."),
    "lost": ("the connection was lost.", "Try again."),
}
_NUMBERED = f"row_number() OVER () + 1 AS {quote(LINE)}"
_MAY_PASS = ("unreachable", "no_answer", "starting", "too_many", "timeout", "locked", "lost")


def open_file(path: Path, name: str) -> DuckDBFile:
    """The DuckDB file, if it can be read. Raises SourceError."""
    with path.open("rb") as handle:
        head = handle.read(16)
    if not head:
        raise SourceError(f"{name}: the file is empty (0 bytes).\n  Export it again.")
    if head[8:12] != b"DUCK":
        what = "an SQLite database" if head.startswith(b"SQLite format 3") else "not a DuckDB database"
        raise SourceError(f"{name}: this is {what}.\n  Give {SUPPORTED}; export the tables as CSV or Parquet.")
    try:
        file = DatabaseFile(path)
    except EngineRefused as error:
        raise _closed(name, str(error)) from error
    return DuckDBFile(path, name, file)


def _closed(name: str, reason: str) -> SourceError:
    if re.search(r"\block\b|different configuration|already open", reason, re.IGNORECASE):
        return SourceError(
            f"{name}: another program has the database open and locks it.\n"
            "  Close it there, or read a copy of the file."
        )
    if re.search(r"newer|version|storage", reason):
        return SourceError(
            f"{name}: the database was written by another version of DuckDB than the one installed here.\n"
            "  Update the package duckdb, or export the tables as Parquet."
        )
    return SourceError(
        f"{name}: the database cannot be opened; it is damaged or its end is missing.\n"
        f"  Copy or export it again, whole. The reader said: {plain_reason(reason)}"
    )


class _Database(Source):
    """What both kinds of database share: names of tables, those outside of the default schemas as schema.table."""

    def __init__(self, name: str, folder: Path | None, tables: Sequence[tuple[str, str]], own: Sequence[str]):
        """``tables``: schema and name of each; those of the schemas ``own`` need no schema in front."""
        super().__init__(name, folder)
        self._places: dict[str, int] = {}  # name of a table -> its place among ``tables``
        for schema in own:
            for place, (where, table) in enumerate(tables):
                if where == schema:
                    self._places.setdefault(table, place)
        taken = set(self._places.values())
        for place, (where, table) in enumerate(tables):
            if place not in taken:
                self._places.setdefault(f"{where}.{table}", place)

    def names(self) -> list[str]:
        return list(self._places)

    def _place(self, name: str) -> int:
        if name in self._places:
            return self._places[name]
        there = self.names()
        raise SourceError(
            f"{name}: there is no such table in {self.name}.{did_you_mean(name, there)}\n"
            f"  It holds: {listed(there) or 'no table'}. Name the one that holds this table in the mapping: "
            "`tables: {<table>: {file: ...}}`."
        )

    def _done(
        self, engine: DuckDB, name: str, target: str, types: dict[str, str], detected: Sequence[str] = ()
    ) -> Staged:
        headers = tuple(types)
        rows = int(engine.rows(f"SELECT count(*) FROM {quote(target)}")[0][0])
        if not rows:
            engine.drop(target)
            raise SourceError(
                f"{name}: the table has no rows.\n"
                "  Fill it: a table without rows would read as a company without customers."
            )
        self.digests[name] = engine.digest(target, headers)
        return Staged(name, target, headers, types, rows, tuple(detected))


# --- a DuckDB file --------------------------------------------------------------------------------------------


class DuckDBFile(_Database):
    """One DuckDB file; its tables and views are the tables."""

    kind = "duckdb"

    def __init__(self, path: Path, name: str, file: DatabaseFile):
        self._file = file
        self._tables = file.tables()
        super().__init__(name, path.parent, self._tables, ["main"])

    def stage(self, engine: DuckDB, name: str, target: str, options: ReadOptions = ReadOptions()) -> Staged:  # noqa: B008
        engine.drop(target)
        schema, table = self._tables[self._place(name)]
        try:
            kinds = self._file.columns(schema, table)
            headers = [column.strip() for column, _ in kinds]
            check_headers(name, 0, headers)
            types, columns = dict[str, str](), [_NUMBERED]
            for (column, kind), header in zip(kinds, headers, strict=True):
                expression, types[header] = typed(quote(column), kind)
                columns.append(f"{expression} AS {quote(header)}")
            engine.fill(target, self._file.read(schema, table, columns))
        except EngineRefused as error:
            reason = str(error)
            if "file system operations are disabled" in reason or "external access" in reason.lower():
                raise SourceError(
                    f"{name}: this view reads other files, which is not done.\n"
                    "  Make it a table (CREATE TABLE ... AS SELECT * FROM the view), or give those files as the source."
                ) from error
            if "corrupt" in reason.lower():
                raise SourceError(f"{name}: {self.name} is damaged.\n  Copy or export it again, whole.") from error
            raise SourceError(
                f"{name}: cannot be read from {self.name}.\n  The database said: {plain_reason(reason)}"
            ) from error
        return self._done(engine, name, target, types)

    def close(self) -> None:
        self._file.close()


# --- PostgreSQL -----------------------------------------------------------------------------------------------


def open_address(scheme: str, rest: str) -> PostgresDatabase:
    """The database at an address, of which ``rest`` is what follows ``scheme:``. Raises SourceError."""
    shown = re.sub(r"[^a-z0-9+.:\-]", "", scheme)
    before, at, _ = rest.rpartition("@")
    if scheme not in POSTGRES:
        fix = "Export the tables as Parquet or CSV and give their folder"
        fix = "Give the path itself, without the scheme" if scheme in ("file", "duckdb") else fix
        raise SourceError(
            f"{shown}://...: this kind of source is not supported.{did_you_mean(shown, POSTGRES)}\n"
            f"  {fix}. Supported are {SUPPORTED}."
        )
    if at and ":" in before:
        raise _with_password(shown)
    parameters, schema, name = _parsed(shown, rest)
    try:
        server = Postgres(parameters, schema)
    except PostgresRefused as error:
        raise _refused(name, error.why) from error
    try:
        return PostgresDatabase(name, schema, server)
    except SourceError:
        server.close()
        raise


def _with_password(scheme: str) -> SourceError:
    return SourceError(
        f"{scheme}://...: there is a password in the address; it is not repeated here.\n"
        "  Take it out of the address; it comes from PGPASSWORD, a PGPASSFILE or ~/.pgpass, or a service file."
    )


def _parsed(scheme: str, rest: str) -> tuple[dict[str, str], str, str]:
    """Keywords for the connection, the schema, and the address as it may be printed."""
    bad = f"{scheme}://...: the address cannot be read.\n  Write it as postgresql://host:port/database?schema=name."
    try:
        parts = urlsplit(f"postgresql:{rest}")
        options_given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise SourceError(bad) from error
    if parts.fragment or parts.path.count("/") > 1:
        raise SourceError(bad)
    if any(re.search(r"pass|pwd|secret|token", key, re.IGNORECASE) for key, _ in options_given):
        raise _with_password(scheme)
    for key, _ in options_given:
        if key not in OPTIONS:
            shown = re.sub(r"[^\w\-]", "", key)[:30]
            raise SourceError(
                f"{scheme}://...: the option '{shown}' is not known.{did_you_mean(shown, OPTIONS)}\n"
                f"  Options are {', '.join(OPTIONS)}; others can be set in a service file or the environment."
            )
    options = dict(options_given)
    schema = options.pop("schema", "")
    if "sslmode" in options and options["sslmode"] not in SSL_MODES:
        raise SourceError(f"{scheme}://...: this sslmode is not known.\n  It is one of {', '.join(SSL_MODES)}.")
    database = unquote(parts.path.lstrip("/"))
    given = {"host": unquote(host or ""), "port": str(port or ""), "user": unquote(parts.username or "")}
    parameters = options | {key: value for key, value in (given | {"dbname": database}).items() if value}
    if not database and "service" not in parameters:
        raise SourceError(f"{scheme}://...: no database is named.\n  Write it as postgresql://host:port/database.")
    if any("\0" in value for value in (*parameters.values(), schema)):
        raise SourceError(bad)
    if "=" in database or "://" in database:  # libpq would read it as a whole address
        raise SourceError(bad)
    where = parameters.get("host", "")
    where = "" if where.startswith("/") else where
    if where and "port" in parameters:
        where = f"{where}:{parameters['port']}"
    what = database or f"service {parameters['service']}"
    return parameters, schema, f"postgresql://{where}/{what}"


def _refused(name: str, why: str) -> SourceError:
    what, fix = WHY.get(why, ("the server refused.", "Check address, user and rights; its log says more."))
    kind = SourceUnavailable if why in _MAY_PASS else SourceError
    return kind(f"{name}: {what}\n  {fix}")


class PostgresDatabase(_Database):
    """One database on a PostgreSQL server, all of its tables as they were at one instant."""

    kind = "postgres"

    def __init__(self, name: str, schema: str, server: Postgres):
        self._server = server
        try:
            own = server.schemas()
            self._relations: list[Relation] = server.relations()
        except PostgresRefused as error:
            raise _refused(name, error.why) from error
        if schema and schema not in own:
            there = sorted({relation.schema for relation in self._relations})
            raise SourceError(
                f"{name}: there is no schema '{schema}'.{did_you_mean(schema, there)}\n"
                f"  Schemas with tables: {listed(there) or 'none'}."
            )
        super().__init__(name, None, [(relation.schema, relation.name) for relation in self._relations], own)

    def stage(self, engine: DuckDB, name: str, target: str, options: ReadOptions = ReadOptions()) -> Staged:  # noqa: B008
        engine.drop(target)
        relation = self._relations[self._place(name)]
        where = f"{name} in {self.name}"
        with tempfile.TemporaryDirectory(prefix="cs-helpers-") as place:
            path = Path(place) / "rows.csv"
            try:
                columns = self._server.columns(relation)
                check_headers(name, 0, [column.strip() for column, _, _ in columns])
                if not columns:
                    raise SourceError(f"{where}: the table has no columns.\n  Name another table.")
                wanted = {column: _READ_AS.get(kind, "{}::text") for column, kind, _ in columns}
                count = self._server.copy(relation, wanted, path)
            except PostgresRefused as error:
                raise _refused(where, error.why) from error
            types = self._filled(engine, where, path, target, columns, count)
        hidden = f"{where}: the database may hide rows of this table from this user (row-level security)."
        return self._done(engine, name, target, types, [hidden] if relation.hides_rows else [])

    def close(self) -> None:
        self._server.close()

    def _filled(
        self, engine: DuckDB, where: str, path: Path, target: str, columns: Sequence[tuple[str, str, int]], count: int
    ) -> dict[str, str]:
        headers = [column.strip() for column, _, _ in columns]
        types = dict[str, str]()
        names = [f":{number}" for number in range(len(columns))]
        rows, made = engine.csv_file(path, names), [_NUMBERED]
        try:
            for (_, kind, modifier), column, header in zip(columns, map(quote, names), headers, strict=True):
                expression, types[header] = _converted(engine, rows, column, kind, modifier)
                made.append(f"{expression} AS {quote(header)}")
            engine.attempt(f"CREATE OR REPLACE TABLE {quote(target)} AS SELECT {', '.join(made)} FROM {rows}")
            if engine.rows(f"SELECT count(*) FROM {quote(target)}")[0][0] == count:
                return types
        except EngineRefused as error:
            engine.drop(target)
            raise SourceError(
                f"{where}: a value cannot be read: {plain_reason(str(error))}.\n"
                "  Make a view that leaves out the column or casts it to text, and name the view in the mapping."
            ) from error
        engine.drop(target)
        raise SourceError(f"{where}: not every row arrived.\n  Try again, or export the table as Parquet.")


_READ_AS = dict.fromkeys(("bool", "int2", "int4", "int8", "date", "timestamp"), "{}") | {
    "timestamptz": "{} AT TIME ZONE 'UTC'",
    "money": "{}::numeric",
    "numeric": "nullif({}, 'NaN'::numeric)",
    "float4": "nullif({}, 'NaN')",
    "float8": "nullif({}, 'NaN')",
}
"""How a type is read from the server, all others as text; ``{}`` is the place of the column."""
_WHOLE = ("CAST({} AS BIGINT)", "integer")
_MOMENT = "CAST(replace({}, ' BC', ' (BC)') AS TIMESTAMP)"
_CONVERTED = {
    "int2": _WHOLE,
    "int4": _WHOLE,
    "int8": _WHOLE,
    "bool": ("({} = 't')", "flag"),
    "float4": ("CAST({} AS DOUBLE)", "number"),
    "float8": ("CAST({} AS DOUBLE)", "number"),
    "date": ("CAST(replace({}, ' BC', ' (BC)') AS DATE)", "date"),
    "timestamp": (_MOMENT, "time"),
    "timestamptz": (_MOMENT, "time with zone"),
    "money": ("CAST({} AS DECIMAL(38, 2))", "number"),
}
"""How the text that was read gets its type again, and the word for the type."""


def _converted(engine: DuckDB, rows: str, column: str, kind: str, modifier: int) -> tuple[str, str]:
    """SQL that gives a column of text its type again, and the word for the type."""
    if kind in _CONVERTED:
        expression, word = _CONVERTED[kind]
        return expression.format(column), word
    if kind != "numeric":
        return stripped(column), "text"
    limits = decimal_places(modifier)
    if limits and limits[0] <= 38 and 0 <= limits[1] <= limits[0]:
        return f"CAST({column} AS DECIMAL({limits[0]}, {limits[1]}))", "number"
    whole = f"length(replace(split_part({column}, '.', 1), '-', ''))"
    before, after, odd = engine.attempt(
        f"SELECT coalesce(max({whole}), 1), coalesce(max(length(split_part({column}, '.', 2))), 0), "
        f"coalesce(bool_or({column} LIKE '%n%'), FALSE) FROM {rows}"
    ).fetchone()
    if odd or before + after > 38:
        return f"CAST({column} AS DOUBLE)", "number"
    if not after and before <= 18:
        return f"CAST({column} AS BIGINT)", "integer"
    return f"CAST({column} AS DECIMAL(38, {after}))", "number"
