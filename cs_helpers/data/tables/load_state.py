"""The state of loading: the tables read so far, and the findings and problems collected on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from cs_helpers.core.errors import Problem
from cs_helpers.data.contract.checks import known_only_after_outcome
from cs_helpers.data.contract.columns import Column, Table
from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.mapping import ExportMapping, TableMapping
from cs_helpers.data.sources import ReadOptions, Source, Staged
from cs_helpers.data.tables.expressions import SourceExpression


@dataclass(frozen=True)
class Finding:
    """One thing found in the data that a reader of a report should know."""

    table: str
    check: str
    severity: str  # "set aside", "warning", or "note" for what is in order but should be known
    rows: int
    message: str
    fix: str = ""


@dataclass(frozen=True)
class TableFacts:
    """What was read of one table: the file, how many rows it held, which columns it has, and what was not read."""

    name: str
    where: str
    read: int  # rows of the file
    rows: int  # rows that count, before ``where``
    columns: dict[str, str]  # contract name -> header
    attributes: tuple[str, ...]
    outcome_only: tuple[str, ...]
    unread: tuple[str, ...]
    first: pd.Timestamp | None
    last: pd.Timestamp | None


def counted(number: int, noun: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class ColumnSource:
    """One column of the contract: its source in the export and its typed SQL expression."""

    column: Column
    source: SourceExpression | None
    typed: str
    impossible: str = ""

    @property
    def computed(self) -> bool:
        """Whether the value is computed, from an offset or a default, instead of read from a column."""
        return self.source is None and not self.typed.startswith("CAST(NULL")


@dataclass(frozen=True)
class LoadedTable:
    """One table of the contract as it was read."""

    table: Table
    where: str  # the file, sheet or table, for messages
    staged: Staged
    raw: str  # the engine's name of the table as written
    entry: TableMapping
    columns: tuple[Column, ...]  # the contract's columns that the export has
    attributes: Mapping[str, str]  # name -> header
    headers: Mapping[str, str]  # contract name -> header(s), for messages
    rows: int

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def typed(self) -> str:
        """The engine's name of the typed table."""
        return f"typed_{self.name}"

    @property
    def last_paid_day(self) -> bool:
        """Whether the file's end_date is the last paid day instead of the first unpaid one."""
        return self.name == "subscriptions" and self.entry.end_date_is == "last_paid_day"

    @property
    def known_at(self) -> str:
        """SQL for the moment at which a row became known; "" where its rows have none."""
        dates = [quote(name) for name in self.table.known_from if self.has(name)]
        return f"coalesce({', '.join(dates)})" if dates else ""

    @property
    def outcome_only(self) -> tuple[str, ...]:
        """Columns and attributes that record the outcome, by name or by header."""
        every = {column.name: column.name for column in self.columns} | dict(self.attributes)
        marked = set(self.entry.outcome_only)
        return tuple(
            name
            for name, header in every.items()
            if {name, header} & marked or known_only_after_outcome(self.name, [name, header])
        )

    def has(self, *names: str) -> bool:
        """Whether the export has all these columns."""
        return set(names) <= {column.name for column in self.columns}

    def header(self, column: str) -> str:
        """The header a column has in the export."""
        return self.headers.get(column, column)


def further_headers(entry: TableMapping) -> Iterator[tuple[str, str, str]]:
    """The headers that a mapping names beside those of ``columns``: setting, the column it is for or "", header."""
    yield from (("joined", name, header) for name, many in entry.joined.items() for header in many)
    for name, offset in entry.offsets.items():
        if header := offset.add or offset.subtract:
            yield "offsets", name, header
    plain = {
        "drop_where": entry.drop_where,
        "keep_where": entry.keep_where,
        "only_where": [header for only in entry.only_where.values() for header in only],
        "scale": [header for scale in entry.scale.values() for header in (*scale.times, *scale.by, *scale.per)],
        "key": entry.key,
    }
    yield from ((setting, "", header) for setting, headers in plain.items() for header in headers)


@dataclass
class LoadState:
    """Everything read from the export so far."""

    engine: DuckDB
    source: Source
    settings: ExportMapping
    tables: dict[str, LoadedTable] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)  # files that could not be read at all
    problems: list[Problem] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)  # the check of each problem, in the same order
    findings: list[Finding] = field(default_factory=list)
    staged: dict[tuple[str, ReadOptions], tuple[str, Staged]] = field(default_factory=dict)

    def problem(self, check: str, table: str, problem: Problem) -> None:
        """Adds a problem that prevents loading."""
        self.problems.append(problem)
        self.checks.append(f"{table}.{check}")

    def stage(self, name: str, options: ReadOptions) -> tuple[str, Staged]:
        """A file, sheet or table in the engine, read once however many tables it feeds. Raises SourceError."""
        key = (name, options)
        if key not in self.staged:
            target = f"raw_{len(self.staged)}"
            staged = self.source.stage(self.engine, name, target, options)
            self.staged[key] = (target, staged)
            self.findings += [Finding(staged.name, "detected", "note", 0, sentence) for sentence in staged.detected]
        return self.staged[key]
