"""What a change of churn is worth in money, month by month: the one definition, for one set of numbers or many draws.

Months t = 0, 1, ... follow the as-of date. A contract cannot be left before its due date, so churn phases in: a row of
the portfolio with its first decision after ``due_in`` months and every ``term`` months from then on has decided

    k(t) = 0 for t < due_in, else 1 + floor((t - due_in) / term)      times by month t, that is  y(t) = k(t) term / 12

years. With the yearly hazard L = -ln(1 - yearly_churn), what still pays in month t with and without customer success is

    S1(t) = exp(-L y(t)),    S0(t) = exp(-L relative_risk y(t))

and survivors grow by  g1(t) = (1 + expansion)^(t/12),  g0(t) = (1 + expansion (1 - expansion_lost))^(t/12). Then

    lost(t)  = sum of mrr ((S1 - S0) + S0 (g1 - g0))        lost expansion on survivors only, so nothing counts twice
    d(t)     = (1 + discount)^(-(t + 1/2) / 12)
    value(H) = margin sum over t < H of d(t) lost(t)
    cost(H)  = sum over t < H of d(t) u(t) (people (1 - absorbed) + tools + management) - severance_months people
    net(H)   = value - cost,    roi(H) = net / cost where cost > 0
    points(H) = 100 sum of mrr (S1(H) - S0(H)) / sum of mrr

with u(t) the part of month t after notice_months (0 or 1 where they are whole). The tail, off by default, adds what the
MRR kept at H is worth in the months after it, at no cost:

    margin sum of mrr (S1(H) - S0(H)) sum over t = H .. H + tail_months - 1 of d(t) exp(-L (t - H + 1) / 12)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.portfolio import CoveredPortfolio

HORIZONS = (12, 24, 36)
MAX_MONTHS = 120
"""The longest horizon and the longest tail, in months."""
TAIL_MONTHS = 60
"""Months after the horizon that count where the tail is switched on."""

LIMITS: dict[str, tuple[float, float, str]] = {
    "relative_risk": (0.001, 1000, "the risk of leaving without customer success over that with it, for example 1.3"),
    "yearly_churn": (0, 0.99, "the share of MRR lost in a year as a fraction, for example 0.12"),
    "expansion": (0, 10, "the growth of surviving MRR in a year as a fraction, for example 0.05"),
    "expansion_lost": (0, 1, "the share of that growth which would not come, as a fraction from 0 to 1"),
    "margin": (0, 1, "the gross margin as a fraction of MRR, for example 0.8"),
    "people": (0, math.inf, "what the people cost a month, in currency"),
    "tools": (0, math.inf, "what the tools cost a month, in currency"),
    "management": (0, math.inf, "what their management costs a month, in currency"),
    "absorbed": (0, 1, "the share of the people's work that others must take over, as a fraction from 0 to 1"),
    "severance_months": (0, 60, "months of pay as severance, for example 3"),
    "notice_months": (0, 60, "months in which pay runs on, for example 3"),
    "discount": (0, 1, "the yearly discount rate as a fraction, for example 0.10"),
}
"""Minimum, maximum (both allowed) and meaning of each input, in the order of ``Assumptions``."""


@dataclass(frozen=True, repr=False)
class Assumptions(Record):
    """One number for each input of the economics.

    ``relative_risk``: hazard ratio of leaving without customer success; 1: it changes nothing. ``yearly_churn``: share
    of MRR lost a year as things are, on contracts that decide. ``expansion``: yearly growth of surviving MRR;
    ``expansion_lost``: the share of that growth that would not come. ``margin``: gross margin. All fractions.
    ``people``, ``tools``, ``management``: money per month. ``absorbed``: share of the people's work that other teams
    must take over. ``severance_months``: months of the people's pay; ``notice_months``: months in which all costs run
    on. ``discount``: yearly rate. Raises ParameterError, naming every input outside its limits.
    """

    relative_risk: float
    yearly_churn: float
    expansion: float
    expansion_lost: float
    margin: float
    people: float
    tools: float
    management: float
    absorbed: float
    severance_months: float
    notice_months: float
    discount: float

    def __post_init__(self) -> None:
        found = [limit_problem(name, value) for name, value in asdict(self).items()]
        if any(found):
            raise ParameterError("\n".join(filter(None, found)))

    @property
    def cost_per_month(self) -> float:
        """People, tools and management together, in currency."""
        return self.people + self.tools + self.management


INPUTS = tuple(each.name for each in fields(Assumptions))


def limit_problem(name: str, value: Any, limits: Mapping[str, tuple[float, float, str]] = LIMITS) -> str:
    """What is wrong with a value of an input, with its fix; "" where nothing is."""
    low, high, meaning = limits[name]
    if isinstance(value, int | float | np.number) and math.isfinite(value) and low <= value <= high:
        return ""
    bounds = f"from {low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
    return f"{name} = {value}: give {meaning} ({bounds})."


Number = TypeVar("Number", float, np.ndarray)


@dataclass(frozen=True, eq=False, repr=False)
class Outcomes(Record, Generic[Number]):
    """What closing customer success would lose and save, in currency, discounted to as-of; arrays: one value per draw.

    ``value`` = ``churn_value`` (MRR that leaves) + ``expansion_value`` (growth of survivors that does not come)
    + ``tail_value`` (0 without a tail). ``points``: points of retention of the exposed MRR at the horizon, of
    ``retention_with`` and ``retention_without`` (fractions of the exposed MRR still paying, without growth).
    ``lost_mrr_months``: MRR of all months lost, undiscounted, before margin.
    """

    value: Number
    cost: Number
    points: Number
    retention_with: Number
    retention_without: Number
    lost_mrr_months: Number
    churn_value: Number
    expansion_value: Number
    tail_value: Number


@dataclass(frozen=True, eq=False, repr=False)
class Outcome(Outcomes[float]):
    """The figures of ``Outcomes`` for one set of numbers, with what follows from them.

    ``roi`` is None where ``cost`` is not above 0, and ``reason`` states it. ``points_of_all``: points of the whole
    company's MRR.
    """

    horizon: int
    net: float
    roi: float | None
    points_of_all: float
    reason: str = ""


def outcome(portfolio: CoveredPortfolio, assumptions: Assumptions, horizon: int, tail_months: int = 0) -> Outcome:
    """Value, cost and points of retention of the portfolio for one set of numbers; see the module for the formulas.

    ``horizon`` and ``tail_months`` in whole months. Raises ParameterError outside 1 to 120 (tail: 0 to 120).

    Example:
        >>> portfolio = cs.roi.break_even(tables).portfolio
        >>> known = cs.roi.break_even(tables).even.assumptions
        >>> round(outcome(portfolio, known, horizon=12).cost)
        1252321
    """
    many = outcomes(flow(portfolio.rows, horizon), asdict(assumptions), horizon, tail_months)
    found = {name: float(values[0]) for name, values in asdict(many).items()}
    cost, net = found["cost"], found["value"] - found["cost"]
    return Outcome(
        **found,
        horizon=int(horizon),
        net=net,
        roi=net / cost if cost > 0 else None,
        points_of_all=found["points"] * portfolio.exposed_mrr / portfolio.total_mrr,
        reason="" if cost > 0 else NO_COST,
    )


NO_COST = "vanishing would save nothing within this horizon, so there is no cost to set the value against"


@dataclass(frozen=True, eq=False, repr=False)
class Flow(Record):
    """When a portfolio decides: ``mrr[t, j]`` is its MRR in currency with ``years[j]`` decided by month t."""

    years: np.ndarray
    mrr: np.ndarray

    @property
    def total(self) -> float:
        """MRR of the portfolio."""
        return float(self.mrr[0].sum())


def flow(rows: pd.DataFrame, last: int) -> Flow:
    """The rows of a portfolio reduced to MRR by month and years decided, for months 0 to ``last``.

    Raises ParameterError for a ``last`` outside 1 to 120.
    """
    _check_months("horizon", last, 1)
    due, term, cents = (rows[name].to_numpy(np.int64)[:, None] for name in ("due_in", "term", "mrr_cents"))
    t = np.arange(last + 1)
    decided = np.where(t < due, 0, (1 + (t - due) // term) * term)
    months, place = np.unique(decided, return_inverse=True)
    cell = place.reshape(decided.shape) + t * len(months)
    sums = np.zeros((last + 1) * len(months), dtype=np.int64)
    np.add.at(sums, cell, np.broadcast_to(cents, cell.shape))
    return Flow(months / 12, sums.reshape(last + 1, len(months)) / 100)


def outcomes(portfolio: Flow, inputs: Mapping[str, Any], horizon: int, tail_months: int = 0) -> Outcomes[np.ndarray]:
    """The economics of the module for many draws at once.

    ``portfolio``: from ``flow`` with a ``last`` of at least ``horizon``. ``inputs``: each name of ``INPUTS`` as a
    number or an array with one value per draw; nothing is checked here.
    """
    _check_months("horizon", horizon, 1)
    _check_months("tail_months", tail_months, 0)
    given = {name: np.atleast_1d(np.asarray(inputs[name], dtype=float))[:, None] for name in INPUTS}
    hazard = -np.log1p(-given["yearly_churn"])
    t = np.arange(horizon)
    weight = discounting(given["discount"], t)
    with_, without = np.exp(-hazard * portfolio.years), np.exp(-hazard * given["relative_risk"] * portfolio.years)
    with one_thread():
        gone = (with_ - without) @ portfolio.mrr[: horizon + 1].T
        stayed = without @ portfolio.mrr[:horizon].T
        kept = with_ @ portfolio.mrr[horizon]
    expansion = given["expansion"]
    slower = (1 + expansion) ** (t / 12) - (1 + expansion * (1 - given["expansion_lost"])) ** (t / 12)
    churned, grown = gone[:, :horizon], stayed * slower
    margin, at_end = given["margin"][:, 0], gone[:, horizon]
    churn_value = margin * (weight * churned).sum(axis=1)
    expansion_value = margin * (weight * grown).sum(axis=1)
    later = np.arange(tail_months)
    fading = discounting(given["discount"], horizon + later) * np.exp(-hazard * (later + 1) / 12)
    tail_value = margin * at_end * fading.sum(axis=1)
    found = {
        "value": churn_value + expansion_value + tail_value,
        "cost": cost_saved(given, horizon),
        "points": 100 * at_end / portfolio.total,
        "retention_with": kept / portfolio.total,
        "retention_without": (kept - at_end) / portfolio.total,
        "lost_mrr_months": churned.sum(axis=1) + grown.sum(axis=1),
        "churn_value": churn_value,
        "expansion_value": expansion_value,
        "tail_value": tail_value,
    }
    draws = max(len(values) for values in found.values())
    return Outcomes(**{name: np.broadcast_to(values, draws) for name, values in found.items()})


def discounting(discount: np.ndarray, t: np.ndarray) -> np.ndarray:
    """d(t): what one unit of money in the middle of month t is worth on the as-of date."""
    return (1 + discount) ** (-(t + 0.5) / 12)


def cost_saved(given: Mapping[str, np.ndarray], horizon: int) -> np.ndarray:
    """cost(H) per draw; ``given``: the inputs as columns (draws x 1). Below 0 where severance outweighs all savings."""
    t = np.arange(horizon)
    running = np.clip(t + 1 - given["notice_months"], 0, 1)
    months = (discounting(given["discount"], t) * running).sum(axis=1, keepdims=True)
    monthly = given["people"] * (1 - given["absorbed"]) + given["tools"] + given["management"]
    result: np.ndarray = (months * monthly - given["severance_months"] * given["people"])[:, 0]
    return result


def _check_months(name: str, months: Any, shortest: int) -> None:
    if not (shortest <= months <= MAX_MONTHS and int(months) == months):
        raise ParameterError(f"{name} = {months}: choose whole months from {shortest} to {MAX_MONTHS}, for example 24.")
