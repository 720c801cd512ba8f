"""What has been run of the schedule, and what is due: read from the run records alone, so that nothing can drift.

A record says for which job and which time it was made (``scheduled``). There is no other memory: whoever copies the
folder of reports to another machine takes the schedule's state with it, and a run that left no record was not made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cs_helpers.publish import run_records
from cs_helpers.schedule import cron
from cs_helpers.schedule.schedule import Job

ON_TIME = timedelta(minutes=15)
"""A time is missed when it is longer ago than this."""

UNFINISHED = "unfinished"
_WORST = ("ok", "warnings", "failed")


@dataclass(frozen=True)
class Ran:
    """One run that the schedule made: ``at`` is the time it was meant for, ``of`` how many series belong to it."""

    job: str
    at: datetime
    of: int
    series: str
    run_id: str
    status: str
    message: str
    started: datetime
    folder: Path

    @property
    def failed(self) -> bool:
        """Whether nothing was published."""
        return self.status == "failed"


Book = Mapping[str, Sequence[Ran]]
"""For each job its runs, the newest first."""


class Ledger:
    """The runs under a folder. A record never changes once it is there, so each is read once."""

    def __init__(self, out: Path):
        self.out = out
        self._known: dict[str, Ran | None] = {}

    def read(self) -> dict[str, list[Ran]]:
        """What there is now, by job, the newest run first; other runs and what cannot be read are left out."""
        known: dict[str, Ran | None] = {}
        for folder, series in run_records.find_runs(self.out):
            key = str(folder)
            known[key] = self._known[key] if key in self._known else _ran(folder, series)
        self._known = known
        found: dict[str, list[Ran]] = {}
        for ran in sorted(filter(None, known.values()), key=lambda each: each.run_id, reverse=True):
            found.setdefault(ran.job, []).append(ran)
        return found


def pending(job: Job, runs: Sequence[Ran], now: datetime, changed: datetime, *, failed: bool = False) -> list[datetime]:
    """The times of a job that are due at ``now``, the earliest first.

    These are its times since the latest one that is recorded, whatever came of that; for a job that was never run,
    since ``changed``, when the schedule was last written. Of several the newest ``catch_up`` are taken; with 0 none
    that is missed. A time of which some series were not recorded (the run was killed half-way) is still due, and with
    ``failed`` the latest one too if it failed. Records of a time to come, made by a clock that was wrong, count for
    nothing.
    """
    done = [at for at in times(runs) if at <= now]
    last = done[0] if done else None
    most = max(1, job.catch_up)
    found = cron.latest(job.cron, job.zone, last or changed, now, most)
    if not job.catch_up:
        found = [at for at in found if now - at <= ON_TIME]
    if last is not None:
        came = outcome(at_time(runs, last))
        if came == UNFINISHED or (failed and came == "failed"):
            found = [last.astimezone(job.zone), *found]
    return found[-most:]


def times(runs: Iterable[Ran]) -> list[datetime]:
    """The times that are recorded, the latest first."""
    return sorted({ran.at for ran in runs}, reverse=True)


def at_time(runs: Iterable[Ran], at: datetime) -> list[Ran]:
    """The last run of each series for one time (a later attempt takes the place of an earlier one)."""
    found: dict[str, Ran] = {}
    for ran in runs:
        if ran.at == at:
            found.setdefault(ran.series, ran)
    return [found[series] for series in sorted(found)]


def outcome(runs: Sequence[Ran]) -> str:
    """What became of a time, from its runs: ok, warnings, failed (some of it) or unfinished (some of it is missing)."""
    newest = max(runs, key=lambda ran: ran.run_id, default=None)
    if newest is None or len(runs) < newest.of:
        return UNFINISHED
    return max((ran.status for ran in runs), key=_WORST.index)


def failing_since(runs: Sequence[Ran]) -> datetime | None:
    """The first of the times since the last good one, if the latest one is not good; None otherwise."""
    since = None
    for at in times(runs):
        if outcome(at_time(runs, at)) in ("ok", "warnings"):
            break
        since = at
    return since


def utc(at: datetime) -> str:
    """``2026-11-23T05:00:00Z``: how a record and the command line write the time that is meant."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _ran(folder: Path, series: str) -> Ran | None:
    try:
        record = json.loads((folder / run_records.RECORD).read_text(encoding="utf-8"))
        planned = record.get("scheduled")
        return planned and _from_record(record, planned, folder, series)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _from_record(record: Mapping[str, Any], planned: Mapping[str, Any], folder: Path, series: str) -> Ran:
    at, started = (datetime.fromisoformat(text) for text in (planned["at"], record["started_at"]))
    if at.tzinfo is None or started.tzinfo is None or record["status"] not in _WORST:
        raise ValueError("no record of ours")
    return Ran(
        job=str(planned["job"]),
        at=at.astimezone(UTC),
        of=int(planned.get("of") or 1),
        series=series,
        run_id=folder.name,
        status=record["status"],
        message=str((record.get("error") or {}).get("message") or ""),
        started=started.astimezone(UTC),
        folder=folder,
    )
