"""Samples of every file: headers, counts, some values of each column, and all dates of date columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from cs_helpers.core.errors import CsHelpersError
from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.mapping.draft.vocabulary import VOCABULARY
from cs_helpers.data.sources import ReadOptions, open_source
from cs_helpers.data.sources.staged import LINE

if TYPE_CHECKING:
    from cs_helpers.data.sources import Source, Staged

FIRST_ROWS, SAMPLED_ROWS = 1_000, 5_000
MAX_VALUES = 400  # distinct values of a column that are checked one by one
MAX_DAYS = 20_000
_WORKBOOKS = (".xlsx", ".xlsm")
_STAGED, _PLACE, _TOGETHER = "drafted from", "its place", 40
_NUMBER = re.compile(r"[-+]?(\d+|\d{1,3}([.,' \u00a0\u202f’]\d{3})+)?([.,]\d+)?(e[-+]?\d+)?", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,3}:[0-5]?\d(:[0-5]?\d(\.\d+)?)?( ?[AP]M)?", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)
_EIGHT_DIGITS = re.compile(r"\d{8}")
_EIGHT_DIGIT_DAY = re.compile(r"(19[5-9]\d|20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_CURRENCY = re.compile(r"[$€£¥%]|\b[A-Z]{3}\b")
_DAY = re.compile(
    r"(\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}|\d{8}|\d{4}[-/.]\d{1,2}"
    r"|\d{1,2}[-/. ]{1,2}[^\W\d_]{3,9}\.?[-/., ]{1,2}\d{2,4}|[^\W\d_]{3,9}\.? \d{1,2},? \d{4})"
    r"(?P<time>$|[T ,].*\d{1,2}:\d{2}.*$)"
)


@dataclass(frozen=True)
class ColumnSample:
    """One column of a file.

    ``kind``: its type there (text, date, time, time with zone, integer, number or flag). ``values``: sampled texts that
    are not empty. ``days``: every distinct date, without the time of day. ``mixed``: a workbook's column in which some
    days are days and others are text.
    """

    header: str
    kind: str
    filled: int
    distinct: int
    values: tuple[str, ...]
    days: tuple[str, ...] = ()
    mixed: bool = False

    @cached_property
    def examined(self) -> tuple[str, ...]:
        """The first distinct values, spaces around them cut, none of them empty."""
        seen = dict.fromkeys(value.strip() for value in self.values)
        return tuple(value for value in seen if value)[:MAX_VALUES]

    def _share(self, pattern: re.Pattern[str], left_out: re.Pattern[str] | None = None) -> float:
        """The share of the sampled values that match a pattern as a whole, something in them left out."""
        values = [left_out.sub("", value).strip() for value in self.examined] if left_out else self.examined
        values = [value for value in dict.fromkeys(values) if value]
        return sum(bool(pattern.fullmatch(value)) for value in values) / len(values) if values else 0.0

    @cached_property
    def is_date(self) -> bool:
        if self.kind in ("date", "time", "time with zone"):
            return True
        if self._share(_EIGHT_DIGITS) > 0.5 and self._share(_EIGHT_DIGIT_DAY) < 1:
            return False  # eight digits are days only where all of them read as days of our time
        return self.kind == "text" and self._share(_DAY) >= 0.9

    @cached_property
    def rests(self) -> tuple[str, ...]:
        """What follows the dates in the sampled values: times of day, time zones."""
        return tuple(dict.fromkeys(value[len(day_of(value)) :] for value in self.examined))

    @cached_property
    def is_clock(self) -> bool:
        return self.kind == "text" and self._share(_CLOCK) >= 0.9

    @cached_property
    def is_email(self) -> bool:
        return self._share(_EMAIL) >= 0.8

    @cached_property
    def is_number(self) -> bool:
        if self.kind in ("integer", "number"):
            return True
        return self.kind == "text" and self._share(_NUMBER, left_out=_CURRENCY) >= 0.95

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The sampled values as numbers, read with the more likely decimal sign."""
        thousands, decimal = (".", ",") if self.has_decimal_comma else (",", ".")
        found = []
        for value in self.examined:
            text = re.sub(r"[^\d.,eE+-]", "", value).replace(thousands, "").replace(decimal, ".")
            with suppress(ValueError):
                found.append(float(text))
        return tuple(found)

    @cached_property
    def has_decimal_comma(self) -> bool:
        """Whether some value can only be read with a comma as decimal sign, and none only with a point."""
        return self._needs(",", ".") and not self._needs(".", ",")

    @cached_property
    def has_decimal_point(self) -> bool:
        """Whether some value can only be read with a point as decimal sign."""
        return self._needs(".", ",")

    def _needs(self, sign: str, thousands: str) -> bool:
        pattern = re.compile(rf"[-+]?(\d+|\d{{1,3}}(\{thousands}\d{{3}})+)\{sign}(\d{{1,2}}|\d{{4,}})")
        numbers = (re.sub(r"[^\d.,+-]", "", value) for value in self.examined)
        return self.kind == "text" and any(map(pattern.fullmatch, numbers))

    @cached_property
    def is_flag(self) -> bool:
        if self.kind == "flag":
            return True
        words = {value.lower() for value in self.examined}
        return bool(words) and words <= {*VOCABULARY.true_words, *VOCABULARY.false_words} and len(words) <= 4

    @cached_property
    def signs(self) -> set[str]:
        """Currencies whose sign occurs in the values."""
        return {
            code for sign, code in VOCABULARY.currency_signs.items() if any(sign in value for value in self.examined)
        }

    def is_constant(self, rows: int) -> bool:
        """Whether every row has the same value."""
        return self.distinct == 1 and self.filled == rows > 1

    def is_unique(self, rows: int) -> bool:
        """Whether every row has a value of its own; one row in a hundred may break it."""
        return self.filled >= 0.99 * rows and self.distinct >= 0.99 * self.filled > 0

    def examples(self, count: int = 3) -> str:
        """Some values, as a sentence may show them."""
        return ", ".join(value[:30] for value in self.examined[:count])


