"""Negative controls, which show whether a common cause of coverage and churn is missing from the data.

And the strongest measured covariate, as the yardstick for how strong a missing one would have to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core.results import Record
from cs_helpers.core.stats.clusters import clustered_covariance, two_sided_p
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.sensitivity import bias_factor
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.adjustment import adjustment, with_ones
from cs_helpers.roi.trial import Trial

MIN_EVENTS = 20
ALARM = 0.05
"""A negative control whose p value is below this raises an alarm."""
COVARIATES = ("health", "log_mrr", "tenure_months")


@dataclass(frozen=True, repr=False)
class Control(Record):
    """One negative control: its association with coverage (``kind`` "outcome") or with churn ("exposure").

    ``estimate``: log odds ratio, adjusted for health, MRR, tenure and month; ``se`` by account; ``p``: two-sided. All
    three are None where ``reason`` states why. ``n`` account-months, ``events`` of them with the outcome. A p below .05
    is evidence of a cause of coverage and churn that is not in the data.
    """

    key: str
    kind: str
    estimate: float | None
    se: float | None
    p: float | None
    n: int
    events: int
    reason: str = ""

    @property
    def alarm(self) -> bool:
        """Whether the association is clear: p < .05."""
        return self.p is not None and self.p < ALARM


@dataclass(frozen=True, repr=False)
class Yardstick(Record):
    """How much the strongest measured covariate could explain, for comparison with an E-value.

    ``covariate`` has the largest ``bias_factor`` in ``table``: a hidden cause as strong as it could change a risk ratio
    by that factor at most. ``table``: covariate, risk_ratio (of churn), prevalence_ratio (with coverage), bias_factor.
    """

    covariate: str
    bias_factor: float
    table: pd.DataFrame


def run_negative_controls(trial: Trial) -> tuple[Control, ...]:
    """Every negative control of the trial, outcomes first.

        outcome:   logit P(outcome in a month) = adjustment + b covered                     over all account-months
        exposure:  logit P(churned in a month) = adjustment + b exposure                    over uncovered ones
        p = two-sided tail of b / se(b), the standard error by account

    Months in which the control is not recorded are left out. No p with fewer than 20 months with and without the
    outcome, or with and without the exposure, or fewer than 20 events among the exposed or the others; nor for a column
    that is not yes or no. Empty where the trial has no controls.
    Source: Lipsitch, Tchetgen Tchetgen & Cohen 2010.
    """
    made = []
    with one_thread():
        for kind, names in (("outcome", trial.outcomes), ("exposure", trial.exposures)):
            for name in names:
                rows = trial.rows if kind == "outcome" else trial.rows[~trial.rows["covered"]]
                made.append(_control(rows[rows[name].notna()], name, kind))
    return tuple(made)


def yardstick(trial: Trial, horizon: int) -> Yardstick | None:
    """The measured covariate that could bias the effect most: top against bottom third at t = 0.

        risk_ratio       P(churned within H | one third) / P(churned | the other), inverted where it is below 1
        prevalence_ratio P(third | covered at t = 0) / P(third | uncovered), of the two thirds the one further from 1
        bias_factor      see ``cs_helpers.core.stats.sensitivity.bias_factor``

    Health, MRR and tenure, over accounts followed for ``horizon`` months. None where no covariate varies, nobody is
    followed, or a third holds no account that left, none covered or none uncovered.
    """
    among = trial.followed(horizon)
    accounts = trial.accounts[among]
    left, covered = ~trial.survives(horizon)[among], accounts["covered"].to_numpy()
    found = []
    for name in COVARIATES:
        ratios = _ratios(accounts[name].to_numpy(float), left, covered)
        if ratios is not None:
            found.append((name, *ratios, bias_factor(*ratios)))
    if not found:
        return None
    table = pd.DataFrame(found, columns=["covariate", "risk_ratio", "prevalence_ratio", "bias_factor"])
    table = table.sort_values("bias_factor", ascending=False, ignore_index=True)
    return Yardstick(str(table["covariate"].iloc[0]), float(table["bias_factor"].iloc[0]), table)


def _control(rows: pd.DataFrame, name: str, kind: str) -> Control:
    values = rows[name].to_numpy(float)
    y = values if kind == "outcome" else rows["churned"].to_numpy(float)
    exposure = rows["covered"].to_numpy(float) if kind == "outcome" else values
    events = int((y == 1).sum())
    refused = _reason(values, y, exposure, kind)
    if refused:
        return Control(name, kind, None, None, None, len(rows), events, refused)
    x = with_ones(adjustment(rows, ("month",)).columns(rows), exposure)
    fit = logistic(x, y)
    account, ids = pd.factorize(rows["account"].to_numpy())
    residuals = y - probability_of(x @ fit.coefficients)
    covariance = clustered_covariance(x, residuals, fit.covariance, account, len(ids))
    b, se = float(fit.coefficients[-1]), float(np.sqrt(covariance[-1, -1]))
    if not fit.converged or not 0 < se < np.inf:
        return Control(name, kind, None, None, None, len(rows), events, "the regression has no finite answer")
    return Control(name, kind, b, se, two_sided_p(b / se), len(rows), events)


def _reason(values: np.ndarray, y: np.ndarray, exposure: np.ndarray, kind: str) -> str:
    if not np.isin(values, (0, 1)).all():
        return "it is not a yes or no"
    exposed = "covered" if kind == "outcome" else "exposed"
    counts = {
        "months with the outcome": int(y.sum()),
        "months without the outcome": int((1 - y).sum()),
        f"{exposed} months": int(exposure.sum()),
        f"months not {exposed}": int((1 - exposure).sum()),
        f"outcomes in {exposed} months": int((y * exposure).sum()),
        f"outcomes in months not {exposed}": int((y * (1 - exposure)).sum()),
    }
    few = [f"{number:,} {what}" for what, number in counts.items() if number < MIN_EVENTS]
    return f"too few to tell: {', '.join(few)}; {MIN_EVENTS} are needed" if few else ""


def _ratios(values: np.ndarray, left: np.ndarray, covered: np.ndarray) -> tuple[float, float] | None:
    """Risk ratio with churn and prevalence ratio with coverage of top and bottom third, both 1 or more."""
    known = np.isfinite(values)
    if not known.any():
        return None
    low, high = np.quantile(values[known], [1 / 3, 2 / 3])
    if not low < high:
        return None
    bottom, top = values <= low, values > high
    risk = [float(left[third].mean()) if third.any() else 0.0 for third in (bottom, top)]
    shares = [
        [float((third & kind).sum()) / max(int((known & kind).sum()), 1) for kind in (covered, ~covered)]
        for third in (bottom, top)
    ]
    if min(risk) <= 0 or min(map(min, shares)) <= 0:
        return None
    prevalence = max(max(with_ / without, without / with_) for with_, without in shares)
    return max(risk[0] / risk[1], risk[1] / risk[0]), prevalence
