"""Time to proficiency: a measure of new reps by weeks since hire, case-mix adjusted."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.core.stats.clusters import student_quantile
from cs_helpers.core.stats.splines import monotone
from cs_helpers.reps import casemix
from cs_helpers.reps.employment import days_since_1970
from cs_helpers.reps.measures import measure
from cs_helpers.reps.results import Cases, Ramp

MIN_NEWCOMERS = 5
MIN_IN_STEP = 3
BAND = 0.05
"""Points of a share, or part of the level of everything else, within which newcomers count as the others do."""
EARLY_WEEKS = 12
_DRAWS, _SEED = 500, 8
_DAYS_OF_MONTH = 365.25 / 12
_WEEKS_OF_MONTH = 52 / 12
_RIDE_ALONG = re.compile(r"\bride.?alongs?\b|\bshadowing\b", re.IGNORECASE)


def time_to_proficiency(
    cases: Cases,
    key: str,
    people: pd.DataFrame,
    records: pd.DataFrame | None = None,
    months: int = 12,
    step_weeks: int = 4,
    level: float = 0.95,
) -> Ramp:
    """One measure by weeks since hire, against reps with more than ``months`` of service.

        effect of a step = scale * sum(value - expected) / sum(weight) over its cases, less that of the longer-serving
        time to proficiency = first week from which the effect, made monotone towards the better, lies in the band

    ``expected`` and ``weight`` as of ``fit_case_mix``; the scale writes shares in points at the overall level and is 1
    for means and times (logarithms); counts have log(observed / expected) instead. The band is 5 points for shares and
    NPS, else 5 % of the longer-serving's level. Newcomers are the reps hired inside the data, from the first month that
    has cases on; all count as longer-serving once past ``months``, newcomers too. A rep without ``hired_on`` was
    there before the data; who is not in ``people`` does not count. Intervals of the curve are clustered by rep; the
    interval of the time to proficiency comes from 500 draws of newcomers. A ramp is only reported where newcomers are
    clearly (``level``, two-sided) on the worse side over their first twelve weeks and begin outside the band. Weeks
    come from a column ``day`` of the cases (days since 1970, or dates), or from calendar months where there is none.
    ``records``: people_records; the trainings of newcomers are marked.
    Raises ParameterError for an unknown measure or steps without sense, ContractError without hire dates, without a
    newcomer's case, with fewer than three longer-serving reps, or where all cases have the same value.

    Example:
        >>> cases = cs.reps.team_cases(tables, "support").of("csat")
        >>> time_to_proficiency(cases, "csat", tables.reps).reason
        'no ramp is visible: newcomers do not clearly start behind the longer-serving'
    """
    if key not in cases.keys:
        raise ParameterError(f"no measure '{key}' in these cases.{did_you_mean(key, list(cases.keys))}")
    if not (1 <= months <= 120 and 1 <= step_weeks <= 26 and 0 < level < 1):
        raise ParameterError(
            f"months = {months}, step_weeks = {step_weeks}, level = {level}: choose 1 to 120 months, 1 to 26 weeks and "
            "a level such as 0.95."
        )
    family = measure(key).family
    clock = _Clock.of(cases, people, months, step_weeks)
    tidy = replace(cases, table=cases.table.reset_index(drop=True))
    coded = casemix.code(tidy, key)
    if np.ptp(coded.y) == 0 and family != "count":
        raise ContractError(f"{key}: all cases are alike, so nobody's can be told from anybody else's.")
    fitted = casemix.fit(coded, family)
    names = pd.Index(coded.names)
    hired = clock.hired.reindex(names).to_numpy(float)[coded.unit]
    fresh = clock.fresh.reindex(names, fill_value=False).to_numpy(bool)[coded.unit]
    served = clock.served(hired, tidy.table.iloc[coded.rows]["day" if clock.by_day else "month"])
    step, scale = clock.step_of(served), casemix.points_scale(coded, key)
    longer = _Group.of(coded, fitted, family, scale, clock.is_long(served), np.zeros_like(step), 1)
    if len(longer.names) < MIN_IN_STEP:
        raise ContractError(
            f"{key}: fewer than {MIN_IN_STEP} reps with more than {months} months of service have cases of it, so "
            "there is nobody to compare newcomers with. Choose fewer months, or load an earlier start."
        )
    new = fresh & (step >= 0) & (step < clock.steps)
    newcomers = _Group.of(coded, fitted, family, scale, new, step, clock.steps)
    if not len(newcomers.names):
        raise ContractError(f"{key}: nobody who was hired inside the data has a case of it, so no ramp can be seen.")
    marks = _marks(records, clock, newcomers.names)
    return _described(key, casemix.centre_of(coded, family), newcomers, longer, clock, marks, level)


@dataclass(frozen=True, eq=False)
class _Clock:
    """When each rep was hired, and the steps in which service is counted.

    ``hired``: rep_id to day (days since 1970), with the data's first day for who was there before; ``fresh``: those
    hired inside the data. ``by_day``: whether cases have a day; service is counted in days then, else in months.
    """

    hired: pd.Series
    fresh: pd.Series
    months: int
    step: float
    by_day: bool

    @classmethod
    def of(cls, cases: Cases, people: pd.DataFrame, months: int, step_weeks: int) -> _Clock:
        if not len(people) or "hired_on" not in people or not people["hired_on"].notna().any():
            raise ContractError(
                "reps: without a hired_on of anybody, weeks since hire cannot be counted. Fill the table of reps."
            )
        if not len(cases.table):
            raise ContractError("there is no case, so no ramp can be seen.")
        first = float(days_since_1970(cases.table["month"].min()))
        table = people.dropna(subset=["rep_id"]).drop_duplicates("rep_id")
        day = pd.Series(days_since_1970(table["hired_on"]), index=table["rep_id"].astype("str"))
        by_day = "day" in cases.table
        step = float(step_weeks) if by_day else _WEEKS_OF_MONTH
        return cls(day.fillna(first), day >= first, months, step, by_day)

    @property
    def steps(self) -> int:
        """How many steps lie within the months in which a rep is new."""
        return max(1, math.ceil(self.months * _WEEKS_OF_MONTH / self.step - 1e-9))

    def served(self, hired: np.ndarray, dates: pd.Series) -> np.ndarray:
        """Service at each date."""
        days = days_since_1970(dates)
        return np.asarray(days - hired if self.by_day else _months_of_days(days) - _months_of_days(hired))

    def step_of(self, served: np.ndarray) -> np.ndarray:
        """The step of a service, -1 before the first day and where it is not known."""
        place = np.floor(served / (7 * self.step if self.by_day else 1.0))
        return np.where(np.isfinite(place) & (place >= 0), place, -1).astype(int)

    def is_long(self, served: np.ndarray) -> np.ndarray:
        """Whether a service is longer than ``months``."""
        return np.asarray(served > self.months * (_DAYS_OF_MONTH if self.by_day else 1.0))

    def week(self, step: np.ndarray) -> np.ndarray:
        """The first week of a step."""
        return np.floor(step * self.step + 1e-9).astype(int)


@dataclass(frozen=True, eq=False)
class _Group:
    """Observed, expected and weight of a group of cases by rep (rows) and step (columns)."""

    names: tuple[str, ...]
    observed: np.ndarray
    expected: np.ndarray
    weight: np.ndarray
    cases: np.ndarray
    family: str
    scale: float

    @classmethod
    def of(
        cls,
        coded: casemix.Coded,
        fitted: casemix.Fit,
        family: str,
        scale: float,
        rows: np.ndarray,
        step: np.ndarray,
        steps: int,
    ) -> _Group:
        """The cases in ``rows``, each in its step."""
        units, place = np.unique(coded.unit[rows], return_inverse=True)
        cell, size = place * steps + step[rows], len(units) * steps
        times = coded.exposure[rows] if family == "mean" else 1.0
        values = (coded.y[rows] * times, fitted.expected[rows] * times, fitted.weight[rows], np.ones(len(cell)))
        observed, expected, weight, cases = (
            np.bincount(cell, each, size).reshape(len(units), steps) for each in values
        )
        names = tuple(coded.names[unit] for unit in units)
        return cls(names, observed, expected, weight, cases.astype(int), family, scale)

    def pooled(self, columns: np.ndarray) -> _Group:
        """The same with some steps put together into one."""
        names = ("observed", "expected", "weight", "cases")
        return replace(self, **{name: getattr(self, name)[:, columns].sum(axis=1, keepdims=True) for name in names})

    def effects(self, times: np.ndarray | None = None) -> np.ndarray:
        """The effect of each step; ``times``: how often each rep counts, one row per draw."""
        counted = np.ones((1, len(self.names))) if times is None else times
        observed, expected, weight = (counted @ each for each in (self.observed, self.expected, self.weight))
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.family == "count":
                found = np.where(weight > 0, np.log((observed + 0.5) / (expected + 0.5)), np.nan)
            else:
                found = np.where(weight > 0, self.scale * (observed - expected) / weight, np.nan)
        return found if times is not None else found[0]

    def errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Standard error of each step's effect, clustered by rep, and how many reps it rests on.

        At least what independent shares and counts have: three reps who agree by chance, or without a single event,
        are no certainty.
        """
        here = (self.cases > 0).sum(axis=0)
        observed, expected, weight = (each.sum(axis=0) for each in (self.observed, self.expected, self.weight))
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.family == "count":
                part = (self.observed - (observed / expected) * self.expected) / np.maximum(observed, 0.5)
                least = 1 / np.maximum(observed, 0.5)
            else:
                ratio = (observed - expected) / weight
                part = self.scale * (self.observed - self.expected - ratio * self.weight) / weight
                least = self.scale**2 / weight if self.family == "share" else np.zeros(len(here))
            found = np.where(here > 1, here / (here - 1.0), np.nan) * (part**2).sum(axis=0)
            return np.sqrt(np.maximum(found, least)), here


