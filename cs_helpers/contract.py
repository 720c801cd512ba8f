"""The tables the toolkit reads: grain, key, columns, units, and the checks every row has to pass.

``TABLES`` is the contract. Parsing, the pandera schemas and the messages are built from it, so one more
table is one more entry. This module is the only home of pandera.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from cs_helpers.errors import Problem, did_you_mean

if TYPE_CHECKING:
    import pandera.pandas as pa

Kind = Literal["text", "date", "money", "integer", "number", "flag"]

ONE_DAY = pd.Timedelta(days=1)
EARLIEST = pd.Timestamp("1970-01-01")
LATEST = pd.Timestamp("2100-12-31")
LARGEST_MRR = 1e12  # beyond this, sums in whole cents stop being exact; no real account is near it
SHOWN = 5  # rows and values named per problem; the rest are counted


@dataclass(frozen=True)
class Column:
    """One column of the contract. ``missing`` says what an empty field means."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    nullable: bool = True
    unit: str = ""
    missing: str = "unknown"
    minimum: float | None = None
    maximum: float | None = None
    known_only_after_outcome: bool = False


@dataclass(frozen=True)
class Table:
    """One table of the contract. ``key`` columns identify a row, where the table has all of them."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool = False
    keeps_attributes: bool = False
    periods: tuple[tuple[str, str], ...] = ()  # (start, end) pairs that must not run backwards

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def _key(name: str, meaning: str) -> Column:
    return Column(name, "text", meaning, required=True, nullable=False, missing="an error")


ACCOUNTS = Table(
    name="accounts",
    grain="one row per customer company",
    key=("account_id",),
    required=True,
    keeps_attributes=True,
    columns=(
        _key("account_id", "the company's key, as text: leading zeros count"),
        Column("name", "text", "the company's name"),
        Column("segment", "text", "size class or service tier, e.g. SMB"),
        Column("industry", "text", "the company's line of business"),
        Column("region", "text", "sales region"),
        Column("country", "text", "country, as the export writes it"),
        Column("employees", "integer", "people employed", unit="people", minimum=0),
        Column("signup_date", "date", "the day the account was opened"),
        Column("acquisition_channel", "text", "how the account was won"),
        Column("gross_margin", "number", "share of revenue left after the cost of serving", unit="fraction"),
    ),
)

SUBSCRIPTIONS = Table(
    name="subscriptions",
    grain="one row per account and price period, [start_date, end_date)",
    key=("subscription_id",),
    required=True,
    periods=(("start_date", "end_date"),),
    columns=(
        Column("subscription_id", "text", "the period's key, if there is one", nullable=False, missing="an error"),
        _key("account_id", "the paying account"),
        Column("start_date", "date", "the first day paid for", required=True, nullable=False, missing="an error"),
        Column(
            "end_date",
            "date",
            "the first day no longer paid for",
            required=True,
            missing="still running",
            known_only_after_outcome=True,
        ),
        Column(
            "mrr",
            "money",
            "monthly recurring revenue of this period",
            required=True,
            nullable=False,
            unit="currency per month",
            missing="an error: missing is not zero",
            minimum=0,
            maximum=LARGEST_MRR,
        ),
        Column("plan", "text", "plan or product"),
        Column("seats", "integer", "seats sold", unit="seats", minimum=0),
        Column("currency", "text", "currency of mrr; one per source", missing="the source's currency"),
        Column("term_months", "number", "length of the contract term", unit="months", minimum=0),
        Column("is_trial", "flag", "whether the period is a trial"),
        Column("discount_rate", "number", "discount on the list price", unit="fraction"),
        Column("notice_date", "date", "the day notice was given", missing="no notice", known_only_after_outcome=True),
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in (ACCOUNTS, SUBSCRIPTIONS)}

# Words in the header of an account attribute that mark it as a record of the outcome itself.
OUTCOME_WORDS = ("churn", "cancel", "lifetime", "left_on", "lost_")


def known_only_after_outcome(table: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of ``columns`` that exist only because of the outcome and must not enter a risk model."""
    marked = {column.name for column in TABLES[table].columns if column.known_only_after_outcome}
    own = set(TABLES[table].names)
    return tuple(
        name
        for name in columns
        if name in marked or (name not in own and any(word in name.lower() for word in OUTCOME_WORDS))
    )


