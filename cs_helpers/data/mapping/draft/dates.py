"""The date format of each date column, found from all of its dates and from the other date columns."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cs_helpers.data.contract.formats import strptime_format
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping.draft.matching import ASK, Match, Sure
from cs_helpers.data.mapping.draft.samples import ColumnSample, FileSample

_SPLIT = re.compile(r"(\w+)([-/.]|, ?| )(\w+)(?:(, ?|[-/. ])(\w+))?")
_MIN_SHARE, _OUTLIERS = 0.9, 5  # a format reads this share of the days; a rival misreads so many times more of them
_ORDERS = ("YMD", "DMY", "MDY", "YM", "MY")


@dataclass(frozen=True)
class Days:
    """The date formats that fit (nearly) every day of a column; several where no day decides between them.

    ``proof``: a day that only the first format reads. ``odd``: days that it does not read.
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

    A format that misreads a few (typing mistakes) still counts, if every rival misreads far more. Two formats that read
    every date are both returned: 03-04-2024 is in March or in April.
    """
    read: dict[str, list[dt.date]] = {}
    failed: dict[str, list[str]] = {}
    for name in {name for day in days for name in _candidates(day)}:
        found = [(day, parse(day, name)) for day in days]
        read[name] = [moment for _, moment in found if moment]
        failed[name] = [day for day, moment in found if not moment]
    if not read:
        return Days((), odd=tuple(days[:3]))
    order = sorted(read, key=lambda name: (len(failed[name]), _ORDERS.index(_letters(name)), name))
    best = order[0]
    if len(read[best]) < _MIN_SHARE * len(days):
        return Days((), odd=tuple(failed[best][:3]))
    misread = len(failed[best])
    fits = [name for name in order if len(failed[name]) <= misread * _OUTLIERS]
    rivals = [name for name in order if name not in fits]
    wrong = set(failed[best])
    proof = next((day for day in failed[rivals[0]] if day not in wrong), "") if len(fits) == 1 and rivals else ""
    moments = read[best]
    example = next((day for day in days if len({parse(day, name) for name in fits}) > 1), days[0])
    return Days(tuple(fits), proof, tuple(failed[best][:3]), min(moments), max(moments), example)


def parse(day: str, name: str) -> dt.date | None:
    """A date read in a format such as DD.MM.YYYY; None where it does not fit or does not exist."""
    if name == "YYYYMMDD" and len(day) != 8:
        return None
    try:
        return dt.datetime.strptime(day, strptime_format(name)).date()  # noqa: DTZ007 - a day has no zone
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
        return f"{strptime_format(day_format)} %H:%M:%S {rests[0][-3:]}"
    for pattern, letters in _TIMES:
        if all(re.fullmatch(pattern, rest, re.IGNORECASE) for rest in rests):
            between = re.match(r",? ?T?", rests[0])
            sign = between[0] if between else ""
            return f"{day_format}{sign}{letters}" if all(rest.startswith(sign) for rest in rests) else ""
    return ""


def settle(undecided: Days, others: Sequence[str]) -> str:
    """The format of an undecided column that the decided ones ``others`` use; "" where they do not agree."""
    if len(undecided.formats) < 2:
        return ""
    orders = {_letters(name) for name in others if _style(name) == _style(undecided.formats[0])}
    left = [name for name in undecided.formats if _letters(name) in orders]
    return left[0] if len(left) == 1 else ""


def settling_examples(days: Days) -> str:
    """What a person can look for: a day that only one of the formats reads."""
    return " or ".join(
        dt.date(2024, 1, 31).strftime(strptime_format(name)) + f" is {name}" for name in days.formats[:3]
    )


def _letters(name: str) -> str:
    return "".join(part[0] for part in re.findall(r"Y+|M+|D+", name))


def _style(name: str) -> tuple[str, int]:
    return re.sub(r"[YMD]", "", name), name.count("Y")


def _candidates(day: str) -> list[str]:
    """The formats that a day could have, by its shape."""
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


# --- the columns of a folder -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DateColumn:
    """A date column that is read: its format, and how that was found."""

    table: str
    column: str
    file: FileSample
    header: str
    days: Days
    format: str
    certainty: Sure
    why: str


def date_columns(tables: Mapping[str, Match], others: Iterable[tuple[str, FileSample, str]]) -> tuple[DateColumn, ...]:
    """Every date column that is read, with its format, or "?" where it is undecided.

    ``others`` are date columns outside the tables: name, file, header.
    """
    columns = [
        (name, pick.column, found.file, pick.headers[0])
        for name, found in tables.items()
        for pick in found.picks.values()
        if pick.headers and {"columns", "joined"} & set(pick.lines) and "date_formats" not in pick.lines
        if TABLES[name].column(pick.column).kind in ("date", "time")
    ]
    columns += [("", *other) for other in others]
    studied = [(*each, study(each[2].by_header[each[3]].days)) for each in columns]
    settled = [
        (file.name, days.settled) for _, _, file, header, days in studied if days.settled and not file.is_typed(header)
    ]
    made = []
    for table, name, file, header, days in studied:
        values = file.by_header[header]
        if not values.examined:
            continue
        certainty: Sure = "sure"
        form, why = "", "the file itself holds days"
        if values.mixed:
            days = replace(days, formats=(), odd=(values.examples(2),))
            form, certainty = ASK, "unsure"
            why = "a workbook that holds days beside text: day and month may be swapped in some"
        elif file.is_typed(header):
            if table and "joined" in tables[table].picks[name].lines:
                form, why = "YYYY-MM-DD", "days of the file itself, joined with a time"
        else:
            here = settle(days, [form for place, form in settled if place == file.name])
            form, certainty, why = _verdict(values, days, here, settle(days, [form for _, form in settled]))
            if form != ASK and not (form := with_time(form, values.rests)):
                form, certainty, why = ASK, "unsure", f"times such as {values.examples(1)} are of no known form"
                days = replace(days, formats=(), odd=(values.examples(1),))
        made.append(DateColumn(table, name, file, header, days, form, certainty, why))
    return tuple(made)


def _verdict(values: ColumnSample, days: Days, here: str, there: str) -> tuple[str, Sure, str]:
    if days.settled:
        proof = f", for example {days.proof}" if days.proof else ""
        if not days.odd:
            return days.settled, "sure", f"only {days.settled} fits all of its days{proof}"
        odd = ", ".join(days.odd)
        return days.settled, "likely", f"only {days.settled} fits nearly all of its days{proof}; it does not read {odd}"
    if days.formats:
        fits = f"{days.example} fits {' and '.join(days.formats)}"
        if form := here or there:
            where = "the same file" if here else "the other files"
            return form, "likely", f"{fits}; dates of {where} can only be {form}"
        return ASK, "unsure", f"{fits} and nothing in the folder settles it; not guessed"
    shown = ", ".join(days.odd or values.examined[:3])
    return ASK, "unsure", f"no one format reads all of its days ({shown})"


def span(dates: Iterable[DateColumn], columns: Iterable[tuple[str, str]]) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of some date columns whose format is known."""
    wanted = set(columns)
    ends = [each.days for each in dates if (each.table, each.column) in wanted and each.format != ASK]
    firsts, lasts = [e.first for e in ends if e.first], [e.last for e in ends if e.last]
    return min(firsts, default=None), max(lasts, default=None)
