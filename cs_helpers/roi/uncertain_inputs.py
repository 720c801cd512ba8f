"""Uncertain inputs: read from settings, measured, or guessed, and drawn from at random."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Record, Suppressed
from cs_helpers.core.stats import normal_quantile
from cs_helpers.roi.costs import PARTS, CostBase
from cs_helpers.roi.economics import INPUTS, LIMITS, Assumptions, limit_problem

ORIGINS = ("measured", "benchmark", "guess")

PLAN_LIMITS: dict[str, tuple[float, float, str]] = {
    "people_share": (0, 1, "the share of the people's work and tools that the plan saves, as a fraction from 0 to 1"),
    "saved_per_month": (0, math.inf, "what the plan saves a month, in currency"),
    "added_per_month": (0, math.inf, "what the plan costs a month, in currency"),
    "lost_sale_chance": (0, 1, "the chance that somebody who hears it does not buy, as a fraction from 0 to 1"),
    "sale_value": (0, math.inf, "the gross margin of one sale, in currency"),
}
"""Minimum, maximum and meaning of the inputs that are not in ``Assumptions``."""
_ALL = LIMITS | PLAN_LIMITS


@dataclass(frozen=True, repr=False)
class Input(Record):
    """One uncertain number, ``low`` <= ``mode`` <= ``high``, and where it comes from.

    ``name``: one of ``economics.INPUTS``, in its unit, or of ``PLAN_LIMITS``. ``origin``: "measured" (in the user's
    data), "benchmark" (published) or "guess"; ``source``: more in words. low == high is a fixed number.
    Raises ParameterError with all that is wrong.
    """

    name: str
    low: float
    mode: float
    high: float
    origin: str = "guess"
    source: str = ""

    def __post_init__(self) -> None:
        if self.name not in _ALL:
            hint = did_you_mean(self.name, list(_ALL))
            raise ParameterError(f"unknown input {self.name!r}.{hint} There are: {', '.join(_ALL)}.")
        values = dict.fromkeys((self.low, self.mode, self.high))  # each once, in their order
        problems = list(filter(None, (limit_problem(self.name, value, _ALL) for value in values)))
        if not problems and not self.low <= self.mode <= self.high:
            problems.append(
                f"{self.name}: low {self.low:g}, mode {self.mode:g}, high {self.high:g} are not in order; "
                "write the smallest first and the largest last."
            )
        if self.origin not in ORIGINS:
            problems.append(f"{self.name}: origin {self.origin!r} is none of {', '.join(ORIGINS)}.")
        if problems:
            raise ParameterError("\n".join(problems))

    @property
    def ranges(self) -> bool:
        """Whether it is more than one number."""
        return self.low < self.high


def fixed_input(name: str, value: float, origin: str = "guess", source: str = "") -> Input:
    """An input that is one number."""
    return Input(name, value, value, value, origin, source)


Range = float | str | tuple[float, float, float]
"""An uncertain number: one number, or low, mode and high as three numbers or as text; "" where it is not given."""


def read_input(text: Range | None, name: str, origin: str = "guess", source: str = "") -> Input | None:
    """An input from a setting: one number, low, mode and high as text or as three numbers; None where nothing is given.

    In a text decimals have a point, and the three numbers are separated by commas or semicolons. Raises ParameterError
    with all that is wrong: no numbers, two of them, not in order, outside their limits (a margin above 1, a cost
    below 0).

    Example:
        >>> cs.roi.read_input("0.7, 0.8, 0.85", "margin").mode
        0.8
    """
    written = ", ".join(map(str, text)) if isinstance(text, tuple) else "" if text is None else str(text).strip()
    if not written:
        return None
    pieces = [piece.strip() for piece in re.split(r"[,;]", written)]
    try:
        values = [float(piece) for piece in pieces]
    except ValueError:
        values = []
    if len(values) not in (1, 3):
        example = _EXAMPLES.get(name, "0.1, 0.2, 0.3")
        raise ParameterError(
            f"{name} = {written!r}: write low, mode, high, for example {example}, or one number; decimals with a "
            "point, fractions instead of percent."
        )
    low, mode, high = values if len(values) == 3 else values * 3
    return Input(name, low, mode, high, origin, source or ("the notebook's parameter" if origin == "guess" else ""))


_EXAMPLES = {
    "relative_risk": "1.0, 1.2, 1.6",
    "margin": "0.7, 0.8, 0.85",
    "yearly_churn": "0.08, 0.12, 0.15",
    "people": "70000, 80000, 95000",
    "tools": "2000, 2500, 3000",
    "management": "8000, 9000, 10000",
    "severance_months": "1, 2, 4",
    "notice_months": "1, 2, 3",
    "discount": "0.08, 0.10, 0.15",
}


def measured_input(estimate: Estimate, name: str, complement: bool = False) -> Input:
    """An estimate with its 95 % interval as an input; ``complement``: 1 minus it, as churn from retention.

    An end outside the input's limits is moved to the limit. Raises ContractError where the estimate has no value.
    """
    if estimate.value is None:
        raise ContractError(f"{name} cannot be measured: {estimate.reason or f'{estimate.key} has no value'}.")
    ends = [estimate.value if end is None else end for end in (estimate.low, estimate.value, estimate.high)]
    if complement:
        ends = [1 - end for end in reversed(ends)]
    low, mode, high = (min(max(end, _ALL[name][0]), _ALL[name][1]) for end in ends)
    key = estimate.key.upper() if len(estimate.key) <= 3 else estimate.key.replace("_", " ")
    source = f"{'1 - ' if complement else ''}{key} of {estimate.n:,} accounts, 95 % interval"
    return Input(name, low, mode, high, "measured", source)


_WHOLE_COST = "cautious: all costs are saved from the first month on, so that the most must be earned back"
_NOT_COUNTED = "cautious: not counted"
CAUTIOUS = (
    fixed_input("expansion", 0.0, source=_NOT_COUNTED),
    fixed_input("expansion_lost", 0.0, source=_NOT_COUNTED),
    fixed_input("tools", 0.0, source="none given"),
    fixed_input("management", 0.0, source="none given"),
    fixed_input("absorbed", 0.0, source=_WHOLE_COST),
    fixed_input("severance_months", 0.0, source=_WHOLE_COST),
    fixed_input("notice_months", 0.0, source=_WHOLE_COST),
    Input("discount", 0.08, 0.10, 0.15, "benchmark", "customary cost of capital of software companies"),
)
"""What is assumed where the user gives nothing. No relative risk is: none is published."""


def gather_inputs(given: Sequence[Input | None], costs: CostBase | None = None) -> tuple[Input, ...]:
    """All inputs in the order of ``economics.INPUTS``: the ``given``, then ``costs``, then ``CAUTIOUS``.

    relative_risk is left out where it is not given. Raises ParameterError for an input given twice, for one that is no
    input of the economics, and for yearly_churn, margin or people without any figure.

    Example:
        >>> given = [cs.roi.read_input(text, name) for name, text in {"margin": 0.8, "yearly_churn": 0.1}.items()]
        >>> [each.mode for each in gather_inputs(given, cs.roi.cost(tables).costs)][:2]
        [0.1, 0.0]
    """
    named: dict[str, Input] = {}
    problems = []
    for each in given:
        if each is None:
            continue
        if each.name in named or each.name not in INPUTS:
            problems.append(f"{each.name}: {'given twice' if each.name in named else 'no input of the economics'}.")
        named[each.name] = each
    if costs is not None:
        origin = "guess" if costs.origin == "given" else "measured"
        where = {"costs": "table costs", "reps": "table reps", "given": "the user's own figure"}[costs.origin]
        paid = {name: fixed_input(name, getattr(costs, name), origin, where) for name in PARTS}
        named = paid | named
    named = {each.name: each for each in CAUTIOUS} | named
    problems += _missing(named)
    if problems:
        raise ParameterError("\n".join(problems))
    return tuple(named[name] for name in INPUTS if name in named)


def at_mode(inputs: Sequence[Input]) -> Assumptions:
    """Each input at its mode; without a relative_risk it is 1: customer success changes nothing.

    Raises ParameterError for inputs that are missing or appear twice.
    """
    modes = {"relative_risk": 1.0, "expansion_lost": 0.0} | {each.name: float(each.mode) for each in inputs}
    twice = [name for name, times in Counter(each.name for each in inputs).items() if times > 1]
    problems = [*_missing(modes), *(f"{name} is given twice." for name in sorted(twice))]
    if problems:
        raise ParameterError("\n".join(problems))
    return Assumptions(**{name: modes[name] for name in INPUTS})


def _missing(named: Container[str]) -> list[str]:
    lacking = [name for name in INPUTS if name not in named and name != "relative_risk"]
    return [f"{name} is not known: give {LIMITS[name][2]}." for name in lacking]


def draw_inputs(inputs: Sequence[Input], draws: int, seed: int = 1) -> dict[str, Any]:
    """``draws`` values of each input by name: an array, or one number where it has no range.

    relative_risk: log-normal around its mode, with ``low`` and ``high`` as its 2.5 % and 97.5 % points, each side with
    a spread of its own. All others: PERT, low + (high - low) Beta(1 + 4 (mode - low)/(high - low),
    1 + 4 (high - mode)/(high - low)), Malcolm et al. 1959, Operations Research 7(5). Each input has a stream of random
    numbers of its own, so that changing one leaves the others' draws as they were.
    """
    return {each.name: _draw(each, draws, seed) for each in inputs}


def _draw(each: Input, draws: int, seed: int) -> Any:
    if not each.ranges:
        return float(each.mode)
    place = list(_ALL).index(each.name)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, place])))
    low, mode, high = each.low, each.mode, each.high
    if each.name == "relative_risk":
        z = rng.standard_normal(draws) / normal_quantile(0.95)
        found = np.exp(np.log(mode) + z * np.where(z < 0, np.log(mode / low), np.log(high / mode)))
        return np.clip(found, *LIMITS[each.name][:2])
    reach = high - low
    return low + reach * rng.beta(1 + 4 * (mode - low) / reach, 1 + 4 * (high - mode) / reach, draws)


def inputs_table(inputs: Sequence[Input]) -> pd.DataFrame:
    """name, low, mode, high, origin, source; one row per input."""
    columns = ["name", "low", "mode", "high", "origin", "source"]
    return pd.DataFrame([[getattr(each, name) for name in columns] for each in inputs], columns=columns)


def with_risk(inputs: Sequence[Input], risk: Input | Suppressed | None) -> tuple[Input, ...]:
    """``inputs`` with ``risk`` as their relative_risk; as they are where there is none."""
    if not isinstance(risk, Input):
        return tuple(inputs)
    return (risk, *(each for each in inputs if each.name != "relative_risk"))


def required_input(text: Range, name: str, parameter: str) -> Input:
    """``read_input`` of a setting that a plan cannot do without. Raises ContractError where it is not given.

    ``parameter``: the name of the setting.
    """
    found = read_input(text, name)
    if found is None:
        raise ContractError(f"{parameter} is not given: give {_ALL[name][2]}")
    return found


def require_name(each: Input, name: str) -> None:
    """Raises ParameterError unless the input has this name."""
    if each.name != name:
        raise ParameterError(f"{each.name}: this input of the plan must be named {name}.")
