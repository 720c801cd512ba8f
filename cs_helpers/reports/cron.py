"""Times in five cron fields: what they allow, when they come next, how any cron reads them.

The only home of APScheduler, whose cron differs from cron's in three ways that are settled here: it counts weekdays
from Monday, it joins day of the month and day of the week by "and", and it stumbles where clocks change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cs_helpers.errors import did_you_mean

# name, least, most, the names that stand for numbers (from the least on)
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def times(text: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The times after an instant (with a time zone) that the five fields allow, in ``zone``.

    Each time on the wall counts once: where the clocks leave it out in spring it comes an hour later, and where it
    comes twice in autumn the first one is meant. Raises ValueError as ``numbers`` does.
    """
    from apscheduler.triggers.cron import CronTrigger

    fields = [",".join(map(str, allowed)) or "*" for allowed in numbers(text)]
    weekdays = ",".join(_FIELDS[4][3][day] for day in numbers(text)[4]) or "*"  # by name, since they count differently
    # On a wall clock that never changes: in zones that do, APScheduler 3 looks forever for a time left out in spring.
    trigger = CronTrigger.from_crontab(" ".join([*fields[:4], weekdays]), timezone=UTC)
    wall = after.astimezone(zone).replace(tzinfo=UTC)
    while found := trigger.get_next_fire_time(None, wall + timedelta(microseconds=1)):
        wall = found
        at = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
        if at.astimezone(UTC) > after.astimezone(UTC):
            after = at
            yield at


def plain(text: str) -> str:
    """The five fields as every cron reads them: names, which not all of them take in lists, become numbers."""
    pairs = zip(text.split(), numbers(text), strict=True)
    return " ".join(
        ",".join(map(str, allowed)) if re.search("[a-z]", field, re.IGNORECASE) else field for field, allowed in pairs
    )


def numbers(text: str) -> list[list[int]]:
    """The numbers that each of the five fields allows; empty for all. Raises ValueError saying what is wrong."""
    texts = text.split()
    if len(texts) != len(_FIELDS):
        raise ValueError(
            f"'{text}' has {len(texts)} field{'' if len(texts) == 1 else 's'} instead of five: minute, hour, day of "
            "the month, month, day of the week. Mondays at six are '0 6 * * mon'."
        )
    found = [_allowed(field, *kind) for field, kind in zip(texts, _FIELDS, strict=True)]
    if texts[2] != "*" and texts[4] != "*":
        raise ValueError(
            f"'{text}' names days of the month and of the week; cron would run on either. Make two runs of it, "
            "or leave one of the two as *."
        )
    months = found[3] or range(1, 13)
    if found[2] and min(found[2]) > max(_LONGEST_MONTHS[month - 1] for month in months):
        raise ValueError(f"'{text}' never comes: no such month has a day {min(found[2])}.")
    found[4] = sorted({day % 7 for day in found[4]})
    return found


def _allowed(text: str, name: str, least: int, most: int, names: tuple[str, ...]) -> list[int]:
    allowed: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if slash and not (step.isdecimal() and int(step) > 0 and (span == "*" or dash)):
            raise ValueError(f"{name}: '{part}' cannot be read; steps are written */5 or 8-18/2.")
        if span == "*":
            low, high = least, min(most, 6) if names and least == 0 else most
        else:
            low = _number(first, part, name, least, most, names)
            high = _number(last, part, name, least, most, names) if dash else low
            high = 7 if least == 0 and names and dash and high == 0 else high  # sat-sun ends the week
            if low > high:
                raise ValueError(f"{name}: '{part}' runs backwards.")
        allowed |= set(range(low, high + 1, int(step) if slash else 1))
    return [] if text == "*" else sorted(allowed)


def _number(text: str, part: str, name: str, least: int, most: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return least + names.index(text.lower())
    if text.isdecimal() and least <= int(text) <= most:
        return int(text)
    words = f" or {names[0]} to {names[-1]}" if names else ""
    raise ValueError(f"{name}: '{part}' is none; {least} to {most}{words}.{did_you_mean(text, names)}")
