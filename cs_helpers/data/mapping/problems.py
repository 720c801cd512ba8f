"""The problems of a mapping file in words, all at once: the place, the value, and what would be right."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from cs_helpers.core.errors import did_you_mean
from cs_helpers.data.contract.columns import Column, Table
from cs_helpers.data.contract.formats import FALSE_WORDS, TRUE_WORDS
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping.model import (
    Also,
    ChurnRecord,
    ExportMapping,
    Offset,
    Scale,
    TableMapping,
    as_day,
    as_headers,
    as_list,
)

NAMED_BY_COLUMN = (
    "columns", "joined", "constants", "values", "only_where", "durations", "offsets", "scale", "date_formats",
)  # fmt: skip
GIVE_A_VALUE = ("columns", "joined", "constants", "offsets")  # a column gets its value from one of these
_CLOCK_UNITS = ("seconds", "minutes", "hours", "days", "weeks", "HH:mm:ss", "mm:ss")
_MONTH_UNITS = ("months", "years")
_NUMBERS = ("money", "integer", "number")
_TIMES = ("date", "time")


def length_unit(column: str) -> str:
    """The unit in which the contract keeps a length of time, by the column's name; "" where it is none."""
    return next((unit for unit in ("seconds", "minutes", "hours", "months") if column.endswith(unit)), "")


def as_dict(value: Any) -> dict[Any, Any]:
    """The ``key: value`` lines of an entry; empty for another type, which the model reports."""
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


# --- unknown keys ----------------------------------------------------------------------------------------------


def _unknown(keys: Iterable[Any], names: Iterable[str], place: str, what: str = "key") -> list[str]:
    names = list(names)
    where = f" in {place}" if place else ""
    listed = f" Known are: {', '.join(names)}."
    return [
        f"unknown {what} '{key}'{where}.{did_you_mean(str(key), names) or listed}" for key in keys if key not in names
    ]


def unknown_keys(raw: dict[Any, Any]) -> list[str]:
    """Keys, tables and columns that do not exist, each with the nearest one that does."""
    problems = []
    for key in raw:
        if key in TABLES:
            problems.append(f"unknown key '{key}': it is a table. Put it under tables: `tables: {{{key}: ...}}`.")
        else:
            problems += _unknown([key], ExportMapping.model_fields, "")
    for name, entry in as_dict(raw.get("tables")).items():
        if name not in TABLES:
            problems += _unknown([name], TABLES, "tables", "table")
        else:
            problems += _unknown_in_table(as_dict(entry), TABLES[name], f"tables.{name}")
    for number, record in enumerate(_listed(raw.get("churn_records")), start=1):
        problems += _unknown(as_dict(record), ChurnRecord.model_fields, f"churn_records, entry {number}")
    return problems


def _unknown_in_table(entry: dict[Any, Any], table: Table, place: str) -> list[str]:
    problems = []
    for key in entry:
        if key in table.names:
            problems.append(
                f"unknown key '{key}' in {place}: it is a column. Put it under columns: `columns: {{{key}: ...}}`."
            )
        else:
            problems += _unknown([key], TableMapping.model_fields, place)
    for key in NAMED_BY_COLUMN:
        for name, value in as_dict(entry.get(key)).items():
            problems += _unknown_column(name, value, table, f"{place}.{key}")
    for key, model in (("offsets", Offset), ("scale", Scale)):
        for name, value in as_dict(entry.get(key)).items():
            problems += _unknown(as_dict(value), model.model_fields, f"{place}.{key}.{name}")
    for number, also in enumerate(_listed(entry.get("also")), start=1):
        problems += _unknown(as_dict(also), Also.model_fields, f"{place}.also, entry {number}")
    return problems


def _unknown_column(name: Any, value: Any, table: Table, place: str) -> list[str]:
    if name in table.names:
        return []
    if place.endswith(".columns") and value in table.names:
        turned = f'"{name}"' if not str(name).isidentifier() else name
        return [
            f"unknown column '{name}' in {place}. The contract's name stands on the left, the header on the right: "
            f"`{value}: {turned}`."
        ]
    problem = _unknown([name], table.names, place, "column")
    if table.keeps_attributes and place.endswith(".columns") and not did_you_mean(str(name), table.names):
        problem = [f"{each} A column of your own goes under attributes." for each in problem]
    return problem


# --- keys that contradict each other ------------------------------------------------------------------------------


