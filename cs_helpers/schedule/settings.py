"""Reads and checks ``reports/schedule.yml``, explains it, and lists its next runs.

All problems of the file are reported at once, before any run is due: a missing notebook, an undeclared parameter, a
time that never occurs. Times are five cron fields in one named time zone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationError

from cs_helpers.core.audience import AUDIENCES
from cs_helpers.core.errors import ParameterError, ScheduleError, did_you_mean
from cs_helpers.publish import fanout, limits, relative, series, sharing
from cs_helpers.schedule import cron, delivery, recipients

_SHORTCUTS = ("source", "mapping", "as_of")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
MAX_CATCH_UP = 31


# --- the values of the file: each validator takes a text and raises ValueError with the problem ----------------------


def _whole(low: int, high: int) -> BeforeValidator:
    def read(text: Any) -> int:
        if isinstance(text, str) and text.isdecimal() and low <= int(text) <= high:
            return int(text)
        raise ValueError(f"must be a whole number from {low} to {high}, not '{text}'.")

    return BeforeValidator(read)


def _accepted_by(check: Callable[[str], object]) -> AfterValidator:
    def read(text: str) -> str:
        check(text)
        return text

    return AfterValidator(read)


def _zone(name: Any) -> ZoneInfo:
    if not isinstance(name, str):
        raise ValueError("must be one text.")
    if name not in available_timezones():
        near = did_you_mean(name, sorted(available_timezones())) or " Write it like Europe/Berlin or America/New_York."
        raise ValueError(f"there is no '{name}'.{near}")
    return ZoneInfo(name)


def _audience(name: str) -> None:
    if name not in AUDIENCES:
        raise ValueError(f"there is no '{name}'.{did_you_mean(name, AUDIENCES)} There are: {', '.join(AUDIENCES)}.")


def _column(name: str) -> None:
    if not re.fullmatch(r"[^\s=/][^\n=/]{0,99}", name):
        raise ValueError(f"must be the name of one column, not '{name}'.")


_Recipients = Annotated[
    tuple[Annotated[str, _accepted_by(delivery.recipient)], ...],
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
]


class _JobEntry(BaseModel):
    """One entry of the schedule, as the file has it; None means the default of the command line."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    notebook: str
    cron: str
    audience: Annotated[str, _accepted_by(_audience)] = "full"
    parameters: dict[str, str] = {}
    for_each: Annotated[str, _accepted_by(_column)] | None = None
    """A column that gets one report for each value, ``jobs`` of them at once."""
    jobs: Annotated[int, _whole(1, 64)] = 1
    recipients: _Recipients = ()
    """Who receives the reports; ``alerts``: the notices of failures, by default the owner of the schedule."""
    alerts: _Recipients = ()
    keep: Annotated[int, _whole(1, 100_000)] | None = None
    """The number of runs to keep of each series; None for all."""
    timeout: Annotated[str, _accepted_by(limits.seconds)] | None = None
    memory: Annotated[str, _accepted_by(limits.bytes_of)] | None = None
    retries: Annotated[int, _whole(0, 10)] | None = None
    catch_up: Annotated[int, _whole(0, MAX_CATCH_UP)] = 1
    """The number of missed times to make up."""


class _ScheduleFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    time_zone: Annotated[ZoneInfo, PlainValidator(_zone)] = ZoneInfo("UTC")
    owner: _Recipients = ()
    runs: dict[str, Any] = {}


class Job(_JobEntry):
    """A checked entry of the schedule with its name and time zone; its parameters are texts."""

    name: str
    zone: ZoneInfo

    def command_at(self, at: datetime) -> list[str]:
        """The arguments of ``cs-helpers`` for that time, as a person would type them."""
        audience, _, comments = self.audience.partition("+")
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

    def notebook_parameters(self, notebook: Path, at: datetime) -> dict[str, str]:
        """The parameters as the command would pass them to the notebook. Raises ParameterError."""
        audience, _, comments = self.audience.partition("+")
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


def read(path: Path) -> Schedule:
    """The schedule of a YAML file. Raises ScheduleError with all problems of the file."""
    content, lines = _content(path)
    problems = _Problems(path.name, lines)
    for key in {"time_zone", "runs"} - content.keys():
        problems.add((), f"'{key}' is missing.")
    file = problems.validate(_ScheduleFile, content, ())
    jobs = []
    for name, content_of_job in file.runs.items():
        if entry := problems.validate(_JobEntry, content_of_job, ("runs", name)):
            alerts = entry.alerts if "alerts" in entry.model_fields_set else file.owner
            values = {**dict(entry), "cron": " ".join(entry.cron.split()), "alerts": alerts}
            jobs.append(Job.model_construct(**values, name=name, zone=file.time_zone))
            if "jobs" in entry.model_fields_set and not entry.for_each:
                problems.add(
                    ("runs", name, "jobs"), "jobs is for the reports of a for_each; there is no for_each here."
                )
            _check(jobs[-1], problems)
        if not _NAME.fullmatch(name):
            problems.add(("runs", name), f"'{name}' cannot name a run: small letters, digits, _ and -, 60 at most.")
    _refuse_same_location(jobs, problems)
    if problems.found:
        raise ScheduleError("\n".join(text for _, text in sorted(problems.found, key=lambda each: each[0])))
    return Schedule(file.time_zone, tuple(jobs), file.owner)


