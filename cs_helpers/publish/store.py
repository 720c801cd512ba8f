"""Where reports are stored: a folder of this machine, or a remote store such as ``s3://bucket/reports``.

Runs are always published in a local folder, where renaming is one step. New files are then copied to the store, files
before the pages that link to them, so that no link is ever broken. A store has no locks, so only one machine at a time
should write to it. Only this module imports fsspec.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cs_helpers.core.audience import KEY_VARIABLE
from cs_helpers.core.errors import ParameterError, ReportFailed

CACHE_VARIABLE = "CS_HELPERS_CACHE"
_LAST = ("run.json", "latest.html", "index.html")
"""Files that are copied last, in this order, because they refer to other files."""


class Store:
    """A local folder of reports: nothing needs to be copied."""

    def __init__(self, folder: Path):
        self.folder = folder

    def push(self) -> None:
        """Copies new files of the folder to the store."""

    def shown(self, path: Path) -> str:
        """The path or address under which a reader finds a file."""
        return str(path)

    def check_key(self) -> None:
        """Raises ParameterError if pseudonyms would differ between the machines that write to the store."""


class Remote(Store):
    """A remote store; the folder is a local copy that holds the records of all runs."""

    def __init__(self, address: str):
        self.address = address.rstrip("/")
        self.files, self.root = _file_system(self.address)
        digest = hashlib.sha256(self.address.encode()).hexdigest()[:16]
        super().__init__(_cache() / digest)
        self._sent: dict[Path, tuple[int, int]] = {}

    def pull(self) -> None:
        """Fetches the run records that this machine lacks, for the index page and for comparisons."""
        self.folder.mkdir(parents=True, exist_ok=True)
        listed = self._remote_sizes()
        for there in listed:
            here = self.folder / there
            if here.name == "run.json" and not here.exists():
                here.parent.mkdir(parents=True, exist_ok=True)
                part = here.with_name(f".{here.name}.part")
                self._do("read", lambda there=there, part=part: self.files.get_file(f"{self.root}/{there}", str(part)))
                os.replace(part, here)
        # Files of an earlier run that could not reach the store are sent by the next push.
        self._sent = {
            file: self._state(file)
            for file in self._local_files()
            if listed.get(file.relative_to(self.folder).as_posix()) == file.stat().st_size
        }

    def push(self) -> None:
        new = [file for file in self._local_files() if self._sent.get(file) != self._state(file)]
        for file in sorted(new, key=lambda file: (_LAST.index(file.name) + 1 if file.name in _LAST else 0, file)):
            state = self._state(file)
            there = f"{self.root}/{file.relative_to(self.folder).as_posix()}"
            self._do("written to", lambda file=file, there=there: self.files.put_file(str(file), there))
            self._sent[file] = state

    def check_key(self) -> None:
        if not os.environ.get(KEY_VARIABLE):
            raise ParameterError(
                f"--out {self.address}: a shared report needs a key for its pseudonyms, and no store holds it.\n"
                f"  Set {KEY_VARIABLE}, the same on every machine that writes there."
            )

    def shown(self, path: Path) -> str:
        return f"{self.address}/{path.relative_to(self.folder).as_posix()}"

    def _remote_sizes(self) -> dict[str, int]:
        """Path and size of every file in the store."""
        try:
            found = self._do("read", lambda: self.files.find(self.root, detail=True))
        except FileNotFoundError:
            return {}
        return {str(path).removeprefix(self.root).lstrip("/"): about["size"] for path, about in found.items()}

    def _local_files(self) -> list[Path]:
        """Files that belong in the store: published runs and pages, but no locks, logs and unfinished runs."""
        return [
            file
            for file in self.folder.rglob("*")
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(self.folder).parts)
        ]

    def _state(self, file: Path) -> tuple[int, int]:
        about = file.stat()
        return about.st_size, about.st_mtime_ns

    def _do(self, what: str, do: Any) -> Any:
        try:
            return do()
        except FileNotFoundError:
            raise
        except Exception as error:  # each store raises its own errors
            raise ReportFailed(
                f"{self.address}: cannot be {what}: {type(error).__name__}: {error}\n"
                "  Check the address, this machine's rights and the network. Finished reports are kept on this machine "
                "and are copied by the next run."
            ) from error


@contextmanager
def opened(out: str) -> Iterator[Store]:
    """Opens the folder or address (with ``://``) in ``--out``; new files are in the store at the end of the block.

    Raises ParameterError for an unknown address, credentials in the address, or a driver that is not installed.
    """
    if "://" not in out:
        yield Store(Path(os.path.expanduser(out)))
        return
    remote = Remote(out)
    remote.pull()
    yield remote
    remote.push()


def _file_system(address: str) -> tuple[Any, str]:
    import fsspec
    from fsspec.core import url_to_fs

    if "@" in address.partition("://")[2].partition("/")[0]:
        raise ParameterError(
            "--out holds a user name or a password.\n  Remove it from the address and set it in the environment."
        )
    try:
        files, root = url_to_fs(address)
    except (ImportError, ValueError) as error:
        protocols = ", ".join(sorted(fsspec.available_protocols())[:12])
        raise ParameterError(
            f"--out {address}: {error}\n"
            f"  For s3:// install s3fs, for gs:// gcsfs, for abfs:// adlfs. Available: {protocols}."
        ) from None
    return files, str(root).rstrip("/")


def _cache() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cs-helpers"
    return base / "reports"
