"""Simple shapes of whole files and columns, found with Arrow, so that the fast readers and parsers can be used."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MAX_ROWS = 200_000  # of a column: more are as quickly read by the engine, on all processors
PART = 1 << 24  # bytes that are looked at together

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
    if not 0 < len(column) <= MAX_ROWS:
        return ""
    first = next((value for value in column[:100].to_pylist() if value is not None), None)
    shape = next((name for name, pattern in _SHAPES.items() if first and re.match(pattern, first)), "")
    return shape if shape and pc.all(pc.match_substring_regex(column, _SHAPES[shape])).as_py() else ""


def stripped(column: pa.ChunkedArray, blanks: str) -> pa.ChunkedArray:
    """The values of a text column without the blanks around them; missing where nothing is left."""
    found = pc.utf8_trim(column, blanks)
    if found.equals(column):
        return column
    empty = pc.equal(found, "")
    return pc.if_else(empty, pa.scalar(None, found.type), found) if pc.any(empty).as_py() else found


def blank_row(columns: Sequence[pa.ChunkedArray]) -> bool:
    """Whether all columns lack a value in some row."""
    if any(not column.null_count for column in columns):
        return False
    nothing = pc.is_null(columns[0])
    for column in columns[1:]:
        nothing = pc.and_(nothing, pc.is_null(column))
    return bool(pc.any(nothing).as_py())


def times(column: pa.ChunkedArray, sign: str) -> int:
    """How often a sign occurs in the values of a column."""
    return pc.sum(pc.count_substring(column, sign)).as_py() or 0


def well_quoted(path: Path, separator: str) -> bool:
    """Whether every quote of a file opens or closes a whole field, or is doubled inside one: all readers agree on it.

    Quotes then open and close in turn: one that opens follows a separator, a line end or another quote, and one that
    closes comes before such a sign.
    """
    data = np.memmap(path, np.uint8, "r")
    edge = np.zeros(256, bool)
    edge[list(b'\r\n"' + separator.encode())] = True
    start = len(codecs.BOM_UTF8) if bytes(data[:3]) == codecs.BOM_UTF8 else 0
    count = 0
    for begin in range(0, len(data), PART):
        quotes = begin + np.flatnonzero(data[begin : begin + PART] == ord('"'))
        opening, closing = quotes[count % 2 :: 2], quotes[1 - count % 2 :: 2]
        before, after = opening[opening > start] - 1, closing[closing < len(data) - 1] + 1
        if not (edge[data[before]].all() and edge[data[after]].all()):
            return False
        count += len(quotes)
    return count % 2 == 0