def _described(
    key: str, centre: float, new: _Group, longer: _Group, clock: _Clock, marks: pd.DataFrame, level: float
) -> Ramp:
    """The curve, the band, and the time to proficiency where it can be given."""
    what = measure(key)
    ratio = what.family in ("time", "count")
    theirs, theirs_se = float(longer.effects()[0]), float(longer.errors()[0][0])
    centre = math.log(centre) if what.family == "count" else centre

    def shown(effect: np.ndarray | float) -> np.ndarray:
        place = centre + theirs + np.asarray(effect, float)
        return np.exp(place) if ratio else np.clip(place, 0.0, 1.0) if what.family == "share" else place

    tenured = float(shown(0.0))
    ends = _band(key, what.family, tenured)
    errors, reps = new.errors()
    kept = np.flatnonzero(reps >= MIN_IN_STEP)
    effect = new.effects()[kept] - theirs
    t = np.array([student_quantile(n - 1, level) for n in reps[kept]])
    half = t * np.hypot(errors[kept], theirs_se)
    early, early_low, early_high = _early(new, theirs, theirs_se, clock, level)
    rising = {"higher": True, "lower": False}.get(what.better, early < 0)
    smooth = monotone(effect, new.weight.sum(axis=0)[kept], rising)
    week = clock.week(kept)
    curve = pd.DataFrame(
        {
            "week": week,
            "reps": reps[kept],
            "cases": new.cases.sum(axis=0)[kept],
            "effect": effect,
            "effect_low": effect - half,
            "effect_high": effect + half,
            "level": shown(effect),
            "smooth": shown(smooth),
            "low": shown(effect - half),
            "high": shown(effect + half),
        }
    )
    reason = ""
    newcomers = len(new.names)
    if newcomers < MIN_NEWCOMERS:
        people = "newcomer was" if newcomers == 1 else "newcomers were"
        reason = f"{newcomers} {people} seen; a time to proficiency needs {MIN_NEWCOMERS}"
    elif not len(kept) or not math.isfinite(early_low):
        reason = f"no step of the first weeks has {MIN_IN_STEP} newcomers with cases"
    elif not (early_high < 0 if rising else early_low > 0):
        reason = "no ramp is visible: newcomers do not clearly start behind the longer-serving"
    elif _inside(smooth, ends, rising)[0]:
        reason = "no ramp is visible: newcomers start inside the band around the longer-serving"
    proficient, low, high = None, math.nan, math.nan
    if not reason:
        proficient = _first_week(smooth, week, ends, rising)
        low, high = _drawn(new, kept, week, theirs, theirs_se, ends, rising)
    return Ramp(
        key=key,
        scale="ratio" if ratio else "additive",
        newcomers=newcomers,
        tenured=tenured,
        curve=curve,
        proficient=proficient,
        low=low,
        high=high,
        marks=marks,
        reason=reason,
        longer_serving=len(longer.names),
        months=clock.months,
        band=(float(shown(ends[0])), float(shown(ends[1]))),
        early=(early, early_low, early_high),
        step_weeks=clock.step,
    )


