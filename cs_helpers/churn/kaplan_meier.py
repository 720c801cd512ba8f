"""Survival of paid spells: the share still paying by age, with late entry and censoring (Kaplan-Meier)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Result, Suppressed, or_suppressed

_ROWS_AT_ONCE = 1 << 16  # small enough for the processor's cache
_MAX_CELLS = 1 << 20  # of a table of ages by ages on entry: 60 years of either


@dataclass(frozen=True, eq=False)
class Spells:
    """Spells, one row for ``count`` of equal age and outcome; ``weight`` and ``squares`` are sums over them."""

    stop: np.ndarray
    ended: np.ndarray
    entry: np.ndarray
    count: np.ndarray
    weight: np.ndarray
    squares: np.ndarray

    def number(self, which: np.ndarray) -> int:
        return int(self.count[which].sum())

    def effective_n(self, months: float) -> float:
        """Kish's effective number of the spells at risk at an age."""
        there = (self.entry < months) & (months <= self.stop)
        return float(self.weight[there].sum()) ** 2 / float(self.squares[there].sum())


@dataclass(frozen=True, eq=False, repr=False)
class Survival(Result):
    """A Kaplan-Meier curve: the share of accounts still paying by age.

    ``curve``: index ``months`` (``starts_at``, then every age at which somebody left, then the last age seen); columns
    at_risk, events, survival, low, high. ``starts_at`` is the age from which the curve counts; survival is
    then among those who reached it. ``median`` is NaN where the curve stays above one half.
    """

    curve: pd.DataFrame
    spells: int
    events: int
    starts_at: float
    last_seen: float
    level: float
    _seen: Spells = field(repr=False)
    observed_from: pd.Timestamp | None = None
    revenue: Result | None = None

    def _at(self, months: float, column: str) -> float:
        if not self.starts_at <= months <= self.last_seen:
            return float("nan")
        place = int(self.curve.index.searchsorted(months, side="right")) - 1
        return float(self.curve[column].iloc[place])

    def at(self, months: float) -> float:
        """Share still paying after ``months``; NaN outside the ages that were seen."""
        return self._at(months, "survival")

    def interval(self, months: float) -> tuple[float, float]:
        """Pointwise interval of ``at(months)``; before the first departure it rests on those at risk."""
        if self.at(months) == 1 and months > self.starts_at:
            return (float(_nobody_left(self._seen.effective_n(months), self.level)), 1.0)
        return (self._at(months, "low"), self._at(months, "high"))

    def at_risk(self, months: float) -> int:
        """Spells under observation at that age: entered before it, not gone before it."""
        if months <= 0:
            return self._seen.number(self._seen.entry <= 0)
        return self._seen.number(self._seen.stop >= months) - self._seen.number(self._seen.entry >= months)

    @property
    def late_entries(self) -> int:
        """Spells that came under observation only after their start."""
        return self._seen.number(self._seen.entry > 0)

    def _first_at_or_below_half(self, column: str) -> float:
        below = self.curve.index[self.curve[column] <= 0.5]
        return float(below[0]) if len(below) else float("nan")

    @property
    def median(self) -> float:
        """First age at which at most half are left."""
        return self._first_at_or_below_half("survival")

    @property
    def median_interval(self) -> tuple[float, float]:
        """Ages at which the lower and the upper limit of the curve reach one half (Brookmeyer & Crowley 1982)."""
        return (self._first_at_or_below_half("low"), self._first_at_or_below_half("high"))


