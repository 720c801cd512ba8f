"""SQL expressions that turn the export's columns into typed columns of the contract; NULL for unreadable values.

Order of the steps: the header (or several joined, or a constant), translated values, only where, duration, scale,
offset, type. No row is read here; the engine does that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cs_helpers.data.contract.columns import Column
from cs_helpers.data.contract.formats import FALSE_WORDS, TRUE_WORDS, strptime_format
from cs_helpers.data.engines.duckdb import literal, quote
from cs_helpers.data.mapping import Offset, Scale, TableMapping

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
_CLOCK = r"[0-9]{1,6}:[0-5]?[0-9](:[0-5]?[0-9](\.[0-9]+)?)?"
_TIMES_OF_DAY = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f", " %I:%M %p")
ISO = "%Y-%m-%d"
_WRITTEN = {"date": ISO, "time": f"{ISO} %H:%M:%S", "time with zone": f"{ISO} %H:%M:%SZ"}


@dataclass(frozen=True)
class SourceExpression:
    """A column of the export as an SQL expression over the staged table, with the kind of its values."""

    sql: str
    kind: str  # text, date, time, time with zone, integer, number, flag
    shape: str = ""  # of a text: "number", "date" or "time" where every value is plainly one; see ``Staged.shape``

    @property
    def text(self) -> str:
        """The value as text, as a message may show it."""
        if self.kind == "text":
            return self.sql
        if pattern := _WRITTEN.get(self.kind):
            return f"strftime({self.sql}, '{pattern}')"
        if self.kind == "number":
            whole = f"CAST(CAST({self.sql} AS BIGINT) AS VARCHAR)"
            return (
                f"CASE WHEN {self.sql} = floor({self.sql}) AND abs({self.sql}) < 9e15 THEN {whole} "
                f"ELSE CAST({self.sql} AS VARCHAR) END"
            )
        return f"CAST({self.sql} AS VARCHAR)"


@dataclass(frozen=True)
class Reader:
    """Reads the values of one table: its decimal sign, time zone, and the kinds of its columns."""

    entry: TableMapping
    kinds: Mapping[str, str]  # header -> kind of its values
    decimal: str = "."
    shapes: Mapping[str, str] = field(default_factory=dict)  # header -> shape of all its texts, where that is known

    @property
    def timezone(self) -> str:
        return self.entry.timezone or "UTC"

    def date_format(self, column: str) -> str:
        return self.entry.date_formats.get(column) or self.entry.date_format or "YYYY-MM-DD"

    def header(self, name: str) -> SourceExpression:
        """A header of the export."""
        return SourceExpression(quote(name), self.kinds[name], self.shapes.get(name, ""))

    def source(self, column: str, header: str | None) -> SourceExpression | None:
        """The export's own value for a column, before it is typed; None where the export does not have it."""
        entry = self.entry
        if column in entry.joined:
            parts = [self.header(name).text for name in entry.joined[column] if name in self.kinds]
            found = SourceExpression(f"nullif(concat_ws(' ', {', '.join(parts)}), '')", "text") if parts else None
        elif column in entry.constants:
            found = SourceExpression(f"nullif({literal(entry.constants[column].strip())}, '')", "text")
        else:
            found = self.header(header) if header in self.kinds and header is not None else None
        if found is None:
            return None
        if words := entry.values.get(column):
            cases = " ".join(
                f"WHEN {literal(word.strip().lower())} THEN nullif({literal(meant)}, '')"
                for word, meant in words.items()
            )
            text = found.text
            found = SourceExpression(f"CASE lower(trim({text})) {cases} ELSE {text} END", "text")
        limited = self._only_where(column, found.sql)
        return found if limited == found.sql else SourceExpression(limited, found.kind)

    def _only_where(self, column: str, sql: str) -> str:
        """The expression where every header that the mapping names has one of its values, elsewhere NULL."""
        conditions = [self.has_one_of(*each) for each in self.entry.only_where.get(column, {}).items()]
        return f"CASE WHEN {' AND '.join(conditions)} THEN {sql} END" if conditions else sql

    def has_one_of(self, header: str, values: Sequence[str]) -> str:
        """SQL condition: the header has one of the values, in any case; an empty text means an empty field."""
        wanted = ", ".join(literal(value.strip().lower()) for value in values)
        return f"(coalesce(lower(trim({self.header(header).text})), '') IN ({wanted}))"

    def typed(self, column: Column, found: SourceExpression) -> str:
        """The value in the type the contract stores; NULL where it is missing or cannot be read."""
        if unit := self.entry.durations.get(column.name):
            return _stored_number(_duration(found, unit, column.name, self.decimal), column)
        if column.kind in ("money", "integer", "number"):
            if scale := self.entry.scale.get(column.name):
                return _stored_number(self._scaled(found, scale), column)
            return _number_of_kind(found, column, self.decimal)
        if column.kind == "flag":
            return _flag(found)
        if column.kind in ("date", "time"):
            return self._day_or_time(column, found)
        return found.text

    def _scaled(self, found: SourceExpression, scale: Scale) -> str:
        parts = [as_number(found, self.decimal), *(as_number(self.header(name), self.decimal) for name in scale.times)]
        value = " * ".join(f"({part})" for part in parts)
        for header, factors in scale.by.items():
            value = f"({value}) * {self._looked_up(header, factors)}"
        for header, divisors in scale.per.items():
            value = f"({value}) / {self._looked_up(header, divisors)}"
        return f"({value}) * {scale.factor!r}"

    def _looked_up(self, header: str, numbers: Mapping[str, float]) -> str:
        """The number listed for a header's value; NULL for a value that is not listed."""
        cases = " ".join(f"WHEN {literal(word.strip().lower())} THEN {number!r}" for word, number in numbers.items())
        return f"(CASE lower(trim({self.header(header).text})) {cases} END)"

    def offset(self, column: Column, offset: Offset, bases: Mapping[str, str]) -> str:
        """A day or time as another one plus or minus a number of units."""
        base = bases.get(offset.base) or f"TIMESTAMP {literal(offset.base)}"
        header = offset.add or offset.subtract
        moved = f"CAST({base} AS TIMESTAMP)"
        if header is not None:
            sign = "" if offset.add else "-"
            count = f"{sign}({self._count(header, offset.unit)})"
            # A number that leads beyond all calendars gives no date, which the checks then report.
            seconds = _SECONDS.get(offset.unit)
            count = f"CASE WHEN abs({count}) <= {1e11 / seconds if seconds else 1e4!r} THEN {count} END"
            if seconds:
                moved += f" + to_microseconds(CAST(round(({count}) * {seconds} * 1e6) AS BIGINT))"
            else:
                moved += f" + to_months(CAST(round(({count}) * {12 if offset.unit == 'years' else 1}) AS BIGINT))"
        return self._only_where(column.name, f"CAST({moved} AS {column.sql_type})")

    def _count(self, header: str, unit: str) -> str:
        """A header's number of units; a clock text such as 00:02:23 counts seconds."""
        found = self.header(header)
        if found.kind == "text" and unit in _SECONDS:
            clock = f"{_clock_seconds(found.sql, 'HH:mm:ss')} / {_SECONDS[unit]}.0"
            return f"coalesce({clock}, {as_number(found, self.decimal)})"
        return as_number(found, self.decimal)

    def _day_or_time(self, column: Column, found: SourceExpression) -> str:
        if found.kind == "date":
            return f"CAST({found.sql} AS {column.sql_type})"
        if found.kind == "time with zone":
            local = f"CAST(timezone({literal(self.timezone)}, timezone('UTC', {found.sql})) AS DATE)"
            return found.sql if column.kind == "time" else local
        if column.name in self.entry.constants and column.name not in self.entry.values:
            moment = f"TRY_CAST({found.sql} AS TIMESTAMP)"
        elif found.kind == "time":
            moment = found.sql
        else:
            moment = self._from_text(column, found)
        if column.kind == "date":
            return f"CAST({moment} AS DATE)"
        return moment if found.kind == "text" else utc(moment, self.timezone)

    def _from_text(self, column: Column, found: SourceExpression) -> str:
        """Text as a moment: UTC for a time column, the day as written for a date column."""
        declared, text, is_day = self.date_format(column.name), found.text, column.kind == "date"
        zone = literal(self.timezone if is_day else "UTC")
        if declared == "excel":
            days = as_number(found, self.decimal)
            moment = f"TIMESTAMP '1899-12-30' + to_microseconds(CAST(round(({days}) * 86400) AS BIGINT) * 1000000)"
            return moment if is_day else utc(moment, self.timezone)
        if declared == "unix":
            seconds = as_number(found, self.decimal)
            moment = f"TIMESTAMP '1970-01-01' + to_microseconds(CAST(round(({seconds}) * 1e6) AS BIGINT))"
            return f"timezone({zone}, timezone('UTC', {moment}))" if is_day else moment
        pattern = strptime_format(declared)
        if "%z" in pattern:
            return f"timezone({zone}, try_strptime({text}, {literal(pattern)}))"
        if pattern == ISO:
            return self._iso(column, text, found.shape)
        plain = f"try_strptime({text}, {_patterns(pattern)})"
        local = plain if is_day else utc(plain, self.timezone)
        if not pattern.startswith(ISO):
            return local
        zoned = f"TRY_CAST({text} AS TIMESTAMP WITH TIME ZONE)"
        return f"CASE WHEN {_has_zone(text)} THEN timezone({zone}, {zoned}) ELSE {local} END"

    def _iso(self, column: Column, text: str, shape: str) -> str:
        """The usual way to write a day, with the engine's own fast parser where it cannot misread."""
        is_day = column.kind == "date"
        if shape == "date" and is_day:
            return f"TRY_CAST({text} AS DATE)"
        moment, zoned = f"TRY_CAST({text} AS TIMESTAMP)", f"TRY_CAST({text} AS TIMESTAMP WITH TIME ZONE)"
        local = moment if is_day else utc(moment, self.timezone)
        if shape in ("date", "time"):
            return local
        digit = f"{text} >= '0' AND {text} < ':'"  # the engine knows words such as epoch and infinity
        zone = literal(self.timezone if is_day else "UTC")
        found = f"CASE WHEN {_has_zone(text)} THEN timezone({zone}, {zoned}) ELSE {local} END"
        if is_day:
            day = f"CAST(TRY_CAST({text} AS DATE) AS TIMESTAMP)"
            found = f"CASE WHEN length({text}) <= 10 THEN {day} ELSE {found} END"
        elif self.timezone == "UTC":
            # The engine's TIMESTAMP reads over an offset such as +02:00, so only shapes without one go the fast way.
            plain = (
                f"length({text}) <= 16 OR length({text}) = 19 AND substr({text}, 17, 1) = ':' "
                f"OR length({text}) = 20 AND ends_with({text}, 'Z')"
            )
            found = f"CASE WHEN {plain} THEN {moment} ELSE timezone('UTC', {zoned}) END"
        return f"CASE WHEN {digit} THEN {found} END"

    def impossible(self, column: Column, found: SourceExpression) -> str:
        """Whether a local time does not exist in the zone: the hour that clocks skip in spring."""
        if column.kind != "time" or self.timezone == "UTC" or found.kind not in ("text", "time"):
            return ""
        if found.kind == "time":
            local = found.sql
        else:
            declared = self.date_format(column.name)
            if declared in ("excel", "unix") or "%z" in (pattern := strptime_format(declared)):
                return ""
            local = f"try_strptime({found.text}, {_patterns(pattern)})"
            if pattern == ISO:
                local = f"CASE WHEN NOT {_has_zone(found.text)} THEN TRY_CAST({found.text} AS TIMESTAMP) END"
        zone = literal(self.timezone)
        return f"coalesce(timezone({zone}, timezone({zone}, {local})) <> {local}, FALSE)"


