"""Sources: a folder of CSV and Parquet files, a workbook, a DuckDB file, a PostgreSQL database.

A source reads names and fields; it knows nothing of accounts or dates. Only empty fields become missing: the text
``NA`` stays ``NA``, ``00123`` stays ``00123``. Anything unreadable raises a SourceError with the place, the problem and
the fix. An address with a password is neither accepted nor shown nor stored.
"""

from __future__ import annotations

import re
from pathlib import Path

from cs_helpers.core.errors import SourceError, did_you_mean
from cs_helpers.data.sources.database import open_address, open_file
from cs_helpers.data.sources.folder import OUT_OF_DATE, WORKBOOK, open_folder
from cs_helpers.data.sources.staged import BLANKS, ReadOptions, Source, Staged
from cs_helpers.data.sources.workbook import open_workbook

__all__ = ["BLANKS", "ReadOptions", "Source", "Staged", "display_name", "locate", "open_source"]

_ADDRESS = re.compile(r"(?is)([a-z][a-z0-9+.:\-]+):(/.*)")  # with one slash: a Path has lost the other
_SECRET = re.compile(r"(?i)\b(password|passwd|pwd|secret|token)\s*=|:[^/\\@\s]+@")
DUCKDB = (".duckdb", ".ddb", ".db")


def open_source(path: str | Path) -> Source:
    """The source at ``path``. Raises SourceError where nothing is there, or nothing that can be read."""
    text = str(path)
    address = _ADDRESS.fullmatch(text)
    if address and not Path(text).exists():
        return open_address(address[1].lower(), address[2] if address[2].startswith("//") else f"/{address[2]}")
    if _SECRET.search(text) and not Path(text).expanduser().exists():
        raise SourceError(
            "the source looks like an address with a password in it, and it is not repeated here.\n"
            "  Write a database as postgresql://host/database; the password comes from PGPASSWORD, a PGPASSFILE or a "
            "service file."
        )
    place, name = locate(path), display_name(Path(path).expanduser())
    try:
        return _open_path(place, name)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"{name}: cannot be read: {reason}.\n  Check the path, and who may read it.") from error


def _open_path(place: Path, name: str) -> Source:
    if not place.exists():
        there = [entry.name for entry in place.parent.iterdir()] if place.parent.is_dir() else []
        what = "file" if place.suffix.lower() in (*WORKBOOK, *DUCKDB) else "folder"
        raise SourceError(
            f"{name}: there is no such {what}.{did_you_mean(place.name, there)}\n"
            "  Give the folder that holds accounts.csv and subscriptions.csv, or one with a mapping for its files."
        )
    if place.is_dir():
        return open_folder(place, name)
    if not place.is_file():
        raise SourceError(f"{name}: this is neither a folder nor an ordinary file.\n  Give the folder of an export.")
    with place.open("rb") as handle:
        head = handle.read(16)
    suffix = place.suffix.lower()
    if head[8:12] == b"DUCK" or suffix in DUCKDB:
        return open_file(place, name)
    if suffix in (*WORKBOOK, *OUT_OF_DATE):
        return open_workbook(place, name)
    raise SourceError(f"{name}: this is a file.\n  Give the folder it lies in: {display_name(place.parent)}")


def locate(path: str | Path) -> Path:
    """The file or folder of a path: relative to the working directory, or to the folder above ``notebooks``.

    JupyterLab starts a notebook in its own folder, the command line in the project's; ``data/sample`` must
    mean the same in both.
    """
    wanted, here = Path(path).expanduser(), Path.cwd()
    above = here.parent / wanted
    return above if here.name == "notebooks" and not wanted.exists() and above.exists() else wanted


def display_name(path: Path) -> str:
    """A path as a report may show it: relative to the working directory, or its last part only."""
    if not path.is_absolute():
        return path.as_posix()
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.name
