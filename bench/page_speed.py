"""Weight and speed of the page a reader opens: bytes, time until it can be used, sorting, and rendering.

    python bench/page_speed.py

The peer of rendering is nbconvert's own ``basic`` template on the same executed notebook, in the same process, in turn;
the peer of opening is an empty page in the same browser. Sorting is timed in the page, from the click until the next
frame is drawn. Reads medians of five.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import Page, sync_playwright

from cs_helpers.publish import html
from cs_helpers.report import blocks

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5
ROWS = 5_000
SORT = """async () => {
  const button = document.querySelectorAll(".cs-sort")[COLUMN];
  const began = performance.now();
  button.click();
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  return performance.now() - began;
}"""
OPENED = """() => {
  const [seen] = performance.getEntriesByType("navigation");
  return seen.domContentLoadedEventEnd;
}"""


def section() -> str:
    """The section of docs/benchmarks.md."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        for name in ("churn", "data_check"):
            command = [sys.executable, "-m", "cs_helpers", "run", name, "--out", str(out)]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        lines = [
            "## The page",
            "",
            f"Medians of {RUNS}. Usable: until the page's script has run, opened from a file in headless Chromium; an "
            "empty page in the same browser beside it.",
            "",
            "| report | weight | of it styles and script | usable after | empty page | rendered from the executed "
            "notebook | nbconvert's basic template | our bar |",
            "|---|---|---|---|---|---|---|---|",
        ]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page()
            blank = out / "blank.html"
            blank.write_text("<!doctype html><title>blank</title>", encoding="utf-8")
            for name in ("churn", "data_check"):
                lines.append(_report_row(page, name, out, blank))
            lines += ["", _sorting(page, out)]
            browser.close()
    return "\n".join(lines) + "\n"


def _report_row(page: Page, name: str, out: Path, blank: Path) -> str:
    folder = next((out / name).glob("*/run.json")).parent
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    executed = nbformat.read(folder / "notebook.ipynb", as_version=4)
    stock = HTMLExporter(template_name="basic", exclude_input=True)
    html.render_report(executed, record), stock.from_notebook_node(executed)
    ours, peer = [], []
    for _ in range(RUNS):
        ours.append(_seconds(lambda: html.render_report(executed, record)))
        peer.append(_seconds(lambda: stock.from_notebook_node(executed)))
    weight = (out / name / "latest.html").stat().st_size
    shell = sum((html.SHELL / part).stat().st_size for part in ("shell.css", "shell.js", "report/index.html.j2"))
    opened, empty = [], []
    for _ in range(RUNS):
        opened.append(_opened(page, out / name / "latest.html"))
        empty.append(_opened(page, blank))
    return (
        f"| {name} | {weight / 1e6:.2f} MB | {shell / 1e3:.0f} kB | {statistics.median(opened):.0f} ms "
        f"| {statistics.median(empty):.0f} ms | {statistics.median(ours):.2f} s | {statistics.median(peer):.2f} s "
        "| under 1.5 MB, 60 kB, 1 s, 0.5 s |"
    )


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _opened(page: Page, path: Path) -> float:
    page.goto(path.as_uri())
    return float(page.evaluate(OPENED))


def _sorting(page: Page, out: Path) -> str:
    rows = pd.DataFrame(
        {
            "Account": [f"Account {place * 7919 % ROWS}" for place in range(ROWS)],
            "MRR": [f"€{place * 104_729 % 9_973:,}" for place in range(ROWS)],
            "Since": [f"{1 + place % 28} March {2015 + place % 11}" for place in range(ROWS)],
        }
    )
    cells = [nbformat.v4.new_markdown_cell("# Rows\n\nHow fast?"), nbformat.v4.new_markdown_cell("## Headline")]
    block = blocks.table(rows, "Rows")
    shown = nbformat.v4.new_output("display_data", {"text/html": block.html})
    cells.append(nbformat.v4.new_code_cell("", outputs=[shown]))
    record = {
        "status": "ok", "audience": "full", "package_version": "", "notebook": "rows.ipynb", "parameters": {},
        "started_at": "2026-01-01T00:00:00Z", "run_id": "", "duration_s": 0.0,
    }  # fmt: skip
    path = out / "rows.html"
    path.write_text(html.render_report(nbformat.v4.new_notebook(cells=cells), record), encoding="utf-8")
    page.goto(path.as_uri())
    found = []
    for column, name in enumerate(rows.columns):
        times = [float(page.evaluate(SORT.replace("COLUMN", str(column)))) for _ in range(RUNS)]
        found.append(f"{name} {statistics.median(times):.0f} ms")
    return f"A table of {ROWS:,} rows sorts by {', '.join(found)} (bar: under 100 ms), until the next frame is drawn."


if __name__ == "__main__":
    sys.stdout.write(section())
