"""The keys of a mapping file as strict models: an unknown key is an error, and nothing is guessed.

A column of the contract is made in this order: (1) the text of its header, of ``joined`` headers, or a
constant; (2) ``values`` translates it; (3) ``only_where`` empties it elsewhere; (4) ``durations`` or (5) ``scale`` turn
it into the contract's unit; (6) ``offsets`` makes a day or time out of another one; then it is read as its kind, dates
with ``date_formats`` before ``date_format`` before the file's, times without a zone in ``timezone``.
"""

from __future__ import annotations

import codecs
import datetime as dt
from contextlib import suppress
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cs_helpers.core.errors import did_you_mean
from cs_helpers.data.contract.formats import strptime_format

CHECKS = (
    "orphan", "end_before_start", "repeated_key", "repeated_row", "missing_value", "unreadable_date",
    "unreadable_value", "date_out_of_range", "value_out_of_range", "not_allowed", "impossible_time",
)  # fmt: skip
FILE_WIDE = ("date_format", "timezone", "separator", "encoding", "decimal", "end_date_is")
EndDate = Literal["first_unpaid_day", "last_paid_day"]
Unit = Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years"]
Duration = Literal["HH:mm:ss", "mm:ss", Unit]


def _as_text(value: Any) -> Any:
    """A value as the text in the export: YAML reads ``TRUE``, ``7`` and ``2024-01-31`` as other types."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) else value


def as_list(value: Any) -> Any:
    """One value, or several, as texts; a list within a list is left as it is and refused."""
    return tuple(map(_as_text, value if isinstance(value, list | tuple) else [value]))


def _text_keys(value: Any) -> Any:
    """Keys as text: a header may be called 2024."""
    return {_as_text(key): item for key, item in value.items()} if isinstance(value, dict) else value


def _as_texts(value: Any) -> Any:
    return {_as_text(key): _as_text(item) for key, item in value.items()} if isinstance(value, dict) else value


def as_headers(value: Any) -> Any:
    """A list of headers keeps their names; a mapping gives them new ones."""
    if isinstance(value, list | tuple) and not any(isinstance(item, list | tuple | dict) for item in value):
        return {_as_text(item): _as_text(item) for item in value}
    return _as_texts(value)


def as_pairs(value: Any) -> Any:
    """``on: customerID`` is the header in both files; ``on: {CustomerID: Customer ID}`` is first -> second file."""
    return {value: value} if isinstance(value, str) else as_headers(value)


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


def as_day(value: Any) -> Any:
    """A day as written in a mapping. Raises ValueError."""
    if isinstance(value, dt.datetime):
        raise ValueError("give a day without a time, like 2024-12-31")
    if isinstance(value, dt.date) or value is None:
        return value
    if isinstance(value, str) and len(value) == 10:
        with suppress(ValueError):
            return dt.date.fromisoformat(value)
    raise ValueError(f"{value!r} is not a day written like 2024-12-31")


def _check(value: str) -> str:
    if value not in CHECKS:
        raise ValueError(f"{value!r} is no check.{did_you_mean(value, CHECKS)} Checks are: {', '.join(CHECKS)}")
    return value


Text = Annotated[str, Field(min_length=1)]
DateFormat = Annotated[Text, AfterValidator(_date_format)]
Separator = Annotated[Text, AfterValidator(_separator)]
Encoding = Annotated[Text, AfterValidator(_encoding)]
TimeZone = Annotated[Text, AfterValidator(_timezone)]
Day = Annotated[dt.date, BeforeValidator(as_day)]
Texts = Annotated[dict[str, str], BeforeValidator(_as_texts)]
Lists = Annotated[tuple[str, ...], BeforeValidator(as_list)]
Headers = Annotated[dict[str, Text], BeforeValidator(as_headers)]
_TEXT_KEYS = BeforeValidator(_text_keys)
Where = Annotated[dict[str, Lists], _TEXT_KEYS]
Factor = Annotated[float, Field(ge=0, strict=False)]
Divisor = Annotated[float, Field(gt=0, strict=False)]
Check = Annotated[Text, AfterValidator(_check)]
Share = Annotated[float, Field(ge=0, le=1, strict=False)]
RowNumber = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _lists_as_tuples(cls, raw: Any) -> Any:
        """YAML has lists; a frozen model holds tuples."""
        if not isinstance(raw, dict):
            return raw
        return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}


class Offset(_Strict):
    """A day or time as another one plus or minus a length: ``first_response_at = opened_at + minutes``.

    ``base`` is a contract column of the same table or a day; ``add`` or ``subtract`` is a header whose number counts
    ``unit``. Without either, the base itself. An empty number leaves the column empty.
    """

    base: Annotated[Text, BeforeValidator(_as_text)]
    add: Text | None = None
    subtract: Text | None = None
    unit: Unit = "days"


class Scale(_Strict):
    """A number as written, times other headers, per period, times a factor: the MRR of a yearly price per seat.

    value = header x every header of ``times`` x the number that ``by`` gives for another header's value / the number
    that ``per`` gives for another header's value x ``factor``. Values are compared without regard to case; one that is
    not listed leaves the column empty.
    """

    times: Lists = ()
    by: Annotated[dict[str, Annotated[dict[str, Factor], _TEXT_KEYS]], _TEXT_KEYS] = {}
    per: Annotated[dict[str, Annotated[dict[str, Divisor], _TEXT_KEYS]], _TEXT_KEYS] = {}
    factor: Divisor = 1.0


class Also(_Strict):
    """A second file whose columns are joined to the table's file by a key: a left join.

    ``on`` is the header of the key in both files, or this table's header -> the second file's. ``headers`` are those to
    take, as a list or as new name -> header; absent, all of them but the key. The key must not repeat in the second
    file; a row without a partner gets empty fields; a header that both files have must be renamed or left out.
    """

    file: Text
    sheet: Text | None = None
    header_row: RowNumber | None = None
    on: Annotated[dict[str, Text], BeforeValidator(as_pairs), Field(min_length=1)]
    headers: Headers | None = None


def _in_order(offsets: dict[str, Offset]) -> dict[str, Offset]:
    """Offsets after those that they start from; a circle is left as it is and reported elsewhere."""
    placed: dict[str, Offset] = {}
    waiting = dict(offsets)
    while waiting:
        ready = [name for name, offset in waiting.items() if offset.base not in waiting]
        for name in ready or list(waiting):
            placed[name] = waiting.pop(name)
    return placed


class TableMapping(_Strict):
    """The file of a table and the headers of its columns there.

    ``file`` is a file of the folder, a sheet of the workbook or a table of the database; ``sheet`` and ``header_row``
    are for workbooks, ``sheet`` is passed over in text files. ``also``: further files whose headers are found by a key.
    ``columns``: contract name -> header (null: do not read it); a column not named here is read from the header of its
    own name. ``joined``: contract name -> headers whose texts are joined with a space (a date and a time), to be read
    with the column's date format. ``attributes`` (accounts, reps): the further headers to keep, as a list or as new
    name -> header; absent, all are kept; those named in ``outcome_only`` exist only because of the outcome and never
    enter a model. ``values`` translates values, ``constants`` fills whole columns (dates are written YYYY-MM-DD there),
    ``only_where``: contract name -> header -> values: elsewhere the column is empty. ``drop_where`` / ``keep_where``:
    header -> values of the rows to leave out / to keep. Values are compared whole, without the space around them and
    without regard to case; an empty text means an empty field. ``durations``: contract name -> the unit it is written
    in, or ``HH:mm:ss``. ``offsets``: a day or time counted from another one. ``scale``: a number times others. ``key``:
    headers that should not repeat, where the table has no key of its own; repeats give a warning, and all rows count.
    ``date_format`` holds for the table, ``date_formats`` for one column; ``excel`` counts days from 1899-12-30,
    ``unix`` seconds from 1970. ``end_date_is`` (subscriptions): which day the export's end is. ``use``: take this table
    from another mapping; see ``using``.
    """

    use: Text | None = None
    file: Text | None = None
    sheet: Text | None = None
    header_row: RowNumber | None = None
    also: tuple[Also, ...] = ()
    columns: Annotated[dict[str, Text | None], BeforeValidator(_as_texts)] = {}
    joined: dict[str, Lists] = {}
    attributes: Headers | None = None
    outcome_only: Lists = ()
    constants: Texts = {}
    values: dict[str, Texts] = {}
    only_where: dict[str, Where] = {}
    drop_where: Where = {}
    keep_where: Where = {}
    durations: dict[str, Duration] = {}
    offsets: Annotated[dict[str, Offset], AfterValidator(_in_order)] = {}
    scale: dict[str, Scale] = {}
    key: Lists = ()
    date_format: DateFormat | None = None
    date_formats: dict[str, DateFormat] = {}
    timezone: TimeZone | None = None
    separator: Separator | None = None
    encoding: Encoding | None = None
    decimal: Literal[".", ","] | None = None
    end_date_is: EndDate | None = None


class ChurnRecord(_Strict):
    """Another record of who left: compared with the paid periods, never used for figures.

    With ``flag`` the rows whose flag is one of ``true_values`` count, without it every row does; ``date``
    lets rows from ``as_of`` on be left out.
    """

    name: Text
    file: Text
    account_id: Text = "account_id"
    flag: Text | None = None
    true_values: Lists = ("true", "yes", "y", "1")
    date: Text | None = None


class ExportMapping(_Strict):
    """A whole mapping file. Without ``tables`` the files and columns have the contract's own names.

    ``use``: the ready mappings, or files, that this one builds on; their entries are filled in when the file is read.
    ``partial``: the export holds only a part of the company (such as a help desk), so that even accounts and
    subscriptions may be absent. ``tolerance``: check -> share of a table's rows up to which its breaches are set aside
    instead of stopping everything; ``set_aside`` names checks without limit. ``separator``, ``encoding`` and
    ``decimal`` are found out and reported where they are not given; a date format is never guessed.
    """

    version: Literal[1] = 1
    use: Lists = ()
    company: Text | None = None
    currency: Text | None = None
    timezone: TimeZone = "UTC"
    date_format: DateFormat = "YYYY-MM-DD"
    separator: Separator | None = None
    encoding: Encoding | None = None
    decimal: Literal[".", ","] | None = None
    end_date_is: EndDate = "first_unpaid_day"
    observed_from: Day | None = None
    data_through: Day | None = None
    partial: bool = False
    set_aside: tuple[Check, ...] = ()
    tolerance: dict[Check, Share] = {}
    overlap: Literal["sum", "error"] = "sum"
    tables: dict[str, TableMapping] = {}
    churn_records: tuple[ChurnRecord, ...] = ()

    def table(self, name: str) -> TableMapping:
        """The entry of one table with the file-wide settings filled in."""
        entry = self.tables.get(name, TableMapping())
        return entry.model_copy(update={key: getattr(entry, key) or getattr(self, key) for key in FILE_WIDE})

    def allowed(self, check: str) -> float:
        """The share of a table's rows that may break a check and are then set aside."""
        return 1.0 if check in self.set_aside else self.tolerance.get(check, 0.0)