@dataclass(frozen=True, eq=False)
class Breach:
    """Rows that break one check: ``lines`` are all their line numbers, ``reasons`` say what is wrong with each."""

    table: str
    check: str
    where: str
    fix: str
    lines: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    column: str = ""

    @property
    def problem(self) -> Problem:
        distinct = list(dict.fromkeys(self.reasons))
        more = len(distinct) - SHOWN
        what = "; ".join(distinct[:SHOWN]) + (f"; and {more:,} more values" if more > 0 else "")
        rows = tuple(dict.fromkeys(self.lines))
        return Problem(self.where, f"{what}.", self.fix, rows[:SHOWN], len(rows))


@dataclass(frozen=True)
class Origin:
    """Where a table came from, for messages: the file, its headers, and the formats declared for it."""

    where: str
    headers: Mapping[str, str] = field(default_factory=dict)  # contract name -> header in the file
    found: Sequence[str] = ()  # every header in the file
    date_format: str = "YYYY-MM-DD"
    decimal: str = "."
    last_paid_day: bool = False  # whether the file's end_date is the last paid day instead of the first unpaid one

    def header(self, column: str) -> str:
        return self.headers.get(column, column)

    def written(self, column: str, day: pd.Timestamp) -> str:
        """A day of a typed column as the file has it: see ``first_unpaid_days``."""
        moved = self.last_paid_day and column == "end_date" and day <= LATEST
        return _day(day - ONE_DAY if moved else day)


def quoted(value: object) -> str:
    """A value as a message may show it: quoted, on one line, at most 60 characters."""
    text = str(value)
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


# --- from text to typed columns -------------------------------------------------------------------------------

DATE_TOKENS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d",
    "HH": "%H", "mm": "%M", "ss": "%S", "T": "T",
}  # fmt: skip
_TOKEN = "|".join(sorted(DATE_TOKENS, key=len, reverse=True))
COMMON_DATE_FORMATS = (
    "YYYY-MM-DD", "DD-MM-YYYY", "MM-DD-YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "YYYY/MM/DD", "YYYYMMDD",
    "DD-MM-YY", "MM-DD-YY", "DD/MM/YY", "MM/DD/YY", "DD.MM.YY", "DD MMM YYYY", "DD-MMM-YYYY", "DD-MMM-YY",
    "MMM DD, YYYY", "YYYY-MM-DD HH:mm:ss", "YYYY-MM-DDTHH:mm:ss", "YYYY-MM-DD HH:mm", "YYYY-MM",
)  # fmt: skip
TRUE_WORDS = ("true", "yes", "y", "t", "1")
FALSE_WORDS = ("false", "no", "n", "f", "0")


def strptime_format(declared: str) -> str:
    """``DD-MM-YYYY`` as ``%d-%m-%Y``; a format that already has ``%`` in it is kept. Raises ValueError."""
    written, unknown = declared, []
    if "%" in declared:
        unknown = [f"%{letter}" for letter in re.findall(r"%(.)", declared) if letter not in "YymdBbHMSfpI%"]
    else:
        for word in re.findall(r"[A-Za-z]+", declared):
            if not re.fullmatch(f"({_TOKEN})+", word):
                unknown.append(word)
        written = re.sub(_TOKEN, lambda token: DATE_TOKENS[token[0]], declared)
    if unknown:
        raise ValueError(f"{', '.join(map(repr, unknown))} is no part of a date format")
    parts = set(re.findall(r"%.", written))
    if not parts & {"%Y", "%y"} or not parts & {"%m", "%b", "%B"}:
        raise ValueError("a date format needs a year and a month")
    return written


def read_dates(text: pd.Series, declared: str) -> pd.Series:
    """Text as dates at midnight; NaT where the text does not fit ``declared``. Never guesses."""
    values = text.str.strip()
    # pandas reads the words "now" and "today" as the clock's time under any format.
    values = values.where(values.str.contains(r"[0-9]", regex=True, na=False))
    dates = pd.to_datetime(values, format=strptime_format(declared), errors="coerce")
    return dates.astype("datetime64[us]").dt.floor("D")


