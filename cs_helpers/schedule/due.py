"""Runs what is due, and what follows: delivery, notices of failures, removal of old runs, and the status file.

Every process may be killed at any time, and several may run at once. What is due follows from the run records alone
(``run_history``). Each job runs under a lock and is checked again once the lock is held. A report that was published
and not delivered is delivered by the next call.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psutil

from cs_helpers.core.errors import CsHelpersError, visible
from cs_helpers.publish import locks, log, prune, publish, run_records
from cs_helpers.schedule import delivery, run_history
from cs_helpers.schedule.run_history import RunHistory, RunsByJob, ScheduledRun
from cs_helpers.schedule.settings import Job, Schedule

STATUS = "status.json"
NOT_STARTED = ".not-started"
"""Notices of runs that left no record: one folder for each job and time, removed after the next run with a record."""
GRACE_S = 30.0
"""How long a run may take to end after it was asked to stop."""
MAX_DELIVERY_AGE = timedelta(days=3)
"""Older reports that could not be delivered are not sent any more."""
REPEAT_NOTICE_AFTER = timedelta(hours=20)
"""A failure that continues with the same message is reported again after this time."""

MAX_OUTPUT = 4000
_STOPPED = (130, 143)
_PROBLEM = "problem.json"
_T = TypeVar("_T")
Record = Mapping[str, Any]
Tell = Callable[[str, bool], None]
"""Takes one line for a person, and whether it reports a problem."""


@dataclass(frozen=True)
class JobResult:
    """The result of one job for one time: ``outcome`` as in ``run_history``, or skipped, stopped or not started."""

    job: Job
    at: datetime
    outcome: str
    undelivered: int = 0

    @property
    def good(self) -> bool:
        """Whether nobody has to act."""
        return self.outcome in ("ok", "warnings", "skipped") and not self.undelivered


class JobRunner:
    """Runs the jobs of a schedule into one folder. Several threads may share it, each with a job of its own."""

    def __init__(self, out: Path, tell: Tell, *, show: bool = False):
        """``show`` lets the runs show their progress on this terminal."""
        self.out, self.tell, self.show = out, tell, show
        self.history = RunHistory(out)
        self.stopping = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._guard = threading.Lock()

    def run(self, job: Job, at: datetime, now: datetime, changed: datetime, *, failed: bool = False) -> JobResult:
        """Runs a job for one time, delivers and removes old runs, unless another process does it or has done it."""
        with locks.hold(self.out, f"job-{job.name}") as held:
            if not held or is_running(self.out, job.name):
                self.tell(f"{job.name}: skipped, another process is running it.", False)
                return JobResult(job, at, "skipped")
            runs = self._runs(job)
            if at not in run_history.pending(job, runs, now, changed, failed=failed):
                return JobResult(job, at, "skipped")
            before = {ran.folder for ran in runs}
            log.event(self.out, "job_started", job=job.name, time=run_history.utc(at))
            self.tell(f"{job.name}: running, for {at:%A} {at.day} {at:%B %Y, %H:%M}.", False)
            code, output = self._run_process(job, at)
            runs = self._runs(job)
            made = [ran for ran in runs if ran.folder not in before]
            ended = self._conclude(job, at, runs, code, output)
            log.event(
                self.out, "job_ended", job=job.name, time=run_history.utc(at), outcome=ended, exit_code=code,
                run_ids=[ran.run_id for ran in made],
            )  # fmt: skip
            if self.stopping.is_set():
                return JobResult(job, at, ended)  # the next call delivers
            missing = self._deliver_runs(job, runs)
            self._prune(job, {ran.series for ran in made})
            return JobResult(job, at, ended, missing)

    def deliver_pending(self, job: Job) -> int:
        """Delivers what was published and not yet delivered; returns how many deliveries are still missing."""
        if not is_waiting(job, self._runs(job)):
            return 0
        with locks.hold(self.out, f"job-{job.name}") as held:
            return self._deliver_runs(job, self._runs(job), patient=True) if held else 0

    def _runs(self, job: Job) -> list[ScheduledRun]:
        return self.history.read().get(job.name, [])

    def _run_process(self, job: Job, at: datetime) -> tuple[int, str]:
        """Runs the command that a person would type as a process; returns its exit code and the end of its output."""
        command = [
            sys.executable, "-m", "cs_helpers", *job.command_at(at),
            "--scheduled", f"{job.name}@{run_history.utc(at)}", "--out", str(self.out), "--json",
        ]  # fmt: skip
        with tempfile.TemporaryFile() as output:
            with self._guard:
                if self.stopping.is_set():
                    return _STOPPED[0], ""
                # In its own session, so that Ctrl-C in the terminal reaches it only once, through us.
                process = self._running[job.name] = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=None if self.show else output, start_new_session=True,
                )  # fmt: skip
            try:
                # Others see from this file that the process runs: it continues if we are killed, our lock does not.
                with suppress(psutil.Error, OSError):
                    created = psutil.Process(process.pid).create_time()
                    publish.replace_file(_marker(self.out, job.name), json.dumps([process.pid, created]))
                code = process.wait()
            except BaseException:
                self._end([process])
                raise
            finally:
                del self._running[job.name]
                _marker(self.out, job.name).unlink(missing_ok=True)
            output.seek(max(0, output.seek(0, os.SEEK_END) - MAX_OUTPUT))
            return code, visible(output.read().decode("utf-8", "replace")).strip()

    def stop(self, grace: float = GRACE_S) -> None:
        """Starts no further run, asks running ones to stop, and kills them after ``grace`` seconds."""
        with self._guard:
            self.stopping.set()
            running = list(self._running.values())
        self._end(running, grace)

    def _end(self, processes: Sequence[subprocess.Popen[bytes]], grace: float = GRACE_S) -> None:
        for process in processes:
            process.terminate()
        end = time.monotonic() + grace
        for process in processes:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except BaseException as error:  # time is up, or a second Ctrl-C
                _kill(process.pid)
                process.wait()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise

    def _conclude(self, job: Job, at: datetime, runs: Sequence[ScheduledRun], code: int, output: str) -> str:
        """The outcome of a run; one without a record is reported once to the recipients of alerts."""
        of_time = run_history.at_time(runs, at.astimezone(UTC))
        outcome = run_history.outcome(of_time)
        if outcome != run_history.UNFINISHED:
            for notice in (self.out / NOT_STARTED).glob(f"{job.name}@*"):
                shutil.rmtree(notice, ignore_errors=True)
            self.tell(f"{job.name}: {_summary(of_time)}.", outcome == "failed")
            for ran in of_time:
                if ran.failed:
                    self.tell(f"  {ran.series}: {_first_line(ran.message)}", True)
            return outcome
        if code < 0 or code in _STOPPED:
            self.tell(f"{job.name}: was stopped before its end and is still due.", True)
            return "stopped"
        if of_time and not code:
            self.tell(f"{job.name}: {len(of_time)} of {of_time[0].of} reports exist. Was a value renamed?", True)
            return outcome
        reason = output if job.audience == "full" else ""  # the output of a run may name accounts
        reason = reason or f"The run ended with exit code {code} and left no record."
        self.tell(f"{job.name}: could not run and is still due.\n{textwrap.indent(reason, '  ')}", True)
        reported = self._recently_reported(job.name)
        self.report_problem(_key(job, at), _failure_record(job, at, reason), () if reported else job.alerts)
        return "not started"

    def report_problem(self, key: str, record: Record, alerts: Sequence[str]) -> None:
        """Records a problem that left no run record, and delivers the notice to everybody who has not received it."""
        folder = self.out / NOT_STARTED / key
        record = publish.redact_all(dict(record))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            publish.replace_file(folder / _PROBLEM, publish.dump_record(record))
        except OSError as error:
            self.tell(f"{key}: {folder} could not be written: {error.strerror}.", True)
        self._deliver(key, record, folder, alerts, "failure")

    def _recently_reported(self, name: str) -> bool:
        """Whether the same job could not run a short while ago, and that was reported."""
        now = time.time()
        for folder in (self.out / NOT_STARTED).glob(f"{name}@*"):
            with suppress(OSError):
                reported = delivery.delivered_already(folder)
                if reported and now - (folder / delivery.FILE).stat().st_mtime < REPEAT_NOTICE_AFTER.total_seconds():
                    return True
        return False

    def _deliver_runs(self, job: Job, runs: Sequence[ScheduledRun], *, patient: bool = False) -> int:
        """Delivers the runs of the latest time; returns how many deliveries are still missing."""
        for ran in _undelivered(job, runs, patient=patient):
            if ran.failed and _already_reported(ran, runs):
                continue  # reported a moment ago for another series
            try:
                record = json.loads((ran.folder / run_records.RECORD).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # removed meanwhile
            kind = "failure" if ran.failed else "report"
            self._deliver(job.name, record, ran.folder, job.alerts if ran.failed else job.recipients, kind)
        return len(_undelivered(job, runs))

    def _deliver(self, name: str, record: Record, folder: Path, to: Sequence[str], kind: Any) -> None:
        before = delivery.delivered_already(folder)
        wanted = [each for each in map(delivery.recipient, to) if each not in before]
        for outcome in delivery.deliver(record, folder, wanted, kind):
            what = "delivered" if outcome.delivered else "delivery_failed"
            log.event(
                self.out, what, job=name, run_id=record["run_id"], series=record["series"], kind=kind,
                recipient=outcome.recipient, message=outcome.message,
            )  # fmt: skip
            sent = "the notice of the failure" if kind == "failure" else record["series"]
            how = f"went to {outcome.recipient}."
            if not outcome.delivered:
                how = f"did not reach {outcome.recipient}: {outcome.message}"
            self.tell(f"{name}: {sent} {how}", not outcome.delivered)

    def _prune(self, job: Job, series: set[str]) -> None:
        """Removes the oldest runs of these series if the schedule limits how many are kept."""
        if job.keep is None:
            return
        for name in sorted(series):
            try:
                prune.keep_newest(self.out, name, job.keep)
            except (OSError, CsHelpersError) as error:
                self.tell(f"{job.name}: old runs of {name} could not be removed: {error}", True)


def due_runs(
    schedule: Schedule, history: RunsByJob, now: datetime, changed: datetime, *, failed: bool = False
) -> list[tuple[datetime, Job]]:
    """The jobs that are due and their times, the earliest first."""
    found = [
        (at, job)
        for job in schedule.jobs
        for at in run_history.pending(job, history.get(job.name, ()), now, changed, failed=failed)
    ]
    return sorted(found, key=lambda each: (each[0], each[1].name))


def run_all(runner: JobRunner, schedule: Schedule, now: datetime, changed: datetime, *, failed: bool = False) -> bool:
    """Runs what is due at ``now``, one after another; returns whether everything succeeded.

    The times of a job run in order: after one that could not run, its later times wait.
    """
    good, stuck = True, set()
    for job in schedule.jobs:
        good = _guarded(runner, job, partial(runner.deliver_pending, job)) == 0 and good
    for at, job in due_runs(schedule, runner.history.read(), now, changed, failed=failed):
        if job.name in stuck:
            continue
        ended = _guarded(runner, job, partial(runner.run, job, at, now, changed, failed=failed))
        good = ended is not None and ended.good and good
        if ended is None or ended.outcome in ("stopped", "not started", run_history.UNFINISHED):
            stuck.add(job.name)
    return good


def _guarded(runner: JobRunner, job: Job, work: Callable[[], _T]) -> _T | None:
    """The result of the work, or None after an unexpected error, which is reported; the other jobs still run."""
    try:
        return work()
    except CsHelpersError:
        raise  # such as a folder that cannot be written: it concerns every job
    except Exception as error:
        runner.tell(f"{job.name}: unexpected {type(error).__name__}: {error}", True)
        log.event(runner.out, "job_broke", job=job.name, error=type(error).__name__, message=str(error))
        return None


def last_change(path: Path) -> datetime:
    """When the schedule file was last written; a job that never ran is due for later times only."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def status(schedule: Schedule, out: Path, now: datetime, history: RunsByJob | None = None) -> dict[str, Any]:
    """The state of the scheduler for monitoring, as JSON.

    ``state`` is ok or failing; for each job: last_at, last_status, series (how many), next_at, failing_since,
    undelivered, running and message. An old ``checked_at`` means that nothing calls ``due`` any more.
    """
    history = RunHistory(out).read() if history is None else history
    jobs = {job.name: _job_status(job, history.get(job.name, ()), out, now) for job in schedule.jobs}
    wrong = any(one["failing_since"] or one["undelivered"] for one in jobs.values())
    return {
        "schema_version": 1,
        "checked_at": run_history.utc(now),
        "state": "failing" if wrong else "ok",
        "time_zone": schedule.zone.key,
        "jobs": jobs,
    }


