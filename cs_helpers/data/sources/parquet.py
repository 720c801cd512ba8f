"""Parquet files: values keep the type the file gives them; see ``staged.typed``."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from cs_helpers.core.errors import SourceError
from cs_helpers.data.engines.duckdb import DuckDB, EngineRefused, quote
from cs_helpers.data.sources.characters import refuse_other_kinds
from cs_helpers.data.sources.staged import LINE, Staged, check_headers, digest_of, typed, without_rows

MARK = b"PAR1"
_INDEX = re.compile(r"__index_level_\d+__")  # how pandas writes row numbers, which are no column of the table


def stage_parquet(engine: DuckDB, name: str, path: Path, target: str) -> tuple[Staged, str]:
    """One Parquet file as the engine's table or view ``target``; and the digest of its bytes."""
    _check_marks(name, path)
    try:
        found = engine.attempt(f"DESCRIBE SELECT * FROM {engine.parquet_file(path)}").fetchall()
        written = parquet.read_schema(path).names  # all of them, where the engine renames a repeated one
    except (EngineRefused, pa.ArrowException) as error:
        raise _damaged(name, str(error)) from error
    check_headers(name, 0, [title.strip() for title in written])
    kinds = {str(row[0]): str(row[1]) for row in found if not _INDEX.fullmatch(str(row[0]))}
    headers = tuple(title.strip() for title in kinds)
    if not all(headers):
        raise SourceError(f"{name}: a column has no name.\n  Name it where the file is written.")
    types, columns = dict[str, str](), list[str]()
    for title, kind in kinds.items():
        expression, types[title.strip()] = typed(quote(title), kind)
        columns.append(f"{expression} AS {quote(title.strip())}")
    # A view, so that millions of rows are not copied before they are typed; bytes are decoded here, where it can fail.
    made = "TABLE" if "BLOB" in kinds.values() else "VIEW"
    try:
        engine.attempt(
            f"CREATE OR REPLACE {made} {quote(target)} AS SELECT file_row_number + 2 AS {quote(LINE)}, "
            f"{', '.join(columns)} FROM {engine.parquet_file(path, numbered=True)}"
        )
    except EngineRefused as error:
        blobs = [title for title, kind in kinds.items() if kind == "BLOB"]
        if blobs and "blob" in str(error).lower():
            raise SourceError(
                f"{name}: the column {blobs[0]!r} holds bytes that are no text.\n  Leave it out of the export."
            ) from error
        raise _damaged(name, str(error)) from error
    rows = int(engine.rows(f"SELECT count(*) FROM {quote(target)}")[0][0])
    if not rows:
        raise without_rows(name, "file has columns")
    return Staged(name, target, headers, types, rows), digest_of(path)


def _check_marks(name: str, path: Path) -> None:
    size = path.stat().st_size
    if not size:
        raise SourceError(f"{name}: the file is empty (0 bytes).\n  Export it again.")
    with path.open("rb") as handle:
        head = handle.read(4096)
        handle.seek(max(0, size - 4))
        tail = handle.read(4)
    if head.startswith(MARK) and tail != MARK:
        raise SourceError(f"{name}: the end of the Parquet file is missing.\n  Copy or export it again, whole.")
    if head.startswith(b"PARE") or tail == b"PARE":
        raise SourceError(f"{name}: the Parquet file is encrypted.\n  Export it without encryption.")
    if not head.startswith(MARK):
        refuse_other_kinds(name, head)
        raise SourceError(
            f"{name}: this is not a Parquet file.\n"
            "  Export it again; if it is text with separators, give it the ending .csv."
        )


def _damaged(name: str, reason: str) -> SourceError:
    return SourceError(
        f"{name}: cannot be read as Parquet; it is damaged or uses a feature that is not supported.\n"
        f"  Export it again. The reader said: {plain_reason(reason)}"
    )


def plain_reason(reason: str) -> str:
    """The first line of a reader's error message without paths of this machine."""
    without = re.sub(r"""["']?(?:[A-Za-z]:)?[/\\][^\s"']*["']?""", "the file", reason)
    return without.removeprefix("Invalid Input Error: ").removeprefix("IO Error: ")[:160]
