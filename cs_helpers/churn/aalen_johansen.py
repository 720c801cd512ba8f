"""Departures by cause: the share that left for each of several reasons, by age; leaving for one rules out the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cs_helpers.churn.kaplan_meier import require_length, survival_limits, total_from, well_observed
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Result

_ALL = 1e-12  # a share this close to 1 is everybody


@dataclass(frozen=True, eq=False, repr=False)
class Incidence(Result):
    """Share of spells that have left for each cause by each age (cumulative incidence).

    ``share``: index ``months`` (``starts_at``, then every age at which somebody left, then the last age seen); one
    column per cause, the largest share at the end first; step values, of those who reached ``starts_at``. ``low`` and
    ``high`` are their pointwise limits and ``se`` their standard errors, of the same shape. ``events``: departures
    by cause within those ages; a cause seen only outside them has 0. ``naive``: 1 - Kaplan-Meier at ``last_seen``
    with the other causes treated as still running. It answers "how many would leave for this cause if no other
    existed", is never below the true share, and the causes add up to more than can leave.
    """

    share: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    se: pd.DataFrame
    events: pd.Series
    spells: int
    starts_at: float
    last_seen: float
    level: float
    naive: pd.Series = field(repr=False)

    def at(self, months: float) -> pd.Series:
        """Share that has left for each cause after ``months``; NaN outside the ages that were seen."""
        if not self.starts_at <= months <= self.last_seen:
            return pd.Series(float("nan"), index=self.share.columns, name=months)
        row = self.share.iloc[int(self.share.index.searchsorted(months, side="right")) - 1]
        return row.rename(months)

    def staying(self, months: float) -> float:
        """Share still there after ``months``: 1 - the sum over causes. NaN outside the ages that were seen."""
        return float(np.clip(1 - self.at(months).to_numpy().sum(), 0, 1))


def cumulative_incidence(
    duration_months: ArrayLike,
    cause: ArrayLike,
    entry_months: ArrayLike | None = None,
    level: float = 0.95,
    min_at_risk: int = 1,
) -> Incidence:
    """Share of spells that have left for each cause, by age: the Aalen-Johansen estimate.

        F_c(t) = sum over ages a <= t of S(a-) d_c(a) / n(a)

    d_c(a) = spells that left for cause c at age a, n(a) = spells with entry < a <= duration, S = Kaplan-Meier of
    leaving for any cause; S and all F_c add up to 1. ``cause`` is text; missing means still running when last seen.
    A spell that left for no recorded reason needs a cause of its own, such as "not recorded". ``entry_months`` missing
    means everybody was seen from age 0.
    The variance is that of the delta method (Marubini & Valsecchi 1995); limits are on the scale log(-log(1 - F)), so
    that with one cause they are those of Kaplan-Meier. The ages are the first stretch with ``min_at_risk`` at risk
    throughout, as in ``kaplan_meier``.
    Raises ContractError for spells without length, a blank cause, arrays of different lengths, where fewer than
    ``min_at_risk`` are under observation at any one age, and where nobody has left.
    Source: Aalen & Johansen 1978; Marubini & Valsecchi 1995.

    Example:
        >>> left = cs.churn.cumulative_incidence([3, 5, 8, 12, 12], ["price", "closure", "price", None, None])
        >>> left.at(12).to_dict(), round(left.staying(12), 2)
        ({'price': 0.4, 'closure': 0.2}, 0.4)
    """
    stop = np.asarray(duration_months, float)
    given = pd.Series(np.asarray(cause, dtype=object))
    entry = np.zeros_like(stop) if entry_months is None else np.asarray(entry_months, float)
    if not len(stop) == len(given) == len(entry):
        raise ContractError("durations, causes and entry must have one value per spell each.")
    require_length(stop, entry)
    code, names = _causes(given)
    one = np.ones_like(stop)
    starts_at, ends_at = well_observed(entry, stop, one, min_at_risk)
    inside = (stop > starts_at) & (stop <= ends_at)
    ages = np.unique(stop[inside])
    n = total_from(stop, one, ages) - total_from(entry, one, ages)
    left = inside & (code >= 0)
    cell = code[left] * len(ages) + np.searchsorted(ages, stop[left])
    d = np.bincount(cell, minlength=len(names) * len(ages)).reshape(len(names), len(ages)).astype(float)
    before = np.concatenate([[1.0], np.cumprod(1 - d.sum(axis=0) / n)[:-1]]) / n  # S(a-) / n(a)
    share = np.minimum(np.cumsum(before * d, axis=1), 1.0)
    variance = _variance(share, before, d, n)
    order = np.lexsort((np.arange(len(names)), -share[:, -1]))
    columns = pd.Index(names[order], name="cause", dtype="str")
    # Ages at which only censoring happened are no steps; the last age ends the table.
    keep = d.sum(axis=0) > 0
    keep[-1] = True
    months = pd.Index(np.concatenate([[starts_at], ages[keep]]), name="months")
    # Limits of F from those of 1 - F; while nobody has left for the cause the upper one is the exact one.
    rest = np.where(share >= 1 - _ALL, 0.0, 1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_variance = np.where(rest > 0, variance / rest**2, 0.0)
    limits = 1 - np.array([survival_limits(r, v, n, level)[::-1] for r, v in zip(rest, log_variance, strict=True)])
    naive = 1 - np.prod(1 - d / n, axis=1)

    def steps(values: np.ndarray) -> pd.DataFrame:
        rows = np.vstack([np.zeros(len(names)), values[order][:, keep].T])
        return pd.DataFrame(rows, index=months, columns=columns)

    return Incidence(
        share=steps(share),
        low=steps(limits[:, 0]),
        high=steps(limits[:, 1]),
        se=steps(np.sqrt(variance)),
        events=pd.Series(d.sum(axis=1)[order].astype(int), index=columns, name="events"),
        spells=len(stop),
        starts_at=starts_at,
        last_seen=ends_at,
        level=level,
        naive=pd.Series(naive[order], index=columns, name="naive"),
    )


def _causes(given: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Number of the cause of each spell, -1 for those still running, and the names in order."""
    recorded = given.notna().to_numpy()
    text = given[recorded].astype(str)
    blank = text.str.strip() == ""
    if blank.any():
        first = int(blank.index[blank.to_numpy()][0]) + 1
        raise ContractError(
            f"{int(blank.sum())} of {len(given)} spells have a blank cause; the first is number {first}. "
            'A spell still running has a missing cause, one that left for no recorded reason "not recorded".'
        )
    if text.empty:
        raise ContractError(
            f"none of the {len(given)} spells has left, so there is no cause to count. Load a longer history."
        )
    code = np.full(len(given), -1, np.intp)
    code[recorded], names = pd.factorize(text.to_numpy(dtype=object), sort=True)
    return code, np.asarray(names, dtype=object)


def _variance(share: np.ndarray, before: np.ndarray, d: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Variance of each F_c at each age t, the sums over a <= t.

    sum (F(t) - F(a))² d / (n (n - d)) + sum S(a-)² d_c (n - d_c) / n³ - 2 sum (F(t) - F(a)) S(a-) d_c / n²
    """
    gone = d.sum(axis=0)
    # Where everybody leaves, F(t) = F(a) from then on: the term is 0 though its weight has no value.
    rate = np.divide(gone, n * (n - gone), out=np.zeros_like(n), where=n > gone)
    first = (
        share**2 * np.cumsum(rate) - 2 * share * np.cumsum(share * rate, axis=1) + np.cumsum(share**2 * rate, axis=1)
    )
    second = np.cumsum(before**2 * d * (n - d) / n, axis=1)
    joint = before * d / n
    third = share * np.cumsum(joint, axis=1) - np.cumsum(share * joint, axis=1)
    result: np.ndarray = np.maximum(first + second - 2 * third, 0.0)
    return result
