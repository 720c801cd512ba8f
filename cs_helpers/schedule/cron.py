"""Five cron fields: their times, their checks, and their wording for people.

The only module that imports APScheduler. Its cron differs from the usual one in three ways that are handled here: it
counts weekdays from Monday, combines day of the month and day of the week by "and", and fails when clocks change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cs_helpers.core.errors import did_you_mean

# name, lowest and highest number, and names for the numbers from the lowest on
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MAX_TIMES = 4  # more times of a day are worded as a repetition
MAX_CLOCK_SHIFT = timedelta(hours=3)
DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def times(text: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The times that five cron fields allow after an instant with a time zone, in ``zone``.

    Each local time counts once: one that spring skips comes an hour later, and of one that autumn repeats the first
    counts. Raises ValueError as ``numbers`` does.
    """
    from apscheduler.triggers.cron import CronTrigger

    fields = [",".join(map(str, allowed)) or "*" for allowed in numbers(text)]
    weekdays = ",".join(_FIELDS[4][3][day] for day in numbers(text)[4]) or "*"  # by name, since the numbers differ
    # In UTC, since APScheduler 3 searches forever for a local time that spring skips.
    trigger = CronTrigger.from_crontab(" ".join([*fields[:4], weekdays]), timezone=UTC)
    # Start earlier, because a time that spring skips comes later than its local time.
    wall = (after.astimezone(UTC) - MAX_CLOCK_SHIFT).astimezone(zone).replace(tzinfo=UTC)
    while found := trigger.get_next_fire_time(None, wall + timedelta(microseconds=1)):
        wall = found
        at = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
        if at.astimezone(UTC) > after.astimezone(UTC):
            after = at
            yield at


def latest(text: str, zone: ZoneInfo, after: datetime, until: datetime, count: int) -> list[datetime]:
    """The last ``count`` times after ``after`` and up to ``until``, the earliest first.

    It searches backwards in growing steps, so a machine that was off for a year costs no more than others.
    """
    back = timedelta(hours=2)
    while True:
        began = max(after.astimezone(UTC), until.astimezone(UTC) - back)
        found = []
        for at in times(text, zone, began):
            if at.astimezone(UTC) > until.astimezone(UTC):
                break
            found.append(at)
        if len(found) >= count or began == after.astimezone(UTC):
            return found[-count:]
        back *= 8


def minutes(text: str) -> list[int]:
    """The minutes of an hour that five cron fields allow. Raises ValueError as ``numbers`` does."""
    return numbers(text)[0] or list(range(60))


def in_words(text: str) -> str:
    """Five cron fields in words, such as ``Mondays at 06:00``. Raises ValueError as ``numbers`` does."""
    minute, hour, day, month, weekday = numbers(text)
    days = _days(day, month, weekday)
    clock, often = _clock(minute or list(range(60)), hour or list(range(24)))
    return clock if often and not days else f"{days or 'every day'} {clock}"


def plain(text: str) -> str:
    """Five cron fields in the form that every cron reads: names become numbers."""
    pairs = zip(text.split(), numbers(text), strict=True)
    return " ".join(
        ",".join(map(str, allowed)) if re.search("[a-z]", field, re.IGNORECASE) else field for field, allowed in pairs
    )


def numbers(text: str) -> list[list[int]]:
    """The numbers that each of five cron fields allows; empty for all. Raises ValueError with the problem."""
    texts = text.split()
    if len(texts) != len(_FIELDS):
        raise ValueError(
            f"'{text}' has {len(texts)} field{'' if len(texts) == 1 else 's'} instead of five: minute, hour, day of "
            "the month, month, day of the week. Mondays at six are '0 6 * * mon'."
        )
    found = [_allowed(field, *kind) for field, kind in zip(texts, _FIELDS, strict=True)]
    if texts[2] != "*" and texts[4] != "*":
        raise ValueError(
            f"'{text}' names days of the month and days of the week; cron would run on either. Make two jobs of "
            "it, or leave one of the two as *."
        )
    months = found[3] or range(1, 13)
    if found[2] and min(found[2]) > max(DAYS_OF_MONTH[month - 1] for month in months):
        raise ValueError(f"'{text}' never occurs: no such month has a day {min(found[2])}.")
    found[4] = sorted({day % 7 for day in found[4]})
    return found


