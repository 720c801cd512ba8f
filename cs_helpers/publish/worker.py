"""The worker process that runs reports one after the other: ``python -m cs_helpers.publish.worker``.

It reads orders from standard input and writes events to standard output, one line of JSON each. A separate process
keeps the memory, hang or crash of one run away from all others. The worker ends with the process that started it.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

from cs_helpers.core.errors import CsHelpersError
from cs_helpers.publish import publish, run
from cs_helpers.publish.execute import Limits

_GRACE_S = 5.0


def main() -> None:
    """Runs orders until standard input ends."""
    stop = _Stop()
    running = _Running()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one handles Ctrl-C
    signal.signal(signal.SIGTERM, stop)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # prints go to stderr, so that they do not mix with events
    orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, running), daemon=True).start()
    try:
        while order := orders.get():
            stop.running = True
            event = _result(order, out, running)
            stop.running = False
            _send(out, **event)
    except (KeyboardInterrupt, BrokenPipeError):
        running.remove_unfinished()
        sys.exit(130)


class _Running:
    """The run in progress, whose unfinished files are removed when the worker is stopped.

    The run removes them itself as a rule, but not if the interrupt is lost in a library or meets it while it cleans up.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None

    def remove_unfinished(self) -> None:
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def end_now(self) -> None:
        self.remove_unfinished()
        os._exit(130)


class _Stop:
    """The handler of SIGTERM: it interrupts a run once, so that the run cleans up; a worker without a run just ends.

    Raising KeyboardInterrupt in a worker that has no run would interrupt the start or the end of Python itself, which
    prints a traceback.
    """

    def __init__(self) -> None:
        self.running = False
        self.interrupted = False

    def __call__(self, *_: object) -> None:
        if self.interrupted:
            return
        if not self.running:
            os._exit(130)
        self.interrupted = True
        _mute()
        sys.unraisablehook = self._repeat
        raise KeyboardInterrupt

    def _repeat(self, error: sys.UnraisableHookArgs) -> None:
        """Repeats an interrupt that was raised in a destructor, where Python drops it; ignores all other errors."""
        if issubclass(error.exc_type, KeyboardInterrupt):
            self.interrupted = False
            os.kill(os.getpid(), signal.SIGTERM)


def _mute() -> None:
    """Sends what this process still prints to nowhere.

    The interrupt may meet asyncio and other libraries half-way. Their objects then complain as they are destroyed, in
    logs, warnings and tracebacks, and the run is discarded in any case.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _listen(orders: queue.SimpleQueue[dict[str, Any] | None], running: _Running) -> None:
    """Puts orders into the queue. At the end of input, stops a run in progress: its result would not be read."""
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put(None)
    late = threading.Timer(_GRACE_S, running.end_now)
    late.daemon = True
    late.start()
    os.kill(os.getpid(), signal.SIGTERM)


def _result(order: dict[str, Any], out: IO[str], running: _Running) -> dict[str, Any]:
    def began(series: str, run_id: str) -> None:
        running.folder = publish.temporary_folder(Path(order["out"]), {"series": series, "run_id": run_id})
        _send(out, event="began", series=series, run_id=run_id)

    try:
        record = run.run(
            Path(order["notebook"]),
            order["values"],
            Path(order["out"]),
            lambda number, of: _send(out, event="cell", number=number, of=of),
            within=Limits(order["timeout_s"], order["memory"]),
            part=order["part"],
            about=order["about"],
            warm=order["warm"],
            rebuild=False,
            debug=order["debug"],
            tell=lambda text: _send(out, event="message", text=text),
            began=began,
        )
    except Exception as error:
        ours = isinstance(error, CsHelpersError)
        return {
            "event": "problem",
            "message": str(error) if ours else f"Unexpected {type(error).__name__}: {error}",
            "exit_code": getattr(error, "exit_code", 1) if ours else 1,
            "traceback": traceback.format_exc() if order["debug"] else "",
        }
    return {"event": "done", "record": record}


def _send(out: IO[str], **event: Any) -> None:
    out.write(json.dumps(event, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
