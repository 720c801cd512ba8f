"""A folder of files: CSV (also .tsv and .csv.gz), Parquet, and workbooks of which one sheet is a table."""

from __future__ import annotations

import os
from pathlib import Path

from cs_helpers.core.errors import SourceError, did_you_mean
from cs_helpers.data.engines.duckdb import DuckDB
from cs_helpers.data.sources.delimited import stage_csv
from cs_helpers.data.sources.parquet import stage_parquet
from cs_helpers.data.sources.staged import ReadOptions, Source, Staged, listed
from cs_helpers.data.sources.workbook import stage_file

CSV = (".csv", ".csv.gz", ".tsv")
PARQUET = (".parquet",)
WORKBOOK = (".xlsx", ".xlsm")
SUFFIXES = (*CSV, *PARQUET, *WORKBOOK)
OUT_OF_DATE = (".xls", ".xlsb", ".ods")


class Folder(Source):
    """A folder of files."""

    kind, suffixes = "folder", SUFFIXES

    def __init__(self, folder: Path, name: str):
        super().__init__(name, folder)
        self._place = folder

    def names(self) -> list[str]:
        try:
            return sorted(
                entry.name
                for entry in self._place.iterdir()
                if entry.name.lower().endswith(SUFFIXES)
                and not entry.name.startswith((".", "~$"))
                and not entry.is_dir()
            )
        except OSError as error:
            raise SourceError(
                f"{self.name}: cannot be read: {error.strerror}.\n  Check who may read the folder."
            ) from error

    def stage(self, engine: DuckDB, name: str, target: str, options: ReadOptions = ReadOptions()) -> Staged:  # noqa: B008
        engine.drop(target)
        path = self._file(name)
        lower = name.lower()
        try:
            before = seen(path)
            if lower.endswith(PARQUET):
                staged, digest = stage_parquet(engine, name, path, target)
            elif lower.endswith((*WORKBOOK, *OUT_OF_DATE)):
                staged, digest = stage_file(engine, name, path, target, options)
            else:
                staged, digest = stage_csv(engine, name, path, target, options)
            if seen(path) != before:
                raise SourceError(f"{name}: the file changed while it was read.\n  Try again when it is complete.")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(f"{name}: cannot be read: {reason}.\n  Check who may read the file.") from error
        self.digests[name] = digest
        return staged

    def _file(self, name: str) -> Path:
        path = self._place / name
        if Path(name).name != name or not path.exists():
            there = self.names()
            raise SourceError(
                f"{name}: there is no such file in {self.name}.{did_you_mean(name, there)}\n"
                f"  It holds: {listed(there)}. Add the file, or name the one that holds this table in the mapping: "
                "`tables: {<table>: {file: ...}}`."
            )
        if not path.is_file():
            what = "this is a folder" if path.is_dir() else "this is no ordinary file"
            raise SourceError(f"{name}: {what}.\n  Name a file: {listed(self.names()) or 'there is none'}.")
        return path


def open_folder(folder: Path, name: str) -> Folder:
    """The folder, if there is anything in it that can be read. Raises SourceError."""
    source = Folder(folder, name)
    if source.names():
        return source
    others = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))[:5]
    empty, fix = "the folder is empty; there is no CSV file in it, nor a Parquet file or workbook", ""
    if others:
        empty = "there is no CSV file in the folder, nor a Parquet file or workbook (.xlsx)"
        fix = f"It holds: {', '.join(others)}. "
    if any(entry.lower().endswith(OUT_OF_DATE) for entry in others):
        fix += "Open the workbook and save it as .xlsx. "
    raise SourceError(f"{name}: {empty}.\n  {fix}Put accounts.csv and subscriptions.csv there, or give another folder.")


def seen(path: Path) -> tuple[int, int]:
    """Size and modification time of a file, to notice changes while it is read."""
    state = os.stat(path)
    return state.st_size, state.st_mtime_ns
