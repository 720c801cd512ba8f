"""What all tables share: the company asked for, random draws, months, days, money, and the writing of files."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from cs_helpers.core.errors import ParameterError
from cs_helpers.data.sample.parameters import EDITION, END, MAX_ACCOUNTS, MAX_MONTHS, PAST

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Option = TypeVar("Option")


class Draws:
    """Uniform numbers in [0, 1) without end that depend on their key alone: no account moves the draws of another."""

    def __init__(self, *key: object):
        self._key = "/".join(map(str, (EDITION, *key)))
        self._block = 0
        self._waiting: list[float] = []

    def uniform(self) -> float:
        if not self._waiting:
            digest = blake2b(f"{self._key}#{self._block}".encode(), digest_size=64).digest()
            self._waiting = [(word >> 11) / 9007199254740992 for word in struct.unpack(">8Q", digest)]
            self._block += 1
        return self._waiting.pop()

    def chance(self, probability: float) -> bool:
        return self.uniform() < probability

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.uniform() * (high - low + 1))

    def choice(self, options: Sequence[Option]) -> Option:
        """One of the options, all equally likely."""
        return options[self.whole(0, len(options) - 1)]

    def pick(self, shares: Mapping[Option, float]) -> Option:
        """One of the keys; the shares add up to one."""
        left = self.uniform()
        for option, share in shares.items():
            left -= share
            if left < 0:
                return option
        return option

    def count(self, mean: float, high: int = 6) -> int:
        """How many of ``high`` possible events happen, with that mean: close to Poisson without exp()."""
        return len([n for n in range(high) if self.uniform() < mean / high])

    def skewed(self, reach: float) -> float:
        """A product of three uniform factors from 1 to 1 + reach: many small, few large, as a log-normal has."""
        return (1 + reach * self.uniform()) * (1 + reach * self.uniform()) * (1 + reach * self.uniform())

    def bell(self) -> float:
        """A number around 0 with standard deviation 1, from -3 to 3: close to normal without exp()."""
        return 2 * (self.uniform() + self.uniform() + self.uniform() - 1.5)


@dataclass(frozen=True)
class World:
    """The arguments of one company; its export holds the months [start, END). Raises ParameterError."""

    accounts: int = 600
    months: int = 36
    seed: int = 1

    def __post_init__(self) -> None:
        wrong = size_problems(self.accounts, MAX_ACCOUNTS, self.months, MAX_MONTHS)
        if not is_whole(self.seed):
            wrong.append(f"seed is {self.seed!r}.\n  Give a whole number; each one makes another company.")
        if wrong:
            raise ParameterError("\n".join(wrong))

    @property
    def start(self) -> int:
        return END - self.months

    @property
    def origin(self) -> int:
        """The first month in which an account can have paid."""
        return self.start - PAST - 1

    @property
    def first_day(self) -> date:
        return first_of(self.start)

    def draws(self, *key: object) -> Draws:
        return Draws(self.seed, *key)


def is_whole(value: object) -> bool:
    """Whether a value is a whole number; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def size_problems(accounts: int, max_accounts: int, months: int, max_months: int) -> list[str]:
    """What is wrong with the number of accounts and months of a company, one text each."""
    asked = (("accounts", accounts, max_accounts), ("months", months, max_months))
    return [
        f"{name} is {value!r}.\n  Give a whole number from 1 to {high:,}."
        for name, value, high in asked
        if not is_whole(value) or not 1 <= value <= high
    ]


def mapping_text(company: str, first_day: date, end: date) -> str:
    """The ``mapping.yml`` of an export that has the contract's names; ``end`` is the day after its last day."""
    return (
        f"version: 1\ncompany: {company}\ncurrency: EUR\ntimezone: UTC\ndate_format: YYYY-MM-DD\n"
        f"observed_from: {first_day:%Y-%m-%d}\ndata_through: {end - timedelta(days=1):%Y-%m-%d}\n"
    )


def write_files(directory: Path, files: Mapping[str, str], kind: str) -> list[Path]:
    """Write texts by file name; return the paths. Raises ParameterError where ``directory`` is a file."""
    directory = Path(directory)
    if directory.exists() and not directory.is_dir():
        raise ParameterError(f"{directory} is a file.\n  Name a folder for the {kind}'s files.")
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_bytes(text.encode("utf-8"))
    return [directory / name for name in files]


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
