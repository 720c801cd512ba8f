"""The schedule: everything wrong is said at once with its line, and what it runs are the commands of a person."""

import json
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from cs_helpers.cli import app
from cs_helpers.core.errors import ScheduleError
from cs_helpers.publish import series
from cs_helpers.schedule import settings

ROOT = Path(__file__).resolve().parents[2]
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
    return settings.read(path)


def problems(text):
    with pytest.raises(ScheduleError) as refused:
        read(text)
    return str(refused.value).splitlines()


def call(*words):
    return CliRunner().invoke(app, words)


def test_the_schedule_of_the_project_is_right_and_has_something_for_each_reader(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = settings.read(Path("reports/schedule.yml"))
    assert {(job.notebook, job.for_each, job.audience) for job in found.jobs} == {
        ("churn", "segment", "full"), ("churn", None, "shared"), ("data_check", None, "full"), ("roi", None, "shared"),
        ("reps", None, "shared"),
    }  # fmt: skip
    assert all(job.alerts for job in found.jobs), "whatever fails, somebody is told"


def test_every_line_of_the_projects_schedule_that_sets_something_new_is_explained():
    lines = (ROOT / "reports" / "schedule.yml").read_text(encoding="utf-8").splitlines()
    set_first = {}
    for line in lines:
        if found := re.match(r" *(?:# )?([a-z_]+): ?", line):
            set_first.setdefault(found[1], line)
    known = {"time_zone", "owner", *settings._JobEntry.model_fields}
    assert known <= set(set_first), "every key is shown"
    set_first = {key: line for key, line in set_first.items() if key in known}
    assert all("#" in line for line in set_first.values())


def test_a_run_is_the_command_that_a_person_would_type(desk):
    (team, _) = read(GOOD).jobs
    assert team.command_at(NOW) == ["run", "good", "-p", "count=3", "-p", "code=00123"], "00123 stays as it was written"
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
    assert board.command_at(NOW) == [
        "run", "churn", "--audience", "shared", "--with-comments",
        "-p", "where=industry=Data & Analytics", "--source", "my exports", "--as-of", "2026-07-01",
    ]  # fmt: skip


def test_fan_out_and_limits_are_options_of_the_same_command(desk):
    text = """\
time_zone: UTC
runs:
  each:
    notebook: churn
    cron: "0 7 3 * *"
    for_each: segment
    jobs: 2
    timeout: 30m
    memory: 4GB
    retries: 0
"""
    (each,) = read(text).jobs
    assert each.command_at(NOW) == [
        "run", "churn", "--for-each", "segment", "--jobs", "2", "--timeout", "30m", "--memory", "4GB", "--retries", "0",
    ]  # fmt: skip


def test_a_relative_date_is_the_one_of_the_scheduled_time_in_the_schedules_zone(desk):
    text = GOOD.replace("{count: 3, code: 00123}", "{as_of: last_complete_month, source: yesterday}")
    (team, _) = read(text).jobs
    new_year_in_berlin = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert team.command_at(new_year_in_berlin) == ["run", "good", "--as-of", "2027-01-01", "--source", "2026-12-31"]
    assert team.parameters["as_of"] == "last_complete_month", "the next time it is another date"


def test_who_is_told_what_stays_and_what_is_made_up(desk):
    text = """\
time_zone: UTC
owner: [ops@example.com, "webhook:OPS"]
runs:
  plain: {notebook: good, cron: "0 7 3 * *"}
  full:
    notebook: churn
    cron: "0 7 3 * *"
    recipients: anna@example.com
    alerts: folder:/mnt/alerts
    keep: 12
    catch_up: 0
  silent: {notebook: good, cron: "0 8 3 * *", alerts: []}
"""
    found = read(text)
    plain, full, silent = found.jobs
    assert found.owner == plain.alerts == ("ops@example.com", "webhook:OPS"), "the owner, if nothing else is said"
    assert (plain.recipients, plain.keep, plain.catch_up) == ((), None, 1)
    assert (full.recipients, full.alerts, full.keep, full.catch_up) == (
        ("anna@example.com",), ("folder:/mnt/alerts",), 12, 0,
    )  # fmt: skip
    assert silent.alerts == ()


def test_what_cannot_be_read_in_the_further_keys_is_said_with_its_line(desk):
    said = problems(
        """\
time_zone: UTC
owner: nobody
runs:
  one:
    notebook: churn
    cron: "0 7 3 * *"
    timeout: soon
    memory: 4
    retries: twice
    keep: 0
    catch_up: 100
    jobs: 2
    recipients:
      - anna@example.com
      - pigeon:coop
    alerts: {a: b}
  two:
    notebook: good
    cron: "0 7 3 * *"
    for_each: segment
    parameters:
      as_of: last_complet_month
"""
    )
    found = [line.partition("schedule.yml, line ")[2] for line in said if "line" in line]
    assert [line.partition(":")[0] for line in found] == ["2", "7", "8", "9", "10", "11", "12", "15", "16", "20", "22"]
    for words, line in zip(
        [
            "owner: 'nobody' is not a mail address",
            "timeout: 'soon' is not a duration",
            "memory: '4' is not an amount of memory",
            "retries must be a whole number from 0 to 10, not 'twice'", "keep must be a whole number from 1",
            "catch_up must be a whole number from 0", "there is no for_each here",
            "recipients: there is no kind of recipient 'pigeon'",
            "alerts must be one recipient or a list of them", "good.ipynb: has no parameter where",
            "as_of: 'last_complet_month' is not a date. Did you mean 'last_complete_month'?",
        ],
        found,
        strict=True,
    ):  # fmt: skip
        assert words in line


def test_the_address_of_a_webhook_is_never_repeated(desk):
    text = GOOD.replace("runs:", "owner: https://hooks.example.com/T123/secret\nruns:", 1)
    (said,) = [line for line in problems(text) if "owner" in line]
    assert "secret" in said and "T123" not in said


def test_all_problems_are_said_at_once_each_with_its_line(desk):
    said = problems(
        """\
time_zone: Europe/Berln
ownr: me
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
        "schedule.yml, line 2: unknown key 'ownr'. Did you mean 'owner'?",
        "schedule.yml, line 4: 'Team Report' cannot name a run: small letters, digits, _ and -, 60 at most.",
        "schedule.yml, line 5: no notebook 'god' in notebooks. There are: churn, good. Did you mean 'good'?",
        "schedule.yml, line 6: cron: day of the week: 'mno' is not valid; write 0 to 7 or sun to sat. "
        "Did you mean 'mon'?",
        "schedule.yml, line 9: cron: '0 6 1 * mon' names days of the month and days of the week; cron would run on "
        "either. Make two jobs of it, or leave one of the two as *.",
        *(line for line in found if "line 10: good.ipynb: has no parameter 'audience'" in line),
        "schedule.yml, line 11: 'notebook' is missing in runs.daily.",
        "schedule.yml, line 12: unknown key 'notbook' in runs.daily. Did you mean 'notebook'?",
        "schedule.yml, line 17: audience: there is no 'shard'. Did you mean 'shared'? There are: full, shared, "
        "shared+comments.",
        *(line for line in found if "line 18" in line),
        "schedule.yml, line 21: audience belongs beside notebook, not among its parameters.",
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
        ("time_zone: UTC\nruns: {a: &x {}, b: *x}\n", "& and * names are not supported"),
        ("time_zone: UTC\nruns:\n  a: {}\n  a: {}\n", "line 4: 'a' appears twice, first on line 3."),
        ("time_zone: UTC\nruns: []\n", "runs must be `key: value` lines."),
        ("time_zone: [UTC]\nruns: {}\n", "time_zone must be one text."),
        (GOOD.replace("{count: 3", "{source: 'postgresql://me:secret@host/db', count: 3", 1), "holds a password"),
        (GOOD.replace("code: 00123}", 'code: "a\\nb"}', 1), "code holds a line break"),
        (GOOD.replace("count: 3", "count: 4", 1), "one would replace the other's report"),
    ],
)
def test_a_file_that_would_do_something_else_than_it_says_is_refused(desk, text, said):
    assert said in "\n".join(problems(text))


PLACES = """\
time_zone: UTC
runs:
  one: {notebook: churn, cron: "0 7 3 * *", FIRST}
  two: {notebook: NOTEBOOK, cron: "0 8 3 * *", SECOND}
"""


@pytest.mark.parametrize(
    ("notebook", "first", "second"),
    [
        ("churn", "for_each: segment", "parameters: {months: 6}"),
        ("churn", "for_each: segment", "for_each: region, parameters: {months: 6}"),
        ("churn", "for_each: segment", "for_each: segment, audience: shared, parameters: {months: 6}"),
        ("churn", "for_each: segment", "for_each: segment, recipients: a@example.com"),
        ("good", "parameters: {months: 6}", "parameters: {count: 6}"),
    ],
)
def test_runs_whose_reports_lie_in_different_places_may_differ(desk, notebook, first, second):
    text = PLACES.replace("NOTEBOOK", notebook).replace("FIRST", first).replace("SECOND", second)
    assert len(read(text).jobs) == 2


@pytest.mark.parametrize(
    ("notebook", "first", "second"),
    [
        ("churn", "for_each: segment", "for_each: segment, parameters: {months: 6}"),
        ("churn", "for_each: segment", "for_each: Segment, parameters: {months: 6}"),  # one folder on a Mac
        ("notebooks/churn.ipynb", "audience: full", "parameters: {months: 6}"),
    ],
)
def test_runs_that_would_take_turns_in_one_place_are_refused(desk, notebook, first, second):
    text = PLACES.replace("NOTEBOOK", notebook).replace("FIRST", first).replace("SECOND", second)
    assert "one would replace the other's report" in "\n".join(problems(text))


EXPLAINED = """\
time_zone: Europe/Berlin
owner: mail:ops@example.com
runs:
  board:
    notebook: churn
    cron: "0 6 * * mon"
    audience: shared
    for_each: segment
    jobs: 2
    parameters: {as_of: last_complete_month, months: 6}
    recipients: [board@example.com, "webhook:NO_SUCH_VARIABLE", "folder:/mnt/board"]
    keep: 26
    catch_up: 3
    timeout: 30m
    memory: 4GB
    retries: 1
  plain: {notebook: good, cron: "*/30 * * * *", alerts: [], catch_up: 0}
"""


def test_each_line_of_a_schedule_is_explained_in_words(desk, monkeypatch):
    monkeypatch.delenv("CS_HELPERS_SMTP_URL", raising=False)
    monkeypatch.delenv("CS_HELPERS_MAIL_FROM", raising=False)
    lines = settings.explain(read(EXPLAINED), NOW)
    assert lines[0] == "2 runs, times in Europe/Berlin."
    board = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in lines[3 : lines.index("plain") - 1])
    assert board["what"] == "the notebook churn, one report for each segment, 2 at a time"
    assert board["when"] == "Mondays at 06:00"
    assert board["next"].startswith("Monday 6 July 2026, 06:00 (in 5 days")
    assert ", then Monday 13 July 2026, 06:00 (in 12 days" in board["next"]
    assert board["with"] == "as_of last complete month (2026-07-01 next time), months 6"
    assert board["for"].startswith("readers who must not see names")
    assert board["delivered to"] == ("board@example.com, the webhook in NO_SUCH_VARIABLE and the folder /mnt/board")
    assert board["failures"] == "reported to ops@example.com"
    assert board["missed times"] == "the latest 3 are made up, the oldest of them first"
    assert board["kept"] == "the last 26 runs of each series"
    assert board["limits"] == "stopped after 30 min, stopped above 4.0 GB, 1 retry"
    assert lines[-3:] == [
        "CS_HELPERS_SMTP_URL is not set here: the deliveries of board need it.",
        "CS_HELPERS_MAIL_FROM is not set here: the deliveries of board need it.",
        "NO_SUCH_VARIABLE is not set here: the deliveries of board need it.",
    ]
    plain = "\n".join(lines[lines.index("plain") :])
    assert "every 30 minutes" in plain and "reported to nobody: set owner or alerts" in plain
    assert "are not made up" in plain and "kept          all runs" in plain and "limits" not in plain


def test_the_command_check_explains_a_schedule_or_names_its_mistakes(desk):
    read(EXPLAINED)
    said = call("check", "reports/schedule.yml")
    assert said.exit_code == 0
    assert "Mondays at 06:00" in said.stdout
    found = json.loads(call("check", "reports/schedule.yml", "--json").stdout)
    board, plain = found["runs"]
    assert (board["when"], len(board["next"]), board["keep"]) == ("Mondays at 06:00", 2, 26)
    assert (found["owner"], plain["alerts"]) == (["mail:ops@example.com"], [])
    assert call("check", "reports/schedule.yml", "--as-of", "2026-01-01").exit_code == 2
    Path("reports/schedule.yml").write_text(EXPLAINED.replace("notebook: good", "notebook: god"), encoding="utf-8")
    refused = call("check", "reports/schedule.yml")
    assert refused.exit_code == 2
    assert "schedule.yml, line 17: no notebook 'god'" in refused.stderr
    assert list(Path("reports").iterdir()) == [Path("reports/schedule.yml")], "nothing is run or written"


def test_a_schedule_that_is_not_there_is_wrong_input(desk):
    refused = call("next")
    assert refused.exit_code == 2
    assert "there is no schedule reports/schedule.yml" in refused.stderr


def test_the_next_runs_come_in_order_and_in_words(desk):
    found = settings.upcoming(read(GOOD), NOW, 6)
    assert [(f"{at:%d %H:%M}", job.name) for at, job in found] == [
        ("02 05:30", "daily"),
        ("03 05:30", "daily"),
        ("04 05:30", "daily"),
        ("05 05:30", "daily"),
        ("06 05:30", "daily"),
        ("06 06:00", "team"),
    ]
    assert settings.in_words(found[0][0], NOW).startswith("Thursday 2 July 2026, 05:30 (tomorrow")
    assert settings.in_words(found[5][0], NOW).startswith("Monday 6 July 2026, 06:00 (in 5 days")


def test_where_the_machine_has_another_clock_its_own_time_stands_beside(desk, monkeypatch):
    (at, _), *_ = settings.upcoming(read(GOOD), NOW, 1)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert settings.in_words(at, NOW).endswith("(tomorrow; here Wednesday, 23:30)")
        monkeypatch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        assert settings.in_words(at, NOW) == "Thursday 2 July 2026, 05:30 (tomorrow)"
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


def test_the_scheduler_library_is_loaded_by_no_other_command():
    code = "import sys, cs_helpers.cli; print('apscheduler' in sys.modules, 'pydantic' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False False"


def test_the_schedule_is_kept_when_reports_are_cleaned_and_in_version_control():
    assert "! -name schedule.yml" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "!/reports/schedule.yml" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_every_scheduled_notebook_declares_what_the_schedule_sets(monkeypatch):
    monkeypatch.chdir(ROOT)
    for job in settings.read(Path("reports/schedule.yml")).jobs:
        assert set(job.parameters) <= set(series.declared_parameters(series.find(job.notebook)))
