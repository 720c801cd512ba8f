"""The measured effect: what the panel says would have happened without coverage, and whether it may be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record, Suppressed, or_suppressed
from cs_helpers.core.stats import e_value, normal_quantile
from cs_helpers.roi.association import association
from cs_helpers.roi.baseline import baseline_trial
from cs_helpers.roi.common_support import Overlap, measure_overlap
from cs_helpers.roi.conditions import (
    MIN_NEVER_AT_HORIZON,
    MIN_NEVER_CHURNED,
    MIN_NEVER_ESS,
    gates_before,
    gates_of_fit,
    refusal,
)
from cs_helpers.roi.controls import Control, Yardstick, run_negative_controls, yardstick
from cs_helpers.roi.effect_evidence import Evidence, Gate
from cs_helpers.roi.gformula import Futures, Models, fit_models, points_without, simulate_futures
from cs_helpers.roi.ltmle import NeverArm, ltmle, never_arm
from cs_helpers.roi.naive_contrasts import naive_contrasts
from cs_helpers.roi.trial import Trial, trial
from cs_helpers.roi.vacancy import vacancy

HORIZONS = (24, 18, 12, 6)
"""Months over which the effect may be measured, the longest first: the first whose never-covered arm holds is taken."""
MIN_IN_SEGMENT = 30
MIN_ACCOUNTS_OF_CSM = 5
_Z = normal_quantile(0.95)
CARRY = ("g_formula", "vacancy", "baseline")
"""Rungs that may carry the headline, the strongest first."""
NEEDED_AT_BASELINE = ("months", "events", "dated_coverage", "health_known", "control", "overlap")
"""Gates of the comparison of accounts by their coverage in month 0."""
NOT_RANDOMISED = "no account was given or denied coverage by lot or in planned stages; that would say most"
ESTIMAND = (
    "No coverage from month 0, and nothing in its place, against what happened: the share of accounts (or of their "
    "MRR) still paying after so many months. Month 0 is an account's first month in the window."
)


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredEffect(Record):
    """What withdrawing all assigned CSMs would have done to the accounts that were followed for ``horizon`` months.

    ``verdict``: "measured" where a rung that may carry a headline passed its gates, else "refused", with ``reason``.
    ``headline``: that rung's key ("g_formula", "vacancy", "baseline"), or "". ``points``: one row per horizon and
    weight: horizon, weight ("logo", "mrr", "overlap": accounts with overlap only), value, low, high (points, 95 %),
    natural, vanished (fractions), kaplan_meier (observed fraction); values are missing where the g-formula was refused.
    ``curves``: t, natural, natural_low, natural_high, vanished, vanished_low, vanished_high, kaplan_meier (logo);
    None where refused. ``segments``: segment, accounts, churned, mrr, points, low, high, mrr_months (kept, with
    mrr_months_low and mrr_months_high), reason ("" or why it has no figures). ``risk_ratio``: risk of having left by
    the horizon, without over with, with its interval. ``leave_one_out``: smallest and largest points with one CSM's
    accounts left out. ``rungs``: the ladder, the strongest first; ``naive``: what is refuted.
    """

    verdict: str
    carried_by: str
    reason: str
    horizon: int
    horizons: tuple[int, ...]
    months: int
    accounts: int
    churned: int
    estimand: str
    points: pd.DataFrame
    evidence: tuple[Evidence, ...]
    naive: tuple[Evidence, ...]
    gates: tuple[Gate, ...]
    controls: tuple[Control, ...]
    overlap: Overlap | None = None
    curves: pd.DataFrame | None = None
    segments: pd.DataFrame | None = None
    risk_ratio: float | None = None
    risk_ratio_interval: tuple[float, float] | None = None
    e_value: float | None = None
    e_value_limit: float | None = None
    yardstick: Yardstick | None = None
    leave_one_out: tuple[float, float] | None = None
    csms: int = 0
    _trial: Trial | None = field(default=None, repr=False)
    _futures: Futures | None = field(default=None, repr=False)

    @property
    def main_evidence(self) -> Evidence | None:
        """The evidence that carries the headline; None where the effect is refused."""
        return next((each for each in self.evidence if each.key == self.carried_by), None)

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that did not pass."""
        return tuple(each for each in self.gates if each.passed is False)