def contradictions(raw: dict[Any, Any]) -> list[str]:
    """Contradictions in a mapping, and entries that cannot have an effect."""
    problems = [*_days(raw), *_checks(raw), *_records(raw)]
    for name, entry in as_dict(raw.get("tables")).items():
        if name in TABLES and isinstance(entry, dict):
            for check in (_several_sources, _unread, _attributes, _offsets, _kinds, _fixed_values, _filters, _rest):
                problems += check(entry, TABLES[name], f"tables.{name}")
    return problems


def _days(raw: dict[Any, Any]) -> Iterator[str]:
    try:
        first, last = as_day(raw.get("observed_from")), as_day(raw.get("data_through"))
    except ValueError:
        return  # reported by the field itself
    if first and last and last < first:
        yield f"data_through {last} is before observed_from {first}. Both are days that were loaded."


def _checks(raw: dict[Any, Any]) -> Iterator[str]:
    tolerated = as_dict(raw.get("tolerance"))
    for check in _listed(raw.get("set_aside")):
        if isinstance(check, str) and check in tolerated:
            yield (
                f"'{check}' stands in set_aside, which has no limit, and in tolerance with {tolerated[check]}. "
                "Keep one of them."
            )


def _records(raw: dict[Any, Any]) -> Iterator[str]:
    records = [as_dict(record) for record in _listed(raw.get("churn_records"))]
    for name, times in Counter(str(record["name"]) for record in records if "name" in record).items():
        if times > 1:
            yield f"churn_records: {times} entries are called '{name}'. Give each a name of its own."
    for number, record in enumerate(records, start=1):
        if "true_values" in record and "flag" not in record:
            yield f"churn_records, entry {number}: true_values without a flag. Name the header of the flag as `flag`."


_SOURCE_NAMES = {"columns": "a header", "joined": "joined headers", "constants": "a value", "offsets": "another day"}


def _sources(entry: dict[Any, Any], name: str) -> list[str]:
    """The keys that give a column its value."""
    return [
        key
        for key in GIVE_A_VALUE
        if name in as_dict(entry.get(key)) and not (key == "columns" and entry["columns"][name] is None)
    ]


def _several_sources(entry: dict[Any, Any], table: Table, place: str) -> Iterator[str]:
    for name in table.names:
        keys = _sources(entry, name)
        if len(keys) > 1:
            problem = " and ".join(f"{_SOURCE_NAMES[key]} in {place}.{key}" for key in keys)
            yield f"'{name}' has {problem}. Keep one of them."
    for name, headers in as_dict(entry.get("joined")).items():
        if name in table.names and len(as_list(headers)) < 2:
            yield f"{place}.joined: '{name}' names one header. Put it under {place}.columns."


def _unread(entry: dict[Any, Any], table: Table, place: str) -> Iterator[str]:
    """Entries about how to read a column that is not read or has no text."""
    for name in table.names:
        null = name in as_dict(entry.get("columns")) and entry["columns"][name] is None
        sources = _sources(entry, name)
        for key in ("values", "only_where", "durations", "scale", "date_formats"):
            if name not in as_dict(entry.get(key)):
                continue
            if null and not sources:
                yield (
                    f"{place}.{key} speaks of '{name}', which `columns: {{{name}: null}}` leaves out. "
                    f"Take it out of {key}, or name its header."
                )
            elif sources == ["offsets"] and key != "only_where":
                yield f"{place}.{key}: '{name}' is counted by offsets; it has no text to read. Take it out of {key}."
            elif sources == ["constants"] and key == "date_formats":
                yield (
                    f"{place}.date_formats: '{name}' is a constant, and constants are written YYYY-MM-DD. "
                    "Take it out of date_formats."
                )


def _attributes(entry: dict[Any, Any], table: Table, place: str) -> Iterator[str]:
    keepers = " and ".join(name for name, each in TABLES.items() if each.keeps_attributes)
    if not table.keeps_attributes:
        for key in ("attributes", "outcome_only"):
            if entry.get(key) is not None:
                yield f"{key} in {place}: only {keepers} keep attributes. Leave the key out."
        return
    attributes = as_headers(entry.get("attributes"))
    for name in as_dict(attributes):
        if name in table.names:
            yield f"'{name}' in {place}.attributes is a column of the contract. Put it under {place}.columns."
    if isinstance(attributes, dict):
        names = [str(each) for pair in attributes.items() for each in pair]
        for name in as_list(entry.get("outcome_only") or ()):
            if name not in names:
                yield (
                    f"{place}.outcome_only: '{name}' is none of the attributes kept."
                    f"{did_you_mean(str(name), names) or ' Name it under attributes too, or leave it out.'}"
                )


