"""Why and when accounts leave: survival of paid spells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cs_helpers import periods, retention, stats
from cs_helpers.definitions import Refusal, attempt
from cs_helpers.errors import ContractError


@dataclass(frozen=True, eq=False)
class Survival:
    """A Kaplan-Meier curve.

    ``table``: index ``months`` (``starts_at``, then every age at which somebody left, then the last age seen); columns
    at_risk, events, survival, low, high. ``starts_at`` is the age from which the curve counts; survival is
    then among those who reached it. ``median`` is NaN where the curve stays above one half.
    """

    table: pd.DataFrame
    spells: int
    events: int
    starts_at: float
    last_seen: float
    level: float
    transform: str
    _stops: np.ndarray = field(repr=False)
    _entries: np.ndarray = field(repr=False)
    _weights: np.ndarray = field(repr=False)

    def _at(self, months: float, column: str) -> float:
        if not self.starts_at <= months <= self.last_seen:
            return float("nan")
        place = int(self.table.index.searchsorted(months, side="right")) - 1
        return float(self.table[column].iloc[place])

    def survival(self, months: float) -> float:
        """Share still there after ``months``; NaN outside the ages that were seen."""
        return self._at(months, "survival")

    def interval(self, months: float) -> tuple[float, float]:
        """Pointwise interval of ``survival(months)``; before the first departure it rests on those at risk."""
        if self.survival(months) == 1 and months > self.starts_at:
            seen = (self._entries < months) & (months <= self._stops)
            return (float(_nobody_left(stats.effective_n(self._weights[seen]), self.level)), 1.0)
        return (self._at(months, "low"), self._at(months, "high"))

    def at_risk(self, months: float) -> int:
        """Spells under observation at that age: entered before it, not gone before it."""
        return int((self._stops >= months).sum() - (self._entries >= months).sum()) if months > 0 else self._fresh()

    @property
    def late_entries(self) -> int:
        """Spells that came under observation only after their start."""
        return int((self._entries > 0).sum())

    def _fresh(self) -> int:
        return int((self._entries <= 0).sum())

    def _first_at_or_below_half(self, column: str) -> float:
        below = self.table.index[self.table[column] <= 0.5]
        return float(below[0]) if len(below) else float("nan")

    @property
    def median(self) -> float:
        """First age at which at most half are left."""
        return self._first_at_or_below_half("survival")

    @property
    def median_interval(self) -> tuple[float, float]:
        """Ages at which the lower and the upper limit of the curve reach one half (Brookmeyer & Crowley 1982)."""
        return (self._first_at_or_below_half("low"), self._first_at_or_below_half("high"))


def spells(subscriptions: pd.DataFrame, observed_from: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
    """Unbroken stretches of paid time: ``account_id, start_date, duration_months, churned, entry_months, mrr``.

    A change of price does not end a spell; a gap does, and the return starts a new one at age 0.
    ``churned`` is False while it still runs at ``as_of``; its duration then counts to the day before, the last
    one seen, so that an account exactly a year old is not taken to have passed the anniversary that nobody has
    seen. ``entry_months`` is the age at which the spell
    came under observation: 0, or its age at ``observed_from`` if it began earlier (left truncation).
    ``mrr`` is what was paid on entry. Spells that ended before ``observed_from`` are left out: others that
    did are not in the export.
    """
    paid = retention.paid_periods(subscriptions)
    paid = paid[paid["start_date"] < as_of]
    starts = paid["start_date"] != paid.groupby("account_id")["end_date"].shift()
    paid["spell"] = starts.cumsum()
    seen = paid["end_date"].isna() | (paid["end_date"] > observed_from)
    on_entry = paid[seen].groupby("spell")["mrr"].first()
    grouped = paid.groupby("spell")
    result = pd.DataFrame(
        {
            "account_id": grouped["account_id"].first(),
            "start_date": grouped["start_date"].first(),
            "end_date": grouped["end_date"].last(skipna=False),
        }
    ).assign(mrr=on_entry)
    result["churned"] = result["end_date"] < as_of
    stop = result["end_date"].where(result["churned"], as_of - pd.Timedelta(days=1))
    result["duration_months"] = periods.months_between(result["start_date"], stop)
    entry = result["start_date"].where(result["start_date"] > observed_from, observed_from)
    result["entry_months"] = periods.months_between(result["start_date"], entry)
    result = result[result["duration_months"] > result["entry_months"]]
    columns = ["account_id", "start_date", "duration_months", "churned", "entry_months", "mrr"]
    return result[columns].reset_index(drop=True)


def time_to_leave(
    subscriptions: pd.DataFrame, observed_from: pd.Timestamp, as_of: pd.Timestamp, min_at_risk: int = 10
) -> Survival | Refusal:
    """``kaplan_meier`` of the book's ``spells``, or the reason why no curve deserves to be drawn."""
    seen = spells(subscriptions, observed_from, as_of)
    if len(seen) < 2 * min_at_risk:
        return Refusal(
            f"{len(seen)} paid spell{'' if len(seen) == 1 else 's'} in the observed window; a curve needs at least "
            f"{2 * min_at_risk}. "
            "Load a longer history or more accounts."
        )
    columns = (seen["duration_months"], seen["churned"], seen["entry_months"])
    curve: Survival | Refusal = attempt(kaplan_meier, *columns, min_at_risk=min_at_risk)
    return curve


