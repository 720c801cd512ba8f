"""Simple shapes of whole files and columns, found with Arrow, so that the engine can use its fast parsers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BYTES = 32 << 20  # of a file that is read in one piece
MAX_ROWS = 200_000  # of a column: more are as quickly read by the engine, on all processors

_FIELD = re.compile(rb'"[^"]*(?:""[^"]*)*"')
_SHAPES = {
    "number": r"^[+-]?[0-9]{1,12}(\.[0-9]{1,6})?$",
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "time": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
}


def shape_of(column: pa.ChunkedArray) -> str:
    """The shape of a column: "number", "date" or "time" if every value is plainly written so, else "".

    A number has at most twelve digits, then at most six behind a point; days and times are those of ISO 8601 without a
    zone. Whether the day exists is not checked.
    """
    import pyarrow.compute as pc

    if not 0 < len(column) <= MAX_ROWS:
        return ""
    first = next((value for value in column[:100].to_pylist() if value is not None), None)
    shape = next((name for name, pattern in _SHAPES.items() if first and re.match(pattern, first)), "")
    if not shape:
        return ""
    return shape if pc.all(pc.match_substring_regex(column, _SHAPES[shape])).as_py() else ""


def stripped(column: pa.ChunkedArray, blanks: str) -> pa.ChunkedArray:
    """The values of a text column without the blanks around them; missing where nothing is left."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.utf8_trim(column, blanks)
    if found.equals(column):
        return column
    empty = pc.equal(found, "")
    return pc.if_else(empty, pa.scalar(None, found.type), found) if pc.any(empty).as_py() else found


def blank_row(columns: Sequence[pa.ChunkedArray]) -> bool:
    """Whether all columns lack a value in some row."""
    import pyarrow.compute as pc

    if any(not column.null_count for column in columns):
        return False
    nothing = pc.is_null(columns[0])
    for column in columns[1:]:
        nothing = pc.and_(nothing, pc.is_null(column))
    return bool(pc.any(nothing).as_py())


def times(column: pa.ChunkedArray, sign: str) -> int:
    """How often a sign occurs in the values of a column."""
    import pyarrow.compute as pc

    return pc.sum(pc.count_substring(column, sign)).as_py() or 0


def well_quoted(path: Path, separator: str, quotes: int) -> bool:
    """Whether all ``quotes`` of a file open or close a whole field, or are doubled inside a field.

    Every reader reads such a file alike. False for files over 32 MB, which are not checked.
    """
    if path.stat().st_size > MAX_BYTES:
        return False
    data, edges, counted = path.read_bytes(), b"\r\n" + separator.encode(), 0
    for match in _FIELD.finditer(data):
        begin, end = match.span()
        if begin and data[begin - 1] not in edges and data[:begin] != b"\xef\xbb\xbf":
            return False
        if end < len(data) and data[end] not in edges:
            return False
        counted += data.count(b'"', begin, end)
    return counted == quotes
