"""The reports say about known sources what they said before: golden.json against what the notebooks find now.

How differences are read, and how golden.json is written again after a change that is meant, is said in golden.py.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest
from golden import golden

ROOT = Path(__file__).resolve().parents[2]
KEPT = golden.read(Path(__file__).with_name("golden.json"))
JOBS = 1 if "PYTEST_XDIST_WORKER" in os.environ else 2


@pytest.mark.reports
@pytest.mark.parametrize("source", golden.SOURCES)
def test_the_figures_of_the_reports_have_not_changed(source: str) -> None:
    if why := golden.missing(ROOT, source):
        pytest.skip(why)
    now = golden.collect(ROOT, [source], JOBS)
    kept = {**KEPT, "runs": {run: one for run, one in KEPT["runs"].items() if run.split(":")[0] == source}}
    assert kept["runs"].keys() == now["runs"].keys()
    differ = golden.compare(kept, now)
    assert not differ.figures and not differ.words, f"\n{golden.report(differ)}"


def test_of_public_data_sets_no_content_is_kept() -> None:
    kept = {run: one for run, one in KEPT["runs"].items() if golden.SOURCES[run.split(":")[0]].hashed}
    assert kept and all(one["hashed"] for one in kept.values())
    words = [word for one in kept.values() for word in _texts([one["takeaways"], one["quality"], one["tables"]])]
    assert words and all(len(word) == 32 and int(word, 16) >= 0 for word in words)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return _texts(list(value.values()))
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else [value]


def _with_a_cell_changed(hashed: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    run = KEPT["runs"]["sample:churn"]
    other = copy.deepcopy(run)
    rows = other["tables"][0]["rows"]
    rows[0][1] = str(int(rows[0][1]) + 1)
    made = {"data": {}, "skipped": {}, "runs": {"sample:churn": golden.hashed(run) if hashed else run}}
    return made, {**made, "runs": {"sample:churn": other}}


@pytest.mark.parametrize("hashed", [False, True])
def test_one_changed_cell_is_a_difference_of_figures(hashed: bool) -> None:
    differ = golden.compare(*_with_a_cell_changed(hashed))
    assert len(differ.figures) == 1 and not differ.words
    assert golden.compare(KEPT, KEPT).figures == []


def test_the_order_of_tables_rows_and_columns_captions_and_renamed_headers_are_no_difference() -> None:
    kept, _ = _with_a_cell_changed(hashed=False)
    run = copy.deepcopy(kept["runs"]["sample:churn"])
    run["tables"].reverse()
    for table in run["tables"]:
        table["caption"] = ""
        table["rows"] = [row[:1] + row[:0:-1] for row in reversed(table["rows"])]
        table["columns"] = [
            "Clients" if name == "Accounts" else name for name in table["columns"][:1] + table["columns"][:0:-1]
        ]
    now = {**kept, "runs": {"sample:churn": run}}
    assert golden.compare(kept, now, {"churn: Accounts": "Clients"}).figures == []
    assert golden.compare(kept, now, {}).figures
