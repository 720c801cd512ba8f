"""The index of all series: read from the run records alone, so that there is no second store to drift."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cs_helpers
from cs_helpers.errors import ParameterError
from cs_helpers.reports import series as notebooks

_NEEDED = ("series", "run_id", "status", "started_at")


def read_records(out: Path) -> tuple[list[dict[str, Any]], list[Path]]:
    """All run records under ``out``, newest first, and the files that could not be read as one.

    Hidden folders are runs that have not ended. A broken file is never fatal: it is named and left out.
    """
    records, broken = [], []
    for path in sorted(out.rglob("run.json")):
        if any(part.startswith(".") for part in path.relative_to(out).parts):
            continue
        record = _read_record(path)
        if record is None:
            broken.append(path)
        else:
            records.append(record)
    return sorted(records, key=lambda record: (record["started_at"], record["run_id"]), reverse=True), broken


def read_series(out: Path) -> list[dict[str, Any]]:
    """What the index shows of each series, by name.

    Keys: series, title, question, notebook; ``last_good`` (run record plus finished_at and the links report,
    notebook_file and latest) or None; ``last_failed`` (run_id, started_at, message) if the last attempt failed and
    is newer than the last good run, or None; ``history`` (newest first: run_id, status, started_at, finished_at,
    duration_s, as_of, headline, report or None, message or None); ``broken``, how many run records of the series
    could not be read. Links are relative to ``out``.
    """
    records, broken = read_records(out)
    by_series: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_series.setdefault(record["series"], []).append(record)
    return [
        _one_series(out, name, runs, sum(_belongs(out, path, name) for path in broken))
        for name, runs in sorted(by_series.items())
    ]


def rebuild(out: Path) -> Path:
    """Writes ``index.html`` under ``out`` anew and replaces the old one in one step; returns its path."""
    from cs_helpers.reports.html import render_index
    from cs_helpers.reports.publish import replace_file

    path = out / "index.html"
    replace_file(path, render_index(read_series(out), cs_helpers.__version__))
    return path


def _one_series(out: Path, name: str, runs: list[dict[str, Any]], broken: int) -> dict[str, Any]:
    good = next((run for run in runs if run["status"] != "failed"), None)
    failed = runs[0] if runs[0]["status"] == "failed" else None
    title, question = _title(out, good) if good else (name, "")
    return {
        "series": name,
        "title": title,
        "question": question,
        "notebook": runs[0].get("notebook"),
        "last_good": good and good | _links(good) | {"finished_at": _finished(good)},
        "last_failed": failed
        and {key: failed.get(key) for key in ("run_id", "started_at")} | {"message": _why(failed)},
        "history": [_history_entry(run) for run in runs],
        "broken": broken,
    }


def _history_entry(run: dict[str, Any]) -> dict[str, Any]:
    kept = {key: run.get(key) for key in ("run_id", "status", "started_at", "duration_s", "as_of", "headline")}
    report = None if run["status"] == "failed" else _links(run)["report"]
    return kept | {"finished_at": _finished(run), "report": report, "message": _why(run)}


def _links(run: dict[str, Any]) -> dict[str, str]:
    folder = quote(run["series"])
    return {
        "report": f"{folder}/{run['run_id']}/report.html",
        "notebook_file": f"{folder}/{run['run_id']}/notebook.ipynb",
        "latest": f"{folder}/latest.html",
    }


def _finished(run: dict[str, Any]) -> str:
    started = datetime.fromisoformat(run["started_at"])
    ended = started + timedelta(seconds=run.get("duration_s") or 0)
    return ended.isoformat(timespec="seconds").replace("+00:00", "Z")


def _why(run: dict[str, Any]) -> str | None:
    return (run.get("error") or {}).get("message")


def _title(out: Path, run: dict[str, Any]) -> tuple[str, str]:
    """From the executed notebook that was kept: the notebook it came from may have changed or gone since."""
    try:
        return notebooks.title_and_question(out / run["series"] / run["run_id"] / "notebook.ipynb")
    except ParameterError:
        return str(run["series"]), ""


def _belongs(out: Path, path: Path, series: str) -> bool:
    return path.parent.parent.relative_to(out).as_posix() == series


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        complete = isinstance(record, dict) and all(isinstance(record.get(key), str) for key in _NEEDED)
        if complete:
            _finished(record), _why(record)
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return None
    return record if complete else None
