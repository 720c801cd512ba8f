"""Reads and checks ``reports/schedule.yml``, explains it, and lists its next runs.

All problems of the file are reported at once, before any run is due: a missing notebook, an undeclared parameter, a
time that never occurs. Times are five cron fields in one named time zone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cs_helpers.core.audience import AUDIENCES
from cs_helpers.core.errors import ParameterError, ScheduleError, did_you_mean
from cs_helpers.publish import fanout, limits, relative, series, sharing
from cs_helpers.schedule import cron

_SHORTCUTS = ("source", "mapping", "as_of")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
MAX_CATCH_UP = 31


@dataclass(frozen=True)
class Job:
    """One entry of the schedule: its notebook, times, audience and parameters (as texts).

    ``for_each`` is a column that gets one report for each value, ``jobs`` of them at once; ``recipients`` receive the
    reports and ``alerts`` the notices of failures; ``keep`` is the number of runs to keep of each series (None: all);
    ``timeout``, ``memory`` and ``retries`` are the options of the command line (None: its defaults); ``catch_up`` is
    the number of missed times to make up.
    """

    name: str
    notebook: str
    cron: str
    audience: str
    parameters: Mapping[str, str]
    zone: ZoneInfo = field(repr=False)
    for_each: str | None = None
    jobs: int = 1
    recipients: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    keep: int | None = None
    timeout: str | None = None
    memory: str | None = None
    retries: int | None = None
    catch_up: int = 1

    def command_at(self, at: datetime) -> list[str]:
        """The arguments of ``cs-helpers`` for that time, as a person would type them."""
        audience, comments, _ = self._audience_parts
        words = ["run", self.notebook, *(["--audience", audience] if audience != "full" else [])]
        words += ["--with-comments"] if comments else []
        for name, value in self.parameters_at(at).items():
            words += [f"--{name.replace('_', '-')}", value] if name in _SHORTCUTS else ["-p", f"{name}={value}"]
        options = {
            "--for-each": self.for_each,
            "--jobs": self.jobs if self.for_each and self.jobs > 1 else None,
            "--timeout": self.timeout,
            "--memory": self.memory,
            "--retries": self.retries,
        }
        return words + [str(word) for each in options.items() if each[1] is not None for word in each]

    def parameters_at(self, at: datetime) -> dict[str, str]:
        """The parameters for that time: relative dates become days in the time zone of the schedule."""
        now = at.astimezone(self.zone)
        return {name: relative.resolve(value, now) or value for name, value in self.parameters.items()}

    @property
    def _audience_parts(self) -> tuple[str, str, str]:
        return self.audience.partition("+")

    def notebook_parameters(self, notebook: Path, at: datetime) -> dict[str, str]:
        """The parameters as the command would pass them to the notebook. Raises ParameterError."""
        audience, comments, _ = self._audience_parts
        return sharing.with_audience(notebook, self.parameters_at(at), audience, bool(comments))

    def times(self, after: datetime) -> Iterator[datetime]:
        """The times of the job after an instant, in the time zone of the schedule."""
        return cron.times(self.cron, self.zone, after)


@dataclass(frozen=True)
class Schedule:
    """All jobs and their time zone; ``owner`` receives the notices of failures."""

    zone: ZoneInfo
    jobs: tuple[Job, ...]
    owner: tuple[str, ...] = ()

    def only(self, name: str | None) -> Schedule:
        """The schedule with only the job of that name; all jobs for None. Raises ParameterError."""
        names = [job.name for job in self.jobs]
        if name is None:
            return self
        if name not in names:
            there = ", ".join(names) or "none"
            raise ParameterError(f"the schedule has no run '{name}'.{did_you_mean(name, names)} There are: {there}.")
        return replace(self, jobs=tuple(job for job in self.jobs if job.name == name))


class _JobEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    notebook: str
    cron: str
    audience: str = "full"
    parameters: dict[str, str] = {}
    for_each: str | None = None
    jobs: str | None = None
    recipients: Any = None
    alerts: Any = None
    keep: str | None = None
    timeout: str | None = None
    memory: str | None = None
    retries: str | None = None
    catch_up: str | None = None


class _ScheduleFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    time_zone: str
    owner: Any = None
    runs: dict[str, Any]


def read(path: Path) -> Schedule:
    """The schedule of a YAML file. Raises ScheduleError with all problems of the file."""
    content, lines = _content(path)
    problems = _Problems(path.name, lines)
    problems.validate(_ScheduleFile, content, ())
    zone = _zone(content.get("time_zone"), problems)
    owner = _recipients(content.get("owner"), ("owner",), problems)
    runs = content.get("runs")
    jobs = []
    for name, entry in runs.items() if isinstance(runs, dict) else ():
        if run := problems.validate(_JobEntry, entry, ("runs", name)):
            jobs.append(_job(name, run, zone, owner, problems))
            _check(jobs[-1], problems)
        if not _NAME.fullmatch(name):
            problems.add(("runs", name), f"'{name}' cannot name a run: small letters, digits, _ and -, 60 at most.")
    _refuse_same_location(jobs, problems)
    if problems.found:
        raise ScheduleError("\n".join(text for _, text in sorted(problems.found, key=lambda each: each[0])))
    return Schedule(zone, tuple(jobs), owner)


def upcoming(schedule: Schedule, after: datetime, count: int) -> list[tuple[datetime, Job]]:
    """The next ``count`` runs after an instant with a time zone, the earliest first."""
    times = {job.name: job.times(after) for job in schedule.jobs}
    waiting = [(next(times[job.name]), job) for job in schedule.jobs]
    found: list[tuple[datetime, Job]] = []
    while waiting and len(found) < count:
        soonest = min(waiting, key=lambda each: (each[0], each[1].name))
        found.append(soonest)
        waiting[waiting.index(soonest)] = (next(times[soonest[1].name]), soonest[1])
    return found


def instant(text: str | None) -> datetime:
    """The time in a text, in the zone of this machine unless it names another; now for None. Raises ParameterError."""
    try:
        return (datetime.fromisoformat(text) if text else datetime.now(UTC)).astimezone()
    except ValueError:
        raise ParameterError(f"--now must be a time such as 2026-07-01T09:00, not '{text}'.") from None


# --- explanations ---------------------------------------------------------------------------------------------------


def explain(schedule: Schedule, now: datetime) -> list[str]:
    """Each job of the schedule in words, and what is missing here; ``now`` has a time zone."""
    count = len(schedule.jobs)
    opening = (
        f"{count} run{'' if count == 1 else 's'}, times in {schedule.zone.key}." if count else "Nothing is scheduled."
    )
    lines = [opening]
    for job in schedule.jobs:
        lines += ["", job.name]
        lines += [f"  {name:<13} {text}" for name, text in _explained(job, now)]
    return [*lines, *_unset_variables(schedule)]


def _unset_variables(schedule: Schedule) -> list[str]:
    """One line for each environment variable that a delivery needs and that is not set here."""
    from cs_helpers.schedule import delivery, recipients

    needed: dict[str, dict[str, None]] = {}
    for job in schedule.jobs:
        for each in (*job.recipients, *job.alerts):
            for name in recipients.unset(delivery.recipient(each)):
                needed.setdefault(name, {})[job.name] = None
    lines = [f"{name} is not set here: the deliveries of {', '.join(jobs)} need it." for name, jobs in needed.items()]
    return ["", *lines] if lines else []


def as_explained(schedule: Schedule, now: datetime) -> dict[str, Any]:
    """The explanation for scripts: time_zone, owner, and for each job its keys, ``when`` in words and next times."""
    return {
        "time_zone": schedule.zone.key,
        "owner": list(schedule.owner),
        "runs": [
            {
                **_as_record(job, at),
                "cron": job.cron,
                "when": cron.in_words(job.cron),
                "next": [each.isoformat() for each in (at, later)],
                "in_words": dict(_explained(job, now)),
            }
            for job in schedule.jobs
            for at, later in [_next_two(job, now)]
        ],
    }


def as_lines(runs: Sequence[tuple[datetime, Job]], now: datetime) -> list[str]:
    """One line per run: its time in the zone of the schedule and of this machine, its name and its command."""
    if not runs:
        return ["Nothing is scheduled."]
    times = [in_words(at, now) for at, _ in runs]
    wide, name = max(map(len, times)), max(len(job.name) for _, job in runs)
    lines = [
        f"{time:<{wide}}  {job.name:<{name}}  cs-helpers {shlex.join(job.command_at(at))}"
        for time, (at, job) in zip(times, runs, strict=True)
    ]
    return [f"Times in {runs[0][1].zone.key}:", *lines]


def as_records(runs: Sequence[tuple[datetime, Job]]) -> list[dict[str, Any]]:
    """The runs for scripts: name, at (with its offset), notebook, audience, parameters, command and so on."""
    return [{**_as_record(job, at), "at": at.isoformat()} for at, job in runs]


def in_words(at: datetime, now: datetime) -> str:
    """``Monday 6 July 2026, 06:00 (in 5 days)``, also in the time of this machine if it differs."""
    days = (at.date() - now.astimezone(at.tzinfo).date()).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    away = near.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")
    here = at.astimezone()
    own = f"; here {here:%A, %H:%M}" if here.utcoffset() != at.utcoffset() else ""
    return f"{at:%A} {at.day} {at:%B %Y, %H:%M} ({away}{own})"


def _as_record(job: Job, at: datetime) -> dict[str, Any]:
    return {
        "name": job.name,
        "notebook": job.notebook,
        "audience": job.audience,
        "parameters": job.parameters_at(at),
        "for_each": job.for_each,
        "recipients": list(job.recipients),
        "alerts": list(job.alerts),
        "keep": job.keep,
        "catch_up": job.catch_up,
        "command": ["cs-helpers", *job.command_at(at)],
    }


def _next_two(job: Job, now: datetime) -> tuple[datetime, datetime]:
    coming = job.times(now)
    return next(coming), next(coming)


def _explained(job: Job, now: datetime) -> list[tuple[str, str]]:
    at, later = _next_two(job, now)
    each = f", one report for each {job.for_each}" if job.for_each else ""
    at_once = f", {job.jobs} at a time" if job.for_each and job.jobs > 1 else ""
    said = [
        ("what", f"the notebook {job.notebook}{each}{at_once}"),
        ("when", cron.in_words(job.cron)),
        ("next", f"{in_words(at, now)}, then {in_words(later, now)}"),
        ("with", _parameters_in_words(job, at)),
        ("for", _AUDIENCE_WORDS[job.audience]),
        (
            "delivered to",
            _recipients_in_words(job.recipients) or "nobody: it is in the reports folder and its index",
        ),
        ("failures", f"reported to {_recipients_in_words(job.alerts) or 'nobody: set owner or alerts'}"),
        ("missed times", _missed_in_words(job.catch_up)),
        ("kept", f"the last {job.keep} runs of each series" if job.keep else "all runs"),
    ]
    limited = {
        "timeout": job.timeout and f"stopped after {limits.in_words(limits.seconds(job.timeout))}",
        "memory": job.memory and f"stopped above {limits.size_in_words(limits.bytes_of(job.memory))}",
        "retries": job.retries is not None and f"{job.retries or 'no'} retr{'y' if job.retries == 1 else 'ies'}",
    }
    texts = [text for text in limited.values() if text]
    return [*said, *([("limits", ", ".join(texts))] if texts else [])]


_AUDIENCE_WORDS = {
    "full": "readers who may see the names of accounts and people",
    "shared": "readers who must not see names: names become pseudonyms, small groups are left out",
    "shared+comments": "readers who must not see names; the comments of customers stay, without names",
}


def _parameters_in_words(job: Job, at: datetime) -> str:
    day = job.parameters_at(at)
    said = [
        f"{name} {value.replace('_', ' ')} ({day[name]} next time)"
        if day[name] != value
        else f"{name} {value or 'empty'}"
        for name, value in job.parameters.items()
    ]
    return ", ".join(said) or "the notebook's own parameters"


def _recipients_in_words(recipients: Sequence[str]) -> str:
    from cs_helpers.schedule import delivery

    said = []
    for each in map(delivery.recipient, recipients):
        kind, _, to = each.partition(":")
        words = {"mail": to, "folder": f"the folder {to}", "webhook": f"the webhook in {to}"}
        said.append(words.get(kind, each))
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else "".join(said)


def _missed_in_words(catch_up: int) -> str:
    if not catch_up:
        return "are not made up: a run starts on time or not at all"
    return (
        "the latest one is made up" if catch_up == 1 else f"the latest {catch_up} are made up, the oldest of them first"
    )


# --- the file ---------------------------------------------------------------------------------------------------

_Place = tuple[str, ...]


class _Problems:
    """The problems found so far, each with its line of the file."""

    def __init__(self, file: str, lines: Mapping[_Place, int]):
        self.file, self.lines = file, lines
        self.found: list[tuple[int, str]] = []

    def add(self, place: _Place, what: str) -> None:
        within = place
        while within and within not in self.lines:
            within = within[:-1]
        line = self.lines.get(within, 1)
        self.found.append((line, f"{self.file}, line {line}: {what}"))

    def validate(self, model: type[BaseModel], content: Any, place: _Place) -> Any:
        """The content as a model; None, with its problems added, if it does not fit."""
        try:
            return model.model_validate(content)
        except ValidationError as error:
            for each in error.errors():
                where = (*place, *map(str, each["loc"]))
                self.add(where, _in_words(each, where, model))
        return None


def _in_words(error: Any, place: _Place, model: type[BaseModel]) -> str:
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
    """The keys of the file with all values as texts, as on the command line, and the line of each key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.BaseLoader)):
            raise ScheduleError(f"{path.name}: & and * names are not supported. Put text that begins with * in quotes.")
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
    found = _values(node, (), lines, path.name) if node else {}
    if not isinstance(found, dict):
        raise ScheduleError(f"{path.name}: the file holds no `key: value` lines.\n  Start with `time_zone: ...`.")
    return found, lines


