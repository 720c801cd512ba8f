"""The doctor: each problem shows when it is there, none when it is not, and no secret is ever shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zoneinfo
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from run_records import write_run

from cs_helpers.cli import diagnostics as doctor
from cs_helpers.cli.diagnostics import Finding
from cs_helpers.publish import locks

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEDULE = """time_zone: Europe/Berlin
runs:
  data-check:
    notebook: data_check
    cron: "0 6 * * *"
"""
MAILS = (
    SCHEDULE
    + """    recipients: ["anna@example.com", "webhook:SLACK_URL", "folder:{folder}"]
"""
)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of reports in which all is well."""
    monkeypatch.chdir(Path(__file__).parents[2])  # where the notebooks are
    write_run(tmp_path / "reports")
    return tmp_path / "reports"


def found(what: str, findings: list[Finding]) -> list[tuple[str, str]]:
    return [(each.severity, each.message) for each in findings if each.what == what]


def look(check: Any, *given: Any) -> Finding:
    """The one finding of a check."""
    (finding,) = doctor._findings("it", lambda: check(*given))
    return finding


def test_on_this_machine_all_checks_are_made_and_nothing_is_wrong_or_left_behind(out: Path) -> None:
    before = sorted(path.name for path in out.rglob("*"))
    findings = doctor.examine(out, out / "schedule.yml", "data/sample")
    assert [each for each in findings if each.severity == "problem" and each.what != "disk"] == []
    assert {each.what for each in findings} == {
        "python", "packages", "engine", "databases", "optional", "fonts", "disk", "time zones", "clock", "reports",
        "locks", "warm start", "schedule", "leftovers", "source",
    }  # fmt: skip
    assert all(each.fix for each in findings if each.severity == "problem")
    assert sorted({path.name for path in out.rglob("*")} - set(before)) == [".locks", "doctor.lock"]


def test_the_command_exits_1_for_a_problem_and_0_for_notices(out: Path) -> None:
    def call(*words: str) -> Any:
        command = [sys.executable, "-m", "cs_helpers", "doctor", "--out", str(out), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = call("--json")
    findings = json.loads(done.stdout)
    assert done.returncode == any(each["severity"] == "problem" for each in findings)
    (out / "schedule.yml").write_text(SCHEDULE.replace("Berlin", "Berlim"))
    done = call()
    assert done.returncode == 1
    assert "problem  schedule" in done.stdout
    assert "Did you mean 'Europe/Berlin'?" in " ".join(done.stdout.split())
    assert "Fix the problems above" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_check_that_breaks_is_a_problem_and_stops_no_other() -> None:
    def breaks() -> Any:
        yield Finding("ok", "so far so good")
        raise RuntimeError("libfoo.so.3 is not there")

    (finding,) = doctor._findings("it", breaks)
    assert (finding.severity, finding.message) == (
        "problem", "could not be checked: RuntimeError: libfoo.so.3 is not there",
    )  # fmt: skip


# Packages and engines


def test_an_old_and_a_missing_package_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["pandas>=99", "no-such-package-at-all>=1.2", "numpy>=1", 'colorama; extra == "windows"']
    monkeypatch.setattr("importlib.metadata.requires", lambda name: wanted)
    findings = list(doctor._packages())
    assert [each.severity for each in findings] == ["problem", "problem"]
    assert findings[0].message.startswith("pandas>=99 is needed, and ")
    assert findings[1].message == "no-such-package-at-all>=1.2 is needed, and it is not installed."
    assert findings[0].fix == "Set the environment up again: make setup"


def test_a_python_that_is_too_old_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    finding = look(doctor._python)
    assert finding.severity == "problem"
    assert "3.10.4" in finding.message
    assert ">=3.11" in finding.message


def test_an_engine_that_does_not_open_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(doctor._engine).severity == "ok"
    monkeypatch.setenv("CS_HELPERS_MEMORY", "very much")
    finding = look(doctor._engine)
    assert finding.severity == "problem"
    assert "Set CS_HELPERS_MEMORY to a size such as 1GB" in finding.message


def test_a_driver_that_does_not_load_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    finding = look(doctor._databases)
    assert (finding.severity, finding.message[:48]) == ("notice", "PostgreSQL cannot be read, but files can: psycop")


def test_a_font_that_matplotlib_does_not_find_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    from cs_helpers.report.charts.font import STYLE

    assert look(doctor._fonts).severity == "ok"
    monkeypatch.setitem(STYLE, "font.family", ["No Such Font At All"])
    finding = look(doctor._fonts)
    assert finding.severity == "notice"
    assert "No Such Font At All" in finding.message


# Disk, clock, zones


@pytest.mark.parametrize(("free", "severity"), [(9e8, "problem"), (4e9, "notice"), (6e9, "ok")])
def test_a_disk_that_is_nearly_full(out: Path, monkeypatch: pytest.MonkeyPatch, free: float, severity: str) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage(1e12, 1e12 - free, free))
    findings = list(doctor._disk(out))
    assert {each.severity for each in findings} == {severity}
    assert f"{free / 1e9:.1f} GB are free on the disk of the reports" in findings[0].message
    assert bool(findings[0].fix) == (severity != "ok")


