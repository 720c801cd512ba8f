"""Locks between processes that share a folder of reports: one process at a time per series, job or index.

The operating system releases the lock of a process that ends for any reason, so a crash leaves no lock behind. The lock
files stay: after removing one, two processes could lock two files of the same name. Only this module imports filelock.
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
    """Yields whether this process got the lock of that name under ``out`` within ``wait`` seconds.

    Raises ParameterError if no file can be written there.
    """
    from filelock import FileLock, Timeout

    safe_name = re.sub(r"[^\w.=-]+", "-", name).strip(".") or "lock"
    file = out / FOLDER / f"{safe_name}.lock"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # A soft lock would stay after its owner has ended.
        lock = FileLock(file, timeout=wait, fallback_to_soft=False, preserve_lock_file=True)
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise ParameterError(
            f"{out}: no lock can be created there: {error.strerror or error}.\n"
            "  Choose another --out, on a local disk of this machine."
        ) from None
    try:
        yield True
    finally:
        lock.release()
