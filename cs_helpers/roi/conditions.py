"""The gates before a causal headline: what must hold of the data and of the fit, with figure and threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cs_helpers.core.results import Record
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.roi.controls import ALARM, Control
from cs_helpers.roi.effect_evidence import Evidence
from cs_helpers.roi.gformula import Futures, Models, designs
from cs_helpers.roi.ltmle import NeverArm
from cs_helpers.roi.trial import Trial

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
    return (*found, *_control_gates(controls))


def _control_gates(controls: Sequence[Control]) -> list[Gate]:
    if not controls:
        why = "no outcome that customer success cannot move was named, so hidden causes cannot be looked for"
        return [gate("controls", None, ALARM, "at least", "p value", why)]
    why = "coverage goes with something it cannot have moved, so a cause of both is missing from the data"
    return [gate(f"control:{each.key}", each.p, ALARM, "at least", "p value", each.reason or why) for each in controls]


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
