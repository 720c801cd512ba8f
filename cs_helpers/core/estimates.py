"""Definitions of metrics, and estimates with all that is needed to judge them."""

from __future__ import annotations

from dataclasses import dataclass

from cs_helpers.core.results import Record

OWN = "This project's choice among rival definitions; see docs/opinions.md."


@dataclass(frozen=True, repr=False)
class Metric(Record):
    """The meaning of one number.

    ``unit`` is fraction, points (of a hundred), money, money per month, ratio, date, accounts, reps, a time (months,
    weeks, days, hours, minutes, seconds) or something per a time (tickets per day, per hour, per day, hours per month,
    per rep-year); ``direction`` says which way is better.
    """

    key: str
    name: str
    formula: str
    population: str
    unit: str
    direction: str
    missing: str
    gaming: str
    counter_metric: str
    source: str
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Estimate(Record):
    """A number with all that is needed to judge it.

    ``low`` and ``high`` are a 95 % interval, or None for a plain sum. ``value`` is None where the data do not allow a
    number; ``reason`` then says why.
    """

    key: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    n: int = 0
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Change:
    """The change of an estimate: ``verdict`` is rise, fall, no clear change, no change, too few, or no comparison.

    ``difference`` is now minus before, ``low`` and ``high`` its 95 % interval; None for plain sums.
    """

    verdict: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Target:
    """The goal of a number, in the metric's unit and direction.

    ``verdict`` is met or missed where the whole interval lies on one side, otherwise no clear verdict; a plain sum is
    compared as it is. ``period`` is the goal's period in words, ``owner`` the department that is responsible.
    """

    value: float
    verdict: str
    period: str
    owner: str


@dataclass(frozen=True, repr=False)
class Comparison(Record):
    """One headline number: now, before, the change, its target and its trend.

    ``now_window`` and ``before_window`` name what the two estimates cover; ``trend`` ends with now and holds NaN where
    a month has no value. ``target`` is None where no goal was set.
    """

    now: Estimate
    before: Estimate
    change: Change
    now_window: str
    before_window: str
    trend: tuple[float, ...] = ()
    target: Target | None = None
