"""Which runs of the schedule exist, and which times are due, read from the run records alone.

A record names the job and the time that it was made for (``scheduled``). There is no other state, so a copy of the
reports folder on another machine continues the schedule, and a run without a record counts as not made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cs_helpers.publish import run_records
from cs_helpers.schedule import cron
from cs_helpers.schedule.settings import Job

ON_TIME = timedelta(minutes=15)
"""A time that is longer ago was missed."""

UNFINISHED = "unfinished"
_WORST = ("ok", "warnings", "failed")


@dataclass(frozen=True)
class ScheduledRun:
    """One run of the schedule: ``at`` is the time that it was made for, ``of`` the number of series of that time."""

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


RunsByJob = Mapping[str, Sequence[ScheduledRun]]
"""The runs of each job, the newest first."""


class RunHistory:
    """The runs of the schedule under a folder. A record never changes, so each is read once."""

    def __init__(self, out: Path):
        self.out = out
        self._known: dict[str, ScheduledRun | None] = {}

    def read(self) -> dict[str, list[ScheduledRun]]:
        """The runs of each job at present, the newest first, without manual runs and unreadable records."""
        known: dict[str, ScheduledRun | None] = {}
        for folder, series in run_records.find_runs(self.out):
            key = str(folder)
            known[key] = self._known[key] if key in self._known else _scheduled_run(folder, series)
        self._known = known
        found: dict[str, list[ScheduledRun]] = {}
        for ran in sorted(filter(None, known.values()), key=lambda each: each.run_id, reverse=True):
            found.setdefault(ran.job, []).append(ran)
        return found


def pending(
    job: Job, runs: Sequence[ScheduledRun], now: datetime, changed: datetime, *, failed: bool = False
) -> list[datetime]:
    """The times of a job that are due at ``now``, the earliest first.

    These are the times since the latest recorded one, whatever its outcome; for a job that never ran, since
    ``changed``, when the schedule was last written. Of several times the newest ``catch_up`` are due; with 0 no missed
    time. A time with missing series (the run was killed) is still due, and with ``failed`` also a failed latest time.
    Records with a time in the future, made by a wrong clock, are ignored.
    """
    done = [at for at in times(runs) if at <= now]
    last = done[0] if done else None
    max_times = max(1, job.catch_up)
    found = cron.latest(job.cron, job.zone, last or changed, now, max_times)
    if not job.catch_up:
        found = [at for at in found if now - at <= ON_TIME]
    if last is not None:
        last_outcome = outcome(at_time(runs, last))
        if last_outcome == UNFINISHED or (failed and last_outcome == "failed"):
            found = [last.astimezone(job.zone), *found]
    return found[-max_times:]


def times(runs: Iterable[ScheduledRun]) -> list[datetime]:
    """The recorded times, the latest first."""
    return sorted({ran.at for ran in runs}, reverse=True)


def at_time(runs: Iterable[ScheduledRun], at: datetime) -> list[ScheduledRun]:
    """The last run of each series for one time; a later attempt replaces an earlier one."""
    found: dict[str, ScheduledRun] = {}
    for ran in runs:
        if ran.at == at:
            found.setdefault(ran.series, ran)
    return [found[series] for series in sorted(found)]


def outcome(runs: Sequence[ScheduledRun]) -> str:
    """The outcome of the runs of one time: ok, warnings, failed (at least one) or unfinished (at least one missing)."""
    newest = max(runs, key=lambda ran: ran.run_id, default=None)
    if newest is None or len(runs) < newest.of:
        return UNFINISHED
    return max((ran.status for ran in runs), key=_WORST.index)


def failing_since(runs: Sequence[ScheduledRun]) -> datetime | None:
    """The first failed or unfinished time since the last good one; None if the latest time is good."""
    since = None
    for at in times(runs):
        if outcome(at_time(runs, at)) in ("ok", "warnings"):
            break
        since = at
    return since


def utc(at: datetime) -> str:
    """A time as records and the command line write it: ``2026-11-23T05:00:00Z``."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _scheduled_run(folder: Path, series: str) -> ScheduledRun | None:
    """The scheduled run in a folder; None for a manual run and for a record that cannot be read."""
    try:
        record = json.loads((folder / run_records.RECORD).read_text(encoding="utf-8"))
        scheduled = record["scheduled"]
        at, started = (datetime.fromisoformat(text) for text in (scheduled["at"], record["started_at"]))
        if at.tzinfo is None or started.tzinfo is None or record["status"] not in _WORST:
            return None
        return ScheduledRun(
            job=str(scheduled["job"]),
            at=at.astimezone(UTC),
            of=int(scheduled.get("of") or 1),
            series=series,
            run_id=folder.name,
            status=record["status"],
            message=str((record.get("error") or {}).get("message") or ""),
            started=started.astimezone(UTC),
            folder=folder,
        )
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
