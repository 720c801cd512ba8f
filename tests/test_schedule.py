"""The schedule: everything wrong is said at once with its line, and what it runs are the commands of a person."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from cs_helpers.cli import app
from cs_helpers.errors import ScheduleError
from cs_helpers.reports import schedule, series

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 7, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))

GOOD = """\
time_zone: Europe/Berlin
runs:
  team:
    notebook: good
    cron: "0 6 * * mon"
    parameters: {count: 3, code: 00123}
  daily:
    notebook: good
    cron: "30 5 * * *"
    audience: full
    parameters: {count: 3, code: 00123}
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "reports").mkdir()
    shutil.copy(ROOT / "tests" / "notebooks_for_tests" / "good.ipynb", tmp_path / "notebooks")
    shutil.copy(ROOT / "notebooks" / "churn.ipynb", tmp_path / "notebooks")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text):
    path = Path("reports/schedule.yml")
    path.write_text(text, encoding="utf-8")
    return schedule.read(path)


def problems(text):
    with pytest.raises(ScheduleError) as refused:
        read(text)
    return str(refused.value).splitlines()


def call(*words):
    return CliRunner().invoke(app, words)


def test_the_schedule_of_the_project_is_right_and_has_something_for_each_reader(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = schedule.read(Path("reports/schedule.yml"))
    assert {(job.notebook, job.audience) for job in found.jobs} == {
        ("churn", "full"), ("churn", "shared"), ("data_check", "full"),
    }  # fmt: skip


def test_every_line_of_the_projects_schedule_that_sets_something_new_is_explained():
    lines = (ROOT / "reports" / "schedule.yml").read_text(encoding="utf-8").splitlines()
    set_first = {}
    for line in lines:
        if found := re.match(r" +(notebook|cron|audience|parameters|source): ?", line):
            set_first.setdefault(found[1], line)
    assert len(set_first) == 5
    assert all("#" in line for line in set_first.values())


def test_a_run_is_the_command_that_a_person_would_type(desk):
    (team, _) = read(GOOD).jobs
    assert team.words == ["run", "good", "-p", "count=3", "-p", "code=00123"], "00123 stays as it was written"
    text = """\
time_zone: UTC
runs:
  board:
    notebook: churn
    cron: "0 7 3 * *"
    audience: shared+comments
    parameters: {where: "industry=Data & Analytics", source: "my exports", as_of: 2026-07-01}
"""
    (board,) = read(text).jobs
    assert board.words == [
        "run", "churn", "--audience", "shared", "--with-comments",
        "-p", "where=industry=Data & Analytics", "--source", "my exports", "--as-of", "2026-07-01",
    ]  # fmt: skip


def test_all_problems_are_said_at_once_each_with_its_line(desk):
    said = problems(
        """\
time_zone: Europe/Berln
owner: me
runs:
  Team Report:
    notebook: god
    cron: "0 6 * * mno"
  board:
    notebook: good
    cron: "0 6 1 * mon"
    audience: shared
  daily:
    notbook: good
    cron: "30 5 * * *"
  club:
    notebook: churn
    cron: "30 5 * * *"
    audience: shard
    parameters:
      monhts: 3
      capacity: many
      audience: full
  empty:
"""
    )
    found = [line for line in said if not line.startswith(" ")]
    assert found == [
        "schedule.yml, line 1: time_zone: there is no 'Europe/Berln'. Did you mean 'Europe/Berlin'?",
        "schedule.yml, line 2: unknown key 'owner'. Known are: time_zone, runs.",
        "schedule.yml, line 4: 'Team Report' cannot name a run: small letters, digits, _ and -, 60 at most.",
        "schedule.yml, line 5: no notebook 'god' in notebooks. There are: churn, good. Did you mean 'good'?",
        "schedule.yml, line 6: cron: day of the week: 'mno' is none; 0 to 7 or sun to sat. Did you mean 'mon'?",
        "schedule.yml, line 9: cron: '0 6 1 * mon' names days of the month and of the week; cron would run on either. "
        "Make two runs of it, or leave one of the two as *.",
        *(line for line in found if "line 10: good.ipynb: has no parameter 'audience'" in line),
        "schedule.yml, line 11: 'notebook' is missing in runs.daily.",
        "schedule.yml, line 12: unknown key 'notbook' in runs.daily. Did you mean 'notebook'?",
        "schedule.yml, line 17: audience: there is no 'shard'. Did you mean 'shared'? There are: full, shared, "
        "shared+comments.",
        *(line for line in found if "line 18" in line),
        "schedule.yml, line 21: audience stands beside notebook, not among its parameters.",
        "schedule.yml, line 22: empty must be `key: value` lines.",
    ]
    assert sum("line 10" in line for line in found) == 1
    parameters = [line for line in found if "line 18" in line]
    assert len(parameters) == 2
    assert "unknown parameter 'monhts'" in parameters[0] and "Did you mean 'months'?" in parameters[0]
    assert "capacity must be a whole number, not 'many'." in parameters[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'time_zone' is missing."),
        ("- a\n", "the file holds no `key: value` lines"),
        ("time_zone: UTC\nruns:\n  a:\n    cron: * * * * *\n", "schedule.yml, line 4: this is not YAML"),
        ("time_zone: UTC\nruns: {a: &x {}, b: *x}\n", "names with & and * are not read"),
        ("time_zone: UTC\nruns:\n  a: {}\n  a: {}\n", "line 4: 'a' stands twice, on line 3 already."),
        ("time_zone: UTC\nruns: []\n", "runs must be `key: value` lines."),
        ("time_zone: [UTC]\nruns: {}\n", "time_zone must be one text."),
        (GOOD.replace("{count: 3", "{source: 'postgresql://me:secret@host/db', count: 3", 1), "holds a password"),
        (GOOD.replace("code: 00123}", 'code: "a\\nb"}', 1), "code holds a line break"),
        (GOOD.replace("count: 3", "count: 4", 1), "one would replace the other's report"),
    ],
)
def test_a_file_that_would_do_something_else_than_it_says_is_refused(desk, text, said):
    assert said in "\n".join(problems(text))


