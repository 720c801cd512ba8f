"""`cs-helpers due` makes each run once, whatever is killed, called twice or broken, and tells who has to know."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
import scheduled
from scheduled import begin, call, events, records, status, until

from cs_helpers.data import sample
from cs_helpers.publish import publish
from cs_helpers.schedule import due, run_history, settings

NOW = "2026-11-24T09:00+01:00"
OLD = 10 * 365 * 86_400  # seconds: written long before NOW, so that each time since then counts
PLAN = """\
time_zone: Europe/Berlin
owner: folder:board
runs:
  team:
    notebook: tiny
    cron: "30 5 * * *"
    recipients: folder:board
"""
WAITING = PLAN + "    parameters: {wait: go}\n"


@pytest.fixture
def desk(tmp_path):
    scheduled.lay(tmp_path, PLAN, OLD)
    return tmp_path


def began(desk):
    path = desk / "began"
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


def on_the_board(desk):
    return sorted(path.name.partition("-")[0] + path.name[-11:] for path in (desk / "board").iterdir())


# --- made once ----------------------------------------------------------------------------------------------------


@pytest.mark.reports
def test_what_is_due_is_run_delivered_and_told_once(desk):
    code, said, wrong = call(desk, "due", "--now", NOW, "--json")
    assert code == 0, wrong
    assert json.loads(said) == status(desk)
    (record,) = records(desk)
    assert record["scheduled"] == {"job": "team", "at": "2026-11-24T04:30:00Z", "of": 1}
    assert len(list((desk / "board").iterdir())) == 2, "the report, and the same as the latest"
    one = status(desk)["jobs"]["team"]
    assert status(desk)["state"] == "ok"
    assert (one["last_at"], one["last_status"], one["series"]) == ("2026-11-24T04:30:00Z", "ok", 1)
    assert (one["next_at"], one["undelivered"], one["failing_since"]) == ("2026-11-25T04:30:00Z", 0, None)
    (ended,) = events(desk, "job_ended")
    assert ended["run_ids"] == [record["run_id"]] == [each["run_id"] for each in events(desk, "delivered")]

    code, said, wrong = call(desk, "due", "--now", NOW)
    assert (code, wrong) == (0, "")
    assert said.startswith("Nothing is due. Next: team, Wednesday 25 November 2026, 05:30 (tomorrow")
    assert len(records(desk)) == began(desk) == len(events(desk, "delivered")) == 1
    assert call(desk, "due", "--now", NOW, "--quiet") == (0, "", ""), "cron mails whatever is said"


@pytest.mark.reports
def test_two_that_are_called_at_once_make_one_run(desk):
    scheduled.write(desk, WAITING, OLD)
    first, second = begin(desk, "due", "--now", NOW), begin(desk, "due", "--now", NOW)
    until(lambda: began(desk))
    until(lambda: first.poll() is not None or second.poll() is not None)  # the one that came too late
    late, early = (first, second) if first.poll() is not None else (second, first)
    assert "team: skipped, another process is running it." in late.communicate()[0]
    (desk / "go").touch()
    assert (late.wait(), early.wait()) == (0, 0)
    assert len(records(desk)) == began(desk) == len(events(desk, "delivered")) == 1


@pytest.mark.reports
def test_of_the_missed_times_as_many_as_allowed_are_made_up_the_oldest_first_and_old_runs_go(desk):
    scheduled.write(desk, PLAN + "    catch_up: 2\n    keep: 1\n", OLD)
    assert call(desk, "due", "--now", NOW)[0] == 0
    assert [each["time"][:10] for each in events(desk, "job_ended")] == ["2026-11-23", "2026-11-24"]
    assert [each["scheduled"]["at"][:10] for each in records(desk)] == ["2026-11-24"]
    assert call(desk, "due", "--now", NOW)[1].startswith("Nothing is due.")


# --- killed -------------------------------------------------------------------------------------------------------


@pytest.mark.reports
def test_a_run_that_outlives_its_killed_scheduler_is_not_made_twice_and_is_delivered_by_the_next(desk):
    scheduled.write(desk, WAITING, OLD)
    killed = begin(desk, "due", "--now", NOW)
    until(lambda: began(desk))
    run = next(each for each in psutil.Process(killed.pid).children() if "run" in each.cmdline())
    killed.kill()
    killed.communicate()
    code, said, _ = call(desk, "due", "--now", NOW)
    assert (code, "another process is running it" in said) == (0, True)
    assert status(desk)["jobs"]["team"]["running"] is True
    (desk / "go").touch()
    until(lambda: not run.is_running() or run.status() == psutil.STATUS_ZOMBIE)
    assert len(records(desk)) == 1
    assert list((desk / "board").iterdir()) == []
    code, said, _ = call(desk, "due", "--now", NOW)
    assert (code, "team: tiny went to folder:board." in said) == (0, True)
    assert len(records(desk)) == began(desk) == 1


@pytest.mark.reports
def test_a_run_that_is_killed_stays_due_and_the_next_call_makes_it(desk):
    scheduled.write(desk, WAITING, OLD)
    caller = begin(desk, "due", "--now", NOW)
    until(lambda: began(desk))
    children = psutil.Process(caller.pid).children(recursive=True)
    next(each for each in children if "--scheduled" in each.cmdline()).kill()
    _, wrong = caller.communicate()
    assert (caller.returncode, "team: was stopped before its end and is still due." in wrong) == (1, True)
    assert records(desk) == []
    psutil.wait_procs(children, timeout=20)
    (desk / "go").touch()
    assert call(desk, "due", "--now", NOW)[0] == 0
    assert [each["scheduled"]["at"] for each in records(desk)] == ["2026-11-24T04:30:00Z"]


@pytest.mark.reports
def test_a_scheduler_that_stops_us_leaves_nothing_running_and_nothing_half_done(desk):
    scheduled.write(desk, WAITING, OLD)
    stopped = begin(desk, "due", "--now", NOW)
    until(lambda: began(desk))
    children = psutil.Process(stopped.pid).children(recursive=True)
    assert children
    stopped.send_signal(signal.SIGTERM)
    stopped.communicate()
    assert stopped.returncode == 130
    assert psutil.wait_procs(children, timeout=20)[1] == []
    assert records(desk) == []
    assert not list((desk / "reports").glob(".tiny*"))
    assert "team: Tuesday" not in call(desk, "due", "--dry-run", "--now", NOW)[1]
    assert "Tuesday 24 November 2026, 05:30 (today" in call(desk, "due", "--dry-run", "--now", NOW)[1]


FANNED = """\
time_zone: Europe/Berlin
runs:
  each:
    notebook: tiny
    cron: "30 5 * * *"
    for_each: segment
    parameters: {source: data, wait: go}
