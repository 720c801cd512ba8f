"""``cs-helpers start``: stays, and has run what is due when it is due.

A convenience around ``due``, with the same locks and the same memory. It never adds up how long it slept: each time it
wakes, every few seconds, it asks the clock on the wall, so that a clock that was set, a machine that slept and the
nights when the clocks change are like any other. The runs are processes of their own, and it is light.
"""

from __future__ import annotations

import os
import select
import signal
import socket
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
from cs_helpers.schedule import due, ledger
from cs_helpers.schedule import schedule as plan
from cs_helpers.schedule.schedule import Job, Schedule

LONGEST_SLEEP = timedelta(seconds=5)
LOOK_AGAIN = timedelta(minutes=5)
"""After so long it looks into the folder even if no time has come: for deliveries, and for runs that were killed."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
"""Between two tries of a run that left no record."""
_WRITTEN_S = 1.0  # a file that was changed so short a while ago may not be written to its end


@dataclass(frozen=True)
class Look:
    """When the folder was looked into last, and how long nothing can have become due since."""

    at: datetime
    until: datetime


def must_look(last: Look | None, now: datetime) -> bool:
    """Whether something may have become due: a time has come, it is long ago, or the clock was set back."""
    return last is None or now >= last.until or now < last.at


def next_look(schedule: Schedule, now: datetime, pauses: Iterable[datetime] = ()) -> Look:
    """The look of now, which holds until the next time of any job, or the end of a pause between two tries."""
    coming = [at for at, _ in plan.upcoming(schedule, now, 1)]
    return Look(now, min([now + LOOK_AGAIN, *coming, *(end for end in pauses if end > now)]))


def sleep_for(last: Look, now: datetime) -> float:
    """Seconds until it must look again, never more than ``LONGEST_SLEEP``: the clock may be set meanwhile."""
    return min(LONGEST_SLEEP, max(last.until - now, timedelta(milliseconds=50))).total_seconds()


def stay(path: Path, out: Path, say: Callable[[str], None], *, jobs: int = 1) -> None:
    """Runs what is due until a signal comes. Raises ScheduleError if the schedule is wrong at the start."""
    _Daemon(path, out, say, jobs, plan.read(path)).stay()


class _Bell:
    """Wakes the loop: threads ring it, and so does any signal, without a lock that a signal could find taken."""

    def __init__(self) -> None:
        self._ear, self._hand = socket.socketpair()
        self._ear.setblocking(False)
        self._hand.setblocking(False)
        signal.set_wakeup_fd(self._hand.fileno(), warn_on_full_buffer=False)

    def ring(self) -> None:
        """Ends the wait of now, or the next one."""
        with suppress(BlockingIOError):  # it rings already
            self._hand.send(b"!")

    def wait(self, seconds: float) -> None:
        """Waits until it rings, or so many seconds."""
        if select.select([self._ear], [], [], seconds)[0]:
            self._ear.recv(4096)


class _Daemon:
    def __init__(self, path: Path, out: Path, say: Callable[[str], None], jobs: int, schedule: Schedule):
        self.path, self.out, self.jobs, self.schedule = path, out, jobs, schedule
        self._say = say
        self.seen = _signature(path)
        self.changed = due.last_change(path)
        self.desk = due.Desk(out, self.tell)
        self.threads: dict[str, threading.Thread] = {}
        self.pauses: dict[tuple[str, datetime], tuple[datetime, timedelta]] = {}
        self.bell, self.stopping, self.ended = _Bell(), False, False

    def tell(self, line: str, wrong: bool = False) -> None:
        """One line on standard error; what is wrong is no different there."""
        self._say(f"{datetime.now(self.schedule.zone):%Y-%m-%d %H:%M:%S}  {line}")

    def stay(self) -> None:
        """The loop; returns after a signal, when what was running has ended."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)
        log.event(self.out, "scheduler_started", jobs=[job.name for job in self.schedule.jobs])
        self.tell(f"Started with {_count(self.schedule)}{self._coming()}")
        last: Look | None = None
        while not self.stopping:
            now = datetime.now(UTC)
            if self._reload() or self.ended or last is None or must_look(last, now):
                self.ended = False
                self._look(now)
                last = next_look(self.schedule, now, [end for end, _ in self.pauses.values()])
            if not self.stopping:
                self.bell.wait(sleep_for(last, datetime.now(UTC)))
        self._finish()

    def _stop(self, *_: Any) -> None:
        self.stopping = True

    def _finish(self) -> None:
        running = list(self.threads)
        self.tell("Stopping." + (f" Waiting for {', '.join(running)}." if running else ""))
        self.desk.stop()
        for thread in list(self.threads.values()):
            thread.join(due.GRACE_S)
        self._write_status()
        log.event(self.out, "scheduler_stopped")
        self.tell("Stopped.")

    # --- the schedule -------------------------------------------------------------------------------------------

    def _reload(self) -> bool:
        """Takes a changed file over and says whether it did; a wrong one is told once, and the old stays in force."""
        signature = _signature(self.path)
        if signature == self.seen or (signature and 0 <= time.time() - signature[0] / 1e9 < _WRITTEN_S):
            return False
        self.seen = signature
        try:
            schedule = plan.read(self.path)
            changed = due.last_change(self.path)
        except (CsHelpersError, OSError) as error:
            words = f"The schedule was changed and is wrong, so the old one stays in force:\n{error}"
            self.tell(words, True)
            log.event(self.out, "schedule_refused", message=str(error))
            self._tell_owner(words)
            return False
        self.schedule, self.changed = schedule, changed
        self.pauses.clear()
        log.event(self.out, "schedule_read", jobs=[job.name for job in schedule.jobs])
        self.tell(f"The schedule was changed: {_count(schedule)}{self._coming()}")
        return True

    def _tell_owner(self, words: str) -> None:
        key = f"schedule@{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        record = due.stand_in_for_schedule(key, words, self.path)
        self._begin(self.path.name, self.desk.note, key, record, self.schedule.owner)

    def _coming(self) -> str:
        coming = plan.upcoming(self.schedule, datetime.now(UTC), 1)
        if not coming:
            return "."
        at, job = coming[0]
        return f"; next is {job.name}, {plan.in_words(at, datetime.now(UTC))}."

    # --- the work -----------------------------------------------------------------------------------------------

    def _look(self, now: datetime) -> None:
        """Has run what is due as far as there is room, one of a series at a time."""
        book = self.desk.ledger.read()
        busy = {plan.place_of(job) for job in self.schedule.jobs if job.name in self.threads}
        begun = set()
        for at, job in due.plan(self.schedule, book, now, self.changed):
            if job.name in self.threads or job.name in begun or plan.place_of(job) in busy:
                continue
            if len(self.threads) >= self.jobs or self._pausing(job, at, now):
                continue
            begun.add(job.name)
            busy.add(plan.place_of(job))
            self._begin(job.name, self._make, job, at, now)
        for job in self.schedule.jobs:
            if job.name not in self.threads and due.is_waiting(job, book.get(job.name, ())):
                self._begin(job.name, self.desk.deliver_late, job)
        self._write_status(book)

    def _begin(self, name: str, work: Callable[..., Any], *given: Any) -> None:
        def guarded() -> None:
            try:
                work(*given)
            except Exception as error:  # one job must not end the scheduler
                self.tell(f"{name}: {type(error).__name__}: {error}", True)
                log.event(self.out, "job_broke", job=name, error=type(error).__name__, message=str(error))
            finally:
                del self.threads[name]
                self.ended = True
                self.bell.ring()

        thread = self.threads[name] = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()

    def _make(self, job: Job, at: datetime, now: datetime) -> None:
        ended = self.desk.make(job, at, now, self.changed)
        if ended.outcome in ("not started", "stopped", "skipped", ledger.UNFINISHED):
            before = self.pauses.get((job.name, at), (now, FIRST_PAUSE / 2))[1]
            pause = min(LONGEST_PAUSE, 2 * before)
            self.pauses[job.name, at] = (datetime.now(UTC) + pause, pause)

    def _pausing(self, job: Job, at: datetime, now: datetime) -> bool:
        until, pause = self.pauses.get((job.name, at), (now, FIRST_PAUSE))
        return now < until <= now + pause  # a clock that was set back must not make it long

    def _write_status(self, book: ledger.Book | None = None) -> None:
        now = datetime.now(UTC)
        due.write_status(due.status(self.schedule, self.out, now, book), self.out)


def _signature(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced; None while it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _count(schedule: Schedule) -> str:
    return f"{len(schedule.jobs)} run{'' if len(schedule.jobs) == 1 else 's'}"
