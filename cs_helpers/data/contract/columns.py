"""Tables and columns of the contract, from which checks, parsing and the data dictionary are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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

    ``missing`` says what an empty field means, ``default`` what is filled in for one. ``one_of`` are the only
    values allowed, compared without regard to case. ``after_outcome``: the value exists, or is final, only once
    the thing to be predicted has happened, so it never enters a risk model. ``known_with`` is the column whose
    date tells when this value became known; before that date it is unknown, whatever the export holds.
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
        """Its name in the engine, where money is whole cents."""
        return f"{self.name}_cents" if self.kind == "money" else self.name

    @property
    def sql_type(self) -> str:
        """Its type in the engine."""
        return SQL_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One table of the contract.

    ``key`` columns identify a row, where the table has all of them. ``periods`` are (start, end) pairs that must
    not run backwards: an error. ``orders`` are such pairs whose breach sets the row aside. ``known_from`` are the
    columns whose first filled one tells when the row became known; "" rows are known from the start.
    ``references``: column -> the table whose key it names. ``stand_in``: column -> the column through which it is
    found where the export lacks it. ``at_least_one``: columns of which a row needs one. ``fills`` says what the
    reports gain from the table.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
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
        """The column that dates its events; "" where rows are no events."""
        dated = {column.name for column in self.columns if column.kind in ("date", "time")}
        return next((name for name in self.known_from if name in dated), "")


def key(name: str, meaning: str) -> Column:
    """A column that has to be there and filled in every row."""
    return Column(name, "text", meaning, required=True, nullable=False, missing="an error")


def needed(name: str, kind: Kind, meaning: str, unit: str = "", minimum: float | None = None) -> Column:
    """A dated or counted column that has to be there and filled in every row."""
    maximum = MAX_MONEY if kind == "money" else None
    return Column(name, kind, meaning, True, False, unit, "an error", minimum, maximum)


def amount(
    name: str, meaning: str, missing: str = "unknown", after_outcome: bool = False, known_with: str = ""
) -> Column:
    """An optional amount of money, never negative."""
    return Column(
        name, "money", meaning, unit="currency", missing=missing, minimum=0, maximum=MAX_MONEY,
        after_outcome=after_outcome, known_with=known_with,
    )  # fmt: skip


def count(name: str, meaning: str, unit: str = "", known_with: str = "", missing: str = "unknown") -> Column:
    """An optional whole number, never negative."""
    return Column(name, "integer", meaning, unit=unit, minimum=0, known_with=known_with, missing=missing)


def measure(
    name: str, meaning: str, unit: str, low: float | None = 0, high: float | None = None, known_with: str = ""
) -> Column:
    """An optional measured number within a range."""
    return Column(name, "number", meaning, unit=unit, minimum=low, maximum=high, known_with=known_with)