def _days(days: Sequence[int], months: Sequence[int], weekdays: Sequence[int]) -> str:
    """The days in words; empty for every day."""
    named = _listed([_MONTHS[month - 1] for month in months]) if months else ""
    if days:
        return f"the {_listed([_numbered(day) for day in days], days)} of {named or 'each month'}"
    # The week of the readers ends with Sunday; the week of cron begins with it.
    counted = sorted((day - 1) % 7 for day in weekdays)
    within = f" in {named}" if named else ""
    if counted and len(counted) < 7:
        return _listed([f"{_WEEKDAYS[day]}s" for day in counted], counted) + within
    return f"every day{within}" if within else ""


def _clock(minutes: Sequence[int], hours: Sequence[int]) -> tuple[str, bool]:
    """The times of a day in words, and whether they are worded as a repetition (every 30 minutes)."""
    if len(minutes) * len(hours) <= _MAX_TIMES:
        return f"at {_listed([f'{hour:02}:{minute:02}' for hour in hours for minute in minutes])}", False
    step = 60 // len(minutes)
    beat = 60 % len(minutes) == 0 and list(minutes) == list(range(minutes[0], 60, step))
    whole, run = len(hours) == 24, hours[-1] - hours[0] == len(hours) - 1
    if beat and (whole or run):
        often = "every minute" if step == 1 else "every hour" if step == 60 else f"every {step} minutes"
        past = f", the first at minute {minutes[0]}" if minutes[0] and step < 60 else ""
        if not whole:
            return f"{often} from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[-1]:02}", True
        return often + (f" at minute {minutes[0]}" if step == 60 and minutes[0] else past), True
    apart = 24 // len(hours)
    if len(minutes) == 1 and 24 % len(hours) == 0 and list(hours) == list(range(0, 24, apart)):
        return f"every {apart} hours from {hours[0]:02}:{minutes[0]:02}", True
    named = f"minute{'s' if len(minutes) > 1 else ''} {_listed([str(minute) for minute in minutes], minutes)}"
    if whole:
        return f"at {named} of every hour", True
    between = _listed([str(hour) for hour in hours], hours)
    return f"at {named} of the hours {'from ' if run and len(hours) > 2 else ''}{between}", False


def _numbered(day: int) -> str:
    return f"{day}{'th' if 10 < day < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


def _listed(names: Sequence[str], numbers: Sequence[int] = ()) -> str:
    """``a, b and d``; with three or more ``numbers`` in a row ``a to d``."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{names[0]} to {names[-1]}"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _allowed(text: str, name: str, lowest: int, highest: int, names: tuple[str, ...]) -> list[int]:
    allowed: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if slash and not (step.isdecimal() and int(step) > 0 and (span == "*" or dash)):
            raise ValueError(f"{name}: '{part}' cannot be read; write steps as */5 or 8-18/2.")
        if span == "*":
            low, high = lowest, min(highest, 6) if names and lowest == 0 else highest
        else:
            low = _number(first, part, name, lowest, highest, names)
            high = _number(last, part, name, lowest, highest, names) if dash else low
            high = 7 if lowest == 0 and names and dash and high == 0 else high  # sat-sun ends the week
            if low > high:
                raise ValueError(f"{name}: '{part}' runs backwards.")
        allowed |= set(range(low, high + 1, int(step) if slash else 1))
    return [] if text == "*" else sorted(allowed)


def _number(text: str, part: str, name: str, lowest: int, highest: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return lowest + names.index(text.lower())
    if text.isdecimal() and lowest <= int(text) <= highest:
        return int(text)
    words = f" or {names[0]} to {names[-1]}" if names else ""
    raise ValueError(f"{name}: '{part}' is not valid; write {lowest} to {highest}{words}.{did_you_mean(text, names)}")
