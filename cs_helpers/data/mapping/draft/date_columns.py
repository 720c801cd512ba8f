"""The format of each date column, found from all of its dates and from the other date columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping.draft.dates import Days, settle, study, with_time
from cs_helpers.data.mapping.draft.matching import ASK, Match, Sure
from cs_helpers.data.mapping.draft.samples import ColumnSample, FileSample


@dataclass(frozen=True)
class DateColumn:
    """A date column that is read: how it is written, and how that was found."""

    table: str
    column: str
    file: FileSample
    header: str
    days: Days
    format: str
    certainty: Sure
    why: str


def date_columns(tables: Mapping[str, Match], others: Iterable[tuple[str, FileSample, str]]) -> tuple[DateColumn, ...]:
    """Every date column that is read, with its format, or "?" where it stays open.

    ``others`` are date columns outside the tables: name, file, header.
    """
    columns: list[tuple[str, str, FileSample, str]] = []
    joined = {
        (name, pick.column) for name, found in tables.items() for pick in found.picks.values() if "joined" in pick.lines
    }
    for name, found in tables.items():
        for pick in found.picks.values():
            column = TABLES[name].column(pick.column)
            direct = pick.headers and ("columns" in pick.lines or "joined" in pick.lines)
            if column.kind in ("date", "time") and direct and "date_formats" not in pick.lines:
                columns.append((name, pick.column, found.file, pick.headers[0]))
    columns += [("", name, file, header) for name, file, header in others]
    studied = [(*each, study(each[2].by_header[each[3]].days)) for each in columns]
    settled = [
        (file.name, days.settled) for _, _, file, header, days in studied if days.settled and not file.is_typed(header)
    ]
    found_dates = []
    for table, name, file, header, days in studied:
        values = file.by_header[header]
        if not values.looked_at:
            continue
        if values.mixed:
            days = replace(days, formats=(), odd=(values.examples(2),))
            why = "a workbook that holds days beside text: day and month may be swapped in some"
            found_dates.append(DateColumn(table, name, file, header, days, ASK, "unsure", why))
            continue
        if file.is_typed(header) and (table, name) in joined:
            why = "days of the file itself, joined with a time"
            found_dates.append(DateColumn(table, name, file, header, days, "YYYY-MM-DD", "sure", why))
            continue
        if file.is_typed(header):
            found_dates.append(DateColumn(table, name, file, header, days, "", "sure", "the file itself holds days"))
            continue
        here = settle(days, [form for place, form in settled if place == file.name]) if len(days.formats) > 1 else ""
        there = settle(days, [form for _, form in settled]) if len(days.formats) > 1 else ""
        form, certainty, why = _verdict(values, days, here, there)
        if form != ASK and not with_time(form, values.rests):
            form, certainty, why = ASK, "unsure", f"times such as {values.examples(1)} are of no known form"
            days = replace(days, formats=(), odd=(values.examples(1),))
        elif form != ASK:
            form = with_time(form, values.rests)
        found_dates.append(DateColumn(table, name, file, header, days, form, certainty, why))
    return tuple(found_dates)


def _verdict(values: ColumnSample, days: Days, here: str, there: str) -> tuple[str, Sure, str]:
    if days.settled:
        proof = f", for example {days.proof}" if days.proof else ""
        if days.odd:
            odd = ", ".join(days.odd)
            why = f"only {days.settled} fits nearly all of its days{proof}; it does not read {odd}"
            return days.settled, "likely", why
        return days.settled, "sure", f"only {days.settled} fits all of its days{proof}"
    if days.formats:
        example = days.example
        both = " and ".join(days.formats)
        if here or there:
            where = "the same file" if here else "the other files"
            return here or there, "likely", f"{example} fits {both}; dates of {where} can only be {here or there}"
        return ASK, "unsure", f"{example} fits {both} and nothing in the folder settles it; not guessed"
    shown = ", ".join(days.odd or values.looked_at[:3])
    return ASK, "unsure", f"no one format reads all of its days ({shown})"


def span(dates: Iterable[DateColumn], columns: Iterable[tuple[str, str]]) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of some date columns whose format is known."""
    wanted = set(columns)
    ends = [each.days for each in dates if (each.table, each.column) in wanted and each.format != ASK]
    firsts, lasts = [e.first for e in ends if e.first], [e.last for e in ends if e.last]
    return min(firsts, default=None), max(lasts, default=None)
