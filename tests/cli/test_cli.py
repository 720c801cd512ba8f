"""The command line as its user meets it: exit codes, what goes to stdout, and no traceback for a mistake."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cs_helpers import __version__
from cs_helpers.cli import app
from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ParameterError

NOTEBOOKS = Path(__file__).parents[1] / "notebooks_for_tests"
GROUP: Any = typer.main.get_command(app)
COMMANDS = sorted(GROUP.commands)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder of notebooks, and no display."""
    (tmp_path / "notebooks").mkdir()
    for name in ("good", "fails", "our_error"):
        shutil.copy(NOTEBOOKS / f"{name}.ipynb", tmp_path / "notebooks")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize("words", [["-c", "import cs_helpers"], ["-m", "cs_helpers", "--help"]], ids=" ".join)
def test_the_package_and_its_help_are_there_at_once(words: list[str]) -> None:
    """Under 0.3 s of processor time, the best of five, so that a busy machine does not matter."""
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(took) < 0.3


def test_a_wrong_list_of_subjects_stops_every_command_with_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ParameterError("cs_helpers/subjects.py: 'churn' is there twice.")

    monkeypatch.setattr("cs_helpers.check_subjects", refuse)
    refused = call("metrics")
    assert (refused.exit_code, refused.stderr) == (2, "cs_helpers/subjects.py: 'churn' is there twice.\n")


def test_help_needs_no_heavy_library() -> None:
    heavy = ["pandas", "numpy", "papermill", "nbformat", "nbconvert", "rich", "IPython", "matplotlib", "jupyter_client"]
    program = (
        "import sys\n"
        "from cs_helpers.cli import main\n"
        "sys.argv = ['cs-helpers', '--help']\n"
        "try: main()\n"
        f"finally: print([name for name in {heavy} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage: cs-helpers" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_every_command_with_an_example(command: str) -> None:
    shown = call(command, "--help")
    assert shown.exit_code == 0
    assert re.search(rf"Examples?:\n  +cs-helpers {command}", shown.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_and_argument_has_a_help_text(command: str) -> None:
    undocumented = [p.name for p in GROUP.commands[command].params if p.name != "help" and not p.help]
    assert undocumented == []


def test_the_commands_are_those_of_the_interface() -> None:
    assert {"run", "check", "map", "sample", "list", "index", "open", "metrics"} <= set(COMMANDS)


def test_version() -> None:
    assert call("--version").stdout == f"cs-helpers {__version__}\n"


def test_an_unknown_command_gets_a_suggestion() -> None:
    refused = call("rnu")
    assert refused.exit_code == 2
    assert "Did you mean 'run'?" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["good", "-p", "cuont=3"], "good.ipynb: unknown parameter 'cuont'. It declares: as_of, code, count"),
        (["good", "-p", "count=three"], "good.ipynb: count must be a whole number, not 'three'."),
        (["good", "-p", "count"], "write a parameter as -p name=value"),
        (["good", "-p", "count=1", "-p", "count=2"], "'count' is set twice"),
        (["good", "-p", "source=a", "--source", "b"], "'source' is set twice: by -p and by --source"),
        (["good", "--source", "nowhere"], "source: there is no file or folder nowhere."),
        (["good", "--as-of", "someday"], "as_of must be a date such as 2025-01-01, not 'someday'."),
        (["good", "--mapping", "m.yml"], "good.ipynb: unknown parameter 'mapping'."),
        (["god"], "no notebook 'god' in notebooks. There are: fails, good, our_error. Did you mean 'good'?"),
        (["good", "--all"], "Name the notebooks to run, or add --all"),
        ([], "Available: fails, good, our_error."),
    ],
)
def test_a_mistake_is_refused_before_anything_runs(folder: Path, words: list[str], said: str) -> None:
    refused = call("run", *words)
    assert refused.exit_code == 2
    assert said in re.sub(r"\s+", " ", refused.stderr)
    assert refused.stdout == ""
    assert not (folder / "reports").exists()
    assert "Traceback" not in refused.stderr


def test_debug_shows_where_a_mistake_was_found(folder: Path) -> None:
    assert "Traceback" in call("run", "good", "-p", "cuont=3", "--debug").stderr