def _values(node: Any, place: _Place, lines: dict[_Place, int], file: str) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        for number, each in enumerate(node.value):
            lines[(*place, str(number))] = each.start_mark.line + 1
        return [_values(each, (*place, str(number)), lines, file) for number, each in enumerate(node.value)]
    found = {}
    for key, value in node.value:
        inner, line = (*place, str(key.value)), key.start_mark.line + 1
        if inner in lines:
            raise ScheduleError(f"{file}, line {line}: '{key.value}' appears twice, first on line {lines[inner]}.")
        lines[inner] = line
        found[str(key.value)] = _values(value, inner, lines, file)
    return found


# --- values ----------------------------------------------------------------------------------------


def _zone(name: Any, problems: _Problems) -> ZoneInfo:
    if isinstance(name, str) and name in available_timezones():
        return ZoneInfo(name)
    if isinstance(name, str):
        near = did_you_mean(name, sorted(available_timezones())) or " Write it like Europe/Berlin or America/New_York."
        problems.add(("time_zone",), f"time_zone: there is no '{name}'.{near}")
    return ZoneInfo("UTC")


def _recipients(given: Any, place: _Place, problems: _Problems) -> tuple[str, ...]:
    """One recipient or a list of them, each checked."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        if texts is not None:
            problems.add(place, f"{place[-1]} must be one recipient or a list of them.")
        return ()
    found = []
    for number, text in enumerate(texts):
        from cs_helpers.schedule import delivery

        try:
            delivery.recipient(text)
            found.append(text)
        except ValueError as error:
            problems.add((*place, str(number)), f"{place[-1]}: {error}")
    return tuple(found)


def _job(name: str, run: _JobEntry, zone: ZoneInfo, owner: tuple[str, ...], problems: _Problems) -> Job:
    """The job of an entry; an invalid value is reported and replaced by its default."""
    place: _Place = ("runs", name)

    def whole(key: str, low: int, high: int) -> int | None:
        text = getattr(run, key)
        if text is None:
            return None
        if text.isdecimal() and low <= int(text) <= high:
            return int(text)
        problems.add((*place, key), f"{key} must be a whole number from {low} to {high}, not '{text}'.")
        return None

    def read_by(reader: Callable[[str], object], key: str) -> str | None:
        text: str | None = getattr(run, key)
        try:
            return text if text is None or reader(text) else None
        except ValueError as error:
            problems.add((*place, key), f"{key}: {error}")
            return None

    if run.jobs is not None and run.for_each is None:
        problems.add((*place, "jobs"), "jobs is for the reports of a for_each, and there is no for_each here.")
    if run.for_each is not None and not re.fullmatch(r"[^\s=/][^\n=/]{0,99}", run.for_each):
        problems.add((*place, "for_each"), f"for_each must be the name of one column, not '{run.for_each}'.")
    told = owner if run.alerts is None else _recipients(run.alerts, (*place, "alerts"), problems)
    catch_up = whole("catch_up", 0, MAX_CATCH_UP)
    return Job(
        name=name,
        notebook=run.notebook,
        cron=" ".join(run.cron.split()),
        audience=run.audience,
        parameters=run.parameters,
        zone=zone,
        for_each=run.for_each,
        jobs=whole("jobs", 1, 64) or 1,
        recipients=_recipients(run.recipients, (*place, "recipients"), problems),
        alerts=told,
        keep=whole("keep", 1, 100_000),
        timeout=read_by(limits.seconds, "timeout"),
        memory=read_by(limits.bytes_of, "memory"),
        retries=whole("retries", 0, 10),
        catch_up=1 if catch_up is None else catch_up,
    )


def _check(job: Job, problems: _Problems) -> None:
    """Checks what would otherwise fail when the run is due."""
    place: _Place = ("runs", job.name)
    try:
        cron.numbers(job.cron)
    except ValueError as error:
        problems.add((*place, "cron"), f"cron: {error}")
    for name, value in job.parameters.items():
        if "\n" in value:
            problems.add((*place, "parameters", name), f"{name} holds a line break.")
        elif name == "as_of" or value.startswith("last_"):
            try:
                relative.check(value)
            except ValueError as error:
                problems.add((*place, "parameters", name), f"{name}: {error}")
                job = replace(job, parameters={k: v for k, v in job.parameters.items() if k != name})
    if job.audience not in AUDIENCES:
        near = did_you_mean(job.audience, AUDIENCES)
        there = ", ".join(AUDIENCES)
        problems.add((*place, "audience"), f"audience: there is no '{job.audience}'.{near} There are: {there}.")
        job = replace(job, audience="full")
    if "audience" in job.parameters:
        problems.add((*place, "parameters", "audience"), "audience belongs beside notebook, not among its parameters.")
        job = replace(job, parameters={k: v for k, v in job.parameters.items() if k != "audience"})
    try:
        notebook = series.find(job.notebook)
    except ParameterError as error:
        problems.add((*place, "notebook"), str(error))
        return
    now = datetime.now(job.zone)
    given: Mapping[str, str] = job.parameters_at(now)
    try:
        given = job.notebook_parameters(notebook, now)
    except ParameterError as error:
        problems.add((*place, "audience"), str(error))
    try:
        values = series.check_parameters(notebook, given)
    except ParameterError as error:
        for problem in re.split(r"\n(?! )", str(error)):
            problems.add((*place, "parameters"), problem)
        return
    if job.for_each:
        try:
            fanout.check(notebook, job.for_each, values)
        except ParameterError as error:
            problems.add((*place, "for_each"), str(error))


def _refuse_same_location(jobs: list[Job], problems: _Problems) -> None:
    """Refuses jobs that differ only in their parameters, since they would overwrite each other's report."""
    seen: dict[tuple[str, str, str], Job] = {}
    for job in jobs:
        first = seen.setdefault(report_location(job), job)
        if dict(first.parameters) != dict(job.parameters):
            each = f" for each {job.for_each}" if job.for_each else ""
            problems.add(
                ("runs", job.name),
                f"{job.name} and {first.name} run {job.notebook}{each} for the same audience with other parameters, so "
                "one would replace the other's report. Give one of them a notebook of its own: cs-helpers new NAME",
            )


def report_location(job: Job) -> tuple[str, str, str]:
    """The location of the reports of a job: notebook, column and audience, in lower case as some file systems need."""
    column = re.sub(r"[^\w.-]+", "-", job.for_each or "").casefold()
    notebook = Path(job.notebook if job.notebook.endswith(".ipynb") else f"{job.notebook}.ipynb")
    return series.series_name(notebook).casefold(), column, job.audience
