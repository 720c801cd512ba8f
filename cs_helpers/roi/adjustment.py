"""The columns that regressions adjust for: health, MRR and tenure of an account or an account-month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cs_helpers.core.stats.splines import natural_spline, spline_knots

CURVES = {"health": 4, "log_mrr": 4, "tenure_months": 3}  # knots of each spline
_FLAT = 1e-9  # a column that varies less, in its own units, counts as constant


@dataclass(frozen=True, eq=False)
class Adjustment:
    """How the columns are made; ``adjustment`` chooses it from rows, and it applies to any others."""

    knots: dict[str, np.ndarray]
    lines: tuple[str, ...]
    median_health: float
    flag_health: bool
    middle: tuple[float, float]
    centre: np.ndarray
    scale: np.ndarray

    def columns(self, rows: pd.DataFrame) -> np.ndarray:
        """Rows x columns without an intercept, mean 0 and SD 1 in the rows they were made for."""
        return np.asarray((self._raw(rows) - self.centre) / self.scale)[:, self.scale < np.inf]

    def modifiers(self, rows: pd.DataFrame) -> np.ndarray:
        """Health, log MRR and tenure as straight lines (those that vary), for products with coverage."""
        first = np.cumsum([0, *(max(len(k) - 1, 1) for k in self.knots.values())])[:-1]
        straight = (self._raw(rows) - self.centre) / self.scale
        return np.asarray(straight[:, [c for c in first if np.isfinite(self.scale[c])]])

    def _raw(self, rows: pd.DataFrame) -> np.ndarray:
        made: list[np.ndarray] = []
        for name, knots in self.knots.items():
            values = rows[name].to_numpy(float)
            if name == "health":
                values = np.where(np.isnan(values), self.median_health, values)
            made.append(natural_spline(values, knots))
        if "health" in self.knots:  # centred, so that the currency does not mix the product with its factors
            made.append(((made[0][:, 0] - self.middle[0]) * (made[1][:, 0] - self.middle[1]))[:, None])
        if self.flag_health:
            made.append(rows["health"].isna().to_numpy(float)[:, None])
        made += [rows[name].to_numpy(float)[:, None] for name in self.lines]
        return np.column_stack(made)


def adjustment(rows: pd.DataFrame, lines: Sequence[str] = ()) -> Adjustment:
    """Columns for health, log MRR and tenure: natural splines, health x log MRR, and a straight line for ``lines``.

    ``rows``: health, log_mrr, tenure_months and ``lines``. Unknown health counts as the median, with a column that
    marks it; health that is never known, and what does not vary, gives no column.
    """
    known = rows["health"].notna().to_numpy()
    curves = {name: count for name, count in CURVES.items() if name != "health" or known.any()}
    knots = {name: spline_knots(rows[name].to_numpy(float), count) for name, count in curves.items()}
    median = float(rows.loc[known, "health"].median()) if known.any() else 0.0
    flag = bool(known.any() and not known.all())
    middle = (float(rows["health"].fillna(median).mean()), float(rows["log_mrr"].mean()))
    plain = Adjustment(knots, tuple(lines), median, flag, middle, np.zeros(1), np.ones(1))
    raw = plain._raw(rows)
    spread = raw.std(axis=0)
    scale = np.where(spread > _FLAT, spread, np.inf)
    return replace(plain, centre=raw.mean(axis=0), scale=scale)


def with_ones(*parts: np.ndarray) -> np.ndarray:
    """An intercept and the columns after it."""
    return np.column_stack([np.ones(len(parts[0])), *parts])


def standardised(x: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and SD 1; 0 throughout where a column does not vary."""
    sd = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(sd > 0, sd, 1.0))
