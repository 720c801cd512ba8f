"""Checks of single rows: what breaks the contract, with the fix, as sentences.

The engine checks all rows in one pass; only rows with a problem are read again to describe it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cs_helpers.core.errors import Problem
from cs_helpers.data.contract.checks import EARLIEST, LATEST, MAX_SHOWN, plain
from cs_helpers.data.contract.columns import Column, Table
from cs_helpers.data.contract.formats import COMMON_DATE_FORMATS, strptime_format
from cs_helpers.data.engines.duckdb import DuckDB, listed, literal, quote
from cs_helpers.data.sources.staged import LINE
from cs_helpers.data.tables.expressions import Reader
from cs_helpers.data.tables.load_state import ColumnSource, Finding, LoadedTable, LoadState, counted

LARGE = 3_000_000  # rows from which a doubled export is no longer looked for in tables without a key


def row_conditions(table: Table, fields: Sequence[ColumnSource]) -> list[tuple[str, Column | None, str]]:
    """(check, column, SQL that is true where the row breaks it), over typed columns and the ``there_`` flags."""
    found: list[tuple[str, Column | None, str]] = []
    for each in fields:
        column, value = each.column, quote(each.column.stored)
        is_day, is_read = column.kind in ("date", "time"), each.source is not None
        if is_read and not column.default:
            there = quote("there_" + column.name)
            if column.kind != "text":
                check = "unreadable_date" if is_day else "unreadable_value"
                found.append((check, column, f"{there} AND {value} IS NULL"))
            if not column.nullable:
                found.append(("missing_value", column, f"NOT {there}"))
        if each.impossible:
            found.append(("impossible_time", column, quote("impossible_" + column.name)))
        if each.computed and not column.nullable and not column.default:
            found.append(("missing_value", column, f"{value} IS NULL"))
        if not is_read and not each.computed:
            continue
        if is_day:
            limits = f"{value} < DATE '{EARLIEST:%Y-%m-%d}' OR {value} >= DATE '2101-01-01'"
            found.append(("date_out_of_range", column, limits))
        factor = 100 if column.kind == "money" else 1
        bounds = [(sign, bound) for sign, bound in (("<", column.minimum), (">", column.maximum)) if bound is not None]
        if bounds:
            limits = " OR ".join(f"{value} {sign} {bound * factor:.0f}" for sign, bound in bounds)
            found.append(("value_out_of_range", column, limits))
        if column.one_of:
            found.append(("not_allowed", column, f"{value} NOT IN ({', '.join(map(literal, column.one_of))})"))
    present = {each.column.name for each in fields if each.source is not None or each.computed}
    found += [
        ("end_before_start", None, f"{quote(end)} < {quote(start)}")
        for start, end in table.periods
        if {start, end} <= present
    ]
    read = [each.column.name for each in fields if each.source is not None and each.column.name in table.at_least_one]
    if read:
        found.append(("missing_value", None, " AND ".join(f"NOT {quote('there_' + name)}" for name in read)))
    return found


def judge_rows(state: LoadState, loaded: LoadedTable, fields: Sequence[ColumnSource], reader: Reader) -> None:
    """Describes the problems of the marked rows, check by check. Rows with an error stay, for they may have several."""
    engine, typed = state.engine, quote(loaded.typed)
    if engine.value(f"SELECT count(*) FROM {typed} WHERE odd"):
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE odd AS SELECT {', '.join(typed_columns(fields, texts=True))} "
            f"FROM {quote(loaded.raw)} WHERE {quote(LINE)} IN (SELECT line FROM {typed} WHERE odd)"
        )
        if loaded.last_paid_day:
            engine.execute(to_first_unpaid_day("odd"))
        for check, column, condition in row_conditions(loaded.table, fields):
            if engine.value(f"SELECT count(*) FROM odd WHERE {condition}"):
                reason, fix = _words(state, loaded, reader, check, column)
                settle(state, loaded, check, f"SELECT line, {reason} AS reason FROM odd WHERE {condition}", fix)
        engine.execute("DROP TABLE odd")
    engine.execute(f"ALTER TABLE {typed} DROP COLUMN odd")


def typed_columns(fields: Sequence[ColumnSource], texts: bool = False) -> list[str]:
    """What is selected from the table as written: typed values, and what the checks need to know beside them."""
    found = [f"{quote(LINE)} AS line", *(f"{each.typed} AS {quote(each.column.stored)}" for each in fields)]
    for each in fields:
        if each.source:
            found.append(f"({each.source.sql}) IS NOT NULL AS {quote('there_' + each.column.name)}")
            if texts:
                found.append(f"{each.source.text} AS {quote('text_' + each.column.name)}")
        elif texts and each.computed:
            found.append(f"CAST({each.typed} AS VARCHAR) AS {quote('text_' + each.column.name)}")
        if each.impossible:
            found.append(f"{each.impossible} AS {quote('impossible_' + each.column.name)}")
    return found


def to_first_unpaid_day(table: str) -> str:
    """Last paid days as the contract's end_date. Ends outside the range stay: they are refused as written."""
    return f"UPDATE {quote(table)} SET end_date = end_date + 1 WHERE end_date < DATE '{LATEST:%Y-%m-%d}'"


