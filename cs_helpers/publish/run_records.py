"""The records of all runs below a folder of reports, read from their ``run.json`` files and checked.

There is no other store of runs: the index page, the history, the schedule and "what changed" all read these records.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from cs_helpers.publish.series import Record

RECORD = "run.json"
STATUSES = ("ok", "warnings", "failed")
_REQUIRED_KEYS = ("run_id", "series", "status", "started_at")
_HISTORY_KEYS = (
    "run_id", "status", "started_at", "duration_s", "as_of", "headline", "parameters", "source_fingerprint",
)  # fmt: skip
UNREADABLE = (OSError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""What ``read_record`` raises for a file that is not a record of a run."""
_MAX_BYTES = 20_000_000  # a record has some kilobytes


def read_records(out: Path) -> tuple[list[Record], list[Path]]:
    """All run records under ``out``, newest first, and the files that could not be read as one.

    Hidden folders are runs that have not ended. A broken file raises no error: it is returned in the second list.
    Series and run id come from the folder, so a run that was moved is found in its new place.
    """
    records, broken = [], []
    for path, series in find_runs(out):
        try:
            record = read_record(path / RECORD)
        except FileNotFoundError:
            continue  # removed after it was listed
        except UNREADABLE:
            broken.append(path / RECORD)
            continue
        records.append(record | {"series": series, "run_id": path.name})
    return sorted(records, key=lambda record: (record["started_at"], record["run_id"]), reverse=True), broken


def find_runs(out: Path) -> Iterator[tuple[Path, str]]:
    """The folder and the series of every run under ``out``, in any order.

    A run is a folder with a run.json, two or more levels below ``out``. Hidden and linked folders are not searched.
    """
    waiting: list[tuple[str, str]] = [(str(out), "")]
    while waiting:
        folder, series = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                names = sorted(e.name for e in entries if e.name[0] != "." and e.is_dir(follow_symlinks=False))
        except OSError:
            continue  # it does not exist or cannot be read
        for name in names:
            path = os.path.join(folder, name)
            if series and os.path.exists(os.path.join(path, RECORD)):
                yield Path(path), series
            else:
                waiting.append((path, f"{series}/{name}" if series else name))


def by_series(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of each series: series sorted by name, records in their original order."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record["series"], []).append(record)
    return dict(sorted(found.items()))


def read_series(out: Path) -> list[Record]:
    """What the index page shows of each series below ``out``, sorted by the name of the series.

    Keys: series, title, question, subject, notebook; ``last_good`` (run record plus finished_at and the links report,
    notebook_file and latest) or None; ``last_failed`` (run_id, started_at, message, notebook_file) if the last attempt
    failed and is newer than the last good run, or None; ``history`` (newest first: run_id, status, started_at,
    finished_at, duration_s, as_of, headline, parameters, source_fingerprint, report or None, message or None);
    ``broken``, how many run records of the series could not be read. Links are relative to ``out``.
    """
    return describe_series(out, *read_records(out))


def describe_series(
    out: Path, records: Sequence[Record], broken: Sequence[Path], without: Collection[tuple[str, str]] = ()
) -> list[Record]:
    """The same as ``read_series``, from records that were read before; runs in ``without`` (series, id) are omitted."""
    gone = set(without)
    shown = [record for record in records if (record["series"], record["run_id"]) not in gone]
    unread = [path.parent.parent.relative_to(out).as_posix() for path in broken]
    return [_one_series(out, name, runs, unread.count(name)) for name, runs in by_series(shown).items()]


def _one_series(out: Path, name: str, runs: list[Record], broken: int) -> Record:
    good = next((run for run in runs if run["status"] != "failed"), None)
    failed = runs[0] if runs[0]["status"] == "failed" else None
    named: Record = next((run for run in (good, *runs) if run and run.get("title")), {})
    return {
        "series": name,
        "title": named.get("title") or name,
        "question": named.get("question") or "",
        "subject": runs[0].get("subject") or name.split("/")[0],
        "notebook": runs[0].get("notebook"),
        "last_good": good and good | _links(good) | {"finished_at": _finished(good)},
        "last_failed": failed and _failure(out, failed),
        "history": [
            {key: run.get(key) for key in _HISTORY_KEYS}
            | {"finished_at": _finished(run), "message": _why(run)}
            | {"report": None if run["status"] == "failed" else _links(run)["report"]}
            for run in runs
        ],
        "broken": broken,
    }


def _failure(out: Path, run: Record) -> Record:
    has_notebook = (out / run["series"] / run["run_id"] / "notebook.ipynb").is_file()
    notebook_file = _links(run)["notebook_file"] if has_notebook else None
    return {key: run[key] for key in ("run_id", "started_at")} | {"message": _why(run), "notebook_file": notebook_file}


def _links(run: Record) -> dict[str, str]:
    folder, run_id = quote(run["series"]), quote(run["run_id"])
    return {
        "report": f"{folder}/{run_id}/report.html",
        "notebook_file": f"{folder}/{run_id}/notebook.ipynb",
        "latest": f"{folder}/latest.html",
    }


def _finished(run: Record) -> str:
    ended = _instant(run["started_at"]) + timedelta(seconds=run.get("duration_s") or 0)
    return ended.isoformat(timespec="seconds").replace("+00:00", "Z")


def _why(run: Record) -> str | None:
    return (run.get("error") or {}).get("message")


def read_record(path: Path) -> Record:
    """The record in a file. Raises OSError, ValueError, TypeError and others if it is not what a run writes.

    A record that is returned can be shown: all fields have their types, and numbers are finite.
    """
    with path.open("rb") as file:
        text = file.read(_MAX_BYTES + 1)
    if len(text) > _MAX_BYTES:
        raise ValueError("too large")
    record: Record = json.loads(text.decode("utf-8"), parse_constant=_refuse)
    if not all(isinstance(record.get(key), str) for key in _REQUIRED_KEYS):
        raise ValueError("not a run record")
    if record["status"] not in STATUSES:
        raise ValueError("no such status")
    _expect(str, *map(record.get, ("title", "question", "subject", "as_of", "notebook", "source")))
    _expect(int | float, record.get("duration_s"), record.get("attempt"))
    # In the form that runs write, so that sorting the texts sorts the times.
    started = _instant(record["started_at"]).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record["started_at"] = record["started_at"] if record["started_at"].endswith("Z") else started
    _finished(record)
    _expect(str, _why(record), *(record.get("takeaways") or []))
    for tile in record.get("headline") or []:
        _expect(str, tile["key"], *map(tile.get, ("name", "text", "unit")))
        _numbers(*map(tile.get, ("value", "low", "high")))
    if changed := record.get("changed"):
        _instant(changed["started_at"])
        _expect(str, changed.get("as_of"))
        for row in changed["rows"]:
            if not all(isinstance(row[key], str) for key in ("key", "name", "then", "now")):
                raise TypeError("texts")
            _numbers(row["difference"])
            if row["inside"] not in (True, False, None):
                raise ValueError("inside")
        changed["rows"] = [{"unit": None} | row for row in changed["rows"]]
        changed["other"] = [str(name) for name in changed.get("other") or []]
    return record


def _expect(kind: Any, *values: Any) -> None:
    for value in values:
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{value!r:.40}")


def _numbers(*values: Any) -> None:
    _expect(int | float, *values)
    if not all(math.isfinite(value) for value in values if value is not None):
        raise ValueError("not finite")


def _instant(text: str) -> datetime:
    """A time of a record in UTC; a time without a zone counts as UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
