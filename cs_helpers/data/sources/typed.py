"""SQL for columns that already have a type, in Parquet files and databases.

Text is stripped and empty text is missing, as in a CSV file. Not-a-number is missing: that is how numerical programs
write it. Times with a zone become UTC. What is no plain value (lists, structures) becomes text.
"""

from __future__ import annotations

import re

from cs_helpers.data.sources.staged import BLANKS

_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_BIG = {"UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"}
_TIMES = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}
_ZONED = {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"}
_NESTED = re.compile(r"\[\d*\]$|^(STRUCT|MAP|UNION|LIST|JSON|VARIANT)\b")


def typed(column: str, kind: str) -> tuple[str, str]:
    """SQL for a quoted column of an engine type, and one of the words of ``Staged.types``."""
    if kind == "VARCHAR":
        return stripped(column), "text"
    if kind in _WHOLE:
        return f"CAST({column} AS BIGINT)", "integer"
    if kind in _BIG:
        return f"CAST({column} AS DECIMAL(38, 0))", "integer"
    if kind == "BOOLEAN":
        return column, "flag"
    if kind in ("FLOAT", "DOUBLE"):
        number = f"CAST({column} AS DOUBLE)" if kind == "DOUBLE" else f"CAST(CAST({column} AS VARCHAR) AS DOUBLE)"
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {number} END", "number"
    if kind.startswith("DECIMAL"):
        return column, "number"
    if kind == "DATE":
        return column, "date"
    if kind in _TIMES:
        return f"CAST({column} AS TIMESTAMP)", "time"
    if kind in _ZONED:
        return f"({column} AT TIME ZONE 'UTC')", "time with zone"
    if kind == "BLOB":
        return stripped(f"decode({column})"), "text"
    if _NESTED.search(kind) and not kind.startswith(("JSON", "UNION", "VARIANT")):
        return f"CAST(to_json({column}) AS VARCHAR)", "text"
    return stripped(f"CAST({column} AS VARCHAR)"), "text"


def stripped(column: str) -> str:
    """SQL for a text column without the blanks around it, missing where nothing is left.

    Taking off blanks is slow, all kinds of them very much so, and hardly any text has one: so it is done only where
    the text begins or ends with one. Those that are not the space are at the ends of the alphabet of single bytes, or
    beyond.
    """
    every = " || ".join(f"chr({ord(blank)})" for blank in BLANKS)
    odd = f"({column} < ' ' OR {column} >= chr(128) OR strlen({column}) > length({column})"
    odd += "".join(f" OR suffix({column}, chr({code}))" for code in (9, 10, 13)) + ")"
    spaced = f"({column} < '!' OR suffix({column}, ' '))"
    thorough, quick = f"nullif(trim({column}, {every}), '')", f"nullif(trim({column}), '')"
    return f"CASE WHEN {odd} THEN {thorough} WHEN {spaced} THEN {quick} ELSE {column} END"
