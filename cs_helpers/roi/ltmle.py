"""The effect of coverage by longitudinal targeted maximum likelihood, which is right if one of two models is."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from cs_helpers.core.results import Record
from cs_helpers.core.stats import effective_n
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.adjustment import adjustment, with_ones
from cs_helpers.roi.effect_evidence import Evidence, estimated, refused
from cs_helpers.roi.trial import Trial

KEY = "ltmle"
_RIDGE = 0.3  # on columns with SD 1: keeps a month with a handful of events from running away
_EDGE = 1e-5  # a survival of exactly 0 or 1 has no log odds


@dataclass(frozen=True, repr=False)
class NeverArm(Record):
    """Accounts that were never covered within the horizon.

    ``accounts`` are followed, ``never_covered`` of them never had coverage until they left or the horizon came,
    ``never_churned`` of those left and ``at_horizon`` were still paying. ``ess``: Kish's effective number of those at
    the horizon, each weighted by 1 / P(uncovered so long | health, MRR, tenure month by month). ``largest_weight``: of
    any never covered account.
    """

    accounts: int
    never_covered: int
    never_churned: int
    at_horizon: int
    ess: float
    largest_weight: float


@dataclass(frozen=True, eq=False)
class _Followers:
    """Rows of followed accounts inside the horizon; of each, whether uncovered until and with it, and its weight."""

    rows: pd.DataFrame
    account: np.ndarray
    count: int
    follows: np.ndarray
    weight: np.ndarray
    covered: np.ndarray


def never_arm(trial: Trial, horizon: int) -> NeverArm:
    """Figures of the never covered accounts, with the weights that ``ltmle`` uses. All 0 where nobody is followed."""
    if trial.too_late(horizon):
        return NeverArm(0, 0, 0, 0, 0.0, 0.0)
    with one_thread():
        return _arm(_followers(trial, horizon), horizon)


def ltmle(trial: Trial, horizon: int) -> Evidence:
    """Points of survival that coverage kept, by longitudinal targeted maximum likelihood.

        value = 100 (S_observed - S_never),   S_never = mean over accounts of Q_0
        Q_H = 1 if still paying after H months, else 0
        Q_k = P(Q_{k+1} | health, MRR, tenure of month k, uncovered), targeted: log odds shifted by the e_k for which
              sum over followers of w_k (Q_{k+1} - Q_k) = 0,   w_k = 1 / prod_{j <= k} P(uncovered in j | ...)

    Accounts followed for ``horizon`` months count; followers are uncovered from t = 0 on until coverage begins. The
    regressions of Q use all accounts, with products of coverage and health, MRR and tenure, and are predicted at
    uncovered; weights come from a logistic model of coverage at t = 0 and one of its later beginning. Products of
    probabilities below 5 / (sqrt(n) log n) for n accounts count as that (.015 for 2,000; Gruber et al. 2022). The
    result is right if either kind of model is, and every cause of both coverage and churn is measured. ``se``: from the
    efficient influence curve, the observed share's own included; accounts are independent. ``detail``: ``NeverArm``'s
    figures, survival_never, survival_observed (fractions). Unknown health: see ``adjustment``.
    Refused where no account is followed or covered, or no never covered account left or stayed.
    Source: van der Laan & Gruber 2012; Bang & Robins 2005.
    """
    if late := trial.too_late(horizon):
        return refused(KEY, trial, horizon, late)
    with one_thread():
        followers = _followers(trial, horizon)
        arm = _arm(followers, horizon)
        reason = _reason(followers, arm, horizon)
        if reason:
            return refused(KEY, trial, horizon, reason)
        survival, influence = _targeted(followers, horizon)
    stays = trial.survives(horizon)[trial.followed(horizon)].astype(float)
    never, observed = float(survival.mean()), float(stays.mean())
    influence = stays - observed - (influence + survival - never)
    se = 100 * float(np.sqrt((influence**2).sum())) / arm.accounts
    detail = asdict(arm) | {"survival_never": never, "survival_observed": observed}
    return estimated(KEY, trial, horizon, 100 * (observed - never), se, detail)


def _reason(followers: _Followers, arm: NeverArm, horizon: int) -> str:
    if not followers.covered.any():
        return (
            f"nobody was covered within the {horizon} months: there is no coverage whose absence could be asked about"
        )
    if not arm.never_churned or not arm.at_horizon:
        return (
            f"of {arm.accounts:,} accounts {arm.never_covered:,} were never covered within {horizon} months, of which "
            f"{arm.never_churned:,} left and {arm.at_horizon:,} stayed: this cannot show how long accounts stay so"
        )
    return ""


def _arm(followers: _Followers, horizon: int) -> NeverArm:
    rows = followers.rows
    last = np.flatnonzero(np.diff(followers.account, append=-1))
    never = followers.follows[last]
    left = rows["churned"].to_numpy()[last]
    stayed = never & ~left & (rows["t"].to_numpy()[last] == horizon - 1)
    weights = followers.weight[last]
    return NeverArm(
        followers.count,
        int(never.sum()),
        int((never & left).sum()),
        int(stayed.sum()),
        effective_n(weights[stayed]) if stayed.any() else 0.0,
        float(weights[never].max()) if never.any() else 0.0,
    )


def _followers(trial: Trial, horizon: int) -> _Followers:
    among = trial.followed(horizon)
    count = int(among.sum())
    min_chance = min(0.1, 5 / (math.sqrt(count) * math.log(count))) if count > 1 else 0.1
    place = np.cumsum(among) - 1
    rows = trial.rows
    rows = rows[among[rows["account"].to_numpy()] & (rows["t"].to_numpy() < horizon)].reset_index(drop=True)
    rows["entry"] = rows["month"] - rows["t"]
    account, covered = place[rows["account"].to_numpy()], rows["covered"].to_numpy()
    so_far = pd.Series(covered).groupby(account).cumsum().to_numpy()  # covered months up to and with this one
    follows = so_far == 0
    open_ = (so_far - covered) == 0  # uncovered until this month: its coverage may begin now
    t = rows["t"].to_numpy()
    chance = np.ones(len(rows))
    for stage in ((t == 0), open_ & (t > 0)):
        chance[stage] = _uncovered(rows[stage])
    stays_so = pd.Series(np.maximum(chance, 1e-12)).groupby(account).cumprod().to_numpy()
    weight = np.where(follows, 1 / np.maximum(stays_so, min_chance), 0.0)
    return _Followers(rows, account, count, follows, weight, covered)


def _uncovered(rows: pd.DataFrame) -> np.ndarray:
    """P(uncovered this month), one per row; 1 or 0 where all rows say the same."""
    covered = rows["covered"].to_numpy(float)
    if len(rows) == 0 or covered.min() == covered.max():
        return 1 - covered
    x = with_ones(adjustment(rows, ("entry", "t")).columns(rows))
    return 1 - probability_of(logistic(x, covered, ridge=_RIDGE).log_odds(x))


def _targeted(followers: _Followers, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Q_0 of every account, and the sum over months of its weighted residuals."""
    rows, t = followers.rows, followers.rows["t"].to_numpy()
    how = adjustment(rows, ("entry",))
    columns, modifiers = how.columns(rows), how.modifiers(rows)
    after = np.zeros(followers.count)  # Q of the next month, 0 for accounts that have left
    after[followers.account[(t == horizon - 1) & ~rows["churned"].to_numpy()]] = 1.0
    influence = np.zeros(followers.count)
    months = np.argsort(t, kind="stable")
    ends = np.searchsorted(t[months], np.arange(horizon + 1))
    start: np.ndarray | None = None
    for month in range(horizon - 1, -1, -1):
        here = months[ends[month] : ends[month + 1]]
        account, covered = followers.account[here], followers.covered[here].astype(float)
        target = after[account]
        x = with_ones(columns[here], covered, covered[:, None] * modifiers[here])
        fit = logistic(x, target, ridge=_RIDGE, start=start)
        start = fit.coefficients
        plain = with_ones(columns[here]) @ start[: columns.shape[1] + 1]
        follows = followers.follows[here]
        shift = _fluctuation(target[follows], plain[follows], followers.weight[here][follows])
        found = np.clip(probability_of(plain + shift), _EDGE, 1 - _EDGE)
        influence[account] += followers.weight[here] * (target - found)
        after = np.zeros(followers.count)
        after[account] = found
    return after, influence


def _fluctuation(target: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> float:
    if not len(target) or target.max() <= 0 or target.min() >= 1:
        return 0.0  # a maximum at infinity: the regression alone
    return float(logistic(np.ones((len(target), 1)), target, weights, offset).coefficients[0])
