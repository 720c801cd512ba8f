"""The schedule: ``reports/schedule.yml`` read and checked, its next runs, and its lines for cron.

All problems of the file are found at once, before any run is due: a notebook that is not there, a parameter it does
not declare, a time that never comes. Times are five cron fields in one named time zone.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cs_helpers.audience import AUDIENCES
from cs_helpers.errors import ParameterError, ScheduleError, did_you_mean
from cs_helpers.reports import cron, series, sharing

_SHORTCUTS = ("source", "mapping", "as_of")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True)
class Job:
    """One line of the schedule: which notebook, when, for whom, with which parameters (as texts)."""

    name: str
    notebook: str
    cron: str
    audience: str
    parameters: Mapping[str, str]
    zone: ZoneInfo = field(repr=False)

    @property
    def words(self) -> list[str]:
        """What follows ``cs-helpers``: the very command that a person would type."""
        audience, comments, _ = self._for_whom
        words = ["run", self.notebook, *(["--audience", audience] if audience != "full" else [])]
        words += ["--with-comments"] if comments else []
        for name, value in self.parameters.items():
            words += [f"--{name.replace('_', '-')}", value] if name in _SHORTCUTS else ["-p", f"{name}={value}"]
        return words

    @property
    def _for_whom(self) -> tuple[str, str, str]:
        return self.audience.partition("+")

    def given(self, notebook: Path) -> dict[str, str]:
        """The parameters as the command would hand them on. Raises ParameterError."""
        audience, comments, _ = self._for_whom
        return sharing.given(notebook, self.parameters, audience, bool(comments))

    def times(self, after: datetime) -> Iterator[datetime]:
        """The times at which it runs after an instant, in the schedule's zone."""
        return cron.times(self.cron, self.zone, after)


@dataclass(frozen=True)
class Schedule:
    """Everything that is to run, in the time zone its times are meant in."""

    zone: ZoneInfo
    jobs: tuple[Job, ...]


class _Run(BaseModel):
    model_config = ConfigDict(extra="forbid")
    notebook: str
    cron: str
    audience: str = "full"
    parameters: dict[str, str] = {}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    time_zone: str
    runs: dict[str, Any]


def read(path: Path) -> Schedule:
    """The schedule in a YAML file. Raises ScheduleError with every problem of the file at once."""
    content, lines = _content(path)
    problems = _Problems(path.name, lines)
    problems.misfits(_File, content, ())
    zone = _zone(content.get("time_zone"), problems)
    runs = content.get("runs")
    jobs = []
    for name, entry in runs.items() if isinstance(runs, dict) else ():
        if run := problems.misfits(_Run, entry, ("runs", name)):
            jobs.append(Job(name, run.notebook, " ".join(run.cron.split()), run.audience, run.parameters, zone))
            _check(jobs[-1], problems)
        if not _NAME.fullmatch(name):
            problems.add(("runs", name), f"'{name}' cannot name a run: small letters, digits, _ and -, 60 at most.")
    _refuse_one_place(jobs, problems)
    if problems.found:
        raise ScheduleError("\n".join(text for _, text in sorted(problems.found, key=lambda each: each[0])))
    return Schedule(zone, tuple(jobs))


def upcoming(schedule: Schedule, after: datetime, count: int) -> list[tuple[datetime, Job]]:
    """The next ``count`` runs after an instant, the earliest first; ``after`` has a time zone."""
    times = {job.name: job.times(after) for job in schedule.jobs}
    waiting = [(next(times[job.name]), job) for job in schedule.jobs]
    found: list[tuple[datetime, Job]] = []
    while waiting and len(found) < count:
        soonest = min(waiting, key=lambda each: (each[0], each[1].name))
        found.append(soonest)
        waiting[waiting.index(soonest)] = (next(times[soonest[1].name]), soonest[1])
    return found


def instant(text: str | None) -> datetime:
    """The instant a text names, in this machine's zone unless it says another; now without one. ParameterError."""
    try:
        return (datetime.fromisoformat(text) if text else datetime.now(UTC)).astimezone()
    except ValueError:
        raise ParameterError(f"--now must be a time such as 2026-07-01T09:00, not '{text}'.") from None