@dataclass(frozen=True)
class FileSample:
    """One file, sheet or table of the source.

    ``workbook`` and ``sheet`` are set where a workbook in a folder has several sheets.
    """

    name: str
    rows: int
    fields: tuple[ColumnSample, ...]
    notes: tuple[str, ...] = ()
    workbook: str = ""
    sheet: str = ""

    @cached_property
    def by_header(self) -> dict[str, ColumnSample]:
        return {each.header: each for each in self.fields}

    @property
    def file(self) -> str:
        """The name of the file in a mapping."""
        return self.workbook or self.name

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(each.header for each in self.fields)

    def is_typed(self, header: str) -> bool:
        """Whether the file stores the type of a column, so that no format is needed."""
        return self.by_header[header].kind != "text"

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return re.sub(r"\.(csv|tsv|txt|parquet|xlsx|gz)(\.gz)?$", "", self.name, flags=re.IGNORECASE)


@dataclass(frozen=True)
class FolderSample:
    """Samples of all files of a source, and the files that could not be read."""

    name: str
    files: tuple[FileSample, ...]
    unreadable: Mapping[str, str] = field(default_factory=dict)


def day_of(text: str) -> str:
    """A date with its time cut off."""
    found = _DAY.fullmatch(text.strip())
    if not found or not found["time"]:
        return text.strip()
    return text.strip()[: found.start("time")].rstrip(" ,T")


# --- from a source -----------------------------------------------------------------------------------------------


def look(source: Source) -> FolderSample:
    """Samples of everything in a source; what cannot be read is named with its reason."""
    engine = DuckDB()
    files, unreadable = [], {}
    try:
        for name in source.names():
            try:
                files += _in_file(engine, source, name)
            except CsHelpersError as error:
                unreadable[name] = str(error)
    finally:
        engine.close()
    return FolderSample(source.name, tuple(files), unreadable)