def measure_effect(
    panel: pd.DataFrame | Trial,
    horizon: int = 0,
    segments: pd.Series | None = None,
    outcomes: Sequence[str] = (),
    exposures: Sequence[str] = (),
    draws: int = 200,
    seed: int = 1,
) -> MeasuredEffect:
    """Effect of withdrawing all coverage from month 0 on, by every method there is, and a verdict.

    ``panel``: account-months as ``trial`` takes them, or a Trial. ``horizon``: months; 0 takes the longest of 24, 18,
    12 and 6 at which the never-covered accounts suffice. ``segments``: account_id -> segment. ``outcomes`` and
    ``exposures``: negative controls, see ``negative_controls``. ``draws``: of whole accounts, for the interval of the
    g-formula (normal, 1.96 standard errors of the draws).
    What the data do not allow is refused inside the result, with its reason. Raises ContractError where the panel is
    none at all, ParameterError for a horizon outside the window.
    Source: Hernan & Robins, What If, chapters 19 to 22 (g-formula, target trial); gates: see ``gates``.
    """
    followed = panel if isinstance(panel, Trial) else trial(panel, segments, outcomes, exposures)
    if horizon < 0 or horizon >= max(followed.months, 1) + 1:
        raise ParameterError(
            f"horizon is {horizon}: the panel has {followed.months} months. Give at most that, or 0 for the longest "
            "that the data allow."
        )
    arms = {each: never_arm(followed, each) for each in _candidates(followed, horizon)}
    chosen, arm = _longest(arms)
    controls = run_negative_controls(followed)
    before = gates_before(followed, chosen, arm, controls)
    models = or_suppressed(fit_models, followed)
    lower = {
        "ltmle": ltmle(followed, chosen),
        "vacancy": vacancy(followed, chosen),
        "baseline": baseline_trial(followed, chosen),
        "association": association(followed, chosen),
    }
    refuted = naive_contrasts(followed, chosen)
    if isinstance(models, Suppressed):
        return _result(followed, chosen, before, controls, lower, refuted, why=models.reason)
    where = measure_overlap(models)
    futures = or_suppressed(simulate_futures, models, chosen, _weights(followed, chosen, where), draws, seed)
    if isinstance(futures, Suppressed):
        return _result(followed, chosen, before, controls, lower, refuted, where, why=futures.reason)
    gates = (*before, *gates_of_fit(followed, futures, where, lower["ltmle"]))
    return _result(followed, chosen, gates, controls, lower, refuted, where, futures, models, seed)


def _candidates(followed: Trial, horizon: int) -> tuple[int, ...]:
    if horizon:
        return (horizon,)
    inside = tuple(each for each in HORIZONS if each <= followed.months)
    return inside or (followed.months,)


def _longest(arms: dict[int, NeverArm]) -> tuple[int, NeverArm]:
    """The longest horizon whose never-covered arm suffices; where none does, the one that comes closest."""

    def short(arm: NeverArm) -> float:
        return min(
            arm.never_churned / MIN_NEVER_CHURNED, arm.at_horizon / MIN_NEVER_AT_HORIZON, arm.ess / MIN_NEVER_ESS, 1.0
        )

    best = max(arms, key=lambda each: (short(arms[each]), each))
    return best, arms[best]


def _weights(followed: Trial, horizon: int, where: Overlap) -> np.ndarray:
    """How much each account counts: each once, by MRR, each once where there is overlap, then per segment both ways."""
    mrr = followed.accounts["mrr"].to_numpy()
    inside = where.inside if where.inside[followed.followed(horizon)].any() else np.ones(len(mrr), bool)
    columns = [np.ones(len(mrr)), mrr, inside.astype(float)]
    for each in _segments(followed, horizon):
        member = (followed.accounts["segment"] == each).to_numpy()
        columns += [member.astype(float), member * mrr]
    return np.column_stack(columns)


def _segments(followed: Trial, horizon: int) -> list[str]:
    """Segments with enough followed accounts for figures of their own; none where there is only one."""
    among = followed.accounts[followed.followed(horizon)]
    counts = among["segment"].value_counts()
    if followed.accounts["segment"].nunique() < 2:
        return []
    return sorted(str(name) for name in counts.index[counts >= MIN_IN_SEGMENT])


