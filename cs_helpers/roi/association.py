"""The adjusted association of coverage and churn: what a single regression sees, health taken as it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cs_helpers.core.stats import normal_quantile
from cs_helpers.core.stats.clusters import cluster_sums, clustered_covariance
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.adjustment import adjustment, followed, too_late, with_ones
from cs_helpers.roi.effect_evidence import Evidence
from cs_helpers.roi.trial import Trial

KEY = "association"
MIN_EVENTS = 20
_SURE = 1 - 1e-9  # nobody leaves for certain: 0 / 0 tells nothing


@dataclass(frozen=True, eq=False)
class Hazards:
    """A pooled logistic model of leaving in a month. ``x``: one row per account-month, the last column is the exposure;
    ``hazard`` at the exposure as it was, ``without`` at none; ``influence``: accounts x coefficients, what each account
    adds to them; ``log_odds_ratio`` per unit of exposure and its ``se`` by accounts."""

    x: np.ndarray
    hazard: np.ndarray
    without: np.ndarray
    influence: np.ndarray
    log_odds_ratio: float
    se: float


def hazards(trial: Trial, exposure: np.ndarray, columns: np.ndarray | None) -> Hazards:
    """Fit churn in a month on ``exposure`` (one number per row of the trial) and ``columns`` (none: on it alone)."""
    rows = trial.rows
    account, y = rows["account"].to_numpy(), rows["churned"].to_numpy(float)
    parts = [exposure] if columns is None else [columns, exposure]
    x = with_ones(*parts)
    fit = logistic(x, y)
    b = fit.coefficients
    log_odds = x @ b
    p = np.minimum(probability_of(log_odds), _SURE)
    count = len(trial.accounts)
    spread = clustered_covariance(x, y - p, fit.covariance, account, count)
    influence = cluster_sums(x * (y - p)[:, None], account, count) @ fit.covariance
    without = np.minimum(probability_of(log_odds - exposure * b[-1]), _SURE)
    return Hazards(x, p, without, influence, float(b[-1]), float(np.sqrt(spread[-1, -1])))


def kept_shares(trial: Trial, horizon: int, hazard: np.ndarray, without: np.ndarray) -> np.ndarray:
    """Y (1 - R) of each account followed for ``horizon`` months, see ``kept_points``; one hazard per account-month."""
    rows, among = trial.rows, trial.followed(horizon)
    inside = rows["t"].to_numpy() < horizon
    log_ratio = np.where(inside, np.log1p(-without) - np.log1p(-hazard), 0.0)
    ratio = np.exp(np.bincount(rows["account"].to_numpy(), weights=log_ratio, minlength=len(among)))
    result: np.ndarray = np.where(trial.survives(horizon), 1 - ratio, 0.0)[among]
    return result


def kept_points(trial: Trial, horizon: int, model: Hazards) -> tuple[float, float]:
    """Points of survival over months without any exposure, everything else taken as it was, and their standard error.

        value = 100 mean over accounts followed of Y (1 - R), R = prod over months t < H of (1 - without) / (1 - hazard)

    Y: still paying after H months. R says how much less likely an account that stayed would have stayed without the
    exposure. The error joins the accounts' own spread with that of the coefficients (delta method, by account).
    """
    rows, among = trial.rows, trial.followed(horizon)
    account, inside = rows["account"].to_numpy(), rows["t"].to_numpy() < horizon
    each = kept_shares(trial, horizon, model.hazard, model.without)
    value = float(each.mean())
    unexposed = model.x.copy()
    unexposed[:, -1] = 0.0
    ratio = np.zeros(len(among))
    ratio[among] = np.where(trial.survives(horizon)[among], 1 - each, 0.0)
    weight = np.where(inside, ratio[account], 0.0) / among.sum()
    gradient = (weight * model.without) @ unexposed - (weight * model.hazard) @ model.x
    influence = model.influence @ gradient
    influence[among] += (each - value) / among.sum()
    return 100 * value, 100 * float(np.sqrt((influence**2).sum()))


def association(trial: Trial, horizon: int) -> Evidence:
    """Points of survival by one regression of churn on coverage, with health held as it was observed.

        logit P(churned in a month) = curves of health, log MRR, tenure + month + b covered
        value = 100 mean over accounts of Y (1 - R),   see ``kept_points``

    Not a causal figure, and no money rests on it: coverage that lifts later health gets no credit for it, since health
    is held as it was. The model uses all account-months; the points are of accounts followed for ``horizon`` months.
    ``se`` by account. ``detail``: odds_ratio (covered against uncovered, same health), odds_ratio_low, odds_ratio_high.
    Unknown health: see ``adjustment``. Refused where nobody is followed, or with fewer than 20 churned in covered or in
    uncovered months. Raises ParameterError for a horizon that is no whole number of months.
    """
    among = followed(trial, horizon)
    if not among.any():
        return Evidence(KEY, horizon, status="refused", reason=too_late(trial, horizon))
    rows = trial.rows
    covered, churned = rows["covered"].to_numpy(), rows["churned"].to_numpy()
    accounts, left = int(among.sum()), int((~trial.survives(horizon) & among).sum())
    events = int((covered & churned).sum()), int((~covered & churned).sum())
    if min(events) < MIN_EVENTS:
        reason = (
            f"{events[0]:,} accounts left in a covered month and {events[1]:,} in an uncovered one; "
            f"{MIN_EVENTS} of each are needed to compare them"
        )
        return Evidence(KEY, horizon, status="refused", reason=reason, accounts=accounts, churned=left)
    with one_thread():
        model = hazards(trial, covered.astype(float), adjustment(rows, ("month",)).columns(rows))
        value, se = kept_points(trial, horizon, model)
    z = normal_quantile(0.95)
    b, wide = model.log_odds_ratio, z * model.se
    detail = {
        "odds_ratio": float(np.exp(b)),
        "odds_ratio_low": float(np.exp(b - wide)),
        "odds_ratio_high": float(np.exp(b + wide)),
    }
    return Evidence(
        KEY, horizon, value, value - z * se, value + z * se, se, accounts=accounts, churned=left, detail=detail
    )
