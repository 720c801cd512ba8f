"""Expected lifetime of accounts: the shifted-beta-geometric model (Fader & Hardie 2007), tested on the last months."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cs_helpers.churn.kaplan_meier import Survival
from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.periods import add_months, day_words, months_between
from cs_helpers.core.results import Record, Result, Suppressed, or_suppressed
from cs_helpers.core.stats.likelihood import BetaGeometric, log_beta_ratio, pooled

_AT_RISK = 10  # an age with fewer at risk is not counted as observed
_MIN_MONTHS_BEFORE = 6  # of history for the fit that is tested on the months after it
_MIN_SPELLS, _MIN_ENDS = 50, 20


@dataclass(frozen=True, eq=False)
class SBG:
    """A fitted shifted-beta-geometric curve: each account leaves with its own constant chance per period, and these
    chances are Beta(alpha, beta) over accounts. The risky leave first, so that those who are left leave less.

    ``covariance``: 2 x 2, of (log alpha, log beta), from the observed information; where the likelihood has no
    maximum inside the bounds it is singular. ``periods``: how many were fitted; one lasts ``period_months``.
    ``homogeneous``: no difference between accounts shows; alpha and beta are then large, and only their ratio means
    anything. ``steps``: accounts leave at the end of a period only, as contracts do; in months the curve is then level
    within a period. ``held_out``: index period; actual, projected, error = actual - projected, shares of the cohort;
    empty if nothing was held out.
    """

    alpha: float
    beta: float
    log_likelihood: float
    covariance: np.ndarray
    periods: int
    period_months: float
    homogeneous: bool
    held_out: pd.DataFrame
    _table: BetaGeometric = field(repr=False)
    steps: bool = False

    def __repr__(self) -> str:
        each = "1 month" if self.period_months == 1 else f"{self.period_months:g} months"
        alike = ", no heterogeneity" if self.homogeneous else ""
        return (
            f"SBG(alpha={self.alpha:.3f}, beta={self.beta:.3f}, log-likelihood {self.log_likelihood:.3f}, "
            f"{self.periods} periods of {each}{alike})"
        )

    def survival(self, t: ArrayLike) -> Any:
        """S(t) = B(alpha, beta + t) / B(alpha, beta): share left after ``t`` >= 0 periods, whole or not."""
        return _like(t, np.exp(log_beta_ratio(self.alpha, self.beta, t)))

    def hazard(self, t: ArrayLike) -> Any:
        """alpha / (alpha + beta + t - 1): chance to leave in period ``t`` >= 1 of those who began it."""
        return _like(t, self.alpha / (self.alpha + self.beta + np.asarray(t, float) - 1))

    def _periods(self, months: ArrayLike) -> np.ndarray:
        periods = np.asarray(months, float) / self.period_months
        return np.floor(periods) if self.steps else periods

    def survival_months(self, months: ArrayLike) -> Any:
        """Share left after so many months: ``survival`` at months / period_months, rounded down with ``steps``."""
        return self.survival(self._periods(months))

    @property
    def monthly_churn_rate(self) -> float:
        """One rate for all ages: lost / at risk over the fitted periods, as a rate per month."""
        return float(1 - (1 - self._table.lost.sum() / self._table.at_risk.sum()) ** (1 / self.period_months))

    def expected_months(self, horizon_months: int) -> float:
        """Months begun, hence paid, inside the horizon: sum of S(t) over the months t = 0 .. horizon - 1."""
        return float(self.survival_months(np.arange(horizon_months)).sum())

    def draws(self, n: int, seed: int = 1) -> np.ndarray:
        """``n`` pairs (alpha, beta) that the data could have come from, shape (n, 2); equal seeds give equal draws.

        log(alpha / beta) is normal around its best value given alpha + beta; log(alpha + beta) is drawn in
        proportion to the likelihood, with a half-Cauchy(1) weight on 1 / sqrt(alpha), the coefficient of variation
        of a small chance to leave. Where accounts hardly differ, log(alpha + beta) has a long flat tail, and a
        normal approximation of it covers too seldom. Source: Tierney & Kadane 1986; Gelman 2006.
        """
        return self._table.draws(self.alpha, self.beta, n, seed)

    def survival_draws(self, months: ArrayLike, n: int, seed: int = 1) -> np.ndarray:
        """Survival at ``months`` under each of ``draws(n, seed)``, shape (n, len(months))."""
        alpha, beta = self.draws(n, seed).T
        periods, place = np.unique(self._periods(months), return_inverse=True)
        result: np.ndarray = np.exp(log_beta_ratio(alpha[:, None], beta[:, None], periods))[:, place]
        return result


@dataclass(frozen=True, repr=False)
class HeldOut(Record):
    """The last months as expected by a fit without them, and as they were; shares of the ``accounts`` that ran before.

    ``expected_low`` and ``expected_high`` allow for the uncertainty of the parameters and for chance in who leaves.
    ``error`` = actual - expected: negative where more left than expected. ``inside``: within the interval.
    """

    accounts: int
    expected_share: float
    expected_low: float
    expected_high: float
    actual_share: float
    error: float
    inside: bool


@dataclass(frozen=True, eq=False, repr=False)
class Projection(Result):
    """A fitted survival curve beyond the ages seen so far.

    ``curve``: index months 0 .. horizon; survival, low, high (uncertainty of the parameters, not of the model).
    ``observed_to``: largest age in months with at least 10 spells at risk; what lies beyond is projection.
    ``events``: spells that ended in a month seen in full, on which the fit rests. ``expected_lifetime``: months begun
    inside the horizon, as ``SBG.expected_months``. ``held_out``: how accurate the same method was on the last months.
    """

    fit: SBG
    curve: pd.DataFrame
    observed_to: float
    horizon_months: int
    hold_out_months: int
    held_out: HeldOut | Suppressed
    spells: int
    events: int
    expected_lifetime: float
    expected_lifetime_interval: tuple[float, float]
    observed: Survival | None = None

    def at(self, t: ArrayLike) -> Any:
        """Share of accounts left ``t`` months after their start."""
        return self.fit.survival_months(t)


def fit_sbg(survivors: ArrayLike, hold_out: int = 0, period_months: float = 1) -> SBG:
    """The sBG curve of one cohort, of which ``survivors[t]`` were left after t = 0, 1, 2, ... periods.

        log L = sum over t of d(t) log P(T = t) + n(last) log S(last)

    Counts, not shares: they say how much is known. They need not be whole. The last ``hold_out`` periods are not
    fitted, but compared in ``SBG.held_out``. Raises ContractError for counts that rise, are negative or missing, for
    fewer than two fitted periods, and where nobody left or everybody left in the first.
    Source: Fader & Hardie 2007, Journal of Interactive Marketing 21(1), 76-90.

    Example:
        >>> fit = cs.churn.fit_sbg([1000, 869, 743, 653, 593, 551, 517, 491])
        >>> round(fit.alpha, 3), round(fit.beta, 3), round(fit.survival(12), 3)
        (0.668, 3.806, 0.378)
    """
    left = np.asarray(survivors, float)
    fitted = left.size - 1 - hold_out
    if left.ndim != 1 or hold_out < 0 or fitted < 2:
        raise ContractError(
            f"survivors: {left.size} values with {hold_out} held out leave {max(fitted, 0)} periods to fit; at least "
            "two are needed. Give the cohort's size, then the counts left after each period."
        )
    if not (np.isfinite(left).all() and (left >= 0).all() and left[0] > 0 and (np.diff(left) <= 0).all()):
        raise ContractError(
            "survivors: the counts of one cohort begin above 0 and never rise, and none is missing. "
            "Leave out accounts that joined later."
        )
    at_risk, lost = left[:fitted], -np.diff(left)[:fitted]
    if lost[0] == left[0]:
        raise ContractError("survivors: everybody left in period 1, so that nothing shows how the others stay.")
    fit = fit_sbg_hazards(at_risk, lost, period_months=period_months)
    ahead = np.arange(fitted + 1, left.size)
    return replace(fit, periods=fitted, held_out=_compared(ahead, left[ahead] / left[0], fit.survival(ahead)))


def fit_sbg_hazards(at_risk: ArrayLike, lost: ArrayLike, period_months: float = 1) -> SBG:
    """The sBG curve of a life table: of ``at_risk[i]`` that began period i + 1, ``lost[i]`` left in it.

        log L = sum over k of lost(k) log h(k) + (at_risk(k) - lost(k)) log(1 - h(k))

    Late entry and censoring are allowed: they change at_risk. Periods with nobody at risk do not count. Raises
    ContractError for counts that cannot be, for fewer than two periods with somebody at risk, and where nobody left or
    nobody stayed.
    """
    n, d = np.asarray(at_risk, float), np.asarray(lost, float)
    if n.shape != d.shape or n.ndim != 1 or not period_months > 0:
        raise ContractError("life table: at_risk and lost must have one value per period each.")
    if not (np.isfinite(n).all() and (d >= 0).all() and (d <= n).all()):
        raise ContractError("life table: each period needs 0 <= lost <= at_risk; correct the counts.")
    k = np.flatnonzero(n > 0)
    table = BetaGeometric(k + 1.0, n[k], d[k])
    if k.size < 2:
        raise ContractError(f"life table: {k.size} period with anybody at risk; at least two are needed.")
    if not table.lost.any():
        raise ContractError("life table: nobody left, so that no curve can be fitted. Load a longer history.")
    if not table.stayed.any():
        raise ContractError("life table: everybody left in the first period seen; no curve can be fitted.")
    alpha, beta, homogeneous = table.maximum()
    value, covariance = float(table.log_likelihood(alpha, beta)), table.covariance(alpha, beta)
    nothing = _compared(np.array([], int), np.array([]), np.array([]))
    return SBG(alpha, beta, value, covariance, len(table.k), float(period_months), homogeneous, nothing, table)


def _compared(periods: np.ndarray, actual: np.ndarray, projected: np.ndarray) -> pd.DataFrame:
    columns = {"actual": actual, "projected": projected, "error": actual - projected}
    return pd.DataFrame(columns, index=pd.Index(periods, name="period"))


def known_at(spells: pd.DataFrame, as_of: Any) -> pd.DataFrame:
    """The roll-up ``spells`` as it was known at ``as_of``, the first day not yet known.

    Spells that began or came under observation later drop out, later ends become running, durations reach to the eve
    of that day. A further column ``could_last``: the age the spell would then have had, whatever became of it. Raises
    ContractError for missing dates or ages and for an entry at or after the end.
    """
    eve = pd.Timestamp(as_of) - pd.Timedelta(days=1)
    ages = spells[["duration_months", "entry_months"]].astype(float).round(9)
    duration, entry = ages["duration_months"], ages["entry_months"]
    sound = spells["start_date"].notna() & spells["churned"].notna() & np.isfinite(duration) & (entry >= 0)
    sound &= duration > entry
    if not sound.all():
        raise ContractError(
            f"spells: {int((~sound).sum())} of {len(spells)} have no length to observe: each needs "
            "start_date, churned and 0 <= entry_months < duration_months. Leave out or correct them."
        )
    starts = pd.to_datetime(spells["start_date"])
    could_last = months_between(starts, pd.Series(eve, index=spells.index)).round(9)
    known = spells.assign(
        duration_months=np.minimum(duration, could_last),
        entry_months=entry,
        churned=spells["churned"].astype(bool) & (duration <= could_last),
        could_last=could_last.astype(float),
    )
    return known[known["duration_months"] > known["entry_months"]]


def life_table(spells: pd.DataFrame, as_of: Any, period_months: int = 1) -> pd.DataFrame:
    """Spells at risk in each period of age, and those that ended in it: index period 1, 2, ...; at_risk, lost.

    A spell counts in period k of p months if it was under observation at age (k - 1) p and still there, and if
    the whole period could have been seen whatever happened: started at least k p months before the eve of ``as_of``.
    Counting those who left in a period not seen in full would count leavers without their stayers. lost: ended at an
    age in ((k - 1) p, k p]; an end on an anniversary belongs to the period it completes. ``spells`` is the roll-up.
    Raises ContractError as ``known_at`` does.
    """
    if period_months < 1 or int(period_months) != period_months:
        raise ContractError(f"period_months = {period_months}: a period has one, two, three ... whole months.")
    return _counted(known_at(spells, as_of), int(period_months))


def _counted(known: pd.DataFrame, period_months: int = 1) -> pd.DataFrame:
    first = np.ceil(known["entry_months"].to_numpy() / period_months).astype(int) + 1
    ended, duration = known["churned"].to_numpy(), known["duration_months"].to_numpy() / period_months
    # A running spell that was last seen before the eve is at risk only as far as it was seen.
    seen = np.floor(np.where(ended, known["could_last"].to_numpy() / period_months, duration)).astype(int)
    left_in = np.ceil(duration).astype(int)
    last = np.where(ended, np.minimum(left_in, seen), seen)
    counts = first <= last
    periods = int(last[counts].max()) if counts.any() else 0
    began = np.bincount(first[counts], minlength=periods + 2)
    over = np.bincount(last[counts] + 1, minlength=periods + 2)
    lost = np.bincount(left_in[counts & ended & (left_in <= seen)], minlength=periods + 2)
    table = {"at_risk": np.cumsum(began - over)[1 : periods + 1], "lost": lost[1 : periods + 1]}
    return pd.DataFrame(table, index=pd.RangeIndex(1, periods + 1, name="period"))


def fit_spells(spells: pd.DataFrame, as_of: Any) -> SBG:
    """The sBG curve of the life table of what was known at ``as_of``.

    The period is the longest of 12, 6, 3 and 1 months at whole multiples of which more than half of the ended spells
    ended, for contracts are left when they end, and a curve by months has no such cliffs; ``SBG.steps`` where more
    than four in five did. Longer periods are made of the months (``likelihood.pooled``). Raises ContractError with
    fewer than 50 spells, 20 ends, 18 months of history, two full periods, or 10 spells seen from their start.
    """
    return _fit_known(known_at(spells, as_of), as_of)


def _fit_known(known: pd.DataFrame, as_of: Any, min_months: int = 18) -> SBG:
    table, eve = _counted(known), day_words(pd.Timestamp(as_of) - pd.Timedelta(days=1))
    ends = int(table["lost"].sum())
    if len(known) < _MIN_SPELLS:
        raise ContractError(
            f"{len(known)} paid spells by {eve}; a projection needs at least {_MIN_SPELLS}. "
            "Load more accounts or a longer history."
        )
    if ends < _MIN_ENDS:
        raise ContractError(
            f"{ends} of {len(known)} paid spells ended by {eve} in a month seen in full; a projection needs "
            f"at least {_MIN_ENDS} ends. Load a longer history."
        )
    # The eve is a day short of a whole month: 30/31, and 27/31 on 28 February.
    observed = int((known["could_last"] - known["entry_months"]).max() + 0.15)
    if observed < min_months:
        raise ContractError(
            f"{observed} months of history by {eve}; a projection needs at least {min_months}. Load a longer history."
        )
    if table["at_risk"].iloc[0] < _AT_RISK:
        raise ContractError(
            f"{int(table['at_risk'].iloc[0])} paid spells were seen from their start; a curve from month 0 needs "
            f"at least {_AT_RISK}. Load a history that reaches back to when accounts were won."
        )
    lengths = known.loc[known["churned"], "duration_months"]
    on_whole = {length: float((lengths % length == 0).mean()) for length in (12, 6, 3, 1)}
    period = next((length for length, share in on_whole.items() if share > 0.5), 1)
    at_risk, lost = pooled(table["at_risk"], table["lost"], period)
    if len(at_risk) < 2:
        raise ContractError(
            f"contract periods of {period} months that can be seen in full by {eve}: {len(at_risk)}; a projection "
            "needs at least two. Load a longer history."
        )
    fit = fit_sbg_hazards(at_risk, lost, period_months=period)
    return replace(fit, steps=on_whole[period] > 0.8)


def project(
    spells: pd.DataFrame,
    as_of: Any,
    horizon_months: int = 60,
    hold_out_months: int = 12,
    draws: int = 1000,
) -> Projection | Suppressed:
    """The curve of paid spells to ``horizon_months`` after their start, and how the same method did so far.

    ``spells`` is the roll-up. The curve is ``fit_spells`` of all that is known at ``as_of``. For ``held_out`` a second
    fit knows only what was known ``hold_out_months`` earlier and predicts which share of the spells running then would
    last that much longer, each at its own age: mean of S(b) / S(a). Suppressed with fewer than 50 spells, 20 ends or 18
    months of history; ``held_out`` alone is one where the earlier data are too few. Raises ContractError for missing
    dates or ages, and for a horizon outside 1 to 600 months.

    Example:
        >>> spells = tables.rollup("spells", observed_from=tables.observed_from, as_of=tables.as_of)
        >>> round(cs.churn.project(spells, tables.as_of).at(36), 2)
        0.62
    """
    if not (1 <= horizon_months <= 600 and 1 <= hold_out_months <= 600 and draws >= 1):
        raise ContractError(
            f"project: horizon {horizon_months} and hold-out {hold_out_months} are months between 1 and 600, and there "
            "is at least one draw."
        )
    spells = spells.reset_index(drop=True)
    known = known_at(spells, as_of)
    fit = or_suppressed(_fit_known, known, as_of)
    if isinstance(fit, Suppressed):
        return fit
    months = np.arange(horizon_months + 1)
    sampled = fit.survival_draws(months, draws)
    survival = fit.survival_months(months)
    low, high = limits_of(sampled, survival)
    paid_low, paid_high = limits_of(sampled[:, :-1].sum(axis=1), survival[:-1].sum())
    curve = pd.DataFrame({"survival": survival, "low": low, "high": high}, index=pd.Index(months, name="months"))
    table = _counted(known)
    return Projection(
        fit=fit,
        curve=curve,
        observed_to=float(table.index[table["at_risk"] >= _AT_RISK].max()),
        horizon_months=horizon_months,
        hold_out_months=hold_out_months,
        held_out=or_suppressed(_held_out, spells, known, as_of, hold_out_months, draws),
        spells=len(known),
        events=int(table["lost"].sum()),
        expected_lifetime=fit.expected_months(horizon_months),
        expected_lifetime_interval=(float(paid_low), float(paid_high)),
    )


def limits_of(sampled: np.ndarray, value: Any) -> tuple[Any, Any]:
    """95 % limits from draws, never leaving out the estimate itself."""
    low, high = np.quantile(sampled, [0.025, 0.975], axis=0)
    return np.minimum(low, value), np.maximum(high, value)


def _held_out(spells: pd.DataFrame, known: pd.DataFrame, as_of: Any, months: int, draws: int) -> HeldOut:
    before = add_months(pd.Timestamp(as_of), -months)
    earlier = known_at(spells, before)
    fit = _fit_known(earlier, before, min_months=_MIN_MONTHS_BEFORE)
    running = earlier.index[~earlier["churned"]]
    if len(running) < stats.MIN_TO_COMPARE:
        raise ContractError(
            f"{len(running)} paid spells ran on {day_words(before)}; to try the projection on them takes at least "
            f"{stats.MIN_TO_COMPARE}."
        )
    ages = np.column_stack([earlier.loc[running, "could_last"], known.loc[running, "could_last"]])
    pairs, count = np.unique(ages, axis=0, return_counts=True)
    expected = float(count @ (fit.survival_months(pairs[:, 1]) / fit.survival_months(pairs[:, 0]))) / len(running)
    first, then = np.split(fit.survival_draws(pairs.T.ravel(), draws), 2, axis=1)
    lasted = np.random.default_rng(1).binomial(count, np.clip(then / first, 0, 1)).sum(axis=1) / len(running)
    low, high = limits_of(lasted, expected)
    actual = float((~known.loc[running, "churned"]).mean())
    error = actual - expected
    return HeldOut(len(running), expected, float(low), float(high), actual, error, bool(low <= actual <= high))


def _like(asked: ArrayLike, values: np.ndarray) -> Any:
    """A float for a number, an array for an array."""
    return float(values) if np.ndim(asked) == 0 else values
