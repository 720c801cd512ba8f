"""The conditions for a causal headline: negative controls, overlap, and gates with figure and threshold.

And the strongest measured covariate, as the yardstick for how strong a hidden cause would have to be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cs_helpers.core.results import Record
from cs_helpers.core.stats.clusters import clustered_covariance, two_sided_p
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.sensitivity import bias_factor
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.adjustment import adjustment, with_ones
from cs_helpers.roi.effect_evidence import Evidence
from cs_helpers.roi.gformula import Futures, Models, designs
from cs_helpers.roi.ltmle import NeverArm
from cs_helpers.roi.trial import Trial

MIN_CONTROL_EVENTS = 20
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
    that is not yes or no. Empty where the trial has no controls. Source: Lipsitch, Tchetgen Tchetgen & Cohen 2010.
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

    Health, MRR and tenure, over accounts followed for ``horizon`` months. None where no covariate varies, no
    account is followed, or a third holds no account that left, none covered or none uncovered.
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
    refused = _too_few(values, y, exposure, kind)
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


def _too_few(values: np.ndarray, y: np.ndarray, exposure: np.ndarray, kind: str) -> str:
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
    few = [f"{number:,} {what}" for what, number in counts.items() if number < MIN_CONTROL_EVENTS]
    return f"too few to tell: {', '.join(few)}; {MIN_CONTROL_EVENTS} are needed" if few else ""


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


MIN_MONTHS, MIN_EVENTS, MIN_CHANGES = 12, 100, 10
MIN_HEALTH_KNOWN = 0.8
MIN_NEVER_CHURNED, MIN_NEVER_AT_HORIZON, MIN_NEVER_ESS = 50, 20, 75
MAX_LEFT_OUT = 0.20
MAX_STANDARD_ERRORS = 1.96
MAX_MODEL_ERROR = 1.0
MODEL_ERROR_AT = (6, 12, 24)
MIN_UNCOVERED_CHANCE = 0.05
"""Below this chance of being uncovered an account has nothing to be compared with."""
_RIDGE = 0.1


@dataclass(frozen=True, repr=False)
class Gate(Record):
    """One condition for a causal headline: its value, its threshold, and whether it holds.

    ``passed`` is None where the condition could not be assessed; ``reason`` states why, or what the failure means.
    ``value`` and ``threshold`` are numbers in ``unit``; ``rule`` is "at least" or "at most".
    """

    key: str
    value: float | None
    threshold: float
    rule: str
    unit: str
    passed: bool | None
    reason: str = ""


def gate(key: str, value: float | None, threshold: float, rule: str, unit: str, reason: str = "") -> Gate:
    """A gate that compares ``value`` with ``threshold``; a missing value cannot pass, and is not a failure either."""
    if value is None or not math.isfinite(value):
        return Gate(key, None, threshold, rule, unit, None, reason or "it could not be computed")
    passed = value >= threshold if rule == "at least" else value <= threshold
    return Gate(key, float(value), threshold, rule, unit, passed, "" if passed else reason)


@dataclass(frozen=True, eq=False, repr=False)
class Overlap(Record):
    """For how much of the MRR P(uncovered | health, MRR, tenure, calendar month) is at least 5 %.

    ``left_out_share``: share of MRR-months below it. ``table``: one row per segment: segment, accounts, mrr_share
    (of all MRR-months), left_out_share (of the segment's). ``inside``: one flag per account, at least 5 % in half of
    its months.
    """

    left_out_share: float
    table: pd.DataFrame
    inside: np.ndarray


def measure_overlap(models: Models) -> Overlap:
    """How much of the MRR had a chance of at least 5 % of being uncovered.

    P(uncovered) comes from a pooled logistic model on natural splines of log MRR, health, tenure and calendar month and
    health x MRR, without last month's coverage. Each account-month counts with its MRR.
    """
    trial, rows = models.trial, models.trial.rows
    x = designs(trial, models.scales, models.filled).leaving[:, :-3]  # all columns that hold no coverage
    covered = rows["covered"].to_numpy()
    fit = logistic(x, covered.astype(float), ridge=_RIDGE)
    uncovered = 1 - probability_of(fit.log_odds(x))
    outside, mrr = uncovered < MIN_UNCOVERED_CHANCE, rows["mrr"].to_numpy()
    account = rows["account"].to_numpy()
    months = trial.accounts["months"].to_numpy()
    inside = np.bincount(account, weights=outside) <= months / 2
    by = pd.DataFrame(
        {"segment": trial.accounts["segment"].to_numpy()[account], "mrr": mrr, "outside": mrr * outside}
    ).groupby("segment")
    sums = by[["mrr", "outside"]].sum()
    table = pd.DataFrame(
        {
            "segment": sums.index.astype(str),
            "accounts": trial.accounts.groupby("segment").size().reindex(sums.index).to_numpy(),
            "mrr_share": (sums["mrr"] / mrr.sum()).to_numpy(),
            "left_out_share": (sums["outside"] / sums["mrr"]).to_numpy(),
        }
    )
    return Overlap(float((mrr * outside).sum() / mrr.sum()), table, inside)


def sufficiency(arm: NeverArm) -> float:
    """How close the never-covered accounts come to what the gates need: 1 where they suffice."""
    return min(
        arm.never_churned / MIN_NEVER_CHURNED, arm.at_horizon / MIN_NEVER_AT_HORIZON, arm.ess / MIN_NEVER_ESS, 1.0
    )


def gates_before(trial: Trial, horizon: int, arm: NeverArm, controls: Sequence[Control]) -> tuple[Gate, ...]:
    """What must hold of the data before anything is fitted.

    months: length of the panel; events: accounts that left; dated_coverage: accounts whose coverage began or ended
    while they were followed; health_known: share of account-months with a health that changes within accounts; never_*:
    the accounts never covered within ``horizon``; control:NAME: p value of a negative control. ``passed`` is None for
    controls where none was named or one could not be computed.
    """
    rows = trial.rows
    changes = rows.groupby("account")["covered"].nunique().to_numpy()
    moves = rows.groupby("account")["health"].nunique().to_numpy().max(initial=0) > 1
    known = float(rows["health"].notna().mean()) if moves else 0.0
    at_least: tuple[tuple[str, float, float, str, str], ...] = (
        ("months", trial.months, MIN_MONTHS, "months", "the panel is too short"),
        ("events", trial.churn_events, MIN_EVENTS, "accounts", "too few accounts left"),
        ("dated_coverage", int((changes > 1).sum()), MIN_CHANGES, "accounts",
         "coverage hardly ever begins or ends: it is a label of the account and not something done to it"),
        ("health_known", known, MIN_HEALTH_KNOWN, "share",
         "health or usage month by month is not known, and coverage goes by it"),
        ("never_events", arm.never_churned, MIN_NEVER_CHURNED, "accounts",
         "too few of the accounts that were never covered left"),
        ("never_at_horizon", arm.at_horizon, MIN_NEVER_AT_HORIZON, "accounts",
         f"too few never-covered accounts are still there after {horizon} months"),
        ("never_ess", arm.ess, MIN_NEVER_ESS, "accounts",
         "a few never-covered accounts would have to stand for all the others"),
    )  # fmt: skip
    found = [gate(key, value, needed, "at least", unit, why) for key, value, needed, unit, why in at_least]
    if not controls:
        why = "no outcome that customer success cannot move was named, so hidden causes cannot be looked for"
        return (*found, gate("controls", None, ALARM, "at least", "p value", why))
    why = "coverage goes with something it cannot have moved, so a cause of both is missing from the data"
    found += [
        gate(f"control:{each.key}", each.p, ALARM, "at least", "p value", each.reason or why) for each in controls
    ]
    return tuple(found)


def gates_of_fit(trial: Trial, futures: Futures, where: Overlap, check: Evidence) -> tuple[Gate, ...]:
    """What must hold of the fit: overlap, agreement with LTMLE, and the natural course within a point of what happened.

    agreement: |g-formula - LTMLE| / standard error of LTMLE; a missing LTMLE does not pass.
    """
    horizon = futures.horizon
    apart = abs(futures.points(horizon)[0] - check.value) / check.se if check.value is not None and check.se else None
    agreement = gate("agreement", apart, MAX_STANDARD_ERRORS, "at most", "standard errors", "two methods disagree")
    if agreement.passed is None:
        agreement = replace(agreement, passed=False, reason=f"the second method gives no figure: {check.reason}")
    followed = trial.followed(horizon)
    at = sorted({*(each for each in MODEL_ERROR_AT if each <= horizon), horizon})
    errors = {t: 100 * abs(float(futures.natural[t, 0]) - float(np.mean(trial.survives(t)[followed]))) for t in at}
    why = "the models do not reproduce what happened"
    natural = [gate(f"natural_{t}", off, MAX_MODEL_ERROR, "at most", "points", why) for t, off in errors.items()]
    why = "accounts like these hardly ever go without coverage, so there is nothing to compare them with"
    left_out = gate("overlap", where.left_out_share, MAX_LEFT_OUT, "at most", "share of MRR", why)
    return (left_out, agreement, *natural)


def refusal(gates: Sequence[Gate], keys: Sequence[str] | None = None) -> str:
    """Why these gates refuse, in words with figure and threshold; "" where they do not. ``keys``: only these."""
    failed = [each for each in gates if each.passed is False and (keys is None or each.key.split(":")[0] in keys)]
    return "; ".join(f"{each.reason} ({_figures(each)})" for each in failed)


def _figures(each: Gate) -> str:
    if each.value is None:
        return f"{each.rule} {each.threshold:g} {each.unit} needed"
    figure, threshold = (f"{x:.0%}" if each.unit.startswith("share") else f"{x:.3g}" if each.unit == "p value" else
                         f"{x:,.2f}".rstrip("0").rstrip(".") for x in (each.value, each.threshold))  # fmt: skip
    unit = each.unit.removesuffix("s") if threshold == "1" else each.unit
    return f"{figure}, {each.rule} {threshold} {unit} needed"