def _offsets(entry: dict[Any, Any], table: Table, place: str) -> Iterator[str]:
    offsets = {name: each for name, each in as_dict(entry.get("offsets")).items() if isinstance(each, dict)}
    dated = [column.name for column in table.columns if column.kind in _TIMES]
    for name, offset in offsets.items():
        where, base = f"{place}.offsets.{name}", str(offset.get("base", ""))
        if name in table.names and name not in dated:
            yield f"{where}: {name} is no day or time ({table.column(name).kind}). Days are: {', '.join(dated)}."
        if offset.get("add") and offset.get("subtract"):
            yield f"{where}: both add and subtract. Keep one of them."
        if base and not _iso(base):
            if base not in dated:
                problem = (
                    "is no day or time" if base in table.names else "is neither a day like 2024-12-31 nor a column"
                )
                yield f"{where}: the base '{base}' {problem}.{did_you_mean(base, dated) or f' Take one of {dated}.'}"
            elif circle := _circle(offsets, name):
                if name == min(circle):  # reported once, not for each of them
                    yield f"{where}: counting from '{base}' leads back to '{name}'. Start from a column of the file."
            elif base in as_dict(entry.get("columns")) and not _sources(entry, base):
                yield f"{where}: the base '{base}' is left out by `columns: {{{base}: null}}`. Name its header."


def _circle(offsets: dict[str, Any], name: str) -> set[str]:
    """The columns that are counted from each other, if ``name`` is one of them."""
    seen: set[str] = set()
    at = name
    while at in offsets and at not in seen:
        seen.add(at)
        at = str(offsets[at].get("base", ""))
    return seen if at == name else set()


def _kinds(entry: dict[Any, Any], table: Table, place: str) -> Iterator[str]:
    """Ways of reading that do not fit the column's kind."""
    scaled = as_dict(entry.get("scale"))
    for name, unit in as_dict(entry.get("durations")).items():
        if name not in table.names:
            continue
        own = length_unit(name)
        fit = _MONTH_UNITS if own == "months" else _CLOCK_UNITS
        if not own:
            lengths = [each for each in table.names if length_unit(each)]
            fix = f"Those of {table.name} are: {', '.join(lengths)}." if lengths else f"{table.name} has none."
            yield f"{place}.durations: '{name}' is no length of time. {fix}"
        elif unit in _CLOCK_UNITS + _MONTH_UNITS and unit not in fit:
            yield (
                f"{place}.durations: '{name}' counts {own}, which {unit} cannot be turned into without guessing how "
                f"long a month is. Write one of {', '.join(fit)}."
            )
        if name in scaled:
            yield f"'{name}' stands in {place}.durations and in {place}.scale. Keep one of them."
    for key, kinds, what in (("scale", _NUMBERS, "number"), ("date_formats", _TIMES, "day or time")):
        for name in as_dict(entry.get(key)):
            if name in table.names and (kind := table.column(name).kind) not in kinds:
                yield f"{place}.{key}: '{name}' is no {what} ({kind}). Take it out."


def _fixed_values(entry: dict[Any, Any], table: Table, place: str) -> Iterator[str]:
    """Constants and translations that the column cannot hold."""
    for column in table.columns:
        constant = as_dict(entry.get("constants")).get(column.name)
        translated = as_dict(as_dict(entry.get("values")).get(column.name))
        what = _unfit(constant, column) if constant is not None else ""
        if what and _low(as_list(constant)[0]) not in {str(word).lower() for word in translated}:
            yield f"{place}.constants: {column.name} {what}"
        for word, meant in translated.items():
            if meant not in ("", None) and column.kind not in _TIMES and (what := _unfit(meant, column)):
                yield f"{place}.values.{column.name}: '{as_list(word)[0]}' is translated to what it cannot hold: {what}"