def _in_file(engine: DuckDB, source: Source, name: str) -> list[FileSample]:
    """One file or table; of a workbook in a folder, each of its sheets that can be read."""
    if source.folder is None or source.kind != "folder" or not name.lower().endswith(_WORKBOOKS):
        return [_sampled(engine, name, source.stage(engine, name, _STAGED))]
    workbook = open_source(source.folder / name)
    sheets, refused = workbook.names(), []
    workbook.close()
    if len(sheets) == 1:
        return [_sampled(engine, name, source.stage(engine, name, _STAGED))]
    found = []
    for sheet in sheets:
        try:
            staged = source.stage(engine, name, _STAGED, ReadOptions(sheet=sheet))
        except CsHelpersError as error:
            refused.append(error)
            continue
        found.append(replace(_sampled(engine, f"{name}, sheet {sheet}", staged), workbook=name, sheet=sheet))
    if not found and refused:
        raise refused[0]
    return found


def _sampled(engine: DuckDB, name: str, staged: Staged) -> FileSample:
    headers = [header for header in staged.headers if header.strip()]
    counts = _counts(engine, headers)
    rows = _sampled_rows(engine, headers, staged.rows)
    fields = []
    for place, header in enumerate(headers):
        kind = staged.types.get(header, "text")
        sampled = tuple(_as_loaded(row[place], kind) for row in rows if row[place] not in (None, ""))
        each = ColumnSample(header, kind, *counts[header], sampled, mixed=header in staged.mixed_dates)
        fields.append(replace(each, days=_days(engine, header)) if each.is_date else each)
    return FileSample(name, staged.rows, tuple(fields), notes=staged.detected)


def _counts(engine: DuckDB, headers: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Filled and distinct values of every column, some columns at a time: wide files need no more memory."""
    found: dict[str, tuple[int, int]] = {}
    for begin in range(0, len(headers), _TOGETHER):
        some = headers[begin : begin + _TOGETHER]
        columns = ", ".join(f"count({quote(header)}), count(DISTINCT {quote(header)})" for header in some)
        row = engine.rows(f"SELECT {columns} FROM {quote(_STAGED)}")[0]
        found |= {header: (int(row[2 * place]), int(row[2 * place + 1])) for place, header in enumerate(some)}
    return found


def _sampled_rows(engine: DuckDB, headers: Sequence[str], rows: int) -> list[tuple[str | None, ...]]:
    """The first rows and an even spread of the others, in the file's order."""
    if not headers:
        return []
    step = max(1, (rows - FIRST_ROWS) // (SAMPLED_ROWS - FIRST_ROWS))
    columns = ", ".join(f"CAST({quote(header)} AS VARCHAR)" for header in headers)
    return engine.rows(
        f"WITH numbered AS (SELECT *, row_number() OVER (ORDER BY {quote(LINE)}) AS {quote(_PLACE)} "
        f"FROM {quote(_STAGED)}) "
        f"SELECT {columns} FROM numbered WHERE {quote(_PLACE)} <= {FIRST_ROWS} OR {quote(_PLACE)} % {step} = 0 "
        f"ORDER BY {quote(_PLACE)} LIMIT {SAMPLED_ROWS + FIRST_ROWS}"
    )


def _days(engine: DuckDB, header: str) -> tuple[str, ...]:
    """Every distinct day of a column: what comes after it (T, a space and a time) is cut off by the engine."""
    text = f"CAST({quote(header)} AS VARCHAR)"
    cut = f"regexp_replace(trim({text}), '([T ]|, ?)+[0-9]{{1,2}}:[0-9]{{2}}.*$', '')"
    found = engine.rows(
        f"SELECT DISTINCT {cut} AS day FROM {quote(_STAGED)} WHERE {text} IS NOT NULL ORDER BY day LIMIT {MAX_DAYS}"
    )
    return tuple(sorted({day_of(row[0]) for row in found if row[0]}))


def _as_loaded(value: str | None, kind: str) -> str:
    """A value as the loader reads it: whole numbers without ``.0``."""
    text = str(value)
    return text[:-2] if kind == "number" and text.endswith(".0") else text
