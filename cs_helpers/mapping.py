"""What turns somebody's export into the contract: a YAML file, read strictly.

Every key is known or an error, every problem of a file is reported at once, and nothing is guessed. This
module is the only home of pydantic and yaml.
"""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cs_helpers.contract import TABLES, Table, strptime_format
from cs_helpers.errors import MappingError, did_you_mean
from cs_helpers.sources import display_name, locate

SetAside = Literal["end_before_start", "repeated_row", "orphan"]
Overlap = Literal["sum", "error"]
EndDate = Literal["first_unpaid_day", "last_paid_day"]


def _as_text(value: Any) -> Any:
    """YAML reads ``TRUE``, ``7`` and ``2024-01-31`` as other things than the text in the export."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) else value


def _as_list(value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(_as_text(item) for item in items)


def _as_texts(value: Any) -> Any:
    return {key: _as_text(item) for key, item in value.items()} if isinstance(value, dict) else value


def _as_headers(value: Any) -> Any:
    """A list of headers keeps their names; a mapping gives them new ones."""
    return {item: item for item in value} if isinstance(value, list) else value


def _date_format(value: str) -> str:
    try:
        strptime_format(value)
    except ValueError as error:
        raise ValueError(f"{error}. Write it like YYYY-MM-DD, DD-MM-YYYY, M/D/YYYY or %d.%m.%Y") from error
    return value


def _separator(value: str) -> str:
    written = "\t" if value in ("tab", "\\t") else value
    if len(written) != 1 or written in '"\r\n':
        raise ValueError(f'{value!r} is not one character. Write ",", ";", "|" or "tab"')
    return written


def _encoding(value: str) -> str:
    try:
        codec = codecs.lookup(value)
    except (LookupError, ValueError) as error:
        hint = did_you_mean(value, ["utf-8", "latin-1", "cp1252", "utf-16", "iso-8859-15"])
        raise ValueError(f"{value!r} is no encoding Python knows.{hint}") from error
    if not getattr(codec, "_is_text_encoding", True):  # rot13, base64, zip: the mark Python itself goes by
        raise ValueError(f"{value!r} is no text encoding. Write one like utf-8, latin-1, cp1252 or utf-16")
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError(f"{value!r} is no time zone.{did_you_mean(value, sorted(available_timezones()))}") from error
    return value


def _day(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        raise ValueError("give a day without a time, like 2024-12-31")
    if isinstance(value, dt.date) or value is None:
        return value
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else int("no day")
    except ValueError as error:
        raise ValueError(f"{value!r} is not a day written like 2024-12-31") from error


Text = Annotated[str, Field(min_length=1)]
DateFormat = Annotated[Text, AfterValidator(_date_format)]
Separator = Annotated[Text, AfterValidator(_separator)]
Encoding = Annotated[Text, AfterValidator(_encoding)]
Day = Annotated[dt.date, BeforeValidator(_day)]
Texts = Annotated[dict[str, str], BeforeValidator(_as_texts)]
Lists = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TableMapping(_Strict):
    """Which file feeds a table and how its columns are called there.

    ``columns``: contract name -> header (null: do not read it); a column not named here is read from the
    header of its own name. ``end_date_is`` (subscriptions): which day the export's end is; with
    ``last_paid_day`` one day is added on reading. ``attributes`` (accounts): the further headers to keep, as a
    list or as new name -> header; absent, all are kept. ``drop_where``: header -> value or values of rows to leave out.
    """

    file: Text | None = None
    columns: dict[str, str | None] = {}
    attributes: Annotated[dict[str, str] | None, BeforeValidator(_as_headers)] = None
    constants: Texts = {}
    drop_where: dict[str, Lists] = {}
    values: dict[str, Texts] = {}
    date_format: DateFormat | None = None
    separator: Separator | None = None
    encoding: Encoding | None = None
    decimal: Literal[".", ","] | None = None
    end_date_is: EndDate | None = None


class ChurnRecord(_Strict):
    """Another place where the export says who left: compared with the paid periods, never used for figures.

    With ``flag`` the rows whose flag is one of ``true_values`` count, without it every row does; ``date``
    lets rows from ``as_of`` on be left out.
    """

    name: Text
    file: Text
    account_id: Text = "account_id"
    flag: Text | None = None
    true_values: Lists = ("true", "yes", "y", "1")
    date: Text | None = None


class Mapping(_Strict):
    """A whole mapping file. Without ``tables`` the files and columns have the contract's own names."""

    version: Literal[1] = 1
    company: Text | None = None
    currency: Text | None = None
    timezone: Annotated[Text, AfterValidator(_timezone)] = "UTC"
    date_format: DateFormat = "YYYY-MM-DD"
    separator: Separator = ","
    encoding: Encoding = "utf-8"
    decimal: Literal[".", ","] = "."
    end_date_is: EndDate = "first_unpaid_day"
    observed_from: Day | None = None
    data_through: Day | None = None
    set_aside: tuple[SetAside, ...] = ()
    overlap: Overlap = "sum"
    tables: dict[str, TableMapping] = {}
    churn_records: tuple[ChurnRecord, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _lists_as_tuples(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}

    def table(self, name: str) -> TableMapping:
        """The entry of one table with the file-wide settings filled in."""
        entry = self.tables.get(name, TableMapping())
        return entry.model_copy(
            update={
                "file": entry.file or f"{name}.csv",
                "date_format": entry.date_format or self.date_format,
                "separator": entry.separator or self.separator,
                "encoding": entry.encoding or self.encoding,
                "decimal": entry.decimal or self.decimal,
                "end_date_is": entry.end_date_is or self.end_date_is,
            }
        )


def find_mapping(folder: Path, mapping: str | Path | Mapping | None) -> Mapping:
    """The mapping given, else ``mapping.yml`` in the folder, else the contract's own names and ISO dates.

    An empty text is no mapping given: parameters of notebooks cannot be None.
    """
    if isinstance(mapping, Mapping):
        return mapping
    if mapping:
        return read_mapping(mapping)
    own = folder / "mapping.yml"
    return read_mapping(own) if own.is_file() else Mapping()


def read_mapping(path: str | Path) -> Mapping:
    """The mapping in a YAML file. Raises MappingError with every problem of the file at once."""
    file, name = locate(path), display_name(Path(path).expanduser())
    raw = _read_yaml(file, name)
    if not isinstance(raw, dict):
        raise MappingError(f"{name}: the file holds no `key: value` lines.\n  Start with `version: 1`.")
    problems = [*_unknown_keys(raw), *_contradictions(raw)]
    try:
        mapping = Mapping.model_validate(raw)
    except ValidationError as error:
        problems += [_worded(each) for each in error.errors() if each["type"] != "extra_forbidden"]
    if problems:
        raise MappingError("\n".join(f"{name}: {problem}" for problem in problems))
    return mapping


# --- YAML -----------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML as usual, but a key that stands twice is an error instead of a silent overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict):
                continue
            if key in seen:
                twice = f"the key '{key}' stands twice"
                raise yaml.constructor.ConstructorError(None, None, twice, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _read_yaml(file: Path, name: str) -> Any:
    if not file.is_file():
        there = [entry.name for entry in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
        listed = f" There is: {', '.join(sorted(there)[:8])}." if there else ""
        raise MappingError(
            f"{name}: there is no such mapping file.{did_you_mean(file.name, there)}\n"
            f"  Give the path of a YAML file.{listed}"
        )
    try:
        return yaml.load(file.read_bytes().decode("utf-8-sig"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise MappingError(
            f"{name}{line}: this is not YAML: {what}.\n"
            "  Indent with spaces, put a space after each colon, and quotes around text with : # % or *."
        ) from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{name}: the file is not UTF-8.\n  Save it as UTF-8.") from error


# --- problems -------------------------------------------------------------------------------------------------


def _unknown(keys: Iterable[Any], known: Iterable[str], place: str, what: str = "key") -> list[str]:
    names = list(known)
    where = f" in {place}" if place else ""
    listed = f" Known are: {', '.join(names)}."
    return [
        f"unknown {what} '{key}'{where}.{did_you_mean(str(key), names) or listed}" for key in keys if key not in names
    ]


def _dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _unknown_keys(raw: dict[Any, Any]) -> list[str]:
    problems = _unknown(raw, Mapping.model_fields, "")
    for name, entry in _dict(raw.get("tables")).items():
        place = f"tables.{name}"
        if name not in TABLES:
            problems += _unknown([name], TABLES, "tables", "table")
            continue
        table = TABLES[name]
        problems += _unknown(_dict(entry), TableMapping.model_fields, place)
        problems += _unknown(_dict(_dict(entry).get("columns")), table.names, f"{place}.columns", "column")
        if not table.keeps_attributes:
            problems += _unknown(_dict(_dict(entry).get("constants")), table.names, f"{place}.constants", "column")
            if "attributes" in _dict(entry):
                problems.append(f"attributes in {place}: only accounts keep attributes. Leave the key out.")
        if "end_date" not in table.names and "end_date_is" in _dict(entry):
            problems.append(f"end_date_is in {place}: only subscriptions have an end_date. Leave the key out.")
        problems += _clashes(_dict(entry), table, place)
    records = raw.get("churn_records")
    for number, entry in enumerate(records if isinstance(records, list) else [], start=1):
        problems += _unknown(_dict(entry), ChurnRecord.model_fields, f"churn_records, entry {number}")
    return problems


def _clashes(entry: dict[Any, Any], table: Table, place: str) -> list[str]:
    """Names that are given two meanings within one table."""
    columns, attributes = _dict(entry.get("columns")), _as_headers(entry.get("attributes"))
    named = {name for name, header in columns.items() if header is not None}
    problems = [
        f"'{name}' has a header in {place}.columns and a value in {place}.constants. Keep one of them."
        for name in _dict(entry.get("constants"))
        if name in named
    ]
    problems += [
        f"'{name}' in {place}.attributes is a column of the contract. Put it under {place}.columns."
        for name in _dict(attributes)
        if name in table.names
    ]
    return problems


def _contradictions(raw: dict[Any, Any]) -> list[str]:
    try:
        first, last = _day(raw.get("observed_from")), _day(raw.get("data_through"))
    except ValueError:
        return []  # reported by the field itself
    if first and last and last < first:
        return [f"data_through {last} is before observed_from {first}. Both are days that were loaded."]
    return []


_TYPES = {"string_type": "text", "dict_type": "a list of `key: value`", "model_type": "a list of `key: value`",
          "tuple_type": "a list", "string_too_short": "text that is not empty"}  # fmt: skip


def _worded(error: Any) -> str:
    """One of pydantic's errors in our words: the place, the value, what would be right."""
    place, value, kind = _place(error["loc"]), error["input"], error["type"]
    if kind == "missing":
        return f"{place} is missing."
    if kind == "value_error":
        return f"{place}: {error['ctx']['error']}."
    if kind == "literal_error":
        allowed = [str(each) for each in get_args(SetAside) + get_args(Overlap) + get_args(EndDate)]
        expected = error["ctx"]["expected"]
        near = did_you_mean(str(value), [each for each in allowed if each in expected])
        return f"{place} {value!r} is not {expected.replace(chr(39), '')}.{near}"
    wanted = _TYPES.get(kind)
    quotes = " Put it in quotes." if kind == "string_type" and isinstance(value, bool | int | float | dt.date) else ""
    return f"{place}: {value!r} should be {wanted}.{quotes}" if wanted else f"{place}: {error['msg']}."


def _place(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f", entry {part + 1}" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text
