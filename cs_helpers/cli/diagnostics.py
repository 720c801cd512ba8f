"""The checks of ``cs-helpers doctor``: problems of this machine that affect reports, and how to fix them.

Each check tries the thing itself: it writes a file, takes a lock, queries the engine, forks a kernel. A check that
raises an error is reported as a problem, so packages that may be missing are imported inside the checks.
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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from cs_helpers.core.errors import CsHelpersError, ScheduleError
from cs_helpers.publish import kernel, locks, prune, run_records

PACKAGE = "cs-helpers"
TOO_LITTLE, LITTLE = 10**9, 5 * 10**9  # bytes of free disk
_CLOCK_DIFFERENCE = timedelta(minutes=5)
_SETUP = "Set the environment up again: make setup"
# Optional packages: most reports stay on a disk and need no driver of a store.
_OPTIONAL = {"s3fs": "s3://", "gcsfs": "gs://", "adlfs": "abfs://", "jupyter_scheduler": "JupyterLab's dialog"}


@dataclass(frozen=True)
class Finding:
    """The result of a check: ``severity`` is ok, notice or problem; ``fix`` tells how to fix it; ``what`` the check."""

    severity: str
    message: str
    fix: str = ""
    what: str = ""


_ok, _notice, _problem = (partial(Finding, severity) for severity in ("ok", "notice", "problem"))
_Findings = Finding | Iterable[Finding]


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
    checks: dict[str, Callable[[], _Findings]] = {
        "python": _python,
        "packages": _packages,
        "engine": _engine,
        "databases": _databases,
        "optional": _optional,
        "fonts": _fonts,
        "disk": partial(_disk, out),
        "time zones": partial(_time_zones, environment),
        "clock": partial(_clock, out, now),
        "reports": partial(_write_access, out),
        "locks": partial(_locks, out),
        "warm start": _warm_start,
        "schedule": partial(_schedule, schedule, now),
        "delivery": partial(_delivery, schedule, out, environment),
        "scheduler": partial(_scheduler, schedule, out, now),
        "leftovers": partial(_leftovers, out, now),
        **({} if source is None else {"source": partial(_source, source)}),
    }
    return [finding for what, check in checks.items() for finding in _findings(what, check)]


def exit_code(findings: list[Finding]) -> int:
    """1 if there is a problem, otherwise 0; notices do not count."""
    return int(any(each.severity == "problem" for each in findings))


def _findings(what: str, check: Callable[[], _Findings]) -> list[Finding]:
    try:
        found = check()
        return [replace(each, what=what) for each in ([found] if isinstance(found, Finding) else found)]
    except Exception as error:
        return [_problem(f"could not be checked: {type(error).__name__}: {error}", _SETUP, what)]


def _python() -> Finding:
    from packaging.specifiers import SpecifierSet

    version = sys.version.split()[0]
    words = f"{version} at {sys.prefix}"
    wanted = metadata.metadata(PACKAGE).json.get("requires_python")
    if wanted and not SpecifierSet(str(wanted)).contains(version.rstrip("+"), prereleases=True):
        return _problem(f"{words}; cs-helpers needs {wanted}.", "Create .venv again with a newer Python.")
    return _ok(words)


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in metadata.requires(PACKAGE) or []]
    except metadata.PackageNotFoundError:
        yield _problem("cs-helpers itself is not installed in this Python.", _SETUP)
        return
    wanted = [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    wrong = 0
    for each in wanted:
        version = _version(each.name)
        if not version or not each.specifier.contains(version, prereleases=True):
            wrong += 1
            installed = f"{version} is installed" if version else "it is not installed"
            yield _problem(f"{each.name}{each.specifier} is needed, and {installed}.", _SETUP)
    if not wrong:
        yield _ok(f"cs-helpers {_version(PACKAGE)} and {len(wanted)} packages fit")


def _version(package: str) -> str:
    """The installed version of a package; empty if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _engine() -> Finding:
    from cs_helpers.data.engines.duckdb import DuckDB

    engine = DuckDB()
    try:
        version, product = engine.rows("SELECT version(), 6 * 7")[0]
    finally:
        engine.close()
    if product != 42:
        return _problem(f"the embedded database returns {product} for 6 times 7.", _SETUP)
    return _ok(f"DuckDB {version} works")


