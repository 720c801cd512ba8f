"""Running what is due, and all that belongs to it: delivery, word of failures, retention, the summary for a watcher.

Everything may be killed at any instant and be run twice at once. What is due follows from the run records alone
(``ledger``), each job is made under a lock with a second look after it was taken, and what was published but not
delivered is delivered by whoever comes next.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from cs_helpers.core.errors import CsHelpersError, visible
from cs_helpers.publish import locks, log, publish, run_records
from cs_helpers.schedule import ledger
from cs_helpers.schedule.ledger import Ledger, Ran
from cs_helpers.schedule.schedule import Job, Schedule

STATUS = "status.json"
NOT_STARTED = ".not-started"
"""Where word of a run is kept that left no record: a folder for each job and time, gone when a later one was made."""
GRACE_S = 30.0
"""How long a run may take to end after it was told to."""
STILL_NEWS = timedelta(days=3)
"""A report that could not be delivered for so long is not sent any more."""
TOLD_AGAIN = timedelta(hours=20)
"""A failure that goes on with the same words is told again after so long."""

_MOST_WORDS = 4000
_STOPPED = (130, 143)
_PROBLEM = "problem.json"
_T = TypeVar("_T")
Record = Mapping[str, Any]
Tell = Callable[[str, bool], None]
"""Takes a line for a person, and whether it is about something wrong."""


@dataclass(frozen=True)
class Ended:
    """How a job was made for a time: ``outcome`` as the ledger says it, or skipped, stopped or not started."""

    job: Job
    at: datetime
    outcome: str
    undelivered: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing went wrong that somebody has to see to."""
        return self.outcome in ("ok", "warnings", "skipped") and not self.undelivered