"""


@pytest.mark.slow
def test_a_fan_out_that_is_stopped_half_way_makes_the_rest_the_next_time(desk):
    sample.write(desk / "data", accounts=12, months=4, seed=1)
    scheduled.notebook(
        desk / "notebooks" / "tiny.ipynb",
        'wait = "" if "Enterprise" in where else wait', scheduled.HELD,
    )  # fmt: skip
    scheduled.write(desk, FANNED, OLD)
    stopped = begin(desk, "due", "--now", NOW)
    until(lambda: len(records(desk)) == 1 and began(desk) == 2)
    stopped.send_signal(signal.SIGTERM)
    stopped.communicate()
    assert stopped.returncode == 130
    (first,) = records(desk)
    assert first["scheduled"]["of"] > 1
    (desk / "go").touch()
    code, said, wrong = call(desk, "due", "--now", NOW)
    assert (code, f"each: {first['scheduled']['of']} reports published." in said) == (0, True), wrong
    every = [each["series"] for each in records(desk)]
    assert len(every) == len(set(every)) == first["scheduled"]["of"], "none is made twice"


# --- failed -------------------------------------------------------------------------------------------------------


@pytest.mark.reports
def test_a_failure_is_told_to_the_owner_and_not_repeated_until_somebody_asks(desk):
    scheduled.write(desk, PLAN.replace("tiny", "fails"), OLD)
    code, said, wrong = call(desk, "due", "--now", NOW)
    assert (code, "fails: fails.ipynb, cell 3" in wrong, "no luck" in wrong) == (1, True, True)
    assert "team: the notice of the failure went to folder:board." in said
    assert [path.name for path in (desk / "board").iterdir()] == ["fails-FAILED.txt"]
    one = status(desk)["jobs"]["team"]
    assert (status(desk)["state"], one["last_status"], one["failing_since"]) == (
        "failing", "failed", "2026-11-24T04:30:00Z",
    )  # fmt: skip
    assert "no luck" in one["message"]
    assert call(desk, "due", "--now", NOW)[:2][0] == 0
    assert len(records(desk)) == 1
    scheduled.notebook(desk / "notebooks" / "fails.ipynb", "1 + 1")
    assert call(desk, "due", "--now", NOW, "--failed")[0] == 0
    assert [each["status"] for each in records(desk)] == ["failed", "ok"]
    assert status(desk)["state"] == "ok"
    assert not (desk / "board" / "fails-FAILED.txt").exists(), "the report that came after it is there"


@pytest.mark.reports
def test_a_run_that_cannot_begin_is_told_once_stays_due_and_is_made_when_it_can(desk):
    scheduled.write(desk, PLAN + "    parameters: {source: exports}\n", OLD)
    code, _, wrong = call(desk, "due", "--now", NOW)
    assert code == 1
    assert "team: could not run and is still due.\n  source: there is no file or folder exports" in wrong
    told = (desk / "board" / "team-FAILED.txt").read_text(encoding="utf-8")
    assert "there is no file or folder exports" in told
    assert status(desk)["jobs"]["team"]["failing_since"] == "2026-11-24T04:30:00Z"
    assert "no file or folder exports" in status(desk)["jobs"]["team"]["message"]
    assert call(desk, "due", "--now", NOW)[0] == 1, "it is tried again"
    assert call(desk, "due", "--now", "2026-11-25T09:00+01:00")[0] == 1, "and the next day"
    assert len(events(desk, "delivered")) == 1, "but the owner knows"
    (desk / "exports").mkdir()
    assert call(desk, "due", "--now", "2026-11-25T09:00+01:00")[0] == 0
    assert status(desk)["state"] == "ok"
    assert list((desk / "reports" / due.NOT_STARTED).glob("team@*")) == []


@pytest.mark.reports
def test_the_times_of_a_job_are_made_in_their_order_or_not_at_all(desk):
    scheduled.write(desk, PLAN + "    parameters: {source: exports}\n    catch_up: 3\n", OLD)
    assert call(desk, "due", "--now", NOW)[0] == 1
    assert [each["time"] for each in events(desk, "job_started")] == ["2026-11-22T04:30:00Z"]


@pytest.mark.reports
def test_a_delivery_that_fails_is_made_by_a_later_call_and_no_run_is_repeated_for_it(desk):
    shutil.rmtree(desk / "board")
    code, _, wrong = call(desk, "due", "--now", NOW)
    assert (code, "team: tiny did not reach folder:board: There is no folder board." in wrong) == (1, True)
    assert (status(desk)["state"], status(desk)["jobs"]["team"]["undelivered"]) == ("failing", 1)
    (desk / "board").mkdir()
    (run,) = (desk / "reports" / "tiny").glob("2*")
    began_at = datetime.fromisoformat(records(desk)[0]["started_at"]).timestamp()
    os.utime(run / "delivery.json", (began_at + 0.1, began_at + 0.1))  # tried long enough ago
    code, said, _ = call(desk, "due", "--now", NOW)
    assert (code, "team: tiny went to folder:board." in said) == (0, True)
    assert len(records(desk)) == 1
    assert status(desk)["state"] == "ok"


# --- asked --------------------------------------------------------------------------------------------------------


@pytest.mark.reports
def test_what_would_be_run_is_said_and_not_run(desk):
    two = '  other: {notebook: fails, cron: "0 6 * * *"}\n'
    scheduled.write(desk, PLAN + two, OLD)
    code, said, _ = call(desk, "due", "--dry-run", "--now", NOW)
    assert code == 0
    assert "team   cs-helpers run tiny" in said and "other  cs-helpers run fails" in said
    assert "team" not in call(desk, "due", "--dry-run", "--now", NOW, "--only", "other")[1]
    assert call(desk, "due", "--dry-run", "--now", "2026-03-29T02:59+02:00")[0] == 0
    assert [path.name for path in (desk / "reports").iterdir()] == ["schedule.yml"]
    code, _, wrong = call(desk, "due", "--only", "teem")
    assert (code, "the schedule has no run 'teem'. Did you mean 'team'?" in wrong) == (2, True)
    scheduled.write(desk, PLAN.replace("tiny", "tinny"), OLD)
    code, _, wrong = call(desk, "due")
    assert (code, "schedule.yml, line 5: no notebook 'tinny'" in wrong) == (2, True)


# --- what is told, without processes ------------------------------------------------------------------------------


@pytest.fixture
def shelf(desk, monkeypatch):
    """A desk in this process: a function that lays a run there, and the job."""
    monkeypatch.chdir(desk)
    out = Path("reports")
    (job,) = settings.read(out / "schedule.yml").jobs
    numbers = iter(range(1000))

    def lay(at, status="failed", message="no luck", series="tiny", age=timedelta(), of=1):
        now = datetime.now(UTC) - age
        folder = out / series / f"{now:%Y%m%dT%H%M%S}{next(numbers):03}Z-aaaa"
        folder.mkdir(parents=True)
        record = {
            "run_id": folder.name, "series": series, "status": status, "notebook": "tiny.ipynb", "parameters": {},
            "started_at": run_history.utc(now), "audience": "full", "headline": [], "takeaways": [], "title": "Tiny",
            "quality": [], "changed": None, "as_of": None, "duration_s": 1.0,
            "scheduled": {"job": "team", "at": f"2026-11-{at}", "of": of},
            "error": {"cell": 1, "ename": "E", "message": message} if status == "failed" else None,
        }  # fmt: skip
        (folder / "run.json").write_text(publish.dump_record(record), encoding="utf-8")
        if status != "failed":
            (folder / "report.html").write_text("<p>", encoding="utf-8")
        return folder

    said = []
    tools = due.JobRunner(out, lambda line, wrong: said.append(line))

    def deliver():
        said.clear()
        tools.deliver_pending(job)
        return [line.removeprefix("team: ") for line in said]

    return lay, deliver, job


FAILURE, REPORT = "the notice of the failure went to folder:board.", "tiny went to folder:board."


def test_the_same_failure_half_an_hour_later_is_not_told_again_but_another_one_is(shelf):
    lay, deliver, _ = shelf
    lay("24T04:30:00Z")
    assert deliver() == [FAILURE]
    lay("24T05:00:00Z")
    assert deliver() == []
    lay("24T05:30:00Z", message="a new reason")
    assert deliver() == [FAILURE]


def test_a_failure_that_goes_on_is_told_again_the_next_day(shelf):
    lay, deliver, _ = shelf
    lay("24T04:30:00Z")
    assert deliver() == [FAILURE]
    lay("25T04:30:00Z")
    assert deliver() == [FAILURE]


def test_a_failure_after_a_good_run_is_news(shelf):
    lay, deliver, _ = shelf
    lay("24T04:30:00Z")
    assert deliver() == [FAILURE]
    lay("24T05:00:00Z", "ok")
    assert deliver() == [REPORT]
    lay("24T05:30:00Z")
    assert deliver() == [FAILURE]


def test_one_cause_of_many_failures_at_once_is_told_once(shelf):
    lay, deliver, _ = shelf
    for name in ("a", "b", "c"):
        lay("24T04:30:00Z", series=f"tiny/segment={name}", of=4)
    lay("24T04:30:00Z", series="tiny/segment=d", of=4, message="its own")
    assert deliver() == [FAILURE, FAILURE]
    assert deliver() == []


def test_only_the_latest_time_is_delivered_late_and_not_what_is_days_old(shelf):
    lay, deliver, _ = shelf
    lay("22T04:30:00Z", "ok")
    lay("23T04:30:00Z", "ok")
    assert deliver() == [REPORT]
    lay("24T04:30:00Z", "ok", age=timedelta(days=4))
    assert deliver() == []


def test_the_pause_between_tries_grows_with_the_age_of_the_run(shelf):
    lay, deliver, _ = shelf
    folder = lay("24T04:30:00Z", "ok", age=timedelta(hours=1))
    Path("board").rmdir()
    assert len(deliver()) == 1, "tried, and it did not reach"
    assert deliver() == [], "an hour after the run the next try is an hour away"
    started = time.time() - 3600
    os.utime(folder / "delivery.json", (started + 1700, started + 1700))
    Path("board").mkdir()
    assert deliver() == [REPORT]


def test_processes_that_deliver_one_run_at_once_deliver_it_once(shelf):
    """Each is a real process with the real lock."""
    lay, _, _ = shelf
    lay("24T04:30:00Z", "ok")
    code = (
        "from pathlib import Path; from cs_helpers.schedule import due, settings\n"
        "out = Path('reports'); (job,) = settings.read(out / 'schedule.yml').jobs\n"
        "due.JobRunner(out, print).deliver_pending(job)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(events(Path.cwd(), "delivered")) == 1


def test_who_gets_the_lock_looks_again_whether_the_run_was_made_meanwhile(shelf):
    lay, _, job = shelf
    said = []
    at = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
    lay("24T04:30:00Z", "ok")
    ended = due.JobRunner(Path("reports"), lambda line, wrong: said.append(line)).run(
        job, at, at, at - timedelta(days=1)
    )
    assert (ended.outcome, ended.good, said) == ("skipped", True, [])


def test_what_breaks_with_one_job_does_not_keep_the_others_from_being_made(shelf):
    lay, _, job = shelf
    lay("24T04:30:00Z", "ok")
    said = []

    def tell(line, wrong):
        said.append(line)
        if line == f"one: {REPORT}":
            raise RuntimeError("the pipe is gone")

    jobs = (job.model_copy(update={"name": "one"}), job)
    (folder,) = Path("reports/tiny").glob("2*")
    other = folder.with_name(folder.name + "b")
    shutil.copytree(folder, other)
    record = json.loads((other / "run.json").read_text(encoding="utf-8"))
    record["scheduled"]["job"] = "one"
    (other / "run.json").write_text(json.dumps(record), encoding="utf-8")
    at = datetime(2026, 11, 24, 5, tzinfo=UTC)
    assert not due.run_all(due.JobRunner(Path("reports"), tell), settings.Schedule(job.zone, jobs), at, at)
    assert said == [f"one: {REPORT}", "one: unexpected RuntimeError: the pipe is gone", f"team: {REPORT}"]
