"""The schedule handed to cron, systemd or Airflow: what is printed runs there as it would in a terminal."""

import ast
import configparser
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import scheduled
from typer.testing import CliRunner

from cs_helpers.cli import app
from cs_helpers.schedule import scheduler_export
from cs_helpers.schedule.settings import Job, Schedule

PLAN = """\
time_zone: Europe/Berlin
runs:
  team: {notebook: tiny, cron: "* * * * *"}
  daily: {notebook: fails, cron: "30 5 * * mon-fri"}
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A project in a folder with a name that shells, cron, systemd and templates would all trip over."""
    folder = tmp_path / "50% of $HOME 'it' {{ds}}"
    folder.mkdir()
    scheduled.lay(folder, PLAN)
    monkeypatch.chdir(folder)
    return folder


def call(*words):
    return CliRunner().invoke(app, ["export", *words])


def planned(*crons, zone="UTC"):
    jobs = [
        Job(name=f"job-{number}", notebook="good", cron=cron, zone=ZoneInfo(zone)) for number, cron in enumerate(crons)
    ]
    return Schedule(ZoneInfo(zone), tuple(jobs))


def test_the_line_for_cron_runs_what_is_due_as_a_shell_would_run_it(desk):
    lines = call("cron").stdout.splitlines()
    (line,) = [line for line in lines if not line.startswith("#")]
    assert "#   daily: Mondays to Fridays at 05:30" in lines
    fields, command = line.split("  ", 1)
    assert fields == "* * * * *", "each minute, since something is due each minute"
    assert "50\\% of" in command, "cron ends a command at a bare %"
    shell = command.replace("\\%", "%")
    assert shlex.split(shell)[:3] == ["cd", str(desk), "&&"]
    ran = subprocess.run(["sh", "-c", shell], cwd="/", capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), "cron would mail whatever is said"
    assert [record["scheduled"]["job"] for record in scheduled.records(desk)] == ["team"]


@pytest.mark.parametrize(
    ("crons", "apart"),
    [
        ([], 5),
        (["0 6 * * mon", "*/30 * * * *", "15 5 * * *"], 5),
        (["0 6 * * mon", "4 6 * * *"], 4),
        (["6 6 * * *"], 3),
        (["10 6 * * *", "7 6 * * *"], 1),
        (["* 6 * * *"], 1),
    ],
)
def test_cron_calls_often_enough_to_meet_each_minute_and_no_more_often(crons, apart):
    assert scheduler_export.minutes_apart(planned(*crons)) == apart


def test_a_zone_that_differs_by_part_of_an_hour_is_met_too():
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert scheduler_export.minutes_apart(planned("0 6 * * *", zone="Asia/Kathmandu"), summer) == 5  # 5:45 ahead
    assert scheduler_export.minutes_apart(planned("4 6 * * *", zone="Asia/Kathmandu"), summer) == 1  # 45 and 4 past


def unit_files(text):
    """The two files in what is printed, by name, read as systemd reads them."""
    parts = re.split(r"^# ---- (.*) ----$", text, flags=re.MULTILINE)
    found = {}
    for name, content in zip(parts[1::2], parts[2::2], strict=True):
        found[name.rpartition("/")[2]] = configparser.ConfigParser(interpolation=None, strict=True)
        found[name.rpartition("/")[2]].optionxform = str
        found[name.rpartition("/")[2]].read_string(content)
    return found


def test_the_units_for_systemd_hold_the_command_and_its_folder(desk):
    files = unit_files(call("systemd").stdout)
    service, timer = files["cs-helpers.service"]["Service"], files["cs-helpers.timer"]["Timer"]
    assert service["WorkingDirectory"] == str(desk).replace("%", "%%")
    assert service["Type"] == "oneshot"
    assert int(service["TimeoutStopSec"]) > 30
    assert service["ExecStart"].startswith("/") and service["ExecStart"].endswith("cs-helpers due")
    assert (timer["OnCalendar"], timer["Persistent"]) == ("*:*", "true")
    ran = subprocess.run([*shlex.split(service["ExecStart"]), "--dry-run"], capture_output=True, text=True, check=True)
    assert "team" in ran.stdout
    schedule = desk / "my plan.yml"
    schedule.write_text(PLAN.replace("* * * * *", "0 6 * * *"), encoding="utf-8")
    other = unit_files(call("systemd", "--schedule", "my plan.yml", "--out", "re$ports").stdout)
    assert other["cs-helpers.service"]["Service"]["ExecStart"].endswith('due --schedule "my plan.yml" --out re$$ports')
    assert other["cs-helpers.timer"]["Timer"]["OnCalendar"] == "*:0/5"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_itself_finds_nothing_wrong(desk, tmp_path):
    text = call("systemd").stdout
    parts = re.split(r"^# ---- (.*) ----$", text, flags=re.MULTILINE)
    for name, content in zip(parts[1::2], parts[2::2], strict=True):
        (tmp_path / name.rpartition("/")[2]).write_text(content, encoding="utf-8")
    timer = tmp_path / "cs-helpers.timer"
    ran = subprocess.run(["systemd-analyze", "verify", "--user", timer], capture_output=True, text=True, check=False)
    assert "cs-helpers" not in ran.stderr


def test_the_file_for_airflow_has_each_run_with_its_times_and_a_command_that_works(desk):
    tree = ast.parse(call("airflow").stdout)
    assigned = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert ast.literal_eval(assigned["ZONE"]) == "Europe/Berlin"
    runs = ast.literal_eval(assigned["RUNS"])
    assert [run[:2] for run in runs] == [
        ("cs_helpers_team", "* * * * *"), ("cs_helpers_daily", "30 5 * * 1,2,3,4,5"),
    ]  # fmt: skip
    (dag,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DAG"]
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in dag.keywords}
    assert (named["catchup"], named["schedule"]) == ("False", "times")
    assert "tz=ZONE" in named["start_date"]
    command = runs[0][2]
    assert "{{ds}}" not in command, "Airflow would fill it in"
    command = re.sub(r"\{\{ '(.*?)' \}\}", r"\1", command)  # what its templates make of it
    words = shlex.split(command)
    assert words[:3] == ["cd", str(desk), "&&"]
    assert words[-4:] == ["due", "--only", "team", "--failed"]
    ran = subprocess.run(["sh", "-c", f"{command} --dry-run"], cwd="/", capture_output=True, text=True, check=True)
    assert "cs-helpers run tiny" in ran.stdout


def test_only_what_can_be_exported_is(desk):
    refused = call("crom")
    assert (refused.exit_code, "Did you mean 'cron'? There are: cron, systemd, airflow." in refused.stderr) == (2, True)


def test_an_empty_schedule_can_be_handed_over_before_it_is_filled(desk):
    (desk / "reports" / "schedule.yml").write_text("time_zone: UTC\nruns: {}\n", encoding="utf-8")
    for to in ("cron", "systemd", "airflow"):
        assert call(to).exit_code == 0
