"""Break-even: how much retention customer success must keep to pay for itself, and what a point of it is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.economics import INPUTS, NO_COST, Assumptions, Flow, cost_saved, discounting, flow, outcomes
from cs_helpers.roi.portfolio import CoveredPortfolio
from cs_helpers.roi.uncertain_inputs import Input, at_mode, draw_inputs

MAX_RISK = 1000.0
HALVINGS = 100
CURVE_POINTS = 61
_TAIL = 0.025


@dataclass(frozen=True, eq=False, repr=False)
class BreakEven(Record):
    """What customer success must keep in order to earn back its cost.

    ``table``: one row per horizon: horizon, exposed_mrr, cost (currency, discounted), points (percentage points of
    retention of the exposed MRR at the horizon), points_of_all (of the whole company's MRR), hazard_ratio (risk of
    leaving without customer success over that with it), retention_with and retention_break_even (fractions of the
    exposed MRR), reachable, reason (why not, or why 0 points are enough), and points_low, points_high,
    hazard_ratio_low, hazard_ratio_high: 2.5 % and 97.5 % of ``draws`` draws of the inputs that have a range; missing
    where no input has one or where that many draws cannot reach break-even (``unreachable_share``). ``curve``: horizon,
    relative_risk, points, net: net value by points kept. ``assumptions``: the inputs at their modes, relative risk 1
    and no expansion lost.
    """

    table: pd.DataFrame
    curve: pd.DataFrame
    assumptions: Assumptions
    exposed_mrr: float
    total_mrr: float
    accounts: int
    draws: int = 0

    def at(self, horizon: int) -> pd.Series:
        """The row of one horizon. Raises ParameterError where there is none."""
        rows = self.table[self.table["horizon"] == horizon]
        if rows.empty:
            raise ParameterError(f"horizon = {horizon}: there are {', '.join(map(str, self.table['horizon']))}.")
        return rows.iloc[0]


def solve_break_even(
    portfolio: CoveredPortfolio,
    inputs: Assumptions | Sequence[Input],
    horizons: Sequence[int] = (12, 24, 36),
    draws: int = 5000,
) -> BreakEven:
    """The hazard ratio at which value equals cost, and the points of retention it amounts to.

        net(H) = 0 at expansion_lost = 0, the hazard ratio from 1 to 1000 (100 halvings of its logarithm)

    The formulas are those of ``roi.economics``; expansion is left out, so that retention alone must pay. ``inputs``:
    single numbers, or inputs with ranges; their relative_risk and expansion_lost are not used and may be missing. Where
    even a hazard ratio of 1000 does not pay the cost there is no break-even (``reachable`` False and the reason); where
    closing customer success saves nothing, 0 points are enough. Raises ParameterError for horizons outside 1 to 120.

    Example:
        >>> known = cs.roi.break_even(tables)
        >>> round(float(solve_break_even(known.portfolio, known.even.assumptions).at(12)["hazard_ratio"]), 1)
        2.4
    """
    mode = inputs if isinstance(inputs, Assumptions) else at_mode(inputs)
    plain = Assumptions(**asdict(mode) | {"relative_risk": 1.0, "expansion_lost": 0.0})
    ranges = [] if isinstance(inputs, Assumptions) else [each for each in inputs if each.name not in _UNUSED]
    many = asdict(plain) | draw_inputs(ranges, draws) if any(each.ranges for each in ranges) else None
    rows, curves = [], []
    for horizon in horizons:
        seen = flow(portfolio.rows, horizon)
        row = _row(portfolio, seen, plain, horizon)
        rows.append(row | (_range(seen, many, horizon) if many else dict.fromkeys(_RANGE, math.nan)))
        curves.append(_curve(seen, plain, horizon, row["hazard_ratio"]))
    return BreakEven(
        table=pd.DataFrame(rows),
        curve=pd.concat(curves, ignore_index=True),
        assumptions=plain,
        exposed_mrr=portfolio.exposed_mrr,
        total_mrr=portfolio.total_mrr,
        accounts=portfolio.accounts,
        draws=draws if many else 0,
    )


_UNUSED = ("relative_risk", "expansion_lost")
_RANGE = ("points_low", "points_high", "hazard_ratio_low", "hazard_ratio_high", "unreachable_share")


def hazard_ratios(portfolio: Flow, inputs: Mapping[str, Any], horizon: int) -> np.ndarray:
    """The break-even hazard ratio of each draw: 1 where there is no cost, NaN where 1000 does not pay it.

    ``inputs`` as for ``outcomes``; relative_risk and expansion_lost are not used.
    """
    given = {name: np.atleast_1d(np.asarray(inputs[name], float))[:, None] for name in INPUTS if name not in _UNUSED}
    cost = cost_saved(given, horizon)
    hazard = -np.log1p(-given["yearly_churn"])
    with one_thread():  # what of the MRR decided so long counts, discounted: the rest is one sum per step
        weight = discounting(given["discount"], np.arange(horizon)) @ portfolio.mrr[:horizon]
    weight = given["margin"] * weight
    kept = (weight * np.exp(-hazard * portfolio.years)).sum(axis=1)

    def net(ratio: np.ndarray) -> np.ndarray:
        result: np.ndarray = kept - (weight * np.exp(-hazard * ratio[:, None] * portfolio.years)).sum(axis=1) - cost
        return result

    low = np.zeros(np.broadcast_shapes(kept.shape, cost.shape))
    high = low + math.log(MAX_RISK)
    beyond = net(np.exp(high)) < 0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = net(np.exp(middle)) < 0
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.where(beyond, math.nan, np.exp(high))  # exp(0) where the cost is not above 0


def _row(portfolio: CoveredPortfolio, seen: Flow, inputs: Assumptions, horizon: int) -> dict[str, Any]:
    ratio = float(hazard_ratios(seen, asdict(inputs), horizon)[0])
    reachable = math.isfinite(ratio)
    found = outcomes(seen, asdict(inputs) | {"relative_risk": ratio if reachable else MAX_RISK}, horizon)
    points = float(found.points[0]) if reachable else math.nan
    cost = float(found.cost[0])
    return {
        "horizon": int(horizon),
        "exposed_mrr": portfolio.exposed_mrr,
        "cost": cost,
        "points": points,
        "points_of_all": points * portfolio.exposed_mrr / portfolio.total_mrr,
        "hazard_ratio": ratio,
        "retention_with": float(found.retention_with[0]),
        "retention_break_even": float(found.retention_without[0]) if reachable else math.nan,
        "reachable": reachable,
        "reason": NO_COST
        if cost <= 0
        else ""
        if reachable
        else _unreachable(seen, inputs, horizon, found.value[0], cost),
    }


def _unreachable(seen: Flow, inputs: Assumptions, horizon: int, value: float, cost: float) -> str:
    decides = seen.mrr[horizon - 1][seen.years > 0].sum()
    if not decides:
        return f"no contract decides within the first {horizon} months, so that nothing can be lost in them"
    if not inputs.yearly_churn:
        return "the yearly churn is 0, and no multiple of 0 is anything else: give the churn of contracts that decide"
    if not inputs.margin:
        return "the gross margin is 0: no MRR that is kept earns anything"
    return (
        f"even if all MRR left as soon as its contract allows, its margin would be {value:,.0f} within {horizon} "
        f"months, and customer success costs {cost:,.0f} in them"
    )


def _range(seen: Flow, many: Mapping[str, Any], horizon: int) -> dict[str, float]:
    ratios = hazard_ratios(seen, many, horizon)
    beyond = np.isnan(ratios)
    points = outcomes(seen, dict(many) | {"relative_risk": np.where(beyond, 1.0, ratios)}, horizon).points
    found: dict[str, float] = {}
    for name, values in (("points", points), ("hazard_ratio", ratios)):
        ends = np.quantile(np.where(beyond, math.inf, values), [_TAIL, 1 - _TAIL], method="inverted_cdf")
        low, high = np.where(np.isfinite(ends), ends, math.nan).tolist()
        found |= {f"{name}_low": low, f"{name}_high": high}
    return found | {"unreachable_share": float(beyond.mean())}


def _curve(seen: Flow, inputs: Assumptions, horizon: int, ratio: float) -> pd.DataFrame:
    """Net from a hazard ratio of 1 to beyond break-even, which is one of the points."""
    reach = [ratio] if math.isfinite(ratio) else []
    end = min(max(3.0, 2 * ratio), MAX_RISK) if reach else 3.0
    risks = np.unique(np.append(np.geomspace(1, end, CURVE_POINTS), reach))
    found = outcomes(seen, asdict(inputs) | {"relative_risk": risks}, horizon)
    return pd.DataFrame(
        {"horizon": int(horizon), "relative_risk": risks, "points": found.points, "net": found.value - found.cost}
    )


def value_of_points(
    portfolio: CoveredPortfolio,
    assumptions: Assumptions,
    points: Sequence[float] = (1, 2, 3, 4, 5),
    horizons: Sequence[int] = (12, 24, 36),
) -> pd.DataFrame:
    """What one or more additional points of yearly retention are worth, whatever causes them.

        value(H) = margin sum over t < H of d(t) sum of mrr (S'(t) - S(t))

    with S at ``yearly_churn`` and S' at yearly_churn - points / 100, both phased in with the contracts' due dates;
    without expansion, tail and cost. Columns horizon, points, retention_from, retention_to (of contracts that decide, a
    year, as fractions), mrr_months (MRR of all months gained, before margin), value (currency, discounted), per_point;
    reason where churn is lower than the points. Raises ParameterError for points of 0 or less.

    Example:
        >>> known = cs.roi.break_even(tables)
        >>> found = value_of_points(known.portfolio, known.even.assumptions, points=[1], horizons=[12])
        >>> found["value"].round().tolist()
        [76724.0]
    """
    if any(not (math.isfinite(each) and each > 0) for each in points):
        raise ParameterError(f"points = {list(points)}: give percentage points above 0, for example 1, 2, 3.")
    churn = assumptions.yearly_churn
    rows = []
    for horizon in horizons:
        seen = flow(portfolio.rows, horizon)
        weight = discounting(np.array(assumptions.discount), np.arange(horizon))
        for each in points:
            better = round(churn - each / 100, 12)
            row: dict[str, Any] = {"horizon": int(horizon), "points": each, "retention_from": 1 - churn}
            if better < 0:
                why = f"of a yearly churn of {100 * churn:.3g} % no {each:g} points can be won"
                rows.append(row | {"reason": why})
                continue
            kept = np.exp(math.log1p(-better) * seen.years) - np.exp(math.log1p(-churn) * seen.years)
            gained = seen.mrr[:horizon] @ kept
            value = assumptions.margin * float(weight @ gained)
            rows.append(
                row
                | {"retention_to": 1 - better, "mrr_months": float(gained.sum()), "value": value}
                | {"per_point": value / each, "reason": ""}
            )
    columns = ["horizon", "points", "retention_from", "retention_to", "mrr_months", "value", "per_point", "reason"]
    return pd.DataFrame(rows).reindex(columns=columns)
