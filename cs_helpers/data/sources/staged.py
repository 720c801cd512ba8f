"""The interface of sources: options, the staged table, and the rules for headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cs_helpers.core.errors import SourceError

if TYPE_CHECKING:
    from cs_helpers.data.engines.duckdb import DuckDB

LINE = "line"
# What Python's str.strip() removes, written out because SQL has to remove the same.
BLANKS = "".join(map(chr, (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)))) + (
    "\u2028\u2029\u202f\u205f\u3000"
)


@dataclass(frozen=True)
class ReadOptions:
    """How one table is read; None means: find out and report it.

    ``separator`` and ``encoding`` are for text files, ``sheet`` for workbooks; ``header_row`` is the line of the
    file or the row of the sheet that holds the column names.
    """

    separator: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    header_row: int | None = None


@dataclass(frozen=True)
class Staged:
    """One table in the engine under the name ``target``, with values as the source has them.

    ``types`` says for each header "text", "date", "time", "time with zone" (held in UTC), "integer", "number" or
    "flag". ``detected`` holds sentences about what was found out rather than declared. ``line_column`` is "line"
    unless a header has that name. ``mixed_dates`` are headers of a workbook with date cells
    beside text or numbers: Excel recognised some of the dates and not others, so day and month may be swapped in
    some rows.
    """

    name: str
    target: str
    headers: tuple[str, ...]
    types: Mapping[str, str]
    rows: int
    detected: tuple[str, ...] = ()
    mixed_dates: tuple[str, ...] = ()
    line_column: str = LINE
    find_lines: Callable[[Sequence[int]], list[int]] | None = field(default=None, repr=False, compare=False)
    find_shape: Callable[[str], str] | None = field(default=None, repr=False, compare=False)

    def shape(self, header: str) -> str:
        """How every value of a text column is written, where that was easily found out; see ``shapes.shape_of``."""
        return self.find_shape(header) if self.find_shape and header in self.headers else ""

    def lines(self, records: Sequence[int]) -> list[int]:
        """The line numbers a user sees for values of the line column."""
        return list(records) if self.find_lines is None or not records else self.find_lines(records)


class Source(Protocol):
    """A place with data: it reads names and fields, and knows nothing of accounts or dates."""

    name: str  # printable: no absolute path, no credentials
    folder: Path | None  # where a mapping.yml beside the data would lie
    kind: str  # "folder", "workbook", "duckdb" or "postgres"

    def names(self) -> list[str]:
        """Files, sheets or tables that can be staged."""

    def find(self, name: str) -> str | None:
        """The file, sheet or table of that name: as written, else in any case, with the suffixes it may have.

        Raises SourceError where two fit equally well.
        """

    def stage(self, engine: DuckDB, name: str, target: str, options: ReadOptions = ReadOptions()) -> Staged:
        """Make the engine's table ``target`` of one file, sheet or table. Raises SourceError."""

    def fingerprint(self) -> str:
        """Twelve hex digits over the contents read so far; their place does not matter."""

    def close(self) -> None:
        """Closes files and connections."""


def listed(names: Iterable[str]) -> str:
    """The first twelve names and the number of further ones."""
    every = list(names)
    return ", ".join(every[:12]) + (f" and {len(every) - 12} more" if len(every) > 12 else "")


def plain_lower(name: str) -> str:
    """A name as SQL compares it: only A to Z lose their case."""
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in name)


def line_column(headers: Sequence[str]) -> str:
    """A name for the record number that no header has, in any case."""
    taken, name = {plain_lower(header) for header in headers}, LINE
    while name in taken:
        name = f"{name}_"
    return name


def check_headers(name: str, row: int, headers: Sequence[str]) -> None:
    """Raises SourceError for a header that occurs twice, also where only the case differs."""
    where = f"{name}, row {row}" if row else name
    named = [header for header in headers if header]
    if not named:
        raise SourceError(
            f"{where}: no column has a name.\n  Write the column names into this row, or set `header_row`."
        )
    twice = sorted({header for header in named if named.count(header) > 1})
    if twice:
        raise SourceError(
            f"{where}: the header has {listed(map(repr, twice))} more than once.\n"
            "  Rename or remove one of the columns: which one is meant cannot be known."
        )
    seen: dict[str, str] = {}
    for header in named:
        other = seen.setdefault(plain_lower(header), header)
        if other != header:
            raise SourceError(
                f"{where}: the headers {other!r} and {header!r} differ only in capital letters.\n"
                "  Rename or remove one of the columns: which one is meant cannot be known."
            )


def nameless(name: str, row: int, column: int) -> SourceError:
    """The error for a column with values but without a name."""
    return SourceError(f"{name}, row {row}: column {column} has values and no name.\n  Name it in the header.")


def matching(name: str, there: Sequence[str], suffixes: Sequence[str] = ("",)) -> str | None:
    """The one of ``there`` that ``name`` means; see ``Source.find``."""
    if name in there:
        return name
    exact = [entry for entry in there if entry in {name + suffix for suffix in suffixes}]
    lower = {(name + suffix).casefold() for suffix in suffixes}
    found = exact or [entry for entry in there if entry.casefold() in lower]
    if len(found) > 1:
        raise SourceError(
            f"{name}: {' and '.join(found)} could both be meant.\n"
            "  Name one in the mapping, `tables: {<table>: {file: ...}}`, or remove the other."
        )
    return found[0] if found else None