def test_a_schedule_that_is_not_there_is_wrong_input(desk):
    refused = call("next")
    assert refused.exit_code == 2
    assert "there is no schedule reports/schedule.yml" in refused.stderr


def test_the_next_runs_come_in_order_and_in_words(desk):
    found = schedule.upcoming(read(GOOD), NOW, 6)
    assert [(f"{at:%d %H:%M}", job.name) for at, job in found] == [
        ("02 05:30", "daily"),
        ("03 05:30", "daily"),
        ("04 05:30", "daily"),
        ("05 05:30", "daily"),
        ("06 05:30", "daily"),
        ("06 06:00", "team"),
    ]
    assert schedule.in_words(found[0][0], NOW).startswith("Thursday 2 July 2026, 05:30 (tomorrow")
    assert schedule.in_words(found[5][0], NOW).startswith("Monday 6 July 2026, 06:00 (in 5 days")


def test_where_the_machine_has_another_clock_its_own_time_stands_beside(desk, monkeypatch):
    (at, _), *_ = schedule.upcoming(read(GOOD), NOW, 1)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert schedule.in_words(at, NOW).endswith("(tomorrow; here Wednesday, 23:30)")
        monkeypatch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        assert schedule.in_words(at, NOW) == "Thursday 2 July 2026, 05:30 (tomorrow)"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_command_next_says_when_what_runs_and_runs_nothing(desk):
    read(GOOD)
    done = call("next", "2", "--now", "2026-07-05T09:00+02:00")
    assert done.exit_code == 0
    first, daily, team = done.stdout.splitlines()
    assert first == "Times in Europe/Berlin:"
    assert re.fullmatch(r"Monday 6 July 2026, 05:30 \(tomorrow.*\)  daily  cs-helpers run good .*code=00123", daily)
    assert re.fullmatch(r"Monday 6 July 2026, 06:00 \(tomorrow.*\)  team   cs-helpers run good .*code=00123", team)
    assert [path.name for path in Path("reports").iterdir()] == ["schedule.yml"]
    (record,) = json.loads(call("next", "1", "--now", "2026-07-05T09:00+02:00", "--json").stdout)
    assert (record["name"], record["at"]) == ("daily", "2026-07-06T05:30:00+02:00")
    assert call("next", "--now", "soon").exit_code == 2
    read("time_zone: UTC\nruns: {}\n")
    assert call("next").stdout == "Nothing is scheduled.\n"


def test_a_line_for_cron_runs_as_a_shell_would_run_it(desk):
    text = GOOD.replace("{count: 3, code: 00123}", "{code: \"50% of 'it'\"}")
    read(text)
    lines = call("export", "cron").stdout.splitlines()
    assert "CRON_TZ=Europe/Berlin" in lines
    line = lines[lines.index("# team") + 1]
    fields, command = line.split("  ", 1)
    assert fields == "0 6 * * 1"
    assert "50\\% of" in command, "cron ends a command at a bare %"
    shell = command.replace("\\%", "%")
    assert shlex.split(shell)[:3] == ["cd", str(desk), "&&"]
    assert shlex.split(shell)[-4:] == ["run", "good", "-p", "code=50% of 'it'"]
    ran = subprocess.run(["sh", "-c", shell], cwd="/", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert (desk / "reports" / "good" / "latest.html").is_file()


def test_only_what_can_be_exported_is(desk):
    read(GOOD)
    refused = call("export", "crom")
    assert (refused.exit_code, "Did you mean 'cron'?" in refused.stderr) == (2, True)


def test_the_scheduler_library_is_loaded_by_no_other_command():
    code = "import sys, cs_helpers.cli; print('apscheduler' in sys.modules, 'pydantic' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False False"


def test_the_schedule_is_kept_when_reports_are_cleaned_and_in_version_control():
    assert "! -name schedule.yml" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "!/reports/schedule.yml" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_every_scheduled_notebook_declares_what_the_schedule_sets(monkeypatch):
    monkeypatch.chdir(ROOT)
    for job in schedule.read(Path("reports/schedule.yml")).jobs:
        assert set(job.parameters) <= set(series.declared_parameters(series.find(job.notebook)))
