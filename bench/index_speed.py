"""Speed of the index: 1,000 runs of 20 series, read and made into one page.

    python bench/index_speed.py

A process of its own each time, start included: that is what a user or cron waits for. The peer is what there is
without run records: nbformat reading the same 1,000 executed notebooks, whose metadata holds papermill's parameters,
status and duration, and listing them. It draws no page. The notebooks are small, which favours the peer: one of a real
report is a hundred times as large. Medians of three.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat

SERIES, RUNS, TIMES = 20, 50, 3
FIGURES: tuple[str, ...] = (
    "Monthly recurring revenue (MRR)",
    "Net revenue retention (NRR)",
    "Gross revenue retention (GRR)",
)
FIGURES += ("Logo retention", "Accounts at risk")
TAKEAWAY = (
    "Gross revenue retention (GRR) fell from 94.9 % to 86.3 %. "
    "A difference of −8.6 points, 95 % interval −16.6 to −0.5."
)
QUALITY = "41 of 600 accounts hold several subscriptions at once (up to 2); their MRR is summed."
START = datetime(2026, 11, 23, 5, tzinfo=UTC)

PEER = """
import sys, warnings
from pathlib import Path
from typing import Any
import nbformat
warnings.simplefilter("ignore")
rows = []
for path in sorted(Path(sys.argv[1]).rglob("notebook.ipynb")):
    notebook = nbformat.read(path, as_version=4)
    said = notebook.metadata.get("papermill", {})
    rows.append((path.parent.parent.name, said.get("duration"), said.get("parameters"), said.get("exception")))
print(len(rows))
"""


def section() -> str:
    """The section of docs/benchmarks.md."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        _write_runs(out)
        ours = [sys.executable, "-m", "cs_helpers", "index", "--out", str(out)]
        peer = [sys.executable, "-c", PEER, str(out)]
        seconds = [_seconds(ours) for _ in range(TIMES + 1)][1:]  # the first fills the disk's cache for both
        others = [_seconds(peer) for _ in range(TIMES)]
        weight = (out / "index.html").stat().st_size
        record = next(out.rglob("run.json")).stat().st_size
    mine, theirs = statistics.median(seconds), statistics.median(others)
    lines = [
        "## The index",
        "",
        f"{SERIES * RUNS:,} runs of {SERIES} series with {len(FIGURES)} headline figures each (run records of "
        f"{record / 1e3:.1f} kB), process start included, medians of {TIMES}. The peer reads papermill's metadata "
        "out of the same runs' notebooks (small ones) with nbformat, and draws nothing.",
        "",
        "| `cs-helpers index` | nbformat | ratio | weight of the page | our bar |",
        "|---|---|---|---|---|",
        f"| {mine:.2f} s | {theirs:.2f} s | {theirs / mine:.1f}x | {weight / 1e6:.2f} MB | under 1 s, 1.5 MB |",
    ]
    return "\n".join(lines) + "\n"


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def _write_runs(out: Path) -> None:
    text = nbformat.writes(_notebook())
    for number in range(SERIES):
        for run in range(RUNS):
            record = _record(f"report_{number:02d}", run)
            folder = out / record["series"] / record["run_id"]
            folder.mkdir(parents=True)
            (folder / "run.json").write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False))
            (folder / "notebook.ipynb").write_text(text)
            (folder / "report.html").write_text("<!doctype html>")


def _notebook() -> nbformat.NotebookNode:
    """Sixty cells with short outputs, as papermill leaves them, and no chart."""
    cells = [nbformat.v4.new_markdown_cell("# A report\n\nWhat happened?")]
    for number in range(59):
        shown = nbformat.v4.new_output("display_data", {"text/html": f"<p>{TAKEAWAY}</p>", "text/plain": TAKEAWAY})
        cells.append(nbformat.v4.new_code_cell(f"print({number})", outputs=[shown], execution_count=number + 1))
    said = {"version": "2.7.0", "parameters": {"months": 12, "where": ""}, "duration": 4.2, "exception": None}
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata={"papermill": said})
    return made


def _record(series: str, run: int) -> dict[str, Any]:
    at = START - timedelta(days=7 * run)
    headline = [
        {
            "key": f"figure_{place}", "name": name, "unit": "fraction", "value": 0.9 + run % 7 / 100, "low": 0.85,
            "high": 0.98, "n": 427, "numerator": 363.0, "denominator": 427.0, "previous": 0.9211, "verdict": "fall",
            "text": f"{90 + run % 7}.0 %",
        }
        for place, name in enumerate(FIGURES)
    ]  # fmt: skip
    rows = [
        {
            "key": tile["key"], "name": tile["name"], "unit": "fraction", "then": "91.0 %", "now": tile["text"],
            "difference": -0.012, "inside": True,
        }
        for tile in headline
    ]  # fmt: skip
    failed = run % 25 == 24
    return {
        "schema_version": 1,
        "series": series,
        "run_id": f"{at:%Y%m%dT%H%M%S}000Z-0001",
        "status": "failed" if failed else "ok",
        "started_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration_s": 4.2,
        "notebook": f"{series}.ipynb",
        "title": series.replace("_", " ").title(),
        "question": "Are we keeping our customers, and which of them are we about to lose?",
        "subject": series,
        "parameters": {"as_of": "", "mapping": "", "months": 12, "source": "data/sample", "where": ""},
        "as_of": "2026-07-01",
        "audience": "full",
        "source": "data/sample",
        "source_fingerprint": f"f{run}",
        "definitions_version": "2026.2",
        "package_version": "0.1.0",
        "commit": "98dc0ad",
        "headline": [] if failed else headline,
        "takeaways": [] if failed else [TAKEAWAY] * 5,
        "quality": [
            {"table": "subscriptions", "check": name, "severity": "note", "rows": 140, "message": QUALITY}
            for name in ("concurrent_subscriptions", "gaps", "late_rows")
        ],
        "changed": None
        if failed
        else {"run_id": "x", "as_of": "2026-06-01", "started_at": "2026-11-16T05:00:00Z", "other": [], "rows": rows},
        "error": {"cell": 7, "ename": "KeyError", "message": "cell 7, under 'Headline': KeyError: 'mrr'"}
        if failed
        else None,
    }


if __name__ == "__main__":
    sys.stdout.write(section())