def utc(moment: str, timezone: str) -> str:
    """A local time as UTC."""
    return moment if timezone == "UTC" else f"timezone('UTC', timezone({literal(timezone)}, {moment}))"


def _has_zone(text: str) -> str:
    """Whether an ISO time names its zone."""
    return f"regexp_matches({text}, '[T ].*(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$')"


def _patterns(pattern: str) -> str:
    """The declared format, and where it ends with a day also that day with a time: no order is guessed by it."""
    if "%H" in pattern or "%I" in pattern:
        return literal(pattern)
    return f"[{', '.join(literal(pattern + time) for time in _TIMES_OF_DAY)}]"


def as_number(found: SourceExpression, decimal: str) -> str:
    """A finite DOUBLE, or NULL. Signs of currencies and separators of thousands that leave no doubt are read over."""
    if found.kind in ("integer", "number"):
        value = f"CAST({found.sql} AS DOUBLE)"
        return value if found.kind == "integer" else f"CASE WHEN isfinite({value}) THEN {value} END"
    if found.kind != "text":
        return "CAST(NULL AS DOUBLE)"
    if found.shape == "number" and decimal == ".":
        return f"TRY_CAST({found.sql} AS DOUBLE)"
    return _parsed(found.sql, decimal, "DOUBLE")


