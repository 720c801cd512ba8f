"""Excel workbooks: sheets are tables. This module is the only home of openpyxl.

A cell is what Excel stores, not what it shows, with two exceptions: a number shown with leading zeros (format 00000)
becomes that text, because it is a key; a time of day or a duration becomes text such as 00:02:23. A column whose
cells are of several kinds becomes text. Errors and formulas without a stored value are refused with their cells.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from cs_helpers.core.errors import SourceError, did_you_mean
from cs_helpers.data.engines.duckdb import DuckDB
from cs_helpers.data.sources.characters import OLE, refuse_other_kinds
from cs_helpers.data.sources.staged import (
    LINE,
    ReadOptions,
    Source,
    Staged,
    check_headers,
    digest_of,
    listed,
    nameless,
    title_above,
    without_rows,
)

MAX_UNPACKED_BYTES = 4 << 30  # bytes a workbook may unpack to
LAST_EXACT = 10**15  # Excel keeps fifteen digits
MAX_SHOWN = 5
_ZEROS = re.compile(r"0{2,}")
_MIDNIGHT = dt.time()


class Workbook(Source):
    """One Excel workbook; its visible sheets are its tables."""

    kind = "workbook"

    def __init__(self, path: Path, name: str):
        super().__init__(name, path.parent)
        self._path = path
        self._workbook = _load(name, path)
        self._with_values: Any = None
        self._unreported = {
            sheet.title: f"{name}: the sheet {sheet.title!r} is hidden and was not read; "
            "name it in the mapping if it is needed."
            for sheet in self._workbook.worksheets
            if sheet.sheet_state != "visible"
        }

    def names(self) -> list[str]:
        return [sheet.title for sheet in self._workbook.worksheets if sheet.sheet_state == "visible"]

    def stage(self, engine: DuckDB, name: str, target: str, options: ReadOptions = ReadOptions()) -> Staged:  # noqa: B008
        """See ``Source``; a hidden sheet is read too, if it is named."""
        engine.drop(target)
        every = [sheet.title for sheet in self._workbook.worksheets]
        title = options.sheet or name
        if title not in every:
            raise SourceError(
                f"{title}: there is no such sheet in {self.name}.{did_you_mean(title, every)}\n"
                f"  It holds: {listed(every)}. Name the sheet of this table in the mapping: "
                "`tables: {<table>: {sheet: ...}}`."
            )
        try:
            grid = _grid(f"{self.name}, sheet {title!r}", title, options.header_row, self)
        except SourceError:
            raise
        except Exception as error:  # openpyxl meets damage in many ways and has no error of its own for it
            raise _damaged(self.name) from error
        staged = _stage_grid(engine, f"{self.name}, sheet {title!r}", grid, target)
        if not self.digests:
            self.digests[self.name.rsplit("/", 1)[-1]] = digest_of(self._path)
        report_hidden = self._unreported.pop(title, None) is None and self._unreported
        hidden = tuple(self._unreported.values()) if report_hidden else ()
        self._unreported = {} if report_hidden else self._unreported
        return replace(staged, detected=(*staged.detected, *hidden))

    def close(self) -> None:
        self._workbook.close()
        if self._with_values is not None:
            self._with_values.close()

    def sheet(self, title: str, values: bool = False) -> Any:
        """The sheet with its formulas, or with the values that Excel stored for them."""
        if not values:
            return self._workbook[title]
        if self._with_values is None:
            self._with_values = _load(self.name, self._path, values=True)
        return self._with_values[title]


def open_workbook(path: Path, name: str) -> Workbook:
    """The workbook, if it can be read. Raises SourceError."""
    workbook = Workbook(path, name)
    if not workbook.names():
        raise SourceError(
            f"{name}: the workbook has no visible sheet with cells.\n  Show the sheet that holds the table."
        )
    return workbook


def stage_file(engine: DuckDB, name: str, path: Path, target: str, options: ReadOptions) -> tuple[Staged, str]:
    """A workbook that lies in a folder: its only visible sheet, or the one that is named; and its digest."""
    workbook = open_workbook(path, name)
    try:
        sheets = workbook.names()
        if options.sheet is None and len(sheets) > 1:
            raise SourceError(
                f"{name}: the workbook has {len(sheets)} sheets: {listed(sheets)}.\n"
                "  Name the one that holds this table in the mapping: `tables: {<table>: {file: ..., sheet: ...}}`."
            )
        return workbook.stage(engine, options.sheet or sheets[0], target, options), digest_of(path)
    finally:
        workbook.close()


def _load(name: str, path: Path, values: bool = False) -> Any:
    """The workbook opened by openpyxl, row by row. Raises SourceError for files that are no readable workbook."""
    _refuse_other_files(name, path)
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl passes over
            return openpyxl.load_workbook(path, read_only=True, data_only=values, keep_links=False)
    except OSError:
        raise
    except Exception as error:  # see Workbook.stage
        raise _damaged(name) from error


def _refuse_other_files(name: str, path: Path) -> None:
    with path.open("rb") as handle:
        head = handle.read(4096)
    if not head:
        raise SourceError(f"{name}: the file is empty (0 bytes).\n  Export it again.")
    if head.startswith(OLE):
        data = path.read_bytes()
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise SourceError(
                f"{name}: the workbook is protected with a password.\n"
                "  Open it in Excel and save it without one (File, Info, Protect Workbook), or export it as CSV."
            )
        raise SourceError(
            f"{name}: this is a workbook in the old .xls format.\n  Open it in Excel and save it as .xlsx or as CSV."
        )
    if not head.startswith(b"PK"):
        refuse_other_kinds(name, head)
        raise SourceError(
            f"{name}: this is not an Excel workbook; it may be text with separators.\n"
            "  Save it as .xlsx in Excel, or give it the ending .csv."
        )
    try:
        with zipfile.ZipFile(path) as packed:
            inside = {entry.filename: entry.file_size for entry in packed.infolist()}
            damaged = packed.testzip() if sum(inside.values()) <= MAX_UNPACKED_BYTES else None
    except Exception as error:  # of zipfile, of zlib, and others
        raise _damaged(name) from error
    if damaged:
        raise _damaged(name)
    if sum(inside.values()) > MAX_UNPACKED_BYTES:
        raise SourceError(f"{name}: unpacked, the workbook is over 4 GB.\n  Export the table as CSV or Parquet.")
    if "xl/workbook.bin" in inside:
        raise SourceError(
            f"{name}: this is a binary workbook (.xlsb).\n  Open it in Excel and save it as .xlsx or CSV."
        )
    if "content.xml" in inside:
        raise SourceError(f"{name}: this is an OpenDocument sheet (.ods).\n  Save it as .xlsx or as CSV.")
    if "[Content_Types].xml" not in inside:
        raise SourceError(f"{name}: this is a zip archive, not an Excel workbook.\n  Unpack it; give the folder.")


def _damaged(name: str) -> SourceError:
    return SourceError(
        f"{name}: the workbook is damaged or its end is missing.\n"
        "  Copy or export it again; if Excel opens it, save it there under a new name."
    )


# --- cells ----------------------------------------------------------------------------------------------------


@dataclass
class Grid:
    """The header and rows of one sheet, and the cells with problems."""

    header_row: int
    headers: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    uncounted: list[str] = field(default_factory=list)
    long_numbers: list[str] = field(default_factory=list)


def _grid(where: str, title: str, header_row: int | None, workbook: Workbook) -> Grid:
    """The rows of a sheet that hold anything, as Python values; the first of them is the header."""
    cells = list(_filled_rows(workbook.sheet(title)))
    if any(cell.data_type == "f" for _, row in cells for cell in row if cell.value is not None):
        stored = dict(_filled_rows(workbook.sheet(title, values=True)))
        cells = [(number, _with_stored(row, stored.get(number, ()))) for number, row in cells]
    if header_row is not None:
        cells = [(number, row) for number, row in cells if number >= header_row]
        if cells and cells[0][0] != header_row:
            raise SourceError(
                f"{where}, row {header_row}: this row is empty; the header stands elsewhere.\n"
                f"  Set `header_row: {cells[0][0]}` if the header is there."
            )
    if not cells:
        raise SourceError(f"{where}: the sheet is empty.\n  Name the sheet that holds the table.")
    header_number, head = cells[0]
    grid = Grid(header_number)
    grid.headers = ["" if cell.value is None else _text(_value(cell, grid)).strip() for cell in head]
    while grid.headers and not grid.headers[-1]:
        grid.headers.pop()
    if header_row is None and sum(map(bool, grid.headers)) == 1:
        filled = [(sum(cell.value is not None for cell in row), number) for number, row in cells[1:21]]
        if any(count > 1 for count, _ in filled):
            raise title_above(where, grid.header_row, next(filter(None, grid.headers)), filled)
    check_headers(where, grid.header_row, grid.headers)
    width = len(grid.headers)
    for number, row in cells[1:]:
        values = [None if cell.value is None else _value(cell, grid) for cell in row]
        for place, value in enumerate(values):
            if value is not None and (place >= width or not grid.headers[place]):
                raise nameless(where, grid.header_row, place + 1)
        if any(value is not None for value in values):
            grid.rows.append((values + [None] * width)[:width])
            grid.numbers.append(number)
    return grid


def _filled_rows(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Rows with at least one cell that is not blank, and their numbers."""
    sheet.reset_dimensions()  # programs that write workbooks often state the wrong ones
    for number, row in enumerate(sheet.rows, start=1):
        if any(cell.value is not None and cell.value != "" for cell in row):
            yield number, row


