"""The interface of sources: options, the staged table, rules for headers, digests, and SQL for columns with a type."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from cs_helpers.core.errors import SourceError
from cs_helpers.data.engines.duckdb import DuckDB

LINE = " line"  # the number of each record: headers are stripped, so that none has this name
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

    ``types`` gives for each header "text", "date", "time", "time with zone" (held in UTC), "integer", "number" or
    "flag". ``detected`` holds sentences about what was found out rather than declared. ``mixed_dates`` are headers of a
    workbook with date cells beside text or numbers: Excel recognised only some of the dates, so day and month may be
    swapped in some rows.
    """

    name: str
    target: str
    headers: tuple[str, ...]
    types: Mapping[str, str]
    rows: int
    detected: tuple[str, ...] = ()
    mixed_dates: tuple[str, ...] = ()
    find_lines: Callable[[Sequence[int]], list[int]] | None = field(default=None, repr=False, compare=False)
    find_shape: Callable[[str], str] | None = field(default=None, repr=False, compare=False)

    def shape(self, header: str) -> str:
        """How every value of a text column is written, where that was easily found out; see ``shapes.shape_of``."""
        return self.find_shape(header) if self.find_shape and header in self.headers else ""

    def lines(self, records: Sequence[int]) -> list[int]:
        """The line numbers a user sees for numbers of records."""
        return list(records) if self.find_lines is None or not records else self.find_lines(records)


class Source(ABC):
    """A place with data: it reads names and fields, and knows nothing of accounts or dates."""

    kind: ClassVar[str]  # "folder", "workbook", "duckdb" or "postgres"
    suffixes: ClassVar[tuple[str, ...]] = ("",)  # what a table's name may have behind it

    def __init__(self, name: str, folder: Path | None):
        self.name = name  # printable: no absolute path, no credentials
        self.folder = folder  # where a mapping.yml beside the data would be
        self.digests: dict[str, str] = {}  # of what has been read

    @abstractmethod
    def names(self) -> list[str]:
        """Files, sheets or tables that can be staged."""

    @abstractmethod
    def stage(self, engine: DuckDB, name: str, target: str, options: ReadOptions = ReadOptions()) -> Staged:
        """Makes the engine's table ``target`` of one file, sheet or table. Raises SourceError."""

    def find(self, name: str) -> str | None:
        """The file, sheet or table of that name: as written, else in any case, with the suffixes it may have.

        Raises SourceError where two fit equally well.
        """
        there = self.names()
        if name in there:
            return name
        exact = [entry for entry in there if entry in {name + suffix for suffix in self.suffixes}]
        lower = {(name + suffix).casefold() for suffix in self.suffixes}
        found = exact or [entry for entry in there if entry.casefold() in lower]
        if len(found) > 1:
            raise SourceError(
                f"{name}: {' and '.join(found)} could both be meant.\n"
                "  Name one in the mapping, `tables: {<table>: {file: ...}}`, or remove the other."
            )
        return found[0] if found else None

    def fingerprint(self) -> str:
        """Twelve hex digits over the contents read so far; their place does not matter."""
        lines = "".join(f"{name} {digest}\n" for name, digest in sorted(self.digests.items()))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()[:12]

    def close(self) -> None:  # noqa: B027 - a folder has nothing open
        """Closes files and connections."""