def write_status(summary: Mapping[str, Any], out: Path) -> None:
    """Replaces ``status.json`` in one step. A full disk is reported by the runs themselves."""
    with suppress(OSError):
        out.mkdir(parents=True, exist_ok=True)
        publish.replace_file(out / STATUS, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")


def _job_status(job: Job, runs: Sequence[ScheduledRun], out: Path, now: datetime) -> dict[str, Any]:
    times = [at for at in run_history.times(runs) if at <= now]
    of_time = run_history.at_time(runs, times[0]) if times else []
    being_made = is_running(out, job.name)
    since = None if being_made else run_history.failing_since(runs)
    problem = _problem_record(out, job.name)
    if problem:
        first = datetime.fromisoformat(problem["scheduled"]["at"])
        since = min(since, first) if since else first
    wrong = problem["error"]["message"] if problem else next((ran.message for ran in of_time if ran.failed), "")
    return {
        "last_at": run_history.utc(times[0]) if times else None,
        "last_status": run_history.outcome(of_time) if times else None,
        "series": len(of_time),
        "next_at": run_history.utc(next(job.times(now))),
        "failing_since": run_history.utc(since) if since else None,
        "undelivered": len(_undelivered(job, runs)),
        "running": being_made,
        "message": _first_line(wrong) or None,
    }


def _undelivered(job: Job, runs: Sequence[ScheduledRun], *, patient: bool = False) -> list[ScheduledRun]:
    """The runs of the latest time that are not delivered to everybody.

    With ``patient`` only those that are to be tried again now: each pause is as long as all the time before it.
    """
    done, now = run_history.times(runs), datetime.now(UTC)

    def missing(ran: ScheduledRun) -> set[str]:
        to = job.alerts if ran.failed else job.recipients
        return {*map(delivery.recipient, to)} - delivery.delivered_already(ran.folder)

    return [
        ran
        for ran in (run_history.at_time(runs, done[0]) if done else ())
        if now - ran.started < MAX_DELIVERY_AGE
        and missing(ran)
        and not (ran.failed and _already_reported(ran, runs))
        and not (patient and _too_soon(ran, now))
    ]


def is_waiting(job: Job, runs: Sequence[ScheduledRun]) -> bool:
    """Whether a delivery for the latest time of the job is to be tried again now."""
    return bool(_undelivered(job, runs, patient=True))


def _already_reported(ran: ScheduledRun, runs: Sequence[ScheduledRun]) -> bool:
    """Whether the same failure was reported recently, for another series or for an earlier time."""
    for at in run_history.times(runs):
        if at > ran.at:
            continue
        of_time = run_history.at_time(runs, at)
        if ran.at - at > REPEAT_NOTICE_AFTER or (at < ran.at and run_history.outcome(of_time) in ("ok", "warnings")):
            return False
        same = [each for each in of_time if each.failed and each.message == ran.message and each.folder != ran.folder]
        if any(delivery.delivered_already(each.folder) for each in same):
            return True
    return False


def _too_soon(ran: ScheduledRun, now: datetime) -> bool:
    try:
        tried = datetime.fromtimestamp((ran.folder / delivery.FILE).stat().st_mtime, UTC)
    except OSError:
        return False  # never tried
    return now - tried < tried - ran.started


def _key(job: Job, at: datetime) -> str:
    return f"{job.name}@{at.astimezone(UTC):%Y%m%dT%H%MZ}"


def _failure_record(job: Job, at: datetime, reason: str) -> dict[str, Any]:
    """A run record for a run that could not leave one, for the notice about it."""
    return _notice(
        series=job.name,
        run_id=_key(job, at),
        title=job.name,
        notebook=f"{Path(job.notebook).stem}.ipynb",
        audience=job.audience.partition("+")[0],
        parameters=job.parameters_at(at) if job.audience == "full" else {},
        scheduled={"job": job.name, "at": run_history.utc(at), "of": 1},
        error={"cell": None, "ename": "NotStarted", "message": reason},
    )


def schedule_failure_record(run_id: str, reason: str, path: Path) -> dict[str, Any]:
    """A run record for a schedule that was changed and is now invalid."""
    message = f"{reason}\nCheck it: cs-helpers check {path}"
    return _notice(
        series="schedule",
        run_id=run_id,
        title=f"The schedule {path.name}",
        notebook=path.name,
        error={"cell": None, "ename": "ScheduleError", "message": message},
    )


def _notice(**fields: Any) -> dict[str, Any]:
    common: Record = {"status": "failed", "audience": "full", "parameters": {}, "as_of": None, "scheduled": None}
    return {**common, "headline": [], "started_at": run_history.utc(datetime.now(UTC)), **fields}


def _problem_record(out: Path, name: str) -> dict[str, Any] | None:
    """The oldest notice of a job that could not run and has not run since."""
    for path in sorted((out / NOT_STARTED).glob(f"{name}@*/{_PROBLEM}")):
        with suppress(OSError, ValueError):
            found = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
    return None


def _marker(out: Path, name: str) -> Path:
    return out / locks.FOLDER / f"job-{name}.running"


def is_running(out: Path, name: str) -> bool:
    """Whether a process of the job is running, also one whose scheduler was killed."""
    try:
        pid, created = json.loads(_marker(out, name).read_text(encoding="utf-8"))
        process = psutil.Process(pid)
        return bool(process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE)
    except (OSError, ValueError, TypeError, psutil.Error):
        return False


def _kill(pid: int) -> None:
    """Kills a process and everything it started."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in [*process.children(recursive=True), process]:
            with suppress(psutil.Error):
                each.kill()


def _summary(runs: Sequence[ScheduledRun]) -> str:
    """``4 reports, 1 of them failed``; for one report its series and status."""
    failed = sum(ran.failed for ran in runs)
    if len(runs) == 1:
        return f"{runs[0].series} failed" if failed else f"{runs[0].series} published ({runs[0].status})"
    return f"{len(runs)} reports" + (f", {failed} of them failed" if failed else " published")


def _first_line(text: str) -> str:
    return visible(text).strip().partition("\n")[0][:500]
