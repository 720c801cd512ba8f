"""What whole files and columns look like, asked of Arrow: then the engine need not be careful with every value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 32 << 20  # of a file that is looked at in one piece
MOST_ROWS = 200_000  # of a column: more are as quickly read by the engine, on all processors

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


def seen_in_all(column: pa.ChunkedArray) -> bool:
    """Whether every value holds a letter, digit or sign of ASCII, and so more than blanks; False where not looked."""
    import pyarrow.compute as pc

    return len(column) <= MOST_ROWS and bool(pc.all(pc.match_substring_regex(column, "[!-~]")).as_py())


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
    edge = rb"[\r\n]|" + re.escape(separator.encode())
    field = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=" + edge + rb'))"[^"]*(?:""[^"]*)*"(?=' + edge + rb"|\Z)")
    return sum(match.count(b'"') for match in field.findall(path.read_bytes())) == quotes