class Desk:
    """Makes the runs of a schedule under one folder. One of it may be used by several threads, a job in each."""

    def __init__(self, out: Path, tell: Tell, *, show: bool = False, environment: Mapping[str, str] | None = None):
        """``show`` lets the runs write their progress to this terminal."""
        self.out, self.tell, self.show = out, tell, show
        self.environment = os.environ if environment is None else environment
        self.ledger = Ledger(out)
        self.stopping = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._guard = threading.Lock()

    # --- one job ------------------------------------------------------------------------------------------------

    def make(self, job: Job, at: datetime, now: datetime, changed: datetime, *, failed: bool = False) -> Ended:
        """Makes a job for one time and sees to what follows, unless another process is at it or has done it."""
        with locks.hold(self.out, f"job-{job.name}") as held:
            if not held or running(self.out, job.name):
                self.tell(f"{job.name}: left out, another process is making it just now.", False)
                return Ended(job, at, "skipped")
            runs = self._runs(job)
            if at not in ledger.pending(job, runs, now, changed, failed=failed):
                return Ended(job, at, "skipped")
            before = {ran.folder for ran in runs}
            log.event(self.out, "job_started", job=job.name, time=ledger.utc(at))
            self.tell(f"{job.name}: running, for {_short(at)}.", False)
            code, said = self._run(job, at)
            runs = self._runs(job)
            made = [ran for ran in runs if ran.folder not in before]
            ended = self._judge(job, at, runs, code, said)
            log.event(
                self.out, "job_ended", job=job.name, time=ledger.utc(at), outcome=ended, exit_code=code,
                run_ids=[ran.run_id for ran in made],
            )  # fmt: skip
            if self.stopping.is_set():
                return Ended(job, at, ended)  # whoever comes next delivers
            missing = self._hand_over(job, runs)
            self._keep(job, {ran.series for ran in made})
            return Ended(job, at, ended, missing)

    def deliver_late(self, job: Job) -> int:
        """Delivers what was published and not delivered yet; returns how many deliveries are still missing."""
        if not is_waiting(job, self._runs(job)):
            return 0
        with locks.hold(self.out, f"job-{job.name}") as held:
            return self._hand_over(job, self._runs(job), patient=True) if held else 0

    def _runs(self, job: Job) -> list[Ran]:
        return self.ledger.read().get(job.name, [])

    # --- the process --------------------------------------------------------------------------------------------

    def _run(self, job: Job, at: datetime) -> tuple[int, str]:
        """Runs the very command of a person in a process of its own; returns its exit code and its last words."""
        command = [
            sys.executable, "-m", "cs_helpers", *job.words_at(at),
            "--scheduled", f"{job.name}@{ledger.utc(at)}", "--out", str(self.out), "--json",
        ]  # fmt: skip
        with tempfile.TemporaryFile() as said:
            with self._guard:
                if self.stopping.is_set():
                    return _STOPPED[0], ""
                # A session of its own: a Ctrl-C in the terminal reaches it through us, once.
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=None if self.show else said,
                    start_new_session=True,
                )
                self._running[job.name] = process
            try:
                _mark(self.out, job.name, process.pid)
                code = process.wait()
            except BaseException:
                self._end([process])
                raise
            finally:
                del self._running[job.name]
                _marker(self.out, job.name).unlink(missing_ok=True)
            return code, _last_words(said)

    def stop(self, grace: float = GRACE_S) -> None:
        """Begins no further run, tells those that run to end, and ends those that do not after ``grace`` seconds."""
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

    # --- what follows -------------------------------------------------------------------------------------------

    def _judge(self, job: Job, at: datetime, runs: Sequence[Ran], code: int, said: str) -> str:
        """What became of it; a run without a record is told to who is told of failures, once."""
        of_time = ledger.at_time(runs, at.astimezone(UTC))
        came = ledger.outcome(of_time)
        if came != ledger.UNFINISHED:
            _forget(self.out, job.name)
            self.tell(f"{job.name}: {_in_short(of_time)}.", came == "failed")
            for ran in of_time:
                if ran.failed:
                    self.tell(f"  {ran.series}: {_first_line(ran.message)}", True)
            return came
        if code < 0 or code in _STOPPED:
            self.tell(f"{job.name}: was stopped before its end; it stays due.", True)
            return "stopped"
        if of_time and not code:
            self.tell(f"{job.name}: {len(of_time)} of {of_time[0].of} reports are there; was a value renamed?", True)
            return came
        words = said if job.audience == "full" else ""  # what a run tells its terminal may name accounts
        words = words or f"It ended with exit code {code} and left no record."
        self.tell(f"{job.name}: could not be made; it stays due.\n{_indented(words)}", True)
        told = self._told_lately(job.name)
        self.note(_key(job, at), _stand_in(job, at, words), () if told else job.alerts)
        return "not started"

    def note(self, key: str, record: Record, alerts: Sequence[str]) -> None:
        """Keeps word of something that left no run record, and tells who has not heard of it yet."""
        folder = self.out / NOT_STARTED / key
        record = publish.redact_all(dict(record))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            publish.replace_file(folder / _PROBLEM, publish.dump_record(record))
        except OSError as error:
            self.tell(f"{key}: nothing could be noted in {folder}: {error.strerror}.", True)
        self._deliver(key, record, folder, alerts, "failure")

    def _told_lately(self, name: str) -> bool:
        """Whether a time of the job just before could not be made either, and that was told."""
        from cs_helpers.schedule import deliver

        now = time.time()
        for folder in (self.out / NOT_STARTED).glob(f"{name}@*"):
            with suppress(OSError):
                told = deliver.delivered_already(folder)
                if told and now - (folder / deliver.FILE).stat().st_mtime < TOLD_AGAIN.total_seconds():
                    return True
        return False

    def _hand_over(self, job: Job, runs: Sequence[Ran], *, patient: bool = False) -> int:
        """Delivers the runs of the latest time; returns how many deliveries are missing after that."""
        for ran in _missing(job, runs, datetime.now(UTC), patient=patient):
            if ran.failed and _told(ran, runs):
                continue  # a moment ago, for another series
            try:
                record = json.loads((ran.folder / run_records.RECORD).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # removed just now
            kind = "failure" if ran.failed else "report"
            self._deliver(job.name, record, ran.folder, job.alerts if ran.failed else job.recipients, kind)
        return len(_missing(job, runs, datetime.now(UTC)))

    def _deliver(self, name: str, record: Record, folder: Path, to: Sequence[str], kind: Any) -> None:
        from cs_helpers.schedule import deliver

        before = deliver.delivered_already(folder)
        wanted = [each for each in map(deliver.recipient, to) if each not in before]
        if not wanted:
            return
        for outcome in deliver.deliver(record, folder, wanted, environment=self.environment, kind=kind):
            what = "delivered" if outcome.delivered else "delivery_failed"
            log.event(
                self.out, what, job=name, run_id=record["run_id"], series=record["series"], kind=kind,
                recipient=str(outcome.recipient), message=outcome.message,
            )  # fmt: skip
            sent = "word of the failure" if kind == "failure" else record["series"]
            if outcome.delivered:
                self.tell(f"{name}: {sent} went to {outcome.recipient}.", False)
            else:
                self.tell(f"{name}: {sent} did not reach {outcome.recipient}: {outcome.message}", True)

    def _keep(self, job: Job, series: set[str]) -> None:
        """Removes the oldest runs of the series that were just made, where the schedule says how many stay."""
        if job.keep is None:
            return
        from cs_helpers.publish import prune

        for name in sorted(series):
            try:
                prune.keep_newest(self.out, name, job.keep)
            except (OSError, CsHelpersError) as error:
                self.tell(f"{job.name}: old runs of {name} could not be removed: {error}", True)


# --- all that is due --------------------------------------------------------------------------------------------


def plan(
    schedule: Schedule, book: ledger.Book, now: datetime, changed: datetime, *, failed: bool = False
) -> list[tuple[datetime, Job]]:
    """Which jobs are due for which times, the earliest first."""
    found = [
        (at, job)
        for job in schedule.jobs
        for at in ledger.pending(job, book.get(job.name, ()), now, changed, failed=failed)
    ]
    return sorted(found, key=lambda each: (each[0], each[1].name))


def run_all(desk: Desk, schedule: Schedule, now: datetime, changed: datetime, *, failed: bool = False) -> bool:
    """Runs what is due at ``now``, one after the other; returns whether all of it went well.

    A job one of whose times could not be made is left at that: its times are made in their order.
    """
    good, stuck = True, set()
    for job in schedule.jobs:
        good = _guarded(desk, job, partial(desk.deliver_late, job)) == 0 and good
    for at, job in plan(schedule, desk.ledger.read(), now, changed, failed=failed):
        if job.name in stuck:
            continue
        ended = _guarded(desk, job, partial(desk.make, job, at, now, changed, failed=failed))
        good = ended is not None and ended.good and good
        if ended is None or ended.outcome in ("stopped", "not started", ledger.UNFINISHED):
            stuck.add(job.name)
    return good


def _guarded(desk: Desk, job: Job, work: Callable[[], _T]) -> _T | None:
    """The result of the work; what breaks with one job is told (None), and the others are made all the same."""
    try:
        return work()
    except CsHelpersError:
        raise  # a folder in which nothing can be written is not one job's trouble
    except Exception as error:
        desk.tell(f"{job.name}: unexpected {type(error).__name__}: {error}", True)
        log.event(desk.out, "job_broke", job=job.name, error=type(error).__name__, message=str(error))
        return None


def last_change(path: Path) -> datetime:
    """When the file of the schedule was last written; a job that was never run is due for later times only."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


# --- the summary ------------------------------------------------------------------------------------------------


def status(schedule: Schedule, out: Path, now: datetime, book: ledger.Book | None = None) -> dict[str, Any]:
    """What whatever watches the scheduler wants to know, for JSON.

    ``state`` is ok or failing; for each job: last_at, last_status, series (how many), next_at, failing_since,
    undelivered, running and message. ``checked_at`` is when this was found out: where it is old, nothing checks.
    """
    book = Ledger(out).read() if book is None else book
    jobs = {job.name: _standing(job, book.get(job.name, ()), out, now) for job in schedule.jobs}
    wrong = any(one["failing_since"] or one["undelivered"] for one in jobs.values())
    return {
        "schema_version": 1,
        "checked_at": ledger.utc(now),
        "state": "failing" if wrong else "ok",
        "time_zone": schedule.zone.key,
        "jobs": jobs,
    }


def write_status(said: Mapping[str, Any], out: Path) -> None:
    """Replaces ``status.json`` in one step. A disk that takes nothing more is told by the runs themselves."""
    with suppress(OSError):
        out.mkdir(parents=True, exist_ok=True)
        publish.replace_file(out / STATUS, json.dumps(said, indent=1, ensure_ascii=False) + "\n")


def _standing(job: Job, runs: Sequence[Ran], out: Path, now: datetime) -> dict[str, Any]:
    times = [at for at in ledger.times(runs) if at <= now]
    of_time = ledger.at_time(runs, times[0]) if times else []
    being_made = running(out, job.name)
    since = None if being_made else ledger.failing_since(runs)
    problem = _problem(out, job.name)
    if problem:
        first = datetime.fromisoformat(problem["scheduled"]["at"])
        since = min(since, first) if since else first
    wrong = problem["error"]["message"] if problem else next((ran.message for ran in of_time if ran.failed), "")
    return {
        "last_at": ledger.utc(times[0]) if times else None,
        "last_status": ledger.outcome(of_time) if times else None,
        "series": len(of_time),
        "next_at": ledger.utc(next(job.times(now))),
        "failing_since": ledger.utc(since) if since else None,
        "undelivered": len(_missing(job, runs, datetime.now(UTC))),
        "running": being_made,
        "message": _first_line(wrong) or None,
    }


# --- deliveries -------------------------------------------------------------------------------------------------


def _missing(job: Job, runs: Sequence[Ran], now: datetime, *, patient: bool = False) -> list[Ran]:
    """The runs of the latest time that somebody should have had and has not.

    With ``patient`` only those whose turn it is: each pause between two tries is as long as the whole time before.
    """
    done = ledger.times(runs)
    return [
        ran
        for ran in (ledger.at_time(runs, done[0]) if done else ())
        if now - ran.started < STILL_NEWS
        and _waiting(ran.folder, job.alerts if ran.failed else job.recipients)
        and not (ran.failed and _told(ran, runs))
        and not (patient and _too_soon(ran, now))
    ]


def is_waiting(job: Job, runs: Sequence[Ran]) -> bool:
    """Whether it is time to try again to deliver something of the job's latest time."""
    return bool(_missing(job, runs, datetime.now(UTC), patient=True))


def _waiting(folder: Path, to: Sequence[str]) -> bool:
    if not to:
        return False
    from cs_helpers.schedule import deliver

    return not {deliver.recipient(each) for each in to} <= deliver.delivered_already(folder)


def _told(ran: Ran, runs: Sequence[Ran]) -> bool:
    """Whether the same failure was told a short while ago, for another series or for a time just before."""
    from cs_helpers.schedule import deliver

    for at in ledger.times(runs):
        if at > ran.at:
            continue
        of_time = ledger.at_time(runs, at)
        if ran.at - at > TOLD_AGAIN or (at < ran.at and ledger.outcome(of_time) in ("ok", "warnings")):
            return False
        same = [each for each in of_time if each.failed and each.message == ran.message and each.folder != ran.folder]
        if any(deliver.delivered_already(each.folder) for each in same):
            return True
    return False


def _too_soon(ran: Ran, now: datetime) -> bool:
    from cs_helpers.schedule import deliver

    try:
        tried = datetime.fromtimestamp((ran.folder / deliver.FILE).stat().st_mtime, UTC)
    except OSError:
        return False  # never tried
    return now - tried < tried - ran.started


# --- runs without a record --------------------------------------------------------------------------------------


def _key(job: Job, at: datetime) -> str:
    return f"{job.name}@{at.astimezone(UTC):%Y%m%dT%H%MZ}"


def _stand_in(job: Job, at: datetime, words: str) -> dict[str, Any]:
    """A record of a run that could leave none, for the message about it."""
    return {
        "series": job.name,
        "run_id": _key(job, at),
        "status": "failed",
        "title": job.name,
        "notebook": f"{Path(job.notebook).stem}.ipynb",
        "audience": job.audience.partition("+")[0],
        "parameters": job.parameters_at(at) if job.audience == "full" else {},
        "as_of": None,
        "started_at": ledger.utc(datetime.now(UTC)),
        "scheduled": {"job": job.name, "at": ledger.utc(at), "of": 1},
        "headline": [],
        "error": {"cell": None, "ename": "NotStarted", "message": words},
    }


def stand_in_for_schedule(run_id: str, words: str, path: Path) -> dict[str, Any]:
    """The same for a schedule that was changed into one that is wrong."""
    return {
        "series": "schedule",
        "run_id": run_id,
        "status": "failed",
        "title": f"The schedule {path.name}",
        "notebook": path.name,
        "audience": "full",
        "parameters": {},
        "as_of": None,
        "started_at": ledger.utc(datetime.now(UTC)),
        "scheduled": None,
        "headline": [],
        "error": {"cell": None, "ename": "ScheduleError", "message": f"{words}\nCheck it: cs-helpers check {path}"},
    }


def _problem(out: Path, name: str) -> dict[str, Any] | None:
    """The oldest word of a job that could not be made and was not made since."""
    for path in sorted((out / NOT_STARTED).glob(f"{name}@*/{_PROBLEM}")):
        with suppress(OSError, ValueError):
            found = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
    return None


def _forget(out: Path, name: str) -> None:
    import shutil

    for folder in (out / NOT_STARTED).glob(f"{name}@*"):
        shutil.rmtree(folder, ignore_errors=True)


# --- processes --------------------------------------------------------------------------------------------------


def _marker(out: Path, name: str) -> Path:
    return out / locks.FOLDER / f"job-{name}.running"


def _mark(out: Path, name: str, pid: int) -> None:
    """Says which process makes a job: it outlives us if we are killed, and our lock does not."""
    import psutil

    with suppress(psutil.Error, OSError):
        publish.replace_file(_marker(out, name), json.dumps([pid, psutil.Process(pid).create_time()]))


def running(out: Path, name: str) -> bool:
    """Whether the process of a run of the job is alive, be it that the scheduler which began it was killed."""
    import psutil

    try:
        pid, created = json.loads(_marker(out, name).read_text(encoding="utf-8"))
        process = psutil.Process(pid)
        return bool(process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE)
    except (OSError, ValueError, TypeError, psutil.Error):
        return False


def _kill(pid: int) -> None:
    """Ends a process and all it started, at once."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in [*process.children(recursive=True), process]:
            with suppress(psutil.Error):
                each.kill()


def _last_words(said: IO[bytes]) -> str:
    said.seek(0, os.SEEK_END)
    said.seek(max(0, said.tell() - _MOST_WORDS))
    return visible(said.read().decode("utf-8", "replace")).strip()


# --- words ------------------------------------------------------------------------------------------------------


def _short(at: datetime) -> str:
    return f"{at:%A} {at.day} {at:%B %Y, %H:%M}"


def _in_short(runs: Sequence[Ran]) -> str:
    """``4 reports, 1 of them failed``; of one report its series and status."""
    failed = sum(ran.failed for ran in runs)
    if len(runs) == 1:
        return f"{runs[0].series} failed" if failed else f"{runs[0].series} published ({runs[0].status})"
    return f"{len(runs)} reports" + (f", {failed} of them failed" if failed else " published")


def _first_line(text: str) -> str:
    return visible(text).strip().partition("\n")[0][:500]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
