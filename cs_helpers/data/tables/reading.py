"""Reads an export into typed tables of the engine and checks every row against the contract.

Each table is staged as written, joined with further files where the mapping names some, then typed and checked in one
pass (``typed_<table>``). Only rows with a problem are read again to describe it. Problems are raised after all tables
are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cs_helpers.core.errors import Problem, SourceError, did_you_mean
from cs_helpers.data.contract.columns import Column, Table
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.engines.duckdb import DuckDB, literal, quote
from cs_helpers.data.engines.duckdb import listed as identifiers
from cs_helpers.data.mapping import Also, ExportMapping, TableMapping
from cs_helpers.data.sources import ReadOptions, Source, Staged
from cs_helpers.data.sources.staged import LINE, listed
from cs_helpers.data.tables.decimals import currency_signs, decimal_sign
from cs_helpers.data.tables.expressions import Reader, SourceExpression
from cs_helpers.data.tables.judging import judge_keys, judge_rows, row_conditions, to_first_unpaid_day, typed_columns
from cs_helpers.data.tables.load_state import ColumnSource, Finding, LoadedTable, LoadState, further_headers

Headers = Mapping[str, str | None]


def read_tables(engine: DuckDB, source: Source, settings: ExportMapping) -> LoadState:
    """Every table of the contract that the source has, typed and checked row by row; problems are collected."""
    state = LoadState(engine, source, settings)
    engine.execute(
        "CREATE TABLE aside (table_name VARCHAR, check_name VARCHAR, line BIGINT, account_id VARCHAR, reason VARCHAR)"
    )
    for table in TABLES.values():
        entry = settings.table(table.name)
        in_workbook = entry.sheet if source.kind == "workbook" else None
        try:
            found = in_workbook or entry.file or source.find(table.name)
            if found is None:
                state.unreadable += [_no_file(state, table)] if table.required and not settings.partial else []
                continue
            options = ReadOptions(entry.separator, entry.encoding, entry.sheet, entry.header_row)
            raw, staged = _joined(state, *state.stage(found, options), entry)
        except SourceError as error:
            state.unreadable.append(str(error))
            continue
        _type_table(state, table, entry, raw, staged)
    return state


def _no_file(state: LoadState, table: Table) -> str:
    there = state.source.names()
    name = f"{table.name}.csv" if state.source.kind == "folder" else table.name
    what = {"folder": "file", "workbook": "sheet"}.get(state.source.kind, "table")
    return (
        f"{name}: there is no such {what} in {state.source.name}.{did_you_mean(name, there)}\n"
        f"  It holds: {listed(there)}. Add the {what}, or name the one that holds this table in the mapping: "
        f"`tables: {{{table.name}: {{file: ...}}}}`."
    )


# --- further files --------------------------------------------------------------------------------------------


def _joined(state: LoadState, raw: str, staged: Staged, entry: TableMapping) -> tuple[str, Staged]:
    """The staged table with the headers of every file in ``also``: a left join that keeps the number of rows.

    Raises SourceError where a file, a key or a header is missing, a key repeats, or two headers would have the same
    name.
    """
    for number, also in enumerate(entry.also, start=1):
        other, second = state.stage(
            also.file, ReadOptions(entry.separator, entry.encoding, also.sheet, also.header_row)
        )
        _check_headers(also, staged, second)
        taken = also.headers
        if taken is None:
            taken = {header: header for header in second.headers if header not in also.on.values()}
        if clash := [name for name in taken if name in staged.headers]:
            raise SourceError(
                f"{second.name}: its headers {', '.join(map(repr, clash))} stand in {staged.name} too.\n"
                "  Name the headers to take under `also: [{file: ..., on: ..., headers: {new name: header}}]`."
            )
        _check_key(state, also, other, second)
        pairs = [
            f"{SourceExpression(f'a.{quote(mine)}', staged.types[mine]).text} = "
            f"{SourceExpression(f'b.{quote(theirs)}', second.types[theirs]).text}"
            for mine, theirs in also.on.items()
        ]
        columns = ", ".join(["a.*", *(f"b.{quote(header)} AS {quote(name)}" for name, header in taken.items())])
        target = f"{raw}_also{number}"
        state.engine.execute(
            f"CREATE OR REPLACE TABLE {quote(target)} AS SELECT {columns} FROM {quote(raw)} a "
            f"LEFT JOIN {quote(other)} b ON {' AND '.join(pairs)}"
        )
        types = {**staged.types, **{name: second.types[header] for name, header in taken.items()}}
        raw, staged = target, replace(staged, target=target, headers=(*staged.headers, *taken), types=types)
    return raw, staged


def _check_headers(also: Also, staged: Staged, second: Staged) -> None:
    wanted = [(staged, header) for header in also.on]
    wanted += [(second, header) for header in (*also.on.values(), *(also.headers or {}).values())]
    lacking = [
        f"{where.name}: no column '{header}', which `also` names.\n"
        f"  It has: {', '.join(where.headers)}.{did_you_mean(header, where.headers)}"
        for where, header in wanted
        if header not in where.headers
    ]
    if lacking:
        raise SourceError("\n".join(dict.fromkeys(lacking)))


def _check_key(state: LoadState, also: Also, other: str, second: Staged) -> None:
    twice = state.engine.column(
        f"SELECT min({quote(LINE)}) AS line FROM {quote(other)} GROUP BY {identifiers(also.on.values())} "
        "HAVING count(*) > 1 ORDER BY line LIMIT 5"
    )
    if twice:
        lines = ", ".join(map(str, second.lines(twice)))
        raise SourceError(
            f"{second.name}, rows {lines}: {', '.join(also.on.values())} stands in more than one row, so it cannot be "
            "said which one belongs to a row of the other file.\n  Keep one row per key."
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
    reader = replace(reader, decimal=_decimal(state, table, reader, raw, staged, headers))
    _mixed_dates(state, table, staged, headers)
    fields = {column.name: _column_source(reader, column, headers[column.name]) for column in table.columns}
    bases = {name: field.typed for name, field in fields.items() if field.source is not None}
    for name, offset in entry.offsets.items():
        header = offset.add or offset.subtract
        if name in fields and (header is None or header in reader.kinds):
            bases[name] = reader.offset(table.column(name), offset, bases)
            fields[name] = ColumnSource(table.column(name), fields[name].source, bases[name])
    attributes = _attributes(table, entry, staged, headers)
    shown = {
        name: " + ".join(entry.joined[name]) if name in entry.joined else headers[name] or name for name in table.names
    }
    present = tuple(field.column for name, field in fields.items() if name in bases)
    loaded = LoadedTable(table, staged.name, staged, raw, entry, present, attributes, shown, staged.rows)
    _missing_columns(state, loaded)
    _create(state, loaded, list(fields.values()), reader)
    state.tables[table.name] = loaded
    if table.name == "accounts":  # before any row is refused: an account with a bad field is still one
        state.engine.execute(
            "CREATE OR REPLACE TABLE known_accounts AS SELECT DISTINCT account_id FROM typed_accounts "
            "WHERE account_id IS NOT NULL"
        )
    for column, through in table.stand_in.items():  # the account of a usage row through its subscription
        if not loaded.has(column) and loaded.has(through) and "subscriptions" in state.tables:
            state.engine.execute(
                f"UPDATE {loaded.typed} SET {column} = (SELECT any_value(s.{column}) FROM typed_subscriptions s "
                f"WHERE s.{through} = {loaded.typed}.{through})"
            )
    judge_rows(state, loaded, list(fields.values()), reader)
    judge_keys(state, loaded)


def _header(entry: TableMapping, name: str, staged: Staged) -> str | None:
    """The header of a column: the one the mapping names, else the one of its own name, in capitals or not."""
    if name in entry.columns:
        return entry.columns[name]
    return next((header for header in staged.headers if header.lower() == name), name)


def _column_source(reader: Reader, column: Column, header: str | None) -> ColumnSource:
    source = reader.source(column.name, header)
    if source is None:
        default = f"{literal(column.default)} AS VARCHAR" if column.default else f"NULL AS {column.sql_type}"
        return ColumnSource(column, None, f"CAST({default})")
    typed = reader.typed(column, source)
    if column.default:
        typed = f"coalesce({typed}, {literal(column.default)})"
    if column.one_of:
        typed = f"lower({typed})"
    return ColumnSource(column, source, typed, reader.impossible(column, source))


def _decimal(state: LoadState, table: Table, reader: Reader, raw: str, staged: Staged, headers: Headers) -> str:
    """The decimal sign: as declared, else as all number columns of the table agree on. Checks currency signs too."""
    texts = {
        column.name: header
        for column in table.columns
        if column.kind in ("money", "integer", "number")
        and (header := headers[column.name])
        and reader.kinds.get(header) == "text"
    }
    sign: str = reader.entry.decimal or "."
    asked = [header for name, header in texts.items() if name not in reader.entry.constants]
    if not reader.entry.decimal and any(reader.shapes.get(header) != "number" for header in asked):
        sign, note, problem = decimal_sign(state.engine, raw, list(map(quote, asked)), staged.name)
        _report(state, table, "decimal", note, problem)
    amounts = [
        quote(header)
        for name, header in texts.items()
        if table.column(name).kind == "money" and reader.shapes.get(header) != "number"
    ]
    note, problem = currency_signs(state.engine, raw, amounts, staged.name, state.settings.currency or "")
    _report(state, table, "mixed_currencies", note, problem)
    return sign


def _report(state: LoadState, table: Table, check: str, note: str, problem: Problem | None) -> None:
    if note:
        state.findings.append(Finding(table.name, "detected", "note", 0, note))
    if problem:
        state.problem(check, table.name, problem)


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


def _attributes(table: Table, entry: TableMapping, staged: Staged, headers: Headers) -> dict[str, str]:
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


# --- columns that are missing ---------------------------------------------------------------------------------


def _missing_columns(state: LoadState, loaded: LoadedTable) -> None:
    """Problems for columns that have to be there, or that the mapping names, and are not."""
    entry, table, has = loaded.entry, loaded.table, ", ".join(loaded.staged.headers)
    found = set(loaded.staged.headers)

    def missing(what: str, fix: str) -> None:
        state.problem("missing_column", table.name, Problem(loaded.where, what, fix))

    def no_column(name: str, header: str) -> None:
        what = f"no column '{header}'" + (f" for {name}" if header != name else "")
        hint = did_you_mean(header, loaded.staged.headers) or did_you_mean(name, loaded.staged.headers)
        missing(f"{what}.", f"It has: {has}.{hint} Say which one it is in the mapping: {_entry(table.name, name)}.")

    named = {name: header for name, header in entry.columns.items() if header is not None}
    named |= dict(entry.attributes or {})
    for name, header in named.items():
        if header not in found:
            no_column(name, header)
    for setting, name, header in further_headers(entry):
        if header not in found and name:
            no_column(name, header)
        elif header not in found:
            fix = f"It has: {has}.{did_you_mean(header, loaded.staged.headers)}"
            missing(f"no column '{header}', which {setting} names.", fix)
    for column in table.columns:
        is_there = loaded.has(column.name) or column.name in named or column.name in entry.joined
        through = table.stand_in.get(column.name)
        if not column.required or is_there or (through and loaded.has(through)):
            continue
        if column.name in entry.columns:
            what = f"the mapping says `{column.name}: null`, which leaves out a column that is required."
            fix = f"Name its header in the mapping: {_entry(table.name, column.name)}. The file has: {has}."
            missing(what, fix)
        else:
            no_column(column.name, column.name)
    if table.at_least_one and not any(loaded.has(name) for name in table.at_least_one):
        fix = f"It has: {has}. Name one in the mapping: {_entry(table.name, table.at_least_one[0])}."
        missing(f"no column for {' or '.join(table.at_least_one)}.", fix)


def _entry(table: str, column: str) -> str:
    return f"`tables: {{{table}: {{columns: {{{column}: ...}}}}}}`"


# --- the typed table ------------------------------------------------------------------------------------------


def _create(state: LoadState, loaded: LoadedTable, fields: Sequence[ColumnSource], reader: Reader) -> None:
    """Creates ``typed_<table>``: line, the contract's columns, attributes, and ``odd`` for rows with a problem."""
    inner = typed_columns(fields)
    inner += [f"{reader.header(header).text} AS {quote(name)}" for name, header in loaded.attributes.items()]
    stored = identifiers(["line", *(field.column.stored for field in fields), *loaded.attributes])
    conditions = [f"coalesce({condition}, FALSE)" for _, _, condition in row_conditions(loaded.table, fields)]
    where = _filters(state, loaded, reader)
    state.engine.execute(
        f"CREATE OR REPLACE TABLE {quote(loaded.typed)} AS SELECT {stored}, {' OR '.join(conditions) or 'FALSE'} "
        f"AS odd FROM (SELECT {', '.join(inner)} FROM {quote(loaded.raw)}{f' WHERE {where}' if where else ''})"
    )
    if loaded.last_paid_day:
        state.engine.execute(to_first_unpaid_day(loaded.typed))
        state.engine.execute(f"UPDATE {loaded.typed} SET odd = TRUE WHERE end_date < start_date")


def _filters(state: LoadState, loaded: LoadedTable, reader: Reader) -> str:
    """Lists the rows that the mapping leaves out and returns the condition that keeps the others."""
    account, kept = "''", list[str]()
    if "account_id" in loaded.table.names:
        source = reader.source("account_id", _header(loaded.entry, "account_id", loaded.staged))
        account = f"coalesce({source.text}, '')" if source else "''"
    for key, wanted in (("drop_where", loaded.entry.drop_where), ("keep_where", loaded.entry.keep_where)):
        for header, values in wanted.items():
            if header not in reader.kinds:
                continue
            has = reader.has_one_of(header, values)
            kept.append(f"NOT {has}" if key == "drop_where" else has)
            shown = f"coalesce({reader.header(header).text}, '(empty)')"
            state.engine.execute(
                f"INSERT INTO aside SELECT {literal(loaded.name)}, {literal(key)}, {quote(LINE)}, {account}, "
                f"concat({literal(header + ' ')}, {shown}, {literal(f' is left out by {key}')}) "
                f"FROM {quote(loaded.raw)} WHERE {' AND '.join([*kept[:-1], f'NOT ({kept[-1]})'])}"
            )
    return " AND ".join(kept)