def fitting_date_formats(text: pd.Series, declared: str) -> list[str]:
    """The common formats, other than ``declared``, that every one of (up to 1,000) values fits."""
    sample = pd.Series(text[text.str.strip() != ""].unique()[:1000], dtype="str")
    return [
        name
        for name in COMMON_DATE_FORMATS
        if strptime_format(name) != strptime_format(declared)
        and len(sample)
        and bool(read_dates(sample, name).between(EARLIEST, LATEST).all())
    ]


def _date_fix(text: pd.Series, declared: str) -> str:
    fits = fitting_date_formats(text, declared)
    if len(fits) == 1:
        return f"Every value of the column fits {fits[0]}: if that is how it is written, set `date_format: {fits[0]}`."
    if fits:
        return (
            f"The values fit {' and '.join(fits[:3])} alike; find out which one is meant and set `date_format` "
            "in the mapping. It is never guessed."
        )
    return f"Correct the value, or set `date_format` in the mapping if the column is not written as {declared}."


def _read_numbers(text: pd.Series, decimal: str) -> pd.Series:
    values = text.str.strip()
    if decimal != ".":
        # "1.234" in a decimal-comma export is a thousand, not 1.234: a point there is unreadable.
        values = values.where(~values.str.contains(".", regex=False), "?").str.replace(decimal, ".", regex=False)
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    return numbers.where(np.isfinite(numbers))


def _parse_column(
    text: pd.Series, column: Column, origin: Origin
) -> tuple[pd.Series, pd.Series, str, Callable[[], str]]:
    """The typed column, which fields are unreadable, why (after the value), and the fix."""
    filled = text.str.strip() != ""
    if column.kind == "text":
        return text.str.strip().where(filled), filled & False, "", str
    if column.kind == "date":
        dates = read_dates(text, origin.date_format)
        why = f"is not a date written as {origin.date_format}"
        return dates, filled & dates.isna(), why, lambda: _date_fix(text, origin.date_format)
    if column.kind == "flag":
        word = text.str.strip().str.lower()
        flags = pd.Series(pd.NA, index=text.index, dtype="boolean")
        flags = flags.mask(word.isin(TRUE_WORDS), True).mask(word.isin(FALSE_WORDS), False)
        return (
            flags,
            filled & flags.isna(),
            "is neither true nor false",
            lambda: (
                f'Write true or false, or translate it in the mapping: `values: {{{column.name}: {{"it": "true"}}}}`.'
            ),
        )
    numbers = _read_numbers(text, origin.decimal)
    unreadable = filled & numbers.isna()
    why, fix = (
        "is not a finite number",
        (
            f"Write plain digits with '{origin.decimal}' before the decimals and nothing between the thousands; "
            "another decimal sign is set with `decimal` in the mapping."
        ),
    )
    if column.kind == "integer":
        whole = numbers.isna() | (numbers == np.floor(numbers)) & (numbers.abs() < 2**53)
        return numbers.where(whole).astype("Int64"), unreadable | ~whole, "is not a whole number", lambda: fix
    if column.kind == "money":
        numbers = numbers.where(numbers.abs() > LARGEST_MRR, numbers.clip(-LARGEST_MRR, LARGEST_MRR).round(2))
    return numbers, unreadable, why, lambda: fix


def parse(table: str, text: pd.DataFrame, origin: Origin) -> tuple[pd.DataFrame, list[Breach]]:
    """Columns of text as the kinds the contract names; the fields that cannot be read, as breaches.

    ``text`` has contract column names, one string per field (empty = missing), and line numbers as its index.
    An unreadable field is missing in the result. Columns the contract does not name stay text. Text loses the
    space around it: ``SMB`` and ``SMB `` are one segment.
    """
    known = {column.name: column for column in TABLES[table].columns}
    typed: dict[str, pd.Series] = {}
    found: list[Breach] = []
    for name in map(str, text.columns):
        column = known.get(name, Column(name, "text", "attribute"))
        typed[name], bad, why, fix = _parse_column(text[name], column, origin)
        if bad.any():
            reasons = tuple(f"{origin.header(name)} {plain(value)} {why}" for value in text.loc[bad, name])
            check = "unreadable_date" if column.kind == "date" else "unreadable_value"
            found.append(Breach(table, check, origin.where, fix(), tuple(text.index[bad]), reasons, name))
    return pd.DataFrame(typed, index=text.index), found


def first_unpaid_days(ends: pd.Series) -> pd.Series:
    """Last paid days as the contract's end_date. Ends outside the range stay: they are refused as written."""
    return ends.mask(ends < LATEST, ends + ONE_DAY)