def test_no_time_zone_database_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoneinfo, "available_timezones", lambda: {"UTC"})
    finding = look(doctor._time_zones, {})
    assert finding.severity == "problem"
    assert "tzdata" in finding.fix


@pytest.mark.parametrize(
    ("zone", "severity"), [("Europe/Berlin", "ok"), ("Europe/Berlim", "notice"), ("", "ok"), ("CET-1CEST", "ok")]
)
def test_a_zone_of_this_machine_that_does_not_exist_is_a_notice(zone: str, severity: str) -> None:
    assert look(doctor._time_zones, {"TZ": zone}).severity == severity


def test_runs_from_the_future_are_a_problem_and_so_is_a_clock_from_the_past(out: Path) -> None:
    now = datetime.now(UTC)
    assert look(doctor._clock, out, now).severity == "ok"
    write_run(out, day=2, started_at=(now + timedelta(minutes=4)).isoformat())
    assert look(doctor._clock, out, now).severity == "ok", "two machines' clocks differ a little"
    write_run(out, day=3, started_at=(now + timedelta(hours=1)).isoformat())
    finding = look(doctor._clock, out, now)
    assert finding.severity == "problem"
    assert finding.message.startswith("1 of 3 runs have a start in the future")
    assert "before cs-helpers was installed" in look(doctor._clock, out, datetime(2020, 1, 1, tzinfo=UTC)).message


# The folder of reports


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "reports"
    file.write_text("a file where the folder should be")
    finding = look(doctor._write_access, file)
    assert (finding.severity, finding.message) == ("problem", f"{file} cannot be written: it is not a folder.")
    nowhere = Path("/proc/reports")
    if Path("/proc").is_dir():
        assert look(doctor._write_access, nowhere).severity == "problem"


def test_a_folder_that_is_not_there_yet_is_none(tmp_path: Path) -> None:
    finding = look(doctor._write_access, tmp_path / "a" / "b")
    assert (finding.severity, finding.message) == ("ok", f"{tmp_path}/a/b does not exist yet; the first run creates it")
    assert list(tmp_path.iterdir()) == []
    assert list(doctor._locks(tmp_path / "a" / "b")) == []


