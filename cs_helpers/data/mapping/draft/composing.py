"""Turns a plan into the lines of a mapping file, with the certainty of each line and the open questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping.draft.dates import DateColumn, settling_examples, span
from cs_helpers.data.mapping.draft.layout import Line
from cs_helpers.data.mapping.draft.matching import ASK, Match, Pick
from cs_helpers.data.mapping.draft.planning import AS_OF, LAST_DAY, DraftPlan, DraftRecord, JoinedFile, personal
from cs_helpers.data.mapping.draft.samples import ColumnSample
from cs_helpers.data.mapping.draft.vocabulary import HEADERS, matches, zone_of

_EVENTS = (
    ("usage", "occurred_at"), ("tickets", "opened_at"), ("touches", "occurred_at"), ("surveys", "sent_at"),
    ("surveys", "answered_at"),
)  # fmt: skip
_KEYS = ("columns", "joined", "constants", "values", "only_where", "durations", "offsets", "scale")
_ANCHORS = {AS_OF: "day_after", LAST_DAY: "last_day"}
_ROWS = ("keep_where", "drop_where", "key")


@dataclass(frozen=True)
class Certainty:
    """The certainty of one column of the draft, and why; ``table`` and ``column`` are empty for an unused header."""

    file: str
    table: str
    column: str
    header: str
    certainty: str
    why: str


@dataclass(frozen=True)
class Composed:
    """The lines of the file, the certainty of every column, and the questions for a person."""

    lines: tuple[Line, ...]
    head: tuple[str, ...]
    certainty: tuple[Certainty, ...]
    questions: tuple[str, ...]


def compose(plan: DraftPlan, company: str) -> Composed:
    """The whole mapping."""
    wide = _wide_format(plan.dates)
    questions: list[str] = []
    certainty: list[Certainty] = []
    tables = [_table(plan, found, wide, certainty, questions) for found in plan.tables.values()]
    top = _top(plan, company, wide, certainty, questions)
    lines = [*top, Line("tables", _anchored(tables, _ANCHORS[AS_OF])[0])] if tables else top
    if plan.records:
        above = (
            "Other places where this export says who left. They are compared with the paid periods;",
            "no figure is made of them.",
        )
        formats = {each.header: each.format for each in plan.dates if not each.table}
        records = [_record(record, formats.get(record.date, ""), wide) for record in plan.records]
        lines.append(Line("churn_records", records, above))
        for record in plan.records:
            header = record.flag or record.date
            certainty.append(Certainty(record.file.name, "churn_records", record.name, header, "likely", record.why))
    return Composed(tuple(lines), _head(plan, questions), tuple(certainty), tuple(questions))


def _anchored(lines: Sequence[Line], name: str) -> tuple[list[Line], bool]:
    """The lines, with the value written at the first alias of that name."""
    found: list[Line] = []
    done = False
    for line in lines:
        if not done and line.alias == name:
            line, done = replace(line, alias="", anchor=name), True
        elif not done and isinstance(line.value, list) and line.value and isinstance(line.value[0], Line):
            inner, done = _anchored(line.value, name)
            line = replace(line, value=inner)
        found.append(line)
    return found, done


# --- the top of the file -----------------------------------------------------------------------------------------


def _head(plan: DraftPlan, questions: Sequence[str]) -> tuple[str, ...]:
    head = [
        f"Drafted from the headers and values of {plan.folder.name}. Read every line; beside each stands how certain",
        "it is: sure (the header is a known word and the values fit), likely (one of the two, or for a stated reason),",
        "unsure (a guess).",
    ]
    if not plan.tables:
        head += [
            "",
            "No table was recognised here. The contract needs accounts (account_id, one row per customer company) and",
            "subscriptions (account_id, start_date, end_date, mrr: one row per account and price period). Name the",
            "files and headers that hold them under `tables`, as in data/mappings/ravenstack.yml.",
        ]
    if questions:
        head += ["", "To decide before it can be used:", *(f"- {question}" for question in questions)]
    if plan.folder.unreadable:
        head += ["", "Not read:"]
        head += [f"- {sentence(name, why)}" for name, why in plan.folder.unreadable.items()]
    detected = [f"- {sentence(file.name, note)}" for file in plan.folder.files for note in file.notes]
    if detected:
        head += ["", "Found out while reading:", *detected]
    if plan.idle:
        head += ["", "Files that feed no table: " + ", ".join(file.name for file in plan.idle) + "."]
    return tuple(head)


def sentence(name: str, text: str) -> str:
    """A message about a file in one line that starts with the name of the file."""
    line = " ".join(text.split())
    return line if line.startswith(name) else f"{name}: {line}"


def _wide_format(dates: Iterable[DateColumn]) -> str:
    """The format of most date columns; "" where there is no date column, "?" where none is known."""
    counts = Counter(each.format for each in dates if each.format not in (ASK, ""))
    if counts:
        return max(counts, key=lambda name: (counts[name], -len(name), name))
    return ASK if any(each.format == ASK for each in dates) else ""


def _top(plan: DraftPlan, company: str, wide: str, certainty: list[Certainty], questions: list[str]) -> list[Line]:
    lines = [Line("version", 1)]
    if company:
        lines.append(Line("company", company, comment="printed on the reports"))
    currency = plan.currency
    if currency or {"subscriptions", "renewals", "costs"} & set(plan.tables):
        lines.append(Line("currency", currency or "EUR", comment=plan.currency_why, commented_out=not currency))
    lines.append(timezone(each.header for each in plan.dates))
    if wide == ASK:
        lines.append(
            Line("date_format", ASK, comment=f"unsure: {next(each.why for each in plan.dates if each.format == ASK)}")
        )
    elif wide:
        shown = next(
            each for each in plan.dates if each.format == wide and (each.certainty == "sure" or not _sure(plan, wide))
        )
        lines.append(Line("date_format", wide, comment=f"{shown.certainty}: '{shown.header}': {shown.why}"))
    for each in plan.dates:
        if not each.table:
            certainty.append(Certainty(each.file.name, "", "date", each.header, each.certainty, each.why))
    questions += _date_questions(plan, wide)
    lines += _decimal(plan)
    lines += _observed(plan, questions)
    if plan.tables and not {"accounts", "subscriptions"} <= set(plan.tables):
        absent = [name for name in ("accounts", "subscriptions") if name not in plan.tables]
        lines.append(Line("partial", True, comment=f"there is no file of {' and none of '.join(absent)}"))
    return lines


def timezone(headers: Iterable[str]) -> Line:
    """The zone of times that name none, if the headers of dates do."""
    zones = {header: zone for header in headers if (zone := zone_of(header))}
    if len(set(zones.values())) == 1:
        header, zone = next(iter(zones.items()))
        return Line("timezone", zone, comment=f"sure: '{header}' says so")
    return Line("timezone", "UTC", comment="of times without a zone; not found in the data, change it if it is another")


def _sure(plan: DraftPlan, wide: str) -> bool:
    return any(each.format == wide and each.certainty == "sure" for each in plan.dates)


def _date_questions(plan: DraftPlan, wide: str) -> list[str]:
    """One question for each line that waits for a date format."""
    waiting: dict[tuple[str, tuple[str, ...]], list[DateColumn]] = {}
    for each in plan.dates:
        if each.format == ASK:
            waiting.setdefault((_format_line(plan, each, wide), each.days.formats), []).append(each)
    found = []
    for (line, formats), columns in waiting.items():
        named = ", ".join(f"'{header}'" for header in dict.fromkeys(each.header for each in columns))
        first = columns[0]
        if formats:
            found.append(
                f"Days of {named} such as {first.days.example} fit {' and '.join(formats)}: ask whoever made the "
                f"export and write the right one at {line}. A day after the 12th would settle it: "
                f"{settling_examples(first.days)}."
            )
        else:
            shown = ", ".join(first.days.odd)
            found.append(
                f"No one format reads all days of {named} (not {shown}): correct the export, or write the format that "
                f"most of them have at {line}."
            )
    return found


def _format_line(plan: DraftPlan, each: DateColumn, wide: str) -> str:
    """The key of the mapping that holds a column's date format."""
    if wide == ASK or not each.table:
        return "`date_format`"
    formats = {other.format for other in plan.dates if other.table == each.table and other.format}
    return f"`{each.table}: date_format`" if len(formats) == 1 else f"`{each.table}: date_formats: {each.column}`"


