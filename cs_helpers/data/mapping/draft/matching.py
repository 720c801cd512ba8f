"""Matches the columns of a file to the columns of a table, by headers first and then by values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    why: str
    certainty: Sure = "likely"
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
        stand_ins = {column for column, through in self.table.stand_in.items() if through in self.picks}
        filled = {*self.picks, *stand_ins}
        return tuple(column.name for column in self.table.columns if column.required and column.name not in filled)

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

    @cached_property
    def headers(self) -> set[str]:
        """The headers of the file that are used."""
        return {header for pick in self.picks.values() for header in pick.headers}

    def unused(self, wanted: Callable[[ColumnSample], bool]) -> list[str]:
        """The headers that are not used, of the columns that are wanted."""
        return [each.header for each in self.file.fields if each.header not in self.headers and wanted(each)]

    @cached_property
    def feasible(self) -> bool:
        """Whether the table can be made of the file: every column it cannot do without is there."""
        some = self.table.at_least_one
        return not self.missing and (not some or any(name in self.picks for name in some))


def match(file: FileSample, table: Table) -> Match:
    """A file read as a table: the best header for each column, each header used once."""
    picks: dict[str, Pick] = {}
    used: set[str] = set()
    for _, pick in sorted(
        _offers(file, table), key=lambda each: (-each[0], table.names.index(each[1].column), each[1].headers)
    ):
        if pick.column not in picks and not used & set(pick.headers):
            picks[pick.column] = pick
            used |= set(pick.headers)
    found = Match(file, table, picks)
    for derive in (_joined_clock, _ticket_times, _channel, _price, _plan, _exit_survey, _survey_kind):
        found = replace(found, picks={**found.picks, **derive(found)})
    return replace(found, rows=_own_key(found))


def _offers(file: FileSample, table: Table) -> Iterator[tuple[float, Pick]]:
    """Headers as sources of columns, unless their values do not fit, each with its score."""
    for column in table.columns:
        ranked = names_of(table.name, column.name)
        for each in file.fields:
            readings = [reading for reading in spellings(each.header, table.name) if reading[0] in ranked]
            if not readings:
                continue
            score, trust, left_out = max((trust - ranked[text] * 0.002, trust, out) for text, trust, out in readings)
            fits, lines, remark = _values_fit(file, table, column, each)
            if fits is False:
                continue
            why = "the name of the column" if squash(each.header) == squash(column.name) else "a known word for it"
            if left_out:
                why = f"{why} in {left_out}" if left_out.startswith("a part") else f"{why} without {left_out}"
            certainty: Sure = ("unsure", "likely", "sure")[bool(fits) + (trust >= 0.85)]
            why = f"{why}; {remark}" if remark else why
            pick = Pick(column.name, (each.header,), {"columns": each.header, **lines}, why, certainty)
            yield score * (1 if fits else 0.9), pick


def _values_fit(
    file: FileSample, table: Table, column: Column, each: ColumnSample
) -> tuple[bool | None, dict[str, Any], str]:
    """Whether the values fit the column (None: there are no values), further lines, and a remark."""
    if not each.examined:
        return None, {}, "it is empty"
    if table.key == (column.name,):
        fine = each.is_unique(file.rows) and not each.is_date and not _has_fractions(each)
        return fine, {}, "every row has its own"
    if column.name.endswith("_id"):
        fine = not each.is_date and not each.is_clock and not (each.is_flag and each.distinct == 2)
        return fine and not _has_fractions(each), {}, "keys"
    if column.kind in ("date", "time"):
        return (True, {}, "dates") if each.is_date else _counted_days(each)
    if column.kind == "flag":
        return (True, _flag_words(each), "two values") if each.is_flag else (False, {}, "")
    if column.kind in ("money", "integer", "number"):
        return _numbers(each, column)
    translated = CONTRACT_VALUES.get(f"{table.name}.{column.name}")
    if column.one_of and translated:
        return _one_of(each, column, translated)
    if each.is_date or each.is_clock or (each.is_flag and each.distinct > 1):
        return False, {}, ""
    if column.name in _WORDY and each.is_number:
        return False, {}, ""
    if column.name not in ("name", "comment", "plan") and each.distinct > max(60, 0.5 * each.filled):
        return False, {}, ""
    return True, {}, "words"


def _has_fractions(each: ColumnSample) -> bool:
    return each.is_number and any(number % 1 for number in each.numbers)


def _counted_days(each: ColumnSample) -> tuple[bool, dict[str, Any], str]:
    """Days counted as numbers: by spreadsheets since 1899, or seconds since 1970."""
    numbers = each.numbers if each.is_number else ()
    if numbers and all(20_000 <= number < 80_000 for number in numbers):
        return True, {"date_formats": "excel"}, "numbers that are days as spreadsheets count them"
    if numbers and all(6e8 <= number < 3e9 for number in numbers):
        return True, {"date_formats": "unix"}, "numbers that are seconds since 1970"
    return False, {}, ""


def _flag_words(each: ColumnSample) -> dict[str, Any]:
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
    """A day and a time of day in two columns are one time."""
    name = found.table.event_time
    pick = found.picks.get(name)
    if not pick or "columns" not in pick.lines or found.table.column(name).kind != "time":
        return {}
    day = pick.headers[0]
    each = found.file.by_header[day]
    clock = first_match(found.unused(lambda other: other.is_clock), HEADERS["time_of_day"])
    if not clock or each.kind not in ("text", "date") or any(value not in each.days for value in each.examined):
        return {}
    why = f"{pick.why}; '{clock}' is its time of day"
    return {name: replace(pick, headers=(*pick.headers, clock), lines={"joined": [day, clock]}, why=why)}


def _unit(found: Match, header: str) -> str:
    """The unit of a length of time; "" where neither the header nor the values tell it."""
    return "seconds" if found.file.by_header[header].is_clock else unit_of(header)


def _ticket_times(found: Match) -> dict[str, Pick]:
    """First response and resolution as lengths of time from the opening, or as a flag."""
    if found.table.name != "tickets" or "opened_at" not in found.picks:
        return {}
    made: dict[str, Pick] = {}
    lengths = found.unused(lambda each: each.is_number or each.is_clock)
    for name, phrases in (
        ("first_response_at", HEADERS["first_response_duration"]),
        ("resolved_at", HEADERS["resolution_duration"]),
    ):
        header = first_match(lengths, phrases)
        if name in found.picks or not header:
            continue
        unit = _unit(found, header)
        lines = {"offsets": {"base": "opened_at", "add": header, "unit": unit or ASK}}
        if unit:
            made[name] = Pick(name, (header,), lines, f"a length of time from the opening, in {unit}", "sure")
        else:
            ask = f"Which unit '{header}' counts in cannot be seen: write it at `offsets: {name}: unit` of tickets."
            why = "a length of time from the opening, unit unknown"
            made[name] = Pick(name, (header,), lines, why, "unsure", ask)
    flag = first_match(found.unused(lambda each: each.is_flag), HEADERS["resolved_flag"])
    if flag and "resolved_at" not in {**found.picks, **made}:
        made |= _resolved(found, flag)
    return made


def _resolved(found: Match, flag: str) -> dict[str, Pick]:
    """Calls that are answered, handled and resolved in one go: the times follow from one another."""
    wait, handled = found.picks.get("wait_seconds"), found.picks.get("handle_minutes")
    made: dict[str, Pick] = {}
    offset: dict[str, Any] = {"base": "opened_at"}
    if wait and "first_response_at" not in found.picks:
        first = {"base": "opened_at", "add": wait.headers[0], "unit": _unit(found, wait.headers[0]) or "seconds"}
        made["first_response_at"] = Pick(
            "first_response_at", wait.headers, {"offsets": first}, "answered after the wait"
        )
        offset = {"base": "first_response_at"}
    if handled:
        offset |= {"add": handled.headers[0], "unit": _unit(found, handled.headers[0]) or "minutes"}
    end = "end of the handling" if handled else "opening"
    why = f"the export says whether, not when: the {end} stands in where it is resolved"
    lines = {"offsets": offset, "only_where": {flag: true_values(found.file.by_header[flag])}}
    return {**made, "resolved_at": Pick("resolved_at", (flag,), lines, why)}


def true_values(each: ColumnSample) -> list[str]:
    """The values of a flag that mean yes."""
    return [value for value in sorted(each.examined) if value.lower() in VOCABULARY.true_words]


def _channel(found: Match) -> dict[str, Pick]:
    """The channel, where a file of calls or chats has no column for it."""
    if found.table.name != "tickets" or "channel" in found.picks or "ticket_id" not in found.picks:
        return {}
    named = {*words(found.picks["ticket_id"].headers[0]), *words(found.file.stem)}
    channel = next((name for word, name in _CHANNELS.items() if word in named), "")
    return {"channel": Pick("channel", (), {"constants": channel}, "its rows are of one channel")} if channel else {}


def _price(found: Match) -> dict[str, Pick]:
    """MRR from a yearly figure, or from an amount and the period it is for."""
    if found.table.name != "subscriptions" or "mrr" in found.picks:
        return {}
    amounts = found.unused(lambda each: each.is_number)
    if yearly := first_match(amounts, HEADERS["yearly_price"]):
        lines: dict[str, Any] = {"columns": yearly, "scale": {"factor": 1 / 12}}
        return {"mrr": Pick("mrr", (yearly,), lines, "a yearly figure, a twelfth of it a month")}
    amount = first_match(amounts, HEADERS["price"])
    if not amount:
        return {}
    period = first_match(found.unused(lambda each: not each.is_number), HEADERS["price_period"])
    periods = sorted(found.file.by_header[period].examined) if period else []
    months = {value: TERM_MONTHS.get(squash(value), 0) for value in periods}
    if months and all(months.values()):
        lines = {"columns": amount, "scale": {"per": {period: months}}}
        return {"mrr": Pick("mrr", (amount, period), lines, f"an amount per '{period}'")}
    lines = {"columns": amount, "scale": {"factor": ASK}}
    question = (
        f"Which period '{amount}' is for cannot be seen: write at `subscriptions: scale: mrr: factor` 1 for a price a "
        "month, 0.0833333 for one per year."
    )
    return {"mrr": Pick("mrr", (amount,), lines, "an amount, its period unknown", "unsure", question)}


def _plan(found: Match) -> dict[str, Pick]:
    """The contract term in words as the plan, where the export has no plan."""
    term = found.picks.get("term_months")
    if found.table.name != "subscriptions" or "plan" in found.picks or not term or "values" not in term.lines:
        return {}
    why = "no column names a plan; the contract in words stands in"
    return {"plan": Pick("plan", term.headers, {"columns": term.headers[0]}, why)}


def _exit_survey(found: Match) -> dict[str, Pick]:
    """A file of churned accounts with a reason or a remark is an exit survey, dated by the day they left."""
    named = set(words(found.file.stem)) & set(ranks(HEADERS["churn_files"]))
    if found.table.name != "surveys" or not named or not {"reason", "comment"} & set(found.picks):
        return {}
    made = {name: Pick(name, (), {"constants": "exit"}, "a file of departures") for name in ("kind", "stage")}
    date = first_match(found.unused(lambda each: each.is_date), HEADERS["churn_date"])
    if date and not {"answered_at", "sent_at"} & set(found.picks):
        made["answered_at"] = Pick("answered_at", (date,), {"columns": date}, "the day they left")
    return {name: pick for name, pick in made.items() if name not in found.picks}


def _survey_kind(found: Match) -> dict[str, Pick]:
    """The kind of a survey, where the whole file is of one."""
    if found.table.name != "surveys" or "kind" in found.picks or "score" not in found.picks:
        return {}
    named = {word for text in (found.file.stem, *found.headers) for word in words(text)}
    kind = next((kind for kind in ("nps", "csat", "ces") if kind in named), "")
    why = f"the whole file is about {kind.upper()}"
    return {"kind": Pick("kind", (), {"constants": kind}, why)} if kind else {}


def _own_key(found: Match) -> dict[str, Any]:
    """The key of a table that has none in the contract: a header named for its rows whose values do not repeat."""
    if found.table.key or not found.picks:
        return {}
    names = (f"{found.table.name.rstrip('s')} id", f"{found.table.name} id", "event id", "row id", "id")
    header = first_match(found.unused(lambda each: each.is_unique(found.file.rows) and not each.is_date), names)
    return {"key": [header]} if header else {}
