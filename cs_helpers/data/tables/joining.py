"""Joins further files to a table by a key, so that their headers can be mapped as if they were in its own file."""

from __future__ import annotations

from dataclasses import replace

from cs_helpers.core.errors import SourceError, did_you_mean
from cs_helpers.data.engines.duckdb import quote
from cs_helpers.data.mapping import Also, TableMapping
from cs_helpers.data.sources import ReadOptions, Staged
from cs_helpers.data.tables.expressions import SourceExpression
from cs_helpers.data.tables.load_state import LoadState


def joined(state: LoadState, raw: str, staged: Staged, entry: TableMapping) -> tuple[str, Staged]:
    """The staged table with the headers of every file in ``also``: a left join that keeps the number of rows.

    Raises SourceError where a file, a key or a header is missing, a key repeats, or two headers would have the same
    name.
    """
    for number, also in enumerate(entry.also, start=1):
        options = ReadOptions(entry.separator, entry.encoding, also.sheet, also.header_row)
        other, second = state.stage(also.file, options)
        _check_headers(also, staged, second)
        taken = also.headers if also.headers is not None else _all_but_keys(also, second)
        clash = [name for name in taken if name in staged.headers]
        if clash:
            raise SourceError(
                f"{second.name}: its headers {', '.join(map(repr, clash))} stand in {staged.name} too.\n"
                "  Name the headers to take under `also: [{file: ..., on: ..., headers: {new name: header}}]`."
            )
        _check_key(state, also, other, second)
        target = f"{raw}_also{number}"
        pairs = [
            f"{SourceExpression(f'a.{quote(mine)}', staged.types[mine]).text} = "
            f"{SourceExpression(f'b.{quote(theirs)}', second.types[theirs]).text}"
            for mine, theirs in also.on.items()
        ]
        columns = ", ".join(["a.*", *(f"b.{quote(header)} AS {quote(name)}" for name, header in taken.items())])
        state.engine.execute(
            f"CREATE OR REPLACE TABLE {quote(target)} AS SELECT {columns} FROM {quote(raw)} a "
            f"LEFT JOIN {quote(other)} b ON {' AND '.join(pairs)}"
        )
        types = {**staged.types, **{name: second.types[header] for name, header in taken.items()}}
        raw, staged = target, replace(staged, target=target, headers=(*staged.headers, *taken), types=types)
    return raw, staged


def _all_but_keys(also: Also, second: Staged) -> dict[str, str]:
    return {header: header for header in second.headers if header not in also.on.values()}


def _check_headers(also: Also, staged: Staged, second: Staged) -> None:
    wanted = [(staged, header) for header in also.on] + [(second, header) for header in also.on.values()]
    wanted += [(second, header) for header in (also.headers or {}).values()]
    lacking = [
        f"{where.name}: no column '{header}', which `also` names.\n"
        f"  It has: {', '.join(where.headers)}.{did_you_mean(header, where.headers)}"
        for where, header in _once(wanted)
        if header not in where.headers
    ]
    if lacking:
        raise SourceError("\n".join(lacking))


def _once(wanted: list[tuple[Staged, str]]) -> list[tuple[Staged, str]]:
    found: dict[tuple[str, str], tuple[Staged, str]] = {}
    for staged, header in wanted:
        found.setdefault((staged.name, header), (staged, header))
    return list(found.values())


def _check_key(state: LoadState, also: Also, other: str, second: Staged) -> None:
    key = ", ".join(quote(header) for header in also.on.values())
    twice = state.engine.rows(
        f"SELECT min(line) FROM {quote(other)} GROUP BY {key} HAVING count(*) > 1 ORDER BY min(line) LIMIT 5"
    )
    if twice:
        lines = ", ".join(str(line) for line in second.lines([line for (line,) in twice]))
        raise SourceError(
            f"{second.name}, rows {lines}: {', '.join(also.on.values())} stands in more than one row, so it cannot be "
            "said which one belongs to a row of the other file.\n  Keep one row per key."
        )