def _result(
    followed: Trial,
    horizon: int,
    gates: tuple[Gate, ...],
    controls: tuple[Control, ...],
    lower: dict[str, Evidence],
    refuted: tuple[Evidence, ...],
    where: Overlap | None = None,
    futures: Futures | None = None,
    models: Models | None = None,
    seed: int = 1,
    why: str = "",
) -> MeasuredEffect:
    among = followed.followed(horizon)
    accounts, churned = int(among.sum()), int((~followed.survives(horizon)[among]).sum())
    reason = refusal(gates) or why
    if futures is None or reason:
        g = Evidence("g_formula", horizon, status="refused", reason=reason, accounts=accounts, churned=churned)
    else:
        value, se = futures.points(horizon)
        g = Evidence(
            "g_formula", horizon, value, value - _Z * se, value + _Z * se, se, accounts=accounts, churned=churned
        )
    untrusted = {"ltmle": reason, "baseline": refusal(gates, NEEDED_AT_BASELINE)}
    hidden = refusal(gates, ("dated_coverage", "control"))
    judged = [_held_back(item, untrusted.get(key, "")) for key, item in lower.items() if key != "association"]
    evidence = (
        Evidence("randomised", horizon, status="refused", reason=NOT_RANDOMISED),
        g,
        *judged,
        _refuted(lower["association"], hidden),
    )
    carried_by = next((each.key for each in evidence if each.status == "shown" and each.key in CARRY), "")
    shown = futures is not None and g.status == "shown"
    risk = _risk_ratio(futures) if shown and futures is not None else None
    point, limit = e_value(risk[0], _nearest_to_one(*risk[1])) if risk else (None, None)
    swing, csms = _leave_one_out(followed, models, horizon, seed) if shown and models is not None else (None, 0)
    return MeasuredEffect(
        verdict="measured" if carried_by else "refused",
        carried_by=carried_by,
        reason=g.reason,
        horizon=horizon,
        horizons=tuple(sorted({*(each for each in HORIZONS if each < horizon), horizon})),
        months=followed.months,
        accounts=accounts,
        churned=churned,
        estimand=ESTIMAND,
        points=_points(followed, horizon, futures if shown else None),
        evidence=evidence,
        naive=refuted,
        gates=gates,
        controls=controls,
        overlap=where,
        curves=_curves(followed, futures) if shown and futures is not None else None,
        segments=_by_segment(followed, futures) if shown and futures is not None else None,
        risk_ratio=risk[0] if risk else None,
        risk_ratio_interval=risk[1] if risk else None,
        e_value=point,
        e_value_limit=limit,
        yardstick=yardstick(followed, horizon),
        leave_one_out=swing,
        csms=csms,
        _trial=followed,
        _futures=futures if shown else None,
    )


def _held_back(item: Evidence, why: str) -> Evidence:
    """A rung whose own figures stand, but whose gates do not."""
    if item.status == "refused" or not why:
        return item
    return Evidence(item.key, item.horizon, status="refused", reason=why, accounts=item.accounts, churned=item.churned)


def _refuted(item: Evidence, why: str) -> Evidence:
    """An association that a gate shows to be no effect: it stays in the picture, to be seen through."""
    return replace(item, status="refuted", reason=why) if why and item.status == "shown" else item


def _kaplan_meier(followed: Trial, horizon: int, t: int, weights: np.ndarray) -> float:
    """Weighted share of the accounts followed for ``horizon`` months that paid after ``t``; nobody is censored."""
    among = followed.followed(horizon)
    return float(np.average(followed.survives(t)[among], weights=weights[among])) if among.any() else float("nan")


def _points(followed: Trial, horizon: int, futures: Futures | None) -> pd.DataFrame:
    rows = []
    accounts = followed.accounts
    observed = {"logo": np.ones(len(accounts)), "mrr": accounts["mrr"].to_numpy()}
    for each in sorted({*(h for h in HORIZONS if h < horizon), horizon}):
        for column, weight in enumerate(("logo", "mrr", "overlap")):
            row: dict[str, Any] = {"horizon": each, "weight": weight}
            nothing = float("nan")
            if futures is None:
                row |= dict.fromkeys(("value", "low", "high", "natural", "vanished"), nothing)
            else:
                value, se = futures.points(each, column)
                row |= {"value": value, "low": value - _Z * se, "high": value + _Z * se}
                row |= {"natural": float(futures.natural[each, column])}
                row |= {"vanished": float(futures.vanished[each, column])}
            row["kaplan_meier"] = (
                _kaplan_meier(followed, horizon, each, observed[weight]) if weight in observed else nothing
            )
            rows.append(row)
    return pd.DataFrame(rows)


