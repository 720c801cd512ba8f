"""What moves on a terminal while a command works; on stderr, so that results can be piped on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PLAIN_LINE_EVERY_S = 5.0


@contextmanager
def of_cells(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere a line now and then, so that a log stays short."""
    began = time.monotonic()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[cell]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(name, cell="starting", total=None)
            yield lambda n, of: bar.update(task, completed=n - 1, total=of, cell=f"cell {n} of {of}")
        return
    said = began

    def line(number: int, of: int) -> None:
        nonlocal said
        if time.monotonic() - said >= PLAIN_LINE_EVERY_S:
            said = time.monotonic()
            _line(f"{name}: cell {number} of {of}, {said - began:.0f} s")

    _line(f"{name}: started")
    yield line
    _line(f"{name}: ended after {time.monotonic() - began:.1f} s")


@contextmanager
def of_something(what: str) -> Iterator[None]:
    """Something that moves on a terminal while nothing can be said yet."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def _line(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