def as_lines(runs: Sequence[tuple[datetime, Job]], now: datetime) -> list[str]:
    """One line per run: when in words, in the schedule's zone and this machine's, its name and its command."""
    if not runs:
        return ["Nothing is scheduled."]
    times = [in_words(at, now) for at, _ in runs]
    wide, name = max(map(len, times)), max(len(job.name) for _, job in runs)
    lines = [
        f"{time:<{wide}}  {job.name:<{name}}  cs-helpers {shlex.join(job.words)}"
        for time, (_, job) in zip(times, runs, strict=True)
    ]
    return [f"Times in {runs[0][1].zone.key}:", *lines]


def as_records(runs: Sequence[tuple[datetime, Job]]) -> list[dict[str, Any]]:
    """The same for scripts: name, at (with its offset), notebook, audience, parameters and command of each run."""
    return [
        {
            "name": job.name,
            "at": at.isoformat(),
            "notebook": job.notebook,
            "audience": job.audience,
            "parameters": dict(job.parameters),
            "command": ["cs-helpers", *job.words],
        }
        for at, job in runs
    ]


def in_words(at: datetime, now: datetime) -> str:
    """``Monday 6 July 2026, 06:00 (in 5 days)``, with this machine's own time where that is another."""
    days = (at.date() - now.astimezone(at.tzinfo).date()).days
    away = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    here = at.astimezone()
    own = f"; here {here:%A, %H:%M}" if here.utcoffset() != at.utcoffset() else ""
    return f"{at:%A} {at.day} {at:%B %Y, %H:%M} ({away}{own})"


def export(to: str, schedule: Schedule, folder: Path) -> str:
    """The schedule for another scheduler; for cron its lines. Raises ParameterError for one that is not known."""
    if to != "cron":
        raise ParameterError(f"cannot export to '{to}'.{did_you_mean(to, ['cron'])} There is: cron.")
    return crontab(schedule, folder)


def crontab(schedule: Schedule, folder: Path) -> str:
    """The lines for ``crontab -e``: each run as the command a person would type in the project's folder."""
    zone, lines = schedule.zone.key, []
    for job in schedule.jobs:
        command = f"cd {shlex.quote(str(folder))} && {_program(folder)} {shlex.join(job.words)}"
        escaped = command.replace("%", r"\%")  # cron ends a command at a bare one
        lines += ["", f"# {job.name}", f"{cron.plain(job.cron)}  {escaped}"]
    return "\n".join(
        [
            "# Made by `cs-helpers export cron`. Take it over with `crontab -e`; cron mails what a command prints.",
            "# CRON_TZ is understood by cronie (Fedora, Red Hat, Arch). The cron of Debian, Ubuntu and macOS goes by",
            f"# the clock of the machine: if that is not {zone}, change the hours.",
            f"CRON_TZ={zone}",
            *lines,
        ]
    )


def _program(folder: Path) -> str:
    """How this very command is called from the project's folder."""
    beside = Path(sys.executable).parent / "cs-helpers"
    if not beside.is_file():
        return f"{shlex.quote(sys.executable)} -m cs_helpers"
    return shlex.quote(str(beside.relative_to(folder) if beside.is_relative_to(folder) else beside))


# --- the file ---------------------------------------------------------------------------------------------------

_Place = tuple[str, ...]


class _Problems:
    """What is wrong so far, each with the line it stands on."""

    def __init__(self, file: str, lines: Mapping[_Place, int]):
        self.file, self.lines = file, lines
        self.found: list[tuple[int, str]] = []

    def add(self, place: _Place, what: str) -> None:
        within = place
        while within and within not in self.lines:
            within = within[:-1]
        line = self.lines.get(within, 1)
        self.found.append((line, f"{self.file}, line {line}: {what}"))

    def misfits(self, model: type[BaseModel], content: Any, place: _Place) -> Any:
        """The model of the content, or None and what does not fit."""
        try:
            return model.model_validate(content)
        except ValidationError as error:
            for each in error.errors():
                where = (*place, *map(str, each["loc"]))
                self.add(where, _worded(each, where, model))
        return None


