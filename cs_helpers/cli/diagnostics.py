"""The checks of ``cs-helpers doctor``: problems of this machine that affect reports, and how to fix them.

Each check tries the thing itself: it writes a file, takes a lock, queries the engine, forks a kernel. A check that
raises an error is reported as a problem.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from cs_helpers.core.errors import CsHelpersError, ScheduleError

PACKAGE = "cs-helpers"
TOO_LITTLE, LITTLE = 10**9, 5 * 10**9  # bytes of free disk
_SKEW = timedelta(minutes=5)
_SETUP = "Set the environment up again: make setup"
# Optional packages: most reports stay on a disk and need no driver of a store.
_OPTIONAL = (("s3fs", "s3://"), ("gcsfs", "gs://"), ("adlfs", "abfs://"), ("jupyter_scheduler", "JupyterLab's dialog"))


@dataclass(frozen=True)
class Finding:
    """The result of a check: ``severity`` is ok, notice or problem; ``fix`` tells how to fix it, if needed."""

    what: str
    severity: str
    message: str
    fix: str = ""


def examine(
    out: Path,
    schedule: Path,
    source: str | None = None,
    *,
    now: datetime | None = None,
    environment: Mapping[str, str] = os.environ,
) -> list[Finding]:
    """Runs all checks in a fixed order. Nothing is changed, except for test files that are removed at once."""
    now = now or datetime.now(UTC)
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("python", _python),
        ("packages", _packages),
        ("engine", _engine),
        ("databases", _databases),
        ("optional", _optional),
        ("fonts", _fonts),
        ("disk", partial(_disk, out)),
        ("time zones", partial(_time_zones, environment)),
        ("clock", partial(_clock, out, now)),
        ("reports", partial(_write_access, out)),
        ("locks", partial(_locks, out)),
        ("warm start", _warm_start),
        ("schedule", partial(_schedule, schedule, now)),
        ("delivery", partial(_delivery, schedule, out, environment)),
        ("scheduler", partial(_scheduler, schedule, out, now)),
        ("leftovers", partial(_leftovers, out, now)),
    ]
    if source is not None:
        checks.append(("source", partial(_source, source)))
    return [finding for what, check in checks for finding in _looked_at(what, check)]


def exit_code(findings: list[Finding]) -> int:
    """1 if there is a problem, otherwise 0; notices do not count."""
    return int(any(each.severity == "problem" for each in findings))


def _looked_at(what: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:
        return [Finding(what, "problem", f"could not be checked: {type(error).__name__}: {error}", _SETUP)]


def _python() -> Iterator[Finding]:
    words = f"{sys.version.split()[0]} at {sys.prefix}"
    wanted = metadata.metadata(PACKAGE).json.get("requires_python")
    if wanted and not _fits(sys.version.split()[0], str(wanted)):
        yield Finding("python", "problem", f"{words}; cs-helpers needs {wanted}.", "Make .venv anew with a newer one.")
    else:
        yield Finding("python", "ok", words)


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in metadata.requires(PACKAGE) or []]
    except metadata.PackageNotFoundError:
        yield Finding("packages", "problem", "cs-helpers itself is not installed in this Python.", _SETUP)
        return
    wanted = [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    wrong = 0
    for each in wanted:
        try:
            there = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            there = ""
        if not there or not each.specifier.contains(there, prereleases=True):
            wrong += 1
            is_there = f"{there} is installed" if there else "it is not installed"
            yield Finding("packages", "problem", f"{each.name}{each.specifier} is needed, and {is_there}.", _SETUP)
    if not wrong:
        yield Finding("packages", "ok", f"cs-helpers {metadata.version(PACKAGE)} and {len(wanted)} packages fit")


def _engine() -> Iterator[Finding]:
    from cs_helpers.data.engines.duckdb import DuckDB

    engine = DuckDB()
    try:
        answer = engine.rows("SELECT version(), 6 * 7")[0]
    finally:
        engine.close()
    if answer[1] != 42:
        yield Finding("engine", "problem", f"the embedded database answers {answer[1]} for 6 times 7.", _SETUP)
    else:
        yield Finding("engine", "ok", f"DuckDB {answer[0]} opens and answers")


def _databases() -> Iterator[Finding]:
    try:
        importlib.import_module("psycopg")
    except ImportError as error:
        words = f"PostgreSQL cannot be read, files can: psycopg does not load ({error})."
        yield Finding("databases", "notice", words, _SETUP)
    else:
        yield Finding("databases", "ok", f"PostgreSQL can be read, by psycopg {metadata.version('psycopg')}")


def _optional() -> Iterator[Finding]:
    there, absent = [], []
    for name, purpose in _OPTIONAL:
        try:
            there.append(f"{name} {metadata.version(name)} for {purpose}")
        except metadata.PackageNotFoundError:
            absent.append(f"{name} for {purpose}")
    parts = [*there, f"not installed and seldom needed: {', '.join(absent)}" if absent else ""]
    yield Finding("optional", "ok", "; ".join(part for part in parts if part))


def _fonts() -> Iterator[Finding]:
    from cs_helpers.report.charts.font import missing_fonts

    if missing := missing_fonts():
        words = f"matplotlib does not find {', '.join(missing)}, so labels of charts may run into each other."
        yield Finding(
            "fonts", "notice", words, "It comes with matplotlib. Remove ~/.cache/matplotlib, then: make setup"
        )
    else:
        yield Finding("fonts", "ok", "the font of the charts is there")


def _disk(out: Path) -> Iterator[Finding]:
    seen: set[int] = set()
    places = (
        (_existing(out), "Free some: cs-helpers prune"),
        (Path(tempfile.gettempdir()), "Free some, or set TMPDIR"),
    )
    for place, fix in places:
        device = place.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(place).free
        words = f"{free / 1e9:.1f} GB are free where {'reports' if place != places[1][0] else 'temporary files'} lie"
        if free < TOO_LITTLE:
            yield Finding("disk", "problem", f"{words}: a report may stop half-way.", fix)
        elif free < LITTLE:
            yield Finding("disk", "notice", f"{words}.", fix)
        else:
            yield Finding("disk", "ok", words)


def _time_zones(environment: Mapping[str, str]) -> Iterator[Finding]:
    zones = zoneinfo.available_timezones()
    if "Europe/Berlin" not in zones:
        words = "this machine has no time zone database, so no schedule can be read."
        yield Finding(
            "time zones", "problem", words, "Install tzdata: with the system's packages, or pip install tzdata"
        )
        return
    here = datetime.now().astimezone()
    named = environment.get("TZ", "").lstrip(":")
    if "/" in named and named not in zones and not Path(named).exists():
        words = f"TZ names the zone '{named}', which does not exist; this machine goes by UTC instead."
        yield Finding("time zones", "notice", words, "Set TZ to a name such as Europe/Berlin, or unset it.")
    else:
        yield Finding("time zones", "ok", f"{len(zones)} zones; this machine's is {here.tzname()} (UTC{here:%z})")


def _clock(out: Path, now: datetime) -> Iterator[Finding]:
    from cs_helpers.publish.run_records import read_records

    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < installed - timedelta(days=1):
        words = f"the clock says {now:%Y-%m-%d %H:%M} UTC, which is before these programs were written."
        yield Finding("clock", "problem", words, "Set it: timedatectl set-ntp true")
        return
    records = read_records(out)[0]
    ahead = [record for record in records if datetime.fromisoformat(record["started_at"]) > now + _SKEW]
    if ahead:
        words = (
            f"{len(ahead)} of {len(records)} runs are from the future, the newest of {ahead[0]['started_at']}: the "
            "clock was wrong then or is now, and the newest run would not be taken for it."
        )
        yield Finding("clock", "problem", words, "Set the clock. If it is right, remove the folders of those runs.")
    else:
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC, and no run is from the future")


def _write_access(out: Path) -> Iterator[Finding]:
    place = _existing(out)
    probe, moved = (place / f".doctor.{secrets.token_hex(4)}" for _ in range(2))
    try:
        if not place.is_dir():
            raise NotADirectoryError(0, "it is no folder")
        with probe.open("wb") as file:
            file.write(b"cs-helpers doctor")
            file.flush()
            os.fsync(file.fileno())
        os.replace(probe, moved)
        if moved.read_bytes() != b"cs-helpers doctor":
            raise OSError(0, "what was written is not what is read")
    except OSError as error:
        words = f"{out} cannot be written: {error.strerror or error}."
        yield Finding("reports", "problem", words, "Make the folder writable, or choose another --out.")
        return
    finally:
        for left in (probe, moved):
            with suppress(OSError):
                left.unlink()
    there = "can be written" if out.is_dir() else "is not there yet; the first run makes it"
    yield Finding("reports", "ok", f"{out} {there}")


def _locks(out: Path) -> Iterator[Finding]:
    from cs_helpers.publish import locks

    if not out.is_dir():
        return
    fix = "Keep reports on a disk of this machine, or on one that knows locks (NFS 4)."
    try:
        with locks.hold(out, "doctor") as first, locks.hold(out, "doctor") as second:
            held = (first, second)
    except CsHelpersError as error:
        yield Finding("locks", "problem", str(error).splitlines()[0], fix)
        return
    if held == (True, True):
        words = f"two at once hold the same lock in {out}, so two runs of a series could publish at once."
        yield Finding("locks", "problem", words, fix)
    else:
        yield Finding("locks", "ok", f"locks hold in {out}")


def _warm_start() -> Iterator[Finding]:
    from cs_helpers.publish import kernel

    works, words = kernel.probe()
    yield Finding("warm start", "ok" if works else "notice", words)


def _schedule(path: Path, now: datetime) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("schedule", "ok", f"there is none at {path}: reports are made by hand")
        return
    from cs_helpers.schedule import settings

    try:
        read = settings.read(path)
    except ScheduleError as error:
        yield Finding("schedule", "problem", str(error), "Fix the schedule, then check it: cs-helpers next")
        return
    coming = settings.upcoming(read, now, 1)
    next_one = f"; next {coming[0][1].name}, {settings.in_words(coming[0][0], now)}" if coming else ""
    count = len(read.jobs)
    yield Finding("schedule", "ok", f"{count} run{'' if count == 1 else 's'}, times in {read.zone.key}{next_one}")


def _delivery(path: Path, out: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the settings for the recipients exist; missing ones are a problem once the schedule is in use."""
    from cs_helpers.schedule import delivery, due, recipients

    wanted = {delivery.recipient(text) for text in _recipients(path)}
    wrong = 0
    severity = "problem" if (out / due.STATUS).exists() else "notice"
    needed = sorted({(name, to.partition(":")[0]) for to in wanted for name in recipients.variables(to)})
    for name, kind in needed:
        if not environment.get(name, "").strip():
            wrong += 1
            words = f"the schedule delivers by {kind}, and {name} is not set."
            yield Finding("delivery", severity, words, "docs/delivery.md describes it.")
    for to in sorted(wanted):
        folder = to.removeprefix("folder:")
        if folder != to and not Path(folder).is_dir():
            wrong += 1
            words = f"the schedule copies reports to {folder}, and there is no such folder."
            yield Finding("delivery", severity, words, "Make or mount it, or correct the schedule.")
    if wanted and not wrong:
        yield Finding("delivery", "ok", f"what {len(wanted)} recipients need is set (names only; nothing was sent)")


