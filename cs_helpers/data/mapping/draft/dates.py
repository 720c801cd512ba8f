"""Date formats of a column, found from all of its dates: the formats that fit, and whether one is left."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep september", "oct october", "nov november", "dec december"), start=1
    )
    for name in names.split()
}  # fmt: skip
_SPLIT = re.compile(r"(\w+)([-/.]|, ?| )(\w+)(?:(, ?|[-/. ])(\w+))?")
ENOUGH, OUTLIERS = 0.9, 5


@dataclass(frozen=True)
class Days:
    """The date formats that fit a column.

    ``formats``: those that fit (nearly) every day, the one that is left where there is one. ``proof``: a day that only
    the first of them reads. ``odd``: days that the format does not read.
    """

    formats: tuple[str, ...]
    proof: str = ""
    odd: tuple[str, ...] = ()
    first: dt.date | None = None
    last: dt.date | None = None
    example: str = ""  # a day that the formats read differently, where there is one

    @property
    def settled(self) -> str:
        """The format, where no choice is left."""
        return self.formats[0] if len(self.formats) == 1 else ""


def study(days: Sequence[str]) -> Days:
    """The formats that fit all the days of a column.

    A format that misreads a few (a typing mistake) still counts, if every rival misreads far more. Two formats that
    read every date are both returned: 03-04-2024 is in March or in April.
    """
    read: dict[str, list[dt.date]] = {}
    failed: dict[str, list[str]] = {}
    for name in {name for day in days for name in _candidates(day)}:
        found = [(day, parse(day, name)) for day in days]
        read[name] = [moment for _, moment in found if moment]
        failed[name] = [day for day, moment in found if not moment]
    if not read:
        return Days((), odd=tuple(days[:3]))
    order = sorted(read, key=lambda name: (len(failed[name]), _RANK.index(_letters(name)), name))
    best = order[0]
    if len(read[best]) < ENOUGH * len(days):
        return Days((), odd=tuple(failed[best][:3]))
    misread = len(failed[best])
    fits = [name for name in order if len(failed[name]) <= misread * OUTLIERS]
    rivals = [name for name in order if name not in fits]
    wrong = set(failed[best])
    proof = next((day for day in failed[rivals[0]] if day not in wrong), "") if len(fits) == 1 and rivals else ""
    moments = read[best]
    example = next((day for day in days if len({parse(day, name) for name in fits}) > 1), days[0])
    return Days(tuple(fits), proof, tuple(failed[best][:3]), min(moments), max(moments), example)


def parse(day: str, name: str) -> dt.date | None:
    """A date read in a format such as DD.MM.YYYY; None where it does not fit or does not exist."""
    parts = _parts(day)
    letters = re.findall(r"Y+|M+|D+", name)
    if name == "YYYYMMDD":
        parts = [day[:4], day[4:6], day[6:8]] if re.fullmatch(r"\d{8}", day) else []
    if len(parts) != len(letters) or (name != "YYYYMMDD" and _signs(day) != re.findall(r", ?|[-/. ]", name)):
        return None
    year, month, number = 0, 0, 1
    for letter, part in zip(letters, parts, strict=True):
        if letter in ("MMM", "MMMM"):
            fits = len(part) == 3 if letter == "MMM" else len(part) > 3 or part.lower() == "may"
            month = _MONTHS.get(part.lower(), 0) if fits else 0
        elif not part.isdigit() or not part.isascii() or len(part) > 4:
            return None
        elif letter[0] == "Y":
            if len(part) != len(letter):
                return None
            year = int(part) + (0 if letter == "YYYY" else 2000 if int(part) < 70 else 1900)
        elif len(part) > 2:
            return None
        elif letter[0] == "M":
            month = int(part)
        else:
            number = int(part)
    try:
        return dt.date(year, month, number)
    except ValueError:
        return None


_USUAL_TIMES = re.compile(r"([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?| \d{1,2}:\d{2} [AP]M)?", re.IGNORECASE)
_ZONE = re.compile(r"[ T].*(Z|[+-]\d{2}(:?\d{2})?)")
_TIMES = (
    (r",? ?T?\d{1,2}:\d{2}", "HH:mm"), (r",? ?T?\d{1,2}:\d{2}:\d{2}", "HH:mm:ss"),
    (r",? ?\d{1,2}:\d{2} [AP]M", "hh:mm A"), (r",? ?\d{1,2}:\d{2}:\d{2} [AP]M", "hh:mm:ss A"),
    (r",? ?\d{1,2}:\d{2}[AP]M", "hh:mmA"),
)  # fmt: skip


def with_time(day_format: str, rests: Sequence[str]) -> str:
    """The whole format, where the times after the days are written in a way that has to be declared.

    The loader reads the usual ways after any day format, and zones after ISO days; then the day format is enough.
    "" where the times are of no form that can be declared.
    """
    iso = day_format == "YYYY-MM-DD"
    unusual = [rest for rest in rests if not _USUAL_TIMES.fullmatch(rest) and not (iso and _ZONE.fullmatch(rest))]
    if not unusual:
        return day_format
    if all(re.fullmatch(r" \d{2}:\d{2}:\d{2} (UTC|GMT)", rest) for rest in rests):
        return f"{_strftime(day_format)} %H:%M:%S {rests[0][-3:]}"
    for pattern, letters in _TIMES:
        if all(re.fullmatch(pattern, rest, re.IGNORECASE) for rest in rests):
            between = re.match(r",? ?T?", rests[0])
            sign = between[0] if between else ""
            return f"{day_format}{sign}{letters}" if all(rest.startswith(sign) for rest in rests) else ""
    return ""


def settle(undecided: Days, others: Sequence[str]) -> str:
    """The one format of an undecided column that the settled ones of its neighbours use; "" where they do not agree."""
    orders = {_letters(name) for name in others if _style(name) == _style(undecided.formats[0])}
    left = [name for name in undecided.formats if _letters(name) in orders]
    return left[0] if len(left) == 1 else ""


def settling_examples(days: Days) -> str:
    """What a person can look for: a day that only one of the formats reads."""
    return " or ".join(dt.date(2024, 1, 31).strftime(_strftime(name)) + f" is {name}" for name in days.formats[:3])


_RANK = ("YMD", "DMY", "MDY", "YM", "MY")


def _letters(name: str) -> str:
    return "".join(part[0] for part in re.findall(r"Y+|M+|D+", name))


def _style(name: str) -> tuple[str, int]:
    return re.sub(r"[YMD]", "", name), name.count("Y")


def _strftime(name: str) -> str:
    for ours, theirs in (("YYYY", "%Y"), ("YY", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d")):
        name = name.replace(ours, theirs)
    return re.sub(r"(?<![%A-Za-z])M(?![A-Za-z])", "%m", re.sub(r"(?<![%A-Za-z])D(?![A-Za-z])", "%d", name))


def _parts(day: str) -> list[str]:
    found = _SPLIT.fullmatch(day)
    return [part for part in (found[1], found[3], found[5]) if part] if found else []


def _signs(day: str) -> list[str]:
    found = _SPLIT.fullmatch(day)
    return [sign for sign in (found[2], found[4]) if sign] if found else []


def _candidates(day: str) -> list[str]:
    """The formats a day could be written in, by its shape."""
    if re.fullmatch(r"\d{8}", day):
        return ["YYYYMMDD"]
    found = _SPLIT.fullmatch(day)
    if not found:
        return []
    a, one, b, two, c = found.groups()
    if not c:
        return [f"YYYY{one}MM"] if len(a) == 4 else [f"MM{one}YYYY"] if len(b) == 4 and a.isdigit() else []
    if b.isalpha():
        long = "MMMM" if len(b) > 3 else "MMM"
        return [f"DD{one}{long}{two}{'YYYY' if len(c) == 4 else 'YY'}"]
    if a.isalpha():
        return [f"{'MMMM' if len(a) > 3 else 'MMM'}{one}DD{two}YYYY"]
    if len(a) == 4:
        return [f"YYYY{one}MM{two}DD"]
    if len(c) == 4:
        return [f"DD{one}MM{two}YYYY", f"MM{one}DD{two}YYYY"]
    if len(a) == 2 and len(c) == 2:
        return [f"DD{one}MM{two}YY", f"MM{one}DD{two}YY", f"YY{one}MM{two}DD"]
    return [f"DD{one}MM{two}YY", f"MM{one}DD{two}YY"] if len(c) == 2 else []
