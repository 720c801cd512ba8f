"""The gates before a causal headline: what must hold of the data and of the fit, with figure and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cs_helpers.roi.common_support import Overlap
from cs_helpers.roi.controls import ALARM, Control
from cs_helpers.roi.effect_evidence import Evidence, Gate, gate
from cs_helpers.roi.gformula import Futures
from cs_helpers.roi.ltmle import NeverArm
from cs_helpers.roi.trial import Trial

MIN_MONTHS, MIN_EVENTS, MIN_CHANGES = 12, 100, 10
MIN_HEALTH_KNOWN = 0.8
MIN_NEVER_CHURNED, MIN_NEVER_AT_HORIZON, MIN_NEVER_ESS = 50, 20, 75
MAX_LEFT_OUT = 0.20
MAX_STANDARD_ERRORS = 1.96
MAX_MODEL_ERROR = 1.0
MODEL_ERROR_AT = (6, 12, 24)


def gates_before(trial: Trial, horizon: int, arm: NeverArm, controls: Sequence[Control]) -> tuple[Gate, ...]:
    """What must hold before anything is fitted, in the order in which it is looked at.

    months: length of the panel; events: accounts that left; dated_coverage: accounts whose coverage began or ended
    while they were followed (flags that never change are no dates); health_known: share of account-months with a
    health that moves within accounts; never_*: the accounts never covered within ``horizon``; control:NAME: p value of
    a negative control. ``passed`` is None for controls where none was named or one could not be computed.
    """
    rows = trial.rows
    changes = rows.groupby("account")["covered"].nunique().to_numpy()
    moves = rows.groupby("account")["health"].nunique().to_numpy().max(initial=0) > 1
    known = float(rows["health"].notna().mean()) if moves else 0.0
    found = [
        gate("months", trial.months, MIN_MONTHS, "at least", "months", "the panel is too short"),
        gate("events", trial.churn_events, MIN_EVENTS, "at least", "accounts", "too few accounts left"),
        gate(
            "dated_coverage",
            int((changes > 1).sum()),
            MIN_CHANGES,
            "at least",
            "accounts",
            "coverage hardly ever begins or ends: it is a label of the account and not something done to it",
        ),
        gate(
            "health_known",
            known,
            MIN_HEALTH_KNOWN,
            "at least",
            "share",
            "health or usage month by month is not known, and coverage goes by it",
        ),
        gate(
            "never_events",
            arm.never_churned,
            MIN_NEVER_CHURNED,
            "at least",
            "accounts",
            "too few of the accounts that were never covered left",
        ),
        gate(
            "never_at_horizon",
            arm.at_horizon,
            MIN_NEVER_AT_HORIZON,
            "at least",
            "accounts",
            f"too few never-covered accounts are still there after {horizon} months",
        ),
        gate(
            "never_ess",
            arm.ess,
            MIN_NEVER_ESS,
            "at least",
            "accounts",
            "a few never-covered accounts would have to stand for all the others",
        ),
    ]
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
    natural = [
        gate(
            f"natural_{each}",
            100 * abs(float(futures.natural[each, 0]) - float(np.mean(trial.survives(each)[followed]))),
            MAX_MODEL_ERROR,
            "at most",
            "points",
            "the models do not reproduce what happened",
        )
        for each in at
    ]
    left_out = gate(
        "overlap",
        where.left_out_share,
        MAX_LEFT_OUT,
        "at most",
        "share of MRR",
        "accounts like these hardly ever go without coverage, so there is nothing to compare them with",
    )
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
