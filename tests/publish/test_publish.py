"""A reader sees a whole report or the one before; no reader ever sees a secret. And the index, from records alone."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from cs_helpers.core.errors import ReportFailed
from cs_helpers.publish import publish, run_records

NOTEBOOK = json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# A title\n", "\n", "Why?"]}]})
SECRET = 'pa"ss&word-1'


def record(run_id: str = "20240101T000000Z-0001", **changes: Any) -> dict[str, Any]:
    return {
        "series": "churn",
        "title": "A title",
        "question": "Why?",
        "run_id": run_id,
        "status": "ok",
        "started_at": f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T00:00:00Z",
        "duration_s": 8.0,
        "as_of": "2024-01-01",
        "notebook": "churn.ipynb",
        "headline": [],
        "error": None,
    } | changes


def failed(run_id: str, message: str) -> dict[str, Any]:
    return record(run_id, status="failed", error={"cell": 3, "ename": "KeyError", "message": message})


def publish_one(out: Path, one: dict[str, Any], report: str = "<html></html>", notebook: str = NOTEBOOK) -> Path:
    temporary = out / f".{one['run_id']}"
    temporary.mkdir(parents=True)
    return publish.publish(temporary, out, one, notebook, report)


def keep(out: Path, one: dict[str, Any]) -> Path:
    temporary = out / f".{one['run_id']}"
    temporary.mkdir(parents=True)
    return publish.keep_failed(temporary, out, one, NOTEBOOK)


def files(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def test_a_published_run_is_three_files_and_the_latest_report(tmp_path: Path) -> None:
    folder = publish_one(tmp_path, record(), report="<html>new</html>")
    assert folder == tmp_path / "churn" / "20240101T000000Z-0001"
    assert files(tmp_path) == [
        "churn/20240101T000000Z-0001/notebook.ipynb",
        "churn/20240101T000000Z-0001/report.html",
        "churn/20240101T000000Z-0001/run.json",
        "churn/latest.html",
    ]
    assert (tmp_path / "churn" / "latest.html").read_text() == "<html>new</html>"
    assert json.loads((folder / "run.json").read_text()) == record()


def test_a_reader_sees_latest_html_whole_at_every_moment(tmp_path: Path) -> None:
    reports = [f"<html>{letter * 500_000}</html>" for letter in "ab"]
    publish_one(tmp_path, record("20240101T000000Z-0000"), reports[0])
    latest, seen, done = tmp_path / "churn" / "latest.html", [], threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(latest.read_text() in reports)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 30):
        publish_one(tmp_path, record(f"20240101T000000Z-{number:04d}"), reports[number % 2])
    done.set()
    reader.join()
    assert len(seen) > 10
    assert all(seen)


@pytest.mark.parametrize("name", ["DB_PASSWORD", "github_token", "CLIENT_SECRET_2", "API_KEY"])
@pytest.mark.parametrize(
    "report",
    [f"<html>\n<p>{SECRET}", '<html>\n<p title="pa&quot;ss&amp;word-1">', '<html>\n<script>x = "pa\\"ss&word-1"'],
    ids=["as it is", "escaped for HTML", "escaped for JSON"],
)
def test_the_value_of_a_secret_is_refused_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, report: str
) -> None:
    monkeypatch.setenv(name, SECRET)
    with pytest.raises(ReportFailed) as refused:
        publish_one(tmp_path, record(), report)
    assert f"report.html, line 2: holds the value of the environment variable {name}" in str(refused.value)
    assert "ss" not in str(refused.value).replace("PASSWORD", "")
    assert files(tmp_path) == []


def test_a_secret_in_the_notebook_is_found_in_its_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", SECRET)
    cell = {"cell_type": "code", "metadata": {}, "source": ["connect()"], "outputs": [{"text": f"using {SECRET}"}]}
    notebook = json.dumps({"cells": [json.loads(NOTEBOOK)["cells"][0], cell]})
    with pytest.raises(ReportFailed, match=r"notebook.ipynb, cell 2 \(connect\(\)\): holds the value of .* API_KEY"):
        publish_one(tmp_path, record(), notebook=notebook)


def test_a_secret_in_the_record_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", SECRET)
    with pytest.raises(ReportFailed, match=r"run.json, line \d+: holds the value"):
        publish_one(tmp_path, record(takeaways=[f"Log in with {SECRET}"]))


@pytest.mark.parametrize(("name", "value"), [("API_KEY", "short"), ("COLOUR", SECRET)])
def test_short_values_and_other_variables_are_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert publish_one(tmp_path, record(), f"<html>{value}</html>").is_dir()


def test_paths_of_this_machine_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/grace")
    monkeypatch.setenv("PWD", "")
    monkeypatch.chdir(tmp_path)
    assert publish.scan("report.html", "see /home/grace/data") == [
        "report.html, line 1: holds an absolute path below your home folder"
    ]
    assert publish.scan("report.html", f"\n<a href='file://{tmp_path}/x'>") == [
        "report.html, line 2: holds an absolute path below the working directory"
    ]


@pytest.mark.parametrize("text", ["../home/grace/data", "/home/graceland/data", "https://example.org/home/grace/x"])
def test_relative_paths_and_other_places_are_no_paths_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HOME", "/home/grace")
    assert publish.scan("report.html", text) == []


def test_what_is_kept_of_a_failure_says_no_more_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/grace")
    monkeypatch.setenv("PWD", "/home/grace/exports")
    monkeypatch.setenv("API_KEY", SECRET)
    kept = publish.redact_all(
        {"a": [f"no {SECRET}", 3], "b": "in /home/grace/exports/x.csv, /home/grace and /home/grace/y"}
    )
    assert kept == {"a": ["no [value of API_KEY]", 3], "b": "in x.csv, ~ and ~/y"}


def test_infinity_never_reaches_the_record(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        publish_one(tmp_path, record(headline=[{"key": "grr", "value": float("inf")}]))
    assert files(tmp_path) == []


def test_a_failed_run_is_kept_without_a_report_and_changes_no_other_file(tmp_path: Path) -> None:
    publish_one(tmp_path, record(), "<html>good</html>")
    folder = keep(tmp_path, failed("20240102T000000Z-0002", "no mrr"))
    assert files(folder) == ["notebook.ipynb", "run.json"]
    assert (tmp_path / "churn" / "latest.html").read_text() == "<html>good</html>"


def test_the_index_shows_the_last_good_run_beside_a_newer_failure(tmp_path: Path) -> None:
    publish_one(tmp_path, record("20240101T000000Z-0001"))
    publish_one(tmp_path, record("20240102T000000Z-0002", status="warnings"))
    keep(tmp_path, failed("20240103T000000Z-0003", "no mrr"))
    (churn,) = run_records.read_series(tmp_path)
    assert (churn["series"], churn["title"], churn["question"]) == ("churn", "A title", "Why?")
    assert churn["last_good"]["run_id"] == "20240102T000000Z-0002"
    assert churn["last_good"]["report"] == "churn/20240102T000000Z-0002/report.html"
    assert churn["last_good"]["latest"] == "churn/latest.html"
    assert churn["last_good"]["finished_at"] == "2024-01-02T00:00:08Z"
    assert churn["last_failed"] == {
        "run_id": "20240103T000000Z-0003",
        "started_at": "2024-01-03T00:00:00Z",
        "message": "no mrr",
        "notebook_file": "churn/20240103T000000Z-0003/notebook.ipynb",
    }
    assert [run["status"] for run in churn["history"]] == ["failed", "warnings", "ok"]
    assert [run["report"] is None for run in churn["history"]] == [True, False, False]


def test_the_index_forgets_a_failure_once_a_newer_run_is_good(tmp_path: Path) -> None:
    keep(tmp_path, failed("20240101T000000Z-0001", "no mrr"))
    publish_one(tmp_path, record("20240102T000000Z-0002"))
    (churn,) = run_records.read_series(tmp_path)
    assert churn["last_failed"] is None
    assert len(churn["history"]) == 2


def test_a_series_that_never_ended_well_is_listed(tmp_path: Path) -> None:
    keep(tmp_path, failed("20240101T000000Z-0001", "no mrr"))
    (churn,) = run_records.read_series(tmp_path)
    assert churn["last_good"] is None
    assert churn["last_failed"]["message"] == "no mrr"


def test_series_in_sub_folders_are_told_apart(tmp_path: Path) -> None:
    publish_one(tmp_path, record("20240101T000000Z-0001", series="churn/segment=smb"))
    publish_one(tmp_path, record("20240101T000000Z-0002"))
    assert [one["series"] for one in run_records.read_series(tmp_path)] == ["churn", "churn/segment=smb"]
    assert run_records.read_series(tmp_path)[1]["last_good"]["latest"] == "churn/segment%3Dsmb/latest.html"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"series": "churn"}', json.dumps(record(started_at="yesterday"))])
def test_a_broken_record_is_counted_and_hides_nothing_else(tmp_path: Path, text: str) -> None:
    publish_one(tmp_path, record())
    broken = tmp_path / "churn" / "20240102T000000Z-0002"
    broken.mkdir()
    (broken / "run.json").write_text(text)
    (churn,) = run_records.read_series(tmp_path)
    assert churn["broken"] == 1
    assert len(churn["history"]) == 1


def test_a_run_that_has_not_ended_is_not_in_the_index(tmp_path: Path) -> None:
    hidden = tmp_path / ".churn-20240101T000000Z-0001"
    hidden.mkdir()
    (hidden / "run.json").write_text(json.dumps(record()))
    assert run_records.read_series(tmp_path) == []


def test_no_reports_yet_is_an_empty_index(tmp_path: Path) -> None:
    assert run_records.read_series(tmp_path / "reports") == []


def test_a_record_shows_signs_that_nobody_sees_and_says_the_same() -> None:
    record = {"text": "a\u202eb\u200bc\ufeffd é 汉"}
    written = publish.dump_record(record)
    assert "\\u202e" in written
    assert "é 汉" in written
    assert not {"\u202e", "\u200b", "\ufeff"} & set(written)
    assert json.loads(written) == record


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CS_HELPERS_SMTP_URL", "smtp://mail.example.com"),
        ("TEAM_CHANNEL", "https://hooks.example.com/services/T0/B0/x"),
        ("https_proxy", "http://ada:lovelace@proxy:3128"),
        ("SLACK_URL", "https://chat.example.com/in/0123"),
    ],
)
def test_addresses_that_are_secrets_are_never_published(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    assert publish.scan("report.html", f"<p>{value}</p>") == [
        f"report.html, line 1: holds the value of the environment variable {variable}"
    ]
    assert publish.redact(f"at {value}.") == f"at [value of {variable}]."
