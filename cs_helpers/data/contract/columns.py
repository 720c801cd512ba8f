"""Tables and columns of the contract, from which checks, parsing and the data dictionary are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "date", "time", "money", "integer", "number", "flag"]

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "date": "DATE",
    "time": "TIMESTAMP",
    "money": "BIGINT",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
}

KIND_WORDS: dict[Kind, str] = {
    "text": "text",
    "date": "date",
    "time": "time (UTC)",
    "money": "money, whole cents",
    "integer": "whole number",
    "number": "number",
    "flag": "true / false",
}

MAX_MONEY = 1e12  # beyond this, sums in whole cents stop being exact; no real amount is near it


@dataclass(frozen=True)
class Column:
    """One column of the contract.

    ``missing``: what an empty field means. ``default``: what an empty field is filled with. ``one_of``: the only
    values allowed, in any case. ``after_outcome``: the value exists, or is final, only once the thing to be predicted
    has happened, so it never enters a risk model. ``known_with``: the column whose date is the day on which this value
    became known; before that day it is unknown, whatever the export holds.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    nullable: bool = True
    unit: str = ""
    missing: str = "unknown"
    minimum: float | None = None
    maximum: float | None = None
    one_of: tuple[str, ...] = ()
    default: str = ""
    after_outcome: bool = False
    known_with: str = ""

    @property
    def stored(self) -> str:
        """The column's name in the engine, where money is whole cents."""
        return f"{self.name}_cents" if self.kind == "money" else self.name

    @property
    def sql_type(self) -> str:
        """The column's type in the engine."""
        return SQL_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One table of the contract.

    ``grain``: what one row is. ``key``: the columns that identify a row, where the export has all of them.
    ``periods``: (start, end) pairs whose wrong order is an error; ``orders``: such pairs whose wrong order excludes the
    row. ``known_from``: the first filled one of these columns is the day on which the row became known; without them
    rows are known from the start. ``references``: column -> the table whose key it holds. ``stand_in``: column -> the
    column through which it is found where the export lacks it. ``at_least_one``: columns of which a row needs one.
    ``fills``: what the reports gain from the table.
    """

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    required: bool = False
    keeps_attributes: bool = False
    periods: tuple[tuple[str, str], ...] = ()
    orders: tuple[tuple[str, str], ...] = ()
    known_from: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    stand_in: Mapping[str, str] = field(default_factory=dict)
    at_least_one: tuple[str, ...] = ()
    fills: str = ""

    def column(self, name: str) -> Column:
        """The column of that name. Raises StopIteration if there is none."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def event_time(self) -> str:
        """The column with the date of each row's event; "" where rows are no events."""
        dated = {column.name for column in self.columns if column.kind in ("date", "time")}
        return next((name for name in self.known_from if name in dated), "")


def needed(
    name: str, kind: Kind, meaning: str, unit: str = "", minimum: float | None = None, one_of: tuple[str, ...] = ()
) -> Column:
    """A column that has to be there and filled in every row."""
    maximum = MAX_MONEY if kind == "money" else None
    return Column(name, kind, meaning, True, False, unit, "an error", minimum, maximum, one_of)


def key(name: str, meaning: str) -> Column:
    """A text column that has to be there and filled in every row."""
    return needed(name, "text", meaning)


def after_outcome(
    name: str, kind: Kind, meaning: str, missing: str = "unknown", known_with: str = "", required: bool = False
) -> Column:
    """A column whose value exists, or is final, only after the outcome."""
    return Column(name, kind, meaning, required, missing=missing, after_outcome=True, known_with=known_with)


def amount(name: str, meaning: str, missing: str = "unknown", **more: Any) -> Column:
    """An optional amount of money, never negative."""
    return Column(name, "money", meaning, False, True, "currency", missing, 0, MAX_MONEY, **more)


def count(name: str, meaning: str, unit: str = "", known_with: str = "", missing: str = "unknown") -> Column:
    """An optional whole number, never negative."""
    return Column(name, "integer", meaning, unit=unit, minimum=0, known_with=known_with, missing=missing)


def measure(
    name: str, meaning: str, unit: str, low: float | None = 0, high: float | None = None, known_with: str = ""
) -> Column:
    """An optional measured number within a range."""
    return Column(name, "number", meaning, unit=unit, minimum=low, maximum=high, known_with=known_with)