def settle(state: LoadState, loaded: LoadedTable, check: str, query: str, fix: str = "") -> None:
    """Sets the rows of ``query`` (line, reason) aside where the mapping allows it, else reports them as a problem.

    Rows set aside leave the typed table. Without a ``fix`` they always are: the contract allows it.
    """
    engine = state.engine
    engine.execute(f"CREATE OR REPLACE TEMP TABLE breach AS {query}")
    count, distinct = engine.rows("SELECT count(DISTINCT line), count(DISTINCT reason) FROM breach")[0]
    if not count:
        return
    if count <= (state.settings.allowed(check) if fix else 1.0) * loaded.rows:
        account = "t.account_id" if "account_id" in loaded.table.names else "''"
        engine.execute(
            f"INSERT INTO aside SELECT {literal(loaded.name)}, {literal(check)}, b.line, coalesce({account}, ''), "
            f"b.reason FROM breach b LEFT JOIN {quote(loaded.typed)} t USING (line) ORDER BY b.line"
        )
        engine.execute(f"DELETE FROM {quote(loaded.typed)} WHERE line IN (SELECT line FROM breach)")
        return
    lines = engine.column("SELECT DISTINCT line FROM breach ORDER BY line LIMIT ?", [MAX_SHOWN])
    reasons = engine.column("SELECT reason FROM breach GROUP BY reason ORDER BY min(line), reason LIMIT ?", [MAX_SHOWN])
    more = f"; and {distinct - MAX_SHOWN:,} more values" if distinct > MAX_SHOWN else ""
    what = "; ".join(shown_reasons(reasons)) + more
    rows = tuple(loaded.staged.lines(lines))
    state.problem(check, loaded.name, Problem(loaded.where, f"{what}.", fix, rows, count))


_MARK = "\x1f"  # encloses a value inside a reason until the value is quoted


def marked(value: str) -> str:
    """SQL for a value inside a reason; ``shown_reasons`` puts quotes around it where it needs them."""
    return f"'{_MARK}', coalesce({value}, ''), '{_MARK}'"


def shown_reasons(reasons: Iterable[str]) -> list[str]:
    """Reasons with their values quoted where needed."""
    return [
        "".join(plain(part) if place % 2 else part for place, part in enumerate(reason.split(_MARK)))
        for reason in reasons
    ]


