"""Runs many reports in worker processes, several at a time; a failed report does not stop the others.

Temporary failures (a killed kernel, a database that did not answer) are retried after growing pauses. Permanent ones
(wrong parameters, a broken export, an error in the notebook, a limit reached) are not.
"""

from __future__ import annotations

import json
import os
import queue
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cs_helpers.publish import kernel, log, publish, report_index, run
from cs_helpers.publish.series import Scalar

TEMPORARY_ERRORS = (
    "DeadKernelError", "SourceUnavailable", "ConnectionError", "ConnectionResetError", "ConnectionRefusedError",
    "BrokenPipeError", "TimeoutError", "OperationalError",
)  # fmt: skip
"""Names of temporary errors: the same run may succeed when it is repeated."""

FIRST_PAUSE_S, MAX_PAUSE_S = 2.0, 60.0
_LOGGED = ("status", "duration_s", "peak_memory_mb", "attempt", "scheduled")
_LATE_S = 60.0  # a run that passed its time limit has this long to report that itself
_INDEX_EVERY_S = 2.0


@dataclass(frozen=True)
class Order:
    """One report to run: notebook, parameters, part of a fan-out, and the scheduled job and time it is for, if any."""

    notebook: Path
    values: Mapping[str, Scalar]
    part: str = ""
    scheduled: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The name of its series."""
        return run.name_of(self.notebook, self.values, self.part)


@dataclass(frozen=True)
class Settings:
    """Settings of all runs: folder of the reports, number at a time, limits, retries, and kind of kernels."""

    out: Path
    jobs: int = 1
    timeout_s: float | None = 3600.0
    memory: int | None = None
    retries: int = 1
    warm: bool = True
    debug: bool = False


@dataclass(frozen=True)
class Result:
    """The outcome of an order: a run record, or a message if no record could be written."""

    order: Order
    record: Mapping[str, Any] | None = None
    message: str = ""
    exit_code: int = 0
    traceback: str = ""


@dataclass(frozen=True)
class Event:
    """Something that happened to an order: ``what`` is started, cell, message, retry or done."""

    order: Order
    what: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def run_all(
    orders: Sequence[Order],
    settings: Settings,
    tell: Callable[[Event], None],
    finished: Callable[[], None] | None = None,
) -> list[Result]:
    """Runs all orders; returns one result each, and a further one if the index page could not be written.

    ``tell`` receives each event and is called from this thread only. ``finished`` is called from time to time after
    reports were published. Ctrl-C (KeyboardInterrupt) stops the running reports, which leave nothing behind, and is
    raised again.
    """
    if not orders:
        return []
    todo: queue.SimpleQueue[tuple[int, Order]] = queue.SimpleQueue()
    for each in enumerate(orders):
        todo.put(each)
    events: queue.SimpleQueue[tuple[int, Event | Result]] = queue.SimpleQueue()
    results: dict[int, Result] = {}
    # For a single report, starting the server of warm kernels would take longer than starting one kernel.
    with kernel.warm() if settings.warm and len(orders) > 1 else nullcontext() as address:
        slots = [_Slot(todo, events, settings, address) for _ in range(max(1, min(settings.jobs, len(orders))))]
        try:
            index_page = _IndexPage(settings.out, finished)
            while len(results) < len(orders):
                index_page.update(len(results))
                try:
                    place, news = events.get(timeout=0.5)
                except queue.Empty:
                    continue
                if isinstance(news, Result):
                    results[place] = news
                    news = Event(news.order, "done", {"result": news})
                _log_event(settings.out, news)
                tell(news)
            index_page.update(len(results), at_once=True)
        finally:
            for slot in slots:
                slot.ask_to_stop()
            for slot in slots:
                slot.stop()
    lacking = [Result(orders[-1], None, index_page.trouble, 1)] if index_page.trouble else []
    return [results[place] for place in range(len(orders))] + lacking


class _IndexPage:
    """Rewrites the index page while reports finish: at most every 2 seconds and for at most a tenth of the time."""

    def __init__(self, out: Path, finished: Callable[[], None] | None):
        self.out, self.finished = out, finished
        self.seen, self.next = 0, 0.0
        self.trouble = ""

    def update(self, done: int, *, at_once: bool = False) -> None:
        if done == self.seen or (time.monotonic() < self.next and not at_once):
            return
        began = time.monotonic()
        self.trouble = ""
        try:
            if self.out.is_dir():
                report_index.rebuild(self.out)
        except OSError as error:
            self.trouble = run.cannot_write(self.out / "index.html", error)
        if self.finished and not self.trouble:
            self.finished()
        self.seen = done
        took = time.monotonic() - began
        self.next = began + max(_INDEX_EVERY_S, 10 * took)


class _Slot:
    """One of the runs that may be in progress at a time: a thread with a worker process, replaced if that dies."""

    def __init__(self, todo: Any, events: Any, settings: Settings, address: str | None):
        self.todo, self.events, self.settings = todo, events, settings
        self.environment = {**os.environ, **({kernel.ADDRESS_VARIABLE: address} if address else {})}
        self.worker: subprocess.Popen[str] | None = None
        self.stopping = threading.Event()
        self.late: threading.Timer | None = None
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def ask_to_stop(self) -> None:
        """Closes the worker's input: the worker then removes what is unfinished, and ends."""
        self.stopping.set()
        if self.worker and self.worker.stdin:
            with suppress(OSError):  # the worker has ended already
                self.worker.stdin.close()

    def stop(self) -> None:
        """Waits for the worker to end, and kills it after 8 seconds."""
        if self.worker:
            try:
                self.worker.wait(8)
            except subprocess.TimeoutExpired:
                self.worker.kill()
        self.thread.join(5)

    def _work(self) -> None:
        while not self.stopping.is_set():
            try:
                place, order = self.todo.get_nowait()
            except queue.Empty:
                return
            result = self._with_retries(place, order)
            if not self.stopping.is_set():
                self.events.put((place, result))

    def _with_retries(self, place: int, order: Order) -> Result:
        """Runs an order, and repeats it after a temporary failure."""
        attempt = 1
        while True:
            result = self._once(place, order, attempt)
            error = (result.record or {}).get("error") or {}
            if attempt > self.settings.retries or error.get("ename") not in TEMPORARY_ERRORS or self.stopping.is_set():
                return result
            pause = min(MAX_PAUSE_S, FIRST_PAUSE_S * 4 ** (attempt - 1)) * random.uniform(0.8, 1.2)  # noqa: S311
            retry = {"message": error["message"], "attempt": attempt, "pause_s": round(pause, 1)}
            self.events.put((place, Event(order, "retry", retry | _ids(result.record))))
            if self.stopping.wait(pause):
                return result
            attempt += 1

    def _once(self, place: int, order: Order, attempt: int) -> Result:
        about = {"attempt": attempt, "scheduled": dict(order.scheduled) if order.scheduled else None}
        series_name, run_id = order.name, ""
        for message in self._conversation(order, about):
            event = message.pop("event")
            if event == "done":
                return self._result(order, message["record"])
            if event == "problem":
                return Result(order, None, message["message"], message["exit_code"], message["traceback"])
            if event == "began":
                series_name, run_id = message["series"], message["run_id"]
            self.events.put((place, Event(order, {"began": "started"}.get(event, event), message)))
        if self.stopping.is_set():
            return Result(order, None, "stopped", 130)
        return self._lost(order, about, series_name, run_id)

    def _conversation(self, order: Order, about: Mapping[str, Any]) -> Any:
        """Sends an order to the worker; yields its messages until the run ends or the worker dies."""
        settings = self.settings
        if self.worker is None or self.worker.poll() is not None:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "cs_helpers.publish.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self.environment,
                start_new_session=True,  # Ctrl-C reaches this process only, which ends its workers itself
                text=True,
                encoding="utf-8",
            )
        worker = self.worker
        assert worker.stdin
        assert worker.stdout
        request = vars(settings) | vars(order) | {"about": about}
        try:
            worker.stdin.write(json.dumps(request, default=str) + "\n")
            worker.stdin.flush()
            for line in worker.stdout:
                message = json.loads(line)
                if message["event"] == "began" and settings.timeout_s:
                    self.late = threading.Timer(settings.timeout_s + _LATE_S, worker.kill)
                    self.late.daemon = True
                    self.late.start()
                last = message["event"] in ("done", "problem")
                yield message  # which the receiver may change
                if last:
                    return
        except (OSError, ValueError):
            return  # the worker was killed in the middle of a line
        finally:
            if self.late:
                self.late.cancel()

    def _result(self, order: Order, record: Mapping[str, Any]) -> Result:
        code, out = run.exit_code(record), self.settings.out
        if not code:
            return Result(order, record)
        traceback = run.traceback_of(record, out) if self.settings.debug else ""
        return Result(order, record, run.failure_message(record, out), code, traceback)

    def _lost(self, order: Order, about: Mapping[str, Any], name: str, run_id: str) -> Result:
        """The result of a worker that died: removes its unfinished files and records the failure."""
        out = self.settings.out
        if run_id:
            left = publish.temporary_folder(out, {"series": name, "run_id": run_id})
            shutil.rmtree(left, ignore_errors=True)
            if (out / name / run_id / "report.html").is_file():  # the worker died after publishing
                return Result(order, json.loads((out / name / run_id / "run.json").read_text(encoding="utf-8")))
        try:
            record = run.lost(order.notebook, order.values, name, out, about)
        except Exception as error:
            return Result(order, None, f"{name}: the process of this run was killed; {error}", 1)
        return Result(order, record, run.failure_message(record, out), 1)


def _ids(record: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: record[key] for key in ("series", "run_id")} if record else {}


def _log_event(out: Path, event: Event) -> None:
    """Writes an event to the log; cells and messages for the terminal are not logged."""
    fields: dict[str, Any] = {"series": event.order.name, **event.fields}
    what = {"started": "run_started", "retry": "run_again"}.get(event.what)
    if event.what == "done":
        result: Result = event.fields["result"]
        record = result.record
        fields = {"series": event.order.name, **_ids(record)}
        what = "run_published" if record and record["status"] != "failed" else "run_failed"
        fields |= {key: record.get(key) for key in _LOGGED} if record else {}
        if what == "run_failed":
            error = (record or {}).get("error") or {}
            fields |= {"error": error.get("ename"), "cell": error.get("cell")}
            fields["message"] = error.get("message") or result.message
    if what:
        log.event(out, what, **fields)
