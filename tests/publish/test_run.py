"""Real runs of tiny notebooks: what is published, and what never is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from small_notebooks import notebook

from cs_helpers.core.errors import ParameterError
from cs_helpers.publish import run as runner
from cs_helpers.publish import series
from cs_helpers.publish.execute import error_of
from cs_helpers.publish.series import Scalar

NOTEBOOKS = Path(__file__).parents[1] / "notebooks_for_tests"
OUT = Path("reports")
Record = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory of its own for all runs of this file."""
    before, here = Path.cwd(), tmp_path_factory.mktemp("work")
    os.chdir(here)
    yield here
    os.chdir(before)


def folder(record: Record) -> Path:
    return OUT / record["series"] / record["run_id"]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@dataclass(frozen=True)
class TwoRuns:
    first: Record
    second: Record
    cells: list[tuple[int, int]]


@pytest.fixture(scope="module")
def good(place: Path) -> TwoRuns:
    cells: list[tuple[int, int]] = []
    first = runner.run(NOTEBOOKS / "good.ipynb", {}, OUT, lambda n, of: cells.append((n, of)))
    given: dict[str, Scalar] = {"count": 3, "loud": True, "as_of": "2024-06-30", "source": str(place)}
    return TwoRuns(first, runner.run(NOTEBOOKS / "good.ipynb", given, OUT), cells)


def test_a_good_run_leaves_the_report_the_notebook_and_the_record(good: TwoRuns) -> None:
    assert names(folder(good.first)) == ["notebook.ipynb", "report.html", "run.json"]
    assert names(OUT / "good") == sorted([good.first["run_id"], good.second["run_id"], "latest.html"])
    assert (OUT / "index.html").is_file()
    assert [name for name in names(OUT) if name.startswith(".")] == [".locks"]


def test_the_latest_report_is_the_newer_run(good: TwoRuns) -> None:
    latest = (OUT / "good" / "latest.html").read_bytes()
    assert latest == (folder(good.second) / "report.html").read_bytes()
    assert latest != (folder(good.first) / "report.html").read_bytes()
    assert good.first["run_id"] != good.second["run_id"]


def test_the_record_says_what_the_notebook_said(good: TwoRuns) -> None:
    first = json.loads((folder(good.first) / "run.json").read_text())
    assert first == good.first
    assert set(first) == {
        "schema_version", "series", "run_id", "subject", "title", "question", "status", "attempt", "scheduled",
        "started_at", "duration_s", "peak_memory_mb", "notebook", "parameters", "as_of", "audience", "source",
        "source_fingerprint", "definitions_version", "package_version", "commit", "headline", "takeaways", "quality",
        "changed", "error",
    }  # fmt: skip
    assert first["parameters"] == {
        "code": "00001",
        "count": 2,
        "share": 0.5,
        "loud": False,
        "as_of": None,
        "source": ".",
    }
    assert first["headline"][0]["value"] == 2 / 4
    assert first["takeaways"] == ["2 of 4 stayed."]
    assert (first["as_of"], first["source_fingerprint"], first["definitions_version"]) == (
        "2024-12-31",
        "ab12",
        "2026.1",
    )
    assert (first["schema_version"], first["audience"], first["error"]) == (1, "full", None)
    assert runner.exit_code(first) == 0


def test_parameters_reach_the_notebook(good: TwoRuns) -> None:
    assert good.second["headline"][0]["value"] == 3 / 4
    assert good.second["as_of"] == "2024-06-30"


def test_a_quality_warning_shows_in_the_status(good: TwoRuns) -> None:
    assert (good.first["status"], good.second["status"]) == ("ok", "warnings")
    assert good.second["quality"][0]["check"] == "overlap"


def test_nothing_published_names_a_folder_of_this_machine(good: TwoRuns, place: Path) -> None:
    assert good.second["parameters"]["source"] == "."
    published = [path for path in OUT.glob("good/**/*") if path.is_file()]
    assert len(published) == 7
    for path in published:
        for place_name in (str(place), str(Path.home()) + "/", sys.prefix, str(NOTEBOOKS)):
            assert place_name not in path.read_text(), f"{place_name} in {path}"


def test_progress_counts_the_cells_the_author_wrote(good: TwoRuns) -> None:
    assert [number for number, _ in good.cells] == [1, 2, 2, 3, 4, 5, 6, 7, 8]
    assert {of for _, of in good.cells} == {8}


def test_an_unknown_parameter_is_refused_before_anything_is_written(place: Path) -> None:
    with pytest.raises(ParameterError, match=r"unknown parameter 'cuont'.* Did you mean 'count'"):
        runner.run(NOTEBOOKS / "good.ipynb", {"cuont": 3}, place / "nowhere")
    assert not (place / "nowhere").exists()