def _words(state: LoadState, loaded: LoadedTable, reader: Reader, check: str, column: Column | None) -> tuple[str, str]:
    """The reason why a row is wrong, as SQL over the table ``odd``, and the fix."""
    if check == "end_before_start":
        return _backwards(loaded)
    fill_in = "in, or take the rows out of the export."
    if column is None:
        return literal(f"{' and '.join(loaded.table.at_least_one)} are both missing"), f"Fill one of them {fill_in}"
    head = loaded.header(column.name)
    if check == "missing_value":
        return literal(f"{head} is missing"), f"Fill it {fill_in}"
    if check == "value_out_of_range":
        why, fix = _range_words(column)
    elif check == "unreadable_date":
        declared = reader.date_format(column.name)
        why, fix = f"is not a date written as {declared}", _date_fix(state, column, declared)
    elif check == "unreadable_value":
        why, fix = _value_words(column, reader.decimal)
    elif check == "impossible_time":
        why = f"does not exist in {reader.timezone}: clocks skip that hour"
        fix = "Set `timezone` in the mapping to the zone the times are written in (UTC?), or correct the rows."
    elif check == "date_out_of_range":
        why, fix = "is before 1970 or after 2100", "Correct the date."
        fix += " An end that is not known is left empty." if column.name == "end_date" else ""
    else:
        entry = f"`tables: {{{loaded.name}: {{values: {{{column.name}: {{...: ...}}}}}}}}`"
        why, fix = f"is none of {', '.join(column.one_of)}", f"Translate it in the mapping: {entry}."
    words = why if why.startswith("CASE ") else literal(f" {why}")
    return f"concat({literal(head + ' ')}, {marked(quote('text_' + column.name))}, {words})", fix


def _backwards(loaded: LoadedTable) -> tuple[str, str]:
    """A period that ends before it starts; the end as the file has it, the last paid day where that is declared."""
    start, end = loaded.table.periods[0]
    day = quote(end)
    if loaded.last_paid_day:
        day = f"CASE WHEN {day} <= DATE '{LATEST:%Y-%m-%d}' THEN {day} - 1 ELSE {day} END"
    reason = (
        f"concat({literal(loaded.header(end) + ' ')}, strftime({day}, '%Y-%m-%d'), "
        f"{literal(f' is before {loaded.header(start)} ')}, strftime({quote(start)}, '%Y-%m-%d'))"
    )
    fix = "Correct the rows, or set `set_aside: [end_before_start]` in mapping.yml to leave them out and list them."
    return reason, fix


def _value_words(column: Column, decimal: str) -> tuple[str, str]:
    if column.kind == "flag":
        return "is neither true nor false", (
            f'Write true or false, or translate it in the mapping: `values: {{{column.name}: {{"it": "true"}}}}`.'
        )
    fix = (
        f"Write plain digits with '{decimal}' before the decimals and nothing between the thousands; "
        "another decimal sign is set with `decimal` in the mapping."
    )
    return ("is not a whole number" if column.kind == "integer" else "is not a finite number"), fix


def _range_words(column: Column) -> tuple[str, str]:
    low, value = column.minimum if column.minimum is not None else 0, quote(column.stored)
    below = literal(f" is below {low:g}")
    above = literal(f" is above {column.maximum:,.0f}") if column.maximum is not None else below
    reason = f"CASE WHEN {value} < {low * (100 if column.kind == 'money' else 1):.0f} THEN {below} ELSE {above} END"
    fix = "Correct the value."
    if column.name == "mrr":
        fix += (
            " Credits and refunds are no recurring revenue: take them out of the export. An amount beyond all measure "
            "is a slip of the export, such as a key or a date in the column of amounts."
        )
    return reason, fix


def _date_fix(state: LoadState, column: Column, declared: str) -> str:
    """What to set where a column is not written as declared: the one format all its values fit, if there is one."""
    fits = fitting_date_formats(state.engine, quote("text_" + column.name), declared)
    if fits == ["excel"]:
        return (
            "Every value is a number of days as spreadsheets count them: format the cells as dates before exporting, "
            f"or set `date_formats: {{{column.name}: excel}}`."
        )
    if len(fits) == 1:
        return f"Every value of the column fits {fits[0]}: if that is how it is written, set `date_format: {fits[0]}`."
    if fits:
        return (
            f"The values fit {' and '.join(fits[:3])} alike; find out which one is meant and set `date_format` "
            "in the mapping. It is never guessed."
        )
    return f"Correct the value, or set `date_format` in the mapping if the column is not written as {declared}."


def fitting_date_formats(engine: DuckDB, text: str, declared: str) -> list[str]:
    """The common formats, other than ``declared``, that every one of (up to 1,000) distinct unreadable values fits."""
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE days AS SELECT DISTINCT {text} AS day FROM odd WHERE {text} IS NOT NULL "
        "ORDER BY day LIMIT 1000"
    )
    days = {name: f"try_strptime(day, {literal(strptime_format(name))})" for name in COMMON_DATE_FORMATS}
    fits = {
        name: f"{day} BETWEEN DATE '1970-01-01' AND DATE '2100-12-31'"
        for name, day in days.items()
        if strptime_format(name) != strptime_format(declared)
    } | {"excel": "TRY_CAST(day AS DOUBLE) BETWEEN 20000 AND 73415"}
    return [
        name
        for name, fit in fits.items()
        if engine.value(f"SELECT count(*) > 0 AND bool_and(coalesce({fit}, FALSE)) FROM days")
    ]


