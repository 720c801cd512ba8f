"""Which company is asked for, and how its months, days and money are counted and written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from cs_helpers.core.errors import ParameterError
from cs_helpers.data.sample.draws import Draws
from cs_helpers.data.sample.parameters import END, MAX_ACCOUNTS, MAX_MONTHS, PAST

Row = dict[str, str]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class World:
    """The arguments of one company, whose export holds the whole months [start, END). Raises ParameterError."""

    accounts: int = 600
    months: int = 36
    seed: int = 1

    def __post_init__(self) -> None:
        wrong = []
        for name, value, high in (("accounts", self.accounts, MAX_ACCOUNTS), ("months", self.months, MAX_MONTHS)):
            if not _is_whole(value) or not 1 <= value <= high:
                wrong.append(f"{name} is {value!r}.\n  Give a whole number from 1 to {high:,}.")
        if not _is_whole(self.seed):
            wrong.append(f"seed is {self.seed!r}.\n  Give a whole number; each one makes another company.")
        if wrong:
            raise ParameterError("\n".join(wrong))

    @property
    def start(self) -> int:
        return END - self.months

    @property
    def origin(self) -> int:
        """The first month anybody's paid time can be counted from."""
        return self.start - PAST - 1

    @property
    def first_day(self) -> date:
        return first_of(self.start)

    def draws(self, *key: object) -> Draws:
        return Draws(self.seed, *key)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@cache
def first_of(month: int) -> date:
    """First day of a month index (year * 12 + month - 1)."""
    return date(month // 12, month % 12 + 1, 1)


def month_of(day: date) -> int:
    """Month index of a day."""
    return day.year * 12 + day.month - 1


def billing_date(start: date, age: int) -> date:
    """``age`` months after ``start``, whose day is at most the 28th."""
    return first_of(month_of(start) + age).replace(day=start.day)


def last_paid_month(day: date) -> int:
    """The month index of the day before: a period that ends on the 1st was paid through the month before."""
    return month_of(day - timedelta(days=1))


def money(cents: int) -> str:
    """Cents as text with two decimals."""
    return f"{cents // 100}.{cents % 100:02d}"


def moment(seconds: int) -> str:
    """A time from day's ordinal x 86,400 + second of the day, as the files write it."""
    day, second = divmod(seconds, 86_400)
    return f"{date.fromordinal(day)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def working_day(low: int, stop: int, draws: Draws) -> int | None:
    """A day of [low, stop), moved off the weekend where there is a weekday near; None where there is none."""
    day = draws.whole(low, stop - 1)
    weekday = (day - 1) % 7  # ordinal 1 was a Monday
    if weekday < 5:
        return day
    if day - (weekday - 4) >= low:
        return day - (weekday - 4)
    return day + 7 - weekday if day + 7 - weekday < stop else None