def upcoming(schedule: Schedule, after: datetime, count: int) -> list[tuple[datetime, Job]]:
    """The next ``count`` runs after an instant with a time zone, the earliest first."""

    def runs(job: Job) -> Iterator[tuple[datetime, Job]]:
        return ((at, job) for at in job.times(after))

    in_order = merge(*map(runs, schedule.jobs), key=lambda each: (each[0], each[1].name))
    return list(islice(in_order, count))


def instant(text: str | None) -> datetime:
    """The time in a text, in the zone of this machine unless it names another; now for None. Raises ParameterError."""
    try:
        return (datetime.fromisoformat(text) if text else datetime.now(UTC)).astimezone()
    except ValueError:
        raise ParameterError(f"--now must be a time such as 2026-07-01T09:00, not '{text}'.") from None


# --- explanations ---------------------------------------------------------------------------------------------------


def explain(schedule: Schedule, now: datetime) -> list[str]:
    """Each job of the schedule in words, and what is missing here; ``now`` has a time zone."""
    lines = [f"{count_in_words(schedule)}, times in {schedule.zone.key}." if schedule.jobs else "Nothing is scheduled."]
    needed: dict[str, dict[str, None]] = {}
    for job in schedule.jobs:
        lines += ["", job.name, *(f"  {name:<13} {text}" for name, text in _explained(job, now))]
        for each in (*job.recipients, *job.alerts):
            for name in recipients.unset(delivery.recipient(each)):
                needed.setdefault(name, {})[job.name] = None
    unset = [f"{name} is not set here: the deliveries of {', '.join(jobs)} need it." for name, jobs in needed.items()]
    return [*lines, *([""] if unset else []), *unset]


def as_explained(schedule: Schedule, now: datetime) -> dict[str, Any]:
    """The explanation for scripts: time_zone, owner, and for each job its keys, ``when`` in words and next times."""
    return {
        "time_zone": schedule.zone.key,
        "owner": list(schedule.owner),
        "runs": [
            {
                **_as_record(job, next(job.times(now))),
                "cron": job.cron,
                "when": cron.in_words(job.cron),
                "next": [at.isoformat() for at in islice(job.times(now), 2)],
                "in_words": dict(_explained(job, now)),
            }
            for job in schedule.jobs
        ],
    }


def count_in_words(schedule: Schedule) -> str:
    """``3 runs``: the number of jobs of a schedule."""
    return f"{len(schedule.jobs)} run{'' if len(schedule.jobs) == 1 else 's'}"


def next_in_words(schedule: Schedule, now: datetime, before: str) -> str:
    """The next run, its name and time after ``before`` as a sentence; empty if nothing is scheduled."""
    return "".join(f"{before}{job.name}, {in_words(at, now)}." for at, job in upcoming(schedule, now, 1))


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
    keys = {"name", "notebook", "audience", "for_each", "recipients", "alerts", "keep", "catch_up"}
    command = ["cs-helpers", *job.command_at(at)]
    return {**job.model_dump(include=keys), "parameters": job.parameters_at(at), "command": command}


def _explained(job: Job, now: datetime) -> list[tuple[str, str]]:
    at, later = islice(job.times(now), 2)
    each = f", one report for each {job.for_each}" if job.for_each else ""
    at_once = f", {job.jobs} at a time" if job.for_each and job.jobs > 1 else ""
    made_up = f"the latest {job.catch_up} are made up, the oldest of them first"
    if job.catch_up < 2:
        made_up = "the latest one is made up" if job.catch_up else "are not made up: a run starts on time or not at all"
    rows = [
        ("what", f"the notebook {job.notebook}{each}{at_once}"),
        ("when", cron.in_words(job.cron)),
        ("next", f"{in_words(at, now)}, then {in_words(later, now)}"),
        ("with", _parameters_in_words(job, at)),
        ("for", _AUDIENCE_WORDS[job.audience]),
        ("delivered to", _in_words(job.recipients) or "nobody: it is in the reports folder and its index"),
        ("failures", f"reported to {_in_words(job.alerts) or 'nobody: set owner or alerts'}"),
        ("missed times", made_up),
        ("kept", f"the last {job.keep} runs of each series" if job.keep else "all runs"),
    ]
    limited = [
        job.timeout and f"stopped after {limits.in_words(limits.seconds(job.timeout))}",
        job.memory and f"stopped above {limits.size_in_words(limits.bytes_of(job.memory))}",
        job.retries is not None and f"{job.retries or 'no'} retr{'y' if job.retries == 1 else 'ies'}",
    ]
    return [*rows, *([("limits", ", ".join(text for text in limited if text))] if any(limited) else [])]