@pytest.fixture(scope="module")
def after_a_good_run(place: Path) -> tuple[Record, bytes, bytes]:
    """A series whose notebook worked once and then breaks."""
    notebook = place / "series.ipynb"
    notebook.write_bytes((NOTEBOOKS / "good.ipynb").read_bytes())
    runner.run(notebook, {}, OUT)
    before = (OUT / "series" / "latest.html").read_bytes()
    notebook.write_bytes((NOTEBOOKS / "fails.ipynb").read_bytes())
    record = runner.run(notebook, {}, OUT)
    return record, before, (OUT / "series" / "latest.html").read_bytes()


def test_a_failing_cell_leaves_the_last_good_report_as_it_was(after_a_good_run: tuple[Record, bytes, bytes]) -> None:
    record, before, after = after_a_good_run
    assert before == after
    assert names(folder(record)) == ["notebook.ipynb", "run.json"]
    assert json.loads((folder(record) / "run.json").read_text()) == record


def test_a_failing_cell_is_named_with_its_number_heading_and_reason(
    after_a_good_run: tuple[Record, bytes, bytes],
) -> None:
    record = after_a_good_run[0]
    assert (record["status"], runner.exit_code(record)) == ("failed", 1)
    assert record["error"] == {
        "cell": 4,
        "ename": "KeyError",
        "message": "series.ipynb, cell 4, under 'Detail': KeyError: 'mrr in .'",
    }
    message = runner.failure_message(record, OUT)
    assert str(folder(record) / "notebook.ipynb") in message
    assert "--debug" in message
    traceback = runner.traceback_of(record, OUT)
    assert "raise KeyError(" in traceback
    assert "\x1b" not in traceback + message


def test_cells_above_the_first_heading_that_show_something_are_named_because_the_report_lacks_them(place: Path) -> None:
    said: list[str] = []
    path = place / "above.ipynb"
    small = json.loads(notebook(path, "1 + 1").read_text())
    title, parameters, heading, *rest = small["cells"]
    text = {"cell_type": "markdown", "id": "text", "metadata": {}, "source": "About these figures."}
    quiet, shows = ({**rest[0], "id": source, "source": source} for source in ("hidden = 1", "print('above')"))
    small["cells"] = [title, parameters, text, quiet, shows, heading, *rest]
    path.write_text(json.dumps(small))
    record = runner.run(path, {}, OUT, tell=said.append)
    assert said == [
        "above.ipynb, cells 3, 5: the report leaves out what is above the first section.\n"
        "  Put a markdown cell that begins with '## Heading' above it."
    ]
    assert "About these figures" not in (folder(record) / "report.html").read_text()
    said.clear()
    small["cells"] = [title, parameters, quiet, heading, *rest]
    path.write_text(json.dumps(small))
    runner.run(path, {}, OUT, tell=said.append)
    assert said == []


def test_a_failure_is_in_the_index(after_a_good_run: tuple[Record, bytes, bytes]) -> None:
    assert "cell 4" in (OUT / "index.html").read_text()


def test_a_notebook_that_exits_with_0_half_way_has_failed() -> None:
    record = runner.run(NOTEBOOKS / "stops.ipynb", {}, OUT)
    assert (record["status"], record["error"]["cell"], record["error"]["ename"]) == ("failed", 3, "SystemExit")
    assert names(OUT / "stops") == [record["run_id"]]


def test_a_killed_kernel_has_failed_in_the_cell_that_was_running() -> None:
    record = runner.run(NOTEBOOKS / "killed.ipynb", {}, OUT)
    assert (record["status"], record["error"]["cell"]) == ("failed", 4)
    assert "killed, or memory ran out" in record["error"]["message"]
    assert names(OUT / "killed") == [record["run_id"]]


def test_a_cell_that_was_left_out_is_a_failure_though_no_cell_shows_an_error() -> None:
    record = runner.run(NOTEBOOKS / "skips.ipynb", {}, OUT)
    assert (record["status"], record["error"]["cell"]) == ("failed", 3)
    assert "did not run to its end" in record["error"]["message"]


def test_an_error_of_the_package_is_the_users_and_is_printed_as_it_is() -> None:
    record = runner.run(NOTEBOOKS / "our_error.ipynb", {}, OUT)
    assert runner.exit_code(record) == 2
    assert runner.failure_message(record, OUT) == "subscriptions.csv: no column 'mrr'.\n  Name it in the mapping."


def test_a_headline_that_is_not_a_number_is_refused() -> None:
    record = runner.run(NOTEBOOKS / "not_a_number.ipynb", {}, OUT)
    assert (record["status"], runner.exit_code(record)) == ("failed", 1)
    assert "headline 'grr': value is nan" in record["error"]["message"]
    assert ": NaN" not in (folder(record) / "run.json").read_text()