def kaplan_meier(
    duration_months: ArrayLike,
    churned: ArrayLike,
    entry_months: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
    min_at_risk: int = 1,
    counts: ArrayLike | None = None,
    transform: str = "log-log",
) -> Survival:
    """Share of spells still running by age, with late entry and censoring.

        S(t) = product over ages a <= t of (1 - d(a) / n(a))

    d(a) = spells that ended at age a, n(a) = spells with entry < a <= duration. A spell with ``churned``
    False was still running when last seen. ``entry_months`` missing means everybody was seen from age 0.
    Interval: Greenwood, on the scale ``transform``: "log-log" or "log". With ``weights`` d and n are weighted sums and
    the variance rests on the effective number at risk (Xie & Liu 2005); weights of 1 change nothing.
    With ``counts`` a row stands for that many equal spells, each of its weight, as if they were written out.
    The curve spans the first stretch of ages with ``min_at_risk`` at risk throughout, since on two spells it may
    fall to 0 by chance; S is among those who reached ``starts_at``.
    Raises ContractError for missing or negative durations, for an entry at or after the duration, and
    where nobody is left to count; ValueError for another ``transform``. Source: Kaplan & Meier 1958; Greenwood 1926.

    Example:
        >>> curve = cs.churn.kaplan_meier([1, 2, 3, 4, 5], churned=[True, False, True, False, True])
        >>> round(curve.at(3), 3)
        0.533
    """
    stop, ended = np.asarray(duration_months, float), np.asarray(churned).astype(bool)
    entry = np.zeros_like(stop) if entry_months is None else np.asarray(entry_months, float)
    w = np.ones_like(stop) if weights is None else np.asarray(weights, float)
    n = np.ones_like(stop) if counts is None else np.asarray(counts, float)
    if not len(stop) == len(ended) == len(entry) == len(w) == len(n):
        raise ContractError("durations, churned, entry, weights and counts must have one value per spell each.")
    require_length(stop, entry, n, w)
    if transform not in ("log-log", "log"):
        raise ValueError(f"transform {transform!r}: choose log-log or log")
    seen = Spells(stop, ended, entry, n, n * w, n * w**2)
    starts_at, ends_at = well_observed(entry, stop, n, min_at_risk)
    inside = (stop > starts_at) & (stop <= ends_at)
    ages = np.unique(stop[inside])
    weight_at_risk, squares_at_risk, at_risk = (
        total_from(stop, x, ages) - total_from(entry, x, ages) for x in (seen.weight, seen.squares, n)
    )
    place = np.searchsorted(ages, stop[inside])
    lost, n_events = (np.bincount(place, weights=(x * ended)[inside], minlength=len(ages)) for x in (seen.weight, n))
    hazard = np.clip(lost / weight_at_risk, 0, 1)
    effective = weight_at_risk**2 / squares_at_risk
    survival = np.cumprod(1 - hazard)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(hazard / (effective * (1 - hazard)))
    low, high = survival_limits(survival, variance, effective, level, transform)
    # Ages at which only censoring happened are no steps; the last age ends the curve.
    keep = n_events > 0
    keep[-1] = True
    at_start = seen.number(entry <= starts_at) - seen.number(stop <= starts_at)
    curve = pd.DataFrame(
        {
            "at_risk": np.append(at_start, at_risk[keep]).astype(int),
            "events": np.append(0, n_events[keep]).astype(int),
            "survival": np.append(1.0, survival[keep]),
            "low": np.append(1.0, low[keep]),
            "high": np.append(1.0, high[keep]),
        },
        index=pd.Index(np.append(starts_at, ages[keep]), name="months"),
    )
    return Survival(curve, int(n.sum()), int(n_events.sum()), starts_at, ends_at, level, seen)


def curve_of_counts(counts: pd.DataFrame, min_at_risk: int = 1) -> Survival:
    """``kaplan_meier`` of the spells that ``counts``, the roll-up ``survival_counts``, has counted.

    The same curve and the same limits as of the spells one by one. Rows of several attributes are taken together;
    choose those of one before. Raises as ``kaplan_meier`` does.
    """
    require_entry(counts)
    stop, ended, entry = counts["duration_months"], counts["churned"], counts["entry_months"]
    return kaplan_meier(stop, ended, entry, min_at_risk=min_at_risk, counts=counts["spells"])


def time_to_leave(counts: pd.DataFrame, min_at_risk: int = 10) -> Survival | Suppressed:
    """``curve_of_counts`` of all accounts, or the reason why there is no curve.

    ``counts`` is the roll-up ``survival_counts``.
    """
    seen = int(counts["spells"].sum())
    if seen < 2 * min_at_risk:
        return Suppressed(
            f"{seen} paid spell{'' if seen == 1 else 's'} in the observed window; a curve needs at least "
            f"{2 * min_at_risk}. "
            "Load a longer history or more accounts."
        )
    curve: Survival | Suppressed = or_suppressed(curve_of_counts, counts, min_at_risk=min_at_risk)
    return curve


