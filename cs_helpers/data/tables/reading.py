"""Reads an export into typed tables of the engine and checks every row against the contract.

Each table is staged as written, then typed and checked in one pass (``typed_<table>``). Only rows with a problem are
read again to describe it. Problems are raised after all tables are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cs_helpers.core.errors import Problem, SourceError, did_you_mean
from cs_helpers.data.contract.columns import Column, Table
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.engines.duckdb import DuckDB, listed, literal, quote
from cs_helpers.data.mapping import ExportMapping, TableMapping
from cs_helpers.data.sources import ReadOptions, Source, Staged
from cs_helpers.data.tables.decimals import currency_signs, decimal_sign
from cs_helpers.data.tables.expressions import Reader
from cs_helpers.data.tables.joining import joined
from cs_helpers.data.tables.judging import judge_keys, judge_rows, row_conditions, to_first_unpaid_day, typed_columns
from cs_helpers.data.tables.load_state import ColumnSource, Finding, LoadedTable, LoadState

Headers = Mapping[str, str | None]


def read_tables(engine: DuckDB, source: Source, settings: ExportMapping) -> LoadState:
    """Every table of the contract that the source has, typed and checked row by row; problems are collected."""
    state = LoadState(engine, source, settings)
    engine.execute(
        "CREATE TABLE aside (table_name VARCHAR, check_name VARCHAR, line BIGINT, account_id VARCHAR, reason VARCHAR)"
    )
    for table in TABLES.values():
        _read_table(state, table)
    return state


def read_options(entry: TableMapping) -> ReadOptions:
    """The file settings of a mapping entry, as sources take them."""
    return ReadOptions(
        separator=entry.separator, encoding=entry.encoding, sheet=entry.sheet, header_row=entry.header_row
    )


def _read_table(state: LoadState, table: Table) -> None:
    entry = state.settings.table(table.name)
    in_workbook = entry.sheet if state.source.kind == "workbook" else None
    try:
        found = in_workbook or entry.file or state.source.find(table.name)
    except SourceError as error:
        state.unreadable.append(str(error))
        return
    if found is None:
        if table.required and not state.settings.partial:
            state.unreadable.append(_no_file(state, table))
        return
    try:
        raw, staged = state.stage(found, read_options(entry))
        raw, staged = joined(state, raw, staged, entry)
    except SourceError as error:
        state.unreadable.append(str(error))
        return
    _type_table(state, table, entry, raw, staged)


def _no_file(state: LoadState, table: Table) -> str:
    there = state.source.names()
    listed_names = ", ".join(there[:12]) + (f" and {len(there) - 12} more" if len(there) > 12 else "")
    name = f"{table.name}.csv" if state.source.kind == "folder" else table.name
    what = {"folder": "file", "workbook": "sheet"}.get(state.source.kind, "table")
    return (
        f"{name}: there is no such {what} in {state.source.name}.{did_you_mean(name, there)}\n"
        f"  It holds: {listed_names}. Add the {what}, or name the one that holds this table in the mapping: "
        f"`tables: {{{table.name}: {{file: ...}}}}`."
    )


# --- typing ---------------------------------------------------------------------------------------------------


def _type_table(state: LoadState, table: Table, entry: TableMapping, raw: str, staged: Staged) -> None:
    headers = {name: _header(entry, name, staged) for name in table.names}
    shapes = {
        header: staged.shape(header)
        for column in table.columns
        if column.kind in ("money", "integer", "number", "date", "time") and (header := headers[column.name])
    }
    reader = Reader(entry, dict(staged.types), ".", shapes)
    decimal = _decimal(state, table, entry, reader, raw, staged, headers)
    reader = Reader(entry, dict(staged.types), decimal, shapes)
    _signs(state, table, reader, raw, staged, headers)
    _mixed_dates(state, table, staged, headers)
    fields = [_column_source(reader, column, headers[column.name]) for column in table.columns]
    offsets = {name: offset for name, offset in entry.offsets.items() if _readable(reader, table, name)}
    bases = {field.column.name: field.typed for field in fields if field.source is not None}
    for name, offset in offsets.items():
        place = table.names.index(name)
        fields[place] = ColumnSource(
            table.column(name), fields[place].source, reader.offset(table.column(name), offset, bases)
        )
        bases[name] = fields[place].typed
    attributes = _attributes(table, entry, staged, headers)
    shown = {
        name: " + ".join(entry.joined[name]) if name in entry.joined else headers[name] or name for name in table.names
    }
    present = tuple(field.column for field in fields if field.source is not None or field.column.name in offsets)
    loaded = LoadedTable(table, staged.name, staged, raw, entry, present, attributes, shown, staged.rows)
    _missing_columns(state, loaded, offsets)
    where = _filters(state, loaded, reader)
    _create(state, loaded, fields, reader, attributes, where)
    state.tables[table.name] = loaded
    if table.name == "accounts":  # before any row is refused: an account with a bad field is still one
        state.engine.execute(
            "CREATE OR REPLACE TABLE known_accounts AS SELECT DISTINCT account_id FROM typed_accounts "
            "WHERE account_id IS NOT NULL"
        )
    if table.stand_in:
        _stand_in(state, loaded)
    judge_rows(state, loaded, fields, reader)
    judge_keys(state, loaded)


def _header(entry: TableMapping, name: str, staged: Staged) -> str | None:
    """The header of a column: the one the mapping names, else the one of its own name, in capitals or not."""
    if name in entry.columns:
        return entry.columns[name]
    return next((header for header in staged.headers if header.lower() == name), name)


def _column_source(reader: Reader, column: Column, header: str | None) -> ColumnSource:
    source = reader.source(column.name, header)
    if source is None:
        default = (
            f"CAST({literal(column.default)} AS VARCHAR)" if column.default else f"CAST(NULL AS {column.sql_type})"
        )
        return ColumnSource(column, None, default)
    typed = reader.typed(column, source)
    if column.default:
        typed = f"coalesce({typed}, {literal(column.default)})"
    if column.one_of:
        typed = f"lower({typed})"
    return ColumnSource(column, source, typed, reader.impossible(column, source))


def _readable(reader: Reader, table: Table, name: str) -> bool:
    """Whether an offset has what it needs in this export."""
    offset = reader.entry.offsets[name]
    header = offset.add or offset.subtract
    return name in table.names and (header is None or header in reader.kinds)


def _decimal(
    state: LoadState,
    table: Table,
    entry: TableMapping,
    reader: Reader,
    raw: str,
    staged: Staged,
    headers: Headers,
) -> str:
    """The decimal sign: as declared, else as all number columns of the table agree on."""
    if entry.decimal:
        return entry.decimal
    texts = [
        header
        for column in table.columns
        if column.kind in ("money", "integer", "number")
        and (header := headers[column.name]) is not None
        and reader.kinds.get(header) == "text"
        and column.name not in entry.constants
    ]
    if all(reader.shapes.get(header) == "number" for header in texts):  # no comma anywhere
        return "."
    sign, note, problem = decimal_sign(state.engine, raw, list(map(quote, texts)), staged.name)
    _report(state, table, "decimal", note, problem)
    return sign


def _signs(state: LoadState, table: Table, reader: Reader, raw: str, staged: Staged, headers: Headers) -> None:
    """Currency signs inside amounts: a note where they agree with the mapping, a problem where they do not."""
    texts = [
        quote(header)
        for column in table.columns
        if column.kind == "money"
        and (header := headers[column.name])
        and reader.kinds.get(header) == "text"
        and reader.shapes.get(header) != "number"
    ]
    note, problem = currency_signs(state.engine, raw, texts, staged.name, state.settings.currency or "")
    _report(state, table, "mixed_currencies", note, problem)


def _mixed_dates(state: LoadState, table: Table, staged: Staged, headers: Headers) -> None:
    """A problem for date columns of a workbook that also hold text: Excel may have swapped day and month."""
    for column in table.columns:
        if column.kind in ("date", "time") and headers[column.name] in staged.mixed_dates:
            what = (
                f"{headers[column.name]} holds date cells and text side by side: the workbook was filled with dates "
                "that Excel understood in part, so day and month may be swapped in the cells that look right."
            )
            fix = "Export it again with all dates as dates, or all as text such as 2024-12-31."
            state.problem("mixed_dates", table.name, Problem(staged.name, what, fix))


def _report(state: LoadState, table: Table, check: str, note: str, problem: Problem | None) -> None:
    if note:
        state.findings.append(Finding(table.name, "detected", "note", 0, note))
    if problem:
        state.problem(check, table.name, problem)


def _attributes(table: Table, entry: TableMapping, staged: Staged, headers: Mapping[str, str | None]) -> dict[str, str]:
    """The further headers to keep, under names that no column of the contract has: the engine ignores case."""
    if not table.keeps_attributes:
        return {}
    if entry.attributes is not None:
        wanted = {name: header for name, header in entry.attributes.items() if header in staged.types}
    else:
        taken = {header for header in headers.values() if header}
        taken |= {header for many in entry.joined.values() for header in many}
        # A column that the mapping leaves out (`name: null`) is not wanted under its own name either.
        taken |= {name for name, header in entry.columns.items() if header is None}
        wanted = {header: header for header in staged.headers if header not in taken}
    reserved = {"line", "odd", *table.names, *(column.stored for column in table.columns)}
    return {f"{name} (column)" if name.lower() in reserved else name: header for name, header in wanted.items()}


def _missing_columns(state: LoadState, loaded: LoadedTable, offsets: Mapping[str, object]) -> None:
    """Columns that have to be there, or that the mapping names, and are not."""
    entry, table, found = loaded.entry, loaded.table, set(loaded.staged.headers)
    named = {name: header for name, header in entry.columns.items() if header is not None}
    named |= dict(entry.attributes or {})
    for name, header in named.items():
        if header not in found:
            state.problem("missing_column", table.name, _no_column(loaded, name, header))
    for name, many in entry.joined.items():
        for header in many:
            if header not in found:
                state.problem("missing_column", table.name, _no_column(loaded, name, header))
    for name, offset in entry.offsets.items():
        used = offset.add or offset.subtract
        if used is not None and used not in found:
            state.problem("missing_column", table.name, _no_column(loaded, name, used))
    extra: dict[str, Iterable[str]] = {
        "drop_where": entry.drop_where,
        "keep_where": entry.keep_where,
        "only_where": [header for where in entry.only_where.values() for header in where],
        "scale": [header for scale in entry.scale.values() for header in (*scale.times, *scale.by, *scale.per)],
        "key": entry.key,
    }
    for key, used_headers in extra.items():
        for header in used_headers:
            if header not in found:
                fix = f"It has: {', '.join(loaded.staged.headers)}.{did_you_mean(header, loaded.staged.headers)}"
                problem = Problem(loaded.where, f"no column '{header}', which {key} names.", fix)
                state.problem("missing_column", table.name, problem)
    for column in table.columns:
        is_present = loaded.has(column.name) or column.name in named or column.name in entry.joined
        stands = table.stand_in.get(column.name)
        if column.required and not is_present and column.name not in offsets and not (stands and loaded.has(stands)):
            if column.name in entry.columns:
                what = f"the mapping says `{column.name}: null`, which leaves out a column that is required."
                has = ", ".join(loaded.staged.headers)
                fix = f"Name its header in the mapping: {_entry(table.name, column.name)}. The file has: {has}."
                state.problem("missing_column", table.name, Problem(loaded.where, what, fix))
            else:
                state.problem("missing_column", table.name, _no_column(loaded, column.name, column.name))
    if table.at_least_one and not any(loaded.has(name) for name in table.at_least_one):
        names = " or ".join(table.at_least_one)
        has = ", ".join(loaded.staged.headers)
        fix = f"It has: {has}. Name one in the mapping: {_entry(table.name, table.at_least_one[0])}."
        state.problem("missing_column", table.name, Problem(loaded.where, f"no column for {names}.", fix))


def _entry(table: str, column: str) -> str:
    return f"`tables: {{{table}: {{columns: {{{column}: ...}}}}}}`"


def _no_column(loaded: LoadedTable, name: str, header: str) -> Problem:
    """A column that has to be there and is not, with what is there instead."""
    what = f"no column '{header}'" + (f" for {name}" if header != name else "")
    hint = did_you_mean(header, loaded.staged.headers) or did_you_mean(name, loaded.staged.headers)
    has = ", ".join(loaded.staged.headers)
    fix = f"It has: {has}.{hint} Say which one it is in the mapping: {_entry(loaded.table.name, name)}."
    return Problem(loaded.where, f"{what}.", fix)


def _filters(state: LoadState, loaded: LoadedTable, reader: Reader) -> str:
    """Rows that the mapping leaves out, listed; the condition that keeps the others."""
    kept: list[str] = []
    for key, wanted in (("drop_where", loaded.entry.drop_where), ("keep_where", loaded.entry.keep_where)):
        for header, values in wanted.items():
            if header not in reader.kinds:
                continue
            has = reader.has_one_of(header, values)
            condition = f"NOT {has}" if key == "drop_where" else has
            out = f"NOT ({condition})"
            already = " AND ".join([*kept, out])
            account = _account_text(reader, loaded)
            shown = f"coalesce({reader.header(header).text}, '(empty)')"
            state.engine.execute(
                f"INSERT INTO aside SELECT {literal(loaded.table.name)}, {literal(key)}, line, {account}, "
                f"concat({literal(header + ' ')}, {shown}, {literal(f' is left out by {key}')}) "
                f"FROM {quote(loaded.raw)} WHERE {already}"
            )
            kept.append(condition)
    return " AND ".join(kept)


def _account_text(reader: Reader, loaded: LoadedTable) -> str:
    if "account_id" not in loaded.table.names:
        return "''"
    source = reader.source("account_id", _header(loaded.entry, "account_id", loaded.staged))
    return f"coalesce({source.text}, '')" if source else "''"


def _create(
    state: LoadState,
    loaded: LoadedTable,
    fields: Sequence[ColumnSource],
    reader: Reader,
    attributes: Mapping[str, str],
    where: str,
) -> None:
    """Creates ``typed_<table>``: line, the contract's columns, attributes, and ``odd`` for rows with a problem."""
    inner = typed_columns(fields)
    inner += [f"{reader.header(header).text} AS {quote(name)}" for name, header in attributes.items()]
    stored = listed(["line", *(field.column.stored for field in fields), *attributes])
    conditions = [f"coalesce({condition}, FALSE)" for _, _, condition in row_conditions(loaded.table, fields)]
    state.engine.execute(
        f"CREATE OR REPLACE TABLE {quote(loaded.typed)} AS SELECT {stored}, {' OR '.join(conditions) or 'FALSE'} AS "
        "odd "
        f"FROM (SELECT {', '.join(inner)} FROM {quote(loaded.raw)}{f' WHERE {where}' if where else ''})"
    )
    if loaded.last_paid_day:
        state.engine.execute(to_first_unpaid_day(loaded.typed))
        state.engine.execute(f"UPDATE {loaded.typed} SET odd = TRUE WHERE end_date < start_date")


def _stand_in(state: LoadState, loaded: LoadedTable) -> None:
    """Fill a missing key through another one: the account of a usage row through its subscription."""
    for column, through in loaded.table.stand_in.items():
        if loaded.has(column) or not loaded.has(through) or "subscriptions" not in state.tables:
            continue
        state.engine.execute(
            f"UPDATE {loaded.typed} SET {column} = (SELECT any_value(s.{column}) FROM typed_subscriptions s "
            f"WHERE s.{through} = {loaded.typed}.{through})"
        )
