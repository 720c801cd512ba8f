"""`cs-helpers start` stays, goes by the clock on the wall, never makes a run twice and ends when it is told to."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest
import scheduled
from scheduled import records, status, until

from cs_helpers.schedule import daemon, run_history
from cs_helpers.schedule.settings import Job, Schedule

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def desk(tmp_path):
    scheduled.lay(tmp_path, "time_zone: UTC\nruns: {}\n")
    return tmp_path


def plan(*runs):
    """A schedule of runs that are due at once, and once."""
    at = datetime.now(UTC) - timedelta(minutes=1)
    lines = [f'  {name}: {{cron: "{at:%M %H} * * *", {rest}}}' for name, rest in runs]
    return "\n".join(["time_zone: UTC", "owner: folder:board", "runs:", *lines, ""])


@contextmanager
def started(desk, *options, name="said"):
    """A scheduler that stays; gives it and what it has said so far."""
    said = desk / name
    with said.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "cs_helpers", "start", *options],
            cwd=desk, env=scheduled.ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=file,
        )  # fmt: skip
    try:
        yield process, lambda: said.read_text(encoding="utf-8")
    finally:
        process.terminate()
        process.wait(60)
    assert "Traceback" not in said.read_text(encoding="utf-8")


def children(process):
    return psutil.Process(process.pid).children(recursive=True)


def began(desk):
    path = desk / "began"
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


# --- real processes -----------------------------------------------------------------------------------------------


@pytest.mark.reports
def test_it_runs_what_is_due_reads_a_changed_schedule_refuses_a_wrong_one_and_is_light(desk):
    scheduled.write(desk, plan(("first", "notebook: tiny, recipients: 'folder:board'")))
    with started(desk) as (process, said):
        until(lambda: records(desk) and "first: tiny went to folder:board." in said())
        until(lambda: status(desk)["jobs"]["first"]["last_status"] == "ok")
        assert psutil.Process(process.pid).memory_info().rss < 120e6
        scheduled.write(desk, plan(("second", "notebook: tinny")), age=120)
        until(lambda: "schedule is invalid, so the previous one still applies" in said())
        assert "no notebook 'tinny'" in said()
        until(lambda: (desk / "board" / "schedule-FAILED.txt").is_file())
        scheduled.write(desk, plan(("third", "notebook: fails")), age=120)
        until(lambda: "The schedule was changed: 1 run; next is third" in said())
        until(lambda: "third: the notice of the failure went to folder:board." in said())
        until(lambda: list(status(desk)["jobs"]) == ["third"] and status(desk)["state"] == "failing")
        process.terminate()
        assert process.wait(30) == 0
        assert said().endswith("Stopped.\n")
    assert [record["scheduled"]["job"] for record in records(desk)] == ["first", "third"]
    whats = [scheduled.events(desk, what) for what in ("scheduler_started", "schedule_refused", "scheduler_stopped")]
    assert [len(found) for found in whats] == [1, 1, 1]


@pytest.mark.reports
@pytest.mark.parametrize("how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_two_jobs_run_side_by_side_and_a_signal_ends_them_with_nothing_half_done(desk, how):
    for name in ("other", "third"):
        scheduled.notebook(desk / "notebooks" / f"{name}.ipynb", scheduled.HELD)
    held = "parameters: {wait: go}"
    jobs = [
        ("one", f"notebook: tiny, {held}"),
        ("two", f"notebook: other, {held}"),
        ("same", f"notebook: tiny, {held}"),
        ("third", f"notebook: third, {held}"),
    ]
    scheduled.write(desk, plan(*jobs))
    with started(desk, "--jobs", "2") as (process, said):
        until(lambda: began(desk) == 2)
        time.sleep(0.5)
        running = children(process)
        assert sum("--scheduled" in each.cmdline() for each in running) == 2, "never more, and never two of one series"
        process.send_signal(how)
        assert process.wait(60) == 0
        assert psutil.wait_procs(running, timeout=20)[1] == []
        assert "Stopping. Waiting for" in said()
    assert records(desk) == []
    assert not [path for path in (desk / "reports").iterdir() if path.name.startswith((".tiny", ".other"))]


@pytest.mark.reports
def test_two_of_them_on_one_folder_make_one_run(desk):
    scheduled.write(desk, plan(("team", "notebook: tiny, parameters: {wait: go}")))
    with started(desk) as (_, said), started(desk, name="said too") as (_, said_too):
        until(lambda: "another process is running it" in said() + said_too())
        (desk / "go").touch()
        until(lambda: "team: tiny published" in said() + said_too())
    assert len(records(desk)) == began(desk) == 1


@pytest.mark.reports
def test_a_schedule_that_is_wrong_at_the_start_ends_it_at_once(desk):
    scheduled.write(desk, "time_zone: UTC\nrunns: {}\n")
    code, _, wrong = scheduled.call(desk, "start")
    assert (code, "unknown key 'runns'. Did you mean 'runs'?" in wrong) == (2, True)


# --- the clock ----------------------------------------------------------------------------------------------------


def schedule(*crons):
    jobs = [Job(name=f"job-{number}", notebook="good", cron=cron, zone=BERLIN) for number, cron in enumerate(crons)]
    return Schedule(BERLIN, tuple(jobs))


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_it_looks_again_when_a_time_has_come_and_not_before():
    last = daemon.next_check(schedule("3 13 * * *", "30 5 * * *"), NOON)  # 13:03 in Berlin
    assert last.until == NOON + timedelta(minutes=3)
    assert not daemon.must_check(last, NOON + timedelta(minutes=2, seconds=59))
    assert daemon.must_check(last, NOON + timedelta(minutes=3))
    assert daemon.must_check(None, NOON)


def test_it_looks_again_after_a_while_whatever_is_scheduled():
    for planned in (schedule(), schedule("30 5 * * *")):
        last = daemon.next_check(planned, NOON)
        assert last.until == NOON + daemon.CHECK_INTERVAL
    assert daemon.next_check(schedule(), NOON, [NOON, NOON + timedelta(minutes=1)]).until == NOON + timedelta(minutes=1)


def test_a_machine_that_slept_or_a_clock_that_was_set_is_noticed():
    last = daemon.next_check(schedule("30 5 * * *"), NOON)
    assert daemon.must_check(last, NOON + timedelta(days=3))
    assert daemon.must_check(last, NOON - timedelta(hours=1))


def test_it_never_sleeps_so_long_that_a_change_of_the_clock_would_be_missed():
    last = daemon.next_check(schedule("30 5 * * *"), NOON)
    assert daemon.sleep_for(last, NOON) == daemon.MAX_SLEEP.total_seconds() <= 30
    assert daemon.sleep_for(last, last.until - timedelta(seconds=2)) == 2
    assert daemon.sleep_for(last, last.until + timedelta(hours=1)) > 0, "and never turns in circles"


@pytest.mark.parametrize(
    ("began", "met"),
    [
        (datetime(2027, 3, 27, 22, tzinfo=UTC), "2027-03-28 03:30 +0200"),  # 02:30 is left out
        (datetime(2026, 10, 24, 22, tzinfo=UTC), "2026-10-25 02:30 +0200"),  # 02:30 comes twice
    ],
)
def test_in_the_nights_when_the_clocks_change_a_time_is_met_once_and_at_once(began, met):
    planned, now = schedule("30 2 * * *"), began
    runs, made = [], []
    while now < began + timedelta(hours=8):
        for at in run_history.pending(planned.jobs[0], runs, now, began):
            made.append(f"{now.astimezone(BERLIN):%Y-%m-%d %H:%M %z}")
            runs.insert(
                0, run_history.ScheduledRun("job-0", at.astimezone(UTC), 1, "good", "1", "ok", "", now, Path("good/1"))
            )
        now = daemon.next_check(planned, now).until
    assert made == [met]
