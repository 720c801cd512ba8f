"""Where reports are kept: a folder of this machine, or a store elsewhere (``s3://bucket/reports``) that is written to.

The only home of fsspec. Runs are always made and published in a folder, where renaming is one step; what is new there
is then copied to the store, files before what links to them, so a reader never finds a link that leads nowhere. A store
has no locks: one machine at a time should write to it.
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
"""What is copied after everything it speaks of, in this order."""


class Store:
    """A folder of reports; ``push`` and ``shown`` are no more than the folder itself says."""

    def __init__(self, folder: Path):
        self.folder = folder

    def push(self) -> None:
        """Brings what is new in the folder to where it is kept."""

    def shown(self, path: Path) -> str:
        """A path in the folder as a reader would find it."""
        return str(path)

    def check_key(self) -> None:
        """Raises ParameterError where pseudonyms made here would be others elsewhere."""


class Remote(Store):
    """A store that fsspec reaches; the folder is this machine's copy, with the records of all runs in it."""

    def __init__(self, address: str):
        self.address = address.rstrip("/")
        self.files, self.root = _file_system(self.address)
        digest = hashlib.sha256(self.address.encode()).hexdigest()[:16]
        super().__init__(_cache() / digest)
        self._sent: dict[Path, tuple[int, int]] = {}

    def pull(self) -> None:
        """Fetches the records of runs that this machine does not have: the index and comparisons need them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        listed = self._listed()
        for there in listed:
            here = self.folder / there
            if here.name == "run.json" and not here.exists():
                here.parent.mkdir(parents=True, exist_ok=True)
                part = here.with_name(f".{here.name}.part")
                self._do("read", lambda there=there, part=part: self.files.get_file(f"{self.root}/{there}", str(part)))
                os.replace(part, here)
        # What a run that could not reach the store has left here is still to be sent.
        self._sent = {
            file: self._state(file)
            for file in self._here()
            if listed.get(file.relative_to(self.folder).as_posix()) == file.stat().st_size
        }

    def push(self) -> None:
        new = [file for file in self._here() if self._sent.get(file) != self._state(file)]
        for file in sorted(new, key=lambda file: (_LAST.index(file.name) + 1 if file.name in _LAST else 0, file)):
            state = self._state(file)
            there = f"{self.root}/{file.relative_to(self.folder).as_posix()}"
            self._do("written to", lambda file=file, there=there: self.files.put_file(str(file), there))
            self._sent[file] = state

    def check_key(self) -> None:
        if not os.environ.get(KEY_VARIABLE):
            raise ParameterError(
                f"--out {self.address}: a shared report needs the key of its pseudonyms, which no store is given.\n"
                f"  Set {KEY_VARIABLE}, the same on every machine that writes there."
            )

    def shown(self, path: Path) -> str:
        return f"{self.address}/{path.relative_to(self.folder).as_posix()}"

    def _listed(self) -> dict[str, int]:
        """Path and size of every file in the store."""
        try:
            found = self._do("read", lambda: self.files.find(self.root, detail=True))
        except FileNotFoundError:
            return {}
        return {str(path).removeprefix(self.root).lstrip("/"): about["size"] for path, about in found.items()}

    def _here(self) -> list[Path]:
        """What belongs into the store: published runs and the pages, no locks, logs and unfinished runs."""
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
        except Exception as error:  # every store has errors of its own
            raise ReportFailed(
                f"{self.address}: cannot be {what}: {type(error).__name__}: {error}\n"
                "  Check the address, this machine's rights and the network. Finished reports are kept on this machine "
                "and are copied by the next run."
            ) from error


@contextmanager
def opened(out: str) -> Iterator[Store]:
    """The place named by ``--out``: a folder, or an address with ``://``. What is new is there at the end of the block.

    Raises ParameterError for an address nobody can reach, with credentials in it, or whose driver is not installed.
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
            "--out holds a user or a password.\n  Leave it out; the driver finds it in the environment."
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
