"""What customer success is worth if the user's own assumptions hold: a scenario range from draws of all inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record, Suppressed
from cs_helpers.roi.breakeven import hazard_ratios
from cs_helpers.roi.economics import HORIZONS, NO_COST, TAIL_MONTHS, Assumptions, Outcomes, flow, outcome, outcomes
from cs_helpers.roi.portfolio import CoveredPortfolio
from cs_helpers.roi.uncertain_inputs import Input, at_mode, draw_inputs, inputs_table

DRAWS = 20_000
TAIL = 0.025
BARS = 40
NO_EFFECT_GIVEN = (
    "nobody has said how much more churn there would be without customer success, and no figure of that kind is "
    "published. Give relative_risk as low, mode, high, for example 1.0, 1.2, 1.6, or measure it. Until then the "
    "break-even says how much it would have to be"
)


@dataclass(frozen=True, eq=False, repr=False)
class ScenarioRange(Record):
    """What follows from the inputs: medians and the middle 95 % of the draws. A scenario range, no confidence interval.

    ``table``: one row per horizon, without and with the tail: horizon, tail_months, and of each of value, cost, net
    (currency, discounted), roi (fraction), points (of retention of the exposed MRR): its median under its own name,
    and <name>_low and <name>_high; then p_positive (the share of the draws whose net is above 0), break_even_ratio
    (hazard ratio with the other inputs at their modes, without tail; missing where out of reach) and reason (why roi is
    missing: a draw has no cost). ``distribution``: horizon, tail_months, measure ("roi", or "net" where there is no
    roi), left, right, share: bars none of which includes values on both sides of 0; values outside the middle 99 % are
    in the outer bars. ``tornado``: label (the input's name), low, high (net at the input's low and high, the others at
    their modes), low_input, high_input, origin, the widest first; ``tornado_base`` is net at all modes; both at
    ``tornado_horizon``, without tail. ``inputs``: name, low, mode, high, origin, source.
    """

    table: pd.DataFrame
    distribution: pd.DataFrame
    tornado: pd.DataFrame
    tornado_base: float
    tornado_horizon: int
    inputs: pd.DataFrame
    assumptions: Assumptions
    draws: int

    def at(self, horizon: int, tail: bool = False) -> pd.Series:
        """The row of one horizon. Raises ParameterError where there is none."""
        rows = self.table[(self.table["horizon"] == horizon) & ((self.table["tail_months"] > 0) == tail)]
        if rows.empty:
            raise ParameterError(f"horizon = {horizon}, tail = {tail}: the scenario has no such row.")
        return rows.iloc[0]


def simulate_scenario(
    portfolio: CoveredPortfolio, inputs: Sequence[Input], horizons: Sequence[int] = HORIZONS, draws: int = DRAWS
) -> ScenarioRange | Suppressed:
    """The economics of the portfolio under ``draws`` draws of all inputs, each independent of the others.

    ``inputs``: one per name of ``economics.INPUTS``, as from ``gather_inputs``. A second row per horizon counts the
    tail of 60 months after it. A Suppressed without a relative_risk: no effect is assumed for the user. Raises
    ParameterError for inputs that are missing, horizons outside 1 to 120 and fewer than 100 draws.

    Example:
        >>> inputs = [*cs.roi.inputs(tables).inputs, cs.roi.read_input("1.0, 1.4, 2.2", "relative_risk")]
        >>> found = simulate_scenario(cs.roi.break_even(tables).portfolio, inputs, draws=1000)
        >>> round(float(found.at(24)["p_positive"]), 2)
        0.15
    """
    if not any(each.name == "relative_risk" for each in inputs):
        return Suppressed(NO_EFFECT_GIVEN)
    if draws < 100:
        raise ParameterError(f"draws = {draws}: a range needs at least 100 draws, for example {DRAWS}.")
    mode = at_mode(inputs)
    many = asdict(mode) | draw_inputs(inputs, draws)
    middle = sorted(horizons)[(len(horizons) - 1) // 2]
    rows, bars = [], []
    for horizon in horizons:
        seen = flow(portfolio.rows, horizon)
        found = outcomes(seen, many, horizon, TAIL_MONTHS)
        ratio = float(hazard_ratios(seen, asdict(mode), horizon)[0])
        for tail in (0, TAIL_MONTHS):
            row, measure, values = _row(found, tail > 0)
            where = {"horizon": int(horizon), "tail_months": int(tail)}
            rows.append(where | row | {"break_even_ratio": ratio})
            bars.append(pd.DataFrame({**where, "measure": measure, **_bars(values)}))
    table = pd.DataFrame(rows)
    return ScenarioRange(
        table=table[[*(name for name in table if name != "reason"), "reason"]],
        distribution=pd.concat(bars, ignore_index=True),
        tornado=_tornado(portfolio, inputs, mode, middle),
        tornado_base=outcome(portfolio, mode, middle).net,
        tornado_horizon=int(middle),
        inputs=inputs_table(inputs),
        assumptions=mode,
        draws=draws,
    )


def middle_95(name: str, values: np.ndarray) -> dict[str, float]:
    """Median, 2.5 % and 97.5 % quantile of the draws, as ``name``, ``name``_low and ``name``_high."""
    low, median, high = np.quantile(values, [TAIL, 0.5, 1 - TAIL])
    return {name: float(median), f"{name}_low": float(low), f"{name}_high": float(high)}


def _row(found: Outcomes[np.ndarray], tail: bool) -> tuple[dict[str, Any], str, np.ndarray]:
    """One row of the table, and what its distribution is of."""
    value = found.value if tail else found.churn_value + found.expansion_value
    net = value - found.cost
    free = float((found.cost <= 0).mean())
    roi = net / found.cost if not free else np.full(len(net), math.nan)
    row: dict[str, Any] = {}
    for name, values in (("value", value), ("cost", found.cost), ("net", net), ("roi", roi), ("points", found.points)):
        row |= middle_95(name, values)
    row["p_positive"] = float((net > 0).mean())
    row["reason"] = "" if not free else NO_COST if free == 1 else f"in {free:.0%} of the draws {NO_COST}"
    return row, "net" if free else "roi", net if free else roi


def _bars(values: np.ndarray) -> dict[str, np.ndarray]:
    """About forty bars of a round width over the middle 99 %, with an edge at 0; shares of all draws."""
    low, high = np.quantile(values, [0.005, 0.995])
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        beyond = low + math.copysign(max(abs(low) * 0.01, 0.01), low)  # away from 0, on which side of it must be seen
        return {"left": np.array([min(low, beyond)]), "right": np.array([max(low, beyond)]), "share": np.array([1.0])}
    ten = 10 ** math.floor(math.log10((high - low) / BARS))
    width = next(step * ten for step in (1, 2, 5, 10) if step * ten * BARS >= (high - low) * (1 - 1e-9))
    first, last = math.floor(low / width), max(math.ceil(high / width), math.floor(low / width) + 1)
    place = np.clip(np.floor(values / width), first, last - 1).astype(np.int64) - first
    edges = np.arange(first, last + 1) * width
    return {"left": edges[:-1], "right": edges[1:], "share": np.bincount(place, minlength=last - first) / len(values)}


def _tornado(portfolio: CoveredPortfolio, inputs: Sequence[Input], mode: Assumptions, horizon: int) -> pd.DataFrame:
    rows = []
    for each in inputs:
        if each.ranges:
            ends = [outcome(portfolio, replace(mode, **{each.name: end}), horizon).net for end in (each.low, each.high)]
            rows.append((each.name, *ends, each.low, each.high, each.origin))
    table = pd.DataFrame(rows, columns=["label", "low", "high", "low_input", "high_input", "origin"])
    widest = (table["high"] - table["low"]).abs().sort_values(ascending=False, kind="stable").index
    return table.loc[widest].reset_index(drop=True)