def _decimal(plan: DraftPlan) -> list[Line]:
    """The line for a decimal comma in the whole file; none where some table has decimal points."""
    if any(each.has_decimal_point for found in plan.tables.values() for each in _numbers_read(found)):
        return []
    return next((lines for found in plan.tables.values() if (lines := _decimal_of(found))), [])


def _numbers_read(found: Match) -> list[ColumnSample]:
    return [each for each in found.file.fields if each.header in found.headers and each.is_number]


def _decimal_of(found: Match) -> list[Line]:
    comma = [each for each in _numbers_read(found) if each.has_decimal_comma]
    return [Line("decimal", ",", comment=f"sure: '{comma[0].header}' holds {comma[0].examples(1)}")] if comma else []


def _observed(plan: DraftPlan, questions: list[str]) -> list[Line]:
    if plan.is_snapshot:
        return _asked_days(plan, questions)
    lines = observed(plan.dates, [record.name for record in plan.records])
    if not plan.uses_last_day:
        return lines
    if not any(line.key == "data_through" for line in lines):
        questions.append("Which day was the last one loaded? Write it at `data_through` (like 2024-12-31).")
        lines.append(Line("data_through", ASK, comment="unsure: no date of the export is known"))
    # Columns filled with the last day refer to this line.
    return [replace(line, anchor=_ANCHORS[LAST_DAY]) if line.key == "data_through" else line for line in lines]