def plain(value: object) -> str:
    """Short printable values without spaces stand bare, as in ``end_date 31-31-2024``; others are quoted."""
    text = str(value)
    return text if text.isprintable() and " " not in text and 0 < len(text) <= 40 else quoted(text)


# --- checks ---------------------------------------------------------------------------------------------------


def _in_range(column: Column) -> Callable[[Any], Any]:
    if column.kind == "date":
        return lambda values: (values >= EARLIEST) & (values <= LATEST)
    minimum = -np.inf if column.minimum is None else column.minimum
    maximum = np.inf if column.maximum is None else column.maximum
    return lambda values: (values >= minimum) & (values <= maximum)


def _forwards(start: str, end: str) -> Callable[[Any], Any]:
    def holds(frame: pd.DataFrame) -> pd.Series:
        if start not in frame or end not in frame:
            return pd.Series(True, index=frame.index)
        return ~(frame[end] < frame[start])

    return holds


def _one_row_per(key: tuple[str, ...]) -> Callable[[Any], Any]:
    def holds(frame: pd.DataFrame) -> pd.Series:
        if not set(key) <= set(frame.columns):
            return pd.Series(True, index=frame.index)
        whole = frame[list(key)].notna().all(axis=1)
        return ~(frame.duplicated(list(key), keep=False) & whole)

    return holds


@cache
def schema(table: str) -> pa.DataFrameSchema:
    """The pandera schema of one table, built from ``TABLES``; unknown columns are let through."""
    import pandera.pandas as pa

    entry = TABLES[table]
    columns = {}
    for column in entry.columns:
        ranged = column.kind == "date" or column.minimum is not None or column.maximum is not None
        checks = [pa.Check(_in_range(column), error="out_of_range", name="out_of_range")] if ranged else []
        columns[column.name] = pa.Column(checks=checks, nullable=column.nullable, required=column.required)
    wide = [pa.Check(_one_row_per(entry.key), error="repeated_key", name="repeated_key")]
    wide += [
        pa.Check(_forwards(start, end), error="end_before_start", name="end_before_start")
        for start, end in entry.periods
    ]
    return pa.DataFrameSchema(columns, checks=wide, strict=False)


def _failures(table: str, frame: pd.DataFrame) -> dict[tuple[str, str], list[int]]:
    """(check, column) -> line numbers of the rows that fail it; column is empty for checks of whole rows."""
    import pandera.errors

    try:
        schema(table).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return {}
    failed: dict[tuple[str, str], list[int]] = {}
    for (check, context), rows in cases.groupby(["check", "schema_context"], sort=False):
        if check == "column_in_dataframe":
            failed.update({("missing_column", str(name)): [] for name in rows["failure_case"]})
        elif context == "DataFrameSchema":
            failed[(str(check), "")] = sorted({int(line) for line in rows["index"]})
        else:
            for name, part in rows.groupby("column", sort=False):
                failed[(str(check), str(name))] = sorted({int(line) for line in part["index"]})
    return failed


def missing_column(table: str, name: str, origin: Origin) -> Breach:
    """A column that has to be there and is not, with what is there instead."""
    header = origin.header(name)
    entry = f"`tables: {{{table}: {{columns: {{{name}: ...}}}}}}`"
    if origin.headers and name not in origin.headers:
        what = f"the mapping says `{name}: null`, which leaves the column out, and {name} is required"
        fix = f"Name its header in the mapping: {entry}. The file has: {', '.join(origin.found)}."
        return Breach(table, "missing_column", origin.where, fix, (), (what,))
    what = f"no column '{header}'" + (f" for {name}" if header != name else "")
    hint = did_you_mean(header, origin.found) or did_you_mean(name, origin.found)
    fix = f"It has: {', '.join(origin.found)}.{hint} Say which one it is in the mapping: {entry}."
    return Breach(table, "missing_column", origin.where, fix, (), (what,))