def _band(key: str, family: str, tenured: float) -> tuple[float, float]:
    """The band as effects: 5 points for shares and what is written in percent or points, else 5 % of the level."""
    if family in ("time", "count"):
        return math.log1p(-BAND), math.log1p(BAND)
    unit = "fraction" if family == "share" else definitions.metric(key).unit
    size = {"fraction": BAND, "points": 100 * BAND}.get(unit, BAND * abs(tenured))
    return -size, size


def _early(new: _Group, theirs: float, theirs_se: float, clock: _Clock, level: float) -> tuple[float, float, float]:
    """The effect over the first twelve weeks, with its interval; NaN with fewer than three newcomers in them."""
    steps = np.flatnonzero(clock.week(np.arange(clock.steps)) < EARLY_WEEKS)
    first = new.pooled(steps)
    (error,), (reps,) = first.errors()
    if reps < MIN_IN_STEP:
        return math.nan, math.nan, math.nan
    effect = float(first.effects()[0]) - theirs
    half = student_quantile(reps - 1, level) * math.hypot(error, theirs_se)
    return effect, effect - half, effect + half


def _inside(smooth: np.ndarray, ends: tuple[float, float], rising: bool) -> np.ndarray:
    """Whether a monotone curve has reached the band (or is better still)."""
    return smooth >= ends[0] if rising else smooth <= ends[1]