def _asked_days(plan: DraftPlan, questions: list[str]) -> list[Line]:
    """The days that a snapshot hangs on; one question, as they follow from one another."""
    start = plan.tables["subscriptions"].picks["start_date"]
    unit, header = start.lines["offsets"]["unit"], start.headers[0]
    longest = max(plan.tables["subscriptions"].file.by_header[header].numbers, default=0)
    questions.append(
        "When was the export made? It says how long each customer has been there, not since when. Write the last day "
        "it speaks of at `data_through` (like 2024-12-31), the day after at `&day_after`, from which every start is "
        f"counted back, and that day less {longest:g} {unit} at `observed_from`."
    )
    return [
        Line("observed_from", ASK, comment=f"unsure: {longest:g} {unit}, the longest {header}, before the day after"),
        Line("data_through", ASK, comment="unsure: the last day the export speaks of", anchor=_ANCHORS[LAST_DAY]),
    ]


def observed(dates: Sequence[DateColumn], records: Iterable[str] = ()) -> list[Line]:
    """From when to when the export holds everything, as its events have it."""
    first, last = span(dates, (*_EVENTS, *(("", name) for name in records)))
    by = "the first and last day of events in the export"
    if not last:
        by = "the first start and the last start or end that are there: check them"
        first, _ = span(dates, [("subscriptions", "start_date")])
        _, last = span(dates, [("subscriptions", "start_date"), ("accounts", "signup_date")])
    if not first or not last:
        return []
    return [
        Line("observed_from", first, above=(f"Proposed from the data: {by}.",),
             comment="likely: the first day from which every end was recorded"),
        Line("data_through", last, comment="likely: the last day that was loaded, that day included"),
    ]  # fmt: skip


# --- one table ---------------------------------------------------------------------------------------------------


def _table(plan: DraftPlan, found: Match, wide: str, certainty: list[Certainty], questions: list[str]) -> Line:
    name = found.table.name
    lines = [Line("file", found.file.file)]
    if found.file.sheet:
        lines.append(Line("sheet", found.file.sheet))
    picks = [found.picks[column.name] for column in found.table.columns if column.name in found.picks]
    for key in _KEYS:
        entries = [_line(found, pick, key) for pick in picks if key in pick.lines]
        if entries:
            lines.append(Line(key, entries))
    for key in _ROWS:
        if key in found.rows:
            value = found.rows[key]
            inner = [Line(header, words) for header, words in value.items()] if isinstance(value, dict) else value
            lines.append(Line(key, inner, comment="likely: nearly no value repeats" if key == "key" else ""))
    for pick in picks:
        header = " + ".join(pick.headers)
        certainty.append(Certainty(found.file.name, name, pick.column, header, pick.certainty, pick.why))
        if pick.question:
            questions.append(pick.question)
    if name == "accounts" and plan.joined:
        lines.append(_also(plan.joined))
    lines += _formats(plan, found, picks, wide)
    lines += [] if _decimal(plan) else _decimal_of(found)
    if found.table.keeps_attributes:
        lines += _attributes(plan, found, certainty)
    else:
        shared = {
            header for other in plan.tables.values() if other.file.name == found.file.name for header in other.headers
        }
        if not any(
            other.table.keeps_attributes and other.file.name == found.file.name for other in plan.tables.values()
        ):
            for each in found.file.fields:
                if each.header not in shared:
                    certainty.append(
                        Certainty(found.file.name, "", "", each.header, "sure", "no column of the contract; not read")
                    )
    above = [f"{TABLES[name].grain}"]
    if name in plan.also:
        above.append(f"Would do as well, with less to go by: {', '.join(plan.also[name])}.")
    return Line(name, lines, tuple(above))


def _line(found: Match, pick: Pick, key: str) -> Line:
    value = pick.lines[key]
    comment = f"{pick.certainty}: {pick.why}" if key in ("columns", "joined", "constants", "offsets") else ""
    if key == "offsets":
        return Line(pick.column, [_offset_line(part, inner) for part, inner in value.items()], comment=comment)
    if key == "scale":
        inside = [
            Line(
                part,
                [Line(header, inner) for header, inner in content.items()] if isinstance(content, dict) else content,
            )
            for part, content in value.items()
        ]
        return Line(pick.column, inside)
    if key in ("values", "only_where"):
        return Line(pick.column, [Line(word, meant) for word, meant in value.items()])
    if value in (AS_OF, LAST_DAY):
        return Line(pick.column, ASK, comment=comment, alias=_ANCHORS[value])
    return Line(pick.column, value, comment=comment, commented_out=pick.commented_out)