def test_one_failing_report_does_not_stop_the_others(folder: Path) -> None:
    done = call("run", "fails", "god", "our_error", "good")
    assert done.exit_code == 1
    assert "fails.ipynb, cell 4, under 'Detail': KeyError" in done.stderr
    assert "no notebook 'god'" in done.stderr
    assert "subscriptions.csv: no column 'mrr'." in done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(r"^fails +failed .* reports/fails/\S+$", done.stdout, re.MULTILINE)
    assert re.search(r"^good +ok +[\d.]+ s +reports/good/latest.html\n +GRR 50.0%$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("Index: reports/index.html\n")


def test_json_is_the_list_of_records_and_nothing_else(folder: Path) -> None:
    done = call("run", "good", "--json", "-p", "count=3", "--source", str(folder / "notebooks"))
    assert done.exit_code == 0
    (record,) = json.loads(done.stdout)
    assert (record["status"], record["parameters"]["count"], record["source"]) == ("ok", 3, "notebooks")
    assert "good: started" in done.stderr


def test_an_error_of_the_package_in_a_notebook_is_wrong_input(folder: Path) -> None:
    done = call("run", "our_error", "--debug")
    assert done.exit_code == 2
    assert "raise ContractError" in done.stderr
    assert "\x1b" not in done.stderr


def test_reports_are_listed_opened_and_indexed(folder: Path) -> None:
    assert call("run", "good").exit_code == 0
    listed = call("list").stdout
    assert "  good: Does the runner carry what a notebook says?" in listed
    assert re.search(r"-p count=2 +how many", listed)
    assert "  good: reports/good/latest.html  ok" in listed
    assert json.loads(call("list", "--json").stdout)["reports"][0]["series"] == "good"
    assert call("open").stdout == "reports/index.html\n"
    assert call("open", "good").stdout == "reports/good/latest.html\n"
    refused = call("open", "goood")
    assert refused.exit_code == 2
    assert "There are: good. Did you mean 'good'?" in refused.stderr
    broken = folder / "reports" / "good" / "20240101T000000Z-0000" / "run.json"
    broken.parent.mkdir()
    broken.write_text("{")
    (folder / "reports" / "index.html").unlink()
    rebuilt = call("index")
    assert (rebuilt.exit_code, rebuilt.stdout) == (0, "reports/index.html\n")
    assert "20240101T000000Z-0000/run.json: cannot be read as a run record and is left out." in rebuilt.stderr
    assert (folder / "reports" / "index.html").is_file()


def test_opening_before_any_run_says_how_to_make_a_report(folder: Path) -> None:
    refused = call("open")
    assert refused.exit_code == 2
    assert "no report at reports/index.html. Make one: cs-helpers run NAME" in refused.stderr


def test_an_unexpected_error_is_one_line_and_the_way_to_more(folder: Path) -> None:
    (folder / "reports").write_text("a file where the folder should be")
    refused = call("index")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Unexpected FileExistsError")
    assert "--debug" in refused.stderr
    assert isinstance(call("--debug", "index").exception, FileExistsError)


def test_a_folder_that_cannot_be_written_is_wrong_input(folder: Path) -> None:
    (folder / "reports").write_text("a file where the folder should be")
    refused = call("run", "good")
    assert refused.exit_code == 2
    assert "reports: no report can be written there" in refused.stderr


def test_every_metric_can_be_looked_up() -> None:
    assert [line.split()[0] for line in call("metrics").stdout.splitlines()] == list(definitions.all_metrics())
    for key, metric in definitions.all_metrics().items():
        shown = call("metrics", key).stdout
        assert metric.name in shown
        assert metric.formula in shown
        assert metric.population in shown
        assert all(rival in shown for rival in metric.rivals)


def test_metrics_as_json_hold_the_same() -> None:
    (grr,) = json.loads(call("metrics", "grr", "--json").stdout)
    assert grr["formula"] == definitions.all_metrics()["grr"].formula


def test_an_unknown_metric_gets_a_suggestion() -> None:
    refused = call("metrics", "gr")
    assert refused.exit_code == 2
    assert "Did you mean 'grr'?" in refused.stderr


def test_the_sample_company_is_written_and_its_files_are_named(tmp_path: Path) -> None:
    done = call("sample", str(tmp_path / "sample"), "--accounts", "20", "--months", "12", "--seed", "3")
    assert done.exit_code == 0, done.stderr
    written = [Path(line) for line in done.stdout.splitlines()]
    assert len(written) >= 3
    assert all(path.is_file() for path in written)


def test_a_world_is_written_with_its_truth_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    done = call("sample", str(tmp_path / "n"), "--world", "N", "--accounts", "60", "--months", "12")
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "n" / "truth.json") in done.stdout.splitlines()
    assert json.loads((tmp_path / "n" / "truth.json").read_text())["world"] == "N"
    done = call("sample", str(tmp_path / "q"), "--world", "Q")
    assert done.exit_code == 2
    assert "UN" in done.stderr
