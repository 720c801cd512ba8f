"""Removes old runs and the leftovers of killed processes.

The last good run and the newest run of each series are never removed. A run is first removed from the index page, then
renamed to a hidden name in one step, and then deleted, so neither a reader nor a killed process meets half a run.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cs_helpers.core.errors import CsHelpersError
from cs_helpers.publish import locks, log, report_index, run_records

KEEP = 50
KEEP_FAILED = 10
LOG_DAYS = 90
TRASH = ".trash-"
# Names of publish.temporary_folder and publish.replace_file.
_RUN = re.compile(r"\.(?P<lock>.+)-(?P<run_id>\d{8}T\d{6,9}Z-[0-9a-f]{4})")
_FILE = re.compile(r"\..+\.[0-9a-f]{8}")
_LOG = re.compile(r"\d{4}-[01]\d-[0-3]\d\.jsonl")
_FILE_S = 3600.0  # a hidden file of this age is not being written any more
_RUN_S = 60.0  # a lost process is recorded without a lock, within less than a minute


@dataclass(frozen=True)
class Removal:
    """A run or file to remove: its path, the reason, its size in bytes, and the series if it is a run."""

    path: Path
    why: str
    size: int
    series: str = ""

    @property
    def run_id(self) -> str:
        """The id of the run; empty for a file."""
        return self.path.name if self.series else ""


@dataclass(frozen=True)
class Plan:
    """The runs and leftovers to remove, and the number of runs in each series concerned."""

    runs: tuple[Removal, ...]
    leftovers: tuple[Removal, ...]
    counts: Mapping[str, int]

    @property
    def size(self) -> int:
        """Bytes to free."""
        return sum(each.size for each in (*self.runs, *self.leftovers))


def keep_newest(out: Path, series: str, runs: int) -> list[str]:
    """Keeps the newest ``runs`` good runs of a series and the newest ten failed ones; returns the removed run ids."""
    records = run_records.by_series(run_records.read_records(out)[0]).get(series, [])
    removed = _removable(out, records, runs, None)
    if removed:
        apply(out, Plan(tuple(removed), (), {series: len(records)}))
    return [each.run_id for each in removed]


def plan(
    out: Path,
    keep: int | None,
    older_than_days: int | None,
    now: datetime,
    *,
    keep_failed: int = KEEP_FAILED,
    series: Sequence[str] | None = None,
) -> Plan:
    """Plans what to remove, and changes nothing.

    Of each series (or of those in ``series``): good runs beyond the newest ``keep``, runs older than
    ``older_than_days``, and failed runs beyond the newest ``keep_failed``. Also the leftovers of killed processes.
    None for ``keep`` or ``older_than_days`` means no limit by number or by age.
    """
    oldest = now - timedelta(days=older_than_days) if older_than_days is not None else None
    found: list[Removal] = []
    counts: dict[str, int] = {}
    for name, records in run_records.by_series(run_records.read_records(out)[0]).items():
        if series is None or name in series:
            removed = _removable(out, records, keep, oldest, keep_failed)
            found += removed
            counts |= {name: len(records)} if removed else {}
    return Plan(tuple(found), tuple(leftovers(out, now)), counts)


def apply(out: Path, planned: Plan) -> list[str]:
    """Removes what was planned and writes the index page; returns a message for each thing that was not removed."""
    problems: list[str] = []
    trash: list[Path] = []
    listed = False
    if planned.runs:
        # The lock is held throughout, so that no new index page lists a removed run.
        with locks.hold(out, report_index.LOCK, wait=30):
            with suppress(OSError):  # on a full disk the page is written after the removal
                report_index.write(out, without={(each.series, each.run_id) for each in planned.runs})
                listed = True
            for each in planned.runs:
                hidden = each.path.with_name(f"{TRASH}{each.path.name}")
                try:
                    os.rename(each.path, hidden)
                    trash.append(hidden)
                except FileNotFoundError:
                    continue  # another process removed it first
                except OSError as error:
                    problems.append(_problem(out, each.path, error))
    for path in [*trash, *(each.path for each in planned.leftovers)]:
        try:
            _remove(out, path)
        except OSError as error:
            problems.append(_problem(out, path, error))
    if planned.runs and not listed:
        try:
            report_index.rebuild(out)
        except OSError as error:
            problems.append(f"index.html: could not be written: {error.strerror or error}")
    if planned.runs or planned.leftovers:
        log.event(
            out, "pruned", runs=len(planned.runs), leftovers=len(planned.leftovers), bytes=planned.size,
            problems=len(problems),
        )  # fmt: skip
    return problems


def leftovers(out: Path, now: datetime) -> list[Removal]:
    """Files of killed processes under ``out``, and logs that are older than 90 days.

    The folder of a run in progress is not among them: its process holds the lock of the series. Only the newest
    folder of a series can belong to that process.
    """
    why = dict.fromkeys(_unfinished_runs(out), "of a run that was killed")
    for path in _hidden(out):
        if path.name.startswith(TRASH) and path.is_dir() and not path.is_symlink():
            why[path] = "of a run that was being removed"
        if _FILE.fullmatch(path.name) and not path.is_dir() and _age(path) > _FILE_S:
            why[path] = "an unfinished file"
    first = (now.astimezone(UTC) - timedelta(days=LOG_DAYS)).date().isoformat()
    logs = sorted((out / log.FOLDER).glob("*.jsonl"))
    old = (path for path in logs if _LOG.fullmatch(path.name) and path.stem < first)
    why |= dict.fromkeys(old, f"a log older than {LOG_DAYS} days")
    return [Removal(path, reason, _size(path)) for path, reason in why.items()]


def as_record(planned: Plan, out: Path) -> dict[str, Any]:
    """The plan as JSON data: runs, leftovers (paths relative to ``out``) and bytes."""

    def common(each: Removal) -> dict[str, Any]:
        return {"bytes": each.size, "why": each.why}

    runs = [{"series": each.series, "run_id": each.run_id} | common(each) for each in planned.runs]
    left = [{"path": each.path.relative_to(out).as_posix()} | common(each) for each in planned.leftovers]
    return {"runs": runs, "leftovers": left, "bytes": planned.size}


def size_words(size: int) -> str:
    """A size in bytes in words, in powers of ten.

    >>> size_words(999), size_words(1_440_000)
    ('999 bytes', '1.4 MB')
    """
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size} byte{'' if size == 1 else 's'}"


def _removable(
    out: Path,
    records: Sequence[Mapping[str, Any]],
    keep: int | None,
    oldest: datetime | None,
    keep_failed: int = KEEP_FAILED,
) -> list[Removal]:
    """The runs of one series to remove; ``records`` are newest first."""
    good = [run for run in records if run["status"] != "failed"]
    failed = [run for run in records if run["status"] == "failed"]
    why: dict[str, str] = {}
    for runs, max_runs, kind in ((good, keep, "good"), (failed, keep_failed, "failed")):
        for place, run in enumerate(runs):
            if max_runs is not None and place >= max_runs:
                why[run["run_id"]] = f"beyond the newest {max_runs} {kind} runs"
            elif oldest and datetime.fromisoformat(run["started_at"]) < oldest:
                why[run["run_id"]] = f"older than {oldest.date()}"
    for run in (*records[:1], *good[:1]):
        why.pop(run["run_id"], None)
    paths = ((out / run["series"] / run["run_id"], run) for run in records if run["run_id"] in why)
    return [Removal(path, why[run["run_id"]], _size(path), run["series"]) for path, run in paths]


def _unfinished_runs(out: Path) -> Iterator[Path]:
    by_lock: dict[str, list[Path]] = {}
    for path in sorted(out.glob(".*")):
        match = _RUN.fullmatch(path.name)
        if match and path.is_dir() and not path.is_symlink():
            by_lock.setdefault(match["lock"], []).append(path)
    for lock, paths in by_lock.items():
        paths.sort(key=lambda path: _RUN.fullmatch(path.name)["run_id"])  # type: ignore[index]
        for path in paths[:-1] if _is_locked(out, lock) else paths:
            if _age(path) > _RUN_S:
                yield path


def _is_locked(out: Path, lock: str) -> bool:
    """Whether a process holds the lock of the series; the folder of an unfinished run has the name of that lock."""
    try:
        with locks.hold(out, lock) as free:
            return not free
    except CsHelpersError:
        return True


def _hidden(out: Path) -> Iterator[Path]:
    """Hidden files and folders below the folder of reports; hidden folders themselves are not searched."""
    for folder, folders, files in os.walk(out):
        yield from (Path(folder) / name for name in sorted((*folders, *files)) if name[0] == ".")
        folders[:] = sorted(name for name in folders if name[0] != ".")


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    try:
        if not path.is_dir():
            return path.lstat().st_size
        return sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(path) for name in names)
    except OSError:
        return 0  # it is being removed already


def _remove(out: Path, path: Path) -> None:
    match = _RUN.fullmatch(path.name)
    if match and not path.name.startswith(TRASH):
        hidden = path.with_name(f"{TRASH}{match['run_id']}")
        with suppress(FileNotFoundError):
            os.rename(path, hidden)
        path = hidden
    while path.is_dir():
        with suppress(FileNotFoundError):  # another process may remove it at the same time
            shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _problem(out: Path, path: Path, error: OSError) -> str:
    return f"{path.relative_to(out).as_posix()}: could not be removed: {error.strerror or error}"