_AUDIENCE_WORDS = {
    "full": "readers who may see the names of accounts and people",
    "shared": "readers who must not see names: names become pseudonyms, small groups are left out",
    "shared+comments": "readers who must not see names; the comments of customers stay, without names",
}


def _parameters_in_words(job: Job, at: datetime) -> str:
    day = job.parameters_at(at)
    parts = [
        f"{name} {value.replace('_', ' ')} ({day[name]} next time)"
        if day[name] != value
        else f"{name} {value or 'empty'}"
        for name, value in job.parameters.items()
    ]
    return ", ".join(parts) or "the notebook's own parameters"


def _in_words(recipients: Sequence[str]) -> str:
    parts = []
    for each in map(delivery.recipient, recipients):
        kind, _, to = each.partition(":")
        words = {"mail": to, "folder": f"the folder {to}", "webhook": f"the webhook in {to}"}
        parts.append(words.get(kind, each))
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


# --- the file ---------------------------------------------------------------------------------------------------

_Place = tuple[str, ...]
_T = TypeVar("_T")


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

    def of(self, place: _Place, work: Callable[..., _T], *given: Any) -> _T | None:
        """The result of ``work``; None, with its problems added, if it raises ParameterError."""
        try:
            return work(*given)
        except ParameterError as error:
            for problem in re.split(r"\n(?! )", str(error)):
                self.add(place, problem)
        return None

    def validate(self, model: type[BaseModel], content: Any, place: _Place) -> Any:
        """The content as a model without the keys that do not fit, which are reported; None without a required key."""
        try:
            return model.model_validate(content)
        except ValidationError as error:
            wrong = {each["loc"][:1] for each in error.errors()}
            for each in error.errors():
                where = (*place, *map(str, each["loc"]))
                self.add(where, _problem(each, where, list(model.model_fields)))
        try:
            return model.model_validate({key: content[key] for key in content if (key,) not in wrong})
        except (ValidationError, TypeError):
            return None


def _problem(error: Any, place: _Place, known: Sequence[str]) -> str:
    name = place[-1] if place else "the file"
    within = f" in {'.'.join(place[:-1])}" if len(place) > 1 else ""
    in_list = error["loc"][:1] in (("owner",), ("recipients",), ("alerts",))
    if in_list:
        name = error["loc"][0]
    if error["type"] == "value_error":
        text = str(error["ctx"]["error"])
        return f"{name} {text}" if text.startswith("must ") else f"{name}: {text}"
    if error["type"] == "extra_forbidden":
        near = did_you_mean(name, known) or f" Known are: {', '.join(known)}."
        return f"unknown key '{name}'{within}.{near}"
    if error["type"] == "missing":
        return f"'{name}' is missing{within}."
    expected = "`key: value` lines" if error["type"] in ("dict_type", "model_type") else "one text"
    return f"{name} must be {'one recipient or a list of them' if in_list else expected}."


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
        lines |= {(*place, str(number)): each.start_mark.line + 1 for number, each in enumerate(node.value)}
        return [_values(each, (*place, str(number)), lines, file) for number, each in enumerate(node.value)]
    found = {}
    for key, value in node.value:
        inner, line = (*place, str(key.value)), key.start_mark.line + 1
        if inner in lines:
            raise ScheduleError(f"{file}, line {line}: '{key.value}' appears twice, first on line {lines[inner]}.")
        lines[inner] = line
        found[str(key.value)] = _values(value, inner, lines, file)
    return found


def _check(job: Job, problems: _Problems) -> None:
    """Checks what would otherwise fail when the run is due."""
    place: _Place = ("runs", job.name)
    try:
        cron.numbers(job.cron)
    except ValueError as error:
        problems.add((*place, "cron"), f"cron: {error}")
    fitting = dict(job.parameters)
    for name, value in job.parameters.items():
        problem = ""
        if "\n" in value:
            problem = "holds a line break."
        elif name == "audience":
            problem = "belongs beside notebook, not among its parameters."
        elif name == "as_of" or value.startswith("last_"):
            try:
                relative.check(value)
            except ValueError as error:
                problem = f": {error}"
        if problem:
            problems.add((*place, "parameters", name), f"{name}{'' if problem[0] == ':' else ' '}{problem}")
            del fitting[name]
    job = job.model_copy(update={"parameters": fitting})
    if (notebook := problems.of((*place, "notebook"), series.find, job.notebook)) is None:
        return
    now = datetime.now(job.zone)
    given = problems.of((*place, "audience"), job.notebook_parameters, notebook, now)
    given = job.parameters_at(now) if given is None else given
    values = problems.of((*place, "parameters"), series.check_parameters, notebook, given)
    if values is not None and job.for_each:
        problems.of((*place, "for_each"), fanout.check, notebook, job.for_each, values)


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
