"""The schedule: ``reports/schedule.yml`` read and checked, what it says in words, and its next runs.

All problems of the file are found at once, before any run is due: a notebook that is not there, a parameter it does
not declare, a time that never comes. Times are five cron fields in one named time zone.
"""

from __future__ import annotations

import os
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
_MOST_CAUGHT_UP = 31


@dataclass(frozen=True)
class Job:
    """One run of the schedule: which notebook, when, for whom, with which parameters (as texts).

    ``for_each`` is a column with one report for each of its values, ``jobs`` of them at once; ``recipients`` and
    ``alerts`` are told about reports and about failures; ``keep`` is how many runs of a series stay (None: all);
    ``timeout``, ``memory`` and ``retries`` are as on the command line (None: as there without them); ``catch_up`` is
    how many missed times are made up.
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

    def words_at(self, at: datetime) -> list[str]:
        """What follows ``cs-helpers`` at that time: the very command that a person would type."""
        audience, comments, _ = self._for_whom
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
        """The parameters as they are at that time: relative dates become days, by the schedule's clock."""
        now = at.astimezone(self.zone)
        return {name: relative.resolve(value, now) or value for name, value in self.parameters.items()}

    @property
    def _for_whom(self) -> tuple[str, str, str]:
        return self.audience.partition("+")

    def given(self, notebook: Path, at: datetime) -> dict[str, str]:
        """The parameters as the command would hand them on. Raises ParameterError."""
        audience, comments, _ = self._for_whom
        return sharing.with_audience(notebook, self.parameters_at(at), audience, bool(comments))

    def times(self, after: datetime) -> Iterator[datetime]:
        """The times at which it runs after an instant, in the schedule's zone."""
        return cron.times(self.cron, self.zone, after)


@dataclass(frozen=True)
class Schedule:
    """Everything that is to run, in the time zone its times are meant in; ``owner`` is told what goes wrong."""

    zone: ZoneInfo
    jobs: tuple[Job, ...]
    owner: tuple[str, ...] = ()

    def only(self, name: str | None) -> Schedule:
        """The schedule with the run of that name alone; all of it without one. Raises ParameterError."""
        names = [job.name for job in self.jobs]
        if name is None:
            return self
        if name not in names:
            there = ", ".join(names) or "none"
            raise ParameterError(f"the schedule has no run '{name}'.{did_you_mean(name, names)} There are: {there}.")
        return replace(self, jobs=tuple(job for job in self.jobs if job.name == name))


class _Run(BaseModel):
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


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    time_zone: str
    owner: Any = None
    runs: dict[str, Any]


def read(path: Path) -> Schedule:
    """The schedule in a YAML file. Raises ScheduleError with every problem of the file at once."""
    content, lines = _content(path)
    problems = _Problems(path.name, lines)
    problems.misfits(_File, content, ())
    zone = _zone(content.get("time_zone"), problems)
    owner = _recipients(content.get("owner"), ("owner",), problems)
    runs = content.get("runs")
    jobs = []
    for name, entry in runs.items() if isinstance(runs, dict) else ():
        if run := problems.misfits(_Run, entry, ("runs", name)):
            jobs.append(_job(name, run, zone, owner, problems))
            _check(jobs[-1], problems)
        if not _NAME.fullmatch(name):
            problems.add(("runs", name), f"'{name}' cannot name a run: small letters, digits, _ and -, 60 at most.")
    _refuse_one_place(jobs, problems)
    if problems.found:
        raise ScheduleError("\n".join(text for _, text in sorted(problems.found, key=lambda each: each[0])))
    return Schedule(zone, tuple(jobs), owner)


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


# --- in words ---------------------------------------------------------------------------------------------------


def explain(schedule: Schedule, now: datetime) -> list[str]:
    """What each run of the schedule comes to, in words, for whoever wrote it; ``now`` has a time zone."""
    count = len(schedule.jobs)
    opening = (
        f"{count} run{'' if count == 1 else 's'}, times in {schedule.zone.key}." if count else "Nothing is scheduled."
    )
    lines = [opening]
    for job in schedule.jobs:
        lines += ["", job.name]
        lines += [f"  {name:<13} {text}" for name, text in _explained(job, now)]
    return [*lines, *_unset_mail(schedule)]


