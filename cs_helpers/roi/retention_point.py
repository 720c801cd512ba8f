"""What a point of yearly retention is worth, whatever causes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.roi.economics import Assumptions, discounting, flow
from cs_helpers.roi.portfolio import CoveredPortfolio


def value_of_points(
    portfolio: CoveredPortfolio,
    assumptions: Assumptions,
    points: Sequence[float] = (1, 2, 3, 4, 5),
    horizons: Sequence[int] = (12, 24, 36),
) -> pd.DataFrame:
    """What so many points of yearly retention are worth, whoever causes them.

        value(H) = margin sum over t < H of d(t) sum of mrr (S'(t) - S(t))

    with S at ``yearly_churn`` and S' at yearly_churn - points / 100, both phased in with the contracts' due dates;
    without expansion, tail and cost. relative_risk is not used. Columns horizon, points, retention_from, retention_to
    (of contracts that decide, a year, as fractions), mrr_months (MRR of all months gained, before margin), value
    (currency, discounted), per_point; reason where churn is lower than the points. Raises ParameterError for points
    of 0 or less.
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
                | {
                    "retention_to": 1 - better,
                    "mrr_months": float(gained.sum()),
                    "value": value,
                    "per_point": value / each,
                    "reason": "",
                }
            )
    columns = ["horizon", "points", "retention_from", "retention_to", "mrr_months", "value", "per_point", "reason"]
    return pd.DataFrame(rows).reindex(columns=columns)
