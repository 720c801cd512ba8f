"""Evidence that is no effect: the adjusted association of coverage and churn, and contrasts that are often quoted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cs_helpers.core.stats import normal_quantile
from cs_helpers.core.stats.clusters import cluster_sums, clustered_covariance
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.adjustment import adjustment, with_ones
from cs_helpers.roi.effect_evidence import Evidence, estimated, refused
from cs_helpers.roi.trial import Trial

KEY = "association"
MIN_EVENTS = 20
_SURE = 1 - 1e-9  # no account leaves for certain: 0 / 0 has no value
REASONS = {
    "ever_never": (
        "An account must stay long enough to be covered at all, so staying makes accounts count as covered, and "
        "accounts that left early count as never covered."
    ),
    "covered_months": (
        "Coverage goes to accounts for their size and their health, and both decide who leaves, with or without anyone "
        "covering them."
    ),
    "touch_count": (
        "Accounts are called more often when they are about to leave, so the calls look as if they drove accounts away."
    ),
}


@dataclass(frozen=True, eq=False)
class Hazards:
    """A pooled logistic model of leaving in a month.

    ``x``: one row per account-month, the last column is the exposure; ``hazard`` at the exposure as it was, ``without``
    at none; ``influence``: accounts x coefficients, what each account adds to them; ``log_odds_ratio`` per unit of
    exposure and its ``se`` by accounts.
    """

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

    Y: still paying after H months. R: how much less likely an account that stayed would have stayed without the
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

    Not a causal figure, and no money is derived from it: coverage that lifts later health gets no credit for it. The
    model uses all account-months; the points are of accounts followed for ``horizon`` months. ``se`` by account.
    ``detail``: odds_ratio (covered against uncovered, same health) with _low and _high. Unknown health: see
    ``adjustment``. Refused where no account is followed, or with fewer than 20 churned in covered or in uncovered
    months.
    """
    if late := trial.too_late(horizon):
        return refused(KEY, trial, horizon, late)
    rows = trial.rows
    covered, churned = rows["covered"].to_numpy(), rows["churned"].to_numpy()
    events = int((covered & churned).sum()), int((~covered & churned).sum())
    if min(events) < MIN_EVENTS:
        reason = (
            f"{events[0]:,} accounts left in a covered month and {events[1]:,} in an uncovered one; "
            f"{MIN_EVENTS} of each are needed to compare them"
        )
        return refused(KEY, trial, horizon, reason)
    with one_thread():
        model = hazards(trial, covered.astype(float), adjustment(rows, ("month",)).columns(rows))
        value, se = kept_points(trial, horizon, model)
    b, reach = model.log_odds_ratio, normal_quantile(0.95) * model.se
    return estimated(KEY, trial, horizon, value, se, odds_ratios(b, reach))


def odds_ratios(log_odds_ratio: float, reach: float) -> dict[str, float]:
    """exp of a log odds ratio, and of the ends of its interval."""
    ends = {"odds_ratio": 0.0, "odds_ratio_low": -reach, "odds_ratio_high": reach}
    return {name: float(np.exp(log_odds_ratio + step)) for name, step in ends.items()}


def naive_contrasts(trial: Trial, horizon: int) -> tuple[Evidence, ...]:
    """Three contrasts that do not measure the effect, in points of survival; ``reason`` states what is wrong with each.

        ever_never      S(ever covered within the horizon) - S(never covered), of the accounts followed for it
        covered_months  (1 - h1)^H - (1 - h0)^H, h: churned per account-month, covered (1) and uncovered (0)
        touch_count     100 mean of Y (1 - R) with logit P(churned) = a + b touches, against no touches

    ``touch_count`` only where the trial's rows have ``touches`` (in the month, missing left at 0); its detail has
    log_odds_ratio per touch. Intervals by account. "refused" where one side of a contrast is empty, or no account left.
    """
    contrasts = {"ever_never": _ever_never, "covered_months": _covered_months}
    if "touches" in trial.rows:
        contrasts["touch_count"] = _touch_count
    evidence = []
    for key, contrast in contrasts.items():
        with one_thread():
            found = trial.too_late(horizon) or contrast(trial, horizon)
        if isinstance(found, str):
            evidence.append(refused(key, trial, horizon, found))
        else:
            evidence.append(estimated(key, trial, horizon, *found, refuted=REASONS[key]))
    return tuple(evidence)


_Found = tuple[float, float, dict[str, float]] | str


def _ever_never(trial: Trial, horizon: int) -> _Found:
    rows, among = trial.rows, trial.followed(horizon)
    inside = rows["covered"].to_numpy() & (rows["t"].to_numpy() < horizon)
    ever = np.bincount(rows["account"].to_numpy(), weights=inside, minlength=len(among))[among] > 0
    stays = trial.survives(horizon)[among]
    if ever.all() or not ever.any():
        kind = "covered at some time" if ever.all() else "never covered"
        return f"all {len(ever):,} accounts were {kind}: there is nothing to compare"
    (s1, n1), (s0, n0) = ((float(stays[kind].mean()), int(kind.sum())) for kind in (ever, ~ever))
    se = float(np.sqrt(s1 * (1 - s1) / n1 + s0 * (1 - s0) / n0))
    detail = {"survival_ever": s1, "survival_never": s0, "accounts_ever": n1, "accounts_never": n0}
    return 100 * (s1 - s0), 100 * se, detail


def _covered_months(trial: Trial, horizon: int) -> _Found:
    rows = trial.rows
    account, covered = rows["account"].to_numpy(), rows["covered"].to_numpy()
    churned = rows["churned"].to_numpy(float)
    if covered.all() or not covered.any():
        return f"all months are {'covered' if covered.all() else 'uncovered'}: there is nothing to compare"
    hazard: list[float] = []
    influence = np.zeros(len(trial.accounts))
    for kind, sign in ((covered, 1.0), (~covered, -1.0)):
        h = float(churned[kind].mean())
        slope = -horizon * (1 - h) ** (horizon - 1)
        influence += (
            sign * slope * np.bincount(account, weights=kind * (churned - h), minlength=len(influence)) / kind.sum()
        )
        hazard.append(h)
    value = (1 - hazard[0]) ** horizon - (1 - hazard[1]) ** horizon
    detail = {"hazard_covered": hazard[0], "hazard_uncovered": hazard[1]}
    return 100 * value, 100 * float(np.sqrt((influence**2).sum())), detail


def _touch_count(trial: Trial, horizon: int) -> _Found:
    touches = trial.rows["touches"].fillna(0).to_numpy(float)
    churned = trial.rows["churned"].to_numpy()
    if touches.min() == touches.max() or not churned.any() or churned.all():
        return "touches or churn do not vary: there is nothing to compare"
    model = hazards(trial, touches, None)
    value, se = kept_points(trial, horizon, model)
    return value, se, {"log_odds_ratio": model.log_odds_ratio, "log_odds_ratio_se": model.se}