def _unset_mail(schedule: Schedule) -> list[str]:
    """Says so where somebody is to get a mail and no server is named for it here."""
    everybody = [each for job in schedule.jobs for each in (*job.recipients, *job.alerts)]
    if not everybody:
        return []
    from cs_helpers.schedule import deliver, mail

    mails = any(deliver.recipient(each).kind == "mail" for each in everybody)
    if not mails or os.environ.get(mail.SERVER):
        return []
    return ["", f"{mail.SERVER} is not set here: where that is so, no mail can be sent."]


def as_explained(schedule: Schedule, now: datetime) -> dict[str, Any]:
    """The same for scripts: time_zone, owner, and of each run its keys, ``when`` in words and the next two times."""
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
    """One line per run: when in words, in the schedule's zone and this machine's, its name and its command."""
    if not runs:
        return ["Nothing is scheduled."]
    times = [in_words(at, now) for at, _ in runs]
    wide, name = max(map(len, times)), max(len(job.name) for _, job in runs)
    lines = [
        f"{time:<{wide}}  {job.name:<{name}}  cs-helpers {shlex.join(job.words_at(at))}"
        for time, (at, job) in zip(times, runs, strict=True)
    ]
    return [f"Times in {runs[0][1].zone.key}:", *lines]


def as_records(runs: Sequence[tuple[datetime, Job]]) -> list[dict[str, Any]]:
    """The same for scripts: name, at (with its offset), notebook, audience, parameters, command and so on."""
    return [{**_as_record(job, at), "at": at.isoformat()} for at, job in runs]


def in_words(at: datetime, now: datetime) -> str:
    """``Monday 6 July 2026, 06:00 (in 5 days)``, with this machine's own time where that is another."""
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
        "command": ["cs-helpers", *job.words_at(at)],
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
        ("with", _given_words(job, at)),
        ("for", _FOR_WHOM[job.audience]),
        (
            "delivered to",
            _told_words(job.recipients) or "nobody: it lies in the folder of the reports and in its index",
        ),
        ("failures", f"told to {_told_words(job.alerts)}" if job.alerts else "told to nobody: set owner, or alerts"),
        ("missed times", _missed_words(job.catch_up)),
        ("kept", f"the last {job.keep} runs of each series" if job.keep else "all runs"),
    ]
    limited = {
        "timeout": job.timeout and f"stopped after {limits.in_words(limits.seconds(job.timeout))}",
        "memory": job.memory and f"stopped above {limits.size_in_words(limits.bytes_of(job.memory))}",
        "retries": job.retries is not None and f"{job.retries or 'no'} retr{'y' if job.retries == 1 else 'ies'}",
    }
    texts = [text for text in limited.values() if text]
    return [*said, *([("limits", ", ".join(texts))] if texts else [])]


_FOR_WHOM = {
    "full": "readers who may know who is who: names of accounts and people stand in it",
    "shared": "readers who must not learn who is who: names become pseudonyms, small groups are left out",
    "shared+comments": "readers who must not learn who is who; what customers wrote stays, without names",
}


def _given_words(job: Job, at: datetime) -> str:
    day = job.parameters_at(at)
    said = [
        f"{name} {value.replace('_', ' ')} ({day[name]} next time)"
        if day[name] != value
        else f"{name} {value or 'empty'}"
        for name, value in job.parameters.items()
    ]
    return ", ".join(said) or "the notebook's own parameters"


def _told_words(recipients: Sequence[str]) -> str:
    from cs_helpers.schedule import deliver

    said = []
    for each in map(deliver.recipient, recipients):
        unset = "" if each.to in os.environ else " (which is not set here)"
        words = {"mail": each.to, "folder": f"the folder {each.to}", "webhook": f"the webhook in {each.to}{unset}"}
        said.append(words[each.kind])
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else "".join(said)


