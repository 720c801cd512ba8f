"""Matches the columns of a file to the columns of a table, by headers first and then by values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from cs_helpers.data.contract.columns import Column, Table
from cs_helpers.data.contract.formats import FALSE_WORDS, TRUE_WORDS
from cs_helpers.data.mapping.draft.samples import ColumnSample, FileSample
from cs_helpers.data.mapping.draft.vocabulary import (
    CONTRACT_VALUES,
    HEADERS,
    TERM_MONTHS,
    VOCABULARY,
    first_match,
    names_of,
    ranks,
    spellings,
    squash,
    unit_of,
    words,
)

Sure = Literal["sure", "likely", "unsure"]
ASK = "?"
_WORDY = {"name", "industry", "country", "acquisition_channel", "channel", "comment", "reason", "competitor", "team"}
_LENGTHS = {"wait_seconds": "seconds", "handle_minutes": "minutes", "minutes": "minutes", "hours": "hours",
            "term_months": "months"}  # fmt: skip


_CHANNELS = {"call": "phone", "calls": "phone", "phone": "phone", "chat": "chat", "chats": "chat"}


@dataclass(frozen=True)
class Pick:
    """The source of one column of the contract. ``lines``: entries of the mapping (key -> value for the column).

    ``question``: what a person must decide; the line then holds ``?``, or is ``commented_out``.
    """

    column: str
    headers: tuple[str, ...]
    lines: Mapping[str, Any]
    certainty: Sure
    why: str
    score: float = 0.0
    question: str = ""
    commented_out: bool = False


@dataclass(frozen=True)
class Match:
    """One file read as one table."""

    file: FileSample
    table: Table
    picks: Mapping[str, Pick] = field(default_factory=dict)
    rows: Mapping[str, Any] = field(default_factory=dict)  # entries about whole rows: key, keep_where

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Required columns that nothing in the file fills."""
        return tuple(column.name for column in self.table.columns if column.required and column.name not in self.filled)

    @cached_property
    def filled(self) -> set[str]:
        found = set(self.picks)
        for column, through in self.table.stand_in.items():
            if through in found:
                found.add(column)
        return found

    @cached_property
    def score(self) -> float:
        """How well the file fits: the columns found, required ones counted three times, and the file's name."""
        total = 0.0
        for name, pick in self.picks.items():
            column = self.table.column(name)
            weight = 3.0 if column.required or name in self.table.key else 1.0
            total += weight * {"sure": 1.0, "likely": 0.8, "unsure": 0.3}[pick.certainty]
        total -= 2.5 * len(self.missing)
        named = {self.table.name, *VOCABULARY.tables[self.table.name]}
        return total + (3.0 if named & set(words(self.file.stem)) or self.file.stem in named else 0.0)

    @property
    def numbers_read(self) -> list[ColumnSample]:
        """The columns of the file that it reads as numbers."""
        return [each for each in self.file.fields if each.header in self.headers and each.is_number]

    @property
    def headers(self) -> set[str]:
        """The headers it uses."""
        return {header for pick in self.picks.values() for header in pick.headers}

    @cached_property
    def feasible(self) -> bool:
        """Whether the table can be made of the file: every column it cannot do without is there."""
        some = self.table.at_least_one
        return not self.missing and (not some or any(name in self.picks for name in some))


def match(file: FileSample, table: Table) -> Match:
    """A file read as a table: the best header for each column, each header used once."""
    offers = sorted(_offers(file, table), key=lambda pick: (-pick.score, table.names.index(pick.column), pick.headers))
    picks: dict[str, Pick] = {}
    used: set[str] = set()
    for pick in offers:
        if pick.column not in picks and not used & set(pick.headers):
            picks[pick.column] = pick
            used |= set(pick.headers)
    found = Match(file, table, picks)
    for derive in (_joined_clock, _ticket_times, _calls, _price, _plan, _leaving, _kinds):
        found = replace(found, picks={**found.picks, **derive(found)})
    return replace(found, rows=_own_key(found))


def _offers(file: FileSample, table: Table) -> Iterator[Pick]:
    for column in table.columns:
        ranked = names_of(table.name, column.name)
        for each in file.fields:
            best = max(
                ((trust - ranked[text] * 0.002, trust, left_out)
                 for text, trust, left_out in spellings(each.header, table.name) if text in ranked),
                default=None,
            )  # fmt: skip
            if best and (pick := offer(file, table, column, each, *best)):
                yield pick