def _worded(error: Any, place: _Place, model: type[BaseModel]) -> str:
    name, known = place[-1] if place else "", list(model.model_fields)
    within = f" in {'.'.join(place[:-1])}" if len(place) > 1 else ""
    if error["type"] == "extra_forbidden":
        near = did_you_mean(name, known) or f" Known are: {', '.join(known)}."
        return f"unknown key '{name}'{within}.{near}"
    if error["type"] == "missing":
        return f"'{name}' is missing{within}."
    kind = "`key: value` lines" if error["type"] in ("dict_type", "model_type") else "one text"
    return f"{name or 'the file'} must be {kind}."


def _content(path: Path) -> tuple[dict[str, Any], dict[_Place, int]]:
    """The file's keys with all values as texts, as on the command line, and the line of each key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.BaseLoader)):
            raise ScheduleError(f"{path.name}: names with & and * are not read. Put text that begins with * in quotes.")
        node = yaml.compose(text, yaml.BaseLoader)
    except FileNotFoundError:
        raise ScheduleError(
            f"there is no schedule {path}.\n  Write one; the project's reports/schedule.yml shows how."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScheduleError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ScheduleError(
            f"{path.name}{line}: this is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}.\n"
            "  Indent with spaces, put a space after each colon, and quotes around times such as '0 6 * * mon'."
        ) from None
    lines: dict[_Place, int] = {}
    found = _plain(node, (), lines, path.name) if node else {}
    if not isinstance(found, dict):
        raise ScheduleError(f"{path.name}: the file holds no `key: value` lines.\n  Start with `time_zone: ...`.")
    return found, lines


def _plain(node: Any, place: _Place, lines: dict[_Place, int], file: str) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, place, lines, file) for each in node.value]
    found = {}
    for key, value in node.value:
        inner, line = (*place, str(key.value)), key.start_mark.line + 1
        if inner in lines:
            raise ScheduleError(f"{file}, line {line}: '{key.value}' stands twice, on line {lines[inner]} already.")
        lines[inner] = line
        found[str(key.value)] = _plain(value, inner, lines, file)
    return found


# --- what its words mean ----------------------------------------------------------------------------------------


def _zone(name: Any, problems: _Problems) -> ZoneInfo:
    if isinstance(name, str) and name in available_timezones():
        return ZoneInfo(name)
    if isinstance(name, str):
        near = did_you_mean(name, sorted(available_timezones())) or " Write it like Europe/Berlin or America/New_York."
        problems.add(("time_zone",), f"time_zone: there is no '{name}'.{near}")
    return ZoneInfo("UTC")


def _check(job: Job, problems: _Problems) -> None:
    """Everything that would only come to light when the run is due."""
    place: _Place = ("runs", job.name)
    try:
        cron.numbers(job.cron)
    except ValueError as error:
        problems.add((*place, "cron"), f"cron: {error}")
    for name, value in job.parameters.items():
        if "\n" in value:
            problems.add((*place, "parameters", name), f"{name} holds a line break.")
    if job.audience not in AUDIENCES:
        near = did_you_mean(job.audience, AUDIENCES)
        there = ", ".join(AUDIENCES)
        problems.add((*place, "audience"), f"audience: there is no '{job.audience}'.{near} There are: {there}.")
        job = replace(job, audience="full")
    if "audience" in job.parameters:
        problems.add((*place, "parameters", "audience"), "audience stands beside notebook, not among its parameters.")
        job = replace(job, parameters={k: v for k, v in job.parameters.items() if k != "audience"})
    try:
        notebook = series.find(job.notebook)
    except ParameterError as error:
        problems.add((*place, "notebook"), str(error))
        return
    given: Mapping[str, str] = job.parameters
    try:
        given = job.given(notebook)
    except ParameterError as error:
        problems.add((*place, "audience"), str(error))
    try:
        series.check_parameters(notebook, given)
    except ParameterError as error:
        for problem in re.split(r"\n(?! )", str(error)):
            problems.add((*place, "parameters"), problem)


def _refuse_one_place(jobs: list[Job], problems: _Problems) -> None:
    """Two runs that differ in their parameters only would take turns in one report."""
    seen: dict[tuple[str, str], Job] = {}
    for job in jobs:
        first = seen.setdefault((job.notebook, job.audience), job)
        if dict(first.parameters) != dict(job.parameters):
            problems.add(
                ("runs", job.name),
                f"{job.name} and {first.name} run {job.notebook} for the same audience with other parameters, so one "
                "would replace the other's report. Give one of them a notebook of its own: cs-helpers new NAME",
            )