def _databases() -> Finding:
    try:
        importlib.import_module("psycopg")
    except ImportError as error:
        return _notice(f"PostgreSQL cannot be read, but files can: psycopg does not load ({error}).", _SETUP)
    return _ok(f"PostgreSQL can be read (psycopg {_version('psycopg')})")


def _optional() -> Finding:
    installed = [f"{name} {_version(name)} for {purpose}" for name, purpose in _OPTIONAL.items() if _version(name)]
    missing = ", ".join(f"{name} for {purpose}" for name, purpose in _OPTIONAL.items() if not _version(name))
    return _ok("; ".join([*installed, *([f"not installed, rarely needed: {missing}"] if missing else [])]))


def _fonts() -> Finding:
    from cs_helpers.report.charts.font import missing_fonts

    if missing := missing_fonts():
        words = f"matplotlib does not find {', '.join(missing)}, so chart labels may overlap."
        return _notice(words, "The font comes with matplotlib. Remove ~/.cache/matplotlib, then: make setup")
    return _ok("the font of the charts is installed")


def _disk(out: Path) -> Iterator[Finding]:
    seen: set[int] = set()
    for folder, holds, fix in (
        (_existing(out), "reports", "Free some: cs-helpers prune"),
        (Path(tempfile.gettempdir()), "temporary files", "Free some, or set TMPDIR"),
    ):
        device = folder.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(folder).free
        words = f"{free / 1e9:.1f} GB are free on the disk of the {holds}"
        if free < TOO_LITTLE:
            yield _problem(f"{words}, so a report may fail half-way.", fix)
        else:
            yield _notice(f"{words}.", fix) if free < LITTLE else _ok(words)


def _time_zones(environment: Mapping[str, str]) -> Finding:
    zones = zoneinfo.available_timezones()
    if "Europe/Berlin" not in zones:
        words = "this machine has no time zone database, so no schedule can be read."
        return _problem(words, "Install tzdata: with the system's packages, or pip install tzdata")
    here = datetime.now().astimezone()
    named = environment.get("TZ", "").lstrip(":")
    if "/" in named and named not in zones and not Path(named).exists():
        words = f"TZ names the zone '{named}', which does not exist; this machine uses UTC instead."
        return _notice(words, "Set TZ to a name such as Europe/Berlin, or unset it.")
    return _ok(f"{len(zones)} zones; this machine's is {here.tzname()} (UTC{here:%z})")


def _clock(out: Path, now: datetime) -> Finding:
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < installed - timedelta(days=1):
        words = f"the clock shows {now:%Y-%m-%d %H:%M} UTC, which is before cs-helpers was installed."
        return _problem(words, "Set it: timedatectl set-ntp true")
    records = run_records.read_records(out)[0]
    ahead = [record for record in records if datetime.fromisoformat(record["started_at"]) > now + _CLOCK_DIFFERENCE]
    if ahead:
        words = (
            f"{len(ahead)} of {len(records)} runs have a start in the future, the newest {ahead[0]['started_at']}. "
            "The clock was wrong then or is wrong now, so a new run may not count as the newest."
        )
        return _problem(words, "Set the clock. If it is right, remove the folders of those runs.")
    return _ok(f"{now:%Y-%m-%d %H:%M} UTC; no run starts in the future")


def _write_access(out: Path) -> Finding:
    folder = _existing(out)
    probe, moved = (folder / f".doctor.{secrets.token_hex(4)}" for _ in range(2))
    try:
        if not folder.is_dir():
            raise NotADirectoryError(0, "it is not a folder")
        with probe.open("wb") as file:
            file.write(b"cs-helpers doctor")
            file.flush()
            os.fsync(file.fileno())
        os.replace(probe, moved)
        if moved.read_bytes() != b"cs-helpers doctor":
            raise OSError(0, "a file came back with other content than was written")
    except OSError as error:
        words = f"{out} cannot be written: {error.strerror or error}."
        return _problem(words, "Make the folder writable, or choose another --out.")
    finally:
        for left in (probe, moved):
            with suppress(OSError):
                left.unlink()
    return _ok(f"{out} {'can be written' if out.is_dir() else 'does not exist yet; the first run creates it'}")


def _locks(out: Path) -> _Findings:
    if not out.is_dir():
        return []
    fix = "Keep reports on a local disk, or on a network disk with locks (NFS 4)."
    try:
        with locks.hold(out, "doctor") as first, locks.hold(out, "doctor") as second:
            held = (first, second)
    except CsHelpersError as error:
        return _problem(str(error).splitlines()[0], fix)
    if held == (True, True):
        return _problem(f"two processes can hold the same lock in {out}, so two runs could publish at once.", fix)
    return _ok(f"locks work in {out}")