def offer(
    file: FileSample, table: Table, column: Column, each: ColumnSample, score: float, trust: float, left_out: str
) -> Pick | None:
    """A header as the source of a column, unless its values do not fit."""
    verdict, lines, remark = _values_speak(file, table, column, each)
    if verdict is False:
        return None
    what = "the name of the column" if squash(each.header) == squash(column.name) else "a known word for it"
    if left_out:
        what = f"{what} in {left_out}" if left_out.startswith("a part") else f"{what} without {left_out}"
    certainty: Sure = "sure" if verdict and trust >= 0.85 else "likely" if trust >= 0.85 or verdict else "unsure"
    why = f"{what}; {remark}" if remark else what
    return Pick(
        column.name, (each.header,), {"columns": each.header, **lines}, certainty, why, score * (1 if verdict else 0.9)
    )


def _values_speak(
    file: FileSample, table: Table, column: Column, each: ColumnSample
) -> tuple[bool | None, dict[str, Any], str]:
    """Whether the values are what the column wants (None: there are none to ask), further lines, and a remark."""
    if not each.examined:
        return None, {}, "it is empty"
    if table.key == (column.name,):
        fine = each.is_unique(file.rows) and not each.is_date and not _has_fractions(each)
        return fine, {}, "every row has its own"
    if column.name.endswith("_id"):
        fine = not each.is_date and not each.is_clock and not (each.is_flag and each.distinct == 2)
        return fine and not _has_fractions(each), {}, "keys"
    if column.kind in ("date", "time"):
        if each.is_date:
            return True, {}, "dates"
        return _counted(each, column)
    if column.kind == "flag":
        return (True, _flag_words(each, column), "two values") if each.is_flag else (False, {}, "")
    if column.kind in ("money", "integer", "number"):
        return _numbers(each, column)
    translated = CONTRACT_VALUES.get(f"{table.name}.{column.name}")
    if column.one_of and translated:
        return _one_of(each, column, translated)
    if (
        each.is_date
        or each.is_clock
        or (column.name in _WORDY and each.is_number)
        or (each.is_flag and each.distinct > 1)
    ):
        return False, {}, ""
    if column.name not in ("name", "comment", "plan") and each.distinct > max(60, 0.5 * each.filled):
        return False, {}, ""
    return True, {}, "words"


def _has_fractions(each: ColumnSample) -> bool:
    return each.is_number and any(number % 1 for number in each.numbers)


def _counted(each: ColumnSample, column: Column) -> tuple[bool, dict[str, Any], str]:
    """Days counted as numbers: by spreadsheets since 1899, or seconds since 1970."""
    numbers = each.numbers if each.is_number else ()
    if numbers and all(20_000 <= number < 80_000 for number in numbers):
        return True, {"date_formats": "excel"}, "numbers that are days as spreadsheets count them"
    if numbers and all(6e8 <= number < 3e9 for number in numbers):
        return True, {"date_formats": "unix"}, "numbers that are seconds since 1970"
    return False, {}, ""


def _flag_words(each: ColumnSample, column: Column) -> dict[str, Any]:
    """Translations for the words of a flag that the loader does not know."""
    meant = {
        value: "true" if value.lower() in VOCABULARY.true_words else "false"
        for value in sorted(each.examined)
        if each.kind != "flag" and value.lower() not in (*TRUE_WORDS, *FALSE_WORDS)
    }
    return {"values": meant} if meant else {}


def _numbers(each: ColumnSample, column: Column) -> tuple[bool, dict[str, Any], str]:
    unit = _LENGTHS.get(column.name, "")
    if unit and each.is_clock:
        return True, {"durations": "HH:mm:ss"}, "lengths of time"
    if column.name == "term_months" and not each.is_number:
        terms = {value: TERM_MONTHS.get(squash(value), 0) for value in sorted(each.examined)}
        return (True, {"values": terms}, "terms in words") if all(terms.values()) else (False, {}, "")
    if not each.is_number or each.is_date:
        return False, {}, ""
    low, high = min(each.numbers, default=0), max(each.numbers, default=0)
    if (column.minimum is not None and low < column.minimum) or (column.maximum is not None and high > column.maximum):
        return False, {}, ""
    if column.kind == "integer" and _has_fractions(each):
        return False, {}, ""
    written = unit_of(each.header)
    lines = {"durations": written} if unit and written and written != unit else {}
    return True, lines, f"numbers from {low:g} to {high:g}"