# --- judging keys ---------------------------------------------------------------------------------------------


def judge_keys(state: LoadState, loaded: LoadedTable) -> None:
    """Checks for repeated rows and repeated keys."""
    table = loaded.table
    keyed = bool(table.key) and all(loaded.has(name) or table.column(name).default for name in table.key)
    if state.settings.allowed("repeated_row") or not keyed:
        _repeated_rows(state, loaded)
    if keyed:
        key, names = listed(table.key), ", ".join(loaded.header(name) for name in table.key)
        typed = quote(loaded.typed)
        whole = " AND ".join(f"{quote(name)} IS NOT NULL" for name in table.key)
        value = f"concat_ws(', ', {', '.join(f'CAST({quote(name)} AS VARCHAR)' for name in table.key)})"
        twice = f"SELECT {key}, count(*) AS times FROM {typed} WHERE {whole} GROUP BY {key} HAVING count(*) > 1"
        reason = f"concat({literal(names + ' ')}, {marked(value)}, ' stands in ', times, ' rows')"
        fix = (
            "Keep one row per key. Rows that are the same in every column can be left out and listed with "
            "`set_aside: [repeated_row]` in mapping.yml."
        )
        if state.engine.value(f"SELECT 1 FROM ({twice}) LIMIT 1"):
            query = f"SELECT line, {reason} AS reason FROM {typed} JOIN ({twice}) USING ({key})"
            settle(state, loaded, "repeated_key", query, fix)
    if loaded.entry.key and set(loaded.entry.key) <= set(loaded.staged.headers):
        _declared_key(state, loaded)


def _repeated_rows(state: LoadState, loaded: LoadedTable) -> None:
    """Rows equal to an earlier row in every column: set aside if the mapping says so, else a warning."""
    engine, raw = state.engine, quote(loaded.raw)
    if loaded.rows > LARGE:
        return
    every, number = listed(loaded.staged.headers), quote(LINE)
    rows, distinct = engine.rows(f"SELECT count(*), count(DISTINCT hash({every})) FROM {raw}")[0]
    if rows == distinct:
        return
    again = (
        f"SELECT line, 'the row repeats an earlier one' AS reason FROM {quote(loaded.typed)} WHERE line IN (SELECT n "
        f"FROM (SELECT {number} AS n, row_number() OVER (PARTITION BY {every} ORDER BY {number}) AS place FROM {raw}) "
        "WHERE place > 1)"
    )
    if state.settings.allowed("repeated_row"):
        settle(state, loaded, "repeated_row", again, "Leave the repeated rows out of the export.")
    elif count := engine.value(f"SELECT count(*) FROM ({again})"):
        message = (
            f"{counted(count, 'row')} of {loaded.where} repeat an earlier row in every column and count as rows of "
            "their own. `set_aside: [repeated_row]` in mapping.yml leaves them out."
        )
        state.findings.append(Finding(loaded.name, "repeated_row", "warning", count, message))


def _declared_key(state: LoadState, loaded: LoadedTable) -> None:
    key, names = listed(loaded.entry.key), ", ".join(loaded.entry.key)
    keys, rows = state.engine.rows(
        f"SELECT count(*), coalesce(sum(times), 0) FROM (SELECT count(*) AS times FROM {quote(loaded.raw)} "
        f"WHERE {key.split(', ')[0]} IS NOT NULL GROUP BY {key} HAVING count(*) > 1)"
    )[0]
    if keys:
        message = (
            f"{names} should name one row of {loaded.where}, and {counted(keys, 'value')} of it "
            f"{'stands' if keys == 1 else 'stand'} in {rows:,} rows. All of them count."
        )
        state.findings.append(Finding(loaded.name, "repeated_key", "warning", int(rows), message))
