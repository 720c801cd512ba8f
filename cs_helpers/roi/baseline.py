"""Accounts covered at the start against the others, adjusted for health, MRR and tenure: a treatment decided once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.adjustment import adjustment, standardised, with_ones
from cs_helpers.roi.effect_evidence import Evidence, estimated, refused
from cs_helpers.roi.trial import Trial

KEY = "baseline"
MIN_ACCOUNTS = 20  # accounts of each kind (covered or not, left or stayed)
_CLIP = 0.01  # no account weighs more than a hundred
_RIDGE = 0.3  # on columns with SD 1


@dataclass(frozen=True, eq=False, repr=False)
class PointTreatment(Record):
    """Survival had everybody been treated at the start, and had nobody, by two methods.

    ``curves``: t (months, 0 to the horizon), standardised_treated, standardised_untreated (parametric g-formula),
    weighted_treated, weighted_untreated (inverse probability weights): fractions still there after t months.
    ``accounts``, ``treated``, ``events`` within the horizon; ``largest_weight``: of the stabilised weights.
    """

    curves: pd.DataFrame
    accounts: int
    treated: int
    events: int
    largest_weight: float

    def at_horizon(self) -> dict[str, float]:
        """The four fractions at the horizon, by the names of their columns."""
        return {str(name): float(value) for name, value in self.curves.iloc[-1].drop("t").items()}


def point_treatment(
    confounders: ArrayLike, treated: ArrayLike, duration_months: ArrayLike, churned: ArrayLike, horizon: int
) -> PointTreatment:
    """Standardised and weighted survival curves of a treatment that is decided once, at the start.

        logit P(event in month t) = a + b1 t + b2 t² + A (c0 + c1 t + c2 t²) [+ confounders]
        standardised S(t) = mean over units of prod_{u <= t} (1 - P(event in u | A = a, the unit's confounders))
        weighted S(t)     = prod_{u <= t} (1 - P(event in u | A = a)), fitted with weights P(A) / P(A | confounders)

    ``confounders``: units x columns without an intercept, as they stood at the start; ``treated``: True or False;
    ``duration_months``: whole months until the event or the end of follow-up, 1 or more, ``churned``: whether the event
    came in the last of them. Units count in the months they were seen, up to ``horizon``. Right if the hazard model
    (standardised) or the model of treatment (weighted) is, and all that drives both is among the confounders.
    Raises ContractError for shapes that do not fit, missing values, durations below 1, or one kind of unit only.
    Source: Hernan & Robins, Causal Inference: What If, chapter 17 (programs 17.3 and 17.4).

    Example:
        >>> treated, months, left = [1, 1, 1, 1, 0, 0, 0, 0], [1, 2, 2, 2, 1, 1, 2, 2], [1, 1, 0, 0, 1, 1, 1, 0]
        >>> found = point_treatment(np.zeros((8, 1)), treated, months, left, horizon=2)
        >>> {name: round(share, 2) for name, share in found.at_horizon().items() if "weighted" in name}
        {'weighted_treated': 0.5, 'weighted_untreated': 0.25}
    """
    x, a = np.asarray(confounders, float), np.asarray(treated, float)
    months, event = np.asarray(duration_months, float), np.asarray(churned, bool)
    if x.ndim != 2 or not len(a) == len(x) == len(months) == len(event):
        raise ContractError(f"{x.shape} confounders, {len(a)} treated, {len(months)} durations: give one for each unit")
    if not (np.isfinite(x).all() and np.isin(a, (0, 1)).all() and 0 < a.mean() < 1):
        raise ContractError("confounders must be complete and treated True or False, with units of both kinds")
    if not ((months >= 1) & (months == np.floor(months))).all() or horizon < 1:
        raise ContractError("durations and horizon must be whole months, 1 or more")
    x = standardised(x)
    seen = np.minimum(months, horizon).astype(np.int64)
    unit = np.repeat(np.arange(len(a)), seen)
    t = np.arange(len(unit)) - np.repeat(np.cumsum(seen) - seen, seen)
    y = ((t == seen[unit] - 1) & event[unit] & (months[unit] <= horizon)).astype(float)
    with one_thread():
        chance = logistic(with_ones(x), a, ridge=0).log_odds(with_ones(x))
        given = np.where(a == 1, probability_of(chance), probability_of(-chance))
        weights = np.where(a == 1, a.mean(), 1 - a.mean()) / given
        time = _time(t, horizon)
        alone = logistic(np.column_stack([time, a[unit, None] * time]), y, weights[unit]).coefficients
        both = logistic(np.column_stack([time, a[unit, None] * time, x[unit]]), y).coefficients
    grid = _time(np.arange(horizon), horizon)
    curves: dict[str, np.ndarray] = {"t": np.arange(horizon + 1)}
    for how, fit, of_unit in (("standardised", both, x @ both[6:]), ("weighted", alone, np.zeros(1))):
        for name, level in (("treated", 1.0), ("untreated", 0.0)):
            log_odds = grid @ fit[:3] + level * (grid @ fit[3:6])
            stays = 1 - probability_of(log_odds[:, None] + of_unit)
            curves[f"{how}_{name}"] = np.append(1.0, np.cumprod(stays, axis=0).mean(axis=1))
    return PointTreatment(pd.DataFrame(curves), len(a), int(a.sum()), int(y.sum()), float(weights.max()))


def baseline_trial(trial: Trial, horizon: int) -> Evidence:
    """Points of survival that coverage in month 0 kept, whatever followed: augmented inverse probability weighting.

        value = 100 mean over accounts of (Y - Y0),   Y0 = m0 + (1 - A) (Y - m0) / P(A = 0 | x)

    Y: still paying after ``horizon`` months, A: covered in month 0, x: health, log MRR and tenure of month 0 (curves),
    m0: P(Y | A = 0, x) from a logistic model of all accounts with products of A and x. Everybody followed for
    ``horizon`` months counts, and none is censored. It compares coverage in month 0 as it happened with none in month
    0: an intention to treat. Accounts that lose or gain cover later blur it, so it likely understates what going
    without for good would cost. P(A | x) is kept within .01 and .99. Right if one of the two models is, and all that
    drives both is measured in month 0. ``se`` from the influence curve. ``detail``: covered_minus_uncovered and its _se
    (points: all covered in month 0 against none), survival of all and of none by the g-formula (standardised_treated,
    standardised_untreated) and by weights (weighted_...), survival_observed, largest_weight. Unknown health: see
    ``adjustment``. Refused where no account is followed, or fewer than 20 of the covered or the uncovered left or
    stayed. Source: Robins, Rotnitzky & Zhao 1994; Bang & Robins 2005.
    """
    if late := trial.too_late(horizon):
        return refused(KEY, trial, horizon, late)
    among = trial.followed(horizon)
    accounts = trial.accounts[among]
    stays, covered = trial.survives(horizon)[among], accounts["covered"].to_numpy()
    kinds = [int(((covered == c) & (stays == s)).sum()) for c in (True, False) for s in (False, True)]
    if min(kinds) < MIN_ACCOUNTS:
        reason = (
            f"of the accounts covered in month 0 {kinds[0]:,} left within {horizon} months and {kinds[1]:,} stayed, of "
            f"the others {kinds[2]:,} and {kinds[3]:,}; {MIN_ACCOUNTS} of each are needed to adjust a comparison"
        )
        return refused(KEY, trial, horizon, reason)
    how = adjustment(accounts, ("entry",))
    x, modifiers = how.columns(accounts), how.modifiers(accounts)
    y, a = stays.astype(float), covered.astype(float)
    with one_thread():
        treated, untreated, weight = _augmented(x, modifiers, y, a)
    curves = point_treatment(x, covered, np.minimum(accounts["months"].to_numpy(), horizon), ~stays, horizon)
    (value, se), (between, between_se) = (
        (100 * float(each.mean()), 100 * float(each.std(ddof=1) / np.sqrt(len(y))))
        for each in (y - untreated, treated - untreated)
    )
    detail = {
        "covered_minus_uncovered": between,
        "covered_minus_uncovered_se": between_se,
        **curves.at_horizon(),
        "survival_observed": float(y.mean()),
        "largest_weight": weight,
    }
    return estimated(KEY, trial, horizon, value, se, detail)


def _augmented(
    x: np.ndarray, modifiers: np.ndarray, y: np.ndarray, a: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Of each account what it adds to survival had all been covered, and had none; and the largest weight."""
    constant = with_ones(x)
    chance = logistic(constant, a, ridge=_RIDGE).log_odds(constant)
    chance = np.clip(probability_of(chance), _CLIP, 1 - _CLIP)
    design = with_ones(x, a, a[:, None] * modifiers)
    fit = logistic(design, y, ridge=_RIDGE)
    base = constant @ fit.coefficients[: x.shape[1] + 1]
    lift = with_ones(modifiers) @ fit.coefficients[x.shape[1] + 1 :]
    covered, uncovered = probability_of(base + lift), probability_of(base)
    treated = covered + a * (y - covered) / chance
    untreated = uncovered + (1 - a) * (y - uncovered) / (1 - chance)
    return treated, untreated, float(np.where(a == 1, 1 / chance, 1 / (1 - chance)).max())


def _time(t: np.ndarray, horizon: int) -> np.ndarray:
    """1, t, t² with t as a share of the horizon, so that the columns are of one size."""
    share = np.asarray(t, float) / horizon
    return np.column_stack([np.ones(len(share)), share, share**2])