def _scheduler(path: Path, out: Path, now: datetime) -> Iterator[Finding]:
    """Whether the schedule is run regularly; a schedule that is never run reports no failure by itself."""
    from cs_helpers.schedule import due

    jobs = _jobs(path)
    if not jobs:
        return
    fix = "Let cron call cs-helpers due, or keep cs-helpers start running; docs/scheduling.md shows both."
    try:
        said = json.loads((out / due.STATUS).read_text(encoding="utf-8"))
        checked, state = datetime.fromisoformat(said["checked_at"]), str(said["state"])
        if checked.tzinfo is None:
            raise ValueError("a time without a zone")
    except FileNotFoundError:
        yield Finding("scheduler", "notice", f"no schedule has been looked at here yet: no {out / due.STATUS}.", fix)
        return
    except (OSError, ValueError, LookupError, TypeError):
        yield Finding("scheduler", "problem", f"{out / due.STATUS} cannot be read.", "Remove it: it is made anew.")
        return
    missed = [job.name for job in jobs if next(job.times(checked)) < now - timedelta(hours=1)]
    words = f"the schedule was last looked at {checked:%Y-%m-%d %H:%M} UTC"
    if missed:
        yield Finding("scheduler", "notice", f"{words}, and {', '.join(missed)} has come due since.", fix)
    elif state != "ok":
        yield Finding("scheduler", "notice", f"{words}, and some of it fails.", "See why: cs-helpers history")
    else:
        yield Finding("scheduler", "ok", words)