def test_locks_that_do_not_hold_are_a_problem(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    assert look(doctor._locks, out).severity == "ok"
    monkeypatch.setattr(fcntl, "flock", lambda *given: None)  # as on some network disks
    finding = look(doctor._locks, out)
    assert finding.severity == "problem"
    assert "two processes can hold the same lock" in finding.message


def test_locks_that_cannot_be_taken_are_a_problem(out: Path) -> None:
    (out / ".locks").write_text("a file where the folder should be")
    finding = look(doctor._locks, out)
    assert finding.severity == "problem"
    assert "no lock can be created there" in finding.message


def test_what_killed_runs_left_is_a_notice(out: Path) -> None:
    assert look(doctor._leftovers, out, NOW).severity == "ok"
    left = out / ".churn-20260101T050000000Z-00ab"
    left.mkdir()
    (left / "report.html").write_bytes(b"x" * 2000)
    os.utime(left, (0, 0))
    finding = look(doctor._leftovers, out, NOW)
    assert (finding.severity, finding.message) == ("notice", "1 leftover of killed runs and old logs, 2.0 kB.")
    assert left.is_dir(), "the doctor removes nothing"
    with locks.hold(out, "churn"):
        assert look(doctor._leftovers, out, NOW).severity == "ok"


# The schedule


def schedule(out: Path, text: str = SCHEDULE) -> Path:
    path = out / "schedule.yml"
    path.write_text(text)
    return path


def test_no_schedule_is_fine_and_a_wrong_one_is_a_problem_with_its_words(out: Path) -> None:
    assert look(doctor._schedule, out / "schedule.yml", NOW).severity == "ok"
    right = look(doctor._schedule, schedule(out), NOW)
    assert right.severity == "ok"
    assert right.message.startswith("1 run, times in Europe/Berlin; next data-check, Monday 2 March 2026, 06:00")
    finding = look(doctor._schedule, schedule(out, SCHEDULE.replace("cron:", "corn:")), NOW)
    assert finding.severity == "problem"
    assert "unknown key 'corn'" in finding.message


def test_what_the_recipients_need_is_asked_for_by_name_alone(out: Path) -> None:
    board = out / "board"
    path = schedule(out, MAILS.format(folder=board))
    findings = list(doctor._delivery(path, out, {}))
    assert [each.severity for each in findings] == ["notice"] * 4, "nobody waits for anything yet"
    (out / "status.json").write_text("{}")
    findings = list(doctor._delivery(path, out, {}))
    assert [each.severity for each in findings] == ["problem"] * 4
    said = " ".join(each.message for each in findings)
    for name in ("CS_HELPERS_SMTP_URL", "CS_HELPERS_MAIL_FROM", "SLACK_URL", str(board)):
        assert name in said
    board.mkdir()
    secret = "smtp://me:hunter2hunter2@mail.example.com"
    environment = {"CS_HELPERS_SMTP_URL": secret, "CS_HELPERS_MAIL_FROM": "r@example.com", "SLACK_URL": secret}
    finding = look(doctor._delivery, path, out, environment)
    assert finding.severity == "ok"
    assert "hunter2" not in finding.message
    assert list(doctor._delivery(schedule(out), out, {})) == [], "a schedule that tells nobody needs nothing"


def test_a_schedule_that_nobody_looks_at_is_a_notice(out: Path) -> None:
    path = schedule(out)
    assert "has not been run here yet" in look(doctor._scheduler, path, out, NOW).message
    status = out / "status.json"
    status.write_text(json.dumps({"checked_at": "2026-03-01T11:55:00Z", "state": "ok"}))
    assert look(doctor._scheduler, path, out, NOW).severity == "ok"
    status.write_text(json.dumps({"checked_at": "2026-02-28T20:00:00Z", "state": "ok"}))
    finding = look(doctor._scheduler, path, out, NOW)
    assert finding.severity == "notice"
    assert finding.message.endswith("due since then: data-check.")
    status.write_text(json.dumps({"checked_at": "2026-03-01T11:55:00Z", "state": "failing"}))
    assert "some runs or deliveries failed" in look(doctor._scheduler, path, out, NOW).message
    for broken in ("{", "[]", '{"checked_at": 3}', '{"checked_at": "2026-03-01T11:55:00", "state": "ok"}'):
        status.write_text(broken)
        finding = look(doctor._scheduler, path, out, NOW)
        assert (finding.severity, "status.json cannot be read" in finding.message) == ("problem", True), broken


# The source


def test_a_source_that_is_not_there_is_a_problem(out: Path) -> None:
    assert look(doctor._source, "data/sample").severity == "ok"
    finding = look(doctor._source, "data/smaple")
    assert finding.severity == "problem"
    assert "there is no such folder" in finding.message