_MONEY_SIGNS = "[€$£¥]"
_MAX_CENTS = 900_000_000_000_000_000  # cents; used for every amount that is too large for a BIGINT


def _parsed(text: str, decimal: str, kind: str) -> str:
    """Text as a number of that SQL type. With a decimal point plain digits are tried first: it is the fast way."""
    other = "." if decimal == "," else ","
    bare = f"trim(regexp_replace({text}, '{_MONEY_SIGNS}', '', 'g'))"
    shape = rf"[-+]?([0-9]+|[0-9]{{1,3}}([{other}''’  ][0-9]{{3}})+)([{decimal}][0-9]*)?|[-+]?[{decimal}][0-9]+"
    digits = f"replace(regexp_replace({bare}, '[{other}''’  ]', '', 'g'), '{decimal}', '.')"
    careful = f"CASE WHEN regexp_full_match({bare}, '{shape}') THEN TRY_CAST({digits} AS {kind}) END"
    if decimal == ",":
        return careful
    direct = f"TRY_CAST({text} AS {kind})"
    finite = f"isfinite({direct})" if kind == "DOUBLE" else f"{direct} IS NOT NULL"
    return f"coalesce(CASE WHEN NOT contains({text}, '_') AND {finite} THEN {direct} END, {careful})"


def _number_of_kind(found: SourceExpression, column: Column, decimal: str) -> str:
    if column.kind == "money" and found.shape == "number" and decimal == ".":
        return f"CAST(round(TRY_CAST({found.sql} AS DECIMAL(38,6)) * 100) AS BIGINT)"
    if column.kind == "money" and found.kind == "text":
        exact, huge = _cents(_parsed(found.sql, decimal, "DECIMAL(38,6)")), _parsed(found.sql, decimal, "DOUBLE")
        return f"coalesce({exact}, CASE WHEN abs({huge}) > 1e15 THEN CAST(sign({huge}) * {_MAX_CENTS} AS BIGINT) END)"
    if column.kind == "money" and found.kind in ("integer", "number"):
        return _cents(as_number(found, decimal))
    return _stored_number(as_number(found, decimal), column)


