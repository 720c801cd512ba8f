"""The numbers behind a what-if panel: the portfolio, the range of each input, and what follows from them.

The page computes the same formulas in the reader's browser (see ``roi.economics``) from MRR by month and time decided,
the inputs and the horizons. Nothing in a panel is a measurement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record
from cs_helpers.roi.breakeven import hazard_ratios
from cs_helpers.roi.economics import (
    INPUTS,
    LIMITS,
    TAIL_MONTHS,
    Assumptions,
    Flow,
    discounting,
    flow,
    outcome,
    outcomes,
)
from cs_helpers.roi.portfolio import CoveredPortfolio
from cs_helpers.roi.uncertain_inputs import Input, at_mode

CURVE_POINTS = 61


@dataclass(frozen=True, eq=False, repr=False)
class WhatIfState(Record):
    """What follows from one setting of the inputs.

    ``results``: one row per horizon: horizon, points (of retention of the exposed MRR), points_of_all, retention_with,
    retention_without, mrr_kept (MRR that pays at the horizon and would not without customer success, before growth;
    currency per month), value, cost, net, roi (NaN where cost is not above 0), break_even_risk (the relative risk at
    which net is 0 and no expansion is lost; NaN where none up to 1000 is enough), break_even_points and
    break_even_points_of_all. ``curve``: horizon, relative_risk, net: net with no expansion lost, so that a curve
    crosses 0 where the break-even is. ``tail``: whether months after the horizon are counted.
    """

    inputs: Assumptions
    tail: bool
    results: pd.DataFrame
    curve: pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class WhatIf(Record):
    """A what-if panel as it opens; ``at`` returns its state at other inputs.

    ``sliders``: one row per input in the order of ``Assumptions``: name, value (where it starts), low, high and step of
    its slider, min and max (what may be typed), all in the unit of the input. ``flow``: MRR of the portfolio by month
    and years decided. ``opens_at``: where the relative risk starts ("given", "break-even"). ``pooled_share``: share of
    the MRR whose due dates were pooled. ``start``: the first state.
    """

    portfolio: CoveredPortfolio
    horizons: tuple[int, ...]
    opens_at: str
    flow: Flow
    risks: tuple[float, ...]
    sliders: pd.DataFrame
    pooled_share: float
    start: WhatIfState

    def at(self, tail: bool = False, **changes: float) -> WhatIfState:
        """The panel with some inputs changed. Raises ParameterError for an unknown input or one outside its limits."""
        unknown = [name for name in changes if name not in INPUTS]
        if unknown:
            raise ParameterError(f"{', '.join(unknown)}: no such input. There are: {', '.join(INPUTS)}.")
        inputs = replace(self.start.inputs, **changes)
        return _panel(self.portfolio, self.flow, inputs, self.horizons, self.risks, TAIL_MONTHS if tail else 0)


def make_what_if(
    portfolio: CoveredPortfolio, inputs: Sequence[Input], horizons: Sequence[int] = (12, 24, 36), smallest: int = 1
) -> WhatIf:
    """A what-if panel of the exposed portfolio, with every formula as in ``roi.economics``.

    ``inputs`` start at their modes. Without a relative_risk the panel opens at the break-even of the middle horizon (at
    1 where there is none) with no expansion lost. ``smallest``: due dates shared by fewer accounts than this are pooled
    with their neighbours of the same term, at their mean date weighted by MRR, since the page of a panel contains what
    comes due in each month; 1 pools none. Raises ParameterError for horizons that are no whole months from 1 to 120.

    Example:
        >>> rows = pd.DataFrame({"due_in": [0], "term": 12, "mrr_cents": 10_000, "accounts": 1})
        >>> known = {"relative_risk": 2, "yearly_churn": 0.2, "margin": 1, "people": 16, "discount": 0}
        >>> inputs = cs.roi.gather_inputs([cs.roi.read_input(value, name) for name, value in known.items()])
        >>> make_what_if(cs.roi.make_portfolio(rows), inputs).at(people=8.0).results["net"].round().tolist()
        [96.0, 276.0, 480.0]
    """
    rows, pooled = _pool(portfolio.rows, smallest)
    portfolio = replace(portfolio, rows=rows)
    horizons = tuple(sorted(set(horizons)))
    seen, assumptions = flow(portfolio.rows, horizons[-1]), at_mode(inputs)
    pays = [break_even_risk(seen, assumptions, horizon) for horizon in horizons]
    given = any(each.name == "relative_risk" for each in inputs)
    if not given:
        middle = pays[(len(pays) - 1) // 2]
        risk = middle if math.isfinite(middle) else 1.0
        assumptions = replace(assumptions, relative_risk=risk, expansion_lost=0.0)
    sliders = _sliders(assumptions, pays)
    ends = sliders.loc[sliders["name"] == "relative_risk", ["low", "high"]].to_numpy(float)[0]
    risks = tuple(float(risk) for risk in np.linspace(ends[0], ends[1], CURVE_POINTS))
    start = _panel(portfolio, seen, assumptions, horizons, risks, 0)
    return WhatIf(portfolio, horizons, "given" if given else "break-even", seen, risks, sliders, pooled, start)


def break_even_risk(portfolio: Flow, assumptions: Assumptions, horizon: int, tail_months: int = 0) -> float:
    """The relative risk at which value equals cost within ``horizon``, a tail included, and no expansion is lost.

    1 where there is no cost; NaN where even a relative risk of 1000 does not pay it. See ``roi.breakeven``.
    """
    inputs = asdict(assumptions)
    if tail_months:  # MRR kept at the horizon goes on: as if so much more of it were paid in the first month
        later, discount = np.arange(tail_months), np.array(assumptions.discount)
        fading = np.exp(np.log1p(-assumptions.yearly_churn) * (later + 1) / 12)
        more = (discounting(discount, horizon + later) * fading).sum() / discounting(discount, np.array(0))
        mrr = portfolio.mrr.copy()
        mrr[0] += more * mrr[horizon]
        portfolio = Flow(portfolio.years, mrr)
    return float(hazard_ratios(portfolio, inputs, horizon)[0])


def _panel(
    portfolio: CoveredPortfolio,
    seen: Flow,
    inputs: Assumptions,
    horizons: tuple[int, ...],
    risks: Sequence[float],
    tail_months: int,
) -> WhatIfState:
    results, curves = [], []
    for horizon in horizons:
        results.append(_row(portfolio, seen, inputs, horizon, tail_months))
        many = asdict(inputs) | {"expansion_lost": 0.0, "relative_risk": np.asarray(risks)}
        each = outcomes(seen, many, horizon, tail_months)
        curves.append(pd.DataFrame({"horizon": horizon, "relative_risk": risks, "net": each.value - each.cost}))
    return WhatIfState(inputs, tail_months > 0, pd.DataFrame(results), pd.concat(curves, ignore_index=True))


def _row(
    portfolio: CoveredPortfolio, seen: Flow, inputs: Assumptions, horizon: int, tail_months: int
) -> dict[str, Any]:
    found, points = outcome(portfolio, inputs, horizon, tail_months), math.nan
    risk = break_even_risk(seen, inputs, horizon, tail_months)
    if math.isfinite(risk):
        points = float(outcomes(seen, asdict(inputs) | {"relative_risk": risk}, horizon).points[0])
    shares = ("horizon", "points", "points_of_all", "retention_with", "retention_without")
    return {
        **{name: getattr(found, name) for name in shares},
        "mrr_kept": seen.total * found.points / 100,
        **{name: getattr(found, name) for name in ("value", "cost", "net")},
        "roi": math.nan if found.roi is None else found.roi,
        "break_even_risk": risk,
        "break_even_points": points,
        "break_even_points_of_all": points * portfolio.exposed_mrr / portfolio.total_mrr,
    }


def _sliders(inputs: Assumptions, pays: Sequence[float]) -> pd.DataFrame:
    """How far each slider goes: to twice where it starts or a customary end, whichever is further, in round steps."""
    given = asdict(inputs)
    risk = max(3.0, *(1.2 * each for each in (given["relative_risk"], *pays) if each <= 8))
    customary = {
        "relative_risk": (0.5, math.ceil(2 * risk) / 2, 0.01),
        "yearly_churn": (0.0, 0.5, 0.005),
        "expansion": (0.0, 0.3, 0.005),
        "expansion_lost": (0.0, 1.0, 0.01),
        "margin": (0.0, 1.0, 0.01),
        "absorbed": (0.0, 1.0, 0.01),
        "severance_months": (0.0, 12.0, 0.5),
        "notice_months": (0.0, 12.0, 1.0),
        "discount": (0.0, 0.25, 0.005),
    }
    spare = max(given[name] for name in ("people", "tools", "management")) or 10_000.0
    rows = []
    for name in INPUTS:
        value = given[name]
        if name in customary:
            low, high, step = customary[name]
            low, high = min(low, value), max(high, value)
        else:
            step = _round_step(2 * (value or spare) / 100)
            low, high = 0.0, step * math.ceil(2 * (value or spare) / step)
        rows.append((name, value, low, high, step, *LIMITS[name][:2]))
    return pd.DataFrame(rows, columns=["name", "value", "low", "high", "step", "min", "max"])


def _round_step(size: float) -> float:
    """The largest of 1, 2, 5, 10, 20, 50, ... that is not above ``size``, and no less than 1."""
    ten = 10.0 ** math.floor(math.log10(max(size, 1.0)))
    return ten * max(factor for factor in (1, 2, 5) if factor * ten <= max(size, 1.0))


def _pool(rows: pd.DataFrame, smallest: int) -> tuple[pd.DataFrame, float]:
    """Rows of a portfolio with at least ``smallest`` accounts each, and the share of MRR that was pooled for it.

    Neighbouring due dates of a term are joined first, then terms that are too rare for a row of their own.
    """
    if smallest <= 1 or (rows["accounts"] >= smallest).all():
        return rows, 0.0
    groups: list[list[int]] = []
    ordered = rows.sort_values(["term", "due_in"], ignore_index=True)
    for _, same_term in ordered.groupby("term"):
        groups += _joined([[place] for place in same_term.index], ordered["accounts"], smallest)
    groups = _joined(groups, ordered["accounts"], smallest)
    made = []
    for group in groups:
        part = ordered.loc[group]
        cents = part["mrr_cents"].to_numpy()
        weight = cents if cents.sum() else np.ones(len(part))
        due = math.floor(float(np.average(part["due_in"], weights=weight)) + 0.5)
        term = int(part["term"].iloc[int(np.argmax(cents))])
        made.append((due, term, int(cents.sum()), int(part["accounts"].sum())))
    pooled = sum(int(ordered.loc[group, "mrr_cents"].sum()) for group in groups if len(group) > 1)
    found = pd.DataFrame(made, columns=["due_in", "term", "mrr_cents", "accounts"])
    return found, pooled / max(1, int(rows["mrr_cents"].sum()))


def _joined(groups: Sequence[list[int]], accounts: pd.Series, smallest: int) -> list[list[int]]:
    """Neighbours joined until each group has enough; what is left over at the end joins the last group."""
    found: list[list[int]] = []
    for group in groups:
        if found and accounts[found[-1]].sum() < smallest:
            found[-1] = found[-1] + group
        else:
            found.append(list(group))
    if len(found) > 1 and accounts[found[-1]].sum() < smallest:
        found[-2:] = [found[-2] + found[-1]]
    return found
