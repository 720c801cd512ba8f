"""One measure of the whole organisation by month: this window against the last, the goal and the seasons."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.core.estimates import Change, Estimate
from cs_helpers.core.stats.clusters import student_quantile, two_sided_p
from cs_helpers.core.stats.multiple import benjamini_hochberg
from cs_helpers.reps.engine import compare_units, displayed
from cs_helpers.reps.measures import measure
from cs_helpers.reps.results import Benchmark, Cases, History
from cs_helpers.retention.windows import target as goal_of

MIN_SEASONS = 24
"""Months that must be seen before calendar months are given an effect."""
_SEASON = ["calendar_month", "effect", "low", "high", "years", "q"]


def monthly_history(
    cases: Cases,
    key: str,
    as_of: Any,
    goals: pd.DataFrame | None = None,
    department: str | None = None,
    owner: str | None = None,
    window: int = 12,
) -> History:
    """One measure of the whole organisation by month, and its last ``window`` months against those before.

    Each month's ``adjusted`` figure is that of ``compare_units`` with months as units. ``now`` and ``before`` are the
    measure as it is printed (``window_estimate``), over the ``window`` months before ``as_of``'s month and the same
    number before those; ``verdict`` is that of ``stats.compare`` on as many accounts (clusters) as there are, "no
    comparison" where the data begin later than the earlier window. The goal is that of ``department`` (all of them:
    None) for whole departments, or of one ``owner``, whose period holds the last day; a measure without a better side
    neither meets nor misses it, and an NPS goal of at most 1 is a fraction. ``season``: ``seasons`` of the months.
    Raises ParameterError for an unknown measure, a date that is none or a window that is no number of months,
    ContractError where no case lies before ``as_of``.

    Example:
        >>> monthly_history(cs.reps.team_cases(tables, "support").of("csat"), "csat", "2026-07-01").verdict
        'no clear change'
    """
    if key not in cases.keys:
        raise ParameterError(f"no measure '{key}' in these cases.{did_you_mean(key, list(cases.keys))}")
    end = periods.month(as_of)
    middle, _ = periods.trailing_window(periods.add_months(end, -window), end, window)
    start = periods.add_months(middle, -window)
    known = cases.table[(cases.table["month"] < end) & cases.table[key].notna()]
    if not len(known):
        raise ContractError(f"{key}: no case before {end:%Y-%m-%d} has a value, so there is no history of it.")
    first = known["month"].min()
    seen = replace(cases, table=known)
    result = compare_units(seen, key, by="month", level="month")
    now, many = window_estimate(seen.between(middle, end), key)
    if first > start:
        began = f"the data begin in {periods.window_words(first, periods.add_months(first, 1))}"
        before, change = Estimate(key, None, None, None, 0, reason=began), Change("no comparison", reason=began)
    else:
        before, few = window_estimate(seen.between(start, middle), key)
        change = stats.compare(replace(now, n=many), replace(before, n=few))
    aim = goal_of(now, _goals(goals, key, department, owner), end)
    months = _months(result, first, end, None if aim is None else aim.value)
    sides = measure(key).better != "neither"
    return History(
        key=key,
        scale=result.scale,
        now=now,
        before=before,
        verdict=change.verdict,
        months=months,
        season=seasons(months),
        centre=result.centre,
        target=None if aim is None else aim.value,
        target_verdict="" if aim is None else aim.verdict if sides else "no clear verdict",
        window=window,
    )


def window_estimate(cases: Cases, key: str) -> tuple[Estimate, int]:
    """The measure over all these cases as it is printed, and how many clusters (accounts) it rests on.

        share = cases with it / cases, mean = sum(exposure value) / sum(exposure), count = sum(value) / sum(exposure),
        time = exp(mean of logarithms), the geometric mean

    95 % intervals by linearisation over clusters (Cochran 1977, section 6.3) with Student's t: Wilson's on the
    effective number of cases for shares, on the log scale for counts and times. A time has no numerator, and its number
    of cases as denominator. With a single cluster the interval is unbounded; without a case ``value`` is None.
    """
    family = measure(key).family
    table = cases.table[cases.table[key].notna()]
    if not len(table):
        return Estimate(key, None, None, None, 0, reason="no case in the window has a value"), 0
    y = table[key].to_numpy(float)
    y = np.log(y) if family == "time" else y
    size = np.ones(len(y))
    if "exposure" in table and family in ("mean", "count"):
        size = table["exposure"].to_numpy(float)
    codes, clusters = pd.factorize(table["cluster"], use_na_sentinel=False)
    sums = y if family == "count" else y * size
    numerator, denominator = float(sums.sum()), float(size.sum())
    ratio = numerator / denominator
    many = len(clusters)
    if many < 2:
        error, t = math.inf, math.nan
    else:
        left = np.bincount(codes, sums - ratio * size, many)
        error = math.sqrt(many / (many - 1) * float((left**2).sum())) / denominator
        t = student_quantile(many - 1)
    low, high = _ends(ratio, error, t, family, len(y))
    if family == "time":
        return Estimate(key, math.exp(ratio), None, denominator, len(y), low, high), many
    return Estimate(key, ratio, numerator, denominator, len(y), low, high), many


def _ends(ratio: float, error: float, t: float, family: str, cases: int) -> tuple[float, float]:
    if family == "share":
        if math.isinf(error):
            return 0.0, 1.0
        size = min(cases, ratio * (1 - ratio) / error**2) if error > 0 and 0 < ratio < 1 else float(cases)
        size *= (stats.normal_quantile(0.95) / t) ** 2
        return stats.wilson_interval(min(ratio, 1.0) * size, size)
    if family == "mean":
        return (-math.inf, math.inf) if math.isinf(error) else (ratio - t * error, ratio + t * error)
    if math.isinf(error) or (family == "count" and ratio <= 0):
        return 0.0, math.inf
    if family == "count":
        by = math.exp(min(t * error / ratio, 50.0))
        return ratio / by, ratio * by
    return math.exp(ratio - t * error), math.exp(ratio + t * error)


def seasons(months: pd.DataFrame) -> pd.DataFrame:
    """The effect of each calendar month on a measure: calendar_month, effect, low, high, years, q.

        effect of a month = level + trend * time + season of its calendar month,   the twelve seasons sum to 0

    Least squares over ``months`` (month, effect: as of a History), each month once: a steady rise is no season. 95 %
    interval by Student's t on what the months leave unexplained; ``q`` is Benjamini-Hochberg over the twelve. Empty
    unless at least 24 months were seen and every calendar month twice.
    """
    seen = months[months["effect"].notna()]
    place = seen["month"].dt.month.to_numpy()
    years = np.bincount(place, minlength=13)[1:]
    if len(seen) < MIN_SEASONS or years.min() < 2:
        return pd.DataFrame(columns=_SEASON)
    time = periods.month_index(seen["month"]).to_numpy(float)
    contrast = np.vstack([np.eye(11), -np.ones(11)])  # the twelfth is what makes them sum to 0
    x = np.column_stack([np.ones(len(seen)), time - time.mean(), contrast[place - 1]])
    y = seen["effect"].to_numpy(float)
    solved = np.linalg.lstsq(x, y, rcond=None)[0]
    degrees = len(seen) - x.shape[1]
    noise = float(((y - x @ solved) ** 2).sum()) / degrees
    covariance = noise * np.linalg.inv(x.T @ x)[2:, 2:]
    effect = contrast @ solved[2:]
    error = np.sqrt(np.einsum("ij,jk,ik->i", contrast, covariance, contrast))
    half = student_quantile(degrees) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = [two_sided_p(e / s, degrees) if s > 0 else 1.0 for e, s in zip(effect, error, strict=True)]
    return pd.DataFrame(
        {
            "calendar_month": np.arange(1, 13),
            "effect": effect,
            "low": effect - half,
            "high": effect + half,
            "years": years,
            "q": benjamini_hochberg(p),
        }
    )


def _months(result: Benchmark, first: pd.Timestamp, end: pd.Timestamp, target: float | None) -> pd.DataFrame:
    """One row per month from the first case to the last month, with NaN where a month has too few or none.

    ``limit_low``, ``limit_high``: where 95 % of months would lie if they differed by chance and over-dispersion only;
    ``outside``: of these limits and of the like at 99.8 %.
    """
    units = result.units.assign(month=pd.to_datetime(result.units["unit"])).set_index("month")
    every = pd.date_range(first, end, freq="MS", inclusive="left")
    columns = ["n", "plain", "adjusted", "low", "high", "effect", "outside", "limit_low", "limit_high"]
    sd = np.sqrt(units["se"] ** 2 + result.overdispersion**2)
    near, far = (stats.normal_quantile(level) * sd for level in (0.95, 0.998))
    low, high = (displayed(result.centre, way * near, result.scale, measure(result.key).family) for way in (-1, 1))
    away = units["effect"].abs()  # months differ anyway, so that being outside is of the limits that are drawn
    outside = np.select([away > far, away > near], ["99.8", "95"], "")
    units = units.assign(limit_low=low, limit_high=high, outside=outside)
    table = units[columns].reindex(every).rename_axis("month").reset_index()
    earlier = units["adjusted"].reindex(every - pd.DateOffset(years=1)).to_numpy()
    return table.assign(
        n=table["n"].fillna(0).astype(int),
        outside=table["outside"].fillna(""),
        target=math.nan if target is None else target,
        year_before=earlier,
    )


def _goals(goals: pd.DataFrame | None, key: str, department: str | None, owner: str | None) -> pd.DataFrame | None:
    """The goals of one department, or those of one owner as if they were a department's."""
    if goals is None or not len(goals):
        return None
    own = goals[goals["metric"].eq(key).fillna(False).astype(bool)]
    if key == "nps":  # written from -100 to 100; a goal of .15 means 15
        own = own.assign(target=own["target"].where(own["target"].abs() > 1, own["target"] * 100))
    if department is not None:
        own = own[own["department"].astype("str").str.casefold().eq(department.casefold()).fillna(False).astype(bool)]
    if owner is not None:
        names = own["owner"] if "owner" in own else pd.Series(None, own.index, dtype="str")
        own = own[names.eq(owner).fillna(False).astype(bool)]
        own = own.assign(owner=pd.Series("department", own.index, dtype="str"))
    return own