def _curves(followed: Trial, futures: Futures) -> pd.DataFrame:
    def band(point: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        reach = _Z * draws[:, :, 0].std(axis=0, ddof=1)
        return np.clip(point[:, 0] - reach, 0, 1), np.clip(point[:, 0] + reach, 0, 1)

    natural, vanished = band(futures.natural, futures.natural_draws), band(futures.vanished, futures.vanished_draws)
    t = np.arange(futures.horizon + 1)
    once = np.ones(len(followed.accounts))
    return pd.DataFrame(
        {
            "t": t,
            "natural": futures.natural[:, 0],
            "natural_low": natural[0],
            "natural_high": natural[1],
            "vanished": futures.vanished[:, 0],
            "vanished_low": vanished[0],
            "vanished_high": vanished[1],
            "kaplan_meier": [_kaplan_meier(followed, futures.horizon, int(each), once) for each in t],
        }
    )


def _by_segment(followed: Trial, futures: Futures) -> pd.DataFrame:
    """One row per segment, the largest first; segments too small for figures say so."""
    horizon = futures.horizon
    among = followed.accounts[followed.followed(horizon)]
    left = ~followed.survives(horizon)[followed.followed(horizon)]
    shown, rows = _segments(followed, horizon), []
    for name, group in among.groupby("segment"):
        row: dict[str, Any] = {"segment": str(name), "accounts": len(group), "mrr": float(group["mrr"].sum())}
        row["churned"] = int(left[(among["segment"] == name).to_numpy()].sum())
        empty = ("points", "low", "high", "mrr_months", "mrr_months_low", "mrr_months_high")
        if name not in shown:
            too_few = f"{len(group)} accounts followed, at least {MIN_IN_SEGMENT} needed"
            rows.append(row | dict.fromkeys(empty, float("nan")) | {"reason": too_few})
            continue
        column = 3 + 2 * shown.index(str(name))
        value, se = futures.points(horizon, column)
        kept = row["mrr"] * (futures.natural - futures.vanished)[:horizon, column + 1].sum()
        drawn = row["mrr"] * (futures.natural_draws - futures.vanished_draws)[:, :horizon, column + 1].sum(axis=1)
        reach = _Z * float(drawn.std(ddof=1))
        row |= {"points": value, "low": value - _Z * se, "high": value + _Z * se}
        row |= {"mrr_months": kept, "mrr_months_low": kept - reach, "mrr_months_high": kept + reach, "reason": ""}
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.sort_values("mrr", ascending=False, ignore_index=True)


def _risk_ratio(futures: Futures) -> tuple[float, tuple[float, float]]:
    """Risk of having left by the horizon, without coverage over with it; the interval on the log scale."""
    last = futures.horizon
    ratio = float((1 - futures.vanished[last, 0]) / (1 - futures.natural[last, 0]))
    drawn = np.log((1 - futures.vanished_draws[:, last, 0]) / (1 - futures.natural_draws[:, last, 0]))
    reach = _Z * float(drawn.std(ddof=1))
    return ratio, (float(ratio * np.exp(-reach)), float(ratio * np.exp(reach)))


def _nearest_to_one(low: float, high: float) -> float:
    return 1.0 if low <= 1 <= high else low if low > 1 else high


def _leave_one_out(followed: Trial, models: Models, horizon: int, seed: int) -> tuple[tuple[float, float] | None, int]:
    """The range of the effect with the accounts that one CSM ever covered left out, CSM by CSM."""
    rows = followed.rows[followed.rows["csm"] != ""]
    if rows.empty:
        return None, 0
    pairs = rows[["csm", "account"]].drop_duplicates()
    portfolios = [group["account"].to_numpy() for _, group in pairs.groupby("csm") if len(group) >= MIN_ACCOUNTS_OF_CSM]
    groups = []
    for portfolio in portfolios:
        flag = np.zeros(len(followed.accounts))
        flag[portfolio] = 1
        groups.append(flag)
    if not groups:
        return None, 0
    found = points_without(models, horizon, groups, seed)
    return (float(found.min()), float(found.max())), len(groups)
