"""``cs-helpers start``: a process that stays and runs what is due at its time.

It works as ``due`` does, with the same locks and the same run history. It wakes every few seconds and reads the clock
of the machine, so a changed clock, a machine that slept and daylight saving time need no special treatment. Each run is
a process of its own.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cs_helpers.core.errors import CsHelpersError
from cs_helpers.publish import log
from cs_helpers.schedule import due, run_history, settings
from cs_helpers.schedule.run_history import RunsByJob
from cs_helpers.schedule.settings import Job, Schedule

MAX_SLEEP = timedelta(seconds=5)
CHECK_INTERVAL = timedelta(minutes=5)
"""How often it checks even if no time has come, for late deliveries and for runs that were killed."""
MIN_PAUSE, MAX_PAUSE = timedelta(minutes=1), timedelta(hours=1)
"""The pause before another attempt at a run that left no record."""
MIN_FILE_AGE = 1.0  # a file that has just changed may not be complete yet


@dataclass(frozen=True)
class Check:
    """When the folder was last checked, and until when nothing can become due."""

    at: datetime
    until: datetime


def must_check(last: Check | None, now: datetime) -> bool:
    """Whether something may be due: a time has come, the last check is old, or the clock was set back."""
    return last is None or now >= last.until or now < last.at


def next_check(schedule: Schedule, now: datetime, pauses: Iterable[datetime] = ()) -> Check:
    """A check at ``now``, which holds until the next time of any job or the end of a pause."""
    coming = [at for at, _ in settings.upcoming(schedule, now, 1)]
    return Check(now, min([now + CHECK_INTERVAL, *coming, *(end for end in pauses if end > now)]))


def sleep_for(last: Check, now: datetime) -> float:
    """Seconds until the next check, at most ``MAX_SLEEP``, since the clock may be changed meanwhile."""
    return min(MAX_SLEEP, max(last.until - now, timedelta(milliseconds=50))).total_seconds()


def stay(path: Path, out: Path, say: Callable[[str], None], *, jobs: int = 1) -> None:
    """Runs what is due until a signal arrives. Raises ScheduleError if the schedule is invalid at the start."""
    _Daemon(path, out, say, jobs, settings.read(path)).stay()


class _Daemon:
    def __init__(self, path: Path, out: Path, say: Callable[[str], None], jobs: int, schedule: Schedule):
        self.path, self.out, self.jobs, self.schedule = path, out, jobs, schedule
        self._say = say
        self.seen = _signature(path)
        self.changed = due.last_change(path)
        self.runner = due.JobRunner(out, self.tell)
        self.threads: dict[str, threading.Thread] = {}
        self.pauses: dict[tuple[str, datetime], tuple[datetime, timedelta]] = {}
        # Threads and signal handlers put an entry to end the wait; a simple queue allows that at any moment.
        self.wakeups: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.stopping = self.ended = False

    def tell(self, line: str, wrong: bool = False) -> None:
        """Prints one line with the time; problems look the same."""
        self._say(f"{datetime.now(self.schedule.zone):%Y-%m-%d %H:%M:%S}  {line}")

    def stay(self) -> None:
        """The loop; returns after a signal, once the current runs have ended."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)
        log.event(self.out, "scheduler_started", jobs=[job.name for job in self.schedule.jobs])
        self.tell(f"Started with {settings.count_in_words(self.schedule)}{self._coming()}")
        last: Check | None = None
        while not self.stopping:
            now = datetime.now(UTC)
            if self._reload() or self.ended or last is None or must_check(last, now):
                self.ended = False
                self._start_due(now)
                last = next_check(self.schedule, now, [end for end, _ in self.pauses.values()])
            if not self.stopping:
                with suppress(queue.Empty):
                    self.wakeups.get(timeout=sleep_for(last, datetime.now(UTC)))
        running = list(self.threads)
        self.tell("Stopping." + (f" Waiting for {', '.join(running)}." if running else ""))
        self.runner.stop()
        for thread in list(self.threads.values()):
            thread.join(due.GRACE_S)
        self._write_status()
        log.event(self.out, "scheduler_stopped")
        self.tell("Stopped.")

    def _stop(self, *_: Any) -> None:
        self.stopping = True
        self.wakeups.put(None)

    def _reload(self) -> bool:
        """Reads a changed schedule and returns whether it applies; an invalid one is reported once and ignored."""
        signature = _signature(self.path)
        if signature == self.seen or (signature and 0 <= time.time() - signature[0] / 1e9 < MIN_FILE_AGE):
            return False
        self.seen = signature
        try:
            schedule = settings.read(self.path)
            changed = due.last_change(self.path)
        except (CsHelpersError, OSError) as error:
            reason = f"The changed schedule is invalid, so the previous one still applies:\n{error}"
            self.tell(reason, True)
            log.event(self.out, "schedule_refused", message=str(error))
            key = f"schedule@{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
            record = due.schedule_failure_record(key, reason, self.path)
            self._start(self.path.name, self.runner.report_problem, key, record, self.schedule.owner)
            return False
        self.schedule, self.changed = schedule, changed
        self.pauses.clear()
        log.event(self.out, "schedule_read", jobs=[job.name for job in schedule.jobs])
        self.tell(f"The schedule was changed: {settings.count_in_words(schedule)}{self._coming()}")
        return True

    def _coming(self) -> str:
        return settings.next_in_words(self.schedule, datetime.now(UTC), "; next is ") or "."

    def _start_due(self, now: datetime) -> None:
        """Starts what is due, at most ``jobs`` runs at once and one per series."""
        history = self.runner.history.read()
        busy = {settings.report_location(job) for job in self.schedule.jobs if job.name in self.threads}
        begun = set()
        for at, job in due.due_runs(self.schedule, history, now, self.changed):
            if job.name in self.threads or job.name in begun or settings.report_location(job) in busy:
                continue
            if len(self.threads) >= self.jobs or self._pausing(job, at, now):
                continue
            begun.add(job.name)
            busy.add(settings.report_location(job))
            self._start(job.name, self._run_job, job, at, now)
        for job in self.schedule.jobs:
            if job.name not in self.threads and due.is_waiting(job, history.get(job.name, ())):
                self._start(job.name, self.runner.deliver_pending, job)
        self._write_status(history)

    def _start(self, name: str, work: Callable[..., Any], *arguments: Any) -> None:
        def guarded() -> None:
            try:
                work(*arguments)
            except Exception as error:  # an error in one job must not end the scheduler
                self.tell(f"{name}: {type(error).__name__}: {error}", True)
                log.event(self.out, "job_broke", job=name, error=type(error).__name__, message=str(error))
            finally:
                del self.threads[name]
                self.ended = True
                self.wakeups.put(None)

        thread = self.threads[name] = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()

    def _run_job(self, job: Job, at: datetime, now: datetime) -> None:
        ended = self.runner.run(job, at, now, self.changed)
        if ended.outcome in ("not started", "stopped", "skipped", run_history.UNFINISHED):
            before = self.pauses.get((job.name, at), (now, MIN_PAUSE / 2))[1]
            pause = min(MAX_PAUSE, 2 * before)
            self.pauses[job.name, at] = (datetime.now(UTC) + pause, pause)

    def _pausing(self, job: Job, at: datetime, now: datetime) -> bool:
        until, pause = self.pauses.get((job.name, at), (now, MIN_PAUSE))
        return now < until <= now + pause  # a clock that was set back must not prolong it

    def _write_status(self, history: RunsByJob | None = None) -> None:
        now = datetime.now(UTC)
        due.write_status(due.status(self.schedule, self.out, now, history), self.out)


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Values that change when a file is written or replaced; None if there is no file."""
    with suppress(OSError):
        found = os.stat(path)
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None