def listed(names: Iterable[str], most: int = 12) -> str:
    """The first names and the number of further ones."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most:,} more" if len(every) > most else "")


# --- headers and names ----------------------------------------------------------------------------------------


def _ascii_lower(name: str) -> str:
    """A name as SQL compares it: only A to Z lose their case."""
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in name)


def check_headers(name: str, row: int, headers: Sequence[str]) -> None:
    """Raises SourceError for a header that occurs twice, also where only the case differs."""
    where = f"{name}, row {row}" if row else name
    named = [header for header in headers if header]
    if not named:
        raise SourceError(
            f"{where}: no column has a name.\n  Write the column names into this row, or set `header_row`."
        )
    what, alike = "", {_ascii_lower(header): header for header in reversed(named)}
    if twice := sorted({header for header in named if named.count(header) > 1}):
        what = f"the header has {listed(map(repr, twice))} more than once"
    elif other := next((each for each in named if alike[_ascii_lower(each)] != each), ""):
        what = f"the headers {alike[_ascii_lower(other)]!r} and {other!r} differ only in capital letters"
    if what:
        fix = "Rename or remove one of the columns: which one is meant cannot be known."
        raise SourceError(f"{where}: {what}.\n  {fix}")


def nameless(name: str, row: int, column: int) -> SourceError:
    """The error for a column with values but without a name."""
    return SourceError(f"{name}, row {row}: column {column} has values and no name.\n  Name it in the header.")


def without_rows(name: str, has: str = "file has a header") -> SourceError:
    """The error for a table without rows."""
    return SourceError(
        f"{name}: the {has} and no rows.\n"
        "  Export it again: a table without rows would read as a company without customers."
    )


def title_above(name: str, row: int, title: str, filled: Sequence[tuple[int, int]]) -> SourceError:
    """The error for a title above the table; ``filled``: how many fields of each row below have a value, and its
    number."""
    widest = max(count for count, _ in filled)
    after = next(number for count, number in filled if count == widest)
    return SourceError(
        f"{name}, row {row}: {title[:60]!r} stands alone above a table of {widest} columns, like a title.\n"
        f"  If the header stands in row {after}, set `header_row: {after}` in the mapping."
    )


def digest_of(path: Path) -> str:
    """The SHA-256 digest of a file's bytes, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


# --- columns that already have a type, in Parquet files and databases -----------------------------------------

_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_BIG = {"UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"}
_TIMES = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
_ZONED = {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"}
_NESTED = re.compile(r"\[\d*\]$|^(STRUCT|MAP|LIST)\b")
_NOT_NESTED = ("JSON", "UNION", "VARIANT")


def typed(column: str, kind: str) -> tuple[str, str]:
    """SQL for a quoted column of an engine type, and one of the words of ``Staged.types``.

    Text is stripped and empty text is missing, as in a CSV file; so is not-a-number, which is how numerical programs
    write missing values. Times with a zone become UTC. Lists and structures become text.
    """
    if kind == "VARCHAR":
        return stripped(column), "text"
    if kind in _WHOLE:
        return f"CAST({column} AS BIGINT)", "integer"
    if kind in _BIG:
        return f"CAST({column} AS DECIMAL(38, 0))", "integer"
    if kind in ("FLOAT", "DOUBLE"):
        number = f"CAST({column} AS DOUBLE)" if kind == "DOUBLE" else f"CAST(CAST({column} AS VARCHAR) AS DOUBLE)"
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {number} END", "number"
    if kind in ("BOOLEAN", "DATE") or kind.startswith("DECIMAL"):
        return column, {"BOOLEAN": "flag", "DATE": "date"}.get(kind, "number")
    if kind in _TIMES:
        return f"CAST({column} AS TIMESTAMP)", "time"
    if kind in _ZONED:
        return f"({column} AT TIME ZONE 'UTC')", "time with zone"
    if kind == "BLOB":
        return stripped(f"decode({column})"), "text"
    if _NESTED.search(kind) and not kind.startswith(_NOT_NESTED):
        return f"CAST(to_json({column}) AS VARCHAR)", "text"
    return stripped(f"CAST({column} AS VARCHAR)"), "text"


def stripped(column: str) -> str:
    """SQL for a text column without the blanks around it, missing where nothing is left.

    Removing blanks is slow, and hardly any text has one at its ends: so only texts that begin or end with one are
    trimmed. Blanks other than the space are at the ends of the alphabet of single bytes, or beyond.
    """
    every = " || ".join(f"chr({ord(blank)})" for blank in BLANKS)
    odd = f"({column} < ' ' OR {column} >= chr(128) OR strlen({column}) > length({column})"
    odd += "".join(f" OR suffix({column}, chr({code}))" for code in (9, 10, 13)) + ")"
    spaced = f"({column} < '!' OR suffix({column}, ' '))"
    thorough, quick = f"nullif(trim({column}, {every}), '')", f"nullif(trim({column}), '')"
    return f"CASE WHEN {odd} THEN {thorough} WHEN {spaced} THEN {quick} ELSE {column} END"