def _first_week(smooth: np.ndarray, week: np.ndarray, ends: tuple[float, float], rising: bool) -> float:
    """The first week in which a monotone curve has reached the band; infinite where it has not."""
    reached = week[_inside(smooth, ends, rising)]
    return float(reached[0]) if len(reached) else math.inf


def _drawn(
    new: _Group,
    kept: np.ndarray,
    week: np.ndarray,
    theirs: float,
    theirs_se: float,
    ends: tuple[float, float],
    rising: bool,
) -> tuple[float, float]:
    """95 % interval of the time to proficiency over draws of newcomers; the others' level varies by its own error."""
    rng = np.random.default_rng(_SEED)
    reps = len(new.names)
    times = rng.multinomial(reps, np.full(reps, 1 / reps), _DRAWS).astype(float)
    level = theirs + theirs_se * rng.standard_normal(_DRAWS)
    effect = new.effects(times)[:, kept] - level[:, None]
    weight = (times @ new.weight)[:, kept]
    found = np.full(_DRAWS, np.inf)
    for draw in range(_DRAWS):
        given = np.flatnonzero(weight[draw] > 0)  # a step none of the drawn newcomers has is passed over
        smooth = monotone(effect[draw, given], weight[draw, given], rising)
        found[draw] = _first_week(smooth, week[given], ends, rising)
    low, high = np.quantile(found, [(1 - 0.95) / 2, (1 + 0.95) / 2], method="inverted_cdf")
    return float(low), float(high)


def _marks(records: pd.DataFrame | None, clock: _Clock, newcomers: Sequence[str]) -> pd.DataFrame:
    """Trainings of the newcomers by step, ride-alongs by the words of their course: week, kind, reps, sessions."""
    columns = ["week", "kind", "reps", "sessions"]
    if records is None or not len(records) or not {"kind", "rep_id", "date"} <= set(records.columns):
        return pd.DataFrame(columns=columns)
    own = records[records["kind"].eq("training").fillna(False).astype(bool)]
    own = own[own["rep_id"].isin(list(newcomers)) & own["date"].notna()]
    hired = clock.hired.reindex(own["rep_id"].astype("str")).to_numpy(float)
    course = own["course"].astype("str") if "course" in own else pd.Series("", own.index)
    along = course.str.contains(_RIDE_ALONG).fillna(False).astype(bool).to_numpy()
    table = pd.DataFrame(
        {
            "step": clock.step_of(clock.served(hired, own["date"])),
            "kind": np.where(along, "ride-along", "training"),
            "rep": own["rep_id"].to_numpy(),
        }
    )
    table = table[(table["step"] >= 0) & (table["step"] < clock.steps)]
    counted = table.groupby(["step", "kind"], as_index=False).agg(reps=("rep", "nunique"), sessions=("rep", "size"))
    return counted.assign(week=clock.week(counted["step"].to_numpy(int)))[columns]


def _months_of_days(days: np.ndarray) -> np.ndarray:
    """Months since year 0 of days since 1970."""
    known = np.isfinite(days)
    dates = np.where(known, days, 0).astype(np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.where(known, dates + 1970 * 12, np.nan)
