"""The history on a terminal: the newest runs, what they said, and why they failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from run_records import write_run
from typer.testing import CliRunner

from cs_helpers.cli import app


def call(*words: Any) -> Any:
    return CliRunner().invoke(app, ["history", *map(str, words)])


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TZ", "UTC")
    write_run(tmp_path, "churn", day=1)
    write_run(tmp_path, "churn", day=2, status="warnings")
    write_run(tmp_path, "churn", day=3, status="failed", error={"cell": 4, "message": "churn.ipynb, cell 4: no mrr"})
    write_run(tmp_path, "churn/segment=smb", day=4)
    write_run(tmp_path, "roi", day=5)
    return tmp_path


def test_each_run_is_a_line_with_its_figures_or_what_went_wrong(out: Path) -> None:
    shown = call("--out", out)
    assert shown.exit_code == 0
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert lines == [
        "series started as of status seconds figures",
        "roi 2026-01-05 05:00 2026-01-01 ok 8.0 NRR 105.0%",
        "churn/segment=smb 2026-01-04 05:00 2026-01-01 ok 8.0 NRR 104.0%",
        "churn 2026-01-03 05:00 2026-01-01 failed 8.0 churn.ipynb, cell 4: no mrr",
        "churn 2026-01-02 05:00 2026-01-01 warnings 8.0 NRR 102.0%",
        "churn 2026-01-01 05:00 2026-01-01 ok 8.0 NRR 101.0%",
    ]


def test_a_series_comes_with_its_parts_and_a_part_alone_without_its_name(out: Path) -> None:
    assert "segment=smb" in call("churn", "--out", out).stdout
    alone = call("churn/segment=smb", "--out", out).stdout
    assert len(alone.splitlines()) == 2
    assert "segment" not in alone
    assert "roi" not in call("churn", "--out", out).stdout


def test_so_many_as_asked_for_the_newest_first(out: Path) -> None:
    shown = json.loads(call("-n", 2, "--json", "--out", out).stdout)
    assert [record["series"] for record in shown] == ["roi", "churn/segment=smb"]
    assert shown[0]["headline"][0]["value"] == 1.05, "scripts get the whole records"


def test_an_unknown_series_is_wrong_input_and_the_nearest_is_named(out: Path) -> None:
    refused = call("chrun", "--out", out)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "There are: churn, churn/segment=smb, roi. Did you mean 'churn'?" in refused.stderr


def test_no_runs_yet_says_how_to_make_one(tmp_path: Path) -> None:
    shown = call("--out", tmp_path / "none")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "Make one: cs-helpers run NAME" in shown.stderr
    assert json.loads(call("--json", "--out", tmp_path / "none").stdout) == []


def test_what_a_record_says_can_neither_style_nor_steer_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b[31mred\x1b]8;;https://example.org\x1b\\ [bold]b[/bold] \u202egnp"
    write_run(tmp_path, status="failed", error={"message": evil}, as_of=evil)
    shown = call("--out", tmp_path).stdout
    assert not {"\x1b", "\u202e"} & set(shown)
    assert "[bold]b[/bold]" in " ".join(shown.split())


def test_a_broken_record_is_named(out: Path) -> None:
    broken = write_run(out, day=9) / "run.json"
    broken.write_text("{")
    shown = call("roi", "--out", out)
    assert shown.exit_code == 0
    assert f"{broken}: cannot be read as a run record and is left out." in shown.stderr
