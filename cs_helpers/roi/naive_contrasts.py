"""Contrasts that are often quoted as the effect of customer success, computed only to say what is wrong with them."""

from __future__ import annotations

import numpy as np

from cs_helpers.core.stats import normal_quantile
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.adjustment import followed, too_late
from cs_helpers.roi.association import hazards, kept_points
from cs_helpers.roi.effect_evidence import Evidence
from cs_helpers.roi.trial import Trial

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


def naive_contrasts(trial: Trial, horizon: int) -> tuple[Evidence, ...]:
    """Three contrasts to be refuted, in points of survival after ``horizon`` months; ``reason`` says what is wrong.

        ever_never      S(ever covered within the horizon) - S(never covered), of the accounts followed for it
        covered_months  (1 - h1)^H - (1 - h0)^H, h: churned per account-month, covered (1) and uncovered (0)
        touch_count     100 mean of Y (1 - R) with logit P(churned) = a + b touches, against no touches

    ``touch_count`` only where the trial's rows have ``touches`` (in the month, missing left at 0); its detail has
    log_odds_ratio per touch. Intervals by account. "refused" where one side of a contrast is empty, or nobody left.
    Health held as it was observed, the fourth of the kind, is the ``association``.
    """
    among = followed(trial, horizon)
    accounts, left = int(among.sum()), int((~trial.survives(horizon) & among).sum())
    keys = ["ever_never", "covered_months", *(["touch_count"] if "touches" in trial.rows else [])]
    if not among.any():
        return tuple(_refused(key, horizon, too_late(trial, horizon), 0, 0) for key in keys)
    made = [_ever_never(trial, horizon, among), _covered_months(trial, horizon)]
    if "touches" in trial.rows:
        with one_thread():
            made.append(_touch_count(trial, horizon))
    evidence = []
    for key, found in zip(keys, made, strict=True):
        if isinstance(found, str):
            evidence.append(_refused(key, horizon, found, accounts, left))
        else:
            value, se, detail = found
            reach = normal_quantile(0.95) * se
            low, high, why = value - reach, value + reach, REASONS[key]
            evidence.append(Evidence(key, horizon, value, low, high, se, "refuted", why, accounts, left, detail))
    return tuple(evidence)


_Found = tuple[float, float, dict[str, float]] | str


def _refused(key: str, horizon: int, reason: str, accounts: int, left: int) -> Evidence:
    return Evidence(key, horizon, status="refused", reason=reason, accounts=accounts, churned=left)


def _ever_never(trial: Trial, horizon: int, among: np.ndarray) -> _Found:
    rows = trial.rows
    inside = rows["covered"].to_numpy() & (rows["t"].to_numpy() < horizon)
    ever = np.bincount(rows["account"].to_numpy(), weights=inside, minlength=len(among))[among] > 0
    stays = trial.survives(horizon)[among]
    if ever.all() or not ever.any():
        kind = "covered at some time" if ever.all() else "never covered"
        return f"all {len(ever):,} accounts were {kind}: there is nothing to compare"
    shares = [float(stays[kind].mean()) for kind in (ever, ~ever)]
    counts = [int(kind.sum()) for kind in (ever, ~ever)]
    se = float(np.sqrt(sum(s * (1 - s) / n for s, n in zip(shares, counts, strict=True))))
    detail = {
        "survival_ever": shares[0],
        "survival_never": shares[1],
        "accounts_ever": counts[0],
        "accounts_never": counts[1],
    }
    return 100 * (shares[0] - shares[1]), 100 * se, detail


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
