"""Literal runs on disk for the tests of the index, of retention, of the history and of the doctor."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

FIGURE = {"key": "nrr", "name": "Net revenue retention (NRR)", "unit": "fraction", "low": None, "high": None}


def tile(value: float | None, **changes: Any) -> dict[str, Any]:
    """A headline figure."""
    return FIGURE | {"value": value, "text": "–" if value is None else f"{value:.1%}"} | changes


def write_run(out: Path, series: str = "churn", day: int = 1, **changes: Any) -> Path:
    """A run of that day of 2026 with its record, its report, its notebook and the latest report; returns its folder."""
    at = datetime(2025, 12, 31, 5) + timedelta(days=day)
    run_id = f"{at:%Y%m%dT%H%M%S}000Z-0001"
    record = {
        "series": series,
        "run_id": run_id,
        "status": "ok",
        "started_at": f"{at.isoformat(timespec='milliseconds')}Z",
        "duration_s": 8.0,
        "as_of": "2026-01-01",
        "notebook": "churn.ipynb",
        "title": "Churn and retention",
        "question": "Are we keeping them?",
        "subject": series.split("/")[0],
        "parameters": {},
        "source_fingerprint": f"f{day}",
        "headline": [tile(1 + day / 100)],
        "takeaways": [],
        "changed": None,
        "error": None,
    } | changes
    if record["status"] == "failed":
        record |= {"headline": [], "error": record["error"] or {"cell": 3, "message": f"day {day} went wrong"}}
    folder = out / series / run_id
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "notebook.ipynb").write_text("{}")
    if record["status"] != "failed":
        (folder / "report.html").write_text("<html></html>")
        (folder.parent / "latest.html").write_text("<html></html>")
    return folder


def read_log(out: Path) -> list[dict[str, Any]]:
    """All events in the log of a folder of reports, oldest first."""
    files = sorted((out / ".logs").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