def _offset_line(part: str, value: Any) -> Line:
    return Line(part, ASK, alias=_ANCHORS[value]) if value in _ANCHORS else Line(part, value)


def _formats(plan: DraftPlan, found: Match, picks: Sequence[Pick], wide: str) -> list[Line]:
    """The date formats of a table that are not the one of the whole file."""
    counted = {pick.column: pick.lines["date_formats"] for pick in picks if "date_formats" in pick.lines}
    dates = [each for each in plan.dates if each.table == found.table.name]
    others = [each for each in dates if each.format not in (wide, "")]
    if not counted and others and len({each.format for each in dates}) == 1:
        return [Line("date_format", others[0].format, comment=f"{others[0].certainty}: {others[0].why}")]
    lines = [Line(each.column, each.format, comment=f"{each.certainty}: {each.why}") for each in others]
    lines += [Line(column, form, comment="likely: by the size of its numbers") for column, form in counted.items()]
    return [Line("date_formats", lines)] if lines else []


def _attributes(plan: DraftPlan, found: Match, certainty: list[Certainty]) -> list[Line]:
    """The further columns to keep, those that only the outcome made named, persons left out."""
    shared = [other for other in plan.tables.values() if other.file.name == found.file.name]
    used = {header for other in shared for header in other.headers if not _describes(plan, found, other, header)}
    flags = {record.flag for record in plan.records if record.file.name == found.file.name}
    attributes: list[str] = []
    after: list[str] = []
    persons: list[str] = []
    fields = [(found.file, each) for each in found.file.fields if each.header not in used]
    if found.table.name == "accounts":
        fields += [(other.file, other.file.by_header[header]) for other in plan.joined for header in other.headers]
    for file, each in fields:
        why = "kept as an attribute"
        names_churn = each.header in flags or (each.is_flag and matches(each.header, HEADERS["churn_flag"]))
        if names_churn and not plan.is_snapshot:
            why = "left out: it says who left"
        elif personal(each):
            persons.append(each.header)
            why = "left out: personal data"
        elif each.is_constant(file.rows):
            why = "left out: the same value in every row"
        elif matches(each.header, HEADERS["places"], 0.95):
            why = "left out: too fine to describe an account by"
        elif names_churn or matches(each.header, HEADERS["outcome_only"]):
            after.append(each.header)
            attributes.append(each.header)
            why = "kept; known only after the outcome, so it enters no risk model"
        else:
            attributes.append(each.header)
        certainty.append(Certainty(file.name, "", "", each.header, "likely", why))
    above = ["Further columns to keep. What says who left is not among them."]
    if persons:
        above.append(f"Left out as personal data: {', '.join(persons)}. Add one only if a report needs it.")
    lines = [Line("attributes", attributes, tuple(above))]
    if after:
        lines.append(
            Line("outcome_only", after, ("Known, or final, only once a customer has left: never in a risk model.",))
        )
    return lines


def _describes(plan: DraftPlan, found: Match, other: Match, header: str) -> bool:
    """Whether a header that feeds another table of the same file tells something of the account all the same."""
    if other.table.name == found.table.name or header in found.headers or not plan.is_snapshot:
        return False
    each = found.file.by_header[header]
    return not each.is_number or each.is_flag


def _also(joined_files: Sequence[JoinedFile]) -> Line:
    """Further files about the same accounts."""
    entries = []
    for each in joined_files:
        key = each.mine if each.mine == each.theirs else [Line(each.mine, each.theirs)]
        sheet = [Line("sheet", each.file.sheet)] if each.file.sheet else []
        entries.append([Line("file", each.file.file), *sheet, Line("on", key), Line("headers", list(each.headers))])
    return Line("also", entries, ("Further files with one row per account; their headers are joined on.",))


def _record(record: DraftRecord, written: str, wide: str) -> list[Line]:
    """One record of churn; a date with another format than `date_format` cannot be read and is commented out."""
    lines = [Line("name", record.name), Line("file", record.file.name), Line("account_id", record.account_id)]
    if record.flag:
        lines += [
            Line("flag", record.flag, comment=f"likely: {record.why}"),
            Line("true_values", list(record.true_values)),
        ]
    if record.date:
        other = f"unsure: written as {written}, not as `date_format`; without it every row counts"
        commented_out = written not in (wide, "")
        lines.append(
            Line(
                "date",
                record.date,
                comment=other if commented_out else f"likely: {record.why}",
                commented_out=commented_out,
            )
        )
    return lines
