"""The measured effect of customer success by every method, and whether the conditions for it hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record, Suppressed, or_suppressed
from cs_helpers.core.stats import e_value, normal_quantile
from cs_helpers.roi import conditions
from cs_helpers.roi.association import association, naive_contrasts
from cs_helpers.roi.baseline import baseline_trial
from cs_helpers.roi.conditions import Control, Gate, Overlap, Yardstick, refusal
from cs_helpers.roi.effect_evidence import Evidence, estimated, refused
from cs_helpers.roi.gformula import Futures, Models, fit_models, points_without, simulate_futures
from cs_helpers.roi.ltmle import ltmle, never_arm
from cs_helpers.roi.trial import Trial, trial
from cs_helpers.roi.vacancy import vacancy

HORIZONS = (24, 18, 12, 6)
"""Months over which the effect may be measured, the longest first."""
MIN_IN_SEGMENT = 30
MIN_ACCOUNTS_OF_CSM = 5
_Z = normal_quantile(0.95)
CARRY = ("g_formula", "vacancy", "baseline")
"""Evidence that may carry the headline, the strongest first."""
NEEDED_AT_BASELINE = ("months", "events", "dated_coverage", "health_known", "control", "overlap")
"""Gates of the comparison of accounts by their coverage in month 0."""
NOT_RANDOMISED = "no account was given or denied coverage by lot or in planned stages; that would say most"


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredEffect(Record):
    """What withdrawing all assigned CSMs would have done to the accounts that were followed for ``horizon`` months.

    ``carried_by``: key of the evidence that may carry a headline and passed its gates ("g_formula", "vacancy",
    "baseline"); "" where the effect is refused, with ``reason``. ``points``: one row per horizon and weight: horizon,
    weight ("logo", "mrr", "overlap": accounts with overlap only), value, low, high (points, 95 %), natural, vanished
    (fractions), kaplan_meier (observed fraction); values are missing where the g-formula was refused. ``evidence``: the
    strongest first; ``naive``: contrasts that are refuted. The fields after ``overlap`` are None where the g-formula
    was refused. ``curves``: t, natural, natural_low, natural_high, vanished, vanished_low, vanished_high, kaplan_meier
    (logo). ``segments``: segment, accounts, churned, mrr, points, low, high, mrr_months (kept, with mrr_months_low and
    mrr_months_high), reason ("" or why it has no figures). ``risk_ratio``: risk of having left by the horizon, without
    over with, with its interval. ``leave_one_out``: smallest and largest points with one CSM's accounts left out.
    """

    carried_by: str
    reason: str
    horizon: int
    accounts: int
    churned: int
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
    """Effect of withdrawing all coverage from month 0 on, by every method, and which of them carries a headline.

    ``panel``: account-months as ``trial`` takes them, or a Trial. ``horizon``: months; 0 takes the longest of 24, 18,
    12 and 6 at which the never-covered accounts suffice. ``segments``: account_id -> segment. ``outcomes`` and
    ``exposures``: negative controls, see ``negative_controls``. ``draws``: of whole accounts, for the interval of the
    g-formula (normal, 1.96 standard errors of the draws). What the data do not allow is refused inside the result, with
    its reason. Raises ContractError where ``panel`` has no account-months, ParameterError for a horizon outside the
    window. Source: Hernan & Robins, What If, chapters 19 to 22 (g-formula, target trial); gates: see ``gates``.

    Example:
        >>> panel = pd.DataFrame({"account_id": ["A", "A", "B", "B"], "month": [0, 1, 0, 1], "covered": [1, 1, 0, 0]})
        >>> found = measure_effect(panel.assign(mrr=100.0, tenure_months=1, churned=False))
        >>> found.reason[:53]
        'the panel is too short (2, at least 12 months needed)'
    """
    followed = panel if isinstance(panel, Trial) else trial(panel, segments, outcomes, exposures)
    if horizon < 0 or horizon > max(followed.months, 1):
        raise ParameterError(
            f"horizon is {horizon}: the panel has {followed.months} months. Give at most that, or 0 for the longest "
            "that the data allow."
        )
    candidates = [horizon] if horizon else [h for h in HORIZONS if h <= followed.months] or [followed.months]
    arms = {each: never_arm(followed, each) for each in candidates}
    horizon = max(arms, key=lambda each: (conditions.sufficiency(arms[each]), each))
    controls = conditions.run_negative_controls(followed)
    models = or_suppressed(fit_models, followed)
    where = or_suppressed(conditions.measure_overlap, models)
    futures = or_suppressed(_simulated, followed, models, where, horizon, draws, seed)
    lower = [method(followed, horizon) for method in (ltmle, vacancy, baseline_trial, association)]
    gates = conditions.gates_before(followed, horizon, arms[horizon], controls)
    trusted = None
    if isinstance(models, Suppressed) or isinstance(where, Suppressed) or isinstance(futures, Suppressed):
        failed = next(each for each in (models, where, futures) if isinstance(each, Suppressed))
        reason = refusal(gates) or failed.reason
    else:
        gates = (*gates, *conditions.gates_of_fit(followed, futures, where, lower[0]))
        reason = refusal(gates)
        trusted = None if reason else (futures, models)
    if trusted:
        main = estimated("g_formula", followed, horizon, *trusted[0].points(horizon))
    else:
        main = refused("g_formula", followed, horizon, reason)
    untrusted = {"ltmle": reason, "baseline": refusal(gates, NEEDED_AT_BASELINE)}
    judged = [_held_back(each, followed, untrusted.get(each.key, "")) for each in lower]
    hidden = refusal(gates, ("dated_coverage", "control"))
    if hidden and judged[-1].status == "shown":  # the association
        judged[-1] = replace(judged[-1], status="refuted", reason=hidden)
    evidence = (Evidence("randomised", horizon, status="refused", reason=NOT_RANDOMISED), main, *judged)
    return MeasuredEffect(
        carried_by=next((each.key for each in evidence if each.status == "shown" and each.key in CARRY), ""),
        reason=reason,
        horizon=horizon,
        accounts=main.accounts,
        churned=main.churned,
        points=_points(followed, horizon, trusted[0] if trusted else None),
        evidence=evidence,
        naive=naive_contrasts(followed, horizon),
        gates=gates,
        controls=controls,
        overlap=None if isinstance(where, Suppressed) else where,
        yardstick=conditions.yardstick(followed, horizon),
        **(_figures_of(followed, *trusted, seed) if trusted else {}),
    )


def _simulated(followed: Trial, models: Models, where: Overlap, horizon: int, draws: int, seed: int) -> Futures:
    """The futures by weight: accounts, MRR, accounts with overlap, then accounts and MRR of each segment."""
    mrr = followed.accounts["mrr"].to_numpy()
    inside = where.inside if where.inside[followed.followed(horizon)].any() else np.ones(len(mrr), bool)
    columns = [np.ones(len(mrr)), mrr, inside.astype(float)]
    for each in _segments(followed, horizon):
        member = (followed.accounts["segment"] == each).to_numpy()
        columns += [member.astype(float), member * mrr]
    return simulate_futures(models, horizon, np.column_stack(columns), draws, seed)


def _segments(followed: Trial, horizon: int) -> list[str]:
    """Segments with enough followed accounts for figures of their own; none where there is only one."""
    among = followed.accounts[followed.followed(horizon)]
    counts = among["segment"].value_counts()
    if followed.accounts["segment"].nunique() < 2:
        return []
    return sorted(str(name) for name in counts.index[counts >= MIN_IN_SEGMENT])


def _figures_of(followed: Trial, futures: Futures, models: Models, seed: int) -> dict[str, Any]:
    """The figures that only a trusted g-formula has."""
    ratio, (low, high) = _risk_ratio(futures)
    nearest_to_one = 1.0 if low <= 1 <= high else low if low > 1 else high
    point, limit = e_value(ratio, nearest_to_one)
    swing, csms = _leave_one_out(followed, models, futures.horizon, seed)
    return {
        "curves": _curves(followed, futures),
        "segments": _by_segment(followed, futures),
        "risk_ratio": ratio,
        "risk_ratio_interval": (low, high),
        "e_value": point,
        "e_value_limit": limit,
        "leave_one_out": swing,
        "csms": csms,
        "_trial": followed,
        "_futures": futures,
    }


def _held_back(item: Evidence, followed: Trial, why: str) -> Evidence:
    """Evidence whose own figures hold, but whose gates do not: refused for ``why``."""
    return refused(item.key, followed, item.horizon, why) if why and item.status == "shown" else item


def _kaplan_meier(followed: Trial, horizon: int, t: int, weights: np.ndarray) -> float:
    """Weighted share of the accounts followed for ``horizon`` months that paid after ``t``; nobody is censored."""
    among = followed.followed(horizon)
    return float(np.average(followed.survives(t)[among], weights=weights[among])) if among.any() else float("nan")


def _points(followed: Trial, horizon: int, futures: Futures | None) -> pd.DataFrame:
    rows, nothing = [], float("nan")
    observed = {"logo": np.ones(len(followed.accounts)), "mrr": followed.accounts["mrr"].to_numpy()}
    for each in sorted({*(h for h in HORIZONS if h < horizon), horizon}):
        for column, weight in enumerate(("logo", "mrr", "overlap")):
            row: dict[str, Any] = {"horizon": each, "weight": weight}
            row |= dict.fromkeys(("value", "low", "high", "natural", "vanished", "kaplan_meier"), nothing)
            if futures is not None:
                row |= _interval("value", *futures.points(each, column))
                row |= {name: float(getattr(futures, name)[each, column]) for name in ("natural", "vanished")}
            if weight in observed:
                row["kaplan_meier"] = _kaplan_meier(followed, horizon, each, observed[weight])
            rows.append(row)
    return pd.DataFrame(rows)


def _interval(name: str, value: float, se: float, prefix: str = "") -> dict[str, float]:
    return {name: value, f"{prefix}low": value - _Z * se, f"{prefix}high": value + _Z * se}


def _curves(followed: Trial, futures: Futures) -> pd.DataFrame:
    t = np.arange(futures.horizon + 1)
    columns: dict[str, Any] = {"t": t}
    for name in ("natural", "vanished"):
        point = getattr(futures, name)[:, 0]
        reach = _Z * getattr(futures, f"{name}_draws")[:, :, 0].std(axis=0, ddof=1)
        columns |= {name: point, f"{name}_low": np.clip(point - reach, 0, 1)}
        columns[f"{name}_high"] = np.clip(point + reach, 0, 1)
    once = np.ones(len(followed.accounts))
    columns["kaplan_meier"] = [_kaplan_meier(followed, futures.horizon, int(each), once) for each in t]
    return pd.DataFrame(columns)


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
        kept = row["mrr"] * (futures.natural - futures.vanished)[:horizon, column + 1].sum()
        drawn = row["mrr"] * (futures.natural_draws - futures.vanished_draws)[:, :horizon, column + 1].sum(axis=1)
        row |= _interval("points", *futures.points(horizon, column))
        row |= _interval("mrr_months", kept, float(drawn.std(ddof=1)), "mrr_months_")
        rows.append(row | {"reason": ""})
    return pd.DataFrame(rows).sort_values("mrr", ascending=False, ignore_index=True)


def _risk_ratio(futures: Futures) -> tuple[float, tuple[float, float]]:
    """Risk of having left by the horizon, without coverage over with it; the interval on the log scale."""
    last = futures.horizon
    ratio = float((1 - futures.vanished[last, 0]) / (1 - futures.natural[last, 0]))
    drawn = np.log((1 - futures.vanished_draws[:, last, 0]) / (1 - futures.natural_draws[:, last, 0]))
    reach = _Z * float(drawn.std(ddof=1))
    return ratio, (float(ratio * np.exp(-reach)), float(ratio * np.exp(reach)))


def _leave_one_out(followed: Trial, models: Models, horizon: int, seed: int) -> tuple[tuple[float, float] | None, int]:
    """The range of the effect with the accounts that one CSM ever covered left out, CSM by CSM."""
    pairs = followed.rows.loc[followed.rows["csm"] != "", ["csm", "account"]].drop_duplicates()
    everybody = np.arange(len(followed.accounts))
    groups = [
        np.isin(everybody, portfolio["account"]).astype(float)
        for _, portfolio in pairs.groupby("csm")
        if len(portfolio) >= MIN_ACCOUNTS_OF_CSM
    ]
    if not groups:
        return None, 0
    found = points_without(models, horizon, groups, seed)
    return (float(found.min()), float(found.max())), len(groups)
