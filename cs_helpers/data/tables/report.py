"""The outcome of a data check as JSON for scripts and as CSV of the rows set aside."""

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
from cs_helpers.data.tables.load_state import Finding, TableFacts

SEVERITIES = ("error", "set aside", "warning", "note")


def quality(inspection: Inspection) -> list[Finding]:
    """All findings including errors, the most severe first."""
    found = [Finding("", "unreadable", "error", 0, *_parted(text)) for text in inspection.unreadable]
    for problem, check in zip(inspection.problems, inspection.checks, strict=True):
        table, _, name = check.partition(".")
        rows = max(problem.count, len(problem.rows))
        found.append(Finding(table, name, "error", rows, *_parted(str(problem))))
    return sorted([*found, *inspection.findings], key=lambda each: SEVERITIES.index(each.severity))


def _parted(text: str) -> tuple[str, str]:
    message, _, fix = text.partition("\n")
    return message, fix.strip()


def as_record(inspection: Inspection, set_aside_file: str | None = None) -> dict[str, Any]:
    """The whole check as data; the tables and columns are the contract's own entries."""
    by_name = {fact.name: fact for fact in inspection.facts}
    return {
        "schema_version": 1,
        "source": inspection.source,
        "kind": inspection.kind,
        "company": inspection.company,
        "status": status(inspection),
        "as_of": _day(inspection.as_of),
        "observed_from": _day(inspection.observed_from),
        "data_through": _day(inspection.data_through),
        "currency": inspection.currency,
        "fingerprint": inspection.fingerprint,
        "tables": [entry | _facts(by_name.get(str(entry["name"]))) for entry in as_records()],
        "findings": [asdict(finding) for finding in quality(inspection)],
        "set_aside": {"rows": set_aside_rows(inspection), "file": set_aside_file},
    }


def status(inspection: Inspection) -> str:
    """``errors``, ``warnings`` or ``ok``; rows set aside count as warnings."""
    if inspection.failed:
        return "errors"
    noticed = {finding.severity for finding in inspection.findings} & {"warning", "set aside"}
    return "warnings" if noticed else "ok"


def set_aside_rows(inspection: Inspection) -> int:
    """How many rows were set aside in all."""
    return int(inspection.engine.value("SELECT count(*) FROM aside"))


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


def set_aside_csv(inspection: Inspection, limit: int | None = None) -> str:
    """The rows set aside as CSV without cells that a spreadsheet would run as a formula."""
    return safe_csv(set_aside_frame(inspection.engine, limit))


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