def test_a_notebook_that_prints_a_secret_or_a_path_is_not_published(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.setenv("PLANTED_API_KEY", "planted-0123456789")
    record = runner.run(NOTEBOOKS / "tells.ipynb", {}, OUT)
    assert (record["status"], runner.exit_code(record)) == ("failed", 1)
    assert (
        "notebook.ipynb, cell 4 (import os): holds the value of the environment variable PLANTED_API_KEY"
        in (record["error"]["message"])
    )
    assert "notebook.ipynb, cell 5 (os.getcwd()): holds an absolute path" in record["error"]["message"]
    for path in folder(record).iterdir():
        assert "planted-0123456789" not in path.read_text()
        assert str(place) not in path.read_text()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(place: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "cs_helpers", "run", str(NOTEBOOKS / "slow.ipynb"), "--out", "stopped"]
    running = place / "running"
    running.unlink(missing_ok=True)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not running.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [name for name in names(place / "stopped") if name.startswith(".slow")] != []
    process.send_signal(how)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Stopped." in said
    assert "Traceback" not in said
    assert [name for name in names(place / "stopped") if name not in (".locks", ".logs")] == []


def test_declared_parameters_have_their_default_type_and_comment() -> None:
    declared = series.declared_parameters(NOTEBOOKS / "good.ipynb")
    assert [(p.name, p.default, p.kind, p.help) for p in declared.values()] == [
        ("code", "00001", "str", "text that looks like a number"),
        ("count", 2, "int", "how many"),
        ("share", 0.5, "float", "a fraction"),
        ("loud", False, "bool", "true or false"),
        ("as_of", None, "str", "the date of the report"),
        ("source", ".", "str", "where the data is"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("code", "00123", "00123"),
        ("count", "00123", 123),
        ("count", "-1", -1),
        ("share", "1", 1.0),
        ("share", "2.5e-1", 0.25),
        ("loud", "True", True),
        ("loud", "no", False),
        ("as_of", "2024-02-29", "2024-02-29"),
        ("as_of", "none", None),
        ("code", "none", "none"),
    ],
)
def test_a_parameter_takes_the_type_of_its_default(name: str, text: str, value: object) -> None:
    got = series.check_parameters(NOTEBOOKS / "good.ipynb", {name: text})[name]
    assert got == value
    assert type(got) is type(value)


def test_all_wrong_parameters_are_named_at_once() -> None:
    given = {"cuont": "1", "count": "1.5", "share": "nan", "loud": "maybe", "as_of": "2023-02-29"}
    with pytest.raises(ParameterError) as refused:
        series.check_parameters(NOTEBOOKS / "good.ipynb", given)
    declared = "as_of, code, count, loud, share, source"
    assert str(refused.value).splitlines() == [
        f"good.ipynb: unknown parameter 'cuont'. It declares: {declared}. Did you mean 'count'?",
        "good.ipynb: count must be a whole number, not '1.5'.",
        "good.ipynb: share must be a number, not 'nan'.",
        "good.ipynb: loud must be true or false, not 'maybe'.",
        "good.ipynb: as_of must be a date such as 2025-01-01, not '2023-02-29'.",
    ]


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ParameterError, match="holds a password") as refused:
        series.check_parameters(NOTEBOOKS / "good.ipynb", {"source": "postgresql://ada:lovelace@db/crm"})
    assert "lovelace" not in str(refused.value)


def test_a_notebook_without_a_parameters_cell_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ParameterError, match=r"undeclared.ipynb: no cell is tagged 'parameters'(.|\n)*Tag the first"):
        series.declared_parameters(NOTEBOOKS / "undeclared.ipynb")


def test_parameters_that_are_computed_are_refused_all_at_once() -> None:
    with pytest.raises(ParameterError) as refused:
        series.declared_parameters(NOTEBOOKS / "computed.ipynb")
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [f"parameters cell, line {n}" for n in (1, 3, 4)]


def test_an_unknown_notebook_is_an_error_with_the_names_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    for name in ("churn", "roi", "_draft"):
        (tmp_path / "notebooks" / f"{name}.ipynb").write_bytes((NOTEBOOKS / "good.ipynb").read_bytes())
    assert series.find("roi") == Path("notebooks/roi.ipynb")
    with pytest.raises(ParameterError, match=r"There are: churn, roi. Did you mean 'churn'\?"):
        series.find("chrun")


def test_titles_and_questions_are_read_from_the_first_cell() -> None:
    assert series.title_and_question(NOTEBOOKS / "good.ipynb") == (
        "A small report",
        "Does the runner carry what a notebook says?",
    )


@pytest.mark.parametrize(
    ("stem", "safe"), [("churn", "churn"), ("Q1: churn (EMEA)", "Q1-churn-EMEA"), ("..", "report"), ("été", "été")]
)
def test_series_names_are_safe_folder_names(stem: str, safe: str) -> None:
    assert series.series_name(Path(f"{stem}.ipynb")) == safe


def test_a_message_of_ours_is_kept_whole_and_a_strangers_dump_is_cut_and_marked() -> None:
    long = "row 1: wrong.\n" * 400
    assert error_of(1, "ContractError", long)["message"] == long
    cut = error_of(1, "ValueError", long)["message"]
    assert cut.endswith("... (cut)")
    assert len(cut) < len(long)
