"""What whole files and columns look like, asked of Arrow: then the engine need not be careful with every value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 32 << 20  # of a file that is looked at in one piece
MOST_ROWS = 200_000  # of a column: more are as quickly read by the engine, on all processors

_FIELD = re.compile(rb'"[^"]*(?:""[^"]*)*"')
_SHAPES = {
    "number": r"^[+-]?[0-9]{1,12}(\.[0-9]{1,6})?$",
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "time": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
}


def shape_of(column: pa.ChunkedArray) -> str:
    """ "number", "date" or "time" if every value of a column is written so, in the plainest way; else "".

    A number has at most twelve digits, then at most six behind a point; days and times are those of ISO 8601 without a
    zone. Whether a day is in the calendar is not looked at.
    """
    import pyarrow.compute as pc

    if not 0 < len(column) <= MOST_ROWS:
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
    """How often a sign stands in the values of a column."""
    import pyarrow.compute as pc

    return pc.sum(pc.count_substring(column, sign)).as_py() or 0


def well_quoted(path: Path, separator: str, quotes: int) -> bool:
    """Whether each of a file's ``quotes`` opens or ends a whole field, or is one of two that stand for one inside it.

    Such a file reads the same everywhere. Files over 32 MB are not looked at.
    """
    if path.stat().st_size > MOST_BYTES:
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