def _one_of(each: ColumnSample, column: Column, translated: Mapping[str, str]) -> tuple[bool, dict[str, Any], str]:
    meant = {value: translated.get(squash(value), "") for value in sorted(each.examined)}
    unknown = [value for value, word in meant.items() if not word]
    if unknown and ("other" not in column.one_of or len(unknown) == len(meant)):
        return False, {}, ""
    lines = {value: word or "other" for value, word in meant.items() if value.lower() != word}
    return True, {"values": lines} if lines else {}, "words the contract has"


# --- columns made of several headers, or of another column -------------------------------------------------------


def _joined_clock(found: Match) -> dict[str, Pick]:
    """A day and a time of day in two columns are one moment."""
    name = found.table.event_time
    pick = found.picks.get(name)
    if not pick or "columns" not in pick.lines or found.table.column(name).kind != "time":
        return {}
    each = found.file.by_header[pick.headers[0]]
    free = [other.header for other in found.file.fields if other.is_clock and other.header not in found.headers]
    clock = first_match(free, HEADERS["time_of_day"])
    if not clock or each.kind not in ("text", "date") or any(value not in each.days for value in each.examined):
        return {}
    why = f"{pick.why}; '{clock}' is its time of day"
    return {name: replace(pick, headers=(*pick.headers, clock), lines={"joined": [pick.headers[0], clock]}, why=why)}


def _ticket_times(found: Match) -> dict[str, Pick]:
    """Answer and resolution as lengths of time from the opening, or as a flag."""
    if found.table.name != "tickets" or "opened_at" not in found.picks:
        return {}
    made: dict[str, Pick] = {}
    for name, phrases in (
        ("first_response_at", HEADERS["first_response_duration"]),
        ("resolved_at", HEADERS["resolution_duration"]),
    ):
        free = [
            each for each in found.file.fields if each.header not in found.headers and (each.is_number or each.is_clock)
        ]
        header = first_match([each.header for each in free], phrases)
        if name in found.picks or not header:
            continue
        unit = "seconds" if found.file.by_header[header].is_clock else unit_of(header)
        question = (
            ""
            if unit
            else f"Which unit '{header}' counts in cannot be seen: write it at `offsets: {name}: unit` of tickets."
        )
        offset = {"base": "opened_at", "add": header, "unit": unit or ASK}
        why = (
            f"a length of time from the opening, in {unit}"
            if unit
            else "a length of time from the opening, unit unknown"
        )
        made[name] = Pick(name, (header,), {"offsets": offset}, "sure" if unit else "unsure", why, 1, question)
    flags = [each.header for each in found.file.fields if each.is_flag and each.header not in found.headers]
    flag = first_match(flags, HEADERS["resolved_flag"])
    if flag and "resolved_at" not in {**found.picks, **made}:
        yes = _true_values(found.file.by_header[flag])
        made |= _resolved(found, flag, yes)
    return made


def _resolved(found: Match, flag: str, yes: Sequence[str]) -> dict[str, Pick]:
    """Calls that are answered, handled and resolved in one go: the times follow from one another."""
    wait, handled = found.picks.get("wait_seconds"), found.picks.get("handle_minutes")
    made: dict[str, Pick] = {}
    offset: dict[str, Any] = {"base": "opened_at"}
    if wait and "first_response_at" not in found.picks:
        unit = unit_of(wait.headers[0]) if not found.file.by_header[wait.headers[0]].is_clock else "seconds"
        first = {"base": "opened_at", "add": wait.headers[0], "unit": unit or "seconds"}
        why = "answered after the wait"
        made["first_response_at"] = Pick("first_response_at", wait.headers, {"offsets": first}, "likely", why, 1)
        offset = {"base": "first_response_at"}
    why = "the export says whether, not when: "
    if handled:
        unit = unit_of(handled.headers[0]) if not found.file.by_header[handled.headers[0]].is_clock else "seconds"
        offset |= {"add": handled.headers[0], "unit": unit or "minutes"}
        why += "the end of the handling stands in where it is resolved"
    else:
        why += "the opening stands in where it is resolved"
    lines = {"offsets": offset, "only_where": {flag: list(yes)}}
    return {**made, "resolved_at": Pick("resolved_at", (flag,), lines, "likely", why, 1)}


