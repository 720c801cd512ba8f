"""Other records of who left: read beside the tables and compared with paid periods, but not used for figures."""

from __future__ import annotations

import pandas as pd

from cs_helpers.core.errors import Problem, SourceError, did_you_mean
from cs_helpers.data.contract.checks import MAX_SHOWN, plain
from cs_helpers.data.contract.columns import Column
from cs_helpers.data.engines.duckdb import quote
from cs_helpers.data.mapping import ChurnRecord, TableMapping
from cs_helpers.data.sources import ReadOptions
from cs_helpers.data.sources.staged import LINE
from cs_helpers.data.tables.expressions import Reader
from cs_helpers.data.tables.load_state import LoadState


def read_records(state: LoadState) -> dict[str, pd.DataFrame]:
    """The rows of each record of churn: account_id, left (true or false), and date where the record has one."""
    found = {}
    for record in state.settings.churn_records:
        try:
            rows = _read(state, record)
        except SourceError as error:
            state.unreadable.append(str(error))
            continue
        if rows is not None:
            found[record.name] = rows
    return found


def _read(state: LoadState, record: ChurnRecord) -> pd.DataFrame | None:
    settings = state.settings
    usual = ReadOptions(settings.separator, settings.encoding)
    raw, staged = state.stage(record.file, next((how for name, how in state.staged if name == record.file), usual))
    lacking = [name for name in (record.account_id, record.flag, record.date) if name and name not in staged.headers]
    for name in lacking:
        fix = f"It has: {', '.join(staged.headers)}.{did_you_mean(name, staged.headers)} Correct `churn_records`."
        what = f"no column '{name}', which churn_records names."
        state.problem("missing_column", "churn_records", Problem(staged.name, what, fix))
    if lacking:
        return None
    entry = TableMapping(date_format=settings.date_format, timezone=settings.timezone)
    reader = Reader(entry, dict(staged.types))
    left = reader.has_one_of(record.flag, record.true_values) if record.flag else "TRUE"
    columns = [f"{reader.header(record.account_id).text} AS account_id", f'{left} AS "left"', f"{quote(LINE)} AS line"]
    if record.date:
        written = reader.header(record.date)
        columns += [f"{reader.typed(Column('date', 'date', ''), written)} AS date", f"{written.text} AS written"]
    rows = state.engine.frame(f"SELECT {', '.join(columns)} FROM {quote(raw)} ORDER BY line")
    if record.date and len(bad := rows[rows["date"].isna() & rows["written"].notna()]):
        values = "; ".join(
            f"{record.date} {plain(value)} is not a date written as {settings.date_format}"
            for value in bad["written"].drop_duplicates().head(MAX_SHOWN)
        )
        lines = tuple(staged.lines(bad["line"].head(MAX_SHOWN).astype(int).tolist()))
        fix = "Correct the value, or `date_format` in the mapping."
        state.problem("unreadable_date", "churn_records", Problem(staged.name, f"{values}.", fix, lines, len(bad)))
    return rows