def _cents(value: str) -> str:
    """Whole cents; beyond what a BIGINT holds, the largest one, which the range check then names."""
    return (
        f"CASE WHEN abs({value}) < 1e15 THEN CAST(round(({value}) * 100) AS BIGINT) "
        f"WHEN {value} > 0 THEN {_MAX_CENTS} WHEN {value} < 0 THEN -{_MAX_CENTS} END"
    )


def _stored_number(value: str, column: Column) -> str:
    if column.kind == "money":
        return _cents(f"TRY_CAST({value} AS DECIMAL(38,6))")
    if column.kind == "integer":
        return (
            f"CASE WHEN ({value}) = floor({value}) AND abs({value}) < 9007199254740992 THEN CAST({value} AS BIGINT) END"
        )
    return value


def _flag(found: SourceExpression) -> str:
    if found.kind == "flag":
        return found.sql
    word = f"lower(trim({found.text}))"
    true, false = (", ".join(map(literal, words)) for words in (TRUE_WORDS, FALSE_WORDS))
    return f"CASE WHEN {word} IN ({true}) THEN TRUE WHEN {word} IN ({false}) THEN FALSE END"


def _clock_seconds(text: str, unit: str) -> str:
    parts = [f"TRY_CAST(nullif(split_part({text}, ':', {n}), '') AS DOUBLE)" for n in (1, 2, 3)]
    if unit == "mm:ss":
        seconds = f"{parts[0]} * 60 + {parts[1]}"
    else:
        seconds = f"{parts[0]} * 3600 + {parts[1]} * 60 + coalesce({parts[2]}, 0)"
    return f"CASE WHEN regexp_full_match({text}, '{_CLOCK}') THEN {seconds} END"


def _duration(found: SourceExpression, unit: str, column: str, decimal: str) -> str:
    """A length of time in the column's own unit."""
    target = target_unit(column)
    if unit in ("HH:mm:ss", "mm:ss"):
        return f"{_clock_seconds(found.text, unit)} / {_SECONDS[target]}.0" if target in _SECONDS else "NULL"
    value = as_number(found, decimal)
    if unit == target:
        return value
    if unit in _SECONDS and target in _SECONDS:
        return f"({value}) * {_SECONDS[unit]} / {_SECONDS[target]}.0"
    factor = {("years", "months"): "12", ("months", "years"): "1 / 12.0"}.get((unit, target))
    return f"({value}) * {factor}" if factor else "CAST(NULL AS DOUBLE)"


def target_unit(column: str) -> str:
    """The unit the contract keeps a length of time in, by the column's name; "" where it is none."""
    return next((unit for unit in ("seconds", "minutes", "hours", "months") if column.endswith(unit)), "")