def _with_stored(row: Sequence[Any], stored: Sequence[Any]) -> tuple[Any, ...]:
    """A row in which every formula is replaced by its stored value; one without any is marked."""
    together = []
    for place, cell in enumerate(row):
        if cell.value is not None and cell.data_type == "f":
            other = stored[place] if place < len(stored) else None
            value, kind = (None, "") if other is None else (other.value, other.data_type)
            cell = SimpleNamespace(
                value="=" if value is None else value,
                data_type="uncounted" if value is None else kind,
                coordinate=cell.coordinate,
                number_format=cell.number_format,
            )
        together.append(cell)
    return tuple(together)


def _value(cell: Any, grid: Grid) -> Any:
    """The value of a cell: text, whole number, number, flag, date, date with time, or the text of a time of day."""
    value, kind = cell.value, cell.data_type
    if kind == "e":
        grid.errors.append(f"{cell.coordinate} ({value})")
        return None
    if kind == "uncounted":
        grid.uncounted.append(cell.coordinate)
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == _MIDNIGHT else value
    if isinstance(value, dt.time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dt.timedelta):
        seconds = round(abs(value).total_seconds())
        sign = "-" if seconds and value < dt.timedelta() else ""
        return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= LAST_EXACT:
            grid.long_numbers.append(cell.coordinate)
        if value >= 0 and _ZEROS.fullmatch(cell.number_format):
            return str(value).zfill(len(cell.number_format))
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds" if not value.microsecond else "microseconds")
    return str(value)