def _calls(found: Match) -> dict[str, Pick]:
    """The channel, where a file of calls has no column for it."""
    if found.table.name != "tickets" or "channel" in found.picks or "ticket_id" not in found.picks:
        return {}
    named = set(words(found.picks["ticket_id"].headers[0])) | set(words(found.file.stem))
    channel = next((name for word, name in _CHANNELS.items() if word in named), "")
    return (
        {"channel": Pick("channel", (), {"constants": channel}, "likely", "its rows are of one channel", 1)}
        if channel
        else {}
    )


def _true_values(each: ColumnSample) -> list[str]:
    return [value for value in sorted(each.examined) if value.lower() in VOCABULARY.true_words]


def _price(found: Match) -> dict[str, Pick]:
    """MRR from a yearly figure, or from an amount and the period it is for."""
    if found.table.name != "subscriptions" or "mrr" in found.picks:
        return {}
    free = [each for each in found.file.fields if each.header not in found.headers and each.is_number]
    yearly = first_match([each.header for each in free], HEADERS["yearly_price"])
    if yearly:
        lines: dict[str, Any] = {"columns": yearly, "scale": {"factor": 1 / 12}}
        return {"mrr": Pick("mrr", (yearly,), lines, "likely", "a yearly figure, a twelfth of it a month", 1)}
    amount = first_match([each.header for each in free], HEADERS["price"])
    if not amount:
        return {}
    periods = [each for each in found.file.fields if each.header not in found.headers and not each.is_number]
    period = first_match([each.header for each in periods], HEADERS["price_period"])
    months = {v: TERM_MONTHS.get(squash(v), 0) for v in sorted(found.file.by_header[period].examined)} if period else {}
    if months and all(months.values()):
        lines = {"columns": amount, "scale": {"per": {period: months}}}
        return {"mrr": Pick("mrr", (amount, period), lines, "likely", f"an amount per '{period}'", 1)}
    lines = {"columns": amount, "scale": {"factor": ASK}}
    question = (
        f"Which period '{amount}' is for cannot be seen: write at `subscriptions: scale: mrr: factor` 1 for a price a "
        "month, 0.0833333 for one per year."
    )
    return {"mrr": Pick("mrr", (amount,), lines, "unsure", "an amount, its period unknown", 1, question)}


def _plan(found: Match) -> dict[str, Pick]:
    """The contract term in words as the plan, where the export has no plan."""
    term = found.picks.get("term_months")
    if found.table.name != "subscriptions" or "plan" in found.picks or not term or "values" not in term.lines:
        return {}
    why = "no column names a plan; the contract in words stands in"
    return {"plan": Pick("plan", term.headers, {"columns": term.headers[0]}, "likely", why, 1)}


def _leaving(found: Match) -> dict[str, Pick]:
    """A file of departures with a reason or a remark is an exit survey, dated by the departure."""
    named = set(words(found.file.stem)) & set(ranks(HEADERS["churn_files"]))
    if found.table.name != "surveys" or not named or not {"reason", "comment"} & set(found.picks):
        return {}
    why = "a file of departures"
    made = {name: Pick(name, (), {"constants": "exit"}, "likely", why, 1) for name in ("kind", "stage")}
    if "answered_at" not in found.picks and "sent_at" not in found.picks:
        free = [each.header for each in found.file.fields if each.is_date and each.header not in found.headers]
        if date := first_match(free, HEADERS["churn_date"]):
            made["answered_at"] = Pick("answered_at", (date,), {"columns": date}, "likely", "the day they left", 1)
    return {name: pick for name, pick in made.items() if name not in found.picks}


def _own_key(found: Match) -> dict[str, Any]:
    """The key of a table that the contract gives none: a header named for its rows whose values do not repeat."""
    if found.table.key or not found.picks:
        return {}
    names = (f"{found.table.name.rstrip('s')} id", f"{found.table.name} id", "event id", "row id", "id")
    free = [each for each in found.file.fields if each.header not in found.headers and each.is_unique(found.file.rows)]
    header = first_match([each.header for each in free if not each.is_date], names)
    return {"key": [header]} if header else {}


def _kinds(found: Match) -> dict[str, Pick]:
    """The kind of a survey or a touch, where the whole file is of one."""
    named = set(words(found.file.stem)) | {word for header in found.headers for word in words(header)}
    if found.table.name == "surveys" and "kind" not in found.picks and found.picks:
        kind = next((kind for kind in ("nps", "csat", "ces") if kind in named), "")
        if kind and "score" in found.picks:
            why = f"the whole file is about {kind.upper()}"
            return {"kind": Pick("kind", (), {"constants": kind}, "likely", why, 1)}
    return {}