def _warm_start() -> Finding:
    works, words = kernel.probe()
    return _ok(words) if works else _notice(words)


def _schedule(path: Path, now: datetime) -> Finding:
    if not path.exists():
        return _ok(f"there is no {path}: reports run by hand only")
    from cs_helpers.schedule import settings

    try:
        read = settings.read(path)
    except ScheduleError as error:
        return _problem(str(error), "Fix the schedule, then check it: cs-helpers next")
    next_one = settings.next_in_words(read, now, "; next ").rstrip(".")
    return _ok(f"{settings.count_in_words(read)}, times in {read.zone.key}{next_one}")


def _delivery(path: Path, out: Path, environment: Mapping[str, str]) -> list[Finding]:
    """Whether the settings for the recipients exist; missing ones are a problem once the schedule is in use."""
    from cs_helpers.schedule import delivery, due, recipients

    wanted = sorted({delivery.recipient(to) for job in _jobs(path) for to in (*job.recipients, *job.alerts)})
    needed = sorted({(name, to.partition(":")[0]) for to in wanted for name in recipients.variables(to)})
    folders = [to.removeprefix("folder:") for to in wanted if to.startswith("folder:")]
    missing = [
        (f"the schedule delivers by {kind}, and {name} is not set.", "Set it; docs/delivery.md describes how.")
        for name, kind in needed
        if not environment.get(name, "").strip()
    ] + [
        (f"the schedule copies reports to {folder}, which does not exist.", "Create or mount it, or edit the schedule.")
        for folder in folders
        if not Path(folder).is_dir()
    ]
    if wanted and not missing:
        return [_ok(f"all settings for {len(wanted)} recipients exist (nothing was sent)")]
    return [Finding("problem" if (out / due.STATUS).exists() else "notice", *each) for each in missing]


def _scheduler(path: Path, out: Path, now: datetime) -> _Findings:
    """Whether the schedule is run regularly; a schedule that is never run reports no failure by itself."""
    from cs_helpers.schedule import due

    jobs = _jobs(path)
    if not jobs:
        return []
    fix = "Let cron call cs-helpers due, or keep cs-helpers start running; docs/scheduling.md shows both."
    try:
        status = json.loads((out / due.STATUS).read_text(encoding="utf-8"))
        checked, state = datetime.fromisoformat(status["checked_at"]), str(status["state"])
        if checked.tzinfo is None:
            raise ValueError("a time without a zone")
    except FileNotFoundError:
        return _notice(f"the schedule has not been run here yet: there is no {out / due.STATUS}.", fix)
    except (OSError, ValueError, LookupError, TypeError):
        return _problem(f"{out / due.STATUS} cannot be read.", "Remove it; the next cs-helpers due writes it again.")
    missed = [job.name for job in jobs if next(job.times(checked)) < now - timedelta(hours=1)]
    words = f"the schedule was last checked {checked:%Y-%m-%d %H:%M} UTC"
    if missed:
        return _notice(f"{words}; due since then: {', '.join(missed)}.", fix)
    if state != "ok":
        return _notice(f"{words}; some runs or deliveries failed.", "Find the reason: cs-helpers history")
    return _ok(words)


def _leftovers(out: Path, now: datetime) -> Finding:
    if found := prune.leftovers(out, now):
        size = prune.size_words(sum(each.size for each in found))
        words = f"{len(found)} leftover{'' if len(found) == 1 else 's'} of killed runs and old logs, {size}."
        return _notice(words, "Remove them: cs-helpers prune (--dry-run only lists them)")
    return _ok("no leftovers of killed runs")


def _source(source: str) -> Finding:
    from cs_helpers.data.sources import open_source

    try:
        opened = open_source(os.path.expanduser(source))
        try:
            names = opened.names()
        finally:
            opened.close()
    except CsHelpersError as error:
        return _problem(str(error))
    return _ok(f"{source} opens and holds {len(names)} tables; their content: cs-helpers check {source}")


def _jobs(path: Path) -> tuple[Any, ...]:
    """The runs of the schedule; empty if it cannot be read, which another check reports."""
    from cs_helpers.schedule import settings

    try:
        return settings.read(path).jobs
    except ScheduleError:
        return ()


def _existing(path: Path) -> Path:
    """The path, or the nearest existing folder above it."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