# --- columns --------------------------------------------------------------------------------------------------


def _stage_grid(engine: DuckDB, where: str, grid: Grid, target: str) -> Staged:
    refused = (
        (grid.errors, "holds an error", "hold errors", "Correct them in Excel."),
        (
            grid.uncounted,
            "is a formula whose value is not stored",
            "are formulas whose values are not stored",
            "Open the workbook in Excel and save it: then the values are stored. Or paste them as values.",
        ),
    )
    for cells, one, many, fix in refused:
        if cells:
            plural, verb = ("", one) if len(cells) == 1 else ("s", many)
            raise SourceError(f"{where}, cell{plural} {listed(cells, MAX_SHOWN)}: {verb}.\n  {fix}")
    if not grid.rows:
        raise without_rows(where, "sheet has a header")
    places = [place for place, header in enumerate(grid.headers) if header]
    headers = tuple(grid.headers[place] for place in places)
    values = [[row[place] for row in grid.rows] for place in places]
    kinds, arrays = zip(*map(_column, values), strict=True)
    mixed = tuple(header for header, column in zip(headers, values, strict=True) if _mixed(column))
    engine.drop(target)
    engine.add(target, pa.table([pa.array(grid.numbers, pa.int64()), *arrays], [LINE, *headers]))
    detected = []
    if grid.long_numbers:
        detected.append(
            f"{where}: {len(grid.long_numbers):,} numbers have sixteen digits or more "
            f"({', '.join(grid.long_numbers[:MAX_SHOWN])}); Excel keeps fifteen, so keys among them may end in wrong "
            "zeros."
        )
    types = dict(zip(headers, kinds, strict=True))
    return Staged(where, target, headers, types, len(grid.rows), tuple(detected), mixed)


def _column(values: Sequence[Any]) -> tuple[str, Any]:
    """The word for a column's type, and the column."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "flag", pa.array(values, pa.bool_())
    if kinds == {int}:
        return "integer", pa.array(values, pa.int64())
    if kinds and kinds <= {int, float}:
        return "number", pa.array([None if v is None else float(v) for v in values], pa.float64())
    if kinds == {dt.date}:
        return "date", pa.array(values, pa.date32())
    if kinds and kinds <= {dt.date, dt.datetime}:
        moments = [v if v is None or isinstance(v, dt.datetime) else dt.datetime.combine(v, _MIDNIGHT) for v in values]
        return "time", pa.array(moments, pa.timestamp("us"))
    return "text", pa.array([None if v is None else _text(v) for v in values], pa.string())


def _mixed(values: Sequence[Any]) -> bool:
    """Whether a column has date cells and other cells that may be dates Excel did not recognise."""
    if not any(isinstance(value, dt.date) for value in values):
        return False
    others = (value for value in values if value is not None and not isinstance(value, dt.date))
    return any(not isinstance(value, str) or any(map(str.isdigit, value)) for value in others)