def _leftovers(out: Path, now: datetime) -> Iterator[Finding]:
    from cs_helpers.publish import prune

    found = prune.leftovers(out, now)
    if found:
        size = prune.size_words(sum(each.size for each in found))
        words = f"{len(found)} thing{'' if len(found) == 1 else 's'} of killed runs and old logs, {size}."
        yield Finding("leftovers", "notice", words, "Remove them: cs-helpers prune (with --dry-run it only names them)")
    else:
        yield Finding("leftovers", "ok", "no leftovers of killed runs")


def _source(source: str) -> Iterator[Finding]:
    from cs_helpers.data.sources import open_source

    try:
        opened = open_source(os.path.expanduser(source))
        try:
            names = opened.names()
        finally:
            opened.close()
    except CsHelpersError as error:
        yield Finding("source", "problem", str(error))
        return
    yield Finding(
        "source", "ok", f"{source} opens and holds {len(names)} tables; their content: cs-helpers check {source}"
    )


def _recipients(path: Path) -> set[str]:
    jobs = _jobs(path)
    return {text for job in jobs for text in (*job.recipients, *job.alerts)} if jobs else set()


def _jobs(path: Path) -> tuple[Any, ...]:
    """The runs of the schedule; empty if it cannot be read, which another check reports."""
    from cs_helpers.schedule import settings

    try:
        return settings.read(path).jobs
    except ScheduleError:
        return ()


def _existing(path: Path) -> Path:
    """The path, or the nearest existing folder above it."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())


def _fits(version: str, wanted: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(version.rstrip("+"), prereleases=True)