def _missed_words(catch_up: int) -> str:
    if not catch_up:
        return "none is made up: only a run that can begin on time begins"
    return (
        "the latest one is made up" if catch_up == 1 else f"the latest {catch_up} are made up, the oldest of them first"
    )


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
        for number, each in enumerate(node.value):
            lines[(*place, str(number))] = each.start_mark.line + 1
        return [_plain(each, (*place, str(number)), lines, file) for number, each in enumerate(node.value)]
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


def _recipients(given: Any, place: _Place, problems: _Problems) -> tuple[str, ...]:
    """One recipient or a list of them, each in the form in which it can be reached."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        if texts is not None:
            problems.add(place, f"{place[-1]} must be one recipient or a list of them.")
        return ()
    found = []
    for number, text in enumerate(texts):
        from cs_helpers.schedule import deliver

        try:
            deliver.recipient(text)
            found.append(text)
        except ValueError as error:
            problems.add((*place, str(number)), f"{place[-1]}: {error}")
    return tuple(found)


def _job(name: str, run: _Run, zone: ZoneInfo, owner: tuple[str, ...], problems: _Problems) -> Job:
    """The job of an entry; what cannot be read in it is named and left as if it were not said."""
    place: _Place = ("runs", name)

    def whole(key: str, least: int, most: int) -> int | None:
        text = getattr(run, key)
        if text is None:
            return None
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        problems.add((*place, key), f"{key} must be a whole number from {least} to {most}, not '{text}'.")
        return None

    def read_by(reader: Callable[[str], object], key: str) -> str | None:
        text: str | None = getattr(run, key)
        try:
            return text if text is None or reader(text) else None
        except ValueError as error:
            problems.add((*place, key), f"{key}: {error}")
            return None

    if run.jobs is not None and run.for_each is None:
        problems.add((*place, "jobs"), "jobs is how many reports of a for_each run at once; there is no for_each here.")
    if run.for_each is not None and not re.fullmatch(r"[^\s=/][^\n=/]{0,99}", run.for_each):
        problems.add((*place, "for_each"), f"for_each must be the name of one column, not '{run.for_each}'.")
    told = owner if run.alerts is None else _recipients(run.alerts, (*place, "alerts"), problems)
    catch_up = whole("catch_up", 0, _MOST_CAUGHT_UP)
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
    """Everything that would only come to light when the run is due."""
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
        problems.add((*place, "parameters", "audience"), "audience stands beside notebook, not among its parameters.")
        job = replace(job, parameters={k: v for k, v in job.parameters.items() if k != "audience"})
    try:
        notebook = series.find(job.notebook)
    except ParameterError as error:
        problems.add((*place, "notebook"), str(error))
        return
    now = datetime.now(job.zone)
    given: Mapping[str, str] = job.parameters_at(now)
    try:
        given = job.given(notebook, now)
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


def _refuse_one_place(jobs: list[Job], problems: _Problems) -> None:
    """Two runs that differ in their parameters only would take turns in one report.

    The place of a report is its notebook, the column it is made for each value of, and its audience.
    """
    seen: dict[tuple[str, str, str], Job] = {}
    for job in jobs:
        first = seen.setdefault(place_of(job), job)
        if dict(first.parameters) != dict(job.parameters):
            each = f" for each {job.for_each}" if job.for_each else ""
            problems.add(
                ("runs", job.name),
                f"{job.name} and {first.name} run {job.notebook}{each} for the same audience with other parameters, so "
                "one would replace the other's report. Give one of them a notebook of its own: cs-helpers new NAME",
            )


def place_of(job: Job) -> tuple[str, str, str]:
    """What decides where a job's reports lie: two jobs write to the same series exactly if this is the same.

    Without regard to capitals, since some file systems have none.
    """
    column = re.sub(r"[^\w.-]+", "-", job.for_each or "").casefold()
    notebook = Path(job.notebook if job.notebook.endswith(".ipynb") else f"{job.notebook}.ipynb")
    return series.series_name(notebook).casefold(), column, job.audience
