"""Progress of a command on stderr, so that its results on stdout can be piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cs_helpers.cli.app import say

if TYPE_CHECKING:
    from cs_helpers.publish.batch import Event

PLAIN_LINE_EVERY_S = 5.0


@contextmanager
def of_runs(total: int) -> Iterator[Callable[[Event], None]]:
    """Shows the progress of ``total`` reports: bars on a terminal, occasional lines elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines(total).show
        return
    shown = _Bars(total)
    with shown.bars:
        yield shown.show


class _Lines:
    """Prints a line when a report starts, ends or is retried, and every few seconds its current cell."""

    def __init__(self, total: int):
        self.total, self.ended = total, 0
        self.began: dict[str, float] = {}
        self.last_line_at = time.monotonic()

    def show(self, event: Event) -> None:
        name, now = event.order.name, time.monotonic()
        if event.what == "started":
            self.began.setdefault(name, now)
            say(f"{name}: started")
        elif event.what == "cell" and now - self.last_line_at >= PLAIN_LINE_EVERY_S:
            self.last_line_at = now
            of = event.fields
            say(f"{name}: cell {of['number']} of {of['of']}, {now - self.began.get(name, now):.0f} s")
        elif event.what in ("retry", "message"):
            say(_message(event))
        elif event.what == "done":
            self.ended += 1
            count = f" ({self.ended} of {self.total})" if self.total > 1 else ""
            how = "failed" if event.fields["result"].exit_code else "ended"
            say(f"{name}: {how} after {now - self.began.get(name, now):.1f} s{count}")


class _Bars:
    """One bar for each report in progress and, for several reports, one for all."""

    def __init__(self, total: int):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.total, self.ended, self.failed = total, 0, 0
        self.all = self.bars.add_task("all reports", total=total, text=f"0 of {total}") if total > 1 else None
        self.each: dict[str, Any] = {}

    def show(self, event: Event) -> None:
        name = event.order.name
        if event.what == "started" and name not in self.each:
            self.each[name] = self.bars.add_task(name, total=None, text="starting")
        elif event.what == "cell":
            number, of = event.fields["number"], event.fields["of"]
            self.bars.update(self.each[name], completed=number - 1, total=of, text=f"cell {number} of {of}")
        elif event.what in ("retry", "message"):
            self.bars.console.print(_message(event), markup=False, highlight=False)
        elif event.what == "done":
            if name in self.each:
                self.bars.remove_task(self.each.pop(name))
            self.ended += 1
            self.failed += bool(event.fields["result"].exit_code)
            if self.all is not None:
                failed = f", {self.failed} failed" if self.failed else ""
                self.bars.update(self.all, completed=self.ended, text=f"{self.ended} of {self.total}{failed}")


def _message(event: Event) -> str:
    of = event.fields
    if event.what == "message":
        return str(of["text"])
    return f"{of['message']}\n  {event.order.name}: temporary failure; retrying in {of['pause_s']:.0f} s"


@contextmanager
def of_something(what: str) -> Iterator[None]:
    """Shows a spinner on a terminal while a command works."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