def _unfit(value: Any, column: Column) -> str:
    if isinstance(value, dict | list):
        return ""  # reported by the field itself
    text = as_list(value)[0].strip()
    if column.one_of and text.lower() not in column.one_of:
        allowed = f"{', '.join(column.one_of[:-1])} or {column.one_of[-1]}"
        return f"'{text}' is not {allowed}.{did_you_mean(text, column.one_of)}"
    if column.kind == "flag" and text.lower() not in (*TRUE_WORDS, *FALSE_WORDS):
        return f"'{text}' is neither true nor false. Write true or false."
    if column.kind in _NUMBERS and not _number(text):
        return f"'{text}' is no number. Write it with digits and a point, like 12.5."
    if column.kind in _TIMES and not _iso(text):
        return f"'{text}' is not a day written like 2024-12-31."
    return ""


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower().strip("+-") not in ("nan", "inf", "infinity")


def _iso(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return text[4:5] == "-" and len(text) >= 10


def _filters(entry: dict[Any, Any], _: Table, place: str) -> Iterator[str]:
    drop, keep = as_dict(entry.get("drop_where")), as_dict(entry.get("keep_where"))
    for key, where in (("drop_where", drop), ("keep_where", keep)):
        for header, values in where.items():
            if isinstance(values, list) and not values:
                yield f"{place}.{key}: '{header}' names no value. Name the values, or take it out."
    for header in [header for header in drop if header in keep]:
        kept = set(map(_low, as_list(keep[header])))
        if named := ", ".join(f"'{value}'" for value in as_list(drop[header]) if _low(value) in kept):
            yield f"{place}: keep_where keeps and drop_where drops {named} of '{header}'. Keep one of them."


def _low(value: Any) -> str:
    return str(value).strip().lower()


def _rest(entry: dict[Any, Any], table: Table, place: str) -> Iterator[str]:
    if entry.get("key") and table.key:
        own = ", ".join(table.key)
        yield f"key in {place}: {table.name} have a key of their own ({own}). Name its header under columns instead."
    if "end_date_is" in entry and table.name != "subscriptions":
        yield f"end_date_is in {place}: only subscriptions have an end_date. Leave the key out."
    for number, also in enumerate(_listed(entry.get("also")), start=1):
        second = as_dict(also).get("file")
        if second and second == entry.get("file") and as_dict(also).get("sheet") == entry.get("sheet"):
            yield f"{place}.also, entry {number}: '{second}' is the table's own file. Name the second one."
    for name, scale in as_dict(entry.get("scale")).items():
        for key in ("per", "by"):
            for header, words in as_dict(as_dict(scale).get(key)).items():
                if isinstance(words, dict) and not words:
                    yield f"{place}.scale.{name}.{key}: '{header}' names no value. Write each value and its number."


# --- what pydantic found -----------------------------------------------------------------------------------------

_TYPES = {
    "string_type": "text", "dict_type": "a list of `key: value`", "model_type": "a list of `key: value`",
    "model_attributes_type": "a list of `key: value`", "tuple_type": "a list",
    "string_too_short": "text that is not empty",
    "bool_type": "true or false", "int_type": "a whole number", "float_type": "a number", "float_parsing": "a number",
    "too_short": "at least one entry", "int_parsing": "a whole number",
}  # fmt: skip
_BOUNDS = {"greater_than": ("more than", "gt"), "greater_than_equal": ("at least", "ge"),
           "less_than_equal": ("at most", "le")}  # fmt: skip


def type_problem(error: Any) -> str:
    """The message for one of pydantic's errors: the place, the value, what would be right."""
    place, value, kind = _place(error["loc"]), error["input"], error["type"]
    value = list(value) if isinstance(value, tuple) else value
    if kind == "missing":
        return f"{place} is missing. Add it."
    if kind == "value_error":
        return f"{place}: {str(error['ctx']['error']).rstrip('.')}."
    if kind == "literal_error":
        expected = error["ctx"]["expected"].replace("'", "")
        words = expected.replace(" or ", ", ").split(", ")
        return f"{place} {value!r} is not {expected}.{did_you_mean(str(value), words)}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{place}: {value} should be {words} {error['ctx'][bound]:g}."
    wanted = _TYPES.get(kind)
    quotes = " Put it in quotes." if kind == "string_type" and isinstance(value, bool | int | float | dt.date) else ""
    shown = "nothing" if value is None else repr(value)
    return f"{place}: {shown} should be {wanted}.{quotes}" if wanted else f"{place}: {error['msg']}."


def _place(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        if part != "[key]":  # pydantic's name for the key
            text += f", entry {part + 1}" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text