def _breach(table: str, check: str, name: str, lines: list[int], frame: pd.DataFrame, origin: Origin) -> Breach:
    entry, rows = TABLES[table], frame.loc[lines]
    head = origin.header

    def made(check: str, reasons: Iterable[str], fix: str) -> Breach:
        return Breach(table, check, origin.where, fix, tuple(lines), tuple(reasons))

    if check == "missing_column":
        return missing_column(table, name, origin)
    if check == "not_nullable":
        fix = "Fill it in, or take the rows out of the export."
        return made("missing_value", [f"{head(name)} is missing"] * len(lines), fix)
    if check == "out_of_range" and entry.column(name).kind == "date":
        reasons = [f"{head(name)} {origin.written(name, value)} is before 1970 or after 2100" for value in rows[name]]
        empty = " An end that is not known is left empty." if name == "end_date" else ""
        return made("date_out_of_range", reasons, f"Correct the date.{empty}")
    if check == "out_of_range":
        low, high = entry.column(name).minimum or 0, entry.column(name).maximum or 0
        below = rows[name] < low
        reasons = [
            f"{head(name)} {value:g} is below {low:g}" if under else f"{head(name)} {value:.15g} is above {high:,.0f}"
            for value, under in zip(rows[name], below, strict=True)
        ]
        fix = "Correct the value."
        if name == "mrr" and below.any():
            fix += " Credits and refunds are no recurring revenue: take them out of the export."
        if name == "mrr" and not below.all():
            fix += " An amount this large is a slip of the export, such as a key or a date in the column of amounts."
        return made(f"{name}_out_of_range", reasons, fix)
    if check == "repeated_key":
        key = ", ".join(map(head, entry.key))
        values = rows[list(entry.key)].agg(", ".join, axis=1)
        times = values.map(values.value_counts())
        return made(
            check,
            [f"{key} {plain(value)} stands in {n} rows" for value, n in zip(values, times, strict=True)],
            "Keep one row per key. Rows that are the same in every column can be left out and listed with "
            "`set_aside: [repeated_row]` in mapping.yml.",
        )
    start, end = entry.periods[0]
    return made(
        check,
        [
            f"{head(end)} {origin.written(end, last)} is before {head(start)} {_day(first)}"
            for first, last in zip(rows[start], rows[end], strict=True)
        ],
        "Correct the rows, or set `set_aside: [end_before_start]` in mapping.yml to leave them out and list them.",
    )


def _day(value: pd.Timestamp) -> str:
    return f"{value.year:04}-{value.month:02}-{value.day:02}"  # strftime ends at the year 9999


def breaches(table: str, frame: pd.DataFrame, origin: Origin, unreadable: Sequence[Breach] = ()) -> list[Breach]:
    """Every check of one table that does not hold, each with all its rows, in one pass.

    ``frame`` is typed and has line numbers as its index. ``unreadable`` are the breaches found by ``parse``:
    their fields are missing here for that reason and are not reported a second time.
    """
    reported = {(breach.column, line) for breach in unreadable for line in breach.lines}
    found = []
    for (check, name), lines in _failures(table, frame).items():
        left = [line for line in lines if (name, line) not in reported] if check == "not_nullable" else lines
        if left or check == "missing_column":
            found.append(_breach(table, check, name, left, frame, origin))
    return found


def validate(
    table: str,
    frame: pd.DataFrame,
    lines: Sequence[int] | None = None,
    where: str | None = None,
) -> list[Problem]:
    """Everything wrong with a typed table, collected in one pass; empty when it keeps the contract.

    ``lines`` are the file's line numbers of the rows (default: the header is line 1, rows follow without
    gaps); ``where`` is the name to print (default: the table's own file name). Each problem names up to five
    rows and values and counts the rest. Raises nothing.
    """
    numbered = frame.set_axis(list(lines) if lines is not None else list(range(2, len(frame) + 2)), axis=0)
    origin = Origin(where or f"{table}.csv", found=[str(name) for name in frame.columns])
    return [breach.problem for breach in breaches(table, numbered, origin)]


def orphans(table: str, frame: pd.DataFrame, known: Iterable[str], origin: Origin) -> list[Breach]:
    """Rows whose account_id no account has."""
    lost = frame.loc[frame["account_id"].notna() & ~frame["account_id"].isin(list(known)), "account_id"]
    if lost.empty:
        return []
    reasons = tuple(f"{origin.header('account_id')} {plain(value)} is no account of accounts" for value in lost)
    fix = "Add the accounts, or set `set_aside: [orphan]` in mapping.yml to leave the rows out and list them."
    return [Breach(table, "orphan", origin.where, fix, tuple(lost.index), reasons)]
