"""Fan-out: one notebook, one report for each value of an attribute, such as each segment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cs_helpers.core.errors import ParameterError
from cs_helpers.publish import run_records, series
from cs_helpers.publish.series import Scalar

MAX_PARTS = 1000
NAMING = ("account_id", "name", "csm.rep_id", "csm.name", "csm.manager_id")
"""Attributes whose values name accounts and people: no shared report may be about one of them."""

_MAX_NAME_LENGTH = 60


def check(notebook: Path, column: str, values: Mapping[str, Scalar]) -> None:
    """Raises ParameterError if the notebook cannot be run for each value of this column."""
    missing = [name for name in ("source", "where") if name not in series.declared_parameters(notebook)]
    if missing:
        raise ParameterError(
            f"{notebook.name}: has no parameter {' and no parameter '.join(missing)}, so it cannot be run for "
            f"each {column}.\n"
            f"  Declare {' and '.join(missing)} and pass them on: cs.load(source, mapping, as_of, where)"
        )
    if str(values.get("audience", "full")) != "full" and column in NAMING:
        raise ParameterError(
            f"--for-each {column}: each report would name an account or a person, and a shared report must not.\n"
            "  Choose an attribute that many accounts share, such as segment or csm.team, or --audience full."
        )


def parts(
    notebook: Path, column: str, values: Mapping[str, Scalar], found: Sequence[str]
) -> dict[str, dict[str, Scalar]]:
    """Name (such as ``segment=smb``) and parameters of the report for each value in ``found``, in the same order.

    Raises ParameterError for no value or too many.
    """
    if not found or len(found) > MAX_PARTS:
        what = "no account has a value" if not found else f"{len(found):,} values, at most {MAX_PARTS:,} reports"
        raise ParameterError(
            f"{notebook.name}: --for-each {column}: {what}.\n"
            "  Choose another attribute, or select fewer accounts with -p where=column=value."
        )
    names = part_names(column, found)
    where = str(values.get("where") or "")
    return {
        names[value]: {**values, "where": f"{where}, {condition(column, value)}".removeprefix(", ")} for value in found
    }


def condition(column: str, value: str) -> str:
    """``column=value`` as the parameter ``where`` accepts it; in quotes if the value holds a comma or a quote."""
    doubled = value.replace('"', '""')
    plain = value and value == value.strip() and not set(value) & set(',"')
    return f"{column}={value}" if plain else f'{column}="{doubled}"'


def part_names(column: str, found: Sequence[str]) -> dict[str, str]:
    """A name for each value: safe as a folder name on every system, and unique."""
    safe = {value: re.sub(r"[^\w.-]+", "-", value.lower()).strip(".-")[:_MAX_NAME_LENGTH] for value in found}
    twice = {name for name in safe.values() if list(safe.values()).count(name) > 1}
    return {
        value: f"{column}={name}"
        if name and name not in twice
        else f"{column}=" + f"{name}-{hashlib.sha256(value.encode()).hexdigest()[:8]}".strip("-")
        for value, name in safe.items()
    }


def published_series(out: Path, scheduled: Mapping[str, Any]) -> set[str]:
    """The series that already have a good run for this time of this job."""
    return {
        record["series"]
        for record in run_records.read_records(out)[0]
        if record["status"] != "failed"
        and (of := record.get("scheduled") or {}).get("job") == scheduled["job"]
        and of.get("at") == scheduled["at"]
    }
