"""Locks between processes on one folder of reports: who holds one is alone with a series, a job or the index.

The only home of filelock. The operating system takes a lock from a process that ends, however it ends, so nothing has
to be cleared away after a crash. The files stay, since removing one would let two processes lock two files of one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cs_helpers.core.errors import ParameterError

FOLDER = ".locks"


@contextmanager
def hold(out: Path, name: str, wait: float = 0) -> Iterator[bool]:
    """Yields whether this process has the lock of that name under ``out``, after ``wait`` seconds at most.

    Raises ParameterError where no file can be written there.
    """
    from filelock import FileLock, Timeout

    file = out / FOLDER / f"{_file_name(name)}.lock"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Not a soft lock: that one would outlive its owner.
        lock = FileLock(file, timeout=wait, fallback_to_soft=False, preserve_lock_file=True)
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise ParameterError(
            f"{out}: no lock can be taken there: {error.strerror or error}.\n"
            "  Choose another --out, on a disk that this machine itself writes to."
        ) from None
    try:
        yield True
    finally:
        lock.release()


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.=-]+", "-", name).strip(".") or "lock"