def counts_of(duration_months: ArrayLike, churned: ArrayLike, entry_months: ArrayLike | None = None) -> pd.DataFrame:
    """Spells counted as the roll-up ``survival_counts`` counts them, for ``curve_of_counts``.

    One row for each duration, age on entry and outcome that occur, in this order, and their number, ``spells``.
    ``entry_months`` missing means everybody was seen from age 0. Whole ages of any number of rows are counted in one
    pass and next to no memory. Raises ContractError for missing or negative durations, an entry at or after the
    duration, and an outcome that is neither true nor false.
    """
    stop, ended = np.asarray(duration_months, float), _true_or_false(churned)
    entry = np.zeros_like(stop) if entry_months is None else np.asarray(entry_months, float)
    if not len(stop) == len(ended) == len(entry):
        raise ContractError("durations, churned and entry must have one value per spell each.")
    parts = [slice(start, start + _ROWS_AT_ONCE) for start in range(0, len(stop), _ROWS_AT_ONCE)]
    whole = len(stop) > 0
    for part in parts:
        if not _has_length(stop[part], entry[part]).all():
            require_length(stop, entry)
        whole = whole and all((x[part] == np.floor(x[part])).all() for x in (stop, entry))
    if whole and 2 * (stop.max() + 1) * (entry.max() + 1) <= _MAX_CELLS:
        entries = int(entry.max()) + 1
        table = np.zeros((int(stop.max()) + 1) * entries * 2, np.int64)
        for part in parts:
            cell = (stop[part] * entries + entry[part]) * 2 + ended[part]
            table += np.bincount(cell.astype(np.intp), minlength=len(table))
        kinds = np.flatnonzero(table)
        columns = (kinds // 2 // entries).astype(float), (kinds // 2 % entries).astype(float), kinds % 2 == 1
        return pd.DataFrame(dict(zip((*_KIND, "spells"), (*columns, table[kinds]), strict=True)))
    rows = pd.DataFrame(dict(zip(_KIND, (stop, entry, ended), strict=True)))
    return rows.groupby(_KIND).size().rename("spells").reset_index()


_KIND = ["duration_months", "entry_months", "churned"]


def _true_or_false(churned: ArrayLike) -> np.ndarray:
    given = np.asarray(churned)
    try:
        ended = given.astype(bool)
        known = ended == given
    except (TypeError, ValueError):  # a missing value of pandas is no truth value
        known = np.zeros(1, bool)
    if not np.all(known):
        raise ContractError("churned must be true or false for every spell. Leave out those whose fate is unknown.")
    return ended


def require_entry(frame: pd.DataFrame, observed_from: pd.Timestamp | None = None) -> None:
    """Raises ContractError where spells, or their counts, lack ``entry_months``, the age at which each was first seen.

    Without it, accounts that began before the data would count as if they had been watched from their start.
    Nor may a period that began before ``observed_from``, where that and ``start_date`` are given, have been entered at
    age 0.

    Example:
        >>> require_entry(pd.DataFrame({"entry_months": [0.0, 3.5]}))
    """
    if "entry_months" not in frame.columns:
        raise ContractError(
            "the spells have no column entry_months, the age at which each came under observation; without it accounts "
            "that began before the data did count as if they had been watched from the start, which makes the curve "
            "far too high: a true 70 % after 12 months reads as 87 %. Use the roll-up spells or survival_counts, "
            "or set it to 0 if every start was observed."
        )
    if missing := int(frame["entry_months"].isna().sum()):
        raise ContractError(
            f"entry_months is missing for {missing} of {len(frame)} spells. Write the age at which each came under "
            "observation, 0 for those watched from their start."
        )
    if observed_from is None or "start_date" not in frame.columns:
        return
    early = (frame["start_date"] < observed_from) & (frame["entry_months"] <= 0)
    if early.any():
        first = int(np.argmax(early.to_numpy()))
        raise ContractError(
            f"{int(early.sum())} of {len(frame)} spells began before {observed_from:%Y-%m-%d}, when the data begin, "
            f"but have entry_months 0, as if they had been watched from the start; the first is number {first + 1}. "
            "Their entry_months is their age on that day; the roll-up spells with the same observed_from writes it."
        )


def _has_length(stop: np.ndarray, entry: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.isfinite(stop) & np.isfinite(entry) & (entry >= 0) & (stop > entry)
    return result


def require_length(stop: np.ndarray, entry: np.ndarray, *weights: np.ndarray) -> None:
    """Raises ContractError for spells that do not end after they were first seen, or without weight."""
    fit = _has_length(stop, entry)
    for each in weights:
        fit = fit & np.isfinite(each) & (each > 0)
    if not fit.all():
        raise ContractError(
            f"{int((~fit).sum())} of {len(stop)} spells have no length to observe: each needs 0 <= entry_months < "
            "duration_months and a weight above 0. Leave out or correct them; "
            f"the first is number {int(np.argmin(fit)) + 1}."
        )


def well_observed(entry: np.ndarray, stop: np.ndarray, count: np.ndarray, min_at_risk: int) -> tuple[float, float]:
    """The first stretch of ages with at least ``min_at_risk`` spells at risk throughout: (from, to].

    Between two neighbouring entries or stops the number at risk does not change. A stretch ends where fewer
    remain, even if more come under observation at a later age: nothing links the two.
    """
    points = np.unique(np.concatenate([entry, stop]))
    began, ended = (
        np.bincount(np.searchsorted(points, ages), weights=count, minlength=len(points)) for ages in (entry, stop)
    )
    enough = np.cumsum(began - ended) >= min_at_risk
    if not enough.any():
        raise ContractError(
            f"{int(count.sum())} spells: fewer than {min_at_risk} are under observation at any one age. "
            "Load a longer history or more accounts."
        )
    first = int(np.argmax(enough))
    return float(points[first]), float(points[first + int(np.argmin(enough[first:]))])


def total_from(position: np.ndarray, value: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Sum of ``value`` where position >= age, for each age."""
    order = np.argsort(position, kind="stable")
    rest = np.append(np.cumsum(value[order][::-1])[::-1], 0.0)
    return rest[np.searchsorted(position[order], ages, side="left")]


def survival_limits(
    s: np.ndarray, variance: np.ndarray, effective: np.ndarray, level: float, transform: str = "log-log"
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise limits of S from Greenwood's variance of log S, on the scale ``transform``.

    While nobody has left that variance is 0, which is not certainty. Once everybody has left, the upper limit
    stays where it was.
    """
    z = stats.normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
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