def kaplan_meier(
    duration_months: ArrayLike,
    churned: ArrayLike,
    entry_months: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
    transform: str = "log-log",
    min_at_risk: int = 1,
) -> Survival:
    """Share of spells still running by age, with late entry and censoring.

        S(t) = product over ages a <= t of (1 - d(a) / n(a))

    d(a) = spells that ended at age a, n(a) = spells with entry < a <= duration. A spell with ``churned``
    False was still running when last seen. ``entry_months`` missing means everybody was seen from age 0.
    Interval: Greenwood on the log-log scale (R's default is ``log``). With ``weights`` d and n are weighted
    sums and the variance rests on the effective number at risk (Xie & Liu 2005); weights of 1 change nothing.
    The curve spans the first stretch of ages with ``min_at_risk`` at risk throughout, since on two spells it may
    fall to 0 by chance; S is among those who reached ``starts_at``.
    Raises ContractError for missing or negative durations, for an entry at or after the duration, and
    where nobody is left to count. Source: Kaplan & Meier 1958; Greenwood 1926.
    """
    stop = np.asarray(duration_months, float)
    ended = np.asarray(churned).astype(bool)
    entry = np.zeros_like(stop) if entry_months is None else np.asarray(entry_months, float)
    w = np.ones_like(stop) if weights is None else np.asarray(weights, float)
    if not len(stop) == len(ended) == len(entry) == len(w):
        raise ContractError("durations, churned, entry and weights must have one value per spell each.")
    if transform not in ("log-log", "log"):
        raise ValueError(f"transform {transform!r}: choose log-log or log")
    bad = ~(np.isfinite(stop) & np.isfinite(entry) & (entry >= 0) & (stop > entry) & np.isfinite(w) & (w > 0))
    if bad.any():
        raise ContractError(
            f"{bad.sum()} of {len(stop)} spells have no length to observe: each needs 0 <= entry_months < "
            "duration_months and a weight above 0. Leave out or correct them; "
            f"the first is number {np.flatnonzero(bad)[0] + 1}."
        )
    starts_at, ends_at = _well_observed(entry, stop, min_at_risk)
    inside = (stop > starts_at) & (stop <= ends_at)
    ages = np.unique(stop[inside])
    weight_at_risk, squares_at_risk, at_risk = (
        _total_from(stop, x, ages) - _total_from(entry, x, ages) for x in (w, w**2, np.ones_like(w))
    )
    place = np.searchsorted(ages, stop[inside])
    lost, n_events = (np.bincount(place, weights=x[inside], minlength=len(ages)) for x in (w * ended, ended))
    hazard = np.clip(lost / weight_at_risk, 0, 1)
    effective = weight_at_risk**2 / squares_at_risk
    survival = np.cumprod(1 - hazard)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(hazard / (effective * (1 - hazard)))
    low, high = _limits(survival, variance, effective, level, transform)
    # Ages at which only censoring happened are no steps; the last age ends the curve.
    keep = n_events > 0
    keep[-1] = True
    at_start = int((entry <= starts_at).sum() - (stop <= starts_at).sum())
    table = pd.DataFrame(
        {
            "at_risk": np.concatenate([[at_start], at_risk[keep]]).astype(int),
            "events": np.concatenate([[0], n_events[keep]]).astype(int),
            "survival": np.concatenate([[1.0], survival[keep]]),
            "low": np.concatenate([[1.0], low[keep]]),
            "high": np.concatenate([[1.0], high[keep]]),
        },
        index=pd.Index(np.concatenate([[starts_at], ages[keep]]), name="months"),
    )
    return Survival(table, len(stop), int(n_events.sum()), starts_at, ends_at, level, transform, stop, entry, w)


def _well_observed(entry: np.ndarray, stop: np.ndarray, least: int) -> tuple[float, float]:
    """The first stretch of ages with at least ``least`` spells at risk throughout: (from, to].

    Between two neighbouring entries or stops the number at risk does not change. A stretch ends where fewer
    remain, even if more come under observation at a later age: nothing links the two.
    """
    points = np.unique(np.concatenate([entry, stop]))
    at_risk = np.searchsorted(np.sort(entry), points, "right") - np.searchsorted(np.sort(stop), points, "right")
    enough = at_risk >= least
    if not enough.any():
        raise ContractError(
            f"{len(stop)} spells: fewer than {least} are under observation at any one age. "
            "Load a longer history or more accounts."
        )
    first = int(np.argmax(enough))
    return float(points[first]), float(points[first + int(np.argmin(enough[first:]))])


def _total_from(position: np.ndarray, value: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Sum of ``value`` where position >= age, for each age."""
    order = np.argsort(position, kind="stable")
    rest = np.concatenate([np.cumsum(value[order][::-1])[::-1], [0.0]])
    return rest[np.searchsorted(position[order], ages, side="left")]


def _limits(
    s: np.ndarray, variance: np.ndarray, effective: np.ndarray, level: float, transform: str
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise limits of S from Greenwood's variance of log S.

    While nobody has left that variance is 0, which is not certainty. Once everybody has left, the upper limit
    stays where it was.
    """
    z = stats.normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        if transform == "log":
            half = z * np.sqrt(variance)
            low, high = s * np.exp(-half), np.minimum(s * np.exp(half), 1)
        else:
            half = z * np.sqrt(variance) / np.abs(np.log(s))
            low, high = s ** np.exp(half), s ** np.exp(-half)
    low, high = np.where(s >= 1, _nobody_left(effective, level), low), np.where(s >= 1, 1.0, high)
    gone = s <= 0
    before = high[~gone][-1] if (~gone).any() else 1.0
    return np.where(gone, 0.0, low), np.where(gone, before, high)


def _nobody_left(at_risk: Any, level: float) -> Any:
    """Lower limit where n of n are still there: the exact one, (alpha/2)^(1/n)."""
    return ((1 - level) / 2) ** (1 / at_risk)
