"""What a check found, as data for scripts, lines for a terminal and files to work through."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import asdict
from typing import Any

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.data.contract.dictionary import as_records
from cs_helpers.data.tables.frames import set_aside_frame
from cs_helpers.data.tables.inspection import Inspection
from cs_helpers.data.tables.progress import Finding, TableFacts

SEVERITIES = ("error", "set aside", "warning", "note")


def quality(seen: Inspection) -> list[Finding]:
    """Everything found, the worst first; errors in the same form as the rest."""
    found = [Finding("", "unreadable", "error", 0, *_parted(text)) for text in seen.unreadable]
    for problem, check in zip(seen.problems, seen.checks, strict=True):
        table, _, name = check.partition(".")
        rows = max(problem.count, len(problem.rows))
        found.append(Finding(table, name, "error", rows, *_parted(str(problem))))
    return sorted([*found, *seen.findings], key=lambda each: SEVERITIES.index(each.severity))


def _parted(text: str) -> tuple[str, str]:
    message, _, fix = text.partition("\n")
    return message, fix.strip()


def as_record(seen: Inspection, set_aside_file: str | None = None) -> dict[str, Any]:
    """The whole check as data; the tables and columns are the contract's own entries."""
    by_name = {fact.name: fact for fact in seen.facts}
    return {
        "schema_version": 1,
        "source": seen.source,
        "kind": seen.kind,
        "company": seen.company,
        "status": status(seen),
        "as_of": _day(seen.as_of),
        "observed_from": _day(seen.observed_from),
        "data_through": _day(seen.data_through),
        "currency": seen.currency,
        "fingerprint": seen.fingerprint,
        "tables": [entry | _facts(by_name.get(str(entry["name"]))) for entry in as_records()],
        "findings": [asdict(finding) for finding in quality(seen)],
        "set_aside": {"rows": set_aside_rows(seen), "file": set_aside_file},
    }


def status(seen: Inspection) -> str:
    """``errors``, ``warnings`` or ``ok``; rows set aside are something to look at, too."""
    if seen.failed:
        return "errors"
    noticed = {finding.severity for finding in seen.findings} & {"warning", "set aside"}
    return "warnings" if noticed else "ok"


def set_aside_rows(seen: Inspection) -> int:
    """How many rows were set aside in all."""
    return int(seen.engine.rows("SELECT count(*) FROM aside")[0][0])


def _facts(fact: TableFacts | None) -> dict[str, Any]:
    if fact is None:
        return {"present": False}
    return {
        "present": True,
        "file": fact.where,
        "rows_read": fact.read,
        "rows_used": fact.rows,
        "first": _day(fact.first),
        "last": _day(fact.last),
        "headers": fact.columns,
        "attributes": [
            {"name": name, "known_only_after_outcome": name in fact.outcome_only} for name in fact.attributes
        ],
        "columns_not_read": list(fact.unread),
    }


def _day(value: pd.Timestamp | None) -> str | None:
    return None if value is None or pd.isna(value) else f"{value:%Y-%m-%d}"


def set_aside_csv(seen: Inspection, most: int | None = None) -> str:
    """The rows set aside as CSV that a spreadsheet opens without running anything."""
    return safe_csv(set_aside_frame(seen.engine, most))


def safe_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV in which no cell can start a formula: such a cell gets an apostrophe in front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_inert(name) for name in frame.columns])
    writer.writerows([_inert(value) for value in row] for row in frame.itertuples(index=False, name=None))
    return text.getvalue()


# What a spreadsheet may run: also behind blanks, and in the full width that some take for the same sign.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def _inert(value: object) -> object:
    if not isinstance(value, str):
        return value
    shown = visible(value).replace("\r", " ")
    return f"'{shown}" if _FORMULA.match(shown) else shown


def set_aside_head(seen: Inspection, most: int = 1000) -> pd.DataFrame:
    """The first rows that were set aside."""
    return set_aside_frame(seen.engine, most)
